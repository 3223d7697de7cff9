//! A regular expression.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::exact::same_text;
use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::numeric::Which;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.regex]`
    expected RegexSpec {
        /// The expression. It may match anywhere: write `^` and `$` for the whole.
        pub pattern: String,
        /// The group, by number or name, whose text must equal what is expected; without it a match is enough.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub capture: Option<Group>,
        /// Which match counts for the group.
        pub which: Which,
        /// Upper and lower case are the same, in the expression and in what is expected.
        pub ignore_case: bool,
    }
}

/// A group of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected the number or the name of a group")]
pub enum Group {
    /// By number; 0 is the whole match.
    Number(usize),
    /// By name.
    Name(String),
}

/// The expression matches; or what a group of it matched equals one of the expected texts.
#[derive(Debug)]
struct Pattern {
    regex: Regex,
    capture: Option<usize>,
    which: Which,
    ignore_case: bool,
}

impl Settings for RegexSpec {
    fn kind(&self) -> &'static str {
        "regex"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if self.pattern.is_empty() {
            return Err(SpecError::new("say what to look for with `pattern`".to_owned()));
        }
        let regex = RegexBuilder::new(&self.pattern).case_insensitive(self.ignore_case).build();
        let regex = regex.map_err(|error| SpecError::new(format!("`pattern`: {error}")))?;
        if self.capture.is_none() && (self.value.is_some() || !self.expected.is_whole()) {
            let what = "nothing is compared with `expected` or `value` unless `capture` names a group of the pattern";
            return Err(SpecError::new(what.to_owned()));
        }
        let known = regex.capture_names().len();
        let capture = match &self.capture {
            None => None,
            Some(Group::Number(number)) if *number < known => Some(*number),
            Some(Group::Number(number)) => {
                return Err(SpecError::new(format!("`pattern` has no group {number}, only {}", known - 1)));
            }
            Some(Group::Name(name)) => {
                let place = regex.capture_names().position(|known| known == Some(name));
                Some(place.ok_or_else(|| SpecError::new(format!("`pattern` has no group `{name}`")))?)
            }
        };
        let measure = Pattern { regex, capture, which: self.which, ignore_case: self.ignore_case };
        self.common().measured(ValueKind::Right, measure)
    }
}

impl Measure for Pattern {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let Some(group) = self.capture else {
            return Ok(Found::right(self.regex.is_match(&at.text()?)));
        };
        let expected = at.expected_texts()?;
        let text = at.text()?;
        let mut matches = self.regex.captures_iter(&text);
        let found = match self.which {
            Which::First => matches.next(),
            Which::Last => matches.last(),
        };
        let Some(found) = found.and_then(|found| found.get(group)) else {
            return Err(Miss::fault("the pattern does not match"));
        };
        let equal = expected.iter().any(|text| same_text(found.as_str(), text, self.ignore_case));
        Ok(Found::right(equal).because(format!("found `{}`", found.as_str().trim())))
    }
}
