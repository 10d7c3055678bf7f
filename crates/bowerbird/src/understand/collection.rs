//! Learning what a collection teaches: terms that its pins are about, topics, semantic ids.

use super::{Contents, Described};
use crate::output::thousands;
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::{Context, Result};
use content::{AnnotationCounts, Learned, TopicParams};
use domain::{BoardId, Pin};
use serving::Views;
use std::sync::Arc;
use std::time::Instant;

/// Pins whose contents topics and semantic ids are learned from at most, evenly drawn.
const SAMPLE_MAX: usize = 50_000;
/// Boards whose titles are read at most.
const BOARDS_MAX: u32 = 200_000;
/// Pins that are read between looks at whether to stop.
const BLOCK: usize = 4_096;
/// Fewer pins teach nothing that holds.
const PINS_MIN: usize = 20;

/// Learns from all pins and makes that live; nothing where there are too few. A stopped run leaves nothing behind: it
/// takes a minute or so, whatever there is.
pub(crate) fn learn_contents(
    setup: &Setup,
    contents: &Contents,
    views: &Views,
    pins: &[Described],
) -> Result<Option<Arc<Learned>>> {
    if pins.len() < PINS_MIN {
        return Ok(None);
    }
    let began = Instant::now();
    let progress = Progress::new("contents", pins.len() as u64);
    let mut counts = AnnotationCounts::default();
    for block in pins.chunks(BLOCK) {
        setup.stop.check()?;
        for Described { pin, .. } in block {
            counts.observe(&pin.title, &pin.description, &pin.topics);
        }
        progress.add(block.len() as u64);
    }
    for title in board_titles(views) {
        counts.observe_board(&title);
    }
    setup.stop.check()?;
    let (space, sample) = sample(views, pins);
    let params = TopicParams { topics: setup.config.content.topics, ..TopicParams::default() };
    progress.note(format!("topics and semantic ids of {} contents", thousands(sample.len() as u64)));
    let all = views.catalogue().pins() as u32;
    let learned = Learned::learn(&counts, all, space, &sample, &params);
    let learned = contents.keep(learned.context("cannot learn what pins are about")?)?;
    progress.finish(&format!(
        "{} terms and {} topics learned in {:.1} s",
        thousands(learned.terms() as u64),
        learned.topics(),
        began.elapsed().as_secs_f64()
    ));
    Ok(Some(learned))
}

fn board_titles(views: &Views) -> Vec<String> {
    let catalogue = views.catalogue();
    let boards = (0..(catalogue.boards() as u32).min(BOARDS_MAX)).map(BoardId);
    let titles = boards.filter_map(|board| catalogue.board_view(board)).map(|view| view.title);
    titles.filter(|title| !title.is_empty()).map(str::to_owned).collect()
}

/// Pins that are spread evenly over all, with their contents, and the space of these.
fn sample<'a>(views: &Views, pins: &'a [Described]) -> (u32, Vec<(&'a Pin, Vec<f32>)>) {
    let numbers: Vec<_> = {
        let catalogue = views.catalogue();
        pins.iter().map(|known| catalogue.pin(&known.pin.id)).collect()
    };
    let content = views.content();
    let step = pins.len().div_ceil(SAMPLE_MAX).max(1);
    let drawn = pins.iter().zip(numbers).step_by(step);
    let sample = drawn.filter_map(|(known, number)| Some((&known.pin, content.vector(number?)?)));
    (content.space(), sample.collect())
}
