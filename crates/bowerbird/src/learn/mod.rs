//! From the log to a model: what pinners did, as data sets, and as requests that could have been.

mod acts;
mod dataset;
mod distilled;
mod export;
mod gate;
mod impressions;
mod outcomes;
mod past;
mod replays;
mod shown;
#[cfg(test)]
mod told;
mod training;

pub(crate) use acts::{Acts, read_acts};
pub(crate) use dataset::dataset;
pub(crate) use export::export;
pub(crate) use gate::{judge, measure_again};
pub(crate) use impressions::{Impressions, Look, Shown};
pub(crate) use outcomes::Recorded;
pub(crate) use shown::{WasShown, shown_rows};
pub(crate) use training::{Outcome, Task, said, train};
