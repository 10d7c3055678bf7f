//! The seam of filters, and the filters: each has a name, and says which pins stay.

use crate::catalogue::Catalogue;
use crate::context::Context;
use crate::views::{Views, read};
use domain::{PinId, Subject, Surface};
use signals::Signals;
use std::sync::RwLockReadGuard;

/// What filters look into; held for the time of the filter stage.
pub struct FilterView<'a> {
    /// The catalogue.
    pub catalogue: RwLockReadGuard<'a, Catalogue>,
    /// The signals.
    pub signals: RwLockReadGuard<'a, Signals>,
}

impl<'a> FilterView<'a> {
    pub(crate) fn new(views: &'a Views) -> FilterView<'a> {
        FilterView { catalogue: read(&views.catalogue), signals: read(&views.signals) }
    }
}

/// A reason to leave pins out.
pub trait Filter: Send + Sync {
    /// Its name in traces.
    fn name(&self) -> &'static str;

    /// Whether it has something to say to this request.
    fn applies(&self, _context: &Context) -> bool {
        true
    }

    /// Whether pins that it took out may come back when too few are left.
    fn soft(&self) -> bool {
        false
    }

    /// Sets `keep` to false where a pin must go; both have one entry per candidate.
    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]);
}

/// Takes a pin out when `gone` says so; `keep` is never set back to true.
fn drop_where(pins: &[PinId], keep: &mut [bool], gone: impl Fn(PinId) -> bool) {
    keep.iter_mut().zip(pins).for_each(|(keep, &pin)| *keep = *keep && !gone(pin));
}

/// Placeholders: pins that were mentioned but never described.
#[derive(Debug)]
pub(crate) struct NotServable;

impl Filter for NotServable {
    fn name(&self) -> &'static str {
        "not_servable"
    }

    fn mask(&self, _: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| !view.catalogue.row(pin).is_some_and(|row| row.described()));
    }
}

/// Pins that were taken away or whose time is over.
#[derive(Debug)]
pub(crate) struct RemovedOrExpired;

impl Filter for RemovedOrExpired {
    fn name(&self) -> &'static str {
        "removed_or_expired"
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        let now_ms = context.request.now_ms;
        drop_where(pins, keep, |pin| view.catalogue.row(pin).is_some_and(|row| row.gone(now_ms)));
    }
}

/// Pins that may not be shown to anybody.
#[derive(Debug)]
pub(crate) struct Unsafe;

impl Filter for Unsafe {
    fn name(&self) -> &'static str {
        "unsafe"
    }

    fn mask(&self, _: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| view.catalogue.row(pin).is_some_and(|row| row.not_safe()));
    }
}

/// Pins that a label or somebody's decision keeps from being shown.
#[derive(Debug)]
pub(crate) struct Withheld;

impl Filter for Withheld {
    fn name(&self) -> &'static str {
        "withheld"
    }

    fn mask(&self, _: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| view.catalogue.row(pin).is_some_and(|row| row.withheld()));
    }
}

/// The subject itself with all that has its picture, and what already lies on the subject board.
#[derive(Debug)]
pub(crate) struct SubjectItself;

impl Filter for SubjectItself {
    fn name(&self) -> &'static str {
        "subject"
    }

    fn applies(&self, context: &Context) -> bool {
        !context.subject_pins.is_empty()
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        match context.request.subject {
            Subject::Board(board) => {
                let graph = read(&context.views.graph);
                drop_where(pins, keep, |pin| graph.has(pin, board));
            }
            _ => {
                let picture = |pin| view.catalogue.picture_of(pin);
                let pictures: Vec<PinId> = context.subject_pins.iter().filter_map(|&pin| picture(pin)).collect();
                let is_one = |pin| picture(pin).is_some_and(|of| pictures.contains(&of));
                drop_where(pins, keep, |pin| context.subject_pins.contains(&pin) || is_one(pin));
            }
        }
    }
}

/// What the request's own filter does not pass.
#[derive(Debug)]
pub(crate) struct Asked;

impl Filter for Asked {
    fn name(&self) -> &'static str {
        "request_filter"
    }

    fn applies(&self, context: &Context) -> bool {
        context.filter.is_some()
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        let Some(filter) = &context.filter else { return };
        match filter.bind_roughly(view.catalogue.columns()) {
            Ok(bound) => drop_where(pins, keep, |pin| !bound.passes(pin)),
            Err(_) => keep.fill(false),
        }
    }
}

/// Pins that the pinner hid or reported.
#[derive(Debug)]
pub(crate) struct Hidden;

impl Filter for Hidden {
    fn name(&self) -> &'static str {
        "hidden"
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| context.hidden(&view.signals, pin));
    }
}

/// Pins that the pinner has saved; a search finds them again.
#[derive(Debug)]
pub(crate) struct AlreadySaved;

impl Filter for AlreadySaved {
    fn name(&self) -> &'static str {
        "already_saved"
    }

    fn applies(&self, context: &Context) -> bool {
        context.request.surface != Surface::Search
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| context.saved(&view.signals, pin));
    }
}

/// Pins that the pinner has seen, where the surface wants only new ones; they come back rather than leave a page empty.
#[derive(Debug)]
pub(crate) struct Seen;

impl Filter for Seen {
    fn name(&self) -> &'static str {
        "seen"
    }

    fn applies(&self, context: &Context) -> bool {
        context.params.surface(context.request.surface).hide_seen
    }

    fn soft(&self) -> bool {
        true
    }

    fn mask(&self, context: &Context, view: &FilterView, pins: &[PinId], keep: &mut [bool]) {
        drop_where(pins, keep, |pin| context.seen(&view.signals, pin));
    }
}

/// All filters in the order in which they look: the first that takes a pin out is its reason.
pub(crate) fn all() -> Vec<Box<dyn Filter>> {
    vec![
        Box::new(NotServable),
        Box::new(RemovedOrExpired),
        Box::new(Unsafe),
        Box::new(Withheld),
        Box::new(Asked),
        Box::new(SubjectItself),
        Box::new(Hidden),
        Box::new(AlreadySaved),
        Box::new(Seen),
    ]
}
