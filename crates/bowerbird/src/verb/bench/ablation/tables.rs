//! The tables: what is varied, and which order was published.

use ::train::{Negatives, TrainConfig};
use clap::ValueEnum;
use models::Reach;

/// Which part of the recipe is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Table {
    Negatives,
    Targets,
    Neighbours,
    Fresh,
    Fusion,
}

/// One way to train the sequence model.
pub(super) struct Variant {
    pub(super) name: &'static str,
    /// The figure that was published for it: recall@10 against a million random pins.
    pub(super) published: Option<f64>,
    /// Whether pins pool their graph neighbours.
    pub(super) neighbours: bool,
    /// The reach it is always asked with; without one, what comes next for fresh vectors and what comes later for aged
    /// ones.
    asks: Option<Reach>,
    change: fn(TrainConfig) -> TrainConfig,
}

const fn variant(name: &'static str, published: Option<f64>, change: fn(TrainConfig) -> TrainConfig) -> Variant {
    Variant { name, published, neighbours: true, asks: None, change }
}

/// PinnerFormer (KDD 2022): recall@10 by negatives, without and with the correction for how they were sampled.
const NEGATIVES: [Variant; 6] = [
    variant("uniform", Some(0.136), |base| sampled(base, Negatives::Uniform, false)),
    variant("uniform, logQ", Some(0.139), |base| sampled(base, Negatives::Uniform, true)),
    variant("in-batch", Some(0.071), |base| sampled(base, Negatives::InBatch, false)),
    variant("in-batch, logQ", Some(0.167), |base| sampled(base, Negatives::InBatch, true)),
    variant("mixed", Some(0.138), |base| sampled(base, Negatives::Mixed, false)),
    variant("mixed, logQ", Some(0.229), |base| sampled(base, Negatives::Mixed, true)),
];

fn sampled(base: TrainConfig, negatives: Negatives, log_q: bool) -> TrainConfig {
    TrainConfig { negatives, log_q, ..base }
}

/// The same paper: what comes next (SASRec), and much of what comes later (dense); and a trunk that is told for which
/// of both it is asked.
const TARGETS: [Variant; 4] = [
    always(Reach::Next, variant("next", Some(0.198), |base| TrainConfig { next_share: 1.0, ..base })),
    always(Reach::Later, variant("dense", Some(0.229), |base| TrainConfig { next_share: 0.0, ..base })),
    always(
        Reach::Later,
        variant("dense, all alike", None, |base| TrainConfig { next_share: 0.0, nearness: 0.0, ..base }),
    ),
    variant("both, as asked", None, |base| base),
];

const fn always(reach: Reach, variant: Variant) -> Variant {
    Variant { asks: Some(reach), ..variant }
}

/// OmniSage (2025) reports what graph neighbours bring to pins' vectors.
const NEIGHBOURS: [Variant; 2] = [
    Variant { neighbours: false, ..variant("no neighbours", None, |base| base) },
    variant("neighbours", None, |base| base),
];

/// PinFM (RecSys 2025): ids of a tenth of the candidates lost while learning, so that fresh pins work.
const FRESH: [Variant; 3] = [
    variant("ids always", None, |base| TrainConfig { id_dropout: 0.0, ..base }),
    variant("a tenth lost", None, |base| TrainConfig { id_dropout: 0.1, ..base }),
    variant("half lost", None, |base| TrainConfig { id_dropout: 0.5, ..base }),
];

impl Variant {
    /// The configuration with what this variant changes.
    pub(super) fn of(&self, base: &TrainConfig) -> TrainConfig {
        (self.change)(base.clone())
    }

    /// For what it is asked with vectors of an age.
    pub(super) fn reach(&self, age: u64, config: &TrainConfig) -> Reach {
        let fresh = age == 0 && config.next_share > 0.0;
        self.asks.unwrap_or(if fresh { Reach::Next } else { Reach::Later })
    }
}

impl Table {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Table::Negatives => "negatives",
            Table::Targets => "targets",
            Table::Neighbours => "neighbours",
            Table::Fresh => "fresh",
            Table::Fusion => "fusion",
        }
    }

    pub(super) fn variants(self) -> &'static [Variant] {
        match self {
            Table::Negatives => &NEGATIVES,
            Table::Targets => &TARGETS,
            Table::Neighbours => &NEIGHBOURS,
            Table::Fresh => &FRESH,
            Table::Fusion => &[],
        }
    }

    /// What all variants share. Negatives are sampled where a catalogue is large beside a step: a step scores a tenth
    /// of the pins, and its answers are at most half of these, so that all of them stay whatever else is drawn.
    pub(super) fn base(self, config: &TrainConfig, pins: usize) -> TrainConfig {
        if self != Table::Negatives {
            return config.clone();
        }
        let candidates_max = (pins / 10).clamp(64, 4_096);
        let (questions, targets_max) = (4, 4);
        let batch = (candidates_max / 2 / (questions * targets_max)).max(1);
        // As published: all questions are about much of what comes later.
        TrainConfig { candidates_max, batch, questions, targets_max, next_share: 0.0, ..config.clone() }
    }

    /// What was published to be better, and than what.
    pub(super) fn order(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Table::Negatives => &[
                ("mixed, logQ", "in-batch, logQ"),
                ("in-batch, logQ", "uniform, logQ"),
                ("mixed, logQ", "mixed"),
                ("in-batch, logQ", "in-batch"),
                ("mixed, logQ", "uniform, logQ"),
                ("uniform", "in-batch"),
            ],
            Table::Targets => &[("dense", "next")],
            Table::Neighbours => &[("neighbours", "no neighbours")],
            Table::Fresh => &[("a tenth lost", "ids always"), ("half lost", "ids always")],
            Table::Fusion => &[
                ("late fusion", "no sequence"),
                ("early fusion", "late fusion"),
                ("early fusion", "early fusion, no actions"),
                ("early fusion", "no sequence"),
            ],
        }
    }
}
