//! Pins that no encoder learns from, so that it can be measured on them.

use crate::setup::Setup;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// Its name in the data directory: an id a line.
const FILE: &str = "not-learned-from.txt";

/// The pins of a data directory that no encoder learns from.
pub(crate) struct LeftOut;

impl LeftOut {
    /// Their ids.
    pub(crate) fn read(setup: &Setup) -> Result<BTreeSet<String>> {
        let path = setup.folder(FILE);
        if path.exists() { read_ids(&path) } else { Ok(BTreeSet::new()) }
    }

    /// Adds ids for good.
    pub(crate) fn add(setup: &Setup, ids: &BTreeSet<String>) -> Result<()> {
        let all: String = LeftOut::read(setup)?.union(ids).flat_map(|id| [id, "\n"]).collect();
        let (path, new) = (setup.folder(FILE), setup.folder(&format!("{FILE}.new")));
        let write = || {
            std::fs::create_dir_all(&setup.data)?;
            std::fs::write(&new, all)?;
            std::fs::rename(&new, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Ids from a file, one a line.
pub(crate) fn read_ids(path: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::stop::Stop;

    #[test]
    fn what_was_left_out_once_stays_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("new");
        let setup = Setup { data, given: None, config: Config::default(), json: false, stop: Stop::default() };
        assert!(LeftOut::read(&setup).expect("none").is_empty());
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        LeftOut::add(&setup, &ids(&["b", "a"])).expect("written");
        LeftOut::add(&setup, &ids(&["c"])).expect("written");
        assert_eq!(LeftOut::read(&setup).expect("three"), ids(&["a", "b", "c"]));
    }
}
