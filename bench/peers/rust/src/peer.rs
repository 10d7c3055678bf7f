//! The shape that every library is put into.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::exchange::Vectors;

/// One bit a vector: which ones pass.
pub struct Filter {
    bits: Vec<u8>,
}

impl Filter {
    /// `bits` as the exchange folder has them: vector i is bit `i % 8`, lowest first, of byte `i / 8`.
    pub fn new(bits: Vec<u8>) -> Self {
        Self { bits }
    }

    pub fn passes(&self, id: usize) -> bool {
        self.bits[id / 8] >> (id % 8) & 1 == 1
    }
}

/// A library's index. Ids are rows of `base.f32`.
pub trait Peer {
    /// Builds on the calling thread.
    fn build(&mut self, vectors: &Vectors) -> Result<()>;

    /// Writes the index into the folder; false where the library has no way to.
    fn save(&self, folder: &Path) -> Result<bool>;

    /// Reads what `save` wrote.
    fn load(&mut self, folder: &Path) -> Result<()>;

    /// Called before a run of searches with the same settings.
    fn prepare(&mut self, _params: &Map<String, Value>, _filter: Option<&Filter>) -> Result<()> {
        Ok(())
    }

    /// The `k` nearest that pass, best first, into `found` (cleared by the caller).
    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &Map<String, Value>,
        filter: Option<&Filter>,
        found: &mut Vec<u32>,
    ) -> Result<()>;
}

/// A whole number among a peer's parameters.
pub fn number(params: &Map<String, Value>, name: &str) -> Result<usize> {
    let value = params.get(name).and_then(Value::as_u64);
    value.map(|number| number as usize).ok_or_else(|| anyhow::anyhow!("parameter {name:?} is missing"))
}
