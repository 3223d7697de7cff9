//! Reading some columns of a file, whatever its format.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::column::{Category, Column, Text};
use super::error::TableError;
use super::{csv_file, json_lines, parquet};

/// How a caller wants to hold a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Texts that may all differ; a missing cell is an error.
    Text,
    /// Few distinct texts; gaps are allowed.
    Category,
    /// Finite numbers; `true` and `false` count as 1 and 0; gaps are allowed, NaN and infinity are errors.
    Number,
}

/// The columns that were asked for, in the order of asking, with the line each row came from.
#[derive(Debug, Clone)]
pub struct Table {
    /// The file.
    pub path: PathBuf,
    /// One entry a wanted column.
    pub columns: Vec<Column>,
    /// Number of rows.
    pub rows: usize,
    /// The line in the file of each row, from 1 (a Parquet file counts rows).
    pub lines: Vec<u32>,
}

/// One cell on its way from a reader into a column.
pub(super) enum Cell<'a> {
    Missing,
    Text(Cow<'a, str>),
    Number(f64),
}

/// A column being filled.
pub(super) struct Sink<'n> {
    pub(super) name: &'n str,
    column: Column,
}

impl<'n> Sink<'n> {
    pub(super) fn new(name: &'n str, want: Want) -> Self {
        let column = match want {
            Want::Text => Column::Text(Text::default()),
            Want::Category => Column::Category(Category::default()),
            Want::Number => Column::Number(Vec::new()),
        };
        Self { name, column }
    }

    /// Appends a cell; the error is the reason without file and line.
    pub(super) fn push(&mut self, cell: &Cell<'_>) -> Result<(), String> {
        match (&mut self.column, cell) {
            (Column::Text(_), Cell::Missing) => return Err(format!("column `{}`: the cell is empty", self.name)),
            (Column::Text(text), Cell::Text(cell)) => text.push(cell),
            (Column::Text(text), Cell::Number(value)) => text.push(&plain_number(*value)),
            (Column::Category(category), Cell::Missing) => category.push(None),
            (Column::Category(category), Cell::Text(cell)) => category.push(Some(cell)),
            (Column::Category(category), Cell::Number(value)) => category.push(Some(&plain_number(*value))),
            (Column::Number(numbers), Cell::Missing) => numbers.push(None),
            (Column::Number(numbers), Cell::Number(value)) => numbers.push(Some(finite(self.name, *value)?)),
            (Column::Number(numbers), Cell::Text(cell)) => numbers.push(Some(parse_number(self.name, cell)?)),
        }
        Ok(())
    }
}

fn finite(name: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("column `{name}`: expected a finite number, found {value}")) }
}

fn parse_number(name: &str, cell: &str) -> Result<f64, String> {
    match cell.trim() {
        "true" | "True" | "TRUE" => Ok(1.0),
        "false" | "False" | "FALSE" => Ok(0.0),
        text => match text.parse::<f64>() {
            Ok(value) => finite(name, value),
            Err(_) => Err(format!("column `{name}`: expected a number, found `{}`", shortened(text))),
        },
    }
}

/// Whole numbers without a fraction: the label of 2.0 is `2`, as a person would write it.
fn plain_number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { value.to_string() }
}

pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// The file formats told apart by the ending of the name.
enum Format {
    Separated(u8),
    JsonLines,
    Parquet,
}

fn format_of(path: &Path) -> Result<Format, TableError> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Ok(Format::Separated(b',')),
        "tsv" => Ok(Format::Separated(b'\t')),
        "jsonl" | "ndjson" => Ok(Format::JsonLines),
        "parquet" => Ok(Format::Parquet),
        _ => Err(TableError::Format { path: path.to_owned() }),
    }
}

/// The names of the columns of a file; of JSON lines, the fields of the first line.
///
/// # Errors
/// A file that cannot be opened, an unknown ending, or a header that cannot be read.
pub fn column_names(path: &Path) -> Result<Vec<String>, TableError> {
    match format_of(path)? {
        Format::Separated(separator) => csv_file::names(path, separator),
        Format::JsonLines => json_lines::names(path),
        Format::Parquet => parquet::names(path),
    }
}

/// Reads the wanted columns.
///
/// # Errors
/// A missing column, a line that does not follow the format, a cell that is not what [`Want`] says (with file, line
/// and column), or a file without rows.
pub fn read(path: &Path, wanted: &[(&str, Want)]) -> Result<Table, TableError> {
    let mut sinks: Vec<_> = wanted.iter().map(|(name, want)| Sink::new(name, *want)).collect();
    let lines = match format_of(path)? {
        Format::Separated(separator) => csv_file::fill(path, separator, &mut sinks)?,
        Format::JsonLines => json_lines::fill(path, &mut sinks)?,
        Format::Parquet => parquet::fill(path, &mut sinks)?,
    };
    if lines.is_empty() {
        return Err(TableError::Empty { path: path.to_owned() });
    }
    let columns = sinks.into_iter().map(|sink| sink.column).collect();
    Ok(Table { path: path.to_owned(), columns, rows: lines.len(), lines })
}
