//! Words of pins: what is indexed, and the one writer.

mod document;
mod fields;
mod file;
mod matches;
mod merge;
mod phrase;
mod score;
mod search;
mod segment;
mod terms;
mod weights;
mod words;

use crate::error::IndexError;
use crate::filter::Bound;
use crate::vector::PINS_MAX;
pub use document::TextDocument;
use domain::PinId;
use fields::Fields;
pub use file::TextSnapshot;
pub use matches::{TextField, TextMatch, TextMatches};
use merge::Merging;
use search::Published;
pub use search::{TextFound, TextPlan, TextSearcher};
use segment::Pins;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tantivy::directory::RamDirectory;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::{FutureResult, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument};
pub use weights::TextWeights;

/// Memory that pins not yet committed may take (bytes). Loading 50,000 pins takes 10 s of CPU with the engine's least
/// (15 MB: many small segments to join), 3.7 s with this; more slows down the commits of single pins.
const WRITER_BYTES: usize = 30_000_000;

/// One for what a commit waits for, one for what it does not.
const MERGE_THREADS: usize = 2;

/// Pins by their words. One writer; what it wrote is found after [`commit`](TextIndex::commit).
pub struct TextIndex {
    /// Where the engine keeps its files: in memory.
    files: RamDirectory,
    writer: IndexWriter,
    reader: IndexReader,
    searcher: TextSearcher,
    fields: Fields,
    merging: Merging,
    /// Segments that are being joined while commits go on.
    beside: Option<Beside>,
    /// Which pins have been written, so that only they need deleting.
    known: Vec<bool>,
}

struct Beside {
    segments: Vec<SegmentId>,
    done: FutureResult<Option<SegmentMeta>>,
}

/// Wakes the thread that waits for a join.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Beside {
    /// How it ended, if it has.
    fn ended(&mut self, waker: &Waker) -> Option<Result<(), IndexError>> {
        match Pin::new(&mut self.done).poll(&mut Context::from_waker(waker)) {
            Poll::Ready(joined) => Some(joined.map(|_| ()).map_err(IndexError::from)),
            Poll::Pending => None,
        }
    }

    /// The engine's own way of waiting is none for what has been asked before whether it ended.
    fn wait(&mut self) -> Result<(), IndexError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match self.ended(&waker) {
                Some(joined) => return joined,
                None => thread::park(),
            }
        }
    }
}

impl TextIndex {
    /// An empty index in memory, with the default weights.
    pub fn new() -> Result<TextIndex, IndexError> {
        TextIndex::weighed(TextWeights::default())
    }

    /// An empty index in memory. Weights are of searching, not of what is written: see [`TextSearcher::weighed`].
    pub fn weighed(weights: TextWeights) -> Result<TextIndex, IndexError> {
        let (files, (schema, _)) = (RamDirectory::create(), Fields::schema());
        TextIndex::over(Index::create(files.clone(), schema, IndexSettings::default())?, files, weights)
    }

    fn over(index: Index, files: RamDirectory, weights: TextWeights) -> Result<TextIndex, IndexError> {
        fields::register_analyzers(&index);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(MERGE_THREADS)
            .memory_budget_per_thread(WRITER_BYTES)
            .build();
        let writer = index.writer_with_options(options)?;
        // What is joined, and when, is decided here.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let (_, fields) = Fields::schema();
        let published = Published { searcher: reader.searcher(), pins: Vec::new() };
        let searcher = TextSearcher::new(published, fields, weights);
        let (merging, beside, known) = (Merging::new(), None, Vec::new());
        Ok(TextIndex { files, writer, reader, searcher, fields, merging, beside, known })
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
    ///
    /// Small segments are joined here; large ones beside, one join at a time, and a later commit publishes them. A join
    /// changes no score by itself, but pins that were removed or replaced count in the statistics of words until their
    /// segment is joined: where every call must be replayed to the bit, [`settle`](TextIndex::settle) before searching.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.writer.commit()?;
        self.end_beside()?;
        let segments = self.writer.index().searchable_segment_metas()?;
        let busy = self.beside.as_ref().map_or(&[][..], |beside| &beside.segments);
        let plan = self.merging.plan(&segments, busy);
        for segments in plan.now {
            self.writer.merge(&segments).wait()?;
        }
        if self.beside.is_none() {
            let first = plan.beside.into_iter().next();
            self.beside = first.map(|segments| Beside { done: self.writer.merge(&segments), segments });
        }
        self.publish()
    }

    /// Commits and waits until nothing is left to be joined: after that, scores depend on the calls so far only.
    pub fn settle(&mut self) -> Result<(), IndexError> {
        self.commit()?;
        while let Some(mut beside) = self.beside.take() {
            beside.wait()?;
            self.commit()?;
        }
        Ok(())
    }

    /// Forgets the join that went on beside, if it has ended.
    fn end_beside(&mut self) -> Result<(), IndexError> {
        let ended = self.beside.as_mut().and_then(|beside| beside.ended(Waker::noop()));
        ended.map_or(Ok(()), |joined| {
            self.beside = None;
            joined
        })
    }

    fn publish(&mut self) -> Result<(), IndexError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let before = self.searcher.published();
        let ids = before.searcher.segment_readers().iter().map(|segment| segment.segment_id());
        let known: HashMap<SegmentId, &Arc<Pins>> = ids.zip(&before.pins).collect();
        let mut pins = Vec::with_capacity(searcher.segment_readers().len());
        for segment in searcher.segment_readers() {
            pins.push(match known.get(&segment.segment_id()) {
                Some(&known) => known.clone(),
                None => Arc::new(Pins::of(segment)?),
            });
        }
        self.searcher.publish(Published { searcher, pins });
        Ok(())
    }

    /// A handle for searching, independent of this writer; clones are cheap.
    pub fn searcher(&self) -> TextSearcher {
        self.searcher.clone()
    }

    /// See [`TextSearcher::search`].
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
        self.searcher.search(text, k)
    }

    /// See [`TextSearcher::search_within`].
    pub fn search_within(&self, text: &str, k: usize, filter: &Bound) -> Result<TextFound, IndexError> {
        self.searcher.search_within(text, k, filter)
    }
}

#[cfg(test)]
mod tests;
