//! Which column of a table is which field: `--map pin=item_id,pinner=user_id,ts=timestamp,ts_unit=s,action=save`.

use super::table::cut;
use crate::moment::{Unit, parse};
use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value};
use server::RowKind;
use std::path::{Path, PathBuf};

/// A mapping as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    kind: RowKind,
    fields: Vec<(String, String)>,
    ts_unit: Unit,
    list_split: String,
}

/// A mapping that knows the columns of a table.
pub(crate) struct Bound {
    /// What the rows are.
    pub kind: RowKind,
    fields: Vec<(String, From)>,
    ts_unit: Unit,
    list_split: String,
}

/// Where a field's value comes from.
enum From {
    Column(usize),
    Word(String),
    Value(Value),
}

/// A row as the JSON object that the API would take, and a picture that lies beside the file.
pub(crate) struct Mapped {
    pub row: Vec<u8>,
    pub picture: Option<PathBuf>,
}

impl Mapping {
    /// Reads a mapping; `kind=pin` (or board, pinner) says what the rows are, events otherwise.
    pub(crate) fn parse(text: &str) -> Result<Mapping> {
        let mut mapping =
            Mapping { kind: RowKind::Event, fields: Vec::new(), ts_unit: Unit::Milli, list_split: "|".into() };
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((field, value)) = pair.split_once('=') else {
                bail!("--map: '{}' is not field=column", cut(pair));
            };
            match field {
                "kind" => mapping.kind = kind(value)?,
                "ts_unit" => mapping.ts_unit = Unit::parse(value).map_err(|reason| anyhow!("--map: {reason}"))?,
                "list_split" => mapping.list_split = value.to_owned(),
                _ => mapping.fields.push((field.to_owned(), value.to_owned())),
            }
        }
        let known = mapping.kind.fields();
        for (field, _) in &mapping.fields {
            if !known.contains(&field.as_str()) {
                bail!(
                    "--map: {} have no field `{field}` (known: {} and kind, ts_unit, list_split)",
                    mapping.kind.as_str(),
                    known.join(" ")
                );
            }
        }
        Ok(mapping)
    }

    /// Finds the columns of a table. Fields that are not mapped are taken from columns of their own name.
    ///
    /// `fixed` are values for fields that the table does not have.
    pub(crate) fn bind(&self, file: &str, header: &[String], fixed: &[(&str, Value)]) -> Result<Bound> {
        let place = |column: &str| header.iter().position(|known| known == column);
        let mut fields: Vec<(String, From)> = Vec::new();
        for (field, value) in &self.fields {
            let from = match place(value) {
                Some(column) => From::Column(column),
                None if is_word(field, value) => From::Word(value.clone()),
                None => {
                    bail!("{file}: there is no column `{value}` for `{field}` (the columns are {})", header.join(", "))
                }
            };
            fields.push((field.clone(), from));
        }
        for field in self.kind.fields() {
            let open = !fields.iter().any(|(known, _)| known == field);
            if let (true, Some(column)) = (open, place(field)) {
                fields.push(((*field).to_owned(), From::Column(column)));
            }
        }
        for (field, value) in fixed {
            if self.kind.fields().contains(field) && !fields.iter().any(|(known, _)| known == field) {
                fields.push(((*field).to_owned(), From::Value(value.clone())));
            }
        }
        for needed in needed(self.kind) {
            if !fields.iter().any(|(known, _)| known == needed) {
                bail!(
                    "{file}: there is no column `{needed}` and --map names none for it (the columns are {})",
                    header.join(", ")
                );
            }
        }
        Ok(Bound { kind: self.kind, fields, ts_unit: self.ts_unit, list_split: self.list_split.clone() })
    }
}

fn kind(word: &str) -> Result<RowKind> {
    RowKind::named(word).ok_or_else(|| anyhow!("--map: unknown kind '{}' (known: event pin board pinner)", cut(word)))
}

/// Whether a value that is no column may stand for itself: the words of the vocabulary.
fn is_word(field: &str, value: &str) -> bool {
    match field {
        "action" => value.parse::<domain::Action>().is_ok(),
        "surface" => value.parse::<domain::Surface>().is_ok(),
        _ => false,
    }
}

fn needed(kind: RowKind) -> &'static [&'static str] {
    match kind {
        RowKind::Event => &["pinner", "action", "ts"],
        RowKind::Pin | RowKind::Board | RowKind::Pinner => &["id"],
    }
}

impl Bound {
    /// The row as the API would take it. `folder` is where pictures named by path are looked for.
    pub(crate) fn map<'a>(&self, cell: impl Fn(usize) -> &'a str, folder: &Path) -> Result<Mapped, String> {
        let mut object = Map::new();
        let mut picture = None;
        for (field, from) in &self.fields {
            let text = match from {
                From::Column(column) => cell(*column).trim(),
                From::Word(text) => text,
                From::Value(value) => {
                    object.insert(field.clone(), value.clone());
                    continue;
                }
            };
            if text.is_empty() {
                continue;
            }
            match field.as_str() {
                "image" if is_path(text) => picture = Some(folder.join(text)),
                _ => {
                    object.insert(field.clone(), self.value(field, text)?);
                }
            }
        }
        let row = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
        Ok(Mapped { row, picture })
    }

    fn value(&self, field: &str, text: &str) -> Result<Value, String> {
        let wrong = |what: &str| format!("{field}: '{}' is not {what}", cut(text));
        Ok(match field {
            "ts" | "created_ms" | "expires_ms" => {
                parse(text, self.ts_unit).map_err(|reason| format!("{field}: {reason}"))?.into()
            }
            "position" => text.parse::<u64>().map_err(|_| wrong("a whole number"))?.into(),
            "value" => text.parse::<f64>().map_err(|_| wrong("a number"))?.into(),
            "unsafe" => match text {
                "1" | "true" | "True" => true.into(),
                "0" | "false" | "False" => false.into(),
                _ => return Err(wrong("true or false")),
            },
            "topics" | "traits" => self.list(text).into(),
            "props" => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            _ => text.into(),
        })
    }

    /// A list in one cell: JSON, as lists of Parquet come, or words between separators.
    fn list(&self, text: &str) -> Vec<String> {
        if let Ok(words) = serde_json::from_str(text) {
            return words;
        }
        if self.list_split.is_empty() {
            return vec![text.to_owned()];
        }
        let words = text.split(self.list_split.as_str()).map(str::trim);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

/// Whether a picture is named by a path beside the file: neither an address of the web nor data.
fn is_path(text: &str) -> bool {
    !text.contains("://") && !text.starts_with("data:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<String> {
        ["item_id", "user_id", "timestamp", "position"].map(str::to_owned).to_vec()
    }

    #[test]
    fn columns_words_and_units_are_found() {
        let mapping = Mapping::parse("pin=item_id,pinner=user_id,ts=timestamp,ts_unit=s,action=save").expect("fine");
        let bound = mapping.bind("x.csv", &header(), &[]).expect("all there");
        let cells = ["7", "ann", "1700000000", "3"];
        let mapped = bound.map(|column| cells[column], Path::new("")).expect("a row");
        let expected = r#"{"action":"save","pin":"7","pinner":"ann","position":3,"ts":1700000000000}"#;
        assert_eq!(String::from_utf8(mapped.row).expect("text"), expected);
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let why = |map: &str| match Mapping::parse(map).and_then(|mapping| mapping.bind("x.csv", &header(), &[])) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let columns = "(the columns are item_id, user_id, timestamp, position)";
        assert_eq!(why("pinner=userid"), format!("x.csv: there is no column `userid` for `pinner` {columns}"));
        assert_eq!(
            why("pinner=user_id,pin=item_id,action=save"),
            format!("x.csv: there is no column `ts` and --map names none for it {columns}")
        );
        assert!(why("pinner=user_id,ts=timestamp,action=repin").contains("no column `repin` for `action`"));
        assert!(why("item=item_id").starts_with("--map: events have no field `item` (known: event_id ts pinner"));
        assert!(why("ts_unit=days").contains("unknown unit of time 'days'"));
        assert!(why("pin").contains("'pin' is not field=column"));
    }
}
