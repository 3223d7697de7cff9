//! How an answer starts, and how it ends.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.starts_with]`
    expected StartsWithSpec {
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

settings! {
    /// `[scorers.NAME.ends_with]`
    expected EndsWithSpec {
        /// Upper and lower case are the same.
        pub ignore_case: bool,
    }
}

/// The answer, without the space around it, starts (or ends) with one of the expected texts.
#[derive(Debug)]
struct Affix {
    at_end: bool,
    ignore_case: bool,
}

impl Settings for StartsWithSpec {
    fn kind(&self) -> &'static str {
        "starts_with"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(ValueKind::Right, Affix { at_end: false, ignore_case: self.ignore_case })
    }
}

impl Settings for EndsWithSpec {
    fn kind(&self) -> &'static str {
        "ends_with"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(ValueKind::Right, Affix { at_end: true, ignore_case: self.ignore_case })
    }
}

impl Measure for Affix {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let cased = |text: &str| if self.ignore_case { text.trim().to_lowercase() } else { text.trim().to_owned() };
        let expected = at.expected_texts()?;
        if expected.iter().any(|text| text.trim().is_empty()) {
            return Err(Miss::unable("an empty text stands at the beginning and end of everything"));
        }
        let answer = cased(&at.text()?);
        let met = expected
            .iter()
            .map(|text| cased(text))
            .any(|text| if self.at_end { answer.ends_with(&text) } else { answer.starts_with(&text) });
        Ok(Found::right(met))
    }
}
