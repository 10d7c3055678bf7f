//! The best k of a stream, in bounded memory.

use domain::PinId;
use std::cmp::Ordering;

/// Keeps the best `k` of all offered pins: offers are gathered until twice `k` are there, then the worse half is cut
/// and its border becomes the threshold below which nothing needs to be offered.
pub(crate) struct Top {
    k: usize,
    threshold: f32,
    entries: Vec<(PinId, f32)>,
}

/// Higher scores first, then lower ids.
fn best_first(a: &(PinId, f32), b: &(PinId, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

impl Top {
    /// Keeps the best `k`, which must be at least 1.
    pub(crate) fn new(k: usize) -> Top {
        Top { k, threshold: f32::NEG_INFINITY, entries: Vec::with_capacity(k.saturating_mul(2).min(1 << 14)) }
    }

    /// Scores below this cannot enter any more; equal ones only with a lower pin id than those that are there.
    #[inline]
    pub(crate) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Takes a pin into account. Scores must not be `NaN`.
    #[inline]
    pub(crate) fn offer(&mut self, pin: PinId, score: f32) {
        self.entries.push((pin, score));
        if self.entries.len() >= self.k.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.entries.len() > self.k {
            let (_, border, _) = self.entries.select_nth_unstable_by(self.k - 1, best_first);
            self.threshold = border.1;
            self.entries.truncate(self.k);
        }
    }

    /// The best, in order.
    pub(crate) fn into_best(mut self) -> Vec<(PinId, f32)> {
        self.cut();
        self.entries.sort_unstable_by(best_first);
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_out_whatever_the_order() {
        let mut rng = domain::Rng::new(3);
        for k in [1, 2, 7, 100, 1_000] {
            // Few distinct scores, so that ties lie on the border.
            let mut all: Vec<_> = (0..500).map(|pin| (PinId(pin), rng.below(40) as f32)).collect();
            rng.shuffle(&mut all);
            let mut top = Top::new(k);
            all.iter().filter(|entry| entry.1 >= f32::MIN).for_each(|&(pin, score)| {
                if score >= top.threshold() {
                    top.offer(pin, score);
                }
            });
            all.sort_by(best_first);
            all.truncate(k);
            assert_eq!(top.into_best(), all, "k = {k}");
        }
    }
}
