//! JSON whose numbers are the same everywhere: six significant digits.

use serde::Serialize;
use serde_json::Value;

/// The JSON text of `value`, indented, ending in a newline, with floats rounded to six significant digits so that the
/// last bits of a platform's mathematics never show.
///
/// # Errors
/// When the value cannot be serialised (a map whose keys are not texts).
pub fn json_text(value: &impl Serialize) -> Result<String, serde_json::Error> {
    json_digits(value, 6)
}

/// [`json_text`] with another number of significant digits, for coefficients that are compared with published ones.
///
/// # Errors
/// As [`json_text`].
pub fn json_digits(value: &impl Serialize, digits: usize) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    round(&mut value, digits);
    let mut text = serde_json::to_string_pretty(&value)?;
    text.push('\n');
    Ok(text)
}

fn round(value: &mut Value, digits: usize) {
    match value {
        Value::Number(number) => {
            let rounded = number
                .as_f64()
                .filter(|_| number.is_f64())
                .and_then(|float| format!("{float:.*e}", digits - 1).parse::<f64>().ok())
                // Negative zero would print as -0.0.
                .and_then(|float| serde_json::Number::from_f64(if float == 0.0 { 0.0 } else { float }));
            if let Some(rounded) = rounded {
                *number = rounded;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| round(item, digits)),
        Value::Object(fields) => fields.values_mut().for_each(|field| round(field, digits)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn floats_have_six_significant_digits() {
        let text = super::json_text(&serde_json::json!({"a": 0.003_150_656_880_36, "b": 12345, "c": [-0.0, 1e-300]}));
        assert_eq!(
            text.unwrap(),
            "{\n  \"a\": 0.00315066,\n  \"b\": 12345,\n  \"c\": [\n    0.0,\n    1e-300\n  ]\n}\n"
        );
    }
}
