//! Reading corners.

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::lamps::{books, brass, glow, rug};
use super::pots::potted;
use super::shape::{self, At};

/// A place to read: by the window, under a lamp, on a sofa.
pub(crate) fn corner(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = match art.count(0, 2) {
        0 => art.palette.wall(),
        1 => art.palette.land[0],
        _ => art.palette.land[1].mix(art.palette.paper, 0.3),
    };
    art.wall(wall);
    let ground = h * art.between(0.76, 0.82);
    let low = h * 0.16;
    if art.chance(0.4) {
        let panel = wall.lighter(-0.05);
        art.fill(&shape::rect(0.0, ground - low, w, low), &Brush::flat(panel));
        art.flat(&shape::rect(0.0, ground - low, w, 3.0), wall.lighter(0.05));
    }
    boards(art, ground, wall);
    let flip = art.chance(0.5);
    let fx = |x: f32| if flip { w - x } else { x };
    rug(art, w * 0.5, ground + (h - ground) * 0.48, w * 0.44);
    let cloth = art.pick(&[0usize, 1, 2, 3]);
    let cloth = [art.palette.pop[0], art.palette.pop[2], art.palette.land[3], art.palette.pop[1]][cloth];
    let foot = ground + (h - ground) * 0.4;
    match art.form {
        0 => {
            window(art, fx(w * 0.68) - w * 0.21, h * 0.1, w * 0.42, (ground - h * 0.24).min(w * 0.72));
            let size = art.between(0.44, 0.5);
            armchair(art, fx(w * 0.62), foot, w * size, cloth);
            potted(art, fx(w * 0.16), foot + h * 0.01, w * 0.2);
        }
        1 => {
            let count = art.count(1, 2);
            for i in 0..count {
                let (px, py) = (fx(w * (0.72 - 0.3 * i as f32)) - w * 0.11, h * art.between(0.1, 0.15));
                print(art, px, py, w * 0.22, w * 0.3);
            }
            floor_lamp(art, fx(w * 0.17), foot, h * 0.56);
            let size = art.between(0.46, 0.52);
            armchair(art, fx(w * 0.56), foot, w * size, cloth);
            side_table(art, fx(w * 0.89), foot + h * 0.01, w * 0.15);
        }
        _ => {
            let count = art.count(2, 3);
            for i in 0..count {
                let (width, tall) = (w * if count == 2 { 0.27 } else { 0.21 }, w * art.between(0.28, 0.36));
                let x = w * (i as f32 + 0.5) / count as f32 * 0.9 + w * 0.05 - width / 2.0;
                print(art, x, h * 0.3 - tall * 0.62, width, tall);
            }
            sofa(art, w * 0.5, foot, w * 0.74, cloth);
            let edge = if flip { 0.07 } else { 0.93 };
            potted(art, w * edge, foot + h * 0.02, w * 0.14);
        }
    }
    if art.form != 2 && art.chance(0.5) {
        let (x, y) = (fx(w * 0.1), h * 0.1);
        art.window_light(x.min(w * 0.6), y, w * 0.35, h * 0.36, 0.22);
    }
}

fn boards(art: &mut Art, ground: f32, wall: Colour) {
    let (w, h) = (art.width, art.height);
    let wood = Colour::hex(0xB98556).mix(art.palette.land[2], 0.45);
    art.fill(
        &shape::rect(0.0, ground, w, h - ground),
        &Brush::down(ground, h, &[wood.lighter(0.03), wood.lighter(-0.06)]).grain(0.2),
    );
    for i in -5..6 {
        let (top, bottom) = (w * 0.5 + i as f32 * w * 0.12, w * 0.5 + i as f32 * w * 0.2);
        art.fill(&shape::line(&[(top, ground), (bottom, h)], 1.0), &Brush::flat(art.palette.ink).alpha(0.14));
    }
    art.flat(&shape::rect(0.0, ground - h * 0.02, w, h * 0.02), wall.lighter(0.06));
}

fn window(art: &mut Art, x: f32, y: f32, width: f32, height: f32) {
    let frame = art.palette.paper.lighter(0.02);
    let outer = shape::rect(x - 9.0, y - 9.0, width + 18.0, height + 18.0);
    art.shadow(&outer, 4.0, 8.0, 0.2);
    art.flat(&outer, frame);
    let glass = shape::rect(x, y, width, height);
    let Some(stencil) = art.canvas.stencil(&glass) else { return };
    let sky = art.palette.sky;
    art.canvas.apply(&stencil, &Brush::down(y, y + height, &sky).grain(0.05));
    let sun = shape::circle(x + width * art.between(0.2, 0.8), y + height * art.between(0.2, 0.45), width * 0.12);
    art.canvas.fill_within(&stencil, &sun, &Brush::flat(art.palette.light));
    for i in 0..3 {
        let t = i as f32 / 2.0;
        let line: Vec<At> = (0..=8)
            .map(|k| {
                (
                    x + width * k as f32 / 8.0,
                    y + height * (0.6 + 0.14 * t) + ((k as f32 * (0.8 + t) + i as f32 * 2.0).sin()) * height * 0.05,
                )
            })
            .collect();
        art.canvas.fill_within(
            &stencil,
            &shape::under(&line, y + height),
            &Brush::flat(art.palette.depth(0.15 + 0.4 * t)),
        );
    }
    let bars = shape::together([
        shape::rect(x + width / 2.0 - 3.0, y, 6.0, height),
        shape::rect(x, y + height * 0.42, width, 5.0),
    ]);
    art.flat(&bars, frame);
    art.solid(&shape::rect(x - 16.0, y + height + 7.0, width + 32.0, 9.0), frame);
    if art.chance(0.6) {
        let cloth = art.palette.paper;
        for side in [-1.0, 1.0] {
            let edge = if side < 0.0 { x - 22.0 } else { x + width - 30.0 };
            let drape = shape::polygon(&[
                (edge, y - 18.0),
                (edge + 52.0, y - 18.0),
                (edge + 46.0, y + height * 0.6),
                (edge + 50.0, y + height + 40.0),
                (edge + 2.0, y + height + 40.0),
                (edge + 6.0, y + height * 0.6),
            ]);
            art.shadow(&drape, 3.0, 8.0, 0.2);
            art.fill(
                &drape,
                &Brush::across(
                    edge,
                    edge + 52.0,
                    &[cloth.lighter(0.02), cloth.lighter(-0.07), cloth, cloth.lighter(-0.08), cloth],
                ),
            );
        }
        art.flat(&shape::rounded(x - 34.0, y - 22.0, width + 68.0, 5.0, 2.5), art.palette.land[4]);
    }
}

/// A small framed picture: sun and hills, arch, or leaf.
pub(crate) fn print(art: &mut Art, x: f32, y: f32, width: f32, height: f32) {
    let frame = if art.chance(0.5) { art.palette.ink } else { Colour::hex(0xB98556).mix(art.palette.land[2], 0.3) };
    let outer = shape::rect(x, y, width, height);
    art.shadow(&outer, 6.0, 9.0, 0.35);
    art.flat(&outer, frame);
    let edge = width * 0.035;
    art.flat(&shape::rect(x + edge, y + edge, width - edge * 2.0, height - edge * 2.0), art.palette.paper);
    let mat = width * 0.14;
    let (px, py, pw, ph) = (x + mat, y + mat, width - mat * 2.0, height - mat * 2.0);
    let Some(stencil) = art.canvas.stencil(&shape::rect(px, py, pw, ph)) else { return };
    let p = art.palette.clone();
    art.canvas.apply(&stencil, &Brush::flat(p.paper.mix(p.land[0], 0.4)));
    match art.count(0, 2) {
        0 => {
            art.canvas.fill_within(
                &stencil,
                &shape::circle(px + pw * 0.6, py + ph * 0.36, pw * 0.24),
                &Brush::flat(p.pop[0]),
            );
            for (i, t) in [0.55, 0.7, 0.84].into_iter().enumerate() {
                let line: Vec<At> = (0..=6)
                    .map(|k| {
                        (px + pw * k as f32 / 6.0, py + ph * t + (k as f32 * 1.1 + i as f32 * 2.0).sin() * ph * 0.06)
                    })
                    .collect();
                art.canvas.fill_within(
                    &stencil,
                    &shape::under(&line, py + ph),
                    &Brush::flat(p.depth(0.2 + 0.3 * i as f32)),
                );
            }
        }
        1 => {
            for (i, share) in [1.0, 0.72, 0.44].into_iter().enumerate() {
                let half = pw * 0.4 * share;
                let bow = shape::arch(px + pw / 2.0 - half, py + ph * (1.0 - 0.78 * share), half * 2.0, ph);
                art.canvas.fill_within(&stencil, &bow, &Brush::flat([p.pop[0], p.pop[1], p.land[3]][i]));
            }
        }
        _ => {
            let mut parts = vec![shape::line(&[(px + pw * 0.5, py + ph), (px + pw * 0.5, py + ph * 0.15)], 2.0)];
            for k in 0..6 {
                let at = (px + pw * 0.5, py + ph * (0.9 - 0.12 * k as f32));
                for side in [-1.0, 1.0] {
                    parts.push(shape::leaf(at, (at.0 + side * pw * 0.34, at.1 - ph * 0.13), pw * 0.1, 0.0));
                }
            }
            art.canvas.fill_within(&stencil, &shape::together(parts), &Brush::flat(p.land[3]));
        }
    }
}

fn legs(art: &mut Art, left: f32, right: f32, top: f32, foot: f32) {
    let wood = Colour::hex(0x8A5A34).mix(art.palette.ink, 0.25);
    for (x, lean) in [(left, -1.0), (right, 1.0)] {
        let leg = shape::polygon(&[
            (x - 5.0, top),
            (x + 5.0, top),
            (x + lean * 9.0 + 2.5, foot),
            (x + lean * 9.0 - 2.5, foot),
        ]);
        art.flat(&leg, wood);
    }
}

pub(crate) fn armchair(art: &mut Art, x: f32, foot: f32, size: f32, cloth: Colour) {
    let half = size / 2.0;
    let seat = foot - size * 0.36;
    let ink = art.palette.ink;
    art.canvas.shadow(&shape::ellipse(x, foot, half * 1.05, size * 0.07), 0.0, 0.0, 12.0, &Brush::flat(ink).alpha(0.4));
    legs(art, x - half * 0.72, x + half * 0.72, foot - size * 0.16, foot);
    let back = shape::turned(
        x,
        seat + size * 0.12,
        size * 0.78,
        &[(0.0, half * 0.84), (0.35, half * 0.86), (0.75, half * 0.8), (0.95, half * 0.6), (1.0, half * 0.3)],
    );
    art.shadow(&back, 12.0, 16.0, 0.22);
    art.solid(&back, cloth);
    let tuft = Brush::flat(cloth.lighter(-0.1)).alpha(0.7);
    for i in -1..=1 {
        let tx = x + i as f32 * half * 0.42;
        art.fill(
            &shape::stroke(
                &[
                    (tx, seat - size * 0.03),
                    (tx * 0.98 + x * 0.02, seat - size * 0.3),
                    (tx * 0.94 + x * 0.06, seat - size * 0.55),
                ],
                2.0,
            ),
            &tuft,
        );
    }
    let base = shape::rounded(x - half * 0.86, seat + size * 0.06, half * 1.72, size * 0.16, size * 0.05);
    art.solid(&base, cloth.lighter(-0.05));
    let pad = shape::rounded(x - half * 0.72, seat - size * 0.06, half * 1.44, size * 0.17, size * 0.07);
    art.solid(&pad, cloth.lighter(0.045));
    for side in [-1.0, 1.0] {
        let arm = shape::rounded(
            x + side * half * 0.86 - half * 0.16,
            seat - size * 0.14,
            half * 0.32,
            size * 0.36,
            half * 0.15,
        );
        art.shadow(&arm, 3.0, 6.0, 0.25);
        art.solid(&arm, cloth.lighter(0.015));
    }
    if art.chance(0.8) {
        cushion(art, x + half * 0.15, seat - size * 0.2, size * 0.3);
    }
}

fn cushion(art: &mut Art, x: f32, y: f32, size: f32) {
    let colour = if art.chance(0.5) { art.palette.paper } else { art.palette.pop[1] };
    let tilt = art.between(-0.3, 0.3);
    let pad = shape::turn(shape::rounded(x - size / 2.0, y - size / 2.0, size, size * 0.9, size * 0.2), tilt, x, y);
    art.shadow(&pad, 3.0, 6.0, 0.3);
    art.solid(&pad, colour);
    let Some(stencil) = art.canvas.stencil(&pad) else { return };
    let stripe = Brush::flat(art.palette.land[3]).alpha(0.6);
    for i in 0..4 {
        let bar = shape::turn(
            shape::rect(x - size, y - size * 0.36 + i as f32 * size * 0.22, size * 2.0, size * 0.05),
            tilt,
            x,
            y,
        );
        art.canvas.fill_within(&stencil, &bar, &stripe);
    }
}

fn sofa(art: &mut Art, x: f32, foot: f32, size: f32, cloth: Colour) {
    let half = size / 2.0;
    let (seat, deep) = (foot - size * 0.2, size * 0.17);
    let ink = art.palette.ink;
    art.canvas.shadow(&shape::ellipse(x, foot, half * 1.05, size * 0.05), 0.0, 0.0, 12.0, &Brush::flat(ink).alpha(0.4));
    legs(art, x - half * 0.86, x + half * 0.86, foot - size * 0.08, foot);
    let back = shape::rounded(x - half * 0.94, seat - size * 0.27, half * 1.88, size * 0.34, size * 0.06);
    art.shadow(&back, 10.0, 14.0, 0.22);
    art.solid(&back, cloth);
    art.solid(&shape::rounded(x - half * 0.92, seat + deep * 0.3, half * 1.84, deep * 0.75, 8.0), cloth.lighter(-0.06));
    for side in [-1.0, 1.0] {
        let pad = shape::rounded(x + side * half * 0.41 - half * 0.4, seat - deep * 0.3, half * 0.8, deep * 0.78, 12.0);
        art.solid(&pad, cloth.lighter(0.04));
        let arm = shape::rounded(
            x + side * half * 0.94 - half * 0.1,
            seat - size * 0.13,
            half * 0.2,
            size * 0.28,
            half * 0.09,
        );
        art.shadow(&arm, 3.0, 6.0, 0.25);
        art.solid(&arm, cloth.lighter(0.015));
    }
    cushion(art, x - half * 0.6, seat - size * 0.11, size * 0.18);
    cushion(art, x + half * 0.58, seat - size * 0.11, size * 0.18);
}

fn floor_lamp(art: &mut Art, x: f32, foot: f32, tall: f32) {
    let metal = brass(art);
    let (y, r) = (foot - tall, tall * 0.16);
    glow(art, x, y + r, tall * 0.6);
    let pole = shape::rect(x - 2.2, y, 4.4, tall);
    art.shadow(&pole, 6.0, 8.0, 0.25);
    art.solid(&pole, metal);
    art.solid(&shape::ellipse(x, foot, r * 0.7, r * 0.13), metal.lighter(-0.05));
    let shade =
        shape::polygon(&[(x - r * 0.62, y - r * 0.2), (x + r * 0.62, y - r * 0.2), (x + r, y + r), (x - r, y + r)]);
    let (lit, warm) = (art.palette.light, art.palette.pop[1]);
    art.fill(
        &shade,
        &Brush::down(y, y + r, &[lit.mix(warm, 0.45), lit.mix(warm, 0.1), warm.lighter(0.06)]).grain(0.12),
    );
}

fn side_table(art: &mut Art, x: f32, foot: f32, width: f32) {
    let top = foot - width * 1.25;
    legs(art, x - width * 0.3, x + width * 0.3, top + 4.0, foot);
    art.solid(
        &shape::rounded(x - width / 2.0, top, width, width * 0.09, 3.0),
        Colour::hex(0x9A6038).mix(art.palette.land[3], 0.25),
    );
    books(art, x, top, width * 0.7);
}
