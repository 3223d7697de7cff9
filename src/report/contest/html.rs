//! Several candidates as one page: no script, no request to anywhere, every text escaped by the template engine.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value;

use super::super::text::escape_control;
use super::ContestReport;
use super::blocks::{blocks, title};

/// The page; styles are in it.
const PAGE: &str = include_str!("page.html.j2");
/// Characters of a text.
const MOST_TEXT: usize = 2_000;

#[derive(Serialize)]
struct Page {
    title: String,
    pieces: Value,
    version: &'static str,
}

/// The report as a page.
///
/// # Errors
/// A failure of the template engine, which is a bug.
pub(super) fn html(report: &ContestReport) -> Result<String, minijinja::Error> {
    let pieces = serde_json::to_value(blocks(report))
        .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))?;
    let page = Page {
        title: escape_control(&title(report), MOST_TEXT),
        pieces: harmless(pieces),
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending turns escaping on.
    environment.add_template("page.html", PAGE)?;
    environment.get_template("page.html")?.render(Serde(&page))
}

/// Texts without what would turn or hide other text; what is markup is escaped by the engine.
fn harmless(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape_control(&text, MOST_TEXT)),
        Value::Array(items) => items.into_iter().map(harmless).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, harmless(value))).collect(),
        other => other,
    }
}
