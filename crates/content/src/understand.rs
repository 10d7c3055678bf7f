//! What is found out about a pin.

use domain::Understood;

/// What was found out about a pin.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Embedding, palette and size. `thumbnail` is left empty: whoever stores the bytes knows their key.
    pub understood: Understood,
    /// A JPEG to show, when there was a picture.
    pub thumbnail: Option<Vec<u8>>,
}
