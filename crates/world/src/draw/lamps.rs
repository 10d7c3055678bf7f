//! Lamps in the evening.

use std::f32::consts::PI;

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::corner::{armchair, print};
use super::pots::potted;
use super::shape::{self, At};

/// Lamps in the evening: an arc, a mushroom, globes on cords.
pub(crate) fn lamps(art: &mut Art) {
    let dusk = match art.count(0, 2) {
        0 => art.palette.land[3],
        1 => art.palette.land[2],
        _ => art.palette.land[4].lighter(0.03),
    };
    art.wall(dusk);
    match art.form {
        0 => arc_lamp(art, dusk),
        1 => table_lamp(art, dusk),
        _ => pendants(art, dusk),
    }
}

pub(crate) fn glow(art: &mut Art, x: f32, y: f32, reach: f32) {
    let (warm, light) = (art.palette.pop[1].lighter(0.06), art.palette.light);
    art.canvas.glow(x, y, reach, warm, 0.5);
    art.canvas.glow(x, y, reach * 0.5, light, 0.45);
}

pub(crate) fn brass(art: &Art) -> Colour {
    Colour::hex(0xC9983F).mix(art.palette.pop[1], 0.35)
}

fn floor(art: &mut Art, y: f32, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let wood = art.palette.pop[0].mix(wall, 0.6).lighter(-0.06);
    art.fill(&shape::rect(0.0, y, w, h - y), &Brush::down(y, h, &[wood, wood.lighter(-0.06)]).grain(0.2));
    art.flat(&shape::rect(0.0, y - h * 0.022, w, h * 0.022), wall.lighter(0.06));
    for i in 1..4 {
        let ly = y + (h - y) * (i as f32 / 4.0).powf(1.3);
        art.fill(&shape::rect(0.0, ly, w, 1.2), &Brush::flat(art.palette.ink).alpha(0.18));
    }
}

pub(crate) fn rug(art: &mut Art, x: f32, y: f32, half: f32) {
    let colours = [art.palette.pop[0], art.palette.paper, art.palette.land[1]];
    for (i, share) in [1.0, 0.86, 0.7].into_iter().enumerate() {
        let oval = shape::ellipse(x, y, half * share, half * 0.17 * share);
        art.solid(&oval, colours[i].mix(art.palette.land[3], 0.2));
    }
}

fn arc_lamp(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let ground = h * art.between(0.82, 0.87);
    floor(art, ground, wall);
    let flip = art.chance(0.5);
    let fx = |x: f32| if flip { w - x } else { x };
    let (foot, head) = (w * art.between(0.2, 0.26), w * art.between(0.64, 0.72));
    let (top, drop) = (h * art.between(0.13, 0.19), h * art.between(0.33, 0.4));
    let metal = brass(art);
    glow(art, fx(head), drop + h * 0.08, w * 0.62);
    let beam = shape::polygon(&[
        (fx(head) - w * 0.09, drop + 8.0),
        (fx(head) + w * 0.09, drop + 8.0),
        (fx(head) + w * 0.3, ground),
        (fx(head) - w * 0.3, ground),
    ]);
    let light = art.palette.pop[1].lighter(0.08);
    art.canvas.shadow(&beam, 0.0, 0.0, 30.0, &Brush::flat(light).alpha(0.26));
    rug(art, fx(w * 0.55), ground + (h - ground) * 0.5, w * 0.4);
    let pole: Vec<At> = vec![
        (fx(foot), ground + h * 0.03),
        (fx(foot - w * 0.015), h * 0.55),
        (fx(foot + w * 0.02), h * 0.3),
        (fx((foot + head) / 2.0 - w * 0.04), top),
        (fx(head - w * 0.03), top + h * 0.05),
        (fx(head), drop - h * 0.06),
    ];
    let rod = shape::stroke(&pole, 4.2);
    art.shadow(&rod, 9.0, 9.0, 0.3);
    art.solid(&rod, metal);
    let base = shape::rounded(fx(foot) - w * 0.09, ground + h * 0.022, w * 0.18, h * 0.022, 5.0);
    art.shadow(&base, 4.0, 8.0, 0.3);
    art.solid(&base, art.palette.paper.lighter(-0.06));
    let reach = art.between(0.12, 0.15);
    dome(art, fx(head), drop, w * reach);
    let (chair_x, size) = (fx(w * art.between(0.62, 0.7)), w * 0.4);
    let cloth = art.pick(&[0usize, 1, 2]);
    let cloth = [art.palette.pop[0], art.palette.pop[2], art.palette.land[1]][cloth];
    if art.chance(0.65) {
        armchair(art, chair_x, ground + h * 0.035, size, cloth);
    } else {
        potted(art, chair_x, ground + h * 0.04, w * 0.17);
    }
}

fn dome(art: &mut Art, x: f32, y: f32, r: f32) {
    let metal = brass(art);
    let shade = match art.count(0, 2) {
        0 => metal,
        1 => art.palette.pop[0],
        _ => art.palette.paper,
    };
    let light = art.palette.light;
    art.canvas.glow(x, y + r * 0.1, r * 1.5, light, 0.75);
    art.flat(&shape::circle(x, y + r * 0.03, r * 0.34), light);
    let cap = shape::half(x, y, r, PI);
    art.solid(&cap, shade);
    art.fill(&shape::ellipse(x, y, r, r * 0.1), &Brush::flat(light.mix(shade, 0.2)));
    art.solid(&shape::rounded(x - r * 0.11, y - r * 1.22, r * 0.22, r * 0.28, 2.0), metal);
}

fn table_lamp(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let top = h * art.between(0.7, 0.76);
    let x = w * art.between(0.4, 0.6);
    let size = (w * 0.3).min(h * 0.24) * art.between(0.9, 1.1);
    let head = top - size * 1.55;
    glow(art, x, head + size * 0.4, w * 0.75);
    frames(art, x, head);
    sideboard(art, top, wall);
    let colour = match art.count(0, 3) {
        0 => art.palette.pop[0],
        1 => art.palette.paper,
        2 => art.palette.pop[1],
        _ => art.palette.pop[2],
    };
    let pool = shape::ellipse(x, top + 4.0, size * 1.25, size * 0.1);
    let warm = art.palette.pop[1].lighter(0.1);
    art.canvas.shadow(&pool, 0.0, 0.0, 12.0, &Brush::flat(warm).alpha(0.7));
    let stem = shape::turned(
        x,
        top,
        size * 1.35,
        &[(0.0, size * 0.4), (0.04, size * 0.4), (0.16, size * 0.17), (0.5, size * 0.12), (1.0, size * 0.15)],
    );
    art.solid(&stem, colour.lighter(-0.02));
    let kind = art.count(0, 2);
    let shade = match kind {
        0 => shape::turned(
            x,
            head + size * 0.5,
            size * 0.78,
            &[(0.0, size * 0.82), (0.18, size * 0.84), (0.5, size * 0.68), (0.82, size * 0.36), (1.0, size * 0.04)],
        ),
        1 => shape::polygon(&[
            (x - size * 0.72, head + size * 0.5),
            (x + size * 0.72, head + size * 0.5),
            (x + size * 0.4, head - size * 0.25),
            (x - size * 0.4, head - size * 0.25),
        ]),
        _ => shape::circle(x, head + size * 0.1, size * 0.58),
    };
    let lit = if kind == 0 { colour.lighter(0.06) } else { art.palette.light.mix(art.palette.pop[1], 0.25) };
    let below = if kind == 0 { art.palette.light.mix(colour, 0.3) } else { art.palette.pop[1].lighter(0.04) };
    art.fill(&shade, &Brush::down(head - size * 0.3, head + size * 0.55, &[lit, lit, below]).grain(0.14));
    if kind == 0 {
        let light = art.palette.light;
        art.flat(&shape::ellipse(x, head + size * 0.5, size * 0.8, size * 0.07), light);
    }
    let side = if x < w / 2.0 { 1.0 } else { -1.0 };
    books(art, x + side * size * 1.05, top, size * 0.62);
    if art.chance(0.7) {
        potted(art, x - side * size * 1.3, top, size * 0.42);
    }
}

/// Prints on the wall, away from the lamp.
fn frames(art: &mut Art, x: f32, y: f32) {
    let (w, h) = (art.width, art.height);
    let side = if x < w / 2.0 { 1.0 } else { -1.0 };
    let (width, height) = (w * 0.2, w * 0.27);
    let at = x + side * w * 0.27 - width / 2.0;
    if art.chance(0.75) && y > h * 0.2 {
        print(art, at, y - h * 0.1, width, height);
    }
}

fn sideboard(art: &mut Art, top: f32, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let wood = Colour::hex(0x9A6038).mix(art.palette.pop[0], 0.25).mix(wall, 0.2);
    let (left, right) = (w * 0.06, w * 0.94);
    let body = shape::rounded(left, top, right - left, h * 0.17, 6.0);
    art.shadow(&body, 6.0, 16.0, 0.35);
    let ground = h * 0.95;
    art.fill(&shape::rect(0.0, ground, w, h - ground), &Brush::flat(wall.lighter(-0.08)));
    for x in [left + w * 0.06, right - w * 0.06] {
        let lean = if x < w / 2.0 { -1.0 } else { 1.0 };
        let leg = shape::polygon(&[
            (x - 6.0, top + h * 0.16),
            (x + 6.0, top + h * 0.16),
            (x + lean * 10.0 + 2.5, ground + h * 0.02),
            (x + lean * 10.0 - 2.5, ground + h * 0.02),
        ]);
        art.flat(&leg, wood.lighter(-0.15));
    }
    art.fill(&body, &Brush::down(top, top + h * 0.17, &[wood.lighter(0.07), wood, wood.lighter(-0.06)]).grain(0.25));
    for i in 1..3 {
        let x = left + (right - left) * i as f32 / 3.0;
        art.fill(&shape::rect(x, top + h * 0.02, 2.0, h * 0.15), &Brush::flat(art.palette.ink).alpha(0.4));
    }
    art.fill(
        &shape::rect(left + 4.0, top + h * 0.018, right - left - 8.0, 1.6),
        &Brush::flat(art.palette.ink).alpha(0.35),
    );
    let knob = art.palette.pop[1];
    for i in 0..3 {
        art.flat(&shape::circle(left + (right - left) * (i as f32 + 0.5) / 3.0, top + h * 0.09, 4.0), knob);
    }
}

pub(crate) fn books(art: &mut Art, x: f32, base: f32, width: f32) {
    let colours = [art.palette.pop[2], art.palette.paper, art.palette.pop[0], art.palette.land[1]];
    let mut y = base;
    for i in 0..art.count(2, 4) {
        let (length, thick) = (width * art.between(0.75, 1.0), width * art.between(0.11, 0.17));
        let dx = art.between(-0.05, 0.05) * width;
        y -= thick;
        let book = shape::rounded(x - length / 2.0 + dx, y, length, thick, 2.0);
        art.solid(&book, colours[i % 4]);
        art.fill(
            &shape::rect(x - length * 0.32 + dx, y + thick * 0.42, length * 0.3, 1.4),
            &Brush::flat(art.palette.ink).alpha(0.35),
        );
    }
}

fn pendants(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let metal = brass(art);
    let count = art.count(3, 5);
    let desk = h * 0.86;
    for i in 0..count {
        let x = w * (0.12 + 0.76 * (i as f32 + 0.5) / count as f32) + art.between(-10.0, 10.0);
        let (y, r) = (h * art.between(0.2, 0.56), w * art.between(0.065, 0.12));
        glow(art, x, y, r * 4.4);
        art.flat(&shape::rect(x - 1.0, 0.0, 2.0, y - r), metal.lighter(-0.1));
        let glass = match art.count(0, 3) {
            0 => art.palette.pop[0],
            1 => art.palette.pop[1],
            _ => art.palette.light,
        };
        match art.count(0, 4) {
            0 => {
                let bell = shape::turned(
                    x,
                    y + r * 0.7,
                    r * 1.7,
                    &[(0.0, r * 1.15), (0.2, r * 1.0), (0.6, r * 0.42), (1.0, r * 0.16)],
                );
                art.flat(&shape::circle(x, y + r * 0.62, r * 0.4), art.palette.light);
                art.solid(&bell, glass);
            }
            _ => {
                let globe = shape::circle(x, y, r);
                let core = art.palette.light;
                art.fill(
                    &globe,
                    &Brush::radial((x, y + r * 0.1), r * 1.15, &[core, core.mix(glass, 0.5), glass]).grain(0.12),
                );
                art.fill(
                    &shape::ellipse(x + art.side * r * 0.4, y - r * 0.45, r * 0.2, r * 0.13),
                    &Brush::flat(core).alpha(0.8),
                );
            }
        }
        art.solid(&shape::rounded(x - r * 0.2, y - r * 1.16, r * 0.4, r * 0.28, 2.0), metal);
    }
    let board = wall.mix(art.palette.pop[0], 0.35).lighter(0.02);
    art.fill(
        &shape::rect(0.0, desk, w, h),
        &Brush::down(desk, h, &[board.lighter(0.08), board.lighter(-0.05)]).grain(0.2),
    );
    let (x, size) = (w * art.between(0.25, 0.75), w * 0.13);
    potted(art, x, desk + h * 0.03, size);
    books(art, w - x, desk + h * 0.02, w * 0.2);
}
