//! Where each message stands: planned → sending → sent | failed (again at) | dead.
//!
//! A pure function of its entries. Who wires it writes an entry so that it lasts, applies it, and only then acts.

use super::params::{DeliverParams, Unknown};
use super::{Outcome, Refused};
use crate::{Key, Message, NotifyError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Longest reason that is kept (characters).
const REASON_CHARS_MAX: usize = 200;

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// It is to be sent.
    Planned {
        /// All of it.
        message: Box<Message>,
    },
    /// An attempt begins. Written before anything leaves this machine.
    Sending {
        /// Which one.
        key: Key,
        /// When (ms, UTC).
        at_ms: u64,
    },
    /// The channel took it.
    Sent {
        /// Which one.
        key: Key,
        /// When (ms, UTC).
        at_ms: u64,
    },
    /// The attempt did not succeed; there is another one.
    Failed {
        /// Which one.
        key: Key,
        /// When (ms, UTC).
        at_ms: u64,
        /// When it is tried again at the earliest (ms, UTC).
        retry_ms: u64,
        /// Why.
        reason: String,
    },
    /// It may not go out at this moment.
    Postponed {
        /// Which one.
        key: Key,
        /// Until when (ms, UTC).
        until_ms: u64,
    },
    /// It is not tried any more: the dead letters.
    Dead {
        /// Which one.
        key: Key,
        /// When (ms, UTC).
        at_ms: u64,
        /// Why.
        reason: String,
    },
}

impl Entry {
    /// The key of its message.
    pub fn key(&self) -> Key {
        match self {
            Entry::Planned { message } => message.key,
            Entry::Sending { key, .. }
            | Entry::Sent { key, .. }
            | Entry::Failed { key, .. }
            | Entry::Postponed { key, .. }
            | Entry::Dead { key, .. } => *key,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Entry::Planned { .. } => "planned",
            Entry::Sending { .. } => "sending",
            Entry::Sent { .. } => "sent",
            Entry::Failed { .. } => "failed",
            Entry::Postponed { .. } => "postponed",
            Entry::Dead { .. } => "dead",
        }
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes out at this moment or later (ms, UTC).
    Planned(u64),
    /// An attempt began, and nothing is known of its end.
    Sending,
    /// The channel took it.
    Sent,
    /// It is tried again at this moment or later (ms, UTC).
    Failed(u64),
    /// It is not tried any more.
    Dead,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Planned(_) => "planned",
            State::Sending => "sending",
            State::Sent => "sent",
            State::Failed(_) => "failed",
            State::Dead => "dead",
        }
    }

    fn due_ms(self) -> Option<u64> {
        match self {
            State::Planned(at_ms) | State::Failed(at_ms) => Some(at_ms),
            _ => None,
        }
    }
}

/// A message and where it stands; of those that are done only the key is kept.
#[derive(Clone, Debug)]
struct Slot {
    state: State,
    attempts: u32,
    expires_ms: u64,
    message: Option<Box<Message>>,
}

/// All messages on their way, and the keys of those that are done.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    slots: BTreeMap<Key, Slot>,
    due: BTreeSet<(u64, Key)>,
    sending: BTreeSet<Key>,
    /// Messages that expired before this moment are not known any more, and not taken (ms, UTC).
    forgotten_ms: u64,
}

impl Outbox {
    /// The entry that plans a message; none where its key is known: it is planned already, or was sent.
    ///
    /// # Errors
    /// [`NotifyError::Full`] where [`DeliverParams::open_max`] messages are open, [`NotifyError::Invalid`] where the
    /// message expires before what is remembered.
    pub fn plan(&self, params: &DeliverParams, message: Message) -> Result<Option<Entry>, NotifyError> {
        if self.slots.contains_key(&message.key) {
            return Ok(None);
        }
        if self.open() >= params.open_max {
            return Err(NotifyError::Full(params.open_max));
        }
        self.check(&message)?;
        Ok(Some(Entry::Planned { message: Box::new(message) }))
    }

    fn check(&self, message: &Message) -> Result<(), NotifyError> {
        if message.expires_ms > self.forgotten_ms {
            return Ok(());
        }
        let reason = format!("it expires at {}; keys up to {} are forgotten", message.expires_ms, self.forgotten_ms);
        Err(NotifyError::invalid(format!("message {}", message.key), reason))
    }

    /// Takes an entry in.
    ///
    /// # Errors
    /// [`NotifyError::Order`] where the entry does not follow from where the message stands, and nothing is changed; so
    /// no sequence of entries sends a message that is done.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), NotifyError> {
        let key = entry.key();
        let wrong = |state| NotifyError::Order { key: key.to_string(), entry: entry.name(), state };
        let Some(slot) = self.slots.get_mut(&key) else {
            let Entry::Planned { message } = entry else { return Err(wrong("unknown")) };
            self.check(message)?;
            let (state, expires_ms) = (State::Planned(message.at_ms), message.expires_ms);
            self.due.insert((message.at_ms, key));
            self.slots.insert(key, Slot { state, attempts: 0, expires_ms, message: Some(message.clone()) });
            return Ok(());
        };
        let state = match (slot.state, entry) {
            (State::Planned(_) | State::Failed(_), Entry::Sending { .. }) => State::Sending,
            (State::Planned(_), Entry::Postponed { until_ms, .. }) => State::Planned(*until_ms),
            (State::Failed(_), Entry::Postponed { until_ms, .. }) => State::Failed(*until_ms),
            (State::Sending, Entry::Sent { .. }) => State::Sent,
            (State::Sending, Entry::Failed { retry_ms, .. }) => State::Failed(*retry_ms),
            (State::Planned(_) | State::Failed(_) | State::Sending, Entry::Dead { .. }) => State::Dead,
            (state, _) => return Err(wrong(state.name())),
        };
        if let Some(at_ms) = slot.state.due_ms() {
            self.due.remove(&(at_ms, key));
        }
        self.sending.remove(&key);
        match state {
            State::Planned(at_ms) | State::Failed(at_ms) => {
                self.due.insert((at_ms, key));
            }
            State::Sending => {
                slot.attempts += 1;
                self.sending.insert(key);
            }
            State::Sent | State::Dead => slot.message = None,
        }
        slot.state = state;
        Ok(())
    }

    /// Makes the outbox of a journal: all entries in their order. Says how many were passed over because they do not
    /// follow from what came before. Those are there where an append failed though its entries were written, and the
    /// process went on: what was written first counts, and a message that is done stays done.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] as [`apply`](Outbox::apply).
    pub fn replay<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<usize, NotifyError> {
        let mut over = 0;
        for entry in entries {
            match self.apply(entry) {
                Err(NotifyError::Order { .. }) => over += 1,
                other => other?,
            }
        }
        Ok(over)
    }

    /// Up to `most` messages that are to go out at `now_ms`, those that wait longest first.
    pub fn due(&self, now_ms: u64, most: usize) -> Vec<&Message> {
        let due = self.due.range(..=(now_ms, Key(u128::MAX))).take(most);
        due.filter_map(|(_, key)| self.slots.get(key)?.message.as_deref()).collect()
    }

    /// When the next message is due (ms, UTC).
    pub fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }

    /// Where a message stands, and how many attempts were begun.
    pub fn state(&self, key: Key) -> Option<(State, u32)> {
        self.slots.get(&key).map(|slot| (slot.state, slot.attempts))
    }

    /// Messages that are neither sent nor dead.
    pub fn open(&self) -> usize {
        self.due.len() + self.sending.len()
    }

    /// Whose attempts began and have no end: while nothing is being sent, these are unknown.
    pub fn unsettled(&self) -> Vec<Key> {
        self.sending.iter().copied().collect()
    }

    /// The entry that follows from how an attempt ended; none where no attempt of this key is under way.
    pub fn settle(&self, params: &DeliverParams, key: Key, outcome: &Outcome, now_ms: u64) -> Option<Entry> {
        let slot = self.slots.get(&key).filter(|slot| slot.state == State::Sending)?;
        let channel = slot.message.as_ref()?.channel;
        let dead = |reason: &str| Some(Entry::Dead { key, at_ms: now_ms, reason: cut(reason) });
        let reason = match outcome {
            Outcome::Accepted => return Some(Entry::Sent { key, at_ms: now_ms }),
            Outcome::Refused(Refused(reason)) => return dead(reason),
            Outcome::Unknown(reason) if params.unknown(channel) == Unknown::GiveUp => {
                return dead(&format!("it is not known whether it arrived: {reason}"));
            }
            Outcome::Failed { reason, .. } | Outcome::Unknown(reason) => reason,
        };
        if slot.attempts >= params.attempts_max {
            return dead(&format!("attempt {}: {reason}", slot.attempts));
        }
        let retry_ms = now_ms.saturating_add(params.wait_ms(key, slot.attempts, outcome));
        if retry_ms >= slot.expires_ms {
            return dead(&format!("expires before another attempt: {reason}"));
        }
        Some(Entry::Failed { key, at_ms: now_ms, retry_ms, reason: cut(reason) })
    }

    /// Forgets the keys of messages that are done and expired before `before_ms`. From then on no message that expired
    /// before it is taken, so that a forgotten key cannot be sent again.
    pub fn forget(&mut self, before_ms: u64) {
        self.forgotten_ms = self.forgotten_ms.max(before_ms);
        let forgotten_ms = self.forgotten_ms;
        self.slots.retain(|_, slot| slot.message.is_some() || slot.expires_ms > forgotten_ms);
    }
}

fn cut(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}
