//! What was served, as it is written down: the source of training rows and of "why did I see this?".

use crate::{Drop, EventId, HEAD_COUNT, PinId, SourceSet, Subject, Surface};
use std::borrow::Cow;

/// One stage of the funnel: how long it took and how many candidates passed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageTrace {
    /// Name of the stage, or `stage/component`: a part of the stage of that name, or one beside it where there is none.
    pub name: String,
    /// How long it took (µs).
    pub took_us: u32,
    /// Candidates before it.
    pub before: u32,
    /// Candidates after it.
    pub after: u32,
    /// What went wrong or was decided: a deadline missed, an exact scan chosen.
    pub note: Option<String>,
}

/// What the funnel did for one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The stages in order.
    pub stages: Vec<StageTrace>,
    /// Every candidate that was dropped, and by whom.
    pub dropped: Vec<Drop>,
    /// The ranked candidates with all that is known of them, best first.
    pub ranked: Vec<ServedItem>,
    /// What was left out to keep the deadline, in words; empty when nothing was.
    pub degraded: Vec<String>,
    /// Version of the model that scored; empty when none was there.
    pub model: String,
}

impl Trace {
    /// What the funnel took (µs): its stages. A part of a stage runs within it and counts once.
    pub fn took_us(&self) -> u64 {
        let is_part = |stage: &&StageTrace| {
            stage.name.split_once('/').is_some_and(|(whole, _)| self.stages.iter().any(|stage| stage.name == whole))
        };
        self.stages.iter().filter(|stage| !is_part(stage)).map(|stage| u64::from(stage.took_us)).sum()
    }
}

/// A reason why an item does not stand where its utility would put it. The moves of an item follow each other: the
/// first begins at its rank after L2, the last ends at its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// What moved it: `ssd`, `spacing/creator`, `quota/walks`, `fresh`, `explore`, `rule/` and the name of a rule.
    pub by: Cow<'static, str>,
    /// Its place before.
    pub from: u16,
    /// Its place after.
    pub to: u16,
}

/// One ranked candidate as the funnel saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedItem {
    /// The pin.
    pub pin: PinId,
    /// Where it came from.
    pub sources: SourceSet,
    /// Rank and score given by each source, in the order of `sources`.
    pub offers: Vec<(u16, f32)>,
    /// Rank after L1, from 0.
    pub l1_rank: u16,
    /// L1 score.
    pub l1: f32,
    /// Rank after L2, from 0.
    pub l2_rank: u16,
    /// Probability per head.
    pub heads: [f32; HEAD_COUNT],
    /// Utility.
    pub utility: f32,
    /// The ranking features as seen, in the order of the model's feature names.
    pub features: Vec<f32>,
    /// Where blending moved it and why.
    pub moves: Vec<Move>,
    /// The chance with which the policy gave this place to this item, given the places before it: 1 where it had no
    /// choice, less in slots for exploration. Estimators of what another policy would have done divide by it.
    pub propensity: f32,
}

/// An arm of an experiment that an answer was made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmOf {
    /// The experiment's id.
    pub experiment: String,
    /// The arm's name.
    pub arm: String,
}

/// One answer, as the log keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// The request's name.
    pub request_id: EventId,
    /// When it was served (ms, UTC).
    pub ts_ms: u64,
    /// Who asked: the pinner's own id.
    pub pinner: String,
    /// Where it was shown.
    pub surface: Surface,
    /// What it was about.
    pub subject: Subject,
    /// First position of this page in the ranking.
    pub offset: u32,
    /// How many pins this page showed: `trace.ranked[offset..offset + shown]` in slate order. A later page may come
    /// without the ranking, which the record of the first page holds.
    pub shown: u32,
    /// The arms that it was made in: whoever asked was exposed to them.
    pub arms: Vec<ArmOf>,
    /// What the funnel did.
    pub trace: Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_what_its_stages_take_and_parts_count_once() {
        let stage = |name: &str, took_us| StageTrace { name: name.into(), took_us, ..StageTrace::default() };
        let stages = vec![stage("generate/walks", 30), stage("generate", 40), stage("features/l1", 5), stage("l1", 2)];
        assert_eq!(Trace { stages, ..Trace::default() }.took_us(), 47);
    }
}
