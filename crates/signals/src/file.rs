//! Signals outside of memory.

use crate::Signals;
use crate::counters::{Dense, Entry, Hashed};
use crate::pinner::PinnerState;
use crate::popular::Popular;
use crate::signals::Counters;
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError};
use std::io::{self, Write};

const KIND: &str = "signals";
const VERSION: u32 = 4;

/// Places, moments and counts of each kind of key.
const DENSE: [[&str; 3]; 5] = [
    ["pin places", "pin last", "pin counts"],
    ["creator places", "creator last", "creator counts"],
    ["topic places", "topic last", "topic counts"],
    ["pinner places", "pinner last", "pinner counts"],
    ["surface places", "surface last", "surface counts"],
];

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
        let [newer, older] = self.counters.query_pins.generations();
        let mut sections: Vec<(&str, &[u8])> = vec![
            ("newer query pins", cast_slice(&newer)),
            ("older query pins", cast_slice(&older)),
            ("keys", cast_slice(&self.popular.keys)),
            ("popular", cast_slice(&popular)),
            ("pinner ids", cast_slice(&ids)),
            ("pinner ends", cast_slice(&ends)),
            ("pinners", &pinners),
        ];
        for ([places, last, counts], dense) in DENSE.iter().zip(self.counters.dense()) {
            sections.push((places, cast_slice(&dense.places)));
            sections.push((last, cast_slice(&dense.last_s)));
            sections.push((counts, cast_slice(&dense.values)));
        }
        Snapshot::write(out, KIND, VERSION, &sections)
    }

    /// Signals as they were when they were written.
    pub fn open(bytes: &Bytes) -> Result<Signals, SnapshotError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let popular = Popular::restore(snapshot.column::<f64>("keys")?.to_vec(), &snapshot.column::<u32>("popular")?);
        let mut signals = Signals {
            pinners: Vec::new(),
            counters: counters(&snapshot)?,
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

fn counters(snapshot: &Snapshot) -> Result<Counters, SnapshotError> {
    let dense = |names: &[&str; 3]| {
        let [places, last, counts] = names;
        let (places, last_s) = (snapshot.column::<u32>(places)?.to_vec(), snapshot.column::<u32>(last)?.to_vec());
        let values = snapshot.column(counts)?.to_vec();
        Dense::restore(places, last_s, values).ok_or_else(|| odd(counts, "are no counts".to_owned()))
    };
    let [pins, creators, topics, pinners, surfaces] = &DENSE;
    let (newer, older) = (snapshot.column::<Entry>("newer query pins")?, snapshot.column("older query pins")?);
    let query_pins = Hashed::restore([&newer, &older]);
    Ok(Counters {
        pins: dense(pins)?,
        creators: dense(creators)?,
        topics: dense(topics)?,
        pinners: dense(pinners)?,
        surfaces: dense(surfaces)?,
        query_pins: query_pins.ok_or_else(|| odd("newer query pins", "hold no counts".to_owned()))?,
    })
}

fn odd(section: &str, reason: String) -> SnapshotError {
    SnapshotError::Section { section: section.to_owned(), reason }
}
