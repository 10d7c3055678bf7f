//! Encoders with random weights, against the same sums written once more: plain loops over numbers of 64 bits, named
//! tensor by named tensor.

use std::collections::BTreeMap;

use domain::Rng;
use serde_json::{Value, json};

use super::PublishedEncoder;

type Row = Vec<f64>;

/// Tensors by name, as they are in the file.
#[derive(Default)]
struct Naive {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Naive {
    fn put(&mut self, rng: &mut Rng, name: &str, shape: &[usize]) {
        let (count, scale) = (shape.iter().product(), 1.4 / (shape[shape.len() - 1] as f32).sqrt());
        let near = if name.to_lowercase().contains("norm") && name.ends_with("weight") { 1.0 } else { 0.0 };
        let values = (0..count).map(|_| near + scale * rng.normal()).collect();
        self.tensors.insert(name.into(), (shape.to_vec(), values));
    }

    fn linear(&mut self, rng: &mut Rng, name: &str, outputs: usize, inputs: usize) {
        self.put(rng, &format!("{name}.weight"), &[outputs, inputs]);
        self.put(rng, &format!("{name}.bias"), &[outputs]);
    }

    fn file(&self) -> Vec<u8> {
        let (mut header, mut bytes) = (serde_json::Map::new(), Vec::new());
        for (name, (shape, values)) in &self.tensors {
            let from = bytes.len();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            header.insert(name.clone(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, bytes.len()] }));
        }
        let header = Value::Object(header).to_string().into_bytes();
        [&(header.len() as u64).to_le_bytes()[..], &header, &bytes].concat()
    }

    fn at(&self, name: &str, place: usize) -> f64 {
        f64::from(self.tensors.get(name).unwrap_or_else(|| panic!("{name}")).1[place])
    }

    /// Row `row` of a table.
    fn row(&self, name: &str, row: usize, width: usize) -> Row {
        (0..width).map(|i| self.at(name, row * width + i)).collect()
    }

    /// `W x + b`, from an output on.
    fn times(&self, weight: &str, bias: Option<&str>, x: &[f64], first: usize, outputs: usize) -> Row {
        let mut out = Vec::new();
        for o in first..first + outputs {
            let mut sum = bias.map_or(0.0, |bias| self.at(bias, o));
            for (i, value) in x.iter().enumerate() {
                sum += self.at(weight, o * x.len() + i) * value;
            }
            out.push(sum);
        }
        out
    }

    fn through(&self, name: &str, x: &[f64]) -> Row {
        let weight = format!("{name}.weight");
        let outputs = self.tensors[&weight].0[0];
        self.times(&weight, Some(&format!("{name}.bias")), x, 0, outputs)
    }

    fn normed(&self, name: &str, x: &[f64], epsilon: f64) -> Row {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let (gain, offset) = (format!("{name}.weight"), format!("{name}.bias"));
        let one =
            |(i, x): (usize, &f64)| (x - mean) / (variance + epsilon).sqrt() * self.at(&gain, i) + self.at(&offset, i);
        x.iter().enumerate().map(one).collect()
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn quick(x: f64) -> f64 {
    x * sigmoid(1.702 * x)
}

fn tanh_gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x)).tanh())
}

fn relu(x: f64) -> f64 {
    x.max(0.0)
}

fn plus(a: &[f64], b: &[f64]) -> Row {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// Of each query what it reads of the keys that it sees, head by head.
fn attention(
    queries: &[Row],
    keys: &[Row],
    values: &[Row],
    heads: usize,
    sees: impl Fn(usize, usize) -> bool,
) -> Vec<Row> {
    let width = keys[0].len() / heads;
    let mut out = vec![vec![0.0; keys[0].len()]; queries.len()];
    for (q, query) in queries.iter().enumerate() {
        for head in 0..heads {
            let part = head * width..(head + 1) * width;
            let mut shares = Vec::new();
            for (k, key) in keys.iter().enumerate() {
                let score: f64 = part.clone().map(|i| query[i] * key[i]).sum::<f64>() / (width as f64).sqrt();
                shares.push(if sees(q, k) { score.exp() } else { 0.0 });
            }
            let all: f64 = shares.iter().sum();
            for (share, value) in shares.iter().zip(values) {
                part.clone().for_each(|i| out[q][i] += share / all * value[i]);
            }
        }
    }
    out
}

/// Names of a block's parts: query, key, value, out, norm, up, down, norm.
type Names = [&'static str; 8];

const BERT: Names = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];
const PAIRED: Names = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "layer_norm1",
    "mlp.fc1",
    "mlp.fc2",
    "layer_norm2",
];

const D: usize = 24;
const HIDDEN: usize = 40;
const HEADS: usize = 3;
const BLOCKS: usize = 2;

/// Puts the tensors of blocks.
fn put_blocks(naive: &mut Naive, rng: &mut Rng, under: &str, names: &Names) {
    for block in 0..BLOCKS {
        let name = |part: usize| format!("{under}.{block}.{}", names[part]);
        (0..4).for_each(|part| naive.linear(rng, &name(part), D, D));
        naive.linear(rng, &name(5), HIDDEN, D);
        naive.linear(rng, &name(6), D, HIDDEN);
        for norm in [4, 7] {
            naive.put(rng, &format!("{}.weight", name(norm)), &[D]);
            naive.put(rng, &format!("{}.bias", name(norm)), &[D]);
        }
    }
}

struct Blocks<'a> {
    under: &'a str,
    names: &'a Names,
    epsilon: f64,
    act: fn(f64) -> f64,
    causal: bool,
    norm_first: bool,
}

fn run_blocks(naive: &Naive, of: &Blocks, mut x: Vec<Row>) -> Vec<Row> {
    for block in 0..BLOCKS {
        let name = |part: usize| format!("{}.{block}.{}", of.under, of.names[part]);
        let norm = |part: usize, x: &Row| naive.normed(&name(part), x, of.epsilon);
        let read: Vec<Row> = x.iter().map(|x| if of.norm_first { norm(4, x) } else { x.clone() }).collect();
        let [queries, keys, values] =
            [0, 1, 2].map(|part| read.iter().map(|x| naive.through(&name(part), x)).collect::<Vec<Row>>());
        let mixed = attention(&queries, &keys, &values, HEADS, |q, k| !of.causal || k <= q);
        for (x, mixed) in x.iter_mut().zip(&mixed) {
            *x = plus(x, &naive.through(&name(3), mixed));
            if !of.norm_first {
                *x = norm(4, x);
            }
            let read = if of.norm_first { norm(7, x) } else { x.clone() };
            let hidden: Row = naive.through(&name(5), &read).into_iter().map(of.act).collect();
            *x = plus(x, &naive.through(&name(6), &hidden));
            if !of.norm_first {
                *x = norm(7, x);
            }
        }
    }
    x
}

fn stack() -> Value {
    json!({ "hidden_size": D, "intermediate_size": HIDDEN, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS })
}

fn with(mut base: Value, more: Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    base.as_object_mut().expect("an object").extend(more);
    base
}

fn near(ours: &[f32], expected: &[f64]) {
    assert_eq!(ours.len(), expected.len());
    for (ours, expected) in ours.iter().zip(expected) {
        assert!((f64::from(*ours) - expected).abs() < 2e-5 * expected.abs().max(1.0), "{ours} for {expected}");
    }
}

const TEXTS: [&[u32]; 4] = [&[3, 9, 4, 4, 18], &[1], &[19, 0, 2, 5, 8, 7, 6, 11], &[2, 2]];

#[test]
fn bert_is_what_plain_loops_make() {
    let (mut naive, mut rng) = (Naive::default(), Rng::new(1));
    put_blocks(&mut naive, &mut rng, "bert.encoder.layer", &BERT);
    for (name, rows) in [("word", 20), ("position", 9), ("token_type", 2)] {
        naive.put(&mut rng, &format!("bert.embeddings.{name}_embeddings.weight"), &[rows, D]);
    }
    // Old files name norms otherwise.
    naive.put(&mut rng, "bert.embeddings.LayerNorm.gamma", &[D]);
    naive.put(&mut rng, "bert.embeddings.LayerNorm.beta", &[D]);
    let places = json!({ "model_type": "bert", "vocab_size": 20, "max_position_embeddings": 9, "hidden_act": "relu" });
    let config = with(stack(), places).to_string();
    let encoder = PublishedEncoder::read(config.as_bytes(), &naive.file(), None).expect("an encoder");
    assert_eq!((encoder.dim(), encoder.tokens_max(), encoder.side(), encoder.is_filled()), (D, 9, None, false));
    for (old, new) in [("gamma", "weight"), ("beta", "bias")] {
        let values = naive.tensors[&format!("bert.embeddings.LayerNorm.{old}")].clone();
        naive.tensors.insert(format!("bert.embeddings.LayerNorm.{new}"), values);
    }
    let blocks = Blocks {
        under: "bert.encoder.layer",
        names: &BERT,
        epsilon: 1e-12,
        act: relu,
        causal: false,
        norm_first: false,
    };
    for (text, ours) in TEXTS.iter().zip(encoder.texts(&TEXTS)) {
        let start = |(place, token): (usize, &u32)| {
            let row =
                |table: &str, row: usize| naive.row(&format!("bert.embeddings.{table}_embeddings.weight"), row, D);
            let sum = plus(&plus(&row("word", *token as usize), &row("position", place)), &row("token_type", 0));
            naive.normed("bert.embeddings.LayerNorm", &sum, 1e-12)
        };
        let rows = run_blocks(&naive, &blocks, text.iter().enumerate().map(start).collect());
        let mean: Row = (0..D).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect();
        near(&ours, &mean);
    }
}

/// Both towers of CLIP or SigLIP but for what differs.
fn put_towers(naive: &mut Naive, rng: &mut Rng, patches: usize, rows: usize) {
    for tower in ["text_model", "vision_model"] {
        put_blocks(naive, rng, &format!("{tower}.encoder.layers"), &PAIRED);
    }
    naive.put(rng, "text_model.embeddings.token_embedding.weight", &[20, D]);
    naive.put(rng, "text_model.embeddings.position_embedding.weight", &[8, D]);
    naive.put(rng, "vision_model.embeddings.patch_embedding.weight", &[D, 3, patches, patches]);
    naive.put(rng, "vision_model.embeddings.position_embedding.weight", &[rows, D]);
    for norm in ["text_model.final_layer_norm", "vision_model.post_layernorm", "vision_model.pre_layrnorm"] {
        naive.put(rng, &format!("{norm}.weight"), &[D]);
        naive.put(rng, &format!("{norm}.bias"), &[D]);
    }
}

fn text_start(naive: &Naive, text: &[u32]) -> Vec<Row> {
    let row = |table: &str, row: usize| naive.row(&format!("text_model.embeddings.{table}_embedding.weight"), row, D);
    text.iter()
        .enumerate()
        .map(|(place, token)| plus(&row("token", *token as usize), &row("position", place)))
        .collect()
}

/// The patches of a picture as rows.
fn patches(naive: &Naive, pixels: &[f32], side: usize, patch: usize, bias: Option<&str>) -> Vec<Row> {
    let along = side / patch;
    let mut rows = Vec::new();
    for (top, left) in (0..along * along).map(|i| (i / along * patch, i % along * patch)) {
        let mut numbers = Vec::new();
        for (colour, y, x) in (0..3 * patch * patch).map(|i| (i / (patch * patch), i / patch % patch, i % patch)) {
            numbers.push(f64::from(pixels[colour * side * side + (top + y) * side + left + x]));
        }
        rows.push(naive.times("vision_model.embeddings.patch_embedding.weight", bias, &numbers, 0, D));
    }
    rows
}

fn random_pictures(rng: &mut Rng, side: usize) -> Vec<Vec<f32>> {
    (0..3).map(|_| (0..3 * side * side).map(|_| rng.normal()).collect()).collect()
}

#[test]
fn clip_is_what_plain_loops_make() {
    let (mut naive, mut rng) = (Naive::default(), Rng::new(2));
    put_towers(&mut naive, &mut rng, 5, 10);
    naive.put(&mut rng, "text_projection.weight", &[12, D]);
    naive.put(&mut rng, "visual_projection.weight", &[12, D]);
    naive.put(&mut rng, "vision_model.embeddings.class_embedding", &[D]);
    let config = json!({
        "model_type": "clip", "projection_dim": 12,
        "text_config": with(stack(), json!({ "vocab_size": 20, "max_position_embeddings": 8, "eos_token_id": 4 })),
        "vision_config": with(stack(), json!({ "image_size": 16, "patch_size": 5 })),
    });
    let encoder = PublishedEncoder::read(config.to_string().as_bytes(), &naive.file(), None).expect("an encoder");
    assert_eq!((encoder.dim(), encoder.side()), (12, Some(16)));
    let under = |tower: &str| format!("{tower}.encoder.layers");
    let (words, pictures) = (under("text_model"), under("vision_model"));
    let blocks = |under, causal| Blocks { under, names: &PAIRED, epsilon: 1e-5, act: quick, causal, norm_first: true };
    for (text, ours) in TEXTS.iter().zip(encoder.texts(&TEXTS)) {
        let rows = run_blocks(&naive, &blocks(&words, true), text_start(&naive, text));
        let end = text.iter().position(|token| *token == 4).unwrap_or(text.len() - 1);
        let row = naive.normed("text_model.final_layer_norm", &rows[end], 1e-5);
        near(&ours, &naive.times("text_projection.weight", None, &row, 0, 12));
    }
    let pixels = random_pictures(&mut rng, 16);
    let views: Vec<&[f32]> = pixels.iter().map(Vec::as_slice).collect();
    for (pixels, ours) in views.iter().zip(encoder.pictures(&views)) {
        let class = naive.row("vision_model.embeddings.class_embedding", 0, D);
        let rows = std::iter::once(class).chain(patches(&naive, pixels, 16, 5, None)).enumerate();
        let place = |at| naive.row("vision_model.embeddings.position_embedding.weight", at, D);
        let start = rows.map(|(at, row)| naive.normed("vision_model.pre_layrnorm", &plus(&row, &place(at)), 1e-5));
        let rows = run_blocks(&naive, &blocks(&pictures, false), start.collect());
        let row = naive.normed("vision_model.post_layernorm", &rows[0], 1e-5);
        near(&ours, &naive.times("visual_projection.weight", None, &row, 0, 12));
    }
}

#[test]
fn siglip_is_what_plain_loops_make() {
    let (mut naive, mut rng) = (Naive::default(), Rng::new(3));
    put_towers(&mut naive, &mut rng, 4, 9);
    naive.put(&mut rng, "vision_model.embeddings.patch_embedding.bias", &[D]);
    naive.linear(&mut rng, "text_model.head", D, D);
    let head = "vision_model.head";
    naive.put(&mut rng, &format!("{head}.probe"), &[1, 1, D]);
    naive.put(&mut rng, &format!("{head}.attention.in_proj_weight"), &[3 * D, D]);
    naive.put(&mut rng, &format!("{head}.attention.in_proj_bias"), &[3 * D]);
    naive.linear(&mut rng, &format!("{head}.attention.out_proj"), D, D);
    naive.linear(&mut rng, &format!("{head}.mlp.fc1"), HIDDEN, D);
    naive.linear(&mut rng, &format!("{head}.mlp.fc2"), D, HIDDEN);
    naive.put(&mut rng, &format!("{head}.layernorm.weight"), &[D]);
    naive.put(&mut rng, &format!("{head}.layernorm.bias"), &[D]);
    let config = json!({
        "model_type": "siglip",
        "text_config": with(stack(), json!({ "vocab_size": 20, "max_position_embeddings": 8 })),
        "vision_config": with(stack(), json!({ "image_size": 14, "patch_size": 4 })),
    });
    let encoder = PublishedEncoder::read(config.to_string().as_bytes(), &naive.file(), None).expect("an encoder");
    assert!(encoder.is_filled());
    let under = |tower: &str| format!("{tower}.encoder.layers");
    let (words, pictures) = (under("text_model"), under("vision_model"));
    let blocks =
        |under| Blocks { under, names: &PAIRED, epsilon: 1e-6, act: tanh_gelu, causal: false, norm_first: true };
    for (text, ours) in TEXTS.iter().zip(encoder.texts(&TEXTS)) {
        let rows = run_blocks(&naive, &blocks(&words), text_start(&naive, text));
        let row = naive.normed("text_model.final_layer_norm", rows.last().expect("a row"), 1e-6);
        near(&ours, &naive.through("text_model.head", &row));
    }
    let pixels = random_pictures(&mut rng, 14);
    let views: Vec<&[f32]> = pixels.iter().map(Vec::as_slice).collect();
    for (pixels, ours) in views.iter().zip(encoder.pictures(&views)) {
        let bias = Some("vision_model.embeddings.patch_embedding.bias");
        let place = |at| naive.row("vision_model.embeddings.position_embedding.weight", at, D);
        let start = patches(&naive, pixels, 14, 4, bias).into_iter().enumerate();
        let rows = run_blocks(&naive, &blocks(&pictures), start.map(|(at, row)| plus(&row, &place(at))).collect());
        let rows: Vec<Row> = rows.iter().map(|row| naive.normed("vision_model.post_layernorm", row, 1e-6)).collect();
        let (weight, bias) = (format!("{head}.attention.in_proj_weight"), format!("{head}.attention.in_proj_bias"));
        let part = |x: &[f64], which: usize| naive.times(&weight, Some(&bias), x, which * D, D);
        let query = vec![part(&naive.row(&format!("{head}.probe"), 0, D), 0)];
        let keys: Vec<Row> = rows.iter().map(|row| part(row, 1)).collect();
        let values: Vec<Row> = rows.iter().map(|row| part(row, 2)).collect();
        let mixed = attention(&query, &keys, &values, HEADS, |_, _| true);
        let out = naive.through(&format!("{head}.attention.out_proj"), &mixed[0]);
        let normed = naive.normed(&format!("{head}.layernorm"), &out, 1e-6);
        let hidden: Row = naive.through(&format!("{head}.mlp.fc1"), &normed).into_iter().map(tanh_gelu).collect();
        near(&ours, &plus(&out, &naive.through(&format!("{head}.mlp.fc2"), &hidden)));
    }
}

#[test]
fn a_text_is_told_alike_alone_and_among_others() {
    let (mut naive, mut rng) = (Naive::default(), Rng::new(4));
    put_blocks(&mut naive, &mut rng, "transformer.layer", &DISTILBERT);
    naive.put(&mut rng, "embeddings.word_embeddings.weight", &[20, D]);
    naive.put(&mut rng, "embeddings.position_embeddings.weight", &[9, D]);
    naive.put(&mut rng, "embeddings.LayerNorm.weight", &[D]);
    naive.put(&mut rng, "embeddings.LayerNorm.bias", &[D]);
    let config = json!({
        "model_type": "distilbert", "dim": D, "hidden_dim": HIDDEN, "n_layers": BLOCKS, "n_heads": HEADS,
        "vocab_size": 20, "max_position_embeddings": 9,
    });
    let encoder = PublishedEncoder::read(config.to_string().as_bytes(), &naive.file(), None).expect("an encoder");
    let many: Vec<&[u32]> = TEXTS.iter().copied().cycle().take(37).collect();
    for (text, among) in many.iter().zip(encoder.texts(&many)) {
        let alone: Row = encoder.texts(&[text])[0].iter().map(|value| f64::from(*value)).collect();
        near(&among, &alone);
    }
}

const DISTILBERT: Names = [
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
];
