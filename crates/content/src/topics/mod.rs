//! Which topics is a pin about: of a taxonomy that the operator gives, or of clusters that are found.

mod learned;
mod names;
mod stability;
mod taxonomy;
mod taxonomy_file;

pub use learned::{LearnedTopics, TopicParams};
pub use taxonomy::{Taxonomy, TopicMatch};
