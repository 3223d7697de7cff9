//! A verdict or a comparison → text in a format.
//!
//! Renderers only lay out: every number they print was computed before, by `compare` or `gate`. A [`View`] turns numbers
//! into the words and plots that the terminal and Markdown renderers share.

mod calibration;
mod json;
mod markdown;
mod terminal;
mod text;
mod view;

pub use calibration::{
    CalibrationReport, HistoryRow, calibration_html, calibration_markdown, calibration_terminal,
};
pub use json::{json_digits, json_text};
pub use markdown::markdown;
pub use terminal::terminal;
pub use text::{escape_control, escape_markdown};
pub use view::{Row, View};

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Terminal,
    /// For a pull request or a file.
    Markdown,
}

/// Renders a view.
#[must_use]
pub fn render(view: &View, format: Format, color: bool) -> String {
    match format {
        Format::Terminal => terminal(view, color),
        Format::Markdown => markdown(view),
    }
}
