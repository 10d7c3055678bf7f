//! Pins are changed one after the other, each change on top of the last word about its pin.
//!
//! The views follow the log a moment later, so the last word may not be in them yet. Who changes a pin waits until the
//! views know what was written of it, and then has the turn in which it reads it there, and writes. Nobody waits in a
//! turn: views that stand still hold up those alone who need them.

use crate::admission::Asker;
use crate::app::App;
use crate::problem::{Kind, Problem};
use domain::{EventId, Fact, TopicKind};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::{Appended, EventLog};

/// Most pins that are remembered as written lately; with more, each is taken for one of them.
const PINS_MAX: usize = 1 << 20;

/// What stands for all experiments among pins that were written lately: ids from outside hold no control characters.
pub(crate) const EXPERIMENTS: &str = "\u{1}experiments";

/// How long a change waits for the views.
const PATIENCE: Duration = Duration::from_secs(5);

/// What of the catalogue the views may not know yet.
pub(crate) struct Unseen {
    /// Where its topic ended when the server started.
    start: u64,
    /// Pins written since the views last knew everything, as hashes of their ids.
    pins: HashSet<u64>,
    /// Where the topic ended behind the last of them.
    end: u64,
}

impl Unseen {
    pub(crate) fn new(log: &dyn EventLog) -> Mutex<Unseen> {
        let start = log.end(TopicKind::Catalogue);
        Mutex::new(Unseen { start, pins: HashSet::new(), end: start })
    }
}

/// The turn to change pins: nobody else changes one until it is dropped. Everything here blocks.
pub(crate) struct Revision<'a> {
    app: &'a App,
    unseen: MutexGuard<'a, Unseen>,
}

impl<'a> Revision<'a> {
    /// The turn, as soon as the views know the last word about `pins`.
    pub(crate) fn begin(app: &'a App, asker: &Asker, pins: &[&str]) -> Result<Revision<'a>, Problem> {
        let marks: Vec<u64> = pins.iter().map(|pin| mark(pin)).collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let mut unseen = app.unseen().lock().unwrap_or_else(PoisonError::into_inner);
            if app.reached(unseen.end) {
                unseen.pins.clear();
            }
            let wanted = unseen.wanted(&marks);
            if app.reached(wanted) {
                return Ok(Revision { app, unseen });
            }
            drop(unseen);
            // Somebody may write of the same pins meanwhile: then there is more to wait for.
            wait(app, asker, wanted, until)?;
        }
    }

    /// Writes facts, and ends the turn. They are durable when it returns.
    pub(crate) fn append(mut self, facts: &[(EventId, Fact)]) -> Result<Appended, Problem> {
        let pins = facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Pin(pin) => Some(mark(&pin.id)),
            Fact::PinRemoved(pin) => Some(mark(pin)),
            Fact::Defined(_) => Some(mark(EXPERIMENTS)),
            _ => None,
        });
        if self.unseen.pins.len() <= PINS_MAX {
            self.unseen.pins.extend(pins);
        }
        let appended = self.app.log().append(facts);
        // Also after an error: a part may have landed.
        self.unseen.end = self.app.log().end(TopicKind::Catalogue);
        appended.map_err(|error| Problem::internal("writing to the log", error))
    }
}

impl Unseen {
    /// How far the views must be to know the last word about pins.
    fn wanted(&self, marks: &[u64]) -> u64 {
        let written = self.pins.len() > PINS_MAX || marks.iter().any(|mark| self.pins.contains(mark));
        match marks {
            [] => 0,
            _ if written => self.end,
            _ => self.start,
        }
    }
}

fn wait(app: &App, asker: &Asker, wanted: u64, until: Instant) -> Result<(), Problem> {
    while !app.reached(wanted) {
        asker.still_waits()?;
        if Instant::now() > until {
            let detail = "what was written of this pin before is not in the views yet; come back in a moment";
            return Err(Problem::new(Kind::Overloaded, detail).retry_after(1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn mark(pin: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pin.hash(&mut hasher);
    hasher.finish()
}
