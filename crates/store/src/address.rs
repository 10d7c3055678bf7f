//! From an address to an engine.

use crate::file_log::{FileLog, LogLook};
use crate::fjall_state::FjallState;
use crate::{Blobs, EventLog, StateStore, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

/// One thing that can be opened, and the engines that other builds have for it: scheme and feature.
struct Seam {
    what: &'static str,
    others: &'static [(&'static str, &'static str)],
}

const LOG: Seam = Seam { what: "an event log", others: &[("kafka", "kafka")] };
const STATE: Seam = Seam { what: "a state store", others: &[("redis+cluster", "redis")] };
const BLOBS: Seam = Seam { what: "a blob store", others: &[("s3", "s3")] };

/// Opens the event log of an address, and holds it against other processes until the last handle is dropped.
pub fn open_log(uri: &str) -> Result<Arc<dyn EventLog>, StoreError> {
    Ok(Arc::new(FileLog::open(&directory(uri, &LOG)?)?))
}

/// Opens the event log of an address for reading: what it holds now, whether another process writes to it or not.
pub fn open_log_to_read(uri: &str) -> Result<Arc<dyn EventLog>, StoreError> {
    Ok(Arc::new(LogLook::open(&directory(uri, &LOG)?)?))
}

/// Opens the state store of an address, and holds it against other processes until the last handle is dropped.
pub fn open_state(uri: &str) -> Result<Arc<dyn StateStore>, StoreError> {
    Ok(Arc::new(FjallState::open(&directory(uri, &STATE)?)?))
}

/// Opens the blob store of an address.
pub fn open_blobs(uri: &str) -> Result<Blobs, StoreError> {
    Blobs::open(&directory(uri, &BLOBS)?)
}

/// The directory of a log's address, for looking at it without opening it.
pub(crate) fn log_directory(uri: &str) -> Result<PathBuf, StoreError> {
    directory(uri, &LOG)
}

fn directory(uri: &str, seam: &Seam) -> Result<PathBuf, StoreError> {
    let shown = || uri.chars().take(256).collect::<String>();
    let path = match uri.split_once("://") {
        None => uri,
        Some(("file", path)) => path,
        Some((scheme, _)) => {
            return Err(match seam.others.iter().find(|(known, _)| *known == scheme) {
                Some(&(_, feature)) => StoreError::NoEngine { uri: shown(), feature },
                None => bad_address(shown(), seam),
            });
        }
    };
    if path.is_empty() || path.contains('\0') {
        return Err(bad_address(shown(), seam));
    }
    Ok(PathBuf::from(path))
}

fn bad_address(uri: String, seam: &Seam) -> StoreError {
    let others = seam.others.iter().map(|(scheme, _)| format!("{scheme}://")).collect::<Vec<_>>().join(", ");
    StoreError::BadAddress { uri, what: seam.what, others }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(uri: &str, seam: &Seam) -> String {
        directory(uri, seam).expect_err("no such engine here").to_string()
    }

    #[test]
    fn an_engine_left_out_answers_by_name() {
        assert_eq!(error("kafka://a:9092", &LOG), "this build has no engine for 'kafka://a:9092' (feature `kafka`)");
        let redis = "this build has no engine for 'redis+cluster://a' (feature `redis`)";
        assert_eq!(error("redis+cluster://a", &STATE), redis);
        assert_eq!(error("s3://bucket", &BLOBS), "this build has no engine for 's3://bucket' (feature `s3`)");
        let known = "known are file://DIRECTORY, a bare path, and kafka://";
        assert_eq!(error("ftp://x", &LOG), format!("'ftp://x' is no address of an event log: {known}"));
        assert_eq!(error("file://", &LOG), format!("'file://' is no address of an event log: {known}"));
    }

    #[test]
    fn directories_are_given_bare_or_as_file_addresses() {
        for uri in ["file:///a/b", "/a/b"] {
            assert_eq!(directory(uri, &LOG).expect("a directory"), PathBuf::from("/a/b"));
        }
        assert_eq!(directory("file://a", &LOG).expect("a directory"), PathBuf::from("a"));
    }
}
