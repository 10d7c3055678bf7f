//! The working set of the funnel: candidates as columns, what was dropped on the way, and what a stage wants to tell.

use crate::context::Context;
use crate::features::{fill_others, first_features};
use crate::filter::{Filter, FilterView};
use crate::generator::Offers;
use crate::relevance::{self, bands, floored};
use crate::scorer::Scorer;
use crate::views::read;
use domain::{Candidates, Drop, PinId, Source};
use models::FEATURE_COUNT;
use std::collections::{HashMap, HashSet};

/// Pins of a page that soft filters do not leave empty.
const PAGE_MAX: usize = 50;

#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) candidates: Candidates,
    /// Rows of [`models::FEATURES`], in the order of the candidates; empty before they are computed.
    pub(crate) features: Vec<f32>,
    /// Rank after L1, per candidate; empty before L1.
    pub(crate) l1_ranks: Vec<u16>,
    /// Whether relevance was judged, and bounds the order.
    pub(crate) bounded: bool,
    /// Whether it was judged and no candidate answers.
    pub(crate) unanswered: bool,
    pub(crate) dropped: Vec<Drop>,
    /// What the stage at work wants to tell.
    pub(crate) note: Option<String>,
}

impl Rows {
    /// Every offered pin once, with all its sources. Pins come in the order of their best rank in any source: what
    /// scorers leave tied stays in this order.
    pub(crate) fn merge(offers: &[(Source, Offers)]) -> Rows {
        let mut rows = Rows::default();
        let mut known = HashMap::new();
        let longest = offers.iter().map(|(_, offers)| offers.len()).max().unwrap_or(0);
        for rank in 0..longest {
            for (source, offers) in offers {
                let Some(&(pin, score)) = offers.get(rank) else { continue };
                let row = *known.entry(pin).or_insert_with(|| rows.candidates.push(pin));
                if !rows.candidates.sources[row].has(*source) {
                    rows.candidates.offer(row, *source, score, rank);
                }
            }
        }
        rows
    }

    /// The given pins in their order, with what sources say of them; behind them the best pin of each source that is
    /// not among them, since scores are also told as shares of the best.
    pub(crate) fn given(pins: &[PinId], offers: &[(Source, Offers)]) -> Rows {
        let mut rows = Rows::default();
        let mut known: HashMap<PinId, Vec<usize>> = HashMap::new();
        pins.iter().for_each(|&pin| known.entry(pin).or_default().push(rows.candidates.push(pin)));
        for (source, offers) in offers {
            for (rank, &(pin, score)) in (0..offers.len()).filter_map(|rank| Some((rank, offers.get(rank)?))) {
                let best = (rank == 0 && !known.contains_key(&pin)).then(|| rows.candidates.push(pin));
                known.extend(best.map(|row| (pin, vec![row])));
                for &row in known.get(&pin).into_iter().flatten() {
                    if !rows.candidates.sources[row].has(*source) {
                        rows.candidates.offer(row, *source, score, rank);
                    }
                }
            }
        }
        rows
    }

    /// Takes out what filters do not want. Each dropped pin carries the name of the first filter that took it.
    pub(crate) fn filter(mut self, filters: &[Box<dyn Filter>], context: &Context) -> Rows {
        let view = FilterView::new(&context.views);
        let pins = &self.candidates.pins;
        let mut reasons: Vec<Option<&'static str>> = vec![None; pins.len()];
        for filter in filters.iter().filter(|filter| filter.applies(context)) {
            let mut keep = vec![true; pins.len()];
            filter.mask(context, &view, pins, &mut keep);
            let gone = |row: usize| reasons[row].is_some() || !keep[row];
            let left = (0..pins.len()).filter(|&row| !gone(row)).count();
            let before = reasons.iter().filter(|reason| reason.is_none()).count();
            if filter.soft() && left < context.request.limit.min(PAGE_MAX) && left < before {
                let name = filter.name();
                self.note = Some(format!("{name}: {} came back, only {left} others are left", before - left));
                continue;
            }
            for (reason, _) in reasons.iter_mut().zip(&keep).filter(|(reason, keep)| reason.is_none() && !**keep) {
                *reason = Some(filter.name());
            }
        }
        drop(view);
        let keep: Vec<usize> = (0..reasons.len()).filter(|&row| reasons[row].is_none()).collect();
        for (row, by) in reasons.iter().enumerate().filter_map(|(row, reason)| Some((row, (*reason)?))) {
            self.drop(row, by);
        }
        self.take(&keep)
    }

    /// The features that the first pass reads.
    pub(crate) fn first_features(mut self, context: &Context) -> Rows {
        self.features = first_features(context, &self.candidates);
        self
    }

    /// All other features of the rows that are left.
    pub(crate) fn other_features(mut self, context: &Context) -> Rows {
        self.bounded = fill_others(&mut self.features, context, &self.candidates);
        self
    }

    /// All features.
    pub(crate) fn all_features(self, context: &Context) -> Rows {
        self.first_features(context).other_features(context)
    }

    /// All features of the first so many rows, which alone are left.
    pub(crate) fn features_of(self, count: usize, context: &Context) -> Rows {
        let first: Vec<usize> = (0..count).collect();
        self.first_features(context).take(&first).other_features(context)
    }

    /// Orders by the first pass and keeps the best. Pins to explore stay where the surface has slots for them.
    pub(crate) fn first_pass(mut self, scorer: &dyn Scorer, context: &Context) -> Rows {
        scorer.score(context, &self.features, &mut self.candidates);
        let order = best_first(&self.candidates.l1);
        let explore = context.params.surface(context.request.surface).explore_every > 0;
        let stays = |place: usize, row: usize| {
            place < context.params.l1_keep_max || (explore && self.candidates.sources[row].has(Source::Exploration))
        };
        let (kept, cut): (Vec<_>, Vec<_>) = order.into_iter().enumerate().partition(|&(place, row)| stays(place, row));
        cut.into_iter().for_each(|(_, row)| self.drop(row, "l1"));
        self.l1_ranks = vec![0; self.candidates.len()];
        kept.iter().for_each(|&(place, row)| self.l1_ranks[row] = place.min(usize::from(u16::MAX)) as u16);
        self.take(&kept.into_iter().map(|(_, row)| row).collect::<Vec<_>>())
    }

    /// Leaves pins out that do not answer what was searched for.
    pub(crate) fn floor(mut self, context: &Context) -> Rows {
        if !self.bounded {
            return self;
        }
        let floored = floored(&context.params.relevance, &self.features);
        self.unanswered = floored.answering == 0 && !self.candidates.is_empty();
        let judge = relevance::by(context);
        self.note = Some(format!("{} of {} answer, {judge}", floored.answering, self.candidates.len()));
        let mut stays = vec![false; self.candidates.len()];
        floored.kept.iter().for_each(|&row| stays[row] = true);
        (0..stays.len()).filter(|&row| !stays[row]).for_each(|row| self.drop(row, "relevance"));
        self.take(&floored.kept)
    }

    /// Orders by bands of relevance, where it was judged, and by utility.
    pub(crate) fn second_pass(mut self, scorer: &dyn Scorer, context: &Context) -> Rows {
        scorer.score(context, &self.features, &mut self.candidates);
        let mut order = best_first(&self.candidates.utility);
        if self.bounded {
            let bands = self.bands(context);
            order.sort_by_key(|&row| bands[row]);
        }
        self.take(&order)
    }

    /// The band of relevance of each row, the best being 0; all 0 where nothing is bounded.
    pub(crate) fn bands(&self, context: &Context) -> Vec<u8> {
        if !self.bounded {
            return vec![0; self.candidates.len()];
        }
        bands(&context.params.relevance, &self.features)
    }

    /// Of rows with one picture only the first.
    pub(crate) fn one_of_a_picture(mut self, context: &Context) -> Rows {
        if !context.params.diversity.one_of_a_picture {
            return self;
        }
        let catalogue = read(&context.views.catalogue);
        let mut shown = HashSet::new();
        let is_new = |pin: PinId| catalogue.picture_of(pin).is_none_or(|picture| shown.insert(picture));
        let news: Vec<bool> = self.candidates.pins.iter().copied().map(is_new).collect();
        drop(catalogue);
        let (kept, repeated): (Vec<usize>, Vec<usize>) = (0..news.len()).partition(|&row| news[row]);
        if repeated.is_empty() {
            return self;
        }
        repeated.into_iter().for_each(|row| self.drop(row, "near_duplicate"));
        self.take(&kept)
    }

    fn drop(&mut self, row: usize, by: &'static str) {
        let (pin, sources) = (self.candidates.pins[row], self.candidates.sources[row]);
        self.dropped.push(Drop { pin, by, sources });
    }

    fn take(mut self, rows: &[usize]) -> Rows {
        self.candidates = self.candidates.take(rows);
        if !self.features.is_empty() {
            let (features, _) = self.features.as_chunks::<FEATURE_COUNT>();
            self.features = rows.iter().flat_map(|&row| features[row]).collect();
        }
        if !self.l1_ranks.is_empty() {
            self.l1_ranks = rows.iter().map(|&row| self.l1_ranks[row]).collect();
        }
        self
    }
}

/// Rows by score, best first; what is not a number sinks, ties keep their order.
fn best_first(scores: &[f32]) -> Vec<usize> {
    let key = |row: usize| if scores[row].is_nan() { f32::NEG_INFINITY } else { scores[row] };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_keeps_each_pin_once_with_all_its_sources() {
        let offers = [
            (Source::Walks, vec![(PinId(1), 9.0), (PinId(2), 8.0)].into()),
            (Source::Popular, vec![(PinId(2), 3.0), (PinId(3), 2.0), (PinId(2), 1.0)].into()),
        ];
        let rows = Rows::merge(&offers);
        assert_eq!(rows.candidates.pins, [PinId(1), PinId(2), PinId(3)]);
        let sources = rows.candidates.sources[1].iter().collect::<Vec<_>>();
        assert_eq!(sources, [Source::Walks, Source::Popular]);
        assert_eq!(rows.candidates.source_scores[Source::Popular.index()][1], 3.0, "the first offer counts");
    }

    #[test]
    fn what_is_not_a_number_sinks_and_ties_keep_their_order() {
        assert_eq!(best_first(&[1.0, f32::NAN, 2.0, 1.0]), [2, 0, 3, 1]);
    }
}
