//! What was served and what came of it: the rows that the ranker really should learn from.

use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{ActionSet, EventId, Fact, HEADS, PinId, RequestRecord, ServedItem, TopicKind};
use serving::Catalogue;
use std::collections::{HashMap, VecDeque};
use store::EventLog;
use train::RankRows;

const READ_EVENTS: usize = 16_384;
const READ_RECORDS: usize = 256;
/// Most rows that are taken from records.
const ROWS_MAX: usize = 400_000;

/// Rankings that are remembered for their later pages, whose records may not repeat them.
const RANKINGS_MAX: usize = 4_096;

type Outcomes = HashMap<EventId, HashMap<PinId, ActionSet>>;

/// Adds to `rows` what pinners were shown before a moment in requests that something came of, with features as they
/// were seen then.
pub(crate) fn add_outcomes(
    rows: &mut RankRows,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    before_ms: u64,
    stop: &Stop,
) -> Result<usize> {
    let outcomes = outcomes(log, catalogue, before_ms, stop)?;
    if outcomes.is_empty() {
        return Ok(0);
    }
    let mut request = rows.requests.last().map_or(0, |last| last + 1);
    let (mut from, mut added) = (0, 0);
    let mut rankings = Rankings::default();
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Requests, from, READ_RECORDS).context("cannot read the request records")?;
        let Some(last) = facts.last() else { return Ok(added) };
        from = last.0 + 1;
        for (_, _, fact) in &facts {
            let Fact::Served(record) = fact else { continue };
            let Some(done) = outcomes.get(&record.request_id) else { continue };
            added += add(rows, record, rankings.of(record), done, request);
            request += 1;
        }
        if added >= ROWS_MAX {
            return Ok(added);
        }
    }
}

/// The latest rankings by request.
#[derive(Default)]
struct Rankings {
    known: HashMap<EventId, Vec<ServedItem>>,
    order: VecDeque<EventId>,
}

impl Rankings {
    /// The ranking that a record is a page of: its own, or the one that an earlier page brought.
    fn of(&mut self, record: &RequestRecord) -> &[ServedItem] {
        let id = record.request_id;
        if !record.trace.ranked.is_empty() && !self.known.contains_key(&id) {
            if self.order.len() == RANKINGS_MAX {
                self.order.pop_front().and_then(|oldest| self.known.remove(&oldest));
            }
            self.order.push_back(id);
            self.known.insert(id, record.trace.ranked.clone());
        }
        self.known.get(&id).map_or(&[], Vec::as_slice)
    }
}

fn add(
    rows: &mut RankRows,
    record: &RequestRecord,
    ranked: &[ServedItem],
    done: &HashMap<PinId, ActionSet>,
    request: u32,
) -> usize {
    let shown = ranked.iter().skip(record.offset as usize).take(record.shown as usize);
    let mut added = 0;
    for item in shown.filter(|item| item.features.len() == models::FEATURE_COUNT) {
        let done = done.get(&item.pin).copied().unwrap_or_default();
        rows.push(request, &item.features, HEADS.map(|action| done.has(action)));
        added += 1;
    }
    added
}

/// Per request what was done to which of its pins.
fn outcomes(log: &dyn EventLog, catalogue: &Catalogue, before_ms: u64, stop: &Stop) -> Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    let mut from = 0;
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Events, from, READ_EVENTS).context("cannot read the events")?;
        let Some(last) = facts.last() else { return Ok(outcomes) };
        from = last.0 + 1;
        for (_, _, fact) in &facts {
            let Fact::Event(event) = fact else { continue };
            if event.ts_ms >= before_ms {
                continue;
            }
            let (Some(request), Some(pin)) = (event.request_id, event.pin.as_deref()) else { continue };
            let Some(pin) = catalogue.pin(pin) else { continue };
            let done = outcomes.entry(request).or_default().entry(pin).or_default();
            *done = done.with(event.action);
        }
    }
}
