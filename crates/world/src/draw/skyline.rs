//! Cities from afar.

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::land::shimmer;
use super::shape::{self, Shape};

/// Layers of towers before a sun disc, at a river, or rooftops.
pub(crate) fn skyline(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let shore = if art.form == 1 { h * art.between(0.68, 0.76) } else { h + 2.0 };
    art.sky(h * 0.78);
    let dark = art.palette.is_dark();
    if dark {
        art.stars(50, h * 0.4);
    }
    let r = w * if art.form == 0 { art.between(0.2, 0.3) } else { art.between(0.09, 0.15) };
    let disc = if dark { art.palette.light } else { art.palette.pop[0].mix(art.palette.light, 0.25) };
    let (x, y) = (w * art.between(0.3, 0.7), h * art.between(0.28, 0.42));
    art.sun(x, y, r, disc);
    art.side = if x < w / 2.0 { -1.0 } else { 1.0 };
    if !dark && art.chance(0.5) {
        let (cx, cy, colour) = (w * art.between(0.1, 0.9), h * art.between(0.12, 0.3), art.palette.light);
        art.cloud(cx, cy, w * 0.4, colour, 0.5);
    }
    let layers = if art.form == 2 { 5 } else { 4 };
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let ground = if art.form == 1 { shore } else { h + 2.0 };
        let roof = ground - h * if art.form == 2 { 0.62 - 0.46 * t } else { 0.5 - 0.3 * t };
        let far = art.palette.depth(0.1 + 0.85 * t).mix(art.palette.sky[2], 0.3 * (1.0 - t));
        row_of_towers(art, roof, ground, t, far);
        let fog = art.palette.sky[2];
        if i + 1 < layers {
            art.canvas.mist(roof, ground, fog, 0.24);
        }
    }
    if art.form == 1 {
        let tint = art.palette.depth(0.5);
        art.canvas.reflect(shore, tint, 0.3, 2.6);
        shimmer(art, shore, x, 16);
        art.flat(&shape::rect(0.0, shore - 3.0, w, 4.0), art.palette.land[4]);
    }
}

fn row_of_towers(art: &mut Art, roof: f32, ground: f32, t: f32, colour: Colour) {
    let (w, h) = (art.width, art.height);
    let mut x = -w * art.between(0.0, 0.06);
    while x < w {
        let width = w * art.between(0.07, 0.15) * (0.8 + 0.5 * t);
        let top = roof + h * art.between(-0.1, 0.13);
        tower(art, x, top, width, ground, t, colour);
        x += width + if art.chance(0.25) { w * 0.02 } else { 0.0 };
    }
}

fn tower(art: &mut Art, x: f32, top: f32, width: f32, ground: f32, t: f32, colour: Colour) {
    let middle = x + width / 2.0;
    let body = shape::rect(x, top, width, ground - top);
    let kind = art.count(0, 6);
    let crown: Shape = match kind {
        0 => shape::polygon(&[(x, top + 1.0), (middle, top - width * 0.55), (x + width, top + 1.0)]),
        1 => shape::together([
            shape::rect(x + width * 0.16, top - width * 0.28, width * 0.68, width * 0.3),
            shape::rect(x + width * 0.32, top - width * 0.54, width * 0.36, width * 0.3),
            shape::rect(middle - 1.0, top - width * 1.0, 2.0, width * 0.5),
        ]),
        2 => shape::polygon(&[(x, top + 1.0), (x, top - width * 0.5), (x + width, top + 1.0)]),
        3 => shape::together([shape::arch(x, top - width * 0.5, width, width * 0.55)]),
        4 if t > 0.3 => water_tank(x + width * 0.3, top, width * 0.36),
        5 => shape::rect(middle - 1.2, top - width * 0.8, 2.4, width * 0.85),
        _ => None,
    };
    let whole = shape::together([body, crown]);
    let (lit, shade) = (colour.lighter(0.045), colour.lighter(-0.035));
    let (from, to) = if art.side < 0.0 { (x, x + width) } else { (x + width, x) };
    art.fill(&whole, &Brush::linear((from, top), (to, top + width), &[lit, colour, shade]).grain(0.1));
    if t > 0.25 {
        windows(art, x, top, width, ground, t);
    }
}

fn water_tank(x: f32, roof: f32, size: f32) -> Shape {
    shape::together([
        shape::rect(x, roof - size * 1.15, size, size * 0.75),
        shape::polygon(&[
            (x - size * 0.08, roof - size * 1.15),
            (x + size / 2.0, roof - size * 1.6),
            (x + size * 1.08, roof - size * 1.15),
        ]),
        shape::rect(x + size * 0.08, roof - size * 0.42, size * 0.1, size * 0.45),
        shape::rect(x + size * 0.82, roof - size * 0.42, size * 0.1, size * 0.45),
    ])
}

fn windows(art: &mut Art, x: f32, top: f32, width: f32, ground: f32, t: f32) {
    let columns = (width / (9.0 + 5.0 * t)).max(2.0) as usize;
    let cell = width / (columns as f32 + 0.6);
    let rows = (((ground - top) / (cell * 1.35)) as usize).min(26);
    let awake = if art.palette.is_dark() { 0.55 } else { 0.3 };
    let share = art.between(0.5, 1.3) * awake;
    let (light, warm) = (art.palette.light, art.palette.pop[1]);
    let (mut lit, mut dim) = (Vec::new(), Vec::new());
    for row in 0..rows {
        for column in 0..columns {
            let pane = shape::rect(
                x + cell * (0.45 + column as f32),
                top + cell * (0.6 + 1.35 * row as f32),
                cell * 0.62,
                cell * 0.78,
            );
            if art.chance(share) { lit.push(pane) } else { dim.push(pane) }
        }
    }
    let colour = light.mix(warm, 0.55);
    art.fill(&shape::together(lit), &Brush::flat(colour).alpha(0.45 + 0.4 * t));
    let ink = art.palette.ink;
    art.fill(&shape::together(dim), &Brush::flat(ink).alpha(0.16));
}
