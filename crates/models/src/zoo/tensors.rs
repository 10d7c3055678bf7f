//! Named tensors in the safetensors format: eight bytes that say how long a JSON header is, the header (for each name a
//! type, a shape and where the values lie), the values, little-endian.
//! <https://huggingface.co/docs/safetensors>

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use crate::ModelError;

/// Longest header that is read (bytes).
const HEADER_BYTES_MAX: usize = 16 << 20;
/// Most numbers of a tensor's shape.
const RANK_MAX: usize = 8;

/// Tensors of a file, read on demand.
pub(super) struct Tensors<'a> {
    values: &'a [u8],
    entries: BTreeMap<String, Entry>,
    /// What stands before every name.
    prefix: &'static str,
}

struct Entry {
    kind: Kind,
    shape: Vec<usize>,
    bytes: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    F32,
    F16,
    Bf16,
    /// Whole numbers and the like: no weights.
    Other,
}

#[derive(Deserialize)]
struct Described {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

impl<'a> Tensors<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// When the bytes are cut off, or the header says what cannot be.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Tensors<'a>, ModelError> {
        let odd = |reason: String| ModelError::Header(format!("safetensors: {reason}"));
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| odd("fewer than 8 bytes".into()))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > HEADER_BYTES_MAX {
            return Err(odd(format!("the header has {length} bytes, at most {HEADER_BYTES_MAX} are read")));
        }
        if length > rest.len() {
            return Err(ModelError::Length { found: bytes.len(), expected: 8 + length });
        }
        let (header, values) = rest.split_at(length);
        let mut header: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(header).map_err(|error| odd(format!("the header is no JSON object: {error}")))?;
        header.remove("__metadata__");
        let entries = header.into_iter().map(|(name, described)| {
            let entry = Entry::new(described, values.len()).map_err(|reason| of(&name, reason))?;
            Ok((name, entry))
        });
        Ok(Tensors { values, entries: entries.collect::<Result<_, ModelError>>()?, prefix: "" })
    }

    /// The same tensors, with the first of some prefixes under which a name is known left out.
    pub(super) fn under(self, prefixes: &[&'static str], name: &str) -> Tensors<'a> {
        let prefix = prefixes.iter().find(|prefix| self.entries.contains_key(&format!("{prefix}{name}")));
        Tensors { prefix: prefix.unwrap_or(&""), ..self }
    }

    /// The values of a tensor.
    ///
    /// # Errors
    /// When it is missing, has another shape or type, or values that are not finite.
    pub(super) fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let name = format!("{}{name}", self.prefix);
        let entry = self.entries.get(&name).ok_or_else(|| of(&name, format!("is missing; {shape:?} expected")))?;
        if entry.shape != shape {
            return Err(of(&name, format!("has the shape {:?}, {shape:?} expected", entry.shape)));
        }
        let bytes = self.values.get(entry.bytes.clone()).unwrap_or_default();
        let values: Vec<f32> = match entry.kind {
            Kind::F32 => bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Kind::F16 => bytes.as_chunks::<2>().0.iter().map(|bytes| half(u16::from_le_bytes(*bytes))).collect(),
            Kind::Bf16 => {
                let wide = |bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
                bytes.as_chunks::<2>().0.iter().map(wide).collect()
            }
            Kind::Other => return Err(of(&name, "has a type that is not F32, F16 or BF16".into())),
        };
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => Err(of(&name, format!("value {place} is not finite"))),
            None => Ok(values),
        }
    }

    /// The values of a tensor under the first of two names that is there: old files name norms otherwise.
    pub(super) fn take_either(&self, name: &str, old: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let there = self.entries.contains_key(&format!("{}{old}", self.prefix));
        self.take(if there { old } else { name }, shape)
    }
}

impl Entry {
    fn new(described: serde_json::Value, length: usize) -> Result<Entry, String> {
        let described: Described = serde_json::from_value(described).map_err(|error| error.to_string())?;
        let Described { dtype, shape, data_offsets: (from, to) } = described;
        if shape.len() > RANK_MAX {
            return Err(format!("has {} dimensions, at most {RANK_MAX} are read", shape.len()));
        }
        if from > to || to > length {
            return Err(format!("lies at {from} to {to}, the file has {length} bytes of values"));
        }
        let (kind, size) = match dtype.as_str() {
            "F32" => (Kind::F32, 4),
            "F16" => (Kind::F16, 2),
            "BF16" => (Kind::Bf16, 2),
            _ => return Ok(Entry { kind: Kind::Other, shape, bytes: from..to }),
        };
        let bytes = shape.iter().try_fold(size, |product: usize, &side| product.checked_mul(side));
        if bytes != Some(to - from) {
            return Err(format!("has {} bytes for the shape {shape:?} of {dtype}", to - from));
        }
        Ok(Entry { kind, shape, bytes: from..to })
    }
}

fn of(name: &str, reason: String) -> ModelError {
    ModelError::Tensor { name: name.to_owned(), reason }
}

/// A number of 16 bits (IEEE 754 binary16): a sign, five bits of exponent, ten of the number.
fn half(bits: u16) -> f32 {
    let (exponent, rest) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => rest * (-24.0f32).exp2(),
        0x1f if rest == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + rest / 1024.0) * ((exponent - 15) as f32).exp2(),
    };
    if bits >> 15 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, values: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), values].concat()
    }

    #[test]
    fn numbers_of_all_three_types_are_read() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "p.b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]},"p.c":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]}}"#;
        let halves = [0x3c00u16, 0xc100, 0x0001, 0x7bff].map(u16::to_le_bytes).concat();
        let values = [[1.5f32, -2.0].map(f32::to_le_bytes).concat(), halves, 0x4049u16.to_le_bytes().to_vec()].concat();
        let bytes = file(header, &values);
        let tensors = Tensors::read(&bytes).expect("whole");
        assert_eq!(tensors.take("a", &[2]).expect("there"), [1.5, -2.0]);
        let tensors = tensors.under(&["q.", "p."], "b");
        assert_eq!(tensors.take("b", &[2, 2]).expect("there"), [1.0, -2.5, 5.960_464_5e-8, 65_504.0]);
        assert_eq!(tensors.take("c", &[1]).expect("there"), [3.140_625]);
        let told = |shape: &[usize], name: &str| tensors.take(name, shape).expect_err("odd").to_string();
        assert_eq!(told(&[4], "b"), "model tensor 'p.b': has the shape [2, 2], [4] expected");
        assert_eq!(told(&[4], "d"), "model tensor 'p.d': is missing; [4] expected");
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        let entry = |dtype: &str, shape: &str, offsets: &str| {
            file(&format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#), &[0; 8])
        };
        for (bytes, reason) in [
            (b"short".to_vec(), "fewer than 8 bytes"),
            (u64::MAX.to_le_bytes().to_vec(), "at most 16777216 are read"),
            (1_000u64.to_le_bytes().to_vec(), "8 bytes where 1008 were promised"),
            (file("[1]", &[]), "no JSON object"),
            (entry("F32", "[3]", "[0,8]"), "has 8 bytes for the shape [3] of F32"),
            (entry("F32", "[2]", "[4,12]"), "lies at 4 to 12, the file has 8 bytes"),
            (entry("F32", "[2]", "[8,0]"), "lies at 8 to 0"),
            (entry("F32", "[18446744073709551615,18446744073709551615]", "[0,8]"), "for the shape"),
            (entry("F32", "[-1]", "[0,8]"), "invalid value"),
            (entry("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), "9 dimensions"),
        ] {
            let error = Tensors::read(&bytes).err().expect("refused").to_string();
            assert!(error.contains(reason), "{error}");
        }
        let bytes = entry("I64", "[1]", "[0,8]");
        let error = Tensors::read(&bytes).expect("whole").take("a", &[1]).expect_err("no weights").to_string();
        assert!(error.contains("not F32, F16 or BF16"), "{error}");
        let bytes = file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0xff; 8]);
        let error = Tensors::read(&bytes).expect("whole").take("a", &[2]).expect_err("not a number").to_string();
        assert!(error.contains("value 0 is not finite"), "{error}");
    }
}
