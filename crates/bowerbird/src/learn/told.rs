//! A log of few facts, for tests of what is learned from it.

use super::acts::{Acts, read_acts};
use super::training::Task;
use crate::config::Config;
use crate::engine::Reading;
use crate::import::import_jsonl;
use crate::setup::Setup;
use crate::stop::Stop;

pub(super) const START_MS: u64 = 1_700_000_000_000;
pub(super) const HOUR_MS: u64 = 3_600_000;

/// What a log tells.
pub(super) struct Told {
    _folder: tempfile::TempDir,
    pub(super) setup: Setup,
    pub(super) data: Reading,
    pub(super) acts: Acts,
}

impl Told {
    /// A log of 40 pins and the events of some JSON lines.
    pub(super) fn new(events: &str) -> Told {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_owned();
        let setup = Setup { data, given: None, config: Config::default(), json: false, stop: Stop::default() };
        let pins: String = (0..40).map(|pin| format!("{{\"type\":\"pin\",\"id\":\"{pin}\"}}\n")).collect();
        let file = setup.folder("facts.jsonl");
        std::fs::write(&file, pins + events).expect("a file");
        import_jsonl(&file, &setup).expect("imported");
        let data = Reading::open(&setup).expect("opened");
        let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop).expect("acts");
        Told { _folder: folder, setup, data, acts }
    }

    pub(super) fn task(&self) -> Task<'_> {
        Task {
            device: train::Device::Cpu,
            views: &self.data.views,
            log: self.data.log.as_ref(),
            params: &self.setup.config.params,
            config: &self.setup.config.train,
            checkpoint: None,
            registry: None,
            lake: None,
            now_ms: START_MS + 1_000 * HOUR_MS,
            stop: &self.setup.stop,
        }
    }
}
