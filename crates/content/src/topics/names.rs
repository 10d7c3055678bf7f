//! Readable names for clusters, from the annotations of their pins.
//!
//! A term names a cluster when many of its pins have it, and more than elsewhere: share · ln(lift), which is the
//! term's part of the relative entropy between the cluster and the collection. Clusters with the same first term are
//! told apart by a second, measured against each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Annotation;

/// What parts the terms of a name.
const BETWEEN: &str = " · ";
/// Fewest pins of a cluster that have a term of its name.
const PINS_MIN: f32 = 2.0;
/// A first term that this share of the pins has, and that no other cluster has first, is a name by itself.
const ALONE_SHARE: f32 = 0.5;
/// Terms that are looked at for each cluster.
const TERMS_MAX: usize = 60;

/// How much pins of a cluster have each term, by the term's number: a pin counts as much as its annotation is sure.
type Weights = BTreeMap<u32, f32>;

struct Cluster {
    pins: f32,
    weights: Weights,
}

/// A name for each cluster, all different. `clusters` says for each pin where it lies, `annotations` what it is about.
pub(super) fn names(clusters: &[usize], annotations: &[Vec<Annotation>], count: usize) -> Vec<String> {
    let mut terms: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut found: Vec<Cluster> = (0..count).map(|_| Cluster { pins: 0.0, weights: Weights::new() }).collect();
    for (&at, annotations) in clusters.iter().zip(annotations) {
        found[at].pins += 1.0;
        for annotation in annotations {
            let number = *numbers.entry(&annotation.term).or_insert_with(|| {
                terms.push(&annotation.term);
                terms.len() as u32 - 1
            });
            *found[at].weights.entry(number).or_default() += annotation.confidence;
        }
    }
    let all = together(found.iter());
    let ranked: Vec<Vec<u32>> = found.iter().map(|cluster| ranked(cluster, &all, &terms)).collect();
    let mut by_first: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, ranked) in ranked.iter().enumerate() {
        if let Some(&first) = ranked.first() {
            by_first.entry(first).or_default().push(at);
        }
    }
    let mut names = vec![String::new(); count];
    let mut used: BTreeSet<Vec<u32>> = BTreeSet::new();
    for (first, group) in by_first {
        let of_group = together(group.iter().map(|&at| &found[at]));
        for &at in &group {
            let cluster = &found[at];
            let alone = group.len() == 1 && cluster.weights[&first] >= ALONE_SHARE * cluster.pins;
            let against = if group.len() == 1 { &all } else { &of_group };
            let seconds = if alone { Vec::new() } else { self::ranked(cluster, against, &terms) };
            names[at] = name(first, &seconds, &terms, alone, &mut used);
        }
    }
    for (at, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("topic {}", at + 1);
    }
    names
}

fn together<'a>(clusters: impl Iterator<Item = &'a Cluster>) -> Cluster {
    let mut all = Cluster { pins: 0.0, weights: Weights::new() };
    for cluster in clusters {
        all.pins += cluster.pins;
        for (&term, &weight) in &cluster.weights {
            *all.weights.entry(term).or_default() += weight;
        }
    }
    all
}

/// The terms that a cluster has more than others, best first.
fn ranked(cluster: &Cluster, all: &Cluster, terms: &[&str]) -> Vec<u32> {
    let share = |of: &Cluster, term: u32| of.weights.get(&term).copied().unwrap_or(0.0) / of.pins.max(1.0);
    let mut scores: Vec<(f32, u32)> = cluster
        .weights
        .iter()
        .filter(|&(_, &weight)| weight >= PINS_MIN)
        .map(|(&term, _)| (share(cluster, term) * (share(cluster, term) / share(all, term)).ln(), term))
        .filter(|&(score, _)| score > 0.0)
        .collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| terms[a.1 as usize].cmp(terms[b.1 as usize])));
    scores.into_iter().take(TERMS_MAX).map(|(_, term)| term).collect()
}

/// The first term, and the best other ones that make the name one that no other cluster has; empty when there are none.
fn name(first: u32, seconds: &[u32], terms: &[&str], alone: bool, used: &mut BTreeSet<Vec<u32>>) -> String {
    let text = |numbers: &[u32]| numbers.iter().map(|&term| terms[term as usize]).collect::<Vec<_>>().join(BETWEEN);
    let seconds: Vec<u32> = seconds.iter().copied().filter(|&term| !shares_words(terms, term, first)).collect();
    let pairs = seconds.iter().map(|&second| vec![first, second]);
    let triples = seconds.windows(2).map(|pair| vec![first, pair[0], pair[1]]);
    let one = std::iter::once(vec![first]);
    let tries: Vec<Vec<u32>> =
        if alone { one.chain(pairs).collect() } else { pairs.chain(one).chain(triples).collect() };
    for numbers in tries {
        let mut key = numbers.clone();
        key.sort_unstable();
        if used.insert(key) {
            return text(&numbers);
        }
    }
    String::new()
}

/// Whether two terms share a word, roughly: then the second says little more.
fn shares_words(terms: &[&str], a: u32, b: u32) -> bool {
    let (a, b) = (terms[a as usize], terms[b as usize]);
    a.split(' ').any(|word| b.split(' ').any(|other| word.trim_end_matches('s') == other.trim_end_matches('s')))
}
