//! Who is asked, and which pins would have been right.

use crate::import::HeldSaves;
use crate::learn::Acts;
use domain::{Act, Action, PinId, PinnerId, Rng};
use serving::Catalogue;
use std::collections::HashSet;

/// One pinner to be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The pinner, when the catalogue knows them.
    pub pinner: Option<PinnerId>,
    /// Their own id.
    pub key: String,
    /// Pins that would be right, sorted, each once.
    pub right: Vec<PinId>,
    /// What is known when they ask, where that is not all that the views know of them.
    pub past: Option<Past>,
}

/// A pinner's past at some moment.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// What they did, newest last.
    pub acts: Vec<Act>,
    /// The moment (ms, UTC).
    pub now_ms: u64,
}

/// The cases of a file of held-out saves. A pin that the catalogue does not know can be right all the same: it counts
/// as missed.
pub(crate) fn held_cases(held: &[HeldSaves], catalogue: &Catalogue) -> Vec<Case> {
    held.iter()
        .map(|(key, pins)| {
            let unknown = (0u32..).map(|number| PinId(u32::MAX - number));
            let right = pins.iter().zip(unknown).map(|(pin, unknown)| catalogue.pin(pin).unwrap_or(unknown));
            let mut right: Vec<PinId> = right.collect();
            right.sort_unstable();
            right.dedup();
            Case { pinner: catalogue.pinner(key), key: key.clone(), right, past: None }
        })
        .filter(|case| !case.right.is_empty())
        .collect()
}

/// The cases of what pinners did from `from_ms` on: saves (or, where nobody saves, all positive acts) of pins that
/// they had not acted on before.
pub(crate) fn later_cases(acts: &Acts, from_ms: u64, catalogue: &Catalogue) -> Vec<Case> {
    let saves = acts.by_pinner.iter().flatten().any(|act| act.action == Action::Save);
    let counts = |act: &&Act| if saves { act.action == Action::Save } else { act.action.is_positive() };
    (0u32..)
        .zip(&acts.by_pinner)
        .map(|(pinner, own)| {
            let (before, after) = own.split_at(own.partition_point(|act| act.ts_ms < from_ms));
            let known: HashSet<PinId> = before.iter().map(|act| act.pin).collect();
            let right = after.iter().filter(counts).map(|act| act.pin).filter(|pin| !known.contains(pin));
            let mut right: Vec<PinId> = right.collect();
            right.sort_unstable();
            right.dedup();
            let pinner = PinnerId(pinner);
            Case { pinner: Some(pinner), key: catalogue.pinner_key(pinner).to_owned(), right, past: None }
        })
        .filter(|case| !case.right.is_empty())
        .collect()
}

/// At most `count` of the cases, drawn by `seed`, in their order.
pub(crate) fn sample<T>(cases: Vec<T>, count: Option<usize>, seed: u64) -> Vec<T> {
    let Some(count) = count.filter(|&count| count < cases.len()) else { return cases };
    let mut places: Vec<usize> = (0..cases.len()).collect();
    Rng::new(seed).shuffle(&mut places);
    places.truncate(count);
    places.sort_unstable();
    let mut cases: Vec<Option<T>> = cases.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| cases[place].take()).collect()
}
