//! The painter at work: canvas, colours, chance, and the things that many pictures share.

use std::f32::consts::TAU;

use domain::Rng;

use super::brush::Brush;
use super::canvas::Canvas;
use super::colour::Colour;
use super::palette::Palette;
use super::shape::{self, At, Shape};

/// One picture in the making.
pub(crate) struct Art {
    pub(crate) canvas: Canvas,
    pub(crate) palette: Palette,
    pub(crate) rng: Rng,
    /// Which of the topic's forms is painted.
    pub(crate) form: usize,
    pub(crate) width: f32,
    pub(crate) height: f32,
    /// Where the light comes from: −1 from the left, 1 from the right.
    pub(crate) side: f32,
}

impl Art {
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.rng.uniform()
    }

    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.rng.uniform() < probability
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.rng.below((high - low + 1) as u32) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.below(choices.len() as u32) as usize]
    }

    /// The length that things are measured by: the width, less where the picture is low.
    pub(crate) fn unit(&self) -> f32 {
        self.width.min(self.height * 0.78)
    }

    pub(crate) fn fill(&mut self, shape: &Shape, brush: &Brush) {
        self.canvas.fill(shape, brush);
    }

    pub(crate) fn flat(&mut self, shape: &Shape, colour: Colour) {
        self.canvas.fill(shape, &Brush::flat(colour));
    }

    /// A thing with volume: lit from the picture's side, grainy in the shade.
    pub(crate) fn solid(&mut self, shape: &Shape, colour: Colour) {
        let brush = self.volume(shape, colour, 0.07);
        self.canvas.fill(shape, &brush);
    }

    /// The brush of a thing with volume.
    pub(crate) fn volume(&self, shape: &Shape, colour: Colour, depth: f32) -> Brush {
        let Some(path) = shape else { return Brush::flat(colour) };
        let bounds = path.bounds();
        let (lit, dark) =
            if self.side < 0.0 { (bounds.left(), bounds.right()) } else { (bounds.right(), bounds.left()) };
        let lean = bounds.height() * 0.25;
        let colours = [colour.lighter(depth), colour, colour.lighter(-depth * 1.2)];
        Brush::linear((lit, bounds.top() + lean), (dark, bounds.bottom() - lean), &colours).grain(0.22)
    }

    /// The soft shadow of a thing that stands or hangs before something, away from the light.
    pub(crate) fn shadow(&mut self, shape: &Shape, distance: f32, blur: f32, alpha: f32) {
        let ink = self.palette.ink;
        let dx = -self.side * distance;
        self.canvas.shadow(shape, dx, distance * 0.6, blur, &Brush::flat(ink).alpha(alpha));
    }

    /// Sky from the top down to `horizon`, going on below it in the last colour.
    pub(crate) fn sky(&mut self, horizon: f32) {
        let brush = Brush::down(0.0, horizon, &self.palette.sky).grain(0.05);
        self.canvas.flood(&brush);
    }

    /// Sun or moon: a disc in a halo.
    pub(crate) fn sun(&mut self, x: f32, y: f32, radius: f32, colour: Colour) {
        self.canvas.glow(x, y, radius * 4.5, colour, 0.5);
        self.canvas.glow(x, y, radius * 2.0, colour, 0.45);
        let disc = shape::circle(x, y, radius);
        self.fill(
            &disc,
            &Brush::down(y - radius, y + radius, &[colour.lighter(0.02), colour.lighter(-0.03)]).grain(0.2),
        );
    }

    /// A soft line of hills: points from left to right a little beyond the edges.
    pub(crate) fn hills(&mut self, base: f32, rise: f32, bumps: usize) -> Vec<At> {
        let (start, span) = (-20.0, self.width + 40.0);
        let phase = self.between(0.0, TAU);
        let second = self.between(0.0, TAU);
        let steps = bumps * 4;
        (0..=steps)
            .map(|i| {
                let t = i as f32 / steps as f32;
                let wave = (t * bumps as f32 * TAU * 0.5 + phase).sin() * 0.7
                    + (t * bumps as f32 * TAU * 1.13 + second).sin() * 0.3;
                (start + t * span, base - rise * wave)
            })
            .collect()
    }

    /// A rough line of peaks by halving (midpoint displacement).
    pub(crate) fn ridge(&mut self, base: f32, rise: f32, rough: f32) -> Vec<At> {
        let (start, span) = (-20.0, self.width + 40.0);
        let mut heights = vec![self.between(0.0, 0.6), self.between(0.2, 1.0), self.between(0.0, 0.6)];
        heights[1] = heights[1].max(0.5);
        let mut swing = rough;
        for _ in 0..5 {
            let mut finer = Vec::with_capacity(heights.len() * 2);
            for pair in heights.windows(2) {
                let middle = (pair[0] + pair[1]) / 2.0 + self.between(-swing, swing);
                finer.extend([pair[0], middle]);
            }
            finer.extend(heights.last());
            heights = finer;
            swing *= 0.52;
        }
        let steps = heights.len() - 1;
        heights.iter().enumerate().map(|(i, up)| (start + span * i as f32 / steps as f32, base - rise * up)).collect()
    }

    /// Stars over the upper part of the picture.
    pub(crate) fn stars(&mut self, count: usize, bottom: f32) {
        let light = self.palette.light;
        for _ in 0..count {
            let (x, y) = (self.between(0.0, self.width), self.between(0.0, 1.0).powf(1.2) * bottom);
            let size = 0.5 + 1.3 * self.rng.uniform().powi(4);
            let alpha = self.between(0.35, 1.0);
            self.fill(&shape::circle(x, y, size), &Brush::flat(light).alpha(alpha));
            if size > 1.3 {
                self.canvas.glow(x, y, size * 6.0, light, 0.35);
            }
        }
    }

    /// A long flat cloud.
    pub(crate) fn cloud(&mut self, x: f32, y: f32, length: f32, colour: Colour, alpha: f32) {
        let puffs = self.count(3, 5);
        let mut parts = vec![shape::rounded(x - length / 2.0, y - length * 0.05, length, length * 0.1, length * 0.05)];
        for i in 0..puffs {
            let t = (i as f32 + 0.5) / puffs as f32;
            let middle = 1.0 - (t * 2.0 - 1.0).abs();
            let radius = length * (0.06 + 0.09 * middle) * self.between(0.8, 1.2);
            parts.push(shape::circle(x - length * 0.38 + t * length * 0.76, y - radius * 0.35, radius));
        }
        let whole = shape::together(parts);
        let brush = Brush::down(y - length * 0.16, y + length * 0.06, &[colour, colour.lighter(-0.05)]).grain(0.25);
        self.fill(&whole, &brush.alpha(alpha));
    }

    /// A conifer with its foot at (x, y).
    pub(crate) fn pine(&mut self, x: f32, y: f32, height: f32, colour: Colour) {
        let tiers = 5 + (height / 40.0) as usize;
        let mut right = vec![(x, y - height)];
        for i in 1..=tiers {
            let t = i as f32 / tiers as f32;
            let reach = height * 0.2 * t.powf(0.85) * self.between(0.8, 1.15);
            let down = y - height * (1.0 - t * 0.93);
            right.push((x + reach, down));
            right.push((x + reach * 0.45, down - height * 0.012));
        }
        let left: Vec<At> = right.iter().rev().map(|&(px, py)| (2.0 * x - px, py + self.rng.uniform() * 2.0)).collect();
        right.extend(left);
        let tree = shape::polygon(&right);
        self.fill(&tree, &Brush::down(y - height, y, &[colour, colour.lighter(-0.03)]));
        self.flat(&shape::rect(x - height * 0.012, y - height * 0.1, height * 0.024, height * 0.1), colour);
    }

    /// A few birds far away.
    pub(crate) fn birds(&mut self, x: f32, y: f32, count: usize, colour: Colour) {
        for _ in 0..count {
            let (bx, by) = (x + self.between(-46.0, 46.0), y + self.between(-22.0, 22.0));
            let span = self.between(4.0, 9.0);
            let wings = [(bx - span, by - span * 0.35), (bx - span * 0.4, by - span * 0.45), (bx, by)];
            let other = [(bx, by), (bx + span * 0.4, by - span * 0.45), (bx + span, by - span * 0.3)];
            self.flat(&shape::together([shape::stroke(&wings, 1.5), shape::stroke(&other, 1.5)]), colour);
        }
    }

    /// A broad paper margin around what was painted, as prints have.
    pub(crate) fn margin(&mut self, width: f32) {
        let paper = self.palette.paper;
        let (w, h) = (self.width, self.height);
        for (x, y, a, b) in
            [(0.0, 0.0, w, width), (0.0, h - width, w, width), (0.0, 0.0, width, h), (w - width, 0.0, width, h)]
        {
            self.flat(&shape::rect(x, y, a, b), paper);
        }
        let ink = self.palette.ink;
        let line = [(width, width), (w - width, width), (w - width, h - width), (width, h - width), (width, width)];
        self.fill(&shape::line(&line, 1.2), &Brush::flat(ink).alpha(0.25));
    }

    /// A lit, slightly grainy wall.
    pub(crate) fn wall(&mut self, colour: Colour) {
        let (lit, dark) = if self.side < 0.0 { (0.0, self.width) } else { (self.width, 0.0) };
        let colours = [colour.lighter(0.035), colour, colour.lighter(-0.05)];
        let brush = Brush::linear((lit, 0.0), (dark, self.height), &colours).grain(0.12);
        self.canvas.flood(&brush);
    }

    /// Window light that falls on a wall: slanted panes.
    pub(crate) fn window_light(&mut self, x: f32, y: f32, width: f32, height: f32, alpha: f32) {
        let light = self.palette.light;
        let (columns, rows) = (2, 3);
        let slant = -self.side * height * 0.28;
        let gap = width * 0.06;
        for column in 0..columns {
            for row in 0..rows {
                let (pane_w, pane_h) = (width / columns as f32 - gap, height / rows as f32 - gap);
                let (px, py) = (x + column as f32 * (pane_w + gap), y + row as f32 * (pane_h + gap));
                let lean = |at_y: f32| slant * (at_y - y) / height;
                let pane = shape::polygon(&[
                    (px + lean(py), py + (px - x) * 0.18),
                    (px + pane_w + lean(py), py + (px + pane_w - x) * 0.18),
                    (px + pane_w + lean(py + pane_h), py + pane_h + (px + pane_w - x) * 0.18),
                    (px + lean(py + pane_h), py + pane_h + (px - x) * 0.18),
                ]);
                self.canvas.shadow(&pane, 0.0, 0.0, 8.0, &Brush::flat(light).alpha(alpha));
            }
        }
    }
}
