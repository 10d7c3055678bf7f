//! One pin in the catalogue, kept small: words are numbers, and what is of any size lies in one piece.

use crate::catalogue::NONE;
use crate::found::Found;
use crate::words::Words;
use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};
use domain::{Annotated, Column, Label, Pin, PinId, Understood, Verdict};

const DESCRIBED: u32 = 1;
const REMOVED: u32 = 2;
const UNSAFE: u32 = 4;
/// Its owner says which language it is in.
const TOLD_LANGUAGE: u32 = 8;
/// Its labels ask for a review, or for hiding.
const DOUBTED: u32 = 16;
const CONDEMNED: u32 = 32;
/// Somebody decided to keep it, or to hide it.
const KEPT: u32 = 64;
const HIDDEN: u32 = 128;

/// Smaller copies of a thumbnail that are told.
const WIDTHS_MAX: usize = 4;

/// What is of one size in every row. 48 bytes.
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
    /// Number of the oldest pin with the same picture; `NONE` when no other pin is known to have it.
    head: u32,
    /// Widths of smaller copies of the thumbnail (pixels); 0 for none.
    widths: [u16; WIDTHS_MAX],
}

/// How a pin stands with those who look after the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is nothing to say.
    Fine,
    /// It is shown, and should be looked at.
    Waiting,
    /// It is not shown, because of its labels.
    Condemned,
    /// Somebody decided to show it.
    Kept,
    /// Somebody decided to hide it.
    Hidden,
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

/// Words in front of a record: lengths of the texts (bytes), how many topics, traits and colours there are, and how
/// many words hold what was found.
const HEAD: usize = TEXTS + 4;

/// What is of any size in a row, packed into one piece of memory: lengths, topics, traits, what was found, then bytes
/// of texts and colours.
#[derive(Clone, Copy, Default)]
struct Record<'a> {
    texts: [&'a str; TEXTS],
    topics: &'a [u32],
    traits: &'a [u32],
    palette: &'a [[u8; 3]],
    /// See [`Found`].
    found: &'a [u32],
}

impl<'a> Record<'a> {
    fn pack(&self) -> Column<u32> {
        let palette: &[u8] = cast_slice(self.palette);
        let texts = self.texts.iter().map(|text| text.as_bytes());
        let bytes: Vec<u8> = texts.chain([palette]).flatten().copied().collect();
        if bytes.is_empty() && [self.topics, self.traits, self.found].concat().is_empty() {
            return Column::default();
        }
        let lengths = self.texts.iter().map(|text| text.len());
        let lengths = lengths.chain([self.topics.len(), self.traits.len(), self.palette.len(), self.found.len()]);
        let mut words: Vec<u32> = lengths.map(|length| length as u32).collect();
        words.extend(self.topics.iter().chain(self.traits).chain(self.found));
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
        let (found, rest) = rest.split_at_checked(head[TEXTS + 3] as usize)?;
        Found::of(found)?;
        let mut rest: &[u8] = cast_slice(rest);
        let mut texts = [""; TEXTS];
        for (text, &length) in texts.iter_mut().zip(head) {
            let (bytes, after) = rest.split_at_checked(length as usize)?;
            *text = std::str::from_utf8(bytes).ok()?;
            rest = after;
        }
        let palette = rest.get(..(head[TEXTS + 2] as usize).checked_mul(3)?)?;
        Some(Record { texts, topics, traits, palette: cast_slice(palette), found })
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
    /// Widths of smaller copies beside it (pixels); 0 for none.
    pub thumbnail_widths: [u16; WIDTHS_MAX],
    /// Where a click leads.
    pub link: Option<&'a str>,
    /// Who made it.
    pub creator: Option<&'a str>,
    /// Language as a two-letter code, told or found.
    pub language: Option<&'a str>,
    /// Whether its owner told the language.
    pub language_told: bool,
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
    /// Whether its owner says that it may not be shown to anybody.
    pub unsafe_content: bool,
    /// What follows from its labels.
    pub verdict: Verdict,
    /// What somebody decided, which counts more: to show or to hide it.
    pub decision: Option<Verdict>,
    found: Found<'a>,
    topics: &'a [u32],
    traits: &'a [u32],
    words: &'a Words,
}

impl Default for PinRow {
    fn default() -> Self {
        let fixed = Fixed { expires_ms: u64::MAX, creator: NONE, language: NONE, head: NONE, ..Fixed::zeroed() };
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
        let said = [TITLE, DESCRIPTION, IMAGE];
        let changed = said.iter().any(|&at| texts[at] != before.texts[at]);
        self.record = Record { texts, topics: &topics, traits: &traits, ..before }.pack();
        let fixed = &mut self.fixed;
        fixed.creator = pin.creator.as_deref().map_or(NONE, &mut number);
        fixed.created_ms = pin.created_ms;
        fixed.expires_ms = pin.expires_ms.unwrap_or(u64::MAX);
        // What was decided to be kept was kept as it was.
        let stays = DOUBTED | CONDEMNED | HIDDEN | if changed { 0 } else { KEPT };
        let found = fixed.flags & TOLD_LANGUAGE == 0;
        fixed.flags = DESCRIBED | fixed.flags & stays | if pin.unsafe_content { UNSAFE } else { 0 };
        match &pin.language {
            Some(told) => {
                fixed.language = number(told);
                fixed.flags |= TOLD_LANGUAGE;
            }
            None if found => {}
            None => fixed.language = NONE,
        }
    }

    pub(crate) fn understand(&mut self, understood: &Understood) {
        let before = self.record();
        let mut texts = before.texts;
        texts[THUMBNAIL] = understood.thumbnail.as_deref().unwrap_or("");
        self.record = Record { texts, palette: &understood.palette, ..before }.pack();
        let fixed = &mut self.fixed;
        fixed.size = understood.size.map_or([0, 0], |(width, height)| [width, height]);
        fixed.widths = [0; WIDTHS_MAX];
        fixed.widths.iter_mut().zip(&understood.thumbnail_widths).for_each(|(kept, &width)| *kept = width);
    }

    pub(crate) fn annotate(&mut self, annotated: &Annotated, words: &mut Words) {
        let found = Found::pack(annotated, words);
        self.record = Record { found: &found, ..self.record() }.pack();
        let fixed = &mut self.fixed;
        if fixed.flags & TOLD_LANGUAGE == 0 {
            fixed.language = annotated.language.as_deref().and_then(|code| words.intern(code)).unwrap_or(NONE);
        }
        let verdict = match annotated.verdict {
            Verdict::Show => 0,
            Verdict::Review => DOUBTED,
            Verdict::Hide => CONDEMNED,
        };
        fixed.flags = fixed.flags & !(DOUBTED | CONDEMNED) | verdict;
    }

    /// Takes what somebody decided; `Review` takes an earlier decision back.
    pub(crate) fn decide(&mut self, verdict: Verdict) {
        let decision = match verdict {
            Verdict::Show => KEPT,
            Verdict::Hide => HIDDEN,
            Verdict::Review => 0,
        };
        self.fixed.flags = self.fixed.flags & !(KEPT | HIDDEN) | decision;
    }

    /// Puts it to the pins with the same picture as `head`, or to none.
    pub(crate) fn cluster(&mut self, head: Option<PinId>) {
        self.fixed.head = head.map_or(NONE, |head| head.0);
    }

    /// The oldest pin with the same picture, where another pin has it too.
    pub(crate) fn head(&self) -> Option<PinId> {
        (self.fixed.head != NONE).then_some(PinId(self.fixed.head))
    }

    /// What somebody decided; if nothing, what its labels ask for.
    pub(crate) fn standing(&self) -> Standing {
        let is = |flag: u32| self.fixed.flags & flag != 0;
        match () {
            () if !self.described() || is(REMOVED) => Standing::Fine,
            () if is(HIDDEN) => Standing::Hidden,
            () if is(KEPT) => Standing::Kept,
            () if is(CONDEMNED) => Standing::Condemned,
            () if is(DOUBTED) => Standing::Waiting,
            () => Standing::Fine,
        }
    }

    /// Whether a decision or a label keeps it from being shown.
    pub(crate) fn withheld(&self) -> bool {
        matches!(self.standing(), Standing::Hidden | Standing::Condemned)
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
        let Record { texts, topics, traits, palette, found } = row.record();
        let Fixed { created_ms, expires_ms, size: [width, height], language, flags, widths, .. } = row.fixed;
        let is = |flag: u32| flags & flag != 0;
        PinView {
            key,
            title: texts[TITLE],
            description: texts[DESCRIPTION],
            image: some(texts[IMAGE]),
            thumbnail: some(texts[THUMBNAIL]),
            thumbnail_widths: widths,
            link: some(texts[LINK]),
            creator: row.creator().map(|number| words.word(number)),
            language: some(words.word(language)),
            language_told: is(TOLD_LANGUAGE),
            created_ms,
            expires_ms: (expires_ms != u64::MAX).then_some(expires_ms),
            size: (width != 0 || height != 0).then_some((width, height)),
            palette,
            described: is(DESCRIBED),
            removed: is(REMOVED),
            unsafe_content: is(UNSAFE),
            verdict: if is(CONDEMNED) {
                Verdict::Hide
            } else if is(DOUBTED) {
                Verdict::Review
            } else {
                Verdict::Show
            },
            decision: if is(HIDDEN) { Some(Verdict::Hide) } else { is(KEPT).then_some(Verdict::Show) },
            found: Found::of(found).unwrap_or_default(),
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

    /// Topics that were found, surest first.
    pub fn found_topics(&self) -> impl Iterator<Item = &'a str> {
        self.found.topics(self.words)
    }

    /// What it is about: its owner's topics, and where there are none, those that were found.
    pub fn all_topics(&self) -> impl Iterator<Item = &'a str> {
        self.topics().chain(self.found_topics().filter(|_| self.topics.is_empty()))
    }

    /// Terms that it is about, with a confidence from 0 to 1, surest first.
    pub fn terms(&self) -> impl Iterator<Item = (&'a str, f32)> {
        self.found.terms(self.words)
    }

    /// What is wrong with it, by measure.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        self.found.labels(self.words)
    }

    /// Where it lies among all contents, each byte more exactly than the one before.
    pub fn semantic_id(&self) -> Option<[u8; 4]> {
        self.found.semantic_id()
    }

    /// Its traits as its owner wrote them. They are learned from and never shown.
    pub fn traits(&self) -> impl Iterator<Item = &'a str> {
        let words = self.words;
        self.traits.iter().map(move |&number| words.word(number))
    }
}
