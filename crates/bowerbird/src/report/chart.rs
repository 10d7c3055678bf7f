//! Charts as inline SVG; their colours come from the page's style.

use std::fmt::Write;

/// Size of a line chart, and what its axes take of it.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 34.0;
/// About how many lines of an axis are drawn.
const TICKS: f64 = 4.0;
/// With more points no dots are drawn but that of the kept one.
const DOTS_MAX: usize = 40;
/// Height of a row of ratios, and where its scale begins and ends.
const ROW: f64 = 26.0;
const SCALE: (f64, f64) = (110.0, 390.0);

/// Values of epochs from 1 on.
#[derive(Default)]
pub(super) struct Line<'a> {
    pub values: &'a [f64],
    /// The epoch whose model was kept.
    pub kept: Option<usize>,
    /// A value to compare with, and its name.
    pub level: Option<(&'static str, f64)>,
}

/// How far what was said is from what happened.
pub(super) struct Ratio {
    pub name: String,
    /// 1 is right.
    pub value: f64,
}

/// One line over epochs.
pub(super) fn line(line: &Line) -> String {
    let shown = line.values.iter().copied().chain(line.level.map(|(_, level)| level));
    let ticks = ticks(shown.filter(|value| value.is_finite()));
    let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
    let last = line.values.len().max(2) as f64;
    let x = |epoch: usize| LEFT + (WIDTH - LEFT - RIGHT) * (epoch as f64 - 1.0) / (last - 1.0);
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for tick in &ticks {
        rule(&mut svg, "grid", (LEFT, y(*tick)), (WIDTH - RIGHT, y(*tick)));
        label(&mut svg, "end", (LEFT - 8.0, y(*tick) + 4.0), &figure(*tick, ticks[1] - low));
    }
    let every = line.values.len().div_ceil(8).max(1);
    for epoch in (1..=line.values.len()).filter(|epoch| (epoch - 1).is_multiple_of(every)) {
        label(&mut svg, "middle", (x(epoch), HEIGHT - BOTTOM + 18.0), &epoch.to_string());
    }
    label(&mut svg, "end", (WIDTH - RIGHT, HEIGHT - 2.0), "epoch");
    if let Some((name, level)) = line.level.filter(|(_, level)| level.is_finite()) {
        rule(&mut svg, "level", (LEFT, y(level)), (WIDTH - RIGHT, y(level)));
        label(&mut svg, "start", (LEFT + 6.0, y(level) - 5.0), &format!("{name} {level:.4}"));
    }
    let points = || (1..).zip(line.values).filter(|(_, value)| value.is_finite());
    let path: Vec<String> = points().map(|(epoch, &value)| format!("{:.1},{:.1}", x(epoch), y(value))).collect();
    let _ = write!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.join(" "));
    for (epoch, &value) in points() {
        let kept = line.kept == Some(epoch);
        if !kept && line.values.len() > DOTS_MAX {
            continue;
        }
        let (class, radius, words) = if kept { ("kept", 5.5, ", kept") } else { ("dot", 3.0, "") };
        dot(&mut svg, class, radius, (x(epoch), y(value)), &format!("epoch {epoch}: {value:.4}{words}"));
        if kept {
            let anchor = if 2 * epoch > line.values.len() { "end" } else { "start" };
            said(&mut svg, anchor, (x(epoch), y(value) - 11.0), &format!("kept {value:.4}"));
        }
    }
    svg + "</svg>"
}

/// A row per ratio on a logarithmic scale around 1; what lies beyond its ends stands there.
pub(super) fn ratios(ratios: &[Ratio]) -> String {
    let height = ROW * ratios.len() as f64 + 34.0;
    let widest = ratios.iter().map(|ratio| ratio.value.max(1e-3).log2().abs()).fold(0.0, f64::max);
    let span = if widest <= 0.25 { 0.25 } else { widest.ceil().min(4.0) };
    let x = |log: f64| {
        let share = (log.clamp(-span, span) / span + 1.0) / 2.0;
        SCALE.0 + (SCALE.1 - SCALE.0) * share
    };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for log in [-span, -span / 2.0, 0.0, span / 2.0, span] {
        let class = if log == 0.0 { "level" } else { "grid" };
        rule(&mut svg, class, (x(log), 6.0), (x(log), height - 26.0));
        label(&mut svg, "middle", (x(log), height - 8.0), &format!("{:.2}", log.exp2()));
    }
    for (row, ratio) in ratios.iter().enumerate() {
        let (middle, place) = (ROW * (row as f64 + 0.5) + 6.0, x(ratio.value.max(1e-3).log2()));
        label(&mut svg, "end", (SCALE.0 - 14.0, middle + 4.0), &ratio.name);
        rule(&mut svg, "stem", (x(0.0), middle), (place, middle));
        dot(&mut svg, "dot", 5.0, (place, middle), &format!("{}: {:.3}", ratio.name, ratio.value));
        label(&mut svg, "start", (SCALE.1 + 16.0, middle + 4.0), &format!("{:.3}", ratio.value));
    }
    svg + "</svg>"
}

/// Points around the line on which both numbers are the same, on logarithmic scales of whole tenths; what is 0, or lies
/// beyond an end, stands there.
pub(super) fn diagonal(points: &[(f64, f64)]) -> String {
    let shown = points.iter().flat_map(|&(across, up)| [across, up]).filter(|value| *value > 0.0);
    let (low, high) = shown.fold((1.0f64, 1e-5f64), |(low, high), value| (low.min(value), high.max(value)));
    let (first, last) = (low.max(1e-5).log10().floor(), high.log10().ceil());
    let last = if last > first { last } else { first + 1.0 };
    let share = |value: f64| ((value.max(1e-9).log10() - first) / (last - first)).clamp(0.0, 1.0);
    let place = |(across, up): (f64, f64)| {
        let x = LEFT + (WIDTH - LEFT - RIGHT) * share(across);
        (x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(up))
    };
    let (from, to) = (10f64.powf(first), 10f64.powf(last));
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for power in first as i32..=last as i32 {
        let (tick, digits) = (10f64.powi(power), (-power).max(0) as usize);
        rule(&mut svg, "grid", place((from, tick)), place((to, tick)));
        let (left, bottom) = (place((from, tick)), place((tick, from)));
        label(&mut svg, "end", (left.0 - 8.0, left.1 + 4.0), &format!("{tick:.digits$}"));
        label(&mut svg, "middle", (bottom.0, bottom.1 + 18.0), &format!("{tick:.digits$}"));
    }
    rule(&mut svg, "level", place((from, from)), place((to, to)));
    for &(across, up) in points {
        dot(&mut svg, "dot", 3.0, place((across, up)), &format!("said {across:.4}, happened {up:.4}"));
    }
    svg + "</svg>"
}

/// Round values, evenly apart, around all that is shown.
fn ticks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
    let room = if high > low { high - low } else { low.abs().max(1.0) };
    let power = 10f64.powf((room / TICKS).log10().floor());
    let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power * TICKS >= room).unwrap_or(10.0);
    let (first, last) = ((low / step).floor(), (high / step).ceil());
    let steps = ((last - first) as usize).max(1);
    (0..=steps).map(|at| (first + at as f64) * step).collect()
}

/// A tick with as many digits as its distance to the next one needs.
fn figure(value: f64, step: f64) -> String {
    // A step of .1 comes as a little less or more.
    let digits = (-(step * 1.001).log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

fn rule(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = write!(svg, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

/// A label that is looked for.
fn said(svg: &mut String, anchor: &str, (x, y): (f64, f64), words: &str) {
    let _ = write!(svg, "<text class=\"said\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

fn label(svg: &mut String, anchor: &str, (x, y): (f64, f64), words: &str) {
    let _ = write!(svg, "<text text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

/// A dot that tells its value when it is pointed at.
fn dot(svg: &mut String, class: &str, radius: f64, (x, y): (f64, f64), words: &str) {
    let _ = write!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\">");
    let _ = write!(svg, "<title>{words}</title></circle>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_everything() {
        let of = |values: &[f64]| {
            let ticks = ticks(values.iter().copied());
            ticks.iter().map(|tick| figure(*tick, ticks[1] - ticks[0])).collect::<Vec<_>>()
        };
        assert_eq!(of(&[3.02, 3.5]), ["3.0", "3.2", "3.4", "3.6"]);
        assert_eq!(of(&[0.11, 0.15]), ["0.11", "0.12", "0.13", "0.14", "0.15"]);
        assert_eq!(of(&[]), ["0.0", "0.5", "1.0"]);
        assert_eq!(of(&[2.0, 2.0]), ["2.0", "2.5"]);
    }

    #[test]
    fn one_epoch_and_odd_values_are_drawn() {
        for values in [&[1.0][..], &[f64::NAN, 2.0], &[f64::NAN], &[]] {
            let svg = line(&Line { values, kept: Some(1), level: None });
            assert!(svg.ends_with("</svg>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        let far = ratios(&[Ratio { name: "save".into(), value: 0.0 }, Ratio { name: "hide".into(), value: 900.0 }]);
        assert!(!far.contains("NaN") && far.contains("900.000"), "{far}");
    }
}
