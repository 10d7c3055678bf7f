//! One pin, from bytes and words to what is known of it.

use domain::{Pin, Understood};

use crate::{ContentError, Picture, SPACE, embed, palette};

/// What was found out about a pin.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Embedding, palette and size. `thumbnail` is left empty: whoever stores the bytes knows their key.
    pub understood: Understood,
    /// A JPEG to show, when there was a picture.
    pub thumbnail: Option<Vec<u8>>,
}

/// Understands a pin from its words and, if there is one, its picture. A broken picture is an error; the words alone
/// can still be understood by calling again without it.
pub fn understand(pin: &Pin, image: Option<&[u8]>) -> Result<Content, ContentError> {
    let picture = image.map(Picture::decode).transpose()?;
    let thumbnail = picture.as_ref().map(Picture::thumbnail).transpose()?;
    let understood = Understood {
        pin: pin.id.clone(),
        space: SPACE,
        embedding: embed(&words(pin), picture.as_ref()),
        size: picture.as_ref().map(|picture| (picture.width(), picture.height())),
        palette: picture.as_ref().map(palette).unwrap_or_default(),
        thumbnail: None,
    };
    Ok(Content { understood, thumbnail })
}

/// Title and topics say most; of the description only the beginning is read.
fn words(pin: &Pin) -> String {
    const DESCRIPTION_CHARS_MAX: usize = 400;
    let description: String = pin.description.chars().take(DESCRIPTION_CHARS_MAX).collect();
    let mut words = pin.title.clone();
    for topic in &pin.topics {
        words.push(' ');
        words.push_str(topic);
    }
    words.push(' ');
    words.push_str(&description);
    words
}
