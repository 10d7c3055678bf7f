//! Everything that can be tuned while the system runs. An experiment overrides any of it.

use crate::variety::{DiversityParams, RuleParams};
use crate::{HEAD_COUNT, Source, Surface};
use serde::{Deserialize, Serialize};

/// All parameters of the request path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Most candidates that leave L1 for L2.
    pub l1_keep_max: usize,
    /// Longest ranking that paging walks through.
    pub slate_max: usize,
    /// How long a request may take when it does not say (ms).
    pub deadline_ms: u64,
    /// Most recent actions that start walks and content neighbours.
    pub seeds_max: usize,
    /// Vectors that learned retrieval asks with: the user vector, then one per recent topic of the pinner; where pins
    /// have no topics, pins that stand for different recent interests.
    pub retrieval_vectors: usize,
    /// Candidate generators.
    pub generators: GeneratorsParams,
    /// The walk.
    pub walk: WalkParams,
    /// How much answering the question counts.
    pub answer: AnswerParams,
    /// How much relevance to what was searched for bounds everything else.
    pub relevance: RelevanceParams,
    /// Spacing and variety.
    pub diversity: DiversityParams,
    /// Rules of the business, at most [`crate::RULES_MAX`]; the first ones come first.
    pub rules: Vec<RuleParams>,
    /// Home feed.
    pub home: SurfaceParams,
    /// Related pins.
    pub related: SurfaceParams,
    /// Search.
    pub search: SurfaceParams,
    /// Ideas for a board.
    pub board: SurfaceParams,
}

/// One candidate generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorParams {
    /// Whether it runs.
    pub on: bool,
    /// Most pins that it may offer.
    pub quota_max: usize,
    /// How long it may take (ms).
    pub deadline_ms: u64,
    /// Largest part of a page that pins may be which it ranked higher than any other generator; 1 is no bound.
    pub share_max: f32,
}

/// The candidate generators by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the fields are the sources' names
pub struct GeneratorsParams {
    pub retrieval: GeneratorParams,
    pub walks: GeneratorParams,
    pub text: GeneratorParams,
    pub content: GeneratorParams,
    pub fresh: GeneratorParams,
    pub popular: GeneratorParams,
    pub exploration: GeneratorParams,
}

/// The random walk (Eksombatchai et al., WWW 2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalkParams {
    /// Steps over all start pins.
    pub steps_max: u32,
    /// Chance that a walk goes on after a step; its length is geometric.
    pub continue_chance: f32,
    /// Stop, from half of the steps on, when this many pins have `stop_visits` visits; 0 walks all steps.
    pub stop_pins: u32,
    /// See `stop_pins`.
    pub stop_visits: u32,
    /// How much popular pins are held back: scores are divided by `1 + boards / 10` to this power.
    pub popularity_discount: f32,
    /// Half-life of a start pin's weight (days).
    pub start_half_life_days: f32,
}

/// How much a pin's answering the question counts beside what the pinner likes: each as its share of the best, in
/// spreads of the utility.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerParams {
    /// Having the words of a search (BM25).
    pub words: f32,
    /// Lying near them by meaning.
    pub meaning: f32,
    /// From which share of the nearest pin's likeness on pins without any of the words are found by meaning.
    pub meaning_from: f32,
    /// Having the words beside a picture that is asked with, against a likeness from 0 to 1; what the pinner likes does
    /// not count there.
    pub look_words: f32,
    /// Belonging to a pin or a board, by walks and by content.
    pub subject: f32,
}

/// How the relevance of pins to what was searched for, from 0 (none) to 4 (all that was asked), bounds a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelevanceParams {
    /// Whether searches are bounded by relevance.
    pub on: bool,
    /// Pins of a lower expected level are left out, …
    pub floor: f32,
    /// … unless fewer than this many would be left: then the nearest ones follow, up to this many.
    pub floor_pins: usize,
    /// How many levels wide a band is. Pins of a better band come first; within a band, taste and variety decide. From
    /// 5 on there is one band only.
    pub band: f32,
}

impl RelevanceParams {
    /// The band of an expected level: 0 is the best one.
    pub fn band_of(&self, level: f32) -> u8 {
        let level = if level.is_nan() { 0.0 } else { level.clamp(0.0, 4.0) };
        // Half a level below the best is still the best.
        ((4.5 - level) / self.band.max(0.05)).min(255.0) as u8
    }
}

/// What one surface wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceParams {
    /// Weight of each head in the utility, in the order of [`crate::HEADS`].
    pub weights: [f32; HEAD_COUNT],
    /// How much the costs of [`DiversityParams`] count here; 0 is no variety, and the ranking stays as it is.
    pub variety: f32,
    /// Whether pins that the pinner has seen are left out.
    pub hide_seen: bool,
    /// Every so many positions one slot is given to exploration; 0 gives none.
    pub explore_every: usize,
    /// Chance that such a slot draws from the whole ranking rather than from the pins that exploration offered.
    pub explore_any: f32,
    /// Of so many consecutive positions one at least is given to a fresh pin, as long as there are any; 0 gives none.
    pub fresh_every: usize,
    /// How young a fresh pin is (days).
    pub fresh_days: f32,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            l1_keep_max: 500,
            slate_max: 250,
            deadline_ms: 250,
            seeds_max: 256,
            retrieval_vectors: 1,
            generators: GeneratorsParams::default(),
            walk: WalkParams::default(),
            answer: AnswerParams::default(),
            relevance: RelevanceParams::default(),
            diversity: DiversityParams::default(),
            rules: Vec::new(),
            home: SurfaceParams { explore_every: 20, fresh_every: 25, ..SurfaceParams::default() },
            related: SurfaceParams { hide_seen: false, ..SurfaceParams::default() },
            search: SurfaceParams { hide_seen: false, ..SurfaceParams::default() },
            board: SurfaceParams::default(),
        }
    }
}

impl Default for GeneratorParams {
    fn default() -> Self {
        GeneratorParams { on: true, quota_max: 500, deadline_ms: 100, share_max: 1.0 }
    }
}

impl Default for GeneratorsParams {
    fn default() -> Self {
        let quota = |quota_max| GeneratorParams { quota_max, ..GeneratorParams::default() };
        GeneratorsParams {
            retrieval: quota(500),
            walks: quota(500),
            text: quota(500),
            content: quota(200),
            fresh: quota(100),
            popular: quota(200),
            exploration: quota(20),
        }
    }
}

impl Default for WalkParams {
    fn default() -> Self {
        WalkParams {
            steps_max: 100_000,
            continue_chance: 0.2,
            stop_pins: 1_000,
            stop_visits: 4,
            popularity_discount: 0.6,
            start_half_life_days: 30.0,
        }
    }
}

impl Default for AnswerParams {
    fn default() -> Self {
        AnswerParams { words: 2.0, meaning: 1.0, meaning_from: 0.8, look_words: 0.2, subject: 1.0 }
    }
}

impl Default for RelevanceParams {
    fn default() -> Self {
        RelevanceParams { on: true, floor: 1.0, floor_pins: 25, band: 1.0 }
    }
}

impl Default for SurfaceParams {
    fn default() -> Self {
        SurfaceParams {
            weights: [1.0, 0.3, 0.2, 0.5, 0.5, 0.5, 0.5, -3.0],
            variety: 1.0,
            hide_seen: true,
            explore_every: 0,
            explore_any: 0.1,
            fresh_every: 0,
            fresh_days: 7.0,
        }
    }
}

impl Params {
    /// The parameters of a surface; notifications are served like the home feed.
    pub fn surface(&self, surface: Surface) -> &SurfaceParams {
        match surface {
            Surface::Home | Surface::Notification => &self.home,
            Surface::Related => &self.related,
            Surface::Search => &self.search,
            Surface::Board => &self.board,
        }
    }

    /// The parameters of a candidate generator.
    pub fn generator(&self, source: Source) -> &GeneratorParams {
        match source {
            Source::Retrieval => &self.generators.retrieval,
            Source::Walks => &self.generators.walks,
            Source::Text => &self.generators.text,
            Source::Content => &self.generators.content,
            Source::Fresh => &self.generators.fresh,
            Source::Popular => &self.generators.popular,
            Source::Exploration => &self.generators.exploration,
        }
    }

    /// The same with as many offers of each generator: how good they are when they may say all they know.
    #[must_use]
    pub fn with_quotas(mut self, quota_max: usize) -> Params {
        let GeneratorsParams { retrieval, walks, text, content, fresh, popular, exploration } = &mut self.generators;
        for generator in [retrieval, walks, text, content, fresh, popular, exploration] {
            generator.quota_max = quota_max;
        }
        self
    }

    /// The same ranked by utility alone: without variety and slots for fresh pins.
    #[must_use]
    pub fn without_variety(mut self) -> Params {
        for surface in [&mut self.home, &mut self.related, &mut self.search, &mut self.board] {
            surface.variety = 0.0;
            surface.fresh_every = 0;
        }
        self
    }

    /// The same parameters without exploration: what quality is measured with.
    #[must_use]
    pub fn for_evaluation(mut self) -> Params {
        self.generators.exploration.on = false;
        for surface in [&mut self.home, &mut self.related, &mut self.search, &mut self.board] {
            surface.explore_every = 0;
        }
        self
    }
}
