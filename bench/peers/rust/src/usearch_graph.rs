//! usearch: HNSW over f16, filtered by a predicate inside the traversal.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use crate::exchange::Vectors;
use crate::peer::{Filter, Peer, number};

const FILE: &str = "index.usearch";

/// `m` and `ef` of the build.
pub struct Usearch {
    m: usize,
    ef: usize,
    index: Option<Index>,
}

impl Usearch {
    pub fn new(build: &Value) -> Result<Self> {
        let build = build.as_object().context("the build parameters are an object")?;
        Ok(Self { m: number(build, "m")?, ef: number(build, "ef")?, index: None })
    }

    fn index(&self) -> &Index {
        self.index.as_ref().expect("invariant: built or loaded before it is asked")
    }
}

impl Peer for Usearch {
    fn build(&mut self, vectors: &Vectors) -> Result<()> {
        let options = IndexOptions {
            dimensions: vectors.dimensions(),
            metric: MetricKind::IP,
            quantization: ScalarKind::F16,
            connectivity: self.m,
            expansion_add: self.ef,
            ..IndexOptions::default()
        };
        let index = Index::new(&options)?;
        index.reserve_capacity_and_threads(vectors.len(), 1)?;
        for (id, vector) in vectors.rows().enumerate() {
            index.add(id as u64, vector)?;
        }
        self.index = Some(index);
        Ok(())
    }

    fn save(&self, folder: &Path) -> Result<bool> {
        self.index().save(folder.join(FILE).to_str().context("a path in UTF-8")?)?;
        Ok(true)
    }

    fn load(&mut self, folder: &Path) -> Result<()> {
        self.index = Some(Index::restore(folder.join(FILE).to_str().context("a path in UTF-8")?)?);
        Ok(())
    }

    fn prepare(&mut self, params: &Map<String, Value>, _filter: Option<&Filter>) -> Result<()> {
        self.index().change_expansion_search(number(params, "ef")?);
        Ok(())
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        _params: &Map<String, Value>,
        filter: Option<&Filter>,
        found: &mut Vec<u32>,
    ) -> Result<()> {
        let matches = match filter {
            Some(filter) => self.index().filtered_search(query, k, |id| filter.passes(id as usize))?,
            None => self.index().search(query, k)?,
        };
        found.extend(matches.keys.iter().map(|&id| id as u32));
        Ok(())
    }
}
