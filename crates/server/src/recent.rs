//! What was answered lately, with all that is known of it: for explanations and for the console.

use crate::app::App;
use crate::problem::Problem;
use domain::{EventId, Request, RequestRecord, Slate, Subject, Surface, Trace};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One answered request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) request_id: EventId,
    pub(crate) ts_ms: u64,
    pub(crate) pinner: String,
    pub(crate) surface: Surface,
    pub(crate) subject: Subject,
    /// First position of the page.
    pub(crate) offset: u32,
    /// How many pins the page showed.
    pub(crate) shown: u32,
    /// The ranking and how it came about; read from the log, its items are those of the trace.
    pub(crate) slate: Arc<Slate>,
}

impl Answered {
    pub(crate) fn new(request: &Request, shown: u32, slate: Arc<Slate>) -> Answered {
        Answered {
            request_id: request.request_id,
            ts_ms: request.now_ms,
            pinner: request.pinner_key.clone(),
            surface: request.surface,
            subject: request.subject.clone(),
            offset: 0,
            shown,
            slate,
        }
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.slate.trace
    }
}

impl From<RequestRecord> for Answered {
    fn from(record: RequestRecord) -> Answered {
        let RequestRecord { request_id, ts_ms, pinner, surface, subject, offset, shown, trace, .. } = record;
        let slate = Arc::new(Slate { items: Vec::new(), trace });
        Answered { request_id, ts_ms, pinner, surface, subject, offset, shown, slate }
    }
}

/// The newest answers; the oldest leaves when there are too many.
pub(crate) struct Recent {
    inner: Mutex<Inner>,
    count_max: usize,
}

#[derive(Default)]
struct Inner {
    by_id: HashMap<EventId, Arc<Answered>>,
    order: VecDeque<EventId>,
}

impl Recent {
    pub(crate) fn new(count_max: usize) -> Recent {
        Recent { inner: Mutex::default(), count_max: count_max.max(1) }
    }

    pub(crate) fn put(&self, answered: Answered) {
        let id = answered.request_id;
        let mut inner = self.lock();
        if inner.by_id.insert(id, Arc::new(answered)).is_none() {
            inner.order.push_back(id);
        }
        let oldest = if inner.order.len() > self.count_max { inner.order.pop_front() } else { None };
        let gone = oldest.and_then(|id| inner.by_id.remove(&id));
        drop(inner);
        drop(gone); // outside of the lock: a trace is large
    }

    pub(crate) fn get(&self, id: EventId) -> Option<Arc<Answered>> {
        self.lock().by_id.get(&id).cloned()
    }

    /// The newest `count`, newest first.
    pub(crate) fn latest(&self, count: usize) -> Vec<Arc<Answered>> {
        let inner = self.lock();
        inner.order.iter().rev().take(count).filter_map(|id| inner.by_id.get(id).cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of a name: from memory, else from the log.
pub(crate) async fn find(app: &App, id: EventId) -> Result<Option<Arc<Answered>>, Problem> {
    if let Some(answered) = app.recent().get(id) {
        return Ok(Some(answered));
    }
    let consumer = app.consumer().clone();
    let found = tokio::task::spawn_blocking(move || consumer.find_request(id)).await;
    let found = found.map_err(|error| Problem::internal("looking for a request", error))?;
    let found = found.map_err(|error| Problem::internal("looking for a request", error))?;
    Ok(found.map(|record| Arc::new(record.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(id: u128) -> Answered {
        Answered {
            request_id: EventId(id),
            ts_ms: 0,
            pinner: String::new(),
            surface: Surface::Home,
            subject: Subject::None,
            offset: 0,
            shown: 0,
            slate: Arc::default(),
        }
    }

    #[test]
    fn the_oldest_leave_first() {
        let recent = Recent::new(2);
        [0, 1, 2, 3, 3].into_iter().for_each(|id| recent.put(answered(id)));
        assert!(recent.get(EventId(1)).is_none());
        let latest: Vec<u128> = recent.latest(9).iter().map(|one| one.request_id.0).collect();
        assert_eq!(latest, [3, 2]);
    }
}
