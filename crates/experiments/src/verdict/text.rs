use super::{Check, Decision, Facts, MetricFigures, MetricReading, Readout};
use crate::Interval;
use std::fmt;

/// Adjusted p of a slice or metric below which it is named.
const NAMED: f64 = 0.05;
/// Below this, slices disagree or days have a trend.
const DISAGREES: f64 = 0.01;

pub(super) fn checks(facts: &Facts, guardrails: &[MetricReading], others: &[MetricReading]) -> Vec<Check> {
    let mut checks = vec![sample_ratio(facts)];
    checks.extend(sample_ratio_slices(facts));
    if facts.crossed > 0 {
        let says = format!("{} {} were seen in more than one arm and are left out.", facts.crossed, facts.units);
        checks.push(check("crossed units", !facts.crossed_too_many(), says));
    }
    checks.extend(novelty(facts));
    checks.extend(slices(facts));
    checks.extend(comparisons(guardrails.len() + others.len(), others));
    checks
}

fn check(name: &str, passed: bool, says: String) -> Check {
    Check { name: name.to_owned(), passed, says }
}

fn sample_ratio(facts: &Facts) -> Check {
    let ratio = &facts.sample_ratio;
    let counts: Vec<String> = ratio.counts.iter().map(|count| count.to_string()).collect();
    let passed = !ratio.is_mismatch();
    let judged = if passed { "as their shares promise" } else { "not as their shares promise" };
    let says = format!("{} {} in the arms, {judged} (p {}).", counts.join(" and "), facts.units, p_value(ratio.p));
    check("sample ratio", passed, says)
}

fn sample_ratio_slices(facts: &Facts) -> Option<Check> {
    let worst = facts.sample_ratio_slices.iter().min_by(|a, b| a.adjusted_p.total_cmp(&b.adjusted_p))?;
    let passed = worst.adjusted_p >= crate::SRM_ALPHA;
    let says = if passed {
        format!("The arms have their shares in each of {} slices.", facts.sample_ratio_slices.len())
    } else {
        format!(
            "In `{}` the arms have not their shares (adjusted p {}). Leave it out, or find out why.",
            worst.slice,
            p_value(worst.adjusted_p)
        )
    };
    Some(check("sample ratio by slice", passed, says))
}

fn novelty(facts: &Facts) -> Option<Check> {
    let curve = facts.by_day.as_ref()?;
    let trend = curve.slope_p < DISAGREES;
    let effect = facts.main.treatment.value - facts.main.control.value;
    let says = if !trend {
        "The effect neither fades nor grows with the days since exposure.".to_owned()
    } else if curve.slope.value * effect < 0.0 {
        format!(
            "The effect fades: {} a day since exposure (p {}). Some of it may be novelty. Let it run on.",
            figure(curve.slope.value),
            p_value(curve.slope_p)
        )
    } else {
        format!(
            "The effect grows: {} a day since exposure (p {}). The long-term effect may be larger.",
            figure(curve.slope.value),
            p_value(curve.slope_p)
        )
    };
    Some(check("novelty", !(trend && curve.slope.value * effect < 0.0), says))
}

fn slices(facts: &Facts) -> Option<Check> {
    let found = facts.by_slice.as_ref()?;
    let against: Vec<&str> = found
        .slices
        .iter()
        .filter(|slice| slice.adjusted_p < NAMED && slice.lift.difference.value * found.pooled.value < 0.0)
        .map(|slice| slice.name.as_str())
        .collect();
    let passed = found.p >= DISAGREES && against.is_empty();
    let says = if passed {
        format!("{} slices agree on the effect (p {}).", found.slices.len(), p_value(found.p))
    } else if against.is_empty() {
        format!("The effect differs between slices (p {}). Look at them before generalising.", p_value(found.p))
    } else {
        format!("The effect goes the other way in {}. Look there first.", against.join(", "))
    };
    Some(check("slices", passed, says))
}

fn comparisons(count: usize, others: &[MetricReading]) -> Option<Check> {
    if count == 0 {
        return None;
    }
    let raw = others.iter().filter(|metric| metric.p < NAMED).count();
    let left: Vec<&str> = others.iter().filter(|m| m.adjusted_p < NAMED).map(|m| m.name.as_str()).collect();
    let moved = if left.is_empty() { "none".to_owned() } else { left.join(", ") };
    let says = format!(
        "Of {} other metrics {raw} moved by themselves; after correction for their number: {moved}.",
        others.len()
    );
    Some(check("multiple comparisons", raw == left.len(), says))
}

impl fmt::Display for Readout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.facts;
        writeln!(f, "{}: `{}` against control", facts.experiment, facts.arm)?;
        writeln!(f, "{} {}", headline(self.decision), self.because)?;
        let until = if facts.ended() { "at its planned end" } else { "before its planned end" };
        let (days, planned, sure) =
            (figure(facts.days), figure(facts.days_planned), figure(100.0 - 100.0 * facts.alpha));
        writeln!(f, "Read after {days} days of {planned}, {until}. Intervals hold the truth in {sure} of 100 cases.")?;
        if self.decision == Decision::Broken {
            writeln!(f, "The effects are left out: they would mislead.")?;
        } else {
            effects(f, "Effect", facts, std::slice::from_ref(&facts.main), std::slice::from_ref(&self.main))?;
            effects(f, "Guardrails", facts, &facts.guardrails, &self.guardrails)?;
            effects(f, "Other metrics", facts, &facts.others, &self.others)?;
        }
        writeln!(f, "Checks")?;
        for check in &self.checks {
            writeln!(f, "  {} {}: {}", if check.passed { "ok  " } else { "LOOK" }, check.name, check.says)?;
        }
        Ok(())
    }
}

fn headline(decision: Decision) -> String {
    match decision {
        Decision::Ship => "Ship.".into(),
        Decision::DoNotShip => "Do not ship.".into(),
        Decision::NotYet { days_more } => format!("Not yet: keep running for {} days.", figure(days_more)),
        Decision::Broken => "Broken: do not read.".into(),
    }
}

fn effects(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    facts: &Facts,
    metrics: &[MetricFigures],
    readings: &[MetricReading],
) -> fmt::Result {
    if metrics.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    for (metric, reading) in metrics.iter().zip(readings) {
        let (from, to) = (figure(metric.control.value), figure(metric.treatment.value));
        write!(f, "  {}: {from} to {to}", metric.name)?;
        match reading.relative() {
            Some(relative) => write!(f, ", {}", percent(&relative))?,
            None => write!(f, ", {}", plain(&reading.difference()))?,
        }
        write!(f, ", p {}", p_value(reading.p))?;
        if metrics.len() > 1 {
            write!(f, ", adjusted {}", p_value(reading.adjusted_p))?;
        }
        if reading.look.is_some() {
            write!(f, ", always valid")?;
        } else if !facts.ended() {
            write!(f, ", not to be decided on before the end")?;
        }
        writeln!(f, ".")?;
    }
    Ok(())
}

fn percent(interval: &Interval) -> String {
    let Interval { value, low, high } = interval;
    format!("{:+.2} % ({:+.2} to {:+.2})", 100.0 * value, 100.0 * low, 100.0 * high)
}

fn plain(interval: &Interval) -> String {
    format!("{} ({} to {})", figure(interval.value), figure(interval.low), figure(interval.high))
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< .001".into() } else { format!("{p:.3}").trim_start_matches('0').to_owned() }
}

/// Four digits that count, without zeros behind.
fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let places = (3 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
