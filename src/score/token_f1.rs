//! Words in common, as `SQuAD` counts them.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::stats::text::token_f1;

settings! {
    /// `[scorers.NAME.token_f1]`
    expected share TokenF1Spec {}
}

/// Precision and recall of the words of the answer, in one number: the best over the expected texts.
#[derive(Debug)]
struct TokenF1;

impl Settings for TokenF1Spec {
    fn kind(&self) -> &'static str {
        "token_f1"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(self.values(), TokenF1)
    }
}

impl Measure for TokenF1 {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected_texts()?;
        let f1 = token_f1(&at.text()?, &expected).map_err(|error| Miss::unable(error.to_string()))?;
        Ok(Found::share(f1))
    }
}
