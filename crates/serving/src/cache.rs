//! Rankings kept for paging: a page is a part of one ranking, however the views change meanwhile.

use crate::views::lock;
use domain::{EventId, Slate, SlateItem, Trace};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// Most rankings; the oldest goes first. A ranking of 500 pins takes 6 kB.
    pub slates_max: usize,
    /// Most rankings with their trace, which takes about 150 kB for 500 pins; older ones keep pins and scores.
    pub traces_max: usize,
    /// How long a ranking can be paged through (ms).
    pub ttl_ms: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        CacheLimits { slates_max: 8_192, traces_max: 256, ttl_ms: 30 * 60_000 }
    }
}

/// Where a pinner is in a ranking: what `next_cursor` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The request that made the ranking.
    pub request_id: EventId,
    /// First position of the page.
    pub offset: u32,
}

/// Text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.request_id, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (id, offset) = text.split_once('.').ok_or(NotACursor)?;
        let request_id = id.parse().map_err(|_| NotACursor)?;
        let offset = offset.parse().map_err(|_| NotACursor)?;
        Ok(Cursor { request_id, offset })
    }
}

/// Rankings by request, bounded in number and time. Whose they are is not known here: a cursor names its owner
/// before it leaves the house.
pub struct SlateCache {
    limits: CacheLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    slates: HashMap<EventId, Entry>,
    /// Oldest first.
    order: VecDeque<EventId>,
}

struct Entry {
    made_ms: u64,
    slate: Arc<Slate>,
}

impl SlateCache {
    /// An empty cache.
    pub fn new(limits: CacheLimits) -> SlateCache {
        SlateCache { limits, kept: Mutex::default() }
    }

    /// Keeps the ranking that a request made.
    pub fn put(&self, request_id: EventId, slate: Arc<Slate>, now_ms: u64) {
        let mut kept = lock(&self.kept);
        if kept.slates.insert(request_id, Entry { made_ms: now_ms, slate }).is_none() {
            kept.order.push_back(request_id);
        }
        kept.trim(self.limits, now_ms);
    }

    /// The ranking that a cursor walks through; `None` when it is not kept any more.
    pub fn get(&self, request_id: EventId, now_ms: u64) -> Option<Arc<Slate>> {
        let kept = lock(&self.kept);
        let entry = kept.slates.get(&request_id)?;
        (now_ms.saturating_sub(entry.made_ms) <= self.limits.ttl_ms).then(|| entry.slate.clone())
    }

    /// How many rankings are kept.
    pub fn len(&self) -> usize {
        lock(&self.kept).order.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Kept {
    fn trim(&mut self, limits: CacheLimits, now_ms: u64) {
        while let Some(oldest) = self.order.front() {
            let made_ms = self.slates.get(oldest).map_or(0, |entry| entry.made_ms);
            if self.order.len() <= limits.slates_max && now_ms.saturating_sub(made_ms) <= limits.ttl_ms {
                break;
            }
            self.slates.remove(oldest);
            self.order.pop_front();
        }
        let Some(at) = self.order.len().checked_sub(limits.traces_max + 1) else { return };
        if let Some(entry) = self.slates.get_mut(&self.order[at]) {
            entry.slate = Arc::new(without_trace(&entry.slate));
        }
    }
}

/// Pins, scores and sources, with the model's name but without what happened on the way.
fn without_trace(slate: &Slate) -> Slate {
    let items: Vec<SlateItem> = slate.items.clone();
    Slate { items, trace: Trace { model: slate.trace.model.clone(), ..Trace::default() } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{PinId, SourceSet};

    fn slate() -> Arc<Slate> {
        let item = SlateItem { pin: PinId(1), score: 1.0, sources: SourceSet::default() };
        Arc::new(Slate { items: vec![item], trace: Trace { degraded: vec!["x".into()], ..Trace::default() } })
    }

    #[test]
    fn pages_are_there_for_a_while() {
        let cache = SlateCache::new(CacheLimits { slates_max: 3, traces_max: 1, ttl_ms: 10 });
        for id in 0..5 {
            cache.put(EventId(id), slate(), 100);
        }
        assert_eq!(cache.len(), 3);
        assert!(cache.get(EventId(1), 100).is_none(), "pushed out");
        assert!(cache.get(EventId(4), 111).is_none(), "too old");
        let [older, newest] = [3, 4].map(|id| cache.get(EventId(id), 105).expect("kept"));
        assert_eq!((older.items.len(), older.trace.degraded.len()), (1, 0), "older ones lose their trace");
        assert_eq!((newest.items.len(), newest.trace.degraded.len()), (1, 1));
    }

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let cursor = Cursor { request_id: EventId::new(1_700_000_000_000, 7), offset: 40 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "x", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAV.-1", "😀.1"] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
