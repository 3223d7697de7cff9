//! One of several right answers.

use super::exact::same_text;
use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::places::scalar_text;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.one_of]`
    expected share OneOfSpec {
        /// The right answers stand in order, the best first: the n-th scores 1/n.
        pub ordered: bool,
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

/// The answer is one of the expected texts; it passes whichever it is, unless `pass_at` asks for a better one.
#[derive(Debug)]
struct OneOf {
    ordered: bool,
    ignore_case: bool,
}

impl Settings for OneOfSpec {
    fn kind(&self) -> &'static str {
        "one_of"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(self.values(), OneOf { ordered: self.ordered, ignore_case: self.ignore_case })
    }
}

impl Measure for OneOf {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected_texts()?;
        let answer = scalar_text(at.answer()?).ok_or_else(|| Miss::fault("the answer is no single text"))?;
        let place = expected.iter().position(|text| same_text(&answer, text, self.ignore_case));
        Ok(match place {
            None => Found::passing(0.0, false),
            Some(place) if self.ordered => Found::passing(1.0 / (place + 1) as f64, true),
            Some(_) => Found::passing(1.0, true),
        })
    }
}
