//! Taxonomies as people write them: CSV or JSON lines.

use std::collections::HashMap;

use serde::Deserialize;

use super::taxonomy::{Node, TOPICS_MAX};
use crate::ContentError;

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    id: String,
    name: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    synonyms: Synonyms,
}

/// In JSON a list, in CSV one cell parted by `|`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Synonyms {
    List(Vec<String>),
    Cell(Option<String>),
}

impl Default for Synonyms {
    fn default() -> Self {
        Synonyms::Cell(None)
    }
}

impl Synonyms {
    fn into_list(self) -> Vec<String> {
        match self {
            Synonyms::List(list) => list,
            Synonyms::Cell(cell) => {
                let cell = cell.unwrap_or_default();
                cell.split('|').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
        }
    }
}

/// The nodes of a file in its order. JSON lines begin with `{`; all else is CSV with a head of names.
pub(super) fn read(text: &str) -> Result<Vec<Node>, ContentError> {
    let lines = if text.trim_start().starts_with('{') { json(text) } else { csv(text) }?;
    if lines.len() > TOPICS_MAX {
        let reason = format!("only {TOPICS_MAX} topics are taken");
        return Err(ContentError::Taxonomy { line: lines[TOPICS_MAX].0, reason });
    }
    let mut by_id: HashMap<&str, u32> = HashMap::new();
    for ((line, topic), at) in lines.iter().zip(0..) {
        if topic.id.is_empty() || by_id.insert(&topic.id, at).is_some() {
            return Err(wrong(*line, format!("the id '{}' is empty or used twice", topic.id)));
        }
    }
    let mut parents = Vec::with_capacity(lines.len());
    for (line, topic) in &lines {
        let parent = topic.parent.as_deref().filter(|parent| !parent.is_empty());
        let known = parent.map(|parent| by_id.get(parent).copied().ok_or(parent)).transpose();
        parents.push(known.map_err(|parent| wrong(*line, format!("the parent '{parent}' is not in the file")))?);
    }
    check_no_circle(&parents).map_err(|at| wrong(lines[at].0, "its parents run in a circle".into()))?;
    let nodes = lines.into_iter().zip(parents).map(|((_, topic), parent)| Node {
        id: topic.id,
        name: topic.name,
        parent,
        synonyms: topic.synonyms.into_list(),
    });
    Ok(nodes.collect())
}

fn wrong(line: u64, reason: String) -> ContentError {
    ContentError::Taxonomy { line, reason }
}

fn json(text: &str) -> Result<Vec<(u64, Line)>, ContentError> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(line, number)| match serde_json::from_str(line) {
            Ok(topic) => Ok((number, topic)),
            Err(error) => Err(wrong(number, error.to_string())),
        })
        .collect()
}

fn csv(text: &str) -> Result<Vec<(u64, Line)>, ContentError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
    let records = reader.records();
    records
        .map(|record| {
            let at = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
            let record = record.map_err(|error| wrong(at(error.position()), error.to_string()))?;
            let line = at(record.position());
            let topic = record.deserialize(Some(&head)).map_err(|error| wrong(line, error.to_string()))?;
            Ok((line, topic))
        })
        .collect()
}

/// The first node whose parents lead back to it is the error.
fn check_no_circle(parents: &[Option<u32>]) -> Result<(), usize> {
    // Whether the way up from a node was walked to its end.
    let mut ends = vec![false; parents.len()];
    let mut way = Vec::new();
    for start in 0..parents.len() {
        way.clear();
        let mut at = Some(start as u32);
        while let Some(node) = at.filter(|&node| !ends[node as usize]) {
            if way.len() > parents.len() {
                return Err(start);
            }
            way.push(node);
            at = parents[node as usize];
        }
        way.iter().for_each(|&node| ends[node as usize] = true);
    }
    Ok(())
}
