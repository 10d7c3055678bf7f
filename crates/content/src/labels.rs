//! Labels of a pin, and what follows from them.

use domain::{Label, Verdict};
use serde::{Deserialize, Serialize};

use crate::safety::{SafetyParams, SafetyRules};
use crate::{ContentError, Picture, QualityParams, quality};

/// From where on labels have consequences. Somebody's decision counts more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelParams {
    /// A safety label asks for a review from so many times the threshold of its rule on.
    pub safety_review_from: f32,
    /// A safety label hides a pin from so many times the threshold of its rule on.
    pub safety_hide_from: f32,
    /// Pins of less quality (1 where nothing is wrong, towards 0) should be looked at.
    pub quality_review_below: f32,
    /// Pins of less quality are hidden.
    pub quality_hide_below: f32,
    /// Thresholds of the labels of quality.
    pub quality: QualityParams,
}

impl Default for LabelParams {
    fn default() -> Self {
        LabelParams {
            safety_review_from: 1.0,
            safety_hide_from: 2.0,
            quality_review_below: 0.1,
            quality_hide_below: 0.0,
            quality: QualityParams::default(),
        }
    }
}

/// Gives labels, each with what was measured, and says what follows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labeller {
    params: LabelParams,
    safety: SafetyRules,
}

impl Labeller {
    pub(crate) fn new(params: &LabelParams, safety: &SafetyParams) -> Result<Labeller, ContentError> {
        Ok(Labeller { params: params.clone(), safety: SafetyRules::new(safety)? })
    }

    /// The labels of a pin: safety first. `picture` is the picture as it came.
    pub(crate) fn judge(&self, title: &str, description: &str, picture: Option<&Picture>) -> (Vec<Label>, Verdict) {
        let params = &self.params;
        let safety = self.safety.check(title, description);
        let worst = safety.iter().map(|label| label.score / label.threshold).fold(0.0, f32::max);
        let quality = quality(title, description, picture, &params.quality);
        let hides = worst >= params.safety_hide_from || quality.score < params.quality_hide_below;
        let doubtful = worst >= params.safety_review_from || quality.score < params.quality_review_below;
        let verdict = match (worst > 0.0 || !quality.labels.is_empty(), hides, doubtful) {
            (true, true, _) => Verdict::Hide,
            (true, _, true) => Verdict::Review,
            _ => Verdict::Show,
        };
        let told = safety.into_iter().map(|found| Label {
            name: found.label,
            value: found.score,
            threshold: found.threshold,
            terms: found.terms,
        });
        let measured = quality.labels.iter().map(|found| Label {
            name: found.kind.as_str().to_owned(),
            value: found.value,
            threshold: found.threshold,
            terms: Vec::new(),
        });
        (told.chain(measured).collect(), verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str =
        r#"{"rules": [{"label": "weapons", "terms": ["rifle", {"term": "ammunition", "weight": 1.5}]}]}"#;

    #[test]
    fn the_more_is_found_the_more_follows() {
        let rules = serde_json::from_str(RULES).expect("rules");
        let labeller = Labeller::new(&LabelParams::default(), &rules).expect("good rules");
        let judge = |title: &str| labeller.judge(title, "", None);
        assert_eq!(judge("Brass lamp"), (vec![], Verdict::Show));
        let (labels, verdict) = judge("Old rifle");
        assert_eq!((labels[0].name.as_str(), labels[0].value, labels[0].threshold), ("weapons", 1.0, 1.0));
        assert_eq!((labels[0].terms.as_slice(), verdict), (&["rifle".to_owned()][..], Verdict::Review));
        assert_eq!(judge("Rifle with ammunition").1, Verdict::Hide);
        let strict = LabelParams { quality_review_below: 0.9, ..LabelParams::default() };
        let labeller = Labeller::new(&strict, &SafetyParams::default()).expect("no rules");
        let (labels, verdict) = labeller.judge("LAMP LAMP LAMP LAMP LAMP!!!!!!!!", "", None);
        assert!(labels.iter().any(|label| label.name == "runs" && label.value == 8.0) && verdict == Verdict::Review);
    }
}
