//! Labels for people to look at, and how far they agree with people's.

use super::labels::Label;
use domain::{Rng, hash64};
use models::LEVELS;
use serde_json::{Value, json};
use std::collections::HashMap;

/// How far two who labelled the same pairs agree.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Agreement {
    /// Pairs that both labelled.
    pub pairs: usize,
    /// Part of them with the same level, and with one at most one away.
    pub exact: f64,
    pub near: f64,
    /// Cohen's kappa with squared distances: 1 is agreement, 0 what chance gives (Cohen, 1968).
    pub kappa: f64,
    /// Mean of the labels' level less people's.
    pub bias: f64,
}

impl Agreement {
    /// Of labels with people's levels by query and pin.
    pub(crate) fn of(labels: &[Label], people: &HashMap<(String, String), usize>) -> Agreement {
        let both = labels.iter().filter_map(|label| {
            let theirs = people.get(&(label.query.clone(), label.pin.clone()))?;
            Some((label.level.min(LEVELS - 1), *theirs))
        });
        let mut counts = [[0usize; LEVELS]; LEVELS];
        both.for_each(|(own, theirs)| counts[own][theirs.min(LEVELS - 1)] += 1);
        let cells = || (0..LEVELS * LEVELS).map(|at| (at / LEVELS, at % LEVELS));
        let pairs = counts.iter().flatten().sum::<usize>();
        let all = pairs.max(1) as f64;
        let part = |of: &dyn Fn(usize, usize) -> bool| {
            cells().filter(|(a, b)| of(*a, *b)).map(|(a, b)| counts[a][b]).sum::<usize>() as f64 / all
        };
        let own: Vec<f64> = counts.iter().map(|row| row.iter().sum::<usize>() as f64).collect();
        let theirs: Vec<f64> = (0..LEVELS).map(|b| counts.iter().map(|row| row[b]).sum::<usize>() as f64).collect();
        let square = |(a, b): (usize, usize)| (a.abs_diff(b) as f64).powi(2);
        let seen: f64 = cells().map(|(a, b)| square((a, b)) * counts[a][b] as f64).sum();
        let chance: f64 = cells().map(|(a, b)| square((a, b)) * own[a] * theirs[b] / all).sum();
        let bias = cells().map(|(a, b)| (a as f64 - b as f64) * counts[a][b] as f64).sum::<f64>() / all;
        Agreement {
            pairs,
            exact: part(&|a, b| a == b),
            near: part(&|a, b| a.abs_diff(b) <= 1),
            kappa: if chance > 0.0 { 1.0 - seen / chance } else { 0.0 },
            bias,
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "pairs": self.pairs, "exact": self.exact, "within_one": self.near, "kappa": self.kappa, "bias": self.bias,
        })
    }

    /// As a sentence.
    pub(crate) fn words(&self) -> String {
        format!(
            "agreement with people on {} pairs: {:.1} % exact, {:.1} % within one level, kappa {:.3}, {:+.2} levels on \
             average",
            self.pairs,
            100.0 * self.exact,
            100.0 * self.near,
            self.kappa,
            self.bias
        )
    }
}

/// A seeded sample of labels, as many of each level as there are, up to the same number.
pub(crate) fn audit(labels: &[Label], count: usize, seed: u64) -> Vec<&Label> {
    let mut of_level: [Vec<&Label>; LEVELS] = Default::default();
    labels.iter().for_each(|label| of_level[label.level.min(LEVELS - 1)].push(label));
    let mut rng = Rng::new(hash64(seed) ^ 0xA0D1);
    of_level.iter_mut().for_each(|labels| rng.shuffle(labels));
    let longest = of_level.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..longest).flat_map(|at| of_level.iter().filter_map(move |labels| labels.get(at).copied()));
    let mut sample: Vec<&Label> = in_turn.take(count).collect();
    sample.sort_by_key(|label| std::cmp::Reverse(label.level));
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(pin: usize, level: usize) -> Label {
        Label { query: "q".into(), pin: pin.to_string(), level, chances: None, by: "x".into() }
    }

    #[test]
    fn agreement_is_one_for_the_same_and_nothing_for_chance() {
        let people: HashMap<_, _> = (0..100).map(|pin| (("q".to_owned(), pin.to_string()), pin % 5)).collect();
        let same: Vec<Label> = (0..100).map(|pin| label(pin, pin % 5)).collect();
        let of = Agreement::of(&same, &people);
        assert_eq!((of.pairs, of.exact, of.near, of.kappa, of.bias), (100, 1.0, 1.0, 1.0, 0.0));
        let chance: Vec<Label> = (0..100).map(|pin| label(pin, pin / 5 % 5)).collect();
        assert!(Agreement::of(&chance, &people).kappa.abs() < 1e-9);
        let above: Vec<Label> = (0..100).map(|pin| label(pin, (pin % 5 + 1).min(4))).collect();
        let of = Agreement::of(&above, &people);
        assert_eq!((of.exact, of.near, of.bias), (0.2, 1.0, 0.8));
        assert!(of.kappa > 0.7, "{of:?}");
        assert_eq!(Agreement::of(&[], &people), Agreement::default());
    }

    #[test]
    fn a_sample_shows_all_levels() {
        let labels: Vec<Label> = (0..60).map(|pin| label(pin, if pin < 50 { 0 } else { pin % 5 })).collect();
        let sample = audit(&labels, 10, 3);
        let count = |level| sample.iter().filter(|label| label.level == level).count();
        assert_eq!((0..LEVELS).map(count).collect::<Vec<_>>(), [2, 2, 2, 2, 2]);
        assert_eq!(audit(&labels, 100, 3).len(), 60);
    }
}
