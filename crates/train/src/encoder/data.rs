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
    /// Rows of its topics in [`EncoderData::topics`].
    pub topics: Vec<u32>,
}

/// What an encoder is learned from. A pin with a picture teaches that words and picture belong together, one without
/// that its title and its other words do; either that it lies near the names of its topics and far from other topics'.
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

    pub(crate) fn picture(&self, number: usize, side: usize) -> &[u8] {
        let size = side * side * COLOURS;
        &self.pixels[number * size..][..size]
    }
}

impl Described {
    /// What stands for the pin where two that say the same must not be told apart.
    pub(crate) fn key(&self) -> u64 {
        let mix = |sum: u64, (hash, weight): &(u64, f32)| hash64(sum ^ hash ^ u64::from(weight.to_bits()) << 32);
        self.words.iter().fold(self.words.len() as u64, mix)
    }
}

/// Pixels a picture is moved at most, as a part of its side.
const MOVED: f32 = 1.0 / 16.0;
/// How much contrast and brightness vary.
const CONTRAST: f32 = 0.1;
const BRIGHTNESS: f32 = 0.05;

/// A picture as the towers read it, a little moved, turned left to right or not, lighter or darker: what it shows
/// stays.
pub(crate) fn varied(rgb: &[u8], side: usize, rng: &mut Rng) -> Vec<f32> {
    let reach = (side as f32 * MOVED) as i32;
    let mut draw = || rng.below(2 * reach as u32 + 1) as i32 - reach;
    let (down, across) = (draw(), draw());
    let turned = rng.below(2) == 1;
    let (contrast, brightness) = (1.0 + CONTRAST * rng.normal(), BRIGHTNESS * rng.normal());
    let inside = |at: usize, moved: i32| (at as i32 + moved).clamp(0, side as i32 - 1) as usize;
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..side {
        let row = inside(y, down) * side;
        for x in 0..side {
            let x = inside(if turned { side - 1 - x } else { x }, across);
            out.extend(rgb[(row + x) * COLOURS..][..COLOURS].iter().map(|&v| pixel(v) * contrast + brightness));
        }
    }
    out
}
