//! The right number.

use super::outcome::{Outcome, Part, Value, Why};
use super::places::Places;
use super::scorer::{Case, Scorer};
use crate::call::{Replies, Step};
use crate::evalset::Example;

/// The answer is a number within a tolerance of the expected one. A text counts when all of it is a number, after
/// thousands separators, a leading `$`, `€` or `£` and a trailing `%` are taken off.
#[derive(Debug)]
pub(super) struct Numeric {
    pub(super) places: Places,
    /// Largest absolute difference.
    pub(super) absolute: f64,
    /// Largest difference as a share of the expected number.
    pub(super) relative: f64,
}

/// The number that a value is, if it is one.
fn number(value: &serde_json::Value) -> Option<f64> {
    let parsed = match value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => {
            let text = text.trim().trim_start_matches(['$', '€', '£']).trim_end_matches('%').trim();
            let plain: String = text.chars().filter(|c| *c != ',').collect();
            // `inf` and `nan` parse as floats but are no answers.
            plain.parse().ok().filter(|_| plain.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)))
        }
        _ => None,
    };
    parsed.filter(|number| number.is_finite())
}

impl Scorer for Numeric {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let expected = self
            .places
            .in_expected(case)
            .and_then(|value| number(value).ok_or_else(|| format!("expected {value} is not a number")));
        let expected = match expected {
            Ok(expected) => expected,
            Err(why) => return Step::Done(Outcome::Unscored { why: Why(why) }),
        };
        let answer = self
            .places
            .in_answer(case)
            .and_then(|value| number(value).ok_or_else(|| "the answer is not a number".to_owned()));
        let part = match answer {
            Ok(answer) => {
                let close = (answer - expected).abs() <= self.absolute.max(self.relative * expected.abs());
                Part::whole(Value::Bool(close), close)
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

#[cfg(test)]
mod tests {
    use super::number;
    use serde_json::json;

    #[test]
    fn numbers_as_people_write_them() {
        for (value, expected) in [
            (json!("1,234.5"), Some(1234.5)),
            (json!(" $18 "), Some(18.0)),
            (json!("-3"), Some(-3.0)),
            (json!("25%"), Some(25.0)),
            (json!(7), Some(7.0)),
            (json!("inf"), None),
            (json!("NaN"), None),
            (json!("seven"), None),
            (json!("3 apples"), None),
            (json!(null), None),
            (json!("1e400"), None),
        ] {
            assert_eq!(number(&value), expected, "{value}");
        }
    }
}
