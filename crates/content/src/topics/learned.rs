//! Topics that are found: clusters of content embeddings by angle, with names.
//!
//! How sure a pin's topic is follows from a mixture of von Mises-Fisher distributions around the centres, all equally
//! narrow (Banerjee, Dhillon, Ghosh and Sra 2005); how narrow, from how well topics that are learned of other pins
//! agree (`stability`).

use bytemuck::cast_slice;
use bytes::Bytes;
use domain::Snapshot;
use serde::{Deserialize, Serialize};

use super::{names, stability};
use crate::kmeans::{Centres, Space, check, dot, kmeans, to_unit};
use crate::texts::{pack, unpack};
use crate::{Annotation, ContentError};

const KIND: &str = "learned topics";
const VERSION: u32 = 1;
/// Most topics.
const TOPICS_MAX: usize = 4_096;

/// Narrowness at which nothing but the nearest topic is left.
const NARROWEST: f32 = 1_000.0;

/// How topics are learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicParams {
    /// How many topics, at most 4,096. Fewer come out when there are fewer different pins.
    pub topics: usize,
    /// The same seed and pins give the same topics.
    pub seed: u64,
}

impl Default for TopicParams {
    fn default() -> Self {
        TopicParams { topics: 100, seed: 1 }
    }
}

/// Clusters of content embeddings as topics.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedTopics {
    dim: usize,
    centres: Centres,
    names: Vec<String>,
    /// Natural logarithm of each topic's share of the pins.
    shares_ln: Vec<f32>,
    /// How narrow topics are: the concentration κ.
    narrowness: f32,
}

impl LearnedTopics {
    /// Learns topics of embeddings (rows of `dim` numbers, of any length but 0) and names them by the annotations of
    /// the same pins, row by row; without annotations they are numbered.
    pub fn learn(
        vectors: &[f32],
        dim: usize,
        annotations: &[Vec<Annotation>],
        params: &TopicParams,
    ) -> Result<LearnedTopics, ContentError> {
        check(vectors, dim)?;
        let mut units = vectors.to_vec();
        units.chunks_exact_mut(dim).for_each(to_unit);
        let count = params.topics.clamp(1, TOPICS_MAX);
        let centres = kmeans(&units, dim, count, Space::Sphere, params.seed);
        let clusters: Vec<usize> = units.chunks_exact(dim).map(|vector| centres.nearest(vector).0).collect();
        let mut pins = vec![1.0f32; centres.count()];
        clusters.iter().for_each(|&at| pins[at] += 1.0);
        let mut topics = LearnedTopics {
            dim,
            names: names::names(&clusters, annotations, centres.count()),
            shares_ln: pins.iter().map(|pins| (pins / (clusters.len() + centres.count()) as f32).ln()).collect(),
            narrowness: NARROWEST,
            centres,
        };
        topics.settle(stability::agreement(&units, dim, count, params.seed), &units);
        Ok(topics)
    }

    /// Finds the narrowness at which topics are as sure, in the mean, as they are right.
    fn settle(&mut self, right: f32, units: &[f32]) {
        const LOOKED_AT_MAX: usize = 2_000;
        const HALVINGS: usize = 20;
        let step = (units.len() / self.dim).div_ceil(LOOKED_AT_MAX);
        let looked_at: Vec<&[f32]> = units.chunks_exact(self.dim).step_by(step).collect();
        let (mut wide, mut narrow) = (0.0, NARROWEST);
        for _ in 0..HALVINGS {
            self.narrowness = 0.5 * (wide + narrow);
            let sure: f32 = looked_at.iter().filter_map(|vector| self.assign(vector)).map(|(_, sure)| sure).sum();
            if sure < right * looked_at.len() as f32 {
                wide = self.narrowness;
            } else {
                narrow = self.narrowness;
            }
        }
    }

    /// How many topics there are.
    pub fn topics(&self) -> usize {
        self.centres.count()
    }

    /// What a topic is called; no two have the same name.
    pub fn name(&self, topic: usize) -> Option<&str> {
        self.names.get(topic).map(String::as_str)
    }

    /// The topic of an embedding and how sure it is, 0..1: about the probability that topics learned of other pins
    /// would put it beside the same ones; nothing for one of another length or without direction.
    pub fn assign(&self, vector: &[f32]) -> Option<(usize, f32)> {
        let norm = dot(vector, vector).sqrt();
        if vector.len() != self.dim || !norm.is_finite() || norm < 1e-6 {
            return None;
        }
        let odds: Vec<f32> = (0..self.topics())
            .map(|at| self.narrowness * dot(vector, self.centres.centre(at)) / norm + self.shares_ln[at])
            .collect();
        let (best, top) = odds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
        let all: f32 = odds.iter().map(|odds| (odds - top).exp()).sum();
        Some((best, 1.0 / all))
    }

    /// As bytes, to be read by [`LearnedTopics::from_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContentError> {
        let mut out = Vec::new();
        let (dim, narrowness) = ([self.dim as u32], [self.narrowness]);
        let names = pack(self.names.iter().map(String::as_str));
        let sections: [(&str, &[u8]); 5] = [
            ("dim", cast_slice(&dim)),
            ("narrowness", cast_slice(&narrowness)),
            ("centres", cast_slice(self.centres.values())),
            ("shares", cast_slice(&self.shares_ln)),
            ("names", &names),
        ];
        let written = Snapshot::write(&mut out, KIND, VERSION, &sections);
        written.map_err(|error| odd(error.to_string()))?;
        Ok(out)
    }

    /// Reads what [`LearnedTopics::to_bytes`] wrote; other and damaged bytes are refused with a reason.
    pub fn from_bytes(bytes: &[u8]) -> Result<LearnedTopics, ContentError> {
        let snapshot = Snapshot::open(KIND, VERSION, &Bytes::copy_from_slice(bytes)).map_err(|e| odd(e.to_string()))?;
        let floats = |name: &str| snapshot.column::<f32>(name).map_err(|e| odd(e.to_string()));
        let dim = snapshot.column::<u32>("dim").map_err(|e| odd(e.to_string()))?;
        let (narrowness, centres, shares) = (floats("narrowness")?, floats("centres")?, floats("shares")?);
        let names = snapshot.column::<u8>("names").map_err(|e| odd(e.to_string()))?;
        let names = unpack(&names).ok_or_else(|| odd("its names are no texts".into()))?;
        let (&[dim], &[narrowness]) = (&*dim, &*narrowness) else { return Err(odd("it has no size".into())) };
        let dim = dim as usize;
        let fits = dim > 0 && !names.is_empty() && names.len().checked_mul(dim) == Some(centres.len());
        let finite = centres.iter().chain(shares.iter()).chain([&narrowness]).all(|value| value.is_finite());
        if !fits || shares.len() != names.len() || !finite {
            return Err(odd("its columns do not fit".into()));
        }
        let centres = Centres::new(centres.to_vec(), dim);
        Ok(LearnedTopics { dim, centres, names, shares_ln: shares.to_vec(), narrowness })
    }
}

fn odd(reason: String) -> ContentError {
    ContentError::Damaged { what: KIND, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    /// Pins around four directions with words; the last two share theirs but for one.
    fn pins() -> (Vec<f32>, Vec<Vec<Annotation>>) {
        const WORDS: [&[&str]; 4] = [&["lamp", "brass"], &["meadow"], &["shirt", "red"], &["shirt", "blue"]];
        let mut rng = Rng::new(3);
        let (mut vectors, mut annotations) = (Vec::new(), Vec::new());
        for i in 0..400 {
            vectors.extend((0..16).map(|axis| f32::from(u8::from(axis == i % 4)) + 0.1 * rng.normal()));
            let said = WORDS[i % 4].iter().chain(&["nice"]);
            annotations.push(said.map(|term| Annotation { term: (*term).to_owned(), confidence: 0.8 }).collect());
        }
        (vectors, annotations)
    }

    fn learned() -> LearnedTopics {
        let (vectors, annotations) = pins();
        LearnedTopics::learn(&vectors, 16, &annotations, &TopicParams { topics: 4, seed: 2 }).expect("topics")
    }

    #[test]
    fn clusters_are_called_what_only_they_are_about() {
        let topics = learned();
        let (vectors, _) = pins();
        let name = |pin: usize| {
            let (topic, confidence) = topics.assign(&vectors[pin * 16..(pin + 1) * 16]).expect("a topic");
            assert!(confidence > 0.9, "{confidence}");
            topics.name(topic).expect("a name")
        };
        assert_eq!(name(1), "meadow");
        assert!(name(0).contains("lamp") || name(0).contains("brass"));
        assert!(name(2).contains("red") && name(3).contains("blue"), "{} {}", name(2), name(3));
        assert!(topics.names.iter().all(|name| !name.contains("nice")));
    }

    #[test]
    fn between_topics_nothing_is_sure() {
        let topics = learned();
        let between: Vec<f32> = (0..16).map(|axis| if axis < 4 { 1.0 } else { 0.0 }).collect();
        assert!(topics.assign(&between).expect("a topic").1 < 0.6);
        for odd in [vec![], vec![0.0; 16], vec![f32::NAN; 16], vec![1.0; 15]] {
            assert_eq!(topics.assign(&odd), None);
        }
    }

    #[test]
    fn without_words_topics_are_numbered_and_bad_vectors_are_refused() {
        let (vectors, _) = pins();
        let topics = LearnedTopics::learn(&vectors, 16, &[], &TopicParams { topics: 3, seed: 1 }).expect("topics");
        assert_eq!((topics.name(0), topics.name(3)), (Some("topic 1"), None));
        for (vectors, dim) in [(&vectors[..15], 16), (&[], 16), (&vectors[..], 0), (&[f32::NAN; 16][..], 16)] {
            let refused = LearnedTopics::learn(vectors, dim, &[], &TopicParams::default());
            assert!(matches!(refused, Err(ContentError::Vectors { .. })));
        }
    }

    #[test]
    fn bytes_come_back_and_damage_is_refused() {
        let topics = learned();
        let bytes = topics.to_bytes().expect("written");
        assert_eq!(LearnedTopics::from_bytes(&bytes).expect("whole"), topics);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            let unseen = LearnedTopics::from_bytes(&bad).is_ok_and(|read| read != topics);
            assert!(!unseen && LearnedTopics::from_bytes(&bytes[..at]).is_err(), "{at}");
        }
    }
}
