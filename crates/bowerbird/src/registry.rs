//! Models by version in the blobs: `models/<version>/` holds `model.bbm`, `report.html` and `card.json`, written last;
//! `models/live` names the version that serves, `models/history` those that did before it, a line each, newest last.

use anyhow::{Context, Result, bail};
use models::{Model, ModelCard};
use store::Blobs;

const LIVE: &str = "models/live";
const HISTORY: &str = "models/history";
/// Versions that rollbacks can reach.
const HISTORY_MAX: usize = 32;
/// Versions that are named when one is not known.
const NAMED_MAX: usize = 5;
/// Characters of an unknown version that are looked at and said.
const UNKNOWN_CHARS_MAX: usize = 60;

/// The models of a data directory. One process at a time switches them; any number may read beside it.
#[derive(Clone)]
pub(crate) struct Registry {
    blobs: Blobs,
}

impl Registry {
    pub(crate) fn new(blobs: Blobs) -> Registry {
        Registry { blobs }
    }

    /// The version that serves, if one was promoted.
    pub(crate) fn live(&self) -> Result<Option<String>> {
        let bytes = self.blobs.get(LIVE).context("cannot read which model is live")?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).filter(|version| !version.is_empty()))
    }

    /// The weights of a version.
    pub(crate) fn model(&self, version: &str) -> Result<Model> {
        let bytes = self.read(&format!("models/{version}/model.bbm"))?;
        Model::from_bytes(&bytes).with_context(|| format!("model {version}"))
    }

    /// The card of a version.
    pub(crate) fn card(&self, version: &str) -> Result<ModelCard> {
        let bytes = self.read(&format!("models/{version}/card.json"))?;
        ModelCard::from_json(&String::from_utf8_lossy(&bytes)).with_context(|| format!("model {version}"))
    }

    /// Keeps a version with its report; it does not serve yet.
    pub(crate) fn keep(&self, model: &Model, card: &ModelCard) -> Result<()> {
        let version = model.version();
        let put = |name: &str, bytes| {
            let key = format!("models/{version}/{name}");
            self.blobs.put(&key, bytes).with_context(|| format!("cannot keep model {version}"))
        };
        put("model.bbm", model.to_bytes())?;
        put("report.html", crate::report::html(card).into_bytes())?;
        put("card.json", card.to_json().into_bytes())
    }

    /// Makes a version the one that serves; running servers notice within seconds. Nothing happens when it does.
    pub(crate) fn promote(&self, version: &str) -> Result<()> {
        self.must_know(version)?;
        let live = self.live()?;
        if live.as_deref() == Some(version) {
            return Ok(());
        }
        let mut history = self.history()?;
        history.extend(live);
        self.write_history(&history[history.len().saturating_sub(HISTORY_MAX)..])?;
        self.go_live(version)
    }

    /// Makes the version serve again that did before the live one, and gives its name.
    pub(crate) fn rollback(&self) -> Result<String> {
        let mut history = self.history()?;
        let Some(version) = history.pop() else {
            match self.live()? {
                Some(live) => {
                    bail!("nothing that is still kept was live before model {live}: promote a version instead")
                }
                None => bail!("no model is live: there is nothing to roll back"),
            }
        };
        self.model(&version).context("the version that was live before cannot be used")?;
        self.go_live(&version)?;
        self.write_history(&history)?;
        Ok(version)
    }

    /// Takes a version away that is not live. Stopped in the middle, it is still known and can be removed again.
    pub(crate) fn remove(&self, version: &str) -> Result<()> {
        self.must_know(version)?;
        if self.live()?.as_deref() == Some(version) {
            bail!("model {version} is live: promote another version or roll back, then remove it");
        }
        let context = || format!("cannot remove model {version}");
        let mut keys = self.blobs.list(&format!("models/{version}/")).with_context(context)?;
        keys.sort_by_key(|key| key.ends_with("/card.json"));
        keys.iter().try_for_each(|key| self.blobs.delete(key)).with_context(context)
    }

    /// The versions that were kept, in the order of their names.
    pub(crate) fn versions(&self) -> Result<Vec<String>> {
        let keys = self.blobs.list("models/").context("cannot list the models")?;
        let versions = keys.iter().filter_map(|key| key.strip_prefix("models/")?.strip_suffix("/card.json"));
        Ok(versions.map(str::to_owned).collect())
    }

    /// The versions that were live before the live one and are still kept, newest last.
    pub(crate) fn history(&self) -> Result<Vec<String>> {
        let bytes = self.blobs.get(HISTORY).context("cannot read which models were live")?.unwrap_or_default();
        let kept = self.versions()?;
        let mut history: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        history.retain(|version| kept.contains(version));
        history.dedup();
        // Also what a kill between the two writes of a switch leaves behind.
        if history.last() == self.live()?.as_ref() {
            history.pop();
        }
        Ok(history)
    }

    /// An error that names the versions most like it when a version is not kept.
    pub(crate) fn must_know(&self, version: &str) -> Result<()> {
        let mut versions = self.versions()?;
        if versions.iter().any(|kept| kept == version) {
            return Ok(());
        }
        let shown: String = version.chars().take(UNKNOWN_CHARS_MAX).collect();
        if versions.is_empty() {
            bail!("there is no model '{shown}': none is kept (bowerbird train makes one)");
        }
        versions.sort_by_key(|kept| edits(kept, &shown));
        let more = match versions.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        versions.truncate(NAMED_MAX);
        bail!("there is no model '{shown}' (kept: {}{more})", versions.join(", "))
    }

    fn go_live(&self, version: &str) -> Result<()> {
        self.blobs.put(LIVE, version.as_bytes().to_vec()).with_context(|| format!("cannot promote model {version}"))
    }

    fn write_history(&self, history: &[String]) -> Result<()> {
        self.blobs.put(HISTORY, history.join("\n").into_bytes()).context("cannot note which models were live")
    }

    fn read(&self, key: &str) -> Result<Vec<u8>> {
        self.blobs.get(key)?.with_context(|| format!("there is no {key}"))
    }
}

/// Characters that must be changed, added or left out to make `b` of `a`.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, a) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], place + 1);
        for (at, b) in b.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[at + 1];
            row[at + 1] = changed.min(corner + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(folder: &std::path::Path, versions: &[&str]) -> Registry {
        let registry = Registry::new(store::open_blobs(&folder.display().to_string()).expect("blobs"));
        for version in versions {
            let model = Model::untrained(models::ModelConfig::default(), 1).expect("the default shape");
            let card = ModelCard { version: (*version).into(), ..ModelCard::default() };
            registry.keep(&model.with_version(*version), &card).expect("kept");
        }
        registry
    }

    fn live(registry: &Registry) -> String {
        registry.live().expect("readable").unwrap_or_default()
    }

    #[test]
    fn rollbacks_go_back_through_what_was_live() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &["a", "b", "c"]);
        assert_eq!(
            registry.rollback().expect_err("nothing").to_string(),
            "no model is live: there is nothing to roll back"
        );
        for version in ["a", "a", "b", "b", "c", "a"] {
            registry.promote(version).expect("promoted");
        }
        assert_eq!(registry.history().expect("readable"), ["a", "b", "c"]);
        assert_eq!((registry.rollback().expect("back"), live(&registry)), ("c".into(), "c".into()));
        registry.remove("b").expect("removed");
        assert_eq!(registry.rollback().expect("over the removed one"), "a");
        let error = registry.rollback().expect_err("the first").to_string();
        assert!(error.contains("was live before model a"), "{error}");
        assert_eq!(live(&registry), "a", "and it stays");
    }

    #[test]
    fn a_switch_that_was_killed_halfway_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &["a", "b"]);
        registry.promote("a").expect("promoted");
        registry.write_history(&["a".into()]).expect("the first write of promoting b");
        assert_eq!(registry.history().expect("readable"), [""; 0]);
        registry.promote("b").expect("again");
        assert_eq!(registry.history().expect("readable"), ["a"]);
        registry.go_live("a").expect("the first write of rolling back");
        assert_eq!(registry.history().expect("readable"), [""; 0]);
    }

    #[test]
    fn only_what_is_kept_and_not_live_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &["20240131-120000-000", "20240201-120000-000"]);
        registry.promote("20240131-120000-000").expect("promoted");
        let error = registry.remove("20240131-120000-000").expect_err("live").to_string();
        assert!(error.contains("is live"), "{error}");
        registry.remove("20240201-120000-000").expect("removed");
        assert_eq!(registry.versions().expect("listed"), ["20240131-120000-000"]);
        assert!(!folder.path().join("models/20240201-120000-000/model.bbm").exists());
        for unknown in ["20240201-120000-000", "../live", "", "live"] {
            let error = registry.promote(unknown).expect_err("unknown").to_string();
            assert_eq!(error, format!("there is no model '{unknown}' (kept: 20240131-120000-000)"));
        }
    }

    #[test]
    fn the_most_alike_are_named_first() {
        assert_eq!([edits("", "ab"), edits("abc", "abc"), edits("abcd", "axd"), edits("ab", "ba")], [2, 0, 2, 2]);
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &["v10", "v21", "v22", "v23", "v24", "v25", "v30"]);
        let error = registry.must_know("v20").expect_err("unknown").to_string();
        assert!(error.contains("(kept: v10, v21, v22, v23, v24 and 2 more)"), "{error}");
    }
}
