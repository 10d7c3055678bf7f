//! How often each action happened to each pin, in all and lately.

use bytemuck::{Pod, Zeroable};
use domain::{Action, PinId};

/// How far back a counter looks: the half-life after which an act counts half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// Seven days.
    Week,
    /// Twenty-eight days.
    Month,
}

impl Horizon {
    /// Every horizon, shortest first.
    pub const ALL: [Horizon; 4] = [Horizon::Hour, Horizon::Day, Horizon::Week, Horizon::Month];

    /// The half-life in seconds.
    pub fn half_life_s(self) -> u32 {
        match self {
            Horizon::Hour => 3_600,
            Horizon::Day => 86_400,
            Horizon::Week => 7 * 86_400,
            Horizon::Month => 28 * 86_400,
        }
    }

    fn decay(self, age_s: u32) -> f32 {
        (-(age_s as f32) / self.half_life_s() as f32).exp2()
    }
}

const NONE: u32 = u32::MAX;

/// Counters of one action of one pin; the rows of a pin are a chain. 32 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Row {
    /// Decayed counts as of `last_s`, one per horizon.
    values: [f32; 4],
    /// The newest act counted (seconds, UTC).
    last_s: u32,
    total: u32,
    /// Where the pin's next row is: before this one.
    next: u32,
    /// Code of the action.
    action: u32,
}

/// All counters. A pin that nothing happened to costs 4 bytes, each action that happened to it 32 more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) first: Vec<u32>,
    pub(crate) rows: Vec<Row>,
}

impl Counters {
    /// Counts one act. A late one is decayed by its age, so that the order of arrival does not matter.
    pub(crate) fn add(&mut self, pin: PinId, action: Action, ts_ms: u64) {
        let at_s = seconds(ts_ms);
        let row = self.row_mut(pin, action);
        let (age_old, age_new) = (at_s.saturating_sub(row.last_s), row.last_s.saturating_sub(at_s));
        for (value, horizon) in row.values.iter_mut().zip(Horizon::ALL) {
            *value = if age_old > 0 { *value * horizon.decay(age_old) + 1.0 } else { *value + horizon.decay(age_new) };
        }
        row.last_s = row.last_s.max(at_s);
        row.total = row.total.saturating_add(1);
    }

    pub(crate) fn recent(&self, pin: PinId, action: Action, horizon: Horizon, now_ms: u64) -> f32 {
        self.row(pin, action)
            .map_or(0.0, |row| row.values[horizon as usize] * horizon.decay(seconds(now_ms).saturating_sub(row.last_s)))
    }

    pub(crate) fn total(&self, pin: PinId, action: Action) -> u32 {
        self.row(pin, action).map_or(0, |row| row.total)
    }

    /// Counters of rows as they were kept; `None` when a chain would not end.
    pub(crate) fn restore(first: Vec<u32>, rows: Vec<Row>) -> Option<Counters> {
        let begins = first.iter().all(|&at| at == NONE || (at as usize) < rows.len());
        let ends = rows.iter().enumerate().all(|(at, row)| row.next == NONE || (row.next as usize) < at);
        (begins && ends).then_some(Counters { first, rows })
    }

    fn chain(&self, pin: PinId) -> impl Iterator<Item = &Row> {
        let first = self.first.get(pin.index()).copied().unwrap_or(NONE);
        std::iter::successors(self.rows.get(first as usize), |row| self.rows.get(row.next as usize))
    }

    fn row(&self, pin: PinId, action: Action) -> Option<&Row> {
        self.chain(pin).find(|row| row.action == u32::from(action.code()))
    }

    fn row_mut(&mut self, pin: PinId, action: Action) -> &mut Row {
        if self.first.len() <= pin.index() {
            self.first.resize(pin.index() + 1, NONE);
        }
        let head = self.first[pin.index()];
        let mut at = head;
        while at != NONE && self.rows[at as usize].action != u32::from(action.code()) {
            at = self.rows[at as usize].next;
        }
        if at == NONE {
            at = self.rows.len() as u32;
            self.rows.push(Row { next: head, ..Row::new(action) });
            self.first[pin.index()] = at;
        }
        &mut self.rows[at as usize]
    }
}

impl Row {
    fn new(action: Action) -> Row {
        Row { values: [0.0; 4], last_s: 0, total: 0, next: NONE, action: action.code().into() }
    }
}

/// Whole seconds; fits until the year 2106.
fn seconds(ts_ms: u64) -> u32 {
    u32::try_from(ts_ms / 1_000).unwrap_or(u32::MAX)
}
