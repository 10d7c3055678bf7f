//! What every verb gets: the data directory, the configuration, the engines that it names.

use crate::config::Config;
use crate::stop::Stop;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Blobs, EventLog, Snapshots, StateStore};

/// Where a verb works and how.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The data directory.
    pub data: PathBuf,
    /// The file that was named to hold the configuration, if one was.
    pub given: Option<PathBuf>,
    /// The configuration.
    pub config: Config,
    /// Whether figures are printed as JSON.
    pub json: bool,
    /// Whether somebody asked to stop.
    pub stop: Stop,
}

impl Setup {
    /// Reads the configuration; the data directory need not exist yet.
    pub(crate) fn load(data: PathBuf, given: Option<&Path>, json: bool, stop: Stop) -> Result<Setup> {
        let config = Config::load(&data, given)?;
        Ok(Setup { data, given: given.map(Path::to_owned), config, json, stop })
    }

    /// The event log; makes its directory when there is none.
    pub(crate) fn log(&self) -> Result<Arc<dyn EventLog>> {
        let uri = self.uri(&self.config.data.events);
        store::open_log(&uri).with_context(|| format!("cannot open the event log {uri}"))
    }

    /// The event log as it is now, for reading; another process may have it.
    pub(crate) fn log_to_read(&self) -> Result<Arc<dyn EventLog>> {
        let uri = self.uri(&self.config.data.events);
        store::open_log_to_read(&uri).with_context(|| format!("cannot read the event log {uri}"))
    }

    /// The state store.
    pub(crate) fn state(&self) -> Result<Arc<dyn StateStore>> {
        let uri = self.uri(&self.config.data.state);
        store::open_state(&uri).with_context(|| format!("cannot open the state store {uri}"))
    }

    /// The blobs.
    pub(crate) fn blobs(&self) -> Result<Blobs> {
        let uri = self.uri(&self.config.data.blobs);
        store::open_blobs(&uri).with_context(|| format!("cannot open the blobs {uri}"))
    }

    /// The snapshots of the views.
    pub(crate) fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.folder("snapshots"))
    }

    /// An address of the configuration with `file://` paths taken from the data directory.
    pub(crate) fn uri(&self, uri: &str) -> String {
        match uri.strip_prefix("file://") {
            Some(path) => format!("file://{}", self.data.join(path).display()),
            None => uri.to_owned(),
        }
    }

    /// A place in the data directory.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// Removes a file of the data directory, if it is there.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        let path = self.folder(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// An error when nothing was imported yet, saying what to do.
    pub(crate) fn must_exist(&self) -> Result<()> {
        if !self.data.is_dir() {
            bail!(
                "there is no data directory {} (import something first, or run `bowerbird demo`)",
                self.data.display()
            );
        }
        Ok(())
    }
}

/// Now (ms, UTC).
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
