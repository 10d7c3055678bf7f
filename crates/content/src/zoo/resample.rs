//! Pictures at another size, as the encoders were taught on them: with the same whole numbers as Pillow 13 makes
//! (`Image.resize` of eight bits, filters widened where a picture shrinks, one side after the other).

/// Bits behind the point of a weight: eight for the value and two to spare in 32.
const WEIGHT_BITS: u32 = 22;

/// How neighbouring pixels are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Lanczos,
    Bilinear,
    Bicubic,
}

/// A stretch of the pixels of a scaled side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Of the whole side.
    pub(super) length: usize,
    pub(super) from: usize,
    pub(super) count: usize,
}

impl Filter {
    /// By its number in that library.
    pub(super) fn of(code: u64) -> Option<Filter> {
        match code {
            1 => Some(Filter::Lanczos),
            2 => Some(Filter::Bilinear),
            3 => Some(Filter::Bicubic),
            _ => None,
        }
    }

    /// How far it reaches (pixels).
    fn reach(self) -> f64 {
        match self {
            Filter::Lanczos => 3.0,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        const A: f64 = -0.5;
        let x = at.abs();
        match self {
            Filter::Bilinear => (1.0 - x).max(0.0),
            Filter::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Filter::Lanczos if (-3.0..3.0).contains(&at) => sinc(at) * sinc(at / 3.0),
            _ => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let turn = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { turn.sin() / turn }
}

/// What a new pixel is made of: old pixels from one on, a weight each.
struct Mix {
    from: usize,
    weights: Vec<i32>,
}

/// A part of a scaled picture: rows of RGB bytes, of `[width, height]` pixels before.
pub(super) fn resample(rgb: &[u8], [width, height]: [usize; 2], [across, down]: [Part; 2], filter: Filter) -> Vec<u8> {
    let (columns, mut rows) = (mixes(width, across, filter), mixes(height, down, filter));
    let shrinks = |old: usize, part: Part| old.saturating_sub(part.length);
    // Between the sides values are rounded, so that their order shows in the last bit.
    if shrinks(height, down) > 2 * shrinks(width, across) {
        return mixed_across(&mixed_down(rgb, width, &rows), width, &columns);
    }
    // Only rows that are read later.
    let first = rows.iter().map(|mix| mix.from).min().unwrap_or(0);
    let last = rows.iter().map(|mix| mix.from + mix.weights.len()).max().unwrap_or(0);
    rows.iter_mut().for_each(|mix| mix.from -= first);
    let narrow = mixed_across(&rgb[first * width * 3..last * width * 3], width, &columns);
    mixed_down(&narrow, columns.len(), &rows)
}

fn mixed_across(rgb: &[u8], width: usize, columns: &[Mix]) -> Vec<u8> {
    let row = |row| columns.iter().flat_map(move |mix| mixed(mix, row, 3));
    rgb.chunks_exact(width * 3).flat_map(row).collect()
}

fn mixed_down(rgb: &[u8], width: usize, rows: &[Mix]) -> Vec<u8> {
    let row = |mix| (0..width).flat_map(move |column| mixed(mix, &rgb[column * 3..], width * 3));
    rows.iter().flat_map(row).collect()
}

/// One pixel of pixels that lie a step apart.
fn mixed(mix: &Mix, line: &[u8], step: usize) -> [u8; 3] {
    let mut sums = [1i32 << (WEIGHT_BITS - 1); 3];
    for (pixel, weight) in line.chunks(step).skip(mix.from).zip(&mix.weights) {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += i32::from(*value) * weight;
        }
    }
    sums.map(|sum| (sum >> WEIGHT_BITS).clamp(0, 255) as u8)
}

fn mixes(old: usize, part: Part, filter: Filter) -> Vec<Mix> {
    let scale = old as f64 / part.length as f64;
    let wide = scale.max(1.0);
    let reach = filter.reach() * wide;
    (part.from..part.from + part.count)
        .map(|new| {
            let centre = (new as f64 + 0.5) * scale;
            // A cut towards zero: what lies before the picture begins with it.
            let from = ((centre - reach + 0.5) as usize).min(old - 1);
            let to = ((centre + reach + 0.5) as usize).clamp(from + 1, old);
            let weight = |at: usize| filter.weight((at as f64 - centre + 0.5) / wide);
            let weights: Vec<f64> = (from..to).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            let whole = |weight: &f64| {
                let share = if sum == 0.0 { 0.0 } else { weight / sum } * f64::from(1u32 << WEIGHT_BITS);
                share.round() as i32
            };
            Mix { from, weights: weights.iter().map(whole).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[u8], length: usize, filter: Filter) -> Vec<u8> {
        let rgb: Vec<u8> = values.iter().flat_map(|value| [*value; 3]).collect();
        let (across, down) = (Part { length, from: 0, count: length }, Part { length: 1, from: 0, count: 1 });
        resample(&rgb, [values.len(), 1], [across, down], filter).into_iter().step_by(3).collect()
    }

    #[test]
    fn a_side_of_the_same_length_stays() {
        let values = [0, 255, 3, 77, 200];
        for filter in [Filter::Lanczos, Filter::Bilinear, Filter::Bicubic] {
            assert_eq!(row(&values, 5, filter), values, "{filter:?}");
            assert_eq!(row(&[9; 40], 7, filter), [9; 7], "{filter:?}");
            assert_eq!(row(&[9; 7], 40, filter), [9; 40], "{filter:?}");
        }
    }

    #[test]
    fn halves_are_what_the_filters_say() {
        // Triangles of four pixels, 1 3 3 1; the first lies outside: 0 · 3/7 + 80 · 3/7 + 160 · 1/7.
        assert_eq!(row(&[0, 80, 160, 240], 2, Filter::Bilinear), [57, 183]);
        assert_eq!(row(&[0, 0, 0, 255, 255, 255], 3, Filter::Bicubic)[0], 0);
    }

    #[test]
    fn a_part_is_what_the_whole_has_there() {
        let rgb: Vec<u8> = (0..30 * 20 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let whole = |length| Part { length, from: 0, count: length };
        let all = resample(&rgb, [30, 20], [whole(17), whole(11)], Filter::Bicubic);
        let some = [Part { length: 17, from: 4, count: 6 }, Part { length: 11, from: 3, count: 5 }];
        let part = resample(&rgb, [30, 20], some, Filter::Bicubic);
        let cut: Vec<u8> = (3..8).flat_map(|y| &all[(y * 17 + 4) * 3..(y * 17 + 10) * 3]).copied().collect();
        assert_eq!(part, cut);
    }
}
