//! May this be sent to this pinner at this moment?
//!
//! The guards are asked twice: when a notification is planned, and again right before it goes out ([`may_go`]), since
//! a retry, a pause of the process or a moved clock may have brought it to another moment.
//!
//! Days and weeks are windows of 24 and 168 hours, not days of the calendar: they are as long whatever is done to the
//! clocks. A clock that was set back makes the guards stricter, never laxer: what seems to lie ahead counts as just
//! sent.

mod history;
mod params;

pub use history::{Consent, History, SENT_MAX, Sent};
pub use params::{EligibilityParams, KindParams, WEEK_CAP_MAX};

use crate::zone::{DAY_MS, WEEK_MS};
use crate::{ChannelKind, Key, Kind, Zone};
use domain::{PinId, hash64};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the guards know of a pinner.
#[derive(Clone, Debug)]
pub struct PinnerState {
    /// The owner's id of the pinner.
    pub id: String,
    /// Their time zone.
    pub zone: Zone,
    /// Where mails go; empty where no address is known.
    pub address: String,
    /// What they agreed to.
    pub consent: Consent,
    /// Whether they left everything.
    pub unsubscribed: bool,
    /// What was sent or planned.
    pub history: History,
    /// Pins that they have seen, sorted.
    pub seen: Vec<PinId>,
    /// Pins shown to them in the app of late, and when (ms, UTC).
    pub in_app: Vec<(PinId, u64)>,
}

impl PinnerState {
    /// A pinner of whom only id and zone are known: they agreed to nothing.
    pub fn new(id: impl Into<String>, zone: Zone) -> PinnerState {
        PinnerState {
            id: id.into(),
            zone,
            address: String::new(),
            consent: Consent::default(),
            unsubscribed: false,
            history: History::default(),
            seen: Vec::new(),
            in_app: Vec::new(),
        }
    }
}

/// A notification that somebody would like to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its idempotency key.
    pub key: Key,
    /// Its kind.
    pub kind: Kind,
    /// By which channel.
    pub channel: ChannelKind,
    /// About which pin.
    pub pin: PinId,
}

/// Why a notification is not sent. Earlier ones are told first where several hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Notifications are switched off.
    Off,
    /// Its kind is not configured.
    UnknownKind,
    /// The pinner is one of those who never get any.
    Holdout,
    /// The pinner left everything.
    Unsubscribed,
    /// The pinner did not agree to this kind on this channel.
    NoConsent,
    /// There is no address to write to.
    NoAddress,
    /// This key, or this pin, was sent before.
    AlreadySent,
    /// The pinner has seen the pin.
    AlreadySeen,
    /// The pin was shown in the app of late.
    ShownInApp,
    /// It is not worth its cost, or the budget is better spent elsewhere.
    NotWorthIt,
    /// No moment of the plan lies outside of the quiet hours and far enough from the others.
    NoMoment,
    /// It is quiet where the pinner is.
    QuietHours,
    /// So many of this kind went out in the last 24 hours.
    KindDayCap,
    /// So many of this kind went out in the last seven days.
    KindWeekCap,
    /// So many went out in the last 24 hours.
    DayCap,
    /// So many went out in the last seven days.
    WeekCap,
    /// The last one is too recent.
    Spacing,
}

impl Refusal {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Off => "off",
            Refusal::UnknownKind => "unknown_kind",
            Refusal::Holdout => "holdout",
            Refusal::Unsubscribed => "unsubscribed",
            Refusal::NoConsent => "no_consent",
            Refusal::NoAddress => "no_address",
            Refusal::AlreadySent => "already_sent",
            Refusal::AlreadySeen => "already_seen",
            Refusal::ShownInApp => "shown_in_app",
            Refusal::NotWorthIt => "not_worth_it",
            Refusal::NoMoment => "no_moment",
            Refusal::QuietHours => "quiet_hours",
            Refusal::KindDayCap => "kind_day_cap",
            Refusal::KindWeekCap => "kind_week_cap",
            Refusal::DayCap => "day_cap",
            Refusal::WeekCap => "week_cap",
            Refusal::Spacing => "spacing",
        }
    }

    /// Whether a later moment may be right.
    pub fn is_for_now(self) -> bool {
        self >= Refusal::QuietHours
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a pinner lies in `[0, 1)` under a salt: stable, whatever else changes.
fn place(pinner: &str, salt: u64) -> f64 {
    let folded = pinner.bytes().fold(hash64(salt), |hash, byte| hash64(hash ^ u64::from(byte)));
    (hash64(folded) >> 11) as f64 / (1u64 << 53) as f64
}

/// Whether a pinner is one of those who never get a notification.
pub fn is_held_out(params: &EligibilityParams, pinner: &str) -> bool {
    place(pinner, params.holdout_salt) < params.holdout_share
}

/// Whether this may be planned for a moment (ms, UTC).
///
/// # Errors
/// The reason why not.
pub fn eligible(params: &EligibilityParams, pinner: &PinnerState, ask: &Ask, at_ms: u64) -> Result<(), Refusal> {
    if pinner.history.sent().iter().any(|sent| sent.key == ask.key || sent.pin == ask.pin) {
        // Who may not get anything is told so, not that they got it.
        return Err(standing(params, pinner, ask).err().unwrap_or(Refusal::AlreadySent));
    }
    may_go(params, pinner, ask, at_ms)
}

/// Whether this, planned before, may go out now: all guards, but that it is planned is no reason against it.
///
/// # Errors
/// The reason why not.
pub fn may_go(params: &EligibilityParams, pinner: &PinnerState, ask: &Ask, at_ms: u64) -> Result<(), Refusal> {
    standing(params, pinner, ask)?;
    if pinner.seen.binary_search(&ask.pin).is_ok() {
        return Err(Refusal::AlreadySeen);
    }
    let shown = |&(pin, shown_ms): &(PinId, u64)| pin == ask.pin && at_ms.saturating_sub(shown_ms) < params.in_app_ms;
    if pinner.in_app.iter().any(shown) {
        return Err(Refusal::ShownInApp);
    }
    if params.quiet.is_quiet(pinner.zone, at_ms) {
        return Err(Refusal::QuietHours);
    }
    capped(params, pinner, ask, at_ms)
}

/// What no later moment changes.
pub(crate) fn standing(params: &EligibilityParams, pinner: &PinnerState, ask: &Ask) -> Result<(), Refusal> {
    let reasons = [
        (!params.on, Refusal::Off),
        (usize::from(ask.kind.0) >= params.kinds.len(), Refusal::UnknownKind),
        (is_held_out(params, &pinner.id), Refusal::Holdout),
        (pinner.unsubscribed, Refusal::Unsubscribed),
        (!pinner.consent.allows(ask.kind, ask.channel), Refusal::NoConsent),
        (ask.channel == ChannelKind::Email && pinner.address.is_empty(), Refusal::NoAddress),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

/// Caps and spacing.
fn capped(params: &EligibilityParams, pinner: &PinnerState, ask: &Ask, at_ms: u64) -> Result<(), Refusal> {
    let kind = params.kinds.get(usize::from(ask.kind.0)).ok_or(Refusal::UnknownKind)?;
    let (one, all) = (Some(ask.kind), None);
    let caps = [
        (one, DAY_MS, kind.day_max, Refusal::KindDayCap),
        (one, WEEK_MS, kind.week_max, Refusal::KindWeekCap),
        (all, DAY_MS, params.day_max, Refusal::DayCap),
        (all, WEEK_MS, params.week_max, Refusal::WeekCap),
        (all, params.spacing_ms, 1, Refusal::Spacing),
    ];
    for (of, window_ms, most, reason) in caps {
        if pinner.history.within(ask.key, of, at_ms, window_ms) >= most {
            return Err(reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
