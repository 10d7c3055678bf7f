//! All pins as they were described last.

use crate::stop::Stop;
use anyhow::{Context, Result};
use content::Picture;
use domain::{Annotated, EventId, Fact, Pin, TopicKind, Understood};
use std::collections::HashMap;
use store::{Blobs, EventLog};

/// Facts that are read from the log at a time.
const READ_FACTS: usize = 4_096;

/// A pin as it was described last.
pub(crate) struct Described {
    /// The name of the fact that described it.
    pub id: EventId,
    pub pin: Pin,
    /// What was found out of it since; its embedding is left out.
    pub understood: Option<Understood>,
    /// What was said of it last, without terms and topics.
    pub annotated: Option<Annotated>,
}

/// All pins that were not removed, in the order in which they came.
pub(crate) fn read_pins(log: &dyn EventLog, stop: &Stop) -> Result<Vec<Described>> {
    let mut pins: Vec<Option<Described>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    // What is said of a pin comes before the pin.
    let mut said: HashMap<String, Annotated> = HashMap::new();
    let mut from = 0;
    loop {
        stop.check()?;
        let facts = log.read(TopicKind::Catalogue, from, READ_FACTS).context("cannot read the event log")?;
        let Some(last) = facts.last() else { break };
        from = last.0 + 1;
        for (_, id, fact) in facts {
            match fact {
                Fact::Pin(pin) => {
                    let place = *places.entry(pin.id.clone()).or_insert(pins.len());
                    if place == pins.len() {
                        pins.push(None);
                    }
                    // What was found out of it before still says in which space it is.
                    let understood = pins[place].take().and_then(|known| known.understood);
                    pins[place] = Some(Described { id, pin, understood, annotated: None });
                }
                Fact::PinRemoved(pin) => {
                    if let Some(&place) = places.get(&pin) {
                        pins[place] = None;
                    }
                }
                Fact::Understood(understood) => {
                    let known = places.get(&understood.pin).and_then(|&place| pins[place].as_mut());
                    if let Some(known) = known {
                        let (embedding, signature) = Default::default();
                        known.understood = Some(Understood { embedding, signature, ..understood });
                    }
                }
                Fact::Annotated(annotated) => {
                    let (terms, topics) = Default::default();
                    said.insert(annotated.pin.clone(), Annotated { terms, topics, ..annotated });
                }
                _ => {}
            }
        }
    }
    let mut pins: Vec<Described> = pins.into_iter().flatten().collect();
    pins.iter_mut().for_each(|known| known.annotated = said.remove(&known.pin.id));
    Ok(pins)
}

impl Described {
    /// Whether there is more than an id.
    pub(crate) fn says_something(&self) -> bool {
        let Pin { title, description, topics, image, .. } = &self.pin;
        image.is_some() || !(title.is_empty() && description.is_empty() && topics.is_empty())
    }

    /// Its picture, decoded, if it is kept here and can be read.
    pub(crate) fn picture(&self, blobs: &Blobs) -> Option<Picture> {
        let bytes = self.bytes(blobs)?;
        Picture::decode(&bytes).ok()
    }

    /// Its picture as it came, if it is kept here.
    fn bytes(&self, blobs: &Blobs) -> Option<Vec<u8>> {
        let key = self.pin.image.as_deref().filter(|image| !image.contains("://"))?;
        blobs.get(key).ok().flatten()
    }
}
