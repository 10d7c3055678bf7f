//! What the sequence model is worth to the ranking head: without it, with its score, with what the trunk says of each
//! candidate beside the history, and that of a trunk which is not told what was done.

use super::measure::{Claim, interval};
use super::tables::Table;
use super::{Args, trained};
use crate::engine::{Reading, views_before};
use crate::evaluate::SEED;
use crate::lake_roll::open_rolled;
use crate::learn::{Acts, Recorded, Task, WasShown, dataset, read_acts, said, shown_rows};
use crate::moment::readable;
use crate::setup::{Setup, now_ms};
use ::train::{ChanceFigures, Device, Judged, RankRows, Said, TrainConfig, auc, fit_ranker};
use anyhow::{Context, Result};
use domain::{Action, HEAD_COUNT, HEADS};
use lake::Lake;
use models::{FEATURE_COUNT, Model, RankInput, RankScratch, RankTraits, feature};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// With fewer impressions there is no such table.
const IMPRESSIONS_MIN: usize = 10_000;
/// The newest fifth of the impressions is judged; the fifth before it is what the trunk says something about and the
/// head learns from, beside older ones of which the trunk says nothing, since it learned what came of them.
const JUDGED: f64 = 0.2;
const SEEN: f64 = 0.4;
/// Heads that are told of: those that happen.
const TOLD: [Action; 3] = [Action::Closeup, Action::LongClick, Action::Save];

/// What the head reads of the sequence model.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Nothing,
    Score,
    Trunk,
}

const VARIANTS: [(&str, Reads, bool); 4] = [
    ("no sequence", Reads::Nothing, true),
    ("late fusion", Reads::Score, true),
    ("early fusion, no actions", Reads::Trunk, false),
    ("early fusion", Reads::Trunk, true),
];

/// Where the impressions are parted (ms, UTC).
struct Moments {
    seen_ms: u64,
    judged_ms: u64,
}

/// What a ranking head said of the judged rows, per told head.
type ByHead = [Judged; TOLD.len()];

/// The table's figures.
pub(super) fn figures(args: &Args, setup: &Setup) -> Result<Value> {
    let data = Reading::open(setup)?;
    let lake = open_rolled(setup, &data)?;
    let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    let was_shown = || WasShown::before(&task(setup, &data, &setup.config.train), &lake);
    let known = was_shown()?;
    let parted = known.newest_ms(SEEN, IMPRESSIONS_MIN).zip(known.newest_ms(JUDGED, IMPRESSIONS_MIN));
    let (seen_ms, judged_ms) = parted.context("there are too few impressions for the table fusion")?;
    let moments = Moments { seen_ms, judged_ms };
    let traits = said(&data.views);
    let mut found: BTreeMap<&str, ByHead> = BTreeMap::new();
    for seed in 0..args.seeds {
        for actions in [true, false] {
            let config = TrainConfig { seed: setup.config.train.seed + seed, actions, ..setup.config.train.clone() };
            let model = sequence_model((args.device, setup), &data, &acts, (was_shown()?, seen_ms), &config)?;
            let rows = rows(setup, &data, &lake, (&model, &moments), &config)?;
            for (name, reads, _) in VARIANTS.iter().filter(|(.., told)| *told == actions) {
                let judged = judged(&rows, *reads, &traits, &model, &config)?;
                add(found.entry(*name).or_default(), judged);
            }
        }
    }
    Ok(told(args, setup, &moments, &found))
}

fn task<'a>(setup: &'a Setup, data: &'a Reading, config: &'a TrainConfig) -> Task<'a> {
    Task {
        views: &data.views,
        log: data.log.as_ref(),
        params: &setup.config.params,
        config,
        device: Device::Cpu,
        checkpoint: None,
        registry: None,
        lake: None,
        now_ms: now_ms(),
        stop: &setup.stop,
    }
}

/// The sequence model of all that was before a moment.
fn sequence_model(
    (device, setup): (Device, &Setup),
    data: &Reading,
    acts: &Acts,
    (was_shown, before_ms): (WasShown, u64),
    config: &TrainConfig,
) -> Result<Model> {
    let views = views_before(data.log.as_ref(), before_ms, setup)?;
    let data = dataset(&views, acts, was_shown, before_ms, config)?;
    trained(if config.actions { "with actions" } else { "without actions" }, &data, config, (device, setup))
}

/// Rows that teach, and rows that are judged.
fn rows(
    setup: &Setup,
    data: &Reading,
    lake: &Lake,
    (model, moments): (&Model, &Moments),
    config: &TrainConfig,
) -> Result<(RankRows, RankRows)> {
    let task = task(setup, data, config);
    let mut teach = shown_rows(&task, lake, Some((moments.seen_ms, model)), &Recorded::default())?;
    let mut judged = teach.clone();
    teach.retain(|request, row| (request.ts_ms < moments.judged_ms).then_some(row.weight));
    judged.retain(|request, row| (request.ts_ms >= moments.judged_ms).then_some(row.weight));
    Ok((teach, judged))
}

/// Rows as a head sees them that reads so much of the sequence model.
fn blinded(rows: &RankRows, reads: Reads) -> RankRows {
    let mut rows = rows.clone();
    if reads != Reads::Trunk {
        (rows.encoded, rows.encoded_width) = (Vec::new(), 0);
    }
    if reads == Reads::Nothing {
        let of_model = ["dot", "lifelong_best", "lifelong_mean", "lifelong_gap"].map(feature);
        rows.features.chunks_exact_mut(FEATURE_COUNT).for_each(|row| of_model.iter().for_each(|&at| row[at] = 0.0));
    }
    rows
}

/// A head learned from rows, and what it says of others.
fn judged(
    (teach, judged): &(RankRows, RankRows),
    reads: Reads,
    traits: &Said,
    model: &Model,
    config: &TrainConfig,
) -> Result<ByHead> {
    let ranked = fit_ranker(&blinded(teach, reads), traits, model, config).context("cannot train the ranking head")?;
    let (rows, ranker) = (blinded(judged, reads), ranked.model.ranker());
    let (mut scratch, mut chances, mut all) = (RankScratch::default(), Vec::new(), ByHead::default());
    for (number, (request, range)) in (0u32..).zip(rows.by_request()) {
        let mut of = RankTraits::new(request.pinner.map_or(&[][..], |pinner| traits.pinner(pinner)).iter().copied());
        rows.pins[range.clone()].iter().for_each(|&pin| of.push(traits.pin(pin).iter().copied()));
        let width = rows.encoded_width;
        let input = RankInput {
            surface: request.surface,
            features: &rows.features[range.start * FEATURE_COUNT..range.end * FEATURE_COUNT],
            encoded: &rows.encoded[range.start * width..range.end * width],
            traits: &of,
        };
        ranker.rank(input, &mut scratch, &mut chances);
        let pinner = request.pinner.map_or(u32::MAX, |pinner| pinner.0);
        for (row, chances) in range.zip(&chances) {
            for (head, all) in heads().zip(&mut all) {
                all.push(pinner, number, rows.labels[row][head], chances[head]);
            }
        }
    }
    Ok(all)
}

/// The places of the told heads among all.
fn heads() -> impl Iterator<Item = usize> {
    (0..HEAD_COUNT).filter(|&head| TOLD.contains(&HEADS[head]))
}

/// Rows of another seed beside the ones there are, as those of other pinners' requests: figures are of all.
fn add(all: &mut ByHead, more: ByHead) {
    for (all, more) in all.iter_mut().zip(more) {
        let requests = all.requests.last().map_or(0, |last| last + 1);
        for row in 0..more.labels.len() {
            all.push(more.pinners[row], requests + more.requests[row], more.labels[row], more.chances[row]);
        }
    }
}

fn told(args: &Args, setup: &Setup, moments: &Moments, found: &BTreeMap<&str, ByHead>) -> Value {
    let names: Vec<String> = heads().map(|head| HEADS[head].to_string()).collect();
    let column = |name: &String, what: &str| format!("{what} {name}");
    let row = |(name, ..): &(&str, Reads, bool)| {
        let mut row = json!({ "variant": name, "published": null });
        for (name, judged) in names.iter().zip(found.get(name).into_iter().flatten()) {
            let ChanceFigures { auc, auc_interval, gauc, gauc_interval, .. } = judged.figures(SEED);
            (row[column(name, "AUC")], row[column(name, "GAUC")]) = (json!(auc), json!(gauc));
            row["intervals"][column(name, "AUC")] = json!(auc_interval);
            row["intervals"][column(name, "GAUC")] = json!(gauc_interval);
        }
        row
    };
    let rows: Vec<Value> = VARIANTS.iter().map(row).collect();
    let claims = Table::Fusion.order().iter().flat_map(|pair| claims(*pair, &names, found));
    let of_all = found.values().next().map_or(0, |judged| judged[0].labels.len()) as u64 / args.seeds.max(1);
    let pinners: HashSet<u32> = found.values().flat_map(|judged| judged[0].pinners.iter().copied()).collect();
    let mut figures = Map::new();
    figures.insert("bench".into(), "ablation".into());
    figures.insert("table".into(), Table::Fusion.as_str().into());
    let protocol = format!(
        "impressions from {} UTC on, features as of each; the sequence model learned from what was before {}",
        readable(moments.judged_ms),
        readable(moments.seen_ms)
    );
    figures.insert("protocol".into(), protocol.into());
    figures.insert("pinners".into(), pinners.len().into());
    figures.insert("impressions".into(), of_all.into());
    figures.insert("seeds".into(), args.seeds.into());
    figures.insert("config".into(), json!(setup.config.train));
    let columns = names.iter().flat_map(|name| [column(name, "AUC"), column(name, "GAUC")]);
    figures.insert("columns".into(), columns.collect::<Vec<_>>().into());
    figures.insert("rows".into(), rows.into());
    figures.insert("order".into(), claims.map(|claim| claim.json()).collect::<Vec<_>>().into());
    figures.into()
}

/// Whether the first is better than the second by the AUC of each told head.
fn claims((better, worse): (&str, &str), names: &[String], found: &BTreeMap<&str, ByHead>) -> Vec<Claim> {
    let (Some(a), Some(b)) = (found.get(better), found.get(worse)) else { return Vec::new() };
    let of_head = |((name, a), b): ((&String, &Judged), &Judged)| {
        let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        a.pinners.iter().enumerate().for_each(|(row, pinner)| rows.entry(*pinner).or_default().push(row));
        let rows: Arc<[Vec<usize>]> = rows.into_values().collect();
        let gain = |drawn: &[usize]| {
            let drawn: Vec<usize> = drawn.iter().flat_map(|&pinner| rows[pinner].iter().copied()).collect();
            let labels: Vec<bool> = drawn.iter().map(|&row| a.labels[row]).collect();
            let [a, b] = [a, b].map(|judged| {
                let chances: Vec<f32> = drawn.iter().map(|&row| judged.chances[row]).collect();
                auc(&labels, &chances).unwrap_or_default()
            });
            a - b
        };
        let everybody: Vec<usize> = (0..rows.len()).collect();
        Claim::of(format!("{better} > {worse}, {name}"), "AUC", gain(&everybody), interval(rows.len(), gain))
    };
    names.iter().zip(a).zip(b).map(of_head).collect()
}
