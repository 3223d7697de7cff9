//! Comma- and tab-separated files.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::TableError;
use super::parquet::{Field, Frame};
use super::read::{Cell, Sink};

/// A file that remembers what was read last: the parser does not say how a row ended.
struct Remembering {
    file: File,
    last: Vec<u8>,
    read: u64,
}

impl Read for Remembering {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            self.last.clear();
            self.last.extend_from_slice(&buffer[..count]);
            self.read += count as u64;
        }
        Ok(count)
    }
}

impl Remembering {
    /// The byte before a place, which is among those that were read last.
    fn before(&self, place: u64) -> Option<u8> {
        let begins = self.read - self.last.len() as u64;
        self.last.get(usize::try_from(place.checked_sub(begins + 1)?).ok()?).copied()
    }
}

fn reader(path: &Path, separator: u8) -> Result<csv::Reader<Remembering>, TableError> {
    let file = File::open(path).map_err(TableError::io(path))?;
    let file = Remembering { file, last: Vec::new(), read: 0 };
    Ok(csv::ReaderBuilder::new().delimiter(separator).buffer_capacity(1 << 18).from_reader(file))
}

/// The line on which the row that was just read begins.
///
/// The parser's own position of a row is where it began to look for it, in front of blank lines and of the line feed that
/// ends the row before in files with carriage returns. So the line is counted back from the end of the row.
fn line_of(reader: &csv::Reader<Remembering>, record: &csv::ByteRecord) -> u64 {
    let after = reader.position();
    let inside = record.as_slice().split(|byte| *byte == b'\n').count() as u64 - 1;
    let ended = u64::from(reader.get_ref().before(after.byte()) == Some(b'\n'));
    after.line().saturating_sub(inside + ended).max(1)
}

fn failed(path: &Path, error: csv::Error) -> TableError {
    let line = error.position().map_or(1, csv::Position::line);
    failed_at(path, line, error)
}

fn failed_at(path: &Path, line: u64, error: csv::Error) -> TableError {
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
    loop {
        let read = reader.read_byte_record(&mut record);
        let line = line_of(&reader, &record);
        if !read.map_err(|error| failed_at(path, line, error))? {
            return Ok(lines);
        }
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

    /// The lines on which rows begin, and that of a row with a field too many at the end.
    fn lines(text: &str) -> (Vec<u32>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let all = |text: &str| {
            std::fs::write(&path, text).unwrap();
            crate::table::read(&path, &[("id", crate::table::Want::Text)])
        };
        let end = if text.contains('\r') { "\r\n" } else { "\n" };
        let text = text.strip_suffix(end).unwrap_or(text);
        let whole = all(text).unwrap().lines;
        assert_eq!(whole, all(&format!("{text}{end}")).unwrap().lines, "with and without an end of the last line");
        match all(&format!("{text}{end}{end}x,1,2{end}")) {
            Err(TableError::Line { line, .. }) => (whole, line),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_have_the_lines_on_which_they_begin() {
        assert_eq!(lines("id,a\nx,1\ny,2\n"), (vec![2, 3], 5));
        assert_eq!(lines("id,a\n\nx,1\n\n\ny,2\nz,3\n"), (vec![3, 6, 7], 9));
        assert_eq!(lines("id,a\n\"x\n\nx\",1\n\ny,2\n"), (vec![2, 6], 8));
        assert_eq!(lines("id,a\r\nx,1\r\ny,2\r\n"), (vec![2, 3], 5));
        assert_eq!(lines("id,a\r\n\r\nx,1\r\n\r\ny,\"2\r\n3\"\r\nz,1\r\n"), (vec![3, 5, 7], 9));
        // More than the parser holds at once.
        let many = format!("id,a\n\n{}", "x,1\n\n".repeat(100_000));
        let (found, last) = lines(&many);
        assert_eq!(found, (0..100_000).map(|row| 3 + 2 * row).collect::<Vec<u32>>());
        assert_eq!(last, 200_004);
    }

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
