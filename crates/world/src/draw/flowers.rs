//! Flowers.

use std::f32::consts::{FRAC_PI_2, TAU};

use super::art::Art;
use super::botanical::{heading, reach, stem};
use super::brush::Brush;
use super::colour::Colour;
use super::pots::table;
use super::shape;

/// Flowers: a meadow, a bouquet, tall stems.
pub(crate) fn wildflowers(art: &mut Art) {
    match art.form {
        0 => meadow(art),
        1 => bouquet(art),
        _ => tall_stems(art),
    }
}

fn meadow(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let horizon = h * art.between(0.36, 0.46);
    art.sky(horizon);
    let (x, y, r, light) = (w * art.between(0.2, 0.8), horizon * art.between(0.3, 0.6), w * 0.075, art.palette.light);
    art.sun(x, y, r, light);
    let far = art.hills(horizon, h * 0.02, 2);
    let green = Colour::hex(0x7E9B6A).mix(art.palette.land[2], 0.4);
    let field = Brush::down(horizon, h, &[green.lighter(0.1), green, green.lighter(-0.16)]).grain(0.2);
    art.fill(&shape::under(&far, h + 5.0), &field);
    let colours = blooms(art);
    for row in 0..7 {
        let t = row as f32 / 6.0;
        let base = horizon + (h - horizon) * (0.08 + 0.98 * t.powf(1.3));
        let size = w * (0.008 + 0.052 * t.powf(1.2));
        let count = (w / (size * 3.4)) as usize + 3;
        for _ in 0..count {
            let (px, tall) = (art.between(-0.02, 1.02) * w, size * art.between(2.2, 4.6));
            let lean = art.between(-0.16, 0.16);
            let head = reach((px, base + size * 2.0), -FRAC_PI_2 + lean, tall + size * 2.0);
            let tone = green.lighter(-0.12 + art.between(-0.05, 0.05));
            art.flat(
                &shape::stroke(
                    &[(px, base + size * 2.0), ((px + head.0) / 2.0 - lean * 8.0, (base + head.1) / 2.0), head],
                    0.7 + 2.0 * t,
                ),
                tone,
            );
            let kind = if art.chance(0.75) { 0 } else { 2 };
            let colour = colours[if kind == 0 { 0 } else { 2 }].lighter(art.between(-0.03, 0.06) + 0.06 * (1.0 - t));
            let heart = art.palette.ink;
            flower(art, head.0, head.1, size, kind, colour, heart);
        }
        for _ in 0..18 {
            let (px, tall, lean) =
                (art.between(0.0, 1.0) * w, h * art.between(0.03, 0.1) * (0.3 + t), art.between(-0.3, 0.3));
            let tip = reach((px, base + 12.0), -FRAC_PI_2 + lean, tall);
            art.flat(&shape::leaf((px, base + 12.0), tip, 1.0 + 2.5 * t, 0.05), green.lighter(-0.1 * t));
        }
    }
}

fn blooms(art: &mut Art) -> [Colour; 4] {
    let p = &art.palette;
    let warm = if p.is_dark() { p.pop[1] } else { p.pop[0] };
    [warm, p.pop[1], p.light.lighter(-0.01), p.pop[2]]
}

fn bouquet(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = art.palette.wall();
    art.wall(wall);
    let desk = h * art.between(0.82, 0.87);
    table(art, desk);
    let (x, foot) = (w * art.between(0.46, 0.54), desk + h * 0.03);
    let (tall, half) = (h * art.between(0.26, 0.32), w * art.between(0.11, 0.15));
    let mouth = foot - tall;
    let green = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.5);
    let colours = blooms(art);
    let mut heads = Vec::new();
    for i in 0..30 {
        let angle = -FRAC_PI_2 + art.between(-1.05, 1.05);
        let length = h * art.between(0.12, 0.4) * (1.0 - 0.25 * (angle + FRAC_PI_2).abs());
        let head = reach((x, mouth + tall * 0.1), angle, length);
        let bend = ((x + head.0) / 2.0 + art.between(-8.0, 8.0), (mouth + head.1) / 2.0);
        let tone = green.lighter(art.between(-0.1, 0.05));
        art.flat(&shape::stroke(&[(x, mouth + tall * 0.2), bend, head], 2.0), tone);
        if i % 3 == 0 {
            let tip = reach(bend, angle + art.between(-0.9, 0.9), w * 0.13);
            let tone = green.lighter(art.between(-0.06, 0.1));
            art.flat(&shape::leaf(bend, tip, w * 0.028, 0.05), tone);
        }
        heads.push((head, length));
    }
    heads.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (i, (head, _)) in heads.into_iter().enumerate() {
        let kind = art.count(0, 4);
        let (colour, heart) =
            (colours[(i + kind) % 4].lighter(art.between(-0.05, 0.05)), art.palette.pop[(i + 1) % 3].lighter(-0.05));
        let size = w * art.between(0.035, 0.066);
        flower(art, head.0, head.1, size, kind, colour, heart);
    }
    let vase = shape::turned(
        x,
        foot,
        tall,
        &[
            (0.0, half * 0.7),
            (0.12, half * 0.98),
            (0.45, half),
            (0.8, half * 0.62),
            (0.93, half * 0.6),
            (1.0, half * 0.72),
        ],
    );
    art.shadow(&vase, 16.0, 16.0, 0.28);
    let glaze = art.pick(&[0usize, 1, 2]);
    let glaze = [art.palette.paper, art.palette.land[2], art.palette.pop[2]][glaze];
    art.solid(&vase, glaze);
    art.fill(&shape::ellipse(x, mouth, half * 0.72, half * 0.12), &Brush::flat(glaze.lighter(-0.15)).alpha(0.7));
}

fn tall_stems(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let ground = if art.palette.is_dark() { art.palette.sky[0] } else { art.palette.sky[1] };
    let low = if art.palette.is_dark() { art.palette.sky[1] } else { art.palette.sky[2] };
    art.canvas.flood(&Brush::down(0.0, h, &[ground, low]).grain(0.15));
    if art.chance(0.6) {
        let (x, y, r) = (w * art.between(0.3, 0.7), h * art.between(0.25, 0.4), w * art.between(0.17, 0.26));
        let disc = art.palette.pop[1].mix(ground, 0.4);
        art.fill(&shape::circle(x, y, r), &Brush::down(y - r, y + r, &[disc, disc.mix(low, 0.5)]).grain(0.35));
    }
    let green = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.4);
    let colours = blooms(art);
    let count = art.count(9, 13);
    for i in 0..count {
        let t = i as f32 / count as f32;
        let x = w * (0.06 + 0.88 * ((i as f32 * 0.618 + 0.3) % 1.0));
        let tall = h * art.between(0.3, 0.82);
        let (lean, bend) = (art.between(-0.1, 0.1), art.between(-0.35, 0.35));
        let points = stem(art, (x, h + 10.0), tall, lean, bend);
        let tone = green.lighter(0.1 - 0.2 * t);
        art.fill(&shape::stroke(&points, 1.6 + 1.4 * t), &Brush::flat(tone));
        for k in (3..points.len() - 5).step_by(3) {
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            let tip = reach(points[k], heading(&points, k) + side * 0.7, w * 0.11 * (1.0 - k as f32 / 30.0));
            art.flat(&shape::leaf(points[k], tip, w * 0.009, side * 0.1), tone);
        }
        let Some(&head) = points.last() else { continue };
        let kind = art.pick(&[1, 1, 2, 3, 4]);
        let (colour, heart) =
            (colours[i % 4].lighter(art.between(-0.04, 0.04)), art.palette.pop[(i + 1) % 3].lighter(-0.04));
        let size = w * art.between(0.05, 0.095);
        flower(art, head.0, head.1, size, kind, colour, heart);
    }
}

/// A flower head: 0 poppy, 1 cosmos, 2 daisy, 3 globe, 4 spike.
pub(crate) fn flower(art: &mut Art, x: f32, y: f32, size: f32, kind: usize, colour: Colour, heart: Colour) {
    let turn = art.between(0.0, TAU);
    match kind {
        0 => {
            for (i, (angle, reach)) in
                [(3.9, 0.42), (5.5, 0.42), (2.6, 0.46), (0.5, 0.46), (1.57, 0.44)].into_iter().enumerate()
            {
                let (px, py) = (x + f32::cos(angle) * size * reach, y + f32::sin(angle) * size * reach * 0.7);
                let petal = shape::blob(&mut art.rng, px, py, size * 0.62, size * 0.5, 0.08);
                let tone = colour.lighter(-0.035 + 0.02 * i as f32);
                art.fill(
                    &petal,
                    &Brush::radial((x, y), size * 1.1, &[tone.lighter(-0.09), tone, tone.lighter(0.05)]).grain(0.15),
                );
            }
            let core = shape::circle(x, y, size * 0.17);
            art.fill(&core, &Brush::flat(heart.mix(art.palette.ink, 0.6)).alpha(0.9));
            let seeds = (0..7).map(|i| i as f32 / 7.0 * TAU + turn);
            let seeds = shape::together(
                seeds.map(|a| shape::circle(x + a.cos() * size * 0.27, y + a.sin() * size * 0.22, size * 0.035)),
            );
            art.fill(&seeds, &Brush::flat(art.palette.ink).alpha(0.7));
        }
        1 | 2 => {
            let (petals, width, inner) = if kind == 1 { (8, 0.3, 0.26) } else { (14, 0.13, 0.32) };
            for i in 0..petals {
                let angle = turn + i as f32 / petals as f32 * TAU;
                let tip = (x + angle.cos() * size, y + angle.sin() * size * 0.86);
                let tone = colour.lighter(if i % 2 == 0 { 0.03 } else { -0.04 });
                art.flat(&shape::leaf((x, y), tip, size * width, 0.0), tone);
            }
            art.solid(&shape::circle(x, y, size * inner), heart);
        }
        3 => {
            let ball = shape::circle(x, y, size * 0.75);
            art.solid(&ball, colour);
            let dots = (0..22).map(|i| {
                let (angle, r) = (i as f32 * 2.4, size * 0.7 * (i as f32 / 22.0).sqrt());
                shape::circle(x + angle.cos() * r, y + angle.sin() * r, size * 0.085)
            });
            let dots = shape::together(dots);
            art.fill(&dots, &Brush::flat(colour.lighter(0.12)).alpha(0.8));
        }
        _ => {
            for i in 0..8 {
                let t = i as f32 / 7.0;
                for side in [-1.0, 0.0, 1.0] {
                    let r = size * (0.2 - 0.11 * t);
                    let (dx, dy) = (art.between(-0.2, 0.2) * r, art.between(-0.3, 0.3) * r);
                    let floret = shape::circle(
                        x + side * r * 1.25 + dx,
                        y + size * (0.9 - 2.1 * t) + side.abs() * r * 0.5 + dy,
                        r,
                    );
                    art.flat(&floret, colour.lighter(0.04 * side + 0.07 * t - 0.03));
                }
            }
        }
    }
}
