//! Pictures come in: understood, kept by the hash of their bytes, shown as thumbnails.

use crate::app::App;
use crate::keys::hex;
use crate::wire::RowRefusal;
use content::Thumbnail;
use domain::{Annotated, EventId, Fact, Pin, Understood};
use sha2::{Digest, Sha256};

/// Where blobs that anybody may look at lie.
pub(crate) const FOLDERS: [&str; 2] = ["media", "thumbs"];

/// The blob key of a picture: `media/`, the hash of its bytes, and what it is. Nothing for bytes of no known format.
pub fn picture_key(bytes: &[u8]) -> Option<String> {
    picture_format(bytes).map(|format| format!("media/{}.{format}", hex(&Sha256::digest(bytes))))
}

/// What kind of picture it is, by how its bytes begin.
pub(crate) fn picture_format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("jpg"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// The blob key of a thumbnail, which is a JPEG.
pub(crate) fn thumbnail_key(bytes: &[u8]) -> String {
    format!("thumbs/{}.jpg", hex(&Sha256::digest(bytes)))
}

/// The blob key of a smaller copy that lies beside a thumbnail.
pub(crate) fn copy_key(thumbnail: &str, width: u16) -> String {
    let name = thumbnail.rsplit('/').next().unwrap_or_default();
    format!("thumbs/{}-{width}.jpg", name.split('.').next().unwrap_or_default())
}

/// Keeps the small copies of a picture (the widest first) by `put`, and says in `understood` where they are. A JPEG
/// that is small itself is its own thumbnail.
///
/// # Errors
/// Those of `put`.
pub fn keep_thumbnails<E>(
    understood: &mut Understood,
    picture_key: &str,
    thumbnails: Vec<Thumbnail>,
    mut put: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let mut thumbnails = thumbnails.into_iter();
    let Some(widest) = thumbnails.next() else { return Ok(()) };
    let is_whole = understood.size.is_some_and(|(width, _)| width == widest.width);
    let key = match is_whole && picture_key.ends_with(".jpg") {
        true => picture_key.to_owned(),
        false => {
            let key = thumbnail_key(&widest.jpeg);
            put(&key, widest.jpeg)?;
            key
        }
    };
    for copy in thumbnails {
        let width = u16::try_from(copy.width).unwrap_or(u16::MAX);
        put(&copy_key(&key, width), copy.jpeg)?;
        understood.thumbnail_widths.push(width);
    }
    understood.thumbnail = Some(key);
    Ok(())
}

/// What a pin becomes on its way in.
pub(crate) struct Taken {
    pub(crate) annotated: Annotated,
    pub(crate) pin: Pin,
    pub(crate) understood: Understood,
}

impl Taken {
    /// The facts to write: what is wrong with a pin comes before the pin, so that it is not shown in between.
    pub(crate) fn facts(self, mut new_id: impl FnMut() -> EventId) -> [(EventId, Fact); 3] {
        let Taken { annotated, pin, understood } = self;
        [Fact::Annotated(annotated), Fact::Pin(pin), Fact::Understood(understood)].map(|fact| (new_id(), fact))
    }
}

/// Understands a pin by its words and its picture, and keeps the picture. A pin that is described anew without a
/// picture keeps the one that it has.
pub(crate) fn understand(app: &App, mut pin: Pin, picture: Option<&[u8]>) -> Result<Taken, RowRefusal> {
    let refuse = |error: content::ContentError| RowRefusal::field("image", error.to_string());
    let (kept, picture) = match picture {
        Some(bytes) => (None, Some(bytes.to_vec())),
        None if pin.image.is_none() => earlier(app, &pin.id).unzip(),
        None => (None, None),
    };
    let content = app.embedder().understand(&pin, picture.as_deref()).map_err(refuse)?;
    let mut understood = content.understood;
    let annotated = app.annotating().annotate(&pin, content.picture.as_ref(), &understood, None);
    if let Some(bytes) = picture {
        let key = kept.or_else(|| picture_key(&bytes)).ok_or_else(|| refuse(content::ContentError::UnknownFormat))?;
        keep(app, &key, bytes)?;
        keep_thumbnails(&mut understood, &key, content.thumbnails, |key, bytes| keep(app, key, bytes))?;
        pin.image = Some(key);
    }
    Ok(Taken { annotated, pin, understood })
}

/// The picture that a pin already has: its key and its bytes.
fn earlier(app: &App, pin: &str) -> Option<(String, Vec<u8>)> {
    let key = kept(app, pin)?;
    let bytes = app.blobs().get(&key).ok().flatten()?;
    Some((key, bytes))
}

/// The key of the picture that a pin already has.
pub(crate) fn kept(app: &App, pin: &str) -> Option<String> {
    let catalogue = app.views().catalogue();
    let view = catalogue.pin(pin).and_then(|id| catalogue.pin_view(id))?;
    view.image.filter(|image| is_key(image)).map(str::to_owned)
}

/// Whether the text is the key of a blob that anybody may look at: a known folder and one plain name.
pub(crate) fn is_key(text: &str) -> bool {
    const NAME_BYTES_MAX: usize = 200;
    let Some((folder, name)) = text.split_once('/') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    FOLDERS.contains(&folder)
        && !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with('.')
        && name.bytes().all(plain)
}

fn keep(app: &App, key: &str, bytes: Vec<u8>) -> Result<(), RowRefusal> {
    let blobs = app.blobs();
    let kept = blobs.exists(key).and_then(|there| if there { Ok(()) } else { blobs.put(key, bytes) });
    kept.map_err(|error| {
        tracing::error!(%error, key, "a picture could not be kept");
        RowRefusal::field("image", "the picture could not be kept; the server's log knows why")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_the_format_and_nothing_else_is_a_key() {
        let key = picture_key(b"\x89PNG\r\n").expect("a PNG");
        assert!(is_key(&key) && key.ends_with(".png"), "{key}");
        assert_eq!(picture_key(b"<svg>"), None);
        assert_eq!([copy_key(&key, 136), copy_key("thumbs/ab.jpg", 236)].map(|key| is_key(&key)), [true; 2]);
        assert_eq!(copy_key("thumbs/ab.jpg", 236), "thumbs/ab-236.jpg");
        assert!(is_key(&thumbnail_key(b"x")));
        for wrong in
            ["media/../x", "media/a/b", "media/", "models/live", "media/.x", "media/a%2fb", "media", "../media/x"]
        {
            assert!(!is_key(wrong), "{wrong}");
        }
    }
}
