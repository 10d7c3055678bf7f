//! What is counted of one pin, creator, topic, pinner, surface or pair.

use crate::Horizon;
use domain::{Act, Action, HEAD_COUNT, HEADS, Surface};
use std::ops::AddAssign;

/// Values of one horizon: acts of the heads, impressions by surface, acts that tell how long they took, and how long.
pub(crate) const SLOTS: usize = LOOK + 1;
const IMPRESSIONS: usize = HEAD_COUNT;
const LOOKS: usize = IMPRESSIONS + Surface::ALL.len();
const LOOK: usize = LOOKS + 1;

/// How often what happened, as of a moment. Nothing happened to what is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub(crate) values: [[f32; SLOTS]; Horizon::ALL.len()],
}

impl Tally {
    /// How often the action of head `head` (its place in [`HEADS`]) happened.
    pub fn acts(&self, head: usize, horizon: Horizon) -> f32 {
        debug_assert!(head < HEAD_COUNT);
        self.values[horizon as usize][head]
    }

    /// How often `action` happened, if it is an impression or of a head; 0 otherwise.
    pub fn count(&self, action: Action, horizon: Horizon) -> f32 {
        match (action, HEADS.iter().position(|head| *head == action)) {
            (Action::Impression, _) => self.impressions(horizon),
            (_, Some(head)) => self.acts(head, horizon),
            (_, None) => 0.0,
        }
    }

    /// How often it was shown.
    pub fn impressions(&self, horizon: Horizon) -> f32 {
        self.values[horizon as usize][IMPRESSIONS..LOOKS].iter().sum()
    }

    /// How often it was shown on each surface, in the order of [`Surface::ALL`].
    pub fn by_surface(&self, horizon: Horizon) -> &[f32] {
        &self.values[horizon as usize][IMPRESSIONS..LOOKS]
    }

    /// How many impressions, close-ups and clicks tell how long was looked, and the sum of ln(1 + seconds) over them.
    pub fn looks(&self, horizon: Horizon) -> (f32, f32) {
        let values = &self.values[horizon as usize];
        (values[LOOKS], values[LOOK])
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        let values = self.values.as_flattened_mut().iter_mut().zip(other.values.as_flattened());
        values.for_each(|(value, other)| *value += other);
    }
}

/// Which slots an act counts in, and how much.
pub(crate) fn slots(act: &Act) -> impl Iterator<Item = (usize, f32)> {
    let shown = (act.action == Action::Impression).then_some((IMPRESSIONS + act.surface as usize, 1.0));
    let done = HEADS.iter().position(|head| *head == act.action).map(|head| (head, 1.0));
    // A long click says again how long the close-up was.
    let tells = matches!(act.action, Action::Impression | Action::Closeup | Action::Click);
    let look = (tells && act.value.is_finite() && act.value >= 0.0).then(|| (act.value / 1_000.0).ln_1p());
    [shown, done, look.map(|_| (LOOKS, 1.0)), look.map(|look| (LOOK, look))].into_iter().flatten()
}
