//! From the log into the views, and back to where it was after a restart.

use crate::apply::Changes;
use crate::error::ServingError;
use crate::layout::{self, CONSUMER, PIN, PINNER, REQUEST};
use crate::numbers::{self, Numbers};
use crate::views::{Views, lock, read, write};
use domain::{EventId, Fact, PinId, PinnerId, RequestRecord, TopicKind};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Batch, EventLog, StateStore};

/// Most facts of one batch, by topic in the order of [`TopicKind::FOLLOWED`].
const BATCH_MAX: [usize; 3] = [4_096, 32_768, 256];

/// How long an idle consumer sleeps when no event comes; other topics are looked at this often.
const IDLE: Duration = Duration::from_millis(100);

/// How long it rests after an error before it tries again.
const REST: Duration = Duration::from_secs(1);

/// How long requests can be found after they were served (ms): 30 days.
const REQUESTS_KEPT_MS: u64 = 30 * 86_400_000;

/// Most outdated requests that one batch forgets.
const FORGET_MAX: usize = 512;

/// Reads the log from where the state says it was, applies it to the views and writes what changed together with the
/// new offsets: after a crash the views are restored from the state and the rest of the log is read, so every fact
/// counts once.
pub struct Consumer {
    log: Arc<dyn EventLog>,
    state: Arc<dyn StateStore>,
    views: Arc<Views>,
    progress: Mutex<Progress>,
    /// Offsets up to which the views are, by topic.
    reached: [AtomicU64; 3],
    trouble: Mutex<Option<String>>,
    refused: AtomicU64,
}

/// What was applied to the views and is not in the state yet.
#[derive(Default)]
struct Progress {
    next: [u64; 3],
    written: [u64; 3],
    /// How many ids of each kind have their numbers in the log.
    numbered: Numbers,
    edge_run: u64,
    changes: Changes,
    requests: Vec<(EventId, u64)>,
}

impl Consumer {
    /// Restores the views from the state, the numbers and the catalogue topic. What came to the log later waits for
    /// [`Consumer::catch_up`].
    pub fn open(
        log: Arc<dyn EventLog>,
        state: Arc<dyn StateStore>,
        views: Arc<Views>,
    ) -> Result<Consumer, ServingError> {
        let mut progress = Progress::default();
        for topic in TopicKind::FOLLOWED {
            let offset = state.offset(CONSUMER, topic)?;
            let end = log.end(topic);
            if offset > end {
                return Err(ServingError::StateAhead { topic, offset, end });
            }
            progress.next[topic as usize] = offset;
        }
        layout::check_numbers(&*state, &*log)?;
        progress.written = progress.next;
        progress.numbered = views.read_numbers(&*log)?;
        restore_signals(&*state, &views)?;
        let (edges, edge_run) = layout::read_edges(&*state)?;
        progress.edge_run = edge_run;
        views.restore_graph(&edges);
        restore_descriptions(&*log, progress.next[TopicKind::Catalogue as usize], &views)?;
        let reached = progress.next.map(AtomicU64::new);
        let (progress, trouble) = (Mutex::new(progress), Mutex::new(None));
        Ok(Consumer { log, state, views, progress, reached, trouble, refused: AtomicU64::new(0) })
    }

    /// The views that it feeds.
    pub fn views(&self) -> &Arc<Views> {
        &self.views
    }

    /// Applies all that is in the log, the catalogue first. Returns the number of facts.
    pub fn catch_up(&self) -> Result<u64, ServingError> {
        self.catch_up_with(|_, _| ())
    }

    /// [`Consumer::catch_up`] that tells how many facts are done and how many there are, after each batch.
    pub fn catch_up_with(&self, mut told: impl FnMut(u64, u64)) -> Result<u64, ServingError> {
        let (mut done, waiting) = (0, self.lag().iter().sum::<u64>());
        for topic in TopicKind::FOLLOWED {
            loop {
                let applied = self.step(topic)? as u64;
                if applied == 0 {
                    break;
                }
                done += applied;
                self.views.tidy_now();
                told(done, waiting.max(done));
            }
        }
        Ok(done)
    }

    /// Follows the log until `stop` is set. An error is told ([`Consumer::trouble`]) and tried again; a panic is told
    /// and ends it.
    pub fn run(&self, stop: &AtomicBool) {
        let _told = Fall(self);
        while !stop.load(Ordering::Relaxed) {
            self.views.tidy();
            match TopicKind::FOLLOWED.iter().try_fold(0, |done, &topic| Ok(done + self.step(topic)?)) {
                Ok(0) => {
                    self.set_trouble(None);
                    let next = self.reached[TopicKind::Events as usize].load(Ordering::Acquire);
                    self.log.wait(TopicKind::Events, next, IDLE);
                }
                Ok(_) => self.set_trouble(None),
                Err(error) => {
                    self.set_trouble(Some(error));
                    std::thread::sleep(REST);
                }
            }
        }
    }

    /// Facts in the log whose effects are not in views and state yet, by topic in the order of [`TopicKind::FOLLOWED`].
    pub fn lag(&self) -> [u64; 3] {
        TopicKind::FOLLOWED.map(|topic| {
            let reached = self.reached[topic as usize].load(Ordering::Acquire);
            self.log.end(topic).saturating_sub(reached)
        })
    }

    /// What keeps it from going on, if anything does.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// How many facts could not be applied.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The record of a request: that of its latest page with a ranking. `None` when there is none or it is older than
    /// 30 days.
    pub fn find_request(&self, id: EventId) -> Result<Option<RequestRecord>, ServingError> {
        let Some(bytes) = self.state.get(REQUEST, &layout::request_key(id))? else { return Ok(None) };
        let odd = || ServingError::BadState { space: REQUEST, reason: "odd offset".to_owned() };
        let offset = bytes.try_into().map(u64::from_le_bytes).map_err(|_| odd())?;
        let found = self.log.read(TopicKind::Requests, offset, 1)?;
        Ok(found.into_iter().find_map(|(_, _, fact)| match fact {
            Fact::Served(record) if record.request_id == id => Some(*record),
            _ => None,
        }))
    }

    fn set_trouble(&self, error: Option<ServingError>) {
        let mut trouble = lock(&self.trouble);
        if let Some(error) = &error {
            tracing::error!(%error, "the consumer cannot go on, and will try again");
        }
        *trouble = error.map(|error| error.to_string());
    }

    /// Applies one batch of a topic; 0 when nothing waits.
    fn step(&self, topic: TopicKind) -> Result<usize, ServingError> {
        let mut progress = lock(&self.progress);
        self.write_state(&mut progress)?;
        let place = topic as usize;
        let facts = self.log.read(topic, progress.next[place], BATCH_MAX[place])?;
        let Some((last, _, _)) = facts.last() else { return Ok(0) };
        let changes = self.views.apply(topic, &facts);
        progress.requests.extend(facts.iter().filter_map(|(offset, _, fact)| match fact {
            // A later page whose ranking had lost its trace says less than the first one.
            Fact::Served(record) if record.offset == 0 || !record.trace.ranked.is_empty() => {
                Some((record.request_id, *offset))
            }
            _ => None,
        }));
        self.refused.fetch_add(changes.refused, Ordering::Relaxed);
        changes.reasons.iter().for_each(|reason| tracing::warn!(%reason, "a fact was not applied"));
        progress.changes = changes;
        progress.next[place] = last + 1;
        self.views.commit_text()?;
        self.write_state(&mut progress)?;
        Ok(facts.len())
    }

    /// Writes what was applied, with its offsets, in one batch. After an error the same is tried again.
    fn write_state(&self, progress: &mut Progress) -> Result<(), ServingError> {
        if progress.next == progress.written {
            return Ok(());
        }
        // Numbers are durable before anything that speaks of them.
        let (facts, numbered) = numbers::facts(&read(&self.views.catalogue), progress.numbered);
        self.log.append(&facts)?;
        progress.numbered = numbered;
        let mut batch = Batch::new();
        batch.offset(CONSUMER, TopicKind::Numbers, self.log.end(TopicKind::Numbers));
        self.put_signals(&mut batch, &progress.changes);
        let mut edge_run = progress.edge_run;
        layout::put_edges(&mut batch, &progress.changes.edges, &mut edge_run);
        self.put_requests(&mut batch, &progress.requests)?;
        for topic in TopicKind::FOLLOWED {
            batch.offset(CONSUMER, topic, progress.next[topic as usize]);
        }
        self.state.write(batch)?;
        let next = progress.next;
        for topic in TopicKind::FOLLOWED {
            self.reached[topic as usize].store(next[topic as usize], Ordering::Release);
        }
        *progress = Progress { next, written: next, numbered, edge_run, ..Progress::default() };
        Ok(())
    }

    fn put_signals(&self, batch: &mut Batch, changes: &Changes) {
        let signals = read(&self.views.signals);
        for pinner in &changes.pinners {
            batch.put(PINNER, pinner.0.to_be_bytes(), signals.encode_pinner(*pinner));
        }
        for pin in &changes.pins {
            batch.put(PIN, pin.0.to_be_bytes(), signals.encode_pin(*pin));
        }
    }

    fn put_requests(&self, batch: &mut Batch, requests: &[(EventId, u64)]) -> Result<(), ServingError> {
        let Some(newest_ms) = requests.iter().map(|(id, _)| id.ts_ms()).max() else { return Ok(()) };
        let oldest = EventId::new(newest_ms.saturating_sub(REQUESTS_KEPT_MS), 0);
        for (key, _) in self.state.scan(REQUEST, &[0], FORGET_MAX)? {
            if key.as_slice() >= layout::request_key(oldest).as_slice() {
                break;
            }
            batch.delete(REQUEST, key);
        }
        for (id, offset) in requests {
            batch.put(REQUEST, layout::request_key(*id), offset.to_le_bytes());
        }
        Ok(())
    }
}

/// Tells of a panic in the thread that follows the log: answers would grow old, and nobody would know why.
struct Fall<'a>(&'a Consumer);

impl Drop for Fall<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let told = "a defect ended the consumer, and the views stand still: restart the server";
            *lock(&self.0.trouble) = Some(told.to_owned());
        }
    }
}

fn restore_signals(state: &dyn StateStore, views: &Views) -> Result<(), ServingError> {
    let mut signals = write(&views.signals);
    layout::each_id(state, PINNER, |id, bytes| {
        signals.restore_pinner(PinnerId(id), bytes).map_err(|error| error.to_string())
    })?;
    layout::each_id(state, PIN, |id, bytes| signals.restore_pin(PinId(id), bytes).map_err(|error| error.to_string()))
}

/// Reads the catalogue topic up to `end` again, then derives what follows from all of it at once.
fn restore_descriptions(log: &dyn EventLog, end: u64, views: &Views) -> Result<(), ServingError> {
    let mut changes = Changes::default();
    let mut touched = BTreeSet::new();
    let mut next = 0;
    while next < end {
        let max = BATCH_MAX[0].min((end - next) as usize);
        let facts = log.read(TopicKind::Catalogue, next, max)?;
        let Some((last, _, _)) = facts.last() else { break };
        next = last + 1;
        touched.extend(views.apply_catalogue(&facts, &mut changes));
    }
    views.derive(&mut lock(&views.writer), &touched, &mut changes);
    changes.reasons.iter().for_each(|reason| tracing::warn!(%reason, "a fact was not restored"));
    views.commit_text()
}
