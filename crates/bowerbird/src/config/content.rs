//! What is found out about pins, and from where on it has consequences.

use anyhow::{Context, Result, bail};
use content::{Annotating, LabelParams};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most bytes of a file of rules or topics.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Files, bounds and thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContentConfig {
    pub taxonomy: String,
    pub safety: String,
    pub topics: usize,
    pub learn_pins_min: usize,
    pub learn_pins_max: usize,
    pub labels: LabelParams,
}

impl Default for ContentConfig {
    fn default() -> Self {
        ContentConfig {
            taxonomy: String::new(),
            safety: String::new(),
            topics: 100,
            learn_pins_min: 1_000,
            learn_pins_max: 200_000,
            labels: LabelParams::default(),
        }
    }
}

impl ContentConfig {
    /// The rules, with files relative to the data directory; nothing is learned yet.
    pub(crate) fn rules(&self, data: &Path) -> Result<Annotating> {
        let safety = read("content.safety", data, &self.safety)?;
        let taxonomy = read("content.taxonomy", data, &self.taxonomy)?;
        let rules = Annotating::new(&self.labels, safety.as_deref(), taxonomy.as_deref());
        rules.context("[content]")
    }
}

fn read(key: &str, data: &Path, name: &str) -> Result<Option<String>> {
    if name.is_empty() {
        return Ok(None);
    }
    let path = data.join(name);
    let meta = path.metadata().with_context(|| format!("{key}: cannot read {}", path.display()))?;
    if meta.len() > FILE_BYTES_MAX {
        bail!("{key}: {} has more than {FILE_BYTES_MAX} bytes", path.display());
    }
    std::fs::read_to_string(&path).map(Some).with_context(|| format!("{key}: cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_rules_are_read_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = |safety: &str, taxonomy: &str| ContentConfig {
            safety: safety.into(),
            taxonomy: taxonomy.into(),
            ..ContentConfig::default()
        };
        let told = |config: ContentConfig| config.rules(folder.path()).map(|rules| rules.rules());
        let none = told(config("", "")).expect("no files");
        std::fs::write(folder.path().join("rules.json"), r#"{"rules": [{"label": "x", "terms": ["y"]}]}"#)
            .expect("written");
        assert_ne!(told(config("rules.json", "")).expect("rules"), none);
        let error = format!("{:#}", told(config("rule.json", "")).expect_err("no such file"));
        assert!(error.starts_with("content.safety: cannot read ") && error.contains("rule.json"), "{error}");
        let error = format!("{:#}", told(config("", "rules.json")).expect_err("no taxonomy"));
        assert!(error.starts_with("[content]: line 1 of the taxonomy"), "{error}");
    }
}
