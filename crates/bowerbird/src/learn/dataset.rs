//! The views and the acts as a training set.

use super::acts::Acts;
use super::shown::WasShown;
use anyhow::{Context, Result};
use domain::{Action, BoardId, PinId, PinnerId, hash64};
use graph::Graph;
use rayon::prelude::*;
use serving::Views;
use train::{Dataset, HeldBack, History, TrainConfig, held_back};

/// Everything that a model is learned from: what was done and what was shown before a moment (ms, UTC).
pub(crate) fn dataset(
    views: &Views,
    acts: &Acts,
    mut was_shown: WasShown,
    before_ms: u64,
    config: &TrainConfig,
) -> Result<Dataset> {
    let pins = views.catalogue().pins();
    let (content, content_dim, content_space) = content(views, pins);
    let pin = |number: usize| PinId(number as u32);
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
    let neighbours = Vec::new();
    let mut data = Dataset { pins, content_dim, content_space, content, neighbours, topics, histories, known_from_ms };
    if !data.histories.is_empty() {
        let held_back = held_back(&data, config).context("cannot train")?;
        data.neighbours = neighbours_of(&data, &held_back, catalogue.boards() as u32, config.neighbours_max);
    }
    Ok(data)
}

/// The pins that were saved together with each pin, best first, as far as the model is told: a save that is held back
/// would tell the answer to those who validate.
fn neighbours_of(data: &Dataset, held_back: &[HeldBack], boards: u32, count: usize) -> Vec<Vec<PinId>> {
    let is_held_back = |pinner: PinnerId, pin: PinId| {
        let of = held_back.binary_search_by_key(&pinner, |held| held.pinner).map(|at| &held_back[at]);
        of.is_ok_and(|held| held.later.binary_search(&pin).is_ok())
    };
    let pinners = data.histories.last().map_or(0, |history| history.pinner.0 + 1);
    let mut edges = Vec::new();
    for History { pinner, acts, .. } in &data.histories {
        let saves = acts.iter().filter(|act| act.action == Action::Save && !is_held_back(*pinner, act.pin));
        // What was saved to no board in particular lies on one of the pinner's own.
        edges.extend(saves.map(|act| (act.pin, act.board.unwrap_or(BoardId(boards + pinner.0)))));
    }
    let graph = Graph::from_edges(data.pins as u32, boards + pinners, &edges);
    let of = |pin: u32| graph::neighbours(&graph, PinId(pin), count, hash64(u64::from(pin)));
    (0..data.pins as u32).into_par_iter().map(|pin| of(pin).into_iter().map(|(pin, _)| pin).collect()).collect()
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

#[cfg(test)]
mod tests {
    use super::super::told::{START_MS, Told};
    use super::*;

    #[test]
    fn a_save_that_is_held_back_makes_no_neighbours() {
        // Four pinners with ten pins each, that nobody else saves and that lie on no board in particular.
        let save = |pin: u32| {
            let who = pin / 10;
            format!(
                "{{\"type\":\"event\",\"action\":\"save\",\"pinner\":\"{who}\",\"pin\":\"{pin}\",\"ts\":{START_MS}}}\n"
            )
        };
        let told = Told::new(&(0..40).map(save).collect::<String>());
        let of = |share: f32| {
            let config = TrainConfig { held_back: share, ..TrainConfig::default() };
            let data =
                dataset(&told.data.views, &told.acts, WasShown::default(), u64::MAX, &config).expect("a data set");
            let held_back = held_back(&data, &config).expect("whose");
            (data.neighbours, held_back)
        };
        let (neighbours, held_back) = of(0.0);
        assert!(held_back.is_empty() && neighbours.iter().all(|near| near.len() == 9));
        let (neighbours, held_back) = of(1.0);
        assert_eq!(held_back.len(), 4);
        for later in held_back.iter().map(|held| &held.later) {
            assert!(!later.is_empty() && later.iter().all(|pin| neighbours[pin.index()].is_empty()), "{neighbours:?}");
            assert!(neighbours.iter().flatten().all(|near| !later.contains(near)));
        }
    }
}
