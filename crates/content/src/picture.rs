//! Pictures from outside: decoded under limits, scaled by area, written as JPEG.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageReader, Limits};

use crate::ContentError;

/// Widths of thumbnails in pixels, the widest first: what the columns of a wall need on screens of one, of two and of
/// more dots a pixel.
pub const THUMBNAIL_WIDTHS: [u32; 3] = [474, 236, 136];
/// Quality of thumbnails, 1 to 100.
const THUMBNAIL_QUALITY: u8 = 82;
/// Tallest thumbnail in pixels; taller pictures become narrower ones.
const THUMBNAIL_HEIGHT_MAX: u32 = 1_600;

/// Bounds of what is decoded.
pub mod limits {
    /// Most bytes of an encoded picture.
    pub const BYTES_MAX: usize = 20 * 1024 * 1024;
    /// Most pixels of a decoded picture.
    pub const PIXELS_MAX: u64 = 25_000_000;
    /// Longest side of a decoded picture in pixels.
    pub const SIDE_MAX: u32 = 20_000;
    /// Most bytes a decoder may allocate.
    pub const ALLOCATION_BYTES_MAX: u64 = 256 * 1024 * 1024;
}

/// A small copy of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Width in pixels.
    pub width: u32,
    /// The copy as a JPEG.
    pub jpeg: Vec<u8>,
}

/// A decoded picture: rows of RGB bytes (sRGB), from the top left. Transparency lies on white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// Decodes the first frame of a JPEG, PNG or WebP from anybody; the format is read off the bytes themselves.
    pub fn decode(bytes: &[u8]) -> Result<Picture, ContentError> {
        if bytes.len() > limits::BYTES_MAX {
            return Err(ContentError::TooManyBytes { bytes: bytes.len(), bytes_max: limits::BYTES_MAX });
        }
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(malformed)?;
        if reader.format().is_none() {
            return Err(ContentError::UnknownFormat);
        }
        reader.limits(decoder_limits());
        let mut decoder = reader.into_decoder().map_err(refused)?;
        let (width, height) = decoder.dimensions();
        check_size(width, height)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
        image.apply_orientation(orientation);
        Picture::from_rgba(image.width(), image.height(), image.into_rgba8().as_raw())
    }

    /// A picture of `width × height` RGBA bytes (not premultiplied).
    pub fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> Result<Picture, ContentError> {
        check_size(width, height)?;
        if rgba.len() as u64 != u64::from(width) * u64::from(height) * 4 {
            let reason = format!("{} bytes are not {width}×{height} RGBA pixels", rgba.len());
            return Err(ContentError::Malformed { reason });
        }
        let over_white = |value: u8, alpha: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        let rgb = rgba.chunks_exact(4).flat_map(|p| [0, 1, 2].map(|channel| over_white(p[channel], p[3]))).collect();
        Ok(Picture { width, height, rgb })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Rows of RGB bytes.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The picture as a JPEG of the given quality (1 to 100).
    pub fn to_jpeg(&self, quality: u8) -> Result<Vec<u8>, ContentError> {
        let mut bytes = Vec::with_capacity(self.rgb.len() / 8);
        JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
            .encode(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            .map_err(|error| ContentError::Encode { reason: error.to_string() })?;
        Ok(bytes)
    }

    /// JPEGs of [`THUMBNAIL_WIDTHS`], the widest first. A picture that is smaller than the widest keeps its size as the
    /// first, and there are only such others as are smaller than that.
    pub fn thumbnails(&self) -> Result<Vec<Thumbnail>, ContentError> {
        let mut copies = vec![self.within(THUMBNAIL_WIDTHS[0], THUMBNAIL_HEIGHT_MAX)];
        for width in &THUMBNAIL_WIDTHS[1..] {
            // Each is made of the one before, which has detail enough.
            let larger = &copies[copies.len() - 1];
            if *width < larger.width {
                copies.push(larger.within(*width, THUMBNAIL_HEIGHT_MAX));
            }
        }
        let encode = |small: &Picture| {
            let jpeg = small.to_jpeg(THUMBNAIL_QUALITY)?;
            Ok(Thumbnail { width: small.width, jpeg })
        };
        copies.iter().map(encode).collect()
    }

    /// The picture, scaled so that it is no wider and no taller.
    fn within(&self, width_max: u32, height_max: u32) -> Picture {
        let scale = (width_max as f32 / self.width as f32).min(height_max as f32 / self.height as f32);
        if scale >= 1.0 {
            return self.clone();
        }
        let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
        self.scaled(side(self.width), side(self.height))
    }

    /// The picture at another size, each new pixel the mean of the area it covers (or the nearest pixel when growing).
    #[must_use]
    pub fn scaled(&self, width: u32, height: u32) -> Picture {
        let (width, height) = (width.max(1), height.max(1));
        let columns: Vec<Column> = spans(self.width, width).iter().map(Column::new).collect();
        let stride = self.width as usize * 3;
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        let mut sums = vec![0.0f32; stride];
        for row in spans(self.height, height) {
            // Whole rows first: they lie in one piece.
            sums.fill(0.0);
            for y in row.first..=row.last {
                let weight = row.weight(y);
                let pixels = &self.rgb[y * stride..][..stride];
                sums.iter_mut().zip(pixels).for_each(|(sum, &value)| *sum += weight * f32::from(value));
            }
            let length = row.length();
            for column in &columns {
                let mean = column.sum(&sums).map(|sum| sum / (column.length * length));
                rgb.extend(mean.map(|value| (value + 0.5) as u8));
            }
        }
        Picture { width, height, rgb }
    }

    /// A part of the picture, at least one pixel: left, top, width and height as shares of its sides.
    pub fn cropped(&self, [left, top, width, height]: [f32; 4]) -> Picture {
        let span = |from: f32, share: f32, side: u32| {
            let first = ((from * side as f32) as u32).min(side - 1);
            (first, ((share * side as f32).round() as u32).clamp(1, side - first))
        };
        let ((x, width), (y, height)) = (span(left, width, self.width), span(top, height, self.height));
        let row = |y: u32| &self.rgb[(y as usize * self.width as usize + x as usize) * 3..][..width as usize * 3];
        Picture { width, height, rgb: (y..y + height).flat_map(row).copied().collect() }
    }
}

/// A new pixel's stretch of old ones, and how much of each lies inside.
struct Column {
    first: usize,
    weights: Vec<f32>,
    length: f32,
}

impl Column {
    fn new(span: &Span) -> Column {
        let weights = (span.first..=span.last).map(|x| span.weight(x)).collect();
        Column { first: span.first, weights, length: span.length() }
    }

    /// The weighted sum over a row of RGB sums.
    fn sum(&self, row: &[f32]) -> [f32; 3] {
        let (pixels, _) = row[self.first * 3..].as_chunks::<3>();
        self.weights.iter().zip(pixels).fold([0.0; 3], |sum, (weight, pixel)| {
            std::array::from_fn(|channel| sum[channel] + weight * pixel[channel])
        })
    }
}

/// A stretch of old pixels that one new pixel covers.
struct Span {
    from: f32,
    to: f32,
    first: usize,
    last: usize,
}

impl Span {
    /// How much of old pixel `at` lies inside.
    fn weight(&self, at: usize) -> f32 {
        (self.to.min(at as f32 + 1.0) - self.from.max(at as f32)).max(1e-6)
    }

    fn length(&self) -> f32 {
        (self.first..=self.last).map(|at| self.weight(at)).sum()
    }
}

fn spans(old: u32, new: u32) -> Vec<Span> {
    let step = old as f32 / new as f32;
    let last_pixel = old as usize - 1;
    (0..new)
        .map(|i| {
            let (from, to) = (i as f32 * step, (i + 1) as f32 * step);
            let first = (from as usize).min(last_pixel);
            let last = ((to - 1e-4).max(from) as usize).clamp(first, last_pixel);
            Span { from, to, first, last }
        })
        .collect()
}

fn check_size(width: u32, height: u32) -> Result<(), ContentError> {
    let pixels = u64::from(width) * u64::from(height);
    let side_max = width.max(height);
    if pixels == 0 || pixels > limits::PIXELS_MAX || side_max > limits::SIDE_MAX {
        return Err(ContentError::BadSize { width, height, pixels_max: limits::PIXELS_MAX });
    }
    Ok(())
}

fn decoder_limits() -> Limits {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::SIDE_MAX);
    bounds.max_image_height = Some(limits::SIDE_MAX);
    bounds.max_alloc = Some(limits::ALLOCATION_BYTES_MAX);
    bounds
}

fn malformed(error: impl std::fmt::Display) -> ContentError {
    ContentError::Malformed { reason: error.to_string() }
}

fn refused(error: ImageError) -> ContentError {
    match error {
        ImageError::Unsupported(_) => ContentError::UnknownFormat,
        other => malformed(other),
    }
}
