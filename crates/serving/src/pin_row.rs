//! One pin in the catalogue, kept small: words are numbers, empty texts take no heap.

use crate::catalogue::NONE;
use crate::names::Names;
use domain::{Pin, Understood};

const DESCRIBED: u8 = 1;
const REMOVED: u8 = 2;
const UNSAFE: u8 = 4;

#[derive(Debug)]
pub(crate) struct PinRow {
    title: Box<str>,
    description: Box<str>,
    image: Box<str>,
    link: Box<str>,
    thumbnail: Box<str>,
    topics: Box<[u32]>,
    palette: Box<[[u8; 3]]>,
    creator: u32,
    language: u32,
    pub(crate) created_ms: u64,
    /// `u64::MAX` when it never expires.
    expires_ms: u64,
    size: (u32, u32),
    flags: u8,
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
    words: &'a Names,
}

impl Default for PinRow {
    fn default() -> Self {
        PinRow {
            title: Box::default(),
            description: Box::default(),
            image: Box::default(),
            link: Box::default(),
            thumbnail: Box::default(),
            topics: Box::default(),
            palette: Box::default(),
            creator: NONE,
            language: NONE,
            created_ms: 0,
            expires_ms: u64::MAX,
            size: (0, 0),
            flags: 0,
        }
    }
}

impl PinRow {
    pub(crate) fn describe(&mut self, pin: &Pin, words: &mut Names) {
        let text = |text: &Option<String>| text.as_deref().unwrap_or("").into();
        let mut number = |word: &str| words.intern(word).unwrap_or(NONE);
        self.title = pin.title.as_str().into();
        self.description = pin.description.as_str().into();
        self.image = text(&pin.image);
        self.link = text(&pin.link);
        self.topics = pin.topics.iter().map(|topic| number(topic)).collect();
        self.creator = pin.creator.as_deref().map_or(NONE, &mut number);
        self.language = pin.language.as_deref().map_or(NONE, &mut number);
        self.created_ms = pin.created_ms;
        self.expires_ms = pin.expires_ms.unwrap_or(u64::MAX);
        self.flags = DESCRIBED | if pin.unsafe_content { UNSAFE } else { 0 };
    }

    pub(crate) fn understand(&mut self, understood: &Understood) {
        self.size = understood.size.unwrap_or((0, 0));
        self.palette = understood.palette.as_slice().into();
        self.thumbnail = understood.thumbnail.as_deref().unwrap_or("").into();
    }

    pub(crate) fn remove(&mut self) {
        self.flags |= REMOVED;
    }

    pub(crate) fn described(&self) -> bool {
        self.flags & DESCRIBED != 0
    }

    /// Removed or expired.
    pub(crate) fn gone(&self, now_ms: u64) -> bool {
        self.flags & REMOVED != 0 || self.expires_ms <= now_ms
    }

    pub(crate) fn not_safe(&self) -> bool {
        self.flags & UNSAFE != 0
    }

    /// Number of its creator, if it has one; equal numbers are equal creators.
    pub(crate) fn creator(&self) -> Option<u32> {
        (self.creator != NONE).then_some(self.creator)
    }

    /// Numbers of its topics.
    pub(crate) fn topics(&self) -> &[u32] {
        &self.topics
    }
}

impl<'a> PinView<'a> {
    pub(crate) fn new(key: &'a str, row: &'a PinRow, words: &'a Names) -> PinView<'a> {
        fn some(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        PinView {
            key,
            title: &row.title,
            description: &row.description,
            image: some(&row.image),
            thumbnail: some(&row.thumbnail),
            link: some(&row.link),
            creator: row.creator().map(|number| words.name(number)),
            language: some(words.name(row.language)),
            created_ms: row.created_ms,
            expires_ms: (row.expires_ms != u64::MAX).then_some(row.expires_ms),
            size: (row.size != (0, 0)).then_some(row.size),
            palette: &row.palette,
            described: row.flags & DESCRIBED != 0,
            removed: row.flags & REMOVED != 0,
            unsafe_content: row.flags & UNSAFE != 0,
            topics: &row.topics,
            words,
        }
    }

    /// Its topics as its owner wrote them.
    pub fn topics(&self) -> impl Iterator<Item = &'a str> {
        let words = self.words;
        self.topics.iter().map(move |&number| words.name(number))
    }
}
