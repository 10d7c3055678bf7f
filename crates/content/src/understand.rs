//! What is found out about a pin.

use domain::Understood;

use crate::Picture;
use crate::picture::Thumbnail;

/// What was found out about a pin.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Embedding, palette, size and signature. `thumbnail` and `thumbnail_widths` are left empty: whoever stores the
    /// bytes knows their keys.
    pub understood: Understood,
    /// Small copies to show, when there was a picture, the widest first.
    pub thumbnails: Vec<Thumbnail>,
    /// The picture, when there was one.
    pub picture: Option<Picture>,
}
