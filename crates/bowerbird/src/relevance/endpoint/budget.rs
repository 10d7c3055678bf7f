//! What may be spent.

use crate::config::RelevanceConfig;

/// Tokens that an answer is believed to take until it is there.
const ANSWER_TOKENS: u64 = 200;
/// Bytes of a token, at least.
const TOKEN_BYTES: u64 = 3;

/// Tokens and money of one run: what is on its way counts by an estimate, what came back by what was told.
pub(super) struct Budget {
    tokens_max: u64,
    cost_max: f64,
    /// Of a token: asked, answered.
    prices: [f64; 2],
    spent: [u64; 2],
    reserved: [u64; 2],
}

impl Budget {
    pub(super) fn new(config: &RelevanceConfig) -> Budget {
        let prices = [config.price_in, config.price_out].map(|price| f64::from(price) / 1e6);
        let (tokens_max, cost_max) = (config.tokens_max, f64::from(config.cost_max));
        Budget { tokens_max, cost_max, prices, spent: [0; 2], reserved: [0; 2] }
    }

    fn estimate(text: &str) -> [u64; 2] {
        [text.len() as u64 / TOKEN_BYTES + 1, ANSWER_TOKENS]
    }

    fn cost_of(&self, tokens: [u64; 2]) -> f64 {
        tokens.iter().zip(self.prices).map(|(tokens, price)| *tokens as f64 * price).sum()
    }

    /// Sets what a question may cost aside; not where that would be too much.
    pub(super) fn reserve(&mut self, text: &str) -> bool {
        let estimate = Budget::estimate(text);
        let all: [u64; 2] = std::array::from_fn(|at| self.spent[at] + self.reserved[at] + estimate[at]);
        let fits = all[0] + all[1] <= self.tokens_max && self.cost_of(all) <= self.cost_max;
        if fits {
            self.reserved.iter_mut().zip(estimate).for_each(|(sum, tokens)| *sum += tokens);
        }
        fits
    }

    /// A question is done; where it was not told what that took, the estimate counts.
    pub(super) fn settle(&mut self, text: &str, tokens: Option<[u64; 2]>) {
        let estimate = Budget::estimate(text);
        self.reserved.iter_mut().zip(estimate).for_each(|(sum, tokens)| *sum = sum.saturating_sub(tokens));
        let tokens = tokens.filter(|tokens| tokens[0] > 0).unwrap_or(estimate);
        self.spent.iter_mut().zip(tokens).for_each(|(sum, tokens)| *sum += tokens);
    }

    pub(super) fn tokens(&self) -> [u64; 2] {
        self.spent
    }

    pub(super) fn cost(&self) -> f64 {
        self.cost_of(self.spent)
    }
}
