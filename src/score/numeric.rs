//! The right number.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Pointer;

settings! {
    /// `[scorers.NAME.numeric]`
    expected NumericSpec {
        /// Largest absolute difference.
        pub absolute: f64,
        /// Largest difference as a share of the expected number.
        pub relative: f64,
        /// Place in the answer where it says how sure it is, 0 to 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub confidence: Option<Pointer>,
        /// Which number of a running text counts; without it all of the text must be the number.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub find: Option<Which>,
    }
}

/// Which of several in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

/// The answer is a number within a tolerance of the expected one. A text counts when all of it is a number, after
/// thousands separators, a leading `$`, `€` or `£` and a trailing `%` are taken off; or the first or last number in it.
#[derive(Debug)]
struct Numeric {
    absolute: f64,
    relative: f64,
    find: Option<(Which, Regex)>,
}

/// A number in running text: digits, with commas between groups of three.
const NUMBER: &str = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+";

/// The number that a value is, if it is one.
fn number(value: &Json) -> Option<f64> {
    let parsed = match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => {
            let text = text.trim().trim_start_matches(['$', '€', '£']).trim_end_matches('%').trim();
            let plain: String = text.chars().filter(|c| *c != ',').collect();
            // `inf` and `nan` parse as floats but are no answers.
            plain.parse().ok().filter(|_| plain.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)))
        }
        _ => None,
    };
    parsed.filter(|number| number.is_finite())
}

/// A number in a text. A minus counts as one where no word or number goes before it: `3-4` holds 3 and 4.
fn found_in(text: &str, which: Which, numbers: &Regex) -> Option<f64> {
    let mut found = numbers.find_iter(text);
    let found = match which {
        Which::First => found.next(),
        Which::Last => found.last(),
    }?;
    let before = text[..found.start()].trim_end_matches(['$', '€', '£']);
    let is_negative = before.strip_suffix(['-', '−']).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
    let plain: String = found.as_str().chars().filter(|c| *c != ',').collect();
    let number: f64 = plain.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(if is_negative { -number } else { number })
}

impl Settings for NumericSpec {
    fn kind(&self) -> &'static str {
        "numeric"
    }

    fn states_confidence(&self) -> bool {
        self.confidence.is_some()
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if !(self.absolute >= 0.0 && self.relative >= 0.0) {
            return Err(SpecError::new("`absolute` and `relative` must not be negative".to_owned()));
        }
        let numbers = Regex::new(NUMBER).map_err(|error| SpecError::new(error.to_string()))?;
        let find = self.find.map(|which| (which, numbers));
        let mut common = self.common();
        common.places.confidence.clone_from(&self.confidence);
        common.measured(ValueKind::Right, Numeric { absolute: self.absolute, relative: self.relative, find })
    }
}

impl Measure for Numeric {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected()?;
        let expected = number(expected).ok_or_else(|| Miss::unable(format!("expected {expected} is not a number")))?;
        let answer = at.answer()?;
        let answer = match (&self.find, answer) {
            (Some((which, numbers)), Json::String(text)) => {
                found_in(text, *which, numbers).ok_or_else(|| Miss::fault("the answer holds no number"))?
            }
            (_, value) => number(value).ok_or_else(|| Miss::fault("the answer is not a number"))?,
        };
        Ok(Found::right((answer - expected).abs() <= self.absolute.max(self.relative * expected.abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn numbers_in_running_text() {
        let numbers = Regex::new(NUMBER).unwrap();
        for (text, first, last) in [
            ("3 of 1,200 (-$4.50).", Some(3.0), Some(-4.5)),
            ("rows 3-4", Some(3.0), Some(4.0)),
            ("−7 °C", Some(-7.0), Some(-7.0)),
            ("1,2", Some(1.0), Some(2.0)),
            ("so .5, or 2e3!", Some(0.5), Some(2000.0)),
            ("none", None, None),
            ("1e999", None, None),
        ] {
            assert_eq!(found_in(text, Which::First, &numbers), first, "{text}");
            assert_eq!(found_in(text, Which::Last, &numbers), last, "{text}");
        }
    }
}
