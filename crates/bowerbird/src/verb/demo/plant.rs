//! The planted world on its way into the log.

use crate::import::{Refused, Sink};
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::Result;
use domain::{EventId, Fact, Pin};
use rayon::prelude::*;
use world::World;

/// Pictures that are drawn together.
const DRAWN_TOGETHER: usize = 64;

/// Brings pins with their pictures, boards and pinners into the log; what is there already is left out.
pub(crate) fn catalogue(world: &World, setup: &Setup) -> Result<()> {
    let mut sink = Sink::open("world", setup, Refused::new(10, None)?)?;
    let progress = Progress::new("pictures", u64::from(world.config().pins));
    let mut waiting: Vec<(EventId, Pin)> = Vec::with_capacity(DRAWN_TOGETHER);
    let mut planted = Ok(());
    for (id, fact) in world.catalogue() {
        planted = match fact {
            Fact::Pin(_) if sink.known().has(id) => Ok(()),
            Fact::Pin(pin) => {
                waiting.push((id, pin));
                if waiting.len() < DRAWN_TOGETHER { Ok(()) } else { draw(world, &mut waiting, &mut sink, &progress) }
            }
            fact => sink.row("world", 0, []).and_then(|()| sink.fact_named(id, fact)),
        };
        if planted.is_err() {
            break;
        }
    }
    let drawn = planted.and_then(|()| draw(world, &mut waiting, &mut sink, &progress));
    let landed = sink.finish();
    drawn.and(landed)?;
    progress.finish(&format!("{} pins drawn and understood", world.config().pins));
    Ok(())
}

/// Draws on all cores and hands pins and pictures over in their order.
fn draw(world: &World, waiting: &mut Vec<(EventId, Pin)>, sink: &mut Sink, progress: &Progress) -> Result<()> {
    let picture = |(_, pin): &(EventId, Pin)| world.pin_number(&pin.id).map(|number| world.draw(number).to_png());
    let pictures: Vec<Option<Vec<u8>>> = waiting.par_iter().map(picture).collect();
    progress.add(waiting.len() as u64);
    for ((id, pin), picture) in waiting.drain(..).zip(pictures) {
        sink.row("world", 0, [])?;
        sink.pin_named(id, pin, picture.unwrap_or_default())?;
    }
    Ok(())
}

/// Brings what pinners did before (or from) a moment into the log.
pub(crate) fn history(world: &World, split_ms: u64, before: bool, setup: &Setup) -> Result<()> {
    let mut sink = Sink::open("world", setup, Refused::new(10, None)?)?;
    let progress = Progress::new("events", u64::from(world.config().events));
    let mut played = Ok(());
    for (number, (id, fact)) in (1..).zip(world.history()) {
        let wanted = matches!(&fact, Fact::Event(event) if (event.ts_ms < split_ms) == before);
        if wanted {
            played = sink.row("world", number, []).and_then(|()| sink.fact_named(id, fact));
        }
        if played.is_err() {
            break;
        }
        if number % 1_024 == 0 {
            progress.set(number);
        }
    }
    let landed = sink.finish();
    played.and(landed)?;
    let summary = &sink.summary;
    progress.finish(&format!("{} events", crate::output::thousands(summary.accepted + summary.duplicates)));
    Ok(())
}
