//! Whoever shows pages: a server over HTTP, a peer that was computed from the same events, or who knows the truth.

use super::peers::Peers;
use super::served::Served;
use ::world::{Visit, World};
use anyhow::Result;
use domain::Event;

/// Pins of a page.
pub(super) const PAGE: usize = 25;

/// Whoever shows pages.
pub(super) enum Shelf {
    Served(Box<Served>),
    Peers(Box<Peers>),
    Truth,
}

/// A page, and where the next one begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Numbers in the world; `None` is something that it does not know.
    pub pins: Vec<Option<u32>>,
    /// The request that showed it, of a server.
    pub request_id: Option<String>,
    /// The pin beside which it is shown, of related pins.
    pub subject: Option<String>,
    /// What gives the next page of a server.
    pub cursor: Option<String>,
    /// The rest of the ranking of a peer.
    pub rest: Vec<u32>,
}

impl Shelf {
    /// The page that a visitor wants; `before` is the page that they saw last.
    pub(super) fn page(&self, world: &World, visit: &Visit<'_>, before: &Page) -> Result<Page> {
        match self {
            Shelf::Served(served) => served.page(world, visit, before),
            Shelf::Peers(peers) => Ok(peers.page(visit, before)),
            Shelf::Truth => Ok(Page { pins: visit.best(PAGE).into_iter().map(Some).collect(), ..Page::default() }),
        }
    }

    /// Tells what a visitor did with a page.
    pub(super) fn tell(&self, pinner: u32, page: &Page, events: &[Event]) -> Result<()> {
        match self {
            Shelf::Served(served) => served.tell(page, events),
            Shelf::Peers(peers) => {
                peers.tell(pinner, events);
                Ok(())
            }
            Shelf::Truth => Ok(()),
        }
    }
}
