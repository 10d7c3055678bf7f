//! `cargo run --release -p bowerbird-notifications --example allocate -- 10000000`: the allocation of a week, measured.
//! With `--export FILE` behind the number, the returns are written for the peer (`bench/peers/allocation`).

use std::io::Write;

const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let pinners = words.first().map_or(Ok(10_000_000), |word| word.parse())?;
    if let [_, option, file] = words.as_slice()
        && option == "--export"
    {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        notifications::planted_returns(pinners, SEED)
            .iter()
            .try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        out.flush()?;
    }
    let figures = notifications::bench_allocate(pinners, SEED)?;
    println!("{figures}\n{}", serde_json::to_string(&figures)?);
    Ok(())
}
