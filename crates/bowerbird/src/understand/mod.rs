//! What pins are, learned of the catalogue itself: an encoder is learned from pictures, words and topics, or a
//! published one is taken over, and all pins are embedded with it; what they are about is learned, and all pins are
//! annotated with it; pins with one picture are put together.

mod acts;
mod annotate;
mod clusters;
mod collection;
mod contents;
mod contents_watch;
mod encoders;
mod learn;
mod left_out;
mod pins;
mod published;
mod renew;
mod watch;

pub(crate) use annotate::annotate_all;
pub(crate) use clusters::Clusters;
pub(crate) use collection::learn_contents;
pub(crate) use contents::{Contents, annotated_id};
pub(crate) use contents_watch::ContentsWatch;
pub(crate) use encoders::Encoders;
pub(crate) use learn::learn_encoder;
pub(crate) use left_out::{LeftOut, read_ids};
pub(crate) use pins::{Described, read_pins};
pub(crate) use published::adopt;
pub(crate) use renew::{put_once, renew, understood_id};
pub(crate) use watch::Renewal;

use crate::engine::{Engine, Reading};
use crate::setup::Setup;
use anyhow::{Context, Result};
use content::Learned;
use domain::TopicKind;
use models::ModelCard;
use std::sync::Arc;
use train::TrainError;

/// Learns an encoder from all pins and makes it live, with the first `dim` numbers of its vectors; gives its card.
pub(crate) fn understand(setup: &Setup, data: &Reading, dim: Option<usize>) -> Result<ModelCard> {
    let encoders = Encoders::new(data.blobs.clone());
    let pins = read_pins(data.log.as_ref(), &setup.stop)?;
    let (encoder, card) = learn_encoder(setup, data, &pins)?;
    let encoder = match dim {
        Some(dim) => encoder.narrowed(dim).context("--dim")?,
        None => encoder,
    };
    let space = encoders.keep(encoder, &card)?;
    encoders.go_live(space)?;
    setup.forget(learn::CHECKPOINT)?;
    Ok(card)
}

/// Sees to it that an encoder is live and all pins are in its space: learns one where none was.
pub(crate) fn understood(setup: &Setup, engine: &Engine) -> Result<()> {
    if Encoders::new(engine.blobs.clone()).live()?.is_none() {
        eprintln!("no encoder was learned of this catalogue yet: learning one (`bowerbird understand` does it, too)");
        match understand(setup, engine, None) {
            // A few pins are measured as they are.
            Err(error) if is_too_little(&error) => eprintln!("{error:#}: what is built in is measured"),
            learned => drop(learned?),
        }
    }
    catch_up(setup, engine).map(|_| ())
}

fn is_too_little(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(TrainError::TooLittle(_))))
}

/// Embeds the pins that are not yet in the live encoder's space, and brings the views up to that; gives how many.
pub(crate) fn catch_up(setup: &Setup, engine: &Engine) -> Result<u64> {
    let embedder = Encoders::new(engine.blobs.clone()).embedder()?;
    let renewed = renew(engine.log.as_ref(), &engine.blobs, &embedder, &setup.stop)?;
    engine.consumer.catch_up()?;
    engine.embed_words()?;
    if renewed > 0 {
        engine.keep();
    }
    Ok(renewed)
}

/// What came of annotating a catalogue.
pub(crate) struct Annotations {
    /// What was learned, where there were pins enough.
    pub learned: Option<Arc<Learned>>,
    /// Pins that were annotated anew, and those that were put to others with their picture, or away from them.
    pub annotated: u64,
    pub moved: u64,
}

/// Learns what the catalogue's pins are about, annotates all of them with that, puts those with one picture together,
/// and brings the views up to that.
pub(crate) fn annotations(setup: &Setup, engine: &Engine) -> Result<Annotations> {
    let contents = Contents::new(engine.blobs.clone());
    let (log, blobs, views) = (engine.log.as_ref(), &engine.blobs, &engine.views);
    let learned = learn_contents(setup, &contents, views, &read_pins(log, &setup.stop)?)?;
    let annotating = contents.annotating(&setup.config.content.rules(&setup.data)?)?;
    let annotated = annotate_all(log, blobs, views, &annotating, &setup.stop)?;
    contents.applied(&annotating)?;
    engine.consumer.catch_up()?;
    let mut clusters = Clusters::open(blobs, log)?;
    let followed = clusters.follow(log, blobs, views, log.end(TopicKind::Catalogue), &setup.stop);
    clusters.keep(blobs)?;
    let moved = followed?;
    engine.consumer.catch_up()?;
    engine.keep();
    Ok(Annotations { learned, annotated, moved })
}
