use super::UpliftTraits;
use crate::{ExperimentError, Moments};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most values of one word column that get a column of their own; the rest is as if unheard.
const WORDS_MAX: usize = 64;
/// A value that fewer rows have gets no column.
const ROWS_MIN: usize = 20;
/// Most columns of an encoded row.
pub(super) const COLUMNS_MAX: usize = 512;

/// Traits as numbers with mean 0 and variance 1 over the rows that taught it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Encoder {
    numbers: usize,
    /// Numbers that come as logarithms, too: those that are more than a yes or no.
    logarithms: Vec<usize>,
    words: Vec<BTreeMap<String, usize>>,
    /// Mean and standard deviation of each column.
    scale: Vec<(f64, f64)>,
}

impl Encoder {
    pub(super) fn learned(rows: &[&UpliftTraits]) -> Result<Encoder, ExperimentError> {
        let first = rows.first().ok_or_else(|| ExperimentError::uplift("no rows"))?;
        let mut encoder =
            Encoder { numbers: first.numbers.len(), logarithms: Vec::new(), words: Vec::new(), scale: Vec::new() };
        for (row, traits) in rows.iter().enumerate() {
            if traits.numbers.len() != encoder.numbers || traits.words.len() != first.words.len() {
                return Err(ExperimentError::uplift(format!("row {row} has other columns than row 0")));
            }
            if let Some(column) = traits.numbers.iter().position(|number| !number.is_finite()) {
                return Err(ExperimentError::uplift(format!("row {row}: number {column} is not finite")));
            }
        }
        let many = |column: &usize| rows.iter().any(|row| !matches!(row.numbers[*column], 0.0 | 1.0));
        encoder.logarithms = (0..encoder.numbers).filter(many).collect();
        let mut next = encoder.numbers + encoder.logarithms.len();
        for column in 0..first.words.len() {
            let known = values(rows, column).into_iter().map(|value| {
                next += 1;
                (value, next - 1)
            });
            encoder.words.push(known.collect());
        }
        if next > COLUMNS_MAX {
            return Err(ExperimentError::uplift(format!("{next} columns, at most {COLUMNS_MAX}")));
        }
        let mut moments = vec![Moments::default(); next];
        for row in rows {
            encoder.raw(row, next).iter().zip(&mut moments).for_each(|(value, moments)| moments.add(*value));
        }
        encoder.scale = moments.iter().map(|column| (column.mean, column.variance().sqrt())).collect();
        Ok(encoder)
    }

    fn raw(&self, traits: &UpliftTraits, columns: usize) -> Vec<f64> {
        let mut row = vec![0.0; columns];
        for (at, number) in row.iter_mut().zip(traits.numbers.iter().take(self.numbers)) {
            *at = if number.is_finite() { *number } else { 0.0 };
        }
        for (place, column) in self.logarithms.iter().enumerate() {
            row[self.numbers + place] = row[*column].abs().ln_1p().copysign(row[*column]);
        }
        for (known, word) in self.words.iter().zip(&traits.words) {
            if let Some(column) = known.get(word) {
                row[*column] = 1.0;
            }
        }
        row
    }

    /// A row of numbers; traits that were not there when it was learned say nothing.
    pub(super) fn row(&self, traits: &UpliftTraits) -> Vec<f64> {
        let mut row = self.raw(traits, self.scale.len());
        for (value, (mean, deviation)) in row.iter_mut().zip(&self.scale) {
            *value = if *deviation > 0.0 { (*value - mean) / deviation } else { 0.0 };
        }
        row
    }
}

/// The values of a word column that are frequent enough, most frequent first, then by name.
fn values(rows: &[&UpliftTraits], column: usize) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(&row.words[column]).or_default() += 1);
    let mut frequent: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count >= ROWS_MIN).collect();
    frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    frequent.into_iter().take(WORDS_MAX).map(|(value, _)| value.to_owned()).collect()
}
