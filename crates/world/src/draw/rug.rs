//! Rugs, knot by knot.

use super::art::Art;
use super::brush::Brush;
use super::canvas::noise;
use super::colour::Colour;
use super::shape;

/// A woven pattern: one colour number per knot.
struct Weave {
    columns: usize,
    rows: usize,
    knots: Vec<u8>,
}

/// Diamonds, stripes, or a pale one with fringe; lying on a floor or filling the picture.
pub(crate) fn rug(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let p = art.palette.clone();
    let wool = p.paper.lighter(-0.01);
    let mut dyes = if art.form == 2 {
        vec![wool, p.ink.lighter(0.06), p.land[2], p.pop[0], p.land[1]]
    } else {
        vec![p.pop[0], wool, p.land[4], p.pop[1], p.pop[2], p.land[2]]
    };
    if art.form != 2 {
        let turn = art.count(0, 2);
        dyes[..].rotate_left(turn);
    }
    let whole = art.chance(0.3);
    let (left, top) = if whole { (-4.0, -4.0) } else { (w * art.between(0.1, 0.14), h * art.between(0.09, 0.12)) };
    let (width, height) = (w - left * 2.0, h - top * 2.0);
    let knot = if art.form == 2 { 5.0 } else { art.between(5.5, 8.5) };
    let (columns, rows) = ((width / knot) as usize, (height / knot) as usize);
    let weave = match art.form {
        0 => kilim(art, columns, rows),
        1 => striped(art, columns, rows),
        _ => berber(art, columns, rows),
    };
    if !whole {
        ground(art);
        let body = shape::rect(left, top, width, height);
        art.shadow(&body, 8.0, 18.0, 0.45);
        fringe(art, left, top, width, height, dyes[if art.form == 2 { 0 } else { 1 }]);
    }
    lay(art, &weave, (left, top, width, height), &dyes);
}

fn ground(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wood = Colour::hex(0xC9A27A).mix(art.palette.land[1], 0.45);
    art.wall(wood);
    let planks = art.count(4, 6);
    for i in 0..planks {
        let (x, wide) = (w * i as f32 / planks as f32, w / planks as f32);
        let tone = wood.lighter(art.between(-0.025, 0.025));
        art.fill(&shape::rect(x, 0.0, wide, h), &Brush::down(0.0, h, &[tone.lighter(0.01), tone]).grain(0.25));
        art.fill(&shape::rect(x, 0.0, 1.4, h), &Brush::flat(art.palette.ink).alpha(0.3));
        let joint = h * art.between(0.05, 0.95);
        art.fill(&shape::rect(x, joint, wide, 1.4), &Brush::flat(art.palette.ink).alpha(0.3));
    }
}

fn fringe(art: &mut Art, left: f32, top: f32, width: f32, height: f32, colour: Colour) {
    let count = (width / 7.0) as usize;
    let mut threads = Vec::with_capacity(count * 2);
    for i in 0..count {
        let x = left + (i as f32 + 0.5) * width / count as f32;
        for (y, sign) in [(top, -1.0), (top + height, 1.0)] {
            let (length, sway) = (art.between(13.0, 19.0), art.between(-3.0, 3.0));
            threads.push(shape::stroke(
                &[(x, y), (x + sway * 0.3, y + sign * length * 0.5), (x + sway, y + sign * length)],
                2.4,
            ));
        }
    }
    let whole = shape::together(threads);
    art.shadow(&whole, 2.0, 4.0, 0.3);
    art.flat(&whole, colour);
}

/// Nested stepped diamonds with a border.
fn kilim(art: &mut Art, columns: usize, rows: usize) -> Weave {
    let across = art.count(1, 3);
    let unit = (columns / across).max(8);
    let tall = (unit as f32 * art.between(0.9, 1.4)) as usize;
    let border = 3 + art.count(0, 2);
    let (step, first) = (art.count(2, 3), art.count(0, 3));
    Weave::new(columns, rows, |u, v| {
        let edge = u.min(columns - 1 - u).min(v.min(rows - 1 - v));
        if edge < border {
            return match edge {
                0 => 2,
                e if e + 1 == border => 2,
                _ => {
                    if (u / 2 + v / 2) % 2 == 0 {
                        1
                    } else {
                        3
                    }
                }
            };
        }
        let dx = (u % unit).abs_diff(unit / 2) as f32 / (unit as f32 / 2.0);
        let dy = (v % tall).abs_diff(tall / 2) as f32 / (tall as f32 / 2.0);
        let ring = ((dx + dy) * unit as f32 / 2.0 / step as f32) as usize;
        if dx + dy > 1.0 {
            let other = ((2.0 - dx - dy) * unit as f32 / 2.0 / step as f32) as usize;
            return [4, 1, 3, 2, 5, 0][(other + first) % 6];
        }
        [0, 1, 2, 3, 1, 4][(ring + first) % 6]
    })
}

/// Bands of different height, some with small figures.
fn striped(art: &mut Art, columns: usize, rows: usize) -> Weave {
    let mut bands: Vec<(usize, usize, usize, usize)> = Vec::new();
    let mut at = 0;
    while at < rows {
        let height = art.pick(&[1, 2, 2, 4, 6, 8, 10]);
        let ground = art.count(0, 5);
        let figure = if height >= 6 { art.count(1, 4) } else { 0 };
        bands.push((at, height, ground, figure));
        at += height;
    }
    // A rug mirrors itself around its middle.
    let half = rows / 2;
    Weave::new(columns, rows, |u, v| {
        let v = if v > half { rows - 1 - v } else { v };
        let index = bands.partition_point(|band| band.0 <= v).saturating_sub(1);
        let (start, height, ground, figure) = bands[index];
        let (y, x) = (v - start, u % height.max(1));
        let middle = height / 2;
        let front = (ground + 1 + index % 3) % 6;
        let hit = match figure {
            1 => x.abs_diff(middle) + y.abs_diff(middle) < middle,
            2 => (x + y) % height < height / 2,
            3 => y.abs_diff(middle) <= x.abs_diff(middle) && y != 0,
            4 => x.abs_diff(middle) + y.abs_diff(middle) == middle,
            _ => false,
        };
        if hit { front } else { ground }
    })
}

/// A lattice of thin diamonds on pale wool.
fn berber(art: &mut Art, columns: usize, rows: usize) -> Weave {
    let unit = (columns / art.count(2, 4)).max(10);
    let tall = (unit as f32 * art.between(1.1, 1.7)) as usize;
    let thick = art.between(0.05, 0.09);
    let accent = art.count(2, 3);
    let mark = art.count(0, 2);
    let wobble = art.rng.next_u64() as u32;
    Weave::new(columns, rows, |u, v| {
        let hand = (noise(u as u32 / 3, v as u32 / 3, wobble) - 0.5) * 0.05;
        let dx = (u % unit).abs_diff(unit / 2) as f32 / (unit as f32 / 2.0);
        let dy = (v % tall).abs_diff(tall / 2) as f32 / (tall as f32 / 2.0);
        let sum = dx + dy + hand;
        if (sum - 1.0).abs() < thick {
            return 1;
        }
        let cell = u / unit + v / tall;
        let inside = match mark {
            0 => (sum - 0.5).abs() < thick * 0.8,
            1 => dx.min(dy) < 0.07 && dx.max(dy) < 0.36,
            _ => sum < 0.22,
        };
        if inside { if cell.is_multiple_of(3) { accent } else { 1 } } else { 0 }
    })
}

impl Weave {
    fn new(columns: usize, rows: usize, knot: impl Fn(usize, usize) -> usize) -> Weave {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let knots = (0..columns * rows).map(|i| knot(i % columns, i / columns) as u8).collect();
        Weave { columns, rows, knots }
    }

    fn at(&self, u: f32, v: f32) -> (usize, u8) {
        let column = ((u * self.columns as f32) as usize).min(self.columns - 1);
        let row = ((v * self.rows as f32) as usize).min(self.rows - 1);
        (row * self.columns + column, self.knots[row * self.columns + column])
    }
}

/// Paints the knots with the light and shade of wool.
fn lay(art: &mut Art, weave: &Weave, (left, top, width, height): (f32, f32, f32, f32), dyes: &[Colour]) {
    let Some(stencil) = art.canvas.stencil(&shape::rect(left, top, width, height)) else { return };
    let shaggy = art.form == 2;
    let seed = art.rng.next_u64() as u32;
    let (ku, kv) = (weave.columns as f32 / width, weave.rows as f32 / height);
    art.canvas.touch(&stencil, |x, y, _| {
        let fuzz = if shaggy { (noise(x as u32, y as u32 / 4, seed) - 0.5) * 0.012 } else { 0.0 };
        let (u, v) = (((x - left) / width + fuzz).clamp(0.0, 0.9999), ((y - top) / height).clamp(0.0, 0.9999));
        let (knot, dye) = weave.at(u, v);
        let colour = dyes[usize::from(dye) % dyes.len()].0;
        let batch = noise(knot as u32 / 7, dye.into(), seed) - 0.5;
        let own = noise(knot as u32, 3, seed) - 0.5;
        let (fu, fv) = ((u * width * ku).fract(), (v * height * kv).fract());
        let bulge = if shaggy {
            (noise(x as u32, y as u32 / 3, seed ^ 9) - 0.5) * 0.09
        } else {
            (fv - 0.5) * -0.09 + (0.25 - (fu - 0.5).powi(2)) * 0.1 - 0.015
        };
        let shade = 1.0 + bulge + batch * 0.035 + own * 0.05;
        [colour[0] * shade, colour[1] * shade, colour[2] * shade, 1.0]
    });
}
