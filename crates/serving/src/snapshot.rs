//! All views as files, so that a start need not make them again.

use crate::catalogue::Catalogue;
use crate::error::ServingError;
use crate::queries::Queries;
use crate::suggest::Searches;
use crate::tidy::SEED;
use crate::views::{Views, Writer, lock, read};
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError, TopicKind};
use graph::Graph;
use index::{Columns, TextIndex, TextSnapshot, VectorIndex};
use signals::Signals;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::thread::{ScopedJoinHandle, scope};
use std::time::{Duration, Instant};
use store::{EventLog, Part, Snapshots};

const KIND: &str = "views";
const VERSION: u32 = 1;

const TOPICS: usize = TopicKind::ALL.len();

/// A place in the log: by topic, the offset behind the last fact, and the id of that fact, by which a log that was
/// replaced is told from the one that was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offsets: [u64; TOPICS],
    ids: [u128; TOPICS],
}

/// Views as they were found at the start, with the place in the log up to which they were made.
pub struct Opened {
    pub(crate) views: Views,
    pub(crate) place: Place,
    /// The number of their snapshot; `None` when there was none to be used.
    pub number: Option<u64>,
    /// How long each part took.
    pub parts: Vec<(&'static str, Duration)>,
}

/// All views at one place of the log, to be written.
pub(crate) struct Taken {
    place: Place,
    /// Hashes of the words that are written, by pin.
    texts: Vec<u64>,
    queries: Queries,
    searches: Searches,
    catalogue: Vec<u8>,
    columns: Vec<u8>,
    signals: Vec<u8>,
    graph: Graph,
    content: VectorIndex,
    words: TextSnapshot,
    /// The model's version and its vectors.
    vectors: Option<(String, VectorIndex)>,
}

impl Place {
    /// The place behind these offsets of a log; `None` when the log does not reach so far.
    pub(crate) fn of(log: &dyn EventLog, offsets: [u64; TOPICS]) -> Result<Option<Place>, ServingError> {
        let mut ids = [0; TOPICS];
        for topic in TopicKind::ALL {
            let Some(last) = offsets[topic as usize].checked_sub(1) else { continue };
            match log.read(topic, last, 1)?.first() {
                Some((_, id, _)) => ids[topic as usize] = id.0,
                None => return Ok(None),
            }
        }
        Ok(Some(Place { offsets, ids }))
    }
}

impl Opened {
    /// No views yet, at the beginning of the log.
    pub fn nothing() -> Result<Opened, ServingError> {
        Ok(Opened { views: Views::new()?, place: Place::default(), number: None, parts: Vec::new() })
    }

    /// The newest snapshot that is whole; nothing where there is none. One that cannot be used is told and passed over.
    pub fn newest(snapshots: &Snapshots) -> Result<Opened, ServingError> {
        let numbers = snapshots.numbers().unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for snapshots");
            Vec::new()
        });
        for number in numbers {
            let read = snapshots.read(number).map_err(ServingError::from);
            match read.and_then(|parts| Opened::restore(&parts)) {
                Ok(opened) => return Ok(Opened { number: Some(number), ..opened }),
                Err(error) => tracing::warn!(number, %error, "a snapshot cannot be used and is passed over"),
            }
        }
        Opened::nothing()
    }

    /// These views, if they were made of this log; else nothing, which is told.
    pub(crate) fn fit(self, log: &dyn EventLog) -> Result<Opened, ServingError> {
        if Place::of(log, self.place.offsets)? == Some(self.place) {
            return Ok(self);
        }
        tracing::warn!(number = self.number, "a snapshot is of another log and is passed over");
        Opened::nothing()
    }

    fn restore(parts: &BTreeMap<String, Bytes>) -> Result<Opened, ServingError> {
        let part = |name: &str| parts.get(name).ok_or_else(|| odd(name, "is missing"));
        let about = Snapshot::open(KIND, VERSION, part("about")?)?;
        let (place, version) = (place(&about)?, about.column::<u8>("model")?);
        let version = String::from_utf8_lossy(&version).into_owned();
        let texts = about.column::<u64>("texts")?.to_vec();
        let queries = Queries::open(part("queries")?)?;
        let searches = Searches::open(part("searches")?, part("own-searches")?)?;
        let vectors = |name| match parts.get(name) {
            Some(bytes) => Ok(VectorIndex::open(bytes)?),
            None => Ok(VectorIndex::new(0, 0)),
        };
        scope(|threads| {
            let catalogue = threads.spawn(timed(|| Ok(Catalogue::open(part("catalogue")?)?)));
            let columns = threads.spawn(timed(|| Ok(Columns::open(part("columns")?)?)));
            let text = threads.spawn(timed(|| Ok(TextIndex::open(part("words")?)?)));
            let signals = threads.spawn(timed(|| Ok(Signals::open(part("signals")?)?)));
            let graph = threads.spawn(timed(|| Ok(Graph::open(part("graph")?)?)));
            let content = threads.spawn(timed(|| vectors("content")));
            let pins = threads.spawn(timed(|| vectors("pin-vectors")));
            let mut took = Vec::new();
            let (catalogue, columns) = (join("catalogue", catalogue, &mut took), join("columns", columns, &mut took));
            let (catalogue, text) = (catalogue?.with_columns(columns?)?, join("words", text, &mut took));
            let (signals, graph) = (join("signals", signals, &mut took), join("graph", graph, &mut took));
            let content = join("content", content, &mut took);
            let pins = join("pin-vectors", pins, &mut took)?;
            let kept = (!version.is_empty()).then_some((version, pins));
            let meanwhile = kept.is_some().then(BTreeSet::new);
            let text = text?;
            let writer =
                Writer { text, text_waits: false, texts, queries, searches, meanwhile, next_content: None, kept };
            let views = Views::of(catalogue, signals?, graph?, content?, writer);
            Ok(Opened { views, place, number: None, parts: took })
        })
    }
}

fn odd(section: &str, reason: &str) -> SnapshotError {
    SnapshotError::Section { section: section.to_owned(), reason: reason.to_owned() }
}

fn place(about: &Snapshot) -> Result<Place, SnapshotError> {
    let (offsets, ids) = (about.column::<u64>("offsets")?, about.column::<u64>("ids")?);
    let offsets = (*offsets).try_into().map_err(|_| odd("offsets", "are not of all topics"))?;
    let (pairs, _) = ids.as_chunks::<2>();
    let ids: Vec<u128> = pairs.iter().map(|&[low, high]| u128::from(high) << 64 | u128::from(low)).collect();
    Ok(Place { offsets, ids: ids.try_into().map_err(|_| odd("ids", "are not of all topics"))? })
}

type Timed<T> = (Result<T, ServingError>, Duration);

fn timed<T>(work: impl FnOnce() -> Result<T, ServingError>) -> impl FnOnce() -> Timed<T> {
    move || {
        let since = Instant::now();
        (work(), since.elapsed())
    }
}

/// What a thread made. A panic there is one more way in which a part can be odd.
fn join<T>(
    name: &'static str,
    thread: ScopedJoinHandle<Timed<T>>,
    took: &mut Vec<(&'static str, Duration)>,
) -> Result<T, ServingError> {
    let (made, time) = thread.join().map_err(|_| odd(name, "cannot be read: a defect"))?;
    took.push((name, time));
    made
}

impl Views {
    /// Takes all views as they are. Nobody may write to them meanwhile; requests go on.
    pub(crate) fn take(&self, place: Place) -> Result<Taken, ServingError> {
        let mut catalogue = Vec::new();
        let mut columns = Vec::new();
        let mut signals = Vec::new();
        let in_memory = "invariant: memory takes bytes";
        {
            let read = read(&self.catalogue);
            read.write(&mut catalogue).expect(in_memory);
            read.columns().write(&mut columns).expect(in_memory);
        }
        read(&self.signals).write(&mut signals).expect(in_memory);
        let (graph, content) = (read(&self.graph).clone(), read(&self.content).clone());
        let vectors = self.installed().map(|installed| {
            let vectors = read(&installed.vectors).clone();
            (installed.model.version().to_owned(), vectors)
        });
        let writer = lock(&self.writer);
        let (words, texts) = (writer.text.snapshot()?, writer.texts.clone());
        let (queries, searches) = (writer.queries.clone(), writer.searches.clone());
        Ok(Taken { place, texts, queries, searches, catalogue, columns, signals, graph, content, words, vectors })
    }
}

impl Taken {
    /// Writes the snapshot; its number.
    pub(crate) fn write(&self, to: &Snapshots) -> Result<u64, ServingError> {
        let about = |out: &mut dyn Write| {
            let ids: Vec<u64> = self.place.ids.iter().flat_map(|&id| [id as u64, (id >> 64) as u64]).collect();
            let version = self.vectors.as_ref().map_or("", |(version, _)| version);
            let sections: [(&str, &[u8]); 4] = [
                ("offsets", cast_slice(&self.place.offsets)),
                ("ids", cast_slice(&ids)),
                ("model", version.as_bytes()),
                ("texts", cast_slice(&self.texts)),
            ];
            Snapshot::write(&mut { out }, KIND, VERSION, &sections)
        };
        let catalogue = |out: &mut dyn Write| out.write_all(&self.catalogue);
        let columns = |out: &mut dyn Write| out.write_all(&self.columns);
        let signals = |out: &mut dyn Write| out.write_all(&self.signals);
        let queries = |out: &mut dyn Write| out.write_all(&self.queries.write());
        let searches = |out: &mut dyn Write| out.write_all(&self.searches.write());
        let own = |out: &mut dyn Write| out.write_all(&self.searches.own.write());
        let graph = |out: &mut dyn Write| self.graph.write(&mut { out });
        let words = |out: &mut dyn Write| self.words.write(&mut { out });
        let content = |out: &mut dyn Write| self.content.compacted(SEED).write(&mut { out });
        let pins = |out: &mut dyn Write| match &self.vectors {
            Some((_, vectors)) => vectors.compacted(SEED).write(&mut { out }),
            None => Ok(()),
        };
        let mut parts: Vec<Part> = vec![
            ("about", &about),
            ("catalogue", &catalogue),
            ("columns", &columns),
            ("signals", &signals),
            ("graph", &graph),
            ("words", &words),
            ("queries", &queries),
            ("searches", &searches),
            ("own-searches", &own),
        ];
        if !self.content.is_empty() {
            parts.push(("content", &content));
        }
        if self.vectors.as_ref().is_some_and(|(_, vectors)| !vectors.is_empty()) {
            parts.push(("pin-vectors", &pins));
        }
        Ok(to.write(&parts)?)
    }
}
