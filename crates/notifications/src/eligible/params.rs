//! What may be sent to whom.

use crate::error::within;
use crate::zone::{HOUR_MS, WEEK_MS};
use crate::{KINDS_MAX, Kind, NotifyError, QuietHours};
use serde::{Deserialize, Serialize};

/// No cap of a week is higher: so much of what was sent is remembered at least.
pub const WEEK_CAP_MAX: usize = 64;

/// Guards that no value can buy off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EligibilityParams {
    /// Whether anything is sent at all. Switching it off stops also what is already planned.
    pub on: bool,
    /// Share of pinners who never get a notification, so that it can be said what notifications do.
    pub holdout_share: f64,
    /// Draws who is in the holdout; another salt draws other pinners.
    pub holdout_salt: u64,
    /// Hours of the pinner's day in which nothing is sent.
    pub quiet: QuietHours,
    /// Most notifications in any 24 hours, all kinds and channels together.
    pub day_max: usize,
    /// Most notifications in any seven days.
    pub week_max: usize,
    /// Shortest time between two (ms).
    pub spacing_ms: u64,
    /// For so long a pin that was shown in the app is no news (ms).
    pub in_app_ms: u64,
    /// The kinds of notification, by name.
    pub kinds: Vec<KindParams>,
}

/// One kind of notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KindParams {
    /// Its name, as events and configuration say it.
    pub name: String,
    /// Most of this kind in any 24 hours.
    pub day_max: usize,
    /// Most of this kind in any seven days.
    pub week_max: usize,
}

impl Default for EligibilityParams {
    fn default() -> Self {
        let kinds = ["recommendation", "board_ideas", "search_ideas"];
        let kind = |name: &str| KindParams { name: name.to_owned(), ..KindParams::default() };
        EligibilityParams {
            on: true,
            holdout_share: 0.01,
            holdout_salt: 0,
            quiet: QuietHours::default(),
            day_max: 2,
            week_max: 7,
            spacing_ms: 4 * HOUR_MS,
            in_app_ms: 24 * HOUR_MS,
            kinds: kinds.map(kind).to_vec(),
        }
    }
}

impl Default for KindParams {
    fn default() -> Self {
        KindParams { name: String::new(), day_max: 1, week_max: 5 }
    }
}

impl EligibilityParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        let cap = WEEK_CAP_MAX as f64;
        within("eligibility.holdout_share", self.holdout_share, 0.0, 1.0)?;
        self.quiet.validate()?;
        within("eligibility.day_max", self.day_max as f64, 0.0, cap)?;
        within("eligibility.week_max", self.week_max as f64, 0.0, cap)?;
        within("eligibility.spacing_ms", self.spacing_ms as f64, 0.0, WEEK_MS as f64)?;
        within("eligibility.kinds", self.kinds.len() as f64, 1.0, KINDS_MAX as f64)?;
        for (place, kind) in self.kinds.iter().enumerate() {
            let name = |field: &str| format!("eligibility.kinds[{place}].{field}");
            let twice = self.kinds[..place].iter().any(|other| other.name == kind.name);
            if kind.name.is_empty() || kind.name.len() > 64 || twice {
                return Err(NotifyError::invalid(name("name"), "a name is 1 to 64 bytes and comes once"));
            }
            within(&name("day_max"), kind.day_max as f64, 0.0, cap)?;
            within(&name("week_max"), kind.week_max as f64, 0.0, cap)?;
        }
        Ok(())
    }

    /// The kind of a name.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.kinds.iter().position(|kind| kind.name == name).map(|place| Kind(place as u8))
    }
}
