//! Which queries are judged when two rankings are compared, and how small an effect that can tell.

use domain::{Rng, hash64};
use std::collections::BTreeMap;

/// Queries of each stratum that are judged first, to learn how much they differ.
pub(crate) const PILOT: usize = 8;
/// z of a two-sided test at 5 % and of a power of 80 %.
const Z_TEST: f64 = 1.959_964;
const Z_POWER: f64 = 0.841_621;
/// Differences vary at least so much: a pilot of queries that happen to agree does not close a stratum.
const DEVIATION_MIN: f64 = 0.01;

/// A query and how often it was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub text: String,
    pub times: u64,
}

/// A class of queries that are alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stratum {
    pub name: String,
    /// Its queries, in a seeded order.
    pub queries: Vec<usize>,
    /// Paired differences of those that were judged: the first ones.
    pub differences: Vec<f64>,
}

/// Cuts queries into strata by how often they were asked (thirds of all that was asked) and by their length.
pub(crate) fn strata(queries: &[Asked], seed: u64) -> Vec<Stratum> {
    let mut by_times: Vec<usize> = (0..queries.len()).collect();
    by_times.sort_by_key(|&query| std::cmp::Reverse(queries[query].times));
    let all: u64 = queries.iter().map(|query| query.times.max(1)).sum();
    let (mut before, mut found) = (0u64, BTreeMap::<(usize, usize), Vec<usize>>::new());
    let mut third_of = BTreeMap::new();
    for query in by_times {
        let times = queries[query].times.max(1);
        // Queries that were asked as often are of one third.
        let third = *third_of.entry(times).or_insert(((3 * before) / all.max(1)).min(2) as usize);
        before += times;
        let words = queries[query].text.split_whitespace().count();
        let length = match words {
            0..=1 => 0,
            2..=3 => 1,
            _ => 2,
        };
        found.entry((third, length)).or_default().push(query);
    }
    let named = |((third, length), mut queries): ((usize, usize), Vec<usize>)| {
        Rng::new(hash64(seed) ^ (3 * third + length) as u64).shuffle(&mut queries);
        let name = format!(
            "{}, {}",
            ["often asked", "asked", "rarely asked"][third],
            ["one word", "two or three words", "more words"][length]
        );
        Stratum { name, queries, differences: Vec::new() }
    };
    found.into_iter().map(named).collect()
}

/// How many queries of each stratum are judged in all: more where there are more and where they differ more (Neyman,
/// 1934), never fewer than were.
pub(crate) fn allocate(strata: &[Stratum], total: usize) -> Vec<usize> {
    let pull: Vec<f64> =
        strata.iter().map(|of| of.queries.len() as f64 * deviation(&of.differences).max(DEVIATION_MIN)).collect();
    let mut counts: Vec<usize> = strata.iter().map(|of| of.differences.len()).collect();
    let spare = |counts: &[usize]| total.saturating_sub(counts.iter().sum());
    for _ in 0..total {
        if spare(&counts) == 0 {
            break;
        }
        let open = (0..strata.len()).filter(|&at| counts[at] < strata[at].queries.len());
        let want = |at: &usize| pull[*at] / (counts[*at] + 1) as f64;
        let Some(most) = open.max_by(|a, b| want(a).total_cmp(&want(b)).then(b.cmp(a))) else { break };
        counts[most] += 1;
    }
    counts
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Effect {
    /// Mean difference over all queries, each stratum as large as it is.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// The smallest difference that a comparison like this finds in 80 of 100 cases (two-sided, 5 %).
    pub detectable: f64,
    /// The same for as many queries drawn from all alike, paired.
    pub detectable_unstratified: f64,
    /// Queries that were judged.
    pub judged: usize,
}

/// The effect over all strata.
pub(crate) fn effect(strata: &[Stratum]) -> Effect {
    let all: usize = strata.iter().map(|of| of.queries.len()).sum();
    let judged: usize = strata.iter().map(|of| of.differences.len()).sum();
    let (mut mean, mut variance) = (0.0, 0.0);
    for of in strata.iter().filter(|of| !of.differences.is_empty()) {
        let (size, count) = (of.queries.len() as f64, of.differences.len() as f64);
        let share = size / all.max(1) as f64;
        mean += share * mean_of(&of.differences);
        variance += share.powi(2) * deviation(&of.differences).powi(2) / count * (1.0 - count / size);
    }
    // Of a simple draw: variance within strata, and between them.
    let between = |of: &Stratum| {
        let share = of.queries.len() as f64 / all.max(1) as f64;
        share * (deviation(&of.differences).powi(2) + (mean_of(&of.differences) - mean).powi(2))
    };
    let simple: f64 = strata.iter().map(between).sum::<f64>() / judged.max(1) as f64;
    let simple = simple * (1.0 - judged as f64 / all.max(1) as f64);
    let reach = Z_TEST + Z_POWER;
    Effect {
        mean,
        error: variance.sqrt(),
        detectable: reach * variance.sqrt(),
        detectable_unstratified: reach * simple.max(0.0).sqrt(),
        judged,
    }
}

impl Effect {
    /// Interval of 95 %.
    pub(crate) fn interval(&self) -> [f64; 2] {
        [self.mean - Z_TEST * self.error, self.mean + Z_TEST * self.error]
    }
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean_of(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len().saturating_sub(1).max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes: queries of one word never differ, those of four differ by .3 with much noise.
    fn queries(count: usize) -> Vec<Asked> {
        let text = |at: usize| if at.is_multiple_of(4) { "a b c d" } else { "word" };
        (0..count).map(|at| Asked { text: text(at).into(), times: 1 + (at % 2) as u64 }).collect()
    }

    fn difference(query: &Asked, rng: &mut Rng) -> f64 {
        if query.text == "word" { 0.01 * f64::from(rng.normal()) } else { 0.3 + 0.4 * f64::from(rng.normal()) }
    }

    fn compared(seed: u64, total: usize) -> (Effect, Vec<Stratum>) {
        let queries = queries(4_000);
        let (mut strata, mut rng) = (strata(&queries, seed), Rng::new(seed));
        let judge = |of: &mut Stratum, to: usize, rng: &mut Rng| {
            for at in of.differences.len()..to.min(of.queries.len()) {
                of.differences.push(difference(&queries[of.queries[at]], rng));
            }
        };
        strata.iter_mut().for_each(|of| judge(of, PILOT, &mut rng));
        let counts = allocate(&strata, total);
        assert_eq!(counts.iter().sum::<usize>(), total);
        strata.iter_mut().zip(counts).for_each(|(of, count)| judge(of, count, &mut rng));
        (effect(&strata), strata)
    }

    #[test]
    fn strata_that_differ_more_are_judged_more_and_tell_smaller_effects() {
        let (effect, strata) = compared(1, 200);
        let judged = |name: &str| -> usize {
            strata.iter().filter(|of| of.name.contains(name)).map(|of| of.differences.len()).sum()
        };
        assert!(judged("more words") > 4 * judged("one word"), "{effect:?}");
        assert!(effect.detectable < 0.75 * effect.detectable_unstratified, "{effect:?}");
        assert_eq!(effect.judged, 200);
    }

    #[test]
    fn intervals_cover_the_truth() {
        let truth = 0.3 / 4.0;
        let covered = (0..200).filter(|&seed| {
            let [low, high] = compared(seed, 120).0.interval();
            (low..=high).contains(&truth)
        });
        let covered = covered.count();
        assert!((180..=200).contains(&covered), "{covered} of 200 intervals of 95 % hold the truth");
    }

    #[test]
    fn all_queries_judged_leave_no_doubt_and_none_tell_nothing() {
        let mut all = strata(&queries(40), 3);
        assert_eq!(effect(&all), Effect::default());
        all.iter_mut().for_each(|of| of.differences = vec![0.2; of.queries.len()]);
        let effect = effect(&all);
        assert!((effect.mean - 0.2).abs() < 1e-9 && effect.detectable == 0.0);
        assert_eq!(allocate(&all, 10), all.iter().map(|of| of.queries.len()).collect::<Vec<_>>());
    }
}
