//! hnsw_rs: HNSW over f32, filtered by a function inside the traversal. Its dot product asks for unit vectors.

use std::path::Path;

use anyhow::{Context, Result};
use hnsw_rs::prelude::{AnnT, DistDot, Hnsw, HnswIo};
use serde_json::{Map, Value};

use crate::exchange::Vectors;
use crate::peer::{Filter, Peer, number};

const NAME: &str = "index";
const LAYERS_MAX: usize = 16;

/// `m` and `ef` of the build.
pub struct HnswRs {
    m: usize,
    ef: usize,
    index: Option<Hnsw<'static, f32, DistDot>>,
}

impl HnswRs {
    pub fn new(build: &Value) -> Result<Self> {
        let build = build.as_object().context("the build parameters are an object")?;
        Ok(Self { m: number(build, "m")?, ef: number(build, "ef")?, index: None })
    }

    fn index(&self) -> &Hnsw<'static, f32, DistDot> {
        self.index.as_ref().expect("invariant: built or loaded before it is asked")
    }
}

impl Peer for HnswRs {
    fn build(&mut self, vectors: &Vectors) -> Result<()> {
        let index = Hnsw::new(self.m, vectors.len(), LAYERS_MAX, self.ef, DistDot {});
        for (id, vector) in vectors.rows().enumerate() {
            index.insert((vector, id));
        }
        self.index = Some(index);
        Ok(())
    }

    fn save(&self, folder: &Path) -> Result<bool> {
        self.index().file_dump(folder, NAME)?;
        Ok(true)
    }

    fn load(&mut self, folder: &Path) -> Result<()> {
        // The index borrows its reader; a process loads one, which stays until its end.
        let reader = Box::leak(Box::new(HnswIo::new(folder, NAME)));
        let mut index = reader.load_hnsw::<f32, DistDot>()?;
        index.set_searching_mode(true);
        self.index = Some(index);
        Ok(())
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &Map<String, Value>,
        filter: Option<&Filter>,
        found: &mut Vec<u32>,
    ) -> Result<()> {
        let ef = number(params, "ef")?;
        let neighbours = match filter {
            Some(filter) => self.index().search_filter(query, k, ef, Some(&|id: &usize| filter.passes(*id))),
            None => self.index().search(query, k, ef),
        };
        found.extend(neighbours.iter().map(|neighbour| neighbour.d_id as u32));
        Ok(())
    }
}
