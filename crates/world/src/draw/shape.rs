//! Shapes as paths. A shape that has no area is `None` and draws nothing.

use std::f32::consts::{PI, TAU};

use domain::Rng;
use tiny_skia::{LineCap, LineJoin, Path, PathBuilder, Rect, Stroke, Transform};

/// A path, if it could be built.
pub(crate) type Shape = Option<Path>;
/// A point in pixels.
pub(crate) type At = (f32, f32);

pub(crate) fn rect(x: f32, y: f32, width: f32, height: f32) -> Shape {
    Rect::from_xywh(x, y, width, height).map(PathBuilder::from_rect)
}

pub(crate) fn circle(x: f32, y: f32, radius: f32) -> Shape {
    PathBuilder::from_circle(x, y, radius)
}

pub(crate) fn ellipse(x: f32, y: f32, rx: f32, ry: f32) -> Shape {
    PathBuilder::from_oval(Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry)?)
}

/// A rectangle with round corners.
pub(crate) fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Shape {
    let r = radius.min(width / 2.0).min(height / 2.0).max(0.0);
    let k = r * 0.447_715; // r · (1 − 0.5523): control points of a quarter circle
    let (right, bottom) = (x + width, y + height);
    let mut pen = PathBuilder::new();
    pen.move_to(x + r, y);
    pen.line_to(right - r, y);
    pen.cubic_to(right - k, y, right, y + k, right, y + r);
    pen.line_to(right, bottom - r);
    pen.cubic_to(right, bottom - k, right - k, bottom, right - r, bottom);
    pen.line_to(x + r, bottom);
    pen.cubic_to(x + k, bottom, x, bottom - k, x, bottom - r);
    pen.line_to(x, y + r);
    pen.cubic_to(x, y + k, x + k, y, x + r, y);
    pen.close();
    pen.finish()
}

/// A doorway: straight sides, half a circle on top.
pub(crate) fn arch(x: f32, y: f32, width: f32, height: f32) -> Shape {
    let r = width / 2.0;
    let k = r * 0.447_715;
    let right = x + width;
    let spring = y + r.min(height);
    let mut pen = PathBuilder::new();
    pen.move_to(x, y + height);
    pen.line_to(x, spring);
    pen.cubic_to(x, y + k, x + k, y, x + r, y);
    pen.cubic_to(right - k, y, right, y + k, right, spring);
    pen.line_to(right, y + height);
    pen.close();
    pen.finish()
}

pub(crate) fn polygon(points: &[At]) -> Shape {
    let (first, rest) = points.split_first()?;
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, first.1);
    rest.iter().for_each(|point| pen.line_to(point.0, point.1));
    pen.close();
    pen.finish()
}

/// A closed smooth curve through the points (Catmull and Rom).
pub(crate) fn smooth(points: &[At]) -> Shape {
    let count = points.len();
    if count < 3 {
        return None;
    }
    let mut pen = PathBuilder::new();
    pen.move_to(points[0].0, points[0].1);
    for i in 0..count {
        let around = [(i + count - 1) % count, i, (i + 1) % count, (i + 2) % count].map(|k| points[k]);
        bend(&mut pen, around);
    }
    pen.close();
    pen.finish()
}

/// Everything under a smooth line, down to `bottom`: hills, waves.
pub(crate) fn under(line: &[At], bottom: f32) -> Shape {
    let (first, last) = (*line.first()?, *line.last()?);
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, bottom);
    pen.line_to(first.0, first.1);
    trace(&mut pen, line);
    pen.line_to(last.0, bottom);
    pen.close();
    pen.finish()
}

/// Everything under a line of straight pieces: mountains, roofs.
pub(crate) fn under_straight(line: &[At], bottom: f32) -> Shape {
    let (first, last) = (*line.first()?, *line.last()?);
    let closed: Vec<At> =
        std::iter::once((first.0, bottom)).chain(line.iter().copied()).chain([(last.0, bottom)]).collect();
    polygon(&closed)
}

/// A smooth stroke along the points.
pub(crate) fn stroke(points: &[At], width: f32) -> Shape {
    let first = points.first()?;
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, first.1);
    trace(&mut pen, points);
    outline(pen.finish()?, width)
}

/// A line of straight pieces.
pub(crate) fn line(points: &[At], width: f32) -> Shape {
    let (first, rest) = points.split_first()?;
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, first.1);
    rest.iter().for_each(|point| pen.line_to(point.0, point.1));
    outline(pen.finish()?, width)
}

/// Part of a circle's line, angles in radians, clockwise from the right.
pub(crate) fn arc(x: f32, y: f32, radius: f32, from: f32, to: f32, width: f32) -> Shape {
    let steps = ((to - from).abs() / 0.25).ceil().max(2.0) as usize;
    stroke(&around(x, y, radius, radius, from, to, steps), width)
}

/// A ring.
pub(crate) fn ring(x: f32, y: f32, radius: f32, width: f32) -> Shape {
    outline(circle(x, y, radius)?, width)
}

/// A slice of a disc.
pub(crate) fn wedge(x: f32, y: f32, radius: f32, from: f32, to: f32) -> Shape {
    let steps = ((to - from).abs() / 0.2).ceil().max(2.0) as usize;
    let mut points = around(x, y, radius, radius, from, to, steps);
    points.push((x, y));
    polygon_with_arc(&points)
}

/// A leaf between two points; `bend` pushes its middle sideways (share of the length).
pub(crate) fn leaf(from: At, to: At, width: f32, bend: f32) -> Shape {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(0.01);
    let (nx, ny) = (-dy / length, dx / length);
    let middle = (from.0 + dx * 0.45 + nx * bend * length, from.1 + dy * 0.45 + ny * bend * length);
    let side = |sign: f32| (middle.0 + sign * nx * width, middle.1 + sign * ny * width);
    let (left, right) = (side(1.0), side(-1.0));
    let mut pen = PathBuilder::new();
    pen.move_to(from.0, from.1);
    pen.quad_to(left.0, left.1, to.0, to.1);
    pen.quad_to(right.0, right.1, from.0, from.1);
    pen.close();
    pen.finish()
}

/// An uneven round thing.
pub(crate) fn blob(rng: &mut Rng, x: f32, y: f32, rx: f32, ry: f32, uneven: f32) -> Shape {
    const POINTS: usize = 8;
    let turn = rng.uniform() * TAU;
    let points: Vec<At> = (0..POINTS)
        .map(|i| {
            let angle = turn + i as f32 / POINTS as f32 * TAU;
            let reach = 1.0 + uneven * (rng.uniform() * 2.0 - 1.0);
            (x + angle.cos() * rx * reach, y + angle.sin() * ry * reach)
        })
        .collect();
    smooth(&points)
}

/// A vessel turned on a wheel: `profile` gives (height from the base 0..1, half width in px) from base to rim.
pub(crate) fn turned(x: f32, base: f32, height: f32, profile: &[At]) -> Shape {
    let right: Vec<At> = profile.iter().map(|&(up, half)| (x + half, base - up * height)).collect();
    let left: Vec<At> = profile.iter().rev().map(|&(up, half)| (x - half, base - up * height)).collect();
    let (first, last) = (*right.first()?, *left.last()?);
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, first.1);
    trace(&mut pen, &right);
    pen.line_to(left.first()?.0, left.first()?.1);
    trace(&mut pen, &left);
    pen.line_to(last.0, last.1);
    pen.close();
    pen.finish()
}

/// The shape turned by `angle` radians around a point.
pub(crate) fn turn(shape: Shape, angle: f32, x: f32, y: f32) -> Shape {
    shape?.transform(Transform::from_rotate_at(angle.to_degrees(), x, y))
}

/// The shape moved.
pub(crate) fn shift(shape: Shape, dx: f32, dy: f32) -> Shape {
    shape?.transform(Transform::from_translate(dx, dy))
}

/// Several shapes as one.
pub(crate) fn together(shapes: impl IntoIterator<Item = Shape>) -> Shape {
    let mut pen = PathBuilder::new();
    shapes.into_iter().flatten().for_each(|path| pen.push_path(&path));
    pen.finish()
}

/// Points on an ellipse from one angle to another.
pub(crate) fn around(x: f32, y: f32, rx: f32, ry: f32, from: f32, to: f32, steps: usize) -> Vec<At> {
    (0..=steps)
        .map(|i| {
            let angle = from + (to - from) * i as f32 / steps as f32;
            (x + rx * angle.cos(), y + ry * angle.sin())
        })
        .collect()
}

/// `at` turned around `centre`.
pub(crate) fn turned_point(at: At, centre: At, angle: f32) -> At {
    let (sin, cos) = angle.sin_cos();
    let (x, y) = (at.0 - centre.0, at.1 - centre.1);
    (centre.0 + x * cos - y * sin, centre.1 + x * sin + y * cos)
}

/// Half a disc whose flat side looks towards `angle` + a quarter turn.
pub(crate) fn half(x: f32, y: f32, radius: f32, angle: f32) -> Shape {
    wedge(x, y, radius, angle, angle + PI)
}

fn polygon_with_arc(points: &[At]) -> Shape {
    let (centre, rim) = points.split_last()?;
    let first = rim.first()?;
    let mut pen = PathBuilder::new();
    pen.move_to(first.0, first.1);
    trace(&mut pen, rim);
    pen.line_to(centre.0, centre.1);
    pen.close();
    pen.finish()
}

/// Goes on smoothly through the points after the first.
fn trace(pen: &mut PathBuilder, points: &[At]) {
    let last = points.len().saturating_sub(1);
    for i in 0..last {
        let before = points[i.saturating_sub(1)];
        bend(pen, [before, points[i], points[i + 1], points[(i + 2).min(last)]]);
    }
}

fn bend(pen: &mut PathBuilder, [a, b, c, d]: [At; 4]) {
    let first = (b.0 + (c.0 - a.0) / 6.0, b.1 + (c.1 - a.1) / 6.0);
    let second = (c.0 - (d.0 - b.0) / 6.0, c.1 - (d.1 - b.1) / 6.0);
    pen.cubic_to(first.0, first.1, second.0, second.1, c.0, c.1);
}

fn outline(path: Path, width: f32) -> Shape {
    let pen = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    path.stroke(&pen, 1.0)
}
