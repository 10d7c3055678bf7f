//! What the consumer keeps in the state store: spaces, keys and bytes.
//!
//! | space | key | value |
//! |---|---|---|
//! | `edge` | running number | a run of edges in the order in which they were added |
//! | `pinner`, `pin` | dense id | what `signals` knows of it |
//! | `request` | request id | offset of its newest record with a ranking in the topic `requests` |
//!
//! Descriptions are not here: the catalogue topic is read again at start, and so are the numbers of ids.

use crate::error::ServingError;
use domain::{BoardId, EventId, PinId, TopicKind};
use store::{Batch, EventLog, StateStore};

pub(crate) const CONSUMER: &str = "views";
pub(crate) const EDGE: &str = "edge";
pub(crate) const PINNER: &str = "pinner";
pub(crate) const PIN: &str = "pin";
pub(crate) const REQUEST: &str = "request";

/// Version of the runs; they begin with it.
const VERSION: u8 = 1;

/// Longest run of ids or edges under one key.
const RUN_MAX: usize = 65_536;

/// Keys read at once when a space is walked through.
const SCAN_MAX: usize = 1_024;

/// Holds the state against the log: numbers that the state speaks of must be there.
pub(crate) fn check_numbers(state: &dyn StateStore, log: &dyn EventLog) -> Result<(), ServingError> {
    let (topic, end) = (TopicKind::Numbers, log.end(TopicKind::Numbers));
    let offset = state.offset(CONSUMER, topic)?;
    if offset > end {
        return Err(ServingError::StateAhead { topic, offset, end });
    }
    if offset == 0 && state.offset(CONSUMER, TopicKind::Events)? > 0 {
        let reason = "it is of a version that kept numbers of ids here; delete it, and it is made again";
        return Err(ServingError::BadState { space: EDGE, reason: reason.to_owned() });
    }
    Ok(())
}

/// Puts new edges into the batch; `next` is the number of the next run.
pub(crate) fn put_edges(batch: &mut Batch, edges: &[(PinId, BoardId)], next: &mut u64) {
    for run in edges.chunks(RUN_MAX) {
        let mut bytes = vec![VERSION];
        run.iter().for_each(|(pin, board)| {
            bytes.extend(pin.0.to_le_bytes());
            bytes.extend(board.0.to_le_bytes());
        });
        batch.put(EDGE, next.to_be_bytes(), bytes);
        *next += 1;
    }
}

/// Most runs of edges that are left as they are; more are joined when they are next read.
const EDGE_RUNS_MAX: u64 = 4_096;

/// All edges in the order in which they were added, and the number of the next run.
pub(crate) fn read_edges(state: &dyn StateStore) -> Result<(Vec<(PinId, BoardId)>, u64), ServingError> {
    let bad = || ServingError::BadState { space: EDGE, reason: "a run is cut off".to_owned() };
    let (mut edges, mut keys) = (Vec::new(), Vec::new());
    each(state, EDGE, |key, value| {
        keys.push(key.to_vec());
        let (pairs, rest) = versioned(EDGE, value)?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(bad());
        }
        edges.extend(pairs.iter().map(|&[a, b, c, d, e, f, g, h]| {
            (PinId(u32::from_le_bytes([a, b, c, d])), BoardId(u32::from_le_bytes([e, f, g, h])))
        }));
        Ok(())
    })?;
    let mut next = match keys.last() {
        Some(key) => u64::from_be_bytes(key.as_slice().try_into().map_err(|_| bad())?) + 1,
        None => 0,
    };
    if keys.len() as u64 > EDGE_RUNS_MAX + edges.len() as u64 / RUN_MAX as u64 {
        let mut batch = Batch::new();
        keys.into_iter().for_each(|key| _ = batch.delete(EDGE, key));
        put_edges(&mut batch, &edges, &mut next);
        state.write(batch)?;
    }
    Ok((edges, next))
}

pub(crate) fn request_key(id: EventId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// Calls `work` with every key and value of a space of dense ids.
pub(crate) fn each_id(
    state: &dyn StateStore,
    space: &'static str,
    mut work: impl FnMut(u32, &[u8]) -> Result<(), String>,
) -> Result<(), ServingError> {
    let bad = |reason: String| ServingError::BadState { space, reason };
    each(state, space, |key, value| {
        let id = key.try_into().map(u32::from_be_bytes).map_err(|_| bad("odd key".to_owned()))?;
        work(id, value).map_err(bad)
    })
}

fn each(
    state: &dyn StateStore,
    space: &str,
    mut work: impl FnMut(&[u8], &[u8]) -> Result<(), ServingError>,
) -> Result<(), ServingError> {
    let mut from = Vec::new();
    loop {
        let found = state.scan(space, &from, SCAN_MAX)?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        from.clone_from(last);
        from.push(0);
        found.iter().try_for_each(|(key, value)| work(key, value))?;
    }
}

fn versioned<'a>(space: &'static str, bytes: &'a [u8]) -> Result<&'a [u8], ServingError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        version => {
            let found = version.map_or("nothing".to_owned(), |(version, _)| format!("version {version}"));
            Err(ServingError::BadState { space, reason: format!("{found} where version {VERSION} is needed") })
        }
    }
}
