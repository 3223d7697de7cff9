//! A calibration as it is printed.

use serde::Serialize;

use crate::calibrate::Calibration;
use crate::cli::args::FormatArg;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::report::json_digits;

/// Coefficients are held against published ones, so they have the digits that a double holds.
const DIGITS: usize = 15;

/// Where labels and grades come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Source {
    /// The file.
    pub(super) file: String,
    /// SHA-256 of its bytes.
    pub(super) sha256: String,
}

/// The whole result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Printed {
    pub(super) schema: &'static str,
    pub(super) sources: Vec<Source>,
    pub(super) confidence: f64,
    /// Texts that were read as missing labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) gaps: Vec<String>,
    pub(super) dimensions: Vec<Calibration>,
}

pub(super) fn print(printed: &Printed, output: &Output) -> Result<(), Failure> {
    match output.report_format() {
        FormatArg::Json => {
            let text = json_digits(printed, DIGITS)
                .map_err(|error| Failure::machine(format!("cannot write the result: {error}")))?;
            output.result(&text)
        }
        FormatArg::Text | FormatArg::Md | FormatArg::Html => output.result("later\n"),
    }
}
