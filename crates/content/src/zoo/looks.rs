//! Pictures to the pixels that an encoder reads, as `preprocessor_config.json` says.

use serde_json::Value;

use super::resample::{Filter, Part, resample};
use super::{json, odd};
use crate::files::PREPROCESSOR;
use crate::{ContentError, Picture};

/// Longest side that pictures are scaled to before they are cut (pixels).
const SIDE_MAX: usize = 2_048;

/// How pictures become pixels.
#[derive(Debug)]
pub(super) struct Looks {
    side: usize,
    size: Size,
    filter: Filter,
    scale: f32,
    mean: [f32; 3],
    deviation: [f32; 3],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// Stretched to the square.
    Whole,
    /// The shorter side becomes so long; the square in the middle is read.
    Middle(usize),
}

impl Looks {
    pub(super) fn read(bytes: &[u8], side: usize) -> Result<Looks, ContentError> {
        let config = json(PREPROCESSOR, bytes)?;
        let refused = |name: &str, reason: &str| odd(PREPROCESSOR, &format!("{name} {reason}"));
        for step in ["do_resize", "do_rescale", "do_normalize"] {
            if config.get(step).is_some_and(|value| value == &Value::Bool(false)) {
                return Err(refused(step, "is false, which is not read"));
            }
        }
        let code = config.get("resample").map_or(Some(3), Value::as_u64);
        let filter = code.and_then(Filter::of).ok_or_else(|| refused("resample", "must be 1, 2 or 3"))?;
        let scale = config.get("rescale_factor").map_or(Some(1.0 / 255.0), Value::as_f64);
        let scale = scale.filter(|scale| (1e-6..=1.0).contains(scale));
        Ok(Looks {
            side,
            size: size(&config, side)?,
            filter,
            scale: scale.ok_or_else(|| refused("rescale_factor", "must be 1e-6 to 1"))? as f32,
            mean: colours(&config, "image_mean").ok_or_else(|| refused("image_mean", "must be three numbers"))?,
            deviation: colours(&config, "image_std")
                .filter(|deviation| deviation.iter().all(|value| *value > 1e-6))
                .ok_or_else(|| refused("image_std", "must be three numbers above 0"))?,
        })
    }

    /// A plane of `side × side` numbers for each colour.
    pub(super) fn of(&self, picture: &Picture) -> Vec<f32> {
        let part = |length: usize| Part { length, from: (length - self.side) / 2, count: self.side };
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let [across, down] = match self.size {
            Size::Whole => [part(self.side); 2],
            Size::Middle(short) => {
                let long = |side: usize, other: usize| part((short as f64 * side as f64 / other as f64) as usize);
                if width <= height { [part(short), long(height, width)] } else { [long(width, height), part(short)] }
            }
        };
        let rgb = resample(picture.rgb(), [width, height], [across, down], self.filter);
        let plane = |colour: usize| {
            let (mean, deviation) = (self.mean[colour], self.deviation[colour]);
            rgb.iter().skip(colour).step_by(3).map(move |&value| (f32::from(value) * self.scale - mean) / deviation)
        };
        (0..3).flat_map(plane).collect()
    }
}

/// To which size, and what of it is read.
fn size(config: &Value, side: usize) -> Result<Size, ContentError> {
    let refused = |name: &str, reason: &str| odd(PREPROCESSOR, &format!("{name} {reason}"));
    let whole = |value: &Value| value.as_u64().and_then(|length| usize::try_from(length).ok());
    let square = |of: &Value| {
        let [height, width] = ["height", "width"].map(|name| of.get(name).and_then(whole));
        height.filter(|_| height == width)
    };
    let size = config.get("size").ok_or_else(|| refused("size", "is missing"))?;
    let crops = config.get("do_center_crop").and_then(Value::as_bool);
    let crop = config.get("crop_size");
    if !crops.unwrap_or(crop.is_some()) {
        return match square(size).or_else(|| whole(size)) {
            Some(stretched) if stretched == side => Ok(Size::Whole),
            _ => Err(refused("size", &format!("is {size}; config.json reads {side} × {side} pixels"))),
        };
    }
    let crop = crop.ok_or_else(|| refused("crop_size", "is missing"))?;
    if whole(crop).or_else(|| square(crop)) != Some(side) {
        return Err(refused("crop_size", &format!("is {crop}; config.json reads {side} × {side} pixels")));
    }
    let short = whole(size).or_else(|| size.get("shortest_edge").and_then(whole));
    match short.filter(|short| (side..=SIDE_MAX).contains(short)) {
        Some(short) => Ok(Size::Middle(short)),
        None => Err(refused("size", &format!("is {size}; a shortest_edge of {side} to {SIDE_MAX} is read"))),
    }
}

fn colours(config: &Value, name: &str) -> Option<[f32; 3]> {
    let values: Option<Vec<f32>> =
        config.get(name)?.as_array()?.iter().map(|value| value.as_f64().map(|value| value as f32)).collect();
    let values: [f32; 3] = values?.try_into().ok()?;
    values.iter().all(|value| value.is_finite()).then_some(values)
}
