//! Pictures: each topic has a scene of its own, painted by code in the pin's mood and form.

mod air;
mod arches;
mod art;
mod botanical;
mod brush;
mod cake;
mod canvas;
mod citrus;
mod colour;
mod corner;
mod creature;
mod flowers;
mod houses;
mod lamps;
mod land;
mod noodles;
mod palette;
mod pattern;
mod pots;
mod rug;
mod shape;
mod skyline;
mod still;

use domain::Rng;

use crate::plant::World;
use art::Art;
use canvas::Canvas;
use palette::Palette;

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

const WIDTH: u32 = 480;

/// What paints each topic, in the order of [`crate::TOPICS`].
const SCENES: [fn(&mut Art); 24] = [
    land::alpine_lake,
    land::ocean,
    land::desert,
    air::night,
    air::cabin,
    air::balloons,
    skyline::skyline,
    arches::arches,
    houses::townhouses,
    botanical::botanical,
    pots::pots,
    flowers::wildflowers,
    still::vases,
    lamps::lamps,
    corner::corner,
    rug::rug,
    pattern::abstract_shapes,
    pattern::bauhaus,
    pattern::tiles,
    noodles::noodles,
    citrus::citrus,
    cake::cake,
    creature::koi,
    creature::songbird,
];

impl Drawing {
    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let size = tiny_skia::IntSize::from_wh(self.width, self.height);
        let pixmap = size.and_then(|size| tiny_skia::Pixmap::from_vec(self.rgba.clone(), size));
        pixmap.and_then(|pixmap| pixmap.encode_png().ok()).unwrap_or_default()
    }
}

impl World {
    /// Paints a pin's picture: 480 px wide, mostly upright. Takes a few milliseconds.
    ///
    /// # Panics
    /// When there is no such pin.
    pub fn draw(&self, pin: u32) -> Drawing {
        let planted = &self.pins[pin as usize];
        let seed = self.seed_of(14, u64::from(pin));
        let mut rng = Rng::new(seed);
        let height = height(&mut rng);
        let mut art = Art {
            canvas: Canvas::new(WIDTH as usize, height as usize, seed as u32),
            palette: Palette::new(planted.mood, &mut rng),
            form: usize::from(planted.form),
            width: WIDTH as f32,
            height: height as f32,
            side: if rng.uniform() < 0.65 { -1.0 } else { 1.0 },
            rng,
        };
        SCENES[usize::from(planted.topic) % SCENES.len()](&mut art);
        Drawing { width: WIDTH, height, rgba: art.canvas.finish(0.022, 0.06) }
    }
}

/// Mostly 3:4, 2:3 and 4:5, now and then square or tall.
fn height(rng: &mut Rng) -> u32 {
    match rng.below(100) {
        0..36 => 640,
        36..62 => 720,
        62..80 => 600,
        80..92 => 480,
        _ => 820,
    }
}
