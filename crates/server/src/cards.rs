//! Pins as they are shown: looked up once for a page, so that no lock is held while an answer is written.

use crate::parameters::encode;
use crate::picture::{copy_key, is_key};
use crate::wire::is_web_address;
use content::THUMBNAIL_WIDTHS;
use domain::{Label, Pin, PinId};
use serde::Serialize;
use serving::{Catalogue, PinView};

/// Width and height of a picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Most pins with the same picture that are told.
const NEAR_DUPLICATES_MAX: usize = 50;

/// A small copy of a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SmallCopy {
    pub(crate) image: String,
    /// Width in pixels.
    pub(crate) width: u32,
}

/// What of a pin is shown in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Card {
    /// The owner's id.
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creator: Option<String>,
    /// Address of the picture to show in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    /// The same picture in several widths, the smallest first; empty where there is but one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<SmallCopy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Size>,
    /// Main colour as `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
}

/// All that is shown of a pin on its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Sheet {
    #[serde(flatten)]
    pub(crate) card: Card,
    pub(crate) description: String,
    /// Address of the picture in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) picture: Option<String>,
    pub(crate) topics: Vec<String>,
    /// Topics that were found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) found_topics: Vec<String>,
    /// Terms that it is about, surest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) annotations: Vec<Annotation>,
    /// What is wrong with it, by measure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) labels: Vec<ShownLabel>,
    /// Where it lies among all contents: pins that share the first numbers are alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) semantic_id: Option<[u8; 4]>,
    /// Other pins with this picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) near_duplicates: Vec<String>,
    /// Main colours, most frequent first.
    pub(crate) palette: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    pub(crate) created_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_ms: Option<u64>,
}

/// A term and how sure it is, from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Annotation {
    pub(crate) term: String,
    pub(crate) confidence: f32,
}

/// A threshold that a pin crossed, with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ShownLabel {
    pub(crate) name: String,
    pub(crate) value: f32,
    pub(crate) threshold: f32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) terms: Vec<String>,
}

impl ShownLabel {
    pub(crate) fn of(label: Label) -> ShownLabel {
        let Label { name, value, threshold, terms } = label;
        ShownLabel { name, value, threshold, terms }
    }
}

/// The copies of a picture, the smallest first.
fn copies(view: &PinView<'_>) -> Vec<SmallCopy> {
    let (Some(thumbnail), Some((width, _))) = (view.thumbnail, view.size) else { return Vec::new() };
    let smaller = view.thumbnail_widths.into_iter().filter(|width| *width > 0);
    let smaller = smaller.map(|width| (copy_key(thumbnail, width), u32::from(width)));
    let widest = (thumbnail.to_owned(), width.min(THUMBNAIL_WIDTHS[0]));
    let mut copies: Vec<SmallCopy> =
        smaller.chain([widest]).filter_map(|(key, width)| Some(SmallCopy { image: address(&key)?, width })).collect();
    copies.sort_by_key(|copy| copy.width);
    if copies.len() < 2 { Vec::new() } else { copies }
}

impl Card {
    pub(crate) fn of(view: &PinView<'_>) -> Card {
        Card {
            id: view.key.to_owned(),
            title: view.title.to_owned(),
            creator: view.creator.map(str::to_owned),
            image: view.thumbnail.and_then(address).or_else(|| view.image.and_then(address)),
            images: copies(view),
            size: view.size.map(|(width, height)| Size { width, height }),
            color: view.palette.first().map(colour),
        }
    }

    /// What stands in for the title where there is none.
    pub(crate) fn name(&self) -> &str {
        if self.title.is_empty() { &self.id } else { &self.title }
    }
}

impl Sheet {
    /// `None` for a number never given.
    pub(crate) fn of(catalogue: &Catalogue, pin: PinId, now_ms: u64) -> Option<Sheet> {
        let view = &catalogue.pin_view(pin)?;
        let same = catalogue.near_duplicates(pin).filter(|&pin| catalogue.servable(pin, now_ms));
        let near_duplicates = same.take(NEAR_DUPLICATES_MAX).map(|pin| catalogue.pin_key(pin).to_owned()).collect();
        let annotations = view.terms().map(|(term, confidence)| Annotation { term: term.to_owned(), confidence });
        Some(Sheet {
            card: Card::of(view),
            description: view.description.to_owned(),
            picture: view.image.and_then(address).or_else(|| view.thumbnail.and_then(address)),
            topics: view.topics().map(str::to_owned).collect(),
            found_topics: view.found_topics().map(str::to_owned).collect(),
            annotations: annotations.collect(),
            labels: view.labels().map(ShownLabel::of).collect(),
            semantic_id: view.semantic_id(),
            near_duplicates,
            palette: view.palette.iter().map(colour).collect(),
            language: view.language.map(str::to_owned),
            link: view.link.filter(|link| is_web_address(link)).map(str::to_owned),
            created_ms: view.created_ms,
            expires_ms: view.expires_ms,
        })
    }
}

/// The cards of pins, in order; `None` for one that may no longer be shown.
pub(crate) fn cards(catalogue: &Catalogue, pins: &[PinId], now_ms: u64) -> Vec<Option<Card>> {
    let card = |&pin| catalogue.servable(pin, now_ms).then(|| catalogue.pin_view(pin).map(|view| Card::of(&view)))?;
    pins.iter().map(card).collect()
}

/// A pin as its owner described it.
pub(crate) fn pin_of(view: &PinView<'_>) -> Pin {
    Pin {
        id: view.key.to_owned(),
        title: view.title.to_owned(),
        description: view.description.to_owned(),
        image: view.image.map(str::to_owned),
        creator: view.creator.map(str::to_owned),
        topics: view.topics().map(str::to_owned).collect(),
        traits: view.traits().map(str::to_owned).collect(),
        language: view.language.filter(|_| view.language_told).map(str::to_owned),
        link: view.link.map(str::to_owned),
        created_ms: view.created_ms,
        expires_ms: view.expires_ms,
        unsafe_content: view.unsafe_content,
    }
}

/// Where a picture is found: our own blobs under `/media/`, the web as it is, anything else nowhere.
fn address(image: &str) -> Option<String> {
    if is_key(image) {
        let (folder, name) = image.split_once('/')?;
        return Some(format!("/media/{folder}/{}", encode(name)));
    }
    is_web_address(image).then(|| image.to_owned())
}

fn colour([red, green, blue]: &[u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_an_address_only_where_they_may() {
        assert_eq!(address("thumbs/ab.jpg").as_deref(), Some("/media/thumbs/ab.jpg"));
        assert_eq!(address("https://a.example/b c.jpg"), None);
        assert_eq!(address("https://a.example/b.jpg").as_deref(), Some("https://a.example/b.jpg"));
        for wrong in ["javascript:alert(1)", "models/live", "../etc/passwd", "data:text/html,x"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
