//! Weights files: `BOWERBM1` (models), `BOWERBE1` (encoders), `BOWERBS1` (relevance students) or `BOWERBR1` (relevance
//! teachers), format (u32), header length (u32), header (JSON), padding to 8, all values (little-endian),
//! CRC-32 of everything before it (u32).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::weights::take;
use crate::{IdTable, Matrix, Model, ModelConfig, ModelError, Ranker, Weights};

/// What a file holds, by its first bytes, and the format of such files that this build reads.
pub(crate) type Kind = (&'static [u8; 8], u32);

pub(crate) const MODEL: Kind = (b"BOWERBM1", 3);
pub(crate) const ENCODER: Kind = (b"BOWERBE1", 1);
pub(crate) const STUDENT: Kind = (b"BOWERBS1", 1);
pub(crate) const TEACHER: Kind = (b"BOWERBR1", 1);

const PREFIX: usize = 16;
const CRC: usize = 4;
/// Longest header that is read.
const HEADER_BYTES_MAX: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Header<C> {
    version: String,
    config: C,
    /// 64-bit words that follow the tensors: of a model, the set of known pins.
    known_words: usize,
    tensors: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    rows: usize,
    cols: usize,
}

/// What a file holds.
pub(crate) struct Packed<C> {
    pub(crate) version: String,
    pub(crate) config: C,
    pub(crate) tensors: Vec<(String, Matrix)>,
    pub(crate) words: Vec<u64>,
}

pub(crate) fn write(model: &Model) -> Vec<u8> {
    let mut tensors: Vec<(String, &Matrix)> =
        model.weights.names().iter().cloned().zip(model.weights.matrices()).collect();
    tensors.push(("ids".into(), model.ids.rows()));
    if let Some(ranker) = &model.ranker {
        tensors.extend(ranker.parts());
    }
    pack(MODEL, &model.version, &model.config, &tensors, model.ids.known())
}

pub(crate) fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    let Packed { version, config, tensors: mut found, words } = unpack::<ModelConfig>(MODEL, bytes)?;
    config.check()?;
    let ids = take(&mut found, "ids", config.id_rows, config.dim)?;
    let ranker = match found.iter().any(|(name, _)| name.starts_with("ranker.")) {
        true => Some(Ranker::from_parts(&mut found)?),
        false => None,
    };
    let weights = Weights::from_parts(&config, found)?;
    let model = Model::new(version, config, weights, IdTable::from_parts(ids, words))?;
    match ranker {
        Some(ranker) => model.with_ranker(ranker),
        None => Ok(model),
    }
}

pub(crate) fn pack<C: Serialize>(
    (magic, format): Kind,
    version: &str,
    config: &C,
    tensors: &[(String, &Matrix)],
    words: &[u64],
) -> Vec<u8> {
    let entry = |(name, matrix): &(String, &Matrix)| Entry { name: name.clone(), rows: matrix.rows, cols: matrix.cols };
    let tensors_header = tensors.iter().map(entry).collect();
    let header = Header { version: version.to_owned(), config, known_words: words.len(), tensors: tensors_header };
    let mut header = serde_json::to_vec(&header).expect("invariant: the header holds plain values");
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::new();
    bytes.extend_from_slice(magic);
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    for (_, matrix) in tensors {
        matrix.values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    }
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
    bytes
}

pub(crate) fn unpack<C: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<Packed<C>, ModelError> {
    let header_len = check_prefix(kind, bytes)?;
    let (body, crc) = bytes.split_at(bytes.len() - CRC);
    if checksum(body) != word(crc) {
        return Err(ModelError::Checksum);
    }
    let header: Header<C> = serde_json::from_slice(&body[PREFIX..PREFIX + header_len])
        .map_err(|error| ModelError::Header(error.to_string()))?;
    let values = &body[PREFIX + header_len..];
    check_length(&header, bytes.len(), values.len())?;
    let (tensors, rest) = split_tensors(header.tensors, values);
    let words = rest.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("invariant: 8 bytes")));
    Ok(Packed { version: header.version, config: header.config, tensors, words: words.collect() })
}

/// Checks the fixed part and returns the header's length.
fn check_prefix((magic, known): Kind, bytes: &[u8]) -> Result<usize, ModelError> {
    if !bytes.starts_with(magic) {
        return Err(ModelError::NotAModel);
    }
    let too_short = |expected| ModelError::Length { found: bytes.len(), expected };
    if bytes.len() < PREFIX + CRC {
        return Err(too_short(PREFIX + CRC));
    }
    let found = word(&bytes[8..12]);
    if found != known {
        return Err(ModelError::Format { found, known });
    }
    let header_len = word(&bytes[12..16]) as usize;
    if header_len > HEADER_BYTES_MAX {
        return Err(ModelError::Header(format!("{header_len} bytes long, at most {HEADER_BYTES_MAX} are read")));
    }
    if bytes.len() < PREFIX + header_len + CRC {
        return Err(too_short(PREFIX + header_len + CRC));
    }
    Ok(header_len)
}

/// Whether the values are as many as the header promises.
fn check_length<C>(header: &Header<C>, file_len: usize, values_len: usize) -> Result<(), ModelError> {
    let overflow = || ModelError::Header("sizes overflow".into());
    let mut promised = header.known_words.checked_mul(8).ok_or_else(overflow)?;
    for tensor in &header.tensors {
        let bytes = tensor.rows.checked_mul(tensor.cols).and_then(|count| count.checked_mul(4));
        promised = bytes.and_then(|bytes| promised.checked_add(bytes)).ok_or_else(overflow)?;
    }
    if promised != values_len {
        let expected = (file_len - values_len).saturating_add(promised);
        return Err(ModelError::Length { found: file_len, expected });
    }
    Ok(())
}

fn split_tensors(entries: Vec<Entry>, mut values: &[u8]) -> (Vec<(String, Matrix)>, &[u8]) {
    let mut found = Vec::with_capacity(entries.len());
    for Entry { name, rows, cols } in entries {
        let (mine, rest) = values.split_at(rows * cols * 4);
        let numbers = mine.chunks_exact(4).map(|bytes| f32::from_bits(word(bytes))).collect();
        found.push((name, Matrix { rows, cols, values: numbers }));
        values = rest;
    }
    (found, values)
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("invariant: 4 bytes"))
}

/// CRC-32 (IEEE 802.3), eight bytes a step.
pub fn checksum(bytes: &[u8]) -> u32 {
    const TABLES: [[u32; 256]; 8] = tables();
    let mut crc = !0u32;
    let chunks = bytes.chunks_exact(8);
    let tail = chunks.remainder();
    for chunk in chunks {
        let low = crc ^ word(&chunk[..4]);
        let high = word(&chunk[4..]);
        crc = (0..4).fold(0, |sum, i| {
            sum ^ TABLES[7 - i][(low >> (8 * i)) as usize & 255] ^ TABLES[3 - i][(high >> (8 * i)) as usize & 255]
        });
    }
    !tail.iter().fold(crc, |crc, byte| TABLES[0][((crc ^ u32::from(*byte)) & 255) as usize] ^ (crc >> 8))
}

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut i = 0;
        while i < 256 {
            let before = tables[table - 1][i];
            tables[table][i] = tables[0][(before & 255) as usize] ^ (before >> 8);
            i += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{PinId, Rng};

    fn model() -> Model {
        let config = ModelConfig { dim: 16, hidden: 16, content_dim: 8, id_rows: 32, ..ModelConfig::default() };
        let mut model = Model::untrained(config, 3).expect("a good configuration");
        model.ids.know(PinId(100));
        let ranker = Ranker::untaught(model.encoded());
        model.with_ranker(ranker).expect("it reads what the trunk says")
    }

    #[test]
    fn a_model_comes_back() {
        let model = model();
        assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model));
    }

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let good = model().to_bytes();
        let mut rng = Rng::new(5);
        for _ in 0..300 {
            let mut bytes = good.clone();
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] ^= 1 << rng.below(8);
            assert!(Model::from_bytes(&bytes).is_err(), "byte {place} changed");
            bytes.truncate(place);
            assert!(Model::from_bytes(&bytes).is_err(), "cut at {place}");
        }
        assert_eq!(Model::from_bytes(b"GIF89a"), Err(ModelError::NotAModel));
    }

    /// A wrong header with a right checksum: as if written by somebody else.
    #[test]
    fn a_lying_header_is_an_error() {
        let good = model().to_bytes();
        let len = word(&good[12..16]) as usize;
        let text = String::from_utf8(good[PREFIX..PREFIX + len].to_vec()).expect("JSON");
        for (from, to) in [
            ("\"rows\":8", "\"rows\":9"),
            ("\"rows\":8", "\"rows\":9223372036854775807"),
            ("\"heads\":2", "\"heads\":0"),
            ("\"dim\":16", "\"dim\":24"),
            ("token.id", "token.di"),
            ("\"layers\":2", "\"layers\":3"),
            ("\"known_words\":2", "\"known_words\":2305843009213693952"),
        ] {
            assert!(text.contains(from), "{from}");
            let header = text.replacen(from, to, 1);
            let mut bytes = good[..12].to_vec();
            bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&good[PREFIX + len..good.len() - CRC]);
            bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
            assert!(Model::from_bytes(&bytes).is_err(), "{from} → {to}");
        }
    }
}
