//! The pinner's local time, and the hours in which nobody is disturbed.

use crate::NotifyError;
use crate::error::within;
use chrono::{DateTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A minute (ms).
pub(crate) const MINUTE_MS: u64 = 60_000;
/// An hour (ms).
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
/// 24 hours (ms).
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// Seven days (ms).
pub(crate) const WEEK_MS: u64 = 7 * DAY_MS;
/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;
/// Clocks are moved at quarters of an hour.
const QUARTER_MINUTES: u64 = 15;

/// A time zone by its IANA name. What the clock on the wall shows at a moment is always known; how many hours a day has
/// is the zone's affair, so that nothing here adds hours to local times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The zone of an IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where no zone has this name.
    pub fn parse(name: &str) -> Result<Zone, NotifyError> {
        let shown: String = name.chars().take(64).collect();
        name.parse().map(Zone).map_err(|_| NotifyError::invalid("zone", format!("'{shown}' is no IANA time zone")))
    }

    /// The minute of the local day, from 0, at a moment (ms, UTC).
    pub fn minute_of_day(self, at_ms: u64) -> u32 {
        let at = i64::try_from(at_ms).ok().and_then(DateTime::from_timestamp_millis);
        at.map_or(0, |at| {
            let local = at.with_timezone(&self.0);
            local.hour() * 60 + local.minute()
        })
    }

    /// The hour of the local day, from 0 to 23.
    pub fn hour_of_day(self, at_ms: u64) -> usize {
        (self.minute_of_day(at_ms) / 60) as usize % 24
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = NotifyError;
    fn try_from(name: String) -> Result<Zone, NotifyError> {
        Zone::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.0.name().to_owned()
    }
}

/// Hours of the local day in which nothing is sent, from the first minute up to, but not including, the last. They may
/// lie around midnight; where both are the same there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuietHours {
    /// First quiet minute of the local day.
    pub from_minute: u32,
    /// First minute that is not quiet any more.
    pub until_minute: u32,
}

impl Default for QuietHours {
    fn default() -> Self {
        QuietHours { from_minute: 21 * 60, until_minute: 8 * 60 }
    }
}

impl QuietHours {
    /// No quiet hours.
    pub const NONE: QuietHours = QuietHours { from_minute: 0, until_minute: 0 };

    /// Names a minute that no day has.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`].
    pub fn validate(&self) -> Result<(), NotifyError> {
        let last = f64::from(DAY_MINUTES - 1);
        within("eligibility.quiet.from_minute", f64::from(self.from_minute), 0.0, last)?;
        within("eligibility.quiet.until_minute", f64::from(self.until_minute), 0.0, last)
    }

    /// Whether a minute of the local day is quiet.
    fn has(self, minute: u32) -> bool {
        let (from, until) = (self.from_minute, self.until_minute);
        if from <= until { (from..until).contains(&minute) } else { minute >= from || minute < until }
    }

    /// Whether it is quiet in `zone` at a moment (ms, UTC).
    pub fn is_quiet(self, zone: Zone, at_ms: u64) -> bool {
        self.has(zone.minute_of_day(at_ms))
    }

    /// The first moment from `at_ms` on that is not quiet. Clocks may be moved in between: an hour that is there twice
    /// is quiet twice, one that is skipped is not waited for.
    pub fn next_open(self, zone: Zone, at_ms: u64) -> u64 {
        let mut at = at_ms;
        // Two days of quarters: no quiet hours last longer, whatever happens to the clock.
        for _ in 0..192 {
            let minute = zone.minute_of_day(at);
            if !self.has(minute) {
                return at;
            }
            let start = at - at % MINUTE_MS;
            let left = u64::from((self.until_minute + DAY_MINUTES - minute) % DAY_MINUTES);
            let quarter = QUARTER_MINUTES - (start / MINUTE_MS) % QUARTER_MINUTES;
            at = start + left.min(quarter).max(1) * MINUTE_MS;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    /// 2026-03-29T00:00Z: at 01:00 UTC Berlin's clocks go from 02:00 to 03:00.
    const FORWARD: u64 = 1_774_742_400_000;
    /// 2026-10-25T00:00Z: at 01:00 UTC Berlin's clocks go from 03:00 back to 02:00.
    const BACK: u64 = 1_792_886_400_000;

    #[test]
    fn local_minutes_follow_the_clock_on_the_wall() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let minutes = |start: u64| [0, 59, 60, 119].map(|minute| berlin.minute_of_day(start + minute * MINUTE_MS));
        assert_eq!(minutes(FORWARD), [60, 119, 180, 239]);
        assert_eq!(minutes(BACK), [120, 179, 120, 179]);
        let error = Zone::parse("Mars/Base").expect_err("no such zone").to_string();
        assert_eq!(error, "zone: 'Mars/Base' is no IANA time zone");
    }

    #[test]
    fn a_skipped_hour_is_not_waited_for_and_a_doubled_one_is_quiet_twice() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let quiet = QuietHours { from_minute: 60, until_minute: 180 };
        assert_eq!(quiet.next_open(berlin, FORWARD), FORWARD + HOUR_MS);
        assert_eq!(quiet.next_open(berlin, BACK), BACK + 2 * HOUR_MS);
        assert_eq!(quiet.next_open(berlin, BACK + 2 * HOUR_MS + 7), BACK + 2 * HOUR_MS + 7);
    }

    #[test]
    fn the_next_open_moment_is_the_first_one_in_every_zone() {
        let mut rng = Rng::new(3);
        for round in 0..400 {
            let zone = Zone(chrono_tz::TZ_VARIANTS[rng.below(chrono_tz::TZ_VARIANTS.len() as u32) as usize]);
            let quiet = QuietHours { from_minute: rng.below(1_440), until_minute: rng.below(1_440) };
            let start = [FORWARD, BACK][round % 2] - DAY_MS + u64::from(rng.below(2 * DAY_MS as u32));
            let open = quiet.next_open(zone, start);
            assert!(!quiet.is_quiet(zone, open), "{zone} {quiet:?} {start}");
            assert!((start..open).step_by(MINUTE_MS as usize).all(|at| quiet.is_quiet(zone, at)), "{zone} {quiet:?}");
        }
    }
}
