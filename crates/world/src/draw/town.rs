//! Built places: skylines, arches, townhouses.

use std::f32::consts::PI;

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::shape::{self, At, Shape};

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
        super::land::shimmer(art, shore, x, 16);
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
        super::plants::potted(art, px, floor + h * 0.11, size);
    }
}

fn planks(art: &mut Art, x: f32, top: f32, width: f32, floor: f32, paint: Colour, stencil: &super::canvas::Stencil) {
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
fn slanted_shade(art: &mut Art, top: f32) {
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
        let cap = shape::rounded(
            x - (gap - width) * 0.5 - width * 0.02,
            floor - tall + width * 0.47,
            gap - width + width * 0.04,
            width * 0.055,
            2.0,
        );
        art.solid(&cap, wall.lighter(0.06));
    }
}

/// Darkens what of the hole the moved hole does not cover.
fn reveal(art: &mut Art, hole: &super::canvas::Stencil, inner: &Shape, wall: Colour) {
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
    super::plants::potted(art, px, floor + h * 0.04, w * 0.17);
}

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
        super::land::shimmer(art, ground, w / 2.0, 12);
    } else {
        let street = art.palette.land[2].mix(art.palette.paper, 0.35);
        art.fill(&shape::rect(0.0, ground, w, h), &Brush::down(ground, h, &[street, street.lighter(-0.06)]).grain(0.2));
        art.flat(&shape::rect(0.0, ground, w, h * 0.018), art.palette.paper.mix(street, 0.4));
        for i in 0..houses {
            if art.chance(0.6) {
                let size = w * 0.075;
                super::plants::potted(art, width * (i as f32 + 0.14), ground + h * 0.012, size);
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
