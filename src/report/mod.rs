//! A verdict, a comparison or a record → bytes in a format.
//!
//! Renderers only lay out: every number they print was computed before, by `compare` or `gate`. A [`View`] turns numbers
//! into the words and plots that the renderers for people share; [`Details`] is what the records behind it add.

mod calibration;
mod charts;
mod contest;
mod costs;
mod details;
mod examples;
mod export;
mod honest;
mod html;
mod json;
mod judged;
mod junit;
mod markdown;
mod steps;
mod terminal;
mod text;
mod trailer;
mod unit;
mod view;

use std::borrow::Cow;

use crate::compare::{Comparison, Identity, LengthProfile, MetricEstimate};
use crate::gate::{CorrectedMetric, Verdict};
use crate::table::{TableError, csv_text, parquet_bytes};

pub use calibration::{CalibrationReport, HistoryRow, calibration_html, calibration_markdown, calibration_terminal};
pub use contest::ContestReport;
pub use details::{Candidates, ConfusionPair, Details, Look, ReliabilityPair, looks};
pub use examples::{Change, Column, Example, Examples, Outcome, Passes, Said};
pub use honest::{HonestRow, HonestView};
pub use json::{json_digits, json_text};
pub use judged::{CorrectedRow, LengthRow, LengthTable};
pub use markdown::{Limit, markdown};
pub use terminal::terminal;
pub use text::{escape_control, escape_lines, escape_markdown};
pub use view::{EstimateRow, Row, View};

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Terminal,
    /// For a pull request or a file.
    Markdown,
    /// One page for a browser.
    Html,
    /// One object for programs.
    Json,
    /// Test cases for a CI system.
    Junit,
    /// A table for a spreadsheet.
    Csv,
    /// A table for data tools.
    Parquet,
    /// A line for a commit message.
    Trailer,
}

/// Which table an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// A row for every cell (of a record alone, every metric).
    #[default]
    Cells,
    /// A row for every example and metric.
    Examples,
}

/// How to write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether a terminal's colours are wanted.
    pub color: bool,
    /// Which table an export holds.
    pub rows: Rows,
}

/// A record alone.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Alone {
    /// Names this format and its version.
    pub schema: &'static str,
    /// Whose record it is.
    pub record: Identity,
    /// Its metrics.
    pub metrics: Vec<MetricEstimate>,
    /// What judges say by the length of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<LengthProfile>,
    /// What judged metrics come to when the judge's labels are taken into account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<CorrectedMetric>,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A decision.
    Verdict(Box<Verdict>),
    /// Two sides without a decision.
    Comparison(Box<Comparison>),
    /// One side.
    Record(Box<Alone>),
}

/// Everything that a format may show.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// The same in words.
    pub view: View,
    /// What the records add.
    pub details: Details,
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The format needs a decision.
    #[error("{0} shows a decision, and there is none here")]
    NoVerdict(&'static str),
    /// The format holds the cells or examples of one pair.
    #[error("{0} holds the cells of two sides; compare two, or take text, md, html or json")]
    OfTwo(&'static str),
    /// A table that cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A value that is no JSON.
    #[error("cannot write the report: {0}")]
    Json(#[from] serde_json::Error),
    /// A template that does not fit.
    #[error("cannot write the report: {0}")]
    Template(#[from] minijinja::Error),
}

#[derive(serde::Serialize)]
struct Compared<'a> {
    schema: &'static str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

impl Report {
    /// The report of a verdict; without records it has the examples that the verdict keeps itself.
    ///
    /// Its numbers are those of `verdict.json`, so that a report made later from the file is the same to the byte.
    #[must_use]
    pub fn of_verdict(verdict: Verdict) -> Self {
        // Flips hold no number with a fraction, and of a large table there may be very many of them.
        let mut verdict = verdict;
        let flips = std::mem::take(&mut verdict.flips);
        let kept = json_text(&verdict).and_then(|text| serde_json::from_str(&text));
        let mut verdict: Verdict = kept.unwrap_or(verdict);
        verdict.flips = flips;
        let view = View::of_verdict(&verdict);
        Self { view, subject: Subject::Verdict(Box::new(verdict)), details: Details::default() }
    }

    /// The report of a comparison.
    #[must_use]
    pub fn of_comparison(comparison: Comparison) -> Self {
        let view = View::of_comparison(&comparison);
        Self { view, subject: Subject::Comparison(Box::new(comparison)), details: Details::default() }
    }

    /// The verdict, where there is one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.subject {
            Subject::Verdict(verdict) => Some(verdict),
            Subject::Comparison(_) | Subject::Record(_) => None,
        }
    }

    /// The examples of the records; without them, those that the verdict keeps.
    fn examples(&self) -> Cow<'_, Examples> {
        match (&self.details.examples, &self.subject) {
            (Some(examples), _) => Cow::Borrowed(examples),
            (None, Subject::Verdict(verdict)) => Cow::Owned(Examples::of_verdict(verdict)),
            (None, _) => Cow::Owned(Examples::default()),
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        match &self.subject {
            Subject::Verdict(verdict) => json_text(verdict),
            Subject::Comparison(comparison) => json_text(&Compared { schema: "evalgauge.comparison/1", comparison }),
            Subject::Record(alone) => json_text(alone),
        }
    }
}

/// Renders a report.
///
/// # Errors
/// A format that needs a verdict where there is none, or a table that cannot be written.
pub fn render(report: &Report, format: Format, style: Style) -> Result<Vec<u8>, ReportError> {
    let verdict = |name| report.verdict().ok_or(ReportError::NoVerdict(name));
    Ok(match format {
        Format::Terminal => terminal(&report.view, style.color).into_bytes(),
        Format::Markdown => markdown(&report.view, Limit::Comment).into_bytes(),
        Format::Html => html::html(report)?.into_bytes(),
        Format::Json => report.json()?.into_bytes(),
        Format::Junit => junit::junit(verdict("junit")?, &report.view)?.into_bytes(),
        Format::Csv => csv_text(&export::table(report, style.rows))?,
        Format::Parquet => parquet_bytes(export::table(report, style.rows))?,
        Format::Trailer => trailer::trailer(verdict("trailer")?).into_bytes(),
    })
}
