use super::*;
use crate::{Device, Progress, Session};
use domain::Rng;
use models::{
    QUERY_WORDS_MAX, StudentScratch, TITLE_WORDS_MAX, expected_level, relevance_feature, relevance_words, word_run,
};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const COLOURS: [&str; 4] = ["blue", "navy", "red", "green"];
const THINGS: [&str; 5] = ["lamp", "lantern", "chair", "vase", "rug"];

/// Queries of a colour and a thing; pins of both. Navy is nearly blue, and a lantern nearly a lamp: nobody knows that
/// from the letters.
fn world(queries: usize, pins: usize, seed: u64) -> RelevanceData {
    let mut rng = Rng::new(seed);
    let mut data = RelevanceData::default();
    let draw = |rng: &mut Rng| [rng.below(4) as usize, rng.below(5) as usize];
    for query in 0..queries {
        let [colour, thing] = draw(&mut rng);
        let text = format!("{} {}", COLOURS[colour], THINGS[thing]);
        let mut words = Vec::new();
        relevance_words(&text, QUERY_WORDS_MAX, &mut words);
        for _ in 0..pins {
            let [other, kind] = draw(&mut rng);
            let title = format!("{} {} number {}", COLOURS[other], THINGS[kind], rng.below(50));
            let near = |a: usize, b: usize| a == b || (a < 2 && b < 2);
            let level = match (kind == thing, near(kind, thing), near(other, colour)) {
                (true, _, true) => 4,
                (true, _, false) => 3,
                (false, true, true) => 2,
                (false, true, false) => 1,
                _ => 0,
            };
            let mut of_title = Vec::new();
            relevance_words(&title, TITLE_WORDS_MAX, &mut of_title);
            let run = word_run(&words, &of_title);
            let mut features = [0.0; RELEVANCE_COUNT];
            features[relevance_feature("phrase")] = run.phrase;
            features[relevance_feature("words_title")] =
                words.iter().filter(|word| of_title.contains(word)).count() as f32 / 2.0;
            let mut label = [0.0; LEVELS];
            label[level] = 1.0;
            let (content, rest) = (Vec::new(), String::new());
            data.pins.push(LabelledPin { query, features, words: of_title, content, title, rest, label });
        }
        data.queries.push(LabelledQuery { text, words, asked: Vec::new() });
    }
    data
}

fn quietly<T>(run: impl FnOnce(&mut Session) -> Result<T, TrainError>) -> T {
    let stop = AtomicBool::new(false);
    let mut quiet = |_: &Progress| ();
    let mut session = session(&stop, None, &mut quiet);
    run(&mut session).expect("learned")
}

fn session<'a>(
    stop: &'a AtomicBool,
    checkpoint: Option<&'a Path>,
    progress: &'a mut dyn FnMut(&Progress),
) -> Session<'a> {
    Session { device: Device::Cpu, checkpoint, progress, stop, now_ms: 0, version: "v".into() }
}

fn judged(student: &models::Student, data: &RelevanceData) -> Vec<Levels> {
    let mut s = StudentScratch::default();
    let one = |pin: &LabelledPin| {
        let offered = models::Offered { features: &pin.features, title: &pin.words };
        student.judge((&data.queries[pin.query].words, &[]), &[offered], &[], &mut s)[0]
    };
    data.pins.iter().map(one).collect()
}

fn labels(data: &RelevanceData) -> Vec<usize> {
    (0..data.pins.len()).map(|pin| data.level(pin)).collect()
}

#[test]
fn teacher_and_student_learn_what_letters_do_not_tell() {
    let (learned, asked) = (world(120, 12, 1), world(40, 12, 2));
    let config = RelevanceTraining { epochs: Some(6), ..RelevanceTraining::teacher() };
    let teacher = quietly(|session| fit_teacher(&learned, &config, session));
    let all: Vec<usize> = (0..asked.pins.len()).collect();
    let taught = teach(&teacher, &asked, &all);
    let right = level_accuracy(&taught, &labels(&asked));
    assert!(right > 0.9, "the teacher is right of {right}");
    assert!(level_calibration(&taught, &labels(&asked)) < 0.1);

    let mut more = world(400, 12, 3);
    let of_more = teach(&teacher, &more, &(0..more.pins.len()).collect::<Vec<_>>());
    more.pins.iter_mut().zip(of_more).for_each(|(pin, levels)| pin.label = levels);
    let student = quietly(|session| fit_student(&more, &RelevanceTraining::student(), session));
    let found = judged(&student, &asked);
    let near = level_accuracy(&found, &labels(&asked));
    assert!(near > right - 0.05, "the student is right of {near}, the teacher of {right}");
    assert!(level_log_loss(&found, &labels(&asked)) < 0.6);
    let mean = |level: usize| {
        let of = found.iter().zip(labels(&asked)).filter(|(_, label)| *label == level);
        let levels: Vec<f32> = of.map(|(levels, _)| expected_level(levels)).collect();
        levels.iter().sum::<f32>() / levels.len() as f32
    };
    assert!(mean(4) > mean(2) && mean(2) > mean(0), "{} {} {}", mean(4), mean(2), mean(0));
}

#[test]
fn what_is_served_is_what_the_tape_computes() {
    let mut data = world(20, 6, 4);
    data.pins.iter_mut().for_each(|pin| pin.content = vec![0.3, -0.4, 0.5]);
    data.queries.iter_mut().for_each(|query| query.asked = vec![0.1, 0.9, -0.2]);
    let config = RelevanceTraining { epochs: Some(1), ..RelevanceTraining::student() };
    let student = quietly(|session| fit_student(&data, &config, session));
    let pins: Vec<&LabelledPin> = data.pins.iter().collect();
    let sharpness = student.matrices()[models::StudentPart::Sharpness as usize].values[0];
    let on_tape = fit::chances(&fit::logits(&student, &data, &pins), sharpness);
    let mut s = StudentScratch::default();
    for (pin, expected) in data.pins.iter().zip(on_tape) {
        let offered = models::Offered { features: &pin.features, title: &pin.words };
        let query = &data.queries[pin.query];
        let served = student.judge((&query.words, &query.asked), &[offered], &pin.content, &mut s)[0];
        assert!(served.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{served:?} {expected:?}");
    }
}

#[test]
fn stopped_and_continued_gives_the_same_bytes() {
    let data = world(30, 6, 5);
    let config = RelevanceTraining { epochs: Some(3), ..RelevanceTraining::student() };
    let whole = quietly(|session| fit_student(&data, &config, session)).to_bytes();
    let path = std::env::temp_dir().join(format!("bowerbird-relevance-{}", std::process::id()));
    let stop = AtomicBool::new(true);
    let mut steps = 0;
    let continued = loop {
        let mut count = |_: &Progress| steps += 1;
        match fit_student(&data, &config, &mut session(&stop, Some(&path), &mut count)) {
            Err(TrainError::Stopped { .. }) => {}
            learned => break learned.expect("learned").to_bytes(),
        }
    };
    std::fs::remove_file(&path).expect("a checkpoint was written");
    assert!(steps >= 3 && continued == whole, "{steps} steps");
}

#[test]
fn wrong_data_is_refused_by_name() {
    let few = world(2, 2, 6);
    let stop = AtomicBool::new(false);
    let fit = |data: &RelevanceData| {
        let error = fit_student(data, &RelevanceTraining::student(), &mut session(&stop, None, &mut |_| ()));
        error.expect_err("refused").to_string()
    };
    assert!(fit(&few).contains("4 labels, 50 are needed"));
    let mut odd = world(20, 6, 7);
    odd.pins[3].label = [0.5; LEVELS];
    assert!(fit(&odd).contains("label 3"));
    odd.pins[3].label = [0.2; LEVELS];
    odd.pins[5].query = 99;
    assert!(fit(&odd).contains("label 5"));
}
