//! Signals outside of memory.

use crate::Signals;
use crate::counters::{Counters, Row};
use crate::pinner::PinnerState;
use crate::popular::Popular;
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError};
use std::io::{self, Write};

const KIND: &str = "signals";
const VERSION: u32 = 2;

impl Signals {
    /// Writes a snapshot. Errors are those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let popular: Vec<u32> = self.popular.list.iter().map(|(_, pin)| pin.0).collect();
        let (mut ids, mut ends, mut pinners) = (Vec::new(), Vec::new(), Vec::new());
        for (id, state) in (0u32..).zip(&self.pinners) {
            let Some(state) = state else { continue };
            state.encode(&mut pinners);
            ids.push(id);
            ends.push(pinners.len() as u64);
        }
        let sections: [(&str, &[u8]); 7] = [
            ("first", cast_slice(&self.counters.first)),
            ("rows", cast_slice(&self.counters.rows)),
            ("keys", cast_slice(&self.popular.keys)),
            ("popular", cast_slice(&popular)),
            ("pinner ids", cast_slice(&ids)),
            ("pinner ends", cast_slice(&ends)),
            ("pinners", &pinners),
        ];
        Snapshot::write(out, KIND, VERSION, &sections)
    }

    /// Signals as they were when they were written.
    pub fn open(bytes: &Bytes) -> Result<Signals, SnapshotError> {
        let odd = |section: &str, reason: String| SnapshotError::Section { section: section.to_owned(), reason };
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let (first, rows) = (snapshot.column::<u32>("first")?.to_vec(), snapshot.column::<Row>("rows")?.to_vec());
        let counters = Counters::restore(first, rows);
        let popular = Popular::restore(snapshot.column::<f64>("keys")?.to_vec(), &snapshot.column::<u32>("popular")?);
        let mut signals = Signals {
            pinners: Vec::new(),
            counters: counters.ok_or_else(|| odd("rows", "do not form chains".to_owned()))?,
            popular: popular.ok_or_else(|| odd("popular", "is not in order".to_owned()))?,
        };
        let (ids, ends) = (snapshot.column::<u32>("pinner ids")?, snapshot.column::<u64>("pinner ends")?);
        let pinners = snapshot.column::<u8>("pinners")?;
        if ids.len() != ends.len() || !ids.is_sorted() || ids.last() == Some(&u32::MAX) {
            return Err(odd("pinner ids", "do not fit the pinners".to_owned()));
        }
        signals.pinners.resize_with(ids.last().map_or(0, |&last| last as usize + 1), || None);
        let mut start = 0;
        for (&id, &end) in ids.iter().zip(ends.iter()) {
            let state = pinners.get(start..end as usize).map(PinnerState::decode);
            let state = state.ok_or_else(|| odd("pinners", format!("end before pinner {id}")))?;
            let state = state.map_err(|error| odd("pinners", format!("are odd at pinner {id}: {error}")))?;
            signals.pinners[id as usize] = Some(Box::new(state));
            start = end as usize;
        }
        Ok(signals)
    }
}
