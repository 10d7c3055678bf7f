//! `pinner pin pin …` in the order of time, with what else is known of pins in a file of its own. The last two pins of
//! each line are withheld, so that `eval --protocol leave-one-out` can ask whether they would have been found.

use super::lines::{open, short_name};
use super::pinterest::{Saves, board_with_saves, each_line};
use super::sink::Sink;
use super::withheld::{Target, Withheld, Writer};
use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use domain::{Fact, Pin};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Acts carry an order and no times: those of a line are spread evenly over so many days, so that at any moment in
/// between everybody has done a part of what they will do.
const SPAN_MS: u64 = 100 * 86_400_000;
/// Pins of the shortest line that pins are withheld from.
const PINS_MIN: usize = 3;
/// Largest file of attributes, unpacked.
const ATTRIBUTES_BYTES_MAX: u64 = 1 << 30;

/// Imports a file of sequences that begin at `start_ms`; the withheld pins go to `withheld`.
pub(crate) fn import(
    path: &Path,
    attributes: Option<&Path>,
    start_ms: u64,
    withheld: &Path,
    sink: &mut Sink,
    progress: &Arc<Progress>,
) -> Result<()> {
    let mut withheld = Writer::create(withheld, &short_name(path))?;
    if let Some(path) = attributes {
        describe(path, sink, progress)?;
    }
    each_line(path, sink, progress, |saves, _, sink| take(saves, start_ms, &mut withheld, sink))?;
    withheld.finish()
}

fn take(saves: &Saves, start_ms: u64, withheld: &mut Writer, sink: &mut Sink) -> Result<()> {
    let step_ms = (SPAN_MS / saves.pins.len().max(1) as u64).max(1);
    let mut moments = (0..).map(|place| start_ms + place * step_ms);
    let (kept, last) = match saves.pins.len().checked_sub(2) {
        Some(kept) if saves.pins.len() >= PINS_MIN => saves.pins.split_at(kept),
        _ => (&saves.pins[..], &[][..]),
    };
    let kept_moments: Vec<u64> = moments.by_ref().take(kept.len()).collect();
    let all = kept_moments.into_iter().map(Some).chain(last.iter().map(|_| None));
    // When pins and boards were made is not known.
    board_with_saves(saves, 0, all, sink)?;
    let mut target = |pin: &str| Target { pin: pin.to_owned(), ts_ms: moments.next().unwrap_or(start_ms) };
    let &[validation, test] = last else {
        sink.summary.too_short += 1;
        return Ok(());
    };
    sink.summary.held_out += 2;
    withheld.add(&Withheld { pinner: saves.pinner.to_owned(), validation: target(validation), test: target(test) })
}

/// An attribute as data sets write them: a number or a word.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attribute {
    Number(u64),
    Word(String),
}

/// Describes pins by a JSON object `{pin: [attribute, …]}`; the place of a pin that is refused counts the pins.
fn describe(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let file = short_name(path);
    let mut text = Vec::new();
    open(path, progress)?
        .take(ATTRIBUTES_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .with_context(|| format!("{file} cannot be read to its end"))?;
    ensure!(text.len() as u64 <= ATTRIBUTES_BYTES_MAX, "{file}: longer than {ATTRIBUTES_BYTES_MAX} bytes");
    let pins: BTreeMap<String, Vec<Attribute>> =
        serde_json::from_slice(&text).with_context(|| format!("{file} is no JSON object of lists of attributes"))?;
    for (number, (id, attributes)) in (1..).zip(pins) {
        let mut traits: Vec<String> = attributes.iter().map(Attribute::as_trait).collect();
        traits.sort_unstable();
        traits.dedup();
        let cells = [&id].into_iter().chain(&traits);
        sink.row(&file, number, cells.map(|cell| cell.as_bytes()))?;
        sink.fact(Fact::Pin(Pin { id, traits, ..Pin::default() }))?;
    }
    Ok(())
}

impl Attribute {
    fn as_trait(&self) -> String {
        match self {
            Attribute::Number(number) => format!("attribute={number}"),
            Attribute::Word(word) => format!("attribute={word}"),
        }
    }
}
