//! The embedded event log: a directory per topic, segment files in it, one lock.

mod frame;
mod look;
mod scan;
mod topic;
mod visible;
mod window;

use crate::log::{Appended, EventLog, FACT_BYTES_MAX, Record};
use crate::{StoreError, address, codec, directory};
use domain::{EventId, Fact, TopicKind};
use scan::scan_segment;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use topic::{LatestIds, Pending, Topic};
use visible::Visible;
use window::Window;

pub(crate) use look::LogLook;

const TOPICS: usize = TopicKind::ALL.len();

/// Encoded bytes of one batch that are written at a time; longer batches are written in several goes.
const CHUNK_BYTES: usize = 4 << 20;

/// Bounds that tests make small.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Size at which a segment is followed by a new one (bytes). The last group may go beyond it.
    segment_bytes_max: u64,
    /// How many ids a topic remembers.
    window_ids_max: usize,
}

const LIMITS: Limits = Limits { segment_bytes_max: 64 << 20, window_ids_max: window::IDS_MAX };

/// The embedded engine of [`EventLog`].
///
/// Appenders put their frames into the queue; one of them, the leader, takes all that is queued, writes and syncs it
/// while the next ones queue up, and tells everybody. So many small appends share one `fdatasync` without a thread of
/// their own or a delay.
pub(crate) struct FileLog {
    queue: Mutex<Queue>,
    done: Condvar,
    /// Only the leader takes this.
    topics: Mutex<[Topic; TOPICS]>,
    visible: [Arc<Visible>; TOPICS],
    /// Held as long as the log is open.
    _lock: File,
}

struct Queue {
    pending: [Pending; TOPICS],
    windows: Windows,
    /// Offset behind the last queued record of each topic.
    next: [u64; TOPICS],
    /// Number of the last queued chunk, and of the last one that is on disk.
    queued: u64,
    synced: u64,
    leading: bool,
    failed: Option<String>,
}

/// Which ids came lately, by topic. They are read when something is appended for the first time: whoever only reads
/// has nothing to wait for.
enum Windows {
    Unread(Box<[LatestIds; TOPICS]>, usize),
    Known(Box<[Window; TOPICS]>),
}

impl Windows {
    fn known(&mut self) -> Result<&mut [Window; TOPICS], StoreError> {
        if let Windows::Unread(latest, ids_max) = self {
            let [catalogue, events, requests, numbers] = latest.each_ref().map(|ids| ids.read(*ids_max));
            *self = Windows::Known(Box::new([catalogue?, events?, requests?, numbers?]));
        }
        match self {
            Windows::Known(windows) => Ok(windows),
            Windows::Unread(..) => unreachable!("invariant: they were just read"),
        }
    }
}

/// The work of the leader. When it ends, by a panic too, everybody who waits is told how it went.
struct Lead<'a> {
    log: &'a FileLog,
    /// The number of the last chunk that is on disk now, or why there is none.
    written: Result<u64, String>,
}

impl<'a> Lead<'a> {
    fn take(log: &'a FileLog, queue: &mut Queue) -> Lead<'a> {
        queue.leading = true;
        Lead { log, written: Err("the write did not come to an end".to_owned()) }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = self.log.queue();
        queue.leading = false;
        match &self.written {
            Ok(upto) => queue.synced = *upto,
            Err(reason) => queue.failed = Some(reason.clone()),
        }
        self.log.done.notify_all();
    }
}

/// Facts as frames, in the order given.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    frames: Vec<(TopicKind, EventId, Range<usize>)>,
}

impl FileLog {
    /// Opens or makes the log in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<FileLog, StoreError> {
        FileLog::open_with(directory, LIMITS)
    }

    fn open_with(directory: &Path, limits: Limits) -> Result<FileLog, StoreError> {
        directory::make(directory)?;
        let lock = take_lock(&directory.join("lock"))?;
        for topic in TopicKind::ALL.map(|kind| directory.join(kind.as_str())) {
            std::fs::create_dir_all(&topic).map_err(StoreError::io(&topic))?;
        }
        directory::sync(directory).map_err(StoreError::io(directory))?;
        let open = |kind: TopicKind| Topic::open(&directory.join(kind.as_str()), limits.segment_bytes_max);
        let [catalogue, events, requests, numbers] = TopicKind::ALL;
        let opened = [open(catalogue)?, open(events)?, open(requests)?, open(numbers)?];
        let next = opened.each_ref().map(|(topic, ..)| topic.next());
        let visible = opened.each_ref().map(|(_, visible, _)| visible.clone());
        let [a, b, c, d] = opened.map(|(topic, _, latest)| (topic, latest));
        let (topics, latest) = ([a.0, b.0, c.0, d.0], [a.1, b.1, c.1, d.1]);
        let windows = Windows::Unread(Box::new(latest), limits.window_ids_max);
        let pending = TopicKind::ALL.map(|_| Pending::default());
        let queue = Queue { pending, windows, next, queued: 0, synced: 0, leading: false, failed: None };
        let (queue, topics) = (Mutex::new(queue), Mutex::new(topics));
        Ok(FileLog { queue, done: Condvar::new(), topics, visible, _lock: lock })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until chunk `number` is on disk, and does the work itself when nobody else is at it.
    fn sync(&self, number: u64) -> Result<(), StoreError> {
        let mut queue = self.queue();
        loop {
            if queue.synced >= number {
                return Ok(());
            }
            queue.check()?;
            if queue.leading {
                queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let mut lead = Lead::take(self, &mut queue);
            let group = std::mem::replace(&mut queue.pending, TopicKind::ALL.map(|_| Pending::default()));
            let upto = queue.queued;
            drop(queue);
            lead.written = self.write(group).map(|()| upto).map_err(|error| error.to_string());
            drop(lead);
            queue = self.queue();
        }
    }

    fn write(&self, group: [Pending; TOPICS]) -> Result<(), StoreError> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, pending) in topics.iter_mut().zip(group) {
            if pending.records > 0 {
                topic.write(pending)?;
            }
        }
        Ok(())
    }
}

impl Queue {
    fn check(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |reason| Err(StoreError::Stopped { reason: reason.clone() }))
    }

    /// Queues the facts of a chunk that are new. Returns how many that were and the number to wait for: facts that are
    /// known may still be on their way to disk, so that even a chunk of duplicates has to wait.
    fn push(&mut self, chunk: &Chunk) -> Result<(u64, u64), StoreError> {
        self.check()?;
        let mut new = 0;
        let windows = self.windows.known()?;
        for (kind, id, range) in &chunk.frames {
            let topic = *kind as usize;
            if windows[topic].insert(*id) {
                self.pending[topic].push(&chunk.bytes[range.clone()]);
                self.next[topic] += 1;
                new += 1;
            }
        }
        self.queued += u64::from(new > 0);
        Ok((new, self.queued))
    }
}

impl Chunk {
    /// Takes facts from the front of `facts` until the chunk is full; returns those that are left.
    fn fill<'a>(&mut self, mut facts: &'a [(EventId, Fact)]) -> Result<&'a [(EventId, Fact)], StoreError> {
        self.bytes.clear();
        self.frames.clear();
        while let Some(((id, fact), rest)) = facts.split_first()
            && self.bytes.len() < CHUNK_BYTES
        {
            let start = self.bytes.len();
            let length = frame::push(&mut self.bytes, frame::FACT, *id, |out| codec::encode(*id, fact, out));
            if length > FACT_BYTES_MAX {
                return Err(StoreError::Invalid(format!(
                    "the fact of event id {id} takes {length} bytes, at most {FACT_BYTES_MAX} are kept"
                )));
            }
            self.frames.push((fact.topic(), *id, start..self.bytes.len()));
            facts = rest;
        }
        Ok(facts)
    }
}

impl EventLog for FileLog {
    fn append(&self, mut facts: &[(EventId, Fact)]) -> Result<Appended, StoreError> {
        let mut queue = self.queue();
        queue.windows.known()?;
        let mut appended = Appended { ends: queue.next, ..Appended::default() };
        drop(queue);
        let mut chunk = Chunk::default();
        while !facts.is_empty() {
            facts = chunk.fill(facts)?;
            let (new, number, ends) = {
                let mut queue = self.queue();
                let (new, number) = queue.push(&chunk)?;
                (new, number, queue.next)
            };
            self.sync(number)?;
            appended.appended += new;
            appended.duplicates += chunk.frames.len() as u64 - new;
            appended.ends = ends;
        }
        Ok(appended)
    }

    fn read(&self, topic: TopicKind, from: u64, max: usize) -> Result<Vec<Record>, StoreError> {
        self.visible[topic as usize].read(from, max)
    }

    fn end(&self, topic: TopicKind) -> u64 {
        self.visible[topic as usize].end()
    }

    fn wait(&self, topic: TopicKind, from: u64, timeout: Duration) -> bool {
        self.visible[topic as usize].wait(from, timeout)
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        if self.queue().failed.is_none() {
            let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            topics.iter_mut().for_each(Topic::close);
        }
    }
}

/// Locks a file and leaves this process's id in it, for the message that others get. The lock ends with the process.
fn take_lock(path: &Path) -> Result<File, StoreError> {
    let options = File::options().create(true).truncate(false).read(true).write(true).open(path);
    let mut file = options.map_err(StoreError::io(path))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(StoreError::io(path))?;
            write!(file, "{}", std::process::id()).map_err(StoreError::io(path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut id = String::new();
            let known = file.take(20).read_to_string(&mut id).is_ok() && id.parse::<u32>().is_ok();
            let holder = if known { format!(" (id {id})") } else { String::new() };
            Err(StoreError::Locked { path: path.to_owned(), holder })
        }
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// What a topic holds on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicReport {
    /// Which topic.
    pub topic: TopicKind,
    /// Segment files.
    pub segments: usize,
    /// Records in them.
    pub records: u64,
    /// Good bytes in them.
    pub bytes: u64,
    /// Bytes at the end that belong to no whole record: the rest of a write that was never acknowledged, or one that is
    /// going on right now.
    pub torn_bytes: u64,
    /// The directory.
    pub directory: PathBuf,
}

/// Reads every byte of an embedded log and checks it, without changing or locking anything; fails at the first damage.
pub fn verify_log(uri: &str) -> Result<Vec<TopicReport>, StoreError> {
    let root = address::log_directory(uri)?;
    TopicKind::ALL.into_iter().map(|topic| verify_topic(topic, root.join(topic.as_str()))).collect()
}

fn verify_topic(topic: TopicKind, directory: PathBuf) -> Result<TopicReport, StoreError> {
    let bases = if directory.is_dir() { topic::bases(&directory)? } else { Vec::new() };
    let mut report = TopicReport { topic, segments: bases.len(), records: 0, bytes: 0, torn_bytes: 0, directory };
    for (number, &base) in bases.iter().enumerate() {
        let records = bases.get(number + 1).map(|next| next - base);
        let path = topic::segment_path(&report.directory, base);
        let scanned = scan_segment(&path, base, records, &mut |_| {})?;
        report.records += scanned.records;
        report.bytes += scanned.bytes;
        report.torn_bytes += scanned.torn_bytes;
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
