//! What was served and what came of it: the rows that the ranker really should learn from.

use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{ActionSet, EventId, Fact, HEAD_COUNT, HEADS, PinId, RequestRecord, ServedItem, TopicKind};
use serving::Catalogue;
use std::collections::{HashMap, VecDeque};
use store::EventLog;
use train::RankRows;

const READ_EVENTS: usize = 16_384;
const READ_RECORDS: usize = 256;
/// Most rows that are taken from records, the newest.
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
    let mut newest = Newest::of(ROWS_MAX);
    let mut rankings = Rankings::default();
    let mut from = 0;
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Requests, from, READ_RECORDS).context("cannot read the request records")?;
        let Some(last) = facts.last() else { break };
        from = last.0 + 1;
        for (_, _, fact) in &facts {
            let Fact::Served(record) = fact else { continue };
            let Some(done) = outcomes.get(&record.request_id) else { continue };
            newest.add(page(record, rankings.of(record), done));
        }
    }
    newest.put(rows);
    Ok(newest.rows)
}

/// A page's rows: features as they were seen, and what was done.
type Page = Vec<(Vec<f32>, [bool; HEAD_COUNT])>;

/// The last pages of records, as many as hold no more than `rows_max` rows together.
struct Newest {
    pages: VecDeque<Page>,
    rows: usize,
    rows_max: usize,
}

impl Newest {
    fn of(rows_max: usize) -> Newest {
        Newest { pages: VecDeque::new(), rows: 0, rows_max }
    }

    fn add(&mut self, page: Page) {
        if page.is_empty() {
            return;
        }
        self.rows += page.len();
        self.pages.push_back(page);
        while self.rows > self.rows_max {
            self.rows -= self.pages.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    /// Adds each page as a request behind those of `rows`.
    fn put(&self, rows: &mut RankRows) {
        let first = rows.requests.last().map_or(0, |last| last + 1);
        for (request, page) in (first..).zip(&self.pages) {
            page.iter().for_each(|(features, done)| rows.push(request, features, *done));
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

fn page(record: &RequestRecord, ranked: &[ServedItem], done: &HashMap<PinId, ActionSet>) -> Page {
    let shown = ranked.iter().skip(record.offset as usize).take(record.shown as usize);
    let row = |item: &ServedItem| {
        let done = done.get(&item.pin).copied().unwrap_or_default();
        (item.features.clone(), HEADS.map(|action| done.has(action)))
    };
    shown.filter(|item| item.features.len() == models::FEATURE_COUNT).map(row).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_pages_are_kept_whole() {
        let page =
            |number: usize| -> Page { vec![(vec![number as f32; models::FEATURE_COUNT], [false; HEAD_COUNT]); 3] };
        let mut newest = Newest::of(10);
        (0..20).for_each(|number| newest.add(page(number)));
        newest.add(Page::new());
        let mut rows = RankRows::default();
        rows.push(6, &[0.0; models::FEATURE_COUNT], [true; HEAD_COUNT]);
        newest.put(&mut rows);
        assert_eq!(rows.requests, [6, 7, 7, 7, 8, 8, 8, 9, 9, 9]);
        let numbers = rows.features.chunks_exact(models::FEATURE_COUNT).map(|row| row[0] as usize);
        assert_eq!(numbers.skip(1).collect::<Vec<_>>(), [17, 17, 17, 18, 18, 18, 19, 19, 19]);
    }
}
