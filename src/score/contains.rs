//! Words that must, may or must not occur.

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::places::texts;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Pointer;
use crate::evalset::strings_of;

settings! {
    /// `[scorers.NAME.contains]`
    answer share ContainsSpec {
        /// All of these must occur.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub all: Option<Words>,
        /// One of these must occur.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub any: Option<Words>,
        /// None of these may occur.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub none: Option<Words>,
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

/// Texts: a list, or a place in `expected` where the example has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields, expecting = "expected a list of texts, or { expected = \"/pointer\" }")]
pub enum Words {
    /// Written down.
    These(Vec<String>),
    /// In the example.
    Expected {
        /// Place in `expected`.
        expected: Pointer,
    },
}

/// The answer contains all, any, or none of some texts. The value is the share of conditions met; it passes when all are.
#[derive(Debug)]
struct Contains {
    all: Option<Words>,
    any: Option<Words>,
    none: Option<Words>,
    ignore_case: bool,
}

impl Words {
    /// The texts: written in the config, or found in the example.
    fn found(&self, at: &At<'_>) -> Result<Vec<String>, Miss> {
        match self {
            Self::These(words) => Ok(words.clone()),
            Self::Expected { expected } => {
                let whole = at.case.example.expected.as_ref();
                let whole = whole.ok_or_else(|| Miss::unable("the example has nothing in `expected`"))?;
                let value = expected
                    .find(whole)
                    .ok_or_else(|| Miss::unable(format!("`expected` has nothing at {expected}")))?;
                texts(value).ok_or_else(|| Miss::unable(format!("expected {value} is no text and no list of texts")))
            }
        }
    }
}

/// What must hold of a text, each with the sentence for when it does not.
pub(super) struct Conditions {
    text: String,
    ignore_case: bool,
    all: Vec<(bool, String)>,
}

impl Conditions {
    pub(super) fn new(text: String, ignore_case: bool) -> Self {
        Self { text: if ignore_case { text.to_lowercase() } else { text }, ignore_case, all: Vec::new() }
    }

    fn has(&self, word: &str) -> bool {
        if self.ignore_case { self.text.contains(&word.to_lowercase()) } else { self.text.contains(word) }
    }

    pub(super) fn every(&mut self, words: &[String]) {
        for word in words {
            self.all.push((self.has(word), format!("`{word}` is missing")));
        }
    }

    fn some(&mut self, words: &[String]) {
        let met = words.iter().any(|word| self.has(word));
        self.all.push((met, format!("none of {} occurs", words.join(", "))));
    }

    pub(super) fn never(&mut self, words: &[String]) {
        for word in words {
            self.all.push((!self.has(word), format!("`{word}` occurs")));
        }
    }

    /// The share of conditions met.
    pub(super) fn found(self) -> Result<Found, Miss> {
        if self.all.is_empty() {
            return Err(Miss::unable("the example names nothing that must or must not occur"));
        }
        let failed: Vec<&str> = self.all.iter().filter(|(met, _)| !met).map(|(_, why)| why.as_str()).collect();
        let found = Found::share((self.all.len() - failed.len()) as f64 / self.all.len() as f64);
        Ok(if failed.is_empty() { found } else { found.because(failed.join("; ")) })
    }
}

impl Settings for ContainsSpec {
    fn kind(&self) -> &'static str {
        "contains"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    /// 2: an answer that has nothing at the place fails, also where texts are only forbidden.
    fn version(&self) -> u32 {
        2
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if self.all.is_none() && self.any.is_none() && self.none.is_none() {
            return Err(SpecError::new("say what to look for with `all`, `any` or `none`".to_owned()));
        }
        let (all, any, none) = (self.all.clone(), self.any.clone(), self.none.clone());
        self.common().measured(self.values(), Contains { all, any, none, ignore_case: self.ignore_case })
    }
}

impl Measure for Contains {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let words = |words: &Option<Words>| words.as_ref().map(|words| words.found(at)).transpose();
        let (all, any, none) = (words(&self.all)?, words(&self.any)?, words(&self.none)?);
        if [&all, &any, &none].iter().all(|words| words.as_ref().is_none_or(Vec::is_empty)) {
            return Err(Miss::unable("the example names nothing that must or must not occur"));
        }
        let mut conditions = Conditions::new(strings_of(at.answer()?), self.ignore_case);
        conditions.every(&all.unwrap_or_default());
        if let Some(words) = any {
            conditions.some(&words);
        }
        conditions.never(&none.unwrap_or_default());
        conditions.found()
    }
}
