//! Behaviour on drawn pictures.

use bytes::Bytes;
use domain::Rng;

use super::{NearDuplicates, Signature};
use crate::{ContentError, Picture};

const WIDTH: u32 = 120;
const HEIGHT: u32 = 160;

/// A picture of a seed: soft blobs on a ground that is not uniform, seen from `left` and `top` on.
fn drawn(seed: u64, [left, top, width, height]: [u32; 4], mut paint: impl FnMut([f32; 3]) -> [f32; 3]) -> Picture {
    let mut rng = Rng::new(seed);
    let mut number = |least: f32, most: f32| least + (most - least) * rng.uniform();
    let blobs: Vec<[f32; 6]> = (0..14)
        .map(|_| {
            let place = [number(0.0, WIDTH as f32), number(0.0, HEIGHT as f32), number(8.0, 30.0)];
            [place[0], place[1], place[2], number(-120.0, 120.0), number(-120.0, 120.0), number(-120.0, 120.0)]
        })
        .collect();
    let pixel = |i: u32| {
        let (x, y) = ((left + i % width) as f32, (top + i / width) as f32);
        let ground = 90.0 + 0.4 * x + 0.3 * y;
        let mut colour = [ground; 3];
        for [at_x, at_y, radius, red, green, blue] in &blobs {
            let near = (-((x - at_x).powi(2) + (y - at_y).powi(2)) / (radius * radius)).exp();
            [red, green, blue].iter().zip(&mut colour).for_each(|(change, value)| *value += near * **change);
        }
        let [r, g, b] = paint(colour).map(|value| value.clamp(0.0, 255.0) as u8);
        [r, g, b, 255]
    };
    let rgba: Vec<u8> = (0..width * height)
        .flat_map({
            let mut pixel = pixel;
            move |i| pixel(i)
        })
        .collect();
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

fn whole(seed: u64) -> Picture {
    drawn(seed, [0, 0, WIDTH, HEIGHT], |colour| colour)
}

fn again(picture: &Picture, quality: u8) -> Picture {
    Picture::decode(&picture.to_jpeg(quality).expect("a JPEG")).expect("decodes")
}

fn mirrored(picture: &Picture) -> Picture {
    rearranged(picture, picture.width(), picture.height(), |x, y| Some((picture.width() - 1 - x, y)))
}

fn framed(picture: &Picture, border: u32, colour: u8) -> Picture {
    let inside = |at: u32, side: u32| (border..border + side).contains(&at);
    let (width, height) = (picture.width(), picture.height());
    let framed = rearranged(picture, width + 2 * border, height + 2 * border, |x, y| {
        (inside(x, width) && inside(y, height)).then(|| (x - border, y - border))
    });
    if colour == 255 { framed } else { blackened(&framed, border) }
}

fn blackened(picture: &Picture, border: u32) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let rgba: Vec<u8> = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            let outside = x < border || y < border || x >= width - border || y >= height - border;
            let at = i as usize * 3;
            let pixel = if outside { &[0; 3] } else { &picture.rgb()[at..at + 3] };
            [pixel[0], pixel[1], pixel[2], 255]
        })
        .collect();
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

/// Each pixel from another place, white where there is none.
fn rearranged(picture: &Picture, width: u32, height: u32, from: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Picture {
    let rgba: Vec<u8> = (0..width * height)
        .flat_map(|i| {
            let pixel = from(i % width, i / width).map_or([255; 3], |(x, y)| {
                let at = (y * picture.width() + x) as usize * 3;
                [0, 1, 2].map(|channel| picture.rgb()[at + channel])
            });
            [pixel[0], pixel[1], pixel[2], 255]
        })
        .collect();
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

/// Pictures of `seeds`, numbered by them.
fn index_of(seeds: std::ops::Range<u32>) -> NearDuplicates {
    let mut index = NearDuplicates::default();
    for seed in seeds {
        index.insert(seed, Signature::of(&whole(u64::from(seed))), &[]);
    }
    index
}

#[test]
fn a_picture_is_known_again() {
    let mut index = index_of(0..40);
    let changed = |seed: u64| {
        vec![
            ("written again", again(&whole(seed), 40)),
            ("cut at left and top", drawn(seed, [14, 18, WIDTH - 14, HEIGHT - 18], |colour| colour)),
            ("cut at right and bottom", drawn(seed, [0, 0, WIDTH - 14, HEIGHT - 18], |colour| colour)),
            ("mirrored", again(&mirrored(&whole(seed)), 85)),
            ("framed in white", again(&framed(&whole(seed), 14, 255), 85)),
            ("framed in black", again(&framed(&whole(seed), 14, 0), 85)),
            ("tinted", drawn(seed, [0, 0, WIDTH, HEIGHT], |[r, g, b]| [r * 1.04 + 5.0, g + 3.0, b - 3.0])),
            ("small", whole(seed).scaled(WIDTH / 2, HEIGHT / 2)),
        ]
    };
    let mut missed = Vec::new();
    for seed in 0..20 {
        for (id, (name, picture)) in (1_000..).zip(changed(seed)) {
            if index.insert(id, Signature::of(&picture), &[]) != seed as u32 {
                missed.push((seed, name));
            }
            assert!(index.remove(id));
        }
    }
    assert!(missed.len() <= 3, "{missed:?}");
    assert_eq!(index.len(), 40);
}

#[test]
fn other_pictures_stay_apart() {
    let index = index_of(0..300);
    let joined: Vec<u32> = (0..300).filter(|&id| index.cluster_of(id) != Some(id)).collect();
    assert!(joined.is_empty(), "{joined:?}");
    assert_eq!(index.cluster_of(300), None);
}

#[test]
fn other_colours_are_other_pictures() {
    let mut index = index_of(0..1);
    let recoloured = drawn(0, [0, 0, WIDTH, HEIGHT], |[r, g, b]| [b, r, g]);
    assert_eq!(index.insert(1, Signature::of(&recoloured), &[]), 1);
}

/// Each picture is a near-duplicate of the next one, the last has nothing left of the first.
#[test]
fn a_chain_does_not_become_one_cluster() {
    let mut index = NearDuplicates::default();
    let (first, last) = (whole(1), whole(2));
    let steps = 120;
    for step in 0..=steps {
        let mixed = first
            .rgb()
            .iter()
            .zip(last.rgb())
            .map(|(a, b)| ((u32::from(*a) * (steps - step) + u32::from(*b) * step) / steps) as u8);
        let rgb: Vec<u8> = mixed.collect();
        let rgba: Vec<u8> = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
        let picture = Picture::from_rgba(WIDTH, HEIGHT, &rgba).expect("a picture");
        index.insert(step, Signature::of(&picture), &[]);
    }
    assert_eq!(index.cluster_of(1), Some(0), "neighbours are one picture");
    assert!(index.members_of(0).len() < steps as usize / 2, "{}", index.members_of(0).len());
    assert_ne!(index.cluster_of(0), index.cluster_of(steps));
}

#[test]
fn what_is_replaced_or_taken_out_is_no_longer_there() {
    let mut index = index_of(0..5);
    let copy = |seed: u64| Signature::of(&again(&whole(seed), 90));
    assert_eq!(index.insert(10, copy(3), &[]), 3);
    assert_eq!(index.insert(11, copy(3), &[]), 3);
    assert!(index.remove(3) && !index.remove(3));
    assert_eq!((index.cluster_of(3), index.cluster_of(10), index.cluster_of(11)), (None, Some(10), Some(10)));
    assert_eq!(index.insert(12, copy(3), &[]), 10, "found by those that are left");
    assert_eq!(index.insert(10, copy(4), &[]), 4, "another picture under the same id");
    assert_eq!(index.cluster_of(12), Some(11));
    let mut members = index.members_of(4);
    members.sort_unstable();
    assert_eq!(members, [4, 10]);
}

#[test]
fn an_embedding_is_one_more_way_to_be_found() {
    let embedding: Vec<f32> = (0..64).map(|axis| (axis as f32 * 0.7).sin()).collect();
    let mut index = NearDuplicates::default();
    index.insert(1, Signature::of(&whole(1)), &embedding);
    assert_eq!(index.insert(2, Signature::of(&whole(2)), &embedding), 2, "found, laid over and refused");
    assert_eq!(index.insert(3, Signature::of(&again(&whole(1), 60)), &embedding), 1);
    assert_eq!(index.insert(4, Signature::of(&whole(1)), &[f32::NAN; 3]), 1);
}

#[test]
fn an_index_comes_back_from_bytes() {
    let mut index = index_of(0..30);
    for seed in 0..10u32 {
        index.insert(100 + seed, Signature::of(&again(&mirrored(&whole(u64::from(seed))), 80)), &[0.5, -0.5]);
    }
    index.remove(0);
    let bytes = Bytes::from(index.to_bytes());
    let mut back = NearDuplicates::from_bytes(&bytes).expect("intact");
    assert_eq!(back.to_bytes(), bytes);
    for id in 0..110 {
        assert_eq!(back.cluster_of(id), index.cluster_of(id));
    }
    let signature = Signature::of(&again(&whole(17), 70));
    assert_eq!(back.insert(500, signature.clone(), &[]), index.insert(500, signature, &[]));
    assert_eq!(back.cluster_of(500), Some(17));
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = index_of(0..6).to_bytes();
    let mut rng = Rng::new(5);
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        let at = rng.below(bytes.len() as u32) as usize;
        match rng.below(3) {
            0 => damaged.truncate(at),
            1 => damaged[at] ^= 1 << rng.below(8),
            _ => drop(damaged.splice(at.., (0..40).map(|_| rng.next_u64() as u8))),
        }
        let opened = NearDuplicates::from_bytes(&Bytes::from(damaged.clone()));
        // What lies between two sections carries nothing.
        assert!(opened.is_err() || opened.is_ok_and(|index| index.to_bytes() == bytes), "at {at}");
    }
    for bytes in [&[][..], &[0xff; super::SIGNATURE_BYTES][..], &[0; 7][..]] {
        assert!(matches!(Signature::from_bytes(bytes), Err(ContentError::Damaged { .. })));
    }
    let signature = Signature::of(&whole(1));
    assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
}

#[test]
fn thin_tiny_and_blank_pictures_are_fine() {
    let mut index = NearDuplicates::default();
    for (id, (width, height)) in (0..).zip([(1, 1), (1, 4_000), (4_000, 1), (3, 2)]) {
        let rgba: Vec<u8> = (0..width * height).flat_map(|i| [(i * 37) as u8, (i * 11) as u8, 9, 255]).collect();
        let picture = Picture::from_rgba(width, height, &rgba).expect("a picture");
        index.insert(id, Signature::of(&picture), &[]);
    }
    let blank = |colour: [u8; 4]| Signature::of(&Picture::from_rgba(64, 64, &colour.repeat(4_096)).expect("a picture"));
    assert_eq!(index.insert(10, blank([255, 255, 255, 255]), &[]), 10);
    assert_eq!(index.insert(11, blank([254, 255, 255, 255]), &[]), 10);
    assert_eq!(index.insert(12, blank([40, 90, 160, 255]), &[]), 12);
}
