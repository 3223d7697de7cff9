//! Reading a case's arguments, and answers where the reference is less careful than the library.

use evalgauge::stats::{Alpha, Interval, Result, StatError};
use serde_json::{Value, json};

use crate::{Answer, Case};

/// The outputs, or the library's refusal.
pub fn answer(result: Result<Value>) -> Answer {
    result.map_or_else(|why| Answer::Refused(why.to_string()), Answer::Outputs)
}

/// As [`answer`]; but where the reference has nothing but NaN to offer, refusing is the answer expected.
pub fn answer_or_nothing(case: &Case<'_>, result: Result<Value>) -> Answer {
    let nothing = |value: &Value| value.is_null() || value == "NaN";
    let informs = |key: &String| key == "library_error";
    let undefined = case.expected.as_object().is_some_and(|fields| {
        !fields.contains_key("error_or_undefined") && fields.iter().all(|(key, value)| nothing(value) || informs(key))
    });
    if undefined && result.is_err() { Answer::Outputs(json!({})) } else { answer(result) }
}

/// The error rate of the case, 5 % where it names none.
pub fn alpha(inputs: &Value) -> Result<Alpha> {
    inputs.get("alpha").map_or(Ok(Alpha::FIVE_PERCENT), |value| Alpha::new(number(value)))
}

/// A number as the files write it: infinities come as strings; what is no number is NaN, for the library to refuse.
pub fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Numbers, each as [`number`] reads it.
pub fn numbers(value: &Value) -> Vec<f64> {
    items(value).iter().map(number).collect()
}

/// Rows of numbers.
pub fn rows(value: &Value) -> Vec<Vec<f64>> {
    items(value).iter().map(numbers).collect()
}

/// Numbers with `null` for what is missing.
pub fn with_gaps(value: &Value) -> Vec<Option<f64>> {
    items(value).iter().map(|value| (!value.is_null()).then(|| number(value))).collect()
}

/// A count; a negative or broken number, which the library's types cannot hold, is refused here.
pub fn count(value: &Value) -> Result<u64> {
    let number = number(value);
    if number >= 0.0 && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err(StatError::OutOfRange { what: "count", value: number, range: "the whole numbers from 0" })
    }
}

/// Counts, each as [`count`] reads it.
pub fn counts(value: &Value) -> Result<Vec<u64>> {
    items(value).iter().map(count).collect()
}

/// Verdicts 0 and 1; anything else does not fit the library's types and is refused here.
pub fn flags(value: &Value) -> Result<Vec<bool>> {
    let flag = |number: f64| match number {
        0.0 => Ok(false),
        1.0 => Ok(true),
        value => Err(StatError::OutOfRange { what: "verdict", value, range: "{0, 1}" }),
    };
    numbers(value).into_iter().map(flag).collect()
}

/// Labels of any type, as they can be compared: their JSON text.
pub fn labels(value: &Value) -> Vec<String> {
    items(value).iter().map(Value::to_string).collect()
}

/// Strings.
pub fn strings(value: &Value) -> Vec<String> {
    items(value).iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// An interval under the names of the vectors.
pub fn interval(interval: Interval) -> Value {
    json!({"low": interval.low, "high": interval.high})
}

/// `ours`, if there is any; but where the reference prints an interval without width and the library refuses one, the
/// reference's.
pub fn unless_a_point<E>(reference: &Value, ours: std::result::Result<Value, E>) -> Option<Value> {
    let point = number(&reference["low"]) == number(&reference["high"]);
    ours.ok().or_else(|| point.then(|| reference.clone()))
}
