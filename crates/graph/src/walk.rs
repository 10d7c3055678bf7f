//! Random walks with many starts (Pixie).

use crate::Graph;
use crate::direction::Direction;
use crate::excluded::Excluded;
use crate::groups::{Preference, Preferred};
use crate::scratch::WalkScratch;
use crate::steps::{Plan, Rules, Share, Walks, of_all};
use domain::{BoardId, PinId, WalkParams};

/// Most steps of one call, whatever the settings say.
const STEPS_MAX: u32 = 1 << 24;
/// After how many sixteenths of the steps it is looked whether to stop. A look sorts what was walked so far, and fewer
/// steps than half keep too few of the best pins.
const LOOKS: [u64; 3] = [8, 12, PARTS];
const PARTS: u64 = 16;

/// What finds most held-out saves (`bench/results/walks-quality.md`): see [`WalkConfig::boost`].
const BOOST: f32 = 0.7;

/// A pin that walks start from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// The pin.
    pub pin: PinId,
    /// Its share of the steps, before its degree counts; starts that weigh nothing are left out.
    pub weight: f32,
}

/// How a start's share of the steps grows with its degree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// `degree · (1 + ln max_degree − ln degree)`: a little less than linear, as rare starts are worth it.
    SubLinear,
    /// `degree` to this power: 1 is what the paper's formula comes to, 0 treats all starts alike.
    Power(f32),
}

/// Settings of a walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkConfig {
    /// Steps over all starts, at most 2²⁴.
    pub steps_max: u32,
    /// Chance that a walk goes on after a step.
    pub continue_chance: f32,
    /// Stop, from half of the steps on, when this many pins have `stop_visits` visits; 0 walks all steps.
    pub stop_pins: u32,
    /// See `stop_pins`.
    pub stop_visits: u32,
    /// Scores are divided by `1 + degree / 10` to this power; 0 leaves them.
    pub popularity_discount: f32,
    /// How pins that many starts lead to are raised: scores are `(Σ visits^boost)^(1/boost)` over the starts. 1 adds
    /// visits up, 0.5 is the paper's `(Σ √visits)²`; from 0.1 to 1.
    pub boost: f32,
    /// How steps are shared out.
    pub budget: Budget,
    /// Seed of all draws.
    pub seed: u64,
}

impl WalkConfig {
    /// The settings in `params` with boost and a sub-linear budget.
    pub fn new(params: &WalkParams, seed: u64) -> WalkConfig {
        WalkConfig {
            steps_max: params.steps_max,
            continue_chance: params.continue_chance,
            stop_pins: params.stop_pins,
            stop_visits: params.stop_visits,
            popularity_discount: params.popularity_discount,
            boost: BOOST,
            budget: Budget::SubLinear,
            seed,
        }
    }
}

/// Where the walks came by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walked {
    /// Visited pins and their scores, best first, ties by id; without the starts.
    pub pins: Vec<(PinId, f32)>,
    /// Steps taken.
    pub steps: u32,
    /// Whether enough pins were visited often enough before the steps ran out.
    pub stopped_early: bool,
}

/// Walks from `starts` and gives the `k` best pins. `excluded` boards are never stepped onto: the pinner's own, since
/// what lies on them is known.
pub fn walk(graph: &Graph, starts: &[Start], excluded: &[BoardId], config: &WalkConfig, k: usize) -> Walked {
    walk_with(&mut WalkScratch::default(), graph, starts, excluded, config, k)
}

/// [`walk`] with memory that is used again.
pub fn walk_with(
    scratch: &mut WalkScratch,
    graph: &Graph,
    starts: &[Start],
    excluded: &[BoardId],
    config: &WalkConfig,
    k: usize,
) -> Walked {
    walk_any(scratch, graph, starts, excluded, config, [None, None], k)
}

/// [`walk_with`], stepping to neighbours of a preferred group where there are some.
pub fn walk_preferring(
    scratch: &mut WalkScratch,
    graph: &Graph,
    starts: &[Start],
    excluded: &[BoardId],
    config: &WalkConfig,
    preference: &Preference<'_>,
    k: usize,
) -> Walked {
    walk_any(scratch, graph, starts, excluded, config, preference.both(), k)
}

fn walk_any(
    scratch: &mut WalkScratch,
    graph: &Graph,
    starts: &[Start],
    excluded: &[BoardId],
    config: &WalkConfig,
    [boards, pins]: [Option<Preferred<'_>>; 2],
    k: usize,
) -> Walked {
    scratch.excluded.fill(excluded.iter().map(|board| graph.base.boards.place(board.0)));
    let shares = shares(graph, starts, &scratch.excluded, config);
    let to_boards = graph.to_boards().preferring(boards);
    let to_pins = graph.to_pins().preferring(pins);
    scratch.log.open(graph.pins(), shares.len(), shares.iter().map(|share| share.steps as usize).sum());
    let stopped_early = step_all(scratch, [to_boards, to_pins], &shares, config);
    let steps = scratch.log.len() as u32;
    let pins = scratch.best(graph, &shares, config, k);
    Walked { pins, steps, stopped_early }
}

/// Takes each start's steps, part by part, and logs them. Whether they stopped early: a walk that may not
/// takes the same steps and then more.
fn step_all(
    scratch: &mut WalkScratch,
    [to_boards, to_pins]: [Direction<'_>; 2],
    shares: &[Share],
    config: &WalkConfig,
) -> bool {
    let WalkScratch { log, excluded, .. } = scratch;
    let rules =
        Rules { to_boards, to_pins, excluded, shares, go_on: of_all(config.continue_chance), seed: config.seed };
    let mut walks = Walks::new(rules);
    let mut done = 0;
    for until in LOOKS {
        walks.run(&Plan::part(shares, [done, until], PARTS), |pin, share| log.note(pin, share));
        done = until;
        if config.stop_pins > 0 && until < PARTS {
            log.sort();
            if log.has(config.stop_pins, config.stop_visits, shares.iter().map(|share| share.place)) {
                return true;
            }
        }
    }
    false
}

/// How many steps each start gets: those that weigh something and that lead somewhere, by id.
fn shares(graph: &Graph, starts: &[Start], excluded: &Excluded, config: &WalkConfig) -> Vec<Share> {
    let weighs = |start: &&Start| start.weight > 0.0 && start.weight.is_finite();
    let mut wanted: Vec<(u32, f64)> =
        starts.iter().filter(weighs).map(|start| (start.pin.0, f64::from(start.weight))).collect();
    let to_boards = graph.to_boards();
    let place = |pin: u32| graph.base.pins.place(pin);
    wanted.retain(|&(pin, _)| to_boards.list(place(pin)).any(|board| !excluded.has(board)));
    for (pin, weight) in &mut wanted {
        *weight *= config.budget.of(f64::from(graph.degree(PinId(*pin))), f64::from(graph.degree_max()));
    }
    wanted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = wanted.iter().map(|(_, weight)| weight).sum();
    let steps = f64::from(config.steps_max.min(STEPS_MAX));
    let (mut sum, mut before) = (0.0, 0);
    let mut shares: Vec<Share> = Vec::with_capacity(wanted.len());
    for (pin, weight) in wanted {
        sum += weight;
        let until = (steps * (sum / total).min(1.0)).round() as u32;
        match shares.last_mut() {
            Some(last) if last.pin == pin => last.steps += until - before,
            _ => shares.push(Share { pin, place: place(pin), steps: until - before }),
        }
        before = until;
    }
    shares
}

impl Budget {
    fn of(self, degree: f64, degree_max: f64) -> f64 {
        match self {
            Budget::SubLinear => degree * (1.0 + degree_max.ln() - degree.ln()),
            Budget::Power(power) => degree.powf(power.into()),
        }
    }
}
