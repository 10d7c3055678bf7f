//! What a worker is told to do.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::{measure, resident_bytes};
use crate::exchange::{Vectors, Workload, recall};
use crate::peer::{Filter, Peer};

/// One line read.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Order {
    /// Builds on one thread and saves into the folder.
    Build { index: PathBuf },
    /// Loads what was built, or says what it took where it is still there.
    Load { index: PathBuf, settings: Map<String, Value> },
    /// One figure for each setting.
    Measure { settings: Vec<Setting>, cpu_min_s: f64, cpu_max_s: f64 },
}

/// One point of a peer's curve.
#[derive(Deserialize, Serialize)]
pub struct Setting {
    k: usize,
    filter: Option<String>,
    /// "itself": by the library's own means; "after": `fetch` are asked for and those that do not pass are dropped.
    filtered_by: Option<String>,
    fetch: Option<usize>,
    params: Map<String, Value>,
}

/// A peer and the workload it is asked about.
pub struct Worker {
    peer: Box<dyn Peer>,
    workload: Workload,
    queries: Option<Vectors>,
    /// What the process gained by building, for a peer that cannot be saved.
    kept_bytes: Option<u64>,
}

impl Worker {
    pub fn new(peer: Box<dyn Peer>, workload: Workload) -> Self {
        Self { peer, workload, queries: None, kept_bytes: None }
    }

    pub fn build(&mut self, folder: &Path) -> Result<Value> {
        let vectors = self.workload.base()?;
        let (before, wall, cpu) = (resident_bytes()?, Instant::now(), ProcessTime::now());
        self.peer.build(&vectors)?;
        let (cpu_s, wall_s) = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
        let gained = resident_bytes()?.saturating_sub(before);
        std::fs::create_dir_all(folder)?;
        let saved = self.peer.save(folder)?;
        self.kept_bytes = (!saved).then_some(gained);
        let bytes_saved = if saved { Some(folder_bytes(folder)?) } else { None };
        Ok(json!({ "build_cpu_s": cpu_s, "build_wall_s": wall_s, "bytes_saved": bytes_saved, "binding_us": 0.0 }))
    }

    pub fn load(&mut self, folder: &Path, params: &Map<String, Value>) -> Result<Value> {
        let bytes = match self.kept_bytes {
            Some(bytes) => bytes,
            None => {
                let queries = self.workload.queries()?;
                let before = resident_bytes()?;
                self.peer.load(folder)?;
                self.peer.prepare(params, None)?;
                if let Some(query) = queries.rows().next() {
                    self.peer.search(query, 10, params, None, &mut Vec::new())?;
                }
                resident_bytes()?.saturating_sub(before)
            }
        };
        Ok(json!({ "bytes_resident": bytes }))
    }

    pub fn measure(&mut self, setting: &Setting, cpu_min_s: f64, cpu_max_s: f64) -> Result<Value> {
        if self.queries.is_none() {
            self.queries = Some(self.workload.queries()?);
        }
        let filter = setting.filter.as_deref().map(|name| self.workload.filter(name)).transpose()?;
        let truth = self.workload.truth(setting.filter.as_deref(), setting.k)?;
        let own = filter.as_ref().filter(|_| setting.filtered_by.as_deref() == Some("itself"));
        self.peer.prepare(&setting.params, own)?;
        let (peer, queries) = (&self.peer, self.queries.as_ref().expect("invariant: read above"));
        let asked = if own.is_none() { setting.fetch.unwrap_or(setting.k) } else { setting.k };
        let (found, figures) = measure(queries.rows(), cpu_min_s, cpu_max_s, |query, ids| {
            peer.search(query, asked, &setting.params, own, ids)?;
            keep_passing(ids, filter.as_ref(), setting.k);
            Ok(())
        })?;
        let mut line = json!({ "setting": setting, "recall": recall(&found, &truth), "queries": found.len() });
        if let (Value::Object(line), Value::Object(figures)) = (&mut line, figures) {
            line.extend(figures);
        }
        Ok(line)
    }
}

/// Drops what does not pass (nothing, where the library filtered by itself), then what is beyond `k`.
fn keep_passing(ids: &mut Vec<u32>, filter: Option<&Filter>, k: usize) {
    if let Some(filter) = filter {
        ids.retain(|&id| filter.passes(id as usize));
    }
    ids.truncate(k);
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
