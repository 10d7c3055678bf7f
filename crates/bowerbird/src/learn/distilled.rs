//! The first pass of a new model, distilled from its second on candidates of the funnel.

use super::acts::Acts;
use super::training::Task;
use crate::engine::cores;
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{EventId, PinnerId, Request, Rng, Surface, hash64};
use models::{Model, ModelCard};
use rayon::prelude::*;
use serving::Pipeline;
use std::sync::Arc;
use train::{FunnelRequest, distil_first_pass};

/// Home feeds that are asked for.
const REQUESTS: usize = 200;

/// Asks the views, which hold the model, for home feeds of pinners, and gives the model with the first pass that keeps
/// most of what its second pass thinks best. What is found goes into the card.
pub(super) fn distilled(task: &Task, acts: &Acts, model: Arc<Model>, card: &mut ModelCard) -> Result<Arc<Model>> {
    if !model.has_ranker() {
        return Ok(model);
    }
    let mut pinners: Vec<u32> =
        (0u32..).zip(&acts.by_pinner).filter(|(_, acts)| !acts.is_empty()).map(|(pinner, _)| pinner).collect();
    Rng::new(hash64(task.config.seed ^ 0xD157)).shuffle(&mut pinners);
    pinners.truncate(REQUESTS);
    let bar = Progress::new("distil", pinners.len() as u64);
    let (pipeline, params) = (Pipeline::new(task.views.clone(), cores()), task.params.clone().for_evaluation());
    let asked = pinners.par_iter().map(|&pinner| {
        task.stop.check()?;
        let request = Request {
            request_id: EventId::new(task.now_ms, u128::from(pinner)),
            pinner: Some(PinnerId(pinner)),
            ..Request::new(Surface::Home, task.now_ms, hash64(task.config.seed ^ u64::from(pinner)))
        };
        let found = pipeline.second_pass_now(request, &params);
        bar.add(1);
        anyhow::Ok(FunnelRequest::new(&found.features, found.utility))
    });
    let requests: Vec<FunnelRequest> = asked.collect::<Result<_>>()?;
    let Some(found) = distil_first_pass(model.ranker(), &requests, params.l1_keep_max) else {
        bar.finish("too few candidates to distil a first pass from");
        return Ok(model);
    };
    let [before, after] = found.survival;
    bar.finish(&format!(
        "of the second pass's best 50 the first keeps {:.1} %, {:.1} before",
        100.0 * after,
        100.0 * before
    ));
    card.metrics.insert("l1/survival@50".into(), before.max(after));
    card.metrics.insert("l1/survival@50/before".into(), before);
    let model = Arc::new(Model::clone(&model).with_ranker(found.ranker).context("the first pass does not fit")?);
    task.views.install_ranker(model.clone());
    Ok(model)
}
