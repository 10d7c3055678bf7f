//! From the log into the views.

use crate::error::ServingError;
use crate::numbers::{self, Numbers};
use crate::snapshot::{Opened, Place};
use crate::views::{Views, lock, read};
use domain::{EventId, Fact, RequestRecord, TopicKind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Batch, EventLog, Snapshots, StateStore};

/// Who says in the state how far it has come, and the space of the state where it keeps, by request id, the offset of
/// the request's newest record with a ranking.
const CONSUMER: &str = "views";
const REQUEST: &str = "request";

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

/// Follows the log from where the views are, so that every fact counts once. What the views are is kept as a snapshot
/// from time to time, with the offsets up to which they were made: after a crash the newest snapshot is opened, and the
/// rest of the log is read.
pub struct Consumer {
    log: Arc<dyn EventLog>,
    state: Arc<dyn StateStore>,
    views: Arc<Views>,
    progress: Mutex<Progress>,
    /// Offsets up to which the views are, by topic.
    reached: [AtomicU64; 3],
    /// The number of the snapshot that the views are from.
    snapshot: Option<u64>,
    /// Facts of catalogue and events up to which there is a snapshot.
    kept: AtomicU64,
    keeping: Mutex<()>,
    trouble: Mutex<Option<String>>,
    refused: AtomicU64,
}

/// What was applied to the views, and which of it is settled: numbers in the log, requests in the state.
#[derive(Default)]
struct Progress {
    next: [u64; 3],
    settled: [u64; 3],
    /// How many ids of each kind have their numbers in the log.
    numbered: Numbers,
    requests: Vec<(EventId, u64)>,
}

impl Consumer {
    /// Goes on from the views of a snapshot, if they were made of this log, or from none. What came to the log later
    /// waits for [`Consumer::catch_up`].
    pub fn open(log: Arc<dyn EventLog>, state: Arc<dyn StateStore>, opened: Opened) -> Result<Consumer, ServingError> {
        let topic = TopicKind::Requests;
        let (offset, end) = (state.offset(CONSUMER, topic)?, log.end(topic));
        if offset > end {
            return Err(ServingError::StateAhead { topic, offset, end });
        }
        let Opened { views, place, number: snapshot, .. } = opened.fit(&*log)?;
        let mut next = TopicKind::FOLLOWED.map(|topic| place.offsets[topic as usize]);
        next[topic as usize] = offset;
        let numbered = views.read_numbers(&*log, place.offsets[TopicKind::Numbers as usize])?;
        let progress = Mutex::new(Progress { next, settled: next, numbered, requests: Vec::new() });
        Ok(Consumer {
            log,
            state,
            views: Arc::new(views),
            progress,
            reached: next.map(AtomicU64::new),
            snapshot,
            kept: AtomicU64::new(facts(next)),
            keeping: Mutex::new(()),
            trouble: Mutex::new(None),
            refused: AtomicU64::new(0),
        })
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
            self.views.suggest();
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

    /// The number of the snapshot that it began with; `None` when it began with nothing.
    pub fn snapshot(&self) -> Option<u64> {
        self.snapshot
    }

    /// How many facts were applied since the views were last kept.
    pub fn since_kept(&self) -> u64 {
        let reached = [0, 1, 2].map(|topic: usize| self.reached[topic].load(Ordering::Acquire));
        facts(reached).saturating_sub(self.kept.load(Ordering::Acquire))
    }

    /// Keeps the views as a snapshot; its number, or `None` when nothing was applied since the last one or contents of
    /// a newer embedding space have only begun to come. Requests go on all the time, the log is followed again as soon
    /// as the views are copied, and writing is done beside.
    pub fn keep(&self, snapshots: &Snapshots) -> Result<Option<u64>, ServingError> {
        let _one_at_a_time = lock(&self.keeping);
        let (taken, kept) = {
            let mut progress = lock(&self.progress);
            self.settle(&mut progress)?;
            self.views.commit_text()?;
            let mut offsets = [0; TopicKind::ALL.len()];
            offsets[..2].copy_from_slice(&progress.next[..2]);
            offsets[TopicKind::Numbers as usize] = self.log.end(TopicKind::Numbers);
            if facts(progress.next) == self.kept.load(Ordering::Acquire) || self.views.half_embedded() {
                return Ok(None);
            }
            let (topic, offset) = (TopicKind::Catalogue, progress.next[0]);
            let behind = || ServingError::StateAhead { topic, offset, end: self.log.end(topic) };
            let place = Place::of(&*self.log, offsets)?.ok_or_else(behind)?;
            (self.views.take(place)?, facts(progress.next))
        };
        let number = taken.write(snapshots)?;
        self.kept.store(kept, Ordering::Release);
        Ok(Some(number))
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
        let Some(bytes) = self.state.get(REQUEST, &request_key(id))? else { return Ok(None) };
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
        self.settle(&mut progress)?;
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
        progress.next[place] = last + 1;
        self.views.commit_text()?;
        self.settle(&mut progress)?;
        Ok(facts.len())
    }

    /// Writes down what others will speak of: the numbers of new ids, and where requests are found. After an error the
    /// same is tried again.
    fn settle(&self, progress: &mut Progress) -> Result<(), ServingError> {
        let next = progress.next;
        if next == progress.settled {
            return Ok(());
        }
        // Numbers are durable before anything that speaks of them.
        let (facts, numbered) = numbers::facts(&read(&self.views.catalogue), progress.numbered);
        if !facts.is_empty() {
            self.log.append(&facts)?;
        }
        progress.numbered = numbered;
        let requests = TopicKind::Requests;
        if next[requests as usize] != progress.settled[requests as usize] {
            let mut batch = Batch::new();
            self.put_requests(&mut batch, &progress.requests)?;
            batch.offset(CONSUMER, requests, next[requests as usize]);
            self.state.write(batch)?;
            progress.requests.clear();
        }
        progress.settled = next;
        self.reached.iter().zip(next).for_each(|(reached, next)| reached.store(next, Ordering::Release));
        Ok(())
    }

    fn put_requests(&self, batch: &mut Batch, requests: &[(EventId, u64)]) -> Result<(), ServingError> {
        let Some(newest_ms) = requests.iter().map(|(id, _)| id.ts_ms()).max() else { return Ok(()) };
        let oldest = EventId::new(newest_ms.saturating_sub(REQUESTS_KEPT_MS), 0);
        for (key, _) in self.state.scan(REQUEST, &[0], FORGET_MAX)? {
            if key.as_slice() >= request_key(oldest).as_slice() {
                break;
            }
            batch.delete(REQUEST, key);
        }
        for (id, offset) in requests {
            batch.put(REQUEST, request_key(*id), offset.to_le_bytes());
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

fn request_key(id: EventId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// How many facts of catalogue and events lie before these offsets.
fn facts([catalogue, events, _]: [u64; 3]) -> u64 {
    catalogue + events
}
