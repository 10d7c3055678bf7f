use serde::{Deserialize, Serialize};

/// Which units an experiment is for: those that meet all conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targeting {
    /// All of them hold; none are asked where there are none.
    pub conditions: Vec<Condition>,
}

/// A trait of a unit is, or is not, one of some values. A unit without the trait has no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Which trait, such as `language`.
    #[serde(rename = "trait")]
    pub name: String,
    /// Its values.
    pub any_of: Vec<String>,
    /// Whether it must have none of them.
    #[serde(default)]
    pub not: bool,
}

impl Targeting {
    /// Whether a unit with these traits, as (name, value), is meant. Traits must not change through what an arm does,
    /// or the arms' units are no longer alike.
    pub fn holds(&self, traits: &[(&str, &str)]) -> bool {
        let has = |condition: &Condition| {
            traits.iter().any(|(name, value)| *name == condition.name && condition.any_of.iter().any(|v| v == value))
        };
        self.conditions.iter().all(|condition| has(condition) != condition.not)
    }
}
