//! Request records on their way into the log, beside the request path.

use crate::error::ServingError;
use crate::views::lock;
use domain::{EventId, Fact, Request, RequestRecord, Slate, Trace, hash64};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use store::EventLog;

/// Most records that wait.
const QUEUE_MAX: usize = 1_024;

/// Most records written at once.
const BATCH_MAX: usize = 64;

/// Ranked candidates that a record keeps, besides those that were shown.
const RANKED_KEPT: usize = 100;

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
    /// page recorded twice is one record. After [`RecordSink::close`] nothing is recorded.
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

    /// All that led to what was shown, and the ranked candidates next to it.
    fn fact(self) -> Fact {
        let Page { request, slate, offset, shown } = self;
        let kept = (offset as usize).saturating_add(shown as usize).max(RANKED_KEPT);
        let Trace { stages, dropped, ranked, degraded, model } = slate.trace.clone();
        let ranked = ranked.into_iter().take(kept).collect();
        Fact::Served(Box::new(RequestRecord {
            request_id: request.request_id,
            ts_ms: request.now_ms,
            pinner: request.pinner_key,
            surface: request.surface,
            subject: request.subject,
            offset,
            shown,
            trace: Trace { stages, dropped, ranked, degraded, model },
        }))
    }
}
