//! One pin in the catalogue, kept small: words are numbers, and what is of any size lies in one piece.

use crate::catalogue::NONE;
use crate::words::Words;
use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};
use domain::{Column, Pin, Understood};

const DESCRIBED: u32 = 1;
const REMOVED: u32 = 2;
const UNSAFE: u32 = 4;

/// What is of one size in every row. 40 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Fixed {
    created_ms: u64,
    /// `u64::MAX` when it never expires.
    expires_ms: u64,
    creator: u32,
    language: u32,
    size: [u32; 2],
    flags: u32,
    zero: u32,
}

#[derive(Debug)]
pub(crate) struct PinRow {
    fixed: Fixed,
    /// See [`Record`]; empty when all of it is. That of a snapshot is read where it lies.
    record: Column<u32>,
}

/// Texts of a record.
const TEXTS: usize = 5;
const TITLE: usize = 0;
const DESCRIPTION: usize = 1;
const IMAGE: usize = 2;
const LINK: usize = 3;
const THUMBNAIL: usize = 4;

/// Words in front of a record: lengths of the texts (bytes), how many topics, traits and colours there are.
const HEAD: usize = TEXTS + 3;

/// What is of any size in a row, packed into one piece of memory: lengths, topics, traits, then bytes of texts and
/// colours.
#[derive(Clone, Copy, Default)]
struct Record<'a> {
    texts: [&'a str; TEXTS],
    topics: &'a [u32],
    traits: &'a [u32],
    palette: &'a [[u8; 3]],
}

impl<'a> Record<'a> {
    fn pack(&self) -> Column<u32> {
        let palette: &[u8] = cast_slice(self.palette);
        let texts = self.texts.iter().map(|text| text.as_bytes());
        let bytes: Vec<u8> = texts.chain([palette]).flatten().copied().collect();
        if bytes.is_empty() && self.topics.is_empty() && self.traits.is_empty() {
            return Column::default();
        }
        let lengths = self.texts.iter().map(|text| text.len());
        let lengths = lengths.chain([self.topics.len(), self.traits.len(), self.palette.len()]);
        let mut words: Vec<u32> = lengths.map(|length| length as u32).collect();
        words.extend(self.topics.iter().chain(self.traits));
        let start = words.len();
        words.resize(start + bytes.len().div_ceil(4), 0);
        cast_slice_mut(&mut words[start..])[..bytes.len()].copy_from_slice(&bytes);
        words.into()
    }

    /// `None` when the words are no record.
    fn of(words: &'a [u32]) -> Option<Record<'a>> {
        if words.is_empty() {
            return Some(Record::default());
        }
        let (head, rest) = words.split_at_checked(HEAD)?;
        let (topics, rest) = rest.split_at_checked(head[TEXTS] as usize)?;
        let (traits, rest) = rest.split_at_checked(head[TEXTS + 1] as usize)?;
        let mut rest: &[u8] = cast_slice(rest);
        let mut texts = [""; TEXTS];
        for (text, &length) in texts.iter_mut().zip(head) {
            let (bytes, after) = rest.split_at_checked(length as usize)?;
            *text = std::str::from_utf8(bytes).ok()?;
            rest = after;
        }
        let palette = rest.get(..(head[TEXTS + 2] as usize).checked_mul(3)?)?;
        Some(Record { texts, topics, traits, palette: cast_slice(palette) })
    }
}

/// What is known of a pin.
#[derive(Clone, Copy, Debug)]
pub struct PinView<'a> {
    /// The owner's id of it.
    pub key: &'a str,
    /// Short text shown under the picture.
    pub title: &'a str,
    /// Longer text.
    pub description: &'a str,
    /// Where the picture is.
    pub image: Option<&'a str>,
    /// Blob key of the thumbnail.
    pub thumbnail: Option<&'a str>,
    /// Where a click leads.
    pub link: Option<&'a str>,
    /// Who made it.
    pub creator: Option<&'a str>,
    /// Language as a two-letter code.
    pub language: Option<&'a str>,
    /// When it was made (ms, UTC); 0 when unknown.
    pub created_ms: u64,
    /// When it stops being shown (ms, UTC).
    pub expires_ms: Option<u64>,
    /// Width and height of the picture in pixels.
    pub size: Option<(u32, u32)>,
    /// Main colours, most frequent first.
    pub palette: &'a [[u8; 3]],
    /// Whether its owner described it; a placeholder was only mentioned.
    pub described: bool,
    /// Whether it was taken away.
    pub removed: bool,
    /// Whether it may not be shown to anybody.
    pub unsafe_content: bool,
    topics: &'a [u32],
    traits: &'a [u32],
    words: &'a Words,
}

impl Default for PinRow {
    fn default() -> Self {
        let fixed = Fixed { expires_ms: u64::MAX, creator: NONE, language: NONE, ..Fixed::zeroed() };
        PinRow { fixed, record: Column::default() }
    }
}

impl PinRow {
    /// A row as it was kept; `None` when the words are no record.
    pub(crate) fn restore(fixed: Fixed, record: Column<u32>) -> Option<PinRow> {
        Record::of(&record)?;
        Some(PinRow { fixed, record })
    }

    /// What is kept of a row.
    pub(crate) fn kept(&self) -> (Fixed, &[u32]) {
        (self.fixed, &self.record)
    }

    fn record(&self) -> Record<'_> {
        Record::of(&self.record).expect("invariant: records are packed or checked")
    }

    pub(crate) fn describe(&mut self, pin: &Pin, words: &mut Words) {
        let (topics, traits) = (words.intern_all(&pin.topics), words.intern_all(&pin.traits));
        let mut number = |word: &str| words.intern(word).unwrap_or(NONE);
        let before = self.record();
        let mut texts = before.texts;
        texts[TITLE] = &pin.title;
        texts[DESCRIPTION] = &pin.description;
        texts[IMAGE] = pin.image.as_deref().unwrap_or("");
        texts[LINK] = pin.link.as_deref().unwrap_or("");
        self.record = Record { texts, topics: &topics, traits: &traits, ..before }.pack();
        let fixed = &mut self.fixed;
        fixed.creator = pin.creator.as_deref().map_or(NONE, &mut number);
        fixed.language = pin.language.as_deref().map_or(NONE, &mut number);
        fixed.created_ms = pin.created_ms;
        fixed.expires_ms = pin.expires_ms.unwrap_or(u64::MAX);
        fixed.flags = DESCRIBED | if pin.unsafe_content { UNSAFE } else { 0 };
    }

    pub(crate) fn understand(&mut self, understood: &Understood) {
        let before = self.record();
        let mut texts = before.texts;
        texts[THUMBNAIL] = understood.thumbnail.as_deref().unwrap_or("");
        self.record = Record { texts, palette: &understood.palette, ..before }.pack();
        self.fixed.size = understood.size.map_or([0, 0], |(width, height)| [width, height]);
    }

    pub(crate) fn remove(&mut self) {
        self.fixed.flags |= REMOVED;
    }

    /// When it was made (ms, UTC); 0 when unknown.
    pub(crate) fn created_ms(&self) -> u64 {
        self.fixed.created_ms
    }

    pub(crate) fn described(&self) -> bool {
        self.fixed.flags & DESCRIBED != 0
    }

    /// Removed or expired.
    pub(crate) fn gone(&self, now_ms: u64) -> bool {
        self.fixed.flags & REMOVED != 0 || self.fixed.expires_ms <= now_ms
    }

    pub(crate) fn not_safe(&self) -> bool {
        self.fixed.flags & UNSAFE != 0
    }

    /// Number of its creator, if it has one; equal numbers are equal creators.
    pub(crate) fn creator(&self) -> Option<u32> {
        (self.fixed.creator != NONE).then_some(self.fixed.creator)
    }

    /// Numbers of its topics.
    pub(crate) fn topics(&self) -> &[u32] {
        self.numbers()[0]
    }

    /// Numbers of its traits.
    pub(crate) fn traits(&self) -> &[u32] {
        self.numbers()[1]
    }

    /// Topics and traits. Asked for each candidate: the texts are left alone.
    fn numbers(&self) -> [&[u32]; 2] {
        let [topics, traits] = [TEXTS, TEXTS + 1].map(|at| self.record.get(at).map_or(0, |&count| count as usize));
        let numbers = self.record.get(HEAD..HEAD + topics + traits).unwrap_or(&[]);
        let (topics, traits) = numbers.split_at(topics.min(numbers.len()));
        [topics, traits]
    }
}

impl<'a> PinView<'a> {
    pub(crate) fn new(key: &'a str, row: &'a PinRow, words: &'a Words) -> PinView<'a> {
        fn some(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        let Record { texts, topics, traits, palette } = row.record();
        let Fixed { created_ms, expires_ms, size: [width, height], language, flags, .. } = row.fixed;
        PinView {
            key,
            title: texts[TITLE],
            description: texts[DESCRIPTION],
            image: some(texts[IMAGE]),
            thumbnail: some(texts[THUMBNAIL]),
            link: some(texts[LINK]),
            creator: row.creator().map(|number| words.word(number)),
            language: some(words.word(language)),
            created_ms,
            expires_ms: (expires_ms != u64::MAX).then_some(expires_ms),
            size: (width != 0 || height != 0).then_some((width, height)),
            palette,
            described: flags & DESCRIBED != 0,
            removed: flags & REMOVED != 0,
            unsafe_content: flags & UNSAFE != 0,
            topics,
            traits,
            words,
        }
    }

    /// Its topics as its owner wrote them.
    pub fn topics(&self) -> impl Iterator<Item = &'a str> {
        let words = self.words;
        self.topics.iter().map(move |&number| words.word(number))
    }

    /// Its traits as its owner wrote them. They are learned from and never shown.
    pub fn traits(&self) -> impl Iterator<Item = &'a str> {
        let words = self.words;
        self.traits.iter().map(move |&number| words.word(number))
    }
}
