//! What people did with pins, as far as it says what belongs together.

use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{Action, Event, Fact, TopicKind};
use std::collections::HashMap;
use store::EventLog;

/// Facts that are read from the log at a time.
const READ_FACTS: usize = 4_096;
/// Queries that are kept of a pin: the first ones.
const QUERIES_MAX: usize = 8;
/// Boards that are followed, and pins that are kept of each: the newest.
const BOARDS_MAX: usize = 200_000;
const BOARD_PINS_MAX: usize = 64;
/// Pins that were saved beside one, as far as they are kept, and how far apart on the board they may be.
const BESIDE_MAX: usize = 8;
const APART_MAX: usize = 2;

/// What led to a pin, and what it was saved with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Acted {
    /// What was searched for before somebody liked it.
    pub(super) queries: Vec<String>,
    /// Numbers of pins that were saved to the same boards at about the same time.
    pub(super) beside: Vec<u32>,
}

/// What people did with the pins of these ids, in the order of their numbers; and the moment of the last act (ms, UTC).
pub(super) fn read_acts(
    log: &dyn EventLog,
    numbers: &HashMap<&str, u32>,
    stop: &Stop,
) -> Result<(Vec<Acted>, Option<u64>)> {
    let (mut acted, mut until_ms) = (vec![Acted::default(); numbers.len()], None);
    let mut boards: HashMap<String, Vec<u32>> = HashMap::new();
    let mut from = 0;
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Events, from, READ_FACTS).context("cannot read the events")?;
        let Some(last) = facts.last() else { break };
        from = last.0 + 1;
        for (_, _, fact) in facts {
            let Fact::Event(event) = fact else { continue };
            let number = event.pin.as_deref().and_then(|pin| numbers.get(pin));
            let Some(&number) = number.filter(|_| event.action.is_positive()) else { continue };
            until_ms = until_ms.max(Some(event.ts_ms));
            acted[number as usize].hear(&event);
            put(&mut boards, event, number);
        }
    }
    for pins in boards.values() {
        meet(pins, &mut acted);
    }
    // The order of a map is chance.
    acted.iter_mut().for_each(Acted::choose);
    Ok((acted, until_ms))
}

/// Puts a saved pin on its board.
fn put(boards: &mut HashMap<String, Vec<u32>>, event: Event, number: u32) {
    let Some(board) = event.board.filter(|_| event.action == Action::Save) else { return };
    if boards.len() >= BOARDS_MAX && !boards.contains_key(&board) {
        return;
    }
    let pins = boards.entry(board).or_default();
    if !pins.contains(&number) {
        pins.drain(..(pins.len() + 1).saturating_sub(BOARD_PINS_MAX));
        pins.push(number);
    }
}

/// Pins that follow each other on a board lie beside each other.
fn meet(pins: &[u32], acted: &mut [Acted]) {
    for (at, &pin) in pins.iter().enumerate() {
        let near = &pins[at.saturating_sub(APART_MAX)..(at + APART_MAX + 1).min(pins.len())];
        acted[pin as usize].beside.extend(near.iter().filter(|other| **other != pin));
    }
}

impl Acted {
    fn hear(&mut self, event: &Event) {
        let Some(query) = event.query.as_deref().map(|query| query.trim().to_lowercase()) else { return };
        if self.queries.len() < QUERIES_MAX && !query.is_empty() && !self.queries.contains(&query) {
            self.queries.push(query);
        }
    }

    /// Keeps the pins that it was saved with most often.
    fn choose(&mut self) {
        let mut times: HashMap<u32, u32> = HashMap::new();
        self.beside.iter().for_each(|&other| *times.entry(other).or_default() += 1);
        let mut beside: Vec<(u32, u32)> = times.into_iter().collect();
        beside.sort_unstable_by_key(|&(other, times)| (std::cmp::Reverse(times), other));
        self.beside = beside.into_iter().take(BESIDE_MAX).map(|(other, _)| other).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::EventId;

    #[test]
    fn queries_and_neighbours_on_boards_are_heard() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = store::open_log(&folder.path().display().to_string()).expect("a log");
        let save = |pin: &str, board: &str, query: Option<&str>| Event {
            pin: Some(pin.into()),
            board: Some(board.into()),
            query: query.map(str::to_owned),
            ..Event::new("ann", Action::Save, 5)
        };
        let events = [
            save("a", "lamps", Some(" Brass Lamp ")),
            save("b", "lamps", Some("brass lamp")),
            save("a", "light", Some("brass lamp")),
            save("b", "light", None),
            save("unknown", "light", None),
            save("c", "light", None),
            Event { action: Action::Hide, ..save("c", "lamps", Some("ugly lamp")) },
        ];
        let facts: Vec<(EventId, Fact)> =
            (0u128..).zip(events).map(|(at, event)| (EventId::new(5, at), Fact::Event(event))).collect();
        log.append(&facts).expect("kept");
        let numbers = HashMap::from([("a", 0), ("b", 1), ("c", 2)]);
        let (acted, until_ms) = read_acts(log.as_ref(), &numbers, &Stop::default()).expect("read");
        assert_eq!(until_ms, Some(5));
        assert_eq!(acted[0], Acted { queries: vec!["brass lamp".into()], beside: vec![1, 2] });
        assert_eq!(acted[1], Acted { queries: vec!["brass lamp".into()], beside: vec![0, 2] });
        assert_eq!(acted[2], Acted { queries: Vec::new(), beside: vec![0, 1] });
    }
}
