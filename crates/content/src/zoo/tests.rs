//! Encoders whose weights follow a formula, against what the reference makes of them (`bench/peers/published golden`
//! writes `tests/zoo`), and damaged files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::Rng;
use models::PublishedEncoder;
use serde_json::{Value, json};

use super::looks::Looks;
use super::tokens::Tokens;
use crate::{Embedder, PUBLISHED_FILES, Picture};

/// Most that any number may lie beside the reference's.
const ERROR_MAX: f64 = 1e-4;

/// A table of the reference.
struct Case {
    name: String,
    told: Value,
    files: BTreeMap<&'static str, Vec<u8>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo")
}

fn cases(folder: &Path) -> Vec<Case> {
    let files = std::fs::read_dir(folder).expect("a folder of tables");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let told: Value = serde_json::from_slice(&std::fs::read(path).expect("a table")).expect("JSON");
        let of = |name: &str| told["files"].get(name).map(|value| value.to_string().into_bytes());
        let mut files: BTreeMap<&str, Vec<u8>> =
            PUBLISHED_FILES.iter().filter_map(|file| Some((file.name, of(file.name)?))).collect();
        files.insert("model.safetensors", weights(&told));
        Case { name: path.file_stem().expect("a name").display().to_string(), told, files }
    };
    paths.iter().map(read).collect()
}

fn case(name: &str) -> Case {
    cases(&folder()).into_iter().find(|case| case.name == name).expect("a case of this name")
}

/// The tensors that a table names, by the formula of `bench/peers/encoders/formula.py`.
fn weights(told: &Value) -> Vec<u8> {
    let seed = told["seed"].as_u64().expect("a seed") as u32;
    let tensors = told["tensors"].as_object().expect("tensors").iter().map(|(name, shape)| {
        let shape: Vec<usize> = serde_json::from_value(shape.clone()).expect("a shape");
        (name.as_str(), tensor(name, &shape, seed), shape)
    });
    safetensors(tensors.collect())
}

fn tensor(name: &str, shape: &[usize], seed: u32) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let start = name.bytes().fold(0x811c_9dc5 ^ seed, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let is_gain = name.to_lowercase().contains("norm") && name.ends_with("weight");
    let value = |place: usize| {
        let mut mixed = (place as u32).wrapping_mul(0x9e37_79b9).wrapping_add(start);
        mixed = (mixed ^ mixed >> 16).wrapping_mul(0x85eb_ca6b);
        mixed = (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35);
        let value = f64::from(mixed ^ mixed >> 16) / 2f64.powi(31) - 1.0;
        match shape {
            [] | [_] if is_gain => 1.0 + 0.2 * value,
            [] | [_] => 0.2 * value,
            [_, _] if name.contains("embedding") => 0.5 * value,
            [outputs, ..] => value * 1.5 * (3.0 / (count / outputs) as f64).sqrt(),
        }
    };
    (0..count).map(|place| value(place) as f32).collect()
}

fn safetensors(tensors: Vec<(&str, Vec<f32>, Vec<usize>)>) -> Vec<u8> {
    let (mut header, mut bytes) = (serde_json::Map::new(), Vec::new());
    for (name, values, shape) in tensors {
        let from = bytes.len();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        header.insert(name.into(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, bytes.len()] }));
    }
    let header = Value::Object(header).to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes()[..], &header, &bytes].concat()
}

/// Slopes that fold over, on a chequered ground, by the formula of `bench/peers/encoders/formula.py`.
fn picture(width: u32, height: u32, number: u32) -> Picture {
    let value = |x: u32, y: u32, c: u32| {
        let ground = (x / 8 + y / 8) % 2 * 90;
        (x * (5 + 2 * c) + y * (3 + 4 * c) + ground + x * y * number / 16 + 40 * number) as u8
    };
    let pixel = |at: u32| [0, 1, 2, 3].map(|c| if c == 3 { 255 } else { value(at % width, at / width, c) });
    let rgba: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    Picture::from_rgba(width, height, &rgba).expect("a picture")
}

fn numbers(of: &Value) -> Vec<f64> {
    serde_json::from_value(of.clone()).expect("numbers")
}

/// The largest difference, where there are equally many.
fn apart(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(ours, theirs)| (f64::from(*ours) - theirs).abs()).fold(0.0, f64::max)
}

fn length(of: &[f64]) -> f64 {
    of.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Compares tokens, pixels and vectors of a table; gives the largest difference.
fn compare(case: &Case) -> f64 {
    let get = |name: &str| case.files.get(name).map(Vec::as_slice).unwrap_or_default();
    let pooling = case.files.get("1_Pooling/config.json").map(Vec::as_slice);
    let encoder = PublishedEncoder::read(get("config.json"), get("model.safetensors"), pooling).expect("an encoder");
    let tokens = Tokens::read(get("tokenizer.json"), &case.files, &encoder).expect("a tokeniser");
    let embedder = Embedder::published(&case.files, 7).expect("an embedder");
    assert_eq!(embedder.space(), 7);
    let mut worst = 0.0f64;
    let mut texts = Vec::new();
    for told in case.told["texts"].as_array().expect("texts") {
        let text = told["text"].as_str().expect("a text");
        let ids = tokens.of(text).expect("tokens");
        assert_eq!(json!(ids), told["tokens"], "{}: tokens of {text:?}", case.name);
        let theirs = numbers(&told["vector"]);
        let unit: Vec<f64> = theirs.iter().map(|value| value / length(&theirs)).collect();
        worst = worst.max(apart(&embedder.embed(text, None), &unit));
        texts.push((ids, theirs));
    }
    let ids: Vec<&[u32]> = texts.iter().map(|(ids, _)| ids.as_slice()).collect();
    for (ours, (_, theirs)) in encoder.texts(&ids).iter().zip(&texts) {
        worst = worst.max(apart(ours, theirs));
    }
    for (told, number) in case.told["pictures"].as_array().expect("pictures").iter().zip(0..) {
        let size = |at: usize| told["size"][at].as_u64().expect("a size") as u32;
        let picture = picture(size(0), size(1), number);
        let looks = Looks::read(get("preprocessor_config.json"), encoder.side().expect("a side")).expect("looks");
        let pixels = looks.of(&picture);
        let some: Vec<f32> = pixels.iter().step_by(97).copied().collect();
        let off = apart(&some, &numbers(&told["pixels"]));
        assert!(off < 1e-6, "{}: a pixel of picture {number} is off by {off}", case.name);
        let theirs = numbers(&told["vector"]);
        worst = worst.max(apart(&encoder.pictures(&[&pixels])[0], &theirs));
        let unit: Vec<f64> = theirs.iter().map(|value| value / length(&theirs)).collect();
        worst = worst.max(apart(&embedder.embed("", Some(&picture)), &unit));
    }
    worst
}

#[test]
fn vectors_are_those_of_the_reference() {
    let cases = cases(&folder());
    assert_eq!(cases.len(), 7);
    for case in &cases {
        let worst = compare(case);
        println!("{}: {worst:.1e} beside the reference at most", case.name);
        assert!(worst < ERROR_MAX, "{}: {worst} beside the reference", case.name);
    }
}

/// With other weights than those that are kept, where there is a Python with the reference: `BOWERBIRD_PYTHON`, or the
/// one of `bench/peers/published`.
#[test]
fn vectors_are_those_of_the_reference_as_it_runs_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let standard = root.join("bench/peers/encoders/.venv/bin/python");
    let python = std::env::var_os("BOWERBIRD_PYTHON").map_or(standard, PathBuf::from);
    let has = Command::new(&python).args(["-c", "import torch, transformers, tokenizers, PIL"]).output();
    if !has.is_ok_and(|has| has.status.success()) {
        eprintln!("skipped: no Python with torch and transformers (BOWERBIRD_PYTHON, or bench/peers/published once)");
        return;
    }
    let out = std::env::temp_dir().join(format!("bowerbird-zoo-{}", std::process::id()));
    for seed in ["2", "3"] {
        let run = Command::new(root.join("bench/peers/published"))
            .env("PYTHON", &python)
            .args(["golden", "--seed", seed, "--out"])
            .arg(&out)
            .output()
            .expect("the script runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        for case in cases(&out) {
            let worst = compare(&case);
            println!("{} with seed {seed}: {worst:.1e} beside the reference at most", case.name);
            assert!(worst < ERROR_MAX, "{} with seed {seed}: {worst} beside the reference", case.name);
        }
    }
    std::fs::remove_dir_all(&out).expect("removed");
}

#[test]
fn words_and_pictures_meet_in_the_middle_and_say_nothing_where_there_is_nothing() {
    let case = case("clip");
    let embedder = Embedder::published(&case.files, 3).expect("an embedder");
    let picture = picture(40, 30, 1);
    let (text, look) = (embedder.embed("a brass lamp", None), embedder.embed(" \n", Some(&picture)));
    let both = embedder.embed("a brass lamp", Some(&picture));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    assert!((dot(&both, &both) - 1.0).abs() < 1e-5);
    assert!((dot(&both, &text) - dot(&both, &look)).abs() < 1e-5);
    assert!(embedder.embed("", None).is_empty());
    let words = Embedder::published(&super::tests::case("bert").files, 4).expect("an embedder");
    assert!(words.embed("", Some(&picture)).is_empty(), "only words are read");
    assert_eq!(words.embed("lamp", Some(&picture)), words.embed("lamp", None));
    let narrow = self::picture(9_000, 1, 1);
    assert_eq!(embedder.embed("", Some(&narrow)).len(), 24, "one row, stretched to a million columns");
}

/// What is refused, and why.
fn refusal(case: &Case, change: impl FnOnce(&mut BTreeMap<&'static str, Vec<u8>>)) -> String {
    let mut files = case.files.clone();
    change(&mut files);
    Embedder::published(&files, 3).expect_err("refused").to_string()
}

#[test]
fn what_does_not_fit_is_refused_with_file_and_reason() {
    let (clip, bert) = (case("clip"), case("bert"));
    let with = |of: &Case, file: &'static str, change: &dyn Fn(&mut Value)| {
        refusal(of, |files| {
            let mut value: Value = serde_json::from_slice(&files[file]).expect("JSON");
            change(&mut value);
            files.insert(file, value.to_string().into_bytes());
        })
    };
    let set = |path: &'static str, to: Value| {
        move |value: &mut Value| {
            let (parent, name) = path.rsplit_once('/').expect("a pointer");
            value.pointer_mut(parent).expect("there")[name] = to.clone();
        }
    };
    let config = |path, to| with(&clip, "config.json", &set(path, to));
    let looks = |path, to| with(&clip, "preprocessor_config.json", &set(path, to));
    for (error, reasons) in [
        (config("/model_type", json!("gpt2")), ["config.json: model_type is 'gpt2'", "clip and siglip"]),
        (config("/projection_dim", json!(0)), ["config.json: projection_dim is 0", "1 to 8192"]),
        (config("/projection_dim", json!(25)), ["'text_projection.weight'", "[24, 32], [25, 32] expected"]),
        (config("/text_config/num_attention_heads", json!(5)), ["hidden_size is 32", "5 heads"]),
        (config("/text_config/num_hidden_layers", json!(3)), ["layers.2.self_attn.q_proj.weight'", "is missing"]),
        (config("/text_config/vocab_size", json!("many")), ["vocab_size is \"many\"", "whole number"]),
        (config("/vision_config/image_size", json!(40)), ["position_embedding.weight'", "[17, 32], [26, 32] expected"]),
        (config("/vision_config/hidden_act", json!("selu")), ["hidden_act is 'selu'", "not known"]),
        (looks("/resample", json!(0)), ["preprocessor_config.json: resample", "1, 2 or 3"]),
        (looks("/crop_size", json!(31)), ["crop_size is 31", "32 × 32"]),
        (looks("/size", json!({ "shortest_edge": 9 })), ["size is {\"shortest_edge\":9}", "32 to 2048"]),
        (looks("/image_std", json!([0.2, 0.0, 0.2])), ["image_std", "above 0"]),
        (
            refusal(&clip, |files| drop(files.remove("preprocessor_config.json"))),
            ["preprocessor_config.json", "missing"],
        ),
        (refusal(&clip, |files| drop(files.remove("tokenizer.json"))), ["tokenizer.json", "missing"]),
        (refusal(&clip, |files| drop(files.insert("tokenizer.json", b"{}".into()))), ["tokenizer.json", ""]),
        (
            with(&bert, "modules.json", &set("/1/type", json!("x.Dense"))),
            ["modules.json", "\"Dense\" in \"1_Pooling\""],
        ),
        (
            with(&bert, "1_Pooling/config.json", &set("/pooling_mode_max_tokens", json!(true))),
            ["1_Pooling/config.json", "max_tokens"],
        ),
        (with(&bert, "config.json", &set("/vocab_size", json!(100))), ["word_embeddings.weight", "expected"]),
        (
            with(&bert, "config.json", &set("/position_embedding_type", json!("relative_key"))),
            ["position_embedding_type", "absolute"],
        ),
    ] {
        assert!(reasons.iter().all(|reason| error.contains(reason)), "{error}: {reasons:?}");
    }
}

#[test]
fn sentences_are_as_long_as_their_file_says() {
    let mut case = case("bert");
    let error = |length: Value| {
        refusal(&super::tests::case("bert"), |files| {
            files.insert("sentence_bert_config.json", json!({ "max_seq_length": length }).to_string().into_bytes());
        })
    };
    assert!(error(json!(2)).contains("adds 2 tokens to every text, which has at most 2"));
    assert!(error(json!("long")).contains("sentence_bert_config.json: max_seq_length is \"long\""));
    let long = Embedder::published(&case.files, 3).expect("an embedder");
    case.files.insert("sentence_bert_config.json", br#"{"max_seq_length":5,"do_lower_case":false}"#.to_vec());
    let short = Embedder::published(&case.files, 3).expect("an embedder");
    let (text, beginning) = ("a brass lamp on a walnut desk", "a");
    assert_ne!(short.embed(text, None), long.embed(text, None));
    assert_eq!(short.embed(beginning, None), long.embed(beginning, None));
}

#[test]
fn more_tokens_than_weights_are_refused() {
    let mut case = case("bert");
    case.told["tensors"]["embeddings.word_embeddings.weight"] = json!([90, 32]);
    case.files.insert("model.safetensors", weights(&case.told));
    let error = refusal(&case, |files| {
        let mut config: Value = serde_json::from_slice(&files["config.json"]).expect("JSON");
        config["vocab_size"] = json!(90);
        files.insert("config.json", config.to_string().into_bytes());
    });
    assert!(error.contains("tokenizer.json: has token") && error.contains("the weights know 90"), "{error}");
}

#[test]
fn damaged_files_are_refused_or_read_and_never_panic() {
    let mut rng = Rng::new(9);
    for case in [case("bert"), case("clip"), case("siglip")] {
        let mut refused = 0;
        for round in 0..60 {
            let mut files = case.files.clone();
            let names: Vec<&'static str> = files.keys().copied().collect();
            let name = names[rng.below(names.len() as u32) as usize];
            let bytes = files.get_mut(name).expect("there");
            // Of weights the header: what lies behind is numbers.
            let place = rng.below(bytes.len().min(3_000) as u32) as usize;
            match round % 3 {
                0 => bytes.truncate(place),
                1 => bytes[place] ^= 1 << rng.below(8),
                _ => bytes[place] = b"0123456789{}[],\"-e"[rng.below(18) as usize],
            }
            match Embedder::published(&files, 3) {
                Err(_) => refused += 1,
                Ok(embedder) => {
                    let vector = embedder.embed("A brass lamp", Some(&picture(30, 20, 2)));
                    assert!(vector.iter().all(|value| value.is_finite()));
                }
            }
        }
        assert!(refused >= 20, "{}: {refused} of 60 refused", case.name);
    }
}
