//! Learning an encoder from what pins show and say.

use super::acts::{Acted, read_acts};
use super::{Described, LeftOut};
use crate::engine::Reading;
use crate::output::thousands;
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use crate::stop::Interrupted;
use anyhow::{Context, Result};
use content::{text_pieces, words_of};
use domain::hash64;
use models::{Encoder, ModelCard};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use train::{Device, EncoderData, EncoderTraining, Session, TrainError, fit_encoder};

/// Where a stopped training is gone on with.
pub(super) const CHECKPOINT: &str = "understand.checkpoint";
/// Pins that are learned from at most, drawn by their ids; their pictures are held in memory (7 kB each).
const PINS_MAX: usize = 120_000;
/// Topics of fewer pins teach nothing that holds.
const TOPIC_PINS_MIN: u32 = 5;
/// Topics that are told apart at most, those of most pins.
const TOPICS_MAX: usize = 2_000;
/// Width of contents where no pin has a picture: words alone tell more things apart than 64 numbers hold.
const TEXT_DIM: usize = 256;
/// Pins whose pictures are decoded together.
const BLOCK: usize = 1_024;

/// Learns an encoder from all pins that say anything and are not left out, and from what people did with them. A
/// stopped run goes on where it was.
pub(crate) fn learn_encoder(setup: &Setup, from: &Reading, pins: &[Described]) -> Result<(Encoder, ModelCard)> {
    let mut config = EncoderTraining { seed: setup.config.train.seed, ..EncoderTraining::default() };
    let (data, until_ms) = data(setup, from, pins, &config)?;
    if data.pixels.is_empty() {
        config.shape.dim = TEXT_DIM;
    }
    let bar = Progress::new("understand", 0);
    let mut shown = |progress: &train::Progress| bar.follow(progress);
    let (flag, checkpoint) = (setup.stop.flag(), setup.folder(CHECKPOINT));
    let mut session = Session {
        device: Device::Cpu,
        checkpoint: Some(&checkpoint),
        progress: &mut shown,
        stop: &flag,
        now_ms: now_ms(),
        version: String::new(),
    };
    match fit_encoder(&data, &config, &mut session) {
        Ok((encoder, card)) => {
            bar.finish(&format!("learned from {} pins", thousands(data.pins.len() as u64)));
            Ok((encoder, ModelCard { data_range_ms: (0, until_ms.unwrap_or(0)), ..card }))
        }
        Err(TrainError::Stopped { step }) => {
            bar.say(&format!("stopped at step {step}; the same command goes on from the checkpoint"));
            Err(Interrupted.into())
        }
        Err(error) => Err(error).context("cannot learn an encoder"),
    }
}

/// What is learned from, and when the last act of it was.
fn data(
    setup: &Setup,
    from: &Reading,
    pins: &[Described],
    config: &EncoderTraining,
) -> Result<(EncoderData, Option<u64>)> {
    let left_out = LeftOut::read(setup)?;
    let mut pins = drawn(pins, &left_out);
    pins.retain(|known| !text_pieces(&words_of(&known.pin)).is_empty());
    let places: HashMap<&str, u32> =
        pins.iter().zip(0..).map(|(known, number)| (known.pin.id.as_str(), number)).collect();
    let (acted, until_ms) = read_acts(from.log.as_ref(), &places, &setup.stop)?;
    let numbers = topics(&pins);
    let mut data = EncoderData::default();
    let mut names: Vec<(&str, u32)> = numbers.iter().map(|(name, number)| (*name, *number)).collect();
    names.sort_unstable_by_key(|(_, number)| *number);
    data.topics = names.iter().map(|(name, _)| text_pieces(name)).collect();
    let (progress, side) = (Progress::new("pictures", pins.len() as u64), config.shape.side as u32);
    for (block, acted) in pins.chunks(BLOCK).zip(acted.chunks(BLOCK)) {
        setup.stop.check()?;
        let small = |known: &&Described| Some(known.picture(&from.blobs)?.scaled(side, side).rgb().to_vec());
        let pictures: Vec<Option<Vec<u8>>> = block.par_iter().map(small).collect();
        for ((known, acted), picture) in block.iter().zip(acted).zip(pictures) {
            let number = picture.is_some().then_some(data.pixels.len() / (side * side * 3) as usize);
            data.pixels.extend(picture.into_iter().flatten());
            data.pins.push(described(known, acted, number, &numbers));
        }
        progress.add(block.len() as u64);
    }
    progress.finish("read");
    Ok((data, until_ms))
}

/// Pins to learn from.
fn drawn<'a>(pins: &'a [Described], left_out: &BTreeSet<String>) -> Vec<&'a Described> {
    let mut drawn: Vec<&Described> = pins.iter().filter(|known| !left_out.contains(&known.pin.id)).collect();
    if drawn.len() > PINS_MAX {
        drawn.sort_by_cached_key(|known| known.pin.id.bytes().fold(0, |sum, byte| hash64(sum ^ u64::from(byte))));
        drawn.truncate(PINS_MAX);
    }
    drawn
}

/// The topics that are told apart, and the number of each.
fn topics<'a>(pins: &[&'a Described]) -> HashMap<&'a str, u32> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for topic in pins.iter().flat_map(|known| &known.pin.topics) {
        *counts.entry(topic).or_default() += 1;
    }
    let mut counts: Vec<(&str, u32)> = counts.into_iter().collect();
    counts.retain(|(topic, pins)| *pins >= TOPIC_PINS_MIN && !text_pieces(topic).is_empty());
    counts.sort_by_key(|(_, pins)| std::cmp::Reverse(*pins));
    counts.truncate(TOPICS_MAX);
    counts.into_iter().zip(0..).map(|((topic, _), number)| (topic, number)).collect()
}

/// What the encoder learns of a pin.
fn described(
    known: &Described,
    acted: &Acted,
    picture: Option<usize>,
    numbers: &HashMap<&str, u32>,
) -> train::Described {
    let words = text_pieces(&words_of(&known.pin));
    let title = Some(text_pieces(&known.pin.title)).filter(|title| !title.is_empty()).unwrap_or_else(|| words.clone());
    let mut topics: Vec<u32> =
        known.pin.topics.iter().filter_map(|topic| numbers.get(topic.as_str()).copied()).collect();
    topics.sort_unstable();
    topics.dedup();
    let sentences = if picture.is_none() { sentences(&known.pin.description) } else { Vec::new() };
    let queries = acted.queries.iter().map(|query| text_pieces(query)).filter(|query| !query.is_empty()).collect();
    train::Described { picture, title, words, sentences, topics, queries, beside: acted.beside.clone() }
}

/// The sentences of a description, very short ones aside.
fn sentences(description: &str) -> Vec<Vec<(u64, f32)>> {
    const SENTENCES_MAX: usize = 24;
    const CHARS_MIN: usize = 24;
    let ends = |letter: char| matches!(letter, '.' | '!' | '?' | ';' | '\n');
    let long = description.split(ends).filter(|sentence| sentence.trim().len() >= CHARS_MIN);
    long.take(SENTENCES_MAX).map(text_pieces).collect()
}
