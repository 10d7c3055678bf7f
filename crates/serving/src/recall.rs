//! Which part of the truly nearest pins the searches find, measured on a sample of what is really asked.

use crate::views::{Views, lock, read};
use index::{IndexError, VectorIndex, Want};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

/// Every so manieth question is a candidate for the sample, of which the newest few wait.
const SAMPLED: u64 = 16;
const WAITING_MAX: usize = 8;

/// How often a sample is measured. A scan of a million pins takes 20 to 50 ms of a core, two indexes of eight questions
/// less than a hundredth of it.
const EVERY: Duration = Duration::from_secs(60);

/// Measured questions that the figure is the mean of.
const MEASURED_MAX: usize = 64;

/// How good the searches of an index were of late.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    /// Which index: `vectors` of the model, `content`.
    pub index: &'static str,
    /// The part of the truly nearest pins that was found, on average.
    pub mean: f32,
    /// How many questions that is of; the newest 64 at most.
    pub questions: usize,
}

/// The indexes that are watched.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) vectors: Watch,
    pub(crate) content: Watch,
    last: Mutex<Option<Instant>>,
}

/// What was asked of one index, and what came out.
#[derive(Default)]
pub(crate) struct Watch {
    asked: AtomicU64,
    waiting: Mutex<VecDeque<(Vec<f32>, usize)>>,
    measured: Mutex<VecDeque<f32>>,
}

impl Watched {
    /// Whether it is time to measure, and there is something to be measured.
    pub(crate) fn is_due(&self) -> bool {
        let rested = lock(&self.last).is_none_or(|last| last.elapsed() >= EVERY);
        rested && [&self.vectors, &self.content].iter().any(|watch| !lock(&watch.waiting).is_empty())
    }

    /// Measures what waits, if it is time.
    pub(crate) fn measure(&self, views: &Views) {
        if !self.is_due() {
            return;
        }
        *lock(&self.last) = Some(Instant::now());
        self.content.measure(&views.content);
        if let Some(installed) = views.installed() {
            self.vectors.measure(&installed.vectors);
        }
    }

    pub(crate) fn recall(&self) -> Vec<Recall> {
        let of = |(index, watch): (&'static str, &Watch)| {
            let measured = lock(&watch.measured);
            let mean = measured.iter().sum::<f32>() / measured.len() as f32;
            (!measured.is_empty()).then_some(Recall { index, mean, questions: measured.len() })
        };
        [("vectors", &self.vectors), ("content", &self.content)].into_iter().filter_map(of).collect()
    }
}

impl Watch {
    /// Notes a question, one of many; whoever asks never waits for that.
    pub(crate) fn note(&self, query: &[f32], k: usize) {
        if !self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(SAMPLED) {
            return;
        }
        if let Ok(mut waiting) = self.waiting.try_lock() {
            waiting.truncate(WAITING_MAX - 1);
            waiting.push_front((query.to_vec(), k));
        }
    }

    fn measure(&self, index: &RwLock<VectorIndex>) {
        for (query, k) in std::mem::take(&mut *lock(&self.waiting)) {
            // The lock is let go after each question. One of another embedding space is nobody's any more.
            let Ok(recall) = recall(&read(index), &query, k) else { continue };
            let mut measured = lock(&self.measured);
            measured.truncate(MEASURED_MAX - 1);
            measured.push_front(recall);
        }
    }
}

fn recall(index: &VectorIndex, query: &[f32], k: usize) -> Result<f32, IndexError> {
    let want = Want::best(k);
    let found = index.search(index.space(), query, &want)?;
    index.recall(index.space(), query, &want, &found.pins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{PinId, Rng};

    #[test]
    fn a_bounded_sample_is_measured_against_a_scan() {
        let mut rng = Rng::new(4);
        let rows: Vec<f32> = (0..20_000 * 8).map(|_| rng.normal()).collect();
        let pins: Vec<PinId> = (0..20_000).map(PinId).collect();
        let index = RwLock::new(VectorIndex::build(8, 1, &pins, &rows, 1).expect("built"));
        let watch = Watch::default();
        rows.chunks(8).take(1_000).for_each(|query| watch.note(query, 50));
        assert_eq!(lock(&watch.waiting).len(), WAITING_MAX);
        watch.note(&[1.0; 3], 50);
        watch.measure(&index);
        let measured = lock(&watch.measured).clone();
        assert!((WAITING_MAX - 1..=WAITING_MAX).contains(&measured.len()), "{measured:?}");
        assert!(measured.iter().all(|recall| (0.5..=1.0).contains(recall)), "{measured:?}");
        assert!(lock(&watch.waiting).is_empty());
    }
}
