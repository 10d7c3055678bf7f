//! Peers that are computed from the run's own events: popularity, and item-kNN. They know what the API would be told.

use super::policy::Policy;
use super::shelf::{PAGE, Page};
use ::world::{Visit, Want};
use domain::{Action, Event, EventId, Fact, hash64};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Days until half of what a like adds to a pin's popularity is gone.
const FADES_DAYS: f32 = 7.0;
/// Latest likes of a pinner that count for item-kNN, and neighbours that a pin has.
const LIKES_MAX: usize = 50;
const NEIGHBOURS_MAX: usize = 100;

/// One of the peers, with what it knows.
pub(super) struct Peers {
    policy: Policy,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Words of each pin, and the topics that its owner gave it.
    words: Vec<Vec<String>>,
    topics: Vec<Vec<String>>,
    /// Numbers of pins by their ids.
    pins: HashMap<String, u32>,
    popularity: Vec<f32>,
    /// By pinner: what they liked, oldest first, and all that they were shown.
    likes: BTreeMap<u32, Vec<u32>>,
    shown: BTreeMap<u32, HashSet<u32>>,
    /// By pin: pins that were liked by the same pinners, and how much so.
    neighbours: Vec<Vec<(u32, f32)>>,
    asked: u64,
}

impl Peers {
    pub(super) fn new(policy: Policy) -> Peers {
        Peers { policy, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes pins in; they come in the order of their numbers.
    pub(super) fn add(&self, facts: &[(EventId, Fact)]) {
        let mut known = self.known();
        for (_, fact) in facts {
            let Fact::Pin(pin) = fact else { continue };
            let number = known.words.len() as u32;
            known.words.push(words(
                &[&pin.title, &pin.description, &pin.topics.join(" ")].map(|text| text.as_str()).join(" "),
            ));
            known.topics.push(pin.topics.clone());
            known.pins.insert(pin.id.clone(), number);
            known.popularity.push(0.0);
            known.neighbours.push(Vec::new());
        }
    }

    /// The page that a visitor wants.
    pub(super) fn page(&self, visit: &Visit<'_>, before: &Page) -> Page {
        let Some(want) = visit.wants() else { return Page::default() };
        let mut ranking = match want {
            Want::More => before.rest.clone(),
            want => self.known().ranking(self.policy, visit.pinner(), want),
        };
        let rest = ranking.split_off(ranking.len().min(PAGE));
        Page { pins: ranking.into_iter().map(Some).collect(), rest, ..Page::default() }
    }

    /// Takes in what a visitor did.
    pub(super) fn tell(&self, pinner: u32, events: &[Event]) {
        let mut known = self.known();
        for event in events {
            let Some(pin) = event.pin.as_ref().and_then(|id| known.pins.get(id).copied()) else { continue };
            known.shown.entry(pinner).or_default().insert(pin);
            let worth = match event.action {
                Action::Save => 1.0,
                Action::Share | Action::LongClick => 0.5,
                Action::Click | Action::Closeup => 0.25,
                _ => continue,
            };
            known.popularity[pin as usize] += worth;
            let likes = known.likes.entry(pinner).or_default();
            if !likes.contains(&pin) {
                likes.push(pin);
            }
        }
    }

    /// A day has passed.
    pub(super) fn night(&self) {
        let mut known = self.known();
        let left = (-1.0 / FADES_DAYS).exp2();
        known.popularity.iter_mut().for_each(|worth| *worth *= left);
        if self.policy == Policy::ItemKnn {
            known.neighbours = known.neighbours_of_all();
        }
    }
}

impl Known {
    /// All pins that fit, best first. Where nothing tells pins apart, chance does.
    fn ranking(&mut self, policy: Policy, pinner: u32, want: &Want) -> Vec<u32> {
        self.asked += 1;
        let chance = hash64(self.asked);
        let (most, liked) = (self.popularity.iter().copied().fold(1e-9, f32::max), self.liked(policy, pinner, want));
        let seen = self.shown.get(&pinner).filter(|_| *want == Want::Home);
        let mut pins: Vec<(f32, f32, u64, u32)> = (0..self.words.len() as u32)
            .filter(|pin| seen.is_none_or(|seen| !seen.contains(pin)))
            .map(|pin| {
                let likeness = liked.get(&pin).copied().unwrap_or(0.0);
                let popular = self.popularity[pin as usize] / most;
                (self.answers(want, pin), likeness + 1e-3 * popular, hash64(chance ^ u64::from(pin)), pin)
            })
            .collect();
        pins.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        pins.into_iter().take(20 * PAGE).map(|(.., pin)| pin).collect()
    }

    /// How well a pin answers what is asked for: words that it has, or topics that it shares.
    fn answers(&self, want: &Want, pin: u32) -> f32 {
        let pin = pin as usize;
        match want {
            Want::Home | Want::More => 0.0,
            Want::Search(query) => {
                let asked = words(&query.text);
                asked.iter().filter(|word| self.words[pin].contains(word)).count() as f32
            }
            Want::Related(subject) if *subject as usize == pin => -1.0,
            Want::Related(subject) => {
                let shared = self.topics[*subject as usize].iter().any(|topic| self.topics[pin].contains(topic));
                f32::from(u8::from(shared))
            }
        }
    }

    /// How much pins are like what the pinner liked, or like the pin that is asked about.
    fn liked(&self, policy: Policy, pinner: u32, want: &Want) -> HashMap<u32, f32> {
        let mut liked = HashMap::new();
        if policy != Policy::ItemKnn {
            return liked;
        }
        let own = self.likes.get(&pinner).map_or(&[][..], Vec::as_slice);
        let from: &[u32] = match want {
            Want::Related(subject) => std::slice::from_ref(subject),
            _ => &own[own.len().saturating_sub(LIKES_MAX)..],
        };
        for (neighbour, near) in from.iter().flat_map(|pin| &self.neighbours[*pin as usize]) {
            *liked.entry(*neighbour).or_default() += near;
        }
        liked
    }

    /// By pin, the pins of highest cosine over who liked them.
    fn neighbours_of_all(&self) -> Vec<Vec<(u32, f32)>> {
        let mut counts = vec![0u32; self.words.len()];
        let mut pairs: Vec<u64> = Vec::new();
        for likes in self.likes.values() {
            let latest = &likes[likes.len().saturating_sub(LIKES_MAX)..];
            latest.iter().for_each(|pin| counts[*pin as usize] += 1);
            let both = latest.iter().flat_map(|a| latest.iter().map(move |b| (a, b))).filter(|(a, b)| a != b);
            pairs.extend(both.map(|(a, b)| u64::from(*a) << 32 | u64::from(*b)));
        }
        pairs.sort_unstable();
        let mut neighbours = vec![Vec::new(); self.words.len()];
        for same in pairs.chunk_by(|a, b| a == b) {
            let (a, b) = ((same[0] >> 32) as u32, same[0] as u32);
            let norm = (counts[a as usize] as f32 * counts[b as usize] as f32).sqrt();
            neighbours[a as usize].push((b, same.len() as f32 / norm.max(1.0)));
        }
        for near in &mut neighbours {
            near.sort_unstable_by(|a: &(u32, f32), b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            near.truncate(NEIGHBOURS_MAX);
        }
        neighbours
    }
}

fn words(text: &str) -> Vec<String> {
    let letters = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    let mut words: Vec<String> = text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Pin;

    fn pin(number: u32, title: &str) -> (EventId, Fact) {
        let pin =
            Pin { id: format!("pin-{number:05}"), title: title.into(), topics: vec!["t".into()], ..Pin::default() };
        (EventId(u128::from(number)), Fact::Pin(pin))
    }

    fn save(pinner: u32, pin: u32) -> Event {
        Event { pin: Some(format!("pin-{pin:05}")), ..Event::new(format!("p{pinner}"), Action::Save, 1) }
    }

    #[test]
    fn neighbours_are_liked_by_the_same_and_what_was_shown_is_left_out_at_home() {
        let peers = Peers::new(Policy::ItemKnn);
        peers.add(&(0..6).map(|number| pin(number, "red lake")).collect::<Vec<_>>());
        for pinner in 0..5 {
            peers.tell(pinner, &[save(pinner, 1), save(pinner, 2)]);
        }
        (5..30).for_each(|pinner| peers.tell(pinner, &[save(pinner, 5)]));
        peers.night();
        peers.tell(99, &[save(99, 1)]);
        let mut known = peers.known();
        let home = known.ranking(Policy::ItemKnn, 99, &Want::Home);
        assert_eq!((home[0], home[1], home.len()), (2, 5, 5), "a neighbour, then what is popular");
        assert_eq!(known.ranking(Policy::Popularity, 99, &Want::Home)[0], 5);
        let related = known.ranking(Policy::ItemKnn, 99, &Want::Related(2));
        assert_eq!((related[0], related[5]), (1, 2), "the pin itself comes last");
    }

    #[test]
    fn a_search_is_answered_by_words() {
        let peers = Peers::new(Policy::Popularity);
        peers.add(&[pin(0, "Red lake"), pin(1, "red bird"), pin(2, "blue bird")]);
        peers.tell(1, &[save(1, 0)]);
        let query = ::world::Query { text: "blue bird".into(), topic: 0, mood: None };
        assert_eq!(peers.known().ranking(Policy::Popularity, 1, &Want::Search(query)), [2, 1, 0]);
    }
}
