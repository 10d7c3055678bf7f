//! What a step scores against: a sample of a large catalogue, and how likely each pin of it was to be there.

use domain::{PinId, Rng};

use crate::batch::Example;
use crate::{Negatives, TrainConfig};

/// What a step scores against: pins, and the logarithm of the chance that each one is among them: what is taken off its
/// score. Infinite for a pin that answers its own question and is nobody's negative.
pub(crate) struct Candidates {
    pub(crate) pins: Vec<PinId>,
    pub(crate) log_chance: Vec<f32>,
}

/// How many targets there are, how many of the different ones stay, and how many pins are drawn alike.
struct Sample {
    targets: f32,
    kept: f32,
    known: f32,
    draws: f32,
}

/// All known pins while they are few; else the targets (in-batch negatives of each other; a random part of them when
/// they are too many), uniform draws, or both, as [`Negatives`] says. `popularity` is the share of all acts that fell
/// on each pin.
pub(crate) fn draw(
    (known, popularity): (&[PinId], &[f32]),
    config: &TrainConfig,
    examples: &[Example],
    rng: &mut Rng,
) -> Candidates {
    if known.len() <= config.candidates_max {
        return Candidates { pins: known.to_vec(), log_chance: vec![0.0; known.len()] };
    }
    let (room, draws) = match config.negatives {
        Negatives::Mixed => (config.candidates_max - config.candidates_max / 2, config.candidates_max / 2),
        Negatives::InBatch => (config.candidates_max, 0),
        Negatives::Uniform => (config.candidates_max, config.candidates_max),
    };
    let questions = examples.iter().flat_map(|example| &example.questions);
    let mut pins: Vec<PinId> = questions.flat_map(|question| question.targets.iter().map(|(pin, _)| *pin)).collect();
    let targets = pins.len() as f32;
    pins.sort_unstable();
    pins.dedup();
    rng.shuffle(&mut pins);
    let different = pins.len().max(1) as f32;
    pins.truncate(room);
    let kept = pins.len() as f32 / different;
    let mut drawn: Vec<PinId> = (0..draws).map(|_| known[rng.below(known.len() as u32) as usize]).collect();
    pins.extend(&drawn);
    pins.sort_unstable();
    pins.dedup();
    drawn.sort_unstable();
    let sample = Sample { targets, kept, known: known.len() as f32, draws: draws as f32 };
    let log_chance = |pin: &PinId| match config.negatives {
        Negatives::Uniform if drawn.binary_search(pin).is_err() => f32::INFINITY,
        _ if !config.log_q => 0.0,
        negatives => sample.chance(negatives, popularity[pin.index()]).max(f32::MIN_POSITIVE).ln(),
    };
    let log_chance = pins.iter().map(log_chance).collect();
    Candidates { pins, log_chance }
}

impl Sample {
    /// The chance that a pin is a negative, where targets are negatives at all:
    /// `1 - (1 - kept · (1 - (1 - popularity)^targets)) · (1 - 1/known)^draws`.
    fn chance(&self, negatives: Negatives, popularity: f32) -> f32 {
        let miss_draws = (self.draws * (-1.0 / self.known).ln_1p()).exp();
        if negatives == Negatives::Uniform {
            return 1.0 - miss_draws;
        }
        let miss_targets = (self.targets * (-popularity).ln_1p()).exp();
        let miss_kept = 1.0 - self.kept * (1.0 - miss_targets);
        1.0 - miss_kept * miss_draws
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Question;
    use domain::Surface;
    use models::{Reach, SubjectKind};

    const PINS: usize = 400;

    /// Pins whose popularity falls with their number.
    fn known() -> (Vec<PinId>, Vec<f32>) {
        let total = (1..=PINS).map(|pin| 1.0 / pin as f32).sum::<f32>();
        let popularity = (1..=PINS).map(|pin| 1.0 / (pin as f32 * total)).collect();
        ((0..PINS as u32).map(PinId).collect(), popularity)
    }

    /// One question with so many targets, drawn by popularity.
    fn asked(popularity: &[f32], targets: usize, rng: &mut Rng) -> Example {
        let mut draw = || {
            let mut left = rng.uniform();
            let pin = popularity.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            PinId(pin.unwrap_or(0) as u32)
        };
        let question = Question {
            prefix: 0,
            surface: Surface::Home,
            kind: SubjectKind::None,
            pins: Vec::new(),
            content: Vec::new(),
            gap: 0,
            reach: Reach::Next,
            targets: (0..targets).map(|_| (draw(), 1.0 / targets as f32)).collect(),
            rows: Vec::new(),
        };
        Example { acts: Vec::new(), before_ms: None, questions: vec![question], positives: Vec::new() }
    }

    #[test]
    fn chances_are_the_shares_of_steps_in_which_a_pin_is_a_negative() {
        const STEPS: u32 = 4_000;
        let (known, popularity) = known();
        // The 300 targets are about 110 different pins: all of them fit, and not half of them.
        let ways = [Negatives::Mixed, Negatives::InBatch, Negatives::Uniform];
        for (negatives, candidates_max) in ways.into_iter().flat_map(|way| [(way, 300), (way, 80)]) {
            let config = TrainConfig { candidates_max, negatives, ..TrainConfig::default() };
            let mut rng = Rng::new(3);
            let (mut seen, mut told) = (vec![0.0; PINS], vec![(0.0, 0.0); PINS]);
            for _ in 0..STEPS {
                let example = asked(&popularity, 300, &mut rng);
                let found = draw((&known, &popularity), &config, &[example], &mut rng);
                let rows = found.pins.iter().zip(&found.log_chance).filter(|(_, chance)| chance.is_finite());
                assert!(rows.clone().count() <= candidates_max);
                for (pin, log_chance) in rows {
                    seen[pin.index()] += 1.0 / STEPS as f32;
                    let (sum, count) = &mut told[pin.index()];
                    *sum += log_chance.exp();
                    *count += 1.0;
                }
            }
            for pin in [0, 1, 5, 20, 100] {
                let (sum, count) = told[pin];
                let off = sum / count / seen[pin] - 1.0;
                assert!(off.abs() < 0.1, "{negatives:?} of {candidates_max}, pin {pin}: {sum} / {count}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_drawn_is_nobodys_negative() {
        let (known, popularity) = known();
        let config = TrainConfig { candidates_max: 40, negatives: Negatives::Uniform, ..TrainConfig::default() };
        let mut rng = Rng::new(1);
        let example = asked(&popularity, 30, &mut rng);
        let targets: Vec<PinId> = example.questions[0].targets.iter().map(|(pin, _)| *pin).collect();
        let found = draw((&known, &popularity), &config, &[example], &mut rng);
        assert!(targets.iter().all(|pin| found.pins.contains(pin)), "every answer is scored");
        let infinite = found.pins.iter().zip(&found.log_chance).filter(|(_, chance)| chance.is_infinite());
        assert!(infinite.clone().count() > 5 && infinite.clone().all(|(pin, _)| targets.contains(pin)));
        let plain = TrainConfig { log_q: false, negatives: Negatives::Mixed, ..config };
        let found = draw((&known, &popularity), &plain, &[asked(&popularity, 30, &mut rng)], &mut rng);
        assert!(found.log_chance.iter().all(|chance| *chance == 0.0), "all count alike");
    }
}
