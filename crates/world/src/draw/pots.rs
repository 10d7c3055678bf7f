//! Plants in pots.

use std::f32::consts::{FRAC_PI_2, PI};

use super::art::Art;
use super::botanical::{heading, reach, stem};
use super::brush::Brush;
use super::colour::Colour;
use super::flowers::flower;
use super::shape::{self, At};

/// Pots: one cactus, a row, one that trails from a shelf.
pub(crate) fn pots(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = art.palette.wall();
    art.wall(wall);
    let (x, y) = (w * art.between(0.1, 0.4), h * art.between(0.08, 0.2));
    if art.chance(0.6) {
        art.window_light(x, y, w * 0.42, h * 0.42, 0.4);
    } else {
        let (cx, cy, r) = (w * art.between(0.4, 0.6), h * art.between(0.36, 0.46), w * art.between(0.27, 0.35));
        let disc = art.palette.pop[1].mix(wall, 0.5);
        art.fill(&shape::circle(cx, cy, r), &Brush::down(cy - r, cy + r, &[disc, disc.mix(wall, 0.3)]).grain(0.3));
    }
    match art.form {
        0 => {
            let shelf = h * art.between(0.8, 0.86);
            table(art, shelf);
            let size = art.unit() * art.between(0.33, 0.4);
            let kind = art.count(0, 1);
            let x = w * art.between(0.46, 0.54);
            pot_with(art, x, shelf + h * 0.02, size, kind);
        }
        1 => {
            let shelf = h * art.between(0.8, 0.86);
            table(art, shelf);
            let count = art.count(3, 4);
            for i in 0..count {
                let x = w * (i as f32 + 0.5) / count as f32 * 0.92 + w * 0.04;
                let size = art.unit() * art.between(0.145, 0.21);
                let kind = art.count(0, 5);
                let y = shelf + h * art.between(0.005, 0.05);
                pot_with(art, x, y, size, kind);
            }
        }
        _ => hanging_shelf(art),
    }
}

/// A board or table top across the picture.
pub(crate) fn table(art: &mut Art, y: f32) {
    let (w, h) = (art.width, art.height);
    let colour = art.palette.land[1].mix(art.palette.paper, 0.25);
    let top = shape::rect(-2.0, y, w + 4.0, h);
    art.fill(&top, &Brush::down(y, h, &[colour.lighter(0.05), colour.lighter(-0.05)]).grain(0.2));
    art.fill(&shape::rect(0.0, y, w, 2.0), &Brush::flat(art.palette.light).alpha(0.5));
}

fn hanging_shelf(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let shelves: &[f32] = if art.chance(0.5) && h > 560.0 { &[0.36, 0.74] } else { &[0.46] };
    for &at in shelves {
        let y = h * at;
        let board = shape::rect(w * 0.1, y, w * 0.8, h * 0.022);
        art.shadow(&board, 10.0, 12.0, 0.28);
        let wood = art.palette.land[2].mix(art.palette.paper, 0.2);
        art.solid(&board, wood);
        let count = if shelves.len() > 1 { 3 } else { 2 };
        for i in 0..count {
            let x = w * (0.2 + 0.6 * (i as f32 + 0.5) / count as f32);
            let size = w * art.between(0.13, 0.18) * if shelves.len() > 1 { 1.0 } else { 1.4 };
            let kind = if i == 0 { 5 } else { art.count(0, 5) };
            pot_with(art, x, y, size, kind);
        }
    }
}

/// A pot with some plant, its foot at (x, y), as wide as `size`.
pub(crate) fn potted(art: &mut Art, x: f32, y: f32, size: f32) {
    let kind = art.count(1, 4);
    pot_with(art, x, y, size, kind);
}

fn pot_with(art: &mut Art, x: f32, y: f32, size: f32, kind: usize) {
    let tall = size * art.between(0.8, 1.0);
    let rim = y - tall;
    let leaf = leaf_colour(art);
    match kind {
        0 => round_cactus(art, x, rim, size, leaf),
        1 => column_cactus(art, x, rim, size, leaf),
        2 => swords(art, x, rim, size, leaf),
        3 => bush(art, x, rim, size, leaf),
        4 => palm(art, x, rim, size, leaf),
        _ => {}
    }
    pot(art, x, y, size, tall);
    if kind >= 5 {
        trailing(art, x, rim, size, leaf);
    }
}

fn leaf_colour(art: &mut Art) -> Colour {
    let green = Colour::hex(0x5E8C61).mix(art.palette.land[3], 0.28);
    green.lighter(art.between(-0.06, 0.05))
}

fn pot(art: &mut Art, x: f32, y: f32, size: f32, tall: f32) {
    let clay = Colour::hex(0xC4704A).mix(art.palette.pop[0], art.rng.uniform() * 0.4);
    let colour = match art.count(0, 4) {
        0 => art.palette.paper.lighter(0.02),
        1 => art.palette.land[2],
        _ => clay,
    };
    let (top, foot, rim) = (size * 0.46, size * 0.33, tall * 0.24);
    let body = shape::polygon(&[
        (x - top, y - tall + rim * 0.5),
        (x + top, y - tall + rim * 0.5),
        (x + foot, y),
        (x - foot, y),
    ]);
    let lip = shape::rounded(x - size * 0.52, y - tall, size * 1.04, rim, size * 0.03);
    let floor = shape::ellipse(x - art.side * size * 0.3, y, size * 0.6, size * 0.07);
    let ink = art.palette.ink;
    art.canvas.shadow(&floor, 0.0, 0.0, 8.0, &Brush::flat(ink).alpha(0.32));
    art.solid(&body, colour);
    let Some(stencil) = art.canvas.stencil(&body) else { return };
    if art.chance(0.4) {
        let band = art.palette.paper;
        for k in 0..art.count(1, 3) {
            let by = y - tall * (0.22 + 0.16 * k as f32);
            art.canvas.fill_within(
                &stencil,
                &shape::rect(x - size, by, size * 2.0, tall * 0.06),
                &Brush::flat(band).alpha(0.7),
            );
        }
    }
    art.canvas.fill_within(
        &stencil,
        &shape::rect(x - size, y - tall + rim, size * 2.0, tall * 0.07),
        &Brush::flat(ink).alpha(0.2),
    );
    art.solid(&lip, colour.lighter(0.03));
}

fn round_cactus(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    let (rx, ry) = (size * 0.42, size * art.between(0.42, 0.62));
    let y = rim - ry * 0.75;
    let ball = shape::ellipse(x, y, rx, ry);
    art.shadow(&ball, 12.0, 14.0, 0.2);
    art.solid(&ball, leaf);
    let Some(stencil) = art.canvas.stencil(&ball) else { return };
    for i in 0..7 {
        let s = (i as f32 / 6.0 * 2.0 - 1.0) * 0.86;
        let rib: Vec<At> =
            (0..=8).map(|k| k as f32 / 8.0 * PI).map(|a| (x + s * rx * a.sin(), y - ry * a.cos())).collect();
        art.canvas.fill_within(&stencil, &shape::stroke(&rib, 2.0), &Brush::flat(leaf.lighter(-0.12)).alpha(0.7));
        for &(px, py) in rib.iter().skip(1).take(7) {
            let star = shape::together([
                shape::line(&[(px - 3.0, py - 2.0), (px + 3.0, py + 2.0)], 0.9),
                shape::line(&[(px - 3.0, py + 2.0), (px + 3.0, py - 2.0)], 0.9),
            ]);
            art.fill(&star, &Brush::flat(art.palette.light).alpha(0.75));
        }
    }
    let (bloom, heart) = (art.palette.pop[0], art.palette.pop[1]);
    if art.chance(0.7) {
        flower(art, x, y - ry, size * 0.13, 1, bloom, heart);
    }
}

fn column_cactus(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    let (half, tall) = (size * 0.2, size * art.between(1.15, 1.6));
    let mut parts = vec![shape::rounded(x - half, rim - tall, half * 2.0, tall + 8.0, half)];
    for side in [-1.0, 1.0] {
        if art.chance(0.75) {
            let (joint, up) = (rim - tall * art.between(0.35, 0.55), tall * art.between(0.25, 0.4));
            let out = half * art.between(2.1, 2.5);
            parts.push(shape::stroke(
                &[
                    (x, joint),
                    (x + side * out * 0.75, joint),
                    (x + side * out, joint - half),
                    (x + side * out, joint - up),
                ],
                half * 1.25,
            ));
        }
    }
    let plant = shape::together(parts);
    art.shadow(&plant, 14.0, 14.0, 0.22);
    art.solid(&plant, leaf);
    let Some(stencil) = art.canvas.stencil(&plant) else { return };
    for i in -1..=1 {
        let rib = shape::rect(x + i as f32 * half * 0.62 - 0.8, rim - tall + half * 0.5, 1.6, tall);
        art.canvas.fill_within(&stencil, &rib, &Brush::flat(leaf.lighter(0.14)).alpha(0.6));
    }
    let (bloom, heart) = (art.palette.pop[0], art.palette.pop[1]);
    if art.chance(0.6) {
        flower(art, x, rim - tall, size * 0.12, 1, bloom, heart);
    }
}

fn swords(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    let count = art.count(6, 9);
    for i in 0..count {
        let s = i as f32 / (count - 1) as f32 * 2.0 - 1.0;
        let (length, lean) = (size * art.between(1.1, 2.0) * (1.0 - 0.25 * s.abs()), s * 0.4 + art.between(-0.1, 0.1));
        let tip = reach((x + s * size * 0.18, rim), -FRAC_PI_2 + lean, length);
        let blade = shape::leaf((x + s * size * 0.2, rim + 6.0), tip, size * 0.13, s * 0.06);
        let tone = leaf.lighter(art.between(-0.08, 0.06));
        art.fill(&blade, &Brush::linear((x, rim), tip, &[tone.lighter(-0.08), tone, tone.lighter(0.06)]).grain(0.2));
        let edge = shape::line(&[(x + s * size * 0.2, rim), tip], 1.3);
        art.fill(&edge, &Brush::flat(art.palette.pop[1].lighter(0.08)).alpha(0.5));
    }
}

fn bush(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    let stems = art.count(4, 6);
    for i in 0..stems {
        let s = i as f32 / (stems - 1) as f32 * 2.0 - 1.0;
        let (length, lean) = (size * art.between(1.0, 1.7), s * 0.65);
        let points = stem(art, (x + s * size * 0.12, rim + 6.0), length, lean * 0.6, lean * 0.8);
        art.fill(&shape::stroke(&points, 2.2), &Brush::flat(leaf.lighter(-0.14)));
        for k in (7..points.len()).step_by(4) {
            let side = if (k / 4) % 2 == 0 { 1.0 } else { -1.0 };
            let angle = heading(&points, k) + side * art.between(0.5, 1.1);
            let tip = reach(points[k], angle, size * art.between(0.36, 0.5));
            let tone = leaf.lighter(art.between(-0.07, 0.09));
            let blade = shape::leaf(points[k], tip, size * 0.17, side * 0.08);
            art.fill(&blade, &Brush::linear(points[k], tip, &[tone.lighter(-0.06), tone.lighter(0.05)]).grain(0.25));
            art.fill(&shape::line(&[points[k], tip], 1.0), &Brush::flat(tone.lighter(0.14)).alpha(0.6));
        }
    }
}

fn palm(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    let fronds = art.count(6, 9);
    for i in 0..fronds {
        let s = i as f32 / (fronds - 1) as f32 * 2.0 - 1.0;
        let length = size * art.between(1.2, 1.8);
        let points = stem(art, (x, rim + 6.0), length, s * 0.35, s * 1.5);
        let tone = leaf.lighter(art.between(-0.07, 0.07));
        let mut parts = vec![shape::stroke(&points, 1.8)];
        for k in 6..points.len() {
            let t = k as f32 / points.len() as f32;
            for side in [-1.0f32, 1.0] {
                let tip = reach(points[k], heading(&points, k) + side * 0.9, size * 0.34 * (1.25 - t));
                parts.push(shape::leaf(points[k], tip, size * 0.028, 0.0));
            }
        }
        art.flat(&shape::together(parts), tone);
    }
}

fn trailing(art: &mut Art, x: f32, rim: f32, size: f32, leaf: Colour) {
    for i in 0..art.count(6, 8) {
        let s = art.between(-1.0, 1.0);
        let drop = size * art.between(0.9, 2.4);
        let root = (x + s * size * 0.42, rim + 2.0);
        let out = root.0 + s * size * 0.22;
        let vine: Vec<At> = (0..=10)
            .map(|k| k as f32 / 10.0)
            .map(|t| {
                (
                    root.0 + (out - root.0) * (t * 3.0).min(1.0) + (t * 7.0 + i as f32).sin() * size * 0.05,
                    rim - size * 0.16 * (t * PI).sin() * (1.0 - t) * 2.0 + drop * t,
                )
            })
            .collect();
        art.fill(&shape::stroke(&vine, 1.6), &Brush::flat(leaf.lighter(-0.1)));
        for (k, &at) in vine.iter().enumerate().skip(1) {
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            let tip = reach(at, FRAC_PI_2 + side * 0.9, size * 0.2);
            let tone = leaf.lighter(art.between(-0.05, 0.1));
            art.flat(&shape::leaf(at, tip, size * 0.09, 0.0), tone);
        }
    }
    for k in 0..9 {
        let tip = reach((x, rim), -PI + PI * (k as f32 + 0.5) / 9.0, size * art.between(0.32, 0.5));
        let tone = leaf.lighter(art.between(-0.05, 0.1));
        art.flat(&shape::leaf((x, rim + 3.0), tip, size * 0.1, 0.0), tone);
    }
}
