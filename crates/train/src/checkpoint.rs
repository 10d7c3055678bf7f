//! A training run on disk: enough to go on as if it had never stopped. Written beside its place and moved there, so
//! that a kill in the middle leaves the one before.
//!
//! `BOWERBT2`, header length (u32), header (JSON), the floats of every list (little-endian), CRC-32 of all before.

use std::fs;
use std::path::Path;

use models::checksum;
use serde::{Deserialize, Serialize};

use crate::TrainError;

const MAGIC: &[u8; 8] = b"BOWERBT2";
const PREFIX: usize = 12;
const CRC: usize = 4;

/// What a run had done when it was written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Hash of data and configuration: another run's checkpoint is not continued.
    pub(crate) fingerprint: u64,
    /// Steps done.
    pub(crate) step: u64,
    /// Steps of the dense optimiser.
    pub(crate) adam_steps: u64,
    /// Sum of losses and number of steps of the epoch at hand.
    pub(crate) loss: (f64, u64),
    /// Mean loss of each epoch that is over.
    pub(crate) losses: Vec<f32>,
    /// Recall@20 after each validation.
    pub(crate) validations: Vec<f64>,
    /// Of which validation the model is kept.
    pub(crate) best: Option<usize>,
    /// Lengths of the lists that follow.
    pub(crate) lengths: Vec<usize>,
}

/// Writes a checkpoint.
pub(crate) fn write(path: &Path, mut state: State, lists: &[&[f32]]) -> Result<(), TrainError> {
    state.lengths = lists.iter().map(|list| list.len()).collect();
    let header = serde_json::to_vec(&state).map_err(|error| failed(path, &error))?;
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + lists.iter().map(|list| 4 * list.len()).sum::<usize>());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    for list in lists {
        list.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    }
    bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
    let beside = path.with_extension("part");
    fs::write(&beside, &bytes).and_then(|()| fs::rename(&beside, path)).map_err(|error| failed(path, &error))
}

/// Where training stood, and its tensors.
type Saved = (State, Vec<Vec<f32>>);

/// Reads the checkpoint of the run with this fingerprint. None when there is no file, or it is of another run.
pub(crate) fn read(path: &Path, fingerprint: u64) -> Result<Option<Saved>, TrainError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    let (state, floats) = parse(&bytes).ok_or_else(|| failed(path, &"damaged; remove it to begin anew"))?;
    if state.fingerprint != fingerprint {
        return Ok(None);
    }
    let mut rest = floats;
    let mut lists = Vec::with_capacity(state.lengths.len());
    for &length in &state.lengths {
        let (mine, others) = rest.split_at(4 * length);
        lists.push(mine.chunks_exact(4).map(|bytes| f32::from_bits(word(bytes))).collect());
        rest = others;
    }
    Ok(Some((state, lists)))
}

/// Copies lists to where they belong; an error where there are others than expected.
pub(crate) fn fill(path: &Path, slots: Vec<&mut [f32]>, lists: &[Vec<f32>]) -> Result<(), TrainError> {
    if slots.len() != lists.len() || slots.iter().zip(lists).any(|(slot, list)| slot.len() != list.len()) {
        return Err(failed(path, &"of another model"));
    }
    slots.into_iter().zip(lists).for_each(|(slot, list)| slot.copy_from_slice(list));
    Ok(())
}

/// Header and floats, when everything that the header promises is there and undamaged.
fn parse(bytes: &[u8]) -> Option<(State, &[u8])> {
    let (body, crc) = bytes.split_at_checked(bytes.len().checked_sub(CRC)?)?;
    if !body.starts_with(MAGIC) || body.len() < PREFIX || checksum(body) != word(crc) {
        return None;
    }
    let header_len = word(&body[8..PREFIX]) as usize;
    let (header, floats) = body[PREFIX..].split_at_checked(header_len)?;
    let state: State = serde_json::from_slice(header).ok()?;
    let promised = state.lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(length.checked_mul(4)?))?;
    (promised == floats.len()).then_some((state, floats))
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("invariant: 4 bytes"))
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> TrainError {
    TrainError::Checkpoint(format!("{}: {error}", path.display()))
}
