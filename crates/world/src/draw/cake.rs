//! Cakes: whole, sliced, in tiers.

use std::f32::consts::PI;

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::flowers::flower;
use super::pots::table;
use super::shape::{self, At};

/// A cake on a stand, a slice on a plate, or tiers with berries.
pub(crate) fn cake(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = match art.count(0, 2) {
        0 => art.palette.wall(),
        1 => art.palette.land[0],
        _ => art.palette.pop[2].mix(art.palette.paper, 0.45),
    };
    art.wall(wall);
    let desk = h * art.between(0.76, 0.82);
    garland(art);
    table(art, desk);
    let unit = w.min(h * 0.78);
    let foot = desk + (h - desk) * 0.35;
    match art.form {
        0 => {
            let top = stand(art, w * 0.5, foot, unit * 0.36);
            let tall = unit * art.between(0.36, 0.46);
            tier(art, w * 0.5, top, unit * 0.29, tall, true);
            crown(art, w * 0.5, top - tall, unit * 0.29);
        }
        1 => slice(art, foot, unit),
        _ => {
            let top = stand(art, w * 0.5, foot, unit * 0.4);
            let mut base = top;
            for (i, share) in [0.33f32, 0.235, 0.145].into_iter().enumerate() {
                let tall = unit * art.between(0.19, 0.23) * (1.0 - 0.08 * i as f32);
                let drip = art.chance(0.5);
                tier(art, w * 0.5, base, unit * share, tall, drip);
                berries(art, w * 0.5, base, unit * share, i > 0);
                base -= tall;
            }
            crown(art, w * 0.5, base, unit * 0.145);
        }
    }
}

/// Bunting or confetti on the wall.
fn garland(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let colours = [art.palette.pop[0], art.palette.pop[1], art.palette.pop[2], art.palette.paper];
    match art.count(0, 2) {
        0 => {
            let sag = h * art.between(0.05, 0.1);
            let y = h * 0.06;
            let line: Vec<At> =
                (0..=14).map(|i| i as f32 / 14.0).map(|t| (w * t, y + sag * (1.0 - (2.0 * t - 1.0).powi(2)))).collect();
            art.fill(&shape::stroke(&line, 1.6), &Brush::flat(art.palette.ink).alpha(0.5));
            for (i, at) in line.iter().enumerate().take(14) {
                let flag = shape::polygon(&[
                    (at.0 + 3.0, at.1),
                    (at.0 + w / 15.0, at.1 + 2.0),
                    (at.0 + w / 30.0, at.1 + w * 0.075),
                ]);
                art.shadow(&flag, 2.0, 4.0, 0.15);
                art.solid(&flag, colours[i % 4]);
            }
        }
        1 => {
            for i in 0..42 {
                let (x, y, size, turn) =
                    (art.between(0.0, w), art.between(0.0, h * 0.6), art.between(3.0, 7.0), art.between(0.0, PI));
                let piece = shape::turn(shape::rect(x, y, size, size * 0.5), turn, x, y);
                art.fill(&piece, &Brush::flat(colours[i % 4]).alpha(0.8));
            }
        }
        _ => {
            let (x, y, r) = (w * 0.5, h * 0.42, w * 0.38);
            let disc = art.palette.paper;
            art.fill(&shape::circle(x, y, r), &Brush::flat(disc).alpha(0.4));
        }
    }
}

/// A cake stand; gives back the height of its plate.
fn stand(art: &mut Art, x: f32, foot: f32, half: f32) -> f32 {
    let tall = half * 0.52;
    let china = if art.chance(0.6) { art.palette.paper.lighter(0.02) } else { art.palette.pop[2] };
    let ink = art.palette.ink;
    art.canvas.shadow(
        &shape::ellipse(x - art.side * half * 0.2, foot, half * 0.7, half * 0.08),
        0.0,
        0.0,
        10.0,
        &Brush::flat(ink).alpha(0.4),
    );
    let leg = shape::turned(
        x,
        foot,
        tall,
        &[(0.0, half * 0.42), (0.08, half * 0.36), (0.3, half * 0.1), (0.7, half * 0.08), (1.0, half * 0.2)],
    );
    art.solid(&leg, china);
    let plate = shape::rounded(x - half, foot - tall - half * 0.05, half * 2.0, half * 0.1, half * 0.05);
    art.shadow(&plate, 4.0, 8.0, 0.25);
    art.solid(&plate, china.lighter(0.02));
    for i in 0..17 {
        let sx = x - half * 0.94 + half * 1.88 * i as f32 / 16.0;
        art.solid(&shape::half(sx, foot - tall + half * 0.045, half * 0.062, 0.0), china);
    }
    foot - tall - half * 0.05
}

fn sponge(art: &mut Art) -> (Colour, Colour, Colour) {
    let p = &art.palette;
    let doughs = [Colour::hex(0xE9C48C), Colour::hex(0x7A4B35), Colour::hex(0xF3DDB5), Colour::hex(0xC46A5A)];
    let creams = [
        Colour::hex(0xFFF4E0),
        p.pop[2].mix(Colour::hex(0xFFF4E0), 0.55),
        p.pop[1].mix(Colour::hex(0xFFF4E0), 0.6),
        p.land[0].mix(Colour::hex(0xFFF4E0), 0.4),
    ];
    let icings = [p.pop[0], Colour::hex(0x5A3426), p.land[1], p.pop[1], Colour::hex(0xFFF4E0)];
    (art.pick(&doughs), art.pick(&creams), art.pick(&icings))
}

fn tier(art: &mut Art, x: f32, base: f32, half: f32, tall: f32, drip: bool) {
    let (dough, cream, icing) = sponge(art);
    let body = shape::rounded(x - half, base - tall, half * 2.0, tall, half * 0.06);
    art.shadow(&body, 8.0, 12.0, 0.22);
    let naked = art.chance(0.55);
    let brush = art.volume(&body, if naked { dough } else { cream }, 0.09);
    art.fill(&body, &brush);
    let Some(stencil) = art.canvas.stencil(&body) else { return };
    if naked {
        let layers = art.count(2, 4);
        for i in 1..=layers {
            let y = base - tall * i as f32 / (layers as f32 + 0.6);
            let wave: Vec<At> = (0..=14)
                .map(|k| {
                    (
                        x - half * 1.05 + half * 2.1 * k as f32 / 14.0,
                        y + (k as f32 * 2.3 + i as f32).sin() * tall * 0.012,
                    )
                })
                .collect();
            art.canvas.fill_within(&stencil, &shape::stroke(&wave, tall * 0.085), &Brush::flat(cream));
            let jam = art.palette.pop[0].lighter(-0.04);
            art.canvas.fill_within(&stencil, &shape::stroke(&wave, tall * 0.022), &Brush::flat(jam).alpha(0.85));
        }
        let crumbs = (0..40).map(|_| {
            shape::circle(
                x + half * (art.rng.uniform() * 2.0 - 1.0),
                base - tall * art.rng.uniform(),
                0.8 + art.rng.uniform(),
            )
        });
        let crumbs = shape::together(crumbs.collect::<Vec<_>>());
        art.canvas.fill_within(&stencil, &crumbs, &Brush::flat(dough.lighter(-0.12)).alpha(0.5));
    } else {
        let combed = (1..9).map(|i| shape::rect(x - half, base - tall * i as f32 / 9.0, half * 2.0, 1.6));
        let combed = shape::together(combed);
        art.canvas.fill_within(&stencil, &combed, &Brush::flat(cream.lighter(-0.1)).alpha(0.5));
    }
    let top = if drip { icing } else { cream };
    icing_cap(art, x, base - tall, half, tall, top, drip);
}

/// Icing on top, with drips of different length.
fn icing_cap(art: &mut Art, x: f32, top: f32, half: f32, tall: f32, icing: Colour, drip: bool) {
    let mut parts = vec![shape::rounded(x - half * 1.03, top - tall * 0.07, half * 2.06, tall * 0.17, tall * 0.07)];
    if drip {
        let count = (half / 15.0) as usize + 4;
        for i in 0..count {
            let dx = x - half * 0.95 + half * 1.9 * i as f32 / (count - 1) as f32;
            let (length, wide) = (tall * art.between(0.12, 0.46), half * art.between(0.075, 0.11));
            parts.push(shape::rounded(dx - wide / 2.0, top, wide, length, wide / 2.0));
        }
    } else {
        for i in 0..13 {
            let dx = x - half * 0.96 + half * 1.92 * i as f32 / 12.0;
            parts.push(shape::circle(dx, top - tall * 0.03, half * 0.095));
        }
    }
    let cap = shape::together(parts);
    art.shadow(&cap, 2.0, 4.0, 0.25);
    art.solid(&cap, icing);
    let shine = shape::rounded(x - half * 0.8, top - tall * 0.04, half * 1.1, tall * 0.02, 2.0);
    art.fill(&shine, &Brush::flat(art.palette.light).alpha(0.45));
}

fn berry(art: &mut Art, x: f32, y: f32, r: f32) {
    let colours = [
        art.palette.pop[0],
        Colour::hex(0xB3283C).mix(art.palette.pop[0], 0.3),
        Colour::hex(0x3B4A86).mix(art.palette.land[4], 0.3),
    ];
    let colour = art.pick(&colours);
    let ball = shape::circle(x, y, r);
    art.shadow(&ball, 2.0, 3.0, 0.3);
    art.solid(&ball, colour);
    art.fill(&shape::circle(x + art.side * r * 0.3, y - r * 0.3, r * 0.22), &Brush::flat(art.palette.light).alpha(0.6));
}

fn berries(art: &mut Art, x: f32, base: f32, half: f32, on_tier: bool) {
    if !on_tier {
        return;
    }
    for i in 0..art.count(4, 8) {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let (dx, r) = (half * art.between(0.86, 1.18), half * art.between(0.07, 0.1));
        berry(art, x + side * dx, base - r, r);
        if art.chance(0.3) {
            let leaf =
                shape::leaf((x + side * dx, base - r), (x + side * (dx + r * 2.4), base - r * 2.2), r * 0.6, 0.1);
            art.flat(&leaf, Colour::hex(0x6F9068).mix(art.palette.land[3], 0.4));
        }
    }
}

/// What is on top: berries, candles, flowers or a cherry.
fn crown(art: &mut Art, x: f32, top: f32, half: f32) {
    match art.count(0, 3) {
        0 => {
            for row in 0..2 {
                let count = 7 - row * 2;
                for i in 0..count {
                    let r = half * art.between(0.095, 0.13);
                    let dx = half * (i as f32 / (count - 1) as f32 * 1.5 - 0.75) * (1.0 - 0.25 * row as f32);
                    berry(art, x + dx, top - half * (0.1 + 0.15 * row as f32), r);
                }
            }
        }
        1 => {
            let count = art.count(3, 5);
            for i in 0..count {
                let dx = half * (i as f32 / (count - 1) as f32 * 1.3 - 0.65);
                candle(art, x + dx, top - half * 0.02, half);
            }
        }
        2 => {
            let leaf = Colour::hex(0x6F9068).mix(art.palette.land[3], 0.4);
            for i in 0..7 {
                let angle = PI + PI * (i as f32 + 0.5) / 7.0;
                let tip = (x + angle.cos() * half * 0.8, top + angle.sin() * half * 0.45);
                art.flat(&shape::leaf((x, top), tip, half * 0.09, 0.0), leaf);
            }
            for i in 0..5 {
                let (dx, dy) = (half * (i as f32 * 0.27 - 0.54), half * (0.12 + 0.1 * ((i % 2) as f32)));
                let (kind, bloom, heart) = (if i % 2 == 0 { 1 } else { 2 }, art.palette.light, art.palette.pop[1]);
                let colour = if i % 2 == 0 { art.palette.pop[0] } else { bloom };
                flower(art, x + dx, top - dy, half * 0.2, kind, colour, heart);
            }
        }
        _ => {
            let cream = Colour::hex(0xFFF4E0);
            for i in 0..5 {
                let dx = half * (i as f32 * 0.36 - 0.72);
                let swirl = shape::turned(
                    x + dx,
                    top,
                    half * 0.3,
                    &[(0.0, half * 0.16), (0.3, half * 0.17), (0.6, half * 0.1), (1.0, 1.0)],
                );
                art.solid(&swirl, cream);
                berry(art, x + dx, top - half * 0.3, half * 0.085);
            }
        }
    }
}

fn candle(art: &mut Art, x: f32, top: f32, half: f32) {
    let (wide, tall) = (half * 0.07, half * art.between(0.42, 0.55));
    let wax = art.pick(&[0usize, 1, 2]);
    let wax = [art.palette.pop[0], art.palette.pop[2], art.palette.paper][wax];
    art.solid(&shape::rect(x - wide / 2.0, top - tall, wide, tall), wax);
    for i in 0..4 {
        let y = top - tall * (0.15 + 0.22 * i as f32);
        art.fill(
            &shape::line(&[(x - wide / 2.0, y), (x + wide / 2.0, y - wide * 0.8)], wide * 0.3),
            &Brush::flat(art.palette.light).alpha(0.7),
        );
    }
    let flame = (x, top - tall - wide * 1.1);
    let (light, warm) = (art.palette.light, Colour::hex(0xF7B03C));
    art.canvas.glow(flame.0, flame.1, half * 0.5, warm, 0.5);
    art.flat(&shape::leaf((x, top - tall), (x, top - tall - wide * 2.8), wide * 0.9, 0.0), warm);
    art.flat(&shape::leaf((x, top - tall), (x, top - tall - wide * 1.7), wide * 0.5, 0.0), light);
}

/// A wedge seen from the side, on a plate, with a fork.
fn slice(art: &mut Art, foot: f32, unit: f32) {
    let (w, side) = (art.width, art.side);
    let (dough, cream, icing) = sponge(art);
    let x = w * 0.5;
    let china = art.palette.paper.lighter(0.02);
    let ink = art.palette.ink;
    let plate = shape::ellipse(x, foot, unit * 0.42, unit * 0.075);
    art.canvas.shadow(&plate, 0.0, 8.0, 10.0, &Brush::flat(ink).alpha(0.35));
    art.solid(&plate, china);
    art.fill(&shape::ellipse(x, foot - unit * 0.008, unit * 0.32, unit * 0.052), &Brush::flat(china.lighter(-0.05)));
    let (length, tall, rise) = (unit * 0.58, unit * art.between(0.3, 0.36), unit * 0.085);
    let tip = (x - side * length * 0.52, foot - unit * 0.005);
    let back = (x + side * length * 0.48, foot - unit * 0.012);
    let front = shape::polygon(&[tip, back, (back.0, back.1 - tall), (tip.0, tip.1 - tall)]);
    art.solid(&front, dough);
    let Some(stencil) = art.canvas.stencil(&front) else { return };
    let layers = art.count(2, 3);
    for i in 1..=layers {
        let y = foot - tall * i as f32 / (layers as f32 + 1.0);
        let wave: Vec<At> = (0..=12)
            .map(|k| {
                (
                    x - length * 0.6 + length * 1.2 * k as f32 / 12.0,
                    y + (k as f32 * 1.9 + i as f32).sin() * tall * 0.012,
                )
            })
            .collect();
        art.canvas.fill_within(&stencil, &shape::stroke(&wave, tall * 0.1), &Brush::flat(cream));
        art.canvas.fill_within(
            &stencil,
            &shape::stroke(&wave, tall * 0.03),
            &Brush::flat(art.palette.pop[0].lighter(-0.04)).alpha(0.9),
        );
    }
    let crumbs = (0..70).map(|_| {
        shape::circle(
            x + length * (art.rng.uniform() - 0.5),
            foot - tall * art.rng.uniform(),
            0.8 + 1.2 * art.rng.uniform(),
        )
    });
    let crumbs = shape::together(crumbs.collect::<Vec<_>>());
    art.canvas.fill_within(&stencil, &crumbs, &Brush::flat(dough.lighter(-0.13)).alpha(0.45));
    let top = shape::polygon(&[
        (tip.0, tip.1 - tall),
        (back.0, back.1 - tall),
        (back.0 - side * length * 0.12, back.1 - tall - rise * 1.5),
        (back.0 - side * length * 0.2, back.1 - tall - rise * 1.45),
    ]);
    art.solid(&top, icing.lighter(0.03));
    let mut parts = vec![shape::rounded(
        (tip.0).min(back.0) - 2.0,
        tip.1 - tall - tall * 0.02,
        length + 4.0,
        tall * 0.1,
        tall * 0.04,
    )];
    for i in 0..8 {
        let dx = (tip.0).min(back.0) + length * (i as f32 + 0.5) / 8.0;
        let (drop, wide) = (tall * art.between(0.1, 0.34), length * 0.055);
        parts.push(shape::rounded(dx - wide / 2.0, tip.1 - tall, wide, drop, wide / 2.0));
    }
    art.solid(&shape::together(parts), icing);
    let (bx, by) = (back.0 - side * length * 0.22, back.1 - tall - rise * 0.7);
    let swirl =
        shape::turned(bx, by, unit * 0.1, &[(0.0, unit * 0.065), (0.3, unit * 0.068), (0.6, unit * 0.04), (1.0, 1.0)]);
    art.solid(&swirl, Colour::hex(0xFFF4E0));
    berry(art, bx, by - unit * 0.1, unit * 0.038);
    fork(art, x - side * unit * 0.1, foot + unit * 0.1, unit * 0.5);
}

fn fork(art: &mut Art, x: f32, y: f32, length: f32) {
    let steel = art.palette.land[1].mix(Colour::hex(0xE8E4DC), 0.6);
    let half = length / 2.0;
    let mut parts = vec![
        shape::stroke(&[(x - half, y), (x, y - 3.0), (x + half * 0.5, y)], 4.5),
        shape::ellipse(x + half * 0.58, y, half * 0.14, 8.0),
    ];
    for i in -1..=1 {
        parts.push(shape::line(&[(x + half * 0.62, y + i as f32 * 5.5), (x + half, y + i as f32 * 6.0)], 2.6));
    }
    let whole = shape::turn(shape::together(parts), -0.06, x, y);
    art.shadow(&whole, 3.0, 5.0, 0.35);
    art.solid(&whole, steel);
}
