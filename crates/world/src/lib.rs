//! A planted world with known truth, drawn pictures and behaviour.
//!
//! A [`World`] is a function of its [`WorldConfig`] and nothing else. It has **topics** (24 kinds of pictures),
//! **pins** that belong to a topic, come in a mood (colours) and a form (what is on them), boards, and pinners with
//! several **tastes**. What a pin looks like, what its title says and where it lies in taste space go together, so
//! that whoever learns from looks, words or behaviour can find the planted taste; [`World::affinity`] is the truth to
//! compare with.
//!
//! [`World::catalogue`] and [`World::history`] are the world as [`domain::Fact`]s, ready for the log; [`World::draw`]
//! paints a pin's picture; [`World::queries`] are searches with a known right answer; and [`World::react`] lets a
//! pinner react to any pin that a real server shows.
//!
//! After its history a world can be lived in: [`World::growing`] has pins and pinners who join every day
//! ([`World::catalogue_of_day`]), a [`Life`] is what changes in a pinner, [`World::visits_of`] says who comes on a day,
//! and a [`Visit`] is driven by whoever shows pages. What it was truly worth ([`VisitTruth`]), and what the best pages
//! would have been worth, is for reports (`life/mod.rs` defines it).
//!
//! ```
//! let usual = world::WorldConfig::new(7, 1_800_000_000_000);
//! let world = world::World::new(world::WorldConfig { pins: 100, pinners: 50, ..usual });
//! assert_eq!(world.catalogue().filter(|(_, fact)| matches!(fact, domain::Fact::Pin(_))).count(), 100);
//! assert_eq!(world.draw(0).width, 480);
//! ```

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod behaviour;
mod catalogue;
mod draw;
mod history;
mod life;
mod mood;
mod plant;
mod query;
mod taste;
mod topic;
mod words;

pub use behaviour::Reaction;
pub use draw::Drawing;
pub use life::{Life, Response, Visit, VisitTruth, Want};
pub use mood::Mood;
pub use plant::{Growth, World, WorldConfig};
pub use query::Query;
pub use taste::{TASTE_DIM, Taste};
pub use topic::{Family, TOPICS, Topic};

#[cfg(test)]
mod tests;
