//! Cursors: where the next page of a ranking begins, and whose ranking it is.
//!
//! The check at the end finds mistakes, such as a cursor cut short or handed to another list. It is no secret: who may
//! ask for a list may ask for anybody's.

use crate::keys::hex;
use crate::problem::{Kind, Problem};
use domain::{Subject, Surface};
use serving::Cursor;
use sha2::{Digest, Sha256};

/// Whose list it is. A cursor fits only the list and the pinner that it was made for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scope {
    pub(crate) surface: Surface,
    pub(crate) subject: Subject,
    pub(crate) pinner: String,
    /// What pins must pass; empty for all.
    pub(crate) filter: String,
}

impl Scope {
    pub(crate) fn of(surface: Surface, subject: Subject, pinner: String) -> Scope {
        Scope { surface, subject, pinner, filter: String::new() }
    }

    fn list(&self) -> String {
        let subject = match &self.subject {
            Subject::None => String::new(),
            Subject::Pin(pin) => pin.0.to_string(),
            Subject::Board(board) => board.0.to_string(),
            Subject::Query(words) => words.clone(),
        };
        digest(&[self.surface.as_str(), &subject, &self.filter])
    }

    fn owner(&self) -> String {
        digest(&["pinner", &self.pinner])
    }
}

/// The text of a cursor for one scope.
pub(crate) fn write(cursor: Cursor, scope: &Scope) -> String {
    let place = format!("{cursor}.{}.{}", scope.owner(), scope.list());
    let check = digest(&[&place]);
    format!("{place}.{check}")
}

/// Reads a cursor that must belong to `scope`.
pub(crate) fn read(text: &str, scope: &Scope) -> Result<Cursor, Problem> {
    let bad = |why: &str| Problem::new(Kind::BadCursor, why).on("cursor");
    let (cursor, owner, list) =
        parse(text).ok_or_else(|| bad("this is no cursor: give back `next_cursor` as it came"))?;
    if owner != scope.owner() {
        return Err(bad("the cursor belongs to another pinner"));
    }
    if list != scope.list() {
        return Err(bad("the cursor belongs to another list"));
    }
    Ok(cursor)
}

fn parse(text: &str) -> Option<(Cursor, &str, &str)> {
    let (place, check) = text.rsplit_once('.')?;
    if digest(&[place]) != check {
        return None;
    }
    let (place, list) = place.rsplit_once('.')?;
    let (place, owner) = place.rsplit_once('.')?;
    Some((place.parse().ok()?, owner, list))
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{EventId, PinId};

    fn home(pinner: &str) -> Scope {
        Scope::of(Surface::Home, Subject::None, pinner.into())
    }

    #[test]
    fn a_cursor_fits_its_own_list_only() {
        let cursor = Cursor { request_id: EventId::new(1_700_000_000_000, 7), offset: 50 };
        let text = write(cursor, &home("ann"));
        assert_eq!(read(&text, &home("ann")).expect("its own"), cursor);
        let other = read(&text, &home("bob")).expect_err("another pinner");
        assert!(other.detail.contains("another pinner"));
        let list = Scope { surface: Surface::Related, subject: Subject::Pin(PinId(3)), ..home("ann") };
        assert!(read(&text, &list).expect_err("another list").detail.contains("another list"));
    }

    #[test]
    fn a_changed_cursor_is_no_cursor() {
        let text = write(Cursor { request_id: EventId(5), offset: 50 }, &home("ann"));
        for changed in ["", ".", "x", &text[1..], &text.replace(".50.", ".51."), &text[..text.len() - 1]] {
            let error = read(changed, &home("ann")).expect_err(changed);
            assert_eq!(error.kind, Kind::BadCursor);
        }
    }
}
