//! A field with words per pin: each word once as a code, the codes of each pin, the pins of each code.

use super::error::FilterError;
use super::file::KeptWords;
use super::posting::Posting;
use domain::PinId;
use std::collections::HashMap;
use std::sync::Arc;

/// Most words of one pin in one field.
const PIN_WORDS_MAX: usize = 256;
/// Most different words of one field.
const FIELD_WORDS_MAX: usize = 1 << 24;
/// The code of no word.
const NONE: u32 = u32::MAX;
/// Dead codes in [`Rows::Several`] that are not worth packing.
const DEAD_MIN: usize = 4_096;

/// Codes per pin.
#[derive(Clone, Debug)]
enum Rows {
    /// At most one each.
    One(Vec<u32>),
    /// `codes[start..start + len]`, with gaps between.
    Several { spans: Vec<(u32, u16)>, codes: Vec<u32>, dead: usize },
}

impl Rows {
    #[inline]
    fn of(&self, pin: PinId) -> &[u32] {
        match self {
            Rows::One(codes) => codes.get(pin.index()).filter(|&&code| code != NONE).map_or(&[], std::slice::from_ref),
            Rows::Several { spans, codes, .. } => {
                let (start, len) = spans.get(pin.index()).copied().unwrap_or_default();
                &codes[start as usize..][..usize::from(len)]
            }
        }
    }

    /// From how many codes each pin has, and all of them.
    fn restore(one_each: bool, counts: &[u16], codes: Vec<u32>) -> Rows {
        let mut start = 0;
        let spans = counts.iter().map(|&count| {
            start += u32::from(count);
            (start - u32::from(count), count)
        });
        if one_each {
            let code = |(start, count)| if count > 0 { codes[start as usize] } else { NONE };
            return Rows::One(spans.map(code).collect());
        }
        Rows::Several { spans: spans.collect(), codes, dead: 0 }
    }

    fn set(&mut self, pin: PinId, fresh: &[u32]) {
        match self {
            Rows::One(codes) => {
                if pin.index() >= codes.len() {
                    codes.resize(pin.index() + 1, NONE);
                }
                codes[pin.index()] = fresh.first().copied().unwrap_or(NONE);
            }
            Rows::Several { spans, codes, dead } => {
                if pin.index() >= spans.len() {
                    spans.resize(pin.index() + 1, (0, 0));
                }
                let (start, len) = &mut spans[pin.index()];
                if fresh.len() > usize::from(*len) {
                    *dead += usize::from(*len);
                    *start = codes.len() as u32;
                    codes.extend_from_slice(fresh);
                } else {
                    *dead += usize::from(*len) - fresh.len();
                    codes[*start as usize..][..fresh.len()].copy_from_slice(fresh);
                }
                *len = fresh.len() as u16;
                if *dead > DEAD_MIN.max(codes.len() / 2) {
                    pack(spans, codes);
                    *dead = 0;
                }
            }
        }
    }
}

/// Closes the gaps.
fn pack(spans: &mut [(u32, u16)], codes: &mut Vec<u32>) {
    let mut packed = Vec::with_capacity(codes.len() / 2);
    for (start, len) in spans {
        let from = *start as usize;
        *start = packed.len() as u32;
        packed.extend_from_slice(&codes[from..][..usize::from(*len)]);
    }
    *codes = packed;
}

/// Words per pin and pins per word. A word that no pin has any more is forgotten, and its code is given to another.
#[derive(Clone, Debug)]
pub(super) struct Words {
    code_of: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
    postings: Vec<Posting>,
    free: Vec<u32>,
    rows: Rows,
    /// How many pins have a word.
    len: usize,
}

impl Words {
    /// A field with at most one word per pin, or with several.
    pub(super) fn new(several: bool) -> Words {
        let rows = match several {
            true => Rows::Several { spans: Vec::new(), codes: Vec::new(), dead: 0 },
            false => Rows::One(Vec::new()),
        };
        let (names, postings, free) = (Vec::new(), Vec::new(), Vec::new());
        Words { code_of: HashMap::new(), names, postings, free, rows, len: 0 }
    }

    /// What a snapshot keeps. A word that no pin has is an empty one.
    pub(super) fn kept(&self) -> KeptWords {
        let mut kept = KeptWords { text: String::new(), ends: Vec::new(), counts: Vec::new(), codes: Vec::new() };
        for (name, posting) in self.names.iter().zip(&self.postings) {
            kept.text.push_str(if posting.len() > 0 { name } else { "" });
            kept.ends.push(kept.text.len() as u64);
        }
        let pins = match &self.rows {
            Rows::One(codes) => codes.len(),
            Rows::Several { spans, .. } => spans.len(),
        };
        for pin in (0..pins as u32).map(PinId) {
            let codes = self.of(pin);
            kept.counts.push(codes.len() as u16);
            kept.codes.extend_from_slice(codes);
        }
        kept
    }

    /// The words as they were kept; `None` when their parts do not fit each other. There are about `all` pins.
    pub(super) fn restore(one_each: bool, kept: KeptWords, all: usize) -> Option<Words> {
        let mut words = Words::new(!one_each);
        let mut start = 0;
        for end in kept.ends {
            words.names.push(kept.text.get(start..end as usize)?.into());
            start = end as usize;
        }
        words.postings.resize_with(words.names.len(), Posting::default);
        let mut rest = &kept.codes[..];
        for (pin, &count) in (0u32..).map(PinId).zip(&kept.counts) {
            let (codes, after) = rest.split_at_checked(usize::from(count))?;
            let most = if one_each { 1 } else { PIN_WORDS_MAX };
            if codes.len() > most || !codes.is_sorted_by(|a, b| a < b) {
                return None;
            }
            for &code in codes {
                words.postings.get_mut(code as usize)?.insert(pin, all);
            }
            words.len += usize::from(!codes.is_empty());
            rest = after;
        }
        words.rows = Rows::restore(one_each, &kept.counts, kept.codes);
        for (code, posting) in (0u32..).zip(&words.postings) {
            match posting.len() {
                0 => words.free.push(code),
                _ => _ = words.code_of.insert(words.names[code as usize].clone(), code),
            }
        }
        Some(words)
    }

    /// The codes of `pin`, sorted.
    #[inline]
    pub(super) fn of(&self, pin: PinId) -> &[u32] {
        self.rows.of(pin)
    }

    /// Whether no pin has two words.
    pub(super) fn one_each(&self) -> bool {
        matches!(self.rows, Rows::One(_))
    }

    /// How many pins have a word.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The code of a word that some pin has.
    pub(super) fn code(&self, word: &str) -> Option<u32> {
        self.code_of.get(word).copied()
    }

    /// The pins that have the word with that code.
    pub(super) fn posting(&self, code: u32) -> &Posting {
        &self.postings[code as usize]
    }

    /// How many pins have each word, in no order.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        let all = self.names.iter().zip(&self.postings);
        all.filter(|(_, posting)| posting.len() > 0).map(|(name, posting)| (&**name, posting.len()))
    }

    /// Sets the words of `pin`, one of about `all` pins that there are. Nothing changes when they are refused.
    pub(super) fn set(&mut self, pin: PinId, words: &[&str], all: usize) -> Result<(), FilterError> {
        let most = if self.one_each() { 1 } else { PIN_WORDS_MAX };
        let refuse = |what, got, max| Err(FilterError::TooMany { what, got, max });
        if words.len() > most {
            return refuse("words of a pin in one field", words.len(), most);
        }
        if self.names.len() - self.free.len() + words.len() > FIELD_WORDS_MAX {
            return refuse("different words of one field", FIELD_WORDS_MAX + 1, FIELD_WORDS_MAX);
        }
        let mut fresh: Vec<u32> = words.iter().map(|word| self.intern(word)).collect();
        fresh.sort_unstable();
        fresh.dedup();
        let old = self.rows.of(pin).to_vec();
        if old == fresh {
            return Ok(());
        }
        self.rows.set(pin, &fresh);
        self.len = self.len + usize::from(!fresh.is_empty()) - usize::from(!old.is_empty());
        for &code in fresh.iter().filter(|code| !old.contains(code)) {
            self.postings[code as usize].insert(pin, all);
        }
        for &code in old.iter().filter(|code| !fresh.contains(code)) {
            self.postings[code as usize].remove(pin, all);
            self.forget_unused(code);
        }
        Ok(())
    }

    fn intern(&mut self, word: &str) -> u32 {
        if let Some(&code) = self.code_of.get(word) {
            return code;
        }
        let name: Arc<str> = word.into();
        let code = match self.free.pop() {
            Some(code) => {
                self.names[code as usize] = name.clone();
                code
            }
            None => {
                self.names.push(name.clone());
                self.postings.push(Posting::default());
                self.names.len() as u32 - 1
            }
        };
        self.code_of.insert(name, code);
        code
    }

    fn forget_unused(&mut self, code: u32) {
        if self.postings[code as usize].len() == 0 {
            self.postings[code as usize] = Posting::default();
            self.code_of.remove(&self.names[code as usize]);
            self.free.push(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_pins_are_forgotten_and_gaps_are_closed() {
        let mut words = Words::new(true);
        for round in 0..20 {
            for pin in 0..500 {
                let (a, b) = (format!("{round} {pin}"), format!("{}", pin % 7));
                let several: Vec<&str> =
                    [a.as_str(), b.as_str(), b.as_str(), "all"].into_iter().take(1 + round).collect();
                words.set(PinId(pin), &several, 500).expect("few words");
            }
        }
        assert_eq!((words.len(), words.code_of.len(), words.code("3 3")), (500, 508, None));
        assert!(words.names.len() < 1_100, "{} names of 508 words", words.names.len());
        assert_eq!(words.counts().map(|(_, pins)| pins).sum::<usize>(), 1_500);
        assert_eq!(words.of(PinId(3)).len(), 3);
        let Rows::Several { codes, .. } = &words.rows else { panic!("several") };
        assert!(codes.len() <= 1_500 + 2 * DEAD_MIN, "{} codes", codes.len());
        let refused = words.set(PinId(0), &["x"; 257], 500).expect_err("too many");
        assert_eq!(refused.to_string(), "words of a pin in one field: 257, at most 256");
        let refused = Words::new(false).set(PinId(0), &["a", "b"], 1).expect_err("one only");
        assert_eq!(refused.to_string(), "words of a pin in one field: 2, at most 1");
    }
}
