//! `pinner pin pin …`: one line a pinner with the pins on their one board, no times, no titles.

use super::holdout::HoldOut;
use super::sink::Sink;
use crate::progress::Progress;
use anyhow::Result;
use domain::{Action, Board, Event, Fact, Pinner};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Imports a file; all saves carry the moment `ts_ms`.
pub(crate) fn import(
    path: &Path,
    ts_ms: u64,
    mut holdout: Option<HoldOut>,
    sink: &mut Sink,
    progress: &Arc<Progress>,
) -> Result<()> {
    each_line(path, sink, progress, |saves, line, sink| take(saves, line, ts_ms, holdout.as_mut(), sink))?;
    holdout.map_or(Ok(()), HoldOut::finish)
}

/// Reads every line and tells its number; what cannot be read is refused.
pub(crate) fn each_line(
    path: &Path,
    sink: &mut Sink,
    progress: &Arc<Progress>,
    mut take: impl FnMut(&Saves, u64, &mut Sink) -> Result<()>,
) -> Result<()> {
    sink.each_line(path, progress, |text, line, sink| match saves(text) {
        Ok(saves) => take(&saves, line, sink),
        Err(reason) => sink.refuse(&reason),
    })
}

/// One line: who, and the pins on their board, each once, in the order given.
pub(crate) struct Saves<'a> {
    pub pinner: &'a str,
    pub pins: Vec<&'a str>,
    /// How many were named again.
    pub repeats: u64,
}

/// Reads a line, or says why it cannot be read.
pub(crate) fn saves(line: &str) -> Result<Saves<'_>, String> {
    let mut words = line.split_ascii_whitespace();
    let pinner = words.next().ok_or("holds only white space")?;
    let (mut pins, mut seen, mut repeats) = (Vec::new(), HashSet::new(), 0);
    for pin in words {
        if seen.insert(pin) { pins.push(pin) } else { repeats += 1 }
    }
    Ok(Saves { pinner, pins, repeats })
}

/// The id of a pinner's one board.
pub(crate) fn board_of(pinner: &str) -> String {
    format!("board-{pinner}")
}

fn take(saves: &Saves, line: u64, ts_ms: u64, holdout: Option<&mut HoldOut>, sink: &mut Sink) -> Result<()> {
    let kept = match holdout {
        Some(holdout) => holdout.split(saves, line, &mut sink.summary)?,
        None => vec![true; saves.pins.len()],
    };
    board_with_saves(saves, ts_ms, kept.into_iter().map(|kept| kept.then_some(ts_ms)), sink)
}

/// Brings a pinner with their one board to the sink, made at `made_ms`: all pins are described, and those that have a
/// moment in `moments` are saved then.
pub(crate) fn board_with_saves(
    saves: &Saves,
    made_ms: u64,
    moments: impl Iterator<Item = Option<u64>>,
    sink: &mut Sink,
) -> Result<()> {
    sink.summary.repeats += saves.repeats;
    let (pinner, board) = (saves.pinner.to_owned(), board_of(saves.pinner));
    let name = format!("Pinner {pinner}");
    sink.fact(Fact::Pinner(Pinner { id: pinner.clone(), name, created_ms: made_ms, ..Pinner::default() }))?;
    let title = format!("board of {pinner}");
    sink.fact(Fact::Board(Board { id: board.clone(), title, pinner: Some(pinner.clone()), created_ms: made_ms }))?;
    for (pin, moment) in saves.pins.iter().zip(moments) {
        sink.bare_pin(pin, made_ms)?;
        if let Some(ts_ms) = moment {
            sink.fact(Fact::Event(save(&pinner, pin, &board, ts_ms)))?;
        }
    }
    Ok(())
}

/// A save on a board; the sink names it.
pub(crate) fn save(pinner: &str, pin: &str, board: &str, ts_ms: u64) -> Event {
    Event { board: Some(board.to_owned()), ..event(pinner, Action::Save, pin, ts_ms) }
}

/// An action on a pin, at home; the sink names it.
pub(crate) fn event(pinner: &str, action: Action, pin: &str, ts_ms: u64) -> Event {
    Event { pin: Some(pin.to_owned()), ..Event::new(pinner, action, ts_ms) }
}
