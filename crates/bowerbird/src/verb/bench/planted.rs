//! A large catalogue for benches: pins with titles and vectors of 64 dimensions, saves to boards, an untrained model.

use super::vectors::mixture;
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result};
use domain::{Action, Board, Event, EventId, Fact, Pin, Pinner, Rng, Understood};
use models::{Model, ModelCard, ModelConfig, Ranker};
use std::path::{Path, PathBuf};
use store::EventLog;

/// Facts of one append.
const BATCH_FACTS: usize = 8_192;

/// Pins and pinners per pinner and board; topics, creators and words that there are.
const PINS_PER_PINNER: u32 = 10;
const BOARDS_PER_PINNER: u32 = 2;
const TOPICS: u32 = 400;
const CREATORS: u32 = 20_000;
const WORDS: u32 = 30_000;

/// A directory that is removed with this value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A fresh directory in `parent` [default: in the data directory].
    pub(super) fn new(parent: Option<&Path>, setup: &Setup) -> Result<Scratch> {
        let folder = parent.unwrap_or(&setup.data).join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Scratch(folder))
    }

    /// The same setup with this as the data directory.
    pub(super) fn setup(&self, setup: &Setup) -> Setup {
        let mut fresh = setup.clone();
        fresh.config.data = crate::config::DataConfig::default();
        fresh.data.clone_from(&self.0);
        fresh
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planted {
    /// Pins.
    pub(super) pins: u32,
    /// Saves of each pin, on average.
    pub(super) saves: u32,
}

impl Planted {
    /// Writes the facts and an untrained model into a data directory.
    pub(super) fn write(self, setup: &Setup) -> Result<()> {
        let log = setup.log()?;
        self.write_facts(log.as_ref(), setup)?;
        // A head that has learned reads the trunk.
        let model = Model::untrained(ModelConfig::default(), 1)?.with_version("untrained");
        let ranker = Ranker::untaught(model.encoded());
        let model = model.with_ranker(ranker)?;
        let registry = crate::registry::Registry::new(setup.blobs()?);
        registry.keep(&model, &ModelCard { version: "untrained".into(), ..ModelCard::default() })?;
        registry.promote("untrained")
    }

    fn write_facts(self, log: &dyn EventLog, setup: &Setup) -> Result<()> {
        let (base, _) = mixture(self.pins as usize)?;
        let mut facts = Batch::new(log, setup, 2 * u64::from(self.pins) + u64::from(self.pins * self.saves));
        let mut rng = Rng::new(5);
        for pin in 0..self.pins {
            facts.add(Fact::Pin(described(pin, &mut rng)))?;
            let embedding = base.row(pin as usize).to_vec();
            facts.add(Fact::Understood(Understood {
                pin: key("pin", pin),
                space: 1,
                embedding,
                ..Understood::default()
            }))?;
        }
        let pinners = self.pins.div_ceil(PINS_PER_PINNER);
        for pinner in 0..pinners {
            facts.add(Fact::Pinner(Pinner { id: key("pinner", pinner), ..Pinner::default() }))?;
        }
        for board in 0..pinners * BOARDS_PER_PINNER {
            let (id, owner) = (key("board", board), key("pinner", board / BOARDS_PER_PINNER));
            facts.add(Fact::Board(Board { id, title: some_words(2, &mut rng), pinner: Some(owner), created_ms: 1 }))?;
        }
        let began_ms = now_ms() - 30 * 86_400_000;
        for save in 0..self.pins * self.saves {
            let pinner = rng.below(pinners);
            let board = pinner * BOARDS_PER_PINNER + rng.below(BOARDS_PER_PINNER);
            // A few pins are saved often, most seldom.
            let pin = (f64::from(rng.uniform()).powi(2) * f64::from(self.pins)) as u32 % self.pins;
            let ts_ms = began_ms + u64::from(save) * 30 * 86_400_000 / u64::from(self.pins * self.saves);
            let event = Event::new(key("pinner", pinner), Action::Save, ts_ms);
            facts.add(Fact::Event(Event { pin: Some(key("pin", pin)), board: Some(key("board", board)), ..event }))?;
        }
        facts.end()
    }
}

fn key(kind: &str, number: u32) -> String {
    format!("{kind}-{number}")
}

/// Words as titles have them.
pub(super) fn some_words(count: usize, rng: &mut Rng) -> String {
    let word = |rng: &mut Rng| format!("w{}", (f64::from(rng.uniform()).powi(2) * f64::from(WORDS)) as u32);
    (0..count).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}

fn described(pin: u32, rng: &mut Rng) -> Pin {
    Pin {
        id: key("pin", pin),
        title: some_words(4, rng),
        description: some_words(6, rng),
        link: Some(format!("https://example.com/{pin}")),
        creator: Some(key("creator", rng.below(CREATORS))),
        topics: vec![key("topic", rng.below(TOPICS)), key("topic", rng.below(TOPICS))],
        language: Some(["en", "de", "fr", "es"][rng.below(4) as usize].into()),
        created_ms: 1_600_000_000_000 + u64::from(pin) * 100_000,
        ..Pin::default()
    }
}

/// Facts on their way into the log.
struct Batch<'a> {
    log: &'a dyn EventLog,
    setup: &'a Setup,
    facts: Vec<(EventId, Fact)>,
    progress: Progress,
    next: u64,
    made_ms: u64,
}

impl<'a> Batch<'a> {
    fn new(log: &'a dyn EventLog, setup: &'a Setup, total: u64) -> Batch<'a> {
        let progress = Progress::new("facts", total);
        Batch { log, setup, facts: Vec::new(), progress, next: 0, made_ms: now_ms() }
    }

    fn add(&mut self, fact: Fact) -> Result<()> {
        self.facts.push((EventId::new(self.made_ms, u128::from(self.next)), fact));
        self.next += 1;
        if self.facts.len() >= BATCH_FACTS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        self.setup.stop.check()?;
        self.log.append(&self.facts).context("cannot append")?;
        self.progress.add(self.facts.len() as u64);
        self.facts.clear();
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        self.write()?;
        self.progress.finish("written");
        Ok(())
    }
}
