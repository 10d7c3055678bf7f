//! `bowerbird bench fuzz`: questions that nobody meant to ask.

use super::planted::{Planted, Scratch, some_words};
use crate::child::ServerProcess;
use crate::client::{Ask, Client, encoded};
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Result, bail};
use content::Picture;
use domain::Rng;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Questions under way at once.
const CLIENTS: usize = 4;
/// How often memory is looked at: so many times, evenly.
const LOOKS: u32 = 20;
/// Memory may be so much larger in the last quarter than in the second, when all that is kept is full.
const GROWTH_MAX: f64 = 1.1;
/// What pictures are asked with.
const VISUAL: &str = "/v1/search/visual?q=";
/// Failed questions that are told.
const TOLD: usize = 10;

/// Asks a server what nobody meant to ask: words that were mistyped, cut and glued, signs of all scripts, operators,
/// bytes that are no text, filters, numbers and cursors out of place, pictures that are damaged. Every question must be
/// answered, if only by saying what is wrong with it; the run fails where one breaks the server, or its memory grows.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Plant a catalogue of so many pins.
    #[arg(long, default_value_t = 20_000)]
    pins: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What is asked depends on this alone.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What came of the questions.
#[derive(Default)]
struct Told {
    asked: u64,
    /// Answers by status.
    statuses: BTreeMap<u16, u64>,
    /// Questions that broke something, and how.
    broken: Vec<String>,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if args.pins < 1_000 || !(1..=86_400).contains(&args.seconds) {
        bail!("--pins must be 1000 at least, --seconds 1 to 86400");
    }
    let scratch = Scratch::new(None, setup)?;
    let fresh = scratch.setup(setup);
    Planted { pins: args.pins, saves: 4 }.write(&fresh)?;
    let mut server = ServerProcess::start(&fresh, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (told, memory) = runtime.block_on(ask_all(args, setup, &mut server))?;
    let quarter = memory.len() / 4;
    let (from, to) = (least(&memory[quarter..2 * quarter]), least(&memory[3 * quarter..]));
    if setup.json {
        print_json(&json!({
            "bench": "fuzz", "pins": args.pins, "seconds": args.seconds, "seed": args.seed, "questions": told.asked,
            "statuses": told.statuses, "broken": told.broken, "resident_bytes": memory,
        }));
    } else {
        println!("{} questions in {} s, answers by status: {:?}", told.asked, args.seconds, told.statuses);
        println!("resident: {} MiB in the second quarter, {} MiB in the last, at the least", from >> 20, to >> 20);
    }
    if !told.broken.is_empty() {
        bail!("{} questions broke something:\n{}", told.broken.len(), told.broken.join("\n"));
    }
    if to as f64 > GROWTH_MAX * from as f64 {
        bail!("memory grew from {} MiB to {} MiB", from >> 20, to >> 20);
    }
    Ok(())
}

/// Tables that are rolled and indexes that are packed come and go; what leaks stays, and lifts the least of it.
fn least(memory: &[u64]) -> u64 {
    memory.iter().copied().min().unwrap_or_default()
}

async fn ask_all(args: &Args, setup: &Setup, server: &mut ServerProcess) -> Result<(Told, Vec<u64>)> {
    let client = Client::new(&server.base, None);
    server.ready(&client).await?;
    let (mut told, mut memory) = (Told::default(), Vec::new());
    let step = Duration::from_secs(args.seconds) / LOOKS;
    let mut askers: Vec<Asker> = (0..CLIENTS as u64).map(|number| Asker::new(args.seed, number)).collect();
    for look in 1..=LOOKS {
        let until = Instant::now() + step;
        let mut rounds = JoinSet::new();
        askers.drain(..).for_each(|asker| drop(rounds.spawn(asker.ask_until(client.clone(), until))));
        for (asker, part) in rounds.join_all().await {
            askers.push(asker);
            told.add(part);
        }
        setup.stop.check()?;
        if client.get("/health/ready").await.is_err() {
            bail!("the server is gone; the last that broke something:\n{}", told.broken.join("\n"));
        }
        memory.push(server.memory().0.unwrap_or(0));
        eprintln!("{look} of {LOOKS}: {} questions, {} MiB", told.asked, memory[memory.len() - 1] >> 20);
    }
    Ok((told, memory))
}

impl Told {
    fn add(&mut self, part: Told) {
        self.asked += part.asked;
        part.statuses.into_iter().for_each(|(status, count)| *self.statuses.entry(status).or_default() += count);
        self.broken.extend(part.broken);
        self.broken.truncate(TOLD);
    }
}

/// Who asks.
struct Asker {
    rng: Rng,
    pictures: Vec<Vec<u8>>,
    /// A cursor that the server gave.
    cursor: String,
}

impl Asker {
    fn new(seed: u64, number: u64) -> Asker {
        let mut rng = Rng::new(domain::hash64(seed) ^ number);
        let mut drawn = |side: u32| {
            let rgba: Vec<u8> = (0..side * side * 4).map(|at| (at / 7 * (1 + rng.below(3))) as u8).collect();
            Picture::from_rgba(side, side, &rgba).and_then(|picture| picture.to_jpeg(85)).ok()
        };
        let pictures = [1, 24, 100, 192].into_iter().filter_map(&mut drawn).collect();
        Asker { rng, pictures, cursor: String::new() }
    }

    async fn ask_until(mut self, client: Client, until: Instant) -> (Asker, Told) {
        let mut told = Told::default();
        while Instant::now() < until {
            let (ask, what) = self.question();
            told.asked += 1;
            match client.ask(&ask).await {
                Ok((status, body)) => {
                    *told.statuses.entry(status.as_u16()).or_default() += 1;
                    // Busy (503) is an answer, too.
                    if status.is_server_error() && status.as_u16() != 503 {
                        told.broken.push(format!("{status}: {what}"));
                    }
                    self.keep_cursor(&body);
                }
                Err(error) => told.broken.push(format!("{error:#}: {what}")),
            }
        }
        (self, told)
    }

    fn keep_cursor(&mut self, body: &[u8]) {
        let answer: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        if let Some(cursor) = answer.and_then(|answer| Some(answer["next_cursor"].as_str()?.to_owned())) {
            self.cursor = cursor;
        }
    }

    /// Something to ask, and how it is told.
    fn question(&mut self) -> (Ask, String) {
        const PATHS: [(&str, &[&str]); 4] = [
            ("/v1/search?q=", &["limit", "cursor", "filter", "pinner", "deadline_ms", "verbatim", "explain"]),
            ("/v1/autocomplete?q=", &["limit", "pinner"]),
            ("/v1/trending?limit=", &["limit"]),
            (VISUAL, &["limit", "cursor", "filter", "pinner", "deadline_ms", "crop", "pin"]),
        ];
        let (start, names) = PATHS[[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3, 3][self.rng.below(16) as usize]];
        let mut path = format!("{start}{}", self.words());
        for _ in 0..self.rng.below(3) {
            let name = names[self.rng.below(names.len() as u32) as usize];
            path.push_str(&self.parameter(name));
        }
        let ask = if start == VISUAL {
            Ask::post(path.clone(), "image/jpeg", self.picture())
        } else {
            Ask::get(path.clone())
        };
        (ask, path)
    }

    /// Words as they stand in an address.
    fn words(&mut self) -> String {
        let rng = &mut self.rng;
        match rng.below(8) {
            0 => (0..rng.below(40)).map(|_| format!("%{:02X}", rng.below(256))).collect(),
            1 => "a".repeat(rng.below(6_000) as usize),
            _ => {
                let mut text = some_words(1 + rng.below(6) as usize, rng);
                (0..rng.below(5)).for_each(|_| changed(&mut text, rng));
                encoded(&text)
            }
        }
    }

    fn parameter(&mut self, name: &str) -> String {
        const FILTERS: [&str; 6] = [
            "topic:topic-1",
            "language:(en, \"de\") AND NOT topic:topic-2",
            "((((((((((topic:a))))))))))",
            "created_days < 99999999999999999999",
            "topic:(\"",
            "NOT NOT NOT NOT",
        ];
        let rng = &mut self.rng;
        let mut value = match name {
            "cursor" => self.cursor.clone(),
            "filter" => FILTERS[rng.below(FILTERS.len() as u32) as usize].to_owned(),
            "pinner" => format!("pinner-{}", rng.below(3_000)),
            "pin" => format!("pin-{}", rng.below(20_000)),
            "crop" => format!("{},{},{},{}", rng.uniform(), rng.uniform(), 2.0 * rng.uniform(), rng.normal()),
            "limit" | "deadline_ms" => rng.below(60).to_string(),
            _ => "true".to_owned(),
        };
        match rng.below(12) {
            0 => value = rng.next_u64().to_string(),
            1 => value = "-1e309".to_owned(),
            2 | 3 => changed(&mut value, rng),
            _ => {}
        }
        format!("&{name}={}", encoded(&value))
    }

    /// A picture, damaged or not.
    fn picture(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        let mut bytes = self.pictures[rng.below(self.pictures.len() as u32) as usize].clone();
        for _ in 0..rng.below(4) {
            let at = rng.below(bytes.len().max(1) as u32) as usize;
            match rng.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                _ => bytes[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << rng.below(8)),
            }
        }
        bytes
    }
}

/// Changes a text somewhere: a letter less, another one, a sign of any script, an operator, a piece of itself.
fn changed(text: &mut String, rng: &mut Rng) {
    const SIGNS: [&str; 16] = [
        "\"",
        "'",
        " AND ",
        " OR ",
        "-",
        "*",
        "~2",
        "title:",
        "(",
        "\\",
        "\0",
        "\u{202e}",
        "\u{200d}",
        "e\u{301}",
        "\u{1F468}\u{200D}\u{1F469}",
        "ﬀİẞ",
    ];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let at = places[rng.below(places.len() as u32) as usize];
    match rng.below(5) {
        0 if at < text.len() => drop(text.remove(at)),
        1 => text.extend(char::from_u32(rng.below(0x11_0000))),
        2 => text.insert_str(at, &char::from_u32(rng.below(0x3000)).map(String::from).unwrap_or_default()),
        3 => text.insert_str(at, &text.clone()[at..].chars().take(60).collect::<String>()),
        _ => text.insert_str(at, SIGNS[rng.below(SIGNS.len() as u32) as usize]),
    }
}
