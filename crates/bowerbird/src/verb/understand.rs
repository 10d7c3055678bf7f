//! `bowerbird understand`: what pictures and words of this catalogue mean.

use crate::ask::is_locked;
use crate::engine::{Engine, Reading};
use crate::output::{print_json, thousands};
use crate::setup::Setup;
use crate::understand::{Encoders, adopt, catch_up, understand};
use anyhow::Result;
use models::ModelCard;
use serde_json::json;
use std::path::PathBuf;

/// Learn how the pictures, words and topics of this catalogue go together, and embed all pins anew.
///
/// Learns an encoder from all pins (those that an import excluded are left out), with no weights from elsewhere:
/// pictures come to lie near their words and the names of their topics. Then every pin is embedded with it, and feeds,
/// search and look-alikes use the new embeddings as soon as all are there. Ctrl-C leaves a checkpoint, and the same
/// command goes on from there. A ranking model that was trained before reads no contents of the new space: train again.
///
/// With --encoder, an encoder that somebody published is taken over instead of learning one: a directory with
/// config.json, model.safetensors, tokenizer.json and, where it reads pictures, preprocessor_config.json. BERT,
/// DistilBERT, RoBERTa and XLM-RoBERTa (words alone: pictures say nothing then), CLIP and SigLIP are read, in a build
/// with `--features zoo`. Its files are copied into the data directory; prompts are not put before texts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only embed the pins that are not yet in the space of the live encoder.
    #[arg(long)]
    embed_only: bool,
    /// Keep only so many numbers of each content vector, half or a quarter of the 64 (256 where no pin has a picture):
    /// less memory and quicker searches for a little less likeness.
    #[arg(long, conflicts_with_all = ["embed_only", "encoder"])]
    dim: Option<usize>,
    /// A published encoder to take over.
    #[arg(long, value_name = "DIR", conflicts_with = "embed_only")]
    encoder: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let card = match &args.encoder {
        Some(directory) => adopt(&Encoders::new(setup.blobs()?), directory).map(|_| None)?,
        None if args.embed_only => None,
        None => Some(understand(setup, &Reading::open(setup)?, args.dim)?),
    };
    let embedded = match Engine::open(setup) {
        Ok(engine) => Some(catch_up(setup, &engine)?),
        Err(error) if is_locked(&error) => None,
        Err(error) => return Err(error),
    };
    tell(setup, card.as_ref(), embedded)
}

fn tell(setup: &Setup, card: Option<&ModelCard>, embedded: Option<u64>) -> Result<()> {
    let space = Encoders::new(setup.blobs()?).live()?;
    if setup.json {
        let (counts, metrics) = card.map(|card| (&card.counts, &card.metrics)).unzip();
        print_json(&json!({ "space": space, "embedded": embedded, "counts": counts, "metrics": metrics }));
        return Ok(());
    }
    card.iter().flat_map(|card| &card.metrics).for_each(|(name, value)| println!("{name} {value:.4}"));
    match embedded {
        Some(pins) => println!("{} pins embedded", thousands(pins)),
        None => println!("the server that runs here embeds all pins now, and goes on with the old contents until then"),
    }
    Ok(())
}
