//! Topics of a taxonomy by what a pin's words name.
//!
//! Names and synonyms are looked for in the words, the longest first. A name that several topics have speaks for each
//! of them a part; what stands in the title says more than what stands in the description; several names of one topic
//! add up (as independent witnesses do). What is true of a topic is true of the topics above it.

use std::collections::BTreeMap;

use super::taxonomy_file;
use crate::ContentError;
use crate::phrases::Phrases;
use crate::words::segments;

/// Most topics of a taxonomy.
pub(super) const TOPICS_MAX: usize = 200_000;
/// How sure one name in the title is: of one word, and of more; longer names are taken for something else less often.
/// In English titles the last word says what it is, so that names at the end are more sure. A bit below what was
/// measured on product titles.
const TITLE_CONFIDENCE: [f32; 2] = [0.8, 0.9];
const LAST_CONFIDENCE: [f32; 2] = [0.9, 0.95];
const DESCRIPTION_CONFIDENCE: [f32; 2] = [0.4, 0.6];
/// Topics of one name that are told apart; more names alike say nothing.
const NAMESAKES_MAX: usize = 16;
/// Confidence passes on to the topic above nearly whole.
const UPWARDS: f32 = 0.98;

/// A topic of a taxonomy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    /// A place in the list of nodes.
    pub(super) parent: Option<u32>,
    pub(super) synonyms: Vec<String>,
}

/// Topics in a tree, with the words that name them.
#[derive(Clone, Debug)]
pub struct Taxonomy {
    nodes: Vec<Node>,
    /// Numbers are places in `nodes`.
    names: Phrases,
}

/// A topic of a pin.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicMatch {
    /// The topic's id in the taxonomy.
    pub topic: String,
    /// How sure it is, 0..1.
    pub confidence: f32,
}

impl Taxonomy {
    /// Reads a taxonomy from CSV (`id,name,parent,synonyms`; synonyms are parted by `|`) or JSON lines (the same
    /// fields; synonyms are a list). `parent` and `synonyms` may be missing. Ids that come twice, unknown parents and
    /// circles are refused with their line.
    pub fn parse(text: &str) -> Result<Taxonomy, ContentError> {
        let nodes = taxonomy_file::read(text)?;
        let mut names = Phrases::default();
        for (node, at) in nodes.iter().zip(0..) {
            names.add(&node.name, at);
            for synonym in &node.synonyms {
                names.add(synonym, at);
            }
        }
        Ok(Taxonomy { nodes, names })
    }

    /// How many topics there are.
    pub fn topics(&self) -> usize {
        self.nodes.len()
    }

    /// The topics that the words name, and those above them, surest first; of equals those named come first.
    pub fn assign(&self, title: &str, description: &str) -> Vec<TopicMatch> {
        let mut doubts: BTreeMap<u32, f32> = BTreeMap::new();
        self.read(title, true, &mut doubts);
        self.read(description, false, &mut doubts);
        let mut sure: BTreeMap<u32, f32> = BTreeMap::new();
        for (&topic, doubt) in &doubts {
            let mut confidence = 1.0 - doubt;
            for topic in std::iter::once(topic).chain(self.above(topic)) {
                let known = sure.entry(topic).or_default();
                *known = known.max(confidence);
                confidence *= UPWARDS;
            }
        }
        let mut matches: Vec<(u32, f32)> = sure.into_iter().collect();
        matches.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let named = |(at, confidence): (u32, f32)| TopicMatch { topic: self.nodes[at as usize].id.clone(), confidence };
        matches.into_iter().map(named).collect()
    }

    /// The topics above one, nearest first.
    fn above(&self, topic: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.nodes[topic as usize].parent, |&at| self.nodes[at as usize].parent)
    }

    /// Multiplies what is left of the doubt about each topic that a text names.
    fn read(&self, text: &str, is_title: bool, doubts: &mut BTreeMap<u32, f32>) {
        for words in segments(text) {
            for (place, topics) in self.names.find(&words).into_iter().filter(|(_, t)| t.len() <= NAMESAKES_MAX) {
                let by_length = match (is_title, place.end == words.len()) {
                    (true, true) => LAST_CONFIDENCE,
                    (true, false) => TITLE_CONFIDENCE,
                    (false, _) => DESCRIPTION_CONFIDENCE,
                };
                // A topic above another of the same name is meant with it, not instead.
                let is_above = |topic: u32| topics.iter().any(|&other| self.above(other).any(|above| above == topic));
                let meant: Vec<u32> = topics.iter().copied().filter(|&topic| !is_above(topic)).collect();
                let confidence = by_length[usize::from(place.len() > 1)] / meant.len() as f32;
                for topic in meant {
                    *doubts.entry(topic).or_insert(1.0) *= 1.0 - confidence;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "id,name,parent,synonyms\n\
        wear,Clothing,,\n\
        shoes,Shoes,wear,footwear\n\
        run,Running shoes,shoes,\"jogging shoes | runners\"\n\
        shirts,Shirts,wear,\n\
        jaguar-cat,Jaguar,,\n\
        jaguar-car,Jaguar,,\n";

    fn ids(matches: &[TopicMatch]) -> Vec<&str> {
        matches.iter().map(|found| found.topic.as_str()).collect()
    }

    #[test]
    fn names_and_synonyms_lead_up_the_tree() {
        let taxonomy = Taxonomy::parse(CSV).expect("a taxonomy");
        let found = taxonomy.assign("Nike men jogging shoe", "");
        assert_eq!(ids(&found), ["run", "shoes", "wear"]);
        assert!(found[0].confidence > found[2].confidence && found[2].confidence > 0.85);
        let both = taxonomy.assign("Shirt", "Goes with shoes");
        assert_eq!(ids(&both)[0], "shirts");
        let shoes = both.iter().find(|found| found.topic == "shoes").expect("named aside");
        assert!(shoes.confidence < 0.5);
        assert!(taxonomy.assign("Brass lamp", "").is_empty());
    }

    #[test]
    fn a_name_of_two_topics_is_less_sure_and_more_witnesses_are_more_sure() {
        let taxonomy = Taxonomy::parse(CSV).expect("a taxonomy");
        let of = |title: &str, description: &str, topic: &str| {
            let found = taxonomy.assign(title, description);
            found.iter().find(|found| found.topic == topic).map_or(0.0, |found| found.confidence)
        };
        assert!(of("Jaguar", "", "jaguar-cat") < 0.5);
        let nested = Taxonomy::parse("id,name,parent\na,Shoes,\nb,Shoe,a\n").expect("a taxonomy");
        assert!(nested.assign("Red shoes", "")[0].confidence > 0.85, "one above the other is no doubt");
        assert!(of("Shoes", "leather footwear", "shoes") > of("Shoes", "", "shoes"));
    }

    #[test]
    fn json_lines_say_the_same() {
        let json = "{\"id\":\"wear\",\"name\":\"Clothing\"}\n\n\
            {\"id\":\"run\",\"name\":\"Running shoes\",\"parent\":\"wear\",\"synonyms\":[\"runners\"]}\n";
        let taxonomy = Taxonomy::parse(json).expect("a taxonomy");
        assert_eq!(ids(&taxonomy.assign("Red runners", "")), ["run", "wear"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let said = |text: &str| Taxonomy::parse(text).expect_err("refused").to_string();
        assert!(said("id,name\na,A\na,B\n").starts_with("line 3 of the taxonomy: the id 'a'"));
        assert!(said("id,name,parent\na,A,b\n").starts_with("line 2 of the taxonomy: the parent 'b'"));
        assert!(said("id,name,parent\na,A,b\nb,B,c\nc,C,b\n").contains("circle"));
        assert!(said("{\"id\":\"a\",\"name\":\"A\"}\n{\"id\":3}\n").starts_with("line 2"));
        assert!(said("name\nA\n").starts_with("line 2"));
        assert!(said("id,name,parent\na,A,a\n").contains("circle"));
        assert_eq!(Taxonomy::parse("").expect("nothing is a taxonomy").topics(), 0);
    }
}
