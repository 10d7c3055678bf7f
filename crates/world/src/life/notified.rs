//! What a notification does: opened, ignored, or one too many.

use domain::Rng;

use super::drift::Tastes;
use super::{Life, visit};
use crate::plant::{DAY_MS, World};

/// Days until half of the fatigue is gone.
const FADES_DAYS: f32 = 7.0;
/// The chance to open a notification of no interest, and how much a pin's worth adds.
const OPENS: (f32, f32) = (0.03, 0.9);
/// How much less is opened for each notification that one is tired of.
const TIRES: f32 = 0.25;
/// The chance to unsubscribe over a first one, and how fast it grows with fatigue squared.
const LEAVES: (f32, f32) = (0.001, 0.004);
/// Hours (of the pinner's clock) in which people sleep, and how much less is opened then.
const NIGHT: (f32, f32, f32) = (22.5, 7.5, 0.2);

/// What a pinner did about a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It reached nobody: they had unsubscribed before.
    Unreached,
    /// Nothing.
    Ignored,
    /// They came to look.
    Opened,
    /// They want no more of them.
    Unsubscribed,
}

impl World {
    /// Notifies a pinner of a pin at a moment (ms, UTC). All that is random comes from `rng`.
    ///
    /// # Panics
    /// When there is no such pinner or pin.
    pub fn notified(&self, pinner: u32, life: &mut Life, pin: u32, at_ms: u64, rng: &mut Rng) -> Response {
        if !life.subscribed {
            return Response::Unreached;
        }
        let days = at_ms.saturating_sub(life.fatigue_ms) as f32 / DAY_MS as f32;
        let tired = life.fatigue * (-days / FADES_DAYS).exp2();
        (life.fatigue, life.fatigue_ms) = (tired + 1.0, life.fatigue_ms.max(at_ms));
        life.appetite.wait(at_ms);
        let worth = visit::worth(self, life, &Tastes::at(self, pinner, at_ms), None, pin);
        let hour = self.hour_of(pinner, at_ms);
        let awake = if hour >= NIGHT.0 || hour < NIGHT.1 { NIGHT.2 } else { 1.0 };
        if rng.uniform() < (LEAVES.0 + LEAVES.1 * tired * tired) * (1.0 - worth) {
            life.subscribed = false;
            return Response::Unsubscribed;
        }
        let opens = awake * (OPENS.0 + OPENS.1 * worth) * (-TIRES * tired).exp();
        if rng.uniform() < opens { Response::Opened } else { Response::Ignored }
    }
}

impl Life {
    /// Whether notifications still reach them.
    pub fn is_subscribed(&self) -> bool {
        self.subscribed
    }
}
