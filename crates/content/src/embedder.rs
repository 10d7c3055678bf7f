//! What brings pictures and words into one space.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Pin, Understood};
use models::{Encoder, EncoderScratch, ServedEncoder};

use crate::embedding::{self, SPACE};
use crate::text::{normalise, pieces};
use crate::zoo::Published;
use crate::{Content, ContentError, Picture, Signature, palette};

/// Brings pictures and words into one space: the built-in one of space [`SPACE`], which has learned nothing, an encoder
/// that was learned of a catalogue, or one that somebody published. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Embedder(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    BuiltIn,
    Learned(Arc<ServedEncoder>),
    Published(u32, Arc<Published>),
}

thread_local! {
    static SCRATCH: RefCell<EncoderScratch> = RefCell::default();
}

impl Embedder {
    /// By what was learned; its large matrices are served in 8-bit numbers.
    pub fn learned(encoder: Encoder) -> Embedder {
        Embedder(Kind::Learned(Arc::new(ServedEncoder::of(encoder))))
    }

    /// By what somebody published, given as its [`PUBLISHED_FILES`](crate::PUBLISHED_FILES) by name, in a space of its
    /// own. Pictures say nothing to an encoder that only reads words.
    ///
    /// # Errors
    /// When this build reads none, or the files are damaged, of a kind that is not known or do not fit together.
    pub fn published(files: &BTreeMap<&str, Vec<u8>>, space: u32) -> Result<Embedder, ContentError> {
        Ok(Embedder(Kind::Published(space, Arc::new(Published::read(files)?))))
    }

    /// The version of the space; vectors of two spaces never meet.
    pub fn space(&self) -> u32 {
        match &self.0 {
            Kind::BuiltIn => SPACE,
            Kind::Learned(encoder) => encoder.space(),
            Kind::Published(space, _) => *space,
        }
    }

    /// The embedding of words and a picture, unit length; empty when there is neither a word nor a picture. With an
    /// encoder it lies in the middle between what both say.
    pub fn embed(&self, words: &str, picture: Option<&Picture>) -> Vec<f32> {
        let (text, picture) = match &self.0 {
            Kind::BuiltIn => return embedding::embed(words, picture),
            Kind::Learned(encoder) => SCRATCH.with_borrow_mut(|s| {
                let pieces = text_pieces(words);
                let side = encoder.config().side;
                let text = (!pieces.is_empty()).then(|| encoder.text(&pieces, s));
                let picture = picture.map(|picture| picture.scaled(side as u32, side as u32));
                (text, picture.map(|picture| encoder.picture(picture.rgb(), s)))
            }),
            Kind::Published(_, encoder) => (encoder.text(words), picture.and_then(|picture| encoder.picture(picture))),
        };
        match (text, picture) {
            (Some(text), Some(picture)) => middle(text, &picture),
            (one, other) => one.or(other).unwrap_or_default(),
        }
    }

    /// Understands a pin from its words and, if there is one, its picture. A broken picture is an error; the words
    /// alone can still be understood by calling again without it.
    pub fn understand(&self, pin: &Pin, image: Option<&[u8]>) -> Result<Content, ContentError> {
        let picture = image.map(Picture::decode).transpose()?;
        // Long texts drown what they begin with where nothing was learned of which words matter.
        let words = if matches!(self.0, Kind::BuiltIn) { said(pin, 400) } else { words_of(pin) };
        let thumbnails = picture.as_ref().map(Picture::thumbnails).transpose()?.unwrap_or_default();
        let signature = picture.as_ref().map(|picture| Signature::of(picture).to_bytes().to_vec());
        let understood = Understood {
            pin: pin.id.clone(),
            space: self.space(),
            embedding: self.embed(&words, picture.as_ref()),
            size: picture.as_ref().map(|picture| (picture.width(), picture.height())),
            palette: picture.as_ref().map(palette).unwrap_or_default(),
            signature: signature.unwrap_or_default(),
            ..Understood::default()
        };
        Ok(Content { understood, thumbnails, picture })
    }
}

/// All that is said of a pin: title and topics say most; of the description only the beginning is read.
pub fn words_of(pin: &Pin) -> String {
    said(pin, 2_000)
}

fn said(pin: &Pin, description_chars_max: usize) -> String {
    let mut words = pin.title.clone();
    for topic in &pin.topics {
        words.push(' ');
        words.push_str(topic);
    }
    words.push(' ');
    words.extend(pin.description.chars().take(description_chars_max));
    words
}

/// What an encoder reads of a text: its words and, less weighty, their runs of three letters, each as a hash and a
/// weight.
pub fn text_pieces(text: &str) -> Vec<(u64, f32)> {
    pieces(&normalise(text))
}

fn middle(mut a: Vec<f32>, b: &[f32]) -> Vec<f32> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    let norm = a.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
    a.iter_mut().for_each(|value| *value /= norm);
    a
}
