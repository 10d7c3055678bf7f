//! Golden stories on small worlds made by hand: a real log, a real state, the real funnel.

mod answers;
mod failures;
mod found;
mod given;
mod pages;
mod relevance;
mod restart;
mod world;
