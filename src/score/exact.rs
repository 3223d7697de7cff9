//! Equal or not.

use super::outcome::{Outcome, Part, Value, Why};
use super::places::{Places, scalar_text};
use super::scorer::{Case, Scorer};
use crate::call::{Replies, Step};
use crate::evalset::Example;

/// The answer equals what is expected: texts by their characters (trimmed; without regard to case on request), other
/// values as JSON.
#[derive(Debug)]
pub(super) struct Exact {
    pub(super) places: Places,
    pub(super) ignore_case: bool,
}

impl Exact {
    fn equal(&self, answer: &serde_json::Value, expected: &serde_json::Value) -> bool {
        match (scalar_text(answer), scalar_text(expected)) {
            (Some(answer), Some(expected)) => {
                let (answer, expected) = (answer.trim(), expected.trim());
                answer == expected || self.ignore_case && answer.to_lowercase() == expected.to_lowercase()
            }
            _ => answer == expected,
        }
    }
}

impl Scorer for Exact {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let expected = match self.places.in_expected(case) {
            Ok(expected) => expected,
            Err(why) => return Step::Done(Outcome::Unscored { why: Why(why) }),
        };
        let part = match self.places.in_answer(case) {
            Ok(answer) => {
                let equal = self.equal(answer, expected);
                Part::whole(Value::Bool(equal), equal)
            }
            Err(why) => Part::whole(Value::Bool(false), false).because(why),
        };
        Step::Done(Outcome::Scored(vec![part.stated(self.places.confidence(case))]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(Value::Bool(false), false)]
    }
}
