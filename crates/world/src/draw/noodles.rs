//! Noodles, from above.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::art::Art;
use super::brush::Brush;
use super::canvas::Stencil;
use super::colour::Colour;
use super::shape::{self, At, Shape};

/// Bowls from above.
pub(crate) fn noodles(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    cloth(art);
    if art.form == 2 {
        let r = w.min(h * 0.62) * art.between(0.3, 0.34);
        let side = art.side;
        bowl(art, w * 0.5 - side * w * 0.14, h * 0.5 - r * 0.86, r, 0);
        bowl(art, w * 0.5 + side * w * 0.14, h * 0.5 + r * 0.92, r, 1);
        chopsticks(art, w * 0.5 + side * w * 0.33, h * 0.26, h * 0.42);
        cup(art, w * 0.5 - side * w * 0.33, h * 0.78, r * 0.36);
    } else {
        let r = w.min(h * 0.82) * art.between(0.37, 0.42);
        let (x, y) = (w * art.between(0.44, 0.56), h * art.between(0.44, 0.54));
        let kind = art.form;
        bowl(art, x, y, r, kind);
        let up = if art.chance(0.5) { 0.0 } else { -r * 0.2 };
        chopsticks(art, x, y + up, h * 0.95);
        if h > 560.0 {
            let corner = if art.chance(0.5) { 0.14 } else { 0.86 };
            let down = art.between(0.08, 0.13);
            cup(art, w * corner, h * down.max(0.1), r * 0.3);
        }
    }
}

fn cloth(art: &mut Art) {
    let (w, h) = (art.width, art.height);
    let ground = match art.count(0, 3) {
        0 => art.palette.land[3],
        1 => art.palette.land[1],
        2 => art.palette.paper.lighter(-0.04),
        _ => art.palette.land[2],
    };
    art.wall(ground);
    let line = Brush::flat(art.palette.ink).alpha(0.12);
    match art.count(0, 2) {
        0 => {
            for i in 1..5 {
                art.fill(&shape::rect(0.0, h * i as f32 / 5.0, w, 1.6), &line);
            }
        }
        1 => {
            let stripe = Brush::flat(art.palette.paper).alpha(0.3);
            let x = w * art.between(0.1, 0.3);
            for i in 0..3 {
                art.fill(&shape::rect(x + i as f32 * 14.0, 0.0, 6.0, h), &stripe);
            }
        }
        _ => {
            let mat = shape::rounded(w * 0.08, h * 0.1, w * 0.84, h * 0.8, 8.0);
            art.shadow(&mat, 4.0, 10.0, 0.2);
            let colour = ground.lighter(if ground.lightness() > 0.6 { -0.08 } else { 0.08 });
            art.solid(&mat, colour);
        }
    }
}

fn bowl(art: &mut Art, x: f32, y: f32, r: f32, kind: usize) {
    let p = art.palette.clone();
    let glaze = art.pick(&[p.paper, p.land[4], p.pop[2].lighter(-0.06), p.pop[0].lighter(-0.05)]);
    art.shadow(&shape::circle(x, y, r), r * 0.12, r * 0.16, 0.5);
    art.solid(&shape::circle(x, y, r), glaze);
    let rim = Brush::flat(if glaze.lightness() > 0.7 { p.land[3] } else { p.paper }).alpha(0.8);
    art.fill(&shape::ring(x, y, r * 0.955, r * 0.022), &rim);
    art.fill(&shape::circle(x, y, r * 0.88), &Brush::flat(glaze.lighter(-0.1)));
    let soup = shape::circle(x, y, r * 0.845);
    let broth = Colour::hex(0xC98842).mix(p.pop[1], 0.35).lighter(if kind == 1 { -0.05 } else { 0.0 });
    art.fill(
        &soup,
        &Brush::radial(
            (x + art.side * r * 0.2, y - r * 0.2),
            r * 1.1,
            &[broth.lighter(0.08), broth, broth.lighter(-0.09)],
        )
        .grain(0.08),
    );
    let Some(stencil) = art.canvas.stencil(&soup) else { return };
    strands(art, &stencil, x, y, r);
    toppings(art, &stencil, x, y, r, kind);
    for _ in 0..9 {
        let (angle, reach) = (art.between(0.0, TAU), r * art.between(0.3, 0.78));
        let drop = shape::circle(x + angle.cos() * reach, y + angle.sin() * reach, r * art.between(0.012, 0.035));
        art.canvas.fill_within(&stencil, &drop, &Brush::flat(p.light).alpha(0.3));
    }
    art.fill(
        &shape::arc(
            x,
            y,
            r * 0.915,
            if art.side < 0.0 { PI * 0.95 } else { PI * 1.6 },
            if art.side < 0.0 { PI * 1.4 } else { PI * 2.05 },
            r * 0.022,
        ),
        &Brush::flat(p.light).alpha(0.5),
    );
}

fn strands(art: &mut Art, within: &Stencil, x: f32, y: f32, r: f32) {
    let dough = Colour::hex(0xF2D489).mix(art.palette.paper, 0.25);
    for nest in 0..5 {
        let (angle, reach) = (nest as f32 * 1.9 + art.between(0.0, 0.6), r * art.between(0.1, 0.4));
        let (cx, cy) = (x + angle.cos() * reach, y + angle.sin() * reach);
        let turn = art.between(0.0, TAU);
        for k in 0..9 {
            let radius = r * (0.1 + 0.045 * k as f32);
            let from = turn + k as f32 * 0.13;
            let sweep = art.between(1.5, 2.9);
            let squash = 0.62;
            let points: Vec<At> = (0..=9)
                .map(|i| from + sweep * i as f32 / 9.0)
                .map(|a| (cx + a.cos() * radius, cy + a.sin() * radius * squash))
                .map(|at| shape::turned_point(at, (cx, cy), turn))
                .collect();
            let edge = shape::stroke(&points, r * 0.043);
            art.canvas.fill_within(within, &edge, &Brush::flat(dough.lighter(-0.16)).alpha(0.55));
            let strand = shape::stroke(&points, r * 0.031);
            let tone = dough.lighter(art.between(-0.05, 0.05));
            art.canvas.fill_within(within, &strand, &Brush::flat(tone));
        }
    }
}

fn toppings(art: &mut Art, within: &Stencil, x: f32, y: f32, r: f32, kind: usize) {
    let turn = art.between(0.0, TAU);
    let spot = |i: usize, reach: f32| {
        let angle = turn + i as f32 * TAU / 5.0;
        (x + angle.cos() * r * reach, y + angle.sin() * r * reach)
    };
    if kind == 0 {
        let sheet = spot(0, 0.66);
        let nori = shape::turn(
            shape::rounded(sheet.0 - r * 0.24, sheet.1 - r * 0.3, r * 0.48, r * 0.6, 2.0),
            turn + FRAC_PI_2,
            sheet.0,
            sheet.1,
        );
        art.canvas.fill_within(within, &nori, &Brush::flat(Colour::hex(0x22332B).mix(art.palette.ink, 0.4)));
        roast(art, spot(1, 0.46), r * 0.25);
        roast(art, spot(1, 0.16), r * 0.22);
        fish_cake(art, spot(3, 0.5), r * 0.16);
    } else {
        greens(art, spot(0, 0.4), r * 0.45, turn);
        greens(art, spot(1, 0.45), r * 0.4, turn + 1.4);
        mushroom(art, spot(3, 0.48), r * 0.2);
        mushroom(art, spot(3, 0.16), r * 0.17);
    }
    egg(art, spot(2, 0.46), r * 0.22, turn);
    egg(art, spot(4, 0.48), r * 0.21, turn + 0.8);
    let (green, red) = (Colour::hex(0x79A85A).mix(art.palette.land[2], 0.25), art.palette.pop[0]);
    for i in 0..26 {
        let (angle, reach) = (art.between(0.0, TAU), r * 0.72 * art.rng.uniform().sqrt());
        let at = (x + angle.cos() * reach, y + angle.sin() * reach);
        if i % 5 == 0 {
            art.flat(&shape::ellipse(at.0, at.1, r * 0.02, r * 0.014), red);
        } else {
            art.flat(
                &shape::ring(at.0, at.1, r * 0.022, r * 0.014),
                green.lighter(if i % 2 == 0 { 0.06 } else { -0.04 }),
            );
        }
    }
}

fn egg(art: &mut Art, at: At, r: f32, turn: f32) {
    let white = Colour::hex(0xFBF4E4);
    let yolk = Colour::hex(0xF2A73B).mix(art.palette.pop[1], 0.3);
    let place = |shape: Shape| shape::turn(shape, turn, at.0, at.1);
    let outer = place(shape::ellipse(at.0, at.1, r, r * 0.78));
    art.shadow(&outer, 3.0, 5.0, 0.35);
    art.solid(&outer, white);
    let core = place(shape::ellipse(at.0, at.1, r * 0.58, r * 0.5));
    art.fill(
        &core,
        &Brush::radial((at.0 - r * 0.1, at.1 - r * 0.1), r * 0.6, &[yolk.lighter(0.07), yolk, yolk.lighter(-0.06)]),
    );
    art.fill(
        &place(shape::ellipse(at.0 - r * 0.2, at.1 - r * 0.18, r * 0.14, r * 0.08)),
        &Brush::flat(white).alpha(0.6),
    );
}

fn roast(art: &mut Art, at: At, r: f32) {
    let meat = Colour::hex(0xC98A6B).mix(art.palette.pop[0], 0.15);
    let disc = shape::circle(at.0, at.1, r);
    art.shadow(&disc, 3.0, 5.0, 0.3);
    art.solid(&disc, meat.lighter(-0.12));
    art.solid(&shape::circle(at.0, at.1, r * 0.9), meat);
    let fat = meat.lighter(0.17);
    let spiral: Vec<At> = (0..26)
        .map(|i| i as f32 / 25.0)
        .map(|t| (at.0 + (t * 9.0).cos() * r * 0.75 * t, at.1 + (t * 9.0).sin() * r * 0.75 * t))
        .collect();
    art.fill(&shape::stroke(&spiral, r * 0.11), &Brush::flat(fat).alpha(0.85));
}

fn fish_cake(art: &mut Art, at: At, r: f32) {
    let white = Colour::hex(0xFDF8EF);
    let corners: Vec<At> = (0..32)
        .map(|i| i as f32 / 32.0 * TAU)
        .map(|a| {
            (at.0 + a.cos() * r * (1.0 + 0.06 * (a * 11.0).sin()), at.1 + a.sin() * r * (1.0 + 0.06 * (a * 11.0).sin()))
        })
        .collect();
    let disc = shape::smooth(&corners);
    art.shadow(&disc, 3.0, 4.0, 0.3);
    art.flat(&disc, white);
    let pink = Colour::hex(0xEE8FA0).mix(art.palette.pop[0], 0.3);
    let swirl: Vec<At> = (0..24)
        .map(|i| i as f32 / 23.0)
        .map(|t| (at.0 + (t * 8.5).cos() * r * 0.66 * t, at.1 + (t * 8.5).sin() * r * 0.66 * t))
        .collect();
    art.flat(&shape::stroke(&swirl, r * 0.13), pink);
}

fn greens(art: &mut Art, at: At, size: f32, turn: f32) {
    let leaf = Colour::hex(0x5F9157).mix(art.palette.land[3], 0.25);
    for i in 0..6 {
        let angle = turn + i as f32 * 0.42 - 1.0;
        let tip = (at.0 + angle.cos() * size, at.1 + angle.sin() * size);
        let tone = leaf.lighter(art.between(-0.06, 0.1));
        let blade = shape::leaf(at, tip, size * 0.24, 0.08);
        art.shadow(&blade, 2.0, 4.0, 0.2);
        art.fill(&blade, &Brush::linear(at, tip, &[tone.lighter(0.16), tone, tone.lighter(-0.04)]).grain(0.2));
        art.fill(&shape::line(&[at, tip], 1.4), &Brush::flat(tone.lighter(0.2)).alpha(0.7));
    }
}

fn mushroom(art: &mut Art, at: At, r: f32) {
    let cap = Colour::hex(0x8A6242).mix(art.palette.land[3], 0.2);
    let disc = shape::circle(at.0, at.1, r);
    art.shadow(&disc, 3.0, 4.0, 0.3);
    art.solid(&disc, cap);
    for i in 0..3 {
        let angle = i as f32 * PI / 3.0 + 0.4;
        let (dx, dy) = (angle.cos() * r * 0.7, angle.sin() * r * 0.7);
        art.flat(&shape::leaf((at.0 - dx, at.1 - dy), (at.0 + dx, at.1 + dy), r * 0.1, 0.0), cap.lighter(0.24));
    }
}

fn chopsticks(art: &mut Art, x: f32, y: f32, length: f32) {
    let wood = if art.chance(0.5) {
        art.palette.ink.lighter(0.05)
    } else {
        Colour::hex(0xB98556).mix(art.palette.pop[0], 0.25)
    };
    let tilt = art.between(0.35, 0.75) * if art.chance(0.5) { 1.0 } else { -1.0 };
    for side in [-1.0, 1.0] {
        let angle = FRAC_PI_2 + tilt + side * 0.025;
        let (dx, dy) = (angle.cos() * length / 2.0, angle.sin() * length / 2.0);
        let (ox, oy) = (side * 9.0, side * 5.0);
        let stick = shape::polygon(&[
            (x - dx + ox - 3.8, y - dy + oy),
            (x - dx + ox + 3.8, y - dy + oy),
            (x + dx + ox * 0.4 + 1.8, y + dy),
            (x + dx + ox * 0.4 - 1.8, y + dy),
        ]);
        art.shadow(&stick, 7.0, 7.0, 0.4);
        art.solid(&stick, wood);
        let band = [(x - dx * 0.86 + ox, y - dy * 0.86 + oy), (x - dx * 0.78 + ox, y - dy * 0.78 + oy)];
        art.flat(&shape::line(&band, 7.0), art.palette.pop[1]);
    }
}

fn cup(art: &mut Art, x: f32, y: f32, r: f32) {
    let clay = art.palette.paper;
    art.shadow(&shape::circle(x, y, r), r * 0.16, r * 0.2, 0.45);
    art.solid(&shape::circle(x, y, r), clay);
    let tea = Colour::hex(0xA9B76A).mix(art.palette.pop[1], 0.4);
    art.fill(&shape::circle(x, y, r * 0.8), &Brush::radial((x, y), r, &[tea.lighter(0.06), tea.lighter(-0.08)]));
    art.fill(&shape::arc(x, y, r * 0.62, PI, PI * 1.5, r * 0.06), &Brush::flat(art.palette.light).alpha(0.6));
}
