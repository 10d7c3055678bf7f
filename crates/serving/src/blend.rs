//! The order in which pins are shown: by utility, with space between pins of the same maker, topic or look, and slots
//! for pins to explore.

use crate::context::Context;
use crate::features::dot;
use crate::rows::Rows;
use crate::scorer::spread;
use crate::views::read;
use domain::{DiversityParams, Move, Source};

/// Places that are looked ahead for a pin that goes better with those before it.
const LOOKAHEAD: usize = 32;

/// Longest window that spacing looks back over.
const WINDOW_MAX: usize = 32;

/// Content is alike from this cosine on.
const ALIKE_FROM: f32 = 0.5;

/// A row in its place.
pub(crate) struct Placed {
    pub(crate) row: usize,
    pub(crate) moved: Option<Move>,
}

/// What spacing compares.
struct Facets {
    creator: Option<u32>,
    topics: Box<[u32]>,
    vector: Option<Vec<f32>>,
}

/// A row that may be placed next.
struct Open {
    row: usize,
    /// Cosine with the pin in each slot of the window.
    alike: Vec<f32>,
    /// Why it was first passed over.
    passed: Option<&'static str>,
}

/// Orders the rows, which come by utility. At most `slate_max` are placed.
pub(crate) fn blend(context: &Context, rows: &Rows) -> Vec<Placed> {
    let catalogue = read(&context.views.catalogue);
    let content = read(&context.views.content);
    let facets = rows.candidates.pins.iter().map(|&pin| {
        let row = catalogue.row(pin);
        let topics = row.map_or(&[][..], |row| row.topics()).into();
        Facets { creator: row.and_then(|row| row.creator()), topics, vector: content.vector(pin) }
    });
    let facets: Vec<Facets> = facets.collect();
    drop(catalogue);
    let blender = Blender {
        params: &context.params.diversity,
        scale: spread(&rows.candidates.utility),
        utility: &rows.candidates.utility,
        facets: &facets,
        placed: Vec::new(),
        open: Vec::new(),
        next: 0,
        taken: vec![false; facets.len()],
    };
    let explore = to_explore(context, rows);
    blender.place_all(rows.candidates.len().min(context.params.slate_max), explore)
}

/// Slots for exploration: every so many places, and the rows for them, the last to be taken first.
fn to_explore(context: &Context, rows: &Rows) -> (usize, Vec<usize>) {
    let every = context.params.surface(context.request.surface).explore_every;
    let draws = &rows.candidates.source_scores[Source::Exploration.index()];
    let mut explore: Vec<usize> = (0..draws.len()).filter(|&row| every > 0 && !draws[row].is_nan()).collect();
    explore.sort_by(|&a, &b| draws[a].total_cmp(&draws[b]).then(b.cmp(&a)));
    (every, explore)
}

struct Blender<'a> {
    params: &'a DiversityParams,
    /// What a penalty of 1 costs: the spread of the utility.
    scale: f32,
    utility: &'a [f32],
    facets: &'a [Facets],
    placed: Vec<Placed>,
    open: Vec<Open>,
    /// The next row that was never open.
    next: usize,
    taken: Vec<bool>,
}

impl Blender<'_> {
    fn place_all(mut self, count: usize, (every, mut explore): (usize, Vec<usize>)) -> Vec<Placed> {
        while self.placed.len() < count {
            let slot = every > 0 && (self.placed.len() + 1).is_multiple_of(every);
            let row = if slot { self.next_to_explore(&mut explore) } else { None };
            match row {
                Some(row) => self.place(row, Some("explore")),
                None => self.place_best(),
            }
        }
        self.placed
    }

    fn next_to_explore(&self, explore: &mut Vec<usize>) -> Option<usize> {
        while let Some(row) = explore.pop() {
            if !self.taken[row] {
                return Some(row);
            }
        }
        None
    }

    fn place_best(&mut self) {
        self.fill();
        let costs: Vec<(f32, &'static str)> = self.open.iter().map(|open| self.cost(open)).collect();
        let worth = |at: usize| self.utility[self.open[at].row] - self.scale * costs[at].0;
        let best = (0..self.open.len()).reduce(|best, at| if worth(at) > worth(best) { at } else { best });
        let Some(best) = best else { return };
        for (open, cost) in self.open.iter_mut().zip(&costs).take(best) {
            open.passed = open.passed.or(Some(cost.1));
        }
        let Open { row, passed, .. } = &self.open[best];
        let by = passed.or((best > 0).then_some("spacing"));
        self.place(*row, by);
    }

    /// Opens rows until enough are open.
    fn fill(&mut self) {
        while self.open.len() < LOOKAHEAD && self.next < self.facets.len() {
            let row = self.next;
            self.next += 1;
            if self.taken[row] {
                continue;
            }
            let mut alike = vec![0.0; self.window()];
            for at in self.placed.len().saturating_sub(alike.len())..self.placed.len() {
                let slot = at % alike.len();
                alike[slot] = self.cosine(row, self.placed[at].row);
            }
            self.open.push(Open { row, alike, passed: None });
        }
    }

    fn place(&mut self, row: usize, by: Option<&'static str>) {
        let to = self.placed.len();
        let moved = by.filter(|_| row != to).map(|by| Move { by, from: place(row), to: place(to) });
        self.placed.push(Placed { row, moved });
        self.taken[row] = true;
        self.open.retain(|open| open.row != row);
        let window = self.window();
        if window > 0 {
            for at in 0..self.open.len() {
                self.open[at].alike[to % window] = self.cosine(self.open[at].row, row);
            }
        }
    }

    fn window(&self) -> usize {
        self.params.window.min(WINDOW_MAX)
    }

    /// What placing the row next costs, in spreads, and the largest part of it.
    fn cost(&self, open: &Open) -> (f32, &'static str) {
        let own = &self.facets[open.row];
        let recent = &self.placed[self.placed.len().saturating_sub(self.window())..];
        let others = || recent.iter().map(|placed| &self.facets[placed.row]);
        let creator = own.creator.is_some() && others().any(|other| other.creator == own.creator);
        let shares = |other: &&Facets| own.topics.iter().any(|topic| other.topics.contains(topic));
        let shared = if own.topics.is_empty() { 0 } else { others().filter(shares).count() };
        let alike = open.alike.iter().copied().fold(0.0, f32::max);
        let parts = [
            (self.params.same_creator * f32::from(u8::from(creator)), "same_creator"),
            (self.params.same_topic * shared as f32 / recent.len().max(1) as f32, "same_topic"),
            (self.params.alike * ((alike - ALIKE_FROM) / (1.0 - ALIKE_FROM)).max(0.0), "alike"),
        ];
        let largest = parts.iter().copied().reduce(|best, part| if part.0 > best.0 { part } else { best });
        (parts.iter().map(|part| part.0).sum(), largest.map_or("spacing", |part| part.1))
    }

    fn cosine(&self, a: usize, b: usize) -> f32 {
        match (self.params.alike > 0.0, &self.facets[a].vector, &self.facets[b].vector) {
            (true, Some(a), Some(b)) => dot(a, b),
            _ => 0.0,
        }
    }
}

fn place(at: usize) -> u16 {
    at.min(usize::from(u16::MAX)) as u16
}
