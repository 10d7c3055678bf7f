//! Filters that requests keep asking with: the pins that pass are marked once for many of them.

use crate::views::lock;
use index::{Bound, Marked, VectorIndex};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Most filters that are kept, of all indexes.
const KEPT_MAX: usize = 32;

/// How long marks are used: pins that came since are not in them.
const FRESH: Duration = Duration::from_millis(500);

/// A filter that is asked for again within this time is worth marking.
const AGAIN: Duration = Duration::from_secs(5);

/// Filters with the marks of an index, the latest first.
#[derive(Default)]
pub(crate) struct Marks(Mutex<Vec<Kept>>);

struct Kept {
    text: Arc<str>,
    index: &'static str,
    /// [`VectorIndex::version`] and space: a new index counts from 0 again.
    version: (u64, u32),
    asked: Instant,
    marked: Option<(Instant, Arc<Marked>)>,
}

impl Marks {
    /// The marks of a filter that was asked for lately; `None` for one that is new or comes seldom. Marking costs a
    /// look at each pin, and is done by whoever asks first after the marks have grown old.
    pub(crate) fn of(
        &self,
        (name, index): (&'static str, &VectorIndex),
        text: &str,
        filter: &Bound,
    ) -> Option<Arc<Marked>> {
        let (now, version) = (Instant::now(), (index.version(), index.space()));
        {
            let mut kept = lock(&self.0);
            let at = kept.iter().position(|kept| kept.index == name && *kept.text == *text);
            let mut one = match at {
                Some(at) => kept.remove(at),
                None => Kept { text: text.into(), index: name, version, asked: now, marked: None },
            };
            let comes_again = at.is_some() && now.duration_since(one.asked) <= AGAIN;
            let fresh = |(made, _): &(Instant, Arc<Marked>)| now.duration_since(*made) <= FRESH;
            one.marked = one.marked.filter(|marked| one.version == version && fresh(marked));
            one.asked = now;
            let marked = one.marked.as_ref().map(|(_, marked)| marked.clone());
            kept.insert(0, one);
            kept.truncate(KEPT_MAX);
            if marked.is_some() || !comes_again {
                return marked;
            }
        }
        let marked = Arc::new(index.mark(filter));
        let mut kept = lock(&self.0);
        if let Some(one) = kept.iter_mut().find(|kept| kept.index == name && *kept.text == *text) {
            (one.version, one.marked) = (version, Some((now, marked.clone())));
        }
        Some(marked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PinId;
    use index::{Columns, FieldKind, Filter, Want};

    #[test]
    fn a_filter_that_comes_again_is_marked_once_and_grows_old() {
        let mut columns = Columns::new();
        let topic = columns.field("topic", FieldKind::Word).expect("a field");
        let mut index = VectorIndex::new(1, 1);
        for pin in 0..100 {
            columns.set_words(PinId(pin), topic, &[["a", "b"][pin as usize % 2]]).expect("a word");
            index.upsert(1, PinId(pin), &[pin as f32]).expect("a vector");
        }
        let filter = Filter::parse("topic:a").expect("a filter");
        let bound = filter.bind(&columns).expect("a known field");
        let marks = Marks::default();
        assert!(marks.of(("x", &index), "topic:a", &bound).is_none(), "it may never come again");
        let first = marks.of(("x", &index), "topic:a", &bound).expect("marked");
        let again = marks.of(("x", &index), "topic:a", &bound).expect("marked");
        assert!(Arc::ptr_eq(&first, &again));
        let want = Want { filter: Some(&bound), marked: Some(&first), ..Want::best(3) };
        let pins: Vec<u32> =
            index.search(1, &[1.0], &want).expect("found").pins.iter().map(|found| found.0.0).collect();
        assert_eq!(pins, [98, 96, 94]);
        std::thread::sleep(FRESH + Duration::from_millis(20));
        let later = marks.of(("x", &index), "topic:a", &bound).expect("marked");
        assert!(!Arc::ptr_eq(&first, &later), "pins that came since are in it");
        drop(index.begin_compaction(1));
        index.abandon_compaction();
        let moved = marks.of(("x", &index), "topic:a", &bound).expect("marked");
        assert!(!Arc::ptr_eq(&later, &moved), "rows have moved");
        for filter in 0..2 * KEPT_MAX {
            marks.of(("x", &index), &filter.to_string(), &bound);
        }
        assert_eq!(lock(&marks.0).len(), KEPT_MAX);
    }
}
