//! Night skies, woods with cabins, balloons.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::canvas::noise;
use super::colour::Colour;
use super::shape::{self, At};

/// Stars over hills: the milky way, a crescent, or trails above a tent.
pub(crate) fn night(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.74, 0.84);
    let dark = art.palette.is_dark();
    // A night is dark in every mood.
    let (zenith, low) = if dark {
        (art.palette.sky[0], art.palette.sky[2])
    } else {
        (art.palette.land[4].lighter(-0.06), art.palette.land[2])
    };
    let middle = if dark { art.palette.sky[1] } else { art.palette.land[3] };
    art.canvas.flood(&Brush::down(0.0, horizon * 1.05, &[zenith, middle, low]).grain(0.05));
    match art.form {
        0 => milky_way(art, horizon),
        1 => crescent(art, horizon),
        _ => trails(art, horizon, zenith),
    }
    let layers = art.count(3, 4);
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let base = horizon + (h - horizon) * (0.1 + 0.62 * t);
        let colour = low.mix(zenith.lighter(-0.05), 0.35 + 0.6 * t);
        let line = if art.chance(0.4) && i == 0 {
            art.ridge(base, h * 0.12, 0.22)
        } else {
            art.hills(base, h * (0.035 - 0.008 * t), 2 + i)
        };
        let brush = Brush::down(base - h * 0.05, base + h * 0.12, &[colour.lighter(0.05), colour]).grain(0.2);
        art.fill(&shape::under(&line, h + 5.0), &brush);
        if i + 1 == layers {
            tree_line(art, &line, zenith.lighter(-0.08));
        }
    }
    if art.form == 2 {
        let (x, y) = (w * art.between(0.28, 0.72), h * 0.93);
        tent(art, x, y, w * 0.17);
    }
}

fn tree_line(art: &mut Art, line: &[At], colour: Colour) {
    let h = art.height;
    let sides = art.pick(&[0.3, 0.45, 1.0]);
    for &(x, y) in line {
        let edge = (x / art.width - 0.5).abs() * 2.0;
        for _ in 0..2 {
            let tall = h * art.between(0.03, 0.07 + 0.06 * edge);
            let dx = art.between(-14.0, 14.0);
            if edge > 1.0 - sides {
                art.pine(x + dx, y + 8.0, tall, colour);
            }
        }
    }
}

fn milky_way(art: &mut Art, horizon: f32) {
    let (w, light) = (art.width, art.palette.light);
    let lean = art.between(0.5, 1.1) * if art.chance(0.5) { 1.0 } else { -1.0 };
    let (cx, cy) = (w * art.between(0.4, 0.6), horizon * 0.45);
    let seed = art.rng.next_u64() as u32;
    let (sin, cos) = lean.sin_cos();
    let haze = art.canvas.haze(|x, y| {
        let across = ((x - cx) * cos + (y - cy) * sin) / (w * 0.2);
        let cloud = wisps(x / 70.0, y / 70.0, seed);
        let rift = 0.3 * (-(across * 4.0).powi(2)).exp() * wisps(x / 40.0, y / 40.0, seed ^ 7);
        let low = (1.0 - (y / horizon).powi(3)).max(0.0);
        ((-across * across).exp() * (0.25 + 0.9 * cloud) - rift) * low * 0.75
    });
    let tint = light.mix(art.palette.pop[2], 0.35);
    art.canvas.apply_haze(&haze, &Brush::flat(tint).alpha(0.62));
    art.stars(170, horizon * 1.02);
    for _ in 0..260 {
        let (along, across) = (art.between(-1.0, 1.0) * horizon * 0.9, art.rng.normal() * w * 0.1);
        let (x, y) = (cx + across * cos - along * sin, cy + across * sin + along * cos);
        if y < horizon {
            let size = art.between(0.35, 1.0);
            let alpha = art.between(0.3, 0.9);
            art.fill(&shape::circle(x, y, size), &Brush::flat(light).alpha(alpha));
        }
    }
    if art.chance(0.5) {
        let (x, y) = (w * art.between(0.15, 0.6), horizon * art.between(0.08, 0.35));
        for i in 0..3 {
            let (length, thick) = (70.0 - 20.0 * i as f32, 0.8 + 0.5 * i as f32);
            art.fill(&shape::line(&[(x, y), (x + length, y + length * 0.4)], thick), &Brush::flat(light).alpha(0.3));
        }
    }
}

/// Soft noise in 0..1: four octaves.
pub(crate) fn wisps(x: f32, y: f32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 1.0);
    for octave in 0..4 {
        sum += weight * lattice(x * scale, y * scale, seed.wrapping_add(octave));
        weight *= 0.5;
        scale *= 2.0;
    }
    sum / 0.9375
}

fn lattice(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (ease(x - fx), ease(y - fy));
    let at = |dx: i32, dy: i32| noise((fx as i32 + dx) as u32, (fy as i32 + dy) as u32, seed);
    let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * tx;
    let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * tx;
    upper + (lower - upper) * ty
}

fn crescent(art: &mut Art, horizon: f32) {
    let (w, light) = (art.width, art.palette.light);
    art.stars(130, horizon);
    let (x, y, r) = (w * art.between(0.28, 0.72), horizon * art.between(0.22, 0.5), w * art.between(0.1, 0.19));
    art.canvas.glow(x, y, r * 3.6, light, 0.32);
    let tilt = art.between(-0.9, 0.5);
    let mut rim = shape::around(x, y, r, r, -FRAC_PI_2, FRAC_PI_2, 14);
    let inner = art.between(0.25, 0.7);
    rim.extend(shape::around(x, y, r * inner, r, FRAC_PI_2, -FRAC_PI_2, 14));
    let moon = shape::turn(shape::polygon(&rim), tilt, x, y);
    art.fill(&moon, &Brush::down(y - r, y + r, &[light, light.mix(art.palette.pop[1], 0.4)]).grain(0.3));
    for _ in 0..art.count(1, 3) {
        let (cx, cy, length) = (w * art.between(0.0, 1.0), horizon * art.between(0.4, 0.85), w * art.between(0.3, 0.6));
        let colour = art.palette.land[1].mix(light, 0.25);
        art.cloud(cx, cy, length, colour, 0.35);
    }
}

fn trails(art: &mut Art, horizon: f32, zenith: Colour) {
    let (w, light) = (art.width, art.palette.light);
    let (cx, cy) = (w * art.between(0.3, 0.7), horizon * art.between(0.5, 0.75));
    let reach = w.hypot(art.height);
    for _ in 0..85 {
        let radius = 8.0 + reach * 0.75 * art.rng.uniform();
        let (from, length) = (art.between(0.0, TAU), art.between(0.3, 1.0));
        let warm = art.rng.uniform();
        let colour = light.mix(art.palette.pop[if warm < 0.5 { 1 } else { 2 }], 0.5 * art.rng.uniform());
        let (alpha, thick) = (art.between(0.25, 0.85), art.between(0.7, 1.7));
        art.fill(&shape::arc(cx, cy, radius, from, from + length, thick), &Brush::flat(colour).alpha(alpha));
    }
    art.stars(30, horizon);
    art.canvas.glow(w / 2.0, horizon * 1.1, w * 0.8, zenith.mix(light, 0.35), 0.25);
}

fn tent(art: &mut Art, x: f32, y: f32, size: f32) {
    let warm = art.palette.pop[1];
    art.canvas.glow(x, y - size * 0.3, size * 2.0, warm, 0.5);
    let (top, skirt) = ((x, y - size * 0.8), size * 0.85);
    let body = shape::polygon(&[top, (x + skirt, y), (x - skirt, y)]);
    art.fill(
        &body,
        &Brush::radial((x, y - size * 0.15), size, &[art.palette.light, warm, art.palette.pop[0]]).grain(0.15),
    );
    let door = shape::polygon(&[top, (x + size * 0.2, y), (x - size * 0.2, y)]);
    art.fill(&door, &Brush::flat(art.palette.light).alpha(0.6));
    let ink = art.palette.ink;
    art.fill(
        &shape::together([
            shape::line(&[(x - skirt * 1.25, y + 3.0), top, (x + skirt * 1.25, y + 3.0)], 1.3),
            shape::line(&[top, (x, y)], 1.3),
        ]),
        &Brush::flat(ink).alpha(0.6),
    );
}

/// A cabin among layers of firs in mist.
pub(crate) fn cabin(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    art.sky(h * 0.8);
    let (x, y, r) = (w * art.between(0.2, 0.8), h * art.between(0.13, 0.3), w * art.between(0.05, 0.09));
    let light = art.palette.light;
    art.sun(x, y, r, light);
    if art.palette.is_dark() {
        art.stars(60, h * 0.4);
    }
    let ridge = art.ridge(h * 0.48, h * 0.16, 0.2);
    let haze = art.palette.depth(0.08).mix(art.palette.sky[1], 0.4);
    art.fill(&shape::under_straight(&ridge, h), &Brush::down(h * 0.3, h * 0.55, &[haze, art.palette.sky[2]]));
    let rows = if art.form == 1 { 6 } else { 5 };
    let place = art.between(0.34, 0.66) * w;
    for i in 0..rows {
        let t = i as f32 / (rows - 1) as f32;
        if i + 1 == rows && art.form != 1 {
            clearing(art, place);
        }
        tree_row(art, t, place);
        if i + 1 < rows {
            let base = h * (0.52 + 0.36 * t);
            let fog = art.palette.sky[2].mix(art.palette.sky[1], 0.3);
            art.canvas.mist(base - h * 0.1, base + h * 0.06, fog, 0.62 - 0.25 * t);
        }
    }
    if art.form == 1 && art.chance(0.8) {
        let ink = art.palette.depth(0.8);
        let (bx, by) = (w * art.between(0.3, 0.7), h * art.between(0.2, 0.36));
        art.birds(bx, by, 5, ink);
    }
}

fn tree_row(art: &mut Art, t: f32, place: f32) {
    let (w, h) = (art.width, art.height);
    let base = h * (0.55 + 0.47 * t.powf(1.2));
    let colour = art.palette.depth(0.1 + 0.88 * t);
    let ground = art.hills(base - h * 0.01, h * 0.012, 2);
    art.flat(&shape::under(&ground, h + 5.0), colour);
    let spacing = w * (0.035 + 0.05 * t);
    let count = (w / spacing) as usize + 2;
    for i in 0..count {
        let x = (i as f32 + art.between(-0.45, 0.45)) * spacing;
        let open = art.form != 1 && t > 0.7 && (x - place).abs() < w * (0.1 + 0.14 * t);
        let tall = h * (0.1 + 0.2 * t) * art.between(0.6, 1.25);
        if !open {
            art.pine(x, base + 4.0, tall, colour);
        } else if t > 0.95 && art.chance(0.25) {
            art.pine(x, base + h * 0.01, tall * 0.3, colour);
        }
    }
}

/// The glade with the house, in front of all but the nearest trees.
fn clearing(art: &mut Art, x: f32) {
    let (w, h) = (art.width, art.height);
    let ground = h * 0.9;
    let glade = art.palette.depth(0.55);
    let line = [
        (-10.0, ground - 4.0),
        (x - w * 0.2, ground - h * 0.012),
        (x, ground - h * 0.02),
        (x + w * 0.25, ground),
        (w + 10.0, ground + 6.0),
    ];
    art.fill(
        &shape::under(&line, h + 5.0),
        &Brush::down(ground - h * 0.03, h, &[glade.lighter(0.05), glade.lighter(-0.06)]).grain(0.25),
    );
    let size = w * art.between(0.3, 0.38);
    let warm = art.palette.pop[1];
    art.canvas.glow(x, ground - size * 0.3, size * 1.1, warm, 0.3);
    smoke(art, x + size * 0.16, ground - size * 0.95);
    if art.form == 0 {
        a_frame(art, x, ground, size)
    } else {
        log_house(art, x, ground, size)
    }
    let pool = shape::ellipse(x, ground + size * 0.06, size * 0.3, size * 0.05);
    art.canvas.shadow(&pool, 0.0, 0.0, 10.0, &Brush::flat(warm).alpha(0.5));
}

fn smoke(art: &mut Art, x: f32, y: f32) {
    let colour = art.palette.light;
    let drift = art.between(-1.0, 1.0) * 26.0;
    let path: Vec<At> =
        (0..7).map(|i| (x + drift * (i as f32 / 3.0) + (i as f32 * 1.9).sin() * 7.0, y - i as f32 * 17.0)).collect();
    let plume = shape::stroke(&path, 11.0);
    art.canvas.shadow(&plume, 0.0, 0.0, 14.0, &Brush::flat(colour).alpha(0.45));
}

fn a_frame(art: &mut Art, x: f32, ground: f32, size: f32) {
    let (roof, wood) = (art.palette.ink, art.palette.pop[0].mix(art.palette.ink, 0.35));
    let top = (x, ground - size);
    let half = size * 0.52;
    let shell = shape::polygon(&[(x, top.1 - size * 0.05), (x + half * 1.16, ground), (x - half * 1.16, ground)]);
    art.solid(&shell, roof);
    let front = shape::polygon(&[(x, top.1 + size * 0.1), (x + half * 0.92, ground), (x - half * 0.92, ground)]);
    art.fill(&front, &Brush::down(top.1, ground, &[wood.lighter(-0.08), wood.lighter(0.04)]).grain(0.2));
    let Some(stencil) = art.canvas.stencil(&shape::polygon(&[
        (x, top.1 + size * 0.22),
        (x + half * 0.72, ground - size * 0.02),
        (x - half * 0.72, ground - size * 0.02),
    ])) else {
        return;
    };
    let glass = Brush::radial(
        (x, ground - size * 0.3),
        size * 0.6,
        &[art.palette.light, art.palette.pop[1], art.palette.pop[0]],
    )
    .grain(0.1);
    art.canvas.apply(&stencil, &glass);
    let bar = Brush::flat(wood.lighter(-0.16));
    for i in -2..=2 {
        let bx = x + i as f32 * half * 0.3;
        art.canvas.fill_within(&stencil, &shape::rect(bx - 1.4, top.1, 2.8, size), &bar);
    }
    for y in [0.33, 0.62] {
        art.canvas.fill_within(&stencil, &shape::rect(x - half, ground - size * y, size * 1.1, 4.0), &bar);
    }
    let door = shape::rect(x - size * 0.07, ground - size * 0.26, size * 0.14, size * 0.26);
    art.flat(&door, wood.lighter(-0.14));
    art.flat(&shape::rect(x - half * 1.1, ground - 2.0, half * 2.2, 5.0), roof.lighter(0.08));
}

fn log_house(art: &mut Art, x: f32, ground: f32, size: f32) {
    let (roof, wood) = (art.palette.ink.lighter(0.06), art.palette.pop[0].mix(art.palette.ink, 0.45));
    let (half, wall) = (size * 0.55, size * 0.42);
    let chimney = shape::rect(x + size * 0.11, ground - size * 0.96, size * 0.1, size * 0.4);
    art.solid(&chimney, roof.lighter(0.08));
    let body = shape::polygon(&[
        (x - half, ground),
        (x - half, ground - wall),
        (x, ground - size * 0.84),
        (x + half, ground - wall),
        (x + half, ground),
    ]);
    art.solid(&body, wood);
    for i in 1..9 {
        let y = ground - i as f32 * size * 0.075;
        let reach = if y > ground - wall { half } else { half * (1.0 - (ground - wall - y) / (size * 0.42)) };
        art.fill(&shape::rect(x - reach, y, reach * 2.0, 1.5), &Brush::flat(art.palette.ink).alpha(0.4));
    }
    let eave = size * 0.68;
    let thick = size * 0.09;
    let up = (x, ground - size * 0.9);
    let cover = shape::polygon(&[
        up,
        (x + eave, ground - wall * 0.9),
        (x + eave, ground - wall * 0.9 + thick),
        (x, up.1 + thick),
        (x - eave, ground - wall * 0.9 + thick),
        (x - eave, ground - wall * 0.9),
    ]);
    art.solid(&cover, roof);
    if art.chance(0.6) {
        let snow = art.palette.light;
        art.flat(
            &shape::polygon(&[
                (x, up.1 - thick * 0.5),
                (x + eave, ground - wall * 0.9 - thick * 0.2),
                (x + eave, ground - wall * 0.9 + thick * 0.35),
                (x, up.1 + thick * 0.3),
                (x - eave, ground - wall * 0.9 + thick * 0.35),
                (x - eave, ground - wall * 0.9 - thick * 0.2),
            ]),
            snow,
        );
    }
    for side in [-1.0, 1.0] {
        lit_window(art, x + side * size * 0.27, ground - size * 0.21, size * 0.2, size * 0.19);
    }
    art.flat(&shape::rect(x - size * 0.075, ground - size * 0.31, size * 0.15, size * 0.31), wood.lighter(-0.15));
    lit_window(art, x, ground - size * 0.5, size * 0.13, size * 0.13);
}

fn lit_window(art: &mut Art, x: f32, y: f32, width: f32, height: f32) {
    let (light, warm, ink) = (art.palette.light, art.palette.pop[1], art.palette.ink);
    art.canvas.glow(x, y, width * 1.5, warm, 0.5);
    let pane = shape::rect(x - width / 2.0, y - height / 2.0, width, height);
    art.fill(&pane, &Brush::radial((x, y), width * 0.8, &[light, warm]));
    art.fill(
        &shape::together([
            shape::rect(x - 1.0, y - height / 2.0, 2.0, height),
            shape::rect(x - width / 2.0, y - 1.0, width, 2.0),
        ]),
        &Brush::flat(ink),
    );
}

/// Balloons: one with stripes, several over hills, one above the clouds.
pub(crate) fn balloons(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    art.sky(h * 0.9);
    let light = art.palette.light;
    let (sx, sy, sr) = (w * art.between(0.1, 0.9), h * art.between(0.55, 0.7), w * 0.1);
    if art.chance(0.6) {
        art.sun(sx, sy, sr, light);
    }
    for _ in 0..art.count(3, 5) {
        let (x, y, length) = (w * art.between(0.0, 1.0), h * art.between(0.08, 0.7), w * art.between(0.2, 0.45));
        art.cloud(x, y, length, light, 0.6);
    }
    if art.form == 2 {
        cloud_sea(art)
    } else {
        countryside(art)
    }
    let unit = art.unit();
    let near = unit * if art.form == 1 { art.between(0.15, 0.19) } else { art.between(0.23, 0.29) };
    let (x, y) = (w * art.between(0.42, 0.58), h * art.between(0.32, 0.42));
    let far = if art.form == 1 { art.count(4, 6) } else { art.count(1, 2) };
    for i in 0..far {
        let t = (i as f32 + art.between(0.2, 0.8)) / far as f32;
        let r = w * art.between(0.045, 0.085);
        // Left and right of the near one in turn, never behind it.
        let out = (0.27 + 0.2 * t) * if i % 2 == 0 { 1.0 } else { -1.0 };
        let away = if far > 2 { h * (0.08 + 0.5 * t) } else { h * art.between(0.1, 0.55) };
        balloon(art, x + w * out * if r * 9.0 > w * 0.6 { 1.1 } else { 1.0 }, away + r, r, 6);
    }
    balloon(art, x, y, near, 10);
}

fn countryside(art: &mut Art) {
    let h = art.height;
    for i in 0..4 {
        let t = i as f32 / 3.0;
        let base = h * (0.78 + 0.15 * t);
        let line = art.hills(base, h * 0.03, 2);
        let colour = art.palette.depth(0.12 + 0.6 * t);
        art.fill(
            &shape::under(&line, h + 5.0),
            &Brush::down(base - h * 0.03, base + h * 0.12, &[colour.lighter(0.06), colour]).grain(0.25),
        );
        if i > 0 {
            for _ in 0..9 {
                let at = art.count(1, line.len() - 2);
                let size = h * (0.008 + 0.012 * t);
                let dx = art.between(-20.0, 20.0);
                art.flat(&shape::circle(line[at].0 + dx, line[at].1 + size * 1.4, size), colour.lighter(-0.1));
            }
        }
    }
}

fn cloud_sea(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    for i in 0..4 {
        let t = i as f32 / 3.0;
        let colour = art.palette.light.mix(art.palette.land[0], 0.5 - 0.45 * t);
        let mut puffs = vec![shape::rect(-5.0, h * (0.8 + 0.07 * t), w + 10.0, h)];
        for k in 0..9 {
            let r = w * art.between(0.07, 0.13);
            puffs.push(shape::circle((k as f32 + art.rng.uniform()) / 9.0 * w * 1.1 - 20.0, h * (0.81 + 0.07 * t), r));
        }
        let top = h * (0.74 + 0.07 * t);
        art.fill(
            &shape::together(puffs),
            &Brush::down(top, top + h * 0.14, &[colour, colour.lighter(-0.07)]).grain(0.3),
        );
    }
}

fn balloon(art: &mut Art, x: f32, y: f32, r: f32, gores: usize) {
    let colours = [art.palette.pop[0], art.palette.light, art.palette.pop[1], art.palette.land[2], art.palette.pop[2]];
    let first = art.count(0, 4);
    let second = (first + art.count(1, 3)) % 5;
    let pattern = art.count(0, 2);
    let envelope: Vec<At> = (0..=24).map(|i| (i as f32 / 24.0).powf(1.6)).map(|t| (profile(t), t)).collect();
    let height = r * 2.35;
    let row = |t: f32| y - r + height * t;
    let edge = |s: f32| -> Vec<At> { envelope.iter().map(|&(half, t)| (x + s * half * r, row(t))).collect() };
    for i in 0..gores {
        let angle = |k: usize| (-FRAC_PI_2 + PI * k as f32 / gores as f32).sin();
        let mut gore = edge(angle(i));
        gore.extend(edge(angle(i + 1)).into_iter().rev());
        let colour = match pattern {
            0 => colours[if i % 2 == 0 { first } else { second }],
            1 => colours[(first + i % 3) % 5],
            _ => colours[first],
        };
        art.flat(&shape::polygon(&gore), colour);
    }
    let mut whole = edge(-1.0);
    whole.extend(edge(1.0).into_iter().rev());
    let Some(stencil) = art.canvas.stencil(&shape::polygon(&whole)) else { return };
    if pattern == 2 {
        for (from, to) in [(0.28, 0.36), (0.4, 0.52), (0.56, 0.62)] {
            let band = shape::rect(x - r, row(from), r * 2.0, height * (to - from));
            art.canvas.fill_within(&stencil, &band, &Brush::flat(colours[second]));
        }
    }
    let lit = (x + art.side * r * 0.45, y - r * 0.4);
    let (clear, dark) = (art.palette.light, art.palette.ink);
    art.canvas.apply(&stencil, &Brush::radial(lit, r * 2.1, &[clear, dark]).grain(0.2).alpha(0.17));
    basket(art, x, row(1.0), r);
}

/// Half width of an envelope at `t` from top (0) to mouth (1).
fn profile(t: f32) -> f32 {
    if t < 0.43 {
        (1.0 - (1.0 - t / 0.43).powi(2)).max(0.0).sqrt()
    } else {
        0.16 + 0.84 * ((t - 0.43) / 0.57 * FRAC_PI_2).cos().max(0.0).powf(0.9)
    }
}

fn basket(art: &mut Art, x: f32, mouth: f32, r: f32) {
    let ink = art.palette.ink;
    let (half, top, tall) = (r * 0.13, mouth + r * 0.24, r * 0.2);
    let thin = (r * 0.012).max(0.7);
    let ropes = shape::together([
        shape::line(&[(x - r * 0.16, mouth), (x - half, top)], thin),
        shape::line(&[(x + r * 0.16, mouth), (x + half, top)], thin),
        shape::line(&[(x, mouth), (x, top)], thin),
    ]);
    art.fill(&ropes, &Brush::flat(ink).alpha(0.7));
    let wicker = art.palette.pop[1].mix(ink, 0.4);
    art.solid(&shape::rounded(x - half, top, half * 2.0, tall, r * 0.04), wicker);
    art.flat(&shape::rect(x - half * 1.08, top, half * 2.16, tall * 0.22), wicker.lighter(-0.12));
}
