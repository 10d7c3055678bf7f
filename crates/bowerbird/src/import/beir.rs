//! BEIR: a corpus of documents as JSON lines, for judged search. Queries and judgements stay outside of the log: see
//! `judged`.

use super::sink::Sink;
use super::table::must_exist;
use crate::progress::Progress;
use anyhow::Result;
use domain::{Pin, limits};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Imports a folder with a corpus, or the corpus itself.
pub(crate) fn import(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    sink.each_line(&corpus(path)?, progress, |text, _, sink| match pin(text) {
        Ok(pin) => sink.pin_with_picture(pin, None),
        Err(reason) => sink.refuse(&reason),
    })
}

/// The files that an import of `path` counts its progress by.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    corpus(path).into_iter().collect()
}

fn corpus(path: &Path) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    must_exist(path, &["corpus.jsonl", "corpus.jsonl.gz"])
}

#[derive(Deserialize)]
struct Document {
    #[serde(alias = "_id")]
    id: Id,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
}

/// An id as collections write them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Word(String),
    Number(u64),
}

fn pin(text: &str) -> Result<Pin, String> {
    let Document { id, mut title, text: mut description } =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let id = match id {
        Id::Word(word) => word,
        Id::Number(number) => number.to_string(),
    };
    cut(&mut title, limits::TITLE_BYTES_MAX);
    cut(&mut description, limits::TEXT_BYTES_MAX);
    Ok(Pin { id, title, description, ..Pin::default() })
}

/// Leaves the beginning of a text that is too long for a pin.
fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
}
