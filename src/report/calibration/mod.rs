//! A calibration → text, Markdown, or one page for a browser.
//!
//! What is said, and in which order, is decided once ([`blocks`]); the renderers lay it out.

mod beside;
mod blocks;
mod html;
mod markdown;
mod terminal;

use crate::calibrate::{Calibration, Drift};

pub use html::calibration_html;
pub use markdown::calibration_markdown;
pub use terminal::calibration_terminal;

/// An earlier calibration, as the history shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// The day.
    pub date: String,
    /// The dimension.
    pub dimension: String,
    /// The beginning of the prompt's digest.
    pub prompt: String,
    /// The model.
    pub model: String,
    /// Items.
    pub n: usize,
    /// κ.
    pub kappa: Option<f64>,
    /// Its interval.
    pub interval: Option<crate::stats::Interval>,
    /// What it allowed.
    pub allows: &'static str,
}

/// Everything that a report of a calibration shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationReport<'c> {
    /// What was calibrated.
    pub title: String,
    /// Where labels and grades come from, and what else to know about the numbers.
    pub provenance: Vec<(String, String)>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// The dimensions.
    pub dimensions: &'c [Calibration],
    /// How κ moved since the last calibration.
    pub drift: &'c [Drift],
    /// Every calibration so far.
    pub history: &'c [HistoryRow],
}
