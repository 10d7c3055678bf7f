//! What follows from pins and edges: words for searching, pin vectors of the installed model.

use crate::apply::Changes;
use crate::error::ServingError;
use crate::views::{Installed, Views, Writer, lock, read, write};
use domain::{PinId, hash64};
use graph::neighbours;
use index::{IndexError, TextDocument, VectorIndex};
use models::{Model, PinInput};
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, RwLock};

/// Pins derived under one hold of the locks.
const BLOCK: usize = 64;

/// Most boards whose titles are words of a pin.
const TITLED_BOARDS_MAX: usize = 16;

/// Most boards that are looked through for titles.
const BOARDS_MAX: usize = 256;

/// The words of one pin, taken out of the catalogue.
#[derive(Default)]
struct Words {
    title: String,
    description: String,
    topics: Vec<String>,
    boards: Vec<String>,
    /// With confidences.
    annotations: Vec<(String, f32)>,
    queries: Vec<(String, u32)>,
}

/// Vectors of some pins, one row each.
struct Vectors {
    pins: Vec<PinId>,
    rows: Vec<f32>,
}

impl Views {
    /// Makes all words written so far visible to searches.
    pub fn commit_text(&self) -> Result<(), ServingError> {
        let mut writer = lock(&self.writer);
        if std::mem::take(&mut writer.text_waits) {
            writer.text.commit()?;
        }
        Ok(())
    }

    /// Makes `model` the one that requests use: computes the vectors of all pins, then replaces model and vectors as
    /// one. Requests under way keep the old ones. Pins that change meanwhile are computed again before the switch.
    pub fn install(&self, model: Arc<Model>) -> Result<Arc<Installed>, ServingError> {
        let _one_at_a_time = lock(&self.installing);
        let vectors = match self.begin_install(&model) {
            Some(kept) => Ok(kept),
            None => self.vectors_of_all(&model),
        };
        let mut writer = lock(&self.writer);
        let late: Vec<PinId> = writer.meanwhile.take().unwrap_or_default().into_iter().collect();
        let installed = Arc::new(Installed { model, vectors: RwLock::new(vectors?) });
        self.derive_vectors(&installed, &late)?;
        self.installed.store(Some(installed.clone()));
        Ok(installed)
    }

    /// Makes `model` the one that requests use, where it differs from the installed one by its ranking head alone: the
    /// vectors of pins stay.
    pub fn install_ranker(&self, model: Arc<Model>) {
        let _one_at_a_time = lock(&self.installing);
        // Nobody changes a vector meanwhile.
        let _writer = lock(&self.writer);
        if let Some(installed) = self.installed() {
            let vectors = RwLock::new(read(&installed.vectors).clone());
            self.installed.store(Some(Arc::new(Installed { model, vectors })));
        }
    }

    /// From now on it is noted which pins change. Vectors that a snapshot kept of this very model need not be computed:
    /// what changed since then was noted.
    fn begin_install(&self, model: &Model) -> Option<VectorIndex> {
        let mut writer = lock(&self.writer);
        let fits = |(version, vectors): &(String, VectorIndex)| {
            version == model.version() && (vectors.space(), vectors.dim()) == (model.space(), model.dim())
        };
        let kept = writer.kept.take().filter(fits);
        if kept.is_none() || writer.meanwhile.is_none() {
            writer.meanwhile = Some(BTreeSet::new());
        }
        kept.map(|(_, vectors)| vectors)
    }

    /// Takes the model away: requests fall back to what needs none.
    pub fn uninstall(&self) {
        self.installed.store(None);
    }

    /// The pins whose vectors pool into the vector of `pin`: those saved together with it, best first.
    fn neighbours(&self, pin: PinId, k: usize) -> Vec<PinId> {
        let found = neighbours(&read(&self.graph), pin, k, hash64(u64::from(pin.0)));
        found.into_iter().map(|(pin, _)| pin).collect()
    }

    pub(crate) fn derive(&self, writer: &mut Writer, touched: &BTreeSet<PinId>, changes: &mut Changes) {
        if let Some(meanwhile) = &mut writer.meanwhile {
            meanwhile.extend(touched);
        }
        let pins: Vec<PinId> = touched.iter().copied().collect();
        let text = self.derive_text(writer, &pins);
        let vectors = self.installed().map_or(Ok(()), |installed| self.derive_vectors(&installed, &pins));
        for error in [text, vectors].into_iter().filter_map(Result::err) {
            changes.refuse(|| error.to_string());
        }
    }

    /// Brings the words of pins up to date, where nothing else of them changed.
    pub(crate) fn derive_words<'a>(
        &self,
        writer: &mut Writer,
        pins: impl Iterator<Item = &'a PinId>,
        changes: &mut Changes,
    ) {
        let pins: Vec<PinId> = pins.copied().collect();
        if let Err(error) = self.derive_text(writer, &pins) {
            changes.refuse(|| error.to_string());
        }
    }

    fn derive_text(&self, writer: &mut Writer, pins: &[PinId]) -> Result<(), IndexError> {
        for &pin in pins {
            let words = self.words(pin, writer.queries.of(pin));
            let hash = words.as_ref().map_or(0, Words::fingerprint);
            if writer.texts.len() <= pin.index() {
                writer.texts.resize(pin.index() + 1, 0);
            }
            if std::mem::replace(&mut writer.texts[pin.index()], hash) == hash {
                continue;
            }
            writer.text_waits = true;
            match &words {
                Some(words) => writer.text.upsert(pin, &words.document())?,
                None => writer.text.remove(pin)?,
            }
        }
        Ok(())
    }

    /// The words of a pin; `None` when it has none or may not be found.
    fn words(&self, pin: PinId, queries: &[(String, u32)]) -> Option<Words> {
        let catalogue = read(&self.catalogue);
        let view = catalogue.pin_view(pin).filter(|view| view.described && !view.removed)?;
        let topics = view.all_topics().map(str::to_owned).collect();
        let annotations = view.terms().map(|(term, sure)| (term.to_owned(), sure)).collect();
        let graph = read(&self.graph);
        let titles = graph.boards_of(pin).take(BOARDS_MAX).filter_map(|board| catalogue.board_view(board));
        let titles = titles.map(|board| board.title.to_owned()).filter(|title| !title.is_empty());
        let mut boards: Vec<String> = titles.take(TITLED_BOARDS_MAX).collect();
        boards.sort_unstable();
        boards.dedup();
        let (title, description, queries) = (view.title.into(), view.description.into(), queries.to_vec());
        let words = Words { title, description, topics, boards, annotations, queries };
        (!words.is_empty()).then_some(words)
    }

    fn derive_vectors(&self, installed: &Installed, pins: &[PinId]) -> Result<(), IndexError> {
        let space = installed.model.space();
        for block in pins.chunks(BLOCK) {
            let fresh = self.vectors(&installed.model, block);
            let mut vectors = write(&installed.vectors);
            block.iter().for_each(|&pin| vectors.remove(pin));
            vectors.upsert_all(space, &fresh.pins, &fresh.rows)?;
        }
        Ok(())
    }

    fn vectors_of_all(&self, model: &Model) -> Result<VectorIndex, IndexError> {
        let pins: Vec<PinId> = (0..read(&self.catalogue).pins() as u32).map(PinId).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = pins.len().div_ceil(threads).max(1);
        let parts: Vec<Vec<Vectors>> = std::thread::scope(|scope| {
            let work = |pins: &[PinId]| pins.chunks(BLOCK).map(|block| self.vectors(model, block)).collect();
            let handles: Vec<_> = pins.chunks(share).map(|pins| scope.spawn(move || work(pins))).collect();
            handles.into_iter().map(|handle| handle.join().expect("invariant: pin vectors do not panic")).collect()
        });
        let mut all = Vectors { pins: Vec::with_capacity(pins.len()), rows: Vec::new() };
        parts.into_iter().flatten().for_each(|part| {
            all.pins.extend(part.pins);
            all.rows.extend(part.rows);
        });
        VectorIndex::build(model.dim(), model.space(), &all.pins, &all.rows, hash64(u64::from(model.space())))
    }

    /// The vectors of those pins that may be found and of which anything is known.
    fn vectors(&self, model: &Model, pins: &[PinId]) -> Vectors {
        let config = model.config();
        let catalogue = read(&self.catalogue);
        let found = |pin: &PinId| catalogue.row(*pin).is_some_and(|row| row.described() && !row.gone(0));
        let pins: Vec<PinId> = pins.iter().copied().filter(found).collect();
        drop(catalogue);
        let pools: Vec<Vec<PinId>> = pins.iter().map(|&pin| self.neighbours(pin, config.pool_max)).collect();
        let contents = Contents::read(&read(&self.content), model, pins.iter().copied());
        let inputs = pins.iter().zip(&pools);
        let inputs: Vec<PinInput> =
            inputs.map(|(&pin, neighbours)| PinInput { pin, content: contents.of(pin), neighbours }).collect();
        let mut rows = vec![0.0; pins.len() * config.dim];
        model.pin_vectors(&inputs, &mut rows);
        Vectors { pins, rows }.known(config.dim)
    }
}

/// Content vectors of some pins that a model can read: none when they live in another space.
pub(crate) struct Contents(HashMap<PinId, Vec<f32>>);

impl Contents {
    pub(crate) fn read(content: &VectorIndex, model: &Model, pins: impl Iterator<Item = PinId>) -> Contents {
        let config = model.config();
        let fits = content.space() == config.content_space && content.dim() == config.content_dim;
        let known = pins.filter(|_| fits).filter_map(|pin| Some((pin, content.vector(pin)?)));
        Contents(known.collect())
    }

    /// The vector of a pin; empty when it has none.
    pub(crate) fn of(&self, pin: PinId) -> &[f32] {
        self.0.get(&pin).map_or(&[], Vec::as_slice)
    }
}

impl Vectors {
    /// Without the zeros: nothing is known of such a pin, so retrieval has no place for it.
    fn known(self, dim: usize) -> Vectors {
        let rows = self.rows.chunks_exact(dim.max(1));
        let known = self.pins.iter().zip(rows).filter(|(_, row)| row.iter().any(|&x| x != 0.0));
        let (pins, rows): (Vec<PinId>, Vec<&[f32]>) = known.map(|(&pin, row)| (pin, row)).unzip();
        Vectors { pins, rows: rows.concat() }
    }
}

impl Words {
    fn is_empty(&self) -> bool {
        let texts = self.title.is_empty() && self.description.is_empty();
        texts && self.topics.is_empty() && self.boards.is_empty() && self.queries.is_empty()
    }

    /// A hash that is never 0.
    fn fingerprint(&self) -> u64 {
        let Words { title, description, topics, boards, annotations, queries } = self;
        let mut hasher = DefaultHasher::new();
        (title, description, topics, boards, queries).hash(&mut hasher);
        annotations.iter().for_each(|(term, sure)| (term, sure.to_bits()).hash(&mut hasher));
        hasher.finish() | 1
    }

    fn document(&self) -> TextDocument<'_> {
        let Words { title, description, topics, boards, annotations, queries } = self;
        TextDocument { title, description, topics, boards, annotations, queries }
    }
}
