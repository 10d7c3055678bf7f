//! Logistic regression by Newton's method.

use super::basis::{Basis, POWERS};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Rows of a block; sums are added in the order of the blocks.
const BLOCK: usize = 4_096;
const ROUNDS_MAX: usize = 30;
/// The likelihood is at its top when a round gains less than this per row.
const GAIN_MIN: f64 = 1e-10;

/// A chance as a logistic function of a basis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Logistic {
    basis: Basis,
    /// Single precision: enough for a chance, and what is written as decimals comes back as it was.
    weights: Vec<f32>,
}

/// What a regression learns from: the place of each row among the features, its volume and what came of it.
pub(super) struct Outcome {
    pub(super) row: usize,
    pub(super) volume: u8,
    pub(super) happened: bool,
}

impl Logistic {
    /// The weights of highest likelihood under a ridge: `ridge` counts as so many rows. The maximum is the only one, so
    /// that nothing is drawn; and it is calibrated on its own rows, in all and around every knot.
    pub(super) fn fit(basis: Basis, features: &[f32], rows: &[Outcome], ridge: f64) -> Logistic {
        let size = basis.len();
        let mut weights = vec![0.0; size];
        // Starts at the base rate.
        let happened = rows.iter().filter(|row| row.happened).count() as f64;
        weights[0] = ((happened + 0.5) / (rows.len() as f64 - happened + 0.5)).ln();
        let start = weights[0];
        let (mut good, mut step, mut before) = (weights.clone(), vec![0.0; size], f64::NEG_INFINITY);
        for _ in 0..ROUNDS_MAX {
            let Sums { mut gradient, mut hessian, mut likelihood } = derived(&basis, &weights, features, rows);
            for at in 0..size {
                // The constant is free, the rest is held near 0.
                let (held, from) = if at == 0 { (1e-9, start) } else { (ridge, 0.0) };
                let off = weights[at] - from;
                likelihood -= 0.5 * held * off * off;
                gradient[at] -= held * off;
                hessian[at * size + at] += held;
            }
            let gain = likelihood - before;
            if gain >= 0.0 {
                (good, before) = (weights.clone(), likelihood);
                step = solved(hessian, gradient, size);
            } else {
                // Far from the top the parabola lies: half as far.
                step.iter_mut().for_each(|part| *part *= 0.5);
            }
            if gain.abs() < GAIN_MIN * rows.len() as f64 {
                break;
            }
            weights = good.iter().zip(&step).map(|(weight, part)| weight + part).collect();
        }
        Logistic { basis, weights: good.iter().map(|&weight| weight as f32).collect() }
    }

    /// The functions of a pinner weighed, one sum for each function of the volume: with it, each volume costs little.
    pub(super) fn sums(&self, features: &[f32], room: &mut Vec<f64>) -> [f64; POWERS] {
        let own = self.basis.features();
        room.resize(own, 0.0);
        self.basis.shares(features, room);
        let mut sums = [0.0; POWERS];
        for (sum, weights) in sums.iter_mut().zip(self.weights.chunks_exact(own)) {
            *sum = room.iter().zip(weights).map(|(x, &weight)| x * f64::from(weight)).sum();
        }
        sums
    }

    /// The chance for the pinner of these [`sums`](Logistic::sums) at a volume.
    pub(super) fn chance(&self, sums: &[f64; POWERS], volume: u8) -> f64 {
        logistic(dot(sums, &self.basis.powers(volume)))
    }

    /// Features of a row.
    pub(super) fn width(&self) -> usize {
        self.basis.width()
    }

    /// Whether numbers that come from a file fit together.
    pub(super) fn is_sound(&self) -> bool {
        let finite = self.weights.iter().all(|weight| weight.is_finite());
        finite && self.basis.is_sound() && self.weights.len() == self.basis.len()
    }
}

fn derived(basis: &Basis, weights: &[f64], features: &[f32], rows: &[Outcome]) -> Sums {
    let parts: Vec<Sums> = rows.par_chunks(BLOCK).map(|rows| block(basis, weights, features, rows)).collect();
    parts.into_iter().fold(Sums::new(weights.len()), |mut all, part| {
        all.gradient.iter_mut().zip(&part.gradient).for_each(|(sum, part)| *sum += part);
        all.hessian.iter_mut().zip(&part.hessian).for_each(|(sum, part)| *sum += part);
        all.likelihood += part.likelihood;
        all
    })
}

fn block(basis: &Basis, weights: &[f64], features: &[f32], rows: &[Outcome]) -> Sums {
    let (size, width) = (weights.len(), basis.width());
    let mut sums = Sums::new(size);
    let mut x = vec![0.0; size];
    let mut on = Vec::with_capacity(size);
    for row in rows {
        basis.fill(&features[row.row * width..][..width], row.volume, &mut x);
        let logit = dot(&x, weights);
        let chance = logistic(logit);
        let truth = f64::from(u8::from(row.happened));
        sums.likelihood += truth * logit - softplus(logit);
        let curve = (chance * (1.0 - chance)).max(1e-12);
        // Hat functions are mostly 0.
        on.clear();
        on.extend((0..size).filter(|&at| x[at] != 0.0));
        for &i in &on {
            sums.gradient[i] += (truth - chance) * x[i];
            let line = &mut sums.hessian[i * size..][..size];
            for &j in on.iter().take_while(|&&j| j <= i) {
                line[j] += curve * x[i] * x[j];
            }
        }
    }
    sums
}

struct Sums {
    gradient: Vec<f64>,
    /// Lower triangle, by rows.
    hessian: Vec<f64>,
    likelihood: f64,
}

impl Sums {
    fn new(size: usize) -> Sums {
        Sums { gradient: vec![0.0; size], hessian: vec![0.0; size * size], likelihood: 0.0 }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn softplus(logit: f64) -> f64 {
    logit.max(0.0) + (-logit.abs()).exp().ln_1p()
}

/// Solves `matrix · x = right` by Cholesky; `matrix` is positive definite, its lower triangle by rows.
fn solved(mut matrix: Vec<f64>, mut right: Vec<f64>, size: usize) -> Vec<f64> {
    for i in 0..size {
        for j in 0..=i {
            let sum = dot(&matrix[i * size..][..j], &matrix[j * size..][..j]);
            let left = matrix[i * size + j] - sum;
            matrix[i * size + j] = if i == j { left.max(1e-12).sqrt() } else { left / matrix[j * size + j] };
        }
    }
    for i in 0..size {
        right[i] = (right[i] - dot(&matrix[i * size..][..i], &right[..i])) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let below: f64 = (i + 1..size).map(|j| matrix[j * size + i] * right[j]).sum();
        right[i] = (right[i] - below) / matrix[i * size + i];
    }
    right
}
