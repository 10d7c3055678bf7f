//! Request records on their way into the log, beside the request path.

use crate::error::ServingError;
use crate::views::lock;
use domain::{EventId, Fact, Request, RequestRecord, Slate, hash64};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use store::EventLog;

/// Most records that wait. Each keeps its slate, about 150 kB for 500 pins.
const QUEUE_MAX: usize = 512;

/// Most records written at once.
const BATCH_MAX: usize = 64;

/// Ranked candidates that a record keeps with their features, besides those that were shown. The
/// others are told without: of 500 pins the features would be most of the record.
const FEATURES_KEPT: usize = 50;

/// Takes request records and writes them to the log on a thread of its own. It never waits: when the log cannot follow,
/// records are dropped and counted.
pub struct RecordSink {
    running: Mutex<Option<Running>>,
    counts: Arc<Counts>,
}

struct Running {
    queue: SyncSender<Page>,
    thread: JoinHandle<()>,
}

/// What was shown; its record is made where it is written.
struct Page {
    request: Request,
    slate: Arc<Slate>,
    offset: u32,
    shown: u32,
}

#[derive(Default)]
struct Counts {
    taken: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Records that wait.
    pub waiting: u64,
    /// Records in the log.
    pub written: u64,
    /// Records dropped because too many waited.
    pub dropped: u64,
    /// Records that the log did not take.
    pub failed: u64,
}

impl RecordSink {
    /// Starts the thread.
    pub fn start(log: Arc<dyn EventLog>) -> Result<RecordSink, ServingError> {
        RecordSink::with_queue(log, QUEUE_MAX)
    }

    fn with_queue(log: Arc<dyn EventLog>, queue_max: usize) -> Result<RecordSink, ServingError> {
        let (queue, waiting) = sync_channel(queue_max);
        let counts = Arc::new(Counts::default());
        let theirs = counts.clone();
        let thread = std::thread::Builder::new().name("records".into());
        let thread = thread.spawn(move || write_all(&*log, &waiting, &theirs))?;
        Ok(RecordSink { running: Mutex::new(Some(Running { queue, thread })), counts })
    }

    /// Records that `shown` pins from `offset` on of the slate were shown. False when the record was dropped. The same
    /// page recorded twice is one record. A later page of a slate that lost its trace has a record without a ranking,
    /// which belongs to that of the first page. After [`RecordSink::close`] nothing is recorded.
    pub fn record(&self, request: Request, slate: Arc<Slate>, offset: u32, shown: u32) -> bool {
        let running = lock(&self.running);
        let Some(Running { queue, .. }) = &*running else { return false };
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
        let sent = queue.try_send(Page { request, slate, offset, shown }).is_ok();
        if !sent {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    /// What became of records so far.
    pub fn counts(&self) -> SinkCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { taken, written, dropped, failed } = &*self.counts;
        let (written, dropped, failed) = (load(written), load(dropped), load(failed));
        SinkCounts { waiting: load(taken).saturating_sub(written + dropped + failed), written, dropped, failed }
    }

    /// Writes what waits and stops.
    pub fn close(&self) -> SinkCounts {
        let running = lock(&self.running).take();
        if let Some(Running { queue, thread }) = running {
            drop(queue);
            // A panic there was already reported by its thread; the counts show what was not written.
            _ = thread.join();
        }
        self.counts()
    }
}

impl std::ops::Drop for RecordSink {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_all(log: &dyn EventLog, waiting: &Receiver<Page>, counts: &Counts) {
    while let Ok(first) = waiting.recv() {
        let pages = std::iter::once(first).chain(waiting.try_iter()).take(BATCH_MAX);
        let batch: Vec<(EventId, Fact)> = pages.map(|page| (page.id(), page.fact())).collect();
        let count = match log.append(&batch) {
            Ok(_) => &counts.written,
            Err(error) => {
                tracing::error!(%error, "request records were not written");
                &counts.failed
            }
        };
        count.fetch_add(batch.len() as u64, Ordering::Relaxed);
    }
}

impl Page {
    /// The idempotency key of the record: the request's own for the first page.
    fn id(&self) -> EventId {
        let id = self.request.request_id;
        if self.offset == 0 {
            return id;
        }
        let low = hash64(id.0 as u64 ^ hash64(u64::from(self.offset)));
        EventId::new(id.ts_ms(), u128::from(low) | (id.0 >> 64 & 0xFFFF) << 64)
    }

    /// All that led to what was shown, and to everything else that was not.
    fn fact(self) -> Fact {
        let Page { request, slate, offset, shown } = self;
        let mut trace = slate.trace.clone();
        let page = offset as usize..(offset as usize).saturating_add(shown as usize);
        let kept = |place: &usize| page.contains(place) || *place < FEATURES_KEPT;
        let others = trace.ranked.iter_mut().enumerate().filter(|(place, _)| !kept(place));
        others.for_each(|(_, item)| item.features = Vec::new());
        Fact::Served(Box::new(RequestRecord {
            request_id: request.request_id,
            ts_ms: request.now_ms,
            pinner: request.pinner_key,
            surface: request.surface,
            subject: request.subject,
            offset,
            shown,
            arms: request.arms,
            trace,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Drop, Move, PinId, ServedItem, Source, SourceSet, Surface, Trace};

    /// A full answer: 500 ranked pins of two sources each, 1,500 dropped ones.
    fn slate() -> Slate {
        let sources = SourceSet::default().with(Source::Retrieval).with(Source::Walks);
        let item = |pin: u32| ServedItem {
            pin: PinId(pin),
            sources,
            offers: vec![(250, 0.5); 2],
            l1_rank: 300,
            l1: 0.1,
            l2_rank: 300,
            heads: [0.1; domain::HEAD_COUNT],
            utility: 0.2,
            features: vec![0.3; models::FEATURE_COUNT],
            moves: vec![Move { by: "spacing/creator".into(), from: 300, to: 301 }],
            propensity: 1.0,
        };
        let dropped = (0..1_500).map(|pin| Drop { pin: PinId(50_000 + pin), by: "l1_keep_max", sources }).collect();
        let trace = Trace { ranked: (50_000..50_500).map(item).collect(), dropped, ..Trace::default() };
        Slate { items: Vec::new(), trace }
    }

    #[test]
    fn a_record_tells_of_every_ranked_pin_and_stays_small() {
        let request = Request {
            request_id: EventId::new(1_700_000_000_000, 7),
            pinner_key: "ann".into(),
            limit: 25,
            ..Request::new(Surface::Home, 1_700_000_000_000, 0)
        };
        let page = |offset| Page { request: request.clone(), slate: Arc::new(slate()), offset, shown: 25 };
        for (offset, features) in [(0, 50), (150, 75)] {
            let fact = page(offset).fact();
            let mut bytes = Vec::new();
            store::encode(page(offset).id(), &fact, &mut bytes);
            assert!(bytes.len() < 76 << 10, "{} bytes", bytes.len());
            let Fact::Served(record) = fact else { panic!("a record") };
            assert_eq!(record.trace.ranked.len(), 500);
            assert_eq!(record.trace.ranked.iter().filter(|item| !item.features.is_empty()).count(), features);
        }
    }
}
