//! Asks the funnel for every case and measures what it ranks and what each generator offered.

use super::slices::{SLICES, Slicer};
use super::{CUTOFFS, Case, OFFER_CUTOFFS};
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::Result;
use domain::{Params, PinId, Request, Source, Surface, hash64};
use rayon::prelude::*;
use serving::{Evaluated, Pipeline, Views};
use train::{Report, recall_at};

/// Pinners that one thread asks for at a time.
const BLOCK: usize = 32;
const SOURCES: usize = Source::ALL.len();

/// What was measured.
#[derive(Clone)]
pub(crate) struct Measured {
    /// What would be served.
    pub served: Report,
    /// What each generator offered, in the order of [`Source::ALL`], and whether it ever did.
    pub sources: Vec<(Report, bool)>,
    /// What all offered together, each pin at its best rank in any.
    pub union: Report,
    /// Sum over pinners of the part of the right pins that is among all candidates.
    pub found: f64,
    /// Sum over pinners of the number of candidates.
    pub candidates: u64,
    /// Pinners asked for.
    pub pinners: u64,
    /// What would be served, by slice; empty when slices are not asked for.
    pub slices: Vec<Report>,
    /// Sum over pinners of the similarity of their slates, and how many have one.
    pub similarity: (f64, u64),
}

impl Measured {
    fn new(pins: usize, sliced: bool) -> Measured {
        let served = Report::new(&CUTOFFS, pins);
        let union = Report::new(&OFFER_CUTOFFS, pins);
        let sources = vec![(union.clone(), false); SOURCES];
        let slices = vec![served.clone(); if sliced { SLICES.len() } else { 0 }];
        Measured { served, sources, union, found: 0.0, candidates: 0, pinners: 0, slices, similarity: (0.0, 0) }
    }

    fn add(&mut self, case: &Case, evaluated: &Evaluated) {
        self.served.add(&evaluated.slate, &case.right);
        for (source, (report, offers)) in Source::ALL.iter().zip(&mut self.sources) {
            let found = evaluated.sources.iter().find(|(known, _)| known == source);
            *offers |= found.is_some();
            report.add(found.map_or(&[], |(_, pins)| pins), &case.right);
        }
        self.union.add(&evaluated.union, &case.right);
        self.found += recall_at(&evaluated.union, &case.right, usize::MAX);
        self.candidates += evaluated.union.len() as u64;
        self.pinners += 1;
    }

    /// Adds what a slicer says of a slate.
    fn slice(&mut self, slicer: &Slicer, case: &Case, slate: &[PinId], views: &Views) {
        for (report, right) in self.slices.iter_mut().zip(slicer.right(case)) {
            report.add(slate, &right);
        }
        if let Some(similarity) = slicer.similarity(slate, views) {
            self.similarity.0 += similarity;
            self.similarity.1 += 1;
        }
    }

    fn merge(&mut self, other: &Measured) {
        self.served.merge(&other.served);
        for ((report, offers), (theirs, offered)) in self.sources.iter_mut().zip(&other.sources) {
            report.merge(theirs);
            *offers |= offered;
        }
        self.union.merge(&other.union);
        self.found += other.found;
        self.candidates += other.candidates;
        self.pinners += other.pinners;
        self.slices.iter_mut().zip(&other.slices).for_each(|(ours, theirs)| ours.merge(theirs));
        self.similarity.0 += other.similarity.0;
        self.similarity.1 += other.similarity.1;
    }
}

/// Asks for the home feed of every case at its own moment, else at `now_ms`, on all cores; the result does not depend
/// on their number.
pub(crate) fn measure(
    pipeline: &Pipeline,
    params: &Params,
    cases: &[Case],
    now_ms: u64,
    slicer: Option<&Slicer>,
    stop: &Stop,
) -> Result<Measured> {
    let params = params.clone().for_evaluation();
    let pins = pipeline.views().catalogue().pins();
    let progress = Progress::new("eval", cases.len() as u64);
    let block = |block: &[Case]| {
        let mut part = Measured::new(pins, slicer.is_some());
        for case in block {
            stop.check()?;
            let evaluated = pipeline.evaluate_now(request(case, &params, now_ms), &params, OFFER_CUTOFFS[3]);
            part.add(case, &evaluated);
            if let Some(slicer) = slicer {
                part.slice(slicer, case, &evaluated.slate, pipeline.views());
            }
        }
        progress.add(block.len() as u64);
        anyhow::Ok(part)
    };
    let parts: Vec<Measured> = cases.par_chunks(BLOCK).map(block).collect::<Result<_>>()?;
    let mut whole = Measured::new(pins, slicer.is_some());
    parts.iter().for_each(|part| whole.merge(part));
    progress.finish(&format!("{} pinners asked for", cases.len()));
    Ok(whole)
}

/// The home feed of a case, as long as the deepest cutoff asks.
pub(crate) fn request(case: &Case, params: &Params, now_ms: u64) -> Request {
    let seed = case.key.bytes().fold(7, |seed, byte| hash64(seed ^ u64::from(byte)));
    let now_ms = case.past.as_ref().map_or(now_ms, |past| past.now_ms);
    Request {
        pinner_key: case.key.clone(),
        pinner: case.pinner,
        history: case.past.as_ref().map(|past| past.acts.clone()),
        limit: params.slate_max,
        ..Request::new(Surface::Home, now_ms, seed)
    }
}
