//! The embedded log for somebody who only reads it.

use super::topic::Topic;
use super::visible::Visible;
use crate::StoreError;
use crate::log::{Appended, EventLog, Record};
use domain::{EventId, Fact, TopicKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the log held when it was opened. Takes no lock and changes nothing, so that another process may write to it.
pub(crate) struct LogLook {
    visible: [Arc<Visible>; TopicKind::ALL.len()],
}

impl LogLook {
    /// Looks at the log in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<LogLook, StoreError> {
        let look = |topic: TopicKind| Topic::look(&directory.join(topic.as_str()));
        // Numbers first: what they name may follow, never the other way round.
        let [catalogue, events, requests, numbers] = TopicKind::ALL;
        let numbers = look(numbers)?;
        Ok(LogLook { visible: [look(catalogue)?, look(events)?, look(requests)?, numbers] })
    }
}

impl EventLog for LogLook {
    fn append(&self, _: &[(EventId, Fact)]) -> Result<Appended, StoreError> {
        Err(StoreError::Invalid("this log was opened for reading".to_owned()))
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
