//! What a calculator found: one object that is printed as JSON, or as aligned text.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::args::OutputFormat;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::report::escape_control;
use crate::stats::{Alpha, Result};

/// Longest list of plain values that people are shown.
const MOST_VALUES: usize = 12;
/// Most rows of a table that people are shown.
const MOST_ROWS: usize = 60;
/// Significant digits in JSON: all that agree between platforms, so that a number can be held against a reference.
const DIGITS: usize = 15;

/// Named numbers in order. What could not be computed is null, and `reason` says why.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Entry(Map<String, Value>);

impl Entry {
    pub(in crate::cli) fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub(in crate::cli) fn put(mut self, key: &str, value: impl Serialize) -> Self {
        self.0.insert(key.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
        self
    }

    /// Adds a value, or the reason why there is none.
    pub(in crate::cli) fn attempt(self, key: &str, value: Result<impl Serialize>) -> Self {
        match value {
            Ok(value) => self.put(key, value),
            Err(error) => self.put(key, Value::Null).reason(&format!("{}: {error}", spaced(key))),
        }
    }

    /// Adds every field of a result.
    pub(in crate::cli) fn fields(mut self, result: impl Serialize) -> Self {
        if let Ok(Value::Object(fields)) = serde_json::to_value(result) {
            self.0.extend(fields);
        }
        self
    }

    /// Adds every field of a result, or the reason why there is none.
    pub(in crate::cli) fn attempt_fields(self, what: &str, result: Result<impl Serialize>) -> Self {
        match result {
            Ok(result) => self.fields(result),
            Err(error) => self.reason(&format!("{what}: {error}")),
        }
    }

    /// Says why something is missing, or must not be taken for more than it is.
    pub(in crate::cli) fn reason(mut self, reason: &str) -> Self {
        if let Some(Value::String(told)) = self.0.get_mut("reason") {
            told.push_str("; ");
            told.push_str(reason);
            return self;
        }
        self.put("reason", reason)
    }

    pub(in crate::cli) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A list of entries that people see as a table.
struct TableView {
    key: String,
    /// The columns that people see; empty: all.
    columns: &'static [&'static str],
}

/// The result of one calculator.
pub(in crate::cli) struct Sheet {
    schema: &'static str,
    name: String,
    method: String,
    /// 1 − α, where intervals or tests were made.
    confidence: Option<f64>,
    entry: Entry,
    tables: Vec<TableView>,
    /// For machines only.
    hidden: Vec<String>,
    /// Significant digits for people.
    digits: usize,
}

impl Sheet {
    pub(in crate::cli) fn new(entry: Entry) -> Self {
        Self {
            schema: "evalgauge.stats/1",
            name: String::new(),
            method: String::new(),
            confidence: None,
            entry,
            tables: Vec::new(),
            hidden: Vec::new(),
            digits: 6,
        }
    }

    /// Says what made it.
    pub(in crate::cli) fn named(mut self, schema: &'static str, name: &str, method: &str) -> Self {
        self.schema = schema;
        name.clone_into(&mut self.name);
        if self.method.is_empty() {
            method.clone_into(&mut self.method);
        }
        self
    }

    /// A method that depends on how the calculator was asked.
    pub(in crate::cli) fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    pub(in crate::cli) fn confidence(mut self, alpha: Alpha) -> Self {
        self.confidence = Some(1.0 - alpha.get());
        self
    }

    pub(in crate::cli) fn edit(mut self, edit: impl FnOnce(Entry) -> Entry) -> Self {
        self.entry = edit(self.entry);
        self
    }

    /// Adds a table; people see only `columns`, or all when none is named.
    pub(in crate::cli) fn table(mut self, key: &str, rows: Vec<Entry>, columns: &'static [&'static str]) -> Self {
        self.tables.push(TableView { key: key.to_owned(), columns });
        self.entry = self.entry.put(key, rows);
        self
    }

    /// Adds a value that only machines see.
    pub(in crate::cli) fn hidden(mut self, key: &str, value: impl Serialize) -> Self {
        self.hidden.push(key.to_owned());
        self.entry = self.entry.put(key, value);
        self
    }

    pub(in crate::cli) const fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    /// Prints it.
    pub(in crate::cli) fn print(&self, output: &Output) -> std::result::Result<(), Failure> {
        match output.format() {
            OutputFormat::Json => output.result(&self.json()?),
            OutputFormat::Text => output.result(&self.text()),
            OutputFormat::Md => output.result(&format!("```text\n{}```\n", self.text())),
        }
    }

    fn json(&self) -> std::result::Result<String, Failure> {
        let mut object = Map::new();
        object.insert("schema".to_owned(), self.schema.into());
        object.insert("name".to_owned(), self.name.as_str().into());
        object.insert("method".to_owned(), self.method.as_str().into());
        if let Some(confidence) = self.confidence {
            object.insert("confidence".to_owned(), confidence.into());
        }
        object.extend(self.entry.0.clone());
        object_text(object)
    }

    fn text(&self) -> String {
        let mut out = format!("{}\n", self.name);
        let mut lines: Vec<(String, String)> = Vec::new();
        for (key, value) in &self.entry.0 {
            if self.hidden.contains(key) || self.tables.iter().any(|table| table.key == *key) || key == "reason" {
                continue;
            }
            self.lines(&mut lines, &spaced(key), value);
        }
        if let Some(confidence) = self.confidence {
            lines.push(("confidence".to_owned(), number(confidence, self.digits)));
        }
        lines.push(("method".to_owned(), self.method.clone()));
        if let Some(Value::String(reason)) = self.entry.get("reason") {
            lines.push(("reason".to_owned(), escape_control(reason, 400)));
        }
        let width = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, text) in &lines {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "  {label:<width$}  {text}");
        }
        for table in &self.tables {
            if let Some(Value::Array(rows)) = self.entry.get(&table.key) {
                let _ = write!(out, "\n{}\n{}", spaced(&table.key), self.table_text(rows, table.columns));
            }
        }
        out
    }

    /// One line a value; an object gives one line a field.
    fn lines(&self, lines: &mut Vec<(String, String)>, label: &str, value: &Value) {
        match value {
            Value::Object(fields) if !is_interval(fields) => {
                for (key, value) in fields {
                    self.lines(lines, &format!("{label}: {}", spaced(key)), value);
                }
            }
            other => lines.push((label.to_owned(), self.cell(other))),
        }
    }

    fn table_text(&self, rows: &[Value], wanted: &[&str]) -> String {
        let objects: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
        let mut columns: Vec<String> = wanted.iter().map(|&column| column.to_owned()).collect();
        columns.retain(|column| objects.iter().any(|row| row.contains_key(column)));
        if wanted.is_empty() {
            for key in objects.iter().flat_map(|row| row.keys()) {
                if !columns.contains(key) && key != "reason" {
                    columns.push(key.clone());
                }
            }
        }
        if objects.iter().any(|row| row.contains_key("reason")) {
            columns.push("reason".to_owned());
        }
        let mut grid: Vec<Vec<String>> = vec![columns.iter().map(|column| spaced(column)).collect()];
        for row in objects.iter().take(MOST_ROWS) {
            grid.push(
                columns.iter().map(|column| row.get(column).map_or_else(String::new, |v| self.cell(v))).collect(),
            );
        }
        let widths: Vec<usize> = (0..columns.len())
            .map(|column| grid.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for line in &grid {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(out, "  {}", cells.join("  ").trim_end());
        }
        if objects.len() > MOST_ROWS {
            let _ = writeln!(out, "  … and {} more (--format json has all)", objects.len() - MOST_ROWS);
        }
        out
    }

    fn cell(&self, value: &Value) -> String {
        match value {
            Value::Null => "–".to_owned(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Number(whole) if !whole.is_f64() => whole.to_string(),
            Value::Number(float) => number(float.as_f64().unwrap_or(f64::NAN), self.digits),
            Value::String(text) => escape_control(text, 120),
            Value::Object(fields) if is_interval(fields) => {
                format!("{} … {}", self.cell(&fields["low"]), self.cell(&fields["high"]))
            }
            Value::Object(fields) => {
                let parts: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{} {}", spaced(key), self.cell(value))).collect();
                parts.join(", ")
            }
            Value::Array(items) => {
                let mut parts: Vec<String> = items.iter().take(MOST_VALUES).map(|item| self.cell(item)).collect();
                if items.len() > MOST_VALUES {
                    parts.push(format!("… ({} in all)", items.len()));
                }
                parts.join(" ")
            }
        }
    }
}

/// The object that a refusal prints.
pub(in crate::cli) fn refusal_text(
    schema: &'static str,
    name: &str,
    method: &str,
    exit_code: u8,
    reason: &str,
) -> std::result::Result<String, Failure> {
    let entry = Entry::new()
        .put("schema", schema)
        .put("name", name)
        .put("method", method)
        .put("exit_code", exit_code)
        .put("reason", reason);
    object_text(entry.0)
}

fn object_text(object: Map<String, Value>) -> std::result::Result<String, Failure> {
    let mut value = Value::Object(object);
    rounded(&mut value);
    let mut text = serde_json::to_string_pretty(&value)
        .map_err(|error| Failure::machine(format!("cannot write the result: {error}")))?;
    text.push('\n');
    Ok(text)
}

fn rounded(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().and_then(|float| format!("{float:.*e}", DIGITS - 1).parse::<f64>().ok());
            // Negative zero would print as -0.0.
            let float = float.map(|float| if float == 0.0 { 0.0 } else { float });
            if let Some(float) = float.and_then(serde_json::Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rounded),
        Value::Object(fields) => fields.values_mut().for_each(rounded),
        _ => {}
    }
}

fn is_interval(fields: &Map<String, Value>) -> bool {
    fields.len() == 2 && fields.contains_key("low") && fields.contains_key("high")
}

fn spaced(key: &str) -> String {
    key.replace('_', " ")
}

/// A number with this many significant digits; tiny and huge ones with an exponent.
fn number(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if !(-4..15).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Interval, StatError};

    #[test]
    fn numbers_for_people() {
        let shown =
            [0.852_022_678_5, 525.395_224, 1e-20, 0.0, 0.42, 100.0, 1_234_567.8, -0.000_05].map(|x| number(x, 6));
        assert_eq!(shown, ["0.852023", "525.395", "1e-20", "0", "0.42", "100", "1234568", "-5e-5"]);
        assert_eq!(number(0.184_804_542_7, 7), "0.1848045");
    }

    #[test]
    fn what_is_missing_has_a_reason() {
        let entry = Entry::new()
            .put("mean", 1.0)
            .attempt("interval", Err::<Interval, _>(StatError::Undefined("the values do not vary")))
            .reason("few");
        let text = Sheet::new(entry).named("s", "mean", "Student").json().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value["interval"].is_null());
        assert_eq!(value["reason"], "interval: undefined: the values do not vary; few");
        assert_eq!((&value["schema"], &value["method"]), (&"s".into(), &"Student".into()));
    }

    #[test]
    fn text_is_aligned() {
        let rows =
            vec![Entry::new().put("k", 1).put("value", 0.5), Entry::new().put("k", 10).put("value", Value::Null)];
        let sheet = Sheet::new(Entry::new().put("interval", Interval::new(0.25, 0.5))).table("rows", rows, &[]);
        let text = sheet.named("s", "x", "m").text();
        assert_eq!(text, "x\n  interval  0.25 … 0.5\n  method    m\n\nrows\n  k   value\n  1   0.5\n  10  –\n");
    }
}
