//! The sequence model's user vector against the pin vectors, and if so wanted those of single interests beside it.

use crate::context::Context;
use crate::features::dot;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::{PinId, Source, Subject};
use index::{VectorIndex, Want};
use std::collections::HashSet;
use std::sync::Arc;

/// Learned retrieval.
#[derive(Debug, Default)]
pub(crate) struct Retrieval;

#[async_trait]
impl CandidateGenerator for Retrieval {
    fn source(&self) -> Source {
        Source::Retrieval
    }

    /// Not for words: the model has not read them, and pins that have nothing to do with them must not come.
    fn enabled(&self, context: &Context) -> bool {
        context.user().iter().any(|&x| x != 0.0) && !matches!(context.request.subject, Subject::Query(_))
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let Some(installed) = &context.installed else { return Ok(Offers::default()) };
        let k = context.reach(context.params.generators.retrieval.quota_max);
        context.views.watched.vectors.note(context.user(), k);
        let interests = interests(&context, &read(&installed.vectors));
        let space = installed.model.space();
        context.bound(|filter| {
            let vectors = read(&installed.vectors);
            let marked = context.marked(("vectors", &vectors), filter);
            let want = |k| Want { filter, marked: marked.as_deref(), ..Want::best(k) };
            let ask = |query: &[f32], k| vectors.search(space, query, &want(k));
            let found = ask(context.user(), k)?;
            if interests.is_empty() {
                return Ok(found.into());
            }
            let share = k.div_ceil(1 + interests.len());
            let mut lists = vec![found.pins];
            for query in &interests {
                lists.push(ask(query, share)?.pins);
            }
            let score = |pin| vectors.vector(pin).map_or(0.0, |vector| dot(&vector, context.user()));
            let pins = in_turn(&lists, k).into_iter().map(|pin| (pin, score(pin))).collect();
            Ok(Offers { pins, note: Some(format!("{} vectors", lists.len())) })
        })
    }
}

/// Acts that are looked at for interests, newest first.
const RECENT_MAX: usize = 64;

/// Pins at least this similar (cosine) are of one interest.
const ALIKE: f32 = 0.6;

/// Vectors of single interests of late, the strongest first: the pinner's under the condition of each of their topics;
/// where pins have no topics, leaders by similarity, of each interest the most central pin (PinnerSage: Pal et al.,
/// 2020). The same history gives the same ones.
fn interests(context: &Context, vectors: &VectorIndex) -> Vec<Vec<f32>> {
    let wanted = context.interests_max();
    match &context.state {
        Some(state) if !state.others.is_empty() => state.others.clone(),
        _ if wanted == 0 => Vec::new(),
        _ => leaders(context, vectors, wanted),
    }
}

fn leaders(context: &Context, vectors: &VectorIndex, wanted: usize) -> Vec<Vec<f32>> {
    let mut groups: Vec<Vec<Vec<f32>>> = Vec::new();
    let recent = context.history.iter().rev().take(RECENT_MAX);
    for vector in recent.filter_map(|act| vectors.vector(act.pin)) {
        let alike = groups.iter().position(|group| cosine(&group[0], &vector) >= ALIKE);
        match alike {
            Some(at) => groups[at].push(vector),
            None => groups.push(vec![vector]),
        }
    }
    // Stable: of equally strong ones the latest comes first.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups.truncate(wanted);
    groups.into_iter().filter_map(central).collect()
}

/// The vector that is most similar to all of a group.
fn central(group: Vec<Vec<f32>>) -> Option<Vec<f32>> {
    let sum = |a: &Vec<f32>| group.iter().map(|b| cosine(a, b)).sum::<f32>();
    let best = (0..group.len()).max_by(|&a, &b| sum(&group[a]).total_cmp(&sum(&group[b])).then(b.cmp(&a)))?;
    group.into_iter().nth(best)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-12)
}

/// Takes pins from each list in turn, each once, at most `k`.
fn in_turn(lists: &[Vec<(PinId, f32)>], k: usize) -> Vec<PinId> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let (mut taken, mut pins) = (HashSet::new(), Vec::with_capacity(k));
    let turns = (0..longest).flat_map(|rank| lists.iter().filter_map(move |list| list.get(rank)));
    pins.extend(turns.map(|&(pin, _)| pin).filter(|&pin| taken.insert(pin)).take(k));
    pins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_turns_and_give_each_pin_once() {
        let list = |pins: &[u32]| pins.iter().map(|&pin| (PinId(pin), 0.0)).collect::<Vec<_>>();
        let lists = [list(&[1, 2, 3, 4]), list(&[2, 9]), list(&[1, 8])];
        let ids = |k| in_turn(&lists, k).into_iter().map(|pin| pin.0).collect::<Vec<u32>>();
        assert_eq!(ids(10), [1, 2, 9, 8, 3, 4]);
        assert_eq!(ids(3), [1, 2, 9]);
    }

    #[test]
    fn the_central_vector_is_nearest_to_all() {
        let group = vec![vec![1.0, 0.0], vec![0.8, 0.6], vec![0.0, 1.0]];
        assert_eq!(central(group), Some(vec![0.8, 0.6]));
        assert_eq!(central(Vec::new()), None);
    }
}
