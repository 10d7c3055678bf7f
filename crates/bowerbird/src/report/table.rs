//! Figures by name as tables: `group/figure` in a list a group, `group/row/figure` in a table a group.

use super::escaped;
use crate::output::figure_text;
use std::collections::{BTreeMap, BTreeSet};

/// All figures, a section a group; those without a group come first.
pub(super) fn by_group(figures: &BTreeMap<String, f64>) -> String {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for (name, &value) in figures {
        match *name.splitn(3, '/').collect::<Vec<_>>().as_slice() {
            [group, row, figure] => _ = groups.entry(group).or_default().cells.insert((row, figure), value),
            [group, figure] => groups.entry(group).or_default().list.push((figure.to_owned(), figure_text(value))),
            _ => groups.entry("").or_default().list.push((name.clone(), figure_text(value))),
        }
    }
    groups.iter().map(|(name, group)| group.section(name)).collect()
}

#[derive(Default)]
struct Group<'a> {
    list: Vec<(String, String)>,
    /// By row and column.
    cells: BTreeMap<(&'a str, &'a str), f64>,
}

impl Group<'_> {
    fn section(&self, name: &str) -> String {
        let list = if self.list.is_empty() { String::new() } else { listed(&self.list) };
        let cells = if self.cells.is_empty() { String::new() } else { crossed(&self.cells) };
        section(name, &(list + &cells))
    }
}

/// A list of names and values.
pub(super) fn listed(rows: &[(String, String)]) -> String {
    let row = |(name, value): &(String, String)| {
        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), escaped(value))
    };
    format!("<table><tbody>{}</tbody></table>\n", rows.iter().map(row).collect::<String>())
}

/// What belongs together, under its name.
pub(super) fn section(group: &str, table: &str) -> String {
    let heading = if group.is_empty() { String::new() } else { format!("<h3>{}</h3>\n", escaped(group)) };
    format!("<section>{heading}{table}</section>\n")
}

fn crossed(cells: &BTreeMap<(&str, &str), f64>) -> String {
    let rows: BTreeSet<&str> = cells.keys().map(|(row, _)| *row).collect();
    let columns: BTreeSet<&str> = cells.keys().map(|(_, column)| *column).collect();
    let heading = |column: &&str| format!("<th scope=\"col\">{}</th>", escaped(&column.replace('_', " ")));
    let row = |row: &&str| {
        let cell = |column: &&str| {
            format!("<td>{}</td>", cells.get(&(*row, *column)).map_or("–".to_owned(), |value| figure_text(*value)))
        };
        format!("<tr><th scope=\"row\">{}</th>{}</tr>", escaped(row), columns.iter().map(cell).collect::<String>())
    };
    format!(
        "<table><thead><tr><th></th>{}</tr></thead><tbody>{}</tbody></table>\n",
        columns.iter().map(heading).collect::<String>(),
        rows.iter().map(row).collect::<String>()
    )
}
