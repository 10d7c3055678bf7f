//! One JSON object as named fields: bounded while it is read, strict about names, exact about what is wrong.

use domain::Refusal;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

const FIELDS_MAX: usize = 64;
const LIST_MAX: usize = 256;

/// Why a row was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default())]
pub struct RowRefusal {
    /// The field that is wrong, when it is about one.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl RowRefusal {
    pub(crate) fn row(reason: impl Into<String>) -> RowRefusal {
        RowRefusal { field: None, reason: reason.into() }
    }

    pub(crate) fn field(field: &str, reason: impl Into<String>) -> RowRefusal {
        RowRefusal { field: Some(field.to_owned()), reason: reason.into() }
    }
}

impl From<Refusal> for RowRefusal {
    fn from(refusal: Refusal) -> RowRefusal {
        RowRefusal::field(refusal.field, refusal.reason)
    }
}

/// A value as far as a fact can hold it. Deeper things are skipped, not kept.
#[derive(Debug)]
enum Field<'a> {
    Null,
    Bool(bool),
    Whole(u64),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Field<'a>>),
    LongList,
    Object,
}

impl Field<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Field::Null => "null",
            Field::Bool(_) => "true or false",
            Field::Whole(_) => "a whole number",
            Field::Number(_) => "a number",
            Field::Text(_) => "text",
            Field::List(_) | Field::LongList => "a list",
            Field::Object => "an object",
        }
    }
}

/// The fields of one row. Each is taken once; what is left at the end is unknown.
pub(crate) struct Fields<'a> {
    fields: Vec<(Cow<'a, str>, Field<'a>)>,
    props: Option<&'a RawValue>,
}

/// Reads one JSON object. `props` is kept as it stands.
pub(crate) fn read(row: &[u8]) -> Result<Fields<'_>, serde_json::Error> {
    serde_json::from_slice(row)
}

impl<'a> Fields<'a> {
    fn take(&mut self, name: &str) -> Option<Field<'a>> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.swap_remove(at).1).filter(|field| !matches!(field, Field::Null))
    }

    /// Text; nothing when the field is absent or null.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, RowRefusal> {
        self.cow(name).map(|text| text.map(Cow::into_owned))
    }

    pub(crate) fn cow(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, RowRefusal> {
        self.take(name).map(|field| text_of(name, field)).transpose()
    }

    /// An id: text, or a whole number taken as its digits.
    pub(crate) fn id(&mut self, name: &str) -> Result<Option<String>, RowRefusal> {
        match self.take(name) {
            Some(Field::Whole(number)) => Ok(Some(number.to_string())),
            Some(field) => text_of(name, field).map(|text| Some(text.into_owned())),
            None => Ok(None),
        }
    }

    /// Texts; one text stands for a list of one.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, RowRefusal> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Field::List(items)) => {
                items.into_iter().map(|item| text_of(name, item).map(Cow::into_owned)).collect()
            }
            Some(Field::LongList) => Err(RowRefusal::field(name, format!("a list of more than {LIST_MAX}"))),
            Some(field) => text_of(name, field).map(|text| vec![text.into_owned()]),
        }
    }

    /// A whole number, zero or more.
    pub(crate) fn whole(&mut self, name: &str) -> Result<Option<u64>, RowRefusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Field::Whole(number)) => Ok(Some(number)),
            Some(Field::Number(number)) if number >= 0.0 && number.fract() == 0.0 && number < 9e15 => {
                Ok(Some(number as u64))
            }
            Some(other) => Err(wanted(name, "a whole number, zero or more", &other)),
        }
    }

    /// Any number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, RowRefusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Field::Whole(number)) => Ok(Some(number as f64)),
            Some(Field::Number(number)) => Ok(Some(number)),
            Some(other) => Err(wanted(name, "a number", &other)),
        }
    }

    /// True or false; false when absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, RowRefusal> {
        match self.take(name) {
            None => Ok(false),
            Some(Field::Bool(flag)) => Ok(flag),
            Some(other) => Err(wanted(name, "true or false", &other)),
        }
    }

    /// A word that knows how to read itself: an action, a surface, a ULID.
    pub(crate) fn word<T>(&mut self, name: &str) -> Result<Option<T>, RowRefusal>
    where
        T: std::str::FromStr<Err: fmt::Display>,
    {
        let Some(text) = self.cow(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: T::Err| RowRefusal::field(name, error.to_string()))
    }

    /// The `props` object as JSON text.
    pub(crate) fn props(&mut self) -> Option<String> {
        self.props.take().map(|raw| raw.get().to_owned()).filter(|text| text != "null")
    }

    /// Refuses names that are left over, unless they are `known` (such as one that was null or of no use).
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), RowRefusal> {
        let left = self.fields.iter().map(|(name, _)| name.as_ref()).chain(self.props.map(|_| "props"));
        match left.into_iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let name = crate::problem::shortened(name);
                Err(RowRefusal::field(&name, format!("unknown field (known: {})", known.join(" "))))
            }
        }
    }
}

fn text_of<'a>(name: &str, field: Field<'a>) -> Result<Cow<'a, str>, RowRefusal> {
    match field {
        Field::Text(text) => Ok(text),
        other => Err(wanted(name, "text", &other)),
    }
}

fn wanted(name: &str, what: &str, found: &Field) -> RowRefusal {
    RowRefusal::field(name, format!("must be {what}, not {}", found.kind()))
}

/// A key, borrowed where the text has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Field::deserialize(deserializer)? {
            Field::Text(text) => Ok(Name(text)),
            _ => Err(serde::de::Error::custom("a field's name is text")),
        }
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut object = Fields { fields: Vec::with_capacity(12), props: None };
                while let Some(Name(name)) = map.next_key()? {
                    if object.fields.len() >= FIELDS_MAX {
                        return Err(serde::de::Error::custom(format!("more than {FIELDS_MAX} fields")));
                    }
                    if name == "props" {
                        object.props = Some(map.next_value()?);
                        continue;
                    }
                    let value = map.next_value()?;
                    if object.fields.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom(format!("'{name}' is given twice")));
                    }
                    object.fields.push((name, value));
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Row)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field<'de>, E> {
        Ok(Field::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field<'de>, E> {
        Ok(Field::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field<'de>, E> {
        Ok(Field::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Field<'de>, E> {
        Ok(Field::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == LIST_MAX {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Field::LongList);
            }
            items.push(item);
        }
        Ok(Field::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Object)
    }
}
