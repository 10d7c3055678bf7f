//! What is fitted in closed form after the ranking head: Platt's two numbers per surface and head, and the linear first
//! pass.

use domain::Surface;
use models::FIRST_FEATURES;

/// Strength, in positives, of the belief that a surface needs the shift of all.
const SHIFT_BELIEF: f64 = 200.0;

/// What a row says of one head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) logit: f32,
    pub(crate) happened: bool,
    /// For how many rows it stands.
    pub(crate) weight: f32,
}

/// Slope and shift per surface of one head: one slope for all, and a surface's own shift as far as it has positives to
/// tell it.
pub(crate) fn by_surface(rows: &[(Surface, Outcome)]) -> [(f32, f32); Surface::ALL.len()] {
    let (slope, shift) = platt(&rows.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>());
    Surface::ALL.map(|surface| {
        let own = || rows.iter().filter(|(at, _)| *at == surface).map(|(_, outcome)| outcome);
        let positives: f64 = own().filter(|outcome| outcome.happened).map(|outcome| f64::from(outcome.weight)).sum();
        // Newton's method on the shift alone: chances sum to what happened.
        let mut moved = 0.0f64;
        for _ in 0..20 {
            let (mut sum, mut slack) = (0.0f64, 1e-9f64);
            for Outcome { logit, weight, .. } in own() {
                let (chance, weight) = (sigmoid(f64::from(slope * logit + shift) + moved), f64::from(*weight));
                (sum, slack) = (sum + weight * chance, slack + weight * chance * (1.0 - chance));
            }
            moved = (moved - ((sum - positives) / slack).clamp(-1.0, 1.0)).clamp(-3.0, 3.0);
        }
        (slope, shift + (moved * positives / (positives + SHIFT_BELIEF)) as f32)
    })
}

/// Slope and shift that make `sigmoid(slope · logit + shift)` most likely, by Newton's method with Platt's smoothed
/// targets, so that they stay finite on separable rows. The slope stays positive: calibration does not turn an order.
pub(crate) fn platt(outcomes: &[Outcome]) -> (f32, f32) {
    let of = |happened: bool| outcomes.iter().filter(move |outcome| outcome.happened == happened);
    let [positives, negatives] =
        [true, false].map(|happened| of(happened).map(|one| f64::from(one.weight)).sum::<f64>());
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let loss = |slope: f64, shift: f64| -> f64 {
        let of_one = |outcome: &Outcome| {
            let z = slope * f64::from(outcome.logit) + shift;
            let target = if outcome.happened { high } else { low };
            f64::from(outcome.weight) * (z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z)
        };
        outcomes.iter().map(of_one).sum()
    };
    let (mut slope, mut shift) = (1.0f64, 0.0f64);
    let mut best = loss(slope, shift);
    for _ in 0..50 {
        let (mut gs, mut gb, mut hss, mut hsb, mut hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for Outcome { logit, happened, weight } in outcomes {
            let (x, of) = (f64::from(*logit), f64::from(*weight));
            let p = sigmoid(slope * x + shift);
            let (error, weight) = (of * (p - if *happened { high } else { low }), of * p * (1.0 - p));
            gs += error * x;
            gb += error;
            hss += weight * x * x;
            hsb += weight * x;
            hbb += weight;
        }
        let det = hss * hbb - hsb * hsb;
        if det.abs() < 1e-18 {
            break;
        }
        let (ds, db) = ((hbb * gs - hsb * gb) / det, (hss * gb - hsb * gs) / det);
        let step = (0..20).map(|halving| 0.5f64.powi(halving)).find(|step| {
            let (slope, shift) = (slope - step * ds, shift - step * db);
            slope > 0.0 && loss(slope, shift) < best
        });
        let Some(step) = step else { break };
        (slope, shift) = (slope - step * ds, shift - step * db);
        let found = loss(slope, shift);
        if best - found < 1e-9 * best {
            break;
        }
        best = found;
    }
    (slope as f32, shift as f32)
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// What the first pass reads of a row.
pub(crate) type First = [f32; FIRST_FEATURES.len()];

/// Weights and constant of the linear function of `features` that is nearest to `targets` in weighted least squares,
/// with a little ridge.
pub(crate) fn linear(features: &[First], targets: &[f32], weights: &[f32]) -> (First, f32) {
    const SIZE: usize = FIRST_FEATURES.len() + 1;
    let mut normal = [[0.0f64; SIZE + 1]; SIZE];
    for ((row, target), weight) in features.iter().zip(targets).zip(weights) {
        let mut x = [1.0f64; SIZE + 1];
        x.iter_mut().zip(row).for_each(|(x, value)| *x = f64::from(*value));
        x[SIZE] = f64::from(*target);
        for i in 0..SIZE {
            let scaled = f64::from(*weight) * x[i];
            normal[i].iter_mut().zip(x).for_each(|(sum, x)| *sum += scaled * x);
        }
    }
    let trace: f64 = (0..SIZE).map(|i| normal[i][i]).sum();
    (0..SIZE).for_each(|i| normal[i][i] += 1e-6 * trace / SIZE as f64 + 1e-9);
    let solved = solve(normal);
    (std::array::from_fn(|i| solved[i] as f32), solved[SIZE - 1] as f32)
}

/// Gauss-Jordan elimination of a positive definite system with its right side as the last column.
fn solve<const N: usize, const M: usize>(mut rows: [[f64; M]; N]) -> [f64; N] {
    for pivot in 0..N {
        let scale = 1.0 / rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|value| *value *= scale);
        let pivot_row = rows[pivot];
        for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = row[pivot];
            debug_assert!(i != pivot);
            row.iter_mut().zip(pivot_row).for_each(|(value, pivot)| *value -= factor * pivot);
        }
    }
    std::array::from_fn(|i| rows[i][M - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn platt_finds_the_distortion() {
        let mut rng = Rng::new(2);
        let truth: Vec<f32> = (0..50_000).map(|_| 2.0 * rng.normal() - 2.0).collect();
        let happened: Vec<bool> = truth.iter().map(|z| rng.uniform() < 1.0 / (1.0 + (-z).exp())).collect();
        let distorted: Vec<f32> = truth.iter().map(|z| (z - 3.0) / 0.5).collect();
        let outcomes = |logits: &[f32], happened: &[bool]| -> Vec<Outcome> {
            let rows = logits.iter().zip(happened);
            rows.map(|(&logit, &happened)| Outcome { logit, happened, weight: 1.0 }).collect()
        };
        let all = outcomes(&distorted, &happened);
        let (slope, shift) = platt(&all);
        assert!((slope - 0.5).abs() < 0.02 && (shift - 3.0).abs() < 0.06, "{slope} {shift}");
        let stands_for = |row: usize| if row.is_multiple_of(3) { 4 } else { 1 };
        let some = || all[..2_000].iter().enumerate();
        let weighted: Vec<Outcome> =
            some().map(|(row, outcome)| Outcome { weight: stands_for(row) as f32, ..*outcome }).collect();
        let repeated: Vec<Outcome> =
            some().flat_map(|(row, outcome)| std::iter::repeat_n(*outcome, stands_for(row))).collect();
        let ((slope, shift), (again, same)) = (platt(&weighted), platt(&repeated));
        assert!((slope - again).abs() < 1e-4 && (shift - same).abs() < 1e-3, "{slope} {shift}, {again} {same}");
        let surfaces = |rows: &[Outcome]| by_surface(&rows.iter().map(|row| (Surface::Home, *row)).collect::<Vec<_>>());
        let (shift, same) = (surfaces(&weighted)[0].1, surfaces(&repeated)[0].1);
        assert!((shift - same).abs() < 1e-3, "{shift} {same}");
        let (slope, shift) = platt(&outcomes(&[-1.0, 1.0, 2.0], &[false, true, true]));
        assert!(slope.is_finite() && shift.is_finite() && slope > 0.0);
        assert!(platt(&[]).0.is_finite());
    }

    #[test]
    fn the_first_pass_finds_a_plane() {
        let mut rng = Rng::new(3);
        let features: Vec<First> = (0..500).map(|_| First::default().map(|_| rng.normal())).collect();
        let targets: Vec<f32> = features.iter().map(|row| 3.0 * row[0] - row[7] + 0.5).collect();
        let (found, constant) = linear(&features, &targets, &vec![1.0; 500]);
        assert!((found[0] - 3.0).abs() < 1e-3 && (constant - 0.5).abs() < 1e-3, "{found:?} {constant}");
        assert!(linear(&[], &[], &[]).0.iter().all(|value| value.is_finite()));
    }
}
