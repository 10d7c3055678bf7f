//! Growing things: prints of leaves, pots, flowers.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::shape::{self, At};

/// A study on paper: fern, monstera or eucalyptus.
pub(crate) fn botanical(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let paper = art.palette.paper;
    let ground = match art.count(0, 3) {
        0 => paper,
        1 => art.palette.sky[2],
        2 => art.palette.land[0].mix(paper, 0.35),
        _ => art.palette.land[4],
    };
    art.wall(ground);
    let dark = ground.lightness() < 0.5;
    if art.chance(0.45) {
        let colour = if dark { art.palette.land[3] } else { art.palette.pop[1].mix(ground, 0.45) };
        let (x, y, r) = (w * art.between(0.35, 0.65), h * art.between(0.3, 0.5), w * art.between(0.26, 0.36));
        let disc =
            if art.chance(0.5) { shape::circle(x, y, r) } else { shape::arch(x - r, y - r, r * 2.0, h * 0.9 - y + r) };
        art.fill(&disc, &Brush::down(y - r, y + r, &[colour, colour.mix(ground, 0.35)]).grain(0.35));
    }
    let leaf = if dark { art.palette.land[0] } else { art.palette.land[3] };
    match art.form {
        0 => fern(art, leaf),
        1 => monstera(art, leaf),
        _ => eucalyptus(art, leaf),
    }
    if art.chance(0.6) {
        let width = w * art.between(0.05, 0.085);
        art.margin(width);
    }
}

/// A bent stem from the foot upwards.
fn stem(art: &mut Art, foot: At, length: f32, lean: f32, bend: f32) -> Vec<At> {
    let steps = 24;
    let mut at = foot;
    let mut angle = -FRAC_PI_2 + lean;
    let wobble = art.between(-0.02, 0.02);
    let mut points = vec![at];
    for i in 0..steps {
        angle += bend / steps as f32 + wobble * (i as f32 * 0.7).sin();
        at = (at.0 + angle.cos() * length / steps as f32, at.1 + angle.sin() * length / steps as f32);
        points.push(at);
    }
    points
}

fn heading(points: &[At], i: usize) -> f32 {
    let (a, b) = (points[i.saturating_sub(1)], points[(i + 1).min(points.len() - 1)]);
    (b.1 - a.1).atan2(b.0 - a.0)
}

fn reach(from: At, angle: f32, length: f32) -> At {
    (from.0 + angle.cos() * length, from.1 + angle.sin() * length)
}

fn fern(art: &mut Art, colour: Colour) {
    let (w, h) = (art.width, art.height);
    let fronds = art.count(1, 3);
    for f in 0..fronds {
        let spread = if fronds == 1 { 0.0 } else { f as f32 / (fronds - 1) as f32 * 2.0 - 1.0 };
        let (x, bend) = (w * (0.5 + 0.1 * spread), spread * 0.5 + art.between(-0.25, 0.25));
        let length = h * if fronds == 1 { 0.8 } else { art.between(0.6, 0.74) };
        let points = stem(art, (x, h * 0.91), length, spread * 0.3, bend);
        let tone = colour.lighter(art.between(-0.05, 0.07) + 0.05 * spread.abs());
        art.fill(&shape::stroke(&points, 3.0), &Brush::flat(tone.lighter(-0.06)));
        let pairs = points.len();
        for i in 3..pairs {
            let t = i as f32 / pairs as f32;
            let size = w * 0.27 * (1.0 - t).powf(0.75) * (t * 6.0).min(1.0) * if fronds == 1 { 1.15 } else { 0.8 };
            let direction = heading(&points, i);
            for side in [-1.0f32, 1.0] {
                pinna(art, points[i], direction + side * (1.12 - 0.35 * t), size, side, tone);
            }
        }
    }
}

/// A side leaf of a frond, itself cut into leaflets.
fn pinna(art: &mut Art, from: At, angle: f32, size: f32, side: f32, colour: Colour) {
    let tip = reach(from, angle, size);
    let mut parts = vec![shape::leaf(from, tip, size * 0.1, side * -0.08)];
    let leaflets = (size / 8.0) as usize;
    for k in 1..leaflets {
        let t = k as f32 / leaflets as f32;
        let root = (from.0 + (tip.0 - from.0) * t, from.1 + (tip.1 - from.1) * t);
        let length = size * 0.24 * (1.0 - t).powf(0.6);
        parts.push(shape::leaf(root, reach(root, angle - 1.0, length), length * 0.38, 0.0));
        parts.push(shape::leaf(root, reach(root, angle + 1.0, length), length * 0.38, 0.0));
    }
    let whole = shape::together(parts);
    let shade = if (side < 0.0) == (art.side < 0.0) { colour.lighter(0.04) } else { colour.lighter(-0.03) };
    art.fill(&whole, &Brush::linear(from, tip, &[shade.lighter(-0.05), shade.lighter(0.05)]).grain(0.2));
}

fn monstera(art: &mut Art, colour: Colour) {
    let (w, h) = (art.width, art.height);
    let leaves = art.count(1, 3);
    let places: [(f32, f32, f32, f32); 3] = match leaves {
        1 => [(0.5, 0.42, 0.4, 0.0); 3],
        2 => [(0.62, 0.34, 0.3, 0.45), (0.38, 0.56, 0.31, -0.5), (0.5, 0.5, 0.3, 0.0)],
        _ => [(0.52, 0.28, 0.27, 0.05), (0.27, 0.52, 0.24, -0.75), (0.72, 0.55, 0.25, 0.8)],
    };
    for &(px, py, size, lean) in places.iter().take(leaves) {
        let (lean, size) = (lean + art.between(-0.15, 0.15), size * w * art.between(0.95, 1.12));
        let (x, y) = (w * px, h * py);
        let tone = colour.lighter(art.between(-0.04, 0.08));
        let root = shape::turned_point((x, y - size * 0.55), (x, y), lean + PI);
        let stalk = [root, (x + (w * 0.5 - x) * 0.55, y + size * 1.2), (w * 0.5, h * 0.93)];
        art.fill(&shape::stroke(&stalk, 4.5), &Brush::flat(tone.lighter(-0.05)));
        monstera_leaf(art, x, y, size, lean + PI, tone);
    }
}

/// A heart with deep cuts; the tip points down before `turn`.
fn monstera_leaf(art: &mut Art, x: f32, y: f32, size: f32, turn: f32, colour: Colour) {
    let lobes = 6;
    let rim = |t: f32| {
        (size * 0.98 * (PI * (0.07 + 0.93 * t).powf(0.72)).sin().max(0.0).powf(0.7), size * (-0.72 + 1.95 * t))
    };
    let mut halves = Vec::new();
    let mut ribs = Vec::new();
    for side in [-1.0f32, 1.0] {
        let mut line: Vec<At> = vec![(0.0, -size * 0.55), (side * size * 0.3, -size * 0.86)];
        for k in 0..lobes {
            let t = |s: f32| (k as f32 + s) / lobes as f32 * 0.93 + 0.05;
            let cut = art.between(0.36, 0.56);
            for s in [0.12, 0.32, 0.55, 0.76] {
                let (out, down) = rim(t(s));
                line.push((side * out, down + size * 0.07 * s));
            }
            if k + 1 < lobes {
                let (out, down) = rim(t(0.94));
                line.push((side * out * (cut + 0.12), down - size * 0.05));
                line.push((side * out * cut, down - size * 0.09));
                line.push((side * out * (cut + 0.14), down + size * 0.0));
            }
            let (out, down) = rim(t(0.45));
            ribs.push(shape::stroke(
                &[(0.0, down - size * 0.3), (side * out * 0.5, down - size * 0.1), (side * out * 0.86, down)],
                1.6,
            ));
        }
        line.push((0.0, size * 1.25));
        let place = |shape| shape::shift(shape::turn(shape, turn, 0.0, 0.0), x, y);
        halves.push((side, place(shape::polygon(&line))));
    }
    for (side, half) in halves {
        let tone = if side < 0.0 { colour.lighter(0.035) } else { colour.lighter(-0.035) };
        art.fill(&half, &Brush::radial((x, y), size * 1.2, &[tone.lighter(-0.04), tone.lighter(0.05)]).grain(0.25));
    }
    ribs.push(shape::stroke(&[(0.0, -size * 0.56), (0.0, size * 0.3), (0.0, size * 1.15)], 2.6));
    let veins = shape::shift(shape::turn(shape::together(ribs), turn, 0.0, 0.0), x, y);
    art.fill(&veins, &Brush::flat(colour.lighter(0.16)).alpha(0.7));
}

fn eucalyptus(art: &mut Art, colour: Colour) {
    let (w, h) = (art.width, art.height);
    let branches = art.count(1, 3);
    for b in 0..branches {
        let spread = if branches == 1 { art.between(-0.2, 0.2) } else { b as f32 / (branches - 1) as f32 * 2.0 - 1.0 };
        let length = h * art.between(0.66, 0.8);
        let (lean, bend) = (spread * 0.42, spread * -0.2 + art.between(-0.3, 0.3));
        let points = stem(art, (w * (0.5 + 0.04 * spread), h * 0.93), length, lean, bend);
        let twig = art.palette.pop[0].mix(art.palette.ink, 0.35);
        art.fill(&shape::stroke(&points, 2.6), &Brush::flat(twig));
        let round = art.chance(0.6);
        for i in (4..points.len()).step_by(2) {
            let t = i as f32 / points.len() as f32;
            let size = w * 0.105 * (1.12 - 0.62 * t) * art.between(0.85, 1.15);
            for side in [-1.0f32, 1.0] {
                let angle = heading(&points, i) + side * art.between(0.75, 1.25);
                let tone = colour.mix(art.palette.pop[2], art.between(0.0, 0.45)).lighter(art.between(-0.03, 0.1));
                round_leaf(
                    art,
                    points[i],
                    angle,
                    size * if round { 1.0 } else { 1.5 },
                    if round { 0.8 } else { 0.36 },
                    tone,
                );
            }
        }
        if let Some(&tip) = points.last() {
            round_leaf(art, tip, heading(&points, points.len() - 1), w * 0.05, 0.7, colour.lighter(0.1));
        }
    }
}

fn round_leaf(art: &mut Art, root: At, angle: f32, length: f32, width: f32, colour: Colour) {
    let middle = reach(root, angle, length * 0.58);
    let body =
        shape::turn(shape::ellipse(middle.0, middle.1, length * 0.5, length * 0.5 * width), angle, middle.0, middle.1);
    let tip = reach(root, angle, length);
    art.fill(&body, &Brush::linear(root, tip, &[colour.lighter(-0.05), colour.lighter(0.05)]).grain(0.25));
    let rib = shape::line(&[root, reach(root, angle, length * 0.9)], 1.2);
    art.fill(&rib, &Brush::flat(colour.lighter(0.13)).alpha(0.7));
}

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
            let size = w * art.between(0.34, 0.4);
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
                let size = w * art.between(0.145, 0.21);
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
    let green = Colour::hex(0x5E8C61).mix(art.palette.land[3], 0.45);
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
    let (half, tall) = (size * 0.2, size * art.between(1.3, 1.9));
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

/// Flowers: a meadow, a bouquet, tall stems.
pub(crate) fn wildflowers(art: &mut Art) {
    match art.form {
        0 => meadow(art),
        1 => bouquet(art),
        _ => tall_stems(art),
    }
}

fn meadow(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.36, 0.46);
    art.sky(horizon);
    let (x, y, r, light) = (w * art.between(0.2, 0.8), horizon * art.between(0.3, 0.6), w * 0.075, art.palette.light);
    art.sun(x, y, r, light);
    let far = art.hills(horizon, h * 0.02, 2);
    let green = Colour::hex(0x7E9B6A).mix(art.palette.land[2], 0.55);
    let field = Brush::down(horizon, h, &[green.lighter(0.1), green, green.lighter(-0.16)]).grain(0.2);
    art.fill(&shape::under(&far, h + 5.0), &field);
    let colours = blooms(art);
    for row in 0..7 {
        let t = row as f32 / 6.0;
        let base = horizon + (h - horizon) * (0.08 + 0.98 * t.powf(1.3));
        let size = w * (0.008 + 0.052 * t.powf(1.2));
        let count = (w / (size * 3.4)) as usize + 3;
        for _ in 0..count {
            let (px, tall) = (art.between(-0.02, 1.02) * w, size * art.between(2.2, 4.6));
            let lean = art.between(-0.16, 0.16);
            let head = reach((px, base + size * 2.0), -FRAC_PI_2 + lean, tall + size * 2.0);
            let tone = green.lighter(-0.12 + art.between(-0.05, 0.05));
            art.flat(
                &shape::stroke(
                    &[(px, base + size * 2.0), ((px + head.0) / 2.0 - lean * 8.0, (base + head.1) / 2.0), head],
                    0.7 + 2.0 * t,
                ),
                tone,
            );
            let kind = if art.chance(0.75) { 0 } else { 2 };
            let colour = colours[if kind == 0 { 0 } else { 2 }].lighter(art.between(-0.03, 0.06) + 0.06 * (1.0 - t));
            let heart = art.palette.ink;
            flower(art, head.0, head.1, size, kind, colour, heart);
        }
        for _ in 0..18 {
            let (px, tall, lean) =
                (art.between(0.0, 1.0) * w, h * art.between(0.03, 0.1) * (0.3 + t), art.between(-0.3, 0.3));
            let tip = reach((px, base + 12.0), -FRAC_PI_2 + lean, tall);
            art.flat(&shape::leaf((px, base + 12.0), tip, 1.0 + 2.5 * t, 0.05), green.lighter(-0.1 * t));
        }
    }
}

fn blooms(art: &mut Art) -> [Colour; 4] {
    let p = &art.palette;
    let warm = if p.is_dark() { p.pop[1] } else { p.pop[0] };
    [warm, p.pop[1], p.light.lighter(-0.01), p.pop[2]]
}

fn bouquet(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = art.palette.wall();
    art.wall(wall);
    let desk = h * art.between(0.82, 0.87);
    table(art, desk);
    let (x, foot) = (w * art.between(0.46, 0.54), desk + h * 0.03);
    let (tall, half) = (h * art.between(0.26, 0.32), w * art.between(0.11, 0.15));
    let mouth = foot - tall;
    let green = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.5);
    let colours = blooms(art);
    let mut heads = Vec::new();
    for i in 0..30 {
        let angle = -FRAC_PI_2 + art.between(-1.05, 1.05);
        let length = h * art.between(0.12, 0.4) * (1.0 - 0.25 * (angle + FRAC_PI_2).abs());
        let head = reach((x, mouth + tall * 0.1), angle, length);
        let bend = ((x + head.0) / 2.0 + art.between(-8.0, 8.0), (mouth + head.1) / 2.0);
        let tone = green.lighter(art.between(-0.1, 0.05));
        art.flat(&shape::stroke(&[(x, mouth + tall * 0.2), bend, head], 2.0), tone);
        if i % 3 == 0 {
            let tip = reach(bend, angle + art.between(-0.9, 0.9), w * 0.13);
            let tone = green.lighter(art.between(-0.06, 0.1));
            art.flat(&shape::leaf(bend, tip, w * 0.028, 0.05), tone);
        }
        heads.push((head, length));
    }
    heads.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (i, (head, _)) in heads.into_iter().enumerate() {
        let kind = art.count(0, 4);
        let (colour, heart) =
            (colours[(i + kind) % 4].lighter(art.between(-0.05, 0.05)), art.palette.pop[(i + 1) % 3].lighter(-0.05));
        let size = w * art.between(0.035, 0.066);
        flower(art, head.0, head.1, size, kind, colour, heart);
    }
    let vase = shape::turned(
        x,
        foot,
        tall,
        &[
            (0.0, half * 0.7),
            (0.12, half * 0.98),
            (0.45, half),
            (0.8, half * 0.62),
            (0.93, half * 0.6),
            (1.0, half * 0.72),
        ],
    );
    art.shadow(&vase, 16.0, 16.0, 0.28);
    let glaze = art.pick(&[0usize, 1, 2]);
    let glaze = [art.palette.paper, art.palette.land[2], art.palette.pop[2]][glaze];
    art.solid(&vase, glaze);
    art.fill(&shape::ellipse(x, mouth, half * 0.72, half * 0.12), &Brush::flat(glaze.lighter(-0.15)).alpha(0.7));
}

fn tall_stems(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let ground = if art.palette.is_dark() { art.palette.sky[0] } else { art.palette.sky[1] };
    let low = if art.palette.is_dark() { art.palette.sky[1] } else { art.palette.sky[2] };
    art.canvas.flood(&Brush::down(0.0, h, &[ground, low]).grain(0.15));
    if art.chance(0.6) {
        let (x, y, r) = (w * art.between(0.3, 0.7), h * art.between(0.25, 0.4), w * art.between(0.17, 0.26));
        let disc = art.palette.pop[1].mix(ground, 0.4);
        art.fill(&shape::circle(x, y, r), &Brush::down(y - r, y + r, &[disc, disc.mix(low, 0.5)]).grain(0.35));
    }
    let green = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.55);
    let colours = blooms(art);
    let count = art.count(9, 13);
    for i in 0..count {
        let t = i as f32 / count as f32;
        let x = w * (0.06 + 0.88 * ((i as f32 * 0.618 + 0.3) % 1.0));
        let tall = h * art.between(0.3, 0.82);
        let (lean, bend) = (art.between(-0.1, 0.1), art.between(-0.35, 0.35));
        let points = stem(art, (x, h + 10.0), tall, lean, bend);
        let tone = green.lighter(0.1 - 0.2 * t);
        art.fill(&shape::stroke(&points, 1.6 + 1.4 * t), &Brush::flat(tone));
        for k in (3..points.len() - 5).step_by(3) {
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            let tip = reach(points[k], heading(&points, k) + side * 0.7, w * 0.11 * (1.0 - k as f32 / 30.0));
            art.flat(&shape::leaf(points[k], tip, w * 0.009, side * 0.1), tone);
        }
        let Some(&head) = points.last() else { continue };
        let kind = art.pick(&[1, 1, 2, 3, 4]);
        let (colour, heart) =
            (colours[i % 4].lighter(art.between(-0.04, 0.04)), art.palette.pop[(i + 1) % 3].lighter(-0.04));
        let size = w * art.between(0.05, 0.095);
        flower(art, head.0, head.1, size, kind, colour, heart);
    }
}

/// A flower head: 0 poppy, 1 cosmos, 2 daisy, 3 globe, 4 spike.
pub(crate) fn flower(art: &mut Art, x: f32, y: f32, size: f32, kind: usize, colour: Colour, heart: Colour) {
    let turn = art.between(0.0, TAU);
    match kind {
        0 => {
            for (dx, dy, r) in [(-0.45, -0.1, 0.72), (0.45, -0.1, 0.72), (0.0, 0.15, 0.8)] {
                let petal = shape::ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.8);
                art.fill(
                    &petal,
                    &Brush::down(y - size, y + size, &[colour.lighter(0.06 + dx * 0.05), colour.lighter(-0.06)])
                        .grain(0.2),
                );
            }
            art.fill(&shape::ellipse(x, y + size * 0.05, size * 0.26, size * 0.2), &Brush::flat(heart).alpha(0.85));
        }
        1 | 2 => {
            let (petals, width, inner) = if kind == 1 { (8, 0.3, 0.26) } else { (14, 0.13, 0.32) };
            for i in 0..petals {
                let angle = turn + i as f32 / petals as f32 * TAU;
                let tip = (x + angle.cos() * size, y + angle.sin() * size * 0.86);
                let tone = colour.lighter(if i % 2 == 0 { 0.03 } else { -0.04 });
                art.flat(&shape::leaf((x, y), tip, size * width, 0.0), tone);
            }
            art.solid(&shape::circle(x, y, size * inner), heart);
        }
        3 => {
            let ball = shape::circle(x, y, size * 0.75);
            art.solid(&ball, colour);
            let dots = (0..22).map(|i| {
                let (angle, r) = (i as f32 * 2.4, size * 0.7 * (i as f32 / 22.0).sqrt());
                shape::circle(x + angle.cos() * r, y + angle.sin() * r, size * 0.085)
            });
            let dots = shape::together(dots);
            art.fill(&dots, &Brush::flat(colour.lighter(0.12)).alpha(0.8));
        }
        _ => {
            for i in 0..9 {
                let t = i as f32 / 8.0;
                for side in [-1.0, 1.0] {
                    let r = size * 0.24 * (1.1 - 0.7 * t);
                    art.flat(
                        &shape::circle(x + side * r * 0.8, y + size * (0.6 - 2.0 * t), r),
                        colour.lighter(0.05 * side - 0.05 + 0.1 * t),
                    );
                }
            }
        }
    }
}
