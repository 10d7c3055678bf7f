//! The views that requests read: catalogue, signals, graph, indexes and the installed model.

use crate::catalogue::Catalogue;
use crate::error::ServingError;
use crate::marks::Marks;
use crate::queries::Queries;
use crate::recall::{Recall, Watched};
use crate::suggest::{Searches, Suggesting, Suggestions};
use arc_swap::ArcSwapOption;
use domain::{Embedding, PinId};
use graph::Graph;
use index::{TextIndex, TextSearcher, VectorIndex};
use models::{Model, Student};
use signals::Signals;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Embeds the words of a question.
pub type EmbedWords = Arc<dyn Fn(&str) -> Embedding + Send + Sync>;

/// Everything a request reads, each part behind a lock of its own.
///
/// Readers take the parts in the order `catalogue, signals, graph, content, vectors`, none twice, and hold them for one
/// computation. There is one writer at a time; it holds one write lock at a time, for at most a few hundred facts.
pub struct Views {
    pub(crate) catalogue: RwLock<Catalogue>,
    pub(crate) signals: RwLock<Signals>,
    pub(crate) graph: RwLock<Graph>,
    pub(crate) content: RwLock<VectorIndex>,
    pub(crate) text: TextSearcher,
    pub(crate) installed: ArcSwapOption<Installed>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) installing: Mutex<()>,
    /// Whether a thread packs something.
    pub(crate) tidying: AtomicBool,
    pub(crate) packing: Mutex<()>,
    pub(crate) watched: Watched,
    pub(crate) marks: Marks,
    pub(crate) suggestions: ArcSwapOption<Suggestions>,
    pub(crate) suggesting: Suggesting,
    embed_words: RwLock<Option<EmbedWords>>,
    student: ArcSwapOption<Student>,
}

/// What only the writer needs.
pub(crate) struct Writer {
    pub(crate) text: TextIndex,
    /// Whether words were written that searchers do not see yet.
    pub(crate) text_waits: bool,
    /// What is written of each pin's words, as a hash; 0 when nothing is.
    pub(crate) texts: Vec<u64>,
    /// What was searched for before pins were liked.
    pub(crate) queries: Queries,
    /// What was searched for.
    pub(crate) searches: Searches,
    /// Pins that changed while a model is being installed, or since `kept` was written.
    pub(crate) meanwhile: Option<BTreeSet<PinId>>,
    /// Contents of a newer embedding space, until all pins that requests read have them.
    pub(crate) next_content: Option<VectorIndex>,
    /// Vectors of a snapshot with the version of the model that gave them, until a model is installed.
    pub(crate) kept: Option<(String, VectorIndex)>,
}

/// A model and the vectors that it gives all pins; replaced as one.
pub struct Installed {
    pub(crate) model: Arc<Model>,
    pub(crate) vectors: RwLock<VectorIndex>,
}

impl Installed {
    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// How many pins have a vector.
    pub fn pins(&self) -> usize {
        read(&self.vectors).len()
    }

    /// The pins as the model places them, for reading. Hold them briefly.
    pub fn vectors(&self) -> RwLockReadGuard<'_, VectorIndex> {
        read(&self.vectors)
    }
}

impl Views {
    /// Views of nothing.
    pub fn new() -> Result<Views, ServingError> {
        let text = TextIndex::new()?;
        let (catalogue, signals, graph) = Default::default();
        let (texts, queries, searches) = Default::default();
        let writer = Writer {
            text,
            text_waits: false,
            texts,
            queries,
            searches,
            meanwhile: None,
            next_content: None,
            kept: None,
        };
        Ok(Views::of(catalogue, signals, graph, VectorIndex::new(0, 0), writer))
    }

    pub(crate) fn of(
        catalogue: Catalogue,
        signals: Signals,
        graph: Graph,
        content: VectorIndex,
        writer: Writer,
    ) -> Views {
        Views {
            catalogue: RwLock::new(catalogue),
            signals: RwLock::new(signals),
            graph: RwLock::new(graph),
            content: RwLock::new(content),
            text: writer.text.searcher(),
            installed: ArcSwapOption::empty(),
            writer: Mutex::new(writer),
            installing: Mutex::new(()),
            tidying: AtomicBool::new(false),
            packing: Mutex::new(()),
            watched: Watched::default(),
            marks: Marks::default(),
            suggestions: ArcSwapOption::empty(),
            suggesting: Suggesting::default(),
            embed_words: RwLock::default(),
            student: ArcSwapOption::empty(),
        }
    }

    /// The catalogue, for reading. Hold it briefly and once: the writer waits meanwhile.
    pub fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        read(&self.catalogue)
    }

    /// The signals, for reading. Hold them briefly and once; take the catalogue first when both are needed.
    pub fn signals(&self) -> RwLockReadGuard<'_, Signals> {
        read(&self.signals)
    }

    /// The graph, for reading. Hold it briefly and once; take catalogue and signals first when they are needed too.
    pub fn graph(&self) -> RwLockReadGuard<'_, Graph> {
        read(&self.graph)
    }

    /// The content vectors, for reading. Hold them briefly and once, behind the other parts.
    pub fn content(&self) -> RwLockReadGuard<'_, VectorIndex> {
        read(&self.content)
    }

    /// Whether contents of a newer embedding space have begun to come and are not yet there of all pins.
    pub(crate) fn half_embedded(&self) -> bool {
        lock(&self.writer).next_content.is_some()
    }

    /// Words of questions are embedded like this from now on.
    pub fn embed_words_with(&self, embed: EmbedWords) {
        *write(&self.embed_words) = Some(embed);
    }

    /// Words of questions are embedded as they are for `others`.
    pub fn embed_words_like(&self, others: &Views) {
        self.embed_words.write().unwrap_or_else(PoisonError::into_inner).clone_from(&read(&others.embed_words));
    }

    /// What words mean, where somebody embeds them.
    pub(crate) fn embed_words(&self, words: &str) -> Option<Embedding> {
        let embed = read(&self.embed_words).clone()?;
        Some(embed(words))
    }

    /// Relevance is judged by `student` from now on; by the words alone without one.
    pub fn install_student(&self, student: Option<Arc<Student>>) {
        self.student.store(student);
    }

    /// What judges relevance, if it was learned.
    pub fn student(&self) -> Option<Arc<Student>> {
        self.student.load_full()
    }

    /// A handle for searching words; needs no lock.
    pub fn text(&self) -> &TextSearcher {
        &self.text
    }

    /// How good the vector searches of late were, by index; of those that were asked and measured.
    pub fn recall(&self) -> Vec<Recall> {
        self.watched.recall()
    }

    /// What people may mean or type next; `None` until it was made for the first time. Needs no lock.
    pub fn suggestions(&self) -> Option<Arc<Suggestions>> {
        self.suggestions.load_full()
    }

    /// The installed model with its pin vectors. Whoever holds it keeps it while another is installed.
    pub fn installed(&self) -> Option<Arc<Installed>> {
        self.installed.load_full()
    }
}

/// A lock is never left half-written by a panic that matters: every write is a column append or an overwrite of one
/// row, so the content of a poisoned lock is still the best there is.
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
