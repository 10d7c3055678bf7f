//! Published encoders: their weights and shapes as model hubs hold them, their forward passes by our kernels.

mod layer;
mod pictures;
mod settings;
mod stack;
mod tensors;
mod words;

use serde_json::Value;

use self::pictures::PictureTower;
use self::settings::Settings;
use self::tensors::Tensors;
use self::words::{Kin, Pool, TextTower};
use crate::ModelError;

/// Texts or pictures that are computed together: more of them fill the processor no better.
const BATCH: usize = 16;

/// An encoder that somebody published: BERT and its kin for words, CLIP or SigLIP for words and pictures. `model_type`
/// of its `config.json` says which.
///
/// ```text
/// BERT     x = norm(word + place);  x = norm(x + attention(x)), x = norm(x + MLP(x));      mean or first row
/// CLIP     x = word + place;  x += attention(norm(x)), x += MLP(norm(x)), causal;          end · W
///          x = norm([class; patches] + place);  the same blocks, all see all;              norm(class) · W
/// SigLIP   the same blocks, all see all;  last row · W + b;  a learned question reads all patches
/// ```
///
/// Vectors come as the reference computes them: not scaled to unit length.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedEncoder {
    text: TextTower,
    picture: Option<PictureTower>,
}

impl PublishedEncoder {
    /// Reads an encoder: `config.json`, `model.safetensors` and, of BERT's kin, `1_Pooling/config.json` where there is
    /// one (else the mean of all tokens speaks for a text).
    ///
    /// # Errors
    /// When it is of a kind that is not known, or the files are damaged or do not fit together.
    pub fn read(config: &[u8], weights: &[u8], pooling: Option<&[u8]>) -> Result<PublishedEncoder, ModelError> {
        let config = json("config.json", config)?;
        let settings = Settings::new("config.json", &config);
        let tensors = Tensors::read(weights)?;
        let kin = match settings.text("model_type", "") {
            "bert" => Kin::Bert,
            "distilbert" => Kin::DistilBert,
            "roberta" | "xlm-roberta" => Kin::Roberta,
            kind @ ("clip" | "siglip") => return PublishedEncoder::paired(kind == "clip", &settings, &tensors),
            other => {
                let known = "bert, distilbert, roberta, xlm-roberta, clip and siglip are read";
                return Err(settings.odd("model_type", &format!("is '{other}': {known}")));
            }
        };
        let text = TextTower::bert(kin, &settings, tensors, pool(pooling)?)?;
        Ok(PublishedEncoder { text, picture: None })
    }

    fn paired(is_clip: bool, settings: &Settings, tensors: &Tensors) -> Result<PublishedEncoder, ModelError> {
        let (words, pictures) = (settings.part("text_config"), settings.part("vision_config"));
        let (text, picture) = if is_clip {
            let dim = settings.number("projection_dim", 512, 1..=8_192)?;
            (TextTower::clip(&words, tensors, dim)?, PictureTower::clip(&pictures, tensors, dim)?)
        } else {
            (TextTower::siglip(&words, tensors)?, PictureTower::siglip(&pictures, tensors)?)
        };
        if text.dim() != picture.dim() {
            let reason = format!("words become {} numbers, pictures {}", text.dim(), picture.dim());
            return Err(ModelError::Config(format!("config.json: {reason}")));
        }
        Ok(PublishedEncoder { text, picture: Some(picture) })
    }

    /// Numbers of a vector.
    pub fn dim(&self) -> usize {
        self.text.dim()
    }

    /// How many words and pieces are known: numbers of tokens lie below it.
    pub fn vocabulary(&self) -> usize {
        self.text.vocabulary()
    }

    /// Most tokens of a text.
    pub fn tokens_max(&self) -> usize {
        self.text.tokens_max()
    }

    /// Whether every text has to be filled up to [`tokens_max`](Self::tokens_max) tokens.
    pub fn is_filled(&self) -> bool {
        self.text.is_filled()
    }

    /// Side of the square pictures that are read (pixels); `None` where only words are.
    pub fn side(&self) -> Option<usize> {
        self.picture.as_ref().map(PictureTower::side)
    }

    /// The vectors of texts, given as numbers of tokens.
    ///
    /// # Panics
    /// When a text has no token or more than [`tokens_max`](Self::tokens_max), or a token is not known.
    pub fn texts(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let good = |text: &&[u32]| {
            (1..=self.tokens_max()).contains(&text.len()) && text.iter().all(|&t| (t as usize) < self.vocabulary())
        };
        assert!(texts.iter().all(good), "a text of other tokens");
        texts.chunks(BATCH).flat_map(|texts| self.text.run(texts)).collect()
    }

    /// The vectors of pictures: a plane of `side × side` numbers for each of red, green and blue. None where only words
    /// are read.
    ///
    /// # Panics
    /// When a picture has another size.
    pub fn pictures(&self, pictures: &[&[f32]]) -> Vec<Vec<f32>> {
        let Some(tower) = &self.picture else { return Vec::new() };
        let numbers = 3 * tower.side() * tower.side();
        assert!(pictures.iter().all(|picture| picture.len() == numbers), "a picture of another size");
        pictures.chunks(BATCH).flat_map(|pictures| tower.run(pictures)).collect()
    }
}

fn json(file: &'static str, bytes: &[u8]) -> Result<Value, ModelError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| ModelError::Config(format!("{file}: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(ModelError::Config(format!("{file}: no JSON object"))) }
}

/// What speaks for a text of BERT.
fn pool(bytes: Option<&[u8]>) -> Result<Pool, ModelError> {
    const FILE: &str = "1_Pooling/config.json";
    let Some(bytes) = bytes else { return Ok(Pool::Mean) };
    let value = json(FILE, bytes)?;
    let chosen = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let modes = ["mean_tokens", "cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"];
    let chosen: Vec<&str> = modes.into_iter().filter(|mode| chosen(&format!("pooling_mode_{mode}"))).collect();
    match (chosen.as_slice(), value.get("pooling_mode").and_then(Value::as_str)) {
        (["mean_tokens"], None) | ([], Some("mean")) => Ok(Pool::Mean),
        (["cls_token"], None) | ([], Some("cls")) => Ok(Pool::First),
        other => {
            let reason = format!("pools by {other:?}: either mean_tokens or cls_token is computed");
            Err(ModelError::Config(format!("{FILE}: {reason}")))
        }
    }
}

#[cfg(test)]
mod tests;
