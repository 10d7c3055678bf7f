//! A workload as files, in the format of `bench/README.md`.

use super::truth::NOTHING;
use anyhow::{Context, Result, ensure};
use domain::PinId;
use index::PinSet;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Rows of numbers.
pub(in super::super) struct Rows {
    pub(in super::super) dim: usize,
    pub(in super::super) values: Vec<f32>,
}

impl Rows {
    pub(in super::super) fn rows(&self) -> usize {
        self.values.len() / self.dim.max(1)
    }

    pub(in super::super) fn row(&self, at: usize) -> &[f32] {
        &self.values[at * self.dim..][..self.dim]
    }
}

/// The exact answers of all queries: `width` ids each, the best first.
pub(super) struct Truth {
    pub(super) width: usize,
    pub(super) ids: Vec<u32>,
}

impl Truth {
    /// The best `k` of a query, fewer where fewer pass.
    pub(super) fn best(&self, query: usize, k: usize) -> &[u32] {
        let row = &self.ids[query * self.width..][..k.min(self.width)];
        let known = row.iter().position(|&id| id == NOTHING).unwrap_or(row.len());
        &row[..known]
    }
}

/// A workload with its exact answers.
pub(super) struct Exchange {
    pub(super) workload: String,
    pub(super) seed: u64,
    pub(super) base: Rows,
    pub(super) queries: Rows,
    pub(super) filters: Vec<(String, PinSet)>,
    /// Without a filter, then with each.
    pub(super) truths: Vec<Truth>,
}

impl Exchange {
    pub(super) fn vectors(&self) -> usize {
        self.base.rows()
    }

    /// Writes the folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name} in {}", folder.display()))
        };
        write("base.f32", bytemuck::cast_slice(&self.base.values))?;
        write("queries.f32", bytemuck::cast_slice(&self.queries.values))?;
        write("truth.u32", bytemuck::cast_slice(&self.truths[0].ids))?;
        for ((name, set), truth) in self.filters.iter().zip(&self.truths[1..]) {
            let words: Vec<u64> = (0..self.vectors().div_ceil(64)).map(|at| set.word(at)).collect();
            write(&format!("filter-{name}.bits"), bytemuck::cast_slice(&words))?;
            write(&format!("truth-{name}.u32"), bytemuck::cast_slice(&truth.ids))?;
        }
        let unit = |row: &[f32]| (row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-4;
        let filters = self.filters.iter().map(|(name, set)| json!({ "name": name, "passing": set.len() }));
        let meta = json!({
            "format": 1,
            "workload": self.workload,
            "seed": self.seed,
            "vectors": self.vectors(),
            "dimensions": self.base.dim,
            "queries": self.queries.rows(),
            "truth_width": self.truths[0].width,
            "metric": "inner_product",
            "unit_length": (0..self.vectors()).all(|at| unit(self.base.row(at))),
            "filters": filters.collect::<Value>(),
        });
        write("meta.json", meta.to_string().as_bytes())
    }

    /// Reads the folder.
    pub(super) fn read(folder: &Path) -> Result<Exchange> {
        let read = |name: &str| {
            fs::read(folder.join(name)).with_context(|| format!("cannot read {name} in {}", folder.display()))
        };
        let meta: Value = serde_json::from_slice(&read("meta.json")?).context("meta.json is not JSON")?;
        let number = |key: &str| meta[key].as_u64().with_context(|| format!("meta.json has no number '{key}'"));
        ensure!(number("format")? == 1, "meta.json is of format {}, not 1", meta["format"]);
        let (dim, width) = (number("dimensions")? as usize, number("truth_width")? as usize);
        let queries = number("queries")? as usize;
        let rows = |name: &str, count: usize| -> Result<Rows> {
            let values = numbers(&read(name)?, f32::from_le_bytes);
            ensure!(values.len() == count * dim, "{name} holds {} numbers, not {count} rows of {dim}", values.len());
            Ok(Rows { dim, values })
        };
        let truth = |name: &str| -> Result<Truth> {
            let ids = numbers(&read(name)?, u32::from_le_bytes);
            ensure!(ids.len() == queries * width, "{name} holds {} ids, not {queries} rows of {width}", ids.len());
            Ok(Truth { width, ids })
        };
        let (mut filters, mut truths) = (Vec::new(), vec![truth("truth.u32")?]);
        for filter in meta["filters"].as_array().into_iter().flatten() {
            let name = filter["name"].as_str().context("a filter in meta.json has no name")?;
            filters.push((name.to_owned(), set(&read(&format!("filter-{name}.bits"))?)));
            truths.push(truth(&format!("truth-{name}.u32"))?);
        }
        Ok(Exchange {
            workload: meta["workload"].as_str().unwrap_or("?").to_owned(),
            seed: number("seed")?,
            base: rows("base.f32", number("vectors")? as usize)?,
            queries: rows("queries.f32", queries)?,
            filters,
            truths,
        })
    }
}

fn numbers<T>(bytes: &[u8], of: fn([u8; 4]) -> T) -> Vec<T> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| of(bytes)).collect()
}

fn set(bits: &[u8]) -> PinSet {
    let passes = |bit: &u32| bits[*bit as usize / 8] >> (bit % 8) & 1 == 1;
    (0..bits.len() as u32 * 8).filter(passes).map(PinId).collect()
}
