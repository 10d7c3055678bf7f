//! What was served and what came of it: the rows that the ranker really should learn from.

use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{Action, ActionSet, EventId, Fact, HEAD_COUNT, HEADS, PinId, RequestRecord, ServedItem, TopicKind};
use models::feature;
use serving::Catalogue;
use std::collections::{HashMap, HashSet, VecDeque};
use store::EventLog;
use train::{RankRequest, RankRow, RankRows};

const READ_EVENTS: usize = 16_384;
const READ_RECORDS: usize = 256;
/// Most rows that are taken from records, the newest.
const ROWS_MAX: usize = 400_000;

/// Rankings that are remembered for their later pages, whose records may not repeat them.
const RANKINGS_MAX: usize = 4_096;

type Outcomes = HashMap<EventId, HashMap<PinId, ActionSet>>;

/// What request records say of what pinners were shown.
#[derive(Default)]
pub(crate) struct Recorded {
    /// Requests that no impression tells of: their rows are those of the records.
    pub whole: HashSet<EventId>,
    /// Features as they were seen, of the pins of requests of which impressions tell which pins were looked at.
    pub seen: HashMap<(EventId, PinId), Vec<f32>>,
}

/// Adds to `rows` what pinners were shown before a moment in requests that something came of, with features as they
/// were seen then. A page is not all looked at: where impressions tell what was (`told`: somebody reads them), their
/// rows are made of them, and only the features are given.
pub(crate) fn add_outcomes(
    rows: &mut RankRows,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    (before_ms, told): (u64, bool),
    stop: &Stop,
) -> Result<Recorded> {
    let outcomes = outcomes(log, catalogue, before_ms, stop)?;
    if outcomes.is_empty() {
        return Ok(Recorded::default());
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
            newest.add(page(record, rankings.of(record), done, catalogue));
        }
    }
    let mut recorded = Recorded::default();
    let impressions = |page: &Page| {
        let done = outcomes.get(&page.request_id);
        told && done.is_some_and(|done| done.values().any(|done| done.has(Action::Impression)))
    };
    for page in newest.pages {
        if impressions(&page) {
            let features = page.rows.into_iter().map(|(pin, features, _)| ((page.request_id, pin), features));
            recorded.seen.extend(features);
        } else {
            recorded.whole.insert(page.request_id);
            page.put(rows);
        }
    }
    Ok(recorded)
}

/// A page: pins with features as they were seen, and what was done.
struct Page {
    request_id: EventId,
    request: RankRequest,
    offset: u32,
    rows: Vec<(PinId, Vec<f32>, [bool; HEAD_COUNT])>,
}

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
        if page.rows.is_empty() {
            return;
        }
        self.rows += page.rows.len();
        self.pages.push_back(page);
        while self.rows > self.rows_max {
            self.rows -= self.pages.pop_front().map_or(0, |oldest| oldest.rows.len());
        }
    }
}

impl Page {
    /// Adds the page as a request behind those of `rows`.
    fn put(self, rows: &mut RankRows) {
        for (place, (pin, mut features, labels)) in (self.offset..).zip(self.rows) {
            let position = u16::try_from(place).unwrap_or(u16::MAX - 1);
            features[const { feature("position") }] = f32::from(position).ln_1p();
            let (features, encoded, look_ms) = (&features[..], &[][..], f32::NAN);
            rows.push(self.request, RankRow { pin, features, encoded, labels, look_ms, position, weight: 1.0 });
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
    fn of<'a>(&'a mut self, record: &'a RequestRecord) -> &'a [ServedItem] {
        let (id, own) = (record.request_id, &record.trace.ranked);
        if own.is_empty() {
            return self.known.get(&id).map_or(&[], Vec::as_slice);
        }
        if !self.known.contains_key(&id) {
            if self.order.len() == RANKINGS_MAX {
                self.order.pop_front().and_then(|oldest| self.known.remove(&oldest));
            }
            self.order.push_back(id);
            self.known.insert(id, own.clone());
        }
        own
    }
}

fn page(
    record: &RequestRecord,
    ranked: &[ServedItem],
    done: &HashMap<PinId, ActionSet>,
    catalogue: &Catalogue,
) -> Page {
    let RequestRecord { request_id, surface, ts_ms, offset, .. } = *record;
    let shown = ranked.iter().skip(offset as usize).take(record.shown as usize);
    let row = |item: &ServedItem| {
        let done = done.get(&item.pin).copied().unwrap_or_default();
        (item.pin, item.features.clone(), HEADS.map(|action| done.has(action)))
    };
    let rows = shown.filter(|item| item.features.len() == models::FEATURE_COUNT).map(row).collect();
    Page {
        request_id,
        request: RankRequest { pinner: catalogue.pinner(&record.pinner), surface, ts_ms, shown: true },
        offset,
        rows,
    }
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
    use domain::Surface;
    use models::FEATURE_COUNT;

    #[test]
    fn the_newest_pages_are_kept_whole() {
        let request =
            |number: usize| RankRequest { pinner: None, surface: Surface::Home, ts_ms: number as u64, shown: true };
        let page = |number: usize, rows: usize| {
            let row = |place: usize| (PinId(place as u32), vec![number as f32; FEATURE_COUNT], [false; HEAD_COUNT]);
            let rows = (0..rows).map(row).collect();
            Page { request_id: EventId(number as u128), request: request(number), offset: 10, rows }
        };
        let mut newest = Newest::of(10);
        (0..20).for_each(|number| newest.add(page(number, 3)));
        newest.add(page(20, 0));
        let mut rows = RankRows::default();
        newest.pages.into_iter().for_each(|page| page.put(&mut rows));
        assert_eq!(rows.requests, [17, 18, 19].map(request));
        assert_eq!(rows.ends, [3, 6, 9]);
        assert_eq!((rows.row(4).features[0], rows.positions[4]), (18.0, 11));
        assert_eq!(rows.row(4).features[feature("position")], 12f32.ln());
    }
}
