//! What the content pipeline makes of a real collection, as a report.
//!
//! ```text
//! cargo run --release -p bowerbird-content --example understand -- fashion
//! cargo run --release -p bowerbird-content --example understand -- tate --step 4 --json
//! ```
//! `fashion` (product photos, titles, attributes) or `tate` (titles and subjects of artworks), below the folder that
//! `BOWERBIRD_DATASETS` names; `--step N` takes every N-th pin, `--safety FILE` reads safety rules (JSON).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use content::{
    Annotation, AnnotationCounts, CONTENT_DIM, Embedder, LearnedTopics, Picture, QualityKind, QualityParams,
    SEMANTIC_LEVELS, SafetyRules, SemanticIds, Taxonomy, TopicParams, language, normalise, quality,
};
use flate2::read::GzDecoder;
use serde::Serialize;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A pin as it is judged.
struct Row {
    title: String,
    /// What others say of it.
    labels: Vec<String>,
    /// Of these, the one by which pins are of one kind.
    kind: String,
    /// Names from the root of a taxonomy to the kind, where there is one.
    path: Vec<String>,
    picture: Option<Picture>,
}

#[derive(Serialize)]
struct Report {
    pins: usize,
    languages: Vec<(String, usize)>,
    annotations: Annotations,
    taxonomy: Option<Named>,
    topics: Topics,
    semantic_ids: Vec<Level>,
    semantic_ids_learned_s: f32,
    quality: Qualities,
    safety: Vec<(String, String, Vec<String>)>,
    pins_per_s: BTreeMap<&'static str, f32>,
}

#[derive(Serialize)]
struct Annotations {
    terms: usize,
    /// From which confidence on, terms, share that others say too, mean confidence.
    checks: Vec<(f32, usize, f32, f32)>,
    examples: Vec<(String, Vec<(String, f32)>)>,
}

#[derive(Serialize)]
struct Named {
    topics: usize,
    named_share: f32,
    right_share: f32,
    confidence: f32,
}

#[derive(Serialize)]
struct Topics {
    learned_s: f32,
    /// Share of pins of their topic's most frequent kind, of all and of those assigned with a confidence of .8.
    purity: f32,
    purity_of_sure: f32,
    /// Name, pins, most frequent kind and its share.
    largest: Vec<(String, usize, String, f32)>,
}

#[derive(Serialize)]
struct Level {
    bytes: usize,
    pairs: u64,
    same_kind: f64,
    prefixes: usize,
}

#[derive(Serialize)]
struct Qualities {
    /// Pins by score, in tenths.
    scores: [usize; 10],
    labels: Vec<(&'static str, usize)>,
    /// Share of pictures labelled as blurred, as they are and after a blur of three pixels.
    blurred: Option<[f32; 2]>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut set, mut step, mut json, mut safety) = ("fashion".to_owned(), 5, false, SafetyRules::default());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--step" => step = arguments.next().ok_or("--step N")?.parse::<usize>()?.max(1),
            "--safety" => {
                let text = std::fs::read_to_string(arguments.next().ok_or("--safety FILE")?)?;
                safety = SafetyRules::new(&serde_json::from_str(&text)?)?;
            }
            _ => set = argument,
        }
    }
    let root = std::env::var_os("BOWERBIRD_DATASETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let rows = match set.as_str() {
        "fashion" => fashion(&root.join("fashion_products"), step)?,
        "tate" => tate(&root.join("tate_artworks"), step)?,
        other => return Err(format!("no set '{other}': fashion or tate").into()),
    };
    let report = report(&rows, &safety)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn fashion(folder: &Path, step: usize) -> Result<Vec<Row>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(folder.join("images_60x80.zip"))?))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(File::open(folder.join("products.csv.gz"))?));
    let mut rows = Vec::new();
    for record in table.records().step_by(step) {
        let record = record?;
        let at = |column: usize| record.get(column).unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        archive.by_name(&format!("{}.jpg", at(0)))?.read_to_end(&mut bytes)?;
        rows.push(Row {
            title: at(9),
            labels: vec![at(4), at(5), at(8)],
            kind: at(4),
            path: vec![at(2), at(3), at(4)],
            picture: Some(Picture::decode(&bytes)?),
        });
    }
    Ok(rows)
}

fn tate(folder: &Path, step: usize) -> Result<Vec<Row>> {
    let lines = BufReader::new(GzDecoder::new(File::open(folder.join("artworks.jsonl.gz"))?)).lines();
    let mut rows = Vec::new();
    for line in lines.step_by(step) {
        let work: serde_json::Value = serde_json::from_str(&line?)?;
        let texts = |name: &str| -> Vec<String> {
            let texts = work[name].as_array().into_iter().flatten();
            texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let title = work["title"].as_str().unwrap_or_default();
        let kind = texts("subjects_l2").first().cloned().unwrap_or_default();
        if !title.starts_with('[') && !kind.is_empty() {
            rows.push(Row { title: title.into(), labels: texts("subjects"), kind, path: Vec::new(), picture: None });
        }
    }
    Ok(rows)
}

fn report(rows: &[Row], safety: &SafetyRules) -> Result<Report> {
    let mut pins_per_s = BTreeMap::new();
    let mut timed = |name: &'static str, started: Instant| {
        pins_per_s.insert(name, rows.len() as f32 / started.elapsed().as_secs_f32());
    };
    let started = Instant::now();
    let languages = languages(rows);
    timed("language", started);
    let annotations = annotations(rows);
    let started = Instant::now();
    let mut counts = AnnotationCounts::default();
    rows.iter().for_each(|row| counts.observe(&row.title, "", &row.labels));
    timed("observe", started);
    let annotator = counts.finish();
    let started = Instant::now();
    let terms: Vec<Vec<Annotation>> = rows.iter().map(|row| annotator.annotate(&row.title, "", &[])).collect();
    timed("annotate", started);
    let started = Instant::now();
    let taxonomy = taxonomy(rows)?;
    timed("taxonomy", started);
    let started = Instant::now();
    let embedder = Embedder::default();
    let embed = |row: &Row| embedder.embed(&row.title, row.picture.as_ref());
    let embedded: Vec<(&Row, Vec<f32>)> =
        rows.iter().map(|row| (row, embed(row))).filter(|(_, vector)| !vector.is_empty()).collect();
    timed("embed", started);
    let vectors: Vec<f32> = embedded.iter().flat_map(|(_, vector)| vector).copied().collect();
    let kinds: Vec<&str> = embedded.iter().map(|(row, _)| row.kind.as_str()).collect();
    let annotated: Vec<Vec<Annotation>> =
        embedded.iter().map(|(row, _)| annotator.annotate(&row.title, "", &[])).collect();
    let topics = topics(&vectors, &annotated, &kinds)?;
    let started = Instant::now();
    let ids = SemanticIds::learn(&vectors, CONTENT_DIM, 1)?;
    let semantic_ids_learned_s = started.elapsed().as_secs_f32();
    let started = Instant::now();
    let codes: Vec<[u8; SEMANTIC_LEVELS]> = vectors.chunks_exact(CONTENT_DIM).filter_map(|v| ids.code(v)).collect();
    timed("semantic id", started);
    let started = Instant::now();
    let quality = qualities(rows);
    timed("quality", started);
    let found = rows.iter().flat_map(|row| safety.check(&row.title, "").into_iter().map(move |label| (row, label)));
    Ok(Report {
        pins: rows.len(),
        languages,
        annotations: Annotations { terms: annotator.terms(), examples: examples(rows, &terms), ..annotations },
        taxonomy,
        topics,
        semantic_ids: levels(&codes, &kinds),
        semantic_ids_learned_s,
        quality: Qualities { blurred: blurred(rows)?, ..quality },
        safety: found.map(|(row, label)| (label.label, row.title.clone(), label.terms)).collect(),
        pins_per_s,
    })
}

fn languages(rows: &[Row]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(language(&row.title).map_or("none", |(code, _)| code)).or_default() += 1);
    most_frequent(counts, 8)
}

fn most_frequent(counts: BTreeMap<&str, usize>, most: usize) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(most);
    counts
}

/// Reads a half of the pins with what others say of them, and holds the terms of the other half's titles against what
/// others say of those.
fn annotations(rows: &[Row]) -> Annotations {
    let mut order: Vec<&Row> = rows.iter().collect();
    domain::Rng::new(7).shuffle(&mut order);
    let (read, judged) = order.split_at(order.len() / 2);
    let mut counts = AnnotationCounts::default();
    read.iter().for_each(|row| counts.observe(&row.title, "", &row.labels));
    let annotator = counts.finish();
    let mut told: Vec<(f32, bool)> = Vec::new();
    for row in judged {
        let said: HashSet<String> = row.labels.iter().flat_map(|label| runs(label)).collect();
        let terms = annotator.annotate(&row.title, "", &[]);
        told.extend(terms.iter().map(|a| (a.confidence, runs(&a.term).last().is_some_and(|term| said.contains(term)))));
    }
    let check = |least: f32| {
        let told: Vec<&(f32, bool)> = told.iter().filter(|(confidence, _)| *confidence >= least).collect();
        let count = told.len().max(1) as f32;
        let right = told.iter().filter(|(_, right)| *right).count() as f32;
        (least, told.len(), right / count, told.iter().map(|(confidence, _)| confidence).sum::<f32>() / count)
    };
    Annotations { terms: 0, checks: [0.8, 0.5].map(check).to_vec(), examples: Vec::new() }
}

/// All runs of up to three words, written as one word without plural, the longest last: this judge shares no code with
/// what it judges.
fn runs(text: &str) -> Vec<String> {
    let normal = normalise(text);
    let words: Vec<&str> = normal.split(' ').collect();
    let singular = |word: &str| match word.len() {
        0..4 => word.to_owned(),
        _ if word.ends_with("sses") || word.ends_with("ches") || word.ends_with("shes") => {
            word[..word.len() - 2].into()
        }
        _ if word.ends_with("ies") => format!("{}y", &word[..word.len() - 3]),
        _ if word.ends_with("ss") => word.to_owned(),
        _ => word.strip_suffix('s').unwrap_or(word).to_owned(),
    };
    let run = |words: &[&str]| words.iter().map(|word| singular(word)).collect::<String>();
    (1..=words.len().min(3)).flat_map(|length| words.windows(length).map(run).collect::<Vec<_>>()).collect()
}

fn examples(rows: &[Row], terms: &[Vec<Annotation>]) -> Vec<(String, Vec<(String, f32)>)> {
    let step = (rows.len() / 10).max(1);
    let told = |terms: &[Annotation]| terms.iter().map(|term| (term.term.clone(), term.confidence)).collect();
    let titled = rows.iter().zip(terms).filter(|(row, _)| !row.title.is_empty());
    titled.step_by(step).take(10).map(|(row, terms)| (row.title.clone(), told(terms))).collect()
}

/// The tree that the rows' own paths make, held against the kinds.
fn taxonomy(rows: &[Row]) -> Result<Option<Named>> {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        let mut parent = String::new();
        for (depth, name) in row.path.iter().enumerate() {
            let id = format!("{depth}:{name}");
            lines.entry(id.clone()).or_insert_with(|| format!("{id},{name},{parent}"));
            parent = id;
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let lines: Vec<String> = std::iter::once("id,name,parent".into()).chain(lines.into_values()).collect();
    let taxonomy = Taxonomy::parse(&lines.join("\n"))?;
    let (mut named, mut right, mut sure, mut titled) = (0, 0, 0.0, 0);
    for row in rows.iter().filter(|row| !row.title.is_empty()) {
        titled += 1;
        let deepest = format!("{}:", row.path.len() - 1);
        let topics = taxonomy.assign(&row.title, "");
        if let Some(first) = topics.iter().find(|topic| topic.topic.starts_with(&deepest)) {
            named += 1;
            sure += first.confidence;
            right += usize::from(first.topic[deepest.len()..] == row.kind);
        }
    }
    Ok(Some(Named {
        topics: taxonomy.topics(),
        named_share: named as f32 / titled.max(1) as f32,
        right_share: right as f32 / named.max(1) as f32,
        confidence: sure / named.max(1) as f32,
    }))
}

fn topics(vectors: &[f32], annotations: &[Vec<Annotation>], kinds: &[&str]) -> Result<Topics> {
    let started = Instant::now();
    let topics = LearnedTopics::learn(vectors, CONTENT_DIM, annotations, &TopicParams { topics: 50, seed: 1 })?;
    let learned_s = started.elapsed().as_secs_f32();
    let mut of_topic: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); topics.topics()];
    let assigned: Vec<(usize, f32)> = vectors.chunks_exact(CONTENT_DIM).filter_map(|v| topics.assign(v)).collect();
    for ((topic, _), kind) in assigned.iter().zip(kinds) {
        *of_topic[*topic].entry(kind).or_default() += 1;
    }
    let first = |kinds: &BTreeMap<&str, usize>| most_frequent(kinds.clone(), 1).pop().unwrap_or_default();
    let firsts: Vec<(String, usize)> = of_topic.iter().map(first).collect();
    let purity = |least: f32| {
        let sure = assigned.iter().zip(kinds).filter(|((_, confidence), _)| *confidence >= least);
        let right: Vec<bool> = sure.map(|((topic, _), kind)| firsts[*topic].0 == **kind).collect();
        right.iter().filter(|&&right| right).count() as f32 / right.len().max(1) as f32
    };
    let mut largest: Vec<(String, usize, String, f32)> = (0..topics.topics())
        .map(|at| {
            let pins = of_topic[at].values().sum::<usize>();
            let (kind, count) = firsts[at].clone();
            (topics.name(at).unwrap_or_default().to_owned(), pins, kind, count as f32 / pins.max(1) as f32)
        })
        .collect();
    largest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    largest.truncate(20);
    Ok(Topics { learned_s, purity: purity(0.0), purity_of_sure: purity(0.8), largest })
}

/// Of all pairs of pins that share the first bytes of their codes, the share of one kind.
fn levels(codes: &[[u8; SEMANTIC_LEVELS]], kinds: &[&str]) -> Vec<Level> {
    let pairs_of = |count: &u64| count * (count - 1) / 2;
    (0..=SEMANTIC_LEVELS)
        .map(|bytes| {
            let mut groups: BTreeMap<&[u8], u64> = BTreeMap::new();
            let mut same: BTreeMap<(&[u8], &str), u64> = BTreeMap::new();
            for (code, kind) in codes.iter().zip(kinds) {
                *groups.entry(&code[..bytes]).or_default() += 1;
                *same.entry((&code[..bytes], kind)).or_default() += 1;
            }
            let pairs: u64 = groups.values().map(pairs_of).sum();
            let same: u64 = same.values().map(pairs_of).sum();
            Level { bytes, pairs, same_kind: same as f64 / pairs.max(1) as f64, prefixes: groups.len() }
        })
        .collect()
}

/// The pictures of these sets were made small; their size is no fault of theirs.
fn qualities(rows: &[Row]) -> Qualities {
    let params = QualityParams { side_px_min: 48.0, ..QualityParams::default() };
    let mut scores = [0; 10];
    let mut labels: BTreeMap<QualityKind, usize> = BTreeMap::new();
    for row in rows {
        let quality = quality(&row.title, "", row.picture.as_ref(), &params);
        scores[((quality.score * 10.0) as usize).min(9)] += 1;
        quality.labels.iter().for_each(|label| *labels.entry(label.kind).or_default() += 1);
    }
    Qualities { scores, labels: labels.into_iter().map(|(k, count)| (k.as_str(), count)).collect(), blurred: None }
}

/// How many pictures are labelled as blurred before and after they are.
fn blurred(rows: &[Row]) -> Result<Option<[f32; 2]>> {
    let params = QualityParams::default();
    let is_blurred = |picture: &Picture| {
        let labels = quality("a title", "", Some(picture), &params).labels;
        labels.iter().any(|label| label.kind == QualityKind::Blurred)
    };
    let pictures: Vec<&Picture> = rows.iter().filter_map(|row| row.picture.as_ref()).step_by(10).collect();
    let mut found = [0, 0];
    for picture in &pictures {
        found[0] += usize::from(is_blurred(picture));
        found[1] += usize::from(is_blurred(&blur(picture)?));
    }
    let shares = found.map(|found| found as f32 / pictures.len().max(1) as f32);
    Ok((!pictures.is_empty()).then_some(shares))
}

/// Each pixel the mean of three by three.
fn blur(picture: &Picture) -> Result<Picture> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut rgba = Vec::with_capacity(width * height * 4);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let near: BTreeSet<(usize, usize)> = (0..9)
            .map(|i| ((y + i / 3).saturating_sub(1).min(height - 1), (x + i % 3).saturating_sub(1).min(width - 1)))
            .collect();
        for channel in 0..3 {
            let sum: usize = near.iter().map(|&(y, x)| usize::from(picture.rgb()[(y * width + x) * 3 + channel])).sum();
            rgba.push((sum / near.len()) as u8);
        }
        rgba.push(255);
    }
    Ok(Picture::from_rgba(picture.width(), picture.height(), &rgba)?)
}

fn print(report: &Report) {
    println!("{} pins\n\nlanguages of titles", report.pins);
    report.languages.iter().for_each(|(code, pins)| println!("  {code:<5} {pins:>7}"));
    println!("\nannotations: {} terms known", report.annotations.terms);
    for (least, told, right, mean) in &report.annotations.checks {
        println!(
            "  confidence ≥ {least}: {told} terms of held-out titles, {right:.3} said by others too (mean {mean:.3})"
        );
    }
    for (title, terms) in &report.annotations.examples {
        let terms: Vec<String> = terms.iter().map(|(term, confidence)| format!("{term} {confidence:.2}")).collect();
        println!("  {title}\n    {}", terms.join(", "));
    }
    if let Some(named) = &report.taxonomy {
        let Named { topics, named_share, right_share, confidence } = named;
        println!(
            "\ntaxonomy of {topics} topics: {named_share:.3} of titles name a kind, {right_share:.3} of them right"
        );
        println!("  mean confidence {confidence:.3}");
    }
    let topics = &report.topics;
    println!("\n50 topics learned in {:.2} s; of one kind {:.3}", topics.learned_s, topics.purity);
    println!("  where confidence ≥ .8: {:.3}; the largest:", topics.purity_of_sure);
    for (name, pins, kind, share) in &topics.largest {
        println!("  {pins:>6}  {name:<40} {share:.2} {kind}");
    }
    println!(
        "\nsemantic ids learned in {:.2} s\n  bytes shared   pairs       same kind   prefixes",
        report.semantic_ids_learned_s
    );
    for level in &report.semantic_ids {
        println!("  {:<12} {:>11}   {:>8.4}   {:>8}", level.bytes, level.pairs, level.same_kind, level.prefixes);
    }
    println!("\nquality: pins by score");
    for (tenth, pins) in report.quality.scores.iter().enumerate() {
        println!("  {:.1} {pins:>7}", tenth as f32 / 10.0);
    }
    report.quality.labels.iter().for_each(|(label, pins)| println!("  {label:<10} {pins:>7}"));
    if let Some([before, after]) = report.quality.blurred {
        println!("  labelled as blurred: {before:.3} of pictures as they are, {after:.3} after a blur of 3 × 3");
    }
    report.safety.iter().for_each(|(label, title, terms)| println!("{label}: {title} ({})", terms.join(", ")));
    println!("\npins a second, one core");
    report.pins_per_s.iter().for_each(|(name, rate)| println!("  {name:<12} {rate:>10.0}"));
}
