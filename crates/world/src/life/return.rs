//! When pinners come: hours by time zone and habit, days by what visits were worth.

use domain::Rng;

use super::Life;
use crate::plant::{DAY_MS, World};

const HOUR_MS: u64 = 3_600_000;
/// The chance that a pinner of median activity, as attached as a newcomer, comes on a day.
const DAILY: f32 = 0.35;
/// Bounds of that chance, for anybody.
const DAILY_BOUNDS: (f32, f32) = (0.01, 0.95);
/// The part of the chance that does not depend on attachment, and the part that does.
const ATTACHED: (f32, f32) = (0.3, 1.4);
/// A second visit on the same day, against the first.
const AGAIN: f32 = 0.3;
/// How fast a visit changes what is expected of the next.
const LEARNS: f32 = 0.2;
/// The value of a visit that half satisfies.
const HALF: f32 = 3.0;
/// Where pinners live: hours ahead of UTC and how many of a hundred.
const ZONES: [(i64, u32); 8] = [(-8, 12), (-6, 10), (-5, 20), (-3, 8), (0, 12), (1, 22), (5, 8), (9, 8)];

impl World {
    /// Who comes on a day and when (ms, UTC), in order of time, as everybody is at the beginning of the day.
    pub fn visits_of(&self, day: u32, lives: &[Life]) -> Vec<(u64, u32)> {
        let start_ms = self.config.now_ms + u64::from(day) * DAY_MS;
        let joined =
            self.pinners.iter().zip(0u32..).zip(lives).filter(|((pinner, _), _)| pinner.created_ms <= start_ms);
        let mut visits = Vec::new();
        for ((_, number), life) in joined {
            let mut rng = Rng::new(self.seed_of(21, u64::from(number) << 16 | u64::from(day)));
            let chance = self.daily_chance(number, life);
            let twice = rng.uniform() < AGAIN;
            for visit in 0..if twice { 2 } else { 1 } {
                // Drawn in any case, so that one visit does not move the other.
                let (comes, at_ms) = (rng.uniform() < chance, start_ms + self.moment(number, visit, &mut rng));
                if comes {
                    visits.push((at_ms, number));
                }
            }
        }
        visits.sort_unstable();
        visits
    }

    /// The chance that a pinner comes on a day.
    pub fn daily_chance(&self, pinner: u32, life: &Life) -> f32 {
        let usual = DAILY * self.pinners[pinner as usize].activity;
        (usual * (ATTACHED.0 + ATTACHED.1 * life.attachment)).clamp(DAILY_BOUNDS.0, DAILY_BOUNDS.1)
    }

    /// Hours that a pinner's clock is ahead of UTC.
    pub fn zone_of(&self, pinner: u32) -> i64 {
        let mut left = Rng::new(self.seed_of(22, u64::from(pinner))).below(ZONES.iter().map(|zone| zone.1).sum());
        let hit = ZONES.iter().find(|zone| {
            let here = left < zone.1;
            left = left.saturating_sub(zone.1);
            here
        });
        hit.map_or(0, |zone| zone.0)
    }

    /// The hour of a pinner's clock at a moment (ms, UTC).
    pub fn hour_of(&self, pinner: u32, at_ms: u64) -> f32 {
        let hour = (at_ms % DAY_MS) as f32 / HOUR_MS as f32;
        (hour + self.zone_of(pinner) as f32).rem_euclid(24.0)
    }

    /// A moment of the day (ms from its beginning): around the pinner's own hour in the evening; the other visit of a
    /// day around noon.
    fn moment(&self, pinner: u32, visit: u32, rng: &mut Rng) -> u64 {
        let mut habit = Rng::new(self.seed_of(23, u64::from(pinner)));
        let own = if visit == 0 { 20.0 + 1.5 * habit.normal() } else { 12.5 + habit.normal() };
        let local = own + rng.normal();
        let utc = (local - self.zone_of(pinner) as f32).rem_euclid(24.0);
        ((utc * HOUR_MS as f32) as u64).min(DAY_MS - 1)
    }
}

impl Life {
    /// What a visit of this value changes in what is expected of the next.
    pub(super) fn satisfied(&mut self, value: f32) {
        self.attachment += LEARNS * (value / (value + HALF) - self.attachment);
    }
}
