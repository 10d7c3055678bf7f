//! Encoders by space in the blobs: `encoders/<space>/` holds `encoder.bbe` and `card.json`, written last;
//! `encoders/live` names the space that pins are embedded in.

use anyhow::{Context, Result};
use content::{Embedder, SPACE};
use models::{Encoder, ModelCard};
use store::Blobs;

const LIVE: &str = "encoders/live";

/// The encoders of a data directory. One process at a time keeps new ones; any number may read beside it.
#[derive(Clone)]
pub(crate) struct Encoders {
    blobs: Blobs,
}

impl Encoders {
    pub(crate) fn new(blobs: Blobs) -> Encoders {
        Encoders { blobs }
    }

    /// The space that is live, if one was learned.
    pub(crate) fn live(&self) -> Result<Option<u32>> {
        let bytes = self.blobs.get(LIVE).context("cannot read which encoder is live")?;
        let space = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().parse());
        space.transpose().with_context(|| format!("{LIVE} names no space"))
    }

    /// What understands pins: the live encoder, or what is built in.
    pub(crate) fn embedder(&self) -> Result<Embedder> {
        self.live()?.map_or_else(|| Ok(Embedder::default()), |space| Ok(Embedder::learned(self.encoder(space)?)))
    }

    /// When the last act was that the live encoder was learned from (ms, UTC); 0 where there was none.
    pub(crate) fn heard_until_ms(&self) -> Result<u64> {
        let Some(space) = self.live()? else { return Ok(0) };
        let key = format!("encoders/{space}/card.json");
        let card = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Ok(ModelCard::from_json(&String::from_utf8_lossy(&card)).with_context(|| key)?.data_range_ms.1)
    }

    /// What understands words and pictures as the pins of a space were understood.
    pub(crate) fn embedder_of(&self, space: u32) -> Result<Embedder> {
        if space <= SPACE { Ok(Embedder::default()) } else { Ok(Embedder::learned(self.encoder(space)?)) }
    }

    /// The encoder of a space.
    pub(crate) fn encoder(&self, space: u32) -> Result<Encoder> {
        let key = format!("encoders/{space}/encoder.bbe");
        let bytes = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Encoder::from_bytes(&bytes).with_context(|| format!("encoder {space}"))
    }

    /// Keeps an encoder in a space of its own, which is given back; it is not live yet.
    pub(crate) fn keep(&self, encoder: Encoder, card: &ModelCard) -> Result<u32> {
        let known = self.blobs.list("encoders/").context("cannot list the encoders")?;
        let spaces = known.iter().filter_map(|key| key.split('/').nth(1)?.parse::<u32>().ok());
        let space = spaces.max().unwrap_or(SPACE) + 1;
        let put = |name: &str, bytes| {
            let key = format!("encoders/{space}/{name}");
            self.blobs.put(&key, bytes).with_context(|| format!("cannot keep encoder {space}"))
        };
        put("encoder.bbe", encoder.with_space(space).to_bytes())?;
        put("card.json", card.to_json().into_bytes())?;
        Ok(space)
    }

    /// Makes a space the one that pins are embedded in.
    pub(crate) fn go_live(&self, space: u32) -> Result<()> {
        let bytes = space.to_string().into_bytes();
        self.blobs.put(LIVE, bytes).with_context(|| format!("cannot make encoder {space} the live one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::EncoderConfig;

    #[test]
    fn each_encoder_has_a_space_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let encoders = Encoders::new(store::open_blobs(&folder.path().display().to_string()).expect("blobs"));
        assert_eq!(encoders.embedder().expect("built in").space(), SPACE);
        let config = EncoderConfig { side: 24, picture_hidden: 8, table_rows: 16, ..EncoderConfig::default() };
        let encoder = Encoder::untrained(config, 0, 1).expect("a good shape");
        let [first, second] = [1, 2].map(|_| encoders.keep(encoder.clone(), &ModelCard::default()).expect("kept"));
        assert_eq!((first, second), (SPACE + 1, SPACE + 2));
        assert_eq!(encoders.live().expect("readable"), None, "kept and not live");
        encoders.go_live(second).expect("live");
        assert_eq!(encoders.embedder().expect("the second").space(), second);
        folder.path().join("encoders/live").as_path().metadata().expect("there");
        std::fs::write(folder.path().join("encoders/live"), "odd").expect("written");
        assert!(format!("{:#}", encoders.live().expect_err("odd")).contains("names no space"));
    }
}
