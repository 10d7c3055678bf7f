//! What filters may ask of a pin.

use super::error::FilterError;
use super::numbers::Numbers;
use super::pin_set::PinSet;
use super::words::Words;
use domain::PinId;

/// Most fields of one set of columns.
const FIELDS_MAX: usize = 64;
/// Most letters of the name of a field.
const NAME_LETTERS_MAX: usize = 64;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// At most one word per pin, such as its language or creator.
    Word,
    /// Up to 256 words per pin, such as its topics.
    Words,
    /// A number per pin, such as its price or when it was made.
    Number,
}

impl FieldKind {
    fn name(self) -> &'static str {
        match self {
            FieldKind::Word => "a word",
            FieldKind::Words => "words",
            FieldKind::Number => "a number",
        }
    }
}

/// A field of [`Columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldId(u16);

#[derive(Clone, Debug)]
pub(super) enum Values {
    Words(Words),
    Number(Numbers),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) kind: FieldKind,
    pub(super) values: Values,
}

impl Field {
    /// The words, if it holds words.
    pub(super) fn words(&self) -> Option<&Words> {
        if let Values::Words(words) = &self.values { Some(words) } else { None }
    }
}

/// Columns of pins that filters may name. They are written while the system runs: a value counts from the moment in
/// which it is set. Each word knows its pins and each range of numbers its own, so that a filter's pins are counted and
/// listed without looking at the others.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    pub(super) fields: Vec<Field>,
    pub(super) pins: PinSet,
}

impl Columns {
    /// Without fields and pins.
    pub fn new() -> Columns {
        Columns::default()
    }

    /// The field `name`, made when it is not there. A name is a letter or `_` and then letters, digits and `_`.
    pub fn field(&mut self, name: &str, kind: FieldKind) -> Result<FieldId, FilterError> {
        if let Some(at) = self.fields.iter().position(|field| *field.name == *name) {
            let known = self.fields[at].kind;
            let taken = || FilterError::FieldTaken { field: name.to_owned(), holds: known.name() };
            return (known == kind).then_some(FieldId(at as u16)).ok_or_else(taken);
        }
        let letters = name.chars().count();
        if letters > NAME_LETTERS_MAX {
            return Err(FilterError::TooMany {
                what: "letters of a field's name",
                got: letters,
                max: NAME_LETTERS_MAX,
            });
        }
        if let Some(at) = name.char_indices().position(|(at, letter)| !is_name_letter(at, letter)) {
            let found = format!("'{name}'");
            return Err(FilterError::Syntax { at: at + 1, expected: "a name of letters, digits and _", found });
        }
        if self.fields.len() == FIELDS_MAX {
            return Err(FilterError::TooMany { what: "fields", got: FIELDS_MAX + 1, max: FIELDS_MAX });
        }
        let values = match kind {
            FieldKind::Word => Values::Words(Words::new(false)),
            FieldKind::Words => Values::Words(Words::new(true)),
            FieldKind::Number => Values::Number(Numbers::default()),
        };
        self.fields.push(Field { name: name.into(), kind, values });
        Ok(FieldId(self.fields.len() as u16 - 1))
    }

    /// Lets the columns know of `pin`: filters that say what a pin is not pass known pins only.
    pub fn add(&mut self, pin: PinId) {
        self.pins.insert(pin);
    }

    /// Sets the words of `pin`; none are as good as no value.
    pub fn set_words(&mut self, pin: PinId, field: FieldId, words: &[&str]) -> Result<(), FilterError> {
        self.pins.insert(pin);
        let all = self.pins.words() * 64;
        let Field { name, kind, values } = self.of_mut(field);
        match values {
            Values::Words(column) => column.set(pin, words, all),
            Values::Number(_) => Err(FilterError::Kind { field: name.to_string(), holds: kind.name(), asked: "words" }),
        }
    }

    /// Sets the number of `pin`; `NaN` is as good as no value.
    pub fn set_number(&mut self, pin: PinId, field: FieldId, number: f64) -> Result<(), FilterError> {
        self.pins.insert(pin);
        let Field { name, kind, values } = self.of_mut(field);
        match values {
            Values::Number(column) => {
                column.set(pin, number);
                Ok(())
            }
            Values::Words(_) => {
                Err(FilterError::Kind { field: name.to_string(), holds: kind.name(), asked: "a number" })
            }
        }
    }

    pub(super) fn of_mut(&mut self, field: FieldId) -> &mut Field {
        self.fields.get_mut(usize::from(field.0)).expect("invariant: field ids come from these columns")
    }

    /// Takes all values of `pin` away and forgets it.
    pub fn clear(&mut self, pin: PinId) {
        if self.pins.remove(pin) {
            let all = self.pins.words() * 64;
            for field in &mut self.fields {
                match &mut field.values {
                    Values::Words(column) => column.set(pin, &[], all).expect("invariant: no words are not too many"),
                    Values::Number(column) => column.set(pin, f64::NAN),
                }
            }
        }
    }

    /// The pins that are known.
    pub fn pins(&self) -> &PinSet {
        &self.pins
    }

    /// The fields and what they hold, in the order in which they were made.
    pub fn fields(&self) -> impl Iterator<Item = (&str, FieldKind)> {
        self.fields.iter().map(|field| (&*field.name, field.kind))
    }

    /// How many pins have a value in `field`.
    pub fn filled(&self, field: FieldId) -> usize {
        match &self.fields[usize::from(field.0)].values {
            Values::Words(column) => column.len(),
            Values::Number(column) => column.len(),
        }
    }

    /// The words of `field` that most pins have, and how many pins; equal ones by the alphabet. Empty for numbers.
    pub fn most_used(&self, field: FieldId, max: usize) -> Vec<(&str, usize)> {
        let Values::Words(column) = &self.fields[usize::from(field.0)].values else { return Vec::new() };
        let mut counts: Vec<(&str, usize)> = column.counts().collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        counts.truncate(max);
        counts
    }

    fn named(&self, name: &str) -> Result<&Field, FilterError> {
        self.fields.iter().find(|field| *field.name == *name).ok_or_else(|| {
            let mut known: Vec<&str> = self.fields().map(|(name, _)| name).collect();
            known.sort_unstable();
            FilterError::UnknownField { field: name.to_owned(), known: known.join(", ") }
        })
    }

    pub(super) fn words(&self, name: &str) -> Result<&Words, FilterError> {
        let Field { kind, values, .. } = self.named(name)?;
        let wrong = || FilterError::Kind { field: name.to_owned(), holds: kind.name(), asked: "words (field:word)" };
        if let Values::Words(column) = values { Ok(column) } else { Err(wrong()) }
    }

    pub(super) fn numbers(&self, name: &str) -> Result<&Numbers, FilterError> {
        let Field { kind, values, .. } = self.named(name)?;
        let wrong =
            || FilterError::Kind { field: name.to_owned(), holds: kind.name(), asked: "numbers (field>=number)" };
        if let Values::Number(column) = values { Ok(column) } else { Err(wrong()) }
    }
}

/// Whether a field's name may have this letter at that byte.
pub(super) fn is_name_letter(at: usize, letter: char) -> bool {
    letter == '_' || letter.is_ascii_alphabetic() || (at > 0 && letter.is_ascii_digit())
}
