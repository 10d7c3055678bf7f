//! Words of pins: what is indexed, and the one writer.

mod fields;
mod query;
mod search;

use crate::error::IndexError;
use crate::vector::PINS_MAX;
use domain::PinId;
use fields::Fields;
pub use search::TextSearcher;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, MergePolicy, NoMergePolicy};
use tantivy::{Index, IndexWriter, ReloadPolicy, TantivyDocument};

/// Memory that pins not yet committed may take (bytes). Loading 50,000 pins takes 10 s of CPU with the engine's least
/// (15 MB: many small segments to join), 3.7 s with this; more slows down the commits of single pins.
const WRITER_BYTES: usize = 30_000_000;

/// Segments of similar size that are joined into one.
const SEGMENTS_TO_MERGE: usize = 6;

/// Part of a segment's pins that may be dead before it is written anew.
const DEAD_SHARE_MAX: f32 = 0.3;

/// The words of one pin.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextDocument<'a> {
    /// Short text shown under the picture.
    pub title: &'a str,
    /// Longer text.
    pub description: &'a str,
    /// Names of its topics.
    pub topics: &'a [String],
    /// Titles of boards that hold it; the first 64 count.
    pub boards: &'a [String],
}

/// Pins by their words. One writer; what it wrote is found after [`commit`](TextIndex::commit).
pub struct TextIndex {
    writer: IndexWriter,
    searcher: TextSearcher,
    fields: Fields,
    merging: LogMergePolicy,
    /// Which pins have been written, so that only they need deleting.
    known: Vec<bool>,
}

impl TextIndex {
    /// An empty index in memory.
    pub fn new() -> Result<TextIndex, IndexError> {
        let (schema, fields) = Fields::schema();
        let index = Index::create_in_ram(schema);
        fields::register_analyzers(&index);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .build();
        let writer = index.writer_with_options(options)?;
        // Segments are joined at commits only, never in the background: scores must not depend on timing.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let mut merging = LogMergePolicy::default();
        merging.set_min_num_segments(SEGMENTS_TO_MERGE);
        merging.set_min_layer_size(1_000);
        merging.set_del_docs_ratio_before_merge(DEAD_SHARE_MAX);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = TextSearcher::new(reader, fields);
        Ok(TextIndex { writer, searcher, fields, merging, known: Vec::new() })
    }

    /// Sets the words of `pin`.
    pub fn upsert(&mut self, pin: PinId, words: &TextDocument) -> Result<(), IndexError> {
        if pin.index() >= PINS_MAX {
            return Err(IndexError::TooManyPins { pin: pin.0, max: PINS_MAX });
        }
        self.remove(pin)?;
        if self.known.len() <= pin.index() {
            self.known.resize(pin.index() + 1, false);
        }
        self.known[pin.index()] = true;
        let mut document = TantivyDocument::new();
        self.fields.fill(&mut document, pin, words);
        self.writer.add_document(document)?;
        Ok(())
    }

    /// Takes the words of `pin` away, if there are any.
    pub fn remove(&mut self, pin: PinId) -> Result<(), IndexError> {
        if let Some(known) = self.known.get_mut(pin.index()).filter(|known| **known) {
            *known = false;
            self.writer.delete_term(self.fields.pin_term(pin));
        }
        Ok(())
    }

    /// Makes everything written so far visible to all searchers.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.writer.commit()?;
        let segments = self.writer.index().searchable_segment_metas()?;
        for candidate in self.merging.compute_merge_candidates(&segments) {
            self.writer.merge(&candidate.0).wait()?;
        }
        self.searcher.reload()
    }

    /// A handle for searching, independent of this writer; clones are cheap.
    pub fn searcher(&self) -> TextSearcher {
        self.searcher.clone()
    }

    /// See [`TextSearcher::search`].
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
        self.searcher.search(text, k)
    }
}

#[cfg(test)]
mod tests;
