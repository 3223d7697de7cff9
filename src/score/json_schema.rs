//! Whether an answer follows a JSON schema.

use std::fmt::Debug;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{JsonSource, Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.json_schema]`
    answer JsonSchemaSpec {
        /// The schema: a file, or the schema itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub schema: Option<JsonSource>,
        /// A code block around the answer is allowed.
        pub fenced: bool,
    }
}

/// The answer is JSON that follows a schema.
struct JsonSchema {
    schema: Schema,
    fenced: bool,
}

/// A schema, compiled. It fetches nothing: a `$ref` to elsewhere is refused when it is made.
pub(super) struct Schema(Validator);

impl Schema {
    pub(super) fn new(schema: &Json) -> Result<Self, SpecError> {
        jsonschema::validator_for(schema).map(Self).map_err(|error| SpecError::new(format!("no JSON schema: {error}")))
    }

    /// The first thing that a value does wrong.
    pub(super) fn fault(&self, value: &Json) -> Option<String> {
        let error = self.0.iter_errors(value).next()?;
        let place = error.instance_path().to_string();
        Some(if place.is_empty() { error.to_string() } else { format!("{place}: {error}") })
    }
}

impl Debug for JsonSchema {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("JsonSchema").field("fenced", &self.fenced).finish_non_exhaustive()
    }
}

impl Settings for JsonSchemaSpec {
    fn kind(&self) -> &'static str {
        "json_schema"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn files(&self) -> Vec<&Path> {
        self.schema.iter().filter_map(JsonSource::file).collect()
    }

    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let schema = self.schema.as_ref().ok_or_else(|| SpecError::new("name the `schema`".to_owned()))?;
        let schema = Schema::new(schema.json(around)?)?;
        self.common().measured(ValueKind::Right, JsonSchema { schema, fenced: self.fenced })
    }
}

impl Measure for JsonSchema {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        // A text may be what a schema asks for, so one that is no JSON is looked at as it is.
        let given = at.places.in_answer(at.case).map_err(Miss::Fault)?;
        let parsed = at.json(self.fenced);
        Ok(Found::unless(match &parsed {
            Ok(value) => self.schema.fault(value),
            Err(why) if self.schema.fault(given).is_some() => Some(why.clone()),
            Err(_) => None,
        }))
    }
}
