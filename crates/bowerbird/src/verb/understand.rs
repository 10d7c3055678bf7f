//! `bowerbird understand`: what pictures and words of this catalogue mean.

use crate::ask::is_locked;
use crate::engine::{Engine, Reading};
use crate::output::{print_json, thousands};
use crate::setup::Setup;
use crate::understand::{
    Annotations, Contents, Encoders, adopt, annotations, catch_up, learn_contents, read_pins, understand,
};
use anyhow::Result;
use models::ModelCard;
use serde_json::json;
use serving::Standing;
use std::path::PathBuf;

/// Learn how the pictures, words and topics of this catalogue go together, and what its pins are about.
///
/// Learns an encoder from all pins (those that an import excluded are left out), with no weights from elsewhere:
/// pictures come to lie near their words and the names of their topics. Then every pin is embedded with it, and feeds,
/// search and look-alikes use the new embeddings as soon as all are there. Ctrl-C leaves a checkpoint, and the same
/// command goes on from there. A ranking model that was trained before reads no contents of the new space: train again.
///
/// Then terms, topics and semantic ids are learned, every pin is annotated with them and labelled by the rules of
/// [content], and pins with one picture are put together. What was annotated stays when that is stopped.
///
/// With --encoder, an encoder that somebody published is taken over instead of learning one: a directory with
/// config.json, model.safetensors, tokenizer.json and, where it reads pictures, preprocessor_config.json. BERT,
/// DistilBERT, RoBERTa and XLM-RoBERTa (words alone: pictures say nothing then), CLIP and SigLIP are read, in a build
/// with `--features zoo`. Its files are copied into the data directory; prompts are not put before texts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Learn no encoder: only embed the pins that are not yet in the space of the live one.
    #[arg(long, conflicts_with = "contents_only")]
    embed_only: bool,
    /// Learn no encoder: only what pins are about, and annotate all of them with that.
    #[arg(long)]
    contents_only: bool,
    /// Keep only so many numbers of each content vector, half or a quarter of the 64 (256 where no pin has a picture):
    /// less memory and quicker searches for a little less likeness.
    #[arg(long, conflicts_with_all = ["embed_only", "contents_only", "encoder"])]
    dim: Option<usize>,
    /// A published encoder to take over.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["embed_only", "contents_only"])]
    encoder: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    // What is wrong with the rules is told before anything long begins.
    setup.config.content.rules(&setup.data)?;
    let card = match &args.encoder {
        Some(directory) => adopt(&Encoders::new(setup.blobs()?), directory).map(|_| None)?,
        None if args.embed_only || args.contents_only => None,
        None => Some(understand(setup, &Reading::open(setup)?, args.dim)?),
    };
    let done = match Engine::open(setup) {
        Ok(engine) => {
            let embedded = catch_up(setup, &engine)?;
            let found = if args.embed_only { None } else { Some(annotations(setup, &engine)?) };
            let catalogue = engine.views.catalogue();
            let waiting = catalogue.standing_count(Standing::Waiting);
            Some(Done { embedded, found, alike: catalogue.near_duplicate_counts(), waiting })
        }
        Err(error) if is_locked(&error) => {
            if args.contents_only {
                let data = Reading::open(setup)?;
                let pins = read_pins(data.log.as_ref(), &setup.stop)?;
                learn_contents(setup, &Contents::new(data.blobs.clone()), &data.views, &pins)?;
            }
            None
        }
        Err(error) => return Err(error),
    };
    tell(setup, card.as_ref(), done.as_ref())
}

/// What was done where no server runs.
struct Done {
    embedded: u64,
    found: Option<Annotations>,
    /// Pictures that several pins have, and how many pins these are.
    alike: (usize, usize),
    waiting: usize,
}

fn tell(setup: &Setup, card: Option<&ModelCard>, done: Option<&Done>) -> Result<()> {
    let space = Encoders::new(setup.blobs()?).live()?;
    let found = done.and_then(|done| done.found.as_ref());
    let learned = found.and_then(|found| found.learned.as_deref());
    if setup.json {
        let (counts, metrics) = card.map(|card| (&card.counts, &card.metrics)).unzip();
        print_json(&json!({
            "space": space, "embedded": done.map(|done| done.embedded), "counts": counts, "metrics": metrics,
            "contents": learned.map(|learned| json!({
                "version": learned.version, "pins": learned.pins, "terms": learned.terms(), "topics": learned.topics(),
            })),
            "annotated": found.map(|found| found.annotated), "moved": found.map(|found| found.moved),
            "shared_pictures": done.map(|done| done.alike.0),
            "pins_with_shared_pictures": done.map(|done| done.alike.1),
            "waiting_for_review": done.map(|done| done.waiting),
        }));
        return Ok(());
    }
    card.iter().flat_map(|card| &card.metrics).for_each(|(name, value)| println!("{name} {value:.4}"));
    let Some(done) = done else {
        println!("the server that runs here does the rest now, and goes on with what it has until then");
        return Ok(());
    };
    println!("{} pins embedded", thousands(done.embedded));
    if let Some(learned) = learned {
        let topics: Vec<&str> = (0..learned.topics()).filter_map(|topic| learned.topic_name(topic)).take(8).collect();
        println!("{} terms, {} topics: {}, …", thousands(learned.terms() as u64), learned.topics(), topics.join(", "));
    }
    if let Some(found) = found {
        let (pictures, pins) = done.alike;
        println!("{} pins annotated; {} wait for a review", thousands(found.annotated), thousands(done.waiting as u64));
        println!("{} pictures are shared by {} pins", thousands(pictures as u64), thousands(pins as u64));
    }
    Ok(())
}
