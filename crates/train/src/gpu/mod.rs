//! Training on a CUDA device. Only the driver, NVRTC and cuBLAS are needed, when a card is opened: nothing of CUDA is
//! needed to build.

mod card;
mod engine;
mod seat;
#[cfg(test)]
mod tests;

pub(crate) use seat::Seat;
