//! Rows to learn ranking from: what was shown with what was known of it, and what came of it.

use crate::TrainError;
use domain::{HEAD_COUNT, PinId, PinnerId, Surface};
use models::FEATURE_COUNT;
use std::ops::Range;

/// Place of a row that is not known.
pub const POSITION_UNKNOWN: u16 = u16::MAX;

/// What the rows of one request share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankRequest {
    /// Who was asked for, when known.
    pub pinner: Option<PinnerId>,
    /// Where it was shown.
    pub surface: Surface,
    /// When (ms, UTC).
    pub ts_ms: u64,
    /// Whether these pins were shown. Candidates that were not, of which nothing came, teach what does not fit a
    /// subject: what is shown mostly does. They neither calibrate nor measure.
    pub shown: bool,
}

/// One candidate that was shown or could have been.
#[derive(Clone, Copy, Debug)]
pub struct RankRow<'a> {
    /// Which pin.
    pub pin: PinId,
    /// A row of [`models::FEATURES`] as of the request.
    pub features: &'a [f32],
    /// What the trunk says of it ([`models::Model::encode_candidates`]); empty when it was not asked.
    pub encoded: &'a [f32],
    /// Per head, in the order of [`domain::HEADS`], whether it happened.
    pub labels: [bool; HEAD_COUNT],
    /// How long was looked (ms); not a number when unknown.
    pub look_ms: f32,
    /// At which place it was shown, from 0; [`POSITION_UNKNOWN`] when unknown.
    pub position: u16,
    /// For how many rows it stands: more than 1 where others were left out.
    pub weight: f32,
}

/// What is said of pins and pinners: per number the keys of their traits.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Of pins.
    pub pins: Vec<Box<[u64]>>,
    /// Of pinners.
    pub pinners: Vec<Box<[u64]>>,
}

impl Said {
    /// Keys of a pin's traits; none for a number never given.
    pub fn pin(&self, pin: PinId) -> &[u64] {
        self.pins.get(pin.index()).map_or(&[], |keys| keys)
    }

    /// Keys of a pinner's traits; none for a number never given.
    pub fn pinner(&self, pinner: PinnerId) -> &[u64] {
        self.pinners.get(pinner.index()).map_or(&[], |keys| keys)
    }
}

/// Rows as columns, in the order of their requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankRows {
    /// `rows × FEATURE_COUNT`.
    pub features: Vec<f32>,
    /// What the trunk says of each row, `rows × encoded_width`; zeros where it was not asked.
    pub encoded: Vec<f32>,
    /// How much that is.
    pub encoded_width: usize,
    /// Per row which pin.
    pub pins: Vec<PinId>,
    /// Per row and head whether it happened.
    pub labels: Vec<[bool; HEAD_COUNT]>,
    /// Per row how long was looked (ms), not a number when unknown.
    pub looks_ms: Vec<f32>,
    /// Per row the place, [`POSITION_UNKNOWN`] when unknown.
    pub positions: Vec<u16>,
    /// Per row for how many it stands.
    pub weights: Vec<f32>,
    /// The requests, each with at least one row.
    pub requests: Vec<RankRequest>,
    /// Per request where its rows end.
    pub ends: Vec<usize>,
    /// When each head's act was first seen anywhere (ms, UTC), in the order of [`domain::HEADS`]. Nobody wrote it down
    /// before, so that earlier labels of that head say nothing.
    pub known_from_ms: [u64; HEAD_COUNT],
}

impl RankRows {
    /// Adds a row to the last request, or to a new one when `request` is another.
    pub fn push(&mut self, request: RankRequest, row: RankRow<'_>) {
        debug_assert_eq!(row.features.len(), FEATURE_COUNT);
        debug_assert!(row.encoded.is_empty() || row.encoded.len() == self.encoded_width);
        self.features.extend_from_slice(row.features);
        self.encoded.extend_from_slice(row.encoded);
        self.encoded.resize((self.len() + 1) * self.encoded_width, 0.0);
        self.pins.push(row.pin);
        self.labels.push(row.labels);
        self.looks_ms.push(row.look_ms);
        self.positions.push(row.position);
        self.weights.push(row.weight);
        if self.requests.last() == Some(&request) {
            self.ends.pop();
        } else {
            self.requests.push(request);
        }
        self.ends.push(self.pins.len());
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.pins.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
    }

    /// No rows, for a trunk that says so many values of a candidate.
    pub fn of_width(encoded_width: usize) -> RankRows {
        RankRows { encoded_width, ..RankRows::default() }
    }

    /// Of how many rows the trunk says something.
    pub(crate) fn told(&self) -> usize {
        let rows = self.encoded.chunks_exact(self.encoded_width.max(1));
        rows.filter(|encoded| encoded.iter().any(|value| *value != 0.0)).count()
    }

    /// The same rows, of which the trunk says nothing.
    pub(crate) fn without_trunk(self) -> RankRows {
        RankRows { encoded: Vec::new(), encoded_width: 0, ..self }
    }

    /// What the trunk says of some rows.
    pub(crate) fn encoded_of(&self, rows: Range<usize>) -> &[f32] {
        &self.encoded[rows.start * self.encoded_width..rows.end * self.encoded_width]
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> RankRow<'_> {
        RankRow {
            pin: self.pins[row],
            features: &self.features[row * FEATURE_COUNT..(row + 1) * FEATURE_COUNT],
            encoded: self.encoded_of(row..row + 1),
            labels: self.labels[row],
            look_ms: self.looks_ms[row],
            position: self.positions[row],
            weight: self.weights[row],
        }
    }

    /// The requests with their rows.
    pub fn by_request(&self) -> impl Iterator<Item = (&RankRequest, Range<usize>)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.requests.iter().zip(starts.zip(&self.ends).map(|(start, &end)| start..end))
    }

    /// Whether the labels of a head say anything about a request's rows.
    pub fn known(&self, head: usize, request: &RankRequest) -> bool {
        request.ts_ms >= self.known_from_ms[head]
    }

    /// How often each head happened, in the order of [`domain::HEADS`].
    pub fn positives(&self) -> [usize; HEAD_COUNT] {
        std::array::from_fn(|head| self.labels.iter().filter(|labels| labels[head]).count())
    }

    /// Adds all rows of others behind these. What was known from some moment on in one of them was in both.
    pub fn append(&mut self, others: &RankRows) {
        for (from_ms, other_ms) in self.known_from_ms.iter_mut().zip(others.known_from_ms) {
            *from_ms = other_ms.max(*from_ms);
        }
        for (request, rows) in others.by_request() {
            rows.for_each(|row| self.push(*request, others.row(row)));
        }
    }

    /// Leaves out the rows for which `keep` gives no weight.
    pub fn retain(&mut self, mut keep: impl FnMut(&RankRequest, RankRow<'_>) -> Option<f32>) {
        let (mut kept, mut kept_requests, mut start) = (0, 0, 0);
        for place in 0..self.requests.len() {
            let (request, end, first) = (self.requests[place], self.ends[place], kept);
            for row in start..end {
                let Some(weight) = keep(&request, self.row(row)) else { continue };
                self.weights[row] = weight;
                self.move_row(row, kept);
                kept += 1;
            }
            if kept > first {
                (self.requests[kept_requests], self.ends[kept_requests]) = (request, kept);
                kept_requests += 1;
            }
            start = end;
        }
        self.truncate(kept, kept_requests);
    }

    fn move_row(&mut self, from: usize, to: usize) {
        self.features.copy_within(from * FEATURE_COUNT..(from + 1) * FEATURE_COUNT, to * FEATURE_COUNT);
        let width = self.encoded_width;
        self.encoded.copy_within(from * width..(from + 1) * width, to * width);
        self.pins[to] = self.pins[from];
        self.labels[to] = self.labels[from];
        self.looks_ms[to] = self.looks_ms[from];
        self.positions[to] = self.positions[from];
        self.weights[to] = self.weights[from];
    }

    fn truncate(&mut self, rows: usize, requests: usize) {
        self.features.truncate(rows * FEATURE_COUNT);
        self.encoded.truncate(rows * self.encoded_width);
        self.pins.truncate(rows);
        self.labels.truncate(rows);
        self.looks_ms.truncate(rows);
        self.positions.truncate(rows);
        self.weights.truncate(rows);
        self.requests.truncate(requests);
        self.ends.truncate(requests);
    }

    /// Whether the columns fit together.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let rows = self.len();
        let lengths = [
            self.features.len() / FEATURE_COUNT,
            self.encoded.len().checked_div(self.encoded_width).unwrap_or(rows),
            self.labels.len(),
            self.looks_ms.len(),
            self.positions.len(),
            self.weights.len(),
            self.ends.last().copied().unwrap_or(0),
        ];
        let ordered = self.ends.is_sorted() && self.ends.len() == self.requests.len();
        if lengths.iter().any(|length| *length != rows)
            || !self.features.len().is_multiple_of(FEATURE_COUNT)
            || !ordered
        {
            return Err(TrainError::Data(format!("{rows} rows, but columns of {lengths:?}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pinner: u32, ts_ms: u64) -> RankRequest {
        RankRequest { pinner: Some(PinnerId(pinner)), surface: Surface::Home, ts_ms, shown: true }
    }

    fn rows() -> RankRows {
        let mut rows = RankRows::default();
        for (place, request) in [request(1, 5), request(1, 5), request(2, 5), request(1, 5)].into_iter().enumerate() {
            let mut labels = [false; HEAD_COUNT];
            labels[1] = place == 2;
            let features = &[place as f32; FEATURE_COUNT];
            let (pin, position) = (PinId(place as u32), POSITION_UNKNOWN);
            let row = RankRow { pin, features, encoded: &[], labels, look_ms: f32::NAN, position, weight: 1.0 };
            rows.push(request, row);
        }
        rows
    }

    #[test]
    fn rows_stand_by_request() {
        let rows = rows();
        rows.check().expect("columns that fit");
        let ranges: Vec<_> = rows.by_request().map(|(request, rows)| (request.pinner, rows)).collect();
        assert_eq!(ranges, [(Some(PinnerId(1)), 0..2), (Some(PinnerId(2)), 2..3), (Some(PinnerId(1)), 3..4)]);
        assert_eq!(rows.positives()[..2], [0, 1]);
        let mut twice = rows.clone();
        twice.append(&rows);
        twice.check().expect("columns that fit");
        twice.known_from_ms[2] = 6;
        let first = twice.requests[0];
        assert!(twice.known(1, &first) && !twice.known(2, &first));
        assert_eq!((twice.len(), twice.requests.len()), (8, 5), "the first of the others is of the last request");
    }

    #[test]
    fn what_is_left_out_is_stood_for() {
        let mut kept = rows();
        kept.retain(|_, row| (row.pin.0 != 1).then_some(1.0 + row.pin.0 as f32));
        kept.check().expect("columns that fit");
        assert_eq!((kept.pins.clone(), kept.ends.clone()), (vec![PinId(0), PinId(2), PinId(3)], vec![1, 2, 3]));
        assert_eq!(kept.weights, [1.0, 3.0, 4.0]);
        assert_eq!(kept.row(1).features, [2.0; FEATURE_COUNT]);
        kept.retain(|request, row| (request.pinner == Some(PinnerId(2))).then_some(row.weight));
        kept.check().expect("columns that fit");
        assert_eq!((kept.requests.len(), kept.pins.clone(), kept.weights[0]), (1, vec![PinId(2)], 3.0));
        let mut broken = kept;
        broken.weights.pop();
        assert!(broken.check().is_err());
    }
}
