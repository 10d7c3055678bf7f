//! From the log to the lake.

use crate::file::{self, Staged};
use crate::offsets::{self, Offsets};
use crate::tables::{SPECS, Unit};
use crate::{LakeError, merge};
use domain::{PinId, TopicKind};
use std::path::{Path, PathBuf};
use store::EventLog;
use tokio::runtime::{Builder, Runtime};

/// Rows that are gathered before they are written.
const UNIT_ROWS_MAX: usize = 1 << 18;

/// The same in bytes.
const UNIT_BYTES_MAX: usize = 96 << 20;

/// Records that are read from the log at a time.
const READ_RECORDS_MAX: usize = 8_192;

/// Threads that answer questions.
const THREADS: usize = 2;

/// Stack of such a thread (bytes): questions nest as deep as they are long.
const STACK_BYTES: usize = 64 << 20;

/// Gives the owner's id of a pin, when it is known.
pub type PinName<'a> = dyn Fn(PinId) -> Option<String> + 'a;

/// The lake in a directory.
pub struct Lake {
    pub(crate) root: PathBuf,
    /// Where questions are answered. Its own, so that they neither block a caller's runtime nor need one.
    pub(crate) runtime: Option<Runtime>,
}

/// Where a roll stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollProgress {
    /// The topic that is being rolled.
    pub topic: TopicKind,
    /// Its offset up to which the lake has come.
    pub offset: u64,
    /// Where this roll will end in the topic.
    pub end: u64,
}

/// What a roll has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rolled {
    /// Records of the log that were read.
    pub records: u64,
    /// Rows that were written, over all tables.
    pub rows: u64,
    /// Files that were written.
    pub files: u64,
}

impl Lake {
    /// Opens or makes the lake in `directory`, and removes what an interrupted roll left there.
    pub fn open(directory: &Path) -> Result<Lake, LakeError> {
        std::fs::create_dir_all(directory).map_err(LakeError::io(directory))?;
        let root = std::path::absolute(directory).map_err(LakeError::io(directory))?;
        for spec in &SPECS {
            let table = root.join(spec.name);
            std::fs::create_dir_all(&table).map_err(LakeError::io(&table))?;
        }
        // Whoever is rolling right now cleans up after the one before.
        if let Some(_lock) = offsets::lock(&root)? {
            clean(&root, &offsets::read(&root)?)?;
        }
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(THREADS).thread_stack_size(STACK_BYTES).thread_name("lake");
        let runtime = builder.enable_time().build().map_err(LakeError::io(&root))?;
        Ok(Lake { root, runtime: Some(runtime) })
    }

    /// The offset of a topic up to which (not including) the lake has come.
    pub fn offset(&self, topic: TopicKind) -> Result<u64, LakeError> {
        Ok(offsets::read(&self.root)?[topic as usize])
    }

    /// Brings the lake up to where the log ends now. `name` tells owners' ids of pins, which request records do not
    /// hold; `progress` is called after each unit of rows. Each unit is kept even if a later one fails.
    pub fn roll(
        &self,
        log: &dyn EventLog,
        name: Option<&PinName<'_>>,
        progress: &mut dyn FnMut(RollProgress),
    ) -> Result<Rolled, LakeError> {
        let lock = offsets::lock(&self.root)?;
        let _lock = lock.ok_or_else(|| LakeError::Locked(self.root.join("lock")))?;
        let mut committed = offsets::read(&self.root)?;
        clean(&self.root, &committed)?;
        let mut rolled = Rolled::default();
        for topic in TopicKind::FOLLOWED {
            let end = log.end(topic);
            self.check_end(topic, committed[topic as usize], end)?;
            while committed[topic as usize] < end {
                let done = self.roll_unit(log, topic, end, name, &mut committed)?;
                rolled.records += done.records;
                rolled.rows += done.rows;
                rolled.files += done.files;
                progress(RollProgress { topic, offset: committed[topic as usize], end });
            }
        }
        Ok(rolled)
    }

    fn check_end(&self, topic: TopicKind, committed: u64, end: u64) -> Result<(), LakeError> {
        if committed <= end {
            return Ok(());
        }
        let topic = topic.as_str();
        let reason = format!("it holds '{topic}' up to {committed}, but the log ends at {end}: it is of another log");
        Err(LakeError::Damaged { path: self.root.clone(), reason })
    }

    /// Rolls records of a topic until a unit is full or `end` is reached, and commits it.
    fn roll_unit(
        &self,
        log: &dyn EventLog,
        topic: TopicKind,
        end: u64,
        name: Option<&PinName<'_>>,
        committed: &mut Offsets,
    ) -> Result<Rolled, LakeError> {
        let from = committed[topic as usize];
        let name = |pin: PinId| name.and_then(|name| name(pin));
        let mut unit = Unit::new();
        let mut until = from;
        while until < end && unit.rows() < UNIT_ROWS_MAX && unit.bytes() < UNIT_BYTES_MAX {
            let max = usize::try_from(end - until).unwrap_or(usize::MAX).min(READ_RECORDS_MAX);
            let records = log.read(topic, until, max)?;
            if records.is_empty() {
                let reason = format!("'{}' ends at {until} instead of {end}", topic.as_str());
                return Err(LakeError::Internal { what: "read the log", reason });
            }
            for (offset, id, fact) in &records {
                unit.push(*offset, *id, fact, &name);
                until = offset + 1;
            }
        }
        let rows = unit.rows() as u64;
        let mut staged = Staged::default();
        for (spec, rows) in SPECS.iter().zip(unit.tables) {
            if rows.rows > 0 {
                staged.add(&self.root, spec, &rows.finish()?, (from, until))?;
            }
        }
        let files = staged.len() as u64;
        let directories = staged.place(&self.root)?;
        committed[topic as usize] = until;
        offsets::write(&self.root, committed)?;
        directories.iter().try_for_each(|directory| merge::merge(&self.root, directory))?;
        Ok(Rolled { records: until - from, rows, files })
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        // A runtime that is dropped on another runtime's thread panics unless told not to wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Removes all that is not committed. Only with the lock.
fn clean(root: &Path, committed: &Offsets) -> Result<(), LakeError> {
    let staging = file::staging(root);
    if staging.exists() {
        std::fs::remove_dir_all(&staging).map_err(LakeError::io(&staging))?;
    }
    std::fs::create_dir_all(&staging).map_err(LakeError::io(&staging))?;
    SPECS.iter().try_for_each(|spec| file::clean(root, spec, committed[spec.topic as usize]))
}
