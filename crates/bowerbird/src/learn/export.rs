//! Rows as NumPy files, for other learners.

use anyhow::{Context, Result};
use domain::{HEADS, Surface};
use models::{FEATURE_COUNT, FEATURES};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use train::{RankRows, Said};

/// The files, in no order.
const COLUMNS: [&str; 11] = [
    "features",
    "encoded",
    "labels",
    "pins",
    "looks_ms",
    "positions",
    "weights",
    "requests",
    "pinners",
    "surfaces",
    "ts_ms",
];

/// Writes rows into a folder: one `.npy` file a column, the keys of traits by number of pin and pinner with where each
/// one's end, and `meta.json` with the names of features, heads and surfaces.
pub(crate) fn export(rows: &RankRows, said: &Said, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let of = |value: &dyn Fn(usize) -> [u8; 8]| -> Vec<u8> {
        rows.by_request().enumerate().flat_map(|(place, (_, rows))| rows.flat_map(move |_| value(place))).collect()
    };
    let request = |place: usize| &rows.requests[place];
    let pinner = |place| request(place).pinner.map_or(u64::MAX, |pinner| u64::from(pinner.0)).to_le_bytes();
    let count = rows.len();
    let labels: Vec<u8> = rows.labels.iter().flatten().map(|label| u8::from(*label)).collect();
    write(folder, "features", "<f4", &[count, FEATURE_COUNT], bytemuck::cast_slice(&rows.features))?;
    write(folder, "encoded", "<f4", &[count, rows.encoded_width], bytemuck::cast_slice(&rows.encoded))?;
    for (name, keys) in [("pin", &said.pins), ("pinner", &said.pinners)] {
        let flat: Vec<u64> = keys.iter().flatten().copied().collect();
        let ends: Vec<u64> =
            keys.iter().scan(0, |end, keys| Some(*end + keys.len() as u64).inspect(|now| *end = *now)).collect();
        write(folder, &format!("{name}_keys"), "<u8", &[flat.len()], bytemuck::cast_slice(&flat))?;
        write(folder, &format!("{name}_keys_ends"), "<u8", &[ends.len()], bytemuck::cast_slice(&ends))?;
    }
    write(folder, "labels", "|u1", &[count, HEADS.len()], &labels)?;
    write(folder, "pins", "<u4", &[count], &rows.pins.iter().flat_map(|pin| pin.0.to_le_bytes()).collect::<Vec<u8>>())?;
    write(folder, "looks_ms", "<f4", &[count], bytemuck::cast_slice(&rows.looks_ms))?;
    write(folder, "positions", "<u2", &[count], bytemuck::cast_slice(&rows.positions))?;
    write(folder, "weights", "<f4", &[count], bytemuck::cast_slice(&rows.weights))?;
    write(folder, "requests", "<u8", &[count], &of(&|place| (place as u64).to_le_bytes()))?;
    write(folder, "pinners", "<u8", &[count], &of(&pinner))?;
    write(folder, "surfaces", "<u8", &[count], &of(&|place| u64::from(request(place).surface.code()).to_le_bytes()))?;
    write(folder, "ts_ms", "<u8", &[count], &of(&|place| request(place).ts_ms.to_le_bytes()))?;
    let meta = json!({
        "columns": COLUMNS,
        "features": FEATURES.as_slice(),
        "heads": HEADS.map(|head| head.as_str()),
        "surfaces": Surface::ALL.map(|surface| surface.as_str()),
        "known_from_ms": rows.known_from_ms,
        "rows": count,
        "requests": rows.requests.len(),
    });
    let path = folder.join("meta.json");
    std::fs::write(&path, format!("{meta:#}\n")).with_context(|| format!("cannot write {}", path.display()))
}

/// One array in NumPy's format, version 1.0.
fn write(folder: &Path, name: &str, kind: &str, shape: &[usize], bytes: &[u8]) -> Result<()> {
    const ALIGN: usize = 64;
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Magic, version and length take 10 bytes, the end of the line one.
    let padding = (header.len() + 11).next_multiple_of(ALIGN) - header.len() - 11;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let path = folder.join(format!("{name}.npy"));
    let write = || {
        let mut file = BufWriter::new(File::create(&path)?);
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(header.len() as u16).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        file.write_all(bytes)?;
        file.flush()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
