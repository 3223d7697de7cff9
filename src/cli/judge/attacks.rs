//! Files of answers that try to steer a judge.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::super::failure::Failure;
use crate::judge::Item;
use crate::table::{Column, Want, column_names, json_reason, read};

/// A line as people write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(String),
    Fields(Box<Fields>),
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default, alias = "text")]
    answer: Option<Value>,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    other: Option<Value>,
    #[serde(default)]
    reference: Option<Value>,
}

/// Reads the answers of a file: JSON lines, one JSON list, or a table.
pub(super) fn read_attacks(path: &Path) -> Result<Vec<Item>, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let items = if matches!(ending.as_str(), "csv" | "tsv" | "parquet") { of_table(path)? } else { of_json(path)? };
    if items.is_empty() {
        return Err(Failure::input(format!("{}: no answers", path.display())));
    }
    Ok(items)
}

fn of_json(path: &Path) -> Result<Vec<Item>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('[') {
        let lines: Vec<Line> = serde_json::from_str(text).map_err(|error| {
            Failure::input(format!("{}:{}: not a list of answers: {error}", path.display(), error.line()))
        })?;
        return lines.into_iter().enumerate().map(|(at, line)| item(path, at + 1, line)).collect();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let line = serde_json::from_str(line).map_err(|error| {
                Failure::input(format!("{}:{}: not an answer: {}", path.display(), at + 1, json_reason(&error)))
            })?;
            item(path, at + 1, line)
        })
        .collect()
}

fn item(path: &Path, number: usize, line: Line) -> Result<Item, Failure> {
    let fields = match line {
        Line::Bare(text) => {
            Fields { id: None, answer: Some(Value::String(text)), input: Value::Null, other: None, reference: None }
        }
        Line::Fields(fields) => *fields,
    };
    let answer = fields
        .answer
        .ok_or_else(|| Failure::input(format!("{}:{number}: neither `answer` nor `text`", path.display())))?;
    let id = match fields.id {
        None | Some(Value::Null) => number.to_string(),
        Some(Value::String(id)) => id,
        Some(other) => other.to_string(),
    };
    let mut item = Item::new(id, fields.input, answer);
    (item.other, item.reference) = (fields.other, fields.reference);
    Ok(item)
}

fn of_table(path: &Path) -> Result<Vec<Item>, Failure> {
    let has = column_names(path)?;
    let known = |name: &str| has.iter().any(|column| column == name);
    let answer = ["answer", "text"].into_iter().find(|name| known(name)).ok_or_else(|| {
        Failure::input(format!("{}: neither a column `answer` nor `text`; it has {}", path.display(), has.join(", ")))
    })?;
    let optional: Vec<&str> = ["id", "input"].into_iter().filter(|name| known(name)).collect();
    let mut wanted = vec![(answer, Want::Text)];
    wanted.extend(optional.iter().map(|name| (*name, Want::Text)));
    let table = read(path, &wanted)?;
    let cell = |column: usize, row: usize| match table.columns.get(column) {
        Some(Column::Text(text)) => text.get(row).to_owned(),
        _ => String::new(),
    };
    let place = |name: &str| optional.iter().position(|known| *known == name).map(|at| at + 1);
    Ok((0..table.rows)
        .map(|row| {
            let id = place("id").map_or_else(|| (row + 1).to_string(), |column| cell(column, row));
            let input = place("input").map_or(Value::Null, |column| Value::String(cell(column, row)));
            Item::new(id, input, Value::String(cell(0, row)))
        })
        .collect())
}
