//! Words that must, may or must not occur.

use super::outcome::{Outcome, Part, Value, Why};
use super::places::{Places, texts};
use super::scorer::{Case, Scorer};
use super::spec::Words;
use crate::call::{Replies, Step};
use crate::evalset::{Example, strings_of};

/// The answer contains all, any, or none of some texts. The value is the share of conditions met; it passes when all are.
#[derive(Debug)]
pub(super) struct Contains {
    pub(super) places: Places,
    pub(super) all: Option<Words>,
    pub(super) any: Option<Words>,
    pub(super) none: Option<Words>,
    pub(super) ignore_case: bool,
}

impl Contains {
    /// The texts of a condition: written in the config, or found in the example.
    fn words(&self, words: &Words, case: &Case<'_>) -> Result<Vec<String>, String> {
        let found = match words {
            Words::These(words) => words.clone(),
            Words::Expected { expected } => {
                let whole = case.example.expected.as_ref().ok_or("the example has nothing in `expected`")?;
                let value = expected.find(whole).ok_or_else(|| format!("`expected` has nothing at {expected}"))?;
                texts(value).ok_or_else(|| format!("expected {value} is no text and no list of texts"))?
            }
        };
        Ok(if self.ignore_case { found.iter().map(|word| word.to_lowercase()).collect() } else { found })
    }

    fn conditions(&self, case: &Case<'_>, text: &str) -> Result<Vec<(bool, String)>, String> {
        let mut conditions = Vec::new();
        if let Some(words) = &self.all {
            for word in self.words(words, case)? {
                conditions.push((text.contains(&word), format!("`{word}` is missing")));
            }
        }
        if let Some(words) = &self.any {
            let words = self.words(words, case)?;
            let met = words.iter().any(|word| text.contains(word));
            conditions.push((met, format!("none of {} occurs", words.join(", "))));
        }
        if let Some(words) = &self.none {
            for word in self.words(words, case)? {
                conditions.push((!text.contains(&word), format!("`{word}` occurs")));
            }
        }
        Ok(conditions)
    }
}

impl Scorer for Contains {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let text = self.places.in_answer(case).map(strings_of);
        let text = match &text {
            Ok(text) if self.ignore_case => text.to_lowercase(),
            Ok(text) => text.clone(),
            Err(_) => String::new(),
        };
        let conditions = match self.conditions(case, &text) {
            Ok(conditions) if conditions.is_empty() => {
                let why = "the example names nothing that must or must not occur".to_owned();
                return Step::Done(Outcome::Unscored { why: Why(why) });
            }
            Ok(conditions) => conditions,
            Err(why) => return Step::Done(Outcome::Unscored { why: Why(why) }),
        };
        let failed: Vec<&str> = conditions.iter().filter(|(met, _)| !met).map(|(_, why)| why.as_str()).collect();
        let share = (conditions.len() - failed.len()) as f64 / conditions.len() as f64;
        let part = Part::whole(Value::Number(share), failed.is_empty());
        let part = if failed.is_empty() { part } else { part.because(failed.join("; ")) };
        Step::Done(Outcome::Scored(vec![part]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(Value::Number(0.0), false)]
    }
}
