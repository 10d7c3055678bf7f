//! `bowerbird bench search`: words and pictures through HTTP.

use super::load::{Measured, open_loop};
use super::planted::{Planted, Scratch, some_words};
use crate::child::ServerProcess;
use crate::client::{Ask, Client, encoded, told};
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Context, Result, bail};
use content::Picture;
use domain::Rng;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::{World, WorldConfig};

/// Asked before anything is measured.
const WARM_UP_S: f64 = 2.0;
/// Side of the pictures that are asked with (pixels).
const SIDE: u32 = 192;
/// Fresh pins that are looked for.
const FRESH: usize = 20;
/// Longest that a fresh pin is looked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts a server on a planted catalogue with an untrained model and searches at a fixed rate, each request sent at
/// its moment whether or not the server keeps up: for one to three words on behalf of pinners, then for pictures of 192
/// pixels, which the server decodes and embeds. Then it looks how soon fresh pins are found by their words and by their
/// pictures.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Plant a catalogue of so many pins.
    #[arg(long, default_value_t = 1_000_000)]
    pins: u32,
    /// How many saves of each pin, on average.
    #[arg(long, default_value_t = 4)]
    saves: u32,
    /// Requests per second.
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// For how many seconds, words and pictures each.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Pins per answer.
    #[arg(long, default_value_t = 25)]
    limit: usize,
    /// Where the planted catalogue is made, and removed again [default: in the data directory].
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if !(args.rate > 0.0 && args.rate <= 1e5 && args.seconds > 0.0 && args.seconds <= 3_600.0) {
        bail!("--rate and --seconds must be positive (at most 100000 and 3600)");
    }
    if args.pins < 1_000 || args.saves > 100 {
        bail!("there is nothing to measure");
    }
    let scratch = Scratch::new(args.at.as_deref(), setup)?;
    let fresh = scratch.setup(setup);
    Planted { pins: args.pins, saves: args.saves }.write(&fresh)?;
    eprintln!("a first server reads the log and keeps a snapshot");
    drop(ServerProcess::start(&fresh, None)?);
    let mut server = ServerProcess::start(&fresh, None)?;
    let client = Client::new(&server.base, None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(args, setup, &mut server, &client))
}

async fn measure(args: &Args, setup: &Setup, server: &mut ServerProcess, client: &Client) -> Result<()> {
    server.ready(client).await?;
    let pictures = pictures()?;
    let mut found = Vec::new();
    for (what, asks) in [("words", by_words(args)), ("pictures", by_picture(args, &pictures))] {
        let asks = Arc::new(asks);
        open_loop(client, &asks, args.rate, WARM_UP_S).await?;
        setup.stop.check()?;
        eprintln!("{} searches by {what} a second for {} s", args.rate, args.seconds);
        found.push(open_loop(client, &asks, args.rate, args.seconds).await?);
        setup.stop.check()?;
    }
    let (mut words_ms, mut pictures_ms) = (Vec::new(), Vec::new());
    for (number, picture) in pictures.iter().cycle().take(FRESH).enumerate() {
        let (by_words, by_picture) = fresh(client, number, picture).await?;
        words_ms.push(by_words);
        pictures_ms.push(by_picture);
        setup.stop.check()?;
    }
    tell(args, setup, [&found[0], &found[1]], [words_ms, pictures_ms]);
    Ok(())
}

fn by_words(args: &Args) -> Vec<Ask> {
    let mut rng = Rng::new(17);
    let ask = |_| {
        let words = some_words(1 + rng.below(3) as usize, &mut rng);
        let pinner = rng.below(args.pins / 10);
        Ask::get(format!("/v1/search?q={}&pinner=pinner-{pinner}&limit={}", encoded(&words), args.limit))
    };
    (0..1_000).map(ask).collect()
}

fn by_picture(args: &Args, pictures: &[Vec<u8>]) -> Vec<Ask> {
    let path = format!("/v1/search/visual?limit={}", args.limit);
    pictures.iter().map(|picture| Ask::post(path.clone(), "image/jpeg", picture.clone())).collect()
}

/// Drawn pictures as JPEG.
fn pictures() -> Result<Vec<Vec<u8>>> {
    let world = World::new(WorldConfig { pins: 200, pinners: 4, events: 10, ..WorldConfig::new(3, 1) });
    let draw = |pin| {
        let picture = Picture::decode(&world.draw(pin).to_png()).context("a drawn picture")?;
        Ok(picture.scaled(SIDE, SIDE).to_jpeg(82)?)
    };
    (0..200).map(draw).collect()
}

/// Adds a pin and looks until it is found; gives the milliseconds from the answer to its POST, by words and by picture.
async fn fresh(client: &Client, number: usize, picture: &[u8]) -> Result<(f64, f64)> {
    let (id, word) = (format!("fresh-{number}"), format!("freshly{number}"));
    let row = json!({"id": id, "title": format!("a {word} thing"), "image": data_url(picture)}).to_string();
    let (status, body) = client.ask(&Ask::post("/v1/pins", "application/json", row)).await?;
    told(status, &body)?;
    let since = Instant::now();
    let by_words = until_found(client, &Ask::get(format!("/v1/search?q={word}")), &id, since).await?;
    let by_picture = Ask::post("/v1/search/visual", "image/jpeg", picture.to_vec());
    Ok((by_words, until_found(client, &by_picture, &id, since).await?))
}

async fn until_found(client: &Client, ask: &Ask, id: &str, since: Instant) -> Result<f64> {
    while since.elapsed() < PATIENCE {
        let (status, body) = client.ask(ask).await?;
        let answer = told(status, &body)?;
        if answer["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == id)) {
            return Ok(since.elapsed().as_secs_f64() * 1e3);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("{id} was not found within {} s", PATIENCE.as_secs())
}

fn data_url(picture: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut url = "data:image/jpeg;base64,".to_owned();
    for group in picture.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        let digit = |place: usize| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
        url.extend((0..4).map(|place| if place <= group.len() { digit(place) } else { '=' }));
    }
    url
}

fn tell(args: &Args, setup: &Setup, found: [&Measured; 2], fresh: [Vec<f64>; 2]) {
    let fresh = fresh.map(|mut ms| {
        ms.sort_by(f64::total_cmp);
        (ms[ms.len() / 2], ms[ms.len() - 1])
    });
    if setup.json {
        let fresh = fresh.map(|(median, max)| json!({"ms_p50": median, "ms_max": max, "pins": FRESH}));
        return print_json(&json!({
            "bench": "search",
            "pins": args.pins,
            "rate": args.rate,
            "limit": args.limit,
            "latency_ms_p50": found[0].ms(0.5),
            "latency_ms_p99": found[0].ms(0.99),
            "words": found[0].json(),
            "pictures": found[1].json(),
            "fresh": { "by_words": fresh[0], "by_picture": fresh[1] },
        }));
    }
    for (what, measured) in ["words", "pictures"].iter().zip(found) {
        println!(
            "by {what}, {} a second: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms, {} failed",
            args.rate,
            measured.ms(0.5),
            measured.ms(0.99),
            measured.ms(1.0),
            measured.failed()
        );
    }
    for (what, (median, max)) in ["words", "picture"].iter().zip(fresh) {
        println!("a fresh pin is found by its {what} after {median:.0} ms (median), {max:.0} ms at most");
    }
}
