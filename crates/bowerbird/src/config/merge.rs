//! A file over the defaults: what it leaves out stays, in sections that it has too.

use toml::{Table, Value};

/// Sets what `given` has in `table`; sections are gone into, everything else is replaced.
pub(super) fn merge(table: &mut Table, given: Table) {
    for (key, value) in given {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(given)) => merge(inner, given),
            (_, value) => _ = table.insert(key, value),
        }
    }
}

/// The line (from 1) of a text in which a key such as `params.home.weights` is set, or the rule `params.rules.NAME`.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let named = key.strip_prefix("params.rules.").map(|name| format!("\"{name}\""));
    let mut section = "";
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            section = rest.trim_start_matches('[').split(']').next().unwrap_or_default().trim();
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let found = match &named {
            Some(rule) => section == "params.rules" && name.trim() == "name" && value.contains(rule),
            None => key.strip_prefix(section).is_some_and(|rest| rest.trim_start_matches('.') == name.trim()),
        };
        if found {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_lines_that_set_them() {
        let text = "a = 1\n[params]\nslate_max = 7 # seven\n[params.home]  # the feed\nweights = [1]\n\n\
                    [[params.rules]]\nname = \"spring\"\n";
        assert_eq!(line_of(text, "a"), Some(1));
        assert_eq!(line_of(text, "params.slate_max"), Some(3));
        assert_eq!(line_of(text, "params.home.weights"), Some(5));
        assert_eq!(line_of(text, "params.rules.spring"), Some(8));
        assert_eq!(line_of(text, "params.related.weights"), None);
    }
}
