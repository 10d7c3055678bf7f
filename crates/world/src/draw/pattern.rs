//! Flat things: abstract shapes, Bauhaus grids, tiles.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::shape::{self, At, Shape};

fn paints(art: &mut Art) -> Vec<Colour> {
    let p = &art.palette;
    let mut colours = vec![p.pop[0], p.pop[1], p.pop[2], p.land[2], p.land[4], p.land[0]];
    art.rng.shuffle(&mut colours);
    colours
}

/// A flat shape with the grain of a print.
fn ink(art: &mut Art, shape: &Shape, colour: Colour) {
    let brush = art.volume(shape, colour, 0.025);
    art.fill(shape, &brush);
}

/// Shapes in balance, cut paper, arches and orbs.
pub(crate) fn abstract_shapes(art: &mut Art) {
    let paper = if art.chance(0.8) { art.palette.paper } else { art.palette.land[0].mix(art.palette.paper, 0.4) };
    art.wall(paper);
    match art.form {
        0 => balance(art),
        1 => cut_paper(art),
        _ => arches_and_orbs(art),
    }
    if art.form != 1 && art.chance(0.6) {
        let width = art.width * art.between(0.045, 0.07);
        art.margin(width);
    }
}

fn balance(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let stones = art.count(3, 5);
    let tall = h * 0.74 / stones as f32;
    let mut y = h * 0.88;
    let axis = w * art.between(0.46, 0.54);
    if art.chance(0.7) {
        let (x, sy, r) = (w * art.between(0.25, 0.75), h * art.between(0.18, 0.3), w * art.between(0.1, 0.17));
        ink(art, &shape::circle(x, sy, r), colours[5]);
    }
    for i in 0..stones {
        let ry = tall * art.between(0.4, 0.56);
        let rx = w * art.between(0.15, 0.32) * (1.05 - 0.1 * i as f32);
        let x = axis + art.between(-0.07, 0.07) * w;
        let stone = match art.count(0, 4) {
            0 => shape::ellipse(x, y - ry, rx, ry),
            1 => shape::wedge(x, y, ry * 1.85, PI, TAU),
            _ => shape::blob(&mut art.rng, x, y - ry, rx, ry, 0.13),
        };
        ink(art, &stone, colours[i % 5]);
        if art.chance(0.45) {
            let Some(stencil) = art.canvas.stencil(&stone) else { continue };
            let pattern = hatch(art, x, y - ry, rx, ry);
            let light = art.palette.paper;
            art.canvas.fill_within(&stencil, &pattern, &Brush::flat(light).alpha(0.75));
        }
        y -= ry * 1.94;
    }
    let line: Vec<At> = (0..7)
        .map(|i| (w * (0.12 + 0.13 * i as f32), h * (0.14 + 0.12 * i as f32) + (i as f32 * 1.8).sin() * h * 0.09))
        .collect();
    if art.chance(0.55) {
        let colour = art.palette.ink;
        art.fill(&shape::stroke(&line, 2.6), &Brush::flat(colour).alpha(0.85));
    }
}

/// Dots or stripes.
fn hatch(art: &mut Art, x: f32, y: f32, rx: f32, ry: f32) -> Shape {
    if art.chance(0.5) {
        let dots = (0..60).map(|i| {
            let (row, column) = (i / 10, i % 10);
            shape::circle(
                x + rx * (column as f32 / 4.5 - 1.0) + (row % 2) as f32 * rx * 0.11,
                y + ry * (row as f32 / 2.5 - 1.0),
                2.4,
            )
        });
        shape::together(dots)
    } else {
        shape::together((0..12).map(|i| shape::rect(x - rx, y + ry * (i as f32 / 5.5 - 1.0), rx * 2.0, 2.2)))
    }
}

fn cut_paper(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let (columns, rows) = (art.count(2, 3), art.count(2, 4));
    let edge = w * 0.055;
    let (cw, ch) = ((w - edge * 2.0) / columns as f32, (h - edge * 2.0) / rows as f32);
    for row in 0..rows {
        for column in 0..columns {
            let at = row * columns + column;
            let (left, top) = (edge + column as f32 * cw, edge + row as f32 * ch);
            let ground = if art.chance(0.3) { art.palette.paper } else { colours[at % 6] };
            let (dx, dy) = (art.between(-5.0, 5.0), art.between(-5.0, 5.0));
            let panel = shape::rect(left + dx * 0.5, top + dy * 0.5, cw + 1.0, ch + 1.0);
            ink(art, &panel, ground);
            let (x, y, size) = (left + cw * 0.5, top + ch * 0.5, cw.min(ch) * art.between(0.34, 0.41));
            let p = &art.palette;
            let clear = |colour: &Colour| (colour.lightness() - ground.lightness()).abs() > 0.2;
            let fronts = [p.paper, p.pop[1], p.land[0], p.ink, p.pop[0], p.land[3]];
            let fronts: Vec<Colour> = fronts.into_iter().filter(clear).collect();
            let colour = fronts.get(at % fronts.len().max(1)).copied().unwrap_or(p.ink);
            let cutout = match art.count(0, 3) {
                0 => seaweed(art, x, y, size),
                1 => shape::blob(&mut art.rng, x, y, size, size * 0.8, 0.3),
                2 => star(x, y, size, 8, 0.5),
                _ => seaweed(art, x, y, size * 1.1),
            };
            art.shadow(&cutout, 2.0, 5.0, 0.22);
            ink(art, &cutout, colour);
        }
    }
}

/// A leaf with round fingers, as scissors cut it.
fn seaweed(art: &mut Art, x: f32, y: f32, size: f32) -> Shape {
    let fingers = art.count(4, 6);
    let turn = art.between(-0.5, 0.5);
    let mut parts = vec![shape::stroke(&[(x, y + size * 1.1), (x + size * 0.06, y), (x, y - size)], size * 0.2)];
    for i in 0..fingers {
        let t = i as f32 / (fingers - 1) as f32;
        let root = y + size * (0.75 - 1.5 * t);
        let reach = size * (0.82 - 0.42 * t) * art.between(0.85, 1.1);
        for side in [-1.0, 1.0] {
            let finger =
                [(x, root), (x + side * reach * 0.55, root - size * 0.08), (x + side * reach, root - size * 0.36)];
            parts.push(shape::stroke(&finger, size * 0.2));
        }
    }
    shape::turn(shape::together(parts), turn, x, y)
}

fn star(x: f32, y: f32, size: f32, points: usize, inner: f32) -> Shape {
    let corners: Vec<At> = (0..points * 2)
        .map(|i| {
            let (angle, r) = (i as f32 / points as f32 * PI - FRAC_PI_2, if i % 2 == 0 { size } else { size * inner });
            (x + angle.cos() * r, y + angle.sin() * r)
        })
        .collect();
    shape::polygon(&corners)
}

fn arches_and_orbs(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let (x, r) = (w * art.between(0.4, 0.46), w * art.between(0.24, 0.3));
    let base = (h * 0.5 + r * art.between(1.1, 1.5)).min(h * 0.86);
    let (sx, sy) = (w * art.between(0.3, 0.75), base - r * art.between(1.5, 2.3));
    let orb = art.between(0.12, 0.18);
    ink(art, &shape::circle(sx, sy.max(h * 0.16), w * orb), colours[0]);
    let bands = art.count(3, 5);
    for i in 0..bands {
        let share = 1.0 - i as f32 / (bands as f32 + 0.4);
        let half = r * share;
        let rise = r * (1.45 * share + 0.15);
        let bow = shape::arch(x - half, base - rise, half * 2.0, rise);
        let colour = if i % 2 == 1 { art.palette.paper } else { colours[(i / 2 + 1) % 6] };
        ink(art, &bow, colour);
    }
    let half_r = w * art.between(0.1, 0.13);
    let half_x = (x + r + half_r + w * 0.02).min(w * 0.9 - half_r);
    ink(art, &shape::half(half_x, base, half_r, PI), colours[4]);
    if art.chance(0.6) {
        let (bx, by) = (half_x, base - half_r * 1.62);
        ink(art, &shape::circle(bx, by, half_r * 0.55), colours[3]);
    }
    let ground = shape::rect(w * 0.1, base, w * 0.8, h * 0.01);
    let line = art.palette.ink;
    art.flat(&ground, line);
    if art.chance(0.6) {
        let (lx, ly) = (w * art.between(0.11, 0.15), base);
        let stem = [(lx, ly), (lx + 6.0, ly - h * 0.16), (lx - 4.0, ly - h * 0.3)];
        art.flat(&shape::stroke(&stem, 2.2), line);
        for k in 0..5 {
            let at = (lx + 3.0, ly - h * (0.1 + 0.045 * k as f32));
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            ink(art, &shape::leaf(at, (at.0 + side * w * 0.09, at.1 - h * 0.04), w * 0.02, 0.05), colours[2]);
        }
    }
}

/// Strict grids: quarter circles, circles and bars, stepped half circles.
pub(crate) fn bauhaus(art: &mut Art) {
    let ground = art.palette.paper;
    art.wall(ground);
    match art.form {
        0 => quarter_grid(art),
        1 => circles_and_bars(art),
        _ => half_steps(art),
    }
    if art.chance(0.5) {
        let width = art.width * art.between(0.04, 0.07);
        art.margin(width);
    }
}

fn quarter_grid(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let columns = art.count(3, 5);
    let cell = w / columns as f32;
    let rows = (h / cell).ceil() as usize;
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = (column as f32 * cell, row as f32 * cell);
            let first = art.count(0, 6);
            let ground = if first == 6 { art.palette.paper } else { colours[first] };
            let pool: Vec<Colour> = colours
                .iter()
                .copied()
                .chain([art.palette.paper])
                .filter(|c| (c.lightness() - ground.lightness()).abs() > 0.12)
                .collect();
            let front = if pool.is_empty() { art.palette.paper } else { art.pick(&pool) };
            art.flat(&shape::rect(x, y, cell + 0.6, cell + 0.6), ground);
            let turn = art.count(0, 3);
            let corner = [(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)][turn];
            let from = turn as f32 * FRAC_PI_2;
            let middle = (x + cell / 2.0, y + cell / 2.0);
            let motif = match art.count(0, 7) {
                0..=2 => shape::wedge(corner.0, corner.1, cell, from, from + FRAC_PI_2),
                3 => shape::circle(middle.0, middle.1, cell * 0.5),
                4 => shape::half(middle.0, middle.1, cell * 0.5, from),
                5 => shape::together([shape::wedge(corner.0, corner.1, cell, from, from + FRAC_PI_2)]),
                6 => {
                    shape::together((0..4).map(|i| shape::rect(x, y + cell * (i as f32 + 0.5) / 4.0, cell, cell / 8.0)))
                }
                _ => shape::polygon(&[
                    corner,
                    [(x + cell, y), (x + cell, y + cell), (x, y + cell), (x, y)][turn],
                    [(x + cell, y + cell), (x, y + cell), (x, y), (x + cell, y)][turn],
                ]),
            };
            ink(art, &motif, front);
            if art.chance(0.3) {
                let inner = shape::wedge(corner.0, corner.1, cell * 0.5, from, from + FRAC_PI_2);
                ink(art, &inner, ground);
            }
        }
    }
}

fn circles_and_bars(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let (x, y, r) = (w * art.between(0.35, 0.65), h * art.between(0.32, 0.5), w * art.between(0.26, 0.36));
    let tilt = art.pick(&[0.0, FRAC_PI_4, -FRAC_PI_4, 0.35]);
    let bar = |dx: f32, wide: f32| shape::turn(shape::rect(x + dx - wide / 2.0, -h, wide, h * 3.0), tilt, x, y);
    ink(art, &bar(-r * 0.9, w * 0.05), colours[3]);
    ink(art, &bar(r * 0.4, w * 0.16), colours[4]);
    ink(art, &shape::circle(x, y, r), colours[0]);
    let (dx, dy) = (r * art.between(0.5, 0.9) * art.side, r * art.between(0.5, 0.9));
    let second = shape::circle(x + dx, y + dy, r * art.between(0.5, 0.75));
    ink(art, &second, colours[1]);
    if let Some(stencil) = art.canvas.stencil(&shape::circle(x, y, r)) {
        let overlap = colours[0].mix(colours[1], 0.5).lighter(-0.16);
        art.canvas.fill_within(&stencil, &second, &Brush::flat(overlap));
        let half = shape::turn(shape::rect(x, y - r, r, r * 2.0), tilt, x, y);
        art.canvas.fill_within(&stencil, &half, &Brush::flat(art.palette.ink).alpha(0.16));
    }
    let rings = art.count(2, 4);
    let (rx, ry) = (w - x + art.between(-0.1, 0.1) * w, h * art.between(0.74, 0.84));
    for i in 0..rings {
        ink(art, &shape::ring(rx, ry, w * (0.06 + 0.04 * i as f32), w * 0.014), colours[2]);
    }
    let black = art.palette.ink;
    for i in 0..art.count(3, 6) {
        let ly = h * 0.86 + i as f32 * h * 0.018;
        art.flat(&shape::rect(w * 0.1, ly, w * 0.34, h * 0.006), black);
    }
    let (tx, ty, size) = (w * art.between(0.14, 0.3), h * art.between(0.62, 0.74), w * 0.12);
    ink(art, &shape::polygon(&[(tx, ty - size), (tx + size, ty + size), (tx - size, ty + size)]), colours[5]);
    let end = art.between(0.08, 0.2);
    art.flat(&shape::line(&[(w * 0.05, h * 0.95), (w * 0.95, h * end)], 2.0), black);
}

fn half_steps(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = paints(art);
    let columns = art.count(2, 4);
    let (cell, r) = (w / columns as f32, w / columns as f32 / 2.0);
    let rows = (h / r).ceil() as usize + 1;
    let dark = art.palette.land[4];
    let base = if art.chance(0.5) { dark } else { art.palette.paper };
    art.flat(&shape::rect(0.0, 0.0, w, h), base);
    let rainbow = art.chance(0.6);
    for row in 0..rows {
        for column in 0..=columns {
            let x = (column as f32 + if row % 2 == 0 { 0.5 } else { 0.0 }) * cell;
            let y = (row as f32 + 1.0) * r;
            let first = (row * 2 + column * 3) % 6;
            let bands = if rainbow { 4 } else { 1 + (row + column) % 2 };
            for band in 0..bands {
                let share = 1.0 - band as f32 / bands as f32;
                let colour = if band % 2 == 1 { art.palette.paper } else { colours[(first + band) % 6] };
                ink(art, &shape::half(x, y, r * share, PI), colour);
            }
        }
    }
}

/// Tiles: stars, flowers, scallops.
pub(crate) fn tiles(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let grout = art.palette.paper.mix(art.palette.land[0], 0.35);
    art.wall(grout);
    let (dark, mid) = (art.palette.land[3], art.palette.land[1]);
    let pop = if art.chance(0.5) { art.palette.pop[0] } else { art.palette.pop[1] };
    let swap = art.chance(0.35);
    let white = art.palette.paper.lighter(0.015);
    let (ground, ink) = if swap { (dark, white) } else { (white, dark) };
    let columns = art.count(3, 5);
    let size = w / columns as f32;
    if art.form == 2 {
        return scallops(art, size * 0.92, [ground, ink, mid, pop]);
    }
    let rows = (h / size).ceil() as usize;
    let (kind, inner) = (art.count(0, 2), art.between(0.4, 0.58));
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = (column as f32 * size, row as f32 * size);
            let glaze = art.between(-0.018, 0.018);
            let gap = size * 0.012;
            let plate = shape::rounded(x + gap, y + gap, size - gap * 2.0, size - gap * 2.0, 2.0);
            art.fill(
                &plate,
                &Brush::linear(
                    (x, y),
                    (x + size, y + size),
                    &[ground.lighter(glaze + 0.012), ground.lighter(glaze - 0.012)],
                )
                .grain(0.2),
            );
            let middle = (x + size / 2.0, y + size / 2.0);
            let tones = [ink, mid, pop].map(|colour| colour.lighter(glaze));
            if art.form == 0 {
                star_tile(art, middle, size, kind, inner, tones, ground);
            } else {
                flower_tile(art, middle, size, kind, inner, tones, ground);
            }
            let sheen = shape::polygon(&[(x + gap, y + gap), (x + size * 0.55, y + gap), (x + gap, y + size * 0.55)]);
            art.fill(&sheen, &Brush::flat(art.palette.light).alpha(0.07));
        }
    }
    let tint = art.palette.ink;
    let light = art.side;
    let shade = if light < 0.0 { [(w, 0.0), (w, h), (w * 0.35, h)] } else { [(0.0, 0.0), (0.0, h), (w * 0.65, h)] };
    art.fill(&shape::polygon(&shade), &Brush::flat(tint).alpha(0.07));
}

/// Four quarter discs in the corners of a tile, which meet those of its neighbours.
fn corners(middle: At, size: f32, r: f32) -> Shape {
    let half = size * 0.488;
    shape::together((0..4).map(|i| {
        let (sx, sy) = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)][i];
        let from = i as f32 * FRAC_PI_2;
        shape::wedge(middle.0 + sx * half, middle.1 + sy * half, r, from, from + FRAC_PI_2)
    }))
}

fn star_tile(art: &mut Art, at: At, size: f32, kind: usize, inner: f32, [ink, mid, pop]: [Colour; 3], ground: Colour) {
    art.flat(&corners(at, size, size * 0.27), mid);
    art.flat(&corners(at, size, size * 0.17), ground);
    art.flat(&corners(at, size, size * 0.09), ink);
    let points = [8, 4, 8][kind];
    let body =
        shape::turn(star(at.0, at.1, size * 0.46, points, inner), if kind == 2 { PI / 8.0 } else { 0.0 }, at.0, at.1);
    art.flat(&body, ink);
    art.flat(&star(at.0, at.1, size * 0.3, points, inner), ground);
    art.flat(&shape::turn(star(at.0, at.1, size * 0.22, points, inner), PI / points as f32, at.0, at.1), pop);
    art.flat(&shape::circle(at.0, at.1, size * 0.07), ink);
}

fn flower_tile(
    art: &mut Art,
    at: At,
    size: f32,
    kind: usize,
    inner: f32,
    [ink, mid, pop]: [Colour; 3],
    ground: Colour,
) {
    let petals = |count: usize, reach: f32, width: f32, turn: f32| {
        shape::together((0..count).map(|i| {
            let angle = turn + i as f32 / count as f32 * TAU;
            shape::leaf(at, (at.0 + angle.cos() * reach, at.1 + angle.sin() * reach), width, 0.0)
        }))
    };
    art.flat(&shape::ring(at.0, at.1, size * 0.43, size * 0.022), mid);
    art.flat(&corners(at, size, size * 0.2), ink);
    art.flat(&corners(at, size, size * 0.13), ground);
    let count = [4, 8, 6][kind];
    art.flat(&petals(count, size * 0.62, size * 0.13 * (0.6 + inner), if kind == 0 { FRAC_PI_4 } else { 0.0 }), mid);
    art.flat(&petals(count, size * 0.4, size * 0.12 * (0.6 + inner), PI / count as f32), ink);
    art.flat(&petals(count, size * 0.26, size * 0.06, PI / count as f32), ground);
    art.flat(&shape::circle(at.0, at.1, size * 0.1), pop);
    art.flat(&shape::circle(at.0, at.1, size * 0.045), ink);
}

fn scallops(art: &mut Art, size: f32, [ground, ink_colour, mid, pop]: [Colour; 4]) {
    let (w, h) = (art.width, art.height);
    let (r, step) = (size / 2.0, size * 0.42);
    let rows = (h / step).ceil() as usize + 2;
    let pattern = art.count(0, 2);
    for row in 0..rows {
        let y = row as f32 * step - step * 0.2;
        let shift = if row % 2 == 0 { 0.0 } else { r };
        for column in 0..=(w / size) as usize + 1 {
            let x = column as f32 * size + shift - r * 0.5;
            let glaze = art.between(-0.03, 0.03);
            let pick = match pattern {
                0 => (row / 2 + column) % 4,
                1 => (art.rng.below(8) as usize).min(4),
                _ => row % 3,
            };
            let colour = [ink_colour, mid, ground, pop, mid][pick].lighter(glaze);
            let scale = shape::circle(x, h - y, r * 0.985);
            art.fill(&shape::circle(x, h - y, r), &Brush::flat(art.palette.paper));
            art.fill(
                &scale,
                &Brush::down(h - y - r, h - y + r, &[colour.lighter(0.05), colour, colour.lighter(-0.04)]).grain(0.15),
            );
            for share in [0.72, 0.44] {
                let line = colour.lighter(if colour.lightness() > 0.6 { -0.12 } else { 0.14 });
                art.fill(&shape::ring(x, h - y, r * share, r * 0.045), &Brush::flat(line).alpha(0.8));
            }
        }
    }
}
