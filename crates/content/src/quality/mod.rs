//! Is a pin fit to be shown? Signals of picture and words that can be measured, each held against a threshold.
//!
//! A [`QualityLabel`] carries the value and the threshold that it crossed, so that a list for review can say why. What
//! the thresholds are is the operator's ([`QualityParams`]).

mod look;
mod wording;

use serde::{Deserialize, Serialize};

use crate::Picture;

/// Thresholds of the labels, and what a label costs. All in one place, to be written in a configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QualityParams {
    /// Least sharpness: variance of the Laplacian over mean squared gradient, seen at 256 pixels on the longer side.
    /// Sharp photos have 2 to 6, a blur of a pixel or two leaves 0.3 to 1.
    pub sharpness_min: f32,
    /// Least mean lightness (luma, 0..1).
    pub lightness_min: f32,
    /// Most lightness of the darkest hundredth of the pixels (luma, 0..1): small things on white are no fault.
    pub darkest_max: f32,
    /// Least distance between the darkest and the lightest hundredth of the pixels (luma, 0..1).
    pub contrast_min: f32,
    /// Least length of the shorter side in pixels.
    pub side_px_min: f32,
    /// Most times that one side is longer than the other.
    pub aspect_max: f32,
    /// Fewest letters and digits of title and description together.
    pub letters_min: f32,
    /// Most share of capitals among the letters of a title of 12 letters or more (of an alphabet that has them).
    pub capitals_max: f32,
    /// Most share of words that came before, of 8 words or more; joining words aside.
    pub repeated_max: f32,
    /// Longest run of one sign ("!!!!!").
    pub run_max: f32,
    /// Most addresses, hashtags and mentions.
    pub links_max: f32,
    /// What is left of the score by each label just beyond its threshold; squared at twice the distance, and so on.
    pub label_factor: f32,
}

impl Default for QualityParams {
    fn default() -> Self {
        QualityParams {
            sharpness_min: 1.2,
            lightness_min: 0.1,
            darkest_max: 0.85,
            contrast_min: 0.15,
            side_px_min: 200.0,
            aspect_max: 4.0,
            letters_min: 4.0,
            capitals_max: 0.8,
            repeated_max: 0.5,
            run_max: 4.0,
            links_max: 5.0,
            label_factor: 0.8,
        }
    }
}

/// What is wrong with a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QualityKind {
    /// The picture is not sharp.
    Blurred,
    /// The picture is too dark.
    Dark,
    /// The picture is light all over.
    Bright,
    /// The picture has hardly any contrast.
    Flat,
    /// The picture is small.
    Small,
    /// The picture is a strip.
    Strip,
    /// There are hardly any words.
    Wordless,
    /// The title is written in capitals.
    Capitals,
    /// The same words come again and again.
    Repeated,
    /// One sign is repeated many times.
    Runs,
    /// There are many addresses, hashtags and mentions.
    Links,
}

impl QualityKind {
    /// All of them.
    pub const ALL: [QualityKind; 11] = [
        QualityKind::Blurred,
        QualityKind::Dark,
        QualityKind::Bright,
        QualityKind::Flat,
        QualityKind::Small,
        QualityKind::Strip,
        QualityKind::Wordless,
        QualityKind::Capitals,
        QualityKind::Repeated,
        QualityKind::Runs,
        QualityKind::Links,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            QualityKind::Blurred => "blurred",
            QualityKind::Dark => "dark",
            QualityKind::Bright => "bright",
            QualityKind::Flat => "flat",
            QualityKind::Small => "small",
            QualityKind::Strip => "strip",
            QualityKind::Wordless => "wordless",
            QualityKind::Capitals => "capitals",
            QualityKind::Repeated => "repeated",
            QualityKind::Runs => "runs",
            QualityKind::Links => "links",
        }
    }
}

/// A threshold that a pin crossed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityLabel {
    /// What is wrong.
    pub kind: QualityKind,
    /// What was measured.
    pub value: f32,
    /// What it was held against.
    pub threshold: f32,
}

/// How fit a pin is to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// 1 where nothing is wrong, towards 0 the more and the worse the labels are.
    pub score: f32,
    /// What is wrong, in the order of [`QualityKind::ALL`].
    pub labels: Vec<QualityLabel>,
}

/// A value and the side of its threshold on which it is wrong.
enum Bound {
    Least(f32, f32),
    Most(f32, f32),
}

/// Judges a pin by its words and, if there is one, its picture (as it came, not its thumbnail).
pub fn quality(title: &str, description: &str, picture: Option<&Picture>, params: &QualityParams) -> Quality {
    let words = wording::measure(title, description);
    let mut bounds = Vec::new();
    if let Some(picture) = picture {
        let look = look::measure(picture);
        // A plain picture shows no edges by which sharpness could be told.
        bounds.extend(look.sharpness.map(|value| (QualityKind::Blurred, Bound::Least(value, params.sharpness_min))));
        bounds.extend([
            (QualityKind::Dark, Bound::Least(look.lightness, params.lightness_min)),
            (QualityKind::Bright, Bound::Most(look.darkest, params.darkest_max)),
            (QualityKind::Flat, Bound::Least(look.contrast, params.contrast_min)),
            (QualityKind::Small, Bound::Least(look.side_px, params.side_px_min)),
            (QualityKind::Strip, Bound::Most(look.aspect, params.aspect_max)),
        ]);
    }
    bounds.extend([
        (QualityKind::Wordless, Bound::Least(words.letters, params.letters_min)),
        (QualityKind::Capitals, Bound::Most(words.capitals, params.capitals_max)),
        (QualityKind::Repeated, Bound::Most(words.repeated, params.repeated_max)),
        (QualityKind::Runs, Bound::Most(words.run, params.run_max)),
        (QualityKind::Links, Bound::Most(words.links, params.links_max)),
    ]);
    let labels: Vec<QualityLabel> = bounds
        .into_iter()
        .filter_map(|(kind, bound)| match bound {
            Bound::Least(value, threshold) => (value < threshold).then_some(QualityLabel { kind, value, threshold }),
            Bound::Most(value, threshold) => (value > threshold).then_some(QualityLabel { kind, value, threshold }),
        })
        .collect();
    let beyond: f32 = labels.iter().map(beyond).sum();
    Quality { score: params.label_factor.clamp(0.0, 1.0).powf(beyond), labels }
}

/// How far beyond its threshold a value lies: 1 just beyond it, 2 as far again as the threshold is from nothing, at
/// most 3.
fn beyond(label: &QualityLabel) -> f32 {
    let far = (label.value - label.threshold).abs() / label.threshold.abs().max(1e-6);
    1.0 + far.min(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drawing with edges, `pixel` says how light each pixel is.
    fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> u8) -> Picture {
        let all = (0..width * height).flat_map(|i| {
            let light = pixel(i % width, i / width);
            [light, light, light, 255]
        });
        Picture::from_rgba(width, height, &all.collect::<Vec<u8>>()).expect("a picture")
    }

    fn checks(x: u32, y: u32) -> u8 {
        if (x / 8 + y / 8).is_multiple_of(2) { 40 } else { 210 }
    }

    fn kinds(picture: &Picture) -> Vec<QualityKind> {
        let quality = quality("Brass lamp", "", Some(picture), &QualityParams::default());
        quality.labels.into_iter().map(|label| label.kind).collect()
    }

    fn blurred(picture: &Picture) -> Picture {
        let (width, height) = (picture.width(), picture.height());
        let light = |x: u32, y: u32| u32::from(picture.rgb()[((y * width + x) * 3) as usize]);
        self::picture(width, height, |x, y| {
            let near = (x.saturating_sub(3)..(x + 4).min(width))
                .flat_map(|x| (y.saturating_sub(3)..(y + 4).min(height)).map(move |y| (x, y)));
            let (sum, count) = near.fold((0, 0), |(sum, count), (x, y)| (sum + light(x, y), count + 1));
            (sum / count) as u8
        })
    }

    #[test]
    fn pictures_are_labelled_by_what_is_wrong_with_them() {
        let good = picture(256, 256, checks);
        assert_eq!(kinds(&good), []);
        assert_eq!(kinds(&blurred(&blurred(&good))), [QualityKind::Blurred]);
        assert_eq!(kinds(&picture(256, 256, |x, y| checks(x, y) / 12)), [QualityKind::Dark, QualityKind::Flat]);
        assert_eq!(kinds(&picture(256, 256, |_, _| 255)), [QualityKind::Bright, QualityKind::Flat]);
        assert_eq!(kinds(&picture(90, 120, checks)), [QualityKind::Small]);
        assert_eq!(kinds(&picture(1_200, 210, checks)), [QualityKind::Strip]);
        assert_eq!(kinds(&picture(1, 1, |_, _| 128)), [QualityKind::Flat, QualityKind::Small]);
    }

    #[test]
    fn the_label_says_why_and_worse_is_worse() {
        let params = QualityParams::default();
        let judge = |side: u32| quality("Brass lamp", "", Some(&picture(side, side, checks)), &params);
        let (small, smaller) = (judge(190), judge(40));
        assert_eq!(small.labels, [QualityLabel { kind: QualityKind::Small, value: 190.0, threshold: 200.0 }]);
        assert!(smaller.score < small.score && small.score < 1.0);
        let loose = QualityParams { side_px_min: 30.0, ..params };
        assert_eq!(quality("Brass lamp", "", Some(&picture(40, 40, checks)), &loose).score, 1.0);
    }

    #[test]
    fn words_are_labelled_too() {
        let labels = |title: &str, description: &str| {
            let quality = quality(title, description, None, &QualityParams::default());
            quality.labels.into_iter().map(|label| label.kind).collect::<Vec<_>>()
        };
        assert_eq!(labels("Brass lamp", "Made by hand in Jaipur. It is 40 cm tall and it shines."), []);
        assert_eq!(labels("", "…"), [QualityKind::Wordless]);
        assert_eq!(labels("BUY THIS LAMP NOW", ""), [QualityKind::Capitals]);
        assert_eq!(labels("IKEA PAX", ""), [], "names are short");
        assert_eq!(labels("Lamp", "lamp lamp lamps cheap lamp cheap lamp buy lamp"), [QualityKind::Repeated]);
        assert_eq!(labels("Lamp!!!!!!!", ""), [QualityKind::Runs]);
        assert_eq!(labels("Lamp", "#a #b #c @d http://e www.f"), [QualityKind::Links]);
        assert_eq!(labels("ランプ 真鍮", ""), [], "no capitals, no blanks");
    }

    #[test]
    fn thresholds_are_read_from_a_file_and_unknown_ones_refused() {
        let params: QualityParams = serde_json::from_str(r#"{"side_px_min": 64}"#).expect("thresholds");
        assert_eq!(params, QualityParams { side_px_min: 64.0, ..QualityParams::default() });
        assert!(serde_json::from_str::<QualityParams>(r#"{"sharp": 1}"#).is_err());
        let names: std::collections::HashSet<&str> = QualityKind::ALL.into_iter().map(QualityKind::as_str).collect();
        assert_eq!(names.len(), QualityKind::ALL.len());
    }
}
