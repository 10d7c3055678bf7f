//! Queries, and which documents were judged to answer them, as collections for search come.

use super::lines::Lines;
use crate::progress::Progress;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Document → its grade; more answers better, and what is not above 0 does not answer.
pub(crate) type Grades = BTreeMap<String, f32>;

/// A query that was judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JudgedQuery {
    /// Its own id.
    pub id: String,
    /// What was typed.
    pub text: String,
    pub grades: Grades,
}

#[derive(Deserialize)]
struct Query {
    #[serde(alias = "_id")]
    id: String,
    text: String,
}

/// Reads queries (`id`, a tab and the text a line, or JSON lines with `_id` and `text`) and judgements (TREC's
/// `query 0 document grade`, or `query document grade` below a header), and gives the queries that have an answer, in
/// the order of their file. A line that cannot be read is an error here, because a figure would be wrong.
pub(crate) fn read(queries: &Path, judgements: &Path) -> Result<Vec<JudgedQuery>> {
    let mut grades = all_grades(judgements)?;
    let mut judged = Vec::new();
    each(queries, |_, line| {
        let (id, text) = query(line)?;
        if let Some(grades) = grades.remove(&id).filter(|grades| grades.values().any(|&grade| grade > 0.0)) {
            judged.push(JudgedQuery { id, text, grades });
        }
        Ok(())
    })?;
    if judged.is_empty() {
        bail!("{} judges no query of {}", judgements.display(), queries.display());
    }
    Ok(judged)
}

fn query(line: &str) -> Result<(String, String), String> {
    if line.starts_with('{') {
        let Query { id, text } = serde_json::from_str(line).map_err(|error| error.to_string())?;
        return Ok((id, text));
    }
    let (id, text) = line.split_once('\t').ok_or("there is no tab between an id and a text")?;
    Ok((id.trim().to_owned(), text.to_owned()))
}

fn all_grades(path: &Path) -> Result<BTreeMap<String, Grades>> {
    let mut all: BTreeMap<String, Grades> = BTreeMap::new();
    each(path, |number, line| {
        let cells: Vec<&str> = line.split_ascii_whitespace().collect();
        let (query, document, grade) = match cells[..] {
            [query, _, document, grade] | [query, document, grade] => (query, document, grade),
            _ => return Err(format!("{} cells instead of `query 0 document grade`", cells.len())),
        };
        match grade.parse::<f32>() {
            Ok(grade) if grade.is_finite() => {
                all.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
                Ok(())
            }
            // A header.
            _ if number == 1 => Ok(()),
            _ => Err(format!("`{grade}` is not a grade")),
        }
    })?;
    Ok(all)
}

/// Reads every line that is not blank.
fn each(path: &Path, mut take: impl FnMut(u64, &str) -> Result<(), String>) -> Result<()> {
    let mut lines = Lines::open(path, &Arc::new(Progress::quiet()))?;
    let file = lines.file().to_owned();
    while let Some(line) = lines.next()? {
        let (number, text) = (line.number, line.text());
        let read = text.and_then(|text| if text.trim().is_empty() { Ok(()) } else { take(number, text) });
        read.map_err(|reason| anyhow!("{file}: line {number}: {reason}"))
            .with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(queries: &str, judgements: &str) -> Result<Vec<JudgedQuery>> {
        let folder = tempfile::tempdir().expect("a folder");
        let [queries, judgements] = [("q", queries), ("j", judgements)].map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        });
        read(&queries, &judgements)
    }

    #[test]
    fn both_ways_of_writing_say_the_same() {
        let trec = judged("7\tblue lamp\n8\tnobody asked\n\n9\tred\n", "7 0 a 2\n7 0 b 0\n9 0 c 0\n").expect("read");
        let beir = judged(
            "{\"_id\":\"7\",\"text\":\"blue lamp\",\"metadata\":{}}\n",
            "query-id\tcorpus-id\tscore\n7\ta\t2\n7\tb\t0\n",
        );
        assert_eq!(trec, beir.expect("read"));
        let grades = Grades::from([("a".into(), 2.0), ("b".into(), 0.0)]);
        assert_eq!(trec, [JudgedQuery { id: "7".into(), text: "blue lamp".into(), grades }], "9 has no answer");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let check = |queries: &str, judgements: &str, expected: &str| {
            let error = format!("{:#}", judged(queries, judgements).expect_err("wrong"));
            assert!(error.contains(expected), "{error}");
        };
        check("7\tlamp\n", "7 0 a 1\n7 0 b much\n", "j: line 2: `much` is not a grade");
        check("7\tlamp\n", "7 a\n", "j: line 1: 2 cells");
        check("7 lamp\n", "7 0 a 1\n", "q: line 1: there is no tab");
        check("8\tlamp\n", "7 0 a 1\n", "judges no query of");
    }
}
