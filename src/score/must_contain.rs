//! What an example says that its answer must and must not contain.

use super::contains::Conditions;
use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::places::texts;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::evalset::{Example, strings_of};

settings! {
    /// `[scorers.NAME.must_contain]`
    expected share MustContainSpec {
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

/// The answer has everything in `must_contain` of what is expected, and nothing in `must_not_contain`: the share of
/// conditions met. It applies to examples that have one of the two.
#[derive(Debug)]
struct MustContain {
    places: super::places::Places,
    ignore_case: bool,
}

const MUST: &str = "must_contain";
const MUST_NOT: &str = "must_not_contain";

impl Settings for MustContainSpec {
    fn kind(&self) -> &'static str {
        "must_contain"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let common = self.common();
        let places = common.places.clone();
        common.measured(self.values(), MustContain { places, ignore_case: self.ignore_case })
    }
}

impl Measure for MustContain {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected()?;
        let words = |key: &str| match expected.get(key) {
            None => Ok(Vec::new()),
            Some(value) => {
                texts(value).ok_or_else(|| Miss::unable(format!("`{key}` is {value}, no text and no list of texts")))
            }
        };
        let (must, must_not) = (words(MUST)?, words(MUST_NOT)?);
        let mut conditions = Conditions::new(String::new(), self.ignore_case);
        if !must.is_empty() || !must_not.is_empty() {
            conditions = Conditions::new(strings_of(at.answer()?), self.ignore_case);
        }
        conditions.every(&must);
        conditions.never(&must_not);
        conditions.found()
    }

    fn applies(&self, example: &Example) -> bool {
        let expected = self.places.expected_of(example);
        expected.is_ok_and(|expected| expected.get(MUST).or_else(|| expected.get(MUST_NOT)).is_some())
    }
}
