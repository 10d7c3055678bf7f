use models::Reach;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::bounds::within;

/// Which pins a catalogue that is too large to be scored as a whole ([`TrainConfig::candidates_max`]) is sampled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negatives {
    /// Answers of other questions, and as many pins again that are drawn alike: popular ones are known well, and rare
    /// ones are not forgotten (mixed negative sampling: Yang et al., WWW 2020).
    #[default]
    Mixed,
    /// Answers of other questions alone.
    InBatch,
    /// Pins that are drawn alike, alone; an answer is scored for its own question only, unless it is drawn.
    Uniform,
}

/// How a model is trained. `rate_ids`, `layers`, the spectral start and `epochs_for` were tried on real saves,
/// `next_share` on the second last pins of sequences (Beauty: HR@10 .0864 with .5, .0895 with .8, .0901 with 1); the
/// other defaults are reasoned, not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Everything random derives from it.
    pub seed: u64,
    /// Width of vectors.
    pub dim: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of hidden layers.
    pub hidden: usize,
    /// Graph neighbours that a pin's vector pools.
    pub neighbours_max: usize,
    /// Most acts of a training window; serving reads up to 256, with distances bucketed alike.
    pub history_max: usize,
    /// Passes over the pinners; none lets the size of the data decide ([`TrainConfig::epochs_for`]).
    pub epochs: Option<usize>,
    /// Pinners per step.
    pub batch: usize,
    /// Parts of a step that run side by side; part of the result, so not the number of cores.
    pub shards: usize,
    /// Questions per pinner and epoch, at random places of the window.
    pub questions: usize,
    /// Part of the questions that ask for what comes next alone, as feeds do; the others ask for much of what comes
    /// later.
    pub next_share: f32,
    /// Later pins that one question predicts, at most: the next ones.
    pub targets_max: usize,
    /// How fast the weight of later pins falls: `(1 + acts before it)^-nearness`. 0 predicts all of the future alike, a
    /// large number what comes next.
    pub nearness: f32,
    /// Moments per pinner and epoch whose shown pins ([`crate::Shown`]) are learned from.
    pub requests: usize,
    /// Weight of what was done to shown pins beside what comes next.
    pub rank_weight: f32,
    /// Questions stand after at least this part of the window.
    pub prefix_min: f32,
    /// Part of the questions with a subject: a pin, a board, a topic or words.
    pub subject_share: f32,
    /// Pins that a step scores against. A catalogue up to this size is scored as a whole.
    pub candidates_max: usize,
    /// Which pins these are where they are not all.
    pub negatives: Negatives,
    /// Whether a sampled pin counts the more the less likely it was to be sampled, so that the sum stands for the whole
    /// catalogue's (Yi et al., RecSys 2019).
    pub log_q: bool,
    /// Whether the trunk is told what was done to the pins of a history, or only which they were.
    pub actions: bool,
    /// Peak learning rate of the dense weights (AdamW).
    pub rate_dense: f32,
    /// Peak learning rate of the id table (row-wise Adagrad).
    pub rate_ids: f32,
    /// Pull of dense matrices towards zero, relative to the rate.
    pub weight_decay: f32,
    /// Longest gradient of the dense weights; longer ones are cut.
    pub clip_norm: f32,
    /// Part of all steps in which the rate rises; after it, it falls along a cosine.
    pub warmup: f32,
    /// Chance that a pin with content loses its id for a step, so that new pins work from content.
    pub id_dropout: f32,
    /// Share of numbers that are zeroed on the way through the trunk while learning (Srivastava et al., 2014).
    pub dropout: f32,
    /// Length of the id vectors that training starts from.
    pub id_length: f32,
    /// Logarithm of the softmax scale that training starts from.
    pub log_scale: f32,
    /// Part of the pinners whose later acts are not learned from: these validate, and teach the ranking head.
    pub held_back: f32,
    /// At most so many such pinners.
    pub held_back_max: usize,
    /// At most so many of them validate.
    pub validation_max: usize,
    /// Validations without one as good as the best before training stops.
    pub patience: usize,
    /// Passes of the ranking head over its rows.
    pub rank_epochs: usize,
    /// Pull of the ranking head's matrices towards zero, relative to the rate.
    pub rank_decay: f32,
    /// Share of numbers that are zeroed on the way through the ranking head while learning.
    pub rank_dropout: f32,
    /// Most rows that the ranking head learns from; whole requests are left out beyond.
    pub rank_rows_max: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            seed: 1,
            dim: 64,
            layers: 1,
            heads: 2,
            hidden: 128,
            neighbours_max: 32,
            history_max: 64,
            epochs: None,
            batch: 512,
            shards: 4,
            questions: 8,
            next_share: 0.8,
            targets_max: 16,
            nearness: 1.0,
            requests: 16,
            rank_weight: 1.0,
            prefix_min: 0.3,
            subject_share: 0.2,
            candidates_max: 20_000,
            negatives: Negatives::Mixed,
            log_q: true,
            actions: true,
            rate_dense: 1e-3,
            rate_ids: 0.03,
            weight_decay: 0.01,
            clip_norm: 1.0,
            warmup: 0.05,
            id_dropout: 0.1,
            dropout: 0.2,
            id_length: 1.0,
            log_scale: 2.0,
            held_back: 0.1,
            held_back_max: 2_000,
            validation_max: 2_000,
            patience: 5,
            rank_epochs: 8,
            rank_decay: 0.05,
            rank_dropout: 0.1,
            rank_rows_max: 400_000,
        }
    }
}

impl TrainConfig {
    /// What a model is asked for while it is validated: what comes next, as it is served, unless it never learned that.
    pub(crate) fn validates(&self) -> Reach {
        if self.next_share > 0.0 { Reach::Next } else { Reach::Later }
    }

    /// Whether every value is inside its bounds.
    pub fn check(&self) -> Result<(), TrainError> {
        let counts = [
            ("neighbours_max", self.neighbours_max, 1, 256),
            ("history_max", self.history_max, 1, 256),
            ("epochs", self.epochs.unwrap_or(1), 1, 10_000),
            ("batch", self.batch, 1, 65_536),
            ("shards", self.shards, 1, 256),
            ("questions", self.questions, 1, 64),
            ("targets_max", self.targets_max, 1, 256),
            ("requests", self.requests, 1, 1_024),
            ("candidates_max", self.candidates_max, 16, 1 << 20),
            ("held_back_max", self.held_back_max, 0, 1 << 20),
            ("rank_epochs", self.rank_epochs, 1, 1_000),
            ("rank_rows_max", self.rank_rows_max, 1, 1 << 26),
        ];
        let numbers = [
            ("next_share", self.next_share, 1.0),
            ("prefix_min", self.prefix_min, 1.0),
            ("nearness", self.nearness, 100.0),
            ("rank_weight", self.rank_weight, 100.0),
            ("subject_share", self.subject_share, 1.0),
            ("rate_dense", self.rate_dense, 1.0),
            ("rate_ids", self.rate_ids, 10.0),
            ("weight_decay", self.weight_decay, 1.0),
            ("clip_norm", self.clip_norm, 1e6),
            ("warmup", self.warmup, 0.9),
            ("id_dropout", self.id_dropout, 1.0),
            ("dropout", self.dropout, 0.9),
            ("rank_decay", self.rank_decay, 1.0),
            ("rank_dropout", self.rank_dropout, 0.9),
            ("id_length", self.id_length, 100.0),
            ("log_scale", self.log_scale, 4.6),
            ("held_back", self.held_back, 0.5),
        ];
        within("", &counts, &numbers)
    }

    /// Passes over data with `acts` positive acts: about 12 million acts are read in all, so that small data is seen
    /// often, large data seldom, and training takes minutes. Validation stops earlier, but a long schedule learns
    /// better until it does: on check-ins of Gowalla (630,000), what is served finds .201 to .202 of held-out places
    /// (recall@20) with `epochs = 7`, .2045 with 16 and with what is said here.
    pub fn epochs_for(&self, acts: usize) -> usize {
        const ACTS_READ: usize = 12_000_000;
        self.epochs.unwrap_or_else(|| (ACTS_READ / acts.max(1)).clamp(4, 40))
    }
}
