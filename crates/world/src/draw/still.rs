//! Still lifes of ceramics.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::flowers::flower;
use super::pots::table;
use super::shape::{self, At};

/// Profiles of vessels: height from the base (0 to 1) and half width (share of the height).
const PROFILES: [&[At]; 7] = [
    &[(0.0, 0.2), (0.08, 0.27), (0.35, 0.33), (0.62, 0.24), (0.82, 0.11), (0.94, 0.1), (1.0, 0.13)],
    &[(0.0, 0.16), (0.2, 0.25), (0.5, 0.36), (0.75, 0.3), (0.9, 0.16), (1.0, 0.15)],
    &[(0.0, 0.22), (0.1, 0.24), (0.5, 0.22), (0.8, 0.2), (0.92, 0.17), (1.0, 0.19)],
    &[(0.0, 0.13), (0.15, 0.16), (0.45, 0.31), (0.6, 0.31), (0.72, 0.12), (0.9, 0.09), (1.0, 0.12)],
    &[(0.0, 0.26), (0.15, 0.4), (0.42, 0.46), (0.7, 0.36), (0.86, 0.2), (1.0, 0.22)],
    &[(0.0, 0.12), (0.06, 0.13), (0.16, 0.07), (0.26, 0.1), (0.55, 0.27), (0.8, 0.31), (1.0, 0.33)],
    &[(0.0, 0.17), (0.3, 0.2), (0.55, 0.13), (0.75, 0.09), (1.0, 0.1)],
];

/// Vases: one with a branch, a group, a jug among fruit.
pub(crate) fn vases(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = if art.chance(0.4) { art.palette.land[0] } else { art.palette.wall() };
    art.wall(wall);
    let desk = h * art.between(0.74, 0.82);
    backdrop(art, wall, desk);
    table(art, desk);
    let unit = w.min(h * 0.72);
    let foot = desk + (h - desk) * 0.3;
    match art.form {
        0 => {
            let (x, tall) = (w * art.between(0.42, 0.58), unit * art.between(0.58, 0.72));
            let kind = art.count(0, 3);
            branch(art, x, foot - tall, unit * 0.95);
            vessel(art, x, foot, tall, kind);
            if art.chance(0.5) {
                let side = if x < w / 2.0 { 1.0 } else { -1.0 };
                vessel(art, x + side * unit * 0.33, foot + h * 0.025, unit * 0.22, 4);
            }
        }
        1 => group(art, foot, unit),
        _ => jug_and_fruit(art, foot, unit),
    }
}

fn backdrop(art: &mut Art, wall: Colour, desk: f32) {
    let (w, h) = (art.width, art.height);
    let colour = if art.chance(0.5) { art.palette.land[1].mix(wall, 0.4) } else { art.palette.pop[1].mix(wall, 0.5) };
    match art.count(0, 3) {
        0 => {
            let (x, y, r) = (w * art.between(0.3, 0.7), desk * art.between(0.4, 0.55), w * art.between(0.26, 0.36));
            art.fill(&shape::circle(x, y, r), &Brush::down(y - r, y + r, &[colour, colour.mix(wall, 0.4)]).grain(0.3));
        }
        1 => {
            let (half, x) = (w * art.between(0.26, 0.34), w * art.between(0.4, 0.6));
            let bow = shape::arch(x - half, desk - h * 0.62, half * 2.0, h * 0.62);
            art.fill(&bow, &Brush::down(desk - h * 0.6, desk, &[colour, colour.mix(wall, 0.35)]).grain(0.3));
        }
        2 => {
            let (x, y) = (w * art.between(0.05, 0.35), h * art.between(0.06, 0.16));
            art.window_light(x, y, w * 0.46, h * 0.46, 0.45);
        }
        _ => {
            let split = w * art.between(0.35, 0.65);
            art.fill(
                &shape::rect(split, 0.0, w - split, desk),
                &Brush::down(0.0, desk, &[colour.mix(wall, 0.3), colour.mix(wall, 0.5)]).grain(0.2),
            );
        }
    }
}

fn group(art: &mut Art, foot: f32, unit: f32) {
    let (w, h) = (art.width, art.height);
    let count = art.count(3, 4);
    let order = [0.0f32, -0.24, 0.25, 0.02];
    let mut kinds = [0usize, 1, 2, 3, 4, 6];
    art.rng.shuffle(&mut kinds);
    for i in 0..count {
        let tall = unit
            * match i {
                0 => art.between(0.62, 0.76),
                1 => art.between(0.42, 0.54),
                2 => art.between(0.34, 0.5),
                _ => art.between(0.17, 0.22),
            };
        let x = w * 0.5 + unit * order[i] + art.between(-0.03, 0.03) * unit;
        let y = foot + h * [0.0, 0.02, 0.03, 0.06][i];
        if i < 2 && art.chance(0.55) {
            branch(art, x, y - tall, unit * 0.6);
        }
        vessel(art, x, y, tall, kinds[i]);
    }
}

fn jug_and_fruit(art: &mut Art, foot: f32, unit: f32) {
    let (w, h) = (art.width, art.height);
    let side = art.pick(&[-1.0f32, 1.0]);
    let (x, tall) = (w * 0.5 - side * unit * 0.16, unit * art.between(0.52, 0.62));
    if art.chance(0.6) {
        branch(art, x, foot - tall, unit * 0.6);
    }
    let (hx, hy, r) = (x - side * tall * 0.24, foot - tall * 0.6, tall * 0.2);
    let glaze = vessel(art, x, foot, tall, 0);
    let handle = shape::arc(
        hx,
        hy,
        r,
        if side > 0.0 { FRAC_PI_2 } else { -FRAC_PI_2 },
        if side > 0.0 { FRAC_PI_2 + PI } else { FRAC_PI_2 },
        tall * 0.055,
    );
    art.solid(&handle, glaze);
    vessel(art, x + side * unit * 0.37, foot + h * 0.012, unit * 0.23, 4);
    let fruit = [art.palette.pop[0], art.palette.pop[1], art.palette.pop[1]];
    for i in 0..art.count(2, 4) {
        let r = unit * art.between(0.05, 0.065);
        let (fx, fy) = (x + side * unit * (0.08 + 0.13 * i as f32), foot + h * art.between(0.035, 0.075));
        let ball = shape::circle(fx, fy - r, r);
        let ink = art.palette.ink;
        art.canvas.shadow(
            &shape::ellipse(fx - art.side * r * 0.5, fy, r, r * 0.22),
            0.0,
            0.0,
            5.0,
            &Brush::flat(ink).alpha(0.4),
        );
        art.solid(&ball, fruit[i % 3]);
        let leaf = shape::leaf((fx, fy - r * 1.95), (fx + r * 0.9, fy - r * 2.3), r * 0.3, 0.1);
        art.flat(&leaf, art.palette.land[3]);
    }
}

/// A vessel with its foot at (x, y); gives back its colour.
fn vessel(art: &mut Art, x: f32, y: f32, tall: f32, kind: usize) -> Colour {
    let profile: Vec<At> = PROFILES[kind % PROFILES.len()].iter().map(|&(up, half)| (up, half * tall)).collect();
    let body = shape::turned(x, y, tall, &profile);
    let p = art.palette.clone();
    let clays = [p.paper, p.land[2], p.pop[0], p.land[1], p.pop[2], p.land[3], p.paper.mix(p.land[1], 0.5)];
    let clay = art.pick(&clays);
    let ink = p.ink;
    let floor = shape::ellipse(x - art.side * tall * 0.2, y, tall * 0.36, tall * 0.05);
    art.canvas.shadow(&floor, 0.0, 0.0, 9.0, &Brush::flat(ink).alpha(0.4));
    art.shadow(&body, tall * 0.07, 18.0, 0.16);
    let brush = art.volume(&body, clay, 0.1);
    art.fill(&body, &brush);
    glaze(art, &body, x, y, tall, clay);
    let mouth = profile.last().map_or(0.0, |&(_, half)| half);
    let rim = shape::ellipse(x, y - tall, mouth, mouth * 0.2);
    art.fill(&rim, &Brush::flat(clay.lighter(-0.2)));
    art.fill(&shape::ring(x, y - tall, 0.1, 0.1), &Brush::flat(clay));
    clay
}

/// Dipped, banded, speckled or scratched.
fn glaze(art: &mut Art, body: &shape::Shape, x: f32, y: f32, tall: f32, clay: Colour) {
    let Some(stencil) = art.canvas.stencil(body) else { return };
    let p = art.palette.clone();
    let other = if clay.lightness() > 0.75 { art.pick(&[p.land[2], p.pop[0], p.pop[2], p.land[3]]) } else { p.paper };
    let kind = art.count(0, 5);
    match kind {
        0 => {
            let level = y - tall * art.between(0.35, 0.65);
            let line: Vec<At> = (0..=10)
                .map(|k| (x - tall + tall * k as f32 / 5.0, level + (k as f32 * 1.3 + tall).sin() * tall * 0.025))
                .collect();
            let dip = shape::together([shape::under(&line, y - tall * 1.2)]);
            let brush = art.volume(body, other, 0.09);
            art.canvas.fill_within(&stencil, &dip, &brush);
        }
        1 => {
            for i in 0..art.count(2, 5) {
                let by = y - tall * (0.18 + 0.11 * i as f32);
                let band = shape::stroke(
                    &[(x - tall, by - tall * 0.03), (x, by + tall * 0.02), (x + tall, by - tall * 0.03)],
                    tall * art.between(0.012, 0.04),
                );
                art.canvas.fill_within(&stencil, &band, &Brush::flat(other).alpha(0.85));
            }
        }
        2 => {
            let scratch = (0..16).map(|i| {
                let s = (i as f32 / 15.0 * 2.0 - 1.0) * 0.98;
                shape::stroke(
                    &[(x + s * tall * 0.16, y - tall), (x + s * tall * 0.44, y - tall * 0.45), (x + s * tall * 0.3, y)],
                    1.6,
                )
            });
            let lines = shape::together(scratch);
            art.canvas.fill_within(&stencil, &lines, &Brush::flat(clay.lighter(-0.12)).alpha(0.6));
        }
        _ => {}
    }
    if kind > 2 || art.chance(0.3) {
        let specks = (0..70).map(|_| {
            let (angle, reach) = (art.rng.uniform() * TAU, art.rng.uniform().sqrt());
            let size = 0.5 + 1.1 * art.rng.uniform();
            shape::circle(
                x + angle.cos() * reach * tall * 0.46,
                y - tall * 0.5 + angle.sin() * reach * tall * 0.5,
                size,
            )
        });
        let specks = shape::together(specks.collect::<Vec<_>>());
        art.canvas.fill_within(&stencil, &specks, &Brush::flat(p.ink).alpha(0.4));
    }
    let shine = shape::ellipse(x + art.side * tall * 0.14, y - tall * 0.55, tall * 0.035, tall * 0.2);
    art.canvas.fill_within(&stencil, &shine, &Brush::flat(p.light).alpha(0.22));
}

/// What stands in a vase whose mouth is at (x, y): olive, pampas, buds or a bare twig with berries.
fn branch(art: &mut Art, x: f32, y: f32, length: f32) {
    let kind = art.count(0, 3);
    let length = length.min(y * 0.95);
    let twig = art.palette.land[4].mix(art.palette.pop[0], 0.3);
    let leaf = Colour::hex(0x7C9070).mix(art.palette.land[3], 0.5);
    let dry = Colour::hex(0xD9BE94).mix(art.palette.paper, 0.25);
    for i in 0..art.count(2, 4) {
        let s = if i % 2 == 0 { 1.0 } else { -1.0 };
        let (lean, bend) = (s * art.between(0.05, 0.5), s * art.between(-0.1, 0.55));
        let points = shoot((x, y + 12.0), length * art.between(0.6, 1.0), lean, bend);
        art.flat(&shape::stroke(&points, 2.0), if kind == 1 { dry.lighter(-0.2) } else { twig });
        for k in 5..points.len() {
            let t = k as f32 / points.len() as f32;
            let angle = (points[k].1 - points[k - 1].1).atan2(points[k].0 - points[k - 1].0);
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            let at = points[k];
            let end =
                |turn: f32, reach: f32| (at.0 + (angle + turn).cos() * reach, at.1 + (angle + turn).sin() * reach);
            match kind {
                0 => {
                    let tone = leaf.lighter(art.between(-0.06, 0.1));
                    art.flat(
                        &shape::leaf(at, end(side * 0.7, length * 0.13 * (1.2 - 0.6 * t)), length * 0.02, 0.05),
                        tone,
                    );
                }
                1 if t > 0.42 => {
                    for turn in [-0.5f32, -0.2, 0.2, 0.5] {
                        let reach = length * 0.12 * (1.25 - t);
                        let tone = dry.lighter(art.between(-0.05, 0.06));
                        art.fill(
                            &shape::leaf(at, end(turn, reach), length * 0.012, 0.0),
                            &Brush::flat(tone).alpha(0.85),
                        );
                    }
                }
                2 if k % 2 == 0 => {
                    let bud = end(side * 0.9, length * 0.045);
                    art.flat(&shape::line(&[at, bud], 1.3), twig);
                    let (bloom, heart) = (art.palette.light, art.palette.pop[0]);
                    flower(art, bud.0, bud.1, length * 0.032, 1, bloom, heart);
                }
                3 if k % 2 == 1 => {
                    let berry = end(side * 0.9, length * 0.06);
                    art.flat(&shape::line(&[at, berry], 1.3), twig);
                    let colour = art.palette.pop[0];
                    art.solid(&shape::circle(berry.0, berry.1, length * 0.02), colour);
                }
                _ => {}
            }
        }
    }
}

fn shoot(foot: At, length: f32, lean: f32, bend: f32) -> Vec<At> {
    let mut at = foot;
    let mut points = vec![at];
    for i in 0..22 {
        let angle = -FRAC_PI_2 + lean + bend * i as f32 / 22.0;
        at = (at.0 + angle.cos() * length / 22.0, at.1 + angle.sin() * length / 22.0);
        points.push(at);
    }
    points
}
