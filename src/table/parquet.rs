//! Parquet files, through polars.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use polars::prelude::{
    AnyValue, Column as Series, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetReader,
    ParquetWriter, PolarsResult, SerReader, Series as PolarsSeries,
};

use super::error::TableError;
use super::read::{Cell, Sink};
use super::write::AtomicFile;

fn failed(path: &Path, error: &impl std::fmt::Display) -> TableError {
    let reason = error.to_string();
    let reason = reason.strip_prefix("parquet: ").unwrap_or(&reason).to_owned();
    TableError::Parquet { path: path.to_owned(), reason }
}

fn open(path: &Path) -> Result<ParquetReader<File>, TableError> {
    Ok(ParquetReader::new(File::open(path).map_err(TableError::io(path))?))
}

pub(super) fn names(path: &Path) -> Result<Vec<String>, TableError> {
    let mut reader = open(path)?;
    let schema = reader.schema().map_err(|error| failed(path, &error))?;
    Ok(schema.iter_names().map(ToString::to_string).collect())
}

fn load(path: &Path, columns: &[&str]) -> Result<DataFrame, TableError> {
    let has = names(path)?;
    if let Some(name) = columns.iter().find(|name| !has.iter().any(|h| h == *name)) {
        return Err(TableError::NoColumn { path: path.to_owned(), name: (*name).to_owned(), has });
    }
    let mut wanted: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    wanted.dedup();
    open(path)?.with_columns(Some(wanted)).finish().map_err(|error| failed(path, &error))
}

fn cell(value: AnyValue<'_>) -> Cell<'_> {
    match value {
        AnyValue::Null => Cell::Missing,
        AnyValue::Boolean(value) => Cell::Text(Cow::Borrowed(if value { "true" } else { "false" })),
        AnyValue::String(text) => Cell::Text(Cow::Borrowed(text)),
        other => match other.extract::<f64>() {
            Some(number) => Cell::Number(number),
            None => Cell::Text(Cow::Owned(other.to_string())),
        },
    }
}

/// The cells of a column. Where its type is known from the start, a cell costs a fraction of one of any type.
fn cells(series: &PolarsSeries) -> PolarsResult<Box<dyn Iterator<Item = Cell<'_>> + '_>> {
    let text = |text| Cell::Text(Cow::Borrowed(text));
    Ok(match series.dtype() {
        DataType::String => Box::new(series.str()?.iter().map(move |cell| cell.map_or(Cell::Missing, text))),
        DataType::Float64 => Box::new(series.f64()?.iter().map(|cell| cell.map_or(Cell::Missing, Cell::Number))),
        DataType::Int64 => {
            Box::new(series.i64()?.iter().map(|cell| cell.map_or(Cell::Missing, |value| Cell::Number(value as f64))))
        }
        _ => Box::new(series.iter().map(cell)),
    })
}

pub(super) fn fill(path: &Path, sinks: &mut [Sink<'_>]) -> Result<Vec<u32>, TableError> {
    let names: Vec<&str> = sinks.iter().map(|sink| sink.name).collect();
    let frame = load(path, &names)?;
    let rows = frame.height();
    for sink in sinks {
        let column = frame.column(sink.name).map_err(|error| failed(path, &error))?;
        let cells = cells(column.as_materialized_series()).map_err(|error| failed(path, &error))?;
        for (row, cell) in cells.enumerate() {
            sink.push(&cell).map_err(|reason| TableError::Line {
                path: path.to_owned(),
                line: row as u64 + 1,
                reason,
            })?;
        }
    }
    Ok((1..=u32::try_from(rows).unwrap_or(u32::MAX)).collect())
}

/// A named column on its way into or out of a Parquet file.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Texts with gaps.
    Text(Vec<Option<String>>),
    /// Numbers with gaps.
    Number(Vec<Option<f64>>),
    /// Whole numbers with gaps.
    Integer(Vec<Option<i64>>),
    /// Truth values with gaps.
    Bool(Vec<Option<bool>>),
}

/// Columns of equal length under their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// The columns in order.
    pub fields: Vec<(String, Field)>,
}

impl Frame {
    /// Appends a column.
    #[must_use]
    pub fn with(mut self, name: &str, field: Field) -> Self {
        self.fields.push((name.to_owned(), field));
        self
    }
}

/// Writes frames one below the other as Parquet (zstd), whole or not at all. All have the columns of `none`, which has no row.
///
/// # Errors
/// When the file cannot be written.
pub fn write_frames(path: &Path, none: Frame, parts: impl Iterator<Item = Frame>) -> Result<(), TableError> {
    let trouble = Trouble::default();
    let wrong = |error: polars::prelude::PolarsError| match trouble.take() {
        Some(source) => TableError::io(path)(source),
        None => failed(path, &error),
    };
    let schema = data_frame(none).map_err(wrong)?.schema().clone();
    let mut file = AtomicFile::create(path)?;
    let mut writer = ParquetWriter::new(Watched { file: &mut file, trouble: &trouble })
        .with_compression(ParquetCompression::Zstd(None))
        .batched(&schema)
        .map_err(wrong)?;
    for part in parts {
        writer.write_batch(&data_frame(part).map_err(wrong)?).map_err(wrong)?;
    }
    writer.finish().map_err(wrong)?;
    file.commit()
}

/// What the system said when a write failed. Polars makes a sentence of it, and a full disk is no matter of the format.
#[derive(Default)]
struct Trouble(Mutex<Option<std::io::Error>>);

impl Trouble {
    fn take(&self) -> Option<std::io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A file whose errors are kept for whoever knows what they mean.
struct Watched<'f> {
    file: &'f mut AtomicFile,
    trouble: &'f Trouble,
}

impl Watched<'_> {
    fn noted<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        result.inspect_err(|error| {
            let copy = error.raw_os_error().map_or_else(
                || std::io::Error::new(error.kind(), error.to_string()),
                std::io::Error::from_raw_os_error,
            );
            *self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        })
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let result = self.file.write(bytes);
        self.noted(result)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let result = self.file.flush();
        self.noted(result)
    }
}

fn data_frame(frame: Frame) -> PolarsResult<DataFrame> {
    let columns: Vec<Series> = frame
        .fields
        .into_iter()
        .map(|(name, field)| {
            let name = name.as_str().into();
            match field {
                Field::Text(values) => PolarsSeries::new(name, values),
                Field::Number(values) => PolarsSeries::new(name, values),
                Field::Integer(values) => PolarsSeries::new(name, values),
                Field::Bool(values) => PolarsSeries::new(name, values),
            }
            .into_column()
        })
        .collect();
    DataFrame::new_infer_height(columns)
}

/// The bytes of a Parquet file with a frame.
///
/// # Errors
/// When columns have different lengths.
pub fn parquet_bytes(frame: Frame) -> Result<Vec<u8>, TableError> {
    let failed = |error: polars::prelude::PolarsError| failed(Path::new("the table"), &error);
    let mut bytes = Vec::new();
    let mut frame = data_frame(frame).map_err(failed)?;
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .finish(&mut frame)
        .map_err(failed)?;
    Ok(bytes)
}

/// Reads the named columns of a Parquet file that [`write_frames`] made, in the order of `wanted`.
///
/// # Errors
/// When the file cannot be read, a column is missing, or has another type.
pub fn read_frame(path: &Path, wanted: &[&str]) -> Result<Frame, TableError> {
    let loaded = load(path, wanted)?;
    let mut frame = Frame::default();
    for name in wanted {
        let column = loaded.column(name).map_err(|error| failed(path, &error))?;
        let series = column.as_materialized_series();
        let wrong = |error: polars::prelude::PolarsError| failed(path, &error);
        let field = match series.dtype() {
            DataType::String => {
                Field::Text(series.str().map_err(wrong)?.iter().map(|v| v.map(str::to_owned)).collect())
            }
            DataType::Float64 => Field::Number(series.f64().map_err(wrong)?.iter().collect()),
            DataType::Int64 => Field::Integer(series.i64().map_err(wrong)?.iter().collect()),
            DataType::Boolean => Field::Bool(series.bool().map_err(wrong)?.iter().collect()),
            other => return Err(failed(path, &format!("column `{name}` has the type {other}"))),
        };
        frame = frame.with(name, field);
    }
    Ok(frame)
}
