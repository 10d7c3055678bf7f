//! Colours: mixed in OKLab, so that what lies between two colours looks as if it did.

/// An sRGB colour, each part 0 to 1; the fourth lane is padding that keeps the arithmetic in one register.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Colour(pub(crate) [f32; 4]);

impl Colour {
    /// From `0xRRGGBB`.
    pub(crate) const fn hex(rgb: u32) -> Colour {
        Colour([((rgb >> 16) & 255) as f32 / 255.0, ((rgb >> 8) & 255) as f32 / 255.0, (rgb & 255) as f32 / 255.0, 1.0])
    }

    /// `share` of the way to `other`.
    pub(crate) fn mix(self, other: Colour, share: f32) -> Colour {
        let (a, b) = (self.oklab(), other.oklab());
        Colour::from_oklab([0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share))
    }

    /// Lighter by this much of OKLab's lightness (0 to 1), darker when negative.
    pub(crate) fn lighter(self, by: f32) -> Colour {
        let [lightness, a, b] = self.oklab();
        // Highlights and shadows lose a little of their colour, as paint does.
        let keep = 1.0 - by.abs() * 0.4;
        Colour::from_oklab([(lightness + by).clamp(0.0, 1.0), a * keep, b * keep])
    }

    /// Turned by `hue` radians, colourfulness times `chroma`, lightness plus `lightness`.
    pub(crate) fn shifted(self, hue: f32, chroma: f32, lightness: f32) -> Colour {
        let [l, a, b] = self.oklab();
        let (sin, cos) = hue.sin_cos();
        Colour::from_oklab([
            (l + lightness).clamp(0.0, 1.0),
            chroma * (a * cos - b * sin),
            chroma * (a * sin + b * cos),
        ])
    }

    /// OKLab's lightness, 0 to 1.
    pub(crate) fn lightness(self) -> f32 {
        self.oklab()[0]
    }

    /// OKLab (Ottosson, 2020).
    fn oklab(self) -> [f32; 3] {
        let [r, g, b, _] = self.0.map(linear);
        let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    fn from_oklab([lightness, a, b]: [f32; 3]) -> Colour {
        let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
        let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
        let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
        Colour([
            coded(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
            coded(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
            coded(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
            1.0,
        ])
    }
}

fn linear(value: f32) -> f32 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn coded(linear: f32) -> f32 {
    let value = if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    value.clamp(0.0, 1.0)
}
