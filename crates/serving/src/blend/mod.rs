//! The order in which pins are shown. Rows come by utility; each place goes to the first of these that there is:
//!
//! 1. the pin that a rule of the business put there (`rules`);
//! 2. in every so many places, a draw of the exploration policy, with the chance that it had (`explore`);
//! 3. a fresh pin, when there was none for long enough (`quotas`);
//! 4. the pin that is worth most of those that nothing holds back (`quotas`, `rules`), where
//!
//! ```text
//! worth = utility + boosts of rules + γ · ‖v⊥‖ − Σ λ / d        in spreads of the utility
//!                                     `ssd`      `spacing`
//! ```
//!
//! The best hundred of those that are left compete for a place. Where relevance was judged, rows come in its bands, and
//! a row of a better band is worth more whatever else counts; only what a rule puts in a place comes before it.
//!
//! Whenever a pin is placed before another of higher utility, that has one reason, and the moves in a trace are sums of
//! these overtakings (`ledger`). The same rows, parameters and seed give the same order.

mod blender;
mod columns;
mod explore;
mod kernel;
mod ledger;
mod members;
mod quotas;
mod rules;
mod spacing;
mod ssd;

pub use ssd::ssd;

use crate::context::Context;
use crate::rows::Rows;
use blender::Blender;
use columns::Columns;
use domain::Move;

/// A row in its place.
pub(crate) struct Placed {
    pub(crate) row: usize,
    /// Its way from its rank by utility to its place.
    pub(crate) moves: Vec<Move>,
    /// The chance that the policy had to place it here.
    pub(crate) propensity: f32,
}

/// What came of blending.
pub(crate) struct Blended {
    /// At most `slate_max` rows in their order.
    pub(crate) placed: Vec<Placed>,
    /// What the trace should tell.
    pub(crate) note: String,
}

/// Orders the rows, which come by utility.
pub(crate) fn blend(context: &Context, rows: &Rows) -> Blended {
    let (mut columns, rules) = Columns::read(context, rows);
    let variety = context.params.surface(context.request.surface).variety;
    let diversity = &context.params.diversity;
    let compared = variety > 0.0 && (diversity.ssd > 0.0 || diversity.near_duplicate.cost > 0.0);
    let mut note = match compared {
        true => {
            let space = columns.read_vectors(context, &rows.candidates.pins);
            format!("by {space} of {}", columns.vectors.count())
        }
        false => "vectors do not count".to_owned(),
    };
    rules.unread.iter().for_each(|rule| note += &format!("; rule {rule} cannot be read"));
    let count = rows.candidates.len().min(context.params.slate_max);
    let bands = rows.bands(context);
    let placed = Blender::new(context, (&rows.candidates, &bands), &columns, rules).place_all(count);
    Blended { placed, note }
}

#[cfg(test)]
mod tests;
