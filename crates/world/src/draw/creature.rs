//! Koi and songbirds.

use std::f32::consts::{PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::flowers::flower;
use super::shape::{self, At};

/// A pond from above.
pub(crate) fn koi(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let (shallow, deep) = if art.palette.is_dark() {
        (art.palette.sky[2], art.palette.sky[0])
    } else {
        (art.palette.land[1], art.palette.land[3])
    };
    let middle = (w * art.between(0.2, 0.8), h * art.between(0.1, 0.5));
    art.canvas.flood(&Brush::radial(middle, h * 0.95, &[shallow, shallow.mix(deep, 0.5), deep]).grain(0.08));
    for _ in 0..art.count(3, 6) {
        let (x, y) = (art.between(0.0, w), art.between(0.0, h));
        rings(art, x, y);
    }
    pebbles(art, deep);
    match art.form {
        2 => {
            let (x, y, r) = (w * 0.5, h * art.between(0.46, 0.54), w.min(h * 0.8) * 0.27);
            let turn = art.between(0.0, TAU);
            rings(art, x, y);
            for (k, coat) in [(0.0, 0), (PI, 2)] {
                let path = shape::around(x, y, r, r, turn + k, turn + k + 2.35, 12);
                fish(art, &path, w * 0.115, coat);
            }
        }
        _ => {
            let count = if art.form == 0 { art.count(3, 5) } else { art.count(2, 3) };
            for i in 0..count {
                let (x, y) = (w * art.between(0.24, 0.76), h * (i as f32 + 0.5) / count as f32);
                let (angle, bend) = (art.between(0.0, TAU), art.between(-1.0, 1.0));
                let length = w * art.between(0.4, 0.52);
                let path: Vec<At> = swim((x, y), angle, bend, length);
                let coat = art.count(0, 4);
                fish(art, &path, length * 0.2, coat);
            }
        }
    }
    let pads = [3, 8, 4][art.form];
    for _ in 0..pads {
        let edge = art.between(0.0, TAU);
        let reach = art.between(0.72, 1.05);
        let (x, y, r) =
            (w * (0.5 + 0.5 * edge.cos() * reach), h * (0.5 + 0.5 * edge.sin() * reach), w * art.between(0.08, 0.16));
        lily(art, x, y, r);
    }
}

fn swim(centre: At, angle: f32, bend: f32, length: f32) -> Vec<At> {
    let mut points = Vec::new();
    let mut at = (centre.0 - angle.cos() * length / 2.0, centre.1 - angle.sin() * length / 2.0);
    for i in 0..=12 {
        points.push(at);
        let heading = angle + bend * (i as f32 / 12.0 - 0.5) * 1.6;
        at = (at.0 + heading.cos() * length / 12.0, at.1 + heading.sin() * length / 12.0);
    }
    points
}

fn rings(art: &mut Art, x: f32, y: f32) {
    let light = art.palette.light;
    let first = art.between(10.0, 26.0);
    for i in 0..3 {
        let r = first + i as f32 * art.between(12.0, 18.0);
        art.fill(&shape::ring(x, y, r, 1.6), &Brush::flat(light).alpha(0.28 - 0.07 * i as f32));
    }
}

fn pebbles(art: &mut Art, deep: Colour) {
    for _ in 0..14 {
        let (x, y, r) = (art.between(0.0, art.width), art.between(0.0, art.height), art.between(8.0, 26.0));
        let stone = shape::blob(&mut art.rng, x, y, r, r * 0.8, 0.15);
        art.fill(&stone, &Brush::flat(deep.lighter(-0.05)).alpha(0.22));
    }
}

/// A koi along a path from tail to head. Coats: white-red, gold, white-black-red, black-gold, white.
fn fish(art: &mut Art, path: &[At], width: f32, coat: usize) {
    let steps = path.len() - 1;
    let normal = |i: usize| {
        let (a, b) = (path[i.saturating_sub(1)], path[(i + 1).min(steps)]);
        let length = (b.0 - a.0).hypot(b.1 - a.1).max(0.01);
        (-(b.1 - a.1) / length, (b.0 - a.0) / length)
    };
    let half = |t: f32| width * 0.5 * girth(t);
    let side = |sign: f32| -> Vec<At> {
        (0..=steps)
            .map(|i| (path[i], normal(i), half(i as f32 / steps as f32)))
            .map(|(at, n, r)| (at.0 + sign * n.0 * r, at.1 + sign * n.1 * r))
            .collect()
    };
    let mut outline = side(1.0);
    outline.extend(side(-1.0).into_iter().rev());
    let body = shape::smooth(&outline);
    let p = art.palette.clone();
    let pearl = p.light.lighter(-0.01);
    let orange = Colour::hex(0xE8622C).mix(p.pop[0], 0.35);
    let gold = Colour::hex(0xEBA637).mix(p.pop[1], 0.35);
    let black = p.ink.lighter(0.02);
    let (skin, patch, second) = [
        (pearl, orange, orange),
        (gold, orange, gold),
        (pearl, orange, black),
        (black, gold, gold),
        (pearl, pearl, black),
    ][coat % 5];
    let fin = skin.mix(pearl, 0.35);
    fins(art, path, width, fin, &normal);
    art.canvas.shadow(&body, 6.0, 12.0, 12.0, &Brush::flat(p.ink).alpha(0.4));
    art.solid(&body, skin);
    let Some(stencil) = art.canvas.stencil(&body) else { return };
    for k in 0..4 {
        let i = [3, 6, 9, 11][k].min(steps);
        let (dx, dy) = (art.between(-0.3, 0.3) * width, art.between(-0.3, 0.3) * width);
        let r = width * art.between(0.22, 0.42);
        let spot = shape::blob(&mut art.rng, path[i].0 + dx, path[i].1 + dy, r, r * 0.85, 0.3);
        art.canvas.fill_within(&stencil, &spot, &Brush::flat(if k % 2 == 0 { patch } else { second }).alpha(0.92));
    }
    let spine: Vec<At> = path[2..steps].to_vec();
    art.canvas.fill_within(&stencil, &shape::stroke(&spine, width * 0.035), &Brush::flat(black).alpha(0.16));
    let shine: Vec<At> =
        (3..steps).map(|i| (path[i].0 + normal(i).0 * width * 0.16, path[i].1 + normal(i).1 * width * 0.16)).collect();
    art.canvas.fill_within(&stencil, &shape::stroke(&shine, width * 0.06), &Brush::flat(pearl).alpha(0.35));
    for sign in [-1.0, 1.0] {
        let i = steps - 1;
        let eye = (path[i].0 + sign * normal(i).0 * width * 0.24, path[i].1 + sign * normal(i).1 * width * 0.24);
        art.flat(&shape::circle(eye.0, eye.1, width * 0.05), black);
    }
}

/// How thick a koi is from tail (0) to nose (1).
fn girth(t: f32) -> f32 {
    const TABLE: [f32; 11] = [0.16, 0.2, 0.34, 0.55, 0.76, 0.92, 1.02, 1.04, 0.94, 0.78, 0.42];
    let at = t.clamp(0.0, 1.0) * 10.0;
    let first = (at as usize).min(9);
    TABLE[first] + (TABLE[first + 1] - TABLE[first]) * (at - first as f32)
}

fn fins(art: &mut Art, path: &[At], width: f32, colour: Colour, normal: &impl Fn(usize) -> At) {
    let steps = path.len() - 1;
    let back = |i: usize| {
        let n = normal(i);
        (-n.1, n.0)
    };
    let clear = Brush::flat(colour).alpha(0.72);
    let tail = path[0];
    let (n, b) = (normal(0), back(0));
    // `back` points against the way of swimming once its sign is turned.
    let b = if (path[1].0 - tail.0) * b.0 + (path[1].1 - tail.1) * b.1 > 0.0 { (-b.0, -b.1) } else { b };
    for sign in [-1.0, 1.0] {
        let tip = (
            tail.0 + b.0 * width * 1.05 + sign * n.0 * width * 0.55,
            tail.1 + b.1 * width * 1.05 + sign * n.1 * width * 0.55,
        );
        let lobe = shape::leaf((path[1].0, path[1].1), tip, width * 0.36, sign * 0.16);
        art.fill(&lobe, &clear);
        let ray = shape::line(&[tail, tip], 1.0);
        art.fill(&ray, &Brush::flat(art.palette.ink).alpha(0.15));
    }
    for (i, reach) in [(steps * 3 / 4, 0.85), (steps / 3, 0.5)] {
        let n = normal(i);
        for sign in [-1.0, 1.0] {
            let root = (path[i].0 + sign * n.0 * width * 0.3, path[i].1 + sign * n.1 * width * 0.3);
            let tip = (
                root.0 + sign * n.0 * width * reach * 0.7 + b.0 * width * reach * 0.6,
                root.1 + sign * n.1 * width * reach * 0.7 + b.1 * width * reach * 0.6,
            );
            art.fill(&shape::leaf(root, tip, width * reach * 0.26, sign * -0.15), &clear);
        }
    }
}

fn lily(art: &mut Art, x: f32, y: f32, r: f32) {
    let green = Colour::hex(0x6E9A62).mix(art.palette.land[2], 0.45).lighter(art.between(-0.06, 0.06));
    let cut = art.between(0.0, TAU);
    let pad = shape::wedge(x, y, r, cut + 0.22, cut + TAU - 0.12);
    art.canvas.shadow(&pad, 5.0, 9.0, 10.0, &Brush::flat(art.palette.ink).alpha(0.4));
    art.fill(&pad, &Brush::radial((x, y), r, &[green.lighter(0.08), green, green.lighter(-0.06)]).grain(0.2));
    let veins = (1..9)
        .map(|i| cut + i as f32 / 9.0 * TAU)
        .map(|a| shape::line(&[(x, y), (x + a.cos() * r * 0.86, y + a.sin() * r * 0.86)], 1.1));
    let veins = shape::together(veins);
    art.fill(&veins, &Brush::flat(green.lighter(0.14)).alpha(0.6));
    if art.chance(0.4) {
        let (bloom, heart) = (art.palette.light.mix(art.palette.pop[0], art.rng.uniform() * 0.5), art.palette.pop[1]);
        let at = (x + art.between(-0.3, 0.3) * r, y + art.between(-0.3, 0.3) * r);
        for (share, width) in [(0.62, 0.2), (0.42, 0.16)] {
            for i in 0..8 {
                let angle = i as f32 / 8.0 * TAU + share * 3.0;
                let tip = (at.0 + angle.cos() * r * share, at.1 + angle.sin() * r * share);
                art.flat(
                    &shape::leaf(at, tip, r * width * 0.7, 0.0),
                    bloom.lighter(if share < 0.5 { 0.03 } else { -0.04 }),
                );
            }
        }
        art.solid(&shape::circle(at.0, at.1, r * 0.12), heart);
    }
}

/// Birds: on a branch, a pair, a swallow among blossoms.
pub(crate) fn songbird(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let low = if art.palette.is_dark() { art.palette.sky[1] } else { art.palette.paper };
    let ground = [art.palette.sky[1], art.palette.sky[0], art.palette.land[0]][art.count(0, 2)];
    art.canvas.flood(&Brush::down(0.0, h, &[ground, ground.mix(low, 0.7)]).grain(0.15));
    if art.chance(0.6) {
        let (x, y, r) = (w * art.between(0.3, 0.7), h * art.between(0.3, 0.48), w * art.between(0.24, 0.34));
        let disc = art.palette.light.mix(art.palette.pop[1], art.rng.uniform() * 0.5);
        art.fill(&shape::circle(x, y, r), &Brush::down(y - r, y + r, &[disc, disc.mix(ground, 0.5)]).grain(0.3));
    }
    let rise = art.between(-0.12, 0.12);
    let perch = h * art.between(0.62, 0.7);
    match art.form {
        0 => {
            branch(art, perch, rise, 1.0);
            let (x, size) = (w * art.between(0.42, 0.58), w.min(h * 0.8) * art.between(0.27, 0.33));
            bird(art, x, perch + (x - w / 2.0) * rise, size, art.side);
        }
        1 => {
            branch(art, perch, rise, 1.0);
            let size = w.min(h * 0.8) * art.between(0.21, 0.25);
            for (x, look) in [(w * 0.3, 1.0), (w * 0.7, -1.0)] {
                bird(art, x, perch + (x - w / 2.0) * rise, size, look);
            }
        }
        _ => {
            branch(art, h * 0.2, 0.22, 0.9);
            branch(art, h * 0.88, -0.15, 0.7);
            let size = w.min(h * 0.8) * art.between(0.32, 0.38);
            let (x, y) = (w * art.between(0.46, 0.54), h * art.between(0.46, 0.56));
            swallow(art, x, y, size);
        }
    }
}

fn branch(art: &mut Art, y: f32, rise: f32, rich: f32) {
    let w = art.width;
    let wood = Colour::hex(0x6B4A35).mix(art.palette.land[4], 0.4);
    let from = if art.chance(0.5) { -1.0 } else { 1.0 };
    let main: Vec<At> = (0..=10)
        .map(|i| i as f32 / 10.0)
        .map(|t| (w * 0.5 + from * w * (0.6 - 1.12 * t * rich), t))
        .map(|(x, t)| (x, y + (x - w / 2.0) * rise + (t * 8.0).sin() * 5.0))
        .collect();
    for (i, pair) in main.windows(2).enumerate() {
        art.flat(&shape::line(pair, 9.5 - 0.6 * i as f32), wood.lighter(if i % 2 == 0 { 0.0 } else { 0.015 }));
    }
    let leafy = art.chance(0.45) && art.form != 2;
    let green = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.4);
    for (i, &at) in main.iter().enumerate() {
        for _ in 0..2 {
            let up = if art.chance(0.8) { -1.0 } else { 1.0 };
            let angle = up * art.between(0.35, 1.15);
            let length = w * art.between(0.07, 0.17) * (0.6 + 0.5 * i as f32 / 10.0);
            let tip = (at.0 - from * angle.cos().abs() * length * 0.7, at.1 + angle.sin() * length);
            art.flat(&shape::stroke(&[at, ((at.0 + tip.0) / 2.0, (at.1 + tip.1) / 2.0 - up * 3.0), tip], 2.4), wood);
            for k in 0..3 {
                let t = 0.45 + 0.27 * k as f32;
                let spot = (at.0 + (tip.0 - at.0) * t, at.1 + (tip.1 - at.1) * t);
                if leafy {
                    let turn = art.between(0.0, TAU);
                    let end = (spot.0 + turn.cos() * w * 0.07, spot.1 + turn.sin() * w * 0.07);
                    let tone = green.lighter(art.between(-0.06, 0.1));
                    art.fill(
                        &shape::leaf(spot, end, w * 0.022, 0.08),
                        &Brush::linear(spot, end, &[tone.lighter(-0.05), tone.lighter(0.05)]),
                    );
                } else {
                    let size = art.between(0.018, 0.034);
                    blossom(art, spot, w * size);
                }
            }
        }
    }
}

fn blossom(art: &mut Art, at: At, r: f32) {
    let petal = art.palette.light.mix(art.palette.pop[0], art.between(0.1, 0.45));
    let heart = art.palette.pop[0].lighter(-0.08);
    let turn = art.between(0.0, TAU);
    for i in 0..5 {
        let angle = turn + i as f32 / 5.0 * TAU;
        art.flat(
            &shape::circle(at.0 + angle.cos() * r * 0.62, at.1 + angle.sin() * r * 0.62, r * 0.52),
            petal.lighter(if i % 2 == 0 { 0.01 } else { -0.02 }),
        );
    }
    art.flat(&shape::circle(at.0, at.1, r * 0.26), heart);
}

/// A bird whose feet stand at (x, y), looking left (−1) or right (1).
fn bird(art: &mut Art, x: f32, y: f32, size: f32, look: f32) {
    let p = art.palette.clone();
    let coats = [
        (p.land[3], p.pop[0], p.paper),
        (p.pop[2], p.pop[1], p.paper),
        (p.pop[0], p.paper, p.land[3]),
        (p.land[4], p.pop[1], p.paper),
        (p.land[2], p.pop[0], p.light),
    ];
    let (back, breast, belly) = art.pick(&coats);
    let at = |dx: f32, dy: f32| (x + look * dx * size, y + dy * size);
    let legs = Colour::hex(0x4A3428);
    for dx in [-0.06, 0.1] {
        art.flat(&shape::line(&[at(dx, -0.2), at(dx + 0.02, 0.0)], size * 0.028), legs);
    }
    let tail =
        shape::polygon(&[at(-0.42, -0.42), at(-1.12, -0.02), at(-1.2, -0.12), at(-1.02, -0.2), at(-0.46, -0.62)]);
    art.solid(&tail, back.lighter(-0.06));
    let body = shape::smooth(&[
        at(0.64, -1.0),
        at(0.46, -1.18),
        at(0.2, -1.14),
        at(-0.02, -0.92),
        at(-0.32, -0.68),
        at(-0.56, -0.44),
        at(-0.36, -0.2),
        at(0.0, -0.1),
        at(0.34, -0.2),
        at(0.54, -0.48),
        at(0.58, -0.76),
    ]);
    art.shadow(&body, 8.0, 10.0, 0.2);
    art.solid(&body, back);
    let Some(stencil) = art.canvas.stencil(&body) else { return };
    let front =
        shape::smooth(&[at(0.74, -0.92), at(0.36, -0.82), at(0.22, -0.56), at(0.1, -0.2), at(0.4, 0.0), at(0.8, -0.4)]);
    art.canvas.fill_within(
        &stencil,
        &front,
        &Brush::linear(at(0.5, -0.95), at(0.1, -0.1), &[breast, breast, belly]).grain(0.3),
    );
    let under = shape::ellipse(at(-0.05, -0.08).0, y - size * 0.06, size * 0.5, size * 0.16);
    art.canvas.fill_within(&stencil, &under, &Brush::flat(belly).alpha(0.85));
    if art.chance(0.6) {
        let cap = shape::ellipse(at(0.4, -1.2).0, y - size * 1.16, size * 0.3, size * 0.15);
        art.canvas.fill_within(&stencil, &cap, &Brush::flat(back.lighter(-0.15)));
    }
    wing(art, &at, size, back, belly);
    let beak = if art.chance(0.5) { p.pop[1] } else { Colour::hex(0x4A3428) };
    art.flat(&shape::polygon(&[at(0.6, -1.03), at(0.86, -0.94), at(0.6, -0.9)]), beak);
    let eye = at(0.44, -0.98);
    art.flat(&shape::circle(eye.0, eye.1, size * 0.062), Colour::hex(0x1E1A18));
    art.flat(&shape::circle(eye.0 + size * 0.02, eye.1 - size * 0.02, size * 0.02), p.light);
}

fn wing(art: &mut Art, at: &impl Fn(f32, f32) -> At, size: f32, back: Colour, belly: Colour) {
    let dark = back.lighter(-0.1);
    for i in 0..4 {
        let t = i as f32 / 3.0;
        let (from, to) = (at(0.1 - 0.1 * t, -0.72 + 0.06 * t), at(-0.86 + 0.3 * t, -0.18 - 0.12 * t));
        let feather = shape::leaf(from, to, size * 0.16, 0.0);
        art.solid(&feather, dark.lighter(0.035 * i as f32));
    }
    let shoulder = shape::smooth(&[
        at(0.2, -0.74),
        at(0.0, -0.82),
        at(-0.26, -0.6),
        at(-0.3, -0.42),
        at(-0.02, -0.42),
        at(0.18, -0.54),
    ]);
    art.solid(&shoulder, back.lighter(0.05));
    for i in 0..2 {
        let bar = [
            at(-0.3 + 0.1 * i as f32, -0.36 - 0.1 * i as f32),
            at(-0.12 + 0.12 * i as f32, -0.36 - 0.06 * i as f32),
            at(0.04 + 0.1 * i as f32, -0.42 - 0.06 * i as f32),
        ];
        art.fill(&shape::stroke(&bar, size * 0.025), &Brush::flat(belly).alpha(0.8));
    }
}

fn swallow(art: &mut Art, x: f32, y: f32, size: f32) {
    let p = art.palette.clone();
    let (back, belly, throat) = (p.land[4], p.paper, p.pop[0]);
    let tilt = art.between(-0.35, 0.2) * art.side;
    let look = -art.side;
    let at = |dx: f32, dy: f32| shape::turned_point((x + look * dx * size, y + dy * size), (x, y), tilt);
    for (dy, tip) in [(-0.02, (-1.25, 0.16)), (0.03, (-1.18, 0.4))] {
        let fork = shape::polygon(&[at(-0.4, dy - 0.05), at(tip.0, tip.1), at(-0.45, dy + 0.07)]);
        art.solid(&fork, back);
    }
    let far = shape::smooth(&[at(0.22, -0.06), at(0.3, -0.6), at(-0.1, -1.05), at(0.02, -0.55), at(-0.16, -0.04)]);
    art.solid(&far, back.lighter(0.07));
    let body = shape::smooth(&[
        at(0.62, -0.04),
        at(0.5, -0.14),
        at(0.2, -0.15),
        at(-0.5, -0.03),
        at(-0.5, 0.06),
        at(0.0, 0.18),
        at(0.42, 0.12),
    ]);
    art.shadow(&body, 14.0, 16.0, 0.18);
    art.solid(&body, back);
    if let Some(stencil) = art.canvas.stencil(&body) {
        let under = shape::smooth(&[at(0.46, 0.04), at(0.1, 0.03), at(-0.5, 0.03), at(-0.3, 0.3), at(0.4, 0.3)]);
        art.canvas.fill_within(&stencil, &under, &Brush::flat(belly));
        let c = at(0.5, 0.04);
        art.canvas.fill_within(&stencil, &shape::circle(c.0, c.1, size * 0.11), &Brush::flat(throat));
    }
    let near = shape::smooth(&[
        at(0.3, 0.0),
        at(0.16, -0.14),
        at(-0.2, -0.42),
        at(-0.72, -0.62),
        at(-0.42, -0.28),
        at(-0.2, 0.03),
    ]);
    art.shadow(&near, 4.0, 8.0, 0.25);
    art.solid(&near, back.lighter(-0.03));
    for i in 0..4 {
        let t = i as f32 / 4.0;
        let line = [at(0.1 - 0.22 * t, -0.06 - 0.05 * t), at(-0.2 - 0.25 * t, -0.2 - 0.18 * t)];
        art.fill(&shape::line(&line, 1.4), &Brush::flat(p.light).alpha(0.25));
    }
    art.flat(&shape::polygon(&[at(0.6, -0.06), at(0.74, 0.0), at(0.6, 0.02)]), p.ink);
    let eye = at(0.5, -0.05);
    art.flat(&shape::circle(eye.0, eye.1, size * 0.024), p.light);
    let falling = art.count(3, 6);
    for _ in 0..falling {
        let (px, py) = (art.between(0.1, 0.9) * art.width, art.between(0.3, 0.85) * art.height);
        let (bloom, heart) = (p.light.mix(p.pop[0], 0.3), p.pop[0]);
        if art.chance(0.5) {
            let end = (px + 7.0, py + 5.0);
            art.flat(&shape::leaf((px, py), end, 4.0, 0.1), bloom);
        } else {
            flower(art, px, py, 6.0, 1, bloom, heart);
        }
    }
}
