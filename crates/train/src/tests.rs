//! Training as a whole, on small made-up worlds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use domain::{Act, Action, BoardId, HEAD_COUNT, PinId, PinnerId, Rng, Surface};
use models::{
    Condition, FEATURE_COUNT, Model, ModelConfig, PinInput, RankInput, RankScratch, RankTraits, Reach, Scratch,
    SubjectKind, feature, tokens,
};

use crate::validation_recall;
use crate::{
    Dataset, Device, History, POSITION_UNKNOWN, Progress, RankRequest, RankRow, RankRows, Session, TrainConfig,
};
use crate::{Said, TrainError, Trained, auc, fit, fit_ranker};

const TASTES: u32 = 6;
const PINS: u32 = 120;

/// Pins of six tastes; each pinner saves pins of one. Content shows the taste, with noise.
fn world(content_dim: usize, pinners: u32, with_times: bool) -> Dataset {
    let mut rng = Rng::new(5);
    let taste_of = |pin: u32| pin % TASTES;
    let tastes: Vec<Vec<f32>> = (0..TASTES).map(|_| (0..content_dim).map(|_| rng.normal()).collect()).collect();
    let mut content = Vec::new();
    for pin in 0..PINS {
        content.extend(tastes[taste_of(pin) as usize].iter().map(|value| value + 0.3 * rng.normal()));
    }
    let history = |pinner: u32, rng: &mut Rng| {
        let mut acts = Vec::new();
        for i in 0..10 + rng.below(15) {
            let pin = rng.below(PINS / TASTES) * TASTES + pinner % TASTES;
            let ts_ms = 1_000_000_000_000 + if with_times { u64::from(i) * 3_600_000 } else { 0 };
            let board = Some(BoardId(pinner));
            // The last pins are never saved: they are new.
            let pin = PinId(if pin >= PINS - TASTES { pin - TASTES } else { pin });
            acts.push(Act { pin, board, action: Action::Save, surface: Surface::Home, ts_ms, value: 0.0 });
        }
        History { pinner: PinnerId(pinner), acts, shown: Vec::new() }
    };
    let histories = (0..pinners).map(|pinner| history(pinner, &mut rng)).collect();
    Dataset {
        pins: PINS as usize,
        content_dim,
        content_space: 1,
        content,
        neighbours: vec![],
        histories,
        ..Dataset::default()
    }
}

fn config() -> TrainConfig {
    TrainConfig { dim: 16, hidden: 16, epochs: Some(6), batch: 32, neighbours_max: 4, ..TrainConfig::default() }
}

fn train(data: &Dataset, config: &TrainConfig) -> Result<Trained, TrainError> {
    train_until(data, config, Device::Cpu, None, u64::MAX)
}

/// Trains with a checkpoint and stops after `steps` steps.
fn train_until(
    data: &Dataset,
    config: &TrainConfig,
    device: Device,
    checkpoint: Option<&PathBuf>,
    steps: u64,
) -> Result<Trained, TrainError> {
    let stop = AtomicBool::new(false);
    let mut progress = |progress: &Progress| {
        assert!(progress.step <= progress.steps && progress.loss.is_finite());
        if progress.step >= steps {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let session = Session {
        device,
        checkpoint: checkpoint.map(PathBuf::as_path),
        progress: &mut progress,
        stop: &stop,
        now_ms: 7,
        version: "v1".into(),
    };
    fit(data, config, session)
}

/// The pins that the model would show a pinner after `acts`, best first.
fn shown(model: &Model, data: &Dataset, acts: &[Act], condition: &Condition) -> Vec<u32> {
    let history = tokens(acts, 256, |pin| data.content_of(pin));
    let user = model.encode(&history, condition, &mut Scratch::default()).vector;
    let mut scored: Vec<(f32, u32)> = (0..data.pins as u32)
        .map(|pin| {
            let input = PinInput { pin: PinId(pin), content: data.content_of(PinId(pin)), neighbours: &[] };
            (model.pin_vector(&input).iter().zip(&user).map(|(a, b)| a * b).sum(), pin)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, pin)| pin).collect()
}

fn of_taste(pins: &[u32], taste: u32) -> usize {
    pins.iter().filter(|pin| **pin % TASTES == taste).count()
}

#[test]
fn tastes_are_found_from_ids_alone_and_new_pins_from_content() {
    for (content_dim, with_times) in [(0, false), (8, true)] {
        let data = world(content_dim, 150, with_times);
        let trained = train(&data, &config()).expect("it trains");
        assert!(trained.card.metrics["validation/recall@20"] > 0.6, "{:?}", trained.card.metrics);
        assert_eq!(trained.held_back.len(), 15);
        let (curve, best) = (&trained.card.curve, trained.card.metrics["validation/epoch"] as usize);
        assert_eq!(curve[best - 1].recall, Some(trained.card.metrics["validation/recall@20"] as f32));
        assert!(curve.len() == 6 && curve[5].loss < curve[0].loss, "{curve:?}");
        let model = &trained.model;
        let acts = &data.histories[3].acts;
        let home = shown(model, &data, acts, &Condition::home(None, 0, Reach::Next));
        assert!(of_taste(&home[..15], 3) >= 14, "{home:?}");
        let subject = [PinId(10)];
        let related = Condition {
            surface: Surface::Related,
            kind: SubjectKind::Pin,
            pins: &subject,
            content: data.content_of(PinId(10)),
            gap: 0,
            reach: Reach::Next,
        };
        let related = shown(model, &data, &[], &related);
        assert!(of_taste(&related[..10], 4) >= 9, "{related:?}");
        if content_dim > 0 {
            let new = home.iter().position(|pin| *pin == PINS - TASTES + 3).expect("every pin is ranked");
            assert!(new < 25, "a pin that nobody saved is at {new}");
        }
    }
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let folder = std::env::temp_dir().join(format!("bowerbird-train-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("checkpoint");
    let (data, config) = (world(8, 100, true), config());
    let Trained { model, card, .. } = train(&data, &config).expect("it trains");
    let whole = model.to_bytes();
    assert_eq!(train(&data, &config).expect("it trains").model.to_bytes(), whole, "the seed decides");
    for steps in [1, 7, 9] {
        let stopped = train_until(&data, &config, Device::Cpu, Some(&path), steps);
        assert!(matches!(stopped, Err(TrainError::Stopped { .. })), "{:?}", stopped.map(|_| ()));
    }
    let other = TrainConfig { seed: 2, ..config.clone() };
    assert!(train_until(&data, &other, Device::Cpu, Some(&path), 1).is_err(), "another run does not go on from it");
    assert!(train_until(&data, &config, Device::Cpu, Some(&path), 1).is_err());
    let mut bytes = std::fs::read(&path).expect("a checkpoint");
    let continued = train_until(&data, &config, Device::Cpu, Some(&path), u64::MAX).expect("it goes on");
    assert!(continued.model.to_bytes() == whole, "the same bytes");
    assert_eq!(continued.card.curve, card.curve, "nor does the curve know of the stops");
    let again =
        train_until(&data, &config, Device::Cpu, Some(&path), 0).expect("it is finished: no step, so nothing to stop");
    assert!(again.model.to_bytes() == whole && again.card == continued.card, "the finished checkpoint says the same");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("a damaged checkpoint");
    let error = train_until(&data, &config, Device::Cpu, Some(&path), u64::MAX).expect_err("damaged").to_string();
    assert!(error.contains("damaged"), "{error}");
    std::fs::remove_dir_all(&folder).expect("gone");
}

#[test]
fn a_card_learns_along_the_same_curve() {
    let data = world(8, 150, true);
    // A card computes a step as one shard; its dropout draws what one shard draws here.
    let config = TrainConfig { shards: 1, ..config() };
    let here = train(&data, &config).expect("it trains");
    let there = match train_until(&data, &config, Device::Gpu, None, u64::MAX) {
        Err(TrainError::Device(why)) => return eprintln!("skipped: {why}"),
        trained => trained.expect("it trains"),
    };
    for (here, there) in here.card.curve.iter().zip(&there.card.curve) {
        assert!((here.loss - there.loss).abs() < 2e-3 * here.loss, "{} here, {} on the card", here.loss, there.loss);
    }
    let [here, there] = [here, there].map(|trained| trained.card.metrics["validation/recall@20"]);
    assert!((here - there).abs() < 0.03, "{here} here, {there} on the card");
}

#[test]
fn any_model_is_measured_on_the_same_pinners() {
    let (data, config) = (world(8, 100, true), config());
    let trained = train(&data, &config).expect("it trains");
    let ours = validation_recall(&trained.model, &data, &config).expect("it fits").expect("somebody validates");
    assert_eq!(ours, trained.card.metrics["validation/recall@20"]);
    let grown = world(8, 160, true);
    let later = validation_recall(&trained.model, &grown, &config).expect("it fits").expect("somebody validates");
    assert!(later > 0.4, "{later} of {ours}");
    let nobody = TrainConfig { held_back: 0.0, ..config.clone() };
    assert_eq!(validation_recall(&trained.model, &data, &nobody).expect("it fits"), None);
    let error = validation_recall(&trained.model, &world(0, 100, true), &config).expect_err("another space");
    assert!(error.to_string().contains("the model reads 8 of space 1"), "{error}");
}

#[test]
fn a_large_catalogue_is_sampled() {
    let config = TrainConfig { candidates_max: 60, epochs: Some(8), ..config() };
    let trained = train(&world(0, 150, false), &config).expect("it trains");
    assert!(trained.card.metrics["validation/recall@20"] > 0.5, "{:?}", trained.card.metrics);
}

#[test]
fn wrong_data_is_an_error() {
    let said = |data: &Dataset, config: &TrainConfig| train(data, config).map(|_| ()).expect_err("wrong").to_string();
    let good = world(8, 20, false);
    assert!(said(&Dataset::default(), &config()).contains("too little"));
    assert!(said(&Dataset { pins: 10, ..good.clone() }, &config()).contains("content values for 10 pins"));
    let mut bad = good.clone();
    bad.histories[0].acts[0].pin = PinId(5_000);
    assert!(said(&bad, &config()).contains("pin 5000"));
    let mut bad = good.clone();
    bad.content[3] = f32::NAN;
    assert!(said(&bad, &config()).contains("not a finite number"));
    assert!(said(&good, &TrainConfig { dim: 7, ..config() }).contains("dim is 7"));
    assert!(said(&good, &TrainConfig { batch: 0, ..config() }).contains("batch is 0"));
}

/// Requests in which saves follow `dot`, close-ups follow `walk`, nothing is shared, and hides are too few.
fn rank_rows(requests: u32) -> RankRows {
    let mut rng = Rng::new(9);
    let mut rows = RankRows::of_width(2 * ModelConfig::default().dim);
    for request in 0..requests {
        for _ in 0..40 + rng.below(20) {
            let mut features = [0.0; FEATURE_COUNT];
            features[..20].iter_mut().for_each(|value| *value = rng.normal());
            features[feature("home")] = 1.0;
            features[feature("text")] = if rng.below(50) == 0 { f32::NAN } else { 0.0 };
            let chance = |z: f32| 1.0 / (1.0 + (-z).exp());
            let mut labels = [false; HEAD_COUNT];
            labels[0] = rng.uniform() < chance(2.0 * features[feature("dot")] - 3.0);
            labels[1] = rng.uniform() < chance(features[feature("walk")].powi(2) - 2.0);
            labels[5] = request == 3 && rng.below(20) == 0;
            let asked = RankRequest { pinner: None, surface: Surface::Home, ts_ms: u64::from(request), shown: true };
            let (pin, look_ms, position) = (PinId(0), f32::NAN, POSITION_UNKNOWN);
            let row = RankRow { pin, features: &features, encoded: &[], labels, look_ms, position, weight: 1.0 };
            rows.push(asked, row);
        }
    }
    rows
}

fn seen<'a>(features: &'a [f32], traits: &'a RankTraits) -> RankInput<'a> {
    RankInput { surface: Surface::Home, features, encoded: &[], traits }
}

#[test]
fn the_ranking_head_learns_and_is_calibrated() {
    let rows = rank_rows(300);
    let model = Model::untrained(ModelConfig::default(), 1).expect("a model");
    let found = fit_ranker(&rows, &Said::default(), &model, &TrainConfig::default()).expect("it learns");
    let metrics = &found.metrics;
    assert!(metrics["ranker/save/auc"] > 0.85 && metrics["ranker/closeup/auc"] > 0.65, "{metrics:?}");
    for head in ["save", "closeup"] {
        assert!((metrics[&format!("ranker/{head}/calibration")] - 1.0).abs() < 0.15, "{metrics:?}");
    }
    assert!(found.model.has_ranker() && !metrics.contains_key("ranker/hide/auc"));
    let mut chances = Vec::new();
    let ranker = found.model.ranker();
    ranker.rank(seen(&rows.features, &RankTraits::default()), &mut RankScratch::default(), &mut chances);
    assert!(chances.iter().flatten().all(|chance| (0.0..=1.0).contains(chance)));
    let shares: BTreeSet<u32> = chances.iter().map(|row| row[4].to_bits()).collect();
    assert_eq!(shares.len(), 1, "a head without positives says the same of everything");
    let first: Vec<f32> = rows
        .features
        .chunks_exact(FEATURE_COUNT)
        .map(|row| ranker.l1(&row.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect::<Vec<_>>()))
        .collect();
    let saves: Vec<bool> = rows.labels.iter().map(|row| row[0]).collect();
    assert!(auc(&saves, &first).expect("both classes") > 0.85);
    let again = fit_ranker(&rows, &Said::default(), &model, &TrainConfig::default()).expect("it learns");
    assert!(again.model.to_bytes() == found.model.to_bytes(), "the seed decides");
    assert_eq!(Model::from_bytes(&found.model.to_bytes()).expect("its own bytes"), found.model);
}

#[test]
fn a_ranking_head_without_teaching_stays_the_prior() {
    let model = Model::untrained(ModelConfig::default(), 1).expect("a model");
    let found =
        fit_ranker(&RankRows::default(), &Said::default(), &model, &TrainConfig::default()).expect("nothing to learn");
    assert!(!found.model.has_ranker());
    let few = fit_ranker(&rank_rows(8), &Said::default(), &model, &TrainConfig::default()).expect("little to learn");
    let mut chances = Vec::new();
    few.model.ranker().rank(
        seen(&[0.0; FEATURE_COUNT], &RankTraits::default()),
        &mut RankScratch::default(),
        &mut chances,
    );
    assert!(chances[0].iter().all(|chance| chance.is_finite()));
    let torn = RankRows { features: vec![0.0; 3], ..rank_rows(1) };
    assert!(fit_ranker(&torn, &Said::default(), &model, &TrainConfig::default()).is_err());
}
