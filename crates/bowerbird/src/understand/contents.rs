//! What collections taught, in the blobs: `contents/<version>` holds it, `contents/live` names the version that pins
//! are annotated by, `contents/applied` by which version and rules all of them are.

use crate::config::ContentConfig;
use anyhow::{Context, Result};
use content::{Annotating, Learned};
use domain::{Annotated, EventId, hash64};
use std::sync::Arc;
use store::Blobs;

const LIVE: &str = "contents/live";
/// By which version and rules all pins were annotated last.
const APPLIED: &str = "contents/applied";
/// Older versions than so many are removed.
const KEPT: usize = 3;

/// What was learned of a data directory's pins. One process at a time keeps new versions; any number may read beside
/// it.
#[derive(Clone)]
pub(crate) struct Contents {
    blobs: Blobs,
}

impl Contents {
    pub(crate) fn new(blobs: Blobs) -> Contents {
        Contents { blobs }
    }

    /// The version that is live, if anything was learned.
    pub(crate) fn live(&self) -> Result<Option<u32>> {
        let bytes = self.blobs.get(LIVE).context("cannot read what was learned of contents")?;
        let version = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().parse());
        version.transpose().with_context(|| format!("{LIVE} names no version"))
    }

    /// What a version holds.
    pub(crate) fn learned(&self, version: u32) -> Result<Learned> {
        let key = key(version);
        let bytes = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Learned::from_bytes(bytes).context(key)
    }

    /// The rules with what is live.
    pub(crate) fn annotating(&self, rules: &Annotating) -> Result<Annotating> {
        let learned = self.live()?.map(|version| self.learned(version)).transpose()?;
        Ok(rules.with(learned.map(Arc::new)))
    }

    /// Keeps what was learned as the newest version and makes it live.
    pub(crate) fn keep(&self, learned: Learned) -> Result<Arc<Learned>> {
        let mut known = self.versions()?;
        let learned = learned.with_version(known.last().map_or(1, |last| last + 1));
        let version = learned.version;
        let put = |key: &str, bytes| self.blobs.put(key, bytes).context("cannot keep what was learned of contents");
        put(&key(version), learned.to_bytes()?)?;
        put(LIVE, version.to_string().into_bytes())?;
        known.push(version);
        for old in &known[..known.len().saturating_sub(KEPT)] {
            self.blobs.delete(&key(*old)).context("cannot remove what was learned before")?;
        }
        Ok(Arc::new(learned))
    }

    /// Whether all pins are annotated so. Where nothing was learned and no rules were given, nothing is told of pins
    /// that came before there were rules.
    pub(crate) fn is_applied(&self, annotating: &Annotating) -> Result<bool> {
        let applied = self.blobs.get(APPLIED).context("cannot read by what pins are annotated")?;
        Ok(match applied {
            Some(bytes) => bytes == mark(annotating).into_bytes(),
            None => {
                annotating.version() == 0 && annotating.rules() == ContentConfig::default().rules("".as_ref())?.rules()
            }
        })
    }

    /// All pins are annotated so.
    pub(crate) fn applied(&self, annotating: &Annotating) -> Result<()> {
        let mark = mark(annotating).into_bytes();
        self.blobs.put(APPLIED, mark).context("cannot write down by what pins are annotated")
    }

    fn versions(&self) -> Result<Vec<u32>> {
        let known = self.blobs.list("contents/").context("cannot list what was learned of contents")?;
        let mut versions: Vec<u32> = known.iter().filter_map(|key| key.split('/').nth(1)?.parse().ok()).collect();
        versions.sort_unstable();
        Ok(versions)
    }
}

fn key(version: u32) -> String {
    format!("contents/{version}")
}

fn mark(annotating: &Annotating) -> String {
    format!("{} {:016x}", annotating.version(), annotating.rules())
}

/// The name of what is said of a description of a pin: once for each version of the rules and of what was learned.
pub(crate) fn annotated_id(described: EventId, learned: u32, rules: u64) -> EventId {
    let mixed = hash64(hash64(rules ^ 0xA1) ^ u64::from(learned));
    EventId(described.0 ^ u128::from(mixed))
}

/// Whether something was said of a pin by these very rules and by what was learned last.
pub(crate) fn is_current(annotated: &Annotated, annotating: &Annotating) -> bool {
    (annotated.learned, annotated.rules) == (annotating.version(), annotating.rules())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_versions_are_kept_and_the_last_is_live() {
        let folder = tempfile::tempdir().expect("a folder");
        let contents = Contents::new(store::open_blobs(&folder.path().display().to_string()).expect("blobs"));
        assert_eq!(contents.live().expect("readable"), None);
        for version in 1..=5 {
            assert_eq!(contents.keep(Learned::default()).expect("kept").version, version);
        }
        assert_eq!(contents.versions().expect("listed"), [3, 4, 5]);
        let annotating = contents.annotating(&Annotating::default()).expect("live");
        assert_eq!(annotating.version(), 5);
        assert!(!contents.is_applied(&annotating).expect("readable"));
        contents.applied(&annotating).expect("written");
        assert!(contents.is_applied(&annotating).expect("readable"));
        std::fs::write(folder.path().join("contents/5"), "odd").expect("written");
        let error = format!("{:#}", contents.annotating(&Annotating::default()).expect_err("odd"));
        assert!(error.starts_with("contents/5: not a whole learned contents"), "{error}");
    }
}
