//! Learning from drawn pictures whose words say what is drawn.

use super::*;
use crate::Device;
use models::EncoderConfig;
use std::sync::atomic::AtomicBool;

const SIDE: usize = 24;

/// Pictures of a bright square in one of four corners on one of three colours, and words that say so.
fn drawn(pins: usize) -> EncoderData {
    let mut rng = Rng::new(4);
    let mut data = EncoderData::default();
    for number in 0..pins {
        let (corner, colour) = (rng.below(4) as usize, rng.below(3) as usize);
        for place in 0..SIDE * SIDE {
            let (y, x) = (place / SIDE, place % SIDE);
            let lit = y / 12 == corner / 2 && x / 12 == corner % 2;
            let noise = rng.below(40) as u8;
            data.pixels.extend((0..3).map(|channel| match (lit, channel == colour) {
                (true, _) => 210 + noise,
                (false, true) => 100 + noise,
                (false, false) => noise,
            }));
        }
        // A turned picture shows the other side: left and right have the same word.
        let said = vec![(100 + corner as u64 / 2, 1.0), (200 + colour as u64, 1.0)];
        let words = [said.clone(), vec![(1_000 + number as u64, 0.3)]].concat();
        data.pins.push(Described { picture: Some(number), title: said, words, ..Described::default() });
    }
    data
}

fn small() -> EncoderTraining {
    let shape = EncoderConfig {
        dim: 16,
        side: SIDE,
        picture_hidden: 32,
        channels: 4,
        table_rows: 512,
        text_width: 16,
        text_hidden: 16,
    };
    EncoderTraining { shape, batch: 32, epochs: Some(12), held_back: 0.1, ..EncoderTraining::default() }
}

fn learned(
    data: &EncoderData,
    config: &EncoderTraining,
    checkpoint: Option<&Path>,
    stop_at: u64,
) -> Result<(Encoder, ModelCard), TrainError> {
    let stop = AtomicBool::new(false);
    let mut progress = |progress: &Progress| {
        if progress.step == stop_at {
            stop.store(true, Ordering::Relaxed);
        }
    };
    fit_encoder(
        data,
        config,
        &mut Session {
            device: Device::Cpu,
            checkpoint,
            progress: &mut progress,
            stop: &stop,
            now_ms: 1,
            version: "e".into(),
        },
    )
}

#[test]
fn words_are_brought_to_pictures_that_they_describe() {
    let data = drawn(300);
    let (encoder, card) = learned(&data, &small(), None, 0).expect("learned");
    let mut s = EncoderScratch::default();
    let mut right = 0;
    for (number, pin) in data.pins.iter().enumerate() {
        let picture = encoder.picture(data.picture(number, SIDE), &mut s);
        let score = |half: u64, colour: u64| {
            let text = encoder.text(&[(100 + half, 1.0), (200 + colour, 1.0)], &mut EncoderScratch::default());
            text.iter().zip(&picture).map(|(a, b)| a * b).sum::<f32>()
        };
        let all = (0..2).flat_map(|half| (0..3).map(move |colour| (half, colour)));
        let best = all.max_by(|a, b| score(a.0, a.1).total_cmp(&score(b.0, b.1))).expect("six");
        right += usize::from([(100 + best.0, 1.0), (200 + best.1, 1.0)] == pin.title[..]);
    }
    assert!(right > 270, "{right} of 300 pictures are nearest to their own words");
    assert_eq!(card.curve.len(), 12);
    assert!(card.curve[11].loss < 0.8 * card.curve[0].loss, "{:?}", card.curve);
}

#[test]
fn pictures_are_brought_to_their_topics() {
    let mut data = drawn(300);
    // Titles say nothing; the corner's height and the colour are topics.
    data.topics = [100, 101, 200, 201, 202].map(|name| vec![(name, 1.0)]).into();
    for (number, pin) in data.pins.iter_mut().enumerate() {
        pin.topics = pin.title.iter().map(|&(name, _)| (name % 100 + 2 * (name / 200)) as u32).collect();
        (pin.title, pin.words) = (vec![(5_000 + number as u64, 1.0)], vec![(5_000 + number as u64, 1.0)]);
    }
    let (encoder, _) = learned(&data, &small(), None, 0).expect("learned");
    let mut s = EncoderScratch::default();
    let names: Vec<Vec<f32>> = data.topics.iter().map(|name| encoder.text(name, &mut s)).collect();
    let mut right = 0;
    for (number, pin) in data.pins.iter().enumerate() {
        let picture = encoder.picture(data.picture(number, SIDE), &mut s);
        let score = |topic: u32| names[topic as usize].iter().zip(&picture).map(|(a, b)| a * b).sum::<f32>();
        let best = |topics: std::ops::Range<u32>| topics.max_by(|a, b| score(*a).total_cmp(&score(*b)));
        right += usize::from(pin.topics == [best(0..2).expect("two"), best(2..5).expect("three")]);
    }
    assert!(right > 270, "{right} of 300 pictures are nearest to the names of their own topics");
}

#[test]
fn pins_without_pictures_bring_titles_to_their_words() {
    let mut data = drawn(200);
    data.pixels.clear();
    data.pins.iter_mut().for_each(|pin| pin.picture = None);
    for (number, pin) in data.pins.iter_mut().enumerate() {
        let of = number as u64 % 50;
        (pin.title, pin.words) = (vec![(of, 1.0)], vec![(of, 1.0), (5_000 + of, 1.0), (1_000 + number as u64, 0.2)]);
        pin.sentences = vec![pin.words[1..].to_vec()];
    }
    let (_, card) = learned(&data, &small(), None, 0).expect("learned");
    assert!(card.metrics["validation/recall@10"] > 0.9, "{:?}", card.metrics);
}

#[test]
fn what_people_did_brings_words_together() {
    // Nothing that a pin says tells what it is searched for with, nor what it lies beside.
    let mut data = EncoderData::default();
    for number in 0..240u64 {
        let own = vec![(10_000 + number, 1.0), (20_000 + number, 1.0)];
        let (kind, others) = (number % 6, (0..240).filter(|other| other % 6 == number % 6 && *other != number));
        data.pins.push(Described {
            title: own[..1].to_vec(),
            words: own,
            queries: if number % 2 == 0 { vec![vec![(500 + kind, 1.0)]] } else { Vec::new() },
            beside: others.take(12).map(|other| other as u32).collect(),
            ..Described::default()
        });
    }
    let config = EncoderTraining { epochs: Some(100), ..small() };
    let (encoder, _) = learned(&data, &config, None, 0).expect("learned");
    let mut s = EncoderScratch::default();
    let pins: Vec<Vec<f32>> = data.pins.iter().map(|pin| encoder.text(&pin.words, &mut s)).collect();
    let mut right = 0;
    for kind in 0..6 {
        let query = encoder.text(&[(500 + kind, 1.0)], &mut s);
        let score = |at: &usize| pins[*at].iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
        let mut order: Vec<usize> = (0..pins.len()).collect();
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        right += order[..20].iter().filter(|at| **at as u64 % 6 == kind).count();
    }
    assert!(right > 80, "{right} of the 120 nearest pins are of the kind that was asked for");
    assert!(kinds_meet(&pins), "pins of one board lie together");
}

/// Whether pins of one kind lie nearer to each other than to others, on average.
fn kinds_meet(pins: &[Vec<f32>]) -> bool {
    let mean = |same: bool| {
        let pairs = (0..pins.len()).flat_map(|a| (0..a).map(move |b| (a, b))).filter(|(a, b)| (a % 6 == b % 6) == same);
        let scores: Vec<f32> = pairs.map(|(a, b)| pins[a].iter().zip(&pins[b]).map(|(a, b)| a * b).sum()).collect();
        scores.iter().sum::<f32>() / scores.len() as f32
    };
    mean(true) > mean(false) + 0.2
}

#[test]
fn a_run_that_was_stopped_gives_the_same_bytes() {
    let (data, config) = (drawn(100), EncoderTraining { epochs: Some(2), ..small() });
    let folder = std::env::temp_dir().join(format!("bowerbird-encoder-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("checkpoint");
    _ = std::fs::remove_file(&path);
    let whole = learned(&data, &config, None, 0).expect("learned");
    assert!(matches!(learned(&data, &config, Some(&path), 4), Err(TrainError::Stopped { step: 4 })));
    let continued = learned(&data, &config, Some(&path), 0).expect("continued");
    assert_eq!(continued, whole);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    assert_eq!(threads.install(|| learned(&data, &config, None, 0)).expect("on one thread"), whole);
}

#[test]
fn too_little_and_wrong_data_are_told() {
    let error = |data: &EncoderData| learned(data, &small(), None, 0).expect_err("wrong").to_string();
    assert!(error(&drawn(20)).contains("20 pins have words, 64 are needed"));
    let mut wrong = drawn(70);
    wrong.pins[3].picture = Some(70);
    assert!(error(&wrong).contains("pin 3 has a picture that is not there"));
    wrong.pins[3].picture = None;
    wrong.pins[3].topics = vec![0];
    assert!(error(&wrong).contains("pin 3 has a topic that is not there"));
    wrong.pins[3].words.clear();
    assert!(error(&wrong).contains("pin 3 has no words"));
}
