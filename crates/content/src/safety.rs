//! Safety labels by lists of terms that the operator gives.
//!
//! A rule is a label, terms with weights, and a threshold. Terms are found as whole words, the longest first, so that a
//! longer harmless phrase ("chicken breast", among `except`) keeps its words from being found. The weights of the terms
//! that are found add up; where they reach the threshold, the pin has the label, and the label says which terms they
//! were. Without a file there are no rules and no labels: no list fits everybody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ContentError;
use crate::phrases::Phrases;
use crate::words::{Word, phrase, segments};

/// What an operator's file of safety rules holds. What stands in the description counts as much as what stands in the
/// title; the same term counts once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SafetyParams {
    /// The labels and what they are given for.
    pub rules: Vec<SafetyRule>,
}

/// A label and the terms that it is given for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyRule {
    /// What a pin is labelled.
    pub label: String,
    /// Least sum of weights.
    #[serde(default = "one")]
    pub threshold: f32,
    /// What is looked for.
    pub terms: Vec<SafetyTerm>,
    /// Phrases whose words are not looked at.
    #[serde(default)]
    pub except: Vec<String>,
}

/// A term and how much it says. In a file a bare text is a term of weight 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "TermForm")]
pub struct SafetyTerm {
    /// One to eight words, in any case; plurals are found too.
    pub term: String,
    /// What it adds.
    pub weight: f32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TermForm {
    Bare(String),
    Weighted {
        term: String,
        #[serde(default = "one")]
        weight: f32,
    },
}

impl From<TermForm> for SafetyTerm {
    fn from(form: TermForm) -> Self {
        match form {
            TermForm::Bare(term) => SafetyTerm { term, weight: one() },
            TermForm::Weighted { term, weight } => SafetyTerm { term, weight },
        }
    }
}

fn one() -> f32 {
    1.0
}

/// A label that a pin has, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct SafetyLabel {
    /// The rule's label.
    pub label: String,
    /// Sum of the weights of the terms that were found.
    pub score: f32,
    /// What it was held against.
    pub threshold: f32,
    /// The words that were found, as the pin has them, normalised.
    pub terms: Vec<String>,
}

/// Rules, ready to be held against pins.
#[derive(Clone, Debug, Default)]
pub struct SafetyRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    label: String,
    threshold: f32,
    phrases: Phrases,
    /// Of each phrase by its number; nothing for a phrase that is excepted.
    weights: Vec<Option<f32>>,
}

impl SafetyRules {
    /// Prepares rules. A term without words or of more than eight, and a weight or threshold that is no number above
    /// nothing, are refused with the label.
    pub fn new(params: &SafetyParams) -> Result<SafetyRules, ContentError> {
        Ok(SafetyRules { rules: params.rules.iter().map(Rule::new).collect::<Result<_, _>>()? })
    }

    /// The labels of a pin, in the order of the rules.
    pub fn check(&self, title: &str, description: &str) -> Vec<SafetyLabel> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let runs: Vec<Vec<Word>> = [title, description].into_iter().flat_map(segments).collect();
        self.rules.iter().filter_map(|rule| rule.check(&runs)).collect()
    }
}

impl Rule {
    fn new(rule: &SafetyRule) -> Result<Rule, ContentError> {
        let refuse = |reason: String| ContentError::SafetyRule { label: rule.label.clone(), reason };
        let (mut phrases, mut weights) = (Phrases::default(), Vec::new());
        let terms = rule.terms.iter().map(|term| (&term.term, Some(term.weight)));
        for (phrase, weight) in terms.chain(rule.except.iter().map(|phrase| (phrase, None))) {
            if !phrases.add(phrase, weights.len() as u32) {
                return Err(refuse(format!("'{phrase}' has no words, or more than eight")));
            }
            weights.push(weight);
        }
        let numbers = weights.iter().flatten().chain([&rule.threshold]);
        if let Some(odd) = numbers.into_iter().find(|number| !(number.is_finite() && **number > 0.0)) {
            return Err(refuse(format!("{odd} is neither a weight nor a threshold")));
        }
        Ok(Rule { label: rule.label.clone(), threshold: rule.threshold, phrases, weights })
    }

    fn check(&self, runs: &[Vec<Word>]) -> Option<SafetyLabel> {
        // By number of the phrase, so that what comes twice counts once.
        let mut found: BTreeMap<u32, String> = BTreeMap::new();
        for words in runs {
            for (place, numbers) in self.phrases.find(words) {
                let excepted = numbers.iter().any(|&number| self.weights[number as usize].is_none());
                if let Some(&number) = numbers.first().filter(|_| !excepted) {
                    found.entry(number).or_insert_with(|| phrase(&words[place]));
                }
            }
        }
        let score = found.keys().filter_map(|&number| self.weights[number as usize]).sum();
        let (label, threshold) = (self.label.clone(), self.threshold);
        (score >= threshold).then(|| SafetyLabel { label, score, threshold, terms: found.into_values().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"rules": [
        {"label": "weapons", "terms": ["hand gun", {"term": "rifle"}], "except": ["glue gun", "rifle green"]},
        {"label": "spam", "threshold": 1.5, "terms": [{"term": "free", "weight": 0.5}, "click here", {"term": "win"}]}
    ]}"#;

    fn rules() -> SafetyRules {
        SafetyRules::new(&serde_json::from_str(FILE).expect("a file")).expect("rules")
    }

    #[test]
    fn a_label_says_which_words_it_is_for() {
        let labels = rules().check("Two Hand-Guns and a hand gun", "");
        let expected =
            SafetyLabel { label: "weapons".into(), score: 1.0, threshold: 1.0, terms: vec!["hand guns".into()] };
        assert_eq!(labels, [expected]);
    }

    #[test]
    fn whole_words_longest_first_and_thresholds_hold() {
        let rules = rules();
        for harmless in ["Rifled column", "Rifle green coat", "Hot glue gun", "Gun by hand", "Hand. Gun", "Free lamp"] {
            assert_eq!(rules.check(harmless, ""), [], "{harmless}");
        }
        assert_eq!(rules.check("Free", "click here")[0].terms, ["free", "click here"]);
        assert_eq!(rules.check("Free free free", "").len(), 0, "what comes again counts once");
        assert_eq!(rules.check("Rifle in a rifle green coat", "").len(), 1);
    }

    #[test]
    fn no_file_no_labels_and_odd_rules_are_refused() {
        assert_eq!(SafetyRules::default().check("rifle", ""), []);
        assert_eq!(SafetyRules::new(&SafetyParams::default()).expect("none").check("rifle", ""), []);
        for rule in [
            r#"{"label": "a", "terms": ["…"]}"#,
            r#"{"label": "a", "terms": [{"term": "b", "weight": -1}]}"#,
            r#"{"label": "a", "terms": ["b"], "threshold": 0}"#,
        ] {
            let rule: SafetyRule = serde_json::from_str(rule).expect("a rule");
            let refused = SafetyRules::new(&SafetyParams { rules: vec![rule] });
            assert!(matches!(refused, Err(ContentError::SafetyRule { .. })));
        }
        assert!(serde_json::from_str::<SafetyParams>(r#"{"rule": []}"#).is_err());
    }
}
