//! The app's own list of notifications: facts, and what they add up to.

use super::{Channel, Outcome, Refused};
use crate::{ChannelKind, Key, Message};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most notifications in a pinner's list; the oldest give way.
const LIST_MAX: usize = 100;

/// Something that happened to a pinner's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxEntry {
    /// A notification came.
    Added {
        /// All of it.
        message: Box<Message>,
        /// When (ms, UTC).
        at_ms: u64,
    },
    /// The pinner read it.
    Read {
        /// The pinner's id.
        pinner: String,
        /// Which one.
        key: Key,
    },
    /// The pinner took it away.
    Removed {
        /// The pinner's id.
        pinner: String,
        /// Which one.
        key: Key,
    },
}

/// Lists by pinner, made from entries in their order.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    lists: BTreeMap<String, Vec<Line>>,
}

#[derive(Clone, Debug)]
struct Line {
    /// None where it was removed: the key stays known.
    message: Option<Box<Message>>,
    key: Key,
    read: bool,
}

impl Inbox {
    /// Takes an entry in. One that adds a key again, or tells of an unknown one, changes nothing.
    pub fn apply(&mut self, entry: &InboxEntry) {
        match entry {
            InboxEntry::Added { message, .. } => {
                let list = self.lists.entry(message.pinner.clone()).or_default();
                if list.iter().any(|line| line.key == message.key) {
                    return;
                }
                if list.len() == LIST_MAX {
                    list.remove(0);
                }
                list.push(Line { message: Some(message.clone()), key: message.key, read: false });
            }
            InboxEntry::Read { pinner, key } => self.change(pinner, *key, |line| line.read = true),
            InboxEntry::Removed { pinner, key } => self.change(pinner, *key, |line| line.message = None),
        }
    }

    fn change(&mut self, pinner: &str, key: Key, change: impl Fn(&mut Line)) {
        let list = self.lists.get_mut(pinner).into_iter().flatten();
        list.filter(|line| line.key == key).for_each(change);
    }

    /// A pinner's notifications, the newest first, and whether they were read.
    pub fn list(&self, pinner: &str) -> impl Iterator<Item = (&Message, bool)> {
        let list = self.lists.get(pinner).into_iter().flatten().rev();
        list.filter_map(|line| line.message.as_deref().map(|message| (message, line.read)))
    }
}

/// Where entries of the inbox are kept so that they last; says why not where they are not.
pub type Sink = Box<dyn Fn(&InboxEntry) -> Result<(), String> + Send + Sync>;

/// The channel that adds to the list.
pub struct InApp {
    sink: Sink,
}

impl InApp {
    /// Adds through `sink`, which is called on the sending thread.
    pub fn new(sink: Sink) -> InApp {
        InApp { sink }
    }
}

#[async_trait]
impl Channel for InApp {
    fn kind(&self) -> ChannelKind {
        ChannelKind::InApp
    }

    async fn send(&self, message: &Message, now_ms: u64) -> Outcome {
        if message.pinner.is_empty() {
            return Outcome::Refused(Refused("nobody's list".to_owned()));
        }
        let entry = InboxEntry::Added { message: Box::new(message.clone()), at_ms: now_ms };
        match (self.sink)(&entry) {
            Ok(()) => Outcome::Accepted,
            // It may have been written before it failed; a second one of its key changes nothing.
            Err(reason) => Outcome::Unknown(reason),
        }
    }
}
