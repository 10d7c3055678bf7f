//! The colours of each mood.

use domain::Rng;

use super::colour::Colour;
use crate::Mood;

/// Colours that go together.
#[derive(Clone, Debug)]
pub(crate) struct Palette {
    /// Sky from the top to the horizon; walls and other grounds take from it too.
    pub(crate) sky: [Colour; 3],
    /// From far to near: lighter to darker.
    pub(crate) land: [Colour; 5],
    /// What stands out: main, warm or light, cool or third.
    pub(crate) pop: [Colour; 3],
    /// Background of prints.
    pub(crate) paper: Colour,
    /// Lines and the darkest shade.
    pub(crate) ink: Colour,
    /// Sun, moon, lit windows.
    pub(crate) light: Colour,
}

const HEX: [[u32; 14]; 12] = [
    // sky ×3, land ×5, pop ×3, paper, ink, light
    [
        0xB9AAD6, 0xF0B9B2, 0xFDE3C6, 0xC4AECB, 0x9D8CBB, 0x756FA4, 0x535788, 0x383C66, 0xF08A6C, 0xF5C26B, 0x7FA3B5,
        0xFBEDE0, 0x363B63, 0xFFF3DC,
    ],
    [
        0x3B2A58, 0xA8466C, 0xF59C5C, 0x97466B, 0x713661, 0x502954, 0x361E45, 0x221531, 0xF2784B, 0xF7B55E, 0xC2527D,
        0xF6DFC8, 0x2A1838, 0xFFDDA6,
    ],
    [
        0x0E1730, 0x1D2D55, 0x44588A, 0x34487A, 0x26375D, 0x1B2847, 0x121D36, 0x0B1226, 0xE6B450, 0xD97A4E, 0x7FA3C7,
        0xF1E7D3, 0x0E1730, 0xFBE7B0,
    ],
    [
        0xD5E0CD, 0xE7EBD8, 0xF7F2E2, 0xBBCBAC, 0x98B08F, 0x729277, 0x50735B, 0x35523F, 0xD98C5F, 0xE6C27A, 0x8FB0AC,
        0xF7F2E4, 0x2C4335, 0xFFFBEF,
    ],
    [
        0xEFC9A6, 0xF3D3B2, 0xF9E6CF, 0xE0A880, 0xCB805A, 0xB05E40, 0x884331, 0x5B2D25, 0xD9603B, 0xE9AE55, 0x6F8F7D,
        0xF8EADB, 0x4A2620, 0xFFF1DC,
    ],
    [
        0xE4D8C5, 0xEFE6D7, 0xF9F4E9, 0xD9CAB3, 0xC2AD91, 0xA48E74, 0x806D5A, 0x584C41, 0xC98B62, 0xD9B778, 0x8D9B86,
        0xF7F2E8, 0x463C34, 0xFFFDF6,
    ],
    [
        0xA9D2DC, 0xD3E7E5, 0xF7F0DC, 0x8BBCC6, 0x589AAD, 0x31778D, 0x1E566B, 0x123B4E, 0xEE8A63, 0xF3C267, 0x7CC2B8,
        0xF4F1E4, 0x12394B, 0xFFF8E4,
    ],
    [
        0xEEC6C6, 0xF5DAD5, 0xFCF0E6, 0xE0AAAB, 0xC87F88, 0xA55668, 0x7C364D, 0x512036, 0xE0705F, 0xEBBB80, 0x8FA391,
        0xFBEFE9, 0x471D30, 0xFFF5EC,
    ],
    [
        0xEFD58F, 0xF4E3B5, 0xFAF3DF, 0xE0BF6A, 0xC59B40, 0x967C33, 0x5F653B, 0x34463B, 0xD2622F, 0xE8B93B, 0x2F7F7A,
        0xF8F0DC, 0x2E3A36, 0xFFF7DF,
    ],
    [
        0x9DB8A1, 0xC6D4B9, 0xF0EACF, 0x88A68D, 0x5E846B, 0x3F6650, 0x28493C, 0x172F28, 0xD9853B, 0xE4C15F, 0xA8B870,
        0xF0ECDB, 0x142A23, 0xFFF4CF,
    ],
    [
        0xDCD8D0, 0xEAE6DE, 0xF8F5EE, 0xC2BFB9, 0x939190, 0x66676D, 0x3D3F45, 0x1E1F23, 0xD23B2E, 0xE3B23C, 0x2C4E80,
        0xF6F2E9, 0x1B1C20, 0xFFFDF8,
    ],
    [
        0xA9E0D9, 0xDDF0DA, 0xFFF2C6, 0xA3DBCD, 0x70C3B6, 0x41A09D, 0x2D7882, 0x22546B, 0xF77F6B, 0xFFC94F, 0xF9A6B8,
        0xFFF6E6, 0x22536A, 0xFFFDEB,
    ],
];

impl Palette {
    /// The mood's colours, shifted a little so that no two pins are quite alike.
    pub(crate) fn new(mood: Mood, rng: &mut Rng) -> Palette {
        let hue = 0.11 * (rng.uniform() * 2.0 - 1.0);
        let chroma = 0.9 + 0.2 * rng.uniform();
        let lightness = 0.02 * (rng.uniform() * 2.0 - 1.0);
        let c = HEX[mood as usize].map(|hex| Colour::hex(hex).shifted(hue, chroma, lightness));
        Palette {
            sky: [c[0], c[1], c[2]],
            land: [c[3], c[4], c[5], c[6], c[7]],
            pop: [c[8], c[9], c[10]],
            paper: c[11],
            ink: c[12],
            light: c[13],
        }
    }

    /// Whether the sky is a dark one.
    pub(crate) fn is_dark(&self) -> bool {
        self.sky[0].lightness() < 0.5
    }

    /// `land` as a continuous ramp: 0 far and light, 1 near and dark.
    pub(crate) fn depth(&self, depth: f32) -> Colour {
        let at = depth.clamp(0.0, 1.0) * 4.0;
        let first = (at as usize).min(3);
        self.land[first].mix(self.land[first + 1], at - first as f32)
    }

    /// A wall to put things in front of: light, even in dark moods not black.
    pub(crate) fn wall(&self) -> Colour {
        if self.is_dark() { self.sky[1].mix(self.land[1], 0.5) } else { self.sky[1] }
    }
}
