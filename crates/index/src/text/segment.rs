//! Which pin is in which row of a segment.

use crate::error::IndexError;
use domain::PinId;
use tantivy::SegmentReader;

/// The pins of a segment. It never changes, so it is made once for each segment: 4 bytes a row, and 4 more where rows
/// are not in the order of pins.
pub(super) struct Pins {
    /// The pin of each row.
    of_row: Vec<PinId>,
    /// The rows in the order of their pins, where that is not their own; a pin that was written twice comes twice.
    by_pin: Option<Vec<u32>>,
}

impl Pins {
    pub(super) fn of(segment: &SegmentReader) -> Result<Pins, IndexError> {
        let column = segment.fast_fields().u64("pin")?.first_or_default_col(0);
        let of_row: Vec<PinId> = (0..segment.max_doc()).map(|row| PinId(column.get_val(row) as u32)).collect();
        let sorted = of_row.is_sorted();
        let by_pin = (!sorted).then(|| {
            let mut rows: Vec<u32> = (0..segment.max_doc()).collect();
            rows.sort_unstable_by_key(|&row| (of_row[row as usize], row));
            rows
        });
        Ok(Pins { of_row, by_pin })
    }

    /// The pins of the rows that count.
    pub(super) fn alive(&self, segment: &SegmentReader) -> impl Iterator<Item = PinId> {
        let alive = |row: &u32| segment.alive_bitset().is_none_or(|alive| alive.is_alive(*row));
        (0..segment.max_doc()).filter(alive).map(|row| self.pin(row))
    }

    #[inline]
    pub(super) fn pin(&self, row: u32) -> PinId {
        self.of_row[row as usize]
    }

    /// The rows of those of `pins`, which are in order, that are in this segment: dead ones too, in order.
    pub(super) fn rows(&self, pins: &[PinId]) -> Vec<u32> {
        let row = |place: usize| self.by_pin.as_ref().map_or(place as u32, |rows| rows[place]);
        let mut rows = Vec::new();
        let mut place = 0;
        for &pin in pins {
            place += self.places_before(place, pin, &row);
            while place < self.of_row.len() && self.pin(row(place)) == pin {
                rows.push(row(place));
                place += 1;
            }
        }
        rows.sort_unstable();
        rows
    }

    /// How many places from `start` on hold lesser pins: by steps that double, since the next pin is often near.
    fn places_before(&self, start: usize, pin: PinId, row: &impl Fn(usize) -> u32) -> usize {
        let len = self.of_row.len() - start;
        let lesser = |place: usize| self.pin(row(start + place)) < pin;
        let mut step = 1;
        while step < len && lesser(step) {
            step *= 2;
        }
        let (mut low, mut high) = (step / 2, step.min(len));
        while low < high {
            let middle = low + (high - low) / 2;
            if lesser(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
