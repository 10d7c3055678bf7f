//! A learner on a card: the id table and all contents stay there.

use models::{IdTable, Matrix};

use super::card::{Buffer, Card, caught};
use crate::TrainError;
use crate::learner::Step;
use crate::net::Rows;
use crate::sparse::uses;
use crate::tape::{Bags, Engine, Loaded};

/// See the module.
pub(crate) struct Seat {
    card: Card,
    ids: Buffer,
    /// Of row-wise Adagrad.
    sums: Buffer,
    content: Buffer,
    dim: usize,
}

impl Seat {
    /// Takes a learner's table to the first card.
    pub(crate) fn take(ids: &IdTable, sums: &[f32], content: &[f32]) -> Result<Seat, TrainError> {
        let card = Card::open()?;
        let buffers = || [&ids.rows().values, sums, content].map(|values| card.upload(values.to_vec()));
        let [table, sums, content] = caught(buffers)?;
        Ok(Seat { ids: table, sums, content, dim: ids.rows().cols, card })
    }

    /// The card's name.
    pub(crate) fn name(&self) -> String {
        self.card.name()
    }

    /// The loss of a step and the gradients of the dense weights; rows of the id table, those in `rows`, are moved.
    pub(crate) fn step(
        &mut self,
        step: &Step,
        weights: &[Matrix],
        rows: Bags,
        rate: f32,
    ) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
        caught(|| {
            let card = &self.card;
            let loaded: Vec<Buffer> = weights.iter().map(|matrix| card.upload(matrix.values.clone())).collect();
            let loaded = Loaded::new(weights, loaded.iter());
            let ids = card.bag(&self.ids, self.dim, &card.bags(rows.clone()));
            let read = Rows { ids: &ids, content: &self.content };
            let (uses, found) = rayon::join(|| uses(&rows), || step.learn(card, &loaded, &read));
            if found.loss.is_finite() {
                card.adagrad(&uses, &found.ids, (rate, self.dim), (&mut self.ids, &mut self.sums));
            }
            (found.loss, found.dense)
        })
    }

    /// Brings the table as it is now.
    pub(crate) fn bring(&self, ids: &mut IdTable, sums: &mut Vec<f32>) -> Result<(), TrainError> {
        caught(|| {
            ids.rows_mut().values = self.card.download(&self.ids);
            *sums = self.card.download(&self.sums);
        })
    }
}
