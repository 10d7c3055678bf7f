//! How given pins have the words of a text: word by word and field by field, for the few hundred pins of a request.

use super::fields::{self, Searched};
use super::score::Bm25;
use super::search::{Published, TextSearcher};
use super::terms::{WeighedTerm, complete, correct};
use super::words::Words;
use crate::error::IndexError;
use domain::PinId;
use tantivy::{Searcher, SegmentReader, Term};

/// Most words of a text that are looked up; of more, the rarest.
const MATCHED_MAX: usize = 12;

/// Most words that are taken for misspellings.
const MISSPELLED_MAX: usize = 3;

/// What a word counts that only joins others, compared with one that says something.
const JOINING: f32 = 0.05;

/// English words that only join others.
const JOINERS: [&str; 24] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on", "or", "that", "the",
    "this", "to", "was", "what", "which", "with",
];

/// The fields that pins are searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum TextField {
    /// Title, description, topics and annotations together.
    Own,
    /// The title.
    Title,
    /// Topics, and annotations by their confidence.
    Annotations,
    /// Titles of boards.
    Boards,
    /// Queries after which the pin was saved or clicked.
    Queries,
    /// Words as written, in any of these.
    Written,
}

impl TextField {
    /// How many there are.
    pub const COUNT: usize = TextField::Written as usize + 1;
}

/// How one pin has the words of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextMatch {
    /// BM25 by field, in the order of [`TextField`], each as if its field were all there is.
    pub fields: [f32; TextField::COUNT],
    /// Share of the words, each as much as it is rare, that are in its title.
    pub title: f32,
    /// The same in all that its owner says of it.
    pub own: f32,
    /// The same anywhere: also in titles of boards, and in queries that led to it.
    pub any: f32,
    /// Whether all words that say something are in what its owner says.
    pub whole: bool,
}

/// How pins have the words of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextMatches {
    /// One per pin that was asked about, in their order.
    pub pins: Vec<TextMatch>,
    /// How many words say something; 0 for a text without words, which nothing matches.
    pub words: usize,
    /// Of them, how many any pin has.
    pub known: usize,
}

/// A word on its way.
struct Word {
    /// What it counts among the words.
    weight: f32,
    /// Whether it says something.
    says: bool,
    /// Whether any pin has it.
    known: bool,
}

impl TextSearcher {
    /// How each of `pins` has the words of `text`, see [`TextSearcher::search`] for what words are. A word that no pin
    /// has stands for those that it may begin or that it may be a misspelling of. Joining words count little; of more
    /// than twelve words, the rarest are looked at.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn matches(&self, text: &str, pins: &[PinId]) -> Result<TextMatches, IndexError> {
        let words = Words::of(text);
        let published = self.published();
        let searcher = &published.searcher;
        let (mut all, mut terms, mut of_term) = (Vec::new(), Vec::new(), Vec::new());
        let mut misspelled_left = MISSPELLED_MAX;
        for (at, word) in words.words.iter().enumerate() {
            let open = words.open && at + 1 == words.words.len();
            let (word, found) = self.look_up(searcher, word, (open, &mut misspelled_left))?;
            of_term.extend(found.iter().map(|(field, _)| (all.len(), *field)));
            terms.extend(found.into_iter().map(|(_, term)| term));
            all.push(word);
        }
        let kept = rarest(&all);
        let keep: Vec<bool> = of_term.iter().map(|(word, _)| kept[*word]).collect();
        let mut flags = keep.iter();
        terms.retain(|_| *flags.next().unwrap_or(&false));
        let mut flags = keep.iter();
        of_term.retain(|_| *flags.next().unwrap_or(&false));
        let count = |of: &dyn Fn(&Word) -> bool| all.iter().zip(&kept).filter(|(w, kept)| **kept && of(w)).count();
        let mut matches = TextMatches {
            pins: vec![TextMatch::default(); pins.len()],
            words: count(&|word| word.says),
            known: count(&|word| word.says && word.known),
        };
        if !terms.is_empty() && !pins.is_empty() {
            let bm25 = Bm25::new(terms, searcher, &self.weights)?;
            let found = found(&bm25, &of_term, (all.len(), &published), pins)?;
            let weights: Vec<f32> = all.iter().zip(&kept).map(|(w, kept)| if *kept { w.weight } else { 0.0 }).collect();
            let says: Vec<bool> = all.iter().zip(&kept).map(|(word, kept)| *kept && word.says).collect();
            let parts = found.chunks_exact(all.len());
            matches.pins.iter_mut().zip(parts).for_each(|(of, found)| *of = summed(found, &weights, &says));
        }
        Ok(matches)
    }

    /// A word and the terms that stand for it, each with its field.
    fn look_up(
        &self,
        searcher: &Searcher,
        word: &str,
        (open, misspelled_left): (bool, &mut usize),
    ) -> Result<(Word, Vec<(usize, WeighedTerm)>), IndexError> {
        let mut found = Vec::new();
        self.add(searcher, word, &mut found)?;
        if found.is_empty() && open {
            for meant in complete(searcher, self.fields.written, word)? {
                self.add(searcher, &meant, &mut found)?;
            }
        }
        if found.is_empty() && *misspelled_left > 0 {
            *misspelled_left -= 1;
            for meant in correct(searcher, self.fields.written, word)?.1 {
                self.add(searcher, &meant, &mut found)?;
            }
        }
        let all: u64 = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum();
        let with = found.iter().map(|(_, term)| term.pins).max().unwrap_or(0);
        let rarity = (1.0 + (all as f32 - with as f32 + 0.5).max(0.0) / (with as f32 + 0.5)).ln();
        let says = !JOINERS.contains(&word);
        let weight = if says { rarity } else { JOINING * rarity };
        Ok((Word { weight, says, known: with > 0 }, found))
    }

    /// Adds the terms that a form of a word has in each field.
    fn add(&self, searcher: &Searcher, word: &str, found: &mut Vec<(usize, WeighedTerm)>) -> Result<(), IndexError> {
        let mut stemmer = fields::stemmed();
        let mut stems = stemmer.token_stream(word);
        let stem = if stems.advance() { stems.token().text.clone() } else { word.to_owned() };
        let stemmed = self.fields.stemmed(&self.weights).into_iter().map(|field| (field, stem.as_str()));
        let fields = stemmed.chain([(self.fields.written(&self.weights), word)]);
        for (at, (field, text)) in fields.enumerate() {
            let field = Searched { weight: 1.0, ..field };
            let term = Term::from_field_text(field.field, text);
            let of = |segment: &SegmentReader| Ok(segment.inverted_index(field.field)?.get_term_info(&term)?);
            let places = searcher.segment_readers().iter().map(of);
            let places = places.collect::<Result<Vec<_>, tantivy::TantivyError>>()?;
            let pins = places.iter().flatten().map(|place| u64::from(place.doc_freq)).sum();
            if pins > 0 {
                found.push((at, WeighedTerm { field, weight: 1.0, pins, places }));
            }
        }
        Ok(())
    }
}

/// Which words are looked at.
fn rarest(words: &[Word]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by(|&a, &b| words[b].weight.total_cmp(&words[a].weight));
    let mut kept = vec![false; words.len()];
    order.into_iter().take(MATCHED_MAX).for_each(|word| kept[word] = true);
    kept
}

type Fields = [f32; TextField::COUNT];

/// BM25 of every pin, word and field: of forms of one word, the best.
fn found(
    bm25: &Bm25,
    of_term: &[(usize, usize)],
    (words, published): (usize, &Published),
    pins: &[PinId],
) -> Result<Vec<Fields>, IndexError> {
    let mut found = vec![Fields::default(); pins.len() * words];
    let mut order: Vec<usize> = (0..pins.len()).collect();
    order.sort_by_key(|&place| pins[place]);
    let sorted: Vec<PinId> = order.iter().map(|&place| pins[place]).collect();
    for (at, segment) in published.searcher.segment_readers().iter().enumerate() {
        let of_rows = &*published.pins[at];
        let mut rows = of_rows.rows(&sorted);
        rows.retain(|&row| segment.alive_bitset().is_none_or(|alive| alive.is_alive(row)));
        let first = |row: u32| sorted.partition_point(|&pin| pin < of_rows.pin(row));
        let places: Vec<usize> = rows.iter().map(|&row| first(row)).collect();
        bm25.of_each(at, segment, &rows, |term, row, score| {
            let (word, field) = of_term[term];
            let slot = &mut found[order[places[row]] * words + word][field];
            *slot = slot.max(score);
        })?;
    }
    // A pin that was asked about more than once is found at its first place.
    for at in 1..sorted.len() {
        if sorted[at] == sorted[at - 1] {
            found.copy_within(order[at - 1] * words..(order[at - 1] + 1) * words, order[at] * words);
        }
    }
    Ok(found)
}

/// What the words say together.
fn summed(words: &[Fields], weights: &[f32], says: &[bool]) -> TextMatch {
    let mut of = TextMatch { whole: says.contains(&true), ..TextMatch::default() };
    let all = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for ((fields, &weight), &says) in words.iter().zip(weights).zip(says) {
        of.fields.iter_mut().zip(fields).for_each(|(sum, score)| *sum += score);
        let has = |field: TextField| fields[field as usize] > 0.0;
        let own = has(TextField::Own);
        let any = own || has(TextField::Boards) || has(TextField::Queries) || has(TextField::Written);
        of.title += if has(TextField::Title) { weight / all } else { 0.0 };
        of.own += if own { weight / all } else { 0.0 };
        of.any += if any { weight / all } else { 0.0 };
        of.whole &= own || !says;
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TextDocument, TextIndex};

    fn index() -> TextIndex {
        let mut index = TextIndex::new().expect("an index");
        let board = ["lamps for the den".to_owned()];
        let put = |index: &mut TextIndex, pin, title, description, boards| {
            let words = TextDocument { title, description, boards, ..TextDocument::default() };
            index.upsert(PinId(pin), &words).expect("written");
        };
        put(&mut index, 0, "Blue lamp", "", &[]);
        put(&mut index, 1, "Blue wave", "", &[]);
        put(&mut index, 2, "Old lamps", "painted blue", &[]);
        index.commit().expect("visible");
        put(&mut index, 3, "Waves at noon", "", &board);
        (4..20).for_each(|pin| put(&mut index, pin, "Something blue", "", &[]));
        index.commit().expect("visible");
        index
    }

    #[test]
    fn words_are_found_by_field_and_weigh_by_rarity() {
        let index = index();
        let pins = [3, 0, 1, 2, 99, 0].map(PinId);
        let found = index.searcher().matches("the blue lamp", &pins).expect("readable");
        assert_eq!((found.words, found.known, found.pins.len()), (2, 2, 6));
        let [board, both, wave, old, nobody, again] = found.pins[..] else { panic!("six") };
        assert!(both.whole && old.whole && !wave.whole && !board.whole);
        assert_eq!(both, again, "asked twice");
        assert_eq!(nobody, TextMatch::default());
        assert!(both.title > 0.9 && old.title > 0.5 && old.title < both.title, "{old:?} {both:?}");
        assert!(wave.own < 0.5, "blue is common: {wave:?}");
        assert!(board.own == 0.0 && board.any > 0.5, "{board:?}");
        assert_eq!(both.own, both.any);
        assert!(board.fields[TextField::Boards as usize] > 0.0 && board.fields[TextField::Own as usize] == 0.0);
    }

    #[test]
    fn scores_of_a_field_are_those_of_searching_it() {
        let index = index();
        let weights = crate::TextWeights { title: 1.0, ..zero() };
        let searched = index.searcher().weighed(weights).search("blue lamp.", 30).expect("found");
        let pins: Vec<PinId> = searched.iter().map(|(pin, _)| *pin).collect();
        let found = index.searcher().matches("blue lamp.", &pins).expect("readable");
        for ((pin, score), of) in searched.iter().zip(&found.pins) {
            let title = of.fields[TextField::Title as usize];
            assert!((title - score).abs() < 1e-4, "{pin:?}: {title} and {score}");
        }
    }

    fn zero() -> crate::TextWeights {
        let none = crate::TextWeights::default();
        crate::TextWeights { text: 0.0, title: 0.0, annotations: 0.0, boards: 0.0, queries: 0.0, written: 0.0, ..none }
    }

    #[test]
    fn misspelt_words_stand_for_what_was_meant_and_unknown_ones_are_missed() {
        let index = index();
        let of = |text: &str| index.searcher().matches(text, &[PinId(0)]).expect("readable");
        assert!(of("blue lmap").pins[0].whole && of("blue lam").pins[0].whole);
        let unknown = of("blue xylophone");
        assert_eq!((unknown.words, unknown.known), (2, 1));
        assert!(!unknown.pins[0].whole && unknown.pins[0].own < 0.5);
        assert_eq!(of("?!"), TextMatches { pins: vec![TextMatch::default()], words: 0, known: 0 });
        let many: String = (0..40).map(|word| format!("w{word} ")).collect();
        assert_eq!(of(&many).words, MATCHED_MAX);
    }
}
