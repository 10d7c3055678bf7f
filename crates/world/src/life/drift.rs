//! How tastes change from day to day.

use domain::Rng;

use crate::plant::{DAY_MS, World};
use crate::taste::{Point, add, direction, dot, unit};

/// How far a taste moves at most, against the length of the planted one.
const REACH: f32 = 0.6;
/// By how much the likeness of what a taste likes falls at most, while it rests.
const REST: f32 = 0.15;
/// Days of a full turn, at least and at most.
const TURN_DAYS: (f32, f32) = (20.0, 60.0);

/// A pinner's tastes at one moment.
#[derive(Clone, Debug)]
pub(super) struct Tastes(Vec<(Point, f32)>);

impl Tastes {
    /// The tastes of a pinner at a moment (ms, UTC): before the world's first day, as planted.
    pub(super) fn at(world: &World, pinner: u32, at_ms: u64) -> Tastes {
        let days = at_ms.saturating_sub(world.config.now_ms) as f32 / DAY_MS as f32;
        let tastes = world.tastes_of(pinner).iter().zip(0u64..);
        let drifted = |(taste, number): (&crate::Taste, u64)| {
            let mut rng = Rng::new(world.seed_of(20, u64::from(pinner) << 8 | number));
            let aside = direction(&mut rng);
            let (moved, rested) = (swing(&mut rng, days), swing(&mut rng, days));
            (unit(add(taste.point, aside, REACH * moved)), REST * rested.abs())
        };
        Tastes(tastes.map(drifted).collect())
    }

    /// How near a point lies to the nearest taste, −1 to 1; a resting taste is farther away.
    pub(super) fn likeness(&self, point: &Point) -> f32 {
        self.0.iter().map(|(taste, rest)| dot(taste, point) - rest).fold(-1.0, f32::max)
    }
}

/// A slow swing between −1 and 1 that begins at 0.
fn swing(rng: &mut Rng, days: f32) -> f32 {
    let (phase, turn) = (rng.uniform(), TURN_DAYS.0 + (TURN_DAYS.1 - TURN_DAYS.0) * rng.uniform());
    let at = |days: f32| (std::f32::consts::TAU * (phase + days / turn)).sin();
    (at(days) - at(0.0)) / 2.0
}
