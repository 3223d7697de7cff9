//! JSON lines: one object a line.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::error::{TableError, json_reason};
use super::read::{Cell, Sink};

/// Calls `each` with the number (from 1) and the text of every line that is not blank, without its line end.
///
/// # Errors
/// What the system says on reading, bytes that are not UTF-8 (with the line), or what `each` returns.
pub fn for_each_line<E: From<TableError>>(
    path: &Path,
    mut each: impl FnMut(u64, &str) -> Result<(), E>,
) -> Result<(), E> {
    let file = File::open(path).map_err(TableError::io(path))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut bytes = Vec::new();
    let mut number = 0;
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(TableError::io(path))? == 0 {
            return Ok(());
        }
        number += 1;
        let text = std::str::from_utf8(&bytes).map_err(|_| TableError::Line {
            path: path.to_owned(),
            line: number,
            reason: "the bytes are not UTF-8".to_owned(),
        })?;
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() {
            each(number, text)?;
        }
    }
}

pub(super) fn names(path: &Path) -> Result<Vec<String>, TableError> {
    struct Found(Vec<String>);
    enum Stop {
        First(Found),
        Failed(TableError),
    }
    impl From<TableError> for Stop {
        fn from(error: TableError) -> Self {
            Self::Failed(error)
        }
    }
    let outcome = for_each_line(path, |line, text| match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => Err(Stop::First(Found(fields.keys().cloned().collect()))),
        Ok(_) => Err(Stop::Failed(not_an_object(path, line))),
        Err(error) => Err(Stop::Failed(broken(path, line, &error))),
    });
    match outcome {
        Ok(()) => Err(TableError::Empty { path: path.to_owned() }),
        Err(Stop::First(found)) => Ok(found.0),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn not_an_object(path: &Path, line: u64) -> TableError {
    TableError::Line { path: path.to_owned(), line, reason: "expected a JSON object".to_owned() }
}

fn broken(path: &Path, line: u64, error: &serde_json::Error) -> TableError {
    TableError::Line { path: path.to_owned(), line, reason: format!("not valid JSON: {}", json_reason(error)) }
}

/// Deserialises one object, keeping only the fields that a sink wants, borrowed where they can be.
struct Row<'s, 'a> {
    sinks: &'s [Sink<'s>],
    cells: &'s mut Vec<Option<Cell<'a>>>,
}

impl<'de> DeserializeSeed<'de> for Row<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, 'de> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.sinks.iter().position(|sink| sink.name == key) {
                Some(place) => self.cells[place] = Some(map.next_value_seed(OneCell)?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Deserialises a scalar into a cell; arrays and objects become their JSON text.
struct OneCell;

impl<'de> DeserializeSeed<'de> for OneCell {
    type Value = Cell<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Cell<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneCell {
    type Value = Cell<'de>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Missing)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Cell<'de>, A::Error> {
        let value = Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
        Ok(Cell::Text(Cow::Owned(value.to_string())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell<'de>, A::Error> {
        let value = Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Cell::Text(Cow::Owned(value.to_string())))
    }
}

use serde::Deserialize;

pub(super) fn fill(path: &Path, sinks: &mut [Sink<'_>]) -> Result<Vec<u32>, TableError> {
    let mut seen = vec![false; sinks.len()];
    let mut lines = Vec::new();
    for_each_line(path, |line, text| {
        let bad = |reason: String| TableError::Line { path: path.to_owned(), line, reason };
        let mut cells: Vec<Option<Cell<'_>>> = sinks.iter().map(|_| None).collect();
        let mut parser = serde_json::Deserializer::from_str(text);
        Row { sinks, cells: &mut cells }
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| broken(path, line, &error))?;
        for ((sink, cell), seen) in sinks.iter_mut().zip(cells).zip(&mut seen) {
            *seen |= cell.is_some();
            sink.push(&cell.unwrap_or(Cell::Missing)).map_err(bad)?;
        }
        lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok::<(), TableError>(())
    })?;
    // A field may be absent from some lines, but a name that no line has is a typo.
    match seen.iter().position(|seen| !seen) {
        Some(place) if !lines.is_empty() => {
            Err(TableError::NoColumn { path: path.to_owned(), name: sinks[place].name.to_owned(), has: names(path)? })
        }
        _ => Ok(lines),
    }
}
