//! How an answer fared against another.

use super::outcome::{Outcome, Part, Value};
use super::places::Places;
use super::scale::Scale;
use super::scorer::{Case, Scorer};
use crate::call::{Replies, Step};
use crate::evalset::Example;

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
