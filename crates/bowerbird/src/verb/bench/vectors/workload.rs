//! Workloads as data: what vectors, what queries, what filters (`bench/workloads/*.toml`).

use super::exchange::Rows;
use super::learned;
use crate::setup::Setup;
use anyhow::{Context, Result, ensure};
use domain::{PinId, Rng, hash64};
use index::PinSet;
use rayon::prelude::*;
use serde::Deserialize;

/// The workloads that are always at hand.
const KNOWN: [(&str, &str); 3] = [
    ("mixture-1m-64", include_str!("../../../../../../bench/workloads/mixture-1m-64.toml")),
    ("fashion", include_str!("../../../../../../bench/workloads/fashion.toml")),
    ("pinterest", include_str!("../../../../../../bench/workloads/pinterest.toml")),
];

/// Most numbers that are generated: 16 GiB.
const NUMBERS_MAX: usize = 1 << 32;

/// A workload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    pub(super) name: String,
    kind: Kind,
    pub(super) seed: u64,
    queries: usize,
    metric: String,
    #[serde(default)]
    vectors: usize,
    #[serde(default)]
    dimensions: usize,
    /// What other indexes are asked for; ours is asked for the same.
    #[allow(dead_code, reason = "a part of the file that the runner of the peers reads")]
    k: Vec<usize>,
    mixture: Option<Mixture>,
    filters: Option<Filters>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Mixture,
    Model,
    Content,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mixture {
    centres: usize,
    centre_spread: f32,
    super_topics: usize,
    size_exponent: f64,
    sigma_median: f32,
    sigma_sd: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filters {
    random: Vec<f64>,
    correlated: Vec<f64>,
    pivots: usize,
}

impl Workload {
    /// One of the known ones, or that of a file.
    pub(super) fn load(name: &str) -> Result<Workload> {
        let text = match KNOWN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => (*text).to_owned(),
            None => std::fs::read_to_string(name).with_context(|| {
                let known = KNOWN.map(|(known, _)| known).join(", ");
                format!("there is no workload '{name}' (known: {known}) and no such file")
            })?,
        };
        let workload: Workload = toml::from_str(&text).with_context(|| format!("the workload '{name}' is odd"))?;
        ensure!(workload.metric == "inner_product", "the index knows inner products, not '{}'", workload.metric);
        ensure!(workload.queries > 0, "the workload '{name}' has no queries");
        Ok(workload)
    }

    /// The vectors and the queries.
    pub(super) fn vectors(&self, setup: &Setup) -> Result<(Rows, Rows)> {
        match self.kind {
            Kind::Model => learned::of_model(setup, self.queries, self.seed),
            Kind::Content => learned::of_content(setup, self.queries, self.seed),
            Kind::Mixture => self.drawn(),
        }
    }

    /// The same with another number of vectors.
    pub(super) fn of_size(self, vectors: usize) -> Workload {
        Workload { vectors, ..self }
    }

    /// The vectors and the queries of a mixture.
    pub(super) fn drawn(&self) -> Result<(Rows, Rows)> {
        let mixture = self.mixture.as_ref().context("a mixture needs a section [mixture]")?;
        let dim = self.dimensions;
        let numbers = (self.vectors + self.queries).checked_mul(dim).filter(|&numbers| numbers <= NUMBERS_MAX);
        ensure!(numbers.is_some_and(|numbers| numbers > 0), "vectors × dimensions is 0 or beyond 2³²");
        ensure!(mixture.centres > 0 && mixture.super_topics > 0, "a mixture needs centres and super-topics");
        let drawn = Drawn::new(mixture, dim, self.seed);
        Ok((drawn.rows(self.vectors, self.seed, 1), drawn.rows(self.queries, self.seed, 2)))
    }

    /// Filters by name: `random-10` passes a tenth.
    pub(super) fn filters(&self, base: &Rows) -> Result<Vec<(String, PinSet)>> {
        let Some(filters) = &self.filters else { return Ok(Vec::new()) };
        ensure!(filters.pivots > 0, "filters need pivots");
        let mut random: Vec<u32> = (0..base.rows() as u32).collect();
        Rng::new(hash64(self.seed ^ 3)).shuffle(&mut random);
        let correlated = by_pivots(base, filters.pivots, self.seed);
        let kinds = [("random", &filters.random, &random), ("correlated", &filters.correlated, &correlated)];
        let named = kinds.into_iter().flat_map(|(kind, shares, order)| {
            shares.iter().map(move |share| {
                let count = (base.rows() as f64 * share).round() as usize;
                let set: PinSet = order[..count.min(order.len())].iter().copied().map(PinId).collect();
                (format!("{kind}-{}", share * 100.0), set)
            })
        });
        Ok(named.collect())
    }
}

/// Rows in the order of cells around pivots, within a cell from the inside out.
fn by_pivots(base: &Rows, count: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng::new(hash64(seed ^ 4));
    let pivots: Vec<usize> = (0..count).map(|_| rng.below(base.rows() as u32) as usize).collect();
    let far = |row: usize, pivot: usize| -> f32 {
        base.row(row).iter().zip(base.row(pivot)).map(|(a, b)| (a - b).powi(2)).sum()
    };
    let mut cells: Vec<(usize, f32, u32)> = (0..base.rows())
        .into_par_iter()
        .map(|row| {
            let near = pivots.iter().map(|&pivot| far(row, pivot)).enumerate();
            let (cell, distance) = near.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
            (cell, distance, row as u32)
        })
        .collect();
    cells.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    cells.into_iter().map(|(_, _, row)| row).collect()
}

/// The centres of a mixture.
struct Drawn {
    dim: usize,
    centres: Vec<Vec<f32>>,
    sigmas: Vec<f32>,
    /// Sums of the centres' sizes.
    sizes: Vec<f64>,
}

impl Drawn {
    fn new(mixture: &Mixture, dim: usize, seed: u64) -> Drawn {
        let mut rng = Rng::new(hash64(seed));
        let gaussian = |rng: &mut Rng| unit((0..dim).map(|_| rng.normal()).collect());
        let topics: Vec<Vec<f32>> = (0..mixture.super_topics).map(|_| gaussian(&mut rng)).collect();
        let mut centre = || {
            let own = gaussian(&mut rng);
            let topic = &topics[rng.below(topics.len() as u32) as usize];
            unit(own.iter().zip(topic).map(|(own, topic)| mixture.centre_spread * own + topic).collect())
        };
        let centres = (0..mixture.centres).map(|_| centre()).collect();
        let sigmas = (0..mixture.centres).map(|_| mixture.sigma_median * (mixture.sigma_sd * rng.normal()).exp());
        let sigmas = sigmas.collect();
        let sizes = (1..=mixture.centres).scan(0.0, |sum, rank| {
            *sum += (rank as f64).powf(mixture.size_exponent);
            Some(*sum)
        });
        Drawn { dim, centres, sigmas, sizes: sizes.collect() }
    }

    /// Rows of their own draws, so that they can be drawn side by side.
    fn rows(&self, count: usize, seed: u64, stream: u64) -> Rows {
        let mut values = vec![0.0; count * self.dim];
        values.par_chunks_exact_mut(self.dim).enumerate().for_each(|(row, values)| {
            let mut rng = Rng::new(hash64(seed ^ stream << 56 ^ row as u64));
            let place = f64::from(rng.uniform()) * self.sizes[self.sizes.len() - 1];
            let centre = self.sizes.partition_point(|&size| size <= place).min(self.centres.len() - 1);
            let sigma = self.sigmas[centre] / (self.dim as f32).sqrt();
            let vector = self.centres[centre].iter().map(|x| x + sigma * rng.normal()).collect();
            values.copy_from_slice(&unit(vector));
        });
        Rows { dim: self.dim, values }
    }
}

/// At length 1.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}
