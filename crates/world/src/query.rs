//! Searches with a known right topic.

use crate::{Mood, TOPICS};

/// Words that somebody searches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The words.
    pub text: String,
    /// The topic that is meant: its place in [`TOPICS`].
    pub topic: usize,
    /// The colours that are meant, when the words name some.
    pub mood: Option<Mood>,
}

/// How many searches each topic has.
pub(crate) const QUERIES_PER_TOPIC: usize = 5;

/// The `number`-th search of a topic.
pub(crate) fn query(topic: usize, number: usize) -> Query {
    let words = &TOPICS[topic];
    match words.queries.get(number) {
        Some(text) => Query { text: (*text).to_owned(), topic, mood: None },
        None => {
            let mood = words.moods[number % words.moods.len()];
            Query { text: format!("{} {}", mood.words().adjective, words.name), topic, mood: Some(mood) }
        }
    }
}

/// Every search that the world's pinners make: five for each topic.
pub(crate) fn queries() -> Vec<Query> {
    (0..TOPICS.len()).flat_map(|topic| (0..QUERIES_PER_TOPIC).map(move |number| query(topic, number))).collect()
}
