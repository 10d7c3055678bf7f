//! How well near-duplicates are found among real product photos (skipped where the data is absent).

#[path = "../examples/near_duplicates/measure.rs"]
mod measure;
#[path = "../examples/near_duplicates/pictures.rs"]
mod pictures;
#[path = "../examples/near_duplicates/variants.rs"]
mod variants;

use std::io::Write;
use std::path::PathBuf;

use content::{NearDuplicates, Picture, Signature};
use domain::Rng;

use measure::Item;

fn archive() -> Option<PathBuf> {
    let root = std::env::var_os("BOWERBIRD_DATASETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    Some(root.join("fashion_products/images_60x80.zip")).filter(|archive| archive.exists())
}

#[test]
fn variants_are_found_among_look_alikes() {
    let Some(archive) = archive() else {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: fashion_products is not here");
        return;
    };
    // Neighbouring numbers look alike most: a stretch of the catalogue is harder than a sample of it.
    let named = pictures::read(&archive).expect("an archive");
    let pictures: Vec<Picture> =
        named.iter().skip(20_000).take(3_000).map(|(_, bytes)| Picture::decode(bytes).expect("a photo")).collect();
    let mut rng = Rng::new(99);
    let variants =
        (0..pictures.len()).step_by(20).flat_map(|source| variants::CHANGES.map(|change| (source, Some(change))));
    let all = (0..pictures.len()).map(|source| (source, None)).chain(variants);
    let mut items: Vec<Item> = all.map(|(source, change)| Item { source, change }).collect();
    rng.shuffle(&mut items);
    let mut index = NearDuplicates::default();
    for (id, item) in (0u32..).zip(&items) {
        let source = &pictures[item.source];
        let bytes = item.change.map(|change| variants::changed(source, change, &mut rng));
        let changed = bytes.map(|bytes| Picture::decode(&bytes).expect("a JPEG that was just written"));
        index.insert(id, Signature::of(changed.as_ref().unwrap_or(source)), &[]);
    }
    let report = measure::report(&index, &items, &pictures);
    let (groups, whole) = report.groups;
    println!(
        "{} pictures: precision {:.4} (by photo {:.4}), recall {:.4}, {whole} of {groups} groups of exact duplicates, \
         {:?}, largest cluster {}, {} wrong pairs of the catalogue",
        items.len(),
        report.all.precision(),
        report.all.precision_by_photo(),
        report.all.recall(),
        report.found,
        report.largest,
        report.wrong.len()
    );
    assert!(report.all.without(&report.catalogue).precision() > 0.98);
    assert_eq!(whole, groups);
    assert!(groups > 20, "{groups}");
    assert!(report.all.precision() > 0.975 && report.all.recall() > 0.9);
    assert!(report.catalogue.recall() >= 1.0 && report.largest < 30);
}
