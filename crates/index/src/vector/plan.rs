//! What kind of search a question wants.

use super::compact::TAGS;
use super::held::{Held, Marks};
use super::query::Query;
use super::search::{Effort, Scratch, Search, Wanted};
use super::{PINS_MAX, VectorIndex};
use crate::error::IndexError;
use crate::filter::Bound;
use domain::PinId;
use std::cell::RefCell;
use std::sync::Arc;

/// Up to so many rows all are scanned: lists would not be quicker.
const SCANNED_ROWS: usize = 8_192;

/// Up to so many passing pins each is looked up by itself.
const LOOKED_UP_PINS: usize = 1_500;

/// Up to this part of the pins those that pass are marked before the search.
const MARKED_SHARE: f32 = 0.03;

/// Standard deviations that an unknown lower part is allowed: few lose little, many lose nothing.
const DEVIATIONS: f32 = 2.0;
const DEVIATIONS_EXACT: f32 = 6.0;

/// What is asked of an index.
#[derive(Clone, Copy)]
pub struct Want<'a> {
    /// How many pins.
    pub k: usize,
    /// The part of the true best `k` that should be among them, on average; 1 looks at every row.
    pub recall: f32,
    /// What pins must pass.
    pub filter: Option<&'a Bound<'a>>,
    /// The pins that pass, if they were [marked](VectorIndex::mark) before.
    pub marked: Option<&'a Marked>,
}

impl Want<'_> {
    /// The best `k`, nearly all of them, without a filter.
    pub fn best(k: usize) -> Want<'static> {
        Want { k, recall: 0.95, filter: None, marked: None }
    }
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// All rows were scanned.
    Scan,
    /// The most promising lists were scanned.
    Lists,
    /// The pins that pass were looked up one by one.
    LookUp,
    /// The pins that pass were marked first, then the most promising lists were scanned.
    FilterFirst,
    /// The most promising lists were scanned, and the filter asked of what was good enough.
    Traversal,
}

impl Plan {
    /// Its name in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Plan::Scan => "scan",
            Plan::Lists => "lists",
            Plan::LookUp => "look_up",
            Plan::FilterFirst => "filter_first",
            Plan::Traversal => "traversal",
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Found {
    /// The pins and their inner products with the query, best first, equal ones by id.
    pub pins: Vec<(PinId, f32)>,
    /// How they were found.
    pub plan: Plan,
    /// How many lists were scanned.
    pub lists: usize,
    /// How many rows were scanned or looked up.
    pub rows: usize,
}

/// The pins that pass a filter, marked in the rows of an index. It stays as it was when it was made: pins that came
/// since are not in it, and after a compaction it is of no use any more and is passed over.
#[derive(Clone, Debug)]
pub struct Marked {
    marks: Vec<Marks>,
    /// The [version](VectorIndex::version) of the parts that the marks are of.
    version: u64,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl VectorIndex {
    /// The pins with the largest inner products with `query`, a vector of embedding space `space`.
    pub fn search(&self, space: u32, query: &[f32], want: &Want) -> Result<Found, IndexError> {
        self.check(space, query)?;
        Ok(self.answer(&Query::new(query), want, DEVIATIONS))
    }

    /// The same by looking at every row: what approximate answers are measured against.
    pub fn scan(&self, space: u32, query: &[f32], want: &Want) -> Result<Found, IndexError> {
        self.check(space, query)?;
        Ok(self.answer(&Query::new(query), &Want { recall: 1.0, marked: None, ..*want }, DEVIATIONS_EXACT))
    }

    /// The part of the best pins that an answer found, measured by a [scan](VectorIndex::scan).
    pub fn recall(&self, space: u32, query: &[f32], want: &Want, found: &[(PinId, f32)]) -> Result<f32, IndexError> {
        let best = self.scan(space, query, &Want { k: found.len().max(1).min(want.k), ..*want })?.pins;
        let found: std::collections::BTreeSet<PinId> = found.iter().map(|&(pin, _)| pin).collect();
        let hits = best.iter().filter(|(pin, _)| found.contains(pin)).count();
        Ok(if best.is_empty() { 1.0 } else { hits as f32 / best.len() as f32 })
    }

    /// Marks the pins that pass, for many searches with the same filter. Costs a look at each pin.
    pub fn mark(&self, filter: &Bound) -> Marked {
        let words = self.places.len().div_ceil(64);
        let pins = (0..words).flat_map(|at| {
            let word = filter.passing(at, u64::MAX);
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| PinId((at * 64 + bit) as u32))
        });
        Marked { marks: self.marks(pins), version: self.version }
    }

    fn marks(&self, pins: impl Iterator<Item = PinId>) -> Vec<Marks> {
        let mut marks: Vec<Marks> = self.held.iter().map(|known| Marks::none(&known.held.part)).collect();
        let mut at = [0; TAGS];
        self.held.iter().enumerate().for_each(|(place, known)| at[known.tag as usize] = place);
        for (tag, row) in pins.filter_map(|pin| self.place(pin)) {
            let at = at[tag as usize];
            marks[at].mark(&self.held[at].held.part, row);
        }
        marks
    }

    fn answer(&self, query: &Query, want: &Want, deviations: f32) -> Found {
        let k = want.k.min(self.len);
        let filter = want.filter.filter(|filter| !filter.is_everything());
        let recall = if self.len <= SCANNED_ROWS { 1.0 } else { want.recall };
        let all = if recall >= 1.0 { Plan::Scan } else { Plan::Lists };
        let Some(filter) = filter else { return self.run(query, k, recall, deviations, Wanted::Everything, all) };
        if let Some(marked) = want.marked.filter(|marked| marked.version == self.version) {
            return self.run(query, k, recall, deviations, Wanted::Marked(&marked.marks), Plan::FilterFirst);
        }
        let most = ((self.len as f32 * MARKED_SHARE) as usize).max(LOOKED_UP_PINS);
        let count = filter.count();
        // A guess that is a little too high is no reason not to look.
        let pins = if count <= most + most / 2 { filter.pins(most) } else { None };
        match pins {
            Some(pins) if pins.len() <= LOOKED_UP_PINS => self.look_up(query, k, &pins),
            Some(pins) => {
                let marks = self.marks(pins.into_iter());
                self.run(query, k, recall, deviations, Wanted::Marked(&marks), Plan::FilterFirst)
            }
            None => {
                let passes = |pin| filter.passes(pin);
                let wanted = Wanted::Passing(&passes, count as f32 / self.len.max(1) as f32);
                let plan = if recall >= 1.0 { Plan::Scan } else { Plan::Traversal };
                self.run(query, k, recall, deviations, wanted, plan)
            }
        }
    }

    /// Searches the parts of each geometry, one after the other.
    fn run(&self, query: &Query, k: usize, recall: f32, deviations: f32, wanted: Wanted, plan: Plan) -> Found {
        let held: Vec<&Held> = self.held.iter().map(|known| &known.held).collect();
        let mut found = Found { pins: Vec::new(), plan, lists: 0, rows: 0 };
        let mut first = 0;
        for group in held.chunk_by(|a, b| Arc::ptr_eq(&a.part.geometry, &b.part.geometry)) {
            let wanted = match wanted {
                Wanted::Marked(marks) => Wanted::Marked(&marks[first..first + group.len()]),
                other => other,
            };
            let search = Search { held: group, kernel: self.kernel, query, k, recall, deviations, wanted };
            let (pins, Effort { lists, rows }) = SCRATCH.with_borrow_mut(|scratch| search.run(scratch));
            found.pins.extend(pins);
            found.lists += lists;
            found.rows += rows;
            first += group.len();
        }
        best(&mut found.pins, k);
        found
    }

    fn look_up(&self, query: &Query, k: usize, pins: &[PinId]) -> Found {
        let mut found = Found { pins: Vec::with_capacity(pins.len()), plan: Plan::LookUp, lists: 0, rows: 0 };
        let views: Vec<_> = self.held.iter().map(|known| (known.tag, known.held.part.view())).collect();
        for &pin in pins.iter().take(PINS_MAX) {
            let Some((tag, row)) = self.place(pin) else { continue };
            let Some((_, view)) = views.iter().find(|(known, _)| *known == tag) else { continue };
            let centre = view.part.geometry.centre(view.part.list_of(row));
            found.pins.push((pin, view.coded(row).exact(self.kernel, query, query.dot(centre))));
        }
        found.rows = found.pins.len();
        best(&mut found.pins, k);
        found
    }
}

/// Keeps the best `k` in order.
fn best(pins: &mut Vec<(PinId, f32)>, k: usize) {
    super::search::in_order(pins);
    pins.truncate(k);
}
