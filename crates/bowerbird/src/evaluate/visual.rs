//! How good is looking for pictures, by what their owner knows of them?

use crate::output::{print_table, thousands};
use crate::progress::Progress;
use crate::stop::Stop;
use crate::understand::Described;
use anyhow::{Context, Result, ensure};
use content::Embedder;
use domain::{PinId, Rng};
use index::{TextDocument, TextIndex, TextSearcher, VectorIndex, Want};
use rayon::prelude::*;
use serde_json::{Value, json};
use serving::Views;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::Blobs;
use train::graded_ndcg_at;

/// Where rankings are cut.
const TOP: usize = 10;
/// Pins that must have an attribute query's attributes.
const ANSWERS_MIN: usize = 3;
/// Attribute queries that are asked at most.
const ATTRIBUTE_QUERIES_MAX: usize = 500;

/// Among what the nearest are looked for: pictures; pins as they are served; pictures by the first half and the first
/// quarter of their numbers.
const WAYS: [&str; 4] = ["pictures", "served", "half", "quarter"];

/// What is measured.
pub(crate) struct VisualAbout {
    /// As a sentence.
    pub(crate) protocol: String,
    /// The space of the encoder.
    pub(crate) space: u32,
}

/// What was found.
pub(crate) struct VisualFigures {
    about: VisualAbout,
    queries: usize,
    pins: usize,
    /// By attribute, and by all of them (`all`): one for each of [`WAYS`].
    precision: BTreeMap<String, [f64; WAYS.len()]>,
    /// Titles whose own picture is among the first ten of the queries' pictures, and how many titles were asked.
    title_to_picture: (f64, usize),
    /// nDCG@10 of attribute queries among the queries' pins: by pictures, by pins as served, by BM25 on titles; and how
    /// many were asked.
    attributes: ([f64; 3], usize),
}

/// A pin that has a picture.
struct Seen<'a> {
    known: &'a Described,
    id: PinId,
    /// What its picture alone shows.
    picture: Vec<f32>,
    /// What it is known for, by attribute.
    attributes: BTreeMap<&'a str, &'a str>,
}

/// Looks for the pictures of `queries` among those of all other pins.
pub(crate) fn measure_visual(
    views: &Views,
    blobs: &Blobs,
    embedder: &Embedder,
    pins: &[Described],
    queries: &BTreeSet<String>,
    about: VisualAbout,
    stop: &Stop,
) -> Result<VisualFigures> {
    let seen = look(views, blobs, embedder, pins, stop)?;
    let asked: Vec<usize> = (0..seen.len()).filter(|&at| queries.contains(&seen[at].known.pin.id)).collect();
    ensure!(!asked.is_empty(), "none of the {} queries is a pin with a picture", queries.len());
    let content = views.content();
    let precision = precision(&seen, &asked, &content, stop)?;
    Ok(VisualFigures {
        about,
        queries: asked.len(),
        pins: seen.len(),
        precision,
        title_to_picture: title_to_picture(&seen, &asked, embedder),
        attributes: attributes(&seen, &asked, &content, embedder)?,
    })
}

/// Reads and embeds all pictures.
fn look<'a>(
    views: &Views,
    blobs: &Blobs,
    embedder: &Embedder,
    pins: &'a [Described],
    stop: &Stop,
) -> Result<Vec<Seen<'a>>> {
    const BLOCK: usize = 1_024;
    let progress = Progress::new("pictures", pins.len() as u64);
    let mut seen = Vec::with_capacity(pins.len());
    for block in pins.chunks(BLOCK) {
        stop.check()?;
        let one = |known: &'a Described| {
            let picture = embedder.embed("", Some(&known.picture(blobs)?));
            let id = views.catalogue().pin(&known.pin.id)?;
            let attributes = known.pin.traits.iter().filter_map(|named| named.split_once('=')).collect();
            Some(Seen { known, id, picture, attributes })
        };
        seen.par_extend(block.par_iter().filter_map(one));
        progress.add(block.len() as u64);
    }
    progress.finish(&format!("{} embedded", thousands(seen.len() as u64)));
    Ok(seen)
}

/// How many of the ten nearest have the same attributes.
fn precision(
    seen: &[Seen],
    asked: &[usize],
    content: &VectorIndex,
    stop: &Stop,
) -> Result<BTreeMap<String, [f64; WAYS.len()]>> {
    let by_id: HashMap<PinId, usize> = seen.iter().enumerate().map(|(at, seen)| (seen.id, at)).collect();
    let names: BTreeSet<&str> = asked.iter().flat_map(|&at| seen[at].attributes.keys().copied()).collect();
    let parts = [2, 4].map(|part| seen.iter().map(|seen| beginning(&seen.picture, part)).collect::<Vec<_>>());
    let one = |&at: &usize| -> Result<[Vec<usize>; WAYS.len()]> {
        stop.check()?;
        let query = &seen[at];
        let others = || (0..seen.len()).filter(|&other| other != at);
        let pictures = nearest(&query.picture, others(), &|at| &seen[at].picture);
        let [half, quarter] = [0, 1].map(|part| nearest(&parts[part][at], others(), &|at| &parts[part][at]));
        let found = content.search(content.space(), &query.picture, &Want::best(TOP + 1)).context("cannot search")?;
        let served = found.pins.iter().filter(|(pin, _)| *pin != query.id).take(TOP);
        // What has no picture has no attributes that could be compared.
        Ok([pictures, served.filter_map(|(pin, _)| by_id.get(pin).copied()).collect(), half, quarter])
    };
    let found: Vec<[Vec<usize>; WAYS.len()]> = asked.par_iter().map(one).collect::<Result<_>>()?;
    let mut precision = BTreeMap::new();
    let share = |right: &dyn Fn(usize, usize) -> bool| {
        std::array::from_fn(|way: usize| {
            let hits =
                asked.iter().zip(&found).map(|(&at, found)| found[way].iter().filter(|&&o| right(at, o)).count());
            hits.sum::<usize>() as f64 / (asked.len() * TOP) as f64
        })
    };
    for name in &names {
        let of = |at: usize| seen[at].attributes.get(name);
        precision.insert((*name).to_owned(), share(&|a, b| of(a).is_some() && of(a) == of(b)));
    }
    precision.insert("all".to_owned(), share(&|a, b| seen[a].attributes == seen[b].attributes));
    Ok(precision)
}

/// The first numbers of a vector, a half or another part of it, brought to unit length.
fn beginning(vector: &[f32], part: usize) -> Vec<f32> {
    let first = &vector[..vector.len() / part];
    let length = dot(first, first).sqrt().max(1e-6);
    first.iter().map(|value| value / length).collect()
}

/// The ten nearest of some vectors.
fn nearest<'a>(vector: &[f32], among: impl Iterator<Item = usize>, of: &dyn Fn(usize) -> &'a [f32]) -> Vec<usize> {
    let mut scored: Vec<(f32, usize)> = among.map(|at| (dot(vector, of(at)), at)).collect();
    best(&mut scored);
    scored.into_iter().map(|(_, at)| at).collect()
}

fn best(scored: &mut Vec<(f32, usize)>) {
    if scored.len() > TOP {
        scored.select_nth_unstable_by(TOP - 1, |a, b| b.0.total_cmp(&a.0));
        scored.truncate(TOP);
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
}

/// How often a title's own picture is among the ten nearest of the queries' pictures.
fn title_to_picture(seen: &[Seen], asked: &[usize], embedder: &Embedder) -> (f64, usize) {
    let titled: Vec<usize> = asked.iter().copied().filter(|&at| !seen[at].known.pin.title.is_empty()).collect();
    let found = |&at: &usize| {
        let title = embedder.embed(&seen[at].known.pin.title, None);
        nearest(&title, asked.iter().copied(), &|at| &seen[at].picture).contains(&at)
    };
    let hits = titled.par_iter().filter(|at| found(at)).count();
    (hits as f64 / titled.len().max(1) as f64, titled.len())
}

/// Asks for what several of the queries' pins are, in words ("blue men shirts").
fn attributes(seen: &[Seen], asked: &[usize], content: &VectorIndex, embedder: &Embedder) -> Result<([f64; 3], usize)> {
    let mut wanted: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &at in asked {
        let values: Vec<&str> = seen[at].attributes.values().rev().copied().collect();
        wanted.entry(values.join(" ")).or_default().push(at);
    }
    wanted.retain(|words, pins| !words.is_empty() && pins.len() >= ANSWERS_MIN);
    let mut wanted: Vec<(String, Vec<usize>)> = wanted.into_iter().collect();
    Rng::new(super::SEED).shuffle(&mut wanted);
    wanted.truncate(ATTRIBUTE_QUERIES_MAX);
    let titles = titles(seen, asked)?;
    let served: Vec<Vec<f32>> = asked.iter().map(|&at| content.vector(seen[at].id).unwrap_or_default()).collect();
    let one = |(words, answers): &(String, Vec<usize>)| -> Result<[f64; 3]> {
        let vector = embedder.embed(words, None);
        let by_picture = nearest(&vector, asked.iter().copied(), &|at| &seen[at].picture);
        let mut by_pin: Vec<(f32, usize)> = asked.iter().zip(&served).map(|(&at, of)| (dot(&vector, of), at)).collect();
        best(&mut by_pin);
        let by_words = titles.search(words, TOP).context("cannot search titles")?;
        let grades: Vec<(PinId, f32)> = answers.iter().map(|&at| (PinId(at as u32), 1.0)).collect();
        let ndcg = |ranked: &mut dyn Iterator<Item = usize>| {
            graded_ndcg_at(&ranked.map(|at| PinId(at as u32)).collect::<Vec<_>>(), &grades, TOP)
        };
        Ok([
            ndcg(&mut by_picture.into_iter()),
            ndcg(&mut by_pin.into_iter().map(|(_, at)| at)),
            ndcg(&mut by_words.into_iter().map(|(pin, _)| pin.index())),
        ])
    };
    let found: Vec<[f64; 3]> = wanted.par_iter().map(one).collect::<Result<_>>()?;
    let mean = |way: usize| found.iter().map(|found| found[way]).sum::<f64>() / found.len().max(1) as f64;
    Ok(([mean(0), mean(1), mean(2)], found.len()))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// An index of the queries' titles alone.
fn titles(seen: &[Seen], asked: &[usize]) -> Result<TextSearcher> {
    let mut titles = TextIndex::new().context("cannot make an index of titles")?;
    for &at in asked {
        let words = TextDocument { title: &seen[at].known.pin.title, ..TextDocument::default() };
        titles.upsert(PinId(at as u32), &words)?;
    }
    titles.commit()?;
    Ok(titles.searcher())
}

impl VisualFigures {
    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let of = |(way, name): (usize, &&'static str)| -> (&str, BTreeMap<&str, f64>) {
            (name, self.precision.iter().map(|(name, found)| (name.as_str(), found[way])).collect())
        };
        let precision: BTreeMap<&str, BTreeMap<&str, f64>> = WAYS.iter().enumerate().map(of).collect();
        let ([by_picture, served, bm25], asked) = self.attributes;
        json!({
            "protocol": self.about.protocol,
            "space": self.about.space,
            "queries": self.queries,
            "pins": self.pins,
            "precision@10": precision,
            "title_to_picture": { "recall@10": self.title_to_picture.0, "titles": self.title_to_picture.1 },
            "attribute_queries": {
                "queries": asked,
                "ndcg@10": { "pictures": by_picture, "served": served, "bm25_titles": bm25 },
            },
        })
    }

    /// As tables on stdout.
    pub(crate) fn print(&self) {
        println!("{}", self.about.protocol);
        println!(
            "{} queries, {} pictures, space {}\n",
            thousands(self.queries as u64),
            thousands(self.pins as u64),
            self.about.space
        );
        let row = |(name, found): (&String, &[f64; WAYS.len()])| {
            [name.clone()].into_iter().chain(found.map(|value| format!("{value:.4}"))).collect::<Vec<String>>()
        };
        let headings: Vec<String> = ["precision@10"].into_iter().chain(WAYS).map(str::to_owned).collect();
        print_table(&headings, &self.precision.iter().map(row).collect::<Vec<_>>());
        let (recall, titles) = self.title_to_picture;
        println!("\ntitle to its own picture: recall@10 {recall:.4} ({} titles)", thousands(titles as u64));
        let ([by_picture, served, bm25], asked) = self.attributes;
        println!(
            "{asked} attribute queries: ndcg@10 {by_picture:.4} by pictures, {served:.4} as served, {bm25:.4} by BM25 \
             on titles"
        );
    }
}
