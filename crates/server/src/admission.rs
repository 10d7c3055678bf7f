//! Whose turn is it? A few requests run, a few wait a moment, the rest is told to come back.

use crate::problem::{Kind, Problem};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A gate for one kind of work.
pub(crate) struct Gate {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait: Duration,
}

impl Gate {
    pub(crate) fn new(turns_max: usize, waiting_max: usize, wait: Duration) -> Gate {
        let turns = Arc::new(Semaphore::new(turns_max.max(1)));
        Gate { turns, waiting: AtomicUsize::new(0), waiting_max, wait }
    }

    /// A turn, at once or after a bounded wait in a bounded queue. It lasts until it is dropped.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        let _place = Place::take(&self.waiting, self.waiting_max).ok_or_else(busy)?;
        match tokio::time::timeout(self.wait, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }
}

/// Who asked for a work: they may be gone before it is done, since their time is over or their connection ended.
pub(crate) struct Asker(Weak<()>);

impl Asker {
    /// An asker who waits as long as the other half lives.
    pub(crate) fn who_waits() -> (Asker, Arc<()>) {
        let waits = Arc::new(());
        (Asker(Arc::downgrade(&waits)), waits)
    }

    /// An error when nobody waits for the answer any more. Work looks here as long as it has changed nothing: who was
    /// told that it failed will send it again.
    pub(crate) fn still_waits(&self) -> Result<(), Problem> {
        if self.0.strong_count() > 0 {
            return Ok(());
        }
        Err(Problem::new(Kind::TooSlow, "nobody waits for the answer any more"))
    }
}

/// Room for bodies that are read or wait for their turn. What has come of a body counts, not what was announced: a slow
/// sender takes little of it.
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    pub(crate) fn new(bytes_max: usize) -> Room {
        Room(Arc::new(Semaphore::new(bytes_max.min(Semaphore::MAX_PERMITS))))
    }

    /// Room for some bytes until it is dropped. Nobody waits for it: those who hold a part would wait for each other.
    pub(crate) fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let bytes = u32::try_from(bytes).map_err(|_| busy())?;
        self.0.clone().try_acquire_many_owned(bytes).map_err(|_| busy())
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
