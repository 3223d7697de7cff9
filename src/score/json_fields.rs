//! Whether fields of a JSON answer are right.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exact::equal;
use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Pointer;

settings! {
    /// `[scorers.NAME.json_fields]`
    expected share JsonFieldsSpec {
        /// The fields: places that are the same in the answer and in what is expected, or each with its own.
        pub fields: Fields,
        /// Upper and lower case are the same.
        pub ignore_case: bool,
        /// A code block around the answer is allowed.
        pub fenced: bool,
    }
}

/// Which fields are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected a list of places, or a table of places in the answer and in `expected`")]
pub enum Fields {
    /// Places in both.
    Same(Vec<Pointer>),
    /// By place in the answer the place in what is expected.
    Each(BTreeMap<String, Pointer>),
}

impl Default for Fields {
    fn default() -> Self {
        Self::Same(Vec::new())
    }
}

/// The share of fields that are what is expected.
#[derive(Debug)]
struct JsonFields {
    fields: Vec<(Pointer, Pointer)>,
    ignore_case: bool,
    fenced: bool,
}

impl Settings for JsonFieldsSpec {
    fn kind(&self) -> &'static str {
        "json_fields"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let fields: Vec<(Pointer, Pointer)> = match &self.fields {
            Fields::Same(places) => places.iter().map(|place| (place.clone(), place.clone())).collect(),
            Fields::Each(places) => places
                .iter()
                .map(|(place, expected)| Ok((Pointer::new(place.as_str()).map_err(SpecError::new)?, expected.clone())))
                .collect::<Result<_, SpecError>>()?,
        };
        if fields.is_empty() {
            return Err(SpecError::new("name the `fields` to compare, like [\"/team\"]".to_owned()));
        }
        let measure = JsonFields { fields, ignore_case: self.ignore_case, fenced: self.fenced };
        self.common().measured(self.values(), measure)
    }
}

impl Measure for JsonFields {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let whole = at.expected()?;
        let expected = self.fields.iter().map(|(_, place)| {
            place.find(whole).ok_or_else(|| Miss::unable(format!("what is expected has nothing at {place}")))
        });
        let expected: Vec<_> = expected.collect::<Result<_, _>>()?;
        let answer = at.json(self.fenced).map_err(Miss::Fault)?;
        let wrong: Vec<String> = self
            .fields
            .iter()
            .zip(&expected)
            .filter(|((place, _), expected)| {
                !place.find(&answer).is_some_and(|given| equal(given, expected, self.ignore_case))
            })
            .map(|((place, _), _)| place.to_string())
            .collect();
        let found = Found::share((self.fields.len() - wrong.len()) as f64 / self.fields.len() as f64);
        Ok(if wrong.is_empty() { found } else { found.because(format!("wrong: {}", wrong.join(", "))) })
    }
}
