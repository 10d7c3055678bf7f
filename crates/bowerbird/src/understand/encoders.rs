//! Encoders by space in the blobs: `encoders/<space>/` holds `encoder.bbe` and `card.json`, or a published encoder's
//! files and their `fingerprint`; what is named last is written last. `encoders/live` names the space that pins are
//! embedded in.

use super::published::{PublishedFiles, fingerprint};
use anyhow::{Context, Result, ensure};
use content::{Embedder, PUBLISHED_FILES, SPACE};
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
        self.live()?.map_or_else(|| Ok(Embedder::default()), |space| self.embedder_of(space))
    }

    /// When the last act was that the live encoder was learned from (ms, UTC); 0 where there was none.
    pub(crate) fn heard_until_ms(&self) -> Result<u64> {
        let Some(space) = self.live()? else { return Ok(0) };
        let key = format!("encoders/{space}/card.json");
        // A published encoder has no card: it heard of nothing here.
        let Some(card) = self.blobs.get(&key)? else { return Ok(0) };
        Ok(ModelCard::from_json(&String::from_utf8_lossy(&card)).with_context(|| key)?.data_range_ms.1)
    }

    /// What understands words and pictures as the pins of a space were understood.
    pub(crate) fn embedder_of(&self, space: u32) -> Result<Embedder> {
        if space <= SPACE {
            return Ok(Embedder::default());
        }
        match self.fingerprint(space)? {
            Some(fingerprint) => self.published(space, &fingerprint),
            None => Ok(Embedder::learned(self.encoder(space)?)),
        }
    }

    /// The encoder of a space that was learned.
    fn encoder(&self, space: u32) -> Result<Encoder> {
        let key = format!("encoders/{space}/encoder.bbe");
        let bytes = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Encoder::from_bytes(&bytes).with_context(|| format!("encoder {space}"))
    }

    /// The encoder of a space that somebody published; its files have to be those that it was taken over with.
    fn published(&self, space: u32, expected: &str) -> Result<Embedder> {
        let mut files = PublishedFiles::new();
        for file in PUBLISHED_FILES {
            let bytes = self.blobs.get(&format!("encoders/{space}/{}", file.name));
            files.extend(bytes.context("cannot read an encoder")?.map(|bytes| (file.name, bytes)));
        }
        ensure!(fingerprint(&files) == expected, "encoders/{space}: the files are not those that were taken over");
        Embedder::published(&files, space).with_context(|| format!("encoder {space}"))
    }

    /// Of which files a published encoder is.
    fn fingerprint(&self, space: u32) -> Result<Option<String>> {
        let bytes = self.blobs.get(&format!("encoders/{space}/fingerprint")).context("cannot read an encoder")?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// Keeps an encoder in a space of its own, which is given back; it is not live yet.
    pub(crate) fn keep(&self, encoder: Encoder, card: &ModelCard) -> Result<u32> {
        let space = self.next_space()?;
        self.put(space, "encoder.bbe", encoder.with_space(space).to_bytes())?;
        self.put(space, "card.json", card.to_json().into_bytes())?;
        Ok(space)
    }

    /// Keeps a published encoder in a space of its own, which is given back: that of the live one where that has the
    /// same files. It is not live yet.
    pub(crate) fn keep_published(&self, files: PublishedFiles) -> Result<u32> {
        let fingerprint = fingerprint(&files);
        if let Some(space) = self.live()?
            && self.fingerprint(space)?.as_deref() == Some(fingerprint.as_str())
        {
            return Ok(space);
        }
        let space = self.next_space()?;
        files.into_iter().try_for_each(|(name, bytes)| self.put(space, name, bytes))?;
        self.put(space, "fingerprint", fingerprint.into_bytes())?;
        Ok(space)
    }

    /// Spaces are counted, so that newer ones are known by their numbers; none is given twice.
    fn next_space(&self) -> Result<u32> {
        let known = self.blobs.list("encoders/").context("cannot list the encoders")?;
        let spaces = known.iter().filter_map(|key| key.split('/').nth(1)?.parse::<u32>().ok());
        Ok(spaces.max().unwrap_or(SPACE) + 1)
    }

    fn put(&self, space: u32, name: &str, bytes: Vec<u8>) -> Result<()> {
        let key = format!("encoders/{space}/{name}");
        self.blobs.put(&key, bytes).with_context(|| format!("cannot keep encoder {space}"))
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
    fn published_files_keep_their_space_and_must_not_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let encoders = Encoders::new(store::open_blobs(&folder.path().display().to_string()).expect("blobs"));
        let files = |config: &str| PublishedFiles::from([("config.json", config.as_bytes().to_vec())]);
        let first = encoders.keep_published(files("{}")).expect("kept");
        encoders.go_live(first).expect("live");
        assert_eq!((first, encoders.keep_published(files("{}")).expect("the same")), (SPACE + 1, SPACE + 1));
        assert_eq!(encoders.keep_published(files("[]")).expect("another"), SPACE + 2);
        std::fs::write(folder.path().join(format!("encoders/{first}/config.json")), "{ }").expect("written");
        let error = format!("{:#}", encoders.embedder().expect_err("changed"));
        assert!(error.contains("encoders/2: the files are not those"), "{error}");
    }

    #[test]
    fn each_encoder_has_a_space_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let encoders = Encoders::new(store::open_blobs(&folder.path().display().to_string()).expect("blobs"));
        assert_eq!(encoders.embedder().expect("built in").space(), SPACE);
        let config =
            EncoderConfig { side: 24, picture_hidden: 8, channels: 1, table_rows: 16, ..EncoderConfig::default() };
        let encoder = Encoder::untrained(config, 0, 1).expect("a good shape");
        let [first, second] = [1, 2].map(|_| encoders.keep(encoder.clone(), &ModelCard::default()).expect("kept"));
        assert_eq!((first, second), (SPACE + 1, SPACE + 2));
        assert_eq!(encoders.live().expect("readable"), None, "kept and not live");
        encoders.go_live(second).expect("live");
        assert_eq!(encoders.embedder().expect("the second").space(), second);
        assert_eq!(encoders.heard_until_ms().expect("its card"), 0);
        let card = ModelCard { data_range_ms: (0, 7), ..ModelCard::default() };
        encoders.put(second, "card.json", card.to_json().into_bytes()).expect("kept");
        assert_eq!(encoders.heard_until_ms().expect("its card"), 7);
        std::fs::remove_file(folder.path().join(format!("encoders/{second}/card.json"))).expect("there");
        assert_eq!(encoders.heard_until_ms().expect("no card, as of a published one"), 0);
        folder.path().join("encoders/live").as_path().metadata().expect("there");
        std::fs::write(folder.path().join("encoders/live"), "odd").expect("written");
        assert!(format!("{:#}", encoders.live().expect_err("odd")).contains("names no space"));
    }
}
