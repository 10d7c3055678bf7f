//! Candidates are columns: one row a pin, one column a fact about it. Stages fill columns; nobody copies rows.

use crate::{HEAD_COUNT, PinId};

/// A candidate generator, as the place where a pin came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Source {
    /// The sequence model's user vector against the vector index.
    Retrieval,
    /// Random walks on the pin-board graph.
    Walks,
    /// Words.
    Text,
    /// Content neighbours of the subject or of recent pins.
    Content,
    /// New pins.
    Fresh,
    /// Much-liked pins.
    Popular,
    /// Pins with few impressions, shown to learn about them.
    Exploration,
}

impl Source {
    /// Every source, in the order of its code.
    pub const ALL: [Source; 7] = [
        Source::Retrieval,
        Source::Walks,
        Source::Text,
        Source::Content,
        Source::Fresh,
        Source::Popular,
        Source::Exploration,
    ];

    /// Its name in configuration, traces and figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Retrieval => "retrieval",
            Source::Walks => "walks",
            Source::Text => "text",
            Source::Content => "content",
            Source::Fresh => "fresh",
            Source::Popular => "popular",
            Source::Exploration => "exploration",
        }
    }

    /// Position in columns that hold one value per source.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A set of sources as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceSet(pub u8);

impl SourceSet {
    /// The set with `source` added.
    #[must_use]
    pub fn with(self, source: Source) -> SourceSet {
        SourceSet(self.0 | 1 << source.index())
    }

    /// Whether `source` is in the set.
    pub fn has(self, source: Source) -> bool {
        self.0 & (1 << source.index()) != 0
    }

    /// The sources in the set, in the order of their codes.
    pub fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL.into_iter().filter(move |&source| self.has(source))
    }
}

/// A candidate that a filter or a cut took out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drop {
    /// Which pin.
    pub pin: PinId,
    /// Name of the filter or stage that dropped it.
    pub by: &'static str,
    /// Where it had come from.
    pub sources: SourceSet,
}

/// The candidates of one request. Every column has one value per pin, in the same order.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// The pins, each once.
    pub pins: Vec<PinId>,
    /// Which generators offered each pin.
    pub sources: Vec<SourceSet>,
    /// The generators' own scores, `NaN` where a generator did not offer the pin; `[source][row]`.
    pub source_scores: [Vec<f32>; Source::ALL.len()],
    /// The generators' own ranks from 0, `u16::MAX` where a generator did not offer the pin; `[source][row]`.
    pub source_ranks: [Vec<u16>; Source::ALL.len()],
    /// L1 score.
    pub l1: Vec<f32>,
    /// Calibrated probability per head, in the order of [`crate::HEADS`].
    pub heads: Vec<[f32; HEAD_COUNT]>,
    /// Utility: the weighted sum of the heads.
    pub utility: Vec<f32>,
}

impl Candidates {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.pins.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
    }

    /// Adds a row with no scores and returns its position.
    pub fn push(&mut self, pin: PinId) -> usize {
        self.pins.push(pin);
        self.sources.push(SourceSet::default());
        self.source_scores.iter_mut().for_each(|column| column.push(f32::NAN));
        self.source_ranks.iter_mut().for_each(|column| column.push(u16::MAX));
        self.l1.push(0.0);
        self.heads.push([0.0; HEAD_COUNT]);
        self.utility.push(0.0);
        self.pins.len() - 1
    }

    /// Writes down that `source` offered row `row` with `score` at `rank`.
    pub fn offer(&mut self, row: usize, source: Source, score: f32, rank: usize) {
        self.sources[row] = self.sources[row].with(source);
        self.source_scores[source.index()][row] = score;
        self.source_ranks[source.index()][row] = rank.min(usize::from(u16::MAX - 1)) as u16;
    }

    /// The candidates of the rows `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Candidates {
        Candidates {
            pins: gather(&self.pins, rows),
            sources: gather(&self.sources, rows),
            source_scores: self.source_scores.each_ref().map(|column| gather(column, rows)),
            source_ranks: self.source_ranks.each_ref().map(|column| gather(column, rows)),
            l1: gather(&self.l1, rows),
            heads: gather(&self.heads, rows),
            utility: gather(&self.utility, rows),
        }
    }
}

fn gather<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| column[row]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_columns_together() {
        let mut candidates = Candidates::default();
        for pin in 0..3 {
            let row = candidates.push(PinId(pin));
            candidates.offer(row, Source::Walks, pin as f32, row);
        }
        candidates.offer(2, Source::Text, 9.0, 0);
        let taken = candidates.take(&[2, 0]);
        assert_eq!(taken.pins, [PinId(2), PinId(0)]);
        assert_eq!(taken.source_scores[Source::Walks.index()], [2.0, 0.0]);
        assert_eq!(taken.sources[0].iter().collect::<Vec<_>>(), [Source::Walks, Source::Text]);
        assert!(taken.source_scores[Source::Text.index()][1].is_nan());
    }
}
