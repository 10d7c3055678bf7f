//! What an encoder is learned from.

use domain::{Rng, hash64};
use models::{COLOURS, EncoderConfig, pixel};

use crate::TrainError;

/// Pieces of words: a hash and a weight each.
pub type Pieces = Vec<(u64, f32)>;

/// A pin's words, and its picture if it has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// Row of its picture in [`EncoderData::pixels`].
    pub picture: Option<usize>,
    /// What it is called.
    pub title: Pieces,
    /// All that is said of it.
    pub words: Pieces,
    /// Sentences of its description, which teach where there is no picture.
    pub sentences: Vec<Pieces>,
    /// Rows of its topics in [`EncoderData::topics`].
    pub topics: Vec<u32>,
    /// What was searched for before it was liked.
    pub queries: Vec<Pieces>,
    /// Rows of pins in [`EncoderData::pins`] that were saved to the same boards.
    pub beside: Vec<u32>,
}

/// What an encoder is learned from. A pin with a picture teaches that words and picture belong together, one without
/// that its title or a sentence and the rest of its words do; either that it lies near the names of its topics and far
/// from other topics', and near what it was searched for with and the words of pins that were saved beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EncoderData {
    /// Pictures as rows of RGB bytes, `side × side` pixels each.
    pub pixels: Vec<u8>,
    /// Pins of which words are known.
    pub pins: Vec<Described>,
    /// Names of topics.
    pub topics: Vec<Pieces>,
}

impl EncoderData {
    /// Whether all pictures are there, and every pin has words.
    pub(crate) fn check(&self, shape: &EncoderConfig) -> Result<(), TrainError> {
        let size = shape.side * shape.side * COLOURS;
        if !self.pixels.len().is_multiple_of(size) {
            return Err(TrainError::Data(format!("{} bytes are no pictures of {size} each", self.pixels.len())));
        }
        let pictures = self.pixels.len() / size;
        for (number, pin) in self.pins.iter().enumerate() {
            if pin.picture.is_some_and(|picture| picture >= pictures) {
                return Err(TrainError::Data(format!("pin {number} has a picture that is not there")));
            }
            if pin.title.is_empty() || pin.words.is_empty() {
                return Err(TrainError::Data(format!("pin {number} has no words")));
            }
            if pin.beside.iter().any(|&other| other as usize >= self.pins.len()) {
                return Err(TrainError::Data(format!("pin {number} was saved beside a pin that is not there")));
            }
            if pin.topics.iter().any(|&topic| topic as usize >= self.topics.len()) {
                return Err(TrainError::Data(format!("pin {number} has a topic that is not there")));
            }
        }
        Ok(())
    }

    /// Per topic what it counts among a pin's: the rarer it is, the more it says.
    pub(crate) fn rarity(&self) -> Vec<f32> {
        let mut pins = vec![0u32; self.topics.len()];
        self.pins.iter().flat_map(|pin| &pin.topics).for_each(|&topic| pins[topic as usize] += 1);
        pins.into_iter().map(|pins| 1.0 / pins.max(1) as f32).collect()
    }

    /// How many pins say what is in each row of an encoder's table.
    pub(crate) fn sayings(&self, shape: &EncoderConfig) -> Vec<u32> {
        let mut pins = vec![0u32; shape.table_rows];
        let mut last = vec![usize::MAX; shape.table_rows];
        for (number, pin) in self.pins.iter().enumerate() {
            for (hash, _) in pin.words.iter().chain(pin.sentences.iter().chain(&pin.queries).flatten()) {
                let row = shape.row_of(*hash);
                if last[row] != number {
                    (last[row], pins[row]) = (number, pins[row] + 1);
                }
            }
        }
        pins
    }

    pub(crate) fn picture(&self, number: usize, side: usize) -> &[u8] {
        let size = side * side * COLOURS;
        &self.pixels[number * size..][..size]
    }
}

/// How often a pin is learned from a query that led to it, and from the words of a pin that was saved beside it, where
/// there are any.
const BY_QUERY: f32 = 0.25;
const BY_BESIDE: f32 = 0.15;
/// How often the title is what is asked with, where there are sentences too.
const BY_TITLE: f32 = 0.5;

impl Described {
    /// What belongs to the pin by what people did, if it is to be learned from that this time.
    pub(crate) fn acted<'a>(&'a self, pins: &'a [Described], rng: &mut Rng) -> Option<&'a Pieces> {
        let (drawn, which) = (rng.uniform(), rng.next_u64() as usize);
        if drawn < BY_QUERY {
            return self.queries.get(which % self.queries.len().max(1));
        }
        let beside = self.beside.get(which % self.beside.len().max(1)).filter(|_| drawn < BY_QUERY + BY_BESIDE)?;
        Some(&pins[*beside as usize].words)
    }

    /// What could be asked to find a pin without a picture, and the rest of what it says: its title or a sentence, and
    /// all others. Where it says no more than its title, about half of that each.
    pub(crate) fn parted(&self, rng: &mut Rng) -> (Pieces, Pieces) {
        let sentences = self.sentences.len() as u32;
        if sentences == 0 {
            let (asked, rest): (Pieces, Pieces) = self.words.iter().partition(|_| rng.below(2) == 0);
            return if asked.is_empty() || rest.is_empty() {
                (self.title.clone(), self.words.clone())
            } else {
                (asked, rest)
            };
        }
        let by_title = rng.uniform() < BY_TITLE || sentences == 1;
        let asked = if by_title { None } else { Some(rng.below(sentences) as usize) };
        let others = self.sentences.iter().enumerate().filter(|(at, _)| Some(*at) != asked);
        let mut rest: Pieces = others.flat_map(|(_, sentence)| sentence).copied().collect();
        match asked {
            None => (self.title.clone(), rest),
            Some(at) => {
                rest.extend(&self.title);
                (self.sentences[at].clone(), rest)
            }
        }
    }

    /// What it says besides its title; all that it says where that is nothing.
    pub(crate) fn rest(&self) -> Pieces {
        let rest: Pieces = self.sentences.iter().flatten().copied().collect();
        if rest.is_empty() { self.words.clone() } else { rest }
    }

    /// What stands for the pin where two that say the same must not be told apart.
    pub(crate) fn key(&self) -> u64 {
        let mix = |sum: u64, (hash, weight): &(u64, f32)| hash64(sum ^ hash ^ u64::from(weight.to_bits()) << 32);
        self.words.iter().fold(self.words.len() as u64, mix)
    }
}

/// How far a picture is moved at most, as a part of its side, and how much larger or smaller it gets.
const MOVED: f32 = 1.0 / 24.0;
const ZOOMED: f32 = 0.05;
/// How much contrast and brightness vary.
const CONTRAST: f32 = 0.1;
const BRIGHTNESS: f32 = 0.03;

/// A picture as [`models::look`] reads it, a little moved, larger or smaller, turned left to right or not, lighter or
/// darker: what it shows stays.
pub(crate) fn varied(rgb: &[u8], side: usize, rng: &mut Rng) -> Vec<f32> {
    let mut draw = |reach: f32| (2.0 * rng.uniform() - 1.0) * reach;
    let (down, across, zoom) = (draw(MOVED), draw(MOVED), 1.0 + draw(ZOOMED));
    let turned = rng.below(2) == 1;
    let (contrast, brightness) = (1.0 + CONTRAST * rng.normal(), BRIGHTNESS * rng.normal());
    let last = side - 1;
    // Where along an axis a pixel comes from: the first of two neighbours, and the share of the second.
    let from = |at: usize, moved: f32| {
        let place = (at as f32 + 0.5 - side as f32 / 2.0) * zoom + (0.5 + moved) * side as f32 - 0.5;
        let place = place.clamp(0.0, last as f32);
        ((place as usize).min(last.saturating_sub(1)), place - (place as usize).min(last.saturating_sub(1)) as f32)
    };
    let columns: Vec<(usize, f32)> = (0..side).map(|x| from(if turned { last - x } else { x }, across)).collect();
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..side {
        let (top, low) = from(y, down);
        for &(left, right) in &columns {
            for colour in 0..COLOURS {
                let at = |y: usize, x: usize| pixel(rgb[(y * side + x) * COLOURS + colour]);
                let row = |y: usize| at(y, left) * (1.0 - right) + at(y, left + 1) * right;
                let value = row(top) * (1.0 - low) + row(top + 1) * low;
                out.push(((value - 0.5) * contrast + 0.5 + brightness).clamp(0.0, 1.0));
            }
        }
    }
    out
}
