//! Townhouses.

use std::f32::consts::PI;

use super::arches::slanted_shade;
use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::land::shimmer;
use super::pots::potted;
use super::shape::{self, Shape};

/// Houses: a row, one facade close up, a row at a canal.
pub(crate) fn townhouses(art: &mut Art) {
    if art.form == 1 {
        return facade(art);
    }
    let (w, h) = (art.width, art.height);
    let ground = if art.form == 2 { h * art.between(0.66, 0.72) } else { h * art.between(0.86, 0.9) };
    art.sky(ground);
    for _ in 0..2 {
        let (x, y, colour) = (w * art.between(0.1, 0.9), h * art.between(0.06, 0.2), art.palette.light);
        art.cloud(x, y, w * 0.34, colour, 0.7);
    }
    let houses = art.count(3, 5);
    let width = w / houses as f32;
    let paints = coats(art);
    let first = art.count(0, 4);
    for i in 0..houses {
        let tall = ground - h * art.between(0.13, 0.28) - if art.form == 2 { 0.0 } else { h * 0.04 };
        let storeys = ((tall / (width * 0.92)) as usize).clamp(2, 6);
        house(art, i as f32 * width, ground, width, tall, storeys, paints[(first + i) % paints.len()]);
    }
    if art.form == 2 {
        let quay = art.palette.land[3];
        art.flat(&shape::rect(0.0, ground - 4.0, w, 8.0), quay);
        let tint = art.palette.depth(0.4);
        art.canvas.reflect(ground + 4.0, tint, 0.28, 3.4);
        shimmer(art, ground, w / 2.0, 12);
    } else {
        let street = art.palette.land[2].mix(art.palette.paper, 0.35);
        art.fill(&shape::rect(0.0, ground, w, h), &Brush::down(ground, h, &[street, street.lighter(-0.06)]).grain(0.2));
        art.flat(&shape::rect(0.0, ground, w, h * 0.018), art.palette.paper.mix(street, 0.4));
        for i in 0..houses {
            if art.chance(0.6) {
                let size = w * 0.075;
                potted(art, width * (i as f32 + 0.14), ground + h * 0.012, size);
            }
        }
    }
}

fn coats(art: &Art) -> [Colour; 6] {
    let p = &art.palette;
    [
        p.pop[0].mix(p.paper, 0.25),
        p.land[1],
        p.paper,
        p.pop[1].mix(p.paper, 0.15),
        p.pop[2].mix(p.paper, 0.1),
        p.land[2].mix(p.paper, 0.15),
    ]
}

fn house(art: &mut Art, x: f32, ground: f32, width: f32, tall: f32, storeys: usize, paint: Colour) {
    let top = ground - tall;
    let middle = x + width / 2.0;
    let rise = width * art.between(0.3, 0.5);
    let gable: Shape = match art.count(0, 3) {
        0 => shape::polygon(&[(x, top), (middle, top - rise), (x + width, top)]),
        1 => stepped(x, top, width, rise),
        2 => bell(x, top, width, rise),
        _ => shape::rect(x - 1.0, top - width * 0.08, width + 2.0, width * 0.1),
    };
    let whole = shape::together([shape::rect(x, top - 0.5, width + 0.5, tall + 1.0), gable]);
    art.shadow(&whole, 4.0, 8.0, 0.2);
    art.solid(&whole, paint);
    let trim = art.palette.paper.lighter(0.03);
    art.fill(&shape::rect(x, top - 2.0, width, 3.0), &Brush::flat(trim).alpha(0.8));
    let (row, columns) = (tall / (storeys as f32 + 0.25), if width > 125.0 { 3 } else { 2 });
    for storey in 0..storeys {
        let y = top + row * (storey as f32 + 0.28);
        for column in 0..columns {
            let cx = x + width * (column as f32 + 0.5) / columns as f32;
            let (ww, wh) = (width / columns as f32 * 0.48, row * 0.56);
            if storey + 1 == storeys && column == columns - 1 {
                door(art, cx, ground, ww * 1.25, row * 0.86, paint);
            } else {
                window(art, cx, y, ww, wh, columns == 2 && storey % 2 == 0);
            }
        }
    }
    let eye = shape::circle(middle, top - rise * 0.28, width * 0.055);
    art.fill(&eye, &Brush::flat(art.palette.ink).alpha(0.55));
}

fn stepped(x: f32, top: f32, width: f32, rise: f32) -> Shape {
    shape::together((0..4).map(|i| {
        let t = i as f32 / 4.0;
        shape::rect(x + width * 0.5 * t, top - rise * 0.26 * (i + 1) as f32, width * (1.0 - t), rise * 0.28)
    }))
}

fn bell(x: f32, top: f32, width: f32, rise: f32) -> Shape {
    let mut line = vec![(x, top)];
    line.extend([
        (x + width * 0.1, top - rise * 0.1),
        (x + width * 0.2, top - rise * 0.55),
        (x + width * 0.34, top - rise * 0.72),
    ]);
    line.extend(shape::around(x + width / 2.0, top - rise * 0.75, width * 0.16, rise * 0.35, PI, PI * 2.0, 6));
    line.extend([
        (x + width * 0.66, top - rise * 0.72),
        (x + width * 0.8, top - rise * 0.55),
        (x + width * 0.9, top - rise * 0.1),
        (x + width, top),
    ]);
    shape::polygon(&line)
}

fn window(art: &mut Art, x: f32, y: f32, width: f32, height: f32, box_of_flowers: bool) {
    let (trim, glass) = (art.palette.paper.lighter(0.03), art.palette.land[3]);
    let frame = width * 0.12;
    art.flat(&shape::rect(x - width / 2.0 - frame, y - frame, width + frame * 2.0, height + frame * 2.0), trim);
    let pane = shape::rect(x - width / 2.0, y, width, height);
    let lit = art.chance(0.25);
    let colour = if lit { art.palette.pop[1].mix(art.palette.light, 0.4) } else { glass };
    art.fill(
        &pane,
        &Brush::linear((x - width, y), (x + width, y + height), &[colour.lighter(0.12), colour, colour.lighter(-0.04)]),
    );
    let bar = (width * 0.06).max(1.2);
    art.flat(
        &shape::together([
            shape::rect(x - bar / 2.0, y, bar, height),
            shape::rect(x - width / 2.0, y + height * 0.38, width, bar),
        ]),
        trim,
    );
    art.fill(
        &shape::rect(x - width * 0.64, y + height + frame, width * 1.28, frame * 0.9),
        &Brush::flat(art.palette.ink).alpha(0.25),
    );
    if box_of_flowers && art.chance(0.6) {
        flower_box(art, x, y + height + frame * 0.4, width * 1.2);
    }
}

fn flower_box(art: &mut Art, x: f32, y: f32, width: f32) {
    let (leaf, bloom, wood) = (art.palette.land[3], art.palette.pop[0], art.palette.land[4]);
    for i in 0..9 {
        let px = x + width * (i as f32 / 8.0 - 0.5);
        let r = width * art.between(0.06, 0.09);
        art.flat(&shape::circle(px, y - r * 0.4, r), leaf);
        if art.chance(0.65) {
            let dy = art.between(-1.0, 0.6) * r;
            art.flat(&shape::circle(px, y - r * 0.8 + dy, r * 0.55), bloom);
        }
    }
    art.flat(&shape::rect(x - width / 2.0, y, width, width * 0.13), wood);
}

fn door(art: &mut Art, x: f32, ground: f32, width: f32, height: f32, paint: Colour) {
    let colour =
        if paint.lightness() > 0.75 { art.palette.land[3] } else { art.palette.paper.mix(art.palette.land[4], 0.75) };
    let trim = art.palette.paper.lighter(0.03);
    art.flat(&shape::rect(x - width * 0.6, ground - height - width * 0.1, width * 1.2, height + width * 0.1), trim);
    art.solid(&shape::rect(x - width / 2.0, ground - height, width, height), colour);
    art.flat(
        &shape::rect(x - width * 0.34, ground - height * 0.9, width * 0.68, height * 0.24),
        art.palette.pop[1].mix(art.palette.light, 0.3),
    );
    art.flat(&shape::circle(x + width * 0.34, ground - height * 0.42, width * 0.06), art.palette.pop[1]);
    art.flat(&shape::rect(x - width * 0.7, ground - 3.0, width * 1.4, 5.0), trim.lighter(-0.1));
}

fn facade(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let paints = coats(art);
    let paint = art.pick(&paints);
    art.wall(paint);
    let columns = art.count(2, 3);
    let cell = w / columns as f32;
    let rows = (h / (cell * 1.45)).round().max(2.0) as usize;
    let tall = h / rows as f32;
    let shutter = if paint.lightness() > 0.7 { art.pick(&[0usize, 1, 2]) } else { 3 };
    let shutter = [art.palette.land[3], art.palette.pop[2], art.palette.pop[0], art.palette.paper][shutter];
    for row in 0..rows {
        let y = tall * row as f32;
        let ledge = shape::rect(0.0, y + tall * 0.965, w, tall * 0.035);
        art.shadow(&ledge, 3.0, 5.0, 0.25);
        art.solid(&ledge, paint.lighter(0.07));
        for column in 0..columns {
            let x = cell * (column as f32 + 0.5);
            let (width, height) = (cell * 0.36, tall * 0.58);
            window(art, x, y + tall * 0.2, width, height, false);
            let open = if art.chance(0.8) { 1.0 } else { 0.0 };
            for side in [-1.0, 1.0] {
                let sx = x + side * width * (0.28 + 0.58 * open) - width * 0.26;
                shutter_wing(art, sx, y + tall * 0.2, width * 0.52, height, shutter);
            }
            if art.chance(0.55) {
                flower_box(art, x, y + tall * 0.8, width * 1.5);
            }
        }
    }
    slanted_shade(art, h * 0.25);
}

fn shutter_wing(art: &mut Art, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
    let wing = shape::rect(x, y, width, height);
    art.shadow(&wing, 3.0, 5.0, 0.3);
    art.solid(&wing, colour);
    let slats = (height / 7.0) as usize;
    let lines =
        (1..slats).map(|i| shape::rect(x + width * 0.12, y + height * i as f32 / slats as f32, width * 0.76, 1.6));
    let lines = shape::together(lines);
    art.fill(&lines, &Brush::flat(art.palette.ink).alpha(0.28));
}
