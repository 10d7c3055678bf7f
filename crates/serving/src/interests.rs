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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Action, Pin, Surface};

    #[test]
    fn most_frequent_topics_come_first_each_with_its_pins_in_order() {
        let mut catalogue = Catalogue::new();
        let topics = [&["lamps"][..], &["chairs", "lamps"], &["chairs"], &[], &["lamps"], &["rugs"]];
        for (number, topics) in topics.iter().enumerate() {
            let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
            let id = format!("p{number}");
            catalogue.describe_pin(&Pin { id, topics, ..Pin::default() }).expect("a number");
        }
        let act = |pin: u32| {
            let (board, action, surface) = (None, Action::Save, Surface::Home);
            Act { pin: PinId(pin), board, action, surface, ts_ms: u64::from(pin), value: 0.0 }
        };
        let history: Vec<Act> = [0, 1, 2, 3, 4, 4, 5].map(act).to_vec();
        let pins = |of: &[u32]| of.iter().map(|&pin| PinId(pin)).collect::<Vec<_>>();
        assert_eq!(interests(&history, &catalogue, 2), [pins(&[0, 1, 4]), pins(&[1, 2])]);
        assert_eq!(interests(&history, &catalogue, 9).len(), 3);
        assert!(interests(&[], &catalogue, 2).is_empty());
    }
}
