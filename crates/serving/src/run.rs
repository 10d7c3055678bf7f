//! The runner: times, counts and names the stages of one request, and gives work its place on the processor.

use crate::blend::{Placed, blend};
use crate::context::Context;
use crate::generator::Offers;
use crate::pipeline::{UNANSWERED, UNMATCHED};
use crate::rows::Rows;
use domain::{Drop, Params, Request, ServedItem, Slate, SlateItem, Source, StageTrace, Trace};
use models::FEATURE_COUNT;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake};
use std::thread::Thread;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Part of a request's time that generators may use; the rest is for ranking.
const GENERATORS_SHARE: f64 = 0.7;

/// Part of a request's time after which L2 is left out.
const LATE_SHARE: f64 = 0.85;

/// One request on its way through the funnel.
pub(crate) struct Run {
    started: Instant,
    /// How long the request may take; `None` when nobody waits.
    budget: Option<Duration>,
    pub(crate) trace: Trace,
}

impl Run {
    pub(crate) fn start(request: &Request, params: &Params, paced: bool) -> Run {
        let deadline_ms = if request.deadline_ms > 0 { request.deadline_ms } else { params.deadline_ms };
        let budget = paced.then(|| Duration::from_millis(deadline_ms));
        Run { started: Instant::now(), budget, trace: Trace::default() }
    }

    /// Time that a generator may still take, at most its own deadline.
    pub(crate) fn generator_time(&self, deadline_ms: u64) -> Duration {
        let left = self
            .budget
            .map_or(Duration::MAX, |budget| budget.mul_f64(GENERATORS_SHARE).saturating_sub(self.started.elapsed()));
        left.min(Duration::from_millis(deadline_ms))
    }

    /// Whether too little time is left for L2; then the answer says so.
    pub(crate) fn late(&mut self) -> bool {
        let late = self.budget.is_some_and(|budget| self.started.elapsed() > budget.mul_f64(LATE_SHARE));
        if late {
            self.degrade("l2: left out for want of time".to_owned());
        }
        late
    }

    pub(crate) fn degrade(&mut self, what: String) {
        self.trace.degraded.push(what);
    }

    /// Writes down a stage.
    pub(crate) fn note(&mut self, name: &str, took: Duration, before: usize, after: usize, note: Option<String>) {
        let took_us = took.as_micros().min(u128::from(u32::MAX)) as u32;
        let [before, after] = [before, after].map(|count| count.min(u32::MAX as usize) as u32);
        self.trace.stages.push(StageTrace { name: name.to_owned(), took_us, before, after, note });
    }

    /// Runs a stage over the rows: timed, counted, with its note.
    pub(crate) fn stage(&mut self, name: &str, rows: Rows, work: impl FnOnce(Rows) -> Rows) -> Rows {
        let (since, before) = (Instant::now(), rows.candidates.len());
        let mut rows = work(rows);
        self.note(name, since.elapsed(), before, rows.candidates.len(), rows.note.take());
        rows
    }

    /// Leaves out what does not answer a search, where that was judged.
    pub(crate) fn floor(&mut self, rows: Rows, context: &Context) -> Rows {
        if !rows.bounded {
            return rows;
        }
        let rows = self.stage("relevance", rows, |rows| rows.floor(context));
        // Where no pin has any of the words, that was told.
        if rows.unanswered && !self.trace.degraded.iter().any(|told| told.starts_with(UNMATCHED)) {
            self.degrade(format!("{UNANSWERED}: the nearest instead"));
        }
        rows
    }

    pub(crate) fn merge(&mut self, offers: &[(Source, Offers)]) -> Rows {
        let since = Instant::now();
        let rows = Rows::merge(offers);
        let offered = offers.iter().map(|(_, offers)| offers.len()).sum();
        self.note("merge", since.elapsed(), offered, rows.candidates.len(), None);
        rows
    }

    pub(crate) fn blend(&mut self, context: &Context, rows: &Rows) -> Vec<Placed> {
        let since = Instant::now();
        let blended = blend(context, rows);
        self.note("blend", since.elapsed(), rows.candidates.len(), blended.placed.len(), Some(blended.note));
        blended.placed
    }

    /// The answer with its trace.
    pub(crate) fn finish(mut self, context: &Context, rows: Rows, placed: Vec<Placed>) -> Slate {
        let mut dropped = rows.dropped;
        let mut left = vec![true; rows.candidates.len()];
        placed.iter().for_each(|placed| left[placed.row] = false);
        // A slate ends before its time when caps of rules hold back all that is left.
        let by = if placed.len() < context.params.slate_max { "rule_cap" } else { "slate_max" };
        dropped.extend(left.iter().enumerate().filter(|(_, left)| **left).map(|(row, _)| Drop {
            pin: rows.candidates.pins[row],
            by,
            sources: rows.candidates.sources[row],
        }));
        self.trace.dropped = dropped;
        self.trace.model = context.installed.as_ref().map_or("", |installed| installed.model.version()).to_owned();
        let candidates = &rows.candidates;
        let features = rows.features.as_chunks::<FEATURE_COUNT>().0;
        let mut items = Vec::with_capacity(placed.len());
        for Placed { row, moves, propensity } in placed {
            let (pin, sources, utility) = (candidates.pins[row], candidates.sources[row], candidates.utility[row]);
            items.push(SlateItem { pin, score: utility, sources });
            let offer = |source: Source| {
                let place = source.index();
                (candidates.source_ranks[place][row], candidates.source_scores[place][row])
            };
            self.trace.ranked.push(ServedItem {
                pin,
                sources,
                offers: sources.iter().map(offer).collect(),
                l1_rank: rows.l1_ranks.get(row).copied().unwrap_or(u16::MAX),
                l1: candidates.l1[row],
                l2_rank: row.min(usize::from(u16::MAX)) as u16,
                heads: candidates.heads[row],
                utility,
                features: features.get(row).map_or(Vec::new(), |row| row.to_vec()),
                moves,
                propensity,
            });
        }
        Slate { items, trace: self.trace }
    }
}

/// Where computing happens: on the blocking pool of the runtime, a bounded number at a time, first come first served;
/// or right here, when nobody waits.
#[derive(Clone, Debug)]
pub(crate) struct Cpu {
    places: Option<Arc<Semaphore>>,
}

/// Work that panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Cpu {
    pub(crate) fn pool(places: usize) -> Cpu {
        Cpu { places: Some(Arc::new(Semaphore::new(places.max(1)))) }
    }

    pub(crate) fn here() -> Cpu {
        Cpu { places: None }
    }

    /// Computes both: side by side where a place is free, else one after the other.
    pub(crate) fn beside<A, B: Send>(&self, a: impl FnOnce() -> A, b: impl FnOnce() -> B + Send) -> (A, B) {
        let Some(_place) = self.places.as_ref().and_then(|places| places.try_acquire().ok()) else { return (a(), b()) };
        std::thread::scope(|scope| {
            let other = scope.spawn(b);
            let a = a();
            (a, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// Computes on the pool.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        match self.try_run(work).await {
            Ok(made) => made,
            Err(Panicked) => panic!("invariant: the funnel's own stages do not panic"),
        }
    }

    /// Computes on the pool; a panic of the work is an error.
    pub(crate) async fn try_run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let Some(places) = &self.places else { return Ok(work()) };
        let place = places.clone().acquire_owned().await.map_err(|_| Panicked)?;
        let task = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        task.await.map_err(|_| Panicked)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread, without a runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = TaskContext::from_waker(&waker);
    loop {
        if let Poll::Ready(made) = future.as_mut().poll(&mut context) {
            return made;
        }
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn waiting_without_a_runtime_is_woken_from_elsewhere() {
        let ready = Arc::new(AtomicBool::new(false));
        let future = std::future::poll_fn(|context| {
            if ready.load(Ordering::Acquire) {
                return Poll::Ready(7);
            }
            let (ready, waker) = (ready.clone(), context.waker().clone());
            std::thread::spawn(move || {
                ready.store(true, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        });
        assert_eq!(block_on(future), 7);
    }
}
