//! The canvas: shapes are rasterised to coverage and blended here, so that gradients can be grainy and shadows soft.

use tiny_skia::{FillRule, Mask, Path, Transform};

use super::brush::Brush;
use super::colour::Colour;
use super::shape::Shape;

/// A picture while it is painted: sRGB parts 0 to 1.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
    seed: u32,
}

/// The part of the canvas that a shape covers, as coverage 0 to 255.
pub(crate) struct Stencil {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    cover: Vec<u8>,
}

/// A soft cover at a fourth of the size.
pub(crate) struct Haze {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    cover: Vec<u8>,
}

/// How much smaller soft covers are.
const SOFT: usize = 4;

impl Canvas {
    pub(crate) fn new(width: usize, height: usize, seed: u32) -> Canvas {
        Canvas { width, height, pixels: vec![[1.0; 4]; width * height], seed }
    }

    /// Paints everything.
    pub(crate) fn flood(&mut self, brush: &Brush) {
        for y in 0..self.height {
            let row = &mut self.pixels[y * self.width..(y + 1) * self.width];
            for (x, pixel) in row.iter_mut().enumerate() {
                blend(pixel, brush.at(x, y, self.seed), brush.alpha);
            }
        }
    }

    /// Paints a shape.
    pub(crate) fn fill(&mut self, shape: &Shape, brush: &Brush) {
        if let Some(stencil) = self.stencil(shape) {
            self.apply(&stencil, brush);
        }
    }

    /// Paints a shape where the stencil lets it through.
    pub(crate) fn fill_within(&mut self, stencil: &Stencil, shape: &Shape, brush: &Brush) {
        if let Some(mut part) = self.stencil(shape) {
            part.keep_within(stencil);
            self.apply(&part, brush);
        }
    }

    /// Paints what the stencil covers and the shape does not.
    pub(crate) fn fill_outside(&mut self, stencil: &Stencil, shape: &Shape, brush: &Brush) {
        let hidden = self.stencil(shape);
        let mut rest = Stencil {
            cover: stencil.cover.clone(),
            x: stencil.x,
            y: stencil.y,
            width: stencil.width,
            height: stencil.height,
        };
        if let Some(hidden) = hidden {
            for (row, cover) in rest.cover.chunks_exact_mut(rest.width).enumerate() {
                for (i, value) in cover.iter_mut().enumerate() {
                    let open = 255 - u16::from(hidden.cover_at(rest.x + i, rest.y + row));
                    *value = (u16::from(*value) * open / 255) as u8;
                }
            }
        }
        self.apply(&rest, brush);
    }

    /// A veil that grows from nothing at `top` to `alpha` at `bottom` and fades again as far below.
    pub(crate) fn mist(&mut self, top: f32, bottom: f32, colour: Colour, alpha: f32) {
        let span = (bottom - top).max(1.0);
        let end = ((bottom + span * 0.5).max(0.0) as usize).min(self.height);
        for y in (top.max(0.0) as usize)..end {
            let t = (y as f32 - top) / span;
            let strength = alpha * if t < 1.0 { t * t * (3.0 - 2.0 * t) } else { (1.0 - (t - 1.0) * 2.0).max(0.0) };
            for (x, pixel) in self.pixels[y * self.width..(y + 1) * self.width].iter_mut().enumerate() {
                let speck = (noise(x as u32, y as u32, self.seed) - 0.5) * 0.06;
                blend(pixel, colour.0, strength * (1.0 + speck));
            }
        }
    }

    /// The part of the canvas that a shape covers.
    pub(crate) fn stencil(&self, shape: &Shape) -> Option<Stencil> {
        let path = shape.as_ref()?;
        let (x, y, width, height) = self.bounds(path, 0.0)?;
        let mut mask = Mask::new(width as u32, height as u32)?;
        mask.fill_path(path, FillRule::Winding, true, Transform::from_translate(-(x as f32), -(y as f32)));
        Some(Stencil { x, y, width, height, cover: mask.take() })
    }

    /// Paints what a stencil covers.
    pub(crate) fn apply(&mut self, stencil: &Stencil, brush: &Brush) {
        for (row, cover) in stencil.cover.chunks_exact(stencil.width).enumerate() {
            let y = stencil.y + row;
            let start = y * self.width + stencil.x;
            let pixels = &mut self.pixels[start..start + stencil.width];
            for (i, (pixel, &cover)) in pixels.iter_mut().zip(cover).enumerate() {
                if cover > 0 {
                    let alpha = brush.alpha * f32::from(cover) * (1.0 / 255.0);
                    blend(pixel, brush.at(stencil.x + i, y, self.seed), alpha);
                }
            }
        }
    }

    /// The soft shadow of a shape, moved by (dx, dy) and blurred over `blur` px.
    pub(crate) fn shadow(&mut self, shape: &Shape, dx: f32, dy: f32, blur: f32, brush: &Brush) {
        let Some(path) = shape.clone().and_then(|path| path.transform(Transform::from_translate(dx, dy))) else {
            return;
        };
        let Some((x, y, width, height)) = self.bounds(&path, blur * 1.5) else { return };
        let (left, top) = (x / SOFT, y / SOFT);
        let (width, height) = ((x + width).div_ceil(SOFT) - left, (y + height).div_ceil(SOFT) - top);
        let Some(mut mask) = Mask::new(width as u32, height as u32) else { return };
        let place = Transform::from_scale(1.0 / SOFT as f32, 1.0 / SOFT as f32);
        mask.fill_path(&path, FillRule::Winding, true, place.post_translate(-(left as f32), -(top as f32)));
        let mut cover = mask.take();
        let reach = ((blur / SOFT as f32 / 2.0).round() as usize).max(1);
        for _ in 0..2 {
            cover = blur_rows_turned(&cover, width, height, reach);
            cover = blur_rows_turned(&cover, height, width, reach);
        }
        self.apply_haze(&Haze { left, top, width, height, cover }, brush);
    }

    /// Cover over the whole canvas, given by a function of the place.
    pub(crate) fn haze(&self, cover: impl Fn(f32, f32) -> f32) -> Haze {
        let (width, height) = (self.width.div_ceil(SOFT), self.height.div_ceil(SOFT));
        let at = |i: usize| ((i % width * SOFT) as f32, (i / width * SOFT) as f32);
        let cover = (0..width * height).map(at).map(|(x, y)| (cover(x, y).clamp(0.0, 1.0) * 255.0) as u8).collect();
        Haze { left: 0, top: 0, width, height, cover }
    }

    /// Paints a coarse cover, smoothly enlarged.
    pub(crate) fn apply_haze(&mut self, haze: &Haze, brush: &Brush) {
        let alpha = brush.alpha / 255.0;
        let columns: Vec<(usize, usize, f32)> = (0..haze.width * SOFT).map(|x| between(x, haze.width)).collect();
        let start = haze.left * SOFT;
        for row in 0..haze.height * SOFT {
            let y = haze.top * SOFT + row;
            if y >= self.height {
                break;
            }
            let (y0, y1, fy) = between(row, haze.height);
            let upper = &haze.cover[y0 * haze.width..][..haze.width];
            let lower = &haze.cover[y1 * haze.width..][..haze.width];
            let pixels = &mut self.pixels[y * self.width + start..(y + 1) * self.width];
            for (x, (pixel, &(x0, x1, fx))) in pixels.iter_mut().zip(&columns).enumerate() {
                let corners = [upper[x0], upper[x1], lower[x0], lower[x1]];
                if corners != [0; 4] {
                    let [a, b, c, d] = corners.map(f32::from);
                    let value = (a + (b - a) * fx) * (1.0 - fy) + (c + (d - c) * fx) * fy;
                    blend(pixel, brush.at(start + x, y, self.seed), alpha * value);
                }
            }
        }
    }

    /// Lightens around a point, strongest in the middle.
    pub(crate) fn glow(&mut self, x: f32, y: f32, radius: f32, colour: Colour, alpha: f32) {
        let span = |centre: f32, end: usize| {
            let from = (centre - radius).max(0.0) as usize;
            from.min(end)..((centre + radius).max(0.0) as usize + 1).min(end)
        };
        let columns = span(x, self.width);
        for row in span(y, self.height) {
            let dy = row as f32 + 0.5 - y;
            for column in columns.clone() {
                let dx = column as f32 + 0.5 - x;
                let near = 1.0 - ((dx * dx + dy * dy).sqrt() / radius).min(1.0);
                let strength = alpha * near * near * (3.0 - 2.0 * near);
                blend(&mut self.pixels[row * self.width + column], colour.0, strength);
            }
        }
    }

    /// Mirrors what lies above `shore` below it, rippled and tinted.
    pub(crate) fn reflect(&mut self, shore: f32, tint: Colour, tint_alpha: f32, ripple: f32) {
        let shore = (shore.max(1.0) as usize).min(self.height);
        for y in shore..self.height {
            let below = (y - shore) as f32;
            let depth = below / (self.height - shore).max(1) as f32;
            let wave = (below * 0.33 + (below * 0.07).sin() * 2.5).sin() * ripple * (0.2 + depth * 1.6);
            let source = shore.saturating_sub(1 + (below * 1.06) as usize);
            let alpha = (tint_alpha + 0.3 * depth).min(1.0);
            for x in 0..self.width {
                let from = (x as f32 + wave).clamp(0.0, self.width as f32 - 2.0);
                let (first, share) = (from as usize, from.fract());
                let mut pixel = self.pixels[source * self.width + first];
                blend(&mut pixel, self.pixels[source * self.width + first + 1], share);
                blend(&mut pixel, tint.0, alpha);
                self.pixels[y * self.width + x] = pixel;
            }
        }
    }

    /// Changes every pixel of a stencil by a function of its place.
    pub(crate) fn touch(&mut self, stencil: &Stencil, change: impl Fn(f32, f32, [f32; 4]) -> [f32; 4]) {
        for (row, cover) in stencil.cover.chunks_exact(stencil.width).enumerate() {
            let y = stencil.y + row;
            let start = y * self.width + stencil.x;
            for (i, (pixel, &cover)) in self.pixels[start..start + stencil.width].iter_mut().zip(cover).enumerate() {
                let new = change((stencil.x + i) as f32, y as f32, *pixel);
                blend(pixel, new, f32::from(cover) * (1.0 / 255.0));
            }
        }
    }

    /// The finished picture as RGBA bytes, with a breath of grain and slightly darker corners.
    pub(crate) fn finish(&self, grain: f32, vignette: f32) -> Vec<u8> {
        let (cx, cy) = (self.width as f32 / 2.0, self.height as f32 / 2.0);
        let far = 1.0 / (cx * cx + cy * cy);
        let mut rgba = Vec::with_capacity(self.pixels.len() * 4);
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            let dy = y as f32 - cy;
            for (x, pixel) in row.iter().enumerate() {
                let dx = x as f32 - cx;
                let corner = 1.0 - vignette * ((dx * dx + dy * dy) * far);
                let speck = (noise(x as u32, y as u32, self.seed) - 0.5) * grain;
                let byte = |value: f32| ((value * corner + speck).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
                rgba.extend_from_slice(&[byte(pixel[0]), byte(pixel[1]), byte(pixel[2]), 255]);
            }
        }
        rgba
    }

    /// Whole pixels around a path, cut to the canvas: x, y, width, height.
    fn bounds(&self, path: &Path, margin: f32) -> Option<(usize, usize, usize, usize)> {
        let bounds = path.bounds();
        let low = |value: f32| (value - margin).floor().max(0.0) as usize;
        let (x, y) = (low(bounds.left()), low(bounds.top()));
        let right = ((bounds.right() + margin).ceil().max(0.0) as usize).min(self.width);
        let bottom = ((bounds.bottom() + margin).ceil().max(0.0) as usize).min(self.height);
        (x < right && y < bottom).then(|| (x, y, right - x, bottom - y))
    }
}

impl Stencil {
    fn cover_at(&self, x: usize, y: usize) -> u8 {
        let inside = x >= self.x && y >= self.y && x < self.x + self.width && y < self.y + self.height;
        if inside { self.cover[(y - self.y) * self.width + x - self.x] } else { 0 }
    }

    fn keep_within(&mut self, other: &Stencil) {
        for (row, cover) in self.cover.chunks_exact_mut(self.width).enumerate() {
            for (i, value) in cover.iter_mut().enumerate() {
                if *value > 0 {
                    let through = u16::from(other.cover_at(self.x + i, self.y + row));
                    *value = (u16::from(*value) * through / 255) as u8;
                }
            }
        }
    }
}

/// A number in 0..1 that belongs to a pixel.
#[inline]
pub(crate) fn noise(x: u32, y: u32, seed: u32) -> f32 {
    let mut h = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    ((h ^ (h >> 15)) >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[inline]
fn blend(pixel: &mut [f32; 4], colour: [f32; 4], alpha: f32) {
    for (old, new) in pixel.iter_mut().zip(colour) {
        *old += (new - *old) * alpha;
    }
}

/// The two coarse places around a fine one, and how far between them it lies.
fn between(fine: usize, coarse: usize) -> (usize, usize, f32) {
    let at = ((fine as f32 + 0.5) / SOFT as f32 - 0.5).max(0.0);
    let first = (at as usize).min(coarse - 1);
    (first, (first + 1).min(coarse - 1), at - first as f32)
}

/// A running mean along rows; the result lies on its side, so that doing it twice blurs both ways.
fn blur_rows_turned(cover: &[u8], width: usize, height: usize, reach: usize) -> Vec<u8> {
    let mut out = vec![0; cover.len()];
    let window = (2 * reach + 1) as u32;
    for (y, row) in cover.chunks_exact(width).enumerate() {
        let get = |x: isize| if x < 0 || x >= width as isize { 0 } else { u32::from(row[x as usize]) };
        let mut sum: u32 = (0..reach as isize).map(get).sum();
        for x in 0..width {
            sum += get((x + reach) as isize);
            out[x * height + y] = (sum / window) as u8;
            sum -= get(x as isize - reach as isize);
        }
    }
    out
}
