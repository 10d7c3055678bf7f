//! Whose turn is it? A few requests run, a few wait a moment, the rest is told to come back.

use crate::problem::{Kind, Problem};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// A gate for one kind of work.
pub(crate) struct Gate {
    turns: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait: Duration,
}

impl Gate {
    pub(crate) fn new(turns_max: usize, waiting_max: usize, wait: Duration) -> Gate {
        Gate { turns: Semaphore::new(turns_max.max(1)), waiting: AtomicUsize::new(0), waiting_max, wait }
    }

    /// A turn, at once or after a bounded wait in a bounded queue.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let _place = Place::take(&self.waiting, self.waiting_max).ok_or_else(busy)?;
        match tokio::time::timeout(self.wait, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }
}

fn busy() -> Problem {
    Problem::new(Kind::Overloaded, "more is asked than can be answered in time; come back in a moment").retry_after(1)
}

/// A place in the queue, given back when dropped: also when the asker leaves.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Place<'a>> {
        let place = Place(waiting);
        // On refusal `place` is dropped and takes the count back.
        (waiting.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_gate_sheds_and_opens_again() {
        let gate = Gate::new(1, 1, Duration::from_millis(20));
        let turn = gate.enter().await.expect("free");
        let (first, second) = tokio::join!(gate.enter(), gate.enter());
        assert!(first.is_err() && second.is_err(), "one waits in vain, one finds the queue full");
        drop(turn);
        assert!(gate.enter().await.is_ok());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_turn_given_back_is_passed_on() {
        let gate = Gate::new(1, 4, Duration::from_secs(60));
        let turn = gate.enter().await.expect("free");
        let (next, ()) = tokio::join!(gate.enter(), async { drop(turn) });
        assert!(next.is_ok());
    }
}
