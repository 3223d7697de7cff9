//! Numbers and columns for the calculators.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::stats::{Alpha, StatError};
use crate::table::{Category, Column, Table, TableError, Text, Want, read};

/// Why a calculator has no result.
pub(in crate::cli) enum Stop {
    /// The numbers do not answer the question; the sentence says why.
    Refused(String),
    /// Something else went wrong: a file, a flag.
    Failed(Failure),
}

pub(in crate::cli) type Found<T> = Result<T, Stop>;

impl From<StatError> for Stop {
    fn from(error: StatError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<TableError> for Stop {
    fn from(error: TableError) -> Self {
        let is_column = matches!(error, TableError::NoColumn { .. });
        let failure = Failure::from(error);
        Self::Failed(if is_column {
            failure.hint("the calculator's --help says which flags name columns")
        } else {
            failure
        })
    }
}

/// A sentence about what was asked.
pub(in crate::cli) fn refused<T>(reason: impl Into<String>) -> Found<T> {
    Err(Stop::Refused(reason.into()))
}

/// A sentence about flags that do not go together.
pub(in crate::cli) fn usage<T>(message: impl Into<String>) -> Found<T> {
    Err(Stop::Failed(Failure::input(message.into())))
}

/// What a calculator works on.
pub(in crate::cli) enum Input {
    Numbers(Vec<f64>),
    File(PathBuf),
}

/// Numbers when every argument is one, else one file.
pub(in crate::cli) fn numbers_or_file(arguments: &[String]) -> Found<Input> {
    let numbers: Result<Vec<f64>, _> = arguments.iter().map(|text| text.parse::<f64>()).collect();
    match (numbers, arguments) {
        (_, []) => usage("give numbers, or a file"),
        (Ok(numbers), _) => Ok(Input::Numbers(numbers)),
        (Err(_), [file]) => Ok(Input::File(PathBuf::from(file))),
        (Err(_), _) => usage(format!("expected only numbers, or one file; got `{}`", arguments.join(" "))),
    }
}

/// The flag of a column that a file needs.
pub(in crate::cli) fn flag<'a>(value: Option<&'a String>, flag: &str) -> Found<&'a str> {
    match value {
        Some(value) => Ok(value),
        None => usage(format!("--{flag} is needed with a file: the column's name")),
    }
}

/// A comma-separated list of names, which may also be given by repeating the flag.
pub(in crate::cli) fn several<'a>(values: &'a [String], flag: &str, least: usize) -> Found<Vec<&'a str>> {
    let names: Vec<&str> = values.iter().map(String::as_str).collect();
    if names.len() < least {
        return usage(format!("--{flag} needs at least {least} column{}", if least == 1 { "" } else { "s" }));
    }
    Ok(names)
}

/// A whole number, 0 or more.
pub(in crate::cli) fn count(what: &str, value: f64) -> Found<u64> {
    if value >= 0.0 && value.fract() == 0.0 && value <= 9e15 {
        Ok(value as u64)
    } else {
        refused(format!("{what} is {value}; expected a whole number, 0 or more"))
    }
}

/// Exactly these whole numbers.
pub(in crate::cli) fn counts<const N: usize>(numbers: &[f64], names: [&str; N]) -> Found<[u64; N]> {
    if numbers.len() != N {
        return usage(format!("expected {N} numbers ({}), got {}", names.join(" "), numbers.len()));
    }
    let mut found = [0; N];
    for ((slot, &value), name) in found.iter_mut().zip(numbers).zip(names) {
        *slot = count(name, value)?;
    }
    Ok(found)
}

/// A list of numbers as `1,2,3`.
pub(in crate::cli) fn listed(values: &[String], flag: &str) -> Found<Vec<f64>> {
    values
        .iter()
        .map(|text| text.trim().parse::<f64>())
        .collect::<Result<_, _>>()
        .or_else(|_| usage(format!("--{flag}: without a file, expected numbers such as 1,2,3")))
}

/// The error rate of `--alpha`.
pub(in crate::cli) fn alpha_of(alpha: f64) -> Found<Alpha> {
    Alpha::new(alpha).or_else(|error| usage(format!("--alpha: {error}")))
}

/// Columns of a file, in the order in which they were asked for.
pub(in crate::cli) struct Rows {
    path: PathBuf,
    headers: Vec<String>,
    columns: Vec<Column>,
    lines: Vec<u32>,
}

impl Rows {
    pub(in crate::cli) fn read(path: &Path, wanted: &[(&str, Want)]) -> Found<Self> {
        // A reader fills each name once, so a column that is wanted in two ways is read twice.
        let mut columns: Vec<Option<Column>> = wanted.iter().map(|_| None).collect();
        let mut lines = Vec::new();
        while columns.iter().any(Option::is_none) {
            let mut places: Vec<usize> = Vec::new();
            for place in 0..wanted.len() {
                let is_open = columns[place].is_none();
                if is_open && !places.iter().any(|&other| wanted[other].0 == wanted[place].0) {
                    places.push(place);
                }
            }
            let batch: Vec<(&str, Want)> = places.iter().map(|&place| wanted[place]).collect();
            let table: Table = read(path, &batch)?;
            lines = table.lines;
            for (place, column) in places.into_iter().zip(table.columns) {
                columns[place] = Some(column);
            }
        }
        let headers = wanted.iter().map(|(name, _)| (*name).to_owned()).collect();
        Ok(Self { path: path.to_owned(), headers, columns: columns.into_iter().flatten().collect(), lines })
    }

    pub(in crate::cli) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(in crate::cli) fn all(&self) -> Vec<usize> {
        (0..self.len()).collect()
    }

    /// The number in a cell.
    pub(in crate::cli) fn number(&self, column: usize, row: usize) -> Option<f64> {
        match &self.columns[column] {
            Column::Number(values) => values[row],
            _ => None,
        }
    }

    /// The name in a cell of few distinct texts.
    pub(in crate::cli) fn name(&self, column: usize, row: usize) -> Option<&str> {
        match &self.columns[column] {
            Column::Category(values) => values.get(row),
            _ => None,
        }
    }

    pub(in crate::cli) fn category(&self, column: usize) -> Option<&Category> {
        match &self.columns[column] {
            Column::Category(values) => Some(values),
            _ => None,
        }
    }

    pub(in crate::cli) fn texts(&self, column: usize) -> Option<&Text> {
        match &self.columns[column] {
            Column::Text(values) => Some(values),
            _ => None,
        }
    }

    fn is_there(&self, column: usize, row: usize) -> bool {
        match &self.columns[column] {
            Column::Text(_) => true,
            Column::Category(values) => values.codes[row].is_some(),
            Column::Number(values) => values[row].is_some(),
        }
    }

    /// The rows without a gap in any of these columns.
    pub(in crate::cli) fn complete(&self, columns: &[usize]) -> Vec<usize> {
        (0..self.len()).filter(|&row| columns.iter().all(|&column| self.is_there(column, row))).collect()
    }

    /// The numbers of rows without a gap.
    pub(in crate::cli) fn values(&self, column: usize, rows: &[usize]) -> Vec<f64> {
        rows.iter().filter_map(|&row| self.number(column, row)).collect()
    }

    /// The names of rows without a gap.
    pub(in crate::cli) fn names(&self, column: usize, rows: &[usize]) -> Vec<&str> {
        rows.iter().filter_map(|&row| self.name(column, row)).collect()
    }

    /// Outcomes, which must be 0 or 1 (or false and true).
    pub(in crate::cli) fn outcomes(&self, column: usize, rows: &[usize]) -> Found<Vec<bool>> {
        rows.iter()
            .filter_map(|&row| self.number(column, row).map(|value| (row, value)))
            .map(|(row, value)| match value {
                0.0 => Ok(false),
                1.0 => Ok(true),
                other => usage(format!(
                    "{}:{}: column `{}`: expected 0 or 1, found {other}",
                    self.path.display(),
                    self.lines[row],
                    self.headers[column]
                )),
            })
            .collect()
    }

    /// The rows by the value of a column of names: numbers by size, then texts by bytes. Rows without one are in none.
    pub(in crate::cli) fn slices(&self, column: usize, rows: &[usize]) -> Vec<(String, Vec<usize>)> {
        let Some(category) = self.category(column) else { return Vec::new() };
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); category.names.len()];
        for &row in rows {
            if let Some(code) = category.codes[row] {
                members[code as usize].push(row);
            }
        }
        let mut slices: Vec<(String, Vec<usize>)> =
            category.names.iter().cloned().zip(members).filter(|(_, rows)| !rows.is_empty()).collect();
        slices.sort_by(|(a, _), (b, _)| by_value(a, b));
        slices
    }
}

/// Numbers by size, before texts by bytes.
pub(in crate::cli) fn by_value(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn numbers_and_files_are_told_apart() {
        assert!(
            matches!(numbers_or_file(&strings(&[".01", "-2", "3e-4"])), Ok(Input::Numbers(n)) if n == [0.01, -2.0, 3e-4])
        );
        assert!(matches!(numbers_or_file(&strings(&["a.csv"])), Ok(Input::File(_))));
        assert!(matches!(numbers_or_file(&strings(&["./12"])), Ok(Input::File(_))));
        assert!(numbers_or_file(&strings(&["a.csv", "2"])).is_err());
        assert!(numbers_or_file(&[]).is_err());
    }

    #[test]
    fn counts_are_whole() {
        assert!(matches!(counts(&[3.0, 4.0], ["a", "b"]), Ok([3, 4])));
        assert!(matches!(counts(&[3.5, 4.0], ["a", "b"]), Err(Stop::Refused(_))));
        assert!(matches!(counts(&[-1.0, 4.0], ["a", "b"]), Err(Stop::Refused(_))));
        assert!(matches!(counts(&[f64::NAN], ["a"]), Err(Stop::Refused(_))));
        assert!(matches!(counts(&[1.0], ["a", "b"]), Err(Stop::Failed(_))));
    }
}
