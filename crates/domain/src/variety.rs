//! Parameters of the blend: variety, and the rules of the business.

use crate::Surface;
use serde::{Deserialize, Serialize};

/// Variety of the slate. Costs are in spreads of the utility: standard deviations at the head of the ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiversityParams {
    /// What a pin that is like none of the latest picks is worth over one that is one of them (γ of sliding spectrum
    /// decomposition; Huang et al., KDD 2021); 0 leaves it out.
    pub ssd: f32,
    /// How many of the latest picks it compares a pin with.
    pub ssd_window: usize,
    /// Pins are near duplicates from this cosine of their contents on.
    pub near_duplicate_from: f32,
    /// Whether of pins with one picture (of one cluster of near duplicates) only the best is shown.
    pub one_of_a_picture: bool,
    /// Places that the generators' `share_max` and the rules' `cap` count over.
    pub page: usize,
    /// Pins of one creator.
    pub creator: SpacingParams,
    /// Pins that share a topic.
    pub topic: SpacingParams,
    /// Pins that look the same.
    pub near_duplicate: SpacingParams,
    /// Pins that the same generator ranked highest.
    pub source: SpacingParams,
}

/// Space between pins that share something: being placed `d` places behind another one costs `cost / d`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpacingParams {
    /// What the next place costs, in spreads of the utility; 0 leaves it out.
    pub cost: f32,
    /// How many places back are looked at.
    pub window: usize,
}

/// A rule of the business about pins that pass a filter. It arranges what the generators found, and adds no pin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleParams {
    /// Its name in traces.
    pub name: String,
    /// Where it holds; empty for everywhere.
    #[serde(default)]
    pub surfaces: Vec<Surface>,
    /// Which pins it is about, in the filter language of the index.
    pub filter: String,
    /// What is done with them.
    pub action: RuleAction,
}

/// What a rule does with its pins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// The best of them takes this place; 1 is the first.
    PinTo(usize),
    /// Adds so many spreads of the utility to each.
    Boost(f32),
    /// They come after all others.
    Bury,
    /// At most so many of them in `page` consecutive places; what finds no place is left out.
    Cap(usize),
}

/// Most rules.
pub const RULES_MAX: usize = 32;

impl Default for DiversityParams {
    fn default() -> Self {
        let spacing = |cost, window| SpacingParams { cost, window };
        DiversityParams {
            ssd: 1.0,
            ssd_window: 8,
            near_duplicate_from: 0.95,
            one_of_a_picture: true,
            page: 25,
            creator: spacing(0.4, 8),
            topic: spacing(0.8, 8),
            near_duplicate: spacing(1.0, 16),
            source: spacing(0.0, 4),
        }
    }
}

impl RuleParams {
    /// Whether it holds on a surface.
    pub fn holds_on(&self, surface: Surface) -> bool {
        self.surfaces.is_empty() || self.surfaces.contains(&surface)
    }
}
