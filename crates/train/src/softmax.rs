//! The sampled softmax with its gradient, outside autograd: the scores of all questions against all candidates are the
//! largest thing in training, so they are made, used and forgotten in chunks, in one pass.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::forward::tensor;

/// Questions whose scores are held at once, per thread.
const CHUNK: usize = 128;

/// Questions and candidates of a step.
pub(crate) struct Scored<'a> {
    pub(crate) dim: usize,
    /// `questions × dim`, unit rows.
    pub(crate) users: &'a [f32],
    /// `candidates × dim`, unit rows.
    pub(crate) pins: &'a [f32],
    /// Per candidate the logarithm of the chance that it was sampled.
    pub(crate) log_chance: &'a [f32],
    /// Per question its targets, as candidate rows.
    pub(crate) targets: &'a [Vec<u32>],
    /// Per question the candidate rows that its pinner acted on; contains the targets.
    pub(crate) positives: &'a [Vec<u32>],
    /// Softmax scale (inverse temperature).
    pub(crate) scale: f32,
    pub(crate) multinomial: bool,
}

/// Mean loss per question and its gradient.
pub(crate) struct Loss {
    pub(crate) mean: f64,
    pub(crate) d_users: Vec<f32>,
    pub(crate) d_pins: Vec<f32>,
    pub(crate) d_scale: f32,
}

/// Each target against all candidates that are not its pinner's: `-ln(eᵗ / (eᵗ + Σ eˢ/chance))`, mean over a question's
/// targets and over questions. Shards are fixed, so the sums do not depend on the number of threads.
pub(crate) fn loss(scored: &Scored, shards: usize) -> Loss {
    let questions = scored.targets.len();
    let per_shard = questions.div_ceil(shards).next_multiple_of(CHUNK.min(32));
    let starts: Vec<usize> = (0..questions).step_by(per_shard.max(1)).collect();
    let parts: Vec<Part> = starts
        .par_iter()
        .map(|&start| shard(scored, start, (start + per_shard).min(questions), 1.0 / questions as f32))
        .collect();
    let mut total = Loss { mean: 0.0, d_users: Vec::new(), d_pins: vec![0.0; scored.pins.len()], d_scale: 0.0 };
    for part in parts {
        total.mean += part.loss / questions as f64;
        total.d_users.extend(part.d_users);
        total.d_scale += part.d_scale;
        total.d_pins.iter_mut().zip(part.d_pins).for_each(|(sum, part)| *sum += part);
    }
    total
}

struct Part {
    loss: f64,
    d_users: Vec<f32>,
    d_pins: Vec<f32>,
    d_scale: f32,
}

fn shard(scored: &Scored, start: usize, end: usize, weight: f32) -> Part {
    let (d, device) = (scored.dim, Device::flex());
    let candidates = scored.pins.len() / d;
    let pins = tensor(scored.pins.to_vec(), [candidates, d], &device);
    let mut d_pins: Tensor<2> = Tensor::zeros([candidates, d], &device);
    let mut part = Part { loss: 0.0, d_users: Vec::with_capacity((end - start) * d), d_pins: Vec::new(), d_scale: 0.0 };
    for from in (start..end).step_by(CHUNK) {
        let to = (from + CHUNK).min(end);
        let users = tensor(scored.users[from * d..to * d].to_vec(), [to - from, d], &device);
        let mut scores = floats(users.clone().matmul(pins.clone().transpose()));
        for (question, row) in (from..to).zip(scores.chunks_exact_mut(candidates)) {
            part.loss += if scored.multinomial {
                question_multi(scored, question, row, weight)
            } else {
                question_loss(scored, question, row, weight)
            };
        }
        let d_scores = tensor(scores, [to - from, candidates], &device);
        let d_users = floats(d_scores.clone().matmul(pins.clone()));
        part.d_scale += d_users.iter().zip(&scored.users[from * d..]).map(|(d, u)| d * u).sum::<f32>() / scored.scale;
        part.d_users.extend(d_users);
        d_pins = d_pins + d_scores.transpose().matmul(users);
    }
    part.d_pins = floats(d_pins);
    part
}

pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("invariant: a tensor of floats")
}

/// Turns a row of cosines into the row of their gradients; returns the loss.
fn question_loss(scored: &Scored, question: usize, row: &mut [f32], weight: f32) -> f64 {
    let (targets, scale) = (&scored.targets[question], scored.scale);
    let target_cosines: Vec<f32> = targets.iter().map(|&target| row[target as usize]).collect();
    for (score, log_chance) in row.iter_mut().zip(scored.log_chance) {
        *score = *score * scale - log_chance;
    }
    for &positive in &scored.positives[question] {
        row[positive as usize] = f32::NEG_INFINITY;
    }
    let top = scale;
    let rest = models::exp_sum(row, top);
    for &positive in &scored.positives[question] {
        row[positive as usize] = 0.0;
    }
    let share = weight / targets.len() as f32;
    let (mut loss, mut pull) = (0.0, 0.0);
    for cosine in &target_cosines {
        let own = (cosine * scale - top).exp();
        loss -= f64::from((own / (own + rest)).max(1e-30).ln()) / targets.len() as f64;
        pull += share / (own + rest);
    }
    row.iter_mut().for_each(|value| *value *= pull * scale);
    for (&target, cosine) in targets.iter().zip(&target_cosines) {
        let own = (cosine * scale - top).exp();
        row[target as usize] -= share * (1.0 - own / (own + rest)) * scale;
    }
    loss
}

fn question_multi(scored: &Scored, question: usize, row: &mut [f32], weight: f32) -> f64 {
    let (targets, scale) = (&scored.targets[question], scored.scale);
    let target_cosines: Vec<f32> = targets.iter().map(|&target| row[target as usize]).collect();
    for (score, log_chance) in row.iter_mut().zip(scored.log_chance) {
        *score = *score * scale - log_chance;
    }
    for &positive in &scored.positives[question] {
        if !targets.contains(&positive) {
            row[positive as usize] = f32::NEG_INFINITY;
        }
    }
    let top = scale;
    let rest = models::exp_sum(row, top);
    let share = weight / targets.len() as f32;
    let mut loss = 0.0;
    for cosine in &target_cosines {
        loss -= f64::from(cosine * scale - top - rest.ln()) / targets.len() as f64;
    }
    for value in row.iter_mut() {
        *value *= weight / rest * scale;
    }
    for &target in targets.iter() {
        row[target as usize] -= share * scale;
    }
    loss
}
