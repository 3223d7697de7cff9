//! Equal after the normalisation of `SQuAD`.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::stats::text::exact_match;

settings! {
    /// `[scorers.NAME.squad_exact]`
    expected SquadExactSpec {}
}

/// The answer equals one of the expected texts when case, ASCII punctuation, English articles and runs of space are left
/// out of account.
#[derive(Debug)]
struct SquadExact;

impl Settings for SquadExactSpec {
    fn kind(&self) -> &'static str {
        "squad_exact"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(ValueKind::Right, SquadExact)
    }
}

impl Measure for SquadExact {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let expected = at.expected_texts()?;
        let equal = exact_match(&at.text()?, &expected).map_err(|error| Miss::unable(error.to_string()))?;
        Ok(Found::right(equal))
    }
}
