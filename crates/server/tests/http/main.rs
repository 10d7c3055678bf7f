//! The server from outside: real sockets, real engines in a temporary directory, a real browser.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod browser;
mod client;
mod contents;
mod experiments;
mod faces;
mod harness;
mod ingest;
mod keys;
mod lists;
mod media;
mod problems;
mod rank;
mod service;
mod suggest;
mod visual;
mod webdriver;
