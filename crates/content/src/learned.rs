//! What a collection teaches about its pins, in one piece: terms, topics, semantic ids.

use bytes::Bytes;
use domain::{Pin, Snapshot};

use crate::{Annotation, AnnotationCounts, Annotator, ContentError, LearnedTopics, SemanticIds, TopicParams};

const KIND: &str = "learned contents";
const VERSION: u32 = 1;

/// What was learned of a collection.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// Its number; higher ones are newer.
    pub version: u32,
    /// The embedding space that topics and semantic ids are of.
    pub space: u32,
    /// How many pins the collection had, those that were only mentioned included.
    pub pins: u32,
    annotator: Annotator,
    /// Nothing where no pin had an embedding.
    topics: Option<LearnedTopics>,
    ids: Option<SemanticIds>,
}

impl Learned {
    /// Learns from counts of a whole collection, and from pins of it with their embeddings in `space`, all of one
    /// length: a sample of some ten thousands will do.
    pub fn learn(
        counts: &AnnotationCounts,
        pins: u32,
        space: u32,
        sample: &[(&Pin, Vec<f32>)],
        topics: &TopicParams,
    ) -> Result<Learned, ContentError> {
        let annotator = counts.finish();
        let dim = sample.first().map_or(0, |(_, vector)| vector.len());
        let (mut vectors, mut annotations) = (Vec::with_capacity(sample.len() * dim), Vec::new());
        for (pin, vector) in sample.iter().filter(|(_, vector)| vector.len() == dim) {
            vectors.extend_from_slice(vector);
            annotations.push(annotator.annotate(&pin.title, &pin.description, &pin.topics));
        }
        let (topics, ids) = match vectors.is_empty() {
            true => (None, None),
            false => (
                Some(LearnedTopics::learn(&vectors, dim, &annotations, topics)?),
                Some(SemanticIds::learn(&vectors, dim, topics.seed)?),
            ),
        };
        Ok(Learned { version: 0, space, pins, annotator, topics, ids })
    }

    /// The same under a number.
    #[must_use]
    pub fn with_version(self, version: u32) -> Learned {
        Learned { version, ..self }
    }

    /// How many terms are known.
    pub fn terms(&self) -> usize {
        self.annotator.terms()
    }

    /// How many topics were learned.
    pub fn topics(&self) -> usize {
        self.topics.as_ref().map_or(0, LearnedTopics::topics)
    }

    /// What a topic is called.
    pub fn topic_name(&self, topic: usize) -> Option<&str> {
        self.topics.as_ref().and_then(|topics| topics.name(topic))
    }

    pub(crate) fn annotate(&self, pin: &Pin) -> Vec<Annotation> {
        self.annotator.annotate(&pin.title, &pin.description, &pin.topics)
    }

    /// The topic of a content and how sure it is.
    pub(crate) fn topic(&self, space: u32, embedding: &[f32]) -> Option<(&str, f32)> {
        let topics = self.topics.as_ref().filter(|_| space == self.space)?;
        let (topic, sure) = topics.assign(embedding)?;
        Some((topics.name(topic)?, sure))
    }

    pub(crate) fn semantic_id(&self, space: u32, embedding: &[f32]) -> Option<[u8; 4]> {
        self.ids.as_ref().filter(|_| space == self.space)?.code(embedding)
    }

    /// As bytes, to be read by [`Learned::from_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContentError> {
        let about = [self.version, self.space, self.pins];
        let annotator = self.annotator.to_bytes()?;
        let topics = self.topics.as_ref().map(LearnedTopics::to_bytes).transpose()?.unwrap_or_default();
        let ids = self.ids.as_ref().map(SemanticIds::to_bytes).transpose()?.unwrap_or_default();
        let sections: [(&str, &[u8]); 4] = [
            ("about", bytemuck::cast_slice(&about)),
            ("annotator", &annotator),
            ("topics", &topics),
            ("semantic ids", &ids),
        ];
        let mut out = Vec::new();
        Snapshot::write(&mut out, KIND, VERSION, &sections).map_err(odd)?;
        Ok(out)
    }

    /// Reads what [`Learned::to_bytes`] wrote; other and damaged bytes are refused with a reason.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Learned, ContentError> {
        let snapshot = Snapshot::open(KIND, VERSION, &Bytes::from(bytes)).map_err(odd)?;
        let section = |name: &str| snapshot.column::<u8>(name).map_err(odd);
        let about = snapshot.column::<u32>("about").map_err(odd)?;
        let &[version, space, pins] = &*about else { return Err(odd("its head is of another length")) };
        let (topics, ids) = (section("topics")?, section("semantic ids")?);
        Ok(Learned {
            version,
            space,
            pins,
            annotator: Annotator::from_bytes(&section("annotator")?)?,
            topics: (!topics.is_empty()).then(|| LearnedTopics::from_bytes(&topics)).transpose()?,
            ids: (!ids.is_empty()).then(|| SemanticIds::from_bytes(&ids)).transpose()?,
        })
    }
}

fn odd(reason: impl ToString) -> ContentError {
    ContentError::Damaged { what: KIND, reason: reason.to_string() }
}
