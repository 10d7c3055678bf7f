//! The views and the acts as a training set.

use super::acts::Acts;
use super::shown::WasShown;
use anyhow::Result;
use domain::{PinId, PinnerId};
use rayon::prelude::*;
use serving::Views;
use train::{Dataset, History};

/// Everything that a model is learned from: what was done and what was shown before a moment (ms, UTC).
/// `neighbours_max` are looked up per pin.
pub(crate) fn dataset(
    views: &Views,
    acts: &Acts,
    mut was_shown: WasShown,
    before_ms: u64,
    neighbours_max: usize,
) -> Result<Dataset> {
    let pins = views.catalogue().pins();
    let (content, content_dim, content_space) = content(views, pins);
    let pin = |number: usize| PinId(number as u32);
    let neighbours = (0..pins).into_par_iter().map(|number| views.neighbours(pin(number), neighbours_max)).collect();
    let catalogue = views.catalogue();
    let topics = (0..pins).map(|number| catalogue.pin_topics(pin(number)).into()).collect();
    let histories = (0u32..)
        .zip(&acts.by_pinner)
        .map(|(pinner, acts)| (pinner, &acts[..acts.partition_point(|act| act.ts_ms < before_ms)]))
        .filter(|(_, acts)| acts.iter().any(|act| act.action.is_positive()))
        .map(|(pinner, acts)| {
            let pinner = PinnerId(pinner);
            let mut shown = was_shown.by_pinner.remove(&pinner).unwrap_or_default();
            shown.retain(|shown| shown.ts_ms < before_ms);
            History { pinner, acts: acts.to_vec(), shown }
        })
        .collect();
    let known_from_ms = was_shown.known_from_ms;
    Ok(Dataset { pins, content_dim, content_space, content, neighbours, topics, histories, known_from_ms })
}

/// Content vectors of all pins as one matrix, its width and its space; zeros for pins without.
fn content(views: &Views, pins: usize) -> (Vec<f32>, usize, u32) {
    let index = views.content();
    let dim = if index.is_empty() { 0 } else { index.dim() };
    let mut matrix = vec![0.0; pins * dim];
    if dim > 0 {
        for (number, row) in (0u32..).zip(matrix.chunks_exact_mut(dim)) {
            if let Some(vector) = index.vector(PinId(number)).filter(|vector| vector.len() == dim) {
                row.copy_from_slice(&vector);
            }
        }
    }
    (matrix, dim, index.space())
}
