//! What pinners did, read from the log with internal ids.

use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{Act, Action, BoardId, Fact, PinId, TopicKind};
use serving::Catalogue;
use store::EventLog;

const READ_FACTS: usize = 16_384;
/// Acts of one pinner that are kept, the newest; more of one person teach nothing new.
const ACTS_MAX: usize = 4_096;

/// Acts by pinner, in order of time, newest last; the place is the pinner's id.
pub(crate) struct Acts {
    /// One list per pinner.
    pub by_pinner: Vec<Vec<Act>>,
    /// Earliest and latest moment (ms, UTC).
    pub range_ms: (u64, u64),
}

/// Reads what was done to pins, impressions left out. Acts of pins and pinners that the catalogue does not know yet are
/// left out too.
pub(crate) fn read_acts(log: &dyn EventLog, catalogue: &Catalogue, stop: &Stop) -> Result<Acts> {
    let mut acts = Acts::of_nobody(catalogue);
    let mut from = 0;
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Events, from, READ_FACTS).context("cannot read the events")?;
        let Some(last) = facts.last() else { break };
        from = last.0 + 1;
        facts.iter().for_each(|(_, _, fact)| acts.add(fact, catalogue));
    }
    Ok(acts.sorted())
}

fn keep_newest(acts: &mut Vec<Act>) {
    // Stable: acts of one moment stay in the order of the log.
    acts.sort_by_key(|act| act.ts_ms);
    acts.drain(..acts.len().saturating_sub(ACTS_MAX));
    acts.shrink_to_fit();
}

fn act_of(fact: &Fact, catalogue: &Catalogue) -> Option<(usize, Act)> {
    let Fact::Event(event) = fact else { return None };
    if !event.action.is_on_pin() || event.action == Action::Impression {
        return None;
    }
    let pin: PinId = catalogue.pin(event.pin.as_deref()?)?;
    let pinner = catalogue.pinner(&event.pinner)?;
    let board: Option<BoardId> = event.board.as_deref().and_then(|board| catalogue.board(board));
    let value = event.value.unwrap_or(0.0);
    let act = Act { pin, board, action: event.action, surface: event.surface, ts_ms: event.ts_ms, value };
    Some((pinner.index(), act))
}

impl Acts {
    fn of_nobody(catalogue: &Catalogue) -> Acts {
        Acts { by_pinner: vec![Vec::new(); catalogue.pinners()], range_ms: (u64::MAX, 0) }
    }

    /// The acts among facts.
    pub(crate) fn of(facts: impl Iterator<Item = Fact>, catalogue: &Catalogue) -> Acts {
        let mut acts = Acts::of_nobody(catalogue);
        facts.for_each(|fact| acts.add(&fact, catalogue));
        acts.sorted()
    }

    fn add(&mut self, fact: &Fact, catalogue: &Catalogue) {
        let Some((pinner, act)) = act_of(fact, catalogue) else { return };
        let Some(acts) = self.by_pinner.get_mut(pinner) else { return };
        self.range_ms = (self.range_ms.0.min(act.ts_ms), self.range_ms.1.max(act.ts_ms));
        acts.push(act);
        if acts.len() >= 2 * ACTS_MAX {
            keep_newest(acts);
        }
    }

    fn sorted(mut self) -> Acts {
        self.by_pinner.iter_mut().for_each(keep_newest);
        self.range_ms.0 = self.range_ms.0.min(self.range_ms.1);
        self
    }

    /// The moment from which on the latest `later` part of all acts happened; nothing when time cannot split them,
    /// because there are none or most happened at one moment.
    pub(crate) fn split_ms(&self, later: f64) -> Option<u64> {
        let mut moments: Vec<u64> = self.by_pinner.iter().flatten().map(|act| act.ts_ms).collect();
        moments.sort_unstable();
        let place = (moments.len() as f64 * (1.0 - later)) as usize;
        moments.get(place.min(moments.len().saturating_sub(1))).copied().filter(|&ms| ms > moments[0])
    }

    /// What was done before a moment.
    pub(crate) fn before(&self, ms: u64) -> Acts {
        let earlier = |acts: &Vec<Act>| acts[..acts.partition_point(|act| act.ts_ms < ms)].to_vec();
        let by_pinner = self.by_pinner.iter().map(earlier).collect();
        Acts { by_pinner, range_ms: (self.range_ms.0, self.range_ms.1.min(ms.saturating_sub(1))) }
    }

    /// Rows of saved pins, one per pinner who saved, for baselines; all positive acts when nobody ever saved.
    pub(crate) fn rows(&self) -> Vec<Vec<PinId>> {
        let saves = self.by_pinner.iter().flatten().any(|act| act.action == Action::Save);
        let counts = |act: &&Act| if saves { act.action == Action::Save } else { act.action.is_positive() };
        self.by_pinner.iter().map(|acts| acts.iter().filter(counts).map(|act| act.pin).collect()).collect()
    }
}
