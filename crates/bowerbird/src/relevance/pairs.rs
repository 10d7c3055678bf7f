//! Queries and pins as relevance models read them, through the funnel that serves.

use super::labels::Label;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::Result;
use domain::{Params, PinId, Request, Subject, Surface};
use models::Levels;
use rayon::prelude::*;
use serving::Pipeline;
use std::collections::BTreeMap;
use train::{LabelledPin, LabelledQuery, RelevanceData};

/// A query and a pin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    /// What was typed.
    pub query: String,
    /// The pin's own id.
    pub pin: String,
    /// How likely each level is, as far as anybody said.
    pub levels: Levels,
}

/// Labels as pairs.
pub(crate) fn pairs_of(labels: &[Label]) -> Vec<Pair> {
    let pair = |label: &Label| Pair { query: label.query.clone(), pin: label.pin.clone(), levels: label.levels() };
    labels.iter().map(pair).collect()
}

/// A pair of which nothing is known.
pub(crate) fn unlabelled(query: &str, pin: &str) -> Pair {
    Pair { query: query.to_owned(), pin: pin.to_owned(), levels: super::one_level(0) }
}

/// What models read of pairs: rows in the order of queries and then of pairs, with the place of each pair. Pairs of
/// pins that are not there are left out.
pub(crate) fn data_of(
    pipeline: &Pipeline,
    params: &Params,
    (pairs, now_ms): (&[Pair], u64),
    progress: &Progress,
    stop: &Stop,
) -> Result<(RelevanceData, Vec<usize>)> {
    let mut of_query: BTreeMap<&str, Vec<(usize, PinId)>> = BTreeMap::new();
    {
        let catalogue = pipeline.views().catalogue();
        for (place, pair) in pairs.iter().enumerate() {
            if let Some(pin) = catalogue.pin(&pair.pin) {
                of_query.entry(&pair.query).or_default().push((place, pin));
            }
        }
    }
    let of_query: Vec<(&str, Vec<(usize, PinId)>)> = of_query.into_iter().collect();
    let read = |(query, pins): &(&str, Vec<(usize, PinId)>)| {
        stop.check()?;
        let subject = Subject::Query((*query).to_owned());
        let request = Request { subject, limit: 1, ..Request::new(Surface::Search, now_ms, 1) };
        let pins: Vec<PinId> = pins.iter().map(|(_, pin)| *pin).collect();
        let seen = pipeline.relevance_now(request, &pins, params);
        progress.add(pins.len() as u64);
        anyhow::Ok(seen)
    };
    let seen: Vec<_> = of_query.par_iter().map(read).collect::<Result<_>>()?;
    let (mut data, mut places) = (RelevanceData::default(), Vec::new());
    for ((text, pins), seen) in of_query.iter().zip(seen) {
        if seen.pins.is_empty() {
            continue;
        }
        data.space = seen.space;
        let query = data.queries.len();
        data.queries.push(LabelledQuery { text: (*text).to_owned(), words: seen.query, asked: seen.asked });
        for ((place, _), pin) in pins.iter().zip(seen.pins) {
            let serving::SeenPin { features, words, content, title, rest } = pin;
            let label = pairs[*place].levels;
            data.pins.push(LabelledPin { query, features, words, content, title, rest, label });
            places.push(*place);
        }
    }
    Ok((data, places))
}
