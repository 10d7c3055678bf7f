//! The files of a published encoder.

/// A file of a published encoder, as model hubs hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its path in the directory.
    pub name: &'static str,
    /// Most bytes that are read.
    pub bytes_max: u64,
    /// Whether every encoder has it.
    pub needed: bool,
}

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(crate) const PREPROCESSOR: &str = "preprocessor_config.json";
pub(crate) const MODULES: &str = "modules.json";
pub(crate) const POOLING: &str = "1_Pooling/config.json";
pub(crate) const SENTENCE: &str = "sentence_bert_config.json";

const fn file(name: &'static str, bytes_max: u64, needed: bool) -> PublishedFile {
    PublishedFile { name, bytes_max, needed }
}

/// All that is read of a published encoder; the last three are those of sentence encoders.
pub const PUBLISHED_FILES: [PublishedFile; 8] = [
    file(CONFIG, 1 << 20, true),
    file(WEIGHTS, 8 << 30, true),
    file(TOKENIZER, 64 << 20, true),
    file(TOKENIZER_CONFIG, 8 << 20, false),
    file(PREPROCESSOR, 1 << 20, false),
    file(MODULES, 1 << 20, false),
    file(POOLING, 1 << 20, false),
    file(SENTENCE, 1 << 20, false),
];
