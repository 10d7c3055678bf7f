//! Semantic ids: four bytes that say ever more exactly where a pin lies.
//!
//! Residual k-means: the first byte is the nearest of 256 centres, the second the nearest of 256 centres of what is
//! left after subtracting the first, and so on. Pins that share the first bytes are alike, which makes codes useful as
//! tokens of generative retrieval and as features that new pins have too. (Residual quantisation: Juang and Gray 1982;
//! as ids of items: Rajput et al. 2023, "Recommender systems with generative retrieval".)

use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Rng, Snapshot};
use rayon::prelude::*;

use crate::ContentError;
use crate::kmeans::{Centres, Space, check, kmeans};

/// Bytes of a code.
pub const SEMANTIC_LEVELS: usize = 4;
/// Centres of a level.
const CENTRES: usize = 256;
/// Most vectors that are learned of; a seeded sample stands for more.
const LEARNED_MAX: usize = 200_000;
const KIND: &str = "semantic ids";
const VERSION: u32 = 1;
const LEVEL_NAMES: [&str; SEMANTIC_LEVELS] = ["level1", "level2", "level3", "level4"];

/// Centres of four levels.
#[derive(Clone, Debug, PartialEq)]
pub struct SemanticIds {
    dim: usize,
    levels: Vec<Centres>,
}

impl SemanticIds {
    /// Learns of rows of `dim` numbers; the same rows and seed give the same codes.
    pub fn learn(vectors: &[f32], dim: usize, seed: u64) -> Result<SemanticIds, ContentError> {
        check(vectors, dim)?;
        let mut rng = Rng::new(seed);
        let mut left = sample(vectors, dim, &mut rng);
        let mut levels = Vec::with_capacity(SEMANTIC_LEVELS);
        for _ in 0..SEMANTIC_LEVELS {
            let centres = kmeans(&left, dim, CENTRES, Space::Plain, rng.next_u64());
            left.par_chunks_mut(dim).for_each(|vector| {
                let (at, _) = centres.nearest(vector);
                subtract(vector, centres.centre(at));
            });
            levels.push(centres);
        }
        Ok(SemanticIds { dim, levels })
    }

    /// The code of a vector; nothing for one of another length, or with numbers that are none.
    pub fn code(&self, vector: &[f32]) -> Option<[u8; SEMANTIC_LEVELS]> {
        if vector.len() != self.dim || !vector.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mut left = vector.to_vec();
        let mut code = [0; SEMANTIC_LEVELS];
        for (byte, centres) in code.iter_mut().zip(&self.levels) {
            let (at, _) = centres.nearest(&left);
            subtract(&mut left, centres.centre(at));
            *byte = at as u8;
        }
        Some(code)
    }

    /// The vector that the first `levels` bytes of a code stand for.
    pub fn vector(&self, code: [u8; SEMANTIC_LEVELS], levels: usize) -> Vec<f32> {
        let mut vector = vec![0.0; self.dim];
        for (&byte, centres) in code.iter().zip(&self.levels).take(levels) {
            // A code of another catalogue may name a centre that is not here.
            let centre = centres.centre(usize::from(byte).min(centres.count() - 1));
            vector.iter_mut().zip(centre).for_each(|(value, part)| *value += part);
        }
        vector
    }

    /// As bytes, to be read by [`SemanticIds::from_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContentError> {
        let mut out = Vec::new();
        let dim = [self.dim as u32];
        let levels = LEVEL_NAMES.iter().zip(&self.levels);
        let mut sections: Vec<(&str, &[u8])> = vec![("dim", cast_slice(&dim))];
        sections.extend(levels.map(|(name, centres)| (*name, cast_slice(centres.values()))));
        Snapshot::write(&mut out, KIND, VERSION, &sections).map_err(|error| odd(error.to_string()))?;
        Ok(out)
    }

    /// Reads what [`SemanticIds::to_bytes`] wrote; other and damaged bytes are refused with a reason.
    pub fn from_bytes(bytes: &[u8]) -> Result<SemanticIds, ContentError> {
        let snapshot = Snapshot::open(KIND, VERSION, &Bytes::copy_from_slice(bytes)).map_err(|e| odd(e.to_string()))?;
        let dim = snapshot.column::<u32>("dim").map_err(|e| odd(e.to_string()))?;
        let &[dim] = &*dim else { return Err(odd("it has no size".into())) };
        let mut levels = Vec::with_capacity(SEMANTIC_LEVELS);
        for name in LEVEL_NAMES {
            let values = snapshot.column::<f32>(name).map_err(|e| odd(e.to_string()))?;
            let count = values.len() / (dim as usize).max(1);
            let fits = count > 0 && count <= CENTRES && count * dim as usize == values.len();
            if !fits || !values.iter().all(|value| value.is_finite()) {
                return Err(odd(format!("section '{name}' does not fit")));
            }
            levels.push(Centres::new(values.to_vec(), dim as usize));
        }
        Ok(SemanticIds { dim: dim as usize, levels })
    }
}

fn odd(reason: String) -> ContentError {
    ContentError::Damaged { what: KIND, reason }
}

fn subtract(vector: &mut [f32], centre: &[f32]) {
    vector.iter_mut().zip(centre).for_each(|(value, part)| *value -= part);
}

/// All rows, or a seeded sample where they are too many.
fn sample(vectors: &[f32], dim: usize, rng: &mut Rng) -> Vec<f32> {
    let rows = vectors.len() / dim;
    if rows <= LEARNED_MAX {
        return vectors.to_vec();
    }
    let drawn = (0..LEARNED_MAX).map(|_| rng.below(rows as u32) as usize);
    drawn.flat_map(|at| &vectors[at * dim..(at + 1) * dim]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIM: usize = 12;

    fn vectors(rows: usize) -> Vec<f32> {
        let mut rng = Rng::new(11);
        (0..rows * DIM).map(|i| rng.normal() / (1.0 + (i % DIM) as f32)).collect()
    }

    fn gap(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
    }

    #[test]
    fn each_byte_says_more() {
        let vectors = vectors(4_000);
        let ids = SemanticIds::learn(&vectors, DIM, 1).expect("learned");
        assert_eq!(ids, SemanticIds::learn(&vectors, DIM, 1).expect("learned"), "a seed replays");
        let mut gaps = [0.0f32; SEMANTIC_LEVELS + 1];
        for vector in vectors.chunks_exact(DIM) {
            let code = ids.code(vector).expect("a code");
            (0..=SEMANTIC_LEVELS).for_each(|levels| gaps[levels] += gap(&ids.vector(code, levels), vector));
        }
        assert!(gaps.windows(2).all(|pair| pair[1] < 0.8 * pair[0]), "{gaps:?}");
        let (a, b) =
            (ids.code(&vectors[..DIM]), ids.code(&vectors[..DIM].iter().map(|v| v * 1.001).collect::<Vec<_>>()));
        assert_eq!(a.map(|code| code[0]), b.map(|code| code[0]), "near vectors begin alike");
    }

    #[test]
    fn few_vectors_and_odd_ones() {
        let ids = SemanticIds::learn(&vectors(3), DIM, 1).expect("learned");
        assert!(ids.code(&vectors(3)[..DIM]).is_some());
        assert_eq!(ids.vector([255; 4], 4).len(), DIM);
        assert_eq!((ids.code(&[]), ids.code(&[f32::INFINITY; DIM])), (None, None));
        assert!(matches!(SemanticIds::learn(&[], DIM, 1), Err(ContentError::Vectors { .. })));
        assert!(matches!(SemanticIds::learn(&[1.0; 5], DIM, 1), Err(ContentError::Vectors { .. })));
    }

    #[test]
    fn bytes_come_back_and_damage_is_refused() {
        let ids = SemanticIds::learn(&vectors(300), DIM, 1).expect("learned");
        let bytes = ids.to_bytes().expect("written");
        assert_eq!(SemanticIds::from_bytes(&bytes).expect("whole"), ids);
        assert!(SemanticIds::from_bytes(&bytes[..bytes.len() / 2]).is_err());
        for at in (0..bytes.len()).step_by(101) {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(!SemanticIds::from_bytes(&bad).is_ok_and(|read| read != ids), "{at}");
        }
    }
}
