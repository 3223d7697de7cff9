//! How an answer fared against another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::outcome::{Outcome, Part, Value};
use super::places::Places;
use super::scale::Scale;
use super::scorer::{Case, Scorer};
use super::settings::Settings;
use super::spec::{SpecError, ValueKind};
use crate::call::{Pointer, Replies, Step};
use crate::evalset::{Example, LabelValue};

/// `[scorers.NAME.preference]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreferenceSpec {
    /// Place in the answer.
    pub answer: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl Settings for PreferenceSpec {
    fn kind(&self) -> &'static str {
        "preference"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Preference
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let places = Places { answer: self.answer.clone(), when: self.when.clone(), ..Places::default() };
        Ok(Box::new(Preference { places }))
    }
}

/// The answer reports a comparison that was made elsewhere: 1, 0 or −1, or `win`, `tie` or `loss`. It passes unless it
/// lost; an answer that reports none has lost.
#[derive(Debug)]
pub(super) struct Preference {
    pub(super) places: Places,
}

fn preference(value: &serde_json::Value) -> Option<i8> {
    match value {
        serde_json::Value::Number(number) => {
            let number = number.as_f64()?;
            [-1_i8, 0, 1].into_iter().find(|&known| f64::from(known) == number)
        }
        serde_json::Value::String(text) => match text.trim().to_lowercase().as_str() {
            "1" | "win" => Some(1),
            "0" | "tie" => Some(0),
            "-1" | "loss" => Some(-1),
            _ => None,
        },
        _ => None,
    }
}

impl Scorer for Preference {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let given = self.places.in_answer(case).and_then(|value| {
            preference(value).ok_or_else(|| "the answer is none of 1, 0, -1, win, tie, loss".to_owned())
        });
        let part = match given {
            Ok(preference) => Part::whole(Value::Preference(preference), preference >= 0),
            Err(why) => Part::whole(Value::Preference(-1), false).because(why),
        };
        Step::Done(Outcome::Scored(vec![part]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn scale(&self) -> Scale {
        Scale { low: -1.0, high: 1.0, higher_is_better: true }
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(Value::Preference(-1), false)]
    }
}
