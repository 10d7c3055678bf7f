//! One search: lists in the order of their promise, until little is to be expected of the rest.
//!
//! ```text
//! query → score all centres → lists by promise ─┐
//!           ┌─────────────────────────────────────┘
//!           └► scan a list (upper parts) → rows above the bar → tell them (lower parts) → the best so far
//!                     ▲                                                                     │ raises the bar
//!                     └───────────── until the rest is not expected to hold enough ◄────────┘
//! ```
//!
//! **When to stop.** Scores of a list's rows lie around that of its centre, about normally, with the list's spread. So
//! the rows above the bar that a list still holds can be expected, `size · P(score > bar)`, and the search ends when
//! the lists that were not scanned are expected to hold fewer than the recall that was asked for allows. With a filter
//! each list counts by the part of it that passes.

use super::geometry::{Geometry, Spread};
use super::held::{Held, Marks};
use super::kernel::{Bar, Kernel, ROWS, Scale, Scanned, prefetch};
use super::part::View;
use super::query::Query;
use super::row;
use super::tail::above;
use domain::PinId;
use std::ops::Range;

/// Lists that are put in order at first; four times as many whenever they run out.
const ORDERED: usize = 16;

/// Lists looked at together when they are put in order.
const CHUNK: usize = 16;

/// Promise of a list: the score of its centre and this many spreads.
const PROMISE: f32 = 1.5;

/// A list whose centre's score is this many spreads below the bar is not counted.
const NEGLIGIBLE: f32 = 4.0;

/// What is lost may be this part of what is expected to be lost: tails of learned vectors are fatter than the normal
/// one, queries lie elsewhere than pins, and what passes a filter may be just the rows that lie towards the query. With
/// it the recall that is asked for is kept on average by mixtures, content vectors and user vectors.
const TRUST: f32 = 0.4;

/// Which rows are wanted.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    Everything,
    /// Those whose pins pass; about this part of all.
    Passing(&'a dyn Fn(PinId) -> bool, f32),
    /// Those that are marked, by part.
    Marked(&'a [Marks]),
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    pub(super) lists: usize,
    pub(super) rows: usize,
}

/// A row that may be among the best.
#[derive(Clone, Copy, Debug)]
struct Told {
    score: f32,
    part: u32,
    row: u32,
}

/// A row that passed the bar.
#[derive(Clone, Copy, Debug)]
struct Guess {
    told: Told,
    upper: i32,
    scale: Scale,
}

/// A list, its promise and what is known of its scores.
#[derive(Clone, Copy, Debug)]
struct Next {
    promise: f32,
    list: u32,
}

/// Room to work in, kept from search to search.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    sums: Vec<i32>,
    scores: Vec<f32>,
    /// Standard deviation of each list's scores.
    spreads: Vec<f32>,
    promises: Vec<f32>,
    maxima: Vec<f32>,
    order: Vec<Next>,
    scanned: Scanned,
    guesses: Vec<Guess>,
    best: Vec<Told>,
    ranks: Vec<f32>,
}

/// A search in parts of one geometry.
pub(super) struct Search<'a> {
    pub(super) held: &'a [&'a Held],
    pub(super) kernel: Kernel,
    pub(super) query: &'a Query,
    pub(super) k: usize,
    /// Part of the best `k` that should be found; 1 scans all.
    pub(super) recall: f32,
    /// How far above the middle the unknown lower part of a row is taken to lie (standard deviations).
    pub(super) deviations: f32,
    pub(super) wanted: Wanted<'a>,
}

/// What is to be expected of the rest.
enum Left {
    /// Too little to go on.
    Little,
    /// Enough, in the lists that are in order.
    Enough,
    /// Enough, in lists that are not in order yet.
    Elsewhere,
}

/// How far a search is.
struct State<'s> {
    scratch: &'s mut Scratch,
    views: Vec<View<'s>>,
    floor: f32,
    /// What was to be expected of the lists that are not in order, and at which bar.
    others: (f32, f32),
    /// Rows that a filter was asked about, and those that passed.
    tested: f32,
    passed: f32,
    effort: Effort,
}

impl Search<'_> {
    /// The best pins, best first, equal ones by id.
    pub(super) fn run<'s>(&'s self, scratch: &'s mut Scratch) -> (Vec<(PinId, f32)>, Effort) {
        let Some(first) = self.held.first().filter(|_| self.k > 0) else { return Default::default() };
        let geometry = &*first.part.geometry;
        scratch.best.clear();
        geometry.scores(self.query, self.kernel, &mut scratch.sums, &mut scratch.scores);
        let spread = |(&score, spread): (&f32, &Spread)| spread.of(self.query.norm, score);
        scratch.spreads.clear();
        scratch.spreads.extend(scratch.scores.iter().zip(&geometry.spreads[..]).map(spread));
        let views = self.held.iter().map(|held| held.part.view()).collect();
        let mut state = State {
            scratch,
            views,
            floor: f32::NEG_INFINITY,
            others: (f32::NEG_INFINITY, f32::INFINITY),
            tested: 0.0,
            passed: 0.0,
            effort: Effort::default(),
        };
        let (mut done, mut wanted) = (0, 0);
        while wanted < geometry.lists {
            wanted = (wanted * 4).max(ORDERED).min(geometry.lists);
            // The first ones are those that were there before.
            self.order(wanted, &mut state);
            while done < state.scratch.order.len() {
                match self.left(done, &mut state) {
                    Left::Little => return self.finish(state),
                    Left::Elsewhere => break,
                    Left::Enough => self.visit(geometry, done, &mut state),
                }
                done += 1;
            }
        }
        self.finish(state)
    }

    /// Puts the `count` most promising lists in order.
    fn order(&self, count: usize, state: &mut State) {
        state.others = (f32::NEG_INFINITY, f32::INFINITY);
        let Scratch { order, promises, maxima, ranks, scores, spreads, .. } = &mut *state.scratch;
        let by_promise = |a: &Next, b: &Next| b.promise.total_cmp(&a.promise).then(a.list.cmp(&b.list));
        promises.clear();
        promises.extend(scores.iter().zip(&*spreads).map(|(score, spread)| score + PROMISE * spread));
        if let Wanted::Marked(marks) = self.wanted {
            let unmarked = |(list, _): &(usize, &mut f32)| marks.iter().all(|marks| marks.sizes[*list] == 0);
            promises.iter_mut().enumerate().filter(unmarked).for_each(|(_, promise)| *promise = f32::NEG_INFINITY);
        }
        // As many chunks as lists are wanted reach the bar, so at least that many lists do.
        maxima.clear();
        maxima.extend(promises.chunks(CHUNK).map(largest));
        let mut bar = f32::MIN;
        if count < maxima.len() {
            ranks.clear();
            ranks.extend_from_slice(maxima);
            bar = bar.max(*ranks.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a)).1);
        }
        order.clear();
        for (chunk, promises) in promises.chunks(CHUNK).enumerate().filter(|(chunk, _)| maxima[*chunk] >= bar) {
            for (at, &promise) in promises.iter().enumerate().filter(|(_, promise)| **promise >= bar) {
                order.push(Next { promise, list: (chunk * CHUNK + at) as u32 });
            }
        }
        order.sort_unstable_by(by_promise);
        order.truncate(count);
    }

    /// What is to be expected of the lists that were not visited: of those from `done` on in the order, and of all
    /// others.
    fn left(&self, done: usize, state: &mut State<'_>) -> Left {
        if self.recall >= 1.0 || state.floor == f32::NEG_INFINITY {
            return Left::Enough;
        }
        let share = match self.wanted {
            // What passes may lie elsewhere: that little of it was seen here says nothing.
            Wanted::Passing(_, share) if state.tested > 0.0 => share.max(state.passed / state.tested),
            Wanted::Passing(_, share) => share,
            _ => 1.0,
        };
        let allowed = (1.0 - self.recall) * self.k as f32 * TRUST / share;
        let mut expected = 0.0;
        for next in &state.scratch.order[done..] {
            expected += self.rows_above(next.list as usize, state);
            if expected > allowed {
                return Left::Enough;
            }
        }
        // The bar only rises: what was too little stays too little.
        if expected + state.others.1 > allowed && state.floor > state.others.0 {
            state.others = (state.floor, self.others(state));
        }
        if expected + state.others.1 > allowed { Left::Elsewhere } else { Left::Little }
    }

    /// How many rows above the bar are to be expected of a list.
    fn rows_above(&self, list: usize, state: &State<'_>) -> f32 {
        let Scratch { scores, spreads, .. } = &*state.scratch;
        self.size(list, state) as f32 * above((state.floor - scores[list]) / spreads[list])
    }

    /// The same of all lists that are not in order yet.
    fn others(&self, state: &State<'_>) -> f32 {
        let Scratch { order, promises, scores, spreads, .. } = &*state.scratch;
        let border = order.last().map_or(f32::INFINITY, |last| last.promise);
        let reach = |list: usize| scores[list] + NEGLIGIBLE * spreads[list] > state.floor;
        let others = (0..promises.len()).filter(|&list| promises[list] < border && reach(list));
        others.map(|list| self.rows_above(list, state)).sum()
    }

    /// Rows of a list that may be wanted.
    fn size(&self, list: usize, state: &State<'_>) -> u32 {
        match self.wanted {
            Wanted::Marked(marks) => marks.iter().map(|marks| marks.sizes[list]).sum(),
            _ => state.views.iter().map(|view| view.sizes[list]).sum(),
        }
    }

    /// Scans a list and tells what passes.
    fn visit(&self, geometry: &Geometry, at: usize, state: &mut State) {
        let list = state.scratch.order[at].list as usize;
        if self.size(list, state) == 0 {
            return;
        }
        let base = self.query.dot(geometry.centre(list));
        let middle = row::bar(self.query, base, 0.0, 0.0);
        state.effort.lists += 1;
        for (part, held) in self.held.iter().enumerate() {
            let view = state.views[part];
            if let Some(next) = state.scratch.order.get(at + 1) {
                let run = held.part.runs(next.list as usize).next().unwrap_or(0..0);
                prefetch(bytemuck::cast_slice(view.lines_of(run.start..run.end.min(run.start + 2))));
                prefetch(bytemuck::cast_slice(geometry.centre(next.list as usize)));
            }
            for run in held.part.runs(list).flat_map(|run| self.marked(part, run)) {
                state.effort.rows += run.len() * ROWS;
                let bar = row::bar(self.query, base, state.floor, self.deviations);
                let (blocks, scales) = (view.lines_of(run.clone()), &view.scales[run.clone()]);
                self.kernel.scan(&self.query.codes, blocks, scales, bar, &mut state.scratch.scanned);
                for (at, block) in run.enumerate() {
                    let mask = state.scratch.scanned.masks[at] & held.alive[block] & self.marks(part, block);
                    if mask != 0 {
                        self.guess(part, (at, block, mask), &middle, state);
                    }
                }
            }
        }
        self.tell(base, state);
    }

    fn marks(&self, part: usize, block: usize) -> u16 {
        match self.wanted {
            Wanted::Marked(marks) => marks[part].of(block),
            _ => u16::MAX,
        }
    }

    /// The parts of a run of blocks that have marks.
    fn marked(&self, part: usize, mut run: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        std::iter::from_fn(move || {
            let start = run.clone().find(|&block| self.marks(part, block) != 0)?;
            let end = (start..run.end).find(|&block| self.marks(part, block) == 0).unwrap_or(run.end);
            run.start = end;
            Some(start..end)
        })
    }

    /// Takes note of the rows of a block that pass; `middle` scores them as if their lower parts lay in the middle.
    fn guess(&self, part: usize, (at, block, mut mask): (usize, usize, u16), middle: &Bar, state: &mut State) {
        let view = state.views[part];
        let (sums, scales) = (&state.scratch.scanned.sums[at], &view.scales[block]);
        while mask != 0 {
            let slot = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let row = block * ROWS + slot;
            if let Wanted::Passing(passes, _) = self.wanted {
                state.tested += 1.0;
                if !passes(view.pin(row)) {
                    continue;
                }
                state.passed += 1.0;
            }
            let (upper, scale) = (sums[slot], scales[slot]);
            let score = middle.base + scale.get() * (upper as f32 * middle.step + middle.lift);
            let told = Told { score, part: part as u32, row: row as u32 };
            state.scratch.guesses.push(Guess { told, upper, scale });
        }
    }

    /// Tells the guessed rows of a list by their lower parts and raises the bar; `base` is the score of its centre.
    fn tell(&self, base: f32, state: &mut State) {
        let State { scratch, views, floor, .. } = state;
        let Scratch { guesses, best, ranks, .. } = &mut **scratch;
        let keep = self.keep();
        if *floor == f32::NEG_INFINITY && guesses.len() > keep {
            // As good as told: of the first many rows only those near the best are looked at.
            ranks.clear();
            ranks.extend(guesses.iter().map(|guess| guess.told.score));
            let bar = *ranks.select_nth_unstable_by(keep - 1, |a, b| b.total_cmp(a)).1;
            let slack = self.deviations * self.query.lower_spread * self.query.step;
            guesses.retain(|Guess { told, scale, .. }| told.score + slack * scale.get() >= bar);
        }
        guesses.iter().for_each(|Guess { told, .. }| prefetch(views[told.part as usize].lower_of(told.row as usize)));
        for Guess { told, upper, scale } in guesses.drain(..) {
            let lower = self.kernel.lower(&self.query.codes, views[told.part as usize].lower_of(told.row as usize));
            let score = row::score(self.query, base, scale, upper, lower);
            if score >= *floor {
                best.push(Told { score, ..told });
                if best.len() >= 2 * keep {
                    *floor = cut(best, keep);
                }
            }
        }
        if best.len() > keep + keep / 8 || *floor == f32::NEG_INFINITY && best.len() >= keep {
            *floor = cut(best, keep);
        }
    }

    /// Rows kept while the query is rounded: a few more than asked for, since rounding moves rows by about the root of
    /// their rank.
    fn keep(&self) -> usize {
        self.k + 4 + 2 * self.k.isqrt()
    }

    /// The best by all that is known of them.
    fn finish(&self, state: State) -> (Vec<(PinId, f32)>, Effort) {
        let best = &mut state.scratch.best;
        if best.len() > self.keep() {
            cut(best, self.keep());
        }
        let views = &state.views;
        best.iter().for_each(|told| views[told.part as usize].prefetch_pin(told.row as usize));
        let exact = |told: &Told| {
            let (view, row) = (views[told.part as usize], told.row as usize);
            (view.pin(row), told.score + view.coded(row).fine(self.kernel, self.query))
        };
        let mut found: Vec<(PinId, f32)> = best.iter().map(exact).collect();
        in_order(&mut found);
        found.truncate(self.k);
        (found, state.effort)
    }
}

fn largest(numbers: &[f32]) -> f32 {
    numbers.iter().fold(f32::NEG_INFINITY, |most, &number| if number > most { number } else { most })
}

/// Sorts pins, best first, equal ones by id: as whole numbers, which is quicker than by two keys.
pub(super) fn in_order(pins: &mut [(PinId, f32)]) {
    let rising = |score: f32| {
        let bits = score.to_bits();
        if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
    };
    pins.sort_unstable_by_key(|&(pin, score)| u64::from(!rising(score)) << 32 | u64::from(pin.0));
}

/// Keeps the `k` best; the score of the last one.
fn cut(best: &mut Vec<Told>, k: usize) -> f32 {
    let border = best.select_nth_unstable_by(k - 1, |a, b| b.score.total_cmp(&a.score)).1.score;
    best.truncate(k);
    border
}
