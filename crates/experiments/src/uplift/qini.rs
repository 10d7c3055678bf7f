use crate::statistics::{cap_at, checked_alpha};
use crate::{ExperimentError, Interval};
use domain::Rng;
use serde::{Deserialize, Serialize};

/// Most resamples of an interval.
const RESAMPLES_MAX: u32 = 100_000;

/// Somebody of a randomised experiment, with what a model says of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QiniRow {
    /// The higher, the sooner they would be treated.
    pub score: f64,
    /// Whether they were treated.
    pub treated: bool,
    /// Whether it came to what was wanted.
    pub outcome: bool,
}

/// Counts along the curve.
#[derive(Clone, Copy, Default)]
struct Counts {
    treated: f64,
    control: f64,
    /// Those of whom it came to what was wanted.
    treated_yes: f64,
    control_yes: f64,
}

impl Counts {
    fn add(&mut self, row: &QiniRow, times: f64) {
        let (all, yes) = match row.treated {
            true => (&mut self.treated, &mut self.treated_yes),
            false => (&mut self.control, &mut self.control_yes),
        };
        *all += times;
        *yes += times * f64::from(u8::from(row.outcome));
    }

    fn all(&self) -> f64 {
        self.treated + self.control
    }

    /// Incremental outcomes: those of the treated less what as many of control had.
    fn gain(&self) -> f64 {
        let expected = if self.control > 0.0 { self.control_yes * self.treated / self.control } else { 0.0 };
        self.treated_yes - expected
    }
}

/// The Qini curve (Radcliffe 2007) as (people, incremental outcomes): people in the order of their scores, the highest
/// first, one point for all who have the same. It starts at (0, 0).
pub fn qini_curve(rows: &[QiniRow]) -> Result<Vec<(f64, f64)>, ExperimentError> {
    checked(rows)?;
    let mut points = vec![(0.0, 0.0)];
    Order::of(rows, |row| row.score).walk(rows, None, |counts| points.push((counts.all(), counts.gain())));
    Ok(points)
}

/// The Qini coefficient as scikit-uplift's `qini_auc_score` defines it: area between the curve and the straight line
/// to its end, over the same area of a perfect order. 0 is chance, 1 the best there could be.
pub fn qini(rows: &[QiniRow]) -> Result<f64, ExperimentError> {
    checked(rows)?;
    Ok(coefficient(rows, &Order::of(rows, |row| row.score), None))
}

/// The coefficient with its percentile interval by a bootstrap over people.
pub fn qini_interval(rows: &[QiniRow], resamples: u32, alpha: f64, seed: u64) -> Result<Interval, ExperimentError> {
    checked(rows)?;
    let order = Order::of(rows, |row| row.score);
    bootstrap(rows.len(), resamples, alpha, seed, |times| coefficient(rows, &order, times))
}

/// The coefficient of one model less that of another on the same people, whose scores are `others`, in the order of
/// the rows; with the interval of a bootstrap that draws the same people for both.
pub fn qini_difference(
    rows: &[QiniRow],
    others: &[f64],
    resamples: u32,
    alpha: f64,
    seed: u64,
) -> Result<Interval, ExperimentError> {
    checked(rows)?;
    if others.len() != rows.len() || others.iter().any(|score| score.is_nan()) {
        return Err(ExperimentError::uplift(format!("{} other scores for {} rows", others.len(), rows.len())));
    }
    let order = Order::of(rows, |row| row.score);
    let other = rows.iter().zip(others).map(|(row, score)| QiniRow { score: *score, ..*row }).collect::<Vec<_>>();
    let other_order = Order::of(&other, |row| row.score);
    bootstrap(rows.len(), resamples, alpha, seed, |times| {
        coefficient(rows, &order, times) - coefficient(&other, &other_order, times)
    })
}

fn checked(rows: &[QiniRow]) -> Result<(), ExperimentError> {
    if let Some(row) = rows.iter().position(|row| row.score.is_nan()) {
        return Err(ExperimentError::uplift(format!("row {row}: the score is no number")));
    }
    let treated = rows.iter().filter(|row| row.treated).count();
    if treated == 0 || treated == rows.len() {
        return Err(ExperimentError::uplift(format!("{treated} treated of {} rows: one arm is empty", rows.len())));
    }
    Ok(())
}

/// Rows from the highest score on, and where those of one score end.
struct Order {
    rows: Vec<usize>,
    ends: Vec<bool>,
}

impl Order {
    fn of(rows: &[QiniRow], score: impl Fn(&QiniRow) -> f64) -> Order {
        // `+ 0.0` makes the two zeros one.
        let keys: Vec<f64> = rows.iter().map(|row| score(row) + 0.0).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| keys[*b].total_cmp(&keys[*a]));
        let ends = (0..order.len()).map(|at| at + 1 == order.len() || keys[order[at]] != keys[order[at + 1]]);
        Order { ends: ends.collect(), rows: order }
    }

    /// Calls `at` with the counts behind each score; `times` says how often each row is there.
    fn walk(&self, rows: &[QiniRow], times: Option<&[u32]>, mut at: impl FnMut(&Counts)) {
        let mut counts = Counts::default();
        for (row, end) in self.rows.iter().zip(&self.ends) {
            counts.add(&rows[*row], times.map_or(1.0, |times| f64::from(times[*row])));
            if *end {
                at(&counts);
            }
        }
    }
}

fn coefficient(rows: &[QiniRow], order: &Order, times: Option<&[u32]>) -> f64 {
    let (mut area, mut last, mut end) = (0.0, (0.0, 0.0), Counts::default());
    order.walk(rows, times, |counts| {
        let point = (counts.all(), counts.gain());
        area += (point.0 - last.0) * (point.1 + last.1) / 2.0;
        (last, end) = (point, *counts);
    });
    let straight = last.0 * last.1 / 2.0;
    // The perfect order: the treated who did, those who did not, the untreated who did without.
    let best = end.treated_yes;
    let until = end.all() - end.control_yes;
    let perfect = best * best / 2.0 + (until - best) * best + end.control_yes * (best + last.1) / 2.0;
    if perfect > straight { (area - straight) / (perfect - straight) } else { 0.0 }
}

fn bootstrap(
    rows: usize,
    resamples: u32,
    alpha: f64,
    seed: u64,
    figure: impl Fn(Option<&[u32]>) -> f64,
) -> Result<Interval, ExperimentError> {
    checked_alpha(alpha)?;
    if !(20..=RESAMPLES_MAX).contains(&resamples) {
        return Err(ExperimentError::uplift(format!("{resamples} resamples, not 20 to {RESAMPLES_MAX}")));
    }
    let mut rng = Rng::new(seed);
    let mut found: Vec<f64> = (0..resamples)
        .map(|_| {
            let mut times = vec![0u32; rows];
            (0..rows).for_each(|_| times[rng.below(rows as u32) as usize] += 1);
            figure(Some(&times))
        })
        .collect();
    let low = cap_at(&mut found, alpha / 2.0)?;
    Ok(Interval { value: figure(None), low, high: cap_at(&mut found, 1.0 - alpha / 2.0)? })
}
