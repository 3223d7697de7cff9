//! Texts turned into numbers.

use serde::Deserialize;
use serde_json::Value;

use super::dialect::refuse_error;
use super::fault::{Fault, Received};
use super::google::model_path;
use super::json::Object;
use super::openai::Counts;
use crate::call::{Embedding, Usage};

/// A vector and the tokens that it took.
pub(super) type Vector = (Vec<f32>, Option<Usage>);

/// The body for OpenAI and the servers that speak its words.
pub(super) fn openai_body(embedding: &Embedding) -> Object<'_> {
    Object::new()
        .with("model", &embedding.model)
        .with("input", &embedding.text)
        .with("encoding_format", "float")
        .maybe("dimensions", embedding.dimensions.map(u64::from))
}

/// The body for Google.
pub(super) fn google_body(embedding: &Embedding) -> Object<'_> {
    let part = Object::new().with("text", &embedding.text);
    Object::new()
        .with("model", model_path(&embedding.model))
        .with("content", Object::new().with("parts", vec![part.into()]))
        .maybe("outputDimensionality", embedding.dimensions.map(u64::from))
}

#[derive(Deserialize)]
struct OpenAiAnswer {
    data: Option<Vec<Values>>,
    usage: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct GoogleAnswer {
    embedding: Option<Values>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Values {
    #[serde(alias = "values")]
    embedding: Vec<f32>,
}

/// Reads an answer of OpenAI.
pub(super) fn read_openai(received: &Received, dimensions: Option<u32>) -> Result<Vector, Fault> {
    let answer: OpenAiAnswer = received.json()?;
    refuse_error(answer.error)?;
    let values = answer.data.and_then(|data| data.into_iter().next());
    Ok((checked(values, dimensions, received)?, answer.usage.and_then(Counts::usage)))
}

/// Reads an answer of Google, which does not say how many tokens it took.
pub(super) fn read_google(received: &Received, dimensions: Option<u32>) -> Result<Vector, Fault> {
    let answer: GoogleAnswer = received.json()?;
    refuse_error(answer.error)?;
    Ok((checked(answer.embedding, dimensions, received)?, None))
}

/// A vector of another length than was asked for cannot be compared with the others.
fn checked(values: Option<Values>, dimensions: Option<u32>, received: &Received) -> Result<Vec<f32>, Fault> {
    let vector = values.map(|values| values.embedding).unwrap_or_default();
    if vector.is_empty() || vector.iter().any(|number| !number.is_finite()) {
        return Err(Fault::garbage("the answer has no numbers").saying(&received.body));
    }
    match dimensions {
        Some(wanted) if vector.len() != wanted as usize => {
            Err(Fault::garbage(format!("the answer has {} numbers instead of {wanted}", vector.len())))
        }
        _ => Ok(vector),
    }
}
