//! What was found out about pins, and decided.

use super::read::Reader;
use super::write::Writer;
use super::{BadFact, kind};
use domain::{Annotated, Clustered, Defined, Label, Reviewed, Understood, Verdict};

pub(super) fn write_understood(to: &mut Writer, understood: &Understood) {
    let Understood { pin, space, embedding, size, palette, thumbnail, thumbnail_widths, signature } = understood;
    to.byte(kind::UNDERSTOOD);
    to.flags(&[size.is_some(), thumbnail.is_some(), !thumbnail_widths.is_empty(), !signature.is_empty()]);
    to.text(pin);
    to.number(u64::from(*space));
    to.floats(embedding);
    if let Some((width, height)) = size {
        to.number(u64::from(*width));
        to.number(u64::from(*height));
    }
    to.number(palette.len() as u64);
    palette.iter().for_each(|colour| to.bytes(colour));
    thumbnail.iter().for_each(|key| to.text(key));
    if !thumbnail_widths.is_empty() {
        to.number(thumbnail_widths.len() as u64);
        thumbnail_widths.iter().for_each(|&width| to.number(u64::from(width)));
    }
    if !signature.is_empty() {
        to.number(signature.len() as u64);
        to.bytes(signature);
    }
}

pub(super) fn read_understood(from: &mut Reader) -> Result<Understood, BadFact> {
    let [size, thumbnail, widths, signature, ..] = from.flags()?;
    Ok(Understood {
        pin: from.text()?,
        space: from.small()?,
        embedding: from.floats()?,
        size: from.optional(size, |from| Ok((from.small()?, from.small()?)))?,
        palette: from.list(3, Reader::array)?,
        thumbnail: from.optional(thumbnail, Reader::text)?,
        thumbnail_widths: from.optional(widths, |from| from.list(1, Reader::small))?.unwrap_or_default(),
        signature: from.optional(signature, |from| from.list(1, Reader::byte))?.unwrap_or_default(),
    })
}

pub(super) fn write_annotated(to: &mut Writer, annotated: &Annotated) {
    let Annotated { pin, learned, rules, language, labels, verdict, terms, topics, semantic_id } = annotated;
    to.byte(kind::ANNOTATED);
    to.flags(&[language.is_some(), semantic_id.is_some()]);
    to.text(pin);
    to.number(u64::from(*learned));
    to.number(*rules);
    language.iter().for_each(|language| to.text(language));
    to.number(labels.len() as u64);
    for Label { name, value, threshold, terms } in labels {
        to.text(name);
        to.float(*value);
        to.float(*threshold);
        to.texts(terms);
    }
    to.byte(*verdict as u8);
    to.number(terms.len() as u64);
    for (term, confidence) in terms {
        to.text(term);
        to.float(*confidence);
    }
    to.texts(topics);
    semantic_id.iter().for_each(|id| to.bytes(id));
}

pub(super) fn read_annotated(from: &mut Reader) -> Result<Annotated, BadFact> {
    let [language, semantic_id, ..] = from.flags()?;
    let label = |from: &mut Reader| {
        let (name, value, threshold) = (from.text()?, from.float()?, from.float()?);
        Ok(Label { name, value, threshold, terms: from.texts()? })
    };
    Ok(Annotated {
        pin: from.text()?,
        learned: from.small()?,
        rules: from.number()?,
        language: from.optional(language, Reader::text)?,
        labels: from.list(10, label)?,
        verdict: read_verdict(from)?,
        terms: from.list(5, |from| Ok((from.text()?, from.float()?)))?,
        topics: from.texts()?,
        semantic_id: from.optional(semantic_id, Reader::array)?,
    })
}

fn read_verdict(from: &mut Reader) -> Result<Verdict, BadFact> {
    let code = from.byte()?;
    let verdict = Verdict::ALL.get(usize::from(code)).copied();
    verdict.ok_or_else(|| BadFact::new(format!("verdict {code} is unknown")))
}

pub(super) fn write_clustered(to: &mut Writer, clustered: &Clustered) {
    to.byte(kind::CLUSTERED);
    to.text(&clustered.pin);
    to.text(&clustered.head);
}

pub(super) fn read_clustered(from: &mut Reader) -> Result<Clustered, BadFact> {
    Ok(Clustered { pin: from.text()?, head: from.text()? })
}

pub(super) fn write_reviewed(to: &mut Writer, reviewed: &Reviewed) {
    to.byte(kind::REVIEWED);
    to.text(&reviewed.pin);
    to.byte(reviewed.verdict as u8);
    to.number(reviewed.ts_ms);
}

pub(super) fn write_defined(to: &mut Writer, defined: &Defined) {
    to.byte(kind::DEFINED);
    to.text(&defined.id);
    to.text(&defined.definition);
    to.number(defined.ts_ms);
}

pub(super) fn read_defined(from: &mut Reader) -> Result<Defined, BadFact> {
    Ok(Defined { id: from.text()?, definition: from.text()?, ts_ms: from.number()? })
}

pub(super) fn read_reviewed(from: &mut Reader) -> Result<Reviewed, BadFact> {
    Ok(Reviewed { pin: from.text()?, verdict: read_verdict(from)?, ts_ms: from.number()? })
}
