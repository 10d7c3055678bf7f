//! Where rows go: checked one by one, named so that a second import adds nothing, appended in large durable batches.

use super::known::Known;
use super::lines::Lines;
use super::pictures::{self, Pictures, Waiting};
use super::repeats::Repeats;
use super::summary::{Refused, Summary};
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use crate::stop::Stop;
use crate::understand::understood_id;
use anyhow::{Context, Result, anyhow};
use domain::{EventId, Fact, Pin, hash64};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use store::EventLog;

/// Facts of one append: large enough that one fsync is cheap, small enough that two fit in memory many times.
const BATCH_FACTS: usize = 8_192;
/// Batches that may wait for the log while the next is read.
const BATCHES_WAITING_MAX: usize = 2;

pub(super) type Batch = Vec<(EventId, Fact)>;

/// Takes rows of one import.
pub(crate) struct Sink {
    format: &'static str,
    now_ms: u64,
    stop: Stop,
    row: Row,
    repeats: Repeats,
    batch: Batch,
    waiting: Vec<Waiting>,
    known: Known,
    pictures: Pictures,
    sender: Option<SyncSender<Batch>>,
    writer: Option<JoinHandle<Result<Written>>>,
    /// What happened so far.
    pub summary: Summary,
    refused: Refused,
}

/// Where a row came from, and what its facts' names are made of.
#[derive(Default)]
struct Row {
    file: String,
    line: u64,
    /// Hash of `file`.
    place: u64,
    /// Hash of what its cells say.
    says: [u64; 2],
    /// How many rows said the same before; looked up when a fact needs a name.
    repeats: Option<u64>,
}

#[derive(Default)]
struct Written {
    accepted: u64,
    duplicates: u64,
}

impl Sink {
    /// A sink into the event log of `setup`.
    pub(crate) fn open(format: &'static str, setup: &Setup, refused: Refused) -> Result<Sink> {
        let log = setup.log()?;
        let known = Known::read(log.as_ref())?;
        Sink::new(format, setup, refused, known, move |batch| {
            let appended = log.append(&batch).context("cannot append to the event log")?;
            Ok(Written { accepted: appended.appended, duplicates: appended.duplicates })
        })
    }

    /// A sink that keeps what a log does not hold, and the place where it is kept.
    pub(crate) fn keeping(
        format: &'static str,
        setup: &Setup,
        log: &dyn EventLog,
    ) -> Result<(Sink, Arc<Mutex<Batch>>)> {
        let kept = Arc::new(Mutex::new(Batch::new()));
        let to = kept.clone();
        let sink = Sink::new(format, setup, Refused::new(10, None)?, Known::read(log)?, move |batch| {
            let accepted = batch.len() as u64;
            to.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
            Ok(Written { accepted, duplicates: 0 })
        })?;
        Ok((sink, kept))
    }

    /// A sink whose batches go to `write`, on a thread of its own.
    fn new(
        format: &'static str,
        setup: &Setup,
        refused: Refused,
        known: Known,
        write: impl Fn(Batch) -> Result<Written> + Send + 'static,
    ) -> Result<Sink> {
        let pictures = Pictures::new(setup)?;
        let (sender, receiver) = sync_channel::<Batch>(BATCHES_WAITING_MAX);
        let writer = std::thread::Builder::new().name("import-log".into()).spawn(move || {
            let mut written = Written::default();
            for batch in receiver {
                let more = write(batch)?;
                written.accepted += more.accepted;
                written.duplicates += more.duplicates;
            }
            Ok(written)
        })?;
        Ok(Sink {
            format,
            now_ms: now_ms(),
            stop: setup.stop.clone(),
            row: Row::default(),
            repeats: Repeats::default(),
            batch: Vec::with_capacity(BATCH_FACTS),
            waiting: Vec::new(),
            known,
            pictures,
            sender: Some(sender),
            writer: Some(writer),
            summary: Summary::new(format),
            refused,
        })
    }

    /// A row begins. Its facts are named by what its cells say and by how many rows of the file said the same before:
    /// a changed row is a new fact, a repeated one stays apart, and one that only moved is known.
    pub(crate) fn row<'a>(&mut self, file: &str, line: u64, cells: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        self.stop.check()?;
        if self.row.file != file {
            file.clone_into(&mut self.row.file);
            self.row.place = mixed(0, &[file]);
            self.repeats.clear();
        }
        let mut hash = Sha256::new_with_prefix(self.format);
        for cell in cells {
            hash.update((cell.len() as u64).to_le_bytes());
            hash.update(cell);
        }
        let hash = hash.finalize();
        let half = |from: usize| hash[from..from + 8].iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        (self.row.line, self.row.says, self.row.repeats) = (line, [half(0), half(8)], None);
        self.summary.read += 1;
        Ok(())
    }

    /// Reads every line of a file as a row and tells its number; what is no text is refused, blank lines are passed
    /// over.
    pub(crate) fn each_line(
        &mut self,
        path: &Path,
        progress: &Arc<Progress>,
        mut take: impl FnMut(&str, u64, &mut Sink) -> Result<()>,
    ) -> Result<()> {
        let mut lines = Lines::open(path, progress)?;
        let file = lines.file().to_owned();
        while let Some(line) = lines.next()? {
            if line.bytes.trim_ascii().is_empty() && !line.too_long {
                continue;
            }
            self.row(&file, line.number, [line.bytes])?;
            match line.text() {
                Ok(text) => take(text, line.number, self)?,
                Err(reason) => self.refuse(&reason)?,
            }
        }
        Ok(())
    }

    /// The name of a fact of the row: from the row and from what the fact is about. Its place among the row's facts
    /// would not do, because what is held out or known already is left out.
    fn name(&mut self, fact: &Fact) -> EventId {
        let (ts_ms, about) = match fact {
            Fact::Event(event) => (event.ts_ms, [event.action.as_str(), event.pin.as_deref().unwrap_or_default()]),
            Fact::Pin(pin) => (pin.created_ms, ["pin of the catalogue", pin.id.as_str()]),
            Fact::Board(board) => (0, ["board", board.id.as_str()]),
            Fact::Pinner(pinner) => (0, ["pinner", pinner.id.as_str()]),
            _ => (0, ["", ""]),
        };
        // A moment that stands in for a missing one is another in each import.
        let ts_ms = if ts_ms == self.now_ms { 0 } else { ts_ms };
        // What was done at a moment of its own is the same in every file. What has none, or describes, may come again
        // in another file and mean it.
        let dated = matches!(fact, Fact::Event(_)) && ts_ms > 0;
        let about = mixed(if dated { 0 } else { self.row.place }, &about);
        let Row { line, says, repeats, .. } = &mut self.row;
        let repeats = *repeats.get_or_insert_with(|| self.repeats.count(says[0], *line));
        let [high, low] = says.map(|half| hash64(hash64(half ^ repeats) ^ about));
        EventId::new(ts_ms.min((1 << 48) - 1), u128::from(high) << 64 | u128::from(low))
    }

    /// Takes a fact of the row under a name made for it. Refuses the row when the fact is wrong.
    pub(crate) fn fact(&mut self, fact: Fact) -> Result<()> {
        let id = self.name(&fact);
        self.named(id, fact, None)
    }

    /// Takes a fact that brings its own name.
    pub(crate) fn fact_named(&mut self, id: EventId, fact: Fact) -> Result<()> {
        self.named(id, fact, None)
    }

    /// Takes a pin that brings its own name, with the bytes of its picture.
    pub(crate) fn pin_named(&mut self, id: EventId, pin: Pin, picture: Vec<u8>) -> Result<()> {
        self.named(id, Fact::Pin(pin), Some(picture))
    }

    /// Takes a pin of the row with the bytes of its picture.
    pub(crate) fn pin_with_picture(&mut self, pin: Pin, picture: Option<Vec<u8>>) -> Result<()> {
        let fact = Fact::Pin(pin);
        let id = self.name(&fact);
        self.named(id, fact, picture)
    }

    fn named(&mut self, id: EventId, mut fact: Fact, picture: Option<Vec<u8>>) -> Result<()> {
        if let Fact::Event(event) = &mut fact {
            event.event_id = id;
        }
        if let Err(refusal) = fact.check(self.now_ms) {
            return self.refuse(&refusal.to_string());
        }
        match fact {
            Fact::Pin(pin) => self.pin(id, pin, picture),
            fact => self.push(id, fact),
        }
    }

    /// Takes a pin with nothing but an id, unless the log or this import describes it already.
    pub(crate) fn bare_pin(&mut self, id: &str, created_ms: u64) -> Result<()> {
        if self.known.has_pin(id) {
            return Ok(());
        }
        self.fact(Fact::Pin(Pin { id: id.to_owned(), created_ms, ..Pin::default() }))
    }

    /// Refuses the row: it is counted, and told with its place.
    pub(crate) fn refuse(&mut self, reason: &str) -> Result<()> {
        self.summary.refused += 1;
        self.refused.tell(&self.row.file, self.row.line, reason)
    }

    /// The moment of the import (ms, UTC): bounds the times of events.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// What the log and this import hold already.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    fn pin(&mut self, id: EventId, pin: Pin, picture: Option<Vec<u8>>) -> Result<()> {
        self.known.add_pin(&pin.id);
        let understood = understood_id(id, self.pictures.embedder().space());
        if pictures::says_nothing(&pin, picture.as_deref()) {
            return self.push(id, Fact::Pin(pin));
        }
        if self.known.has(id) && self.known.has(understood) {
            self.summary.duplicates += 3;
            return Ok(());
        }
        self.waiting.push(Waiting { id, understood, pin, picture, file: self.row.file.clone(), line: self.row.line });
        if self.waiting.len() >= pictures::WAITING_MAX { self.understand() } else { Ok(()) }
    }

    /// Understands the pins that wait, in parallel; a picture that cannot be read is told, its pin is taken without.
    fn understand(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        for done in self.pictures.understand(waiting)? {
            if let Some(problem) = &done.problem {
                self.summary.pictures_refused += 1;
                self.refused.tell(&done.file, done.line, problem)?;
            }
            for (id, fact) in done.facts {
                self.push(id, fact)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, id: EventId, fact: Fact) -> Result<()> {
        if !self.known.add(id) {
            self.summary.duplicates += 1;
            return Ok(());
        }
        self.summary.count(&fact);
        self.batch.push((id, fact));
        if self.batch.len() < BATCH_FACTS { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<()> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_FACTS));
        let sent = self.sender.as_ref().is_some_and(|sender| sender.send(batch).is_ok());
        if sent { Ok(()) } else { Err(self.join().err().unwrap_or_else(|| anyhow!("the event log's thread ended"))) }
    }

    /// Brings what was taken into the log and says what happened.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.understand()?;
        if !self.batch.is_empty() {
            self.send()?;
        }
        self.join()?;
        self.refused.finish()
    }

    fn join(&mut self) -> Result<()> {
        self.sender = None;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let written = writer.join().map_err(|_| anyhow!("the event log's thread panicked"))??;
        self.summary.accepted += written.accepted;
        self.summary.duplicates += written.duplicates;
        Ok(())
    }
}

/// A hash of words that depends on where each ends.
fn mixed(start: u64, words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(start, |sum, byte| hash64(sum ^ u64::from(byte)))
}
