//! What is it worth to send a pinner so many notifications a week?
//!
//! `R(u, k) = (1 − p_unsub(k)) · p(active | u, k) + p_unsub(k) · p(active later | u, unsubscribed)` (Zhao et al., KDD
//! 2018, with three heads): the chance that the pinner is active, whether they stay or leave. It can be written as
//! `p(active | u, k) − p_unsub(k) · (p(active | u, k) − p(active later | u, unsubscribed))`: what it brings, less
//! the chance of losing the pinner times what is lost. Who leaves is lost for longer:
//! [`ValueParams::periods`] says for how many periods the loss counts; with 1 it is the formula of the paper.
//!
//! A period is what the rows were observed over. Four weeks in which the drawn volume is held, with the activity of the
//! fourth, are better than one: one more notification tires nobody, one more every week does.
//!
//! The heads are learned from pinners whose volume was drawn at random. The chance of leaving is learned from the
//! volume that was **allocated**, not from what was sent: who left on Tuesday was sent little, which would make few
//! notifications look dangerous and many look safe.

mod basis;
mod logistic;

use crate::NotifyError;
use crate::error::within;
use basis::{Basis, POWERS};
use logistic::{Logistic, Outcome};
use serde::{Deserialize, Serialize};

/// Most features of a pinner.
const FEATURES_MAX: usize = 32;
/// Fewest rows that teach anything.
const ROWS_MIN: usize = 100;

/// How values are learned and what they count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValueParams {
    /// For how many periods a pinner who leaves is lost; 1 is the formula of the paper.
    pub periods: f64,
    /// How strongly the heads are held to their base rates: as so many rows.
    pub ridge: f64,
}

impl Default for ValueParams {
    fn default() -> Self {
        ValueParams { periods: 1.0, ridge: 4.0 }
    }
}

impl ValueParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        within("value.periods", self.periods, 0.0, 520.0)?;
        within("value.ridge", self.ridge, 1e-3, 1e6)
    }
}

/// Periods of pinners whose weekly volume was drawn at random and held, in columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weeks {
    /// Names of the features, at most 32.
    pub names: Vec<String>,
    /// What was known of each pinner when the period began, row by row.
    pub features: Vec<f32>,
    /// The weekly volume that was drawn, whether or not all of it was sent.
    pub allocated: Vec<u8>,
    /// Whether the pinner was active in the last week of the period.
    pub visited: Vec<bool>,
    /// Whether they left notifications in the period.
    pub unsubscribed: Vec<bool>,
    /// Whether they were active in the fourth week after; read of those who left only.
    pub active_later: Vec<bool>,
}

impl Weeks {
    /// How many rows these are.
    ///
    /// # Errors
    /// [`NotifyError::Model`] where columns are of different lengths or there is too little to learn from.
    fn rows(&self) -> Result<usize, NotifyError> {
        let (width, rows) = (self.names.len(), self.allocated.len());
        let lengths = [self.features.len(), self.visited.len(), self.unsubscribed.len(), self.active_later.len()];
        if width == 0 || width > FEATURES_MAX || lengths != [rows * width, rows, rows, rows] {
            let reason =
                format!("columns of {lengths:?} are not {rows} rows of {width} features (at most {FEATURES_MAX})");
            return Err(NotifyError::Model(reason));
        }
        let volumes = self.allocated.iter().any(|&volume| volume != self.allocated[0]);
        if rows < ROWS_MIN || !volumes {
            let reason = format!("{rows} rows, {ROWS_MIN} at least are needed, with more than one volume among them");
            return Err(NotifyError::Model(reason));
        }
        Ok(rows)
    }
}

/// What one volume of one pinner promises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Returns {
    /// Chance of being active, when staying.
    pub active: f64,
    /// Chance of leaving in the period.
    pub unsubscribes: f64,
    /// Chance of being active after leaving.
    pub active_later: f64,
    /// `active − periods · unsubscribes · max(0, active − active_later)`.
    pub value: f64,
}

/// The three heads. Serialise it as it is; [`ValueModel::check`] what comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueModel {
    /// Names of the features, in the order in which rows hold them.
    pub features: Vec<String>,
    /// Periods for which a loss counts.
    periods: f32,
    active: Logistic,
    unsubscribes: Logistic,
    active_later: Logistic,
}

impl ValueModel {
    /// Learns the heads; nothing is drawn, and the same weeks give the same model on any number of threads.
    ///
    /// # Errors
    /// [`NotifyError::Model`] where the columns do not fit together or say too little, [`NotifyError::Invalid`] where
    /// parameters are wrong.
    pub fn fit(params: &ValueParams, weeks: &Weeks) -> Result<ValueModel, NotifyError> {
        params.validate()?;
        let rows = weeks.rows()?;
        let volume_max = weeks.allocated.iter().copied().max().unwrap_or(0);
        let fit = |keeps: &dyn Fn(usize) -> bool, happened: &[bool], by_volume: bool| {
            let outcome = |row: usize| Outcome { row, volume: weeks.allocated[row], happened: happened[row] };
            let outcomes: Vec<Outcome> = (0..rows).filter(|&row| keeps(row)).map(outcome).collect();
            let basis = Basis::of(&weeks.features, weeks.names.len(), by_volume, volume_max);
            Logistic::fit(basis, &weeks.features, &outcomes, params.ridge)
        };
        Ok(ValueModel {
            features: weeks.names.clone(),
            periods: params.periods as f32,
            active: fit(&|row| !weeks.unsubscribed[row], &weeks.visited, true),
            unsubscribes: fit(&|_| true, &weeks.unsubscribed, true),
            active_later: fit(&|row| weeks.unsubscribed[row], &weeks.active_later, false),
        })
    }

    /// Whether a model that was read fits together.
    ///
    /// # Errors
    /// [`NotifyError::Model`].
    pub fn check(&self) -> Result<(), NotifyError> {
        let heads = [&self.active, &self.unsubscribes, &self.active_later];
        let width = self.features.len();
        let fits = heads.iter().all(|head| head.is_sound() && head.width() == width);
        if fits && self.periods.is_finite() && self.periods >= 0.0 {
            return Ok(());
        }
        Err(NotifyError::Model("its numbers do not fit together".to_owned()))
    }

    /// What `volume` notifications a week promise of a pinner with these features. Features that are missing are taken
    /// for their lowest value.
    pub fn returns(&self, features: &[f32], volume: u8) -> Returns {
        self.at(&self.sums(features, &mut Vec::new()), volume)
    }

    fn sums(&self, features: &[f32], room: &mut Vec<f64>) -> [[f64; POWERS]; 3] {
        [&self.active, &self.unsubscribes, &self.active_later].map(|head| head.sums(features, room))
    }

    fn at(&self, [active, unsubscribes, active_later]: &[[f64; POWERS]; 3], volume: u8) -> Returns {
        let active = self.active.chance(active, volume);
        let unsubscribes = self.unsubscribes.chance(unsubscribes, volume);
        let active_later = self.active_later.chance(active_later, volume);
        let value = active - f64::from(self.periods) * unsubscribes * (active - active_later).max(0.0);
        Returns { active, unsubscribes, active_later, value }
    }

    /// `R(u, k) − R(u, 0)`: what sending `volume` adds, less what it costs in the long run.
    pub fn uplift(&self, features: &[f32], volume: u8) -> f64 {
        self.returns(features, volume).value - self.returns(features, 0).value
    }

    /// `R(u, from)`, `R(u, from + 1)`, … of one pinner, as many as `row` has room for.
    pub fn row(&self, features: &[f32], from: u8, row: &mut [f32]) {
        let sums = self.sums(features, &mut Vec::new());
        let volume = |more: usize| from.saturating_add(more.min(255) as u8);
        row.iter_mut().enumerate().for_each(|(more, slot)| *slot = self.at(&sums, volume(more)).value as f32);
    }

    /// The rows that [`allocate_streamed`](crate::allocate_streamed) asks for: of the pinners whose `features` these
    /// are, from `first` on, `R(u, 0)` to `R(u, volumes − 1)`.
    pub fn fill(&self, features: &[f32], volumes: usize, first: usize, rows: &mut [f32]) {
        let width = self.features.len();
        for (row, pinner) in rows.chunks_exact_mut(volumes).zip(first..) {
            let own = features.get(pinner * width..).map_or(&[][..], |rest| &rest[..width.min(rest.len())]);
            self.row(own, 0, row);
        }
    }
}

#[cfg(test)]
mod tests;
