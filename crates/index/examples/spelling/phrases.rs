//! Phrases of titles, right and misspelt; words and pairs of words that are known.
//!
//! Of one title in five the phrases are taken; neighbours are counted in the other four, words in all. One of twenty
//! words that are rare is counted nowhere: it is right, but nobody knows it.

use super::misspell::misspelt;
use domain::{Rng, hash64};
use flate2::read::GzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Read;
use std::path::Path;

const SEED: u64 = 11;
const PHRASE_TITLES: u64 = 5;
const RARE_COUNT_MAX: u32 = 10;
const UNKNOWN_OF: u64 = 20;
const EDITED_CHARS_MIN: usize = 4;
const NAME: &str = "productDisplayName";

/// What is wrong with a phrase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    OneEdit,
    TwoEdits,
    Joined,
    Split,
    Right,
    RightUnknown,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] =
        [Kind::OneEdit, Kind::TwoEdits, Kind::Joined, Kind::Split, Kind::Right, Kind::RightUnknown];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::OneEdit => "one edit",
            Kind::TwoEdits => "two edits",
            Kind::Joined => "space left out",
            Kind::Split => "space added",
            Kind::Right => "right",
            Kind::RightUnknown => "right, a word new",
        }
    }
}

/// A phrase as typed and as meant.
pub(crate) struct Phrase {
    pub(crate) kind: Kind,
    pub(crate) typed: String,
    pub(crate) meant: String,
    /// Whether parameters may be chosen on it.
    pub(crate) development: bool,
}

/// What is known, and what is asked.
pub(crate) struct Catalogue {
    pub(crate) words: BTreeMap<String, u32>,
    pub(crate) pairs: BTreeMap<(String, String), u32>,
    pub(crate) phrases: Vec<Phrase>,
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(SEED, |hash, byte| hash64(hash ^ u64::from(byte)))
}

fn is_code(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

/// A line's cells; quotes may hold commas.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().into_iter().for_each(|cell| cell.push(letter)),
        }
    }
    cells
}

/// The words of every different title.
fn titles() -> Result<BTreeSet<Vec<String>>, Box<dyn Error>> {
    let folder = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| "../shared/data".into());
    let file = std::fs::File::open(Path::new(&folder).join("fashion_products/products.csv.gz"))?;
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text)?;
    let mut lines = text.lines();
    let names = cells(lines.next().unwrap_or_default());
    let at = names.iter().position(|name| name == NAME).ok_or("no column of titles")?;
    let words = |title: &String| {
        let words = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>()
    };
    Ok(lines.filter_map(|line| cells(line).get(at).map(words)).filter(|words| words.len() > 1).collect())
}

impl Catalogue {
    pub(crate) fn read() -> Result<Catalogue, Box<dyn Error>> {
        let titles = titles()?;
        let mut all: BTreeMap<String, u32> = BTreeMap::new();
        titles
            .iter()
            .flatten()
            .filter(|word| !is_code(word))
            .for_each(|word| *all.entry(word.clone()).or_default() += 1);
        let is_new = |word: &str, count: u32| {
            count <= RARE_COUNT_MAX && word.chars().count() >= EDITED_CHARS_MIN && hash(word).is_multiple_of(UNKNOWN_OF)
        };
        let (new, words): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(word, count)| is_new(word, *count));
        let mut catalogue = Catalogue { words, pairs: BTreeMap::new(), phrases: Vec::new() };
        for title in &titles {
            let hash = hash(&title.join(" "));
            if !hash.is_multiple_of(PHRASE_TITLES) {
                for pair in title.windows(2).filter(|pair| pair.iter().all(|word| catalogue.words.contains_key(word))) {
                    *catalogue.pairs.entry((pair[0].clone(), pair[1].clone())).or_default() += 1;
                }
            }
            catalogue.ask(title, hash, &new);
        }
        Ok(catalogue)
    }

    /// Phrases of two to four words, of every kind that the title gives.
    fn ask(&mut self, title: &[String], hash: u64, new: &BTreeMap<String, u32>) {
        let mut rng = Rng::new(hash);
        let length = (2 + rng.below(3) as usize).min(title.len());
        let start = rng.below((title.len() - length + 1) as u32) as usize;
        let mut words = title[start..start + length].to_vec();
        let development = (hash / PHRASE_TITLES).is_multiple_of(2);
        // Every title with a new word is asked: there are few.
        if let Some(at) = title.iter().position(|word| new.contains_key(word)) {
            words = title[at.saturating_sub(1)..(at + 2).min(title.len())].to_vec();
            let meant = words.join(" ");
            self.phrases.push(Phrase { kind: Kind::RightUnknown, typed: meant.clone(), meant, development });
            return;
        }
        if !hash.is_multiple_of(PHRASE_TITLES) {
            return;
        }
        let meant = words.join(" ");
        let mut push = |kind, typed| {
            self.phrases.push(Phrase { kind, typed, meant: meant.clone(), development });
        };
        push(Kind::Right, meant.clone());
        let known = |word: &str| self.words.contains_key(word) || new.contains_key(word);
        let long = |word: &String| !is_code(word) && word.chars().count() >= EDITED_CHARS_MIN;
        let edited: Vec<usize> = (0..words.len()).filter(|&at| long(&words[at])).collect();
        let with = |at: usize, typed: String| {
            let mut words = words.clone();
            words[at] = typed;
            words.join(" ")
        };
        if !edited.is_empty() {
            let at = edited[rng.below(edited.len() as u32) as usize];
            for (kind, edits) in [(Kind::OneEdit, 1), (Kind::TwoEdits, 2)] {
                misspelt(&mut rng, &words[at], edits, known).into_iter().for_each(|typed| push(kind, with(at, typed)));
            }
            let cut: Vec<char> = words[at].chars().collect();
            let (left, right) = cut.split_at(2 + rng.below(cut.len() as u32 - 3) as usize);
            let typed = left.iter().chain([&' ']).chain(right).collect();
            push(Kind::Split, with(at, typed));
        }
        let at = rng.below(words.len() as u32 - 1) as usize;
        let joined = words[at..at + 2].concat();
        if !is_code(&joined) && !known(&joined) {
            let mut words = words.clone();
            words.splice(at..at + 2, [joined]);
            push(Kind::Joined, words.join(" "));
        }
    }

    /// `phrases.tsv`, `words.tsv`, `pairs.tsv`.
    pub(crate) fn export(&self, folder: &str) -> Result<(), Box<dyn Error>> {
        let folder = Path::new(folder);
        std::fs::create_dir_all(folder)?;
        let half = |development| if development { "development" } else { "test" };
        let phrases = self.phrases.iter().map(|phrase| {
            format!("{}\t{}\t{}\t{}\n", half(phrase.development), phrase.kind.name(), phrase.typed, phrase.meant)
        });
        std::fs::write(folder.join("phrases.tsv"), phrases.collect::<String>())?;
        let words = self.words.iter().map(|(word, count)| format!("{word}\t{count}\n"));
        std::fs::write(folder.join("words.tsv"), words.collect::<String>())?;
        let pairs = self.pairs.iter().map(|((left, right), count)| format!("{left}\t{right}\t{count}\n"));
        std::fs::write(folder.join("pairs.tsv"), pairs.collect::<String>())?;
        Ok(())
    }
}
