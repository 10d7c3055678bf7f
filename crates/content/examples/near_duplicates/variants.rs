//! What happens to pictures on their way around: cut, written again, mirrored, framed, tinted.

use content::Picture;
use domain::Rng;

/// One way in which a picture is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Up to 15 % of the width and up to 15 % of the height are cut off, however the two ends share it.
    Crop,
    /// Written as a JPEG of quality 40 to 90.
    Recompress,
    /// Mirrored left to right.
    Flip,
    /// A white or black border of up to 10 % of the longer side around it.
    Border,
    /// Brightness moved by up to 8 of 255 and each channel by up to 4 more, contrast changed by up to 6 %.
    Tint,
    /// A crop of up to 8 %, a tint, one time in two a flip, written with quality 50 to 90.
    Mixed,
}

/// All of them.
pub(crate) const CHANGES: [Change; 6] =
    [Change::Crop, Change::Recompress, Change::Flip, Change::Border, Change::Tint, Change::Mixed];

impl Change {
    /// As it is printed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Change::Crop => "crop",
            Change::Recompress => "recompress",
            Change::Flip => "flip",
            Change::Border => "border",
            Change::Tint => "tint",
            Change::Mixed => "mixed",
        }
    }
}

/// The picture after the change, as the JPEG that would be met.
pub(crate) fn changed(picture: &Picture, change: Change, rng: &mut Rng) -> Vec<u8> {
    let (picture, quality) = match change {
        Change::Crop => (cropped(picture, 0.15, rng), 85),
        Change::Recompress => (picture.clone(), 40 + rng.below(51) as u8),
        Change::Flip => (flipped(picture), 85),
        Change::Border => (framed(picture, rng), 85),
        Change::Tint => (tinted(picture, rng), 85),
        Change::Mixed => {
            let cut = tinted(&cropped(picture, 0.08, rng), rng);
            (if rng.below(2) == 0 { flipped(&cut) } else { cut }, 50 + rng.below(41) as u8)
        }
    };
    picture.to_jpeg(quality).expect("a JPEG")
}

/// A picture of a size, pixel by pixel.
fn drawn(width: u32, height: u32, mut pixel: impl FnMut(u32, u32) -> [u8; 3]) -> Picture {
    let mut rgba = Vec::with_capacity((width * height * 4) as usize);
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = pixel(x, y);
            rgba.extend([r, g, b, 255]);
        }
    }
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

fn at(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let start = (y * picture.width() + x) as usize * 3;
    [0, 1, 2].map(|channel| picture.rgb()[start + channel])
}

/// Up to `share_max` of each side less.
fn cropped(picture: &Picture, share_max: f32, rng: &mut Rng) -> Picture {
    let mut cut = |side: u32| {
        let lost = (side as f32 * share_max * rng.uniform()).round() as u32;
        (rng.below(lost + 1), side - lost)
    };
    let ((left, width), (top, height)) = (cut(picture.width()), cut(picture.height()));
    drawn(width, height, |x, y| at(picture, x + left, y + top))
}

fn flipped(picture: &Picture) -> Picture {
    drawn(picture.width(), picture.height(), |x, y| at(picture, picture.width() - 1 - x, y))
}

fn framed(picture: &Picture, rng: &mut Rng) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let longer = width.max(height) as f32;
    let mut side = || (longer * (0.02 + 0.08 * rng.uniform())).round() as u32;
    let (across, down) = (side(), side());
    let colour = if rng.below(2) == 0 { [255; 3] } else { [0; 3] };
    drawn(width + 2 * across, height + 2 * down, |x, y| {
        let inside = (across..across + width).contains(&x) && (down..down + height).contains(&y);
        if inside { at(picture, x - across, y - down) } else { colour }
    })
}

fn tinted(picture: &Picture, rng: &mut Rng) -> Picture {
    let mut between = |most: f32| (rng.uniform() * 2.0 - 1.0) * most;
    let (contrast, brightness) = (1.0 + between(0.06), between(8.0));
    let shift = [between(4.0), between(4.0), between(4.0)];
    drawn(picture.width(), picture.height(), |x, y| {
        let pixel = at(picture, x, y);
        [0, 1, 2].map(|channel| {
            let value = (f32::from(pixel[channel]) - 128.0) * contrast + 128.0 + brightness + shift[channel];
            value.round().clamp(0.0, 255.0) as u8
        })
    })
}
