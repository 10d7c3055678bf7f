//! What rules and the collection say of a pin.

use std::sync::Arc;

use domain::{Annotated, Pin, Understood, hash64};

use crate::labels::Labeller;
use crate::{ContentError, LabelParams, Learned, Picture, SafetyParams, Taxonomy, language};

/// Less sure terms are not told.
const TERM_MIN: f32 = 0.1;
/// Less sure topics are not told: of a taxonomy, and learned ones.
const TOPIC_MIN: f32 = 0.5;
const LEARNED_TOPIC_MIN: f32 = 0.3;
/// Most topics that are told.
const TOPICS_MAX: usize = 5;
/// The largest number of terms of a label.
const LABEL_TERMS_MAX: usize = 16;

/// Tells of a pin its language, labels, terms, topics and semantic id. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Annotating {
    rules: Arc<Rules>,
    learned: Option<Arc<Learned>>,
}

/// What an operator gives.
#[derive(Debug, Default)]
struct Rules {
    labeller: Labeller,
    /// In place of learned topics.
    taxonomy: Option<Taxonomy>,
    hash: u64,
}

impl Annotating {
    /// With rules alone. `safety` is a file of safety rules (JSON, see [`SafetyParams`]), `taxonomy` one of topics (see
    /// [`Taxonomy::parse`]).
    pub fn new(params: &LabelParams, safety: Option<&str>, taxonomy: Option<&str>) -> Result<Annotating, ContentError> {
        let bad = |error: serde_json::Error| ContentError::SafetyFile { reason: error.to_string() };
        let rules: SafetyParams = safety.map(serde_json::from_str).transpose().map_err(bad)?.unwrap_or_default();
        let said = [serde_json::to_string(params).unwrap_or_default()];
        let said = said.iter().map(String::as_str).chain([safety.unwrap_or(""), taxonomy.unwrap_or("")]);
        let bytes = said.flat_map(|text| text.bytes().chain([0]));
        let rules = Rules {
            labeller: Labeller::new(params, &rules)?,
            taxonomy: taxonomy.map(Taxonomy::parse).transpose()?,
            hash: bytes.fold(1, |sum, byte| hash64(sum ^ u64::from(byte))),
        };
        Ok(Annotating { rules: Arc::new(rules), learned: None })
    }

    /// The same rules with what was learned of a collection, or without.
    #[must_use]
    pub fn with(&self, learned: Option<Arc<Learned>>) -> Annotating {
        Annotating { rules: self.rules.clone(), learned }
    }

    /// What was learned, if anything was.
    pub fn learned(&self) -> Option<&Arc<Learned>> {
        self.learned.as_ref()
    }

    /// The version of what was learned; 0 where nothing was.
    pub fn version(&self) -> u32 {
        self.learned.as_ref().map_or(0, |learned| learned.version)
    }

    /// A hash of the rules.
    pub fn rules(&self) -> u64 {
        self.rules.hash
    }

    /// What is said of a pin. `picture` is its picture as it came, `understood` what is known of it; of `before`, what
    /// was told by the same rules, labels are taken over, so that no picture need be looked at.
    pub fn annotate(
        &self,
        pin: &Pin,
        picture: Option<&Picture>,
        understood: &Understood,
        before: Option<&Annotated>,
    ) -> Annotated {
        let before = before.filter(|before| before.rules == self.rules.hash);
        let (mut labels, verdict) = match before {
            Some(before) => (before.labels.clone(), before.verdict),
            None => self.rules.labeller.judge(&pin.title, &pin.description, picture),
        };
        labels.iter_mut().for_each(|label| label.terms.truncate(LABEL_TERMS_MAX));
        let learned = self.learned.as_deref();
        let terms = learned.map_or_else(Vec::new, |learned| learned.annotate(pin));
        let terms = terms.into_iter().filter(|found| found.confidence >= TERM_MIN);
        Annotated {
            pin: pin.id.clone(),
            learned: self.version(),
            rules: self.rules.hash,
            language: if pin.language.is_some() { None } else { language_of(pin) },
            labels,
            verdict,
            terms: terms.map(|found| (found.term, found.confidence)).collect(),
            topics: self.topics(pin, understood),
            semantic_id: learned.and_then(|learned| learned.semantic_id(understood.space, &understood.embedding)),
        }
    }

    /// Topics of the taxonomy, where there is one, else the learned one.
    fn topics(&self, pin: &Pin, understood: &Understood) -> Vec<String> {
        let found: Vec<String> = match (&self.rules.taxonomy, &self.learned) {
            (Some(taxonomy), _) => {
                let matches = taxonomy.assign(&pin.title, &pin.description).into_iter();
                matches.filter(|found| found.confidence >= TOPIC_MIN).map(|found| found.topic).collect()
            }
            (None, Some(learned)) => {
                let topic = learned.topic(understood.space, &understood.embedding);
                topic
                    .filter(|(_, sure)| *sure >= LEARNED_TOPIC_MIN)
                    .map(|(name, _)| name.to_owned())
                    .into_iter()
                    .collect()
            }
            (None, None) => Vec::new(),
        };
        found.into_iter().filter(|topic| !pin.topics.contains(topic)).take(TOPICS_MAX).collect()
    }
}

fn language_of(pin: &Pin) -> Option<String> {
    let found = language(&format!("{}. {}", pin.title, pin.description));
    found.map(|(code, _)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnnotationCounts, Embedder, TopicParams};
    use domain::Verdict;

    fn pin(id: usize) -> Pin {
        let (what, colour) = (["brass lamp", "oak table", "wool rug"][id % 3], ["red", "blue"][id % 2]);
        let title = format!("{colour} {what} number {id}");
        Pin { id: id.to_string(), title, topics: vec![what.to_owned()], ..Pin::default() }
    }

    fn learned() -> Learned {
        let pins: Vec<Pin> = (0..90).map(pin).collect();
        let mut counts = AnnotationCounts::default();
        pins.iter().for_each(|pin| counts.observe(&pin.title, &pin.description, &pin.topics));
        let embedder = Embedder::default();
        let sample: Vec<(&Pin, Vec<f32>)> = pins.iter().map(|pin| (pin, embedder.embed(&pin.title, None))).collect();
        let params = TopicParams { topics: 3, seed: 1 };
        let learned = Learned::learn(&counts, 90, embedder.space(), &sample, &params).expect("learned");
        learned.with_version(4)
    }

    fn told(annotating: &Annotating, pin: &Pin) -> Annotated {
        let understood = Embedder::default().understand(pin, None).expect("words").understood;
        annotating.annotate(pin, None, &understood, None)
    }

    #[test]
    fn what_was_learned_is_told_of_new_pins_and_comes_back_from_bytes() {
        let learned = learned();
        let bytes = learned.to_bytes().expect("written");
        let annotating = Annotating::default().with(Some(Arc::new(learned)));
        let new = Pin { id: "new".into(), title: "green brass lamp".into(), ..Pin::default() };
        let found = told(&annotating, &new);
        assert_eq!((found.learned, found.pin.as_str()), (4, "new"));
        assert!(found.terms.iter().any(|(term, _)| term == "brass lamp"), "{:?}", found.terms);
        assert!(found.semantic_id.is_some() && found.topics.len() <= 1);
        let again = Learned::from_bytes(bytes.clone()).expect("whole");
        assert_eq!(told(&Annotating::default().with(Some(Arc::new(again))), &new), found);
        for at in (0..bytes.len()).step_by(37) {
            let mut bad = bytes.clone();
            bad[at] ^= 4;
            let read = Learned::from_bytes(bad);
            assert!(read.is_err() || read.is_ok_and(|read| read.to_bytes().is_ok_and(|same| same == bytes)), "{at}");
        }
        assert!(Learned::from_bytes(bytes[..bytes.len() / 2].to_vec()).is_err());
    }

    #[test]
    fn another_space_has_no_topics_and_no_ids() {
        let annotating = Annotating::default().with(Some(Arc::new(learned())));
        let understood = Understood { space: 9, embedding: vec![1.0; 64], ..Understood::default() };
        let found = annotating.annotate(&pin(1), None, &understood, None);
        assert!(found.topics.is_empty() && found.semantic_id.is_none() && !found.terms.is_empty());
    }

    #[test]
    fn rules_decide_and_a_taxonomy_goes_before_what_was_learned() {
        let taxonomy = "id,name\nlight,Lamp\nwood,Table\n";
        let safety = r#"{"rules": [{"label": "fire", "terms": ["lamp"]}]}"#;
        let rules = Annotating::new(&LabelParams::default(), Some(safety), Some(taxonomy)).expect("good rules");
        let rules = rules.with(Some(Arc::new(learned())));
        let lamp = Pin { title: "Die schöne Lampe steht auf einem alten Tisch. Lamp".into(), ..Pin::default() };
        let found = told(&rules, &lamp);
        assert_eq!((found.topics.as_slice(), found.verdict), (&["light".to_owned()][..], Verdict::Review));
        assert_eq!((found.labels[0].name.as_str(), found.language.as_deref()), ("fire", Some("de")));
        let told_before = Annotated { verdict: Verdict::Hide, ..found.clone() };
        let understood = Understood::default();
        assert_eq!(rules.annotate(&lamp, None, &understood, Some(&told_before)).verdict, Verdict::Hide);
        let others = Annotating::new(&LabelParams::default(), None, None).expect("none");
        assert_ne!(others.rules(), rules.rules());
        assert_eq!(others.annotate(&lamp, None, &understood, Some(&told_before)).verdict, Verdict::Show);
        let english = Pin { language: Some("en".into()), ..lamp };
        assert_eq!(told(&rules, &english).language, None, "its owner told it");
        let error = Annotating::new(&LabelParams::default(), Some("{\"rule\": 1}"), None).expect_err("a typo");
        assert!(error.to_string().contains("unknown field `rule`"), "{error}");
    }
}
