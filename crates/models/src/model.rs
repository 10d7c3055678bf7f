use domain::PinId;

use crate::kernel;
use crate::trunk::{self, Memory, Scratch};
use crate::{Condition, IdTable, ModelConfig, ModelError, Part, Ranker, Token, Weights, file};

/// A trained model: everything that serving needs, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(crate) version: String,
    pub(crate) config: ModelConfig,
    pub(crate) weights: Weights,
    pub(crate) ids: IdTable,
    pub(crate) ranker: Option<Ranker>,
}

/// What the pin tower reads.
#[derive(Clone, Copy, Debug)]
pub struct PinInput<'a> {
    /// The pin.
    pub pin: PinId,
    /// Its content vector; empty when there is none.
    pub content: &'a [f32],
    /// Pins saved together with it, best first; the first `pool_max` are pooled. May be empty.
    pub neighbours: &'a [PinId],
}

/// A pinner at one moment, as retrieval sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct UserState {
    /// Unit length, `dim` values; all zeros when nothing is known and nothing is asked.
    pub vector: Vec<f32>,
    /// The same under each other condition that was asked for.
    pub others: Vec<Vec<f32>>,
    /// What candidates attend to in each block of the trunk, once a request for all of them; empty where nobody asked.
    pub(crate) memories: Vec<Memory>,
}

impl Model {
    /// A model from its parts; shapes must fit the configuration.
    pub fn new(version: String, config: ModelConfig, weights: Weights, ids: IdTable) -> Result<Model, ModelError> {
        config.check()?;
        let shape = (ids.rows().rows, ids.rows().cols);
        if shape != (config.id_rows, config.dim) {
            let reason = format!("{} × {} where {} × {} is needed", shape.0, shape.1, config.id_rows, config.dim);
            return Err(ModelError::Tensor { name: "ids".into(), reason });
        }
        Ok(Model { version, config, weights, ids, ranker: None })
    }

    /// A model that has learned nothing: it compares contents, and knows no ids. For tests and empty installations.
    ///
    /// # Errors
    /// When the configuration is outside its bounds.
    pub fn untrained(config: ModelConfig, seed: u64) -> Result<Model, ModelError> {
        config.check()?;
        let weights = Weights::new(&config, seed);
        let ids = IdTable::new(config.id_rows, config.dim);
        Model::new(format!("untrained-{seed}"), config, weights, ids)
    }

    /// Reads a weights file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        file::read(bytes)
    }

    /// Writes a weights file.
    pub fn to_bytes(&self) -> Vec<u8> {
        file::write(self)
    }

    /// Name of these weights.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same model under another name.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Model {
        self.version = version.into();
        self
    }

    /// The same model with a learned ranking head.
    ///
    /// # Errors
    /// When the head reads something else of candidates than what this trunk says.
    pub fn with_ranker(mut self, ranker: Ranker) -> Result<Model, ModelError> {
        if ![0, self.encoded()].contains(&ranker.encoded()) {
            let reason = format!("{} values of the trunk where it gives {}", ranker.encoded(), self.encoded());
            return Err(ModelError::Tensor { name: "ranker".into(), reason });
        }
        self.ranker = Some(ranker);
        Ok(self)
    }

    /// Its shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Width of user and pin vectors.
    pub fn dim(&self) -> usize {
        self.config.dim
    }

    /// How many values the trunk says of a candidate ([`Model::encode_candidates`]).
    pub fn encoded(&self) -> usize {
        2 * self.config.dim
    }

    /// Version of the space that user and pin vectors live in: vectors of two models never meet.
    pub fn space(&self) -> u32 {
        file::checksum(self.version.as_bytes())
    }

    /// The dense weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The id table.
    pub fn ids(&self) -> &IdTable {
        &self.ids
    }

    /// What training moves: the dense weights and the id table.
    pub fn parts_mut(&mut self) -> (&mut Weights, &mut IdTable) {
        (&mut self.weights, &mut self.ids)
    }

    /// The ranking head in use: the learned one, else [`Ranker::prior`].
    pub fn ranker(&self) -> &Ranker {
        self.ranker.as_ref().unwrap_or_else(|| Ranker::prior())
    }

    /// Whether a ranking head was learned.
    pub fn has_ranker(&self) -> bool {
        self.ranker.is_some()
    }

    /// Encodes a history (newest last) and a question. Content vectors of another width count as missing.
    pub fn encode(&self, history: &[Token], condition: &Condition, scratch: &mut Scratch) -> UserState {
        self.encode_all(history, (condition, &[]), false, scratch)
    }

    /// The same with what candidates attend to, for [`Model::encode_candidates`].
    pub fn encode_for_candidates(&self, history: &[Token], condition: &Condition, scratch: &mut Scratch) -> UserState {
        self.encode_all(history, (condition, &[]), true, scratch)
    }

    /// The same history under several conditions: it is read once for all of them. `for_candidates` are asked about
    /// under the first.
    pub fn encode_all(
        &self,
        history: &[Token],
        (first, others): (&Condition, &[Condition]),
        for_candidates: bool,
        scratch: &mut Scratch,
    ) -> UserState {
        let mut memories = Vec::new();
        let wanted = for_candidates.then_some(&mut memories);
        let conditions = [std::slice::from_ref(first), others].concat();
        let mut vectors = trunk::encode(self, history, &conditions, scratch, wanted).into_iter();
        UserState { vector: vectors.next().unwrap_or_default(), others: vectors.collect(), memories }
    }

    /// The vector of one pin: unit length, or zeros when nothing is known of it.
    pub fn pin_vector(&self, pin: &PinInput) -> Vec<f32> {
        let mut out = vec![0.0; self.config.dim];
        self.pin_vectors(std::slice::from_ref(pin), &mut out);
        out
    }

    /// The vectors of many pins into `out` (`pins.len() × dim`).
    pub fn pin_vectors(&self, pins: &[PinInput], out: &mut [f32]) {
        const CHUNK: usize = 64;
        let mut scratch = PinScratch::default();
        for (pins, out) in pins.chunks(CHUNK).zip(out.chunks_mut(CHUNK * self.config.dim)) {
            self.pin_chunk(pins, &mut scratch, out);
        }
    }

    /// `normalise(z + pooled · N + MLP[z ; pooled])`, where z = id + content · C and pooled = mean id of neighbours.
    fn pin_chunk(&self, pins: &[PinInput], scratch: &mut PinScratch, out: &mut [f32]) {
        let (d, w) = (self.config.dim, &self.weights);
        scratch.resize(pins.len(), &self.config);
        for (i, pin) in pins.iter().enumerate() {
            let width = self.config.content_dim;
            if pin.content.len() == width {
                scratch.content[i * width..][..width].copy_from_slice(pin.content);
            }
            self.ids.add(pin.pin, 1.0, &mut scratch.own[i * d..][..d]);
            let neighbours = &pin.neighbours[..pin.neighbours.len().min(self.config.pool_max)];
            self.ids.add_mean(neighbours, &mut scratch.pooled[i * d..][..d]);
        }
        kernel::matmul_add(&scratch.content, w.part(Part::Content), &mut scratch.own);
        for i in 0..pins.len() {
            scratch.both[2 * i * d..][..d].copy_from_slice(&scratch.own[i * d..][..d]);
            scratch.both[(2 * i + 1) * d..][..d].copy_from_slice(&scratch.pooled[i * d..][..d]);
        }
        kernel::repeat(&w.part(Part::PinUpBias).values, pins.len(), &mut scratch.hidden);
        kernel::matmul_add(&scratch.both, w.part(Part::PinUp), &mut scratch.hidden);
        kernel::silu(&mut scratch.hidden);
        out.copy_from_slice(&scratch.own);
        kernel::matmul_add(&scratch.pooled, w.part(Part::PinNeighbours), out);
        kernel::matmul_add(&scratch.hidden, w.part(Part::PinDown), out);
        out.chunks_exact_mut(d).for_each(kernel::normalise);
    }
}

#[derive(Default)]
struct PinScratch {
    content: Vec<f32>,
    own: Vec<f32>,
    pooled: Vec<f32>,
    both: Vec<f32>,
    hidden: Vec<f32>,
}

impl PinScratch {
    fn resize(&mut self, rows: usize, config: &ModelConfig) {
        for (buffer, width) in [
            (&mut self.content, config.content_dim),
            (&mut self.own, config.dim),
            (&mut self.pooled, config.dim),
            (&mut self.both, 2 * config.dim),
        ] {
            buffer.clear();
            buffer.resize(rows * width, 0.0);
        }
    }
}
