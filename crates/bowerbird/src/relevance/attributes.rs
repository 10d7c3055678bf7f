//! Graded queries of a table of products: what somebody would type who looks for a colour, a gender, a type, and how
//! well each product answers. The models must not see these columns: import titles and pictures alone.

use crate::import::Table;
use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use domain::{Rng, hash64};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// Products that a query must have that answer it wholly.
const WHOLE_MIN: usize = 8;
/// Levels are as frequent as there are pins of them, up to so much of a query's pins each.
const LEVEL_SHARE: f32 = 0.25;

/// What is graded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Graded {
    /// Queries to learn from, and to test with.
    pub train: usize,
    pub test: usize,
    /// Pins of each.
    pub per_query: usize,
    pub seed: u64,
}

/// A product's attributes, as numbers of words.
struct Product {
    id: String,
    colour: String,
    gender: String,
    kind: String,
    group: String,
}

/// A wish, and how it is typed.
type Query = (Wanted, String);

/// What somebody looks for; the gender may be open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    colour: String,
    gender: Option<String>,
    kind: String,
    group: String,
}

/// Reads the products and writes `train.queries.tsv`, `train.qrels`, `test.queries.tsv`, `test.qrels` and
/// `pool.queries.tsv`: all other queries, ungraded, for a teacher. Gives how many queries each has.
pub(crate) fn grade_attributes(table: &Path, to: &Path, graded: Graded) -> Result<[usize; 3]> {
    let products = products(table)?;
    let (queries, test, rest) = parted(queries(&products, graded.seed), graded);
    let (found, wanted) = (queries.len() + test.len(), graded.train + graded.test);
    ensure!(found == wanted, "the table gives {found} wishes, {wanted} were asked for");
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let write = |name: &str, text: String| {
        let path = to.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    for (part, queries) in [("train", &queries), ("test", &test)] {
        write(&format!("{part}.queries.tsv"), texts(part, queries))?;
        write(&format!("{part}.qrels"), judgements(part, queries, &products, graded)?)?;
    }
    write("pool.queries.tsv", texts("pool", &rest))?;
    Ok([queries.len(), test.len(), rest.len()])
}

fn products(path: &Path) -> Result<Vec<Product>> {
    let needed = ["id", "gender", "subCategory", "articleType", "baseColour"];
    let mut products = Vec::new();
    Table::open(path, &needed, &Arc::new(Progress::quiet()))?.read(|row| {
        let word = |column: &str| row.optional(column).map(str::to_lowercase);
        let all = (word("id"), word("baseColour"), word("gender"), word("articleType"), word("subCategory"));
        if let (Some(id), Some(colour), Some(gender), Some(kind), Some(group)) = all {
            products.push(Product { id, colour, gender, kind, group });
        }
    })?;
    Ok(products)
}

/// Queries with enough products that answer them wholly, in a seeded order, each with how it is typed.
fn queries(products: &[Product], seed: u64) -> Vec<Query> {
    let mut counts: BTreeMap<Wanted, usize> = BTreeMap::new();
    for product in products {
        let Product { colour, gender, kind, group, .. } = product;
        for gender in [Some(gender.clone()).filter(|gender| gender != "unisex"), None] {
            let wanted = Wanted { colour: colour.clone(), gender, kind: kind.clone(), group: group.clone() };
            *counts.entry(wanted).or_default() += 1;
        }
    }
    let mut queries: Vec<Query> = Vec::new();
    for (wanted, _) in counts.into_iter().filter(|(_, count)| *count >= WHOLE_MIN) {
        let Wanted { colour, gender, kind, .. } = &wanted;
        let typed = match gender {
            Some(gender) => [
                format!("{colour} {gender} {kind}"),
                format!("{gender} {colour} {kind}"),
                format!("{kind} for {gender} in {colour}"),
            ],
            None => [format!("{colour} {kind}"), format!("{kind} {colour}"), format!("{kind} in {colour}")],
        };
        queries.extend(typed.into_iter().map(|text| (wanted.clone(), text)));
    }
    Rng::new(hash64(seed)).shuffle(&mut queries);
    queries
}

/// Queries to learn from and to test with, each wish in one wording, and a pool of all others: other wishes, and what
/// is learned from in other words. What tests is nowhere else.
fn parted(queries: Vec<Query>, graded: Graded) -> (Vec<Query>, Vec<Query>, Vec<Query>) {
    let (mut train, mut test, mut pool) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of_train, mut of_test) = (BTreeSet::new(), BTreeSet::new());
    for query in queries {
        if of_test.contains(&query.0) {
            continue;
        }
        if of_train.contains(&query.0) {
            pool.push(query);
        } else if train.len() < graded.train {
            of_train.insert(query.0.clone());
            train.push(query);
        } else if test.len() < graded.test {
            of_test.insert(query.0.clone());
            test.push(query);
        } else {
            pool.push(query);
        }
    }
    (train, test, pool)
}

fn texts(part: &str, queries: &[Query]) -> String {
    queries.iter().enumerate().fold(String::new(), |mut text, (at, (_, typed))| {
        let _ = writeln!(text, "{part}{at}\t{typed}");
        text
    })
}

/// How well a product answers: 4 wholly, 3 the type and one of two more, 2 the type, 1 something of its kind, 0 not.
fn level(wanted: &Wanted, product: &Product) -> usize {
    let kind = product.kind == wanted.kind;
    let colour = product.colour == wanted.colour;
    let gender = wanted.gender.as_ref().is_none_or(|gender| *gender == product.gender);
    match (kind, colour, gender) {
        (true, true, true) => 4,
        (true, false, true) if wanted.gender.is_none() => 2,
        (true, true, _) | (true, _, true) => 3,
        (true, false, false) => 2,
        _ if product.group == wanted.group => 1,
        _ => 0,
    }
}

fn judgements(part: &str, queries: &[Query], products: &[Product], graded: Graded) -> Result<String> {
    let mut text = String::new();
    for (at, (wanted, _)) in queries.iter().enumerate() {
        let mut rng = Rng::new(hash64(graded.seed ^ 0x9A) ^ hash64(at as u64));
        let mut order: Vec<usize> = (0..products.len()).collect();
        rng.shuffle(&mut order);
        let most = (graded.per_query as f32 * LEVEL_SHARE).ceil() as usize;
        let mut counts = [0usize; models::LEVELS];
        let mut left = graded.per_query;
        for product in order.into_iter().map(|place| &products[place]) {
            let level = level(wanted, product);
            if left > 0 && counts[level] < most {
                (counts[level], left) = (counts[level] + 1, left - 1);
                writeln!(text, "{part}{at} 0 {} {level}", product.id).context("a judgement")?;
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(colour: &str, gender: &str, kind: &str, group: &str) -> Product {
        let [colour, gender, kind, group] = [colour, gender, kind, group].map(str::to_owned);
        Product { id: "p".into(), colour, gender, kind, group }
    }

    #[test]
    fn levels_follow_what_matches() {
        let wanted = |gender: Option<&str>| Wanted {
            colour: "blue".into(),
            gender: gender.map(str::to_owned),
            kind: "shirts".into(),
            group: "topwear".into(),
        };
        let of = |gender, colour, own, kind| level(&wanted(gender), &product(colour, own, kind, "topwear"));
        assert_eq!(of(Some("men"), "blue", "men", "shirts"), 4);
        assert_eq!([of(Some("men"), "red", "men", "shirts"), of(Some("men"), "blue", "boys", "shirts")], [3, 3]);
        assert_eq!([of(Some("men"), "red", "boys", "shirts"), of(None, "red", "boys", "shirts")], [2, 2]);
        assert_eq!([of(None, "blue", "boys", "shirts"), of(None, "blue", "men", "tops")], [4, 1]);
        assert_eq!(level(&wanted(None), &product("blue", "men", "watches", "watches")), 0);
    }

    #[test]
    fn a_table_becomes_queries_of_three_parts_that_share_no_wish() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = folder.path().join("products.csv");
        let mut text = "id,gender,subCategory,articleType,baseColour\n".to_owned();
        for number in 0..600 {
            let colour = ["Blue", "Red", "Green"][number % 3];
            let gender = ["Men", "Women"][number / 3 % 2];
            let kind = [("Shirts", "Topwear"), ("Tops", "Topwear"), ("Watches", "Watches")][number / 6 % 3];
            writeln!(text, "{number},{gender},{},{},{colour}", kind.1, kind.0).expect("text");
        }
        std::fs::write(&table, text).expect("written");
        let graded = Graded { train: 10, test: 5, per_query: 20, seed: 3 };
        let counts = grade_attributes(&table, folder.path(), graded).expect("graded");
        assert!(counts[..2] == [10, 5] && counts[2] > 20, "{counts:?}");
        let read = |part: &str| {
            let at = |end: &str| folder.path().join(format!("{part}.{end}"));
            crate::import::read_judged(&at("queries.tsv"), &at("qrels")).expect("read")
        };
        let (train, test) = (read("train"), read("test"));
        assert!(train.iter().all(|query| (15..=20).contains(&query.grades.len())));
        let words = |text: &str| {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            words.retain(|word| word != "for" && word != "in");
            words.sort();
            words
        };
        let both = |a: &&crate::import::JudgedQuery| train.iter().any(|b| words(&a.text) == words(&b.text));
        assert_eq!(test.iter().filter(both).count(), 0);
        let again = std::fs::read(folder.path().join("test.qrels")).expect("there");
        grade_attributes(&table, folder.path(), graded).expect("graded");
        assert_eq!(std::fs::read(folder.path().join("test.qrels")).expect("there"), again);
    }
}
