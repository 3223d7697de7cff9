//! Ids in an order, as a search gives them.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::outcome::{Outcome, Part, Truth, Value, Why};
use super::places::{Places, scalar_text, texts};
use super::scorer::{Case, Scorer};
use super::settings::Settings;
use super::spec::{SpecError, ValueKind};
use crate::call::{Pointer, Replies, Step};
use crate::evalset::{Example, LabelValue};

/// `[scorers.NAME.ranked]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RankedSpec {
    /// Place in the answer: a list of ids, the best first.
    pub answer: Pointer,
    /// Place in `expected`: a list of relevant ids, or an object of ids with their grades.
    pub expected: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// It passes when a relevant id stands among this many; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<NonZeroUsize>,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl Settings for RankedSpec {
    fn kind(&self) -> &'static str {
        "ranked"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Ranked
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let places = Places {
            answer: self.answer.clone(),
            expected: self.expected.clone(),
            when: self.when.clone(),
            ..Places::default()
        };
        Ok(Box::new(Ranked { places, within: self.within.map(NonZeroUsize::get) }))
    }
}

/// The answer is a list of ids, the best first. The value kept is the list; it passes when a relevant id stands among the
/// first of them. An id that is given twice counts at its first place only.
#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) places: Places,
    /// How many ids count for passing; all where absent.
    pub(super) within: Option<usize>,
}

/// The highest grade that a gain can be made of.
const HIGHEST_GRADE: f64 = 1000.0;

impl Ranked {
    /// The grades of the relevant ids: 1 each from a list, or as an object says.
    fn relevance(&self, example: &Example) -> Result<BTreeMap<String, f64>, String> {
        let value = self.places.expected_of(example)?;
        let grades: BTreeMap<String, f64> = match value {
            serde_json::Value::Object(grades) => {
                let grade = |(id, grade): (&String, &serde_json::Value)| {
                    let valid = grade.as_f64().filter(|grade| (0.0..=HIGHEST_GRADE).contains(grade));
                    Ok((id.clone(), valid.ok_or_else(|| format!("the grade of `{id}` is {grade}, not 0 to 1000"))?))
                };
                grades.iter().map(grade).collect::<Result<_, String>>()?
            }
            value => {
                let ids = texts(value).ok_or_else(|| format!("expected {value} is no list of ids and no grades"))?;
                ids.into_iter().map(|id| (id, 1.0)).collect()
            }
        };
        if grades.values().any(|grade| *grade > 0.0) {
            Ok(grades)
        } else {
            Err("the example names nothing relevant".to_owned())
        }
    }
}

/// Ids of an answer, each once.
fn ids(value: &serde_json::Value) -> Result<Vec<String>, String> {
    let serde_json::Value::Array(items) = value else { return Err("the answer is no list of ids".to_owned()) };
    let ids: Option<Vec<String>> = items.iter().map(scalar_text).collect();
    let mut ids = ids.ok_or_else(|| "the answer has something in its list that is no id".to_owned())?;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

impl Scorer for Ranked {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let relevance = match self.relevance(case.example) {
            Ok(relevance) => relevance,
            Err(why) => return Step::Done(Outcome::Unscored { why: Why(why) }),
        };
        let part = match self.places.in_answer(case).and_then(ids) {
            Err(why) => Part::whole(Value::Ranked(Vec::new()), false).because(why),
            Ok(ids) => {
                let relevant = |id: &String| relevance.get(id).is_some_and(|grade| *grade > 0.0);
                let passed = ids.iter().take(self.within.unwrap_or(usize::MAX)).any(relevant);
                Part::whole(Value::Ranked(ids), passed)
            }
        };
        Step::Done(Outcome::Scored(vec![part]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn truth(&self, example: &Example) -> Option<Truth> {
        self.relevance(example).ok().map(Truth::Relevance)
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(Value::Ranked(Vec::new()), false)]
    }
}
