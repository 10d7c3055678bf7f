//! The binary from the outside: one world from `demo` to a served feed, and every verb on the way.

mod bench;
mod bowerbird;
mod contents;
mod crash;
mod demo;
mod experiments;
mod journey;
mod judged;
mod models;
mod operation;
mod ranking;
mod relevance;
mod sequences;
mod visual;
mod world;
mod zoo;
