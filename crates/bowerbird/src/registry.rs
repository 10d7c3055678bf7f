//! Models by version in the blobs: `models/<version>/` holds `model.bbm`, `report.html` and `card.json`, written
//! last; `models/live` names the live one.

use anyhow::{Context, Result};
use models::{Model, ModelCard};
use store::Blobs;

const LIVE: &str = "models/live";

/// The models of a data directory.
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

    /// Makes a version the one that serves; running servers notice within seconds.
    pub(crate) fn promote(&self, version: &str) -> Result<()> {
        self.blobs.put(LIVE, version.as_bytes().to_vec()).with_context(|| format!("cannot promote model {version}"))
    }

    /// The versions that were kept, in the order of their names.
    pub(crate) fn versions(&self) -> Result<Vec<String>> {
        let keys = self.blobs.list("models/").context("cannot list the models")?;
        let versions = keys.iter().filter_map(|key| key.strip_prefix("models/")?.strip_suffix("/card.json"));
        Ok(versions.map(str::to_owned).collect())
    }

    fn read(&self, key: &str) -> Result<Vec<u8>> {
        self.blobs.get(key)?.with_context(|| format!("there is no {key}"))
    }
}
