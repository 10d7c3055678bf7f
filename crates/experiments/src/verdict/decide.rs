use super::{Better, Facts, MetricFigures, MetricReading, nothing};
use crate::statistics::checked_alpha;
use crate::{Baseline, ExperimentError, Interval, Plan, SRM_ALPHA, adjusted_p, lift};
use serde::{Deserialize, Serialize};

/// Fewest days: people behave by the week.
const DAYS_MIN: f64 = 7.0;
/// More crossed units than this part of all are no accident.
const CROSSED_MAX: f64 = 0.005;
/// Longest that anybody is asked to wait (days).
const DAYS_MAX: f64 = 365.0;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The main metric got better, and no guardrail can have got worse by more than its margin.
    Ship,
    /// Something got worse, or nothing was found by the planned end.
    DoNotShip,
    /// Too early: keep running for about so many days more.
    NotYet {
        /// Days, at least 1.
        days_more: f64,
    },
    /// The arms cannot be compared. No figure is to be read.
    Broken,
}

/// Something that a careful reader looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// In a sentence.
    pub says: String,
}

/// An experiment, read: `Display` writes it as an analyst would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readout {
    /// What to do.
    pub decision: Decision,
    /// Why, in a sentence or two.
    pub because: String,
    /// What decided.
    pub main: MetricReading,
    /// Guardrails, in their order.
    pub guardrails: Vec<MetricReading>,
    /// The other metrics, in their order.
    pub others: Vec<MetricReading>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What it was read from.
    pub facts: Facts,
}

/// Reads an experiment. Before the planned end only sequential looks count; a metric without one counts as unread.
pub fn verdict(facts: Facts) -> Result<Readout, ExperimentError> {
    checked_alpha(facts.alpha)?;
    let main = readings(&facts, std::slice::from_ref(&facts.main))?.remove(0);
    let (guardrails, others) = (readings(&facts, &facts.guardrails)?, readings(&facts, &facts.others)?);
    let checks = super::text::checks(&facts, &guardrails, &others);
    let (decision, because) = decided(&facts, &main, &guardrails)?;
    Ok(Readout { decision, because, main, guardrails, others, checks, facts })
}

impl Facts {
    /// Whether the planned end, and a week, have come.
    pub(super) fn ended(&self) -> bool {
        self.days >= self.days_planned && self.days >= DAYS_MIN
    }

    pub(super) fn crossed_too_many(&self) -> bool {
        let units = self.sample_ratio.counts.iter().sum::<u64>() + self.crossed;
        self.crossed as f64 > CROSSED_MAX * units as f64
    }
}

fn readings(facts: &Facts, metrics: &[MetricFigures]) -> Result<Vec<MetricReading>, ExperimentError> {
    let mut read = Vec::new();
    for metric in metrics {
        if !(metric.margin >= 0.0 && metric.margin.is_finite()) {
            return Err(nothing(&format!("the margin is {}", metric.margin), &metric.name));
        }
        let lift = lift(&metric.control, &metric.treatment, facts.alpha);
        let lift = lift.map_err(|error| nothing(&error.to_string(), &metric.name))?;
        let look = if facts.ended() { None } else { metric.look };
        let p = look.map_or(lift.p, |look| look.p);
        read.push(MetricReading { name: metric.name.clone(), lift, look, p, adjusted_p: p });
    }
    let adjusted = adjusted_p(&read.iter().map(|metric| metric.p).collect::<Vec<_>>());
    read.iter_mut().zip(adjusted).for_each(|(metric, p)| metric.adjusted_p = p);
    Ok(read)
}

/// How much better it got, with its interval: a gain is above 0 whichever way is better. Nothing where it may not be
/// read yet.
fn gain(facts: &Facts, metric: &MetricFigures, reading: &MetricReading) -> Option<Interval> {
    let interval = if facts.ended() { reading.lift.difference } else { reading.look?.difference };
    Some(if metric.better == Better::Lower { interval.flipped() } else { interval })
}

fn decided(
    facts: &Facts,
    main: &MetricReading,
    guardrails: &[MetricReading],
) -> Result<(Decision, String), ExperimentError> {
    if facts.sample_ratio.p < SRM_ALPHA {
        let says = "The arms have not the sizes that they should have. Find out why before reading anything.";
        return Ok((Decision::Broken, says.into()));
    }
    if facts.crossed_too_many() {
        let says = "Too many units were seen in more than one arm. Assignment is broken.";
        return Ok((Decision::Broken, says.into()));
    }
    let mut unsure = Vec::new();
    for (metric, reading) in facts.guardrails.iter().zip(guardrails) {
        let bound = -metric.margin * metric.control.value.abs();
        match gain(facts, metric, reading) {
            // Worse for certain, and by more than anybody would put up with.
            Some(gain) if gain.high < bound || (gain.high < 0.0 && gain.value < bound) => {
                let says =
                    format!("`{}` got worse, by more than its margin of {:.1} %.", metric.name, 100.0 * metric.margin);
                return Ok((Decision::DoNotShip, says));
            }
            Some(gain) if gain.low >= bound => {}
            _ => unsure.push(metric),
        }
    }
    match gain(facts, &facts.main, main) {
        Some(gain) if gain.high < 0.0 => Ok((Decision::DoNotShip, format!("`{}` got worse.", main.name))),
        Some(gain) if gain.low > 0.0 && facts.days >= DAYS_MIN => better(facts, main, &unsure),
        found => not_better(facts, main, found),
    }
}

fn better(
    facts: &Facts,
    main: &MetricReading,
    unsure: &[&MetricFigures],
) -> Result<(Decision, String), ExperimentError> {
    let Some(first) = unsure.first() else {
        let kept = if facts.guardrails.is_empty() { "There are no guardrails." } else { "All guardrails held." };
        return Ok((Decision::Ship, format!("`{}` got better. {kept}", main.name)));
    };
    let mut wait: f64 = 1.0;
    for metric in unsure {
        wait = wait.max(days_more(facts, metric)?);
    }
    let says = format!(
        "`{}` got better, but `{}` may still be worse by more than its margin of {:.1} %.",
        main.name,
        first.name,
        100.0 * first.margin
    );
    Ok((Decision::NotYet { days_more: wait.min(DAYS_MAX) }, says))
}

fn not_better(
    facts: &Facts,
    main: &MetricReading,
    gain: Option<Interval>,
) -> Result<(Decision, String), ExperimentError> {
    if facts.ended() {
        let most = gain.map_or(main.lift.difference.high, |gain| gain.high);
        let most = 100.0 * most / facts.main.control.value.abs();
        let says = format!("No improvement of `{}` was found. One of more than {most:.2} % is unlikely.", main.name);
        return Ok((Decision::DoNotShip, says));
    }
    let until_end = facts.days_planned.max(DAYS_MIN) - facts.days;
    let found = gain.is_some_and(|gain| gain.low > 0.0);
    let says = if found {
        format!("`{}` looks better, but a whole week has not passed.", main.name)
    } else {
        format!("`{}` is not decided yet.", main.name)
    };
    Ok((Decision::NotYet { days_more: until_end.ceil().max(1.0) }, says))
}

/// Days until an effect as large as the margin would be told from none, at the pace at which units have come.
fn days_more(facts: &Facts, metric: &MetricFigures) -> Result<f64, ExperimentError> {
    let units = metric.control.units + metric.treatment.units;
    let effect = metric.margin * metric.control.value.abs();
    if effect == 0.0 {
        return Ok(DAYS_MAX);
    }
    let variance = metric.control.variance * metric.control.units;
    let plan = Plan { alpha: facts.alpha, treated: metric.treatment.units / units, ..Plan::default() };
    let needed = plan.units_needed(&Baseline { value: metric.control.value, variance }, effect)?;
    Ok((facts.days * (needed / units - 1.0)).ceil().clamp(1.0, DAYS_MAX))
}
