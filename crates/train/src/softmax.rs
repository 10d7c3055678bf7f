//! The sampled softmax with its gradient, outside autograd: the scores of all questions against all candidates are the
//! largest thing in training, so they are made, used and forgotten in chunks, in one pass.

use models::{Operand, exp_sum, matmul};
use rayon::prelude::*;

/// Questions whose scores are held at once, per shard.
const CHUNK: usize = 64;

/// Questions and candidates of a step, beside their unit vectors.
pub(crate) struct Scored<'a> {
    pub(crate) dim: usize,
    /// Per candidate the logarithm of the chance that it was sampled.
    pub(crate) log_chance: &'a [f32],
    pub(crate) answers: &'a Answers,
    /// Softmax scale (inverse temperature).
    pub(crate) scale: f32,
    /// In how many parts questions are scored at once.
    pub(crate) shards: usize,
}

/// What answers questions, as rows of candidates.
#[derive(Default)]
pub(crate) struct Answers {
    /// Per question its targets, with weights; a question without any teaches nothing.
    pub(crate) targets: Vec<Vec<(u32, f32)>>,
    /// Per question all that its pinner acted on; contains the targets.
    pub(crate) positives: Vec<Vec<u32>>,
}

/// Mean loss per question and its gradient.
pub(crate) struct Loss<B> {
    pub(crate) mean: f64,
    /// `questions × dim`
    pub(crate) d_users: B,
    /// `candidates × dim`
    pub(crate) d_pins: B,
    pub(crate) d_scale: f32,
}

impl Loss<Vec<f32>> {
    /// The loss and its gradients, that many times.
    pub(crate) fn times(mut self, factor: f32) -> Loss<Vec<f32>> {
        self.d_users.iter_mut().chain(&mut self.d_pins).for_each(|value| *value *= factor);
        Loss { mean: self.mean * f64::from(factor), d_scale: self.d_scale * factor, ..self }
    }
}

/// Each target against all candidates that are not its pinner's, `-ln(eᵗ / (eᵗ + Σ eˢ/chance))`: weighted over
/// a question's targets, the mean over questions. `users` has a row per question, `pins` one per candidate. The shards
/// are fixed, so that sums do not depend on the number of threads.
pub(crate) fn loss(users: &[f32], pins: &[f32], scored: &Scored) -> Loss<Vec<f32>> {
    let questions = scored.answers.targets.len();
    let per_shard = questions.div_ceil(scored.shards.max(1)).max(1);
    let starts: Vec<usize> = (0..questions).step_by(per_shard).collect();
    let ends = starts.iter().map(|start| (start + per_shard).min(questions));
    let ranges: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
    let parts: Vec<Loss<Vec<f32>>> = ranges.par_iter().map(|&range| shard(users, pins, scored, range)).collect();
    let mut total = Loss { mean: 0.0, d_users: Vec::new(), d_pins: vec![0.0; pins.len()], d_scale: 0.0 };
    for part in parts {
        total.mean += part.mean;
        total.d_users.extend(part.d_users);
        total.d_scale += part.d_scale;
        total.d_pins.iter_mut().zip(part.d_pins).for_each(|(sum, part)| *sum += part);
    }
    total
}

fn shard(users: &[f32], pins: &[f32], scored: &Scored, (start, end): (usize, usize)) -> Loss<Vec<f32>> {
    let d = scored.dim;
    let candidates = pins.len() / d;
    let pins = Operand::new(pins, candidates, d, d);
    let mut scores = vec![0.0; CHUNK.min(end - start) * candidates];
    let mut part =
        Loss { mean: 0.0, d_users: vec![0.0; (end - start) * d], d_pins: vec![0.0; candidates * d], d_scale: 0.0 };
    for from in (start..end).step_by(CHUNK) {
        let to = (from + CHUNK).min(end);
        let users = &users[from * d..to * d];
        let scores = &mut scores[..(to - from) * candidates];
        matmul(scores, candidates, Operand::new(users, to - from, d, d), pins.transposed(), 0.0, 1.0);
        for (question, row) in (from..to).zip(scores.chunks_exact_mut(candidates)) {
            part.mean += question_loss(scored, question, row);
        }
        let d_scores = Operand::new(scores, to - from, candidates, candidates);
        let d_users = &mut part.d_users[(from - start) * d..(to - start) * d];
        matmul(d_users, d, d_scores, pins, 0.0, 1.0);
        matmul(&mut part.d_pins, d, d_scores.transposed(), Operand::new(users, to - from, d, d), 1.0, 1.0);
        // Scores are scale · u · v: the gradient of the scale is that of u along u.
        part.d_scale += d_users.iter().zip(users).map(|(gradient, user)| gradient * user).sum::<f32>() / scored.scale;
    }
    part
}

/// Turns a row of cosines into the row of their gradients; returns the question's part of the mean loss.
fn question_loss(scored: &Scored, question: usize, row: &mut [f32]) -> f64 {
    let (targets, scale) = (&scored.answers.targets[question], scored.scale);
    if targets.is_empty() {
        row.fill(0.0);
        return 0.0;
    }
    let share = 1.0 / scored.answers.targets.len() as f32;
    // No score is above the scale, so it keeps every exponent below zero.
    let own: Vec<f32> = targets.iter().map(|&(target, _)| (scale * (row[target as usize] - 1.0)).exp()).collect();
    for (score, log_chance) in row.iter_mut().zip(scored.log_chance) {
        *score = *score * scale - log_chance;
    }
    for &positive in &scored.answers.positives[question] {
        row[positive as usize] = f32::NEG_INFINITY;
    }
    let rest = exp_sum(row, scale);
    let pull: f32 = own.iter().zip(targets).map(|(own, (_, weight))| weight * share * scale / (own + rest)).sum();
    row.iter_mut().for_each(|value| *value *= pull);
    for &positive in &scored.answers.positives[question] {
        row[positive as usize] = 0.0;
    }
    let mut loss = 0.0;
    for (&(target, weight), own) in targets.iter().zip(&own) {
        let (share, chance) = (weight * share, own / (own + rest));
        loss -= f64::from(chance.max(f32::MIN_POSITIVE).ln() * share);
        row[target as usize] -= share * (1.0 - chance) * scale;
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    const DIM: usize = 8;

    struct Case {
        users: Vec<f32>,
        pins: Vec<f32>,
        log_chance: Vec<f32>,
        answers: Answers,
    }

    impl Case {
        fn new() -> Case {
            let mut rng = Rng::new(4);
            let mut unit = |rows: usize| {
                let mut values: Vec<f32> = (0..rows * DIM).map(|_| rng.normal()).collect();
                for row in values.chunks_exact_mut(DIM) {
                    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
                    row.iter_mut().for_each(|value| *value /= length);
                }
                values
            };
            Case {
                users: unit(3),
                pins: unit(20),
                log_chance: (0..20).map(|i| -0.1 * i as f32).collect(),
                answers: Answers {
                    targets: vec![vec![(1, 0.5), (2, 0.5)], vec![(5, 1.0)], vec![(19, 0.2), (0, 0.5), (7, 0.3)]],
                    positives: vec![vec![1, 2, 3], vec![5], vec![0, 7, 19]],
                },
            }
        }

        fn loss(&self, scale: f32, shards: usize) -> Loss<Vec<f32>> {
            let Case { users, pins, log_chance, answers } = self;
            loss(users, pins, &Scored { dim: DIM, log_chance, answers, scale, shards })
        }
    }

    #[test]
    fn gradients_equal_differences() {
        let case = Case::new();
        let found = case.loss(5.0, 1);
        let close = |gradient: f32, up: f64, down: f64, step: f32| {
            let difference = ((up - down) / f64::from(2.0 * step)) as f32;
            assert!((gradient - difference).abs() < 2e-3, "{gradient} {difference}");
        };
        let step = 1e-2;
        close(found.d_scale, case.loss(5.0 + step, 1).mean, case.loss(5.0 - step, 1).mean, step);
        for i in 0..case.users.len() {
            let (mut up, mut down) = (Case::new(), Case::new());
            up.users[i] += step;
            down.users[i] -= step;
            close(found.d_users[i], up.loss(5.0, 1).mean, down.loss(5.0, 1).mean, step);
        }
        for i in 0..case.pins.len() {
            let (mut up, mut down) = (Case::new(), Case::new());
            up.pins[i] += step;
            down.pins[i] -= step;
            close(found.d_pins[i], up.loss(5.0, 1).mean, down.loss(5.0, 1).mean, step);
        }
    }

    #[test]
    fn shards_only_split_the_work() {
        let (one, three) = (Case::new().loss(5.0, 1), Case::new().loss(5.0, 3));
        assert!((one.mean - three.mean).abs() < 1e-6);
        for (a, b) in one.d_pins.iter().zip(&three.d_pins) {
            assert!((a - b).abs() < 1e-6);
        }
        assert_eq!(one.d_users.len(), three.d_users.len());
    }
}
