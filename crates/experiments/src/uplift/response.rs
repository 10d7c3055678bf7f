use super::encoder::Encoder;
use super::linear::Plane;
use super::model::{OUTCOME_RIDGE, UpliftRow, UpliftTraits, checked};
use crate::ExperimentError;
use serde::{Deserialize, Serialize};

/// Expected outcome of those who were treated: whom one would treat who never looked at a control group. It is what an
/// uplift model has to be better than, since those who would have come anyway stand first in its order.
///
/// A plane with a ridge over the same columns as [`super::UpliftModel`]'s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseModel {
    encoder: Encoder,
    plane: Plane,
}

impl ResponseModel {
    /// Learns from the treated rows of an experiment; what the rows must be is what [`super::UpliftModel::fit`] asks.
    pub fn fit(rows: &[UpliftRow]) -> Result<ResponseModel, ExperimentError> {
        checked(rows)?;
        let treated: Vec<&UpliftRow> = rows.iter().filter(|row| row.treated).collect();
        let encoder = Encoder::learned(&treated.iter().map(|row| &row.traits).collect::<Vec<_>>())?;
        let encoded: Vec<Vec<f64>> = treated.iter().map(|row| encoder.row(&row.traits)).collect();
        let taught = encoded.iter().zip(&treated).map(|(columns, row)| (&columns[..], 1.0, row.outcome));
        let plane = Plane::ridge(taught, encoded[0].len(), OUTCOME_RIDGE * treated.len() as f64);
        Ok(ResponseModel { encoder, plane })
    }

    /// The expected outcome of somebody who is treated.
    pub fn score(&self, traits: &UpliftTraits) -> f64 {
        self.plane.at(&self.encoder.row(traits))
    }
}
