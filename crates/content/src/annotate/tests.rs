//! Terms of a small made collection.

use super::*;
use crate::ContentError;

const COLOURS: [&str; 5] = ["Black", "Blue", "Red", "Green", "White"];
const PEOPLE: [&str; 2] = ["Men", "Women"];

/// Shoes and shirts of two makers; topics say kind and colour.
fn counts() -> AnnotationCounts {
    let mut counts = AnnotationCounts::default();
    for i in 0..400usize {
        let (colour, people) = (COLOURS[i % 5], PEOPLE[i / 5 % 2]);
        let (kind, topic) = [("Running Shoes", "Running shoes"), ("Formal Shirt", "Shirts"), ("Shoes", "Shoes")][i % 3];
        let maker = ["Lee Cooper", "Asterix"][i / 7 % 2];
        let title = format!("{maker} {people} {colour} {kind}");
        counts.observe(&title, "Made of the best, for you", &[topic.to_owned(), colour.to_owned()]);
    }
    counts
}

fn terms_of(annotations: &[Annotation]) -> Vec<&str> {
    annotations.iter().map(|annotation| annotation.term.as_str()).collect()
}

#[test]
fn phrases_beat_chance_neighbours() {
    let annotator = counts().finish();
    for phrase in ["running shoe", "lee cooper", "formal shirt"] {
        assert!(annotator.by_key.contains_key(phrase), "{phrase}");
    }
    for chance in ["cooper man", "man black", "black running", "black running shoe", "shoe man", "cooper man black"] {
        assert!(!annotator.by_key.contains_key(chance), "{chance}");
    }
}

#[test]
fn what_others_say_too_is_more_sure() {
    let annotator = counts().finish();
    let found = annotator.annotate("Lee Cooper Women Blue Running Shoes", "", &[]);
    let terms = terms_of(&found);
    assert!(terms.contains(&"running shoes") && terms.contains(&"lee cooper") && terms.contains(&"blue"), "{terms:?}");
    assert!(!terms.contains(&"cooper") && !terms.contains(&"running"), "told by their phrases: {terms:?}");
    let of = |term: &str| found.iter().find(|a| a.term == term).map_or(0.0, |a| a.confidence);
    assert!(of("blue") > 0.9 && of("running shoes") > 0.9, "{found:?}");
    assert!(of("lee cooper") < 0.7, "no topic speaks of makers: {found:?}");
    assert!(found.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));
}

#[test]
fn topics_of_the_pin_and_queries_count() {
    let mut counts = counts();
    let before = counts.finish();
    let of = |annotator: &Annotator, topics: &[String], term: &str| {
        let found = annotator.annotate("Lee Cooper shirt", "", topics);
        found.iter().find(|a| a.term == term).map_or(0.0, |a| a.confidence)
    };
    assert!(of(&before, &["Lee Cooper".into()], "lee cooper") >= 0.95);
    counts.observe_query("lee cooper shoes", 12);
    counts.observe_board("Lee Cooper");
    let after = counts.finish();
    assert!(of(&after, &[], "lee cooper") > of(&before, &[], "lee cooper") + 0.1);
    let aside = after.annotate("", "A lee cooper", &[]);
    assert!(aside[0].confidence < of(&after, &[], "lee cooper"));
}

#[test]
fn nothing_known_nothing_said_and_long_texts_are_bounded() {
    assert!(AnnotationCounts::default().finish().annotate("Brass lamp", "", &[]).is_empty());
    let annotator = counts().finish();
    assert!(annotator.annotate("", "…", &[]).is_empty());
    let long = "lee cooper black running shoes men women white shirt ".repeat(2_000);
    assert!(annotator.annotate(&long, &long, std::slice::from_ref(&long)).len() <= ANNOTATIONS_MAX);
}

#[test]
fn memory_is_bounded_and_frequent_terms_stay() {
    let params = AnnotationParams { counted_max: 500, pairs_max: 500, topics_max: 3, ..AnnotationParams::default() };
    let mut counts = AnnotationCounts::new(params);
    for i in 0..20_000u32 {
        let noise = format!("x{}y q{}z", i.wrapping_mul(2_654_435_761), i.wrapping_mul(40_503));
        let said = ["running shoes", "lamp"][i as usize % 2];
        counts.observe(&format!("{noise}, {said}"), "", &[format!("topic {i}")]);
    }
    assert!(counts.terms.iter().count() <= 500 && counts.pairs.iter().count() <= 500 && counts.topics.len() == 3);
    let found = counts.finish().annotate("running shoes", "", &[]);
    assert_eq!(terms_of(&found), ["running shoes"]);
}

#[test]
fn bytes_come_back_and_damage_is_refused() {
    let annotator = counts().finish();
    let bytes = annotator.to_bytes().expect("written");
    let back = Annotator::from_bytes(&bytes).expect("whole");
    assert_eq!((&back.terms, &back.topics, back.pins), (&annotator.terms, &annotator.topics, annotator.pins));
    let (title, topics) = ("Lee Cooper men black shoes", ["Shoes".to_owned()]);
    assert_eq!(back.annotate(title, "", &topics), annotator.annotate(title, "", &topics));
    for cut in [0, 7, 100, bytes.len() - 1] {
        assert!(matches!(Annotator::from_bytes(&bytes[..cut]), Err(ContentError::Damaged { .. })), "{cut}");
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x40;
        if let Ok(read) = Annotator::from_bytes(&bad) {
            assert_eq!(read.terms, annotator.terms, "only padding may change unseen: {at}");
        }
    }
}
