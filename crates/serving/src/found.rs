//! What was found out about a pin, packed beside what its owner says.

use crate::words::Words;
use domain::{Annotated, Label};

/// Most terms, topics and labels of each kind that are kept of a pin.
const EACH_MAX: usize = 64;
/// Words of a label: its name, value, threshold, and the terms that it is about (one text).
const LABEL: usize = 4;
/// The number of no text.
const NONE: u32 = u32::MAX;
/// What parts the terms of a label.
const BETWEEN: &str = ", ";

/// Found topics, terms, labels and the semantic id of a pin; texts are numbers of words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found<'a> {
    topics: &'a [u32],
    terms: &'a [u32],
    labels: &'a [u32],
    semantic_id: &'a [u32],
}

impl<'a> Found<'a> {
    /// Packs what was found: how many there are of each, then all of them.
    pub(crate) fn pack(annotated: &Annotated, words: &mut Words) -> Vec<u32> {
        let Annotated { topics, terms, labels, semantic_id, .. } = annotated;
        let [topics_kept, terms_kept, labels_kept] =
            [topics.len(), terms.len(), labels.len()].map(|count| count.min(EACH_MAX));
        if topics_kept + terms_kept + labels_kept == 0 && semantic_id.is_none() {
            return Vec::new();
        }
        let counts = [topics_kept, terms_kept, labels_kept, usize::from(semantic_id.is_some())];
        let mut packed = vec![u32::from_le_bytes(counts.map(|count| count as u8))];
        let mut number = |text: &str| words.intern(text).unwrap_or(NONE);
        packed.extend(topics.iter().take(topics_kept).map(|topic| number(topic)));
        packed.extend(terms.iter().take(terms_kept).flat_map(|(term, sure)| [number(term), sure.to_bits()]));
        packed.extend(labels.iter().take(labels_kept).flat_map(|label| {
            let about = if label.terms.is_empty() { NONE } else { number(&label.terms.join(BETWEEN)) };
            [number(&label.name), label.value.to_bits(), label.threshold.to_bits(), about]
        }));
        packed.extend(semantic_id.map(u32::from_le_bytes));
        packed
    }

    /// `None` when the words are not what [`Found::pack`] packed.
    pub(crate) fn of(packed: &'a [u32]) -> Option<Found<'a>> {
        let Some((&counts, rest)) = packed.split_first() else { return Some(Found::default()) };
        let [topics, terms, labels, semantic_id] = counts.to_le_bytes().map(usize::from);
        let (topics, rest) = rest.split_at_checked(topics)?;
        let (terms, rest) = rest.split_at_checked(terms * 2)?;
        let (labels, rest) = rest.split_at_checked(labels * LABEL)?;
        (rest.len() == semantic_id).then_some(Found { topics, terms, labels, semantic_id: rest })
    }

    pub(crate) fn topics(self, words: &'a Words) -> impl Iterator<Item = &'a str> {
        self.topics.iter().map(|&number| words.word(number))
    }

    pub(crate) fn terms(self, words: &'a Words) -> impl Iterator<Item = (&'a str, f32)> {
        self.terms.as_chunks::<2>().0.iter().map(|&[term, sure]| (words.word(term), f32::from_bits(sure)))
    }

    pub(crate) fn labels(self, words: &'a Words) -> impl Iterator<Item = Label> {
        self.labels.as_chunks::<LABEL>().0.iter().map(|&[name, value, threshold, about]| Label {
            name: words.word(name).to_owned(),
            value: f32::from_bits(value),
            threshold: f32::from_bits(threshold),
            terms: words.word(about).split(BETWEEN).filter(|term| !term.is_empty()).map(str::to_owned).collect(),
        })
    }

    pub(crate) fn semantic_id(self) -> Option<[u8; 4]> {
        self.semantic_id.first().map(|id| id.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back_and_other_words_do_not() {
        let label =
            Label { name: "weapons".into(), value: 2.0, threshold: 1.0, terms: vec!["rifle".into(), "gun".into()] };
        let annotated = Annotated {
            topics: vec!["lamps".into()],
            terms: vec![("brass lamp".into(), 0.75), ("lamp".into(), 0.5)],
            labels: vec![label.clone()],
            semantic_id: Some([1, 0, 255, 3]),
            ..Annotated::default()
        };
        let mut words = Words::default();
        let packed = Found::pack(&annotated, &mut words);
        let found = Found::of(&packed).expect("packed");
        assert_eq!(found.topics(&words).collect::<Vec<_>>(), ["lamps"]);
        assert_eq!(found.terms(&words).collect::<Vec<_>>(), [("brass lamp", 0.75), ("lamp", 0.5)]);
        assert_eq!(found.labels(&words).collect::<Vec<_>>(), [label]);
        assert_eq!(found.semantic_id(), Some([1, 0, 255, 3]));
        assert!((1..packed.len()).all(|cut| Found::of(&packed[..cut]).is_none()));
        assert!(Found::pack(&Annotated::default(), &mut words).is_empty());
        assert_eq!(Found::of(&[]).and_then(Found::semantic_id), None);
    }
}
