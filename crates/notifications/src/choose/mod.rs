//! By which channel, and when?
//!
//! What a pinner opened is little: their rates are shrunk to those of all pinners. The rate of a channel is a beta
//! distribution around the channel's own over all; that of an hour of the local day around the pinner's rate, its odds
//! times how much better or worse the hour is for everybody. A moment's chance is the channel's rate times the hour's
//! factor. The best one is taken (greedy), or each is drawn and the best draw is taken (Thompson), which tries out
//! what is not known yet.

mod beta;

use crate::error::within;
use crate::zone::{HOUR_MS, MINUTE_MS};
use crate::{ChannelKind, NotifyError, QuietHours, WEEK_HOURS, Zone};
use beta::beta;
use domain::Rng;
use serde::{Deserialize, Serialize};

const CHANNELS: usize = ChannelKind::ALL.len();
const HOURS: usize = 24;

/// How channel and moment are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChooseParams {
    /// Whether rates are drawn (Thompson) or taken at their mean.
    pub thompson: bool,
    /// Part of notifications that is opened, before anything is known.
    pub open_rate: f64,
    /// All pinners' rates count as so many notifications beside a pinner's own.
    pub strength: f64,
}

impl Default for ChooseParams {
    fn default() -> Self {
        ChooseParams { thompson: true, open_rate: 0.05, strength: 20.0 }
    }
}

impl ChooseParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        within("choose.open_rate", self.open_rate, 1e-6, 1.0 - 1e-6)?;
        within("choose.strength", self.strength, 0.1, 1e6)
    }
}

/// What was sent and opened, by channel and hour of the local day: of one pinner, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opens {
    sent: [[u32; HOURS]; CHANNELS],
    opened: [[u32; HOURS]; CHANNELS],
}

/// Notifications, and those of them that were opened.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    sent: f64,
    opened: f64,
}

impl Count {
    /// The rate, with `rate` counting as `strength` notifications.
    fn shrunk(self, rate: f64, strength: f64) -> f64 {
        (self.opened + rate * strength) / (self.sent + strength)
    }
}

impl Opens {
    /// One more was sent at this hour of the local day.
    pub fn sent(&mut self, channel: ChannelKind, hour: usize) {
        let count = &mut self.sent[channel as usize][hour % HOURS];
        *count = count.saturating_add(1);
    }

    /// One that was sent at this hour of the local day was opened, whenever that was.
    pub fn opened(&mut self, channel: ChannelKind, hour: usize) {
        let count = &mut self.opened[channel as usize][hour % HOURS];
        *count = count.saturating_add(1);
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Opens) {
        let pairs = [(&mut self.sent, &other.sent), (&mut self.opened, &other.opened)];
        for (ours, more) in pairs {
            let counts = ours.as_flattened_mut().iter_mut().zip(more.as_flattened());
            counts.for_each(|(ours, more)| *ours = ours.saturating_add(*more));
        }
    }

    fn count(&self, at: impl Fn(usize, usize) -> bool) -> Count {
        let mut count = Count::default();
        for channel in 0..CHANNELS {
            for hour in (0..HOURS).filter(|&hour| at(channel, hour)) {
                let sent = self.sent[channel][hour];
                count.sent += f64::from(sent);
                // More opened than sent: what was sent is not known any more.
                count.opened += f64::from(self.opened[channel][hour].min(sent));
            }
        }
        count
    }
}

/// A channel and a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The channel.
    pub channel: ChannelKind,
    /// The moment (ms, UTC).
    pub at_ms: u64,
    /// The chance that it is opened, as it was drawn or expected.
    pub open_rate: f64,
}

/// The times in which something may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The pinner's time zone.
    pub zone: Zone,
    /// Hours of their day that are left out.
    pub quiet: QuietHours,
    /// First moment (ms, UTC).
    pub from_ms: u64,
    /// Moment before which it goes out (ms, UTC); of windows longer than a week the first week is looked at.
    pub until_ms: u64,
}

impl Window {
    /// The first open moment and every full hour after it.
    fn moments(&self) -> impl Iterator<Item = u64> + '_ {
        let first = self.quiet.next_open(self.zone, self.from_ms);
        let hour = first - first % HOUR_MS;
        let later = (1..=WEEK_HOURS as u64).map(move |after| hour + after * HOUR_MS);
        let open = |at: &u64| *at < self.until_ms && !self.quiet.is_quiet(self.zone, *at);
        std::iter::once(first).chain(later).filter(open)
    }
}

/// The best of `channels` and the moments of a window for a pinner who opened `own`, where all pinners opened `all`;
/// none where the window is quiet throughout or there is no channel. The minute within the hour is drawn, so that not
/// everybody's phone rings at once.
pub fn choose(
    params: &ChooseParams,
    all: &Opens,
    own: &Opens,
    channels: &[ChannelKind],
    window: &Window,
    rng: &mut Rng,
) -> Option<Choice> {
    let rates = channel_rates(params, all, own, rng);
    let factors = hour_factors(params, all, own, rng);
    let mut best: Option<Choice> = None;
    for at_ms in window.moments() {
        let factor = factors[window.zone.hour_of_day(at_ms)];
        for &channel in channels {
            let open_rate = (rates[channel as usize] * factor).min(1.0);
            if best.is_none_or(|best| open_rate > best.open_rate) {
                best = Some(Choice { channel, at_ms, open_rate });
            }
        }
    }
    let best = best?;
    let hour_end = best.at_ms - best.at_ms % HOUR_MS + HOUR_MS;
    let minutes = (hour_end - best.at_ms).div_ceil(MINUTE_MS) as u32;
    let at_ms = best.at_ms + u64::from(rng.below(minutes)) * MINUTE_MS;
    let fits = at_ms < window.until_ms && !window.quiet.is_quiet(window.zone, at_ms);
    Some(Choice { at_ms: if fits { at_ms } else { best.at_ms }, ..best })
}

/// The rate of each channel for the pinner.
fn channel_rates(params: &ChooseParams, all: &Opens, own: &Opens, rng: &mut Rng) -> [f64; CHANNELS] {
    let mut rates = [0.0; CHANNELS];
    for (channel, rate) in rates.iter_mut().enumerate() {
        let here = |at: usize, _: usize| at == channel;
        let prior = all.count(here).shrunk(params.open_rate, params.strength);
        *rate = known(params, own.count(here), prior, rng);
    }
    rates
}

/// How much better than on average each hour is for the pinner.
fn hour_factors(params: &ChooseParams, all: &Opens, own: &Opens, rng: &mut Rng) -> [f64; HOURS] {
    let everybody = all.count(|_, _| true).shrunk(params.open_rate, params.strength);
    let pinner = own.count(|_, _| true).shrunk(everybody, params.strength);
    let mut factors = [1.0; HOURS];
    for (hour, factor) in factors.iter_mut().enumerate() {
        let here = |_: usize, at: usize| at == hour;
        let usual = odds(all.count(here).shrunk(everybody, params.strength * 10.0)) / odds(everybody);
        let prior = odds(pinner) * usual;
        let prior = prior / (1.0 + prior);
        *factor = known(params, own.count(here), prior, rng) / pinner;
    }
    factors
}

fn odds(rate: f64) -> f64 {
    let rate = rate.clamp(1e-9, 1.0 - 1e-9);
    rate / (1.0 - rate)
}

/// A rate of which something is known: its mean, or a draw.
fn known(params: &ChooseParams, own: Count, prior: f64, rng: &mut Rng) -> f64 {
    if !params.thompson {
        return own.shrunk(prior, params.strength);
    }
    let (yes, no) = (own.opened + prior * params.strength, own.sent - own.opened + (1.0 - prior) * params.strength);
    beta(yes.max(1e-9), no.max(1e-9), rng)
}

#[cfg(test)]
mod tests;
