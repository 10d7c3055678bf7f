//! The report: one HTML page with curves, that needs nothing else. Every figure of a curve is in a table too.

use super::Run;
use super::figures::{Course, Day};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 30.0;

/// What is drawn: a name, what it means, and the figure of a day.
type Curve = (&'static str, &'static str, fn(&Day) -> f64);

const CURVES: [Curve; 4] = [
    ("Value", "the true value of a mean visit", Day::value_per_visit),
    ("Oracle share", "what was shown as a part of the best, on the same states", Day::oracle_share),
    ("Regret", "what the best pages would have been worth more, per visit", Day::regret_per_visit),
    ("Active pinners", "who came on a day", |day| day.active as f64),
];

/// The report of all policies so far.
pub(super) fn html(args: &Run, courses: &[Course]) -> String {
    let charts: String = CURVES.iter().map(|curve| figure(curve, courses)).collect();
    let keys: String = (0..).zip(courses).map(|(place, course)| key(place, course)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>A planted world</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>A planted world</h1>\n<p class=\"about\">seed {} · {} pinners and {} pins at first · {} days · {}</p>\n\
         <ul class=\"keys\">{keys}</ul>\n<div class=\"charts\">{charts}</div>\n{}</main>\n</body>\n</html>\n",
        args.seed,
        args.pinners,
        args.pins,
        args.days,
        if args.no_pictures { "no pictures" } else { "drawn pictures" },
        tables(courses)
    )
}

fn key(place: usize, course: &Course) -> String {
    let (name, value) = (course.policy.name(), course.value());
    format!("<li class=\"p{place}\"><b>{name}</b> {value:.0} in all</li>")
}

fn figure((name, words, of): &Curve, courses: &[Course]) -> String {
    format!("<figure><figcaption><b>{name}</b> {words}</figcaption>{}</figure>", chart(*of, courses))
}

/// One line a policy, over days.
fn chart(of: fn(&Day) -> f64, courses: &[Course]) -> String {
    let days = courses.iter().map(|course| course.days.len()).max().unwrap_or(0).max(2);
    let all = courses.iter().flat_map(|course| &course.days).map(of).filter(|value| value.is_finite());
    let high = ceiling(all.fold(0.0, f64::max));
    let x = |day: u32| LEFT + (WIDTH - LEFT - RIGHT) * (f64::from(day) - 1.0) / (days as f64 - 1.0);
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / high;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for tick in (0..=4).map(|part| high * f64::from(part) / 4.0) {
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/>",
            WIDTH - RIGHT,
            y(tick)
        );
        let _ =
            write!(svg, "<text class=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>", LEFT - 8.0, y(tick) + 4.0, short(tick));
    }
    for day in (1..=days as u32).step_by(days.div_ceil(10)) {
        let _ = write!(svg, "<text class=\"middle\" x=\"{:.1}\" y=\"{}\">{day}</text>", x(day), HEIGHT - 10.0);
    }
    for (place, course) in courses.iter().enumerate() {
        let shown = course.days.iter().filter(|day| of(day).is_finite());
        let points: Vec<String> = shown.map(|day| format!("{:.1},{:.1}", x(day.day), y(of(day)))).collect();
        let _ = write!(
            svg,
            "<polyline class=\"p{place}\" points=\"{}\"><title>{}</title></polyline>",
            points.join(" "),
            course.policy.name()
        );
    }
    svg + "</svg>"
}

/// A round number that is not below a value.
fn ceiling(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let step = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0].into_iter().map(|times| times * step).find(|round| *round >= value).unwrap_or(value)
}

fn short(value: f64) -> String {
    let text = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

fn tables(courses: &[Course]) -> String {
    let table = |(name, words, of): &Curve| {
        let head: String = courses.iter().map(|course| format!("<th>{}</th>", course.policy.name())).collect();
        let days = courses.iter().map(|course| course.days.len()).max().unwrap_or(0);
        let cell = |course: &Course, day: usize| match course.days.get(day) {
            Some(day) => format!("<td>{:.3}</td>", of(day)),
            None => "<td></td>".to_owned(),
        };
        let row = |day: usize| {
            let cells: String = courses.iter().map(|course| cell(course, day)).collect();
            format!("<tr><td>{}</td>{cells}</tr>", day + 1)
        };
        let rows: String = (0..days).map(row).collect();
        format!(
            "<details><summary>{name}: {words}</summary><table><thead><tr><th>day</th>{head}</tr></thead>\
             <tbody>{rows}</tbody></table></details>\n"
        )
    };
    CURVES.iter().map(table).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let round = [0.0, 0.07, 0.31, 1.0, 3.2, 470.0].map(ceiling);
        let near = [1.0, 0.08, 0.4, 1.0, 4.0, 500.0];
        assert!(round.iter().zip(near).all(|(a, b)| (a - b).abs() < 1e-9), "{round:?}");
        assert_eq!([short(0.25), short(1.0), short(250.0)], ["0.25", "1", "250"]);
    }
}
