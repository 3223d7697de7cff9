//! The JSON Schema of the project file, made from the types that read it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::Config;

/// The schema (draft 2020-12) of `evalgauge.toml`. What it refuses the program refuses too; the program refuses more, such as
/// names that nothing has.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), "evalgauge.toml".into());
    let mut schema = schema.to_value();
    without_null(&mut schema);
    schema
}

/// A setting that may be absent is not null in TOML, which has no such value.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = &mut choices[..] {
                    let only = std::mem::take(only);
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
