//! Words to the numbers of tokens, as `tokenizer.json` says.

use std::collections::BTreeMap;

use models::PublishedEncoder;
use serde_json::Value;
use tokenizers::{PostProcessor, Tokenizer, TruncationParams};

use super::{json, odd};
use crate::ContentError;
use crate::files::{SENTENCE, TOKENIZER, TOKENIZER_CONFIG};

/// Longest text that is read (characters): more than any encoder has tokens for.
const CHARS_MAX: usize = 8_000;
/// Most tokens of a text, of encoders that take more, too.
const TOKENS_MAX: usize = 512;

/// A tokeniser, and how long texts are.
#[derive(Debug)]
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    /// What fills a text up to how many tokens.
    filled: Option<(u32, usize)>,
}

impl Tokens {
    pub(super) fn read(
        bytes: &[u8],
        files: &BTreeMap<&str, Vec<u8>>,
        encoder: &PublishedEncoder,
    ) -> Result<Tokens, ContentError> {
        let refused = |error: tokenizers::Error| odd(TOKENIZER, &error.to_string());
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(refused)?;
        let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        if highest >= encoder.vocabulary() {
            let reason = format!("has token {highest}, the weights know {}", encoder.vocabulary());
            return Err(odd(TOKENIZER, &reason));
        }
        let filled = if encoder.is_filled() { Some((filling(&tokenizer, files)?, encoder.tokens_max())) } else { None };
        let max_length = longest(files, encoder)?;
        let ends = tokenizer.get_post_processor().map_or(0, |ends| ends.added_tokens(false));
        if ends >= max_length {
            return Err(odd(TOKENIZER, &format!("adds {ends} tokens to every text, which has at most {max_length}")));
        }
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(refused)?;
        let tokens = Tokens { tokenizer, filled };
        // What cannot read a word is told now, not of every pin.
        let tried = tokens.tokenizer.encode("word", true).map_err(refused)?;
        if tried.is_empty() || tried.len() > max_length {
            let reason = format!("makes {} tokens of a word, 1 to {max_length} are read", tried.len());
            return Err(odd(TOKENIZER, &reason));
        }
        Ok(tokens)
    }

    /// The tokens of words; `None` where there are none.
    pub(super) fn of(&self, words: &str) -> Option<Vec<u32>> {
        let words = words.trim();
        if words.is_empty() {
            return None;
        }
        let end = words.char_indices().nth(CHARS_MAX).map_or(words.len(), |(at, _)| at);
        let mut tokens = self.tokenizer.encode(&words[..end], true).ok()?.get_ids().to_vec();
        if let Some((filling, length)) = self.filled {
            tokens.resize(length, filling);
        }
        (!tokens.is_empty()).then_some(tokens)
    }
}

/// Most tokens of a text: of sentence encoders less than there are places for.
fn longest(files: &BTreeMap<&str, Vec<u8>>, encoder: &PublishedEncoder) -> Result<usize, ContentError> {
    let most = encoder.tokens_max().min(TOKENS_MAX);
    let Some(bytes) = files.get(SENTENCE) else { return Ok(most) };
    match json(SENTENCE, bytes)?.get("max_seq_length").filter(|length| !length.is_null()) {
        None => Ok(most),
        Some(length) => {
            let whole = length.as_u64().and_then(|length| usize::try_from(length).ok()).filter(|length| *length > 0);
            let whole = whole.ok_or_else(|| odd(SENTENCE, &format!("max_seq_length is {length}")))?;
            Ok(whole.min(most))
        }
    }
}

/// The token that texts are filled up with.
fn filling(tokenizer: &Tokenizer, files: &BTreeMap<&str, Vec<u8>>) -> Result<u32, ContentError> {
    if let Some(padding) = tokenizer.get_padding() {
        return Ok(padding.pad_id);
    }
    let bytes = files.get(TOKENIZER_CONFIG).ok_or_else(|| odd(TOKENIZER_CONFIG, "is missing"))?;
    let config = json(TOKENIZER_CONFIG, bytes)?;
    let told = config.get("pad_token");
    let token = told.and_then(Value::as_str).or_else(|| told?.get("content")?.as_str());
    let number = token.and_then(|token| tokenizer.token_to_id(token));
    number.ok_or_else(|| odd(TOKENIZER_CONFIG, "pad_token names no token"))
}
