//! Facts into views. One writer, small blocks, one lock at a time.

use crate::catalogue::Catalogue;
use crate::queries;
use crate::views::{Views, Writer, lock, read, write};
use domain::{Act, Action, BoardId, Event, EventId, Fact, PinId, PinnerId, TopicKind, Understood};
use index::VectorIndex;
use signals::{About, query_key};
use std::collections::BTreeSet;

/// Facts applied under one hold of a lock.
const BLOCK: usize = 256;

/// Most pins of a renamed board whose words are written again; the others follow when they are next touched.
const RENAMED_PINS_MAX: usize = 256;

/// What became of some facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Facts that were applied.
    pub facts: usize,
    /// How many facts could not be applied.
    pub refused: u64,
    /// Why, of the first few.
    pub reasons: Vec<String>,
}

/// Most reasons that are kept.
const REASONS_MAX: usize = 16;

impl Changes {
    pub(crate) fn refuse(&mut self, reason: impl FnOnce() -> String) {
        self.refused += 1;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason());
        }
    }
}

impl Views {
    /// Applies facts of one topic, read in the order of the log. What follows from them (words, pin vectors) is brought
    /// up to date as well; words are found after [`Views::commit_text`].
    pub fn apply(&self, topic: TopicKind, facts: &[(u64, EventId, Fact)]) -> Changes {
        let mut changes = Changes::default();
        let mut writer = lock(&self.writer);
        for block in facts.chunks(BLOCK) {
            let mut worded = BTreeSet::new();
            let touched = match topic {
                TopicKind::Catalogue => {
                    self.apply_catalogue(block, &mut writer.next_content, &mut worded, &mut changes)
                }
                TopicKind::Events => self.apply_events(block, &mut writer, &mut changes),
                TopicKind::Requests | TopicKind::Numbers => BTreeSet::new(),
            };
            self.suggesting.note(Views::note_searches(block, &mut writer));
            self.derive(&mut writer, &touched, &mut changes);
            self.derive_words(&mut writer, worded.difference(&touched), &mut changes);
        }
        changes.facts = facts.len();
        changes
    }

    /// Counts searches; how many facts change what may be suggested.
    fn note_searches(block: &[(u64, EventId, Fact)], writer: &mut Writer) -> u64 {
        let changes = |fact: &Fact| match fact {
            Fact::Event(event) => writer.searches.note(event),
            Fact::Pin(_) | Fact::PinRemoved(_) | Fact::Board(_) => true,
            _ => false,
        };
        block.iter().map(|(_, _, fact)| fact).map(changes).filter(|changes| *changes).count() as u64
    }

    /// Applies descriptions without what follows from them; the touched pins are returned, and those of which only
    /// words changed are put to `worded`.
    fn apply_catalogue(
        &self,
        block: &[(u64, EventId, Fact)],
        next: &mut Option<VectorIndex>,
        worded: &mut BTreeSet<PinId>,
        changes: &mut Changes,
    ) -> BTreeSet<PinId> {
        let mut touched = BTreeSet::new();
        let (mut embeddings, mut renamed, mut removed) = (Vec::new(), Vec::new(), Vec::<PinId>::new());
        let mut catalogue = write(&self.catalogue);
        for (_, _, fact) in block {
            match fact {
                Fact::Pin(pin) => touched.extend(catalogue.describe_pin(pin)),
                Fact::PinRemoved(key) => removed.extend(catalogue.remove_pin(key)),
                Fact::Board(board) => renamed.extend(catalogue.describe_board(board)),
                Fact::Pinner(pinner) => _ = catalogue.describe_pinner(pinner),
                Fact::Understood(understood) => {
                    if let Some(id) = catalogue.understand_pin(understood) {
                        removed.retain(|gone| *gone != id);
                        touched.insert(id);
                        embeddings.push((id, understood));
                    }
                }
                Fact::Annotated(annotated) => worded.extend(catalogue.annotate_pin(annotated)),
                Fact::Clustered(clustered) => _ = catalogue.cluster_pin(clustered),
                Fact::Reviewed(reviewed) => _ = catalogue.review_pin(reviewed),
                Fact::Defined(defined) => catalogue.define(defined),
                Fact::Event(_) | Fact::Served(_) | Fact::Numbered(_) => {}
            }
        }
        drop(catalogue);
        self.apply_embeddings(&embeddings, next, changes);
        self.forget_contents(&removed, next);
        touched.extend(removed);
        let graph = read(&self.graph);
        touched.extend(renamed.into_iter().flat_map(|board| graph.pins_of(board).take(RENAMED_PINS_MAX)));
        touched
    }

    /// Sets content vectors. Those of a newer embedding space wait beside the others until they are as many; then they
    /// take their place at once.
    fn apply_embeddings(
        &self,
        embeddings: &[(PinId, &Understood)],
        next: &mut Option<VectorIndex>,
        changes: &mut Changes,
    ) {
        if embeddings.is_empty() {
            return;
        }
        let mut content = write(&self.content);
        for (pin, understood) in embeddings {
            if let Err(error) = embed(&mut content, next, *pin, understood) {
                changes.refuse(|| format!("embedding of pin '{}': {error}", understood.pin));
            }
        }
    }

    /// Takes the contents of removed pins away: nobody would embed them anew, and a newer space would wait for them.
    fn forget_contents(&self, removed: &[PinId], next: &mut Option<VectorIndex>) {
        if removed.is_empty() {
            return;
        }
        let mut content = write(&self.content);
        for &pin in removed {
            content.remove(pin);
            next.iter_mut().for_each(|next| next.remove(pin));
        }
        take_over(&mut content, next);
    }

    fn apply_events(
        &self,
        block: &[(u64, EventId, Fact)],
        writer: &mut Writer,
        changes: &mut Changes,
    ) -> BTreeSet<PinId> {
        let mut searched = Vec::new();
        let mut catalogue = write(&self.catalogue);
        let mut acts = Vec::with_capacity(block.len());
        for (_, _, fact) in block {
            let Fact::Event(event) = fact else { continue };
            match resolve(&mut catalogue, event) {
                Some(resolved) => {
                    let pin = resolved.as_ref().map(|told| told.act.pin);
                    searched.extend(
                        pin.zip(queries::engaged(event)).filter(|(pin, query)| writer.queries.add(*pin, query)),
                    );
                    acts.extend(resolved);
                }
                None => changes.refuse(|| format!("an event of '{}' names something without a number", event.pinner)),
            }
        }
        drop(catalogue);
        let mut signals = write(&self.signals);
        for Told { pinner, act, creator, topics, query } in &acts {
            signals.apply(*pinner, act, &About { creator: *creator, topics, query: *query });
        }
        drop(signals);
        let saves = acts.iter().map(|told| &told.act).filter(|act| act.action == Action::Save);
        let edges: Vec<(PinId, BoardId)> = saves.filter_map(|act| Some((act.pin, act.board?))).collect();
        let mut touched = self.apply_edges(&edges);
        touched.extend(searched.into_iter().map(|(pin, _)| pin));
        touched
    }

    /// Adds edges; the pins whose neighbours should be looked at again are returned.
    fn apply_edges(&self, edges: &[(PinId, BoardId)]) -> BTreeSet<PinId> {
        let mut touched = BTreeSet::new();
        let mut graph = write(&self.graph);
        for &(pin, board) in edges {
            // Neighbours and board titles of a pin settle as it is saved: look again at 1, 4, 16, … saves.
            if graph.add(pin, board) && is_power_of_four(graph.degree(pin)) {
                touched.insert(pin);
            }
        }
        touched
    }
}

/// Sets a pin's content vector. The vectors of an older space than those that are known are refused.
fn embed(
    content: &mut VectorIndex,
    next: &mut Option<VectorIndex>,
    pin: PinId,
    understood: &Understood,
) -> Result<(), index::IndexError> {
    let Understood { space, embedding, .. } = understood;
    if embedding.is_empty() {
        content.remove(pin);
        next.iter_mut().for_each(|next| next.remove(pin));
    } else if *space <= content.space() && !content.is_empty() {
        content.upsert(*space, pin, embedding)?;
    } else {
        let waiting = next.take().filter(|next| next.space() >= *space);
        let waiting = next.insert(waiting.unwrap_or_else(|| VectorIndex::new(embedding.len(), *space)));
        waiting.upsert(*space, pin, embedding)?;
    }
    take_over(content, next);
    Ok(())
}

/// A newer space takes the place of the older one as soon as all pins of that are in it.
fn take_over(content: &mut VectorIndex, next: &mut Option<VectorIndex>) {
    let whole =
        |next: &mut VectorIndex| next.len() >= content.len() && content.pins().all(|pin| next.vector(pin).is_some());
    if let Some(whole) = next.take_if(whole) {
        *content = whole;
    }
}

/// An event with internal ids, and what its pin was known to be.
struct Told {
    pinner: PinnerId,
    /// The value is not a number when the event has none.
    act: Act,
    creator: Option<u32>,
    topics: Box<[u32]>,
    query: Option<u64>,
}

/// The event with internal ids: `None` when ids have run out, `Some(None)` when it is not about a pin.
fn resolve(catalogue: &mut Catalogue, event: &Event) -> Option<Option<Told>> {
    let pinner = catalogue.intern_pinner(&event.pinner)?;
    let Some(pin) = &event.pin else { return Some(None) };
    let pin = catalogue.intern_pin(pin)?;
    let board = match &event.board {
        Some(board) if event.action == Action::Save => Some(catalogue.intern_board(board, Some(pinner))?),
        // Whoever looks at a board does not become its owner.
        Some(board) => catalogue.board(board),
        None if event.action == Action::Save => Some(catalogue.intern_unnamed_board(pinner)?),
        None => None,
    };
    let Event { action, surface, ts_ms, value, .. } = *event;
    let act = Act { pin, board, action, surface, ts_ms, value: value.unwrap_or(f32::NAN) };
    let row = catalogue.row(pin);
    let (creator, topics) = (row.and_then(|row| row.creator()), row.map_or(&[][..], |row| row.topics()).into());
    Some(Some(Told { pinner, act, creator, topics, query: event.query.as_deref().map(query_key) }))
}

fn is_power_of_four(degree: u32) -> bool {
    degree.is_power_of_two() && degree.trailing_zeros().is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(views: &Views, space: u32, pins: impl IntoIterator<Item = u32>) -> Changes {
        let fact = |pin: u32| {
            let mut embedding = vec![0.0; if space == 1 { 8 } else { 16 }];
            embedding[pin as usize % 8] = 1.0;
            let fact = Fact::Understood(Understood { pin: pin.to_string(), space, embedding, ..Understood::default() });
            (u64::from(pin), EventId(u128::from(pin)), fact)
        };
        views.apply(TopicKind::Catalogue, &pins.into_iter().map(fact).collect::<Vec<_>>())
    }

    #[test]
    fn a_newer_space_takes_over_when_it_is_whole() {
        let views = Views::new().expect("views");
        understood(&views, 1, 0..10);
        assert_eq!((views.content().space(), views.content().len(), views.half_embedded()), (1, 10, false));
        understood(&views, 3, 0..9);
        assert_eq!((views.content().space(), views.content().len(), views.half_embedded()), (1, 10, true));
        understood(&views, 1, [10]);
        understood(&views, 3, [9]);
        assert_eq!((views.content().space(), views.content().len()), (1, 11), "one came in between");
        let late = understood(&views, 2, [4]);
        assert_eq!((late.refused, views.content().space()), (1, 1), "{:?}", late.reasons);
        understood(&views, 3, [10]);
        let content = views.content();
        assert_eq!((content.space(), content.len(), content.dim()), (3, 11, 16));
        drop(content);
        assert!(!views.half_embedded());
        assert_eq!(understood(&views, 1, [3]).refused, 1, "the old space is gone");
    }

    #[test]
    fn a_newer_space_does_not_wait_for_pins_that_were_removed() {
        let views = Views::new().expect("views");
        let facts = |facts: Vec<Fact>| {
            let numbered = facts.into_iter().map(|fact| (0, EventId(0), fact)).collect::<Vec<_>>();
            views.apply(TopicKind::Catalogue, &numbered);
        };
        understood(&views, 1, 0..10);
        understood(&views, 3, (0..9).chain([20]));
        assert_eq!(views.content().space(), 1, "as many, but not the same");
        facts(vec![Fact::PinRemoved("9".into())]);
        assert_eq!((views.content().space(), views.content().len()), (3, 10));
        // Removed and described anew at once, it stays.
        let embedding = vec![1.0; 16];
        let back = Understood { pin: "3".into(), space: 3, embedding, ..Understood::default() };
        facts(vec![Fact::PinRemoved("3".into()), Fact::Understood(back)]);
        assert_eq!(views.content().len(), 10);
    }
}
