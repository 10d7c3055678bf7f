//! Searches are bounded by relevance: what somebody likes decides among pins that answer, not whether they do.

use crate::world::*;
use domain::{Candidates, Fact, Params, Pin, Slate, Subject, Surface};
use models::{LEVELS, Student, StudentConfig, StudentPart, feature, relevance_feature, relevance_words, word_run};
use serving::{Context, Pipeline, Scorer, UNANSWERED};
use std::sync::Arc;

/// A pinner who likes the sea: waves are worth more than anything else.
struct LikesTheSea(Vec<bool>);

impl Scorer for LikesTheSea {
    fn name(&self) -> &'static str {
        "likes_the_sea"
    }

    fn score(&self, _: &Context, _: &[f32], candidates: &mut Candidates) {
        let worth = |pin: &domain::PinId| if self.0[pin.index()] { 100.0 } else { 1.0 - pin.0 as f32 / 1e3 };
        candidates.utility = candidates.pins.iter().map(worth).collect();
    }
}

/// Forty waves of which every other is blue, ten lamps of which three are blue, and one that nothing is said of.
fn world() -> (World, Pipeline) {
    let world = World::new();
    let kind = |number: usize| if number.is_multiple_of(2) { "blue" } else { "grey" };
    let mut facts: Vec<Fact> =
        (0..40).map(|n| Fact::Pin(described(&format!("wave{n}"), &format!("{} wave", kind(n)), "sea"))).collect();
    for n in 0..10 {
        let colour = if n < 3 { "blue" } else { "red" };
        facts.push(Fact::Pin(described(&format!("lamp{n}"), &format!("{colour} lamp"), "lighting")));
    }
    facts.extend([save("ann", "wave0"), save("ann", "wave2"), pin("nothing")]);
    world.tell(facts);
    let likes = {
        let catalogue = world.views.catalogue();
        let number = |n| catalogue.pin_key(domain::PinId(n as u32)).starts_with("wave");
        (0..catalogue.pins()).map(number).collect()
    };
    let pipeline = world.pipeline.with_scorer(Arc::new(LikesTheSea(likes)));
    (world, pipeline)
}

fn described(id: &str, title: &str, topic: &str) -> Pin {
    Pin { topics: vec![topic.to_owned()], ..titled(id, title) }
}

fn search(world: &World, pipeline: &Pipeline, words: &str, params: &Params) -> Slate {
    let request = world.request("ann", Surface::Search, Subject::Query(words.into()));
    serve(pipeline, domain::Request { limit: 25, ..request }, params)
}

fn kinds(world: &World, slate: &Slate, count: usize) -> Vec<String> {
    let catalogue = world.views.catalogue();
    let title = |item: &domain::SlateItem| catalogue.pin_view(item.pin).map_or("", |view| view.title).to_owned();
    slate.items.iter().take(count).map(title).collect()
}

#[test]
fn who_likes_the_sea_and_searches_for_a_blue_lamp_sees_lamps_first() {
    let (world, pipeline) = world();
    let slate = search(&world, &pipeline, "blue lamp", &params());
    let seen = kinds(&world, &slate, 12);
    assert_eq!(seen[..3], ["blue lamp"; 3], "{seen:?}");
    assert_eq!(seen[3..10], ["red lamp"; 7], "half of the words, and the rarer one");
    assert_eq!(seen[10..], ["blue wave"; 2], "then what taste had put first");
    assert_eq!(slate.trace.degraded, [""; 0]);
    let levels: Vec<f32> = slate.trace.ranked.iter().map(|item| item.features[feature("level")]).collect();
    assert!(levels[0] > 3.9 && levels[3] < 3.5 && levels[3] > levels[10], "{levels:?}");
    let chances = &slate.trace.ranked[0].features[feature("level_0")..][..LEVELS];
    assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{chances:?}");
    assert!(slate.trace.stages.iter().any(|stage| stage.name == "relevance"));

    let mut unbounded = params();
    unbounded.relevance.on = false;
    let slate = search(&world, &pipeline, "blue lamp", &unbounded);
    assert_eq!(kinds(&world, &slate, 3), ["blue wave"; 3], "taste, when nothing bounds it");
    assert!(slate.trace.stages.iter().all(|stage| stage.name != "relevance"));
}

#[test]
fn below_the_floor_pins_are_left_out_unless_too_few_are_left() {
    let (world, pipeline) = world();
    let mut params = params();
    params.relevance.floor = 2.0;
    params.relevance.floor_pins = 5;
    let slate = search(&world, &pipeline, "blue lamp", &params);
    assert_eq!(slate.items.len(), 10, "ten lamps answer well enough");
    assert_eq!(world.dropped_by(&slate, "wave0"), Some("relevance"));
    params.relevance.floor_pins = 14;
    let slate = search(&world, &pipeline, "blue lamp", &params);
    assert_eq!(slate.items.len(), 14, "the nearest follow");
    assert_eq!(slate.trace.degraded, [""; 0]);
    params.relevance.floor = 3.0;
    let slate = search(&world, &pipeline, "violet porcelain lamp", &params);
    assert!(!slate.items.is_empty());
    assert!(slate.trace.degraded.iter().any(|told| told.starts_with(UNANSWERED)), "{:?}", slate.trace.degraded);
    let slate = search(&world, &pipeline, "violet porcelain elephants that play red chess on boards of oak", &params);
    assert!(!slate.items.is_empty() && slate.trace.degraded.is_empty(), "only a student judges a sentence");
}

/// A student that was told by hand: the lower half of the levels for titles with the first word of the query.
fn contrary() -> Student {
    let mut student = Student::untrained(StudentConfig::default(), "by hand".into(), 1).expect("a shape");
    let starts = relevance_feature("starts");
    student.matrices_mut().iter_mut().for_each(|matrix| matrix.values.fill(0.0));
    let hidden = student.config().hidden;
    student.knots_mut().values[starts * models::STUDENT_KNOTS..][..2].copy_from_slice(&[0.0, 1.0]);
    let matrices = student.matrices_mut();
    matrices[StudentPart::Sharpness as usize].values[0] = 1.0;
    let rows = starts * models::STUDENT_KNOTS;
    matrices[StudentPart::Table as usize].values[rows * hidden] = 3.0;
    matrices[StudentPart::Table as usize].values[(rows + 1) * hidden] = -3.0;
    matrices[StudentPart::Out as usize].values[4] = 9.0;
    student
}

#[test]
fn a_learned_student_judges_from_the_next_request_on() {
    let (world, pipeline) = world();
    let before = search(&world, &pipeline, "blue lamp", &params());
    assert_eq!(kinds(&world, &before, 1), ["blue lamp"]);
    world.views.install_student(Some(Arc::new(contrary())));
    let slate = search(&world, &pipeline, "blue lamp", &params());
    assert_eq!(kinds(&world, &slate, 1), ["red lamp"], "it likes no title that begins with blue");
    world.views.install_student(None);
    let again = search(&world, &pipeline, "blue lamp", &params());
    assert_eq!(again.items, before.items);
    let elsewhere = StudentConfig { content_space: 99, content_dim: 2, ..StudentConfig::default() };
    world.views.install_student(Some(Arc::new(Student::untrained(elsewhere, String::new(), 1).expect("a shape"))));
    assert_eq!(search(&world, &pipeline, "blue lamp", &params()).items, before.items, "learned of other contents");
}

#[test]
fn what_models_read_of_a_pin_is_told() {
    let (world, pipeline) = world();
    let pins: Vec<_> =
        ["lamp0", "wave0", "nothing"].iter().filter_map(|key| world.views.catalogue().pin(key)).collect();
    let request = world.request("ann", Surface::Search, Subject::Query("blue lamps".into()));
    let seen = pipeline.relevance_now(request, &pins, &params());
    assert_eq!(seen.pins.len(), 3);
    let of = |pin: usize, name: &str| seen.pins[pin].features[relevance_feature(name)];
    assert_eq!([of(0, "whole"), of(1, "whole"), of(2, "whole")], [1.0, 0.0, 0.0]);
    assert_eq!([of(0, "phrase"), of(1, "phrase"), of(2, "ln_title")], [1.0, 0.5, 0.0]);
    assert!(of(0, "bm25_title") > of(1, "bm25_title") && of(1, "words_own") > 0.0);
    let mut words = Vec::new();
    relevance_words("blue lamp", 9, &mut words);
    assert_eq!((&seen.pins[0].words, &seen.query), (&words, &words));
    assert!(word_run(&seen.query, &words).starts);
    assert_eq!((seen.pins[1].title.as_str(), seen.pins[1].rest.as_str()), ("blue wave", "sea"));
}
