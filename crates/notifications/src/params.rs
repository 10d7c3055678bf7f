//! Everything about notifications that can be configured.

use crate::error::within;
use crate::{ChooseParams, DeliverParams, EligibilityParams, NotifyError, PaceParams, VOLUMES_MAX, ValueParams};
use serde::{Deserialize, Serialize};

/// All parameters of notifications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyParams {
    /// Who may get what at which moment.
    pub eligibility: EligibilityParams,
    /// What sending is worth.
    pub value: ValueParams,
    /// How the week is planned.
    pub plan: PlanParams,
    /// How the week's budget is spread.
    pub pace: PaceParams,
    /// By which channel, and when.
    pub choose: ChooseParams,
    /// How messages are sent and sent again.
    pub deliver: DeliverParams,
}

/// How a week is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Notifications of the week over pinners; what is not worth it is not sent.
    pub per_pinner: f64,
    /// Most notifications of the week for one pinner.
    pub volume_max: u8,
    /// Draws of channels and moments.
    pub seed: u64,
}

impl Default for PlanParams {
    fn default() -> Self {
        PlanParams { per_pinner: 1.5, volume_max: 7, seed: 0 }
    }
}

impl NotifyParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        self.eligibility.validate()?;
        self.value.validate()?;
        within("plan.per_pinner", self.plan.per_pinner, 0.0, VOLUMES_MAX as f64)?;
        within("plan.volume_max", f64::from(self.plan.volume_max), 1.0, VOLUMES_MAX as f64 - 1.0)?;
        self.pace.validate()?;
        self.choose.validate()?;
        self.deliver.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_unknown_names_are_refused() {
        assert!(NotifyParams::default().validate().is_ok());
        let text = serde_json::to_string(&NotifyParams::default()).expect("it serialises");
        let back: NotifyParams = serde_json::from_str(&text).expect("it comes back");
        assert_eq!(back, NotifyParams::default());
        let error = serde_json::from_str::<NotifyParams>(r#"{"plan":{"per_piner":1}}"#).expect_err("misspelt");
        assert!(error.to_string().contains("per_piner"), "{error}");
        let wrong =
            NotifyParams { plan: PlanParams { volume_max: 0, ..PlanParams::default() }, ..NotifyParams::default() };
        let error = wrong.validate().expect_err("none").to_string();
        assert_eq!(error, "plan.volume_max: 0 is not within 1 and 31");
    }
}
