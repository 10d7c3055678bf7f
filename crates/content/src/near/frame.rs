//! A picture made small, without the uniform stripes around it.

use crate::Picture;

/// Pictures are looked at no larger than this many pixels a side.
const SIDE_MAX: u32 = 96;
/// How far a byte of a pixel may lie from the middle one of its row or column and still count as the same colour:
/// about what a JPEG of quality 40 leaves of a plain border beside an edge.
const STRIPE_GAP_MAX: f32 = 28.0;
/// Mean gap up to which a row or column counts as uniform.
const STRIPE_MEAN_GAP_MAX: f32 = 5.0;
/// Borders may hide one another (white in black), so it is looked around again.
const TRIM_ROUNDS: usize = 3;
/// At least one part in so many of a side is kept.
const KEPT_SHARE: usize = 5;

/// Luma and both chroma differences (gamma-encoded, as JPEG has them; 0..255 and about −128..128) as sums over all
/// pixels above and left, so that the mean of any
/// rectangle costs four reads.
pub(super) struct Frame {
    width: usize,
    sums: Vec<[f64; 3]>,
    /// What is left after trimming: x, y, width, height in pixels of the frame.
    window: [f32; 4],
}

impl Frame {
    pub(super) fn new(picture: &Picture) -> Frame {
        let shrink = (SIDE_MAX as f32 / picture.width().max(picture.height()) as f32).min(1.0);
        let side = |length: u32| ((length as f32 * shrink).round() as u32).max(1);
        let small = picture.scaled(side(picture.width()), side(picture.height()));
        let (width, height) = (small.width() as usize, small.height() as usize);
        let pixels: Vec<[f32; 3]> = small.rgb().chunks_exact(3).map(|p| luma_chroma([p[0], p[1], p[2]])).collect();
        let mut sums = vec![[0.0f64; 3]; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = [0.0f64; 3];
            for x in 0..width {
                for axis in 0..3 {
                    row[axis] += f64::from(pixels[y * width + x][axis]);
                    sums[(y + 1) * (width + 1) + x + 1][axis] = sums[y * (width + 1) + x + 1][axis] + row[axis];
                }
            }
        }
        Frame { width, sums, window: trimmed(&pixels, width, height) }
    }

    /// Width by height of what is left.
    pub(super) fn aspect(&self) -> f32 {
        self.window[2] / self.window[3]
    }

    /// What is left, as `side × side` cells, each the mean of what it covers, row by row.
    pub(super) fn cells(&self, side: usize) -> Vec<[f32; 3]> {
        let [left, top, width, height] = self.window;
        let (across, down) = (width / side as f32, height / side as f32);
        let area = f64::from(across) * f64::from(down);
        let corner = |x: usize, y: usize| self.sum_to(left + x as f32 * across, top + y as f32 * down);
        let cell = |x: usize, y: usize| {
            let corners = [corner(x + 1, y + 1), corner(x, y), corner(x + 1, y), corner(x, y + 1)];
            [0, 1, 2].map(|axis| {
                let [all, outside, above, beside] = corners.map(|sum| sum[axis]);
                ((all + outside - above - beside) / area) as f32
            })
        };
        (0..side * side).map(|i| cell(i % side, i / side)).collect()
    }

    /// The sum of everything above and left of a place between pixels.
    fn sum_to(&self, x: f32, y: f32) -> [f64; 3] {
        let stride = self.width + 1;
        let height = self.sums.len() / stride - 1;
        let (left, top) = ((x.max(0.0) as usize).min(self.width - 1), (y.max(0.0) as usize).min(height - 1));
        let (across, down) = (f64::from(x) - left as f64, f64::from(y) - top as f64);
        let at = |dx: usize, dy: usize| &self.sums[(top + dy) * stride + left + dx];
        [0, 1, 2].map(|axis| {
            let upper = at(0, 0)[axis] * (1.0 - across) + at(1, 0)[axis] * across;
            let lower = at(0, 1)[axis] * (1.0 - across) + at(1, 1)[axis] * across;
            upper * (1.0 - down) + lower * down
        })
    }
}

fn luma_chroma(rgb: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(f32::from);
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [luma, (b - luma) * 0.564, (r - luma) * 0.713]
}

/// The rectangle inside of all rows and columns that are uniform; all of a picture that is uniform throughout.
fn trimmed(pixels: &[[f32; 3]], width: usize, height: usize) -> [f32; 4] {
    let (mut left, mut top, mut right, mut bottom) = (0, 0, width, height);
    for _ in 0..TRIM_ROUNDS {
        let before = (left, top, right, bottom);
        let row = |y: usize, left: usize, right: usize| is_uniform((left..right).map(|x| pixels[y * width + x]));
        while top + 1 < bottom && row(top, left, right) {
            top += 1;
        }
        while bottom > top + 1 && row(bottom - 1, left, right) {
            bottom -= 1;
        }
        let column = |x: usize| is_uniform((top..bottom).map(|y| pixels[y * width + x]));
        while left + 1 < right && column(left) {
            left += 1;
        }
        while right > left + 1 && column(right - 1) {
            right -= 1;
        }
        if before == (left, top, right, bottom) {
            break;
        }
    }
    if (right - left) * KEPT_SHARE < width && (bottom - top) * KEPT_SHARE < height {
        return [0.0, 0.0, width as f32, height as f32];
    }
    [left as f32, top as f32, (right - left) as f32, (bottom - top) as f32]
}

fn is_uniform(stripe: impl Iterator<Item = [f32; 3]>) -> bool {
    let stripe: Vec<[f32; 3]> = stripe.collect();
    let mut middle = [0.0; 3];
    for (axis, value) in middle.iter_mut().enumerate() {
        let mut values: Vec<f32> = stripe.iter().map(|pixel| pixel[axis]).collect();
        let half = values.len() / 2;
        *value = *values.select_nth_unstable_by(half, f32::total_cmp).1;
    }
    let gap = |pixel: &[f32; 3]| (0..3).map(|axis| (pixel[axis] - middle[axis]).abs()).fold(0.0, f32::max);
    let sum: f32 = stripe.iter().map(gap).sum();
    sum <= STRIPE_MEAN_GAP_MAX * stripe.len() as f32 && stripe.iter().all(|pixel| gap(pixel) <= STRIPE_GAP_MAX)
}
