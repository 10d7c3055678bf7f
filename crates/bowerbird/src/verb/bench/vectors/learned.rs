//! Vectors as they were learned: those of a data directory.

use super::exchange::Rows;
use crate::engine::Reading;
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, ensure};
use domain::{PinnerId, Request, Rng, Surface, hash64};
use index::VectorIndex;

/// The pins as the live model places them; the queries are the vectors that it makes of pinners.
pub(super) fn of_model(setup: &Setup, queries: usize, seed: u64) -> Result<(Rows, Rows)> {
    let reading = Reading::open(setup)?;
    reading.install_live()?.context("there is no live model (run `bowerbird train` first)")?;
    let installed = reading.views.installed().context("there is no live model")?;
    let base = rows(&installed.vectors());
    let mut pinners: Vec<u32> = (0..reading.views.catalogue().pinners() as u32).collect();
    Rng::new(hash64(seed ^ 5)).shuffle(&mut pinners);
    let (pipeline, params) = (reading.pipeline(), setup.config.params.clone());
    let vector = |pinner: u32| pipeline.user_vector(request(PinnerId(pinner), seed), &params);
    let known = pinners.into_iter().map(vector).filter(|vector| vector.iter().any(|&x| x != 0.0));
    let values: Vec<f32> = known.take(queries).flatten().collect();
    ensure!(!values.is_empty(), "the model knows no pinner");
    let dim = base.dim;
    Ok((base, Rows { dim, values }))
}

/// The pins as the content pipeline places them; the queries are pins that were taken out.
pub(super) fn of_content(setup: &Setup, queries: usize, seed: u64) -> Result<(Rows, Rows)> {
    let all = rows(&Reading::open(setup)?.views.content());
    let mut order: Vec<u32> = (0..all.rows() as u32).collect();
    Rng::new(hash64(seed ^ 5)).shuffle(&mut order);
    ensure!(order.len() > queries, "only {} pins have a content vector", order.len());
    let take = |rows: &[u32]| {
        let values = rows.iter().flat_map(|&row| all.row(row as usize)).copied().collect();
        Rows { dim: all.dim, values }
    };
    Ok((take(&order[queries..]), take(&order[..queries])))
}

fn rows(index: &VectorIndex) -> Rows {
    let values = index.pins().filter_map(|pin| index.vector(pin)).flatten().collect();
    Rows { dim: index.dim(), values }
}

fn request(pinner: PinnerId, seed: u64) -> Request {
    let now_ms = now_ms();
    Request { pinner: Some(pinner), limit: 1, ..Request::new(Surface::Home, now_ms, seed) }
}
