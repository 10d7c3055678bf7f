//! What the features of 2,000 given pins cost, and what counters take in memory, in a world of 100,000 pins.
//!
//! `cargo run --release -p bowerbird-serving --example features`

use domain::{Action, Event, EventId, Fact, HEADS, Params, Pin, PinId, Request, Rng, Surface, TopicKind};
use serving::{Pipeline, Views};
use std::sync::Arc;
use std::time::Instant;

const PINS: u32 = 100_000;
const CREATORS: u32 = 5_000;
const TOPICS: u32 = 300;
const PINNERS: u32 = 10_000;
const EVENTS: u32 = 2_000_000;
const CANDIDATES: usize = 2_000;
const ROUNDS: usize = 200;
const START_MS: u64 = 1_700_000_000_000;

fn facts(count: u32, make: impl FnMut(u32) -> Fact) -> Vec<(u64, EventId, Fact)> {
    (0..count).map(make).map(|fact| (0, EventId(0), fact)).collect()
}

fn pin(rng: &mut Rng, number: u32) -> Fact {
    let topics = (0..3).map(|_| format!("topic {}", rng.below(TOPICS))).collect();
    let creator = Some(format!("creator {}", rng.below(CREATORS)));
    Fact::Pin(Pin { id: number.to_string(), creator, topics, created_ms: START_MS, ..Pin::default() })
}

fn event(rng: &mut Rng, number: u32) -> Fact {
    let action = if rng.below(4) == 0 { HEADS[rng.below(8) as usize] } else { Action::Impression };
    let pinner = rng.below(PINNERS).to_string();
    let ts_ms = START_MS + u64::from(number) * 500;
    let (pin, value) = (Some(rng.below(PINS).to_string()), Some(rng.uniform() * 1e4));
    // One board for all: this is not about the graph.
    Fact::Event(Event { pin, value, board: Some("board".into()), ..Event::new(&pinner, action, ts_ms) })
}

fn request(rng: &mut Rng) -> Request {
    let now_ms = START_MS + u64::from(EVENTS) * 500;
    Request { pinner: Some(domain::PinnerId(rng.below(PINNERS))), ..Request::new(Surface::Home, now_ms, 1) }
}

/// Milliseconds of this thread on a processor for each of some rounds.
fn cpu_ms(rounds: usize, mut work: impl FnMut()) -> f64 {
    let on_cpu_ns = || -> f64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        text.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("nanoseconds")
    };
    let before = on_cpu_ns();
    (0..rounds).for_each(|_| work());
    (on_cpu_ns() - before) / 1e6 / rounds as f64
}

fn main() {
    let mut rng = Rng::new(1);
    let views = Arc::new(Views::new().expect("views"));
    views.apply(TopicKind::Catalogue, &facts(PINS, |number| pin(&mut rng, number)));
    let since = Instant::now();
    views.apply(TopicKind::Events, &facts(EVENTS, |number| event(&mut rng, number)));
    println!("{EVENTS} events in {:.1} s", since.elapsed().as_secs_f64());
    let mut bytes = Vec::new();
    views.signals().write(&mut bytes).expect("memory takes bytes");
    println!("signals as a snapshot: {:.1} MB for {PINS} pins and {PINNERS} pinners", bytes.len() as f64 / 1e6);
    let (pipeline, params) = (Pipeline::new(views, 1), Params::default());
    let pins: Vec<PinId> = (0..CANDIDATES).map(|_| PinId(rng.below(PINS))).collect();
    let requests: Vec<Request> = (0..ROUNDS).map(|_| request(&mut rng)).collect();
    for candidates in [0, CANDIDATES] {
        let mut next = requests.iter().cycle();
        let ms = cpu_ms(ROUNDS, || {
            let given = next.next().map(|request| pipeline.given_now(request.clone(), &pins[..candidates], &params));
            assert_eq!(given.map(|given| given.heads.len()), Some(candidates));
        });
        println!("{candidates} pins: {ms:.2} ms (context, features, heads of the prior)");
    }
}
