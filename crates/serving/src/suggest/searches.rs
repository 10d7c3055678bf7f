//! What was searched for: how often, when last, and whether by more than one pinner.

use super::own::{Own, pinner_hash};
use bytemuck::{Pod, Zeroable, cast_slice};
use bytes::Bytes;
use domain::{Action, Event, Snapshot, SnapshotError};
use index::QueryCounts;
use std::collections::BTreeMap;

/// Longest search that is kept (bytes): longer ones are not offered as completions.
pub(crate) const SEARCH_BYTES_MAX: usize = 200;
/// Most searches that are kept; an eighth makes room when there are more. Each takes some 130 bytes.
const SEARCHES_MAX: usize = 200_000;
/// After so long without being asked a search counts half (ms).
pub(crate) const HALF_LIFE_MS: u64 = 30 * DAY_MS;
/// How much an act counts that says that a search led to something; searching itself counts 1.
const ENGAGED_WEIGHT: f32 = 0.5;
/// How many days the base is long that trends are seen against.
pub(crate) const BASE_DAYS: f32 = 28.0;
const DAY_MS: u64 = 86_400_000;

/// Searches in the order of their letters, normalised, with what is known of each. Those that were asked least and
/// longest ago make room for others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searches {
    asked: BTreeMap<Box<str>, Asked>,
    pub(crate) own: Own,
}

/// How often and when. 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Asked {
    pub(crate) last_ms: u64,
    /// How often, as of `last_ms`, earlier times halved every [`HALF_LIFE_MS`].
    pub(crate) popularity: f32,
    /// How often before yesterday, faded over [`BASE_DAYS`].
    base: f32,
    /// Number of the day that is today for this search.
    day: u32,
    today: u32,
    yesterday: u32,
    /// Who asked last, as a hash: the same pinner again is no trend.
    by: u32,
    shared: u32,
    zero: u32,
}

/// A search as it is counted and compared: lower case, single spaces; `None` where it says nothing or is too long.
pub(crate) fn normalised(query: &str) -> Option<String> {
    if query.len() > 4 * SEARCH_BYTES_MAX {
        return None;
    }
    let text = query.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    (text.len() <= SEARCH_BYTES_MAX && text.chars().any(char::is_alphanumeric)).then_some(text)
}

impl Searches {
    /// Counts what an event says of searches; whether it says anything.
    pub(crate) fn note(&mut self, event: &Event) -> bool {
        let weight = match event.action {
            Action::Search => 1.0,
            action if action.is_positive() => ENGAGED_WEIGHT,
            _ => return false,
        };
        let Some(query) = event.query.as_deref().and_then(normalised) else { return false };
        let pinner = pinner_hash(&event.pinner);
        self.own.add(pinner, &query, event.ts_ms);
        let by = pinner as u32;
        let asked = self.asked.entry(query.into()).or_insert_with(|| Asked { by, ..Asked::zeroed() });
        asked.add(event.ts_ms, by, weight);
        if self.asked.len() > SEARCHES_MAX {
            self.make_room(SEARCHES_MAX - SEARCHES_MAX / 8);
        }
        true
    }

    /// Keeps the `wanted` best, and those as good as the last of them.
    fn make_room(&mut self, wanted: usize) {
        let mut scores: Vec<f32> = self.asked.values().map(Asked::score).collect();
        if wanted == 0 || wanted >= scores.len() {
            return;
        }
        let (_, least, _) = scores.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a));
        let least = *least;
        self.asked.retain(|_, asked| asked.score() > least);
    }

    /// The searches that more than one pinner made: what only one asked is told to nobody else.
    pub(crate) fn shared(&self) -> Vec<(Box<str>, Asked)> {
        let shared = self.asked.iter().filter(|(_, asked)| asked.shared > 0);
        shared.map(|(query, asked)| (query.clone(), *asked)).collect()
    }

    /// As bytes: a part of a snapshot. What pinners searched for themselves is another one.
    pub(crate) fn write(&self) -> Vec<u8> {
        let asked: Vec<Asked> = self.asked.values().copied().collect();
        let text = self.asked.keys().map(AsRef::as_ref).collect::<Vec<&str>>().join("\n");
        let sections: [(&str, &[u8]); 2] = [("asked", cast_slice(&asked)), ("text", text.as_bytes())];
        let mut out = Vec::new();
        Snapshot::write(&mut out, "searches", 1, &sections).expect("invariant: memory takes bytes");
        out
    }

    /// The searches as they were written.
    pub(crate) fn open(bytes: &Bytes, own: &Bytes) -> Result<Searches, SnapshotError> {
        let snapshot = Snapshot::open("searches", 1, bytes)?;
        let (asked, text) = (snapshot.column::<Asked>("asked")?, snapshot.column::<u8>("text")?);
        let text = String::from_utf8_lossy(&text);
        let asked = text.split('\n').map(Into::into).zip(asked.iter().copied()).collect();
        Ok(Searches { asked, own: Own::open(own)? })
    }
}

impl Asked {
    fn add(&mut self, ts_ms: u64, by: u32, weight: f32) {
        if by != self.by {
            self.shared = 1;
        }
        let again = by == self.by && self.popularity > 0.0;
        self.by = by;
        let fade = |since_ms: u64| (-(since_ms as f32) / HALF_LIFE_MS as f32).exp2();
        match ts_ms.checked_sub(self.last_ms) {
            Some(since_ms) => {
                self.popularity = self.popularity * fade(since_ms) + weight;
                self.last_ms = ts_ms;
            }
            None => self.popularity += weight * fade(self.last_ms - ts_ms),
        }
        let day = (ts_ms / DAY_MS) as u32;
        self.turn_to(day);
        if again {
            return;
        }
        match self.day - day {
            0 => self.today = self.today.saturating_add(1),
            1 => self.yesterday = self.yesterday.saturating_add(1),
            _ => self.base += 1.0,
        }
    }

    /// Makes a later day today.
    fn turn_to(&mut self, day: u32) {
        let Some(passed) = day.checked_sub(self.day).filter(|&passed| passed > 0) else { return };
        let kept = 1.0 - 1.0 / BASE_DAYS;
        self.base = (self.base + self.yesterday as f32) * kept.powf(passed as f32);
        self.yesterday = if passed == 1 { self.today } else { 0 };
        if passed > 1 {
            self.base += self.today as f32 * kept.powf((passed - 1) as f32);
        }
        (self.today, self.day) = (0, day);
    }

    /// Logarithm of popularity × recency: the order of it never changes with time.
    fn score(&self) -> f32 {
        (f64::from(self.popularity).log2() + self.last_ms as f64 / HALF_LIFE_MS as f64) as f32
    }

    /// How often it was asked in the 24 hours before a moment, and in the days before: yesterday counts as far as it
    /// lies within the 24 hours.
    pub(crate) fn counts(mut self, query: u32, now_ms: u64) -> QueryCounts {
        self.turn_to((now_ms / DAY_MS) as u32);
        let left = 1.0 - (now_ms % DAY_MS) as f32 / DAY_MS as f32;
        let late = (self.yesterday as f32 * left).round() as u32;
        let base = self.base + (self.yesterday - late.min(self.yesterday)) as f32;
        QueryCounts { query, recent: self.today.saturating_add(late), base: base.round() as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn search(query: &str, pinner: &str, ts_ms: u64) -> Event {
        Event { query: Some(query.to_owned()), ..Event::new(pinner.to_owned(), Action::Search, ts_ms) }
    }

    #[test]
    fn searches_are_normalised_faded_and_kept() {
        let mut searches = Searches::default();
        assert!(searches.note(&search("  Blue   Vase ", "ann", NOON_MS)));
        assert!(searches.note(&search("blue vase", "ben", NOON_MS + HALF_LIFE_MS)));
        let act = Event { action: Action::Save, ..search("blue vase", "ben", NOON_MS) };
        assert!(searches.note(&act), "late, and it counts as of its moment");
        let hidden = Event { action: Action::Hide, ..search("blue vase", "ben", NOON_MS) };
        let long = "x".repeat(201);
        let says_nothing = [hidden, search(" ", "ann", 1), search("?!", "ann", 1), search(&long, "ann", 1)];
        assert!(says_nothing.iter().all(|event| !searches.note(event)));
        assert!(searches.note(&search("secret", "ann", NOON_MS)) && searches.note(&search("secret", "ann", NOON_MS)));
        let shared = searches.shared();
        assert_eq!(shared.len(), 1, "what only one pinner asked is told to nobody: {shared:?}");
        assert_eq!((&*shared[0].0, shared[0].1.last_ms), ("blue vase", NOON_MS + HALF_LIFE_MS));
        assert!((shared[0].1.popularity - 1.75).abs() < 1e-4, "{shared:?}");
        let again = |searches: &Searches| {
            Searches::open(&searches.write().into(), &searches.own.write().into()).expect("whole")
        };
        assert_eq!((again(&searches).asked, again(&searches).own), (searches.asked, searches.own));
        assert!(again(&Searches::default()).asked.is_empty());
    }

    #[test]
    fn days_pass_and_one_pinner_is_no_trend() {
        let mut searches = Searches::default();
        for day in 0..28 {
            searches.note(&search("lamp", &format!("p{day}"), NOON_MS + day * DAY_MS));
        }
        for number in 0..40 {
            searches.note(&search("lamp", &format!("q{}", number % 20), NOON_MS + 28 * DAY_MS));
            searches.note(&search("spam", "one", NOON_MS + 28 * DAY_MS));
        }
        let counts = |query: &str| searches.asked[query].counts(0, NOON_MS + 28 * DAY_MS);
        assert_eq!((counts("lamp").recent, counts("spam").recent), (41, 1), "yesterday noon is within the 24 hours");
        assert!((14..20).contains(&counts("lamp").base), "{:?}", counts("lamp"));
        let later = searches.asked["lamp"].counts(0, NOON_MS + 58 * DAY_MS);
        assert!(later.recent == 0 && later.base > 10, "{later:?}");
    }

    #[test]
    fn the_rarest_make_room() {
        let mut searches = Searches::default();
        for number in 0..100 {
            let times = if number % 10 == 0 { 3 } else { 1 };
            (0..times).for_each(|_| _ = searches.note(&search(&format!("s{number}"), "ann", NOON_MS + number)));
        }
        searches.make_room(10);
        assert_eq!(searches.asked.len(), 10);
        assert!(searches.asked.keys().all(|query| query.ends_with('0')));
        searches.make_room(0);
        assert_eq!(searches.asked.len(), 10);
    }
}
