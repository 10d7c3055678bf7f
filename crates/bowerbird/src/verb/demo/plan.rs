//! What a demo directory is: which world, and how far it has come.

use super::Args;
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use world::WorldConfig;

const FILE_NAME: &str = "demo.json";
/// The last days of the history, which are held out from learning.
const HELD_OUT_MS: u64 = 3 * 86_400_000;

/// The world of a demo directory. It is written before anything else, so that a stopped demo goes on with the same.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    seed: u64,
    pins: u32,
    pinners: u32,
    events: u32,
    /// The moment at which the world's history ends (ms, UTC).
    now_ms: u64,
    /// What was measured; null until everything is done.
    figures: Value,
    #[serde(skip)]
    path: PathBuf,
}

impl Plan {
    /// The plan of the data directory, or a new one there. A directory with other data is left alone.
    pub(crate) fn load(args: &Args, setup: &Setup) -> Result<Plan> {
        if args.pins < 100 || args.pinners < 20 {
            bail!("a world needs at least 100 pins and 20 pinners");
        }
        let path = setup.data.join(FILE_NAME);
        let plan = match std::fs::read_to_string(&path) {
            Ok(text) => {
                let plan = serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
                Plan { path, ..plan }
            }
            Err(_) if is_used(setup) => {
                bail!("{} holds other data: choose another directory with --data DIR", setup.data.display())
            }
            Err(_) => Plan {
                seed: args.seed,
                pins: args.pins,
                pinners: args.pinners,
                events: args.events,
                now_ms: now_ms(),
                figures: Value::Null,
                path,
            },
        };
        let same = (plan.seed, plan.pins, plan.pinners, plan.events);
        if same != (args.seed, args.pins, args.pinners, args.events) {
            bail!(
                "{} holds another world (--seed {} --pins {} --pinners {} --events {}): choose another with --data DIR",
                setup.data.display(),
                plan.seed,
                plan.pins,
                plan.pinners,
                plan.events
            );
        }
        std::fs::create_dir_all(&setup.data).with_context(|| format!("cannot make {}", setup.data.display()))?;
        plan.write()?;
        Ok(plan)
    }

    /// Whether everything was made.
    pub(crate) fn is_ready(&self) -> bool {
        !self.figures.is_null()
    }

    /// What the world is planted from.
    pub(crate) fn world(&self) -> WorldConfig {
        let Plan { seed, pins, pinners, events, now_ms, .. } = *self;
        WorldConfig { seed, pins, pinners, events, now_ms }
    }

    /// The moment before which everything is learned from.
    pub(crate) fn split_ms(&self) -> u64 {
        self.now_ms.saturating_sub(HELD_OUT_MS)
    }

    /// What was measured.
    pub(crate) fn figures(&self) -> &Value {
        &self.figures
    }

    /// The world in figures.
    pub(crate) fn json(&self) -> Value {
        json!({ "seed": self.seed, "pins": self.pins, "pinners": self.pinners, "events": self.events })
    }

    /// Everything was made and measured.
    pub(crate) fn finish(&mut self, figures: Value) -> Result<()> {
        self.figures = figures;
        self.write()
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        // Replaced as a whole: a half-written plan would be another world.
        let aside = self.path.with_extension("new");
        std::fs::write(&aside, text).with_context(|| format!("cannot write {}", aside.display()))?;
        std::fs::rename(&aside, &self.path).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Whether the directory holds data of somebody.
fn is_used(setup: &Setup) -> bool {
    ["log", "state", "blobs"].iter().any(|name| setup.data.join(name).exists())
}
