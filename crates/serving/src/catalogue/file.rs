//! The catalogue outside of memory, without its columns for filters.

use super::{BoardRow, Catalogue, NONE, PinnerRow};
use crate::facets::Facets;
use crate::names::Names;
use crate::pin_row::{Fixed, PinRow};
use crate::words::Words;
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{BoardId, Column, Defined, PinId, PinnerId, Snapshot, SnapshotError};
use index::Columns;
use std::io::{self, Write};

const KIND: &str = "catalogue";
const VERSION: u32 = 4;

/// Strings one after the other, and where each ends.
#[derive(Default)]
struct Texts {
    bytes: String,
    ends: Vec<u64>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u64);
    }

    fn read(snapshot: &Snapshot, [bytes, ends]: [&str; 2]) -> Result<Texts, SnapshotError> {
        let odd = || odd(bytes, "are no text, or end elsewhere");
        let text = String::from_utf8(snapshot.column::<u8>(bytes)?.to_vec()).map_err(|_| odd())?;
        let texts = Texts { bytes: text, ends: snapshot.column::<u64>(ends)?.to_vec() };
        let whole = |end: &u64| texts.bytes.is_char_boundary(*end as usize);
        if texts.ends.is_sorted() && texts.ends.iter().all(whole) { Ok(texts) } else { Err(odd()) }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start as usize..end as usize])
    }
}

/// Sections of names: pins, boards, pinners, and the words of pins.
const NAMES: [[&str; 2]; 4] = [
    ["pin names", "pin name ends"],
    ["board names", "board name ends"],
    ["pinner names", "pinner nm ends"],
    ["words", "word ends"],
];

impl Catalogue {
    /// Writes a snapshot of all but the columns for filters. Errors are those of `out`.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let names = [&self.pin_names, &self.board_names, &self.pinner_names, self.words.names()].map(Names::kept);
        let mut fixed: Vec<Fixed> = Vec::with_capacity(self.pins.len());
        let (mut ends, mut records): (Vec<u64>, Vec<u32>) = (Vec::with_capacity(self.pins.len()), Vec::new());
        for row in &self.pins {
            let (numbers, record) = row.kept();
            fixed.push(numbers);
            records.extend_from_slice(record);
            ends.push(records.len() as u64);
        }
        let (mut titles, mut pinners) = (Texts::default(), Texts::default());
        let (mut traits, mut trait_ends): (Vec<u32>, Vec<u64>) = (Vec::new(), Vec::with_capacity(self.pinners.len()));
        self.boards.iter().for_each(|board| titles.push(&board.title));
        for pinner in &self.pinners {
            pinners.push(&pinner.name);
            pinners.push(&pinner.language);
            traits.extend_from_slice(&pinner.traits);
            trait_ends.push(traits.len() as u64);
        }
        let owners: Vec<u32> = self.boards.iter().map(|board| board.owner).collect();
        let made: Vec<u64> = self.boards.iter().map(|board| board.created_ms).collect();
        let joined: Vec<u64> = self.pinners.iter().map(|pinner| pinner.created_ms).collect();
        let newest: Vec<u64> = self.newest.iter().flat_map(|&(ms, pin)| [ms, u64::from(pin.0)]).collect();
        let (mut definitions, mut defined_ms) = (Texts::default(), Vec::new());
        for defined in self.definitions() {
            definitions.push(&defined.id);
            definitions.push(&defined.definition);
            defined_ms.push(defined.ts_ms);
        }
        let mut sections: Vec<(&str, &[u8])> = vec![
            ("pins", cast_slice(&fixed)),
            ("record ends", cast_slice(&ends)),
            ("records", cast_slice(&records)),
            ("board titles", titles.bytes.as_bytes()),
            ("board ends", cast_slice(&titles.ends)),
            ("board owners", cast_slice(&owners)),
            ("boards made", cast_slice(&made)),
            ("pinners", pinners.bytes.as_bytes()),
            ("pinner ends", cast_slice(&pinners.ends)),
            ("pinners joined", cast_slice(&joined)),
            ("traits", cast_slice(&traits)),
            ("trait ends", cast_slice(&trait_ends)),
            ("newest", cast_slice(&newest)),
            ("definitions", definitions.bytes.as_bytes()),
            ("definition ends", cast_slice(&definitions.ends)),
            ("defined", cast_slice(&defined_ms)),
        ];
        for ([bytes, ends], (text, marks)) in NAMES.into_iter().zip(&names) {
            sections.extend([(bytes, text.as_bytes()), (ends, cast_slice(marks))]);
        }
        Snapshot::write(out, KIND, VERSION, &sections)
    }

    /// The catalogue as it was when it was written, but for the columns for filters.
    pub(crate) fn open(bytes: &Bytes) -> Result<Catalogue, SnapshotError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let mut named = NAMES.into_iter().map(|sections| {
            let Texts { bytes, ends } = Texts::read(&snapshot, sections)?;
            let ends = ends.into_iter().map(|end| end as usize).collect();
            Names::restore(bytes, ends).ok_or_else(|| odd(sections[0], "do not fit their ends"))
        });
        let mut next = || named.next().expect("invariant: four kinds of names");
        let mut catalogue = Catalogue {
            pin_names: next()?,
            board_names: next()?,
            pinner_names: next()?,
            words: Words::of(next()?),
            pins: pins(&snapshot)?,
            boards: boards(&snapshot)?,
            pinners: pinners(&snapshot)?,
            facets: Facets::default(),
            newest: Default::default(),
            alike: Default::default(),
            reviews: Default::default(),
            definitions: Default::default(),
        };
        for defined in definitions(&snapshot)? {
            catalogue.define(&defined);
        }
        catalogue.gather();
        let newest = snapshot.column::<u64>("newest")?;
        catalogue.newest = newest.as_chunks::<2>().0.iter().map(|&[ms, pin]| (ms, PinId(pin as u32))).collect();
        let named = [&catalogue.pin_names, &catalogue.board_names, &catalogue.pinner_names].map(Names::len);
        if named != [catalogue.pins.len(), catalogue.boards.len(), catalogue.pinners.len()] {
            return Err(odd("pin names", "are not as many as the rows"));
        }
        catalogue.give_back()?;
        Ok(catalogue)
    }

    /// Takes the columns for filters that it had.
    pub(crate) fn with_columns(mut self, columns: Columns) -> Result<Catalogue, SnapshotError> {
        self.facets = Facets::of(columns).map_err(|error| odd("columns", &error.to_string()))?;
        Ok(self)
    }

    /// Tells pinners which boards are theirs.
    fn give_back(&mut self) -> Result<(), SnapshotError> {
        for (board, row) in (0u32..).zip(&self.boards).filter(|(_, row)| row.owner != NONE) {
            let owner = self.pinners.get_mut(PinnerId(row.owner).index());
            owner.ok_or_else(|| odd("board owners", "are nobody"))?.boards.push(BoardId(board));
        }
        Ok(())
    }
}

fn definitions(snapshot: &Snapshot) -> Result<Vec<Defined>, SnapshotError> {
    let texts = Texts::read(snapshot, ["definitions", "definition ends"])?;
    let (ids, definitions) = (texts.iter().step_by(2), texts.iter().skip(1).step_by(2));
    let moments = snapshot.column::<u64>("defined")?;
    let defined = ids.zip(definitions).zip(moments.iter());
    let defined = defined.map(|((id, text), ts_ms)| Defined { id: id.into(), definition: text.into(), ts_ms: *ts_ms });
    Ok(defined.collect())
}

fn pins(snapshot: &Snapshot) -> Result<Vec<PinRow>, SnapshotError> {
    let (fixed, ends) = (snapshot.column::<Fixed>("pins")?, snapshot.column::<u64>("record ends")?);
    let records = snapshot.column::<u32>("records")?;
    if fixed.len() != ends.len() {
        return Err(odd("record ends", "are not as many as the pins"));
    }
    let mut start = 0;
    let row = |(&fixed, &end): (&Fixed, &u64)| {
        let row = part(&records, start, end as usize).and_then(|record| PinRow::restore(fixed, record));
        start = end as usize;
        row.ok_or_else(|| odd("records", "are cut or no text"))
    };
    fixed.iter().zip(ends.iter()).map(row).collect()
}

/// A part of a column, where it lies.
fn part(column: &Column<u32>, start: usize, end: usize) -> Option<Column<u32>> {
    column.get(start..end)?;
    Some(match column {
        Column::Owned(words) => words[start..end].to_vec().into(),
        Column::Shared(_) if start == end => Column::default(),
        Column::Shared(bytes) => Column::Shared(bytes.slice(start * 4..end * 4)),
    })
}

fn boards(snapshot: &Snapshot) -> Result<Vec<BoardRow>, SnapshotError> {
    let titles = Texts::read(snapshot, ["board titles", "board ends"])?;
    let (owners, made) = (snapshot.column::<u32>("board owners")?, snapshot.column::<u64>("boards made")?);
    let rows = titles.iter().zip(owners.iter()).zip(made.iter());
    Ok(rows.map(|((title, &owner), &created_ms)| BoardRow { title: title.into(), owner, created_ms }).collect())
}

fn pinners(snapshot: &Snapshot) -> Result<Vec<PinnerRow>, SnapshotError> {
    let texts = Texts::read(snapshot, ["pinners", "pinner ends"])?;
    let joined = snapshot.column::<u64>("pinners joined")?;
    let (traits, ends) = (snapshot.column::<u32>("traits")?, snapshot.column::<u64>("trait ends")?);
    if joined.len() != ends.len() {
        return Err(odd("trait ends", "are not as many as the pinners"));
    }
    let (mut texts, mut start) = (texts.iter(), 0);
    let row = |(&created_ms, &end): (&u64, &u64)| {
        let mut next = || texts.next().map(Box::from).ok_or_else(|| odd("pinners", "are too few"));
        let traits = traits.get(start..end as usize).ok_or_else(|| odd("traits", "are cut"))?.into();
        start = end as usize;
        Ok(PinnerRow { name: next()?, language: next()?, created_ms, traits, boards: Vec::new() })
    };
    joined.iter().zip(ends.iter()).map(row).collect()
}

fn odd(section: &str, reason: &str) -> SnapshotError {
    SnapshotError::Section { section: section.to_owned(), reason: reason.to_owned() }
}
