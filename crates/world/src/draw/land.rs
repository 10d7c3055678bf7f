//! Wide places: lakes, seas, deserts.

use std::f32::consts::{PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::shape::{self, At};

/// Mountains that stand on their heads in a lake.
pub(crate) fn alpine_lake(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let shore = h * art.between(0.58, 0.68);
    art.sky(shore);
    let sun_x = w * art.between(0.2, 0.8);
    let light = if art.palette.is_dark() { art.palette.light } else { art.palette.light.mix(art.palette.pop[1], 0.25) };
    let (sun_y, radius) = (h * art.between(0.12, 0.3), w * art.between(0.045, 0.085));
    art.sun(sun_x, sun_y, radius, light);
    art.side = if sun_x < w / 2.0 { -1.0 } else { 1.0 };
    if art.palette.is_dark() {
        art.stars(90, shore * 0.7);
    } else if art.chance(0.6) {
        let (x, y, length) = (art.between(0.1, 0.9) * w, h * art.between(0.1, 0.3), w * art.between(0.25, 0.5));
        let colour = art.palette.light;
        art.cloud(x, y, length, colour, 0.55);
    }
    for (depth, rise) in [(0.0, 0.32), (0.22, 0.26)] {
        let (base, rough) = (shore - h * 0.02, 0.26);
        let line = art.ridge(base, h * rise, rough);
        let far = art.palette.depth(depth).mix(art.palette.sky[2], 0.35 - depth);
        art.fill(
            &shape::under_straight(&line, shore),
            &Brush::down(shore - h * rise, shore, &[far, far.mix(art.palette.sky[2], 0.45)]).grain(0.08),
        );
    }
    let peaks = if art.form == 1 { 4 } else { 3 };
    for i in 0..peaks {
        let t = (i as f32 + art.between(0.15, 0.85)) / peaks as f32;
        let tall = h * art.between(0.2, 0.36) * if art.form == 1 { 1.15 } else { 1.0 };
        let broad = tall * art.between(1.0, 1.5);
        peak(art, t * w, shore, tall, broad);
    }
    let line = art.hills(shore - h * 0.025, h * 0.012, 3);
    let wood = art.palette.depth(0.62);
    art.flat(&shape::under(&line, shore + 1.0), wood);
    for _ in 0..34 {
        let (x, tall) = (art.between(0.0, w), h * art.between(0.02, 0.05));
        art.pine(x, shore, tall, wood);
    }
    let tint = art.palette.land[1].mix(art.palette.sky[1], 0.5);
    art.canvas.reflect(shore, tint, 0.22, 3.2);
    shimmer(art, shore, sun_x, 10);
    near_shore(art);
}

fn peak(art: &mut Art, x: f32, base: f32, tall: f32, broad: f32) {
    let top = (x, base - tall);
    let (lit, dark) = (art.palette.depth(0.3), art.palette.depth(0.55));
    let spine: Vec<At> = (0..=5)
        .map(|i| {
            let t = i as f32 / 5.0;
            (x + art.between(-0.07, 0.07) * broad * t.min(1.0 - t).max(0.1) * 3.0 * t, base - tall * (1.0 - t))
        })
        .collect();
    let edge = |art: &mut Art, sign: f32| -> Vec<At> {
        (1..=6)
            .map(|i| {
                let t = i as f32 / 6.0;
                let out = broad * t.powf(0.9) * 0.62 + art.between(-0.03, 0.03) * broad;
                (x + sign * out, base - tall * (1.0 - t))
            })
            .collect()
    };
    for sign in [-1.0, 1.0] {
        let mut side = vec![top];
        side.extend(edge(art, sign));
        side.extend(spine.iter().rev().copied());
        let colour = if sign == art.side { lit } else { dark };
        let foot = colour.mix(art.palette.sky[2], 0.4);
        art.fill(&shape::polygon(&side), &Brush::down(top.1, base, &[colour, colour, foot]).grain(0.16));
    }
    snow(art, x, base, tall, broad, &spine);
}

/// Snow runs down the ridges in tongues.
fn snow(art: &mut Art, x: f32, base: f32, tall: f32, broad: f32, spine: &[At]) {
    let reach = if art.form == 1 { 0.5 } else { 0.36 };
    let white = art.palette.light.mix(art.palette.sky[2], 0.12);
    let spine_x = |t: f32| {
        let at = t * (spine.len() - 1) as f32;
        let first = (at as usize).min(spine.len() - 2);
        spine[first].0 + (spine[first + 1].0 - spine[first].0) * (at - first as f32)
    };
    for sign in [-1.0f32, 1.0] {
        let edge = |t: f32| x + sign * broad * t.powf(0.9) * 0.6;
        let mut cap = vec![(x, base - tall)];
        cap.push((edge(reach), base - tall * (1.0 - reach)));
        let tongues = 4;
        for i in 0..tongues {
            let across = (i as f32 + 0.5) / tongues as f32;
            let low = if i % 2 == 0 { 0.72 } else { 1.08 } * reach * art.between(0.85, 1.15);
            let outer = edge(low.min(reach));
            cap.push((outer + (spine_x(low) - outer) * across, base - tall * (1.0 - low)));
        }
        cap.push((spine_x(reach * 0.9), base - tall * (1.0 - reach * 0.9)));
        let colour = if sign == art.side { white } else { white.mix(art.palette.land[1], 0.42) };
        art.fill(&shape::polygon(&cap), &Brush::flat(colour).alpha(0.95));
    }
}

/// Streaks of light on water.
pub(crate) fn shimmer(art: &mut Art, shore: f32, x: f32, count: usize) {
    let (w, h, light) = (art.width, art.height, art.palette.light);
    for i in 0..count {
        let t = (i as f32 + art.rng.uniform()) / count as f32;
        let y = shore + 6.0 + t * (h - shore) * 0.8;
        let length = w * art.between(0.05, 0.22);
        let from = x + art.between(-0.5, 0.5) * w * (0.2 + 0.5 * t) - length / 2.0;
        art.fill(&shape::rounded(from, y, length, 1.2 + 1.4 * t, 1.0), &Brush::flat(light).alpha(0.28));
    }
}

/// Dark trees or a bank in front.
fn near_shore(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let dark = art.palette.land[4];
    if art.form != 2 && art.chance(0.4) {
        return;
    }
    let left = art.chance(0.5);
    let bank: Vec<At> = (0..=6)
        .map(|i| {
            let t = i as f32 / 6.0;
            let x = if left { t * w } else { (1.0 - t) * w };
            (x, h * (0.9 + 0.1 * t * t) + art.between(-4.0, 4.0))
        })
        .collect();
    let mut bank = bank;
    bank.sort_by(|a, b| a.0.total_cmp(&b.0));
    art.flat(&shape::under(&bank, h + 10.0), dark);
    let trees = if art.form == 2 { 13 } else { 5 };
    for i in 0..trees {
        let t = (i as f32 + art.rng.uniform()) / trees as f32 * if art.form == 2 { 0.9 } else { 0.45 };
        let x = if left { t * w } else { (1.0 - t) * w };
        let tall = h * art.between(0.16, 0.36) * (1.0 - 0.55 * t);
        art.pine(x, h * (0.92 + 0.08 * t), tall, dark);
    }
}

/// The sea: rolling, curling or quiet.
pub(crate) fn ocean(art: &mut Art) {
    match art.form {
        0 => rolling(art),
        1 => curling(art),
        _ => quiet(art),
    }
}

fn rolling(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.3, 0.42);
    art.sky(horizon);
    let (x, r) = (w * art.between(0.25, 0.75), w * art.between(0.1, 0.17));
    let sun = art.palette.pop[0].mix(art.palette.light, 0.15);
    let y = horizon - r * art.between(0.1, 0.9);
    art.sun(x, y, r, sun);
    let bands = art.count(7, 9);
    let phase = art.between(0.0, TAU);
    for i in 0..bands {
        let t = i as f32 / (bands - 1) as f32;
        let base = horizon + (h - horizon) * t.powf(1.35) * 0.93;
        let (length, rise) = (w * (0.16 + 0.34 * t), h * (0.006 + 0.04 * t));
        let offset = phase + i as f32 * 2.1;
        let line = swell(w, base, length, rise, offset);
        let colour = art.palette.depth(0.08 + 0.85 * t);
        let next = h * (0.08 + 0.14 * t);
        let brush = Brush::down(base - rise, base + next, &[colour.lighter(0.07), colour, colour.lighter(-0.05)]);
        art.fill(&shape::under(&line, h + 5.0), &brush.grain(0.2));
        let foam = art.palette.light;
        art.fill(&shape::stroke(&line, 1.0 + 3.0 * t), &Brush::flat(foam).alpha(0.5 + 0.45 * t));
        for echo in 1..=2 {
            let lower: Vec<At> = line.iter().map(|&(x, y)| (x, y + echo as f32 * (5.0 + 11.0 * t))).collect();
            art.fill(&shape::stroke(&lower, 0.8 + t), &Brush::flat(foam).alpha(0.3 / echo as f32));
        }
    }
    if art.chance(0.5) {
        let ink = art.palette.ink;
        let (x, y) = (w * art.between(0.2, 0.8), horizon * 0.45);
        art.birds(x, y, 4, ink);
    }
}

/// A line of waves with round troughs and sharp crests.
fn swell(w: f32, base: f32, length: f32, rise: f32, offset: f32) -> Vec<At> {
    let steps = ((w + 40.0) / length * 10.0) as usize + 2;
    (0..=steps)
        .map(|i| {
            let x = -20.0 + (w + 40.0) * i as f32 / steps as f32;
            let wave = ((x / length * PI + offset).sin()).abs();
            let slow = (x / w * 3.0 + offset * 1.7).sin() * 0.35;
            (x, base - rise * (1.0 - wave + slow))
        })
        .collect()
}

/// A great wave that curls over, in stripes.
fn curling(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let left = art.chance(0.5);
    art.sky(h * 0.75);
    let flip = |x: f32| if left { x } else { w - x };
    let (sun_x, sun_y, r) = (flip(w * 0.72), h * art.between(0.2, 0.32), w * art.between(0.09, 0.14));
    let sun = art.palette.pop[0];
    art.sun(sun_x, sun_y, r, sun);
    let back = art.hills(h * 0.72, h * 0.02, 3);
    let far = art.palette.depth(0.3);
    art.fill(&shape::under(&back, h), &Brush::down(h * 0.68, h * 0.9, &[far.lighter(0.05), far]).grain(0.2));
    let (cx, cy) = (w * art.between(0.46, 0.54), h * art.between(0.4, 0.46));
    let size = w * art.between(0.5, 0.58);
    let stripes = 9;
    for i in 0..stripes {
        let t = i as f32 / stripes as f32;
        let reach = size * (1.0 - 0.62 * t);
        let shape = crest(cx, cy + size * 0.12 * t, reach, h + 20.0, w, &flip);
        let colour = if i % 2 == 0 {
            art.palette.depth(0.95 - 0.5 * t)
        } else {
            art.palette.light.mix(art.palette.land[0], 0.2 + 0.3 * t)
        };
        art.fill(
            &shape,
            &Brush::down(cy - reach, cy + reach, &[colour.lighter(0.04), colour.lighter(-0.03)]).grain(0.15),
        );
    }
    foam_claws(art, cx, cy, size, &flip);
    let front = swell(w, h * 0.86, w * 0.3, h * 0.05, 1.3);
    let near = art.palette.depth(0.85);
    art.fill(&shape::under(&front, h + 5.0), &Brush::down(h * 0.82, h, &[near.lighter(0.06), near]).grain(0.2));
    let foam = art.palette.light;
    art.flat(&shape::stroke(&front, 4.0), foam);
}

/// The outline of the wave at one reach: up the back, over the top and into the hollow.
fn crest(cx: f32, cy: f32, reach: f32, bottom: f32, w: f32, flip: &impl Fn(f32) -> f32) -> shape::Shape {
    let mut points: Vec<At> = vec![(-w * 0.3, bottom)];
    points.push((-w * 0.3, cy + reach * 0.5));
    points.extend(shape::around(cx - reach * 0.35, cy, reach * 0.72, reach * 0.72, PI * 1.15, PI * 1.97, 22));
    points.push((cx + reach * 0.5, cy + reach * 0.12));
    points.push((cx + reach * 0.34, cy + reach * 0.02));
    points.extend(shape::around(
        cx - reach * 0.02,
        cy + reach * 0.32,
        reach * 0.4,
        reach * 0.4,
        -PI * 0.38,
        -PI * 1.25,
        18,
    ));
    points.push((cx + reach * 0.1, cy + reach * 1.05));
    points.push((cx + reach * 0.9, bottom));
    let points: Vec<At> = points.into_iter().map(|(x, y)| (flip(x), y)).collect();
    shape::polygon(&points)
}

fn foam_claws(art: &mut Art, cx: f32, cy: f32, size: f32, flip: &impl Fn(f32) -> f32) {
    let foam = art.palette.light;
    let lip = shape::around(cx - size * 0.35, cy, size * 0.72, size * 0.72, PI * 1.45, PI * 1.99, 14);
    let mut parts = Vec::new();
    for (i, &(x, y)) in lip.iter().enumerate() {
        let t = i as f32 / 14.0;
        parts.push(shape::circle(flip(x), y + size * 0.01, size * (0.02 + 0.035 * t) * art.between(0.8, 1.2)));
        if t > 0.5 {
            let drop = size * art.between(0.05, 0.13);
            parts.push(shape::circle(
                flip(x + art.between(-0.03, 0.06) * size),
                y + drop,
                size * art.between(0.012, 0.026),
            ));
        }
    }
    art.flat(&shape::together(parts), foam);
}

/// Level water under a big sun, with its path of light.
fn quiet(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.48, 0.6);
    art.sky(horizon);
    let (x, r) = (w * art.between(0.35, 0.65), w * art.between(0.13, 0.2));
    let sun = art.palette.pop[0].mix(art.palette.pop[1], 0.35);
    let y = horizon - r * art.between(-0.2, 0.7);
    art.sun(x, y, r, sun);
    let (far, near) = (art.palette.depth(0.2), art.palette.depth(0.85));
    let water = shape::rect(0.0, horizon, w, h - horizon);
    art.fill(&water, &Brush::down(horizon, h, &[far, art.palette.depth(0.5), near]).grain(0.06));
    let rows = 26;
    for i in 0..rows {
        let t = i as f32 / rows as f32;
        let y = horizon + 3.0 + (h - horizon) * t.powf(1.5);
        let spread = r * (0.9 + 0.5 * t);
        for _ in 0..2 {
            let length = spread * art.between(0.3, 1.3) * (1.0 - 0.35 * t);
            let from = x - length / 2.0 + art.between(-0.5, 0.5) * spread;
            let bar = shape::rounded(from, y, length, 1.5 + 4.5 * t, 3.0);
            art.fill(&bar, &Brush::flat(sun.mix(art.palette.light, 0.4)).alpha(0.85 - 0.4 * t));
        }
        let side = art.between(0.0, w);
        let ripple = shape::rounded(side, y, w * art.between(0.05, 0.16), 1.0 + 1.5 * t, 2.0);
        art.fill(&ripple, &Brush::flat(art.palette.light).alpha(0.16));
    }
    boat(art, horizon);
    if art.chance(0.5) {
        let line = art.hills(horizon, h * 0.02, 2);
        let colour = art.palette.depth(0.35);
        let part: Vec<At> = line.into_iter().filter(|&(px, _)| px < w * 0.45).collect();
        art.fill(&shape::under(&part, horizon), &Brush::flat(colour).alpha(0.8));
    }
}

fn boat(art: &mut Art, horizon: f32) {
    let (w, h) = (art.width, art.height);
    let (x, y) = (w * art.between(0.14, 0.86), horizon + (h - horizon) * art.between(0.1, 0.4));
    let size = w * art.between(0.06, 0.11) * (0.6 + (y - horizon) / (h - horizon));
    let (hull, sail) = (art.palette.ink, art.palette.light);
    art.flat(
        &shape::polygon(&[
            (x - size * 0.6, y),
            (x + size * 0.65, y),
            (x + size * 0.42, y + size * 0.2),
            (x - size * 0.42, y + size * 0.2),
        ]),
        hull,
    );
    let mast = y - size * 1.7;
    let shade = sail.mix(art.palette.land[1], 0.25);
    art.flat(&shape::polygon(&[(x, mast), (x + size * 0.62, y - size * 0.12), (x, y - size * 0.12)]), sail);
    art.flat(
        &shape::polygon(&[
            (x - size * 0.06, mast + size * 0.3),
            (x - size * 0.5, y - size * 0.12),
            (x - size * 0.06, y - size * 0.12),
        ]),
        shade,
    );
    let echo = shape::rounded(x - size * 0.5, y + size * 0.26, size, 2.0, 1.0);
    art.fill(&echo, &Brush::flat(hull).alpha(0.35));
}

/// Sand, shaped by wind; with cacti; or tables of rock.
pub(crate) fn desert(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.42, 0.55);
    art.sky(horizon * 1.1);
    let (x, y, r) = (w * art.between(0.2, 0.8), horizon * art.between(0.35, 0.75), w * art.between(0.07, 0.15));
    art.side = if x < w / 2.0 { -1.0 } else { 1.0 };
    let sun = art.palette.pop[0].mix(art.palette.light, if art.palette.is_dark() { 0.1 } else { 0.3 });
    art.sun(x, y, r, sun);
    let far = art.ridge(horizon + 4.0, h * 0.07, 0.2);
    let haze = art.palette.depth(0.12).mix(art.palette.sky[2], 0.4);
    art.fill(
        &shape::under_straight(&far, h),
        &Brush::down(horizon - h * 0.08, horizon, &[haze, haze.mix(art.palette.sky[2], 0.4)]),
    );
    if art.form == 2 {
        mesas(art, horizon);
    }
    let dunes = if art.form == 0 { 5 } else { 3 };
    for i in 0..dunes {
        let t = (i as f32 + 0.4) / dunes as f32;
        dune(art, horizon + (h - horizon) * t.powf(1.25) * 0.9, t);
    }
    if art.form == 1 {
        for i in 0..art.count(4, 6) {
            let t = art.between(0.05, 1.0).max(if i == 0 { 0.85 } else { 0.0 });
            let (x, foot) = (w * art.between(0.08, 0.92), horizon + (h - horizon) * (0.15 + 0.72 * t));
            saguaro(art, x, foot, h * (0.07 + 0.26 * t), 0.5 + 0.5 * t);
        }
    }
}

/// One dune: a long crest that parts a lit slope from a shaded one.
fn dune(art: &mut Art, base: f32, t: f32) {
    let (w, h) = (art.width, art.height);
    let rise = h * (0.05 + 0.09 * t);
    let top = w * art.between(0.2, 0.8);
    let crest: Vec<At> = (0..=12)
        .map(|i| {
            let x = -30.0 + (w + 60.0) * i as f32 / 12.0;
            let gap = (x - top) / (w * 0.42);
            (x, base - rise * (-gap * gap).exp() + (x * 0.011 + t * 9.0).sin() * h * 0.012)
        })
        .collect();
    let body = shape::under(&crest, h + 10.0);
    let lit = art.palette.depth(0.05 + 0.4 * t);
    let colours = [lit.lighter(0.05), lit, lit.lighter(-0.06)];
    art.fill(&body, &Brush::down(base - rise, base + h * 0.25, &colours).grain(0.25));
    // The shaded side: from the crest down in an S to the foot.
    let away = -art.side;
    let mut slope: Vec<At> = crest.iter().copied().filter(|&(x, _)| (x - top) * away >= -w * 0.02).collect();
    if away < 0.0 {
        slope.reverse();
    }
    let Some(&peak) = slope.first() else { return };
    let fall: Vec<At> = (0..=8)
        .map(|i| {
            let s = i as f32 / 8.0;
            let bend = (s * PI).sin() * w * 0.11 + s * w * art.side.signum() * away * 0.08;
            (peak.0 + away * (bend + s * w * 0.3), peak.1 + s * h * (0.2 + 0.12 * t))
        })
        .collect();
    let shade = shape::smooth(&slope.iter().rev().copied().chain(fall.iter().copied()).collect::<Vec<_>>());
    let dark = art.palette.depth(0.3 + 0.5 * t);
    let Some(stencil) = art.canvas.stencil(&body) else { return };
    let brush =
        Brush::linear(peak, (peak.0 + away * w * 0.4, peak.1 + h * 0.22), &[dark, dark.mix(lit, 0.75)]).grain(0.3);
    art.canvas.fill_within(&stencil, &shade, &brush.alpha(0.9));
    if t > 0.5 {
        ripples(art, base, rise, t);
    }
}

fn ripples(art: &mut Art, base: f32, rise: f32, t: f32) {
    let (w, h) = (art.width, art.height);
    let ink = art.palette.depth(0.75);
    for i in 0..7 {
        let y = base + rise * 0.4 + i as f32 * h * 0.022;
        let from = art.between(-0.1, 0.5) * w;
        let points: Vec<At> = (0..=8)
            .map(|k| (from + k as f32 * w * 0.07, y + (k as f32 * 1.3 + i as f32).sin() * 3.0 + k as f32))
            .collect();
        art.fill(&shape::stroke(&points, 1.1), &Brush::flat(ink).alpha(0.16 + 0.1 * t));
    }
}

fn mesas(art: &mut Art, horizon: f32) {
    let (w, h) = (art.width, art.height);
    for i in 0..3 {
        let (x, tall) = (w * (0.15 + 0.33 * i as f32 + art.between(-0.08, 0.08)), h * art.between(0.12, 0.26));
        let (top, foot) = (tall * art.between(0.3, 0.8), tall * art.between(0.9, 1.3));
        let base = horizon + h * 0.03;
        let rock = art.palette.depth(0.35 + 0.1 * i as f32);
        let table = shape::polygon(&[
            (x - top / 2.0, base - tall),
            (x + top / 2.0, base - tall + tall * 0.02),
            (x + top * 0.56, base - tall * 0.45),
            (x + foot * 0.62, base),
            (x - foot * 0.62, base),
            (x - top * 0.56, base - tall * 0.42),
        ]);
        art.solid(&table, rock);
        let Some(stencil) = art.canvas.stencil(&table) else { continue };
        for band in 0..4 {
            let y = base - tall * (0.92 - 0.16 * band as f32);
            let layer = shape::rect(x - foot, y, foot * 2.0, tall * art.between(0.02, 0.06));
            art.canvas.fill_within(&stencil, &layer, &Brush::flat(rock.lighter(-0.08)).alpha(0.55));
        }
    }
}

fn saguaro(art: &mut Art, x: f32, foot: f32, tall: f32, near: f32) {
    let colour = art.palette.pop[2].mix(art.palette.ink, 0.25 + 0.5 * near);
    let thick = tall * 0.13;
    let mut parts = vec![shape::rounded(x - thick / 2.0, foot - tall, thick, tall, thick / 2.0)];
    for sign in [-1.0, 1.0] {
        if art.chance(0.8) {
            let (joint, out, up) =
                (foot - tall * art.between(0.4, 0.6), tall * art.between(0.17, 0.24), tall * art.between(0.15, 0.34));
            let arm = [
                (x, joint),
                (x + sign * out * 0.8, joint - thick * 0.1),
                (x + sign * out, joint - thick),
                (x + sign * out, joint - up),
            ];
            parts.push(shape::stroke(&arm, thick * 0.72));
        }
    }
    let plant = shape::together(parts);
    let long = shape::polygon(&[
        (x - thick / 2.0, foot),
        (x + thick / 2.0, foot),
        (x + thick / 2.0 - art.side * tall * 0.9, foot + tall * 0.18),
        (x - thick / 2.0 - art.side * tall * 0.9, foot + tall * 0.18),
    ]);
    art.fill(&long, &Brush::flat(art.palette.ink).alpha(0.22));
    art.solid(&plant, colour);
}
