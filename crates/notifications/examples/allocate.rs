//! `cargo run --release -p bowerbird-notifications --example allocate -- 10000000`: the allocation of a week, measured.

fn main() {
    let pinners = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    match notifications::bench_allocate(pinners, 1) {
        Ok(figures) => println!("{figures}\n{}", serde_json::to_string(&figures).unwrap_or_default()),
        Err(error) => eprintln!("{error}"),
    }
}
