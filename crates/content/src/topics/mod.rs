//! Which topics is a pin about of the operator.

mod taxonomy;
mod taxonomy_file;

pub use taxonomy::{Taxonomy, TopicMatch};
