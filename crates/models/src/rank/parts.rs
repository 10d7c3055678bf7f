//! The matrices of the ranking head, in the order of its list.

use domain::{HEAD_COUNT, Rng, Surface};

use crate::kernel::BAG;
use crate::{FEATURE_COUNT, Matrix};

/// Knots of each feature's piecewise linear functions.
pub const KNOTS: usize = 16;
/// Width of the features' embedding.
pub const PHI: usize = 64;
/// Cross layers, their rank, and masks, their width.
pub const CROSSES: usize = 2;
const CROSS_RANK: usize = 32;
/// Mask blocks side by side.
pub const MASKS: usize = 2;
pub(crate) const MASK: usize = 48;
/// Experts, and their width.
pub const EXPERTS: usize = 4;
pub(crate) const EXPERT: usize = 32;
/// Rows of the hashed table of traits: of pinners in the first half, of pins in the second.
pub(crate) const TRAITS: usize = 1 << 13;
/// What is read out: a logit per head, then ln(1 + seconds of looking).
pub const OUTS: usize = HEAD_COUNT + 1;
const _: () = assert!(PHI + OUTS <= BAG);

/// A matrix of the ranking head. `x` is as wide as what is read of the trunk and the features' embedding together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankPart {
    /// Where each feature's functions bend, ascending; infinite where there are fewer. `[FEATURE_COUNT, KNOTS]`
    Knots,
    /// Mean of what is read of the trunk and one over its deviation. `[2, encoded]`
    Standard,
    /// Per feature and knot an embedding, what it adds to each of [`OUTS`], and nothing up to a whole width.
    /// `[FEATURE_COUNT · KNOTS, BAG]`
    Table,
    /// What a trait of a pinner or of a pin adds to the same. `[TRAITS, BAG]`
    Traits,
    /// `[1, x]`
    Gain,
    /// Of a cross layer. `[x, rank]`
    CrossIn(usize),
    /// `[rank, x]`
    CrossOut(usize),
    /// `[1, x]`
    CrossBias(usize),
    /// Of a mask block. `[PHI, width]`
    MaskUp(usize),
    /// `[1, width]`
    MaskUpBias(usize),
    /// `[width, x]`
    MaskDown(usize),
    /// `[1, x]`
    MaskDownBias(usize),
    /// `[x, width]`
    MaskOut(usize),
    /// `[1, width]`
    MaskGain(usize),
    /// All experts side by side. `[x + masks, EXPERTS · width]`
    Expert,
    /// `[1, EXPERTS · width]`
    ExpertBias,
    /// What is read of any expert. `[width, OUTS]`
    Read,
    /// Logits of the gates by surface, expert by expert. `[surfaces, EXPERTS · OUTS]`
    Gates,
    /// By surface. `[surfaces, OUTS]`
    Bias,
    /// Slopes, then shifts, by surface and head. `[2, surfaces · HEAD_COUNT]`
    Platt,
    /// Weights of the first pass on raw features, then its constant. `[1, FEATURE_COUNT + 1]`
    L1,
}

const OF_CROSS: usize = 3;
const OF_MASK: usize = 6;
const BEFORE: usize = 5;
const AFTER: usize = BEFORE + CROSSES * OF_CROSS + MASKS * OF_MASK;

impl RankPart {
    /// Its place in the list.
    pub fn place(self) -> usize {
        let cross = |layer: usize, part: usize| BEFORE + layer * OF_CROSS + part;
        let mask = |block: usize, part: usize| BEFORE + CROSSES * OF_CROSS + block * OF_MASK + part;
        match self {
            RankPart::Knots => 0,
            RankPart::Standard => 1,
            RankPart::Table => 2,
            RankPart::Traits => 3,
            RankPart::Gain => 4,
            RankPart::CrossIn(layer) => cross(layer, 0),
            RankPart::CrossOut(layer) => cross(layer, 1),
            RankPart::CrossBias(layer) => cross(layer, 2),
            RankPart::MaskUp(block) => mask(block, 0),
            RankPart::MaskUpBias(block) => mask(block, 1),
            RankPart::MaskDown(block) => mask(block, 2),
            RankPart::MaskDownBias(block) => mask(block, 3),
            RankPart::MaskOut(block) => mask(block, 4),
            RankPart::MaskGain(block) => mask(block, 5),
            RankPart::Expert => AFTER,
            RankPart::ExpertBias => AFTER + 1,
            RankPart::Read => AFTER + 2,
            RankPart::Gates => AFTER + 3,
            RankPart::Bias => AFTER + 4,
            RankPart::Platt => AFTER + 5,
            RankPart::L1 => AFTER + 6,
        }
    }
}

/// How a matrix starts.
#[derive(Clone, Copy)]
enum Begin {
    Constant(f32),
    /// Normal with variance `scale² / rows`.
    Normal(f32),
    /// Normal in the columns of the embedding, zeros behind them.
    Embedding(f32),
    /// Ones in the first row, zeros below.
    OnesThenZeros,
}

/// Name and shape of a matrix.
pub(crate) struct RankShape {
    pub(crate) name: String,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    begin: Begin,
}

impl RankShape {
    pub(crate) fn start(&self, rng: &mut Rng) -> Matrix {
        let mut values = vec![0.0; self.rows * self.cols];
        match self.begin {
            Begin::Constant(value) => values.fill(value),
            Begin::Normal(scale) => {
                let deviation = scale / (self.rows.max(1) as f32).sqrt();
                values.iter_mut().for_each(|value| *value = deviation * rng.normal());
            }
            Begin::Embedding(deviation) => {
                for row in values.chunks_exact_mut(self.cols) {
                    row[..PHI].iter_mut().for_each(|value| *value = deviation * rng.normal());
                }
            }
            Begin::OnesThenZeros => values[..self.cols].fill(1.0),
        }
        Matrix { rows: self.rows, cols: self.cols, values }
    }
}

/// The list of matrices of a head that reads `encoded` values of the trunk. What is added to the plain sum of piecewise
/// linear functions starts at zero.
pub(crate) fn shapes(encoded: usize) -> Vec<RankShape> {
    use Begin::{Constant, Embedding, Normal, OnesThenZeros};
    let (x, surfaces) = (encoded + PHI, Surface::ALL.len());
    let shape = |name: &str, rows, cols, begin| RankShape { name: format!("ranker.{name}"), rows, cols, begin };
    let mut list = vec![
        shape("knots", FEATURE_COUNT, KNOTS, Constant(f32::INFINITY)),
        shape("standard", 2, encoded, Constant(0.0)),
        shape("table", FEATURE_COUNT * KNOTS, BAG, Embedding(0.1)),
        shape("traits", TRAITS, BAG, Constant(0.0)),
        shape("gain", 1, x, Constant(1.0)),
    ];
    for layer in 0..CROSSES {
        list.push(shape(&format!("cross{layer}.in"), x, CROSS_RANK, Normal(1.0)));
        list.push(shape(&format!("cross{layer}.out"), CROSS_RANK, x, Constant(0.0)));
        list.push(shape(&format!("cross{layer}.bias"), 1, x, Constant(0.0)));
    }
    for block in 0..MASKS {
        list.push(shape(&format!("mask{block}.up"), PHI, MASK, Normal(1.0)));
        list.push(shape(&format!("mask{block}.up_bias"), 1, MASK, Constant(0.0)));
        list.push(shape(&format!("mask{block}.down"), MASK, x, Constant(0.0)));
        list.push(shape(&format!("mask{block}.down_bias"), 1, x, Constant(1.0)));
        list.push(shape(&format!("mask{block}.out"), x, MASK, Normal(1.0)));
        list.push(shape(&format!("mask{block}.gain"), 1, MASK, Constant(1.0)));
    }
    list.extend([
        shape("expert", x + MASKS * MASK, EXPERTS * EXPERT, Normal(1.0)),
        shape("expert_bias", 1, EXPERTS * EXPERT, Constant(0.0)),
        shape("read", EXPERT, OUTS, Constant(0.0)),
        shape("gates", surfaces, EXPERTS * OUTS, Constant(0.0)),
        shape("bias", surfaces, OUTS, Constant(0.0)),
        shape("platt", 2, surfaces * HEAD_COUNT, OnesThenZeros),
        shape("l1", 1, FEATURE_COUNT + 1, Constant(0.0)),
    ]);
    list
}
