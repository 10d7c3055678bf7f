//! How likely a word is that nobody has counted: by its letters.

use super::vocabulary::Vocabulary;
use std::collections::HashMap;

/// What stands before and after a word.
const EDGE: char = '\0';

/// So many letters before a letter are looked at.
const CONTEXT: usize = 3;

/// Letters after letters.
#[derive(Default)]
struct Context {
    sum: f32,
    followers: HashMap<char, f32>,
}

/// A letter's probability by the three before it, mixed with shorter contexts as Witten and Bell (1991) do. Each known
/// word counts once: new words look like rare ones.
pub(super) struct Letters {
    /// Contexts of no letter, of one, and so on.
    orders: [HashMap<[char; CONTEXT], Context>; CONTEXT + 1],
}

/// The last letters of a context; the others become edges.
fn last(mut context: [char; CONTEXT], letters: usize) -> [char; CONTEXT] {
    context[..CONTEXT - letters].fill(EDGE);
    context
}

fn moved_on(mut context: [char; CONTEXT], letter: char) -> [char; CONTEXT] {
    context.rotate_left(1);
    context[CONTEXT - 1] = letter;
    context
}

impl Letters {
    pub(super) fn of(words: &Vocabulary) -> Letters {
        let mut letters = Letters { orders: Default::default() };
        for id in 0..words.len() as u32 {
            let mut context = [EDGE; CONTEXT];
            for &letter in words.letters(id).iter().chain([&EDGE]) {
                for (order, contexts) in letters.orders.iter_mut().enumerate() {
                    let counted = contexts.entry(last(context, order)).or_default();
                    counted.sum += 1.0;
                    *counted.followers.entry(letter).or_default() += 1.0;
                }
                context = moved_on(context, letter);
            }
        }
        letters
    }

    /// Logarithm of the word's probability.
    pub(super) fn ln_word(&self, word: &[char]) -> f32 {
        let different = self.orders[0].values().next().map_or(0, |context| context.followers.len());
        let mut context = [EDGE; CONTEXT];
        let mut sum = 0.0;
        for &letter in word.iter().chain([&EDGE]) {
            let mut share = 1.0 / (different + 1) as f32;
            for (order, contexts) in self.orders.iter().enumerate() {
                let Some(counted) = contexts.get(&last(context, order)) else { continue };
                let followers = counted.followers.len() as f32;
                let seen = counted.followers.get(&letter).copied().unwrap_or(0.0);
                share = (seen + followers * share) / (counted.sum + followers);
            }
            sum += share.ln();
            context = moved_on(context, letter);
        }
        sum
    }
}
