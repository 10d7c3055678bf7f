//! How good completions are while searches are typed letter by letter.

use domain::Rng;
use serde_json::{Map, Value, json};

/// Lengths of beginnings (characters) of which the reciprocal rank is told.
pub(super) const LENGTHS: [usize; 8] = [1, 2, 3, 4, 5, 6, 8, 12];

/// A wrong letter is among so many first ones: later beginnings have it.
pub(super) const WRONG_FROM: usize = 5;

/// Each text with one of its second to fifth letters wrong, the same ones in every run.
pub(super) fn mistyped(texts: &[&str]) -> Vec<String> {
    let mut rng = Rng::new(47);
    let wrong = |text: &&str| {
        let mut letters: Vec<char> = text.chars().collect();
        let end = letters.len().min(WRONG_FROM);
        let place = 1 + rng.below(end.saturating_sub(1).max(1) as u32) as usize;
        if let Some(letter) = letters.get_mut(place) {
            let other = char::from(b'a' + rng.below(25) as u8);
            *letter = if other == *letter { 'z' } else { other };
        }
        letters.into_iter().collect()
    };
    texts.iter().map(wrong).collect()
}

/// Types every text from its first `from` letters on to all but the last one, and looks for what is meant among the
/// completions; `complete` is told which text is typed.
///
/// `mrr` is the mean over the texts of the mean over their beginnings of 1 / rank (0 where it is not offered); `mrr_at`
/// the mean of beginnings of one length. `keystrokes_saved` is the share of letters that need not be typed when the
/// wanted completion is picked as soon as it is offered, 0 where it never is; picking is no keystroke.
pub(super) fn judge<T: AsRef<str>>(
    meant: &[&str],
    typed: &[T],
    from: usize,
    complete: &dyn Fn(usize, &str) -> Vec<String>,
) -> Value {
    let (mut mean, mut saved, mut texts) = (0.0, 0.0, 0.0);
    let mut at = [(0.0, 0.0); LENGTHS.len()];
    for (text, (meant, typed)) in meant.iter().zip(typed).enumerate() {
        let ends: Vec<usize> = typed.as_ref().char_indices().map(|(end, _)| end).skip(from).collect();
        let ranks: Vec<f64> = ends
            .iter()
            .map(|&end| {
                let found = complete(text, &typed.as_ref()[..end]);
                found.iter().position(|offered| offered == meant).map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
            })
            .collect();
        if ranks.is_empty() {
            continue;
        }
        texts += 1.0;
        mean += ranks.iter().sum::<f64>() / ranks.len() as f64;
        let letters = (from + ranks.len()) as f64;
        let offered = ranks.iter().position(|&rank| rank > 0.0);
        saved += offered.map_or(0.0, |place| (letters - (from + place) as f64) / letters);
        for (sum, length) in at.iter_mut().zip(LENGTHS) {
            if let Some(rank) = length.checked_sub(from).and_then(|place| ranks.get(place)) {
                *sum = (sum.0 + rank, sum.1 + 1.0);
            }
        }
    }
    let share = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
    let of_length = |((sum, count), length): ((f64, f64), usize)| (length.to_string(), share(sum, count).into());
    let mrr_at: Map<String, Value> = at.into_iter().zip(LENGTHS).map(of_length).collect();
    json!({ "mrr": share(mean, texts), "keystrokes_saved": share(saved, texts), "mrr_at": mrr_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_letters_are_counted_as_told() {
        let complete = |_: usize, typed: &str| match typed.len() {
            1 => vec!["abx".to_owned(), "abcd".to_owned()],
            2 => vec!["abcd".to_owned()],
            _ => Vec::new(),
        };
        let figures = judge(&["abcd"], &["abcd"], 1, &complete);
        assert_eq!((&figures["mrr"], &figures["keystrokes_saved"]), (&json!(0.5), &json!(0.75)));
        assert_eq!((&figures["mrr_at"]["1"], &figures["mrr_at"]["4"]), (&json!(0.5), &json!(0.0)));
        let wrong = mistyped(&["abcdefgh", "a", ""]);
        let differ = wrong[0].chars().zip("abcdefgh".chars()).filter(|(a, b)| a != b).count();
        assert_eq!((differ, wrong[0].len(), &wrong[1], &wrong[2]), (1, 8, &"a".to_owned(), &String::new()));
    }
}
