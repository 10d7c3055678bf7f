//! What the consumer keeps in the state store: spaces, keys and bytes.
//!
//! | space | key | value |
//! |---|---|---|
//! | `name` | kind, first number (big-endian) | a run of external ids in the order of their numbers |
//! | `edge` | running number | a run of edges in the order in which they were added |
//! | `pinner`, `pin` | dense id | what `signals` knows of it |
//! | `request` | request id | offset of its newest record in the topic `requests` |
//!
//! Descriptions are not here: the catalogue topic is read again at start.

use crate::catalogue::{Catalogue, NONE};
use crate::error::ServingError;
use crate::names::Names;
use domain::{BoardId, EventId, PinId, PinnerId};
use store::{Batch, StateStore};

pub(crate) const CONSUMER: &str = "views";
pub(crate) const NAME: &str = "name";
pub(crate) const EDGE: &str = "edge";
pub(crate) const PINNER: &str = "pinner";
pub(crate) const PIN: &str = "pin";
pub(crate) const REQUEST: &str = "request";

/// Version of the runs; they begin with it.
const VERSION: u8 = 1;

/// Longest run of ids or edges under one key.
const RUN_MAX: usize = 65_536;

/// Keys read at once when a space is walked through.
const SCAN_MAX: usize = 1_024;

/// Kinds of ids, in the order of [`NameCounts`].
const KINDS: [u8; 3] = [b'b', b'i', b'p'];

/// How many boards, pins and pinners have a name that is kept.
pub(crate) type NameCounts = [usize; 3];

fn names(catalogue: &Catalogue) -> [&Names; 3] {
    [&catalogue.board_names, &catalogue.pin_names, &catalogue.pinner_names]
}

pub(crate) fn name_counts(catalogue: &Catalogue) -> NameCounts {
    names(catalogue).map(Names::len)
}

/// Puts the ids that came after `kept` into the batch.
pub(crate) fn put_names(batch: &mut Batch, catalogue: &Catalogue, kept: NameCounts) {
    for (kind, names) in names(catalogue).into_iter().enumerate() {
        let numbers: Vec<u32> = (kept[kind]..names.len()).map(|number| number as u32).collect();
        for run in numbers.chunks(RUN_MAX) {
            let mut bytes = vec![VERSION];
            for &number in run {
                let name = names.name(number).as_bytes();
                bytes.extend((name.len() as u32).to_le_bytes());
                bytes.extend(name);
                let owner = if kind == 0 { catalogue.owner(BoardId(number)) } else { None };
                bytes.extend(owner.map_or(NONE, |owner| owner.0).to_le_bytes());
            }
            let mut key = vec![KINDS[kind]];
            key.extend(run[0].to_be_bytes());
            batch.put(NAME, key, bytes);
        }
    }
}

/// Gives all kept ids their numbers again.
pub(crate) fn restore_names(state: &dyn StateStore, catalogue: &mut Catalogue) -> Result<(), ServingError> {
    let bad = |reason: &str| ServingError::BadState { space: NAME, reason: reason.to_owned() };
    let mut runs = Vec::new();
    each(state, NAME, |key, value| {
        runs.push((key.to_vec(), value.to_vec()));
        Ok(())
    })?;
    // Pinners come before the boards that they own.
    runs.sort_by_key(|(key, _)| (key.first() == Some(&KINDS[0]), key.clone()));
    for (key, value) in runs {
        let (&kind, number) = key.split_first().ok_or_else(|| bad("empty key"))?;
        let mut number = number.try_into().map(u32::from_be_bytes).map_err(|_| bad("odd key"))?;
        let mut rest = versioned(NAME, &value)?;
        while !rest.is_empty() {
            let (name, owner) = take_name(&mut rest).ok_or_else(|| bad("a run is cut off"))?;
            let given = match kind {
                b'p' => catalogue.intern_pinner(name).map(|id| id.0),
                b'i' => catalogue.intern_pin(name).map(|id| id.0),
                _ => catalogue.intern_board(name, known_pinner(catalogue, owner)).map(|id| id.0),
            };
            if given != Some(number) {
                return Err(bad("numbers have a gap"));
            }
            number += 1;
        }
    }
    Ok(())
}

fn known_pinner(catalogue: &Catalogue, owner: u32) -> Option<PinnerId> {
    ((owner as usize) < catalogue.pinners()).then_some(PinnerId(owner))
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<(&'a str, u32)> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (name, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (owner, after) = after.split_first_chunk::<4>()?;
    *rest = after;
    Some((std::str::from_utf8(name).ok()?, u32::from_le_bytes(*owner)))
}

/// Puts new edges into the batch; `next` is the number of the next run.
pub(crate) fn put_edges(batch: &mut Batch, edges: &[(PinId, BoardId)], next: &mut u64) {
    for run in edges.chunks(RUN_MAX) {
        let mut bytes = vec![VERSION];
        run.iter().for_each(|(pin, board)| {
            bytes.extend(pin.0.to_le_bytes());
            bytes.extend(board.0.to_le_bytes());
        });
        batch.put(EDGE, next.to_be_bytes(), bytes);
        *next += 1;
    }
}

/// Most runs of edges that are left as they are; more are joined when they are next read.
const EDGE_RUNS_MAX: u64 = 4_096;

/// All edges in the order in which they were added, and the number of the next run.
pub(crate) fn read_edges(state: &dyn StateStore) -> Result<(Vec<(PinId, BoardId)>, u64), ServingError> {
    let bad = || ServingError::BadState { space: EDGE, reason: "a run is cut off".to_owned() };
    let (mut edges, mut keys) = (Vec::new(), Vec::new());
    each(state, EDGE, |key, value| {
        keys.push(key.to_vec());
        let (pairs, rest) = versioned(EDGE, value)?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(bad());
        }
        edges.extend(pairs.iter().map(|&[a, b, c, d, e, f, g, h]| {
            (PinId(u32::from_le_bytes([a, b, c, d])), BoardId(u32::from_le_bytes([e, f, g, h])))
        }));
        Ok(())
    })?;
    let mut next = match keys.last() {
        Some(key) => u64::from_be_bytes(key.as_slice().try_into().map_err(|_| bad())?) + 1,
        None => 0,
    };
    if keys.len() as u64 > EDGE_RUNS_MAX + edges.len() as u64 / RUN_MAX as u64 {
        let mut batch = Batch::new();
        keys.into_iter().for_each(|key| _ = batch.delete(EDGE, key));
        put_edges(&mut batch, &edges, &mut next);
        state.write(batch)?;
    }
    Ok((edges, next))
}

pub(crate) fn request_key(id: EventId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// Calls `work` with every key and value of a space of dense ids.
pub(crate) fn each_id(
    state: &dyn StateStore,
    space: &'static str,
    mut work: impl FnMut(u32, &[u8]) -> Result<(), String>,
) -> Result<(), ServingError> {
    let bad = |reason: String| ServingError::BadState { space, reason };
    each(state, space, |key, value| {
        let id = key.try_into().map(u32::from_be_bytes).map_err(|_| bad("odd key".to_owned()))?;
        work(id, value).map_err(bad)
    })
}

fn each(
    state: &dyn StateStore,
    space: &str,
    mut work: impl FnMut(&[u8], &[u8]) -> Result<(), ServingError>,
) -> Result<(), ServingError> {
    let mut from = Vec::new();
    loop {
        let found = state.scan(space, &from, SCAN_MAX)?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        from.clone_from(last);
        from.push(0);
        found.iter().try_for_each(|(key, value)| work(key, value))?;
    }
}

fn versioned<'a>(space: &'static str, bytes: &'a [u8]) -> Result<&'a [u8], ServingError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        version => {
            let found = version.map_or("nothing".to_owned(), |(version, _)| format!("version {version}"));
            Err(ServingError::BadState { space, reason: format!("{found} where version {VERSION} is needed") })
        }
    }
}
