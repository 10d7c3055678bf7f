//! Citrus fruit.

use std::f32::consts::{PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::colour::Colour;
use super::flowers::flower;
use super::pots::table;
use super::shape::{self, At};

/// Citrus: slices, a branch, a bowl.
pub(crate) fn citrus(art: &mut Art) {
    match art.form {
        0 => slices(art),
        1 => lemon_branch(art),
        _ => fruit_bowl(art),
    }
}

fn rinds(art: &Art) -> [Colour; 4] {
    let p = &art.palette;
    [
        Colour::hex(0xF4C22F).mix(p.pop[1], 0.35),
        Colour::hex(0xF08A24).mix(p.pop[0], 0.3),
        Colour::hex(0xE8584A).mix(p.pop[0], 0.35),
        Colour::hex(0xA3C14A).mix(p.pop[2], 0.25),
    ]
}

fn slices(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let ground = match art.count(0, 3) {
        0 => art.palette.paper,
        1 => art.palette.land[0],
        2 => art.palette.pop[2].mix(art.palette.paper, 0.35),
        _ => art.palette.land[3],
    };
    art.wall(ground);
    let rinds = rinds(art);
    let only = if art.chance(0.3) { Some(art.count(0, 3)) } else { None };
    let columns = art.count(2, 4);
    let cell = w / columns as f32;
    let rows = (h / cell / 0.9).ceil() as usize + 1;
    for row in 0..rows {
        for column in 0..=columns {
            let x = (column as f32 + if row % 2 == 0 { 0.5 } else { 0.0 }) * cell + art.between(-0.03, 0.03) * cell;
            let y = (row as f32 + 0.35) * cell * 0.9 + art.between(-0.03, 0.03) * cell;
            let rind = rinds[only.unwrap_or((row * 2 + column * 3 + row / 2) % 4)];
            let r = cell * art.between(0.35, 0.41);
            let cut = art.chance(0.16);
            slice(art, x, y, r, rind, cut);
            let (lx, ly) = (x + cell * 0.5, y + art.between(-0.1, 0.1) * cell);
            if art.chance(0.35) {
                sprig(art, lx, ly, cell * 0.2);
            }
        }
    }
}

fn slice(art: &mut Art, x: f32, y: f32, r: f32, rind: Colour, half: bool) {
    let turn = art.between(0.0, TAU);
    let disc = |share: f32| if half { shape::half(x, y, r * share, turn) } else { shape::circle(x, y, r * share) };
    art.shadow(&disc(1.0), 5.0, 7.0, 0.28);
    art.solid(&disc(1.0), rind);
    let pith = Colour::hex(0xFFF3D6).mix(rind, 0.12);
    art.flat(&disc(0.91), pith);
    let (segments, flesh) = (if half { 5 } else { 10 }, rind.lighter(0.055));
    let sweep = if half { PI } else { TAU };
    for i in 0..segments {
        let from = turn + sweep * i as f32 / segments as f32 + 0.055;
        let to = turn + sweep * (i + 1) as f32 / segments as f32 - 0.055;
        let middle = (from + to) / 2.0;
        let inner = (x + middle.cos() * r * 0.09, y + middle.sin() * r * 0.09);
        let piece = shape::wedge(inner.0, inner.1, r * 0.76, from + 0.01, to - 0.01);
        art.fill(
            &piece,
            &Brush::radial((x, y), r * 0.86, &[flesh.lighter(0.08), flesh, rind.lighter(-0.01)]).grain(0.35),
        );
        let sparkle = shape::leaf(
            (x + middle.cos() * r * 0.3, y + middle.sin() * r * 0.3),
            (x + middle.cos() * r * 0.62, y + middle.sin() * r * 0.62),
            r * 0.045,
            0.1,
        );
        art.fill(&sparkle, &Brush::flat(pith).alpha(0.4));
    }
}

fn sprig(art: &mut Art, x: f32, y: f32, size: f32) {
    let leaf = Colour::hex(0x5E8C55).mix(art.palette.land[3], 0.35);
    let turn = art.between(0.0, TAU);
    for i in 0..3 {
        let angle = turn + (i as f32 - 1.0) * 0.8;
        let tip = (x + angle.cos() * size, y + angle.sin() * size);
        art.fill(
            &shape::leaf((x, y), tip, size * 0.3, 0.06),
            &Brush::linear((x, y), tip, &[leaf.lighter(-0.05), leaf.lighter(0.07)]).grain(0.2),
        );
        art.fill(&shape::line(&[(x, y), tip], 1.1), &Brush::flat(leaf.lighter(0.17)).alpha(0.6));
    }
}

fn lemon_branch(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let ground = match art.count(0, 3) {
        0 => art.palette.paper,
        1 => art.palette.pop[2].mix(art.palette.paper, 0.25),
        2 => art.palette.land[3],
        _ => art.palette.sky[1],
    };
    art.wall(ground);
    let wood = art.palette.land[4].mix(Colour::hex(0x6B4A2F), 0.5);
    let flip = art.chance(0.5);
    let fx = |x: f32| if flip { w - x } else { x };
    let main: Vec<At> = (0..=9)
        .map(|i| i as f32 / 9.0)
        .map(|t| (fx(w * (-0.06 + 0.95 * t)), h * (0.1 + 0.5 * t * t) + (t * 7.0).sin() * h * 0.02))
        .collect();
    art.flat(&shape::stroke(&main, 7.0), wood);
    let leaf = Colour::hex(0x4F7F52).mix(art.palette.land[3], 0.35);
    let rinds = rinds(art);
    let rind = if art.chance(0.75) { rinds[0] } else { rinds[1] };
    for (i, &at) in main.iter().enumerate().skip(1) {
        for side in [-1.0, 1.0] {
            for _ in 0..2 {
                let angle = 0.5 + side * art.between(0.5, 1.7) + if flip { 1.6 } else { 0.0 };
                let tip = (
                    at.0 + angle.cos() * w * art.between(0.15, 0.25),
                    at.1 + angle.sin() * w * art.between(0.15, 0.25),
                );
                let tone = leaf.lighter(art.between(-0.08, 0.1));
                let blade = shape::leaf(at, tip, w * art.between(0.045, 0.065), side * 0.1);
                art.shadow(&blade, 4.0, 7.0, 0.2);
                art.fill(&blade, &Brush::linear(at, tip, &[tone.lighter(-0.06), tone, tone.lighter(0.06)]).grain(0.2));
                art.fill(&shape::line(&[at, tip], 1.4), &Brush::flat(tone.lighter(0.16)).alpha(0.7));
            }
        }
        if i % 2 == 0 {
            let drop = h * art.between(0.06, 0.14);
            let size = w * art.between(0.105, 0.14);
            art.flat(&shape::stroke(&[at, (at.0 + 4.0, at.1 + drop * 0.5), (at.0, at.1 + drop)], 2.6), wood);
            lemon(art, at.0, at.1 + drop + size, size, rind);
        } else if art.chance(0.5) {
            let (bloom, heart) = (art.palette.light, art.palette.pop[1]);
            flower(art, at.0 + 12.0, at.1 + 16.0, w * 0.045, 1, bloom, heart);
        }
    }
    let (x, y, r) = (fx(w * 0.24), h * art.between(0.72, 0.82), w * 0.14);
    if art.chance(0.6) {
        slice(art, x, y, r, rind, false);
    }
}

fn lemon(art: &mut Art, x: f32, y: f32, size: f32, rind: Colour) {
    let tilt = art.between(-0.4, 0.4);
    let body = shape::turned(
        x,
        y + size * 1.12,
        size * 2.24,
        &[
            (0.0, size * 0.06),
            (0.06, size * 0.15),
            (0.13, size * 0.42),
            (0.3, size * 0.76),
            (0.52, size * 0.84),
            (0.74, size * 0.7),
            (0.9, size * 0.34),
            (1.0, size * 0.1),
        ],
    );
    let body = shape::turn(body, tilt, x, y);
    art.shadow(&body, 8.0, 10.0, 0.28);
    let lit = (x + art.side * size * 0.35, y - size * 0.35);
    art.fill(&body, &Brush::radial(lit, size * 1.7, &[rind.lighter(0.1), rind, rind.lighter(-0.12)]).grain(0.25));
    art.fill(&shape::ellipse(lit.0, lit.1, size * 0.13, size * 0.22), &Brush::flat(art.palette.light).alpha(0.4));
}

fn fruit_bowl(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let wall = if art.chance(0.5) { art.palette.land[0] } else { art.palette.pop[2].mix(art.palette.paper, 0.3) };
    art.wall(wall);
    let (lx, ly) = (w * art.between(0.05, 0.3), h * 0.08);
    if art.chance(0.6) {
        art.window_light(lx, ly, w * 0.45, h * 0.4, 0.4);
    }
    let desk = h * art.between(0.7, 0.76);
    table(art, desk);
    let (x, foot, r) = (w * 0.5, desk + h * 0.1, w.min(h * 0.8) * 0.34);
    let rinds = rinds(art);
    let pile = [
        (-0.62, 0.0),
        (-0.2, -0.06),
        (0.24, -0.05),
        (0.64, 0.0),
        (-0.4, -0.42),
        (0.02, -0.47),
        (0.43, -0.41),
        (-0.16, -0.82),
        (0.22, -0.84),
    ];
    let count = art.count(6, 9);
    let top = foot - r * 0.95;
    for &(dx, dy) in pile.iter().take(count).rev() {
        let size = r * art.between(0.25, 0.285);
        let rind = rinds[if art.chance(0.75) { 1 } else { 0 }];
        let (ox, oy) = (x + dx * r, top + dy * r + r * 0.02);
        orange(art, ox, oy, size, rind);
    }
    let clay = art.pick(&[0usize, 1, 2]);
    let clay = [art.palette.paper, art.palette.land[3], art.palette.land[2]][clay];
    let dish = shape::turned(
        x,
        foot,
        r * 0.95,
        &[(0.0, r * 0.42), (0.1, r * 0.38), (0.18, r * 0.2), (0.3, r * 0.3), (0.6, r * 0.86), (1.0, r * 1.06)],
    );
    let ink = art.palette.ink;
    art.canvas.shadow(
        &shape::ellipse(x - art.side * r * 0.3, foot, r * 0.9, r * 0.09),
        0.0,
        0.0,
        10.0,
        &Brush::flat(ink).alpha(0.4),
    );
    art.solid(&dish, clay);
    let band = shape::stroke(&[(x - r, top + r * 0.16), (x, top + r * 0.24), (x + r, top + r * 0.16)], r * 0.05);
    if let Some(stencil) = art.canvas.stencil(&dish) {
        let colour = if clay.lightness() > 0.7 { art.palette.land[3] } else { art.palette.paper };
        art.canvas.fill_within(&stencil, &band, &Brush::flat(colour).alpha(0.8));
    }
    let (side, cut) = (art.side, rinds[1]);
    slice(art, x + side * r * 0.98, foot + h * 0.012, r * 0.24, cut, false);
    orange(art, x - side * r * 1.0, foot - r * 0.1, r * 0.25, rinds[0]);
}

fn orange(art: &mut Art, x: f32, y: f32, r: f32, rind: Colour) {
    let ball = shape::circle(x, y, r);
    art.shadow(&ball, 4.0, 7.0, 0.25);
    let lit = (x + art.side * r * 0.35, y - r * 0.35);
    art.fill(&ball, &Brush::radial(lit, r * 1.5, &[rind.lighter(0.1), rind, rind.lighter(-0.13)]).grain(0.3));
    let star = (x + art.between(-0.3, 0.3) * r, y - r * art.between(0.3, 0.7));
    art.flat(&shape::circle(star.0, star.1, r * 0.07), Colour::hex(0x5B7A3C));
    if art.chance(0.4) {
        sprig(art, star.0, star.1, r * 0.7);
    }
}
