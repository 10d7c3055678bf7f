//! Pins with one picture: a follower of the log that puts signatures into clusters, one by one, and writes down which
//! pin is the oldest with a picture.
//!
//! Where it stands is kept as the blob `contents/pictures` from time to time, as one: the index, what was written, and
//! the place in the log. After a crash it goes on from there and writes the same facts under the same names. Whatever
//! the blob holds can be made again from the log.

use crate::output::thousands;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result};
use bytemuck::cast_slice;
use bytes::Bytes;
use content::{NearDuplicates, Signature};
use domain::{Clustered, EventId, Fact, PinId, Snapshot, SnapshotError, TopicKind, hash64};
use serving::Views;
use std::collections::{BTreeMap, BTreeSet};
use store::{Blobs, EventLog};

const KEY: &str = "contents/pictures";
const KIND: &str = "pictures";
const VERSION: u32 = 1;
/// Facts that are read from the log at a time.
const READ_FACTS: usize = 1_024;
/// Pictures after which the place is kept, and how many facts weigh as much as a picture.
const KEEP_EVERY: usize = 50_000;
const FACTS_A_PICTURE: usize = READ_FACTS;

/// Clusters of pictures, up to a place in the log.
#[derive(Default)]
pub(crate) struct Clusters {
    near: NearDuplicates,
    /// Of each pin with a picture: a hash of its signature, and the oldest pin with it as it was written.
    known: BTreeMap<u32, (u64, u32)>,
    /// The next fact of the catalogue.
    next: u64,
    /// The name of the fact before it, by which a log that was replaced is told.
    last: u128,
    /// Pictures since the place was kept, and blocks of facts.
    unkept: usize,
}

impl Clusters {
    /// Goes on from where it was kept, if that was in this log. What cannot be used is told, and made again.
    pub(crate) fn open(blobs: &Blobs, log: &dyn EventLog) -> Result<Clusters> {
        let Some(bytes) = blobs.get(KEY).context("cannot read the clusters of pictures")? else {
            return Ok(Clusters::default());
        };
        match Clusters::from_bytes(bytes) {
            Ok(clusters) if clusters.is_of(log)? => Ok(clusters),
            Ok(_) => {
                tracing::warn!("the clusters of pictures are of another log and are made again");
                Ok(Clusters::default())
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "the clusters of pictures are made again");
                Ok(Clusters::default())
            }
        }
    }

    fn is_of(&self, log: &dyn EventLog) -> Result<bool> {
        let Some(last) = self.next.checked_sub(1) else { return Ok(true) };
        let found = log.read(TopicKind::Catalogue, last, 1).context("cannot read the event log")?;
        Ok(found.first().is_some_and(|(_, id, _)| id.0 == self.last))
    }

    /// How many pictures there are.
    pub(crate) fn len(&self) -> usize {
        self.near.len()
    }

    /// Follows the catalogue up to `end`, which the views must have reached; gives how many pins were put elsewhere.
    pub(crate) fn follow(
        &mut self,
        log: &dyn EventLog,
        blobs: &Blobs,
        views: &Views,
        end: u64,
        stop: &Stop,
    ) -> Result<u64> {
        let (from, mut told) = (self.next, 0);
        let waiting = end.saturating_sub(from);
        let progress = (waiting > READ_FACTS as u64).then(|| Progress::new("pictures", waiting));
        while self.next < end {
            if stop.asked() {
                self.keep(blobs)?;
            }
            stop.check()?;
            let max = READ_FACTS.min((end - self.next) as usize);
            let facts = log.read(TopicKind::Catalogue, self.next, max).context("cannot read the event log")?;
            let Some(&(offset, id, _)) = facts.last() else { break };
            let moved: Vec<(EventId, Fact)> =
                facts.iter().flat_map(|(_, id, fact)| self.take(*id, fact, views)).collect();
            log.append(&moved).context("cannot append to the event log")?;
            told += moved.len() as u64;
            self.unkept += facts.len() / FACTS_A_PICTURE;
            (self.next, self.last) = (offset + 1, id.0);
            if self.unkept >= KEEP_EVERY {
                self.keep(blobs)?;
            }
            progress.iter().for_each(|progress| progress.set(self.next - from));
        }
        if let Some(progress) = progress {
            progress.finish(&format!("{} pictures are in clusters", thousands(self.len() as u64)));
        }
        Ok(told)
    }

    /// What follows from one fact.
    fn take(&mut self, cause: EventId, fact: &Fact, views: &Views) -> Vec<(EventId, Fact)> {
        let number = |key: &str| views.catalogue().pin(key).map(|pin| pin.0);
        let touched = match fact {
            Fact::Understood(understood) => {
                let signature = Signature::from_bytes(&understood.signature).ok();
                number(&understood.pin).and_then(|pin| self.put(pin, signature))
            }
            Fact::PinRemoved(key) => number(key).and_then(|pin| self.put(pin, None)),
            _ => None,
        };
        touched.map_or_else(Vec::new, |(pin, touched)| self.moved(cause, pin, &touched, views))
    }

    /// Gives a pin a picture, or none: the pins whose cluster may be another now. Nothing where it had that already.
    fn put(&mut self, pin: u32, signature: Option<Signature>) -> Option<(u32, BTreeSet<u32>)> {
        let hash = signature.as_ref().map(hash_of);
        if self.known.get(&pin).map(|(hash, _)| *hash) == hash {
            return None;
        }
        self.unkept += 1;
        let mut touched: BTreeSet<u32> = self.near.members_of(pin).into_iter().collect();
        self.near.remove(pin);
        match (signature, hash) {
            (Some(signature), Some(hash)) => {
                // Embeddings would be one more way to be found, but spaces change.
                self.near.insert(pin, signature, &[]);
                self.known.entry(pin).or_insert((hash, pin)).0 = hash;
                touched.extend(self.near.members_of(pin));
            }
            _ => touched.extend([pin]),
        }
        Some((pin, touched))
    }

    /// Facts of the pins whose head is another now, that of `pin` first.
    fn moved(&mut self, cause: EventId, pin: u32, touched: &BTreeSet<u32>, views: &Views) -> Vec<(EventId, Fact)> {
        let others = touched.iter().copied().filter(|&other| other != pin);
        let mut moved = Vec::new();
        for one in std::iter::once(pin).chain(others) {
            let head = self.near.cluster_of(one).unwrap_or(one);
            let before = self.known.get(&one).map_or(one, |(_, head)| *head);
            if self.near.cluster_of(one).is_none() {
                self.known.remove(&one);
            } else if let Some(known) = self.known.get_mut(&one) {
                known.1 = head;
            }
            if before != head {
                moved.push((one, head));
            }
        }
        let catalogue = views.catalogue();
        let key = |pin: u32| catalogue.pin_key(PinId(pin)).to_owned();
        let fact = |(pin, head): (u32, u32)| {
            let name = hash64(hash64(u64::from(pin) ^ 0xC1_05) ^ u64::from(head));
            (EventId(cause.0 ^ u128::from(name)), Fact::Clustered(Clustered { pin: key(pin), head: key(head) }))
        };
        moved.into_iter().map(fact).collect()
    }

    /// Keeps where it stands, if that is news.
    pub(crate) fn keep(&mut self, blobs: &Blobs) -> Result<()> {
        if self.unkept > 0 {
            blobs.put(KEY, self.to_bytes()).context("cannot keep the clusters of pictures")?;
            self.unkept = 0;
        }
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let pins: Vec<u32> = self.known.keys().copied().collect();
        let (hashes, heads): (Vec<u64>, Vec<u32>) = self.known.values().copied().unzip();
        let place = [self.next, self.last as u64, (self.last >> 64) as u64];
        let near = self.near.to_bytes();
        let sections: [(&str, &[u8]); 5] = [
            ("place", cast_slice(&place)),
            ("pins", cast_slice(&pins)),
            ("hashes", cast_slice(&hashes)),
            ("heads", cast_slice(&heads)),
            ("index", &near),
        ];
        let mut out = Vec::new();
        Snapshot::write(&mut out, KIND, VERSION, &sections).expect("invariant: memory takes bytes");
        out
    }

    fn from_bytes(bytes: Vec<u8>) -> Result<Clusters> {
        let snapshot = Snapshot::open(KIND, VERSION, &Bytes::from(bytes))?;
        let odd = |section: &str| SnapshotError::Section { section: section.into(), reason: "does not fit".into() };
        let place = snapshot.column::<u64>("place")?;
        let &[next, low, high] = &*place else { return Err(odd("place").into()) };
        let (pins, hashes) = (snapshot.column::<u32>("pins")?, snapshot.column::<u64>("hashes")?);
        let heads = snapshot.column::<u32>("heads")?;
        let near = NearDuplicates::from_bytes(&Bytes::copy_from_slice(&snapshot.column::<u8>("index")?))?;
        if [hashes.len(), heads.len(), near.len()] != [pins.len(); 3] {
            return Err(odd("pins").into());
        }
        let known = hashes.iter().copied().zip(heads.iter().copied());
        let known = pins.iter().copied().zip(known).collect();
        Ok(Clusters { near, known, next, last: u128::from(high) << 64 | u128::from(low), unkept: 0 })
    }
}

fn hash_of(signature: &Signature) -> u64 {
    signature.to_bytes().chunks(8).fold(1, |sum, bytes| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        hash64(sum ^ u64::from_le_bytes(eight))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::Engine;
    use crate::setup::Setup;
    use content::{Embedder, Picture};
    use domain::Pin;
    use world::{World, WorldConfig};

    struct Place {
        setup: Setup,
        world: World,
        _folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let folder = tempfile::tempdir().expect("a folder");
            let data = folder.path().to_owned();
            let setup = Setup { data, given: None, config: Config::default(), json: false, stop: Stop::default() };
            let world = World::new(WorldConfig { pins: 40, pinners: 0, events: 0, ..WorldConfig::new(3, 0) });
            Place { setup, world, _folder: folder }
        }

        /// Gives a pin a drawn picture, of which a border is cut.
        fn paint(&self, id: &str, drawing: u32, cut: f32, number: u128) {
            let drawn = self.world.draw(drawing);
            let picture = Picture::from_rgba(drawn.width, drawn.height, &drawn.rgba).expect("a drawing");
            let jpeg = picture.cropped([cut, cut, 1.0 - 2.0 * cut, 1.0 - 2.0 * cut]).to_jpeg(80).expect("a JPEG");
            let pin = Pin { id: id.into(), title: id.into(), ..Pin::default() };
            let understood = Embedder::default().understand(&pin, Some(&jpeg)).expect("understood").understood;
            self.append(vec![(number, Fact::Pin(pin)), (number + 1, Fact::Understood(understood))]);
        }

        fn append(&self, facts: Vec<(u128, Fact)>) {
            let facts: Vec<(EventId, Fact)> = facts.into_iter().map(|(id, fact)| (EventId(id << 70), fact)).collect();
            self.setup.log().expect("a log").append(&facts).expect("appended");
        }

        /// Follows to the end; how many pins were put elsewhere.
        fn follow(&self, keep: bool) -> u64 {
            let engine = Engine::open(&self.setup).expect("an engine");
            let mut clusters = Clusters::open(&engine.blobs, engine.log.as_ref()).expect("clusters");
            let end = engine.log.end(TopicKind::Catalogue);
            let told = clusters.follow(engine.log.as_ref(), &engine.blobs, &engine.views, end, &self.setup.stop);
            if keep {
                clusters.keep(&engine.blobs).expect("kept");
            }
            told.expect("followed")
        }

        fn alike(&self, id: &str) -> Vec<String> {
            let engine = Engine::open(&self.setup).expect("an engine");
            let catalogue = engine.views.catalogue();
            let pin = catalogue.pin(id).expect("known");
            catalogue.near_duplicates(pin).map(|pin| catalogue.pin_key(pin).to_owned()).collect()
        }
    }

    #[test]
    fn pictures_are_put_together_once_and_again_after_a_crash() {
        let place = Place::new();
        place.paint("a", 1, 0.0, 10);
        place.paint("b", 2, 0.0, 20);
        place.paint("c", 1, 0.03, 30);
        assert_eq!(place.follow(false), 1);
        assert_eq!((place.alike("a"), place.alike("b")), (vec!["c".to_owned()], vec![]));
        // Nothing was kept: the same is found again under the same names.
        let end = place.setup.log_to_read().expect("a log").end(TopicKind::Catalogue);
        place.follow(true);
        assert_eq!(place.setup.log_to_read().expect("a log").end(TopicKind::Catalogue), end);
        place.paint("d", 1, 0.05, 40);
        assert_eq!(place.follow(true), 1, "it goes on from there");
        assert_eq!(place.alike("d"), ["a", "c"]);
        // The oldest one gets another picture, and one goes.
        place.paint("a", 2, 0.02, 50);
        place.append(vec![(60, Fact::PinRemoved("d".into()))]);
        place.follow(true);
        assert_eq!((place.alike("a"), place.alike("c")), (vec!["b".to_owned()], vec![]));
        std::fs::write(place.setup.folder("blobs/contents/pictures"), "odd").expect("written");
        place.follow(true);
        assert_eq!(place.alike("a"), ["b"], "what cannot be used is made again");
    }
}
