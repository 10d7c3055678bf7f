//! How good the demo's model is: against popularity, and against what was planted.

use super::plan::Plan;
use super::variety::Variety;
use crate::engine::Engine;
use crate::evaluate::{
    About, CUTOFFS, Case, Figures, PROTOCOL, SEED, later_cases, measure, popularity, request, sample,
};
use crate::learn::{Acts, Outcome};
use crate::setup::Setup;
use anyhow::Result;
use domain::{Params, PinId};
use rayon::prelude::*;
use serde_json::{Value, json};
use serving::Catalogue;
use train::{Popularity, Report};
use world::World;

/// Pinners whose slates are held against the planted taste.
const TASTED: usize = 500;
/// Pins of a slate that are looked at.
pub(super) const SLATE: usize = 20;

/// The world's truth by internal ids.
struct Truth<'a> {
    world: &'a World,
    /// Number in the world by internal id.
    pins: Vec<Option<u32>>,
    pinners: Vec<Option<u32>>,
}

impl Truth<'_> {
    fn of<'a>(world: &'a World, catalogue: &Catalogue) -> Truth<'a> {
        let pins = (0..catalogue.pins() as u32).map(|pin| world.pin_number(catalogue.pin_key(PinId(pin)))).collect();
        let key = |pinner| catalogue.pinner_key(domain::PinnerId(pinner));
        let pinners = (0..catalogue.pinners() as u32).map(|pinner| world.pinner_number(key(pinner))).collect();
        Truth { world, pins, pinners }
    }

    /// The true chance that a pinner saves a pin once they look at it.
    fn chance(&self, case: &Case, pin: PinId) -> f32 {
        let pinner = case.pinner.and_then(|pinner| *self.pinners.get(pinner.index())?);
        let pin = self.pins.get(pin.index()).copied().flatten();
        pinner.zip(pin).map_or(0.0, |(pinner, pin)| self.world.affinity(pinner, pin))
    }

    /// All pins by the true chance, best first, without those that are known.
    fn ranking(&self, case: &Case, known: &[PinId]) -> Vec<PinId> {
        let mut pins: Vec<(f32, PinId)> = (0..self.pins.len() as u32)
            .map(PinId)
            .filter(|pin| !known.contains(pin))
            .map(|pin| (self.chance(case, pin), pin))
            .collect();
        pins.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        pins.into_iter().map(|(_, pin)| pin).collect()
    }

    fn mean(&self, case: &Case, pins: &[PinId]) -> f64 {
        let first = &pins[..pins.len().min(SLATE)];
        first.iter().map(|&pin| f64::from(self.chance(case, pin))).sum::<f64>() / first.len().max(1) as f64
    }
}

/// Measures recall on what was saved after the split, and the true chance of saving what is shown.
pub(crate) fn judge(world: &World, plan: &Plan, setup: &Setup, engine: &Engine, outcome: &Outcome) -> Result<Value> {
    let (from_ms, params) = (plan.split_ms(), &setup.config.params);
    let pipeline = engine.pipeline();
    let catalogue = engine.views.catalogue();
    let acts = Acts::of(world.history().map(|(_, fact)| fact), &catalogue);
    let (cases, truth, pins) =
        (later_cases(&acts, from_ms, &catalogue), Truth::of(world, &catalogue), catalogue.pins());
    drop(catalogue);
    let rows = acts.before(from_ms).rows();
    let measured = measure(&pipeline, params, &cases, from_ms, None, &setup.stop)?;
    let protocol = format!("saves of the last three days; {PROTOCOL}");
    let about = About { protocol, model: outcome.model.version().to_owned(), single: false };
    let mut figures = Figures::new(&measured, about, outcome.seconds);
    figures.baselines.push(("popularity", popularity(&rows, &cases, pins)));
    let known = |case: &Case| case.pinner.and_then(|pinner| rows.get(pinner.index())).cloned().unwrap_or_default();
    let oracle = oracle(&truth, &cases, &known, pins);
    figures.baselines.push(("planted truth", oracle.summary(SEED)));

    let popular = Popularity::fit(&rows, pins);
    let tasted = sample(cases, Some(TASTED), SEED);
    let means = tasted.par_iter().map(|case| {
        let known = known(case);
        let best = truth.ranking(case, &known);
        [truth.mean(case, &popular.rank(&known, SLATE)), truth.mean(case, &best), truth.mean_of_all(case)]
    });
    let sums = means.reduce(|| [0.0; 3], |a, b| std::array::from_fn(|at| a[at] + b[at]));
    let [popular, best, random] = sums.map(|sum| sum / tasted.len().max(1) as f64);
    let show = |params: &Params| {
        let shown = tasted.par_iter().map(|case| {
            let slate = pipeline.rank_now(request(case, params, from_ms), params);
            let slate: Vec<PinId> = slate.items.iter().map(|item| item.pin).collect();
            (truth.mean(case, &slate), Variety::of(&engine.views, &slate))
        });
        let (sum, variety) = shown.reduce(Default::default, |a, b| (a.0 + b.0, a.1.plus(b.1)));
        (sum / tasted.len().max(1) as f64, variety.json())
    };
    let (served, varied) = show(&params.clone().for_evaluation());
    let (by_utility, plain) = show(&params.clone().for_evaluation().without_variety());
    if !setup.json {
        figures.print(false);
    }
    let neighbours = |variety: &Value| variety["same_topic_neighbours"].as_f64().unwrap_or_default();
    let words = format!(
        "true chance that a shown pin is saved: {served:.3} served, {popular:.3} popularity, {random:.3} at random, \
         {best:.3} by somebody who knows every taste; of {SLATE} pins {:.1} share a topic with the one before, {:.1} \
         by utility alone ({by_utility:.3})",
        neighbours(&varied),
        neighbours(&plain),
    );
    let mut value = figures.json();
    value["taste"] = json!({
        "served": served, "by_utility": by_utility, "popularity": popular, "random": random, "planted": best,
    });
    value["variety"] = json!({ "served": varied, "by_utility": plain });
    value["words"] = json!(words);
    Ok(value)
}

impl Truth<'_> {
    fn mean_of_all(&self, case: &Case) -> f64 {
        let pins = (0..self.pins.len() as u32).map(PinId);
        pins.map(|pin| f64::from(self.chance(case, pin))).sum::<f64>() / self.pins.len().max(1) as f64
    }
}

fn oracle(truth: &Truth, cases: &[Case], known: &(dyn Fn(&Case) -> Vec<PinId> + Sync), pins: usize) -> Report {
    let part = |cases: &[Case]| {
        let mut part = Report::new(&CUTOFFS, pins);
        cases.iter().for_each(|case| part.add(&truth.ranking(case, &known(case)), &case.right));
        part
    };
    let parts: Vec<Report> = cases.par_chunks(64).map(part).collect();
    let mut whole = Report::new(&CUTOFFS, pins);
    parts.iter().for_each(|part| whole.merge(part));
    whole
}
