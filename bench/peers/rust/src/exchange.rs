//! Reads the exchange folder of `bench/README.md`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::peer::Filter;

/// Fills the rest of a row of truth when fewer vectors pass than the row is wide.
const NOTHING: u32 = u32::MAX;

/// Rows of float32.
pub struct Vectors {
    values: Vec<f32>,
    dimensions: usize,
}

impl Vectors {
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.dimensions
    }

    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.dimensions)
    }

    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// `meta.json`, as far as it is needed here.
#[derive(Deserialize)]
struct Meta {
    format: u32,
    metric: String,
    vectors: usize,
    dimensions: usize,
    queries: usize,
    truth_width: usize,
}

/// One exported workload.
pub struct Workload {
    folder: PathBuf,
    meta: Meta,
}

impl Workload {
    pub fn open(folder: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join("meta.json")).context("meta.json")?;
        let meta: Meta = serde_json::from_str(&text).context("meta.json")?;
        ensure!(meta.format == 1 && meta.metric == "inner_product", "only format 1 with inner products is read");
        Ok(Self { folder: folder.to_owned(), meta })
    }

    pub fn base(&self) -> Result<Vectors> {
        self.vectors("base.f32", self.meta.vectors)
    }

    pub fn queries(&self) -> Result<Vectors> {
        self.vectors("queries.f32", self.meta.queries)
    }

    /// For each query the exact `k` nearest (fewer where fewer pass), sorted by id.
    pub fn truth(&self, filter: Option<&str>, k: usize) -> Result<Vec<Vec<u32>>> {
        let name = filter.map_or("truth.u32".to_owned(), |name| format!("truth-{name}.u32"));
        let bytes = std::fs::read(self.folder.join(&name)).context(name)?;
        let ids: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
        ensure!(ids.len() == self.meta.queries * self.meta.truth_width, "truth has another size than meta.json says");
        let sorted = |row: &[u32]| {
            let mut row: Vec<u32> = row.iter().take(k).copied().filter(|&id| id != NOTHING).collect();
            row.sort_unstable();
            row
        };
        Ok(ids.chunks_exact(self.meta.truth_width).map(sorted).collect())
    }

    pub fn filter(&self, name: &str) -> Result<Filter> {
        let file = format!("filter-{name}.bits");
        Ok(Filter::new(std::fs::read(self.folder.join(&file)).context(file)?))
    }

    fn vectors(&self, file: &str, rows: usize) -> Result<Vectors> {
        let bytes = std::fs::read(self.folder.join(file)).context(file.to_owned())?;
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        ensure!(values.len() == rows * self.meta.dimensions, "{file} has another size than meta.json says");
        Ok(Vectors { values, dimensions: self.meta.dimensions })
    }
}

/// Mean share of the exact neighbours found; `truth` as [`Workload::truth`] gives it.
pub fn recall(found: &[Vec<u32>], truth: &[Vec<u32>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for (ids, exact) in found.iter().zip(truth).filter(|(_, exact)| !exact.is_empty()) {
        let hits = ids.iter().filter(|id| exact.binary_search(id).is_ok()).count();
        sum += hits as f64 / exact.len() as f64;
        count += 1;
    }
    if count == 0 { 1.0 } else { sum / f64::from(count) }
}
