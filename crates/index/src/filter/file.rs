//! Columns outside of memory.

use super::columns::{Columns, Field, FieldKind, Values};
use super::numbers::Numbers;
use super::pin_set::PinSet;
use super::words::Words;
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{PinId, Snapshot, SnapshotError};
use std::io::{self, Write};

const KIND: &str = "columns";
const VERSION: u32 = 1;

/// Kinds in the order of their codes.
const KINDS: [FieldKind; 3] = [FieldKind::Word, FieldKind::Words, FieldKind::Number];

/// What is kept of the words of a field: each word, where it ends, how many codes each pin has, all codes.
pub(super) struct KeptWords {
    pub(super) text: String,
    pub(super) ends: Vec<u64>,
    pub(super) counts: Vec<u16>,
    pub(super) codes: Vec<u32>,
}

impl Columns {
    /// Writes a snapshot. Errors are those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let code = |field: &Field| KINDS.iter().position(|&kind| kind == field.kind).unwrap_or(0) as u8;
        let kinds: Vec<u8> = self.fields.iter().map(code).collect();
        let names = self.fields.iter().map(|field| &*field.name).collect::<Vec<_>>().join("\n");
        let pins: Vec<u32> = self.pins.iter().map(|pin| pin.0).collect();
        let words: Vec<Option<KeptWords>> = self.fields.iter().map(|field| field.words().map(Words::kept)).collect();
        let titles: Vec<[String; 4]> = (0..self.fields.len()).map(titles).collect();
        let mut sections: Vec<(&str, &[u8])> =
            vec![("names", names.as_bytes()), ("kinds", &kinds), ("pins", cast_slice(&pins))];
        for ((field, words), [a, b, c, d]) in self.fields.iter().zip(&words).zip(&titles) {
            match (&field.values, words) {
                (Values::Words(_), Some(kept)) => sections.extend([
                    (a.as_str(), kept.text.as_bytes()),
                    (b, cast_slice(&kept.ends)),
                    (c, cast_slice(&kept.counts)),
                    (d, cast_slice(&kept.codes)),
                ]),
                (Values::Number(numbers), _) => sections.push((a, cast_slice(numbers.column()))),
                (Values::Words(_), None) => {}
            }
        }
        Snapshot::write(out, KIND, VERSION, &sections)
    }

    /// Columns as they were when they were written.
    pub fn open(bytes: &Bytes) -> Result<Columns, SnapshotError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let names = text(&snapshot, "names")?;
        let pins = snapshot.column::<u32>("pins")?;
        let mut columns = Columns { fields: Vec::new(), pins: pins.iter().copied().map(PinId).collect::<PinSet>() };
        for (at, (name, &kind)) in names.lines().zip(snapshot.column::<u8>("kinds")?.iter()).enumerate() {
            let bad = |reason: String| SnapshotError::Section { section: format!("kinds, field {at}"), reason };
            let kind = *KINDS.get(usize::from(kind)).ok_or_else(|| bad("is of no known kind".to_owned()))?;
            let id = columns.field(name, kind).map_err(|error| bad(error.to_string()))?;
            let [a, b, c, d] = titles(at);
            let all = columns.pins.words() * 64;
            match &mut columns.of_mut(id).values {
                Values::Words(words) => {
                    let kept = KeptWords {
                        text: text(&snapshot, &a)?,
                        ends: snapshot.column(&b)?.to_vec(),
                        counts: snapshot.column(&c)?.to_vec(),
                        codes: snapshot.column(&d)?.to_vec(),
                    };
                    *words =
                        Words::restore(words.one_each(), kept, all).ok_or_else(|| bad("does not fit".to_owned()))?;
                }
                Values::Number(numbers) => *numbers = Numbers::restore(snapshot.column(&a)?.to_vec()),
            }
        }
        Ok(columns)
    }
}

/// The names of a field's sections.
fn titles(at: usize) -> [String; 4] {
    ["words", "ends", "counts", "codes"].map(|what| format!("{what} {at}"))
}

fn text(snapshot: &Snapshot, section: &str) -> Result<String, SnapshotError> {
    let odd = |_| SnapshotError::Section { section: section.to_owned(), reason: "is no text".to_owned() };
    String::from_utf8(snapshot.column::<u8>(section)?.to_vec()).map_err(odd)
}
