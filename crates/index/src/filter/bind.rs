//! From a filter to tests of pins, and how many will pass.

use super::bound::{Bound, Branch, Test};
use super::columns::Columns;
use super::error::FilterError;
use super::posting::Posting;
use super::{DEPTH_MAX, Filter, PARTS_MAX};
use domain::{PinId, Rng};

/// Most pins that are drawn to learn what part of them passes.
const SAMPLE_MAX: u32 = 1_024;
/// Draws for one sampled pin, where many ids are not of known pins.
const DRAWS_PER_PIN: u32 = 4;
/// From run to run of ids: odd, so that it comes to each.
const RUN_STEP: u32 = 387;
/// So many passing pins of a sample say enough (a standard error of 13 %).
const PASSING_ENOUGH: u32 = 64;
/// With fewer the sample is weighed against what the counts of the conditions let expect.
const PASSING_FEW: u32 = 4;
/// How much that expectation weighs, in passing pins.
const EXPECTED_WEIGHT: f64 = 0.5;
/// Seed of the sample.
const SEED: u64 = 1;

pub(super) fn bind<'a>(filter: &'a Filter, columns: &'a Columns) -> Result<Bound<'a>, FilterError> {
    let mut bound = bind_roughly(filter, columns)?;
    if !bound.root.exact {
        bound.root.pins = estimate(&bound, columns);
    }
    Ok(bound)
}

/// Without a look at a sample.
pub(super) fn bind_roughly<'a>(filter: &'a Filter, columns: &'a Columns) -> Result<Bound<'a>, FilterError> {
    let mut binder = Binder { columns, all: columns.pins().len(), words: columns.pins().words(), parts: 0 };
    let root = binder.branch(filter, 1)?;
    Ok(Bound { root, all: binder.all, words: binder.words })
}

struct Binder<'a> {
    columns: &'a Columns,
    all: usize,
    words: usize,
    parts: usize,
}

impl<'a> Binder<'a> {
    fn branch(&mut self, filter: &'a Filter, depth: usize) -> Result<Branch<'a>, FilterError> {
        let words = if let Filter::Is { any_of, .. } = filter { any_of.len() } else { 0 };
        self.parts += 1 + words;
        if depth > DEPTH_MAX {
            return Err(FilterError::TooMany { what: "nested parts of a filter", got: depth, max: DEPTH_MAX });
        }
        if self.parts > PARTS_MAX {
            return Err(FilterError::TooMany { what: "parts of a filter", got: self.parts, max: PARTS_MAX });
        }
        Ok(match filter {
            Filter::Pins(pins) => {
                self.words = self.words.max(pins.words());
                counted(Test::Set(pins), pins.len())
            }
            Filter::Is { field, any_of } => self.is(field, any_of)?,
            Filter::Range { field, min, max } => {
                let column = self.columns.numbers(field)?;
                // `+ 0.0` makes one zero of two.
                let (min, max) = (min + 0.0, max + 0.0);
                let count = column.count(min, max);
                counted(Test::Range { field: column, min, max }, count)
            }
            Filter::All(parts) => {
                let branches = parts.iter().map(|part| self.branch(part, depth + 1)).collect::<Result<_, _>>()?;
                self.all_of(branches)
            }
            Filter::Any(parts) => {
                let branches = parts.iter().map(|part| self.branch(part, depth + 1)).collect::<Result<_, _>>()?;
                self.any_of(branches)
            }
            Filter::Not(part) => {
                let inner = self.branch(part, depth + 1)?;
                self.not(inner)
            }
        })
    }

    fn is(&self, field: &str, any_of: &[String]) -> Result<Branch<'a>, FilterError> {
        let column = self.columns.words(field)?;
        let mut codes: Vec<u32> = any_of.iter().filter_map(|word| column.code(word)).collect();
        codes.sort_unstable();
        codes.dedup();
        let branch = |&code: &u32| match column.posting(code) {
            Posting::Many(pins) => counted(Test::Set(pins), pins.len()),
            Posting::Few(pins) => counted(Test::Codes { field: column, codes: vec![code] }, pins.len()),
        };
        let sets = codes.iter().filter(|&&code| matches!(column.posting(code), Posting::Many(_))).count();
        Ok(match codes.as_slice() {
            [] => counted(Test::Nothing, 0),
            [code] => branch(code),
            // A few bitmaps are quicker to ask than the column is.
            [a, b] if sets == 2 && !column.one_each() => self.any_of(vec![branch(a), branch(b)]),
            _ => {
                let counts = codes.iter().map(|&code| column.posting(code).len() as f64);
                let exact = column.one_each();
                let pins = if exact { counts.sum() } else { self.union(counts) };
                Branch { test: Test::Codes { field: column, codes }, pins, exact }
            }
        })
    }

    fn not(&self, inner: Branch<'a>) -> Branch<'a> {
        if matches!(inner.test, Test::Everything) {
            return counted(Test::Nothing, 0);
        }
        let (pins, exact) = ((self.all as f64 - inner.pins).max(0.0), inner.exact);
        Branch { test: Test::Not { known: self.columns.pins(), inner: Box::new(inner) }, pins, exact }
    }

    fn all_of(&self, mut branches: Vec<Branch<'a>>) -> Branch<'a> {
        branches.retain(|branch| !matches!(branch.test, Test::Everything));
        if branches.iter().any(|branch| matches!(branch.test, Test::Nothing)) {
            return counted(Test::Nothing, 0);
        }
        match branches.len() {
            0 => return Branch { test: Test::Everything, pins: self.all as f64, exact: true },
            1 => return branches.remove(0),
            _ => {}
        }
        // The cheapest way to say no comes first.
        let rank = |branch: &Branch| branch.test.pin_cost() / (1.0 - self.share(branch)).max(1e-3);
        branches.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let pins = self.all as f64 * branches.iter().map(|branch| self.share(branch)).product::<f64>();
        Branch { test: Test::All(branches), pins, exact: false }
    }

    fn any_of(&self, mut branches: Vec<Branch<'a>>) -> Branch<'a> {
        branches.retain(|branch| !matches!(branch.test, Test::Nothing));
        if let Some(at) = branches.iter().position(|branch| matches!(branch.test, Test::Everything)) {
            return branches.swap_remove(at);
        }
        match branches.len() {
            0 => return counted(Test::Nothing, 0),
            1 => return branches.remove(0),
            _ => {}
        }
        let rank = |branch: &Branch| branch.test.pin_cost() / self.share(branch).max(1e-3);
        branches.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let pins = self.union(branches.iter().map(|branch| branch.pins));
        Branch { test: Test::Any(branches), pins, exact: false }
    }

    /// Pins in one of several sets, were they independent of each other.
    fn union(&self, sets: impl Iterator<Item = f64>) -> f64 {
        let all = self.all.max(1) as f64;
        all * (1.0 - sets.map(|pins| 1.0 - (pins / all).min(1.0)).product::<f64>())
    }

    fn share(&self, branch: &Branch) -> f64 {
        (branch.pins / self.all.max(1) as f64).min(1.0)
    }
}

fn counted(test: Test, pins: usize) -> Branch {
    Branch { test, pins: pins as f64, exact: true }
}

/// How many pins pass: what the sample says where enough of it passes, else that weighed against the expectation (the
/// mean of a gamma distribution that saw the sample); never more than the strictest condition lets pass.
fn estimate(bound: &Bound, columns: &Columns) -> f64 {
    let all = bound.all as f64;
    let (drawn, passing) = sample(bound, columns);
    let expected = (bound.root.pins / all.max(1.0)).clamp(1e-9, 1.0);
    let (passed, of) = (f64::from(passing), f64::from(drawn));
    let share = match passing {
        _ if drawn == 0 => expected,
        0..PASSING_FEW => (passed + EXPECTED_WEIGHT) / (of + EXPECTED_WEIGHT / expected),
        _ => passed / of,
    };
    let most = match &bound.root.test {
        Test::All(branches) => branches.iter().filter(|b| b.exact).map(|b| b.pins).fold(all, f64::min),
        _ => all,
    };
    (share * all).min(most)
}

/// How many known pins were drawn, and how many of them pass. One pin of each of as many equal runs of ids, the runs in
/// an order that has no system, so that the first few stand for all.
fn sample(bound: &Bound, columns: &Columns) -> (u32, u32) {
    let ids = columns.pins().words() as u64 * 64;
    let mut rng = Rng::new(SEED);
    let (mut drawn, mut passing) = (0, 0);
    for at in 0..SAMPLE_MAX {
        let run = u64::from(at * RUN_STEP % SAMPLE_MAX);
        let (from, to) = [run, run + 1].map(|run| (run * ids / u64::from(SAMPLE_MAX)) as u32).into();
        let mut draws = (0..DRAWS_PER_PIN).map(|_| PinId(from + rng.below(to - from)));
        if let Some(pin) = draws.find(|&pin| columns.pins().contains(pin)) {
            drawn += 1;
            passing += u32::from(bound.passes(pin));
        }
        if passing == PASSING_ENOUGH {
            break;
        }
    }
    (drawn, passing)
}
