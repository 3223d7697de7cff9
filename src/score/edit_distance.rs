//! How many characters would have to be changed.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::stats::text::levenshtein;

settings! {
    /// `[scorers.NAME.edit_distance]`
    expected share EditDistanceSpec {
        /// Upper and lower case are the same.
        pub ignore_case: bool,
        /// It passes with this many changes or fewer, however long the texts are.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub at_most: Option<usize>,
    }
}

/// One minus the edit distance (Levenshtein, in code points) over the length of the longer text: the best over the
/// expected texts.
#[derive(Debug)]
struct EditDistance {
    ignore_case: bool,
    at_most: Option<usize>,
}

/// The longest text that is compared. Above it the work grows to seconds an answer.
const LONGEST: usize = 100_000;

impl Settings for EditDistanceSpec {
    fn kind(&self) -> &'static str {
        "edit_distance"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if self.at_most.is_some() && self.pass_at.is_some() {
            return Err(SpecError::new("`at_most` and `pass_at` both say what passes; give one".to_owned()));
        }
        let measure = EditDistance { ignore_case: self.ignore_case, at_most: self.at_most };
        self.common().measured(self.values(), measure)
    }
}

impl Measure for EditDistance {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let cased = |text: &str| if self.ignore_case { text.trim().to_lowercase() } else { text.trim().to_owned() };
        let expected = at.expected_texts()?;
        if expected.iter().any(|text| text.len() > LONGEST) {
            return Err(Miss::unable(format!("what is expected is longer than {LONGEST} bytes")));
        }
        let answer = at.text()?;
        if answer.len() > LONGEST {
            return Err(Miss::fault(format!(
                "the answer is longer than {LONGEST} bytes, which is too long to compare"
            )));
        }
        let answer = cased(&answer);
        let length = answer.chars().count();
        let distances = expected.iter().map(|text| {
            let text = cased(text);
            let distance = levenshtein(&answer, &text);
            let longer = length.max(text.chars().count()).max(1);
            (distance, 1.0 - distance as f64 / longer as f64)
        });
        let (distance, share) =
            distances.fold((usize::MAX, 0.0), |best: (usize, f64), one| (best.0.min(one.0), best.1.max(one.1)));
        let passed = self.at_most.map_or(distance == 0, |most| distance <= most);
        Ok(Found::passing(share, passed).because(format!("{distance} changes")))
    }
}
