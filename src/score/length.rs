//! How long an answer is.

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.length]`
    answer LengthSpec {
        /// What is counted.
        pub unit: Unit,
        /// The fewest.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub min: Option<usize>,
        /// The most.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max: Option<usize>,
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Unicode code points.
    Characters,
    /// What stands between spaces.
    #[default]
    Words,
    /// Lines, the last with or without a line end.
    Lines,
}

/// The answer, without the space around it, is neither too short nor too long.
#[derive(Debug)]
struct Length {
    unit: Unit,
    min: usize,
    max: usize,
}

impl Settings for LengthSpec {
    fn kind(&self) -> &'static str {
        "length"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let (min, max) = (self.min.unwrap_or(0), self.max.unwrap_or(usize::MAX));
        if self.min.is_none() && self.max.is_none() {
            return Err(SpecError::new("say how long with `min`, `max` or both".to_owned()));
        }
        if min > max {
            return Err(SpecError::new(format!("`min` is {min} and `max` is {max}: nothing is that long")));
        }
        self.common().measured(ValueKind::Right, Length { unit: self.unit, min, max })
    }
}

impl Measure for Length {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let text = at.text()?;
        let text = text.trim();
        let (count, unit) = match self.unit {
            Unit::Characters => (text.chars().count(), "characters"),
            Unit::Words => (text.split_whitespace().count(), "words"),
            Unit::Lines => (text.lines().count(), "lines"),
        };
        Ok(Found::right((self.min..=self.max).contains(&count)).because(format!("{count} {unit}")))
    }
}
