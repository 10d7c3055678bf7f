//! What a pinner has been after of late: topics, each with the pins that stand for it.

use crate::catalogue::Catalogue;
use domain::{Act, PinId};

/// Acts that are looked at, newest first.
const RECENT_MAX: usize = 64;

/// The topics of most of the latest acts, at most `wanted`, with the pins of each, oldest first; of topics as frequent
/// the one that was met last comes first. The same history gives the same ones.
pub(crate) fn interests(history: &[Act], catalogue: &Catalogue, wanted: usize) -> Vec<Vec<PinId>> {
    let recent = &history[history.len().saturating_sub(RECENT_MAX)..];
    let mut topics: Vec<(u32, Vec<PinId>)> = Vec::new();
    for act in recent.iter().rev() {
        for &topic in catalogue.pin_topics(act.pin) {
            match topics.iter_mut().find(|(known, _)| *known == topic) {
                Some((_, pins)) if pins.contains(&act.pin) => {}
                Some((_, pins)) => pins.push(act.pin),
                None => topics.push((topic, vec![act.pin])),
            }
        }
    }
    topics.sort_by_key(|(_, pins)| std::cmp::Reverse(pins.len()));
    topics.truncate(wanted);
    topics.into_iter().map(|(_, pins)| pins.into_iter().rev().collect()).collect()
}
