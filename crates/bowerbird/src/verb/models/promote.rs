//! `bowerbird models promote`: through the gates that a training goes through.

use super::tell;
use crate::engine::Reading;
use crate::learn::{judge, measure_again};
use crate::registry::Registry;
use crate::setup::Setup;
use anyhow::{Result, bail};
use serde_json::json;

/// Puts a version live when the gates let it, or by force.
pub(super) fn promote(version: &str, force: bool, setup: &Setup, registry: &Registry) -> Result<()> {
    registry.must_know(version)?;
    let before = registry.live()?;
    if before.as_deref() == Some(version) {
        let figures = json!({ "live": version, "before": version, "gate": null, "reasons": [] });
        tell(setup, figures, &format!("model {version} is live already"));
        return Ok(());
    }
    let reasons = reasons(version, before.as_deref(), setup, registry)?;
    let goes = reasons.is_empty() || force;
    if goes {
        registry.promote(version)?;
    }
    let gate = if reasons.is_empty() { "passed" } else { "refused" };
    let live = if goes { Some(version) } else { before.as_deref() };
    let figures = json!({ "live": live, "before": before, "gate": gate, "reasons": reasons });
    let place = before.as_deref().map_or(String::new(), |before| format!(", in the place of {before}"));
    if goes || setup.json {
        tell(setup, figures, &format!("model {version} is live{place}"));
    }
    if !goes {
        bail!("model {version} does not go live: {} (--force puts it live all the same)", reasons.join("; "));
    }
    if !reasons.is_empty() {
        eprintln!("remark: the gates say no: {}", reasons.join("; "));
    }
    Ok(())
}

/// What speaks against a version, compared with the one that is live now.
fn reasons(version: &str, live: Option<&str>, setup: &Setup, registry: &Registry) -> Result<Vec<String>> {
    let (model, mut card) = (registry.model(version)?, registry.card(version)?);
    let compared = live.is_some_and(|live| card.parents.iter().any(|parent| parent == live));
    if !compared {
        card.metrics.retain(|name, _| !name.starts_with("live/"));
        if live.is_some() {
            measure_again(&Reading::open(setup)?, &setup.config.train, &setup.stop, &mut card)?;
        }
    }
    judge(&model, &card)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::stop::Stop;
    use models::{Model, ModelCard, ModelConfig};

    #[test]
    fn a_version_goes_through_the_gates_or_is_forced() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_owned();
        let setup = Setup { data, given: None, config: Config::default(), json: true, stop: Stop::default() };
        let registry = Registry::new(setup.blobs().expect("blobs"));
        for (version, recall) in [("good", 0.2), ("bad", 0.1)] {
            let metrics = [("validation/recall@20", recall), ("live/recall@20", 0.2)];
            let metrics = metrics.map(|(name, value)| (name.to_owned(), value)).into();
            let parents = vec!["first".to_owned(), "good".to_owned()];
            let card = ModelCard { version: version.into(), metrics, parents, ..ModelCard::default() };
            let model = Model::untrained(ModelConfig::default(), 1).expect("the default shape");
            registry.keep(&model.with_version(version), &card).expect("kept");
        }
        let live = || registry.live().expect("readable").unwrap_or_default();
        promote("bad", false, &setup, &registry).expect("nothing is live that it could be worse than");
        assert_eq!(live(), "bad");
        promote("good", false, &setup, &registry).expect("nobody did anything that could be measured");
        let error = promote("bad", false, &setup, &registry).expect_err("refused").to_string();
        assert!(error.contains("does not go live: recall@20 is 0.1000, the live model has 0.2000"), "{error}");
        assert_eq!(live(), "good");
        promote("bad", true, &setup, &registry).expect("forced");
        assert_eq!(live(), "bad");
        promote("bad", false, &setup, &registry).expect("live already");
        let error = promote("god", false, &setup, &registry).expect_err("unknown").to_string();
        assert_eq!(error, "there is no model 'god' (kept: good, bad)");
    }
}
