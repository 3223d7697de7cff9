//! Whether an answer is JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.json_parses]`
    answer JsonParsesSpec {
        /// What it must be.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub is: Option<JsonKind>,
        /// A code block around it is allowed.
        pub fenced: bool,
    }
}

/// What a JSON value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JsonKind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// A text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// The answer parses as JSON, and is of a kind.
#[derive(Debug)]
struct JsonParses {
    is: Option<JsonKind>,
    fenced: bool,
}

impl JsonKind {
    const fn of(value: &Json) -> Option<Self> {
        match value {
            Json::Null => None,
            Json::Bool(_) => Some(Self::Boolean),
            Json::Number(_) => Some(Self::Number),
            Json::String(_) => Some(Self::String),
            Json::Array(_) => Some(Self::Array),
            Json::Object(_) => Some(Self::Object),
        }
    }
}

impl Settings for JsonParsesSpec {
    fn kind(&self) -> &'static str {
        "json_parses"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(ValueKind::Right, JsonParses { is: self.is, fenced: self.fenced })
    }
}

impl Measure for JsonParses {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        // Nothing at the place is a failure; a text there that is no JSON is what this looks for.
        at.places.in_answer(at.case).map_err(Miss::Fault)?;
        Ok(match at.json(self.fenced) {
            Err(why) => Found::right(false).because(why),
            Ok(value) => Found::right(self.is.is_none() || self.is == JsonKind::of(&value)),
        })
    }
}
