//! Numbers of ids to the log and back.

use crate::catalogue::Catalogue;
use crate::error::ServingError;
use crate::names::Names;
use crate::views::{Views, write};
use domain::{BoardId, EventId, Fact, IdKind, Numbered, TopicKind};
use store::EventLog;

/// How many ids have a number that is in the log, in the order of [`KINDS`].
pub(crate) type Numbers = [usize; 3];

/// Kinds of ids. Pinners come before the boards that they own.
const KINDS: [IdKind; 3] = [IdKind::Pinner, IdKind::Pin, IdKind::Board];

/// Most ids of one fact.
const RUN_MAX: usize = 16_384;

/// Facts that are read at a time.
const READ_MAX: usize = 64;

fn names(catalogue: &Catalogue) -> [&Names; 3] {
    [&catalogue.pinner_names, &catalogue.pin_names, &catalogue.board_names]
}

/// The facts of all numbers given since `kept`, and how many there are now. The same numbers make the same facts.
pub(crate) fn facts(catalogue: &Catalogue, kept: Numbers) -> (Vec<(EventId, Fact)>, Numbers) {
    let mut facts = Vec::new();
    for ((kind, names), kept) in KINDS.into_iter().zip(names(catalogue)).zip(kept) {
        let numbers: Vec<u32> = (kept..names.len()).map(|number| number as u32).collect();
        for run in numbers.chunks(RUN_MAX) {
            let owner = |number| if kind == IdKind::Board { catalogue.owner(BoardId(number)) } else { None };
            let names = run.iter().map(|&number| (names.name(number).to_owned(), owner(number))).collect();
            let id = EventId(((kind as u128) << 32) | u128::from(run[0]));
            facts.push((id, Fact::Numbered(Numbered { kind, first: run[0], names })));
        }
    }
    (facts, names(catalogue).map(Names::len))
}

impl Views {
    /// Views for somebody who only reads the log: what has no number there yet stays unknown to them, so that their
    /// numbers are those of whoever writes it.
    pub fn sealed(log: &dyn EventLog) -> Result<Views, ServingError> {
        let views = Views::numbered(log)?;
        let mut catalogue = write(&views.catalogue);
        let Catalogue { pinner_names, pin_names, board_names, .. } = &mut *catalogue;
        [pinner_names, pin_names, board_names].into_iter().for_each(Names::seal);
        drop(catalogue);
        Ok(views)
    }

    /// Views that know the numbers of a log and will give others to what it does not hold: for what never reaches it.
    pub fn numbered(log: &dyn EventLog) -> Result<Views, ServingError> {
        let views = Views::new()?;
        views.read_numbers(log, 0)?;
        Ok(views)
    }

    /// Gives all ids that have a number in the log, from offset `next` on, that number again. To be called before
    /// anything is applied.
    pub(crate) fn read_numbers(&self, log: &dyn EventLog, mut next: u64) -> Result<Numbers, ServingError> {
        let mut catalogue = write(&self.catalogue);
        loop {
            let found = log.read(TopicKind::Numbers, next, READ_MAX)?;
            let Some((last, _, _)) = found.last() else { return Ok(names(&catalogue).map(Names::len)) };
            next = last + 1;
            for (offset, _, fact) in &found {
                let given = match fact {
                    Fact::Numbered(run) => give(&mut catalogue, run),
                    _ => Err("it holds no numbers".to_owned()),
                };
                given.map_err(|reason| ServingError::BadNumbers { offset: *offset, reason })?;
            }
        }
    }
}

fn give(catalogue: &mut Catalogue, run: &Numbered) -> Result<(), String> {
    for ((name, owner), expected) in run.names.iter().zip(run.first..) {
        let owner = owner.filter(|owner| owner.index() < catalogue.pinners());
        let given = match run.kind {
            IdKind::Pinner => catalogue.intern_pinner(name).map(|id| id.0),
            IdKind::Pin => catalogue.intern_pin(name).map(|id| id.0),
            IdKind::Board => catalogue.intern_board(name, owner).map(|id| id.0),
        };
        if given != Some(expected) {
            return Err(format!("'{name}' would get number {given:?} instead of {expected}"));
        }
    }
    Ok(())
}
