//! Pictures from anybody: seed pictures (drawn here, as JPEG, PNG and WebP, and those of a folder) are damaged at
//! random and understood. Nothing is caught: a panic ends the run with an error.
//!
//! `cargo run --release -p bowerbird-content --example mutated_pictures -- [--seconds N] [--seed N] [FOLDER]`
//!
//! Every ten seconds and at the end a line tells how many pictures were taken and refused, and the memory held.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::{Duration, Instant};

use content::{ContentError, Embedder, NearDuplicates, Picture, Signature};
use domain::{Pin, Rng};
use image::{DynamicImage, ImageFormat, RgbaImage};

/// Most pictures of the index; then it begins anew, so that memory held is that of decoding.
const INDEXED_MAX: usize = 2_000;
/// Most bytes of a seed picture of a folder.
const SEED_BYTES_MAX: u64 = 400_000;

struct Arguments {
    seconds: u64,
    seed: u64,
    folder: Option<String>,
}

/// What came of the pictures so far.
#[derive(Default)]
struct Counts {
    pictures: u64,
    understood: u64,
    refused: BTreeMap<&'static str, u64>,
}

fn arguments() -> Option<Arguments> {
    let mut found = Arguments { seconds: 60, seed: 1, folder: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => found.seconds = words.next()?.parse().ok()?,
            "--seed" => found.seed = words.next()?.parse().ok()?,
            _ => found.folder = Some(word),
        }
    }
    Some(found)
}

fn main() {
    let Some(arguments) = arguments() else {
        eprintln!("usage: mutated_pictures [--seconds N] [--seed N] [FOLDER]");
        std::process::exit(2);
    };
    let mut rng = Rng::new(arguments.seed);
    let mut seeds = drawn(&mut rng);
    seeds.extend(arguments.folder.iter().flat_map(|folder| of_folder(folder)));
    println!("{} seed pictures", seeds.len());
    let (since, mut counts, mut index) = (Instant::now(), Counts::default(), NearDuplicates::default());
    let mut told = Duration::ZERO;
    tell(&counts, since);
    while since.elapsed() < Duration::from_secs(arguments.seconds) {
        let bytes = mutated(&seeds, &mut rng);
        take(&bytes, &mut counts, &mut index);
        if since.elapsed() - told >= Duration::from_secs(10) {
            told = since.elapsed();
            tell(&counts, since);
        }
    }
    tell(&counts, since);
}

/// Understands a pin with these bytes, and puts the picture among near-duplicates.
fn take(bytes: &[u8], counts: &mut Counts, index: &mut NearDuplicates) {
    let pin = Pin { id: "p".into(), title: "Brass lamp".into(), ..Pin::default() };
    counts.pictures += 1;
    match Embedder::default().understand(&pin, Some(bytes)) {
        Ok(content) => {
            counts.understood += 1;
            assert!(content.understood.embedding.iter().all(|value| value.is_finite()), "an embedding of numbers");
            let signature = Signature::of(&Picture::decode(bytes).expect("it was decoded before"));
            assert_eq!(Signature::from_bytes(&signature.to_bytes()).as_ref(), Ok(&signature));
            if index.len() >= INDEXED_MAX {
                *index = NearDuplicates::default();
            }
            index.insert(index.len() as u32, signature, &content.understood.embedding);
        }
        Err(error) => *counts.refused.entry(reason(&error)).or_default() += 1,
    }
}

fn reason(error: &ContentError) -> &'static str {
    match error {
        ContentError::TooManyBytes { .. } => "too many bytes",
        ContentError::BadSize { .. } => "bad size",
        ContentError::UnknownFormat => "unknown format",
        ContentError::Malformed { .. } => "malformed",
        ContentError::Encode { .. } => "not encoded",
        _ => "other",
    }
}

fn tell(counts: &Counts, since: Instant) {
    let refused: Vec<String> = counts.refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    println!(
        "{:.0} s: {} pictures, {} understood, refused: {}; {} MB resident",
        since.elapsed().as_secs_f64(),
        counts.pictures,
        counts.understood,
        if refused.is_empty() { "none".to_owned() } else { refused.join(", ") },
        resident_mb()
    );
}

/// Memory of this process that lies in memory, in megabytes; 0 where Linux does not tell.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// Pictures of several sizes in all formats and some colour types.
fn drawn(rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (width, height) in [(1, 1), (7, 90), (64, 64), (200, 130), (333, 500)] {
        let waves: [f32; 6] = std::array::from_fn(|_| 0.02 + 0.2 * rng.uniform());
        let picture = RgbaImage::from_fn(width, height, |x, y| {
            let wave = |i: usize| (128.0 + 120.0 * (x as f32 * waves[i] + y as f32 * waves[i + 3]).sin()) as u8;
            image::Rgba([wave(0), wave(1), wave(2), if (x / 9 + y / 7) % 5 == 0 { 90 } else { 255 }])
        });
        let whole = DynamicImage::ImageRgba8(picture);
        let plain = DynamicImage::ImageRgb8(whole.to_rgb8());
        let grey = DynamicImage::ImageLuma8(whole.to_luma8());
        let deep = DynamicImage::ImageRgb16(whole.to_rgb16());
        seeds.extend([(&plain, ImageFormat::Jpeg), (&grey, ImageFormat::Jpeg)].map(written));
        seeds.extend([&whole, &plain, &grey, &deep].map(|picture| written((picture, ImageFormat::Png))));
        seeds.extend([&whole, &plain].map(|picture| written((picture, ImageFormat::WebP))));
    }
    seeds
}

fn written((picture, format): (&DynamicImage, ImageFormat)) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).expect("a format that is written");
    bytes
}

fn of_folder(folder: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder that can be read");
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.metadata().is_ok_and(|about| about.is_file() && about.len() <= SEED_BYTES_MAX));
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// A seed picture, damaged in one to six ways.
fn mutated(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let any = |rng: &mut Rng| &seeds[rng.below(seeds.len() as u32) as usize];
    let mut bytes = any(rng).clone();
    for _ in 0..1 + rng.below(6) {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len() as u32;
        let at = rng.below(length) as usize;
        match rng.below(8) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << rng.below(8),
            2 => bytes[at] = rng.next_u64() as u8,
            // Headers: sizes, markers and tables stand at the beginning.
            3 => bytes[rng.below(length.min(64)) as usize] = [0, 1, 0x7f, 0x80, 0xff][rng.below(5) as usize],
            4 => {
                let end = (at + 1 + rng.below(64) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let other = any(rng);
                let from = rng.below(other.len() as u32) as usize;
                let piece = other[from..(from + 256).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let other = any(rng);
                let from = rng.below(other.len() as u32) as usize;
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ => mended(&mut bytes, rng),
        }
    }
    bytes
}

/// Changes a chunk of a PNG and makes its checksum right again, so that what lies behind the check is reached.
fn mended(bytes: &mut [u8], rng: &mut Rng) {
    const HEAD: usize = 8;
    let mut starts = Vec::new();
    let mut at = HEAD;
    while let Some(word) = bytes.get(at..at + 4).filter(|_| bytes.starts_with(b"\x89PNG")) {
        let length = u32::from_be_bytes([word[0], word[1], word[2], word[3]]) as usize;
        if at + 12 + length > bytes.len() {
            break;
        }
        starts.push((at + 4, at + 8 + length));
        at += 12 + length;
    }
    if starts.is_empty() {
        return;
    }
    let (start, end) = starts[rng.below(starts.len() as u32) as usize];
    let place = start + rng.below((end - start) as u32) as usize;
    bytes[place] ^= 1 << rng.below(8);
    let crc = bytes[start..end].iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    bytes[end..end + 4].copy_from_slice(&(!crc).to_be_bytes());
}
