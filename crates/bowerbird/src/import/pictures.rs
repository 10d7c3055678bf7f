//! Pins on their way in: picture and text are understood in parallel, pictures and thumbnails go to the blobs.

use crate::setup::Setup;
use crate::understand::{Contents, Encoders, annotated_id, put_once};
use anyhow::{Context, Result};
use content::{Annotating, Content, Embedder};
use domain::{EventId, Fact, Pin, Understood};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use server::{keep_thumbnails, picture_key};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use store::Blobs;

/// Largest picture file that is read.
pub(crate) const PICTURE_BYTES_MAX: u64 = 20 << 20;
const THREADS: usize = 16;
/// Pins that are understood together.
pub(crate) const WAITING_MAX: usize = 256;

/// A pin that waits to be understood.
pub(crate) struct Waiting {
    pub id: EventId,
    pub understood: EventId,
    pub pin: Pin,
    pub picture: Option<Vec<u8>>,
    pub file: String,
    pub line: u64,
}

/// What came of a pin.
pub(crate) struct Done {
    pub facts: Vec<(EventId, Fact)>,
    pub problem: Option<String>,
    pub file: String,
    pub line: u64,
}

/// Whether there is nothing to understand: an id and no more.
pub(crate) fn says_nothing(pin: &Pin, picture: Option<&[u8]>) -> bool {
    picture.is_none() && pin.title.is_empty() && pin.description.is_empty() && pin.topics.is_empty()
}

/// The picture at a path, or why it cannot be taken.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("image: {shown}: {error}"))?;
    let mut bytes = Vec::new();
    file.take(PICTURE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| format!("image: {shown}: {error}"))?;
    if bytes.len() as u64 > PICTURE_BYTES_MAX {
        return Err(format!("image: {shown} is larger than {PICTURE_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

/// Understands pins and keeps their pictures.
pub(crate) struct Pictures {
    pool: ThreadPool,
    blobs: Blobs,
    embedder: Embedder,
    annotating: Annotating,
}

impl Pictures {
    /// More threads than cores: each waits for the disk after it has computed, and many waits cost the disk one.
    pub(crate) fn new(setup: &Setup) -> Result<Pictures> {
        let blobs = setup.blobs()?;
        let embedder = Encoders::new(blobs.clone()).embedder()?;
        let rules = setup.config.content.rules(&setup.data)?;
        let annotating = Contents::new(blobs.clone()).annotating(&rules)?;
        let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().context("cannot start threads")?;
        Ok(Pictures { pool, blobs, embedder, annotating })
    }

    /// What understands them.
    pub(crate) fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// Understands pins in parallel; gives them back in their order.
    pub(crate) fn understand(&self, waiting: Vec<Waiting>) -> Result<Vec<Done>> {
        self.pool.install(|| waiting.into_par_iter().map(|waiting| self.one(waiting)).collect())
    }

    fn one(&self, waiting: Waiting) -> Result<Done> {
        let Waiting { id, understood, mut pin, picture, file, line } = waiting;
        let (content, problem) = match self.embedder.understand(&pin, picture.as_deref()) {
            Ok(content) => (Some(content), None),
            // The words may still be understood when the picture cannot.
            Err(error) => {
                (self.embedder.understand(&pin, None).ok(), Some(format!("picture of pin {}: {error}", pin.id)))
            }
        };
        let picture = picture.filter(|_| problem.is_none());
        let mut facts = Vec::with_capacity(3);
        if let Some(content) = content {
            let annotating = &self.annotating;
            let said = annotating.annotate(&pin, content.picture.as_ref(), &content.understood, None);
            let kept = self.keep(&mut pin, picture, content)?;
            facts.push((annotated_id(id, annotating.version(), annotating.rules()), Fact::Annotated(said)));
            facts.push((id, Fact::Pin(pin)));
            facts.push((understood, Fact::Understood(kept)));
        } else {
            facts.push((id, Fact::Pin(pin)));
        }
        Ok(Done { facts, problem, file, line })
    }

    /// Keeps picture and thumbnails under the names that the server gives them, and says where they are.
    fn keep(&self, pin: &mut Pin, picture: Option<Vec<u8>>, content: Content) -> Result<Understood> {
        let mut understood = content.understood;
        let named = picture.and_then(|picture| Some((picture_key(&picture)?, picture)));
        if let Some((key, picture)) = named {
            put_once(&self.blobs, &key, picture)?;
            let put = |key: &str, bytes| put_once(&self.blobs, key, bytes);
            keep_thumbnails(&mut understood, &key, content.thumbnails, put)?;
            pin.image = Some(key);
        }
        Ok(understood)
    }
}
