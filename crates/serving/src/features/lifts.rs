//! How much more often than elsewhere something happens.

use super::logarithm::ln;
use domain::{HEAD_COUNT, Surface};
use signals::{Horizon, Signals, Tally};

/// Before anything is known, what is to be expected of so many impressions is believed to have been expected and to
/// have happened, but at least one act: rare acts say nothing until one is expected.
const BELIEF_IMPRESSIONS: f32 = 20.0;
const BELIEF_ACTS: f32 = 1.0;

/// Impressions with which a surface is believed to be like all of them.
const SURFACE_BELIEF: f32 = 100.0;

/// Looks with which somebody is believed to look as long as everybody.
const LOOK_BELIEF: f32 = 10.0;

const SURFACES: usize = Surface::ALL.len();

/// How often what happens where, of all pins together: what a lift is measured against.
pub(crate) struct Base {
    /// Acts of each head for an impression, by horizon and surface; at most 1.
    rates: [[[f32; HEAD_COUNT]; SURFACES]; Horizon::ALL.len()],
    /// Acts of each head that are believed before anything is known.
    belief: [f32; HEAD_COUNT],
    /// Mean of ln(1 + seconds) that is looked.
    look: f32,
}

impl Base {
    pub(crate) fn new(signals: &Signals, now_ms: u64) -> Base {
        let surfaces = Surface::ALL.map(|surface| signals.surface(surface, now_ms));
        let mut all = Tally::default();
        surfaces.iter().for_each(|tally| all += tally);
        let rates = Horizon::ALL.map(|horizon| {
            let impressions = all.impressions(horizon) + 1.0;
            let everywhere: [f32; HEAD_COUNT] = std::array::from_fn(|head| all.acts(head, horizon) / impressions);
            surfaces.each_ref().map(|tally| {
                let impressions = tally.impressions(horizon) + SURFACE_BELIEF;
                let rate = |head| (tally.acts(head, horizon) + SURFACE_BELIEF * everywhere[head]) / impressions;
                std::array::from_fn(|head| rate(head).min(1.0))
            })
        });
        let rate = |head| all.acts(head, Horizon::Ever) / (all.impressions(Horizon::Ever) + 1.0);
        let belief = std::array::from_fn(|head| (BELIEF_IMPRESSIONS * rate(head).min(1.0)).max(BELIEF_ACTS));
        let (looks, look) = all.looks(Horizon::Ever);
        Base { rates, belief, look: look / looks.max(1.0) }
    }

    /// Acts of each head for an impression on a surface.
    pub(crate) fn rates(&self, surface: Surface) -> &[f32; HEAD_COUNT] {
        &self.rates[Horizon::Ever as usize][surface as usize]
    }

    /// What came of impressions against what was to be expected of them where they were.
    pub(crate) fn lifts(&self, tally: &Tally, horizon: Horizon) -> [f32; HEAD_COUNT] {
        self.lifts_of(tally, horizon, 1.0)
    }

    /// The same where there were so many times as many impressions as were recorded, of which the others were where
    /// these were.
    pub(crate) fn lifts_of(&self, tally: &Tally, horizon: Horizon, times: f32) -> [f32; HEAD_COUNT] {
        let mut expected = [0.0; HEAD_COUNT];
        for (impressions, rates) in tally.by_surface(horizon).iter().zip(&self.rates[horizon as usize]) {
            expected.iter_mut().zip(rates).for_each(|(expected, rate)| *expected += impressions * rate);
        }
        std::array::from_fn(|head| self.lift(head, tally.acts(head, horizon), times * expected[head]))
    }

    /// The logarithm of acts of a head against those expected.
    pub(crate) fn lift(&self, head: usize, acts: f32, expected: f32) -> f32 {
        ln((acts + self.belief[head]) / (expected + self.belief[head]))
    }

    /// How much longer than elsewhere is looked.
    pub(crate) fn look(&self, tally: &Tally) -> f32 {
        let (looks, look) = tally.looks(Horizon::Ever);
        (look + LOOK_BELIEF * self.look) / (looks + LOOK_BELIEF) - self.look
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Act, Action, HEADS, PinId, PinnerId};
    use signals::About;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn told(signals: &mut Signals, pin: u32, surface: Surface, impressions: usize, clicks: usize) {
        let act = |action| Act { pin: PinId(pin), board: None, action, surface, ts_ms: NOW_MS, value: f32::NAN };
        for (action, times) in [(Action::Impression, impressions), (Action::Click, clicks)] {
            (0..times).for_each(|_| signals.apply(PinnerId(0), &act(action), &About::default()));
        }
    }

    #[test]
    fn a_pin_is_measured_against_the_surfaces_where_it_was_shown() {
        let mut signals = Signals::new();
        told(&mut signals, 0, Surface::Home, 10_000, 1_000);
        told(&mut signals, 0, Surface::Search, 10_000, 5_000);
        // As good as others where it is, although one has five times the clicks of the other.
        told(&mut signals, 1, Surface::Home, 100, 10);
        told(&mut signals, 2, Surface::Search, 100, 50);
        told(&mut signals, 3, Surface::Home, 100, 50);
        let base = Base::new(&signals, NOW_MS);
        let click = HEADS.iter().position(|head| *head == Action::Click).expect("a head");
        let lifts = [1, 2, 3, 4].map(|pin| base.lifts(&signals.pin(PinId(pin), NOW_MS), Horizon::Ever)[click]);
        assert!(lifts[0].abs() < 0.1 && lifts[1].abs() < 0.1, "{lifts:?}");
        // Three of ten impressions led to a click: twenty of them make six.
        assert!((lifts[2] - (56.0f32 / 17.0).ln()).abs() < 0.1, "{lifts:?}");
        assert_eq!(lifts[3], 0.0, "nothing is known of it");
    }

    #[test]
    fn where_nothing_was_shown_acts_count_by_themselves() {
        let mut signals = Signals::new();
        told(&mut signals, 1, Surface::Home, 0, 7);
        let base = Base::new(&signals, NOW_MS);
        let lifts = base.lifts(&signals.pin(PinId(1), NOW_MS), Horizon::Ever);
        assert!(lifts.iter().all(|lift| lift.is_finite()));
        let click = HEADS.iter().position(|head| *head == Action::Click).expect("a head");
        assert!((lifts[click] - (27.0f32 / 20.0).ln()).abs() < 1e-3, "no more than an act for each impression");
        assert!(base.rates(Surface::Home).iter().all(|rate| (0.0..=1.0).contains(rate)));
    }
}
