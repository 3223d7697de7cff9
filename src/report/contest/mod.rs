//! Several candidates on the same examples → text, Markdown, one page for a browser, JSON.
//!
//! What is said, and in which order, is decided once ([`blocks`]); the renderers lay it out.

mod blocks;
mod html;
mod markdown;
mod tables;
mod terminal;

use serde::Serialize;

use super::json::json_text;
use super::{Format, ReportError};
use crate::compare::Contest;
use crate::gate::Replacing;

/// Everything that a report of several candidates shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContestReport {
    /// Names this format and its version.
    schema: &'static str,
    /// The comparison.
    #[serde(flatten)]
    contest: Contest,
    /// Which of them may replace the first.
    replace: Replacing,
}

impl ContestReport {
    /// The report of a comparison, and of the answers about the baseline, its first candidate.
    #[must_use]
    pub fn new(contest: Contest, replace: Replacing) -> Self {
        Self { schema: "evalgauge.candidates/1", contest, replace }
    }

    /// The name of a candidate.
    fn name(&self, candidate: usize) -> &str {
        self.contest.candidates.get(candidate).map_or("?", |entrant| entrant.label.as_str())
    }

    /// Renders the report.
    ///
    /// # Errors
    /// A format that shows a decision or the examples of one pair.
    pub fn render(&self, format: Format, color: bool) -> Result<Vec<u8>, ReportError> {
        Ok(match format {
            Format::Terminal => terminal::terminal(self, color).into_bytes(),
            Format::Markdown => markdown::markdown(self).into_bytes(),
            Format::Html => html::html(self)?.into_bytes(),
            Format::Json => json_text(self)?.into_bytes(),
            Format::Junit => return Err(ReportError::NoVerdict("junit")),
            Format::Trailer => return Err(ReportError::NoVerdict("trailer")),
            Format::Csv => return Err(ReportError::OfTwo("csv")),
            Format::Parquet => return Err(ReportError::OfTwo("parquet")),
        })
    }
}
