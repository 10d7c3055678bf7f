//! Published experiments read with this room: `upworthy_headlines`, `asos_experiments`, `cookie_cats`.
//!
//! `BOWERBIRD_DATASETS=DIR cargo run --release -p bowerbird-experiments --example public_data`

mod figures;
mod table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| "../shared/data".into());
    let root = std::path::Path::new(&root);
    let cats = figures::cats(root);
    let found = serde_json::json!({
        "headlines": figures::headlines(root),
        "snapshots": figures::snapshots(root),
        "cats": cats.as_ref().map(|cats| {
            serde_json::json!({ "z": cats.z, "p": figures::cats_p(cats), "median_rounds": cats.median_rounds })
        }),
    });
    println!("{}", serde_json::to_string_pretty(&found)?);
    if let Some(cats) = cats {
        println!("{}", cats.read);
    }
    Ok(())
}
