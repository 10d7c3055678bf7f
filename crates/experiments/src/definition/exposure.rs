use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A unit came to the place where its arm makes a difference. Only exposed units are read: all others dilute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Who.
    pub unit: String,
    /// In which arm.
    pub arm: String,
    /// When (ms, UTC).
    pub at_ms: u64,
}

/// A unit's first exposure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// In which arm.
    pub arm: String,
    /// When (ms, UTC).
    pub at_ms: u64,
}

impl Exposed {
    /// The day since exposure on which something happened, 0 within the first 24 hours; nothing before exposure.
    pub fn day_of(&self, at_ms: u64) -> Option<u32> {
        let day = at_ms.checked_sub(self.at_ms)? / 86_400_000;
        u32::try_from(day).ok()
    }
}

/// The units of one experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposures {
    /// First exposure by unit.
    pub units: BTreeMap<String, Exposed>,
    /// Units that were seen in more than one arm: they belong to none. Many of them mean that assignment is broken.
    pub crossed: Vec<String>,
}

impl Exposures {
    /// Gathers exposures of one experiment, in any order.
    pub fn of(exposures: impl IntoIterator<Item = Exposure>) -> Exposures {
        let mut units: BTreeMap<String, Exposed> = BTreeMap::new();
        let mut crossed = std::collections::BTreeSet::new();
        for Exposure { unit, arm, at_ms } in exposures {
            match units.get_mut(&unit) {
                None => _ = units.insert(unit, Exposed { arm, at_ms }),
                Some(first) if first.arm == arm => first.at_ms = first.at_ms.min(at_ms),
                Some(_) => _ = crossed.insert(unit),
            }
        }
        units.retain(|unit, _| !crossed.contains(unit));
        Exposures { units, crossed: crossed.into_iter().collect() }
    }

    /// Units of each arm, in the order of `arms`.
    pub fn counts(&self, arms: &[&str]) -> Vec<u64> {
        let count = |arm: &&str| self.units.values().filter(|exposed| exposed.arm == *arm).count() as u64;
        arms.iter().map(count).collect()
    }
}
