//! Spreads the week's budget over its hours.
//!
//! Traffic says how many pinners there are to notify in an hour; how many are worth it depends on the threshold. A
//! controller (proportional, integral, derivative) compares what was sent with what should have been sent by now, and
//! moves the threshold: `threshold · e^u`. Its error is in hours of average sending, so that the same gains fit any
//! budget. The budget itself is no matter of control: [`Pace::admit`] counts, and gives out no more than there is.

use crate::NotifyError;
use crate::error::within;
use crate::zone::{HOUR_MS, WEEK_MS};
use serde::{Deserialize, Serialize};

/// Nothing goes out while so much more was sent than should: hours of average sending.
const AHEAD_HOURS_MAX: f64 = 12.0;
/// Hours of a week.
pub const WEEK_HOURS: usize = 168;

/// How the controller acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaceParams {
    /// Expected traffic of each hour of the week, from the hour in which it begins (UTC); in any unit. Sending follows
    /// it. Empty is an even week.
    pub traffic: Vec<f32>,
    /// Logarithm of the threshold per hour of average sending ahead.
    pub proportional: f64,
    /// The same per hour ahead and hour that it lasts.
    pub integral: f64,
    /// The same per change of an hour ahead in an hour.
    pub derivative: f64,
    /// The threshold is moved by no more than e to this, up or down.
    pub move_max: f64,
    /// How often the threshold is moved (ms).
    pub every_ms: u64,
    /// No more goes out between two moves than this many times what should; less when the week is ahead.
    pub burst_max: f64,
}

impl Default for PaceParams {
    fn default() -> Self {
        PaceParams {
            traffic: Vec::new(),
            proportional: 0.4,
            integral: 0.05,
            derivative: 0.2,
            move_max: 6.0,
            every_ms: 5 * 60_000,
            burst_max: 6.0,
        }
    }
}

impl PaceParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        if !self.traffic.is_empty() && self.traffic.len() != WEEK_HOURS {
            let reason = format!("{} hours; a week has {WEEK_HOURS}", self.traffic.len());
            return Err(NotifyError::invalid("pace.traffic", reason));
        }
        let fits = |hour: &f32| (0.0..=1e12).contains(hour);
        if !self.traffic.iter().all(fits) || (!self.traffic.is_empty() && self.traffic.iter().all(|&hour| hour == 0.0))
        {
            return Err(NotifyError::invalid("pace.traffic", "an hour is no number of 0 to 1e12, or all are 0"));
        }
        within("pace.proportional", self.proportional, 0.0, 100.0)?;
        within("pace.integral", self.integral, 0.0, 100.0)?;
        within("pace.derivative", self.derivative, 0.0, 100.0)?;
        within("pace.move_max", self.move_max, 0.1, 20.0)?;
        within("pace.every_ms", self.every_ms as f64, 1_000.0, HOUR_MS as f64)?;
        within("pace.burst_max", self.burst_max, 1.0, 1_000.0)
    }

    /// Which part of the week's sending lies before a moment, from 0 to 1 (ms since the week began).
    fn share_before(&self, since_ms: u64) -> f64 {
        let since = since_ms.min(WEEK_MS);
        let (hour, part) = ((since / HOUR_MS) as usize, (since % HOUR_MS) as f64 / HOUR_MS as f64);
        if self.traffic.is_empty() {
            return since as f64 / WEEK_MS as f64;
        }
        let sum = |hours: &[f32]| hours.iter().map(|&hour| f64::from(hour)).sum::<f64>();
        let current = self.traffic.get(hour).map_or(0.0, |&hour| f64::from(hour) * part);
        (sum(&self.traffic[..hour.min(WEEK_HOURS)]) + current) / sum(&self.traffic)
    }
}

/// Where a week stands. Keep it with what is sent: after a restart it goes on where it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// When the week began (ms, UTC).
    pub week_ms: u64,
    /// Notifications of the week.
    pub budget: u64,
    /// How many were sent.
    pub sent: u64,
    /// The threshold at which the allocation spends the budget.
    pub threshold: f32,
    /// How many may go out until the threshold is moved again.
    burst_left: u64,
    /// Sum of the errors (hours² ahead).
    integral: f64,
    /// The last error (hours ahead).
    ahead: f64,
    /// Logarithm of what the threshold is multiplied by.
    moved: f64,
    /// When it was last moved (ms, UTC).
    moved_ms: u64,
}

impl Pace {
    /// A week that begins at `week_ms` with a budget and the allocation's threshold.
    pub fn new(params: &PaceParams, week_ms: u64, budget: u64, threshold: f32) -> Pace {
        let (integral, ahead, moved) = (0.0, 0.0, 0.0);
        let mut pace =
            Pace { week_ms, budget, sent: 0, threshold, burst_left: 0, integral, ahead, moved, moved_ms: week_ms };
        pace.burst_left = pace.burst(params, week_ms);
        pace
    }

    /// The week after this one: how far the threshold had to be moved is remembered in part, since what was wrong with
    /// last week's threshold may be wrong with this one.
    #[must_use]
    pub fn next(&self, params: &PaceParams, budget: u64, threshold: f32) -> Pace {
        let mut next = Pace::new(params, self.week_ms + WEEK_MS, budget, threshold);
        next.integral = self.integral * 0.5;
        next.moved = (params.integral * next.integral).clamp(-params.move_max, params.move_max);
        next
    }

    /// The return per notification from which on one is sent now.
    pub fn threshold_now(&self) -> f32 {
        (f64::from(self.threshold) * self.moved.exp()) as f32
    }

    /// Whether a notification of this value goes out at `now_ms`; where it does it is counted.
    pub fn admit(&mut self, params: &PaceParams, value: f32, now_ms: u64) -> bool {
        self.steer(params, now_ms);
        let inside = now_ms >= self.week_ms && now_ms - self.week_ms < WEEK_MS;
        let goes = inside && value >= self.threshold_now() && self.sent < self.budget && self.burst_left > 0;
        if goes {
            self.sent += 1;
            self.burst_left -= 1;
        }
        goes
    }

    /// Moves the threshold, where it is time to. A clock that was set back moves nothing until it has caught up; one
    /// that jumped moves it once.
    pub fn steer(&mut self, params: &PaceParams, now_ms: u64) {
        let since_ms = now_ms.saturating_sub(self.moved_ms);
        if since_ms < params.every_ms || self.budget == 0 {
            return;
        }
        let hours = (since_ms as f64 / HOUR_MS as f64).min(1.0);
        let target = self.budget as f64 * params.share_before(now_ms.saturating_sub(self.week_ms));
        let ahead = (self.sent as f64 - target) / (self.budget as f64 / WEEK_HOURS as f64);
        // No hour says more than a day's sending would.
        let ahead = ahead.clamp(-24.0, 24.0);
        let change = (ahead - self.ahead) / hours;
        let integral = self.integral + ahead * hours;
        let wanted = params.proportional * ahead + params.integral * integral + params.derivative * change;
        let most = params.move_max;
        // Against winding up: while the threshold is at its end, the integral grows no further that way.
        if wanted.abs() <= most || wanted * ahead < 0.0 {
            let reach = most / params.integral.max(1e-9);
            self.integral = integral.clamp(-reach, reach);
        }
        self.moved = wanted.clamp(-most, most);
        self.ahead = ahead;
        self.moved_ms = now_ms;
        self.burst_left = self.burst(params, now_ms);
    }

    /// How many may go out from a moment to the next move: a multiple of what should, less the further ahead the week
    /// is. That holds where no threshold does, because all values are alike.
    fn burst(&self, params: &PaceParams, now_ms: u64) -> u64 {
        let since_ms = now_ms.saturating_sub(self.week_ms);
        let by_then = params.share_before(since_ms + params.every_ms);
        let even = params.every_ms as f64 / WEEK_MS as f64;
        let due = (by_then - params.share_before(since_ms)).max(even);
        let free = (1.0 - self.ahead / AHEAD_HOURS_MAX).clamp(0.0, 1.0);
        (self.budget as f64 * due * params.burst_max * free).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    const WEEK: u64 = 1_780_000_000_000;

    /// A day with a quiet night and a loud evening.
    fn traffic() -> Vec<f32> {
        (0..WEEK_HOURS).map(|hour| 1.0 + 0.9 * ((hour as f32 - 13.0) / 24.0 * std::f32::consts::TAU).cos()).collect()
    }

    fn params() -> PaceParams {
        PaceParams { traffic: traffic(), ..PaceParams::default() }
    }

    /// How the week differs from what was expected.
    struct Week {
        /// Traffic of an hour over the expected one.
        times: fn(usize) -> f32,
        /// Values of candidates: those of the allocation are exponential around 1.
        value: fn(&mut Rng) -> f32,
        /// A restart from what was kept, every so many minutes.
        restart_minutes: u64,
    }

    fn exponential(rng: &mut Rng) -> f32 {
        -(1.0 - rng.uniform()).ln()
    }

    /// Lives through a week minute by minute; `per_hour` candidates in an average hour. The sends of each hour.
    fn live(week: &Week, budget: u64, threshold: f32, per_hour: f32, seed: u64) -> (Pace, Vec<u64>) {
        let (params, mut rng) = (params(), Rng::new(seed));
        let mut pace = Pace::new(&params, WEEK, budget, threshold);
        let mut hours = vec![0; WEEK_HOURS];
        for minute in 0..WEEK_HOURS * 60 {
            let hour = minute / 60;
            let now_ms = WEEK + minute as u64 * 60_000;
            let rate = per_hour / 60.0 * params.traffic[hour] * (week.times)(hour);
            let candidates = rate as u32 + u32::from(rng.uniform() < rate.fract());
            for _ in 0..candidates {
                let value = (week.value)(&mut rng);
                hours[hour] += u64::from(pace.admit(&params, value, now_ms));
            }
            if (minute as u64).is_multiple_of(week.restart_minutes) {
                let kept = serde_json::to_string(&pace).expect("it serialises");
                pace = serde_json::from_str(&kept).expect("it comes back");
            }
            assert!(pace.sent <= budget);
        }
        assert_eq!(hours.iter().sum::<u64>(), pace.sent);
        (pace, hours)
    }

    /// 600 candidates an average hour, of whom a tenth are worth it: a threshold of ln 10.
    fn week(times: fn(usize) -> f32) -> Week {
        Week { times, value: exponential, restart_minutes: 10_000_000 }
    }

    #[test]
    fn the_week_is_met_through_spikes_and_dips() {
        let worlds: [(&str, Week); 6] = [
            ("as expected", week(|_| 1.0)),
            ("three times as much for six hours", week(|hour| if (60..66).contains(&hour) { 3.0 } else { 1.0 })),
            ("a spike in the last evening", week(|hour| if (156..162).contains(&hour) { 3.0 } else { 1.0 })),
            ("a fifth for a day", week(|hour| if (70..94).contains(&hour) { 0.2 } else { 1.0 })),
            ("values half as high", Week { value: |rng| exponential(rng) * 0.5, ..week(|_| 1.0) }),
            ("values half as high again", Week { value: |rng| exponential(rng) * 1.5, ..week(|_| 1.0) }),
        ];
        for (name, week) in worlds {
            for seed in 0..5 {
                let (pace, hours) = live(&week, 10_000, 10.0f32.ln(), 600.0, seed);
                println!("{name}, seed {seed}: {} of 10000", pace.sent);
                assert!((9_800..=10_000).contains(&pace.sent), "{name}: {} of 10000", pace.sent);
                // Not all at once: no twelve hours hold more than they should by a quarter of a day's sending.
                for start in 0..WEEK_HOURS - 12 {
                    let share = params().share_before((start as u64 + 12) * HOUR_MS)
                        - params().share_before(start as u64 * HOUR_MS);
                    let sent = hours[start..start + 12].iter().sum::<u64>() as f64;
                    let most = 10_000.0 * share + 360.0;
                    let behind = name.starts_with("a fifth") && start >= 58;
                    assert!(sent < most || behind, "{name}: {sent} from hour {start}, {most} at most");
                }
            }
        }
    }

    #[test]
    fn a_restart_every_hour_changes_nothing() {
        let spike: fn(usize) -> f32 = |hour| if (60..66).contains(&hour) { 3.0 } else { 1.0 };
        let (plain, _) = live(&week(spike), 10_000, 10.0f32.ln(), 600.0, 1);
        let (restarted, _) = live(&Week { restart_minutes: 60, ..week(spike) }, 10_000, 10.0f32.ln(), 600.0, 1);
        assert!(plain.sent.abs_diff(restarted.sent) <= 5, "{} and {}", plain.sent, restarted.sent);
    }

    #[test]
    fn the_budget_is_never_passed_and_too_little_traffic_does_not_wind_up() {
        // Every candidate is worth it, and there are far too many: the budget holds, and it lasts to the last day.
        let (pace, hours) = live(&Week { value: |_| 1e9, ..week(|_| 10.0) }, 10_000, 1.0, 600.0, 2);
        assert!(pace.sent <= 10_000);
        let day = hours[..24].iter().sum::<u64>();
        assert!(day < 10_000 / 7 + 800, "the first day takes {day}");
        assert!(hours[144..].iter().sum::<u64>() > 500, "the last day has its share");
        // Too few for the budget, then very many: the threshold comes back within hours.
        let dry: fn(usize) -> f32 = |hour| if hour < 100 { 0.01 } else { 20.0 };
        let (pace, hours) = live(&week(dry), 10_000, 10.0f32.ln(), 600.0, 3);
        assert!((9_800..=10_000).contains(&pace.sent), "{}", pace.sent);
        assert!(hours[160..].iter().sum::<u64>() > 50, "something is left for the last hours: {:?}", &hours[150..]);
    }

    #[test]
    fn clocks_that_move_and_other_weeks_send_nothing_more() {
        let params = params();
        let mut pace = Pace::new(&params, WEEK, 100, 1.0);
        assert!(!pace.admit(&params, 9.0, WEEK - 1), "before the week");
        assert!(!pace.admit(&params, 9e9, WEEK + WEEK_MS), "after the week");
        let before = pace.clone();
        pace.steer(&params, WEEK + 3 * HOUR_MS);
        assert_eq!(pace, before, "set back: it waits until the clock has caught up");
        let next = pace.next(&params, 50, 2.0);
        assert_eq!((next.week_ms, next.budget, next.sent), (WEEK + WEEK_MS, 50, 0));
        let mut none = Pace::new(&params, WEEK, 0, 1.0);
        assert!(!none.admit(&params, f32::INFINITY, WEEK + 1));
        assert!(!pace.admit(&params, f32::NAN, WEEK + WEEK_MS - 1), "no number is worth nothing");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |params: PaceParams| params.validate().expect_err("refused").to_string();
        assert!(PaceParams::default().validate().is_ok() && params().validate().is_ok());
        assert!(error(PaceParams { traffic: vec![1.0; 24], ..params() }).starts_with("pace.traffic: 24 hours"));
        assert!(error(PaceParams { traffic: vec![0.0; 168], ..params() }).starts_with("pace.traffic"));
        assert!(error(PaceParams { every_ms: 0, ..params() }).starts_with("pace.every_ms"));
        assert!(error(PaceParams { integral: f64::NAN, ..params() }).starts_with("pace.integral"));
    }
}
