//! Prints of leaves.

use std::f32::consts::{FRAC_PI_2, PI};

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
pub(crate) fn stem(art: &mut Art, foot: At, length: f32, lean: f32, bend: f32) -> Vec<At> {
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

pub(crate) fn heading(points: &[At], i: usize) -> f32 {
    let (a, b) = (points[i.saturating_sub(1)], points[(i + 1).min(points.len() - 1)]);
    (b.1 - a.1).atan2(b.0 - a.0)
}

pub(crate) fn reach(from: At, angle: f32, length: f32) -> At {
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
