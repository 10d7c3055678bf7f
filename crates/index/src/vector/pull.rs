//! More and more of the best.

use super::{VectorIndex, Want};
use crate::error::IndexError;
use domain::PinId;
use std::collections::HashSet;

/// How many times as many pins the next search asks for.
const GROWTH: usize = 2;

/// Pins in the order of their inner products with a query, as many as somebody pulls: for merging and for filters that
/// the index does not know. No pin comes twice.
///
/// Each time it runs dry a search for twice as many pins follows, so that what is pulled in small batches costs at most
/// about twice what it would cost at once.
pub struct Pull<'a> {
    index: &'a VectorIndex,
    space: u32,
    query: Vec<f32>,
    want: Want<'a>,
    given: HashSet<PinId>,
    /// Found and not given yet, the best last.
    waiting: Vec<(PinId, f32)>,
    /// Whether the last search found all there is.
    dry: bool,
}

impl VectorIndex {
    /// Begins to pull; `want.k` is how many pins the first search asks for.
    pub fn pull<'a>(&'a self, space: u32, query: &[f32], want: Want<'a>) -> Result<Pull<'a>, IndexError> {
        self.check(space, query)?;
        let want = Want { k: want.k.max(1), ..want };
        Ok(Pull {
            index: self,
            space,
            query: query.into(),
            want,
            given: HashSet::new(),
            waiting: Vec::new(),
            dry: false,
        })
    }
}

impl Pull<'_> {
    /// The next pins, at most `count`, best first; none when there are no more. A batch may begin with a pin that the
    /// one before missed.
    pub fn next_batch(&mut self, count: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
        while self.waiting.len() < count && !self.dry {
            let missing = count - self.waiting.len();
            if !self.given.is_empty() || !self.waiting.is_empty() {
                self.want.k = (self.want.k * GROWTH).max(self.given.len() + self.waiting.len() + missing);
            }
            let found = self.index.search(self.space, &self.query, &self.want)?.pins;
            self.dry = found.len() < self.want.k;
            self.waiting = found.into_iter().filter(|(pin, _)| !self.given.contains(pin)).collect();
            self.waiting.reverse();
        }
        let batch: Vec<_> = (0..count).map_while(|_| self.waiting.pop()).collect();
        self.given.extend(batch.iter().map(|(pin, _)| *pin));
        Ok(batch)
    }
}
