//! Experiments: who is in which arm, and what that changes of an answer.

mod api;

pub(crate) use api::{change, define, list, set_state, show};

use crate::app::App;
use domain::{ArmOf, Params, Surface};
use experiments::{Assigned, Experiment, Holdout, Layers, Overrides, Value};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The long-term holdout as arms tell it.
pub(crate) const HOLDOUT: &str = "holdout";
const HELD: &str = "held";
const REST: &str = "rest";
/// Sets of parameters that are kept made up; more arms at once than this begin anew.
const MADE_UP_MAX: usize = 256;

/// What is written down of an experiment: its definition, or the long-term holdout under the id `holdout`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Definition {
    Experiment(Experiment),
    Holdout(Holdout),
}

/// All definitions, as a set that fits together.
#[derive(Debug, Default)]
pub(crate) struct Defined {
    pub(crate) experiments: Vec<Experiment>,
    pub(crate) holdout: Option<Holdout>,
    layers: Layers,
    /// What could not be read or put together, in words: then nobody is in any arm.
    pub(crate) trouble: Option<String>,
}

impl Defined {
    /// Puts definitions together. What contradicts itself leaves everybody out of every arm, and is told.
    pub(crate) fn of(words: impl IntoIterator<Item = (String, String)>) -> Defined {
        let mut defined = Defined::default();
        for (id, text) in words {
            match serde_json::from_str(&text) {
                Ok(Definition::Experiment(experiment)) => defined.experiments.push(experiment),
                Ok(Definition::Holdout(holdout)) => defined.holdout = Some(holdout),
                Err(error) => defined.trouble = Some(format!("experiment '{id}' cannot be read: {error}")),
            }
        }
        match Layers::new(defined.holdout.clone(), &defined.experiments) {
            Ok(layers) => defined.layers = layers,
            Err(error) => defined.trouble = Some(error.to_string()),
        }
        defined
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Experiment> {
        self.experiments.iter().find(|experiment| experiment.id == id)
    }

    /// The arms that an answer on this surface is made in: those of experiments that change something there.
    fn arms<'a>(&'a self, pinner: &str, traits: &[(&str, &str)], surface: Surface) -> (Vec<ArmOf>, Vec<Assigned<'a>>) {
        let assignment = self.layers.assign(pinner, traits);
        let mut told = Vec::new();
        if self.holdout.is_some() {
            let arm = if assignment.holdout { HELD } else { REST };
            told.push(ArmOf { experiment: HOLDOUT.into(), arm: arm.into() });
        }
        let concerned = |arm: &Assigned| {
            let arms = self.find(arm.experiment).into_iter().flat_map(|experiment| &experiment.arms);
            arms.flat_map(|arm| arm.overrides.keys()).any(|name| concerns(name, surface))
        };
        let arms: Vec<Assigned> = assignment.arms.into_iter().filter(concerned).collect();
        told.extend(arms.iter().map(|arm| ArmOf { experiment: arm.experiment.into(), arm: arm.arm.into() }));
        (told, arms)
    }
}

/// Whether a parameter changes answers on a surface: those of another surface do not.
fn concerns(name: &str, surface: Surface) -> bool {
    let of = name.split('.').next().unwrap_or(name);
    let another = Surface::ALL.iter().any(|other| *other != surface && other.as_str() == of);
    let searched = of == "relevance";
    !another && (!searched || surface == Surface::Search)
}

/// Parameters with some of them set to other values, by dotted name.
///
/// # Errors
/// Names the parameter that there is none of, or that does not take the value.
pub(crate) fn overridden(params: &Params, overrides: &Overrides) -> Result<Params, String> {
    let mut tree = serde_json::to_value(params).map_err(|error| error.to_string())?;
    for (name, value) in overrides {
        let mut place = &mut tree;
        for part in name.split('.') {
            place = place.get_mut(part).ok_or_else(|| format!("there is no parameter '{name}'"))?;
        }
        let new = match (value, &*place) {
            (Value::Switch(on), serde_json::Value::Bool(_)) => serde_json::Value::Bool(*on),
            (Value::Number(number), serde_json::Value::Number(old)) => {
                whole(*number, old.is_f64()).ok_or_else(|| format!("'{name}' takes no {number}"))?
            }
            (Value::Text(text), serde_json::Value::String(_)) => serde_json::Value::String(text.clone()),
            _ => return Err(format!("'{name}' is {place}, and takes nothing like {value:?}")),
        };
        *place = new;
    }
    serde_json::from_value(tree).map_err(|error| error.to_string())
}

/// A number as a parameter holds it: with a fraction, or whole.
fn whole(number: f64, fraction: bool) -> Option<serde_json::Value> {
    if fraction {
        return serde_json::Number::from_f64(number).map(serde_json::Value::Number);
    }
    (number.fract() == 0.0 && number.abs() < 9e15).then(|| serde_json::Value::from(number as i64))
}

/// Definitions as the views have them, and parameters made up for arms.
#[derive(Default)]
pub(crate) struct Experimenting(Mutex<Known>);

#[derive(Default)]
struct Known {
    words: u64,
    defined: Arc<Defined>,
    base: Arc<Params>,
    made_up: HashMap<Vec<(String, String)>, Arc<Params>>,
}

/// What an answer is made with.
pub(crate) struct Tuning {
    pub(crate) params: Arc<Params>,
    pub(crate) arms: Vec<ArmOf>,
}

impl App {
    /// All experiments, as the views have them now.
    pub(crate) fn defined(&self) -> Arc<Defined> {
        let mut known = self.experimenting().0.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow(&mut known);
        known.defined.clone()
    }

    /// The parameters that an answer for a pinner on a surface is made with, and the arms that they come from.
    pub(crate) fn tuning(&self, pinner: &str, surface: Surface) -> Tuning {
        let base = self.params();
        let mut known = self.experimenting().0.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow(&mut known);
        let defined = known.defined.clone();
        if pinner.is_empty() || (defined.experiments.is_empty() && defined.holdout.is_none()) {
            return Tuning { params: base, arms: Vec::new() };
        }
        if !Arc::ptr_eq(&known.base, &base) {
            (known.base, known.made_up) = (base.clone(), HashMap::new());
        }
        let language = self.language_of(pinner);
        let (told, arms) = defined.arms(pinner, &[("language", &language)], surface);
        if arms.is_empty() {
            return Tuning { params: base, arms: told };
        }
        let key: Vec<_> = arms.iter().map(|arm| (arm.experiment.to_owned(), arm.arm.to_owned())).collect();
        if let Some(params) = known.made_up.get(&key) {
            return Tuning { params: params.clone(), arms: told };
        }
        let overrides: Overrides = arms.iter().flat_map(|arm| arm.overrides.clone()).collect();
        let params = self.with_overrides(&overrides).map_or(base, Arc::new);
        if known.made_up.len() == MADE_UP_MAX {
            known.made_up.clear();
        }
        known.made_up.insert(key, params.clone());
        Tuning { params, arms: told }
    }

    /// The parameters of now with some overridden, if they can be used.
    ///
    /// # Errors
    /// Why they cannot.
    pub(crate) fn with_overrides(&self, overrides: &Overrides) -> Result<Params, String> {
        let params = overridden(&self.params(), overrides)?;
        self.check_params(&params).map(|()| params)
    }

    fn follow(&self, known: &mut Known) {
        let catalogue = self.views().catalogue();
        if catalogue.defined() != known.words {
            let words = catalogue.definitions().map(|defined| (defined.id.clone(), defined.definition.clone()));
            known.defined = Arc::new(Defined::of(words));
            known.words = catalogue.defined();
            known.made_up.clear();
        }
    }

    fn language_of(&self, pinner: &str) -> String {
        let catalogue = self.views().catalogue();
        let view =
            catalogue.pinner(pinner).and_then(|id| catalogue.pinner_view(id).map(|view| view.language.to_owned()));
        view.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, Value)]) -> Overrides {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn parameters_are_overridden_by_name_and_kind() {
        let params = Params::default();
        let other = set(&[("diversity.ssd_window", Value::Number(3.0)), ("generators.walks.on", Value::Switch(false))]);
        let made = overridden(&params, &other).expect("both are there");
        assert_eq!((made.diversity.ssd_window, made.generators.walks.on), (3, false));
        assert_eq!(
            Params { diversity: params.diversity.clone(), generators: params.generators.clone(), ..made },
            params
        );
        for (name, value, why) in [
            ("diversity.sdd", Value::Number(1.0), "no parameter"),
            ("generators.walks.on", Value::Number(1.0), "nothing like"),
            ("slate_max", Value::Number(1.5), "takes no 1.5"),
            ("generators", Value::Switch(true), "nothing like"),
        ] {
            let refused = overridden(&params, &set(&[(name, value)])).expect_err(name);
            assert!(refused.contains(why) && refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn only_arms_that_change_something_on_a_surface_are_told() {
        let experiment = r#"{"id":"variety","salt":"v","layer":"blend","buckets":{"first":0,"count":10000},
            "arms":[{"name":"control","share":0.5},{"name":"off","share":0.5,"overrides":{"home.save":2}}],
            "state":{"running":{"ramp":1.0}}}"#;
        let holdout = r#"{"salt":"h","share":0.2}"#;
        let words = [("variety", experiment), (HOLDOUT, holdout)];
        let defined = Defined::of(words.map(|(id, text)| (id.to_owned(), text.to_owned())));
        assert_eq!(defined.trouble, None);
        let (mut held, mut arms) = (0, [0, 0]);
        for number in 0..2_000 {
            let pinner = format!("p{number}");
            let (home, _) = defined.arms(&pinner, &[], Surface::Home);
            let (search, overridden) = defined.arms(&pinner, &[], Surface::Search);
            assert!(overridden.is_empty() && search.len() == 1 && search[0] == home[0]);
            held += usize::from(home[0].arm == HELD);
            assert_eq!(home.len(), if home[0].arm == HELD { 1 } else { 2 });
            home.iter().skip(1).for_each(|arm| arms[usize::from(arm.arm == "off")] += 1);
        }
        assert!((320..480).contains(&held) && (700..900).contains(&arms[0]) && (700..900).contains(&arms[1]));
    }

    #[test]
    fn what_cannot_be_read_leaves_everybody_out() {
        let defined = Defined::of([("x".to_owned(), "{}".to_owned())]);
        assert!(defined.trouble.is_some_and(|why| why.contains("'x'")));
    }
}
