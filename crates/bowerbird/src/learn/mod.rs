//! From the log to a model: what pinners did, as data sets, and as requests that could have been.

mod acts;
mod dataset;
mod gate;
mod outcomes;
mod past;
mod replays;
mod training;

pub(crate) use acts::{Acts, read_acts};
pub(crate) use gate::judge;
pub(crate) use training::{Outcome, Task, train};
