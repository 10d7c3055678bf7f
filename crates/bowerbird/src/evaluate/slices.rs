//! The same figures for parts of the pinners and of the pins, and how much alike the pins of a slate are.

use super::Case;
use crate::learn::Acts;
use domain::PinId;
use index::VectorIndex;
use serving::Views;

/// The slices, in the order of what [`Slicer::right`] gives.
pub(crate) const SLICES: [&str; 4] = ["core", "non_core", "fresh", "familiar"];

/// Most saves in the log of a pin that counts as fresh.
const FRESH_SAVES_MAX: u32 = 5;

/// Pins of a slate that are held against each other.
const ALIKE: usize = 20;

/// Tells slices apart. Pinners who did more than the median of those asked for are core; pins with at most five saves
/// (positive acts, where nobody saves) are fresh.
pub(crate) struct Slicer {
    /// Length of each pinner's history, by id.
    lengths: Vec<usize>,
    median: usize,
    /// Saves of each pin.
    saves: Vec<u32>,
}

impl Slicer {
    /// By what was done to `pins` pins; the median is that of `cases`.
    pub(crate) fn new(acts: &Acts, cases: &[Case], pins: usize) -> Slicer {
        let lengths = acts.by_pinner.iter().map(Vec::len).collect();
        let mut saves = vec![0; pins];
        for pin in acts.rows().iter().flatten() {
            saves[pin.index()] += 1;
        }
        let mut slicer = Slicer { lengths, median: 0, saves };
        let mut asked: Vec<usize> = cases.iter().map(|case| slicer.length(case)).collect();
        asked.sort_unstable();
        slicer.median = asked.get(asked.len() / 2).copied().unwrap_or(0);
        slicer
    }

    fn length(&self, case: &Case) -> usize {
        case.pinner.and_then(|pinner| self.lengths.get(pinner.index())).copied().unwrap_or(0)
    }

    fn fresh(&self, pin: PinId) -> bool {
        self.saves.get(pin.index()).is_none_or(|&saves| saves <= FRESH_SAVES_MAX)
    }

    /// What would be right in each of [`SLICES`]: nothing in a slice that the case is not of.
    pub(crate) fn right(&self, case: &Case) -> [Vec<PinId>; SLICES.len()] {
        let all = |counts: bool| if counts { case.right.clone() } else { Vec::new() };
        let core = self.length(case) > self.median;
        let (fresh, familiar) = case.right.iter().partition(|&&pin| self.fresh(pin));
        [all(core), all(!core), fresh, familiar]
    }

    /// Mean cosine over all pairs among the first pins of a slate, by their contents where pins have any, else by the
    /// model's vectors; nothing without two vectors.
    pub(crate) fn similarity(&self, slate: &[PinId], views: &Views) -> Option<f64> {
        let content = views.content();
        if !content.is_empty() {
            return similarity(slate, &content);
        }
        drop(content);
        similarity(slate, &views.installed()?.vectors())
    }
}

/// The sum over pairs of unit vectors is (|sum|² - count) / 2.
fn similarity(slate: &[PinId], index: &VectorIndex) -> Option<f64> {
    let mut sum = vec![0.0f64; index.dim()];
    let mut count = 0.0;
    for vector in slate.iter().take(ALIKE).filter_map(|&pin| index.vector(pin)) {
        let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if length > 1e-6 {
            sum.iter_mut().zip(&vector).for_each(|(sum, x)| *sum += f64::from(*x) / length);
            count += 1.0;
        }
    }
    let square: f64 = sum.iter().map(|x| x * x).sum();
    (count > 1.0).then(|| (square - count) / (count * (count - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Act, Action, PinnerId, Surface};

    fn save(pin: u32) -> Act {
        let action = Action::Save;
        Act { pin: PinId(pin), board: None, action, surface: Surface::Home, ts_ms: 1, value: 0.0 }
    }

    #[test]
    fn pinners_and_pins_fall_into_their_slices() {
        // Pin 0 is everybody's; the pinners did 1 to 7 things.
        let by_pinner = (0..7).map(|pinner| (0..=pinner).map(save).collect()).collect();
        let acts = Acts { by_pinner, range_ms: (1, 1) };
        let case = |pinner: u32, right: &[u32]| Case {
            pinner: Some(PinnerId(pinner)),
            key: String::new(),
            right: right.iter().copied().map(PinId).collect(),
            past: None,
        };
        let cases: Vec<Case> = (0..7).map(|pinner| case(pinner, &[0, 6])).collect();
        let slicer = Slicer::new(&acts, &cases, 7);
        let (zero, six) = (vec![PinId(0)], vec![PinId(6)]);
        let both = vec![PinId(0), PinId(6)];
        assert_eq!(
            slicer.right(&cases[3]),
            [vec![], both.clone(), six.clone(), zero.clone()],
            "the median is not above"
        );
        assert_eq!(slicer.right(&cases[4]), [both, vec![], six, zero]);
        assert_eq!(slicer.right(&case(6, &[900]))[2], [PinId(900)], "what nobody knows is fresh");
    }

    #[test]
    fn similarity_is_the_mean_cosine_of_pairs() {
        let mut index = VectorIndex::new(2, 1);
        for (pin, vector) in [(0, [1.0, 0.0]), (1, [0.0, 1.0]), (2, [0.6, 0.8])] {
            index.upsert(1, PinId(pin), &vector).expect("two numbers");
        }
        let of = |pins: &[u32]| similarity(&pins.iter().copied().map(PinId).collect::<Vec<_>>(), &index);
        assert_eq!((of(&[]), of(&[1]), of(&[1, 9])), (None, None, None));
        assert!((of(&[0, 1, 2, 9]).expect("three vectors") - (0.0 + 0.6 + 0.8) / 3.0).abs() < 1e-3);
    }
}
