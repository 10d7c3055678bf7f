//! `bowerbird bench blend`: how long it takes to put a slate in order.

use super::clock::{quantile, thread_cpu_s};
use super::vectors::mixture;
use crate::output::{print_json, thousands};
use crate::setup::Setup;
use anyhow::{Result, ensure};
use domain::{Candidates, EventId, Fact, Params, Pin, PinId, Request, Rng, RuleAction, RuleParams, Source};
use domain::{Surface, TopicKind, Understood};
use index::Want;
use serde_json::json;
use serving::{Blending, Pipeline, Views, ssd};
use std::sync::Arc;

/// Pins that there are, their topics and creators.
const PINS: usize = 20_000;
const TOPICS: u32 = 60;
const CREATORS: u32 = 2_000;
/// Pins around which a pinner's candidates lie.
const INTERESTS: usize = 5;
const NOW_MS: u64 = 1_700_000_000_000;
const DAY_MS: u64 = 86_400_000;

/// Blends many random slates of pins with vectors of 64 dimensions, topics, creators and sources: the candidates lie
/// around a few interests, as a pinner's do. Measures sliding spectrum decomposition alone, with vectors at hand, and
/// the whole blend as it is configured, with a fresh place in ten, exploration and three rules: lookups, variety,
/// quotas and the moves of each pin.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Candidates of a request.
    #[arg(long, default_value_t = 500)]
    candidates: usize,
    /// Places of a slate.
    #[arg(long, default_value_t = 50)]
    slate: usize,
    /// How many slates are measured.
    #[arg(long, default_value_t = 500)]
    cases: usize,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!(args.candidates > 0 && args.candidates <= PINS / 2, "at most {} candidates", PINS / 2);
    ensure!(args.slate > 0 && args.slate <= args.candidates && args.cases > 0, "there is nothing to measure");
    let views = Arc::new(views()?);
    let pipeline = Pipeline::new(views.clone(), 1);
    let params = params(&setup.config.params, args.slate);
    let mut rng = Rng::new(7);
    let (mut alone, mut whole) = (Vec::new(), Vec::new());
    for case in 0..args.cases {
        setup.stop.check()?;
        let candidates = candidates(&views, args.candidates, &mut rng)?;
        alone.push(alone_us(&views, &candidates, &params, args.slate));
        whole.push(whole_us(&pipeline.blending(request(case as u64), &params, candidates)));
    }
    let figures = [("ssd", &mut alone), ("blend", &mut whole)].map(|(name, times)| {
        times.sort_by(f64::total_cmp);
        (name, quantile(times, 0.5), quantile(times, 0.99))
    });
    if setup.json {
        let mut object =
            json!({"bench": "blend", "candidates": args.candidates, "slate": args.slate, "cases": args.cases});
        for (name, p50, p99) in figures {
            object[format!("{name}_cpu_us_p50")] = json!(p50);
            object[format!("{name}_cpu_us_p99")] = json!(p99);
        }
        print_json(&object);
    } else {
        println!("{} candidates to {} places, {} cases", args.candidates, args.slate, thousands(args.cases as u64));
        figures.iter().for_each(|(name, p50, p99)| println!("{name:<6} {p50:.0} µs CPU, p99 {p99:.0} µs"));
    }
    Ok(())
}

fn params(usual: &Params, slate_max: usize) -> Params {
    let mut params = Params { slate_max, ..usual.clone() };
    params.home.fresh_every = 10;
    params.rules = [
        ("first", "topic:topic-1", RuleAction::PinTo(3)),
        ("more", "topic:(topic-2, topic-3)", RuleAction::Boost(0.3)),
        ("less", "creator:(creator-1, creator-2)", RuleAction::Cap(2)),
    ]
    .map(|(name, filter, action)| {
        let (name, filter) = (name.to_owned(), filter.to_owned());
        RuleParams { name, surfaces: Vec::new(), filter, action }
    })
    .to_vec();
    params
}

/// A catalogue with vectors.
fn views() -> Result<Views> {
    let (base, _) = mixture(PINS)?;
    let mut rng = Rng::new(3);
    let mut facts = Vec::new();
    for pin in 0..PINS {
        let id = pin.to_string();
        let topics = (0..1 + rng.below(3)).map(|_| format!("topic-{}", rng.below(TOPICS))).collect();
        facts.push(Fact::Understood(Understood {
            pin: id.clone(),
            space: 1,
            embedding: base.row(pin).to_vec(),
            ..Understood::default()
        }));
        facts.push(Fact::Pin(Pin {
            id,
            topics,
            creator: Some(format!("creator-{}", rng.below(CREATORS))),
            created_ms: NOW_MS - u64::from(rng.below(100)) * DAY_MS,
            ..Pin::default()
        }));
    }
    let views = Views::new()?;
    let told: Vec<_> = (0u64..).zip(facts).map(|(at, fact)| (at, EventId(at.into()), fact)).collect();
    views.apply(TopicKind::Catalogue, &told);
    Ok(views)
}

/// Pins around a few interests, best first: utilities are normal, and each pin has one to three sources.
fn candidates(views: &Views, count: usize, rng: &mut Rng) -> Result<Candidates> {
    let content = views.content();
    let mut pins: Vec<PinId> = Vec::new();
    for _ in 0..INTERESTS {
        let around = content.vector(PinId(rng.below(PINS as u32))).unwrap_or_default();
        let found = content.search(content.space(), &around, &Want::best(count / INTERESTS))?;
        pins.extend(found.pins.iter().map(|(pin, _)| *pin));
    }
    pins.extend((0..2 * count).map(|_| PinId(rng.below(PINS as u32))));
    let mut known = std::collections::HashSet::new();
    pins.retain(|pin| known.insert(*pin));
    pins.truncate(count);
    rng.shuffle(&mut pins);
    let mut utility: Vec<f32> = pins.iter().map(|_| rng.normal()).collect();
    utility.sort_by(|a, b| b.total_cmp(a));
    let mut candidates = Candidates::default();
    for (rank, (pin, utility)) in pins.into_iter().zip(utility).enumerate() {
        let row = candidates.push(pin);
        candidates.utility[row] = utility;
        for _ in 0..1 + rng.below(3) {
            candidates.offer(row, Source::ALL[rng.below(Source::ALL.len() as u32) as usize], 1.0, rank);
        }
    }
    Ok(candidates)
}

/// CPU time (µs) of sliding spectrum decomposition by itself.
fn alone_us(views: &Views, candidates: &Candidates, params: &Params, places: usize) -> f64 {
    let content = views.content();
    let mut vectors = vec![0.0; candidates.len() * content.dim()];
    for (into, &pin) in vectors.chunks_exact_mut(content.dim()).zip(&candidates.pins) {
        content.read(pin, into);
    }
    let since = thread_cpu_s();
    let slate = ssd(&candidates.utility, &vectors, content.dim(), 1.0, params.diversity.ssd_window, places);
    let us = (thread_cpu_s() - since) * 1e6;
    assert_eq!(slate.len(), places, "invariant: there are candidates for every place");
    us
}

/// CPU time (µs) of the whole blend.
fn whole_us(blending: &Blending) -> f64 {
    let since = thread_cpu_s();
    let slate = blending.run();
    let us = (thread_cpu_s() - since) * 1e6;
    assert!(!slate.is_empty(), "invariant: there are candidates");
    us
}

fn request(seed: u64) -> Request {
    Request { request_id: EventId(1), limit: 25, ..Request::new(Surface::Home, NOW_MS, seed) }
}
