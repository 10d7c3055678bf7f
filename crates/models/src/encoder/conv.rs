//! Convolutions of 3 × 3 as products of patches.

/// Pixels of a patch.
const PATCH: usize = 9;

/// What a convolution reads: square pictures, rows of pixels of so many numbers each, of which every `stride`th is in
/// the middle of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Pixels along a side.
    pub side: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Pixels from one patch to the next.
    pub stride: usize,
}

impl Grid {
    /// Pixels along a side of what comes out.
    pub fn side_after(&self) -> usize {
        self.side.div_ceil(self.stride)
    }

    /// Numbers of a picture.
    pub fn picture(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// Numbers of a patch.
    pub fn patch(&self) -> usize {
        PATCH * self.channels
    }

    /// Appends the patches of one picture, a row each; what lies outside of the picture is 0.
    pub fn patches<T: Copy + Default>(&self, x: &[T], out: &mut Vec<T>) {
        let start = out.len();
        out.resize(start + self.side_after().pow(2) * self.patch(), T::default());
        let out = &mut out[start..];
        self.runs(|pixels, patch, len| out[patch..patch + len].copy_from_slice(&x[pixels..pixels + len]));
    }

    /// The way back of [`Grid::patches`]: adds each number of a patch to the one it was taken from.
    pub fn patches_back(&self, patches: &[f32], to: &mut [f32]) {
        self.runs(|pixels, patch, len| {
            let from = &patches[patch..patch + len];
            to[pixels..pixels + len].iter_mut().zip(from).for_each(|(to, from)| *to += from);
        });
    }

    /// Numbers that lie side by side both in a picture and in a patch: where they begin in each, and how many.
    fn runs(&self, mut copy: impl FnMut(usize, usize, usize)) {
        let (side, after) = (self.side, self.side_after());
        for middle in 0..after * after {
            let (y, x) = (middle / after * self.stride, middle % after * self.stride);
            let (left, right) = (x.saturating_sub(1), (x + 2).min(side));
            let skipped = usize::from(x == 0) * self.channels;
            for row in 0..3 {
                if (1..=side).contains(&(y + row)) {
                    let pixels = ((y + row - 1) * side + left) * self.channels;
                    let patch = middle * self.patch() + row * 3 * self.channels + skipped;
                    copy(pixels, patch, (right - left) * self.channels);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_holds_the_pixels_around_its_middle() {
        // 1 2 3 / 4 5 6 / 7 8 9, two numbers each.
        let x: Vec<i8> = (1..=9).flat_map(|v| [v, -v]).collect();
        let mut out = Vec::new();
        let grid = Grid { side: 3, channels: 2, stride: 1 };
        grid.patches(&x, &mut out);
        assert_eq!(out.len(), 9 * grid.patch());
        let firsts = |patch: usize| out[patch * 18..][..18].iter().step_by(2).copied().collect::<Vec<i8>>();
        assert_eq!(firsts(4), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(firsts(0), [0, 0, 0, 0, 1, 2, 0, 4, 5]);
        assert_eq!(firsts(5), [2, 3, 0, 5, 6, 0, 8, 9, 0]);
        assert!(out.chunks_exact(2).all(|two| two[0] == -two[1]));

        let sparse = Grid { stride: 2, ..grid };
        out.clear();
        sparse.patches(&x, &mut out);
        assert_eq!((sparse.side_after(), out.len()), (2, 4 * 18));
        assert_eq!(out[3 * 18..][..18].iter().step_by(2).copied().collect::<Vec<i8>>(), [5, 6, 0, 8, 9, 0, 0, 0, 0]);
    }
}
