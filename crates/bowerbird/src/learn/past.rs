//! What was known at a moment, and what the pinners who are held back did after it.

use super::acts::Acts;
use super::training::Task;
use domain::{Act, Fact, PinId, PinnerId, hash64};
use serving::Catalogue;
use std::collections::HashSet;
use std::sync::Arc;
use train::HeldBack;

/// The moments at which requests are replayed: so much of all acts comes later. Each answers for what follows until the
/// next one. Several, because few pinners come back after any one of them.
const LATER: [f64; 5] = [0.5, 0.4, 0.3, 0.2, 0.1];
/// What is known when replayed requests are asked.
///
/// A moment parts all facts, as the moment of a request does: counts, graph, histories and seen-sets hold nothing of
/// what came after, whoever did it. Where time cannot split (most acts carry one moment), the past is all there is
/// without what is held back, with all that these pinners did to those pins.
pub(crate) struct Past<'a> {
    /// When the requests are asked (ms, UTC).
    pub now_ms: u64,
    /// Seed of what is drawn for them; another one for each past, whatever the clock says.
    pub seed: u64,
    /// By pinner what they did later, to pins that they had not acted on before.
    pub later: Vec<(PinnerId, Vec<Act>)>,
    catalogue: &'a Catalogue,
    /// By pin when somebody first acted on it (ms, UTC).
    first_ms: Arc<[u64]>,
    /// Of whose acts on which pins it knows nothing.
    hidden: HashSet<(PinnerId, PinId)>,
}

impl<'a> Past<'a> {
    /// Parts what the model was not told into pasts and what came later, the earliest moment first; each past knows
    /// what those before it know.
    pub(crate) fn of(task: &Task, acts: &Acts, held_back: &[HeldBack], catalogue: &'a Catalogue) -> Vec<Past<'a>> {
        let first_ms = first_ms(acts, catalogue.pins());
        let part = |number: u64, now_ms: u64, part: &dyn Fn(&HeldBack, &[Act]) -> Vec<Act>| {
            let own = |pinner: PinnerId| acts.by_pinner.get(pinner.index()).map_or(&[][..], Vec::as_slice);
            let later = held_back.iter().map(|held| (held.pinner, part(held, own(held.pinner))));
            let later = later.filter(|(_, later)| !later.is_empty()).collect();
            let seed = hash64(task.config.seed ^ hash64(number));
            Past { now_ms, seed, later, catalogue, first_ms: first_ms.clone(), hidden: HashSet::new() }
        };
        let mut moments: Vec<u64> = LATER.iter().filter_map(|&later| acts.split_ms(later)).collect();
        moments.dedup();
        if moments.is_empty() {
            let mut past = part(0, task.now_ms, &|held, own| new(held, own).copied().collect());
            let hidden = past.later.iter().flat_map(|(pinner, acts)| acts.iter().map(move |act| (*pinner, act.pin)));
            past.hidden = hidden.collect();
            return vec![past];
        }
        let ends = moments[1..].iter().copied().chain([u64::MAX]);
        let place = |own: &[Act], ms: u64| own.partition_point(|act| act.ts_ms < ms);
        let between = |number, now_ms, end_ms| {
            part(number, now_ms, &|held, own| match held.from_ms <= now_ms {
                true => new(held, &own[place(own, now_ms)..place(own, end_ms)]).copied().collect(),
                false => Vec::new(),
            })
        };
        (0..).zip(moments.iter().zip(ends)).map(|(number, (&now_ms, end_ms))| between(number, now_ms, end_ms)).collect()
    }

    /// Whether a fact is of the past.
    pub(crate) fn knows(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Event(event) => {
                let pinner = || self.catalogue.pinner(&event.pinner);
                let pin = || event.pin.as_deref().and_then(|pin| self.catalogue.pin(pin));
                let hides = || pinner().zip(pin()).is_some_and(|act| self.hidden.contains(&act));
                event.ts_ms < self.now_ms && (self.hidden.is_empty() || !hides())
            }
            // A catalogue that was brought in later than it was used tells when that was: what was acted on was there.
            Fact::Pin(pin) => {
                let first_ms = self.catalogue.pin(&pin.id).and_then(|pin| self.first_ms.get(pin.index()));
                pin.created_ms.min(first_ms.copied().unwrap_or(u64::MAX)) < self.now_ms
            }
            _ => true,
        }
    }
}

fn first_ms(acts: &Acts, pins: usize) -> Arc<[u64]> {
    let mut first_ms = vec![u64::MAX; pins];
    for act in acts.by_pinner.iter().flatten() {
        if let Some(first_ms) = first_ms.get_mut(act.pin.index()) {
            *first_ms = act.ts_ms.min(*first_ms);
        }
    }
    first_ms.into()
}

/// What was done to pins that were held back, and what a pinner wants to see no more of.
fn new<'a>(held: &'a HeldBack, acts: &'a [Act]) -> impl Iterator<Item = &'a Act> {
    acts.iter().filter(|act| act.action.is_negative() || held.later.binary_search(&act.pin).is_ok())
}
