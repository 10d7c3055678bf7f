//! What stands for [`crate::gpu`] in a build without it: no seat can be taken.

use models::{IdTable, Matrix};

use crate::TrainError;
use crate::learner::Step;
use crate::tape::Bags;

/// There is none.
pub(crate) enum Seat {}

impl Seat {
    pub(crate) fn take(_: &IdTable, _: &[f32], _: &[f32]) -> Result<Seat, TrainError> {
        Err(TrainError::Device("this program was built without it: build with `--features gpu`".into()))
    }

    pub(crate) fn name(&self) -> String {
        match *self {}
    }

    pub(crate) fn step(&mut self, _: &Step, _: &[Matrix], _: Bags, _: f32) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
        match *self {}
    }

    pub(crate) fn bring(&self, _: &mut IdTable, _: &mut Vec<f32>) -> Result<(), TrainError> {
        match *self {}
    }
}
