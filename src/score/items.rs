//! Lists of items: as sets, and in their order.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss, item_text};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::stats::text::longest_common_subsequence;

settings! {
    /// `[scorers.NAME.set]`
    expected share SetSpec {
        /// What of the overlap is the value.
        pub measure: Overlap,
        /// What stands between the items of an answer that is a text; without it the answer must be a JSON list.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub split: Option<String>,
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

settings! {
    /// `[scorers.NAME.list]`
    expected share ListSpec {
        /// What of the overlap is the value.
        pub measure: Overlap,
        /// What stands between the items of an answer that is a text; without it the answer must be a JSON list.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub split: Option<String>,
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

/// What of an overlap is the value. Two empty lists overlap wholly, one empty list not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// The harmonic mean of precision and recall.
    #[default]
    F1,
    /// The share of what was given that is expected.
    Precision,
    /// The share of what is expected that was given.
    Recall,
    /// What is in both over what is in either.
    Jaccard,
    /// 1 where nothing is missing and nothing too much.
    Exact,
}

impl Overlap {
    /// The share, from the numbers of items in both, given, and expected.
    pub(super) fn share(self, both: usize, given: usize, expected: usize) -> f64 {
        if given == 0 && expected == 0 {
            return 1.0;
        }
        if given == 0 || expected == 0 {
            return 0.0;
        }
        let (common, given_count, expected_count) = (both as f64, given as f64, expected as f64);
        match self {
            Self::F1 => 2.0 * common / (given_count + expected_count),
            Self::Precision => common / given_count,
            Self::Recall => common / expected_count,
            Self::Jaccard => common / (given_count + expected_count - common),
            Self::Exact => f64::from(u8::from(both == given && both == expected)),
        }
    }
}

/// The overlap of the answer's list with the expected one: as sets, or by the longest run of items that stand in both in
/// the same order.
#[derive(Debug)]
struct Items {
    measure: Overlap,
    split: Option<String>,
    ignore_case: bool,
    ordered: bool,
}

/// Refuses what splits nothing.
fn checked(split: Option<&String>) -> Result<Option<String>, SpecError> {
    match split {
        Some(split) if split.is_empty() => Err(SpecError::new("`split` is empty".to_owned())),
        split => Ok(split.cloned()),
    }
}

impl Settings for SetSpec {
    fn kind(&self) -> &'static str {
        "set"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let (measure, split, ignore_case) = (self.measure, checked(self.split.as_ref())?, self.ignore_case);
        self.common().measured(self.values(), Items { measure, split, ignore_case, ordered: false })
    }
}

impl Settings for ListSpec {
    fn kind(&self) -> &'static str {
        "list"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let (measure, split, ignore_case) = (self.measure, checked(self.split.as_ref())?, self.ignore_case);
        self.common().measured(self.values(), Items { measure, split, ignore_case, ordered: true })
    }
}

impl Items {
    fn given(&self, answer: &Json) -> Result<Vec<String>, Miss> {
        match (answer, &self.split) {
            (Json::Array(items), _) => Ok(items.iter().map(item_text).collect()),
            (Json::String(text), Some(split)) => {
                let items = text.split(split.as_str()).map(str::trim).filter(|item| !item.is_empty());
                Ok(items.map(str::to_owned).collect())
            }
            _ => Err(Miss::fault("the answer is no list")),
        }
    }

    fn cased(&self, items: Vec<String>) -> Vec<String> {
        let cased = |item: String| {
            let item = item.trim();
            if self.ignore_case { item.to_lowercase() } else { item.to_owned() }
        };
        items.into_iter().map(cased).collect()
    }
}

/// What is missing and what is too much, in a sentence.
fn differences(given: &HashSet<String>, expected: &HashSet<String>) -> Option<String> {
    let sorted = |of: &HashSet<String>, without: &HashSet<String>| {
        let mut items: Vec<&str> = of.difference(without).map(String::as_str).collect();
        items.sort_unstable();
        items.join(", ")
    };
    let (missing, extra) = (sorted(expected, given), sorted(given, expected));
    match (missing.is_empty(), extra.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("missing: {missing}")),
        (true, false) => Some(format!("not expected: {extra}")),
        (false, false) => Some(format!("missing: {missing}; not expected: {extra}")),
    }
}

impl Measure for Items {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = self.cased(at.expected_items()?);
        let given = self.cased(self.given(at.answer()?)?);
        if self.ordered {
            let mut numbers: HashMap<&str, u32> = HashMap::new();
            let mut code = |item| {
                let next = numbers.len() as u32;
                *numbers.entry(item).or_insert(next)
            };
            let expected_codes: Vec<u32> = expected.iter().map(|item| code(item.as_str())).collect();
            let given_codes: Vec<u32> = given.iter().map(|item| code(item.as_str())).collect();
            let both = longest_common_subsequence(&expected_codes, &given_codes);
            return Ok(Found::share(self.measure.share(both, given.len(), expected.len())));
        }
        let (given, expected): (HashSet<_>, HashSet<_>) = (given.into_iter().collect(), expected.into_iter().collect());
        let both = given.intersection(&expected).count();
        let found = Found::share(self.measure.share(both, given.len(), expected.len()));
        Ok(match differences(&given, &expected) {
            Some(why) => found.because(why),
            None => found,
        })
    }
}
