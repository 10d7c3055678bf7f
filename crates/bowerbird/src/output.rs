//! What people read: figures with thousands marks, tables, errors with their causes.

use anyhow::Error;
use serde_json::Value;

/// The error and below it, indented, what caused it; a cause that its error already quotes is not said twice.
pub(crate) fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str("\n  because ");
            text.push_str(&cause);
        }
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value as the text of a cell: words without quotes, nothing for null.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

/// A figure of a metric: whole numbers whole, others with four digits.
pub(crate) fn figure_text(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) { thousands(value as u64) } else { format!("{value:.4}") }
}

/// A value of the configuration as it would be written there: fractions of single precision are short.
pub(crate) fn setting(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() != 0.0 => (number as f32).to_string(),
        _ if value.is_null() => "–".to_owned(),
        _ => text(value),
    }
}

/// Prints one JSON value on one line.
pub(crate) fn print_json(value: &Value) {
    println!("{value}");
}

/// Prints rows under headings, columns as wide as their widest cell; numbers are set to the right.
pub(crate) fn print_table(headings: &[String], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    print_row(headings, &widths);
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    print_row(&rule, &widths);
    rows.iter().for_each(|row| print_row(row, &widths));
}

fn print_row(cells: &[String], widths: &[usize]) {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, &width)| match cell.parse::<f64>() {
            Ok(_) => format!("{cell:>width$}"),
            Err(_) => format!("{cell:<width$}"),
        })
        .collect();
    println!("{}", padded.join("  ").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_causes_read_well() {
        assert_eq!([thousands(0), thousands(999), thousands(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([figure_text(25_303.0), figure_text(0.29361), figure_text(f64::NAN)], ["25,303", "0.2936", "NaN"]);
        let settings = [Value::from(f64::from(0.2f32)), Value::from(512), Value::Null].map(|value| setting(&value));
        assert_eq!(settings, ["0.2", "512", "–"]);
        let error = Error::msg("disk full").context("cannot write").context("import failed");
        assert_eq!(with_causes(&error), "import failed\n  because cannot write\n  because disk full");
    }
}
