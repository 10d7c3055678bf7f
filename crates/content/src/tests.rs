//! Behaviour of the whole room on real bytes.

use domain::Pin;

use crate::{CONTENT_DIM, Content, ContentError, Embedder, Picture, TEXT_DIM, Thumbnail, limits, normalise, palette};

fn understand(pin: &Pin, image: Option<&[u8]>) -> Result<Content, ContentError> {
    Embedder::default().understand(pin, image)
}

fn embed_text(words: &str) -> Vec<f32> {
    Embedder::default().embed(words, None)
}

fn checks(width: u32, height: u32) -> Picture {
    let pixel = |i: u32| {
        if (i % width * 4 / width + i / width * 4 / height).is_multiple_of(2) {
            [200, 30, 40, 255]
        } else {
            [20, 60, 160, 255]
        }
    };
    let rgba: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

fn lamp() -> Pin {
    Pin { id: "p1".into(), title: "Brass lamp".into(), topics: vec!["lamps".into()], ..Pin::default() }
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn a_pin_with_a_picture_is_understood_the_same_each_time() {
    let jpeg = checks(1_000, 1_500).to_jpeg(85).expect("a JPEG");
    let content = understand(&lamp(), Some(&jpeg)).expect("understood");
    assert_eq!(content, understand(&lamp(), Some(&jpeg)).expect("understood"));
    assert_eq!(content.understood.size, Some((1_000, 1_500)));
    assert_eq!(content.understood.palette.len(), 2);
    assert_eq!(content.understood.embedding.len(), CONTENT_DIM);
    assert!((norm(&content.understood.embedding) - 1.0).abs() < 1e-4);
    let size = |thumbnail: &Thumbnail| {
        let picture = Picture::decode(&thumbnail.jpeg).expect("decodes");
        assert_eq!(picture.width(), thumbnail.width);
        (picture.width(), picture.height())
    };
    let sizes: Vec<(u32, u32)> = content.thumbnails.iter().map(size).collect();
    assert_eq!(sizes, [(474, 711), (236, 354), (136, 204)]);
    let of =
        |width, height| checks(width, height).thumbnails().expect("thumbnails").iter().map(size).collect::<Vec<_>>();
    assert_eq!(of(100, 50), [(100, 50)], "nothing is made larger");
    assert_eq!(of(236, 100), [(236, 100), (136, 58)]);
    assert_eq!(of(300, 4_000), [(120, 1_600)], "tall ones become narrower");
}

#[test]
fn missing_parts_are_zeros_and_the_rest_carries_the_norm() {
    let words = understand(&lamp(), None).expect("understood").understood;
    assert!((norm(&words.embedding) - 1.0).abs() < 1e-4);
    assert!(words.embedding[TEXT_DIM..].iter().all(|&value| value == 0.0));
    let nameless = Pin { id: "p2".into(), ..Pin::default() };
    let png = checks(64, 64).to_jpeg(90).expect("a JPEG");
    let look = understand(&nameless, Some(&png)).expect("understood").understood;
    assert!((norm(&look.embedding) - 1.0).abs() < 1e-4);
    assert!(look.embedding[..TEXT_DIM].iter().all(|&value| value == 0.0));
    assert!(understand(&nameless, None).expect("understood").understood.embedding.is_empty());
}

#[test]
fn bad_bytes_are_refused_with_a_reason() {
    let refusal = |bytes: &[u8]| Picture::decode(bytes).expect_err("refused");
    let jpeg = checks(200, 200).to_jpeg(80).expect("a JPEG");
    assert_eq!(refusal(b""), ContentError::UnknownFormat);
    assert_eq!(refusal(b"GIF89a and so on"), ContentError::UnknownFormat);
    assert!(matches!(refusal(&jpeg[..40]), ContentError::Malformed { .. }));
    assert!(matches!(refusal(&vec![0; limits::BYTES_MAX + 1]), ContentError::TooManyBytes { .. }));
    assert!(matches!(refusal(&huge_png()), ContentError::BadSize { .. } | ContentError::Malformed { .. }));
    assert!(matches!(Picture::from_rgba(0, 9, &[]), Err(ContentError::BadSize { .. })));
    assert!(matches!(Picture::from_rgba(2, 2, &[0; 15]), Err(ContentError::Malformed { .. })));
}

#[test]
fn cut_and_flipped_bytes_never_panic() {
    let jpeg = checks(120, 90).to_jpeg(80).expect("a JPEG");
    let mut rng = domain::Rng::new(3);
    for _ in 0..300 {
        let mut bytes = jpeg.clone();
        bytes.truncate(1 + rng.below(bytes.len() as u32 - 1) as usize);
        for _ in 0..8 {
            let at = rng.below(bytes.len() as u32) as usize;
            bytes[at] ^= rng.next_u64() as u8;
        }
        let _ = understand(&lamp(), Some(&bytes));
    }
}

/// A PNG header that promises 60,000 × 60,000 pixels.
fn huge_png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(60_000u32.to_be_bytes().repeat(2));
    bytes.extend([8, 6, 0, 0, 0]);
    let crc = bytes[12..].iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    bytes.extend((!crc).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    bytes
}

#[test]
fn thin_and_tiny_pictures_are_fine() {
    for (width, height) in [(1, 1), (1, 4_000), (4_000, 1), (3, 2)] {
        let picture = checks(width, height);
        assert!(!palette(&picture).is_empty());
        assert!(!picture.thumbnails().expect("thumbnails").is_empty());
        assert_eq!(Embedder::default().embed("", Some(&picture)).len(), CONTENT_DIM);
    }
}

#[test]
fn words_are_made_alike() {
    assert_eq!(normalise("  Café\u{0} — CRÈME\tbrûlée!  "), "cafe creme brulee");
    assert_eq!(normalise("e\u{301}toile’s \u{ff21}\u{ff11}"), "etoiles a1");
    assert_eq!(normalise("\u{7}!?"), "");
}

#[test]
fn a_learned_embedder_brings_both_into_its_space() {
    let encoder = models::Encoder::untrained(models::EncoderConfig::default(), 9, 1).expect("the default shape");
    let embedder = Embedder::learned(encoder);
    let picture = checks(90, 130);
    let [both, words, look] = [("lamp", Some(&picture)), ("lamp", None), ("", Some(&picture))]
        .map(|(words, picture)| embedder.embed(words, picture));
    assert!([&both, &words, &look].into_iter().all(|vector| (norm(vector) - 1.0).abs() < 1e-4));
    assert!((dot(&both, &words) - dot(&both, &look)).abs() < 1e-4, "in the middle of both");
    assert!(embedder.embed("…", None).is_empty());
    assert_eq!(embedder.understand(&lamp(), None).expect("understood").understood.space, 9);
}

#[test]
fn near_words_are_near() {
    let near = dot(&embed_text("brass floor lamp"), &embed_text("Floor lamps in brass"));
    let far = dot(&embed_text("brass floor lamp"), &embed_text("poppy meadow at dawn"));
    assert!(near > 0.6 && far < 0.4 && near > far + 0.4, "{near} {far}");
    assert!(embed_text("…").is_empty());
}

/// Share of the ten nearest drawings that are of the same topic, and of the same mood.
#[test]
fn drawn_pictures_of_a_topic_look_alike() {
    let world =
        world::World::new(world::WorldConfig { pins: 360, pinners: 0, events: 0, ..world::WorldConfig::new(5, 0) });
    let mut sizes = Vec::new();
    let vectors: Vec<Vec<f32>> = (0..360)
        .map(|pin| {
            let drawing = world.draw(pin);
            let picture = Picture::from_rgba(drawing.width, drawing.height, &drawing.rgba).expect("a drawing");
            if pin % 8 == 0 {
                sizes.push(picture.thumbnails().expect("thumbnails")[0].jpeg.len());
            }
            Embedder::default().embed("", Some(&picture))
        })
        .collect();
    let (mut topic, mut mood) = (0, 0);
    for pin in 0..360u32 {
        let mut others: Vec<u32> = (0..360).filter(|&other| other != pin).collect();
        let score = |other: u32| dot(&vectors[pin as usize], &vectors[other as usize]);
        others.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        topic += others[..10].iter().filter(|&&other| world.topic_of(other) == world.topic_of(pin)).count();
        mood += others[..10].iter().filter(|&&other| world.mood_of(other) == world.mood_of(pin)).count();
    }
    let (topic, mood) = (topic as f32 / 3_600.0, mood as f32 / 3_600.0);
    let kilobytes = sizes.iter().sum::<usize>() / sizes.len() / 1_000;
    println!("drawings: P@10 same topic {topic:.3}, same mood {mood:.3}; {kilobytes} kB as JPEG");
    assert!(kilobytes <= 60, "{kilobytes} kB");
    assert!(topic > 0.5 && mood > 0.25, "{topic} {mood}");
}
