//! Request records as bytes.
//!
//! They are the largest facts, so names of rules are kept once per record, zeros among the features as one bit, and
//! propensities only where they are not 1.

use super::read::Reader;
use super::write::Writer;
use super::{BadFact, names, read_surface};
use domain::{
    ArmOf, BoardId, Drop, HEAD_COUNT, Move, PinId, RequestRecord, ServedItem, SourceSet, StageTrace, Subject, Trace,
};
use std::borrow::Cow;

/// Names that begin like this are not words of the code: somebody gave them to rules of the business.
const GIVEN: &str = "rule/";

/// Least bytes of an item: ten fields, of which utility and L1 score take four bytes and each head too.
const ITEM_BYTES_MIN: usize = 15 + 4 * HEAD_COUNT;

mod subject {
    pub(super) const NONE: u8 = 0;
    pub(super) const PIN: u8 = 1;
    pub(super) const BOARD: u8 = 2;
    pub(super) const QUERY: u8 = 3;
}

/// All but the arms.
pub(super) fn write(to: &mut Writer, record: &RequestRecord) {
    to.id(record.request_id);
    to.number(record.ts_ms);
    to.text(&record.pinner);
    to.byte(record.surface.code());
    match &record.subject {
        Subject::None => to.byte(subject::NONE),
        Subject::Pin(pin) => {
            to.byte(subject::PIN);
            to.number(u64::from(pin.0));
        }
        Subject::Board(board) => {
            to.byte(subject::BOARD);
            to.number(u64::from(board.0));
        }
        Subject::Query(query) => {
            to.byte(subject::QUERY);
            to.text(query);
        }
    }
    to.number(u64::from(record.offset));
    to.number(u64::from(record.shown));
    write_trace(to, &record.trace);
}

/// See [`write`].
pub(super) fn read(from: &mut Reader) -> Result<RequestRecord, BadFact> {
    Ok(RequestRecord {
        request_id: from.id()?,
        ts_ms: from.number()?,
        pinner: from.text()?,
        surface: read_surface(from)?,
        subject: match from.byte()? {
            subject::NONE => Subject::None,
            subject::PIN => Subject::Pin(PinId(from.small()?)),
            subject::BOARD => Subject::Board(BoardId(from.small()?)),
            subject::QUERY => Subject::Query(from.text()?),
            other => return Err(BadFact::new(format!("subject {other} is unknown"))),
        },
        offset: from.small()?,
        shown: from.small()?,
        trace: read_trace(from)?,
        arms: Vec::new(),
    })
}

pub(super) fn write_arms(to: &mut Writer, arms: &[ArmOf]) {
    to.number(arms.len() as u64);
    for ArmOf { experiment, arm } in arms {
        to.text(experiment);
        to.text(arm);
    }
}

pub(super) fn read_arms(from: &mut Reader) -> Result<Vec<ArmOf>, BadFact> {
    from.list(2, |from| Ok(ArmOf { experiment: from.text()?, arm: from.text()? }))
}

fn write_trace(to: &mut Writer, trace: &Trace) {
    let rules = rules(trace);
    let number = |by: &str| rules.iter().position(|&rule| rule == by).unwrap_or(rules.len()) as u64;
    to.number(rules.len() as u64);
    rules.iter().for_each(|rule| to.text(rule));
    to.number(trace.stages.len() as u64);
    trace.stages.iter().for_each(|stage| write_stage(to, stage));
    to.number(trace.dropped.len() as u64);
    for dropped in &trace.dropped {
        to.number(u64::from(dropped.pin.0));
        to.number(number(dropped.by));
        to.byte(dropped.sources.0);
    }
    to.number(trace.ranked.len() as u64);
    trace.ranked.iter().for_each(|item| write_item(to, item, &number));
    write_propensities(to, &trace.ranked);
    to.texts(&trace.degraded);
    to.text(&trace.model);
}

fn read_trace(from: &mut Reader) -> Result<Trace, BadFact> {
    let rules = from.list(1, |from| {
        let name = from.str()?;
        Ok(if name.starts_with(GIVEN) { Cow::Owned(name.to_owned()) } else { Cow::Borrowed(names::keep(name)?) })
    })?;
    let rule = |number: u64| {
        let found = usize::try_from(number).ok().and_then(|number| rules.get(number));
        found.ok_or_else(|| BadFact::new(format!("rule {number} of {}", rules.len())))
    };
    let word = |number: u64| match rule(number)? {
        Cow::Borrowed(name) => Ok(*name),
        Cow::Owned(name) => Err(BadFact::new(format!("'{name}' drops nothing"))),
    };
    let mut trace = Trace {
        stages: from.list(5, read_stage)?,
        dropped: from.list(3, |from| {
            Ok(Drop { pin: PinId(from.small()?), by: word(from.number()?)?, sources: SourceSet(from.byte()?) })
        })?,
        ranked: from.list(ITEM_BYTES_MIN, |from| read_item(from, &rule))?,
        ..Trace::default()
    };
    read_propensities(from, &mut trace.ranked)?;
    Ok(Trace { degraded: from.texts()?, model: from.text()?, ..trace })
}

/// The names of all rules in a trace, each once, in the order in which they first come.
fn rules(trace: &Trace) -> Vec<&str> {
    let mut rules = Vec::new();
    let moves = trace.ranked.iter().flat_map(|item| item.moves.iter().map(|moved| &*moved.by));
    for by in trace.dropped.iter().map(|dropped| dropped.by).chain(moves) {
        if !rules.contains(&by) {
            rules.push(by);
        }
    }
    rules
}

/// The places whose item was drawn by chance, with that chance.
fn write_propensities(to: &mut Writer, ranked: &[ServedItem]) {
    let drawn = || ranked.iter().enumerate().filter(|(_, item)| item.propensity != 1.0);
    to.number(drawn().count() as u64);
    for (place, item) in drawn() {
        to.number(place as u64);
        to.float(item.propensity);
    }
}

fn read_propensities(from: &mut Reader, ranked: &mut [ServedItem]) -> Result<(), BadFact> {
    for (place, propensity) in from.list(5, |from| Ok((from.small::<usize>()?, from.float()?)))? {
        let item = ranked.get_mut(place);
        item.ok_or_else(|| BadFact::new(format!("a chance for place {place}")))?.propensity = propensity;
    }
    Ok(())
}

fn write_stage(to: &mut Writer, stage: &StageTrace) {
    to.flags(&[stage.note.is_some()]);
    to.text(&stage.name);
    to.number(u64::from(stage.took_us));
    to.number(u64::from(stage.before));
    to.number(u64::from(stage.after));
    stage.note.iter().for_each(|note| to.text(note));
}

fn read_stage(from: &mut Reader) -> Result<StageTrace, BadFact> {
    let [note, ..] = from.flags()?;
    Ok(StageTrace {
        name: from.text()?,
        took_us: from.small()?,
        before: from.small()?,
        after: from.small()?,
        note: from.optional(note, Reader::text)?,
    })
}

fn write_item(to: &mut Writer, item: &ServedItem, number: &impl Fn(&str) -> u64) {
    to.number(u64::from(item.pin.0));
    to.byte(item.sources.0);
    to.number(item.offers.len() as u64);
    for &(rank, score) in &item.offers {
        to.number(u64::from(rank));
        to.float(score);
    }
    to.number(u64::from(item.l1_rank));
    to.float(item.l1);
    to.number(u64::from(item.l2_rank));
    item.heads.iter().for_each(|&chance| to.float(chance));
    to.float(item.utility);
    to.sparse_floats(&item.features);
    to.number(item.moves.len() as u64);
    for moved in &item.moves {
        to.number(number(&moved.by));
        to.number(u64::from(moved.from));
        to.number(u64::from(moved.to));
    }
}

fn read_item<'a>(
    from: &mut Reader,
    rule: &impl Fn(u64) -> Result<&'a Cow<'static, str>, BadFact>,
) -> Result<ServedItem, BadFact> {
    Ok(ServedItem {
        pin: PinId(from.small()?),
        sources: SourceSet(from.byte()?),
        offers: from.list(5, |from| Ok((from.small()?, from.float()?)))?,
        l1_rank: from.small()?,
        l1: from.float()?,
        l2_rank: from.small()?,
        heads: read_heads(from)?,
        utility: from.float()?,
        features: from.sparse_floats()?,
        moves: from
            .list(3, |from| Ok(Move { by: rule(from.number()?)?.clone(), from: from.small()?, to: from.small()? }))?,
        propensity: 1.0,
    })
}

fn read_heads(from: &mut Reader) -> Result<[f32; HEAD_COUNT], BadFact> {
    let mut heads = [0.0; HEAD_COUNT];
    heads.iter_mut().try_for_each(|head| from.float().map(|chance| *head = chance))?;
    Ok(heads)
}
