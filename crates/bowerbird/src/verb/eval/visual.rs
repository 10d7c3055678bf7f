//! Pictures that are looked for by pictures and by words.

use super::Args;
use crate::engine::Engine;
use crate::evaluate::{VisualAbout, measure_visual};
use crate::output::print_json;
use crate::setup::Setup;
use crate::understand::{Encoders, read_ids, read_pins, understood};
use anyhow::{Result, bail};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    let Some(queries) = &args.queries else { bail!("--protocol visual needs --queries IDS") };
    let ids = read_ids(queries)?;
    let engine = Engine::open(setup)?;
    understood(setup, &engine)?;
    let embedder = Encoders::new(engine.blobs.clone()).embedder()?;
    let pins = read_pins(engine.log.as_ref(), &setup.stop)?;
    let protocol = format!(
        "the pictures of {} looked for among those of all other pins, exact; served: among all pins as they are \
         embedded, by the live index; a neighbour is right that has the same attribute",
        queries.display()
    );
    let about = VisualAbout { protocol, space: embedder.space() };
    let figures = measure_visual(&engine.views, &engine.blobs, &embedder, &pins, &ids, about, &setup.stop)?;
    match setup.json {
        true => print_json(&figures.json()),
        false => figures.print(),
    }
    Ok(())
}
