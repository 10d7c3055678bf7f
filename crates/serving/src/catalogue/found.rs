//! What was found out about pins: who has the same picture, and who should be looked at.

use super::Catalogue;
use crate::pin_row::{PinRow, PinView, Standing};
use domain::{Annotated, Clustered, PinId, Reviewed};
use std::collections::{BTreeSet, HashMap};

/// Pins with the same picture, by the oldest of them; only where there are several.
pub(super) type Alike = HashMap<PinId, BTreeSet<PinId>>;

/// Pins with whom there is something to do or to know, by how they stand.
#[derive(Debug, Default)]
pub(super) struct Reviews([BTreeSet<PinId>; 4]);

/// The standings that are listed.
const LISTED: [Standing; 4] = [Standing::Waiting, Standing::Condemned, Standing::Kept, Standing::Hidden];

impl Reviews {
    pub(super) fn put(&mut self, pin: PinId, standing: Standing) {
        for (listed, pins) in LISTED.iter().zip(&mut self.0) {
            if *listed == standing {
                pins.insert(pin);
            } else {
                pins.remove(&pin);
            }
        }
    }

    fn of(&self, standing: Standing) -> Option<&BTreeSet<PinId>> {
        LISTED.iter().zip(&self.0).find(|(listed, _)| **listed == standing).map(|(_, pins)| pins)
    }
}

impl Catalogue {
    /// The pins that stand so, by number; of those that are fine, none.
    pub fn standing(&self, standing: Standing) -> impl DoubleEndedIterator<Item = PinId> + '_ {
        self.reviews.of(standing).into_iter().flatten().copied()
    }

    /// How many pins stand so; of those that are fine, none are counted.
    pub fn standing_count(&self, standing: Standing) -> usize {
        self.reviews.of(standing).map_or(0, BTreeSet::len)
    }

    /// How a pin stands; `None` for a number never given.
    pub fn standing_of(&self, pin: PinId) -> Option<Standing> {
        self.row(pin).map(PinRow::standing)
    }

    /// The other pins with a pin's picture, oldest first.
    pub fn near_duplicates(&self, pin: PinId) -> impl Iterator<Item = PinId> + '_ {
        let all = self.picture_of(pin).and_then(|head| self.alike.get(&head));
        all.into_iter().flatten().copied().filter(move |&other| other != pin)
    }

    /// The oldest pin with a pin's picture, where several pins have it.
    pub fn picture_of(&self, pin: PinId) -> Option<PinId> {
        self.row(pin).and_then(PinRow::head)
    }

    /// How many pictures several pins have, and how many pins these are.
    pub fn near_duplicate_counts(&self) -> (usize, usize) {
        (self.alike.len(), self.alike.values().map(BTreeSet::len).sum())
    }

    pub(crate) fn annotate_pin(&mut self, annotated: &Annotated) -> Option<PinId> {
        let id = self.intern_pin(&annotated.pin)?;
        let row = &mut self.pins[id.index()];
        row.annotate(annotated, &mut self.words);
        self.reviews.put(id, row.standing());
        self.facets.annotate(id, &PinView::new(&annotated.pin, row, &self.words));
        Some(id)
    }

    pub(crate) fn review_pin(&mut self, reviewed: &Reviewed) -> Option<PinId> {
        let id = self.intern_pin(&reviewed.pin)?;
        let row = &mut self.pins[id.index()];
        row.decide(reviewed.verdict);
        self.reviews.put(id, row.standing());
        Some(id)
    }

    pub(crate) fn cluster_pin(&mut self, clustered: &Clustered) -> Option<PinId> {
        let (id, head) = (self.intern_pin(&clustered.pin)?, self.intern_pin(&clustered.head)?);
        if self.picture_of(id).unwrap_or(id) == head {
            return Some(id);
        }
        self.leave(id);
        if id != head {
            self.alike.entry(head).or_insert_with(|| BTreeSet::from([head])).insert(id);
            [id, head].into_iter().for_each(|pin| self.pins[pin.index()].cluster(Some(head)));
        }
        Some(id)
    }

    /// Takes a pin from those with its picture. Where it was the head, or one is left, they are parted: whoever put
    /// them together tells anew what is still so.
    fn leave(&mut self, pin: PinId) {
        let Some(head) = self.picture_of(pin) else { return };
        self.pins[pin.index()].cluster(None);
        let Some(all) = self.alike.get_mut(&head) else { return };
        all.remove(&pin);
        if pin == head || all.len() < 2 {
            for other in self.alike.remove(&head).into_iter().flatten() {
                self.pins[other.index()].cluster(None);
            }
        }
    }

    /// Finds from the rows what is kept beside them.
    pub(super) fn gather(&mut self) {
        for (pin, row) in (0..).map(PinId).zip(&self.pins) {
            if let Some(head) = row.head() {
                self.alike.entry(head).or_default().insert(pin);
            }
            self.reviews.put(pin, row.standing());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Label, Pin, Verdict};

    fn catalogue(pins: &[&str]) -> Catalogue {
        let mut catalogue = Catalogue::new();
        for &id in pins {
            catalogue.describe_pin(&Pin { id: id.into(), title: id.into(), ..Pin::default() });
        }
        catalogue
    }

    fn reopened(catalogue: &Catalogue) -> Catalogue {
        let mut bytes = Vec::new();
        catalogue.write(&mut bytes).expect("in memory");
        Catalogue::open(&bytes.into()).expect("whole")
    }

    fn alike(catalogue: &Catalogue, pin: &str) -> Vec<String> {
        let pin = catalogue.pin(pin).expect("known");
        catalogue.near_duplicates(pin).map(|pin| catalogue.pin_key(pin).to_owned()).collect()
    }

    #[test]
    fn pins_with_one_picture_come_together_and_part() {
        let mut catalogue = catalogue(&["a", "b", "c", "d"]);
        let put = |catalogue: &mut Catalogue, pin: &str, head: &str| {
            catalogue.cluster_pin(&Clustered { pin: pin.into(), head: head.into() });
        };
        put(&mut catalogue, "b", "b");
        assert!(alike(&catalogue, "b").is_empty());
        put(&mut catalogue, "b", "a");
        put(&mut catalogue, "c", "a");
        assert_eq!(alike(&catalogue, "b"), ["a", "c"]);
        assert_eq!(alike(&reopened(&catalogue), "a"), ["b", "c"], "after a restart");
        assert_eq!(catalogue.near_duplicate_counts(), (1, 3));
        put(&mut catalogue, "c", "c");
        assert_eq!((alike(&catalogue, "a"), alike(&catalogue, "c")), (vec!["b".to_owned()], vec![]));
        // The head gets another picture: the others are told anew.
        put(&mut catalogue, "c", "a");
        put(&mut catalogue, "a", "d");
        put(&mut catalogue, "b", "b");
        put(&mut catalogue, "c", "b");
        assert_eq!((alike(&catalogue, "a"), alike(&catalogue, "c")), (vec!["d".to_owned()], vec!["b".to_owned()]));
    }

    #[test]
    fn labels_withhold_and_decisions_win() {
        let mut catalogue = catalogue(&["a", "b"]);
        let a = catalogue.pin("a").expect("known");
        let labels = vec![Label { name: "weapons".into(), value: 2.0, threshold: 1.0, terms: vec!["rifle".into()] }];
        let label = |catalogue: &mut Catalogue, verdict| {
            let annotated = Annotated { pin: "a".into(), labels: labels.clone(), verdict, ..Annotated::default() };
            catalogue.annotate_pin(&annotated);
        };
        let decide = |catalogue: &mut Catalogue, verdict| {
            catalogue.review_pin(&Reviewed { pin: "a".into(), verdict, ts_ms: 1 });
        };
        label(&mut catalogue, Verdict::Review);
        assert!(catalogue.servable(a, 0), "shown while it waits");
        assert_eq!(catalogue.standing(Standing::Waiting).collect::<Vec<_>>(), [a]);
        label(&mut catalogue, Verdict::Hide);
        assert!(!catalogue.servable(a, 0) && catalogue.standing_count(Standing::Waiting) == 0);
        assert_eq!(catalogue.pin_view(a).expect("known").labels().collect::<Vec<_>>(), labels);
        decide(&mut catalogue, Verdict::Show);
        assert!(catalogue.servable(a, 0), "somebody keeps it");
        label(&mut catalogue, Verdict::Hide);
        assert!(reopened(&catalogue).servable(a, 0), "whatever labels say later, and after a restart");
        catalogue.describe_pin(&Pin { id: "a".into(), title: "Another rifle".into(), ..Pin::default() });
        assert!(!catalogue.servable(a, 0), "what was kept is not what it is now");
        decide(&mut catalogue, Verdict::Hide);
        label(&mut catalogue, Verdict::Show);
        catalogue.remove_pin("a");
        assert_eq!(catalogue.standing_count(Standing::Hidden), 0);
        catalogue.describe_pin(&Pin { id: "a".into(), title: "Harmless".into(), ..Pin::default() });
        assert!(!catalogue.servable(a, 0), "hidden for good, also when it comes again");
        assert_eq!(reopened(&catalogue).standing(Standing::Hidden).collect::<Vec<_>>(), [a]);
        decide(&mut catalogue, Verdict::Review);
        assert!(catalogue.servable(a, 0), "the decision was taken back");
    }
}
