//! The binary: verbs, configuration, wiring.
fn main() {}
