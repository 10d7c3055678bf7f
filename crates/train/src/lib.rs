//! How are weights learned: data sets, losses, loops, evaluation, promotion gates.

mod adamw;
mod batch;
mod config;
mod dataset;
mod error;
mod fit;
mod forward;
mod softmax;
mod sparse;
mod spectral;
mod step;

pub use config::TrainConfig;
pub use dataset::{Dataset, History};
pub use error::TrainError;
pub use fit::fit;
pub use step::TIMES;
