//! Comma- and tab-separated files.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use super::error::TableError;
use super::parquet::{Field, Frame};
use super::read::{Cell, Sink};

fn reader(path: &Path, separator: u8) -> Result<csv::Reader<File>, TableError> {
    let file = File::open(path).map_err(TableError::io(path))?;
    Ok(csv::ReaderBuilder::new().delimiter(separator).buffer_capacity(1 << 18).from_reader(file))
}

fn failed(path: &Path, error: csv::Error) -> TableError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => TableError::Io { path: path.to_owned(), source },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => TableError::Line {
            path: path.to_owned(),
            line,
            reason: format!("expected {expected_len} fields as in the header, found {len}"),
        },
        kind => TableError::Line { path: path.to_owned(), line, reason: format!("{kind:?}") },
    }
}

pub(super) fn names(path: &Path, separator: u8) -> Result<Vec<String>, TableError> {
    let mut reader = reader(path, separator)?;
    let header = reader.headers().map_err(|error| failed(path, error))?;
    if header.is_empty() {
        return Err(TableError::Empty { path: path.to_owned() });
    }
    Ok(header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect())
}

pub(super) fn fill(path: &Path, separator: u8, sinks: &mut [Sink<'_>]) -> Result<Vec<u32>, TableError> {
    let header = names(path, separator)?;
    let mut places = Vec::with_capacity(sinks.len());
    for sink in sinks.iter() {
        let place = header.iter().position(|name| name == sink.name).ok_or_else(|| TableError::NoColumn {
            path: path.to_owned(),
            name: sink.name.to_owned(),
            has: header.clone(),
        })?;
        places.push(place);
    }
    let mut reader = reader(path, separator)?;
    let mut record = csv::ByteRecord::new();
    let mut lines = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| failed(path, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |reason: String| TableError::Line { path: path.to_owned(), line, reason };
        for (sink, &place) in sinks.iter_mut().zip(&places) {
            let bytes = record.get(place).unwrap_or_default();
            let cell = if bytes.is_empty() {
                Cell::Missing
            } else {
                let text = std::str::from_utf8(bytes)
                    .map_err(|_| bad(format!("column `{}`: the bytes are not UTF-8", sink.name)))?;
                Cell::Text(Cow::Borrowed(text))
            };
            sink.push(&cell).map_err(bad)?;
        }
        lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }
    Ok(lines)
}

/// A text as a cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front.
fn plain(text: &str) -> Cow<'_, str> {
    // Some programs skip spaces before they look.
    let first = text.trim_start_matches(' ');
    if first.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A frame as CSV with a header. Cells that are missing are empty; texts that a spreadsheet would compute are made plain.
///
/// # Errors
/// When columns have different lengths.
pub fn csv_text(frame: &Frame) -> Result<Vec<u8>, TableError> {
    let failed = |error: csv::Error| failed(Path::new("the table"), error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(frame.fields.iter().map(|(name, _)| name)).map_err(failed)?;
    let height = frame.fields.first().map_or(0, |(_, field)| match field {
        Field::Text(values) => values.len(),
        Field::Number(values) => values.len(),
        Field::Integer(values) => values.len(),
        Field::Bool(values) => values.len(),
    });
    for row in 0..height {
        for (_, field) in &frame.fields {
            let cell = match field {
                Field::Text(values) => values.get(row).and_then(Option::as_deref).map(plain),
                Field::Number(values) => values.get(row).copied().flatten().map(|value| Cow::Owned(six_digits(value))),
                Field::Integer(values) => values.get(row).copied().flatten().map(|value| Cow::Owned(value.to_string())),
                Field::Bool(values) => values.get(row).copied().flatten().map(|value| Cow::Owned(value.to_string())),
            };
            writer.write_field(cell.as_deref().unwrap_or_default()).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| TableError::io("the table")(error.into_error()))
}

/// A number with six significant digits, so that the last bits of a platform's mathematics never show.
fn six_digits(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse::<f64>().unwrap_or(value);
    // Negative zero would print as -0.
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_stays_one() {
        let texts = ["=1+1", "+1", "-1", "@a", "\t=1", "a,\"b\"\nc", "", "\r=1", " =1"];
        let frame = Frame::default()
            .with("text", Field::Text(texts.iter().map(|text| Some((*text).to_owned())).collect()))
            .with("number", Field::Number(vec![Some(-0.5); texts.len()]));
        let bytes = csv_text(&frame).unwrap();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let cells: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
        assert_eq!(cells, ["'=1+1", "'+1", "'-1", "'@a", "'\t=1", "a,\"b\"\nc", "", "'\r=1", "' =1"]);
        assert!(String::from_utf8(bytes).unwrap().lines().nth(1).unwrap().ends_with(",-0.5"));
    }
}
