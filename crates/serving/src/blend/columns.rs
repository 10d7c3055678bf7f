//! What blending compares of the rows, looked up once.

use super::members::Members;
use super::rules::Rules;
use super::ssd::Vectors;
use crate::context::Context;
use crate::rows::Rows;
use crate::views::read;
use domain::{Candidates, PinId, Source};
use index::VectorIndex;
use std::sync::RwLock;

/// One day (ms).
const DAY_MS: f64 = 86_400_000.0;

/// Facts of the rows, in their order.
pub(super) struct Columns {
    pub(super) vectors: Vectors,
    /// Whether vectors tell what pins look like, so that they tell near duplicates; the model's tell who likes them.
    pub(super) looks: bool,
    pub(super) creators: Members,
    pub(super) topics: Members,
    pub(super) sources: Members,
    /// The source that ranked each row highest.
    pub(super) source: Vec<Option<Source>>,
    /// Whether each row is young.
    pub(super) fresh: Vec<bool>,
}

impl Columns {
    /// The facts of a request's rows, and what the rules want with them.
    pub(super) fn read<'a>(context: &'a Context, rows: &Rows) -> (Columns, Rules<'a>) {
        let pins = &rows.candidates.pins;
        let surface = context.request.surface;
        let fresh_ms = f64::from(context.params.surface(surface).fresh_days) * DAY_MS;
        // A pin whose age is not known was made at 0.
        let oldest_ms = context.request.now_ms.saturating_sub(fresh_ms as u64).max(1);
        let catalogue = read(&context.views.catalogue);
        let known = || pins.iter().map(|&pin| catalogue.row(pin));
        let source: Vec<Option<Source>> = (0..pins.len()).map(|row| leading(&rows.candidates, row)).collect();
        let columns = Columns {
            vectors: Vectors::none(0, pins.len()),
            looks: true,
            creators: Members::of(known().map(|row| row.and_then(|row| row.creator()))),
            topics: Members::of(known().map(|row| row.map_or(&[][..], |row| row.topics()).iter().copied())),
            sources: Members::of(source.iter().map(|source| source.map(|source| source as u32))),
            fresh: known().map(|row| row.is_some_and(|row| row.created_ms() >= oldest_ms)).collect(),
            source,
        };
        let rules = Rules::read(&context.params.rules, surface, pins, catalogue.columns());
        drop(catalogue);
        (columns, rules)
    }

    /// Looks the vectors up as well, in the space that knows more of the pins: that of contents, or the model's if that
    /// knows more. Gives its name.
    pub(super) fn read_vectors(&mut self, context: &Context, pins: &[PinId]) -> &'static str {
        self.vectors = vectors(&context.views.content, pins);
        let Some(installed) = context.installed.as_ref().filter(|_| self.vectors.count() < pins.len()) else {
            return "contents";
        };
        let learned = vectors(&installed.vectors, pins);
        if learned.count() <= self.vectors.count() {
            return "contents";
        }
        (self.vectors, self.looks) = (learned, false);
        "learned vectors"
    }
}

fn vectors(index: &RwLock<VectorIndex>, pins: &[PinId]) -> Vectors {
    let index = read(index);
    let mut vectors = Vectors::none(index.dim(), pins.len());
    index.read_all(pins, |row, vector| vectors.put(row, vector));
    vectors
}

/// The source that ranked the row highest; of several, the first.
fn leading(candidates: &Candidates, row: usize) -> Option<Source> {
    let rank = |source: &Source| candidates.source_ranks[source.index()][row];
    candidates.sources[row].iter().min_by_key(rank)
}
