//! What the log already holds, so that nothing is taken twice, described worse or understood again.

use anyhow::{Context, Result};
use domain::{EventId, Fact, TopicKind, hash64};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use store::EventLog;

const READ_FACTS: usize = 8_192;
/// Facts that are remembered by id (about 16 bytes each); beyond that only the log's own window tells repetitions.
const FACTS_MAX: usize = 64 << 20;

/// Pins that are described, and the ids of facts that exist.
#[derive(Default)]
pub(crate) struct Known {
    pins: HashSet<String>,
    facts: HashSet<u64, BuildHasherDefault<Mixed>>,
}

/// Ids are mixed before they are kept, so the hasher passes them on.
#[derive(Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |value, &byte| value << 8 | u64::from(byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl Known {
    /// Reads what `log` holds.
    pub(crate) fn read(log: &dyn EventLog) -> Result<Known> {
        let mut known = Known::default();
        for topic in [TopicKind::Catalogue, TopicKind::Events] {
            let mut from = 0;
            loop {
                let facts = log.read(topic, from, READ_FACTS).context("cannot read what the event log holds")?;
                let Some(last) = facts.last() else { break };
                from = last.0 + 1;
                for (_, id, fact) in facts {
                    known.add(id);
                    match fact {
                        Fact::Pin(pin) => known.add_pin(&pin.id),
                        Fact::PinRemoved(pin) => known.pins.remove(&pin),
                        _ => true,
                    };
                }
            }
        }
        Ok(known)
    }

    /// Whether a fact is there.
    pub(crate) fn has(&self, id: EventId) -> bool {
        self.facts.contains(&mixed(id))
    }

    /// Adds a fact; false when it is there already.
    pub(crate) fn add(&mut self, id: EventId) -> bool {
        if self.facts.len() < FACTS_MAX { self.facts.insert(mixed(id)) } else { !self.has(id) }
    }

    /// Whether a pin is described.
    pub(crate) fn has_pin(&self, id: &str) -> bool {
        self.pins.contains(id)
    }

    /// Adds a pin; false when it is there already.
    pub(crate) fn add_pin(&mut self, id: &str) -> bool {
        !self.pins.contains(id) && self.pins.insert(id.to_owned())
    }
}

fn mixed(id: EventId) -> u64 {
    hash64(id.0 as u64 ^ hash64((id.0 >> 64) as u64))
}
