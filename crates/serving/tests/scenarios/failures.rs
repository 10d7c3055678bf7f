//! What goes wrong is left out and told.

use crate::world::*;
use async_trait::async_trait;
use domain::{Candidates, Params, Source, Subject, Surface};
use serving::{CandidateGenerator, Context, GeneratorError, Offers, Scorer};
use std::sync::Arc;
use std::time::Duration;

/// A generator in the place of the walks that does not do what it should.
#[derive(Clone, Copy)]
enum Broken {
    Fails,
    Panics,
    Sleeps,
    Lies,
}

#[async_trait]
impl CandidateGenerator for Broken {
    fn source(&self) -> Source {
        Source::Walks
    }

    fn enabled(&self, _: &Context) -> bool {
        true
    }

    async fn generate(&self, _: Arc<Context>) -> Result<Offers, GeneratorError> {
        match self {
            Broken::Fails => {
                Err(GeneratorError::Unavailable { engine: "graph".into(), reason: "no route to host".into() })
            }
            Broken::Panics => panic!("on purpose, in a test"),
            Broken::Sleeps => {
                std::thread::sleep(Duration::from_millis(300));
                Ok(Offers::default())
            }
            Broken::Lies => Ok(vec![(domain::PinId(u32::MAX), f32::NAN), (domain::PinId(4), f32::INFINITY)].into()),
        }
    }
}

#[test]
fn a_failing_generator_degrades_the_answer() {
    let world = World::new();
    world.tell(co_saves());
    let cases = [
        (Broken::Fails, vec!["walks: graph is not available: no route to host"]),
        (Broken::Panics, vec!["walks: failed"]),
        (Broken::Sleeps, vec!["walks: missed its deadline"]),
        (Broken::Lies, vec![]),
    ];
    for (broken, told) in cases {
        let pipeline = world.pipeline.with_generator(Arc::new(broken));
        let mut params = params();
        if matches!(broken, Broken::Sleeps) {
            params.generators.walks.deadline_ms = 20;
        }
        let slate = serve(&pipeline, world.request("ann", Surface::Home, Subject::None), &params);
        assert_eq!(slate.trace.degraded, told);
        assert!(world.keys(&slate).contains(&"z".to_owned()), "the others still answer");
    }
}

#[test]
fn a_generator_can_be_switched_off() {
    let world = World::new();
    world.tell(co_saves());
    let mut off = params();
    off.generators.walks.on = false;
    let slate = world.serve(world.request("ann", Surface::Home, Subject::None), &off);
    assert!(slate.items.iter().all(|item| !item.sources.has(Source::Walks)));
    assert!(slate.trace.degraded.is_empty());
}

#[test]
fn an_empty_world_gives_an_empty_slate_and_says_so() {
    let world = World::new();
    let slate = world.home("ann");
    assert!(slate.items.is_empty());
    assert_eq!(slate.trace.degraded, ["no generator found a pin: popular pins instead"]);
}

#[test]
fn parameters_of_nothing_are_served_too() {
    let world = World::new();
    world.tell(co_saves());
    let mut nothing = Params { l1_keep_max: 0, slate_max: 0, seeds_max: 0, ..params() };
    nothing.diversity.ssd_window = 0;
    nothing.diversity.page = 0;
    nothing.generators.walks.quota_max = 0;
    nothing.walk.start_half_life_days = 0.0;
    let request = world.request("ann", Surface::Home, Subject::None);
    assert!(world.serve(request.clone(), &nothing).items.is_empty());
    let some = Params { l1_keep_max: 2, slate_max: 2, ..nothing };
    let slate = world.serve(domain::Request { limit: 0, ..request }, &some);
    assert_eq!(slate.items.len(), 2);
    assert!(slate.trace.dropped.iter().any(|drop| drop.by == "l1"));
}

/// Gives what is not a number to every second pin.
struct Nonsense;

impl Scorer for Nonsense {
    fn name(&self) -> &'static str {
        "nonsense"
    }

    fn score(&self, _: &Context, _: &[f32], candidates: &mut Candidates) {
        let odd = |row: usize| if row.is_multiple_of(2) { f32::NAN } else { row as f32 };
        candidates.utility.iter_mut().enumerate().for_each(|(row, utility)| *utility = odd(row));
    }
}

#[test]
fn scores_that_are_not_numbers_sink() {
    let world = World::new();
    world.tell(co_saves());
    let pipeline = world.pipeline.with_scorer(Arc::new(Nonsense));
    let slate = serve(&pipeline, world.request("ann", Surface::Home, Subject::None), &params());
    assert_eq!(slate.items.len(), 4);
    let numbers = slate.items.iter().take_while(|item| !item.score.is_nan()).count();
    assert_eq!(numbers, 2, "{:?}", slate.items);
}

#[test]
fn a_request_without_time_still_gets_an_answer() {
    let world = World::new();
    world.tell(co_saves());
    let request = domain::Request { deadline_ms: 1, ..world.request("ann", Surface::Home, Subject::None) };
    let slow = world.pipeline.with_generator(Arc::new(Broken::Sleeps));
    let slate = serve(&slow, request, &params());
    assert!(!slate.trace.degraded.is_empty());
}
