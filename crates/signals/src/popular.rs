//! What is popular now, kept in order while acts arrive.

use crate::horizon::WEEK_S;
use domain::{Action, PinId};

/// Longest list of popular pins.
pub const POPULAR_MAX: usize = 1_000;

/// The most popular pins. All popularity decays alike (half-life of a week), so passing time changes no order: a pin's
/// key `log2(Σ weight · 2^(ts / half-life))` stays as it is until the next act, and only that pin has to move.
#[derive(Clone, Debug, Default)]
pub(crate) struct Popular {
    pub(crate) keys: Vec<f64>,
    /// Best first; ties by id.
    pub(crate) list: Vec<(f64, PinId)>,
}

impl Popular {
    pub(crate) fn add(&mut self, pin: PinId, action: Action, ts_ms: u64) {
        let weight = weight(action);
        if weight > 0.0 {
            let (old, act) = (self.key(pin), weight.log2() + weeks(ts_ms));
            let (high, low) = if old > act { (old, act) } else { (act, old) };
            self.set(pin, high + (low - high).exp2().ln_1p() * std::f64::consts::LOG2_E);
        }
    }

    /// The keys of all pins and the pins of the list, as they were kept; `None` when the list is not in order.
    pub(crate) fn restore(keys: Vec<f64>, pins: &[u32]) -> Option<Popular> {
        let mut popular = Popular { keys, list: Vec::new() };
        popular.list = pins.iter().map(|&pin| (popular.key(PinId(pin)), PinId(pin))).collect();
        let ordered = popular.list.is_sorted_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).is_lt());
        (ordered && popular.list.len() <= POPULAR_MAX).then_some(popular)
    }

    /// The best `k` and their decayed, weighted counts at `now_ms`.
    pub(crate) fn best(&self, now_ms: u64, k: usize) -> Vec<(PinId, f32)> {
        let now = weeks(now_ms);
        self.list.iter().take(k).map(|&(key, pin)| (pin, (key - now).exp2().min(f64::from(f32::MAX)) as f32)).collect()
    }

    fn key(&self, pin: PinId) -> f64 {
        self.keys.get(pin.index()).copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Moves a pin to the place of its new key.
    fn set(&mut self, pin: PinId, key: f64) {
        if let Ok(place) = self.place(self.key(pin), pin) {
            self.list.remove(place);
        }
        if self.keys.len() <= pin.index() {
            self.keys.resize(pin.index() + 1, f64::NEG_INFINITY);
        }
        self.keys[pin.index()] = key;
        let place = self.place(key, pin).unwrap_or_else(|place| place);
        if key > f64::NEG_INFINITY && place < POPULAR_MAX {
            self.list.truncate(POPULAR_MAX - 1);
            self.list.insert(place, (key, pin));
        }
    }

    fn place(&self, key: f64, pin: PinId) -> Result<usize, usize> {
        self.list.binary_search_by(|(other, id)| key.total_cmp(other).then(id.cmp(&pin)))
    }
}

/// What an act adds to its pin's popularity.
fn weight(action: Action) -> f64 {
    match action {
        Action::Save => 1.0,
        Action::LongClick | Action::Share | Action::Download | Action::Follow | Action::Comment => 0.5,
        Action::Closeup | Action::Click => 0.2,
        _ => 0.0,
    }
}

fn weeks(ts_ms: u64) -> f64 {
    ts_ms as f64 / (f64::from(WEEK_S) * 1_000.0)
}
