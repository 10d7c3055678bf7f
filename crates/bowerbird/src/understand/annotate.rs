//! All pins are annotated by the rules and by what was learned last.

use super::contents::{annotated_id, is_current};
use super::renew::Changed;
use super::{Described, read_pins};
use crate::output::thousands;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result};
use content::Annotating;
use domain::{EventId, Fact, Understood};
use rayon::prelude::*;
use serving::Views;
use store::{Blobs, EventLog};

/// Pins that are annotated and written together.
const BLOCK: usize = 1_024;

/// Annotates all pins of which nothing was said by these rules and this version; gives how many. What is written stays
/// when it is stopped, and the next run goes on behind it.
pub(crate) fn annotate_all(
    log: &dyn EventLog,
    blobs: &Blobs,
    views: &Views,
    annotating: &Annotating,
    stop: &Stop,
) -> Result<u64> {
    let mut changed = Changed::from_now(log);
    let mut pins = read_pins(log, stop)?;
    pins.retain(|known| known.says_something());
    pins.retain(|known| !known.annotated.as_ref().is_some_and(|before| is_current(before, annotating)));
    if pins.is_empty() {
        return Ok(0);
    }
    let progress = Progress::new("annotate", pins.len() as u64);
    for block in pins.chunks(BLOCK) {
        stop.check()?;
        let understood = understood(views, block);
        let facts = block.par_iter().zip(understood);
        let mut facts: Vec<(EventId, Fact)> =
            facts.map(|(known, understood)| annotated(known, &understood, blobs, annotating)).collect();
        changed.follow(log)?;
        facts.retain(|(_, fact)| !matches!(fact, Fact::Annotated(of) if changed.has(&of.pin)));
        log.append(&facts).context("cannot append to the event log")?;
        progress.add(block.len() as u64);
    }
    progress.finish(&format!("{} pins annotated", thousands(pins.len() as u64)));
    Ok(pins.len() as u64)
}

/// The contents of some pins as the views have them.
fn understood(views: &Views, pins: &[Described]) -> Vec<Understood> {
    let numbers: Vec<_> = {
        let catalogue = views.catalogue();
        pins.iter().map(|known| catalogue.pin(&known.pin.id)).collect()
    };
    let content = views.content();
    let vector = |number| content.vector(number).unwrap_or_default();
    let of = |number: Option<_>| Understood {
        space: content.space(),
        embedding: number.map(vector).unwrap_or_default(),
        ..Understood::default()
    };
    numbers.into_iter().map(of).collect()
}

fn annotated(known: &Described, understood: &Understood, blobs: &Blobs, annotating: &Annotating) -> (EventId, Fact) {
    let before = known.annotated.as_ref();
    // Labels by the same rules are taken over; only others need the picture.
    let looked = before.is_some_and(|before| before.rules == annotating.rules());
    let picture = if looked { None } else { known.picture(blobs) };
    let annotated = annotating.annotate(&known.pin, picture.as_ref(), understood, before);
    (annotated_id(known.id, annotating.version(), annotating.rules()), Fact::Annotated(annotated))
}
