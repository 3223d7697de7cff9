//! Comma- and tab-separated files.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use super::error::TableError;
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
