//! `bowerbird bench rank`: the second pass by itself, on one core.

use super::clock::{Clock, quantile};
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Result, bail};
use domain::{Action, PinId, Rng, Surface};
use models::{
    CandidatePins, CandidateScratch, Condition, FEATURE_COUNT, Model, ModelConfig, RankInput, RankScratch, RankTraits,
    Ranker, Reach, Scratch, Token,
};
use serde_json::json;

/// Traits of a pinner and of a pin.
const TRAITS: (u64, u64) = (20, 6);
/// Rankings before anything is measured.
const WARM_UP: usize = 10;
/// Pins that candidates are drawn from.
const PINS: u32 = 100_000;

/// Ranks candidates for one pinner: the history through the trunk once, every candidate beside it, then the ranking
/// head.
///
/// Weights are drawn: what is computed does not depend on them. The model has the shape that the configuration trains.
/// Seconds are of the processor, of one thread. `bench/peers/learning rank` does the same in PyTorch.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pins that are ranked.
    #[arg(long, default_value_t = 1_000)]
    candidates: usize,
    /// Acts of the pinner.
    #[arg(long, default_value_t = 256)]
    history: usize,
    /// Rankings that are measured.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Seed of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if !(1..=100_000).contains(&args.candidates) || !(1..=100_000).contains(&args.rounds) || args.history > 1_024 {
        bail!("--candidates and --rounds must be 1 to 100000, --history at most 1024");
    }
    let train = &setup.config.train;
    let shape = ModelConfig {
        dim: train.dim,
        layers: train.layers,
        heads: train.heads,
        hidden: train.hidden,
        history_max: args.history.max(1),
        id_rows: 1 << 18,
        ..ModelConfig::default()
    };
    let task = Task::new(args, shape.clone())?;
    let mut rooms = Rooms::default();
    (0..WARM_UP).for_each(|_| _ = task.rank(&mut rooms));
    let mut parts: [Vec<f64>; 4] = Default::default();
    for _ in 0..args.rounds {
        setup.stop.check()?;
        let took = task.rank(&mut rooms);
        parts.iter_mut().zip([took.iter().sum(), took[0], took[1], took[2]]).for_each(|(all, ms)| all.push(ms));
    }
    parts.iter_mut().for_each(|all| all.sort_by(f64::total_cmp));
    let [all, history, candidates, head] = &parts;
    if setup.json {
        print_json(&json!({
            "bench": "rank",
            "candidates": args.candidates,
            "history": args.history,
            "shape": shape,
            "rounds": args.rounds,
            "cpu_ms_p50": quantile(all, 0.5),
            "cpu_ms_p99": quantile(all, 0.99),
            "parts_cpu_ms_p50": {
                "history": quantile(history, 0.5),
                "candidates": quantile(candidates, 0.5),
                "head": quantile(head, 0.5),
            },
        }));
        return Ok(());
    }
    let [p50, p99] = [0.5, 0.99].map(|part| quantile(all, part));
    println!("{} candidates with a history of {}: {p50:.2} ms, p99 {p99:.2} ms", args.candidates, args.history);
    let [history, candidates, head] = [history, candidates, head].map(|part| quantile(part, 0.5));
    println!("  history {history:.2} ms, candidates through the trunk {candidates:.2} ms, ranking head {head:.2} ms");
    Ok(())
}

/// A request with its candidates.
struct Task {
    model: Model,
    history: Vec<(PinId, Vec<f32>)>,
    pins: Vec<PinId>,
    content: Vec<f32>,
    features: Vec<f32>,
    traits: RankTraits,
}

/// Room to rank in.
#[derive(Default)]
struct Rooms {
    trunk: Scratch,
    candidates: CandidateScratch,
    encoded: Vec<f32>,
    rank: RankScratch,
    heads: Vec<[f32; domain::HEAD_COUNT]>,
}

impl Task {
    fn new(args: &Args, shape: ModelConfig) -> Result<Task> {
        let mut rng = Rng::new(args.seed);
        let mut model = Model::untrained(shape.clone(), args.seed)?;
        let (weights, ids) = model.parts_mut();
        for matrix in weights.matrices_mut() {
            let scale = 1.0 / (matrix.rows.max(1) as f32).sqrt();
            matrix.values.iter_mut().for_each(|value| *value = scale * rng.normal());
        }
        (0..PINS).for_each(|pin| ids.know(PinId(pin)));
        ids.rows_mut().values.iter_mut().for_each(|value| *value = 0.1 * rng.normal());
        let mut ranker = Ranker::blank(2 * shape.dim, args.seed);
        ranker.matrices_mut().iter_mut().flat_map(|matrix| &mut matrix.values).for_each(|x| *x = 0.1 * rng.normal());
        let knots = ranker.part_mut(models::RankPart::Knots);
        let width = knots.cols;
        knots.values.chunks_exact_mut(width).for_each(|knots| knots.sort_by(f32::total_cmp));
        let model = model.with_ranker(ranker)?;
        let vector = |rng: &mut Rng| (0..shape.content_dim).map(|_| rng.normal()).collect::<Vec<f32>>();
        let history = (0..args.history).map(|_| (PinId(rng.below(PINS)), vector(&mut rng))).collect();
        let pins: Vec<PinId> = (0..args.candidates).map(|_| PinId(rng.below(PINS))).collect();
        let content = pins.iter().flat_map(|_| vector(&mut rng)).collect();
        let features = (0..args.candidates * FEATURE_COUNT).map(|_| rng.normal()).collect();
        let mut traits = RankTraits::new(0..TRAITS.0);
        pins.iter().for_each(|pin| traits.push((0..TRAITS.1).map(|key| u64::from(pin.0) * TRAITS.1 + key)));
        Ok(Task { model, history, pins, content, features, traits })
    }

    /// Milliseconds of the processor: history, candidates, head.
    fn rank(&self, rooms: &mut Rooms) -> [f64; 3] {
        let clock = Clock::start();
        let tokens: Vec<Token> = self
            .history
            .iter()
            .map(|(pin, content)| {
                let (action, surface) = (Action::Save, Surface::Home);
                Token { pin: *pin, content, action, surface, dwell: 2, gap: 3 }
            })
            .collect();
        let state = self.model.encode_for_candidates(&tokens, &Condition::home(None, 3, Reach::Next), &mut rooms.trunk);
        let history = clock.cpu_s();
        let pins = CandidatePins { pins: &self.pins, content: &self.content };
        self.model.encode_candidates(&state, pins, &mut rooms.candidates, &mut rooms.encoded);
        let candidates = clock.cpu_s();
        let (surface, traits) = (Surface::Home, &self.traits);
        let input = RankInput { surface, features: &self.features, encoded: &rooms.encoded, traits };
        self.model.ranker().rank(input, &mut rooms.rank, &mut rooms.heads);
        std::hint::black_box(&rooms.heads);
        [history, candidates - history, clock.cpu_s() - candidates].map(|seconds| 1e3 * seconds)
    }
}
