//! Equal or not.

use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::places::scalar_text;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Pointer;

settings! {
    /// `[scorers.NAME.exact]`
    expected ExactSpec {
        /// Upper and lower case are the same.
        pub ignore_case: bool,
        /// Place in the answer where it says how sure it is, 0 to 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub confidence: Option<Pointer>,
    }
}

/// The answer equals what is expected: texts by their characters (trimmed; without regard to case on request), other
/// values as JSON.
#[derive(Debug)]
struct Exact {
    ignore_case: bool,
}

/// Whether two scalars are the same text, or two other values the same JSON.
pub(super) fn equal(answer: &Json, expected: &Json, ignore_case: bool) -> bool {
    match (scalar_text(answer), scalar_text(expected)) {
        (Some(answer), Some(expected)) => same_text(&answer, &expected, ignore_case),
        _ => answer == expected,
    }
}

/// Whether two texts are the same but for the space around them, and for case where that is said.
pub(super) fn same_text(answer: &str, expected: &str, ignore_case: bool) -> bool {
    let (answer, expected) = (answer.trim(), expected.trim());
    answer == expected || ignore_case && answer.to_lowercase() == expected.to_lowercase()
}

impl Settings for ExactSpec {
    fn kind(&self) -> &'static str {
        "exact"
    }

    fn states_confidence(&self) -> bool {
        self.confidence.is_some()
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let mut common = self.common();
        common.places.confidence.clone_from(&self.confidence);
        common.measured(ValueKind::Right, Exact { ignore_case: self.ignore_case })
    }
}

impl Measure for Exact {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected()?;
        // A null that is expected is met by a null, so this does not go through `answer`.
        let answer = at.places.in_answer(at.case).map_err(Miss::Fault)?;
        Ok(Found::right(equal(answer, expected, self.ignore_case)))
    }
}
