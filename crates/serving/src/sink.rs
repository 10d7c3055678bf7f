//! Request records on their way into the log, beside the request path.

use crate::error::ServingError;
use domain::{EventId, Fact, Request, RequestRecord, Slate, Trace, hash64};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
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
    queue: Option<SyncSender<(EventId, Fact)>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
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
        let thread = Some(thread.spawn(move || write_all(&*log, &waiting, &theirs))?);
        Ok(RecordSink { queue: Some(queue), thread, counts })
    }

    /// Records that `shown` pins from `offset` on of the slate were shown. False when the record was dropped. The same
    /// page recorded twice is one record.
    pub fn record(&self, request: &Request, slate: &Slate, offset: u32, shown: u32) -> bool {
        let record = record(request, slate, offset, shown);
        let fact = (page_id(request.request_id, offset), Fact::Served(Box::new(record)));
        let Some(queue) = &self.queue else { return false };
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
        match queue.try_send(fact) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// What became of records so far.
    pub fn counts(&self) -> SinkCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { taken, written, dropped, failed } = &*self.counts;
        let (written, dropped, failed) = (load(written), load(dropped), load(failed));
        SinkCounts { waiting: load(taken).saturating_sub(written + dropped + failed), written, dropped, failed }
    }

    /// Writes what waits and stops.
    pub fn close(mut self) -> SinkCounts {
        self.finish();
        self.counts()
    }

    fn finish(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was already reported by its thread; the counts show what was not written.
            _ = thread.join();
        }
    }
}

impl std::ops::Drop for RecordSink {
    fn drop(&mut self) {
        self.finish();
    }
}

fn write_all(log: &dyn EventLog, waiting: &Receiver<(EventId, Fact)>, counts: &Counts) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<(EventId, Fact)> = std::iter::once(first).chain(waiting.try_iter()).take(BATCH_MAX).collect();
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

/// The record of a page: all that led to what was shown, and the ranked candidates next to it.
pub fn record(request: &Request, slate: &Slate, offset: u32, shown: u32) -> RequestRecord {
    let kept = (offset as usize).saturating_add(shown as usize).max(RANKED_KEPT);
    let ranked = slate.trace.ranked.iter().take(kept).cloned().collect();
    RequestRecord {
        request_id: request.request_id,
        ts_ms: request.now_ms,
        pinner: request.pinner_key.clone(),
        surface: request.surface,
        subject: request.subject.clone(),
        offset,
        shown,
        trace: Trace { ranked, ..clone_but_ranked(&slate.trace) },
    }
}

fn clone_but_ranked(trace: &Trace) -> Trace {
    let Trace { stages, dropped, degraded, model, ranked: _ } = trace;
    let (stages, dropped, degraded, model) = (stages.clone(), dropped.clone(), degraded.clone(), model.clone());
    Trace { stages, dropped, ranked: Vec::new(), degraded, model }
}

/// The idempotency key of a page's record: the request's own for the first page.
fn page_id(request_id: EventId, offset: u32) -> EventId {
    if offset == 0 {
        return request_id;
    }
    let low = hash64(request_id.0 as u64 ^ hash64(u64::from(offset)));
    EventId::new(request_id.ts_ms(), u128::from(low) | (request_id.0 >> 64 & 0xFFFF) << 64)
}
