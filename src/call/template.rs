//! Prompt templates: minijinja, strict, bounded.

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

use crate::table::sha256_hex;

/// Instructions that a rendering may take; a hostile template ends instead of looping.
const FUEL: u64 = 1_000_000;

/// The name that the template has inside its environment.
const NAME: &str = "prompt";

/// A template that cannot be read or rendered.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}{}: {reason}", line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct TemplateError {
    source_name: String,
    line: Option<usize>,
    reason: String,
}

/// A compiled template with the digest that identifies it.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    source_name: String,
    digest: String,
}

/// The engine that renders templates, with its version: part of every prompt's identity, since another version may render
/// differently.
#[must_use]
pub const fn engine_version() -> &'static str {
    "minijinja 3.0.5"
}

impl Template {
    /// Compiles a template; `source_name` (a file name) stands in error messages.
    ///
    /// # Errors
    /// A syntax error, with its line.
    pub fn new(source_name: &str, text: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| TemplateError::new(source_name, &error))?;
        let digest = sha256_hex(format!("{}\0{text}", engine_version()));
        Ok(Self { environment, source_name: source_name.to_owned(), digest })
    }

    /// SHA-256 over the engine's version and the template's text.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Renders with `variables` (an object).
    ///
    /// # Errors
    /// A variable that is not there, a filter that fails, or a template that takes too many steps; with the line.
    pub fn render(&self, variables: &Value) -> Result<String, TemplateError> {
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(minijinja::value::Serde(variables)))
            .map_err(|error| self.explain(&error, variables))
    }

    /// For a missing variable, says which ones there are.
    fn explain(&self, error: &minijinja::Error, variables: &Value) -> TemplateError {
        let mut failure = TemplateError::new(&self.source_name, error);
        if error.kind() == minijinja::ErrorKind::UndefinedError {
            let missing: Vec<String> = self
                .environment
                .get_template(NAME)
                .map(|template| template.undeclared_variables(true).into_iter().collect())
                .unwrap_or_default();
            let is_missing = |name: &String| {
                let pointer: String = name.split('.').flat_map(|part| ["/", part]).collect();
                variables.pointer(&pointer).is_none()
            };
            let mut names: Vec<String> = missing.into_iter().filter(is_missing).map(|n| format!("`{n}`")).collect();
            names.sort();
            let has: Vec<String> =
                variables.as_object().into_iter().flat_map(|o| o.keys()).map(|k| format!("`{k}`")).collect();
            failure.reason = format!("there is no variable {}; there are {}", names.join(", "), has.join(", "));
        }
        failure
    }
}

impl TemplateError {
    fn new(source_name: &str, error: &minijinja::Error) -> Self {
        let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Self { source_name: source_name.to_owned(), line: error.line(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_variable_is_named_with_its_line() {
        let template = Template::new("p.md.j2", "Hello\n{{ input.alert }} {{ contxt }}").unwrap();
        assert_eq!(template.render(&json!({"input": {"alert": "a"}, "contxt": "c"})).unwrap(), "Hello\na c");
        let error = template.render(&json!({"input": {"alert": "a"}})).unwrap_err().to_string();
        assert_eq!(error, "p.md.j2:2: there is no variable `contxt`; there are `input`");
    }

    #[test]
    fn an_endless_template_ends() {
        let text = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let error = Template::new("t", text).unwrap().render(&json!({})).unwrap_err().to_string();
        assert!(error.contains("fuel"), "{error}");
    }

    #[test]
    fn the_digest_follows_the_text() {
        let digest = |text| Template::new("t", text).unwrap().digest().to_owned();
        assert_ne!(digest("a"), digest("b"));
        assert_eq!(digest("a"), digest("a"));
    }
}
