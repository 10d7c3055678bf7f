//! All ways to read a text, and which of them is most likely.

use super::vocabulary::{UNKNOWN, Vocabulary};

/// One reading of one word, or of two that belong together.
#[derive(Debug)]
pub(super) struct Reading {
    /// The tokens that it reads: `start..end`.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The words that it takes them for. One, two, or none: then they stay what they are.
    pub(super) words: Vec<u32>,
    /// What its neighbours see of it: numbers of words, or [`UNKNOWN`].
    pub(super) first: u32,
    pub(super) last: u32,
    /// Logarithm of its probability, but for how its first word follows the one before.
    pub(super) ln: f32,
}

/// The most likely way, as numbers of readings with the probability of each; and the probability of the whole way.
pub(super) struct Way {
    pub(super) readings: Vec<(usize, f32)>,
    pub(super) share: f32,
}

fn ln_sum(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    // Most are too far apart to matter.
    if low - high > -16.0 { high + (low - high).exp().ln_1p() } else { high }
}

/// A step from one reading to the next.
struct Arc {
    from: usize,
    to: usize,
    ln: f32,
}

/// What is known of a reading from all ways and from the best one.
#[derive(Clone, Copy)]
struct Sums {
    before: f32,
    after: f32,
    best: f32,
    back: Option<usize>,
}

/// The best way through `readings` of `tokens` tokens (Viterbi, 1967) and what part of all ways goes through each of
/// its readings (forward and backward sums). Readings are in the order of where they start, and every token has one
/// that reads it alone. `temper` divides all logarithms: probabilities of parts that are not independent are too sure.
pub(super) fn best_way(readings: &[Reading], tokens: usize, words: &Vocabulary, temper: f32) -> Way {
    let ln_after = |left: u32, right: u32| if right == UNKNOWN { 0.0 } else { words.ln_after(left, right) };
    let none = Sums { before: f32::NEG_INFINITY, after: f32::NEG_INFINITY, best: f32::NEG_INFINITY, back: None };
    let mut sums = vec![none; readings.len()];
    let mut arcs: Vec<Arc> = Vec::new();
    let mut starting: Vec<Vec<usize>> = vec![Vec::new(); tokens + 1];
    readings.iter().enumerate().for_each(|(at, reading)| starting[reading.start].push(at));
    for (at, reading) in readings.iter().enumerate() {
        if reading.start == 0 {
            let ln = (ln_after(UNKNOWN, reading.first) + reading.ln) / temper;
            (sums[at].before, sums[at].best) = (ln, ln);
        }
        for &to in &starting[reading.end] {
            let ln = (ln_after(reading.last, readings[to].first) + readings[to].ln) / temper;
            let here = sums[at];
            let next = &mut sums[to];
            next.before = ln_sum(next.before, here.before + ln);
            if here.best + ln > next.best {
                (next.best, next.back) = (here.best + ln, Some(at));
            }
            arcs.push(Arc { from: at, to, ln });
        }
    }
    let ends = || readings.iter().enumerate().filter(|(_, reading)| reading.end == tokens).map(|(at, _)| at);
    ends().for_each(|at| sums[at].after = 0.0);
    for arc in arcs.iter().rev() {
        sums[arc.from].after = ln_sum(sums[arc.from].after, sums[arc.to].after + arc.ln);
    }
    let all = ends().fold(f32::NEG_INFINITY, |all, at| ln_sum(all, sums[at].before));
    let mut at = ends().max_by(|&a, &b| sums[a].best.total_cmp(&sums[b].best).then(b.cmp(&a)));
    let share = at.map_or(1.0, |at| (sums[at].best - all).exp().min(1.0));
    let mut way = Vec::new();
    while let Some(here) = at {
        way.push((here, (sums[here].before + sums[here].after - all).exp().min(1.0)));
        at = sums[here].back;
    }
    way.reverse();
    Way { readings: way, share }
}
