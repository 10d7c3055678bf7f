//! Pictures.

use crate::plant::World;

/// A drawn picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Rows of RGBA bytes (opaque, sRGB) from the top left.
    pub rgba: Vec<u8>,
}

impl Drawing {
    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let size = tiny_skia::IntSize::from_wh(self.width, self.height);
        let pixmap = size.and_then(|size| tiny_skia::Pixmap::from_vec(self.rgba.clone(), size));
        pixmap.and_then(|pixmap| pixmap.encode_png().ok()).unwrap_or_default()
    }
}

impl World {
    /// Paints a pin's picture: about 480 px wide, mostly upright.
    ///
    /// # Panics
    /// When there is no such pin.
    pub fn draw(&self, pin: u32) -> Drawing {
        let (width, height) = (480, 640);
        let shade = (self.seed_of(14, u64::from(pin)) & 127) as u8;
        let rgba = (0..width * height).flat_map(|i| [shade, (i / width / 4) as u8, 120, 255]).collect();
        Drawing { width, height, rgba }
    }
}
