//! Doors and arches in the sun.

use super::art::Art;
use super::brush::Brush;
use super::canvas::Stencil;
use super::colour::Colour;
use super::pots::potted;
use super::shape::{self, At, Shape};

/// Arches: a door with steps, an arcade in the sun, a view through.
pub(crate) fn arches(art: &mut Art) {
    let wall = if art.chance(0.5) { art.palette.land[0] } else { art.palette.wall() };
    let wall = wall.lighter(0.03);
    art.wall(wall);
    match art.form {
        0 => doorway(art, wall),
        1 => arcade(art, wall),
        _ => view(art, wall),
    }
}

fn doorway(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let (width, x) = (w * art.between(0.36, 0.46), w * art.between(0.44, 0.58));
    let floor = h * art.between(0.76, 0.82);
    let top = floor - (h * art.between(0.5, 0.58)).max(width * 1.25);
    let left = x - width / 2.0;
    let ground = art.palette.land[1].mix(wall, 0.45);
    art.fill(
        &shape::rect(0.0, floor + h * 0.09, w, h),
        &Brush::down(floor, h, &[ground, ground.lighter(-0.07)]).grain(0.2),
    );
    slanted_shade(art, top);
    let rim = width * 0.09;
    let frame = shape::arch(left - rim, top - rim, width + rim * 2.0, floor - top + rim);
    art.shadow(&frame, 8.0, 14.0, 0.25);
    art.solid(&frame, wall.lighter(0.07));
    let hollow = shape::arch(left, top, width, floor - top);
    let deep = art.palette.land[4];
    art.fill(&hollow, &Brush::down(top, floor, &[deep, deep.lighter(0.08)]).grain(0.15));
    let inset = width * 0.1;
    let shade = -art.side * inset;
    let door =
        shape::arch(left + inset / 2.0 + shade / 2.0, top + inset * 0.8, width - inset, floor - top - inset * 0.8);
    let Some(stencil) = art.canvas.stencil(&hollow) else { return };
    let paint = art.pick(&[0usize, 1, 2]);
    let paint = [art.palette.pop[2], art.palette.pop[0], art.palette.land[2]][paint];
    let brush = art.volume(&door, paint, 0.08);
    art.canvas.fill_within(&stencil, &door, &brush);
    planks(art, left + inset / 2.0 + shade / 2.0, top + inset, width - inset, floor, paint, &stencil);
    steps(art, x, floor, width, wall);
    if art.chance(0.85) {
        let px = if art.chance(0.5) { left - width * 0.32 } else { left + width * 1.32 };
        let size = w * art.between(0.15, 0.19);
        potted(art, px, floor + h * 0.11, size);
    }
}

fn planks(art: &mut Art, x: f32, top: f32, width: f32, floor: f32, paint: Colour, stencil: &Stencil) {
    let dark = Brush::flat(paint.lighter(-0.17));
    for i in 1..5 {
        let px = x + width * i as f32 / 5.0;
        let thick = if i == 5 / 2 + 1 { 1.6 } else { 1.2 };
        art.canvas.fill_within(stencil, &shape::rect(px, top + width * 0.2, thick, floor - top), &dark);
    }
    for (up, tall) in [(0.12, 0.3), (0.5, 0.24)] {
        let y = floor - (floor - top) * (up + tall);
        for side in [0.1, 0.56] {
            let panel = shape::rounded(x + width * side, y, width * 0.34, (floor - top) * tall, 3.0);
            art.canvas.fill_within(stencil, &panel, &Brush::flat(paint.lighter(-0.06)));
            let inner =
                shape::rounded(x + width * side + 4.0, y + 5.0, width * 0.34 - 8.0, (floor - top) * tall - 9.0, 2.0);
            art.canvas.fill_within(stencil, &inner, &Brush::flat(paint.lighter(0.04)));
        }
    }
    let knob = shape::circle(x + width * 0.53, floor - (floor - top) * 0.42, width * 0.022);
    art.flat(&knob, art.palette.pop[1].lighter(0.05));
}

fn steps(art: &mut Art, x: f32, floor: f32, width: f32, wall: Colour) {
    let h = art.height;
    for i in 0..3 {
        let (half, y) = (width * (0.62 + 0.1 * i as f32), floor + i as f32 * h * 0.03);
        let tread = shape::rect(x - half, y, half * 2.0, h * 0.032);
        art.solid(&tread, wall.lighter(0.05 - 0.02 * i as f32));
        art.fill(
            &shape::rect(x - half, y + h * 0.021, half * 2.0, h * 0.011),
            &Brush::flat(art.palette.ink).alpha(0.2),
        );
    }
}

/// A roof's shadow falls slantwise over the wall.
pub(crate) fn slanted_shade(art: &mut Art, top: f32) {
    let (w, h) = (art.width, art.height);
    let (from, to) = (top - h * art.between(0.02, 0.1), top + h * art.between(0.12, 0.4));
    let (left, right) = if art.side < 0.0 { (from, to) } else { (to, from) };
    let shade = if art.chance(0.5) {
        shape::polygon(&[(0.0, 0.0), (w, 0.0), (w, right), (0.0, left)])
    } else {
        let x = if art.side < 0.0 { w } else { 0.0 };
        shape::polygon(&[(x, 0.0), (w * 0.5, 0.0), (x, h * art.between(0.5, 0.9))])
    };
    let ink = art.palette.ink;
    art.fill(&shade, &Brush::flat(ink).alpha(0.14));
}

fn arcade(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let floor = h * art.between(0.76, 0.84);
    let count = art.count(2, 3);
    let gap = w / count as f32;
    let (width, tall) = (gap * 0.66, h * art.between(0.5, 0.6));
    let ground = wall.mix(art.palette.land[1], 0.35);
    art.fill(&shape::rect(0.0, floor, w, h), &Brush::down(floor, h, &[ground.lighter(0.05), ground]).grain(0.15));
    for i in 0..count {
        let x = gap * (i as f32 + 0.5) - width / 2.0;
        let top = floor - tall;
        let hole = shape::arch(x, top, width, tall);
        let Some(stencil) = art.canvas.stencil(&hole) else { continue };
        let sky = [art.palette.sky[0], art.palette.sky[1], art.palette.sky[2]];
        art.canvas.apply(&stencil, &Brush::down(top, floor, &sky).grain(0.06));
        let horizon = floor - tall * 0.22;
        let sea = shape::rect(x, horizon, width, floor - horizon);
        let (near, far) = (art.palette.depth(0.55), art.palette.depth(0.3));
        art.canvas.fill_within(&stencil, &sea, &Brush::down(horizon, floor, &[far, near]).grain(0.1));
        if i == count / 2 {
            let sun = shape::circle(x + width * 0.5, horizon - width * 0.16, width * 0.2);
            art.canvas.fill_within(&stencil, &sun, &Brush::flat(art.palette.pop[0]));
            art.canvas.fill_within(&stencil, &sea, &Brush::down(horizon, floor, &[far, near]).grain(0.1));
        }
        // The thickness of the wall.
        let jamb = width * 0.13;
        let inner = shape::shift(shape::arch(x, top, width, tall + 4.0), -art.side * jamb, jamb * 0.35);
        reveal(art, &stencil, &inner, wall);
        let slant = -art.side * h * 0.16;
        let patch = shape::polygon(&[
            (x + jamb, floor),
            (x + width - jamb, floor),
            (x + width - jamb + slant, h),
            (x + jamb + slant, h),
        ]);
        let light = art.palette.light;
        art.fill(&patch, &Brush::flat(light).alpha(0.4));
    }
    for i in 0..=count {
        let (x, y) = (gap * i as f32, floor - tall + width * 0.47);
        let cap = shape::rounded(x - (gap - width) * 0.56, y, (gap - width) * 1.12, width * 0.055, 2.0);
        art.shadow(&cap, 2.0, 4.0, 0.2);
        art.solid(&cap, wall.lighter(0.05));
    }
}

/// Darkens what of the hole the moved hole does not cover.
fn reveal(art: &mut Art, hole: &Stencil, inner: &Shape, wall: Colour) {
    let shade = wall.mix(art.palette.land[3], 0.55);
    art.canvas.fill_outside(hole, inner, &Brush::flat(shade));
}

fn view(art: &mut Art, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let floor = h * art.between(0.82, 0.88);
    let rings = art.count(3, 4);
    let (width, x) = (w * 0.78, w * art.between(0.47, 0.53));
    for i in 0..rings {
        let t = i as f32 / rings as f32;
        let half = width / 2.0 * (1.0 - 0.56 * t);
        let top = h * (0.1 + 0.2 * t);
        let hole = shape::arch(x - half, top, half * 2.0, floor - top);
        let colour = wall.mix(art.palette.land[2], 0.18 + 0.5 * t);
        art.shadow(&hole, 0.0, 10.0, 0.15);
        art.solid(&hole, colour);
    }
    let half = width / 2.0 * (1.0 - 0.56 * 0.98);
    let top = h * 0.3;
    let hole = shape::arch(x - half, top, half * 2.0, floor - top);
    let Some(stencil) = art.canvas.stencil(&hole) else { return };
    let sky = art.palette.sky;
    art.canvas.apply(&stencil, &Brush::down(top, floor, &sky).grain(0.06));
    let horizon = floor - (floor - top) * art.between(0.25, 0.4);
    let sun = shape::circle(x + half * art.between(-0.3, 0.3), horizon - half * art.between(0.1, 0.5), half * 0.36);
    art.canvas.fill_within(&stencil, &sun, &Brush::flat(art.palette.pop[0]));
    let hills: Vec<At> =
        (0..=6).map(|i| (x - half + half * i as f32 / 3.0, horizon - (i as f32 * 1.7).sin() * half * 0.14)).collect();
    art.canvas.fill_within(&stencil, &shape::under(&hills, floor), &Brush::flat(art.palette.depth(0.45)));
    let sea = shape::rect(x - half, horizon + half * 0.14, half * 2.0, floor);
    art.canvas.fill_within(
        &stencil,
        &sea,
        &Brush::down(horizon, floor, &[art.palette.depth(0.3), art.palette.depth(0.7)]).grain(0.15),
    );
    let ground = wall.mix(art.palette.land[2], 0.5);
    art.fill(&shape::rect(0.0, floor, w, h), &Brush::down(floor, h, &[ground.lighter(0.08), ground]).grain(0.2));
    let light = art.palette.light;
    let slant = -art.side * w * 0.1;
    let path = shape::polygon(&[
        (x - half, floor),
        (x + half, floor),
        (x + half * 1.9 + slant, h),
        (x - half * 1.3 + slant, h),
    ]);
    art.fill(&path, &Brush::down(floor, h, &[light, ground]).grain(0.2).alpha(0.6));
    let px = if art.side < 0.0 { w * 0.87 } else { w * 0.13 };
    potted(art, px, floor + h * 0.04, w * 0.17);
}
