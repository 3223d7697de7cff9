//! A calibration as it is printed.

use serde::Serialize;

use crate::calibrate::{Calibration, CalibrationLine, Drift};
use crate::cli::args::FormatArg;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::report::{
    CalibrationReport, HistoryRow, calibration_html, calibration_markdown, calibration_terminal, json_digits,
};

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
    /// Of a judge: its line in `calibrations.jsonl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<CalibrationLine>,
    /// Of several judges: the line of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<CalibrationLine>,
    /// How κ moved since the last calibration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) drift: Vec<Drift>,
    /// Every calibration so far, this one among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) history: Vec<CalibrationLine>,
}

/// One row a calibration and dimension.
fn history(lines: &[CalibrationLine]) -> Vec<HistoryRow> {
    let rows = lines.iter().flat_map(|line| line.dimensions.iter().map(move |(name, found)| (line, name, found)));
    rows.map(|(line, name, found)| HistoryRow {
        date: line.date.to_string(),
        dimension: name.clone(),
        prompt: line.digests.prompt_sha256.chars().take(8).collect(),
        model: line.digests.model.clone(),
        n: found.n,
        kappa: found.kappa,
        interval: found.interval,
        allows: found.licence.allows.words(),
    })
    .collect()
}

pub(super) fn print(title: &str, printed: &Printed, output: &Output) -> Result<(), Failure> {
    let history = history(&printed.history);
    let mut provenance: Vec<(String, String)> = printed
        .sources
        .iter()
        .map(|source| ("from".to_owned(), format!("{} (SHA-256 {})", source.file, &source.sha256[..12])))
        .collect();
    if !printed.gaps.is_empty() {
        provenance.push(("gaps".to_owned(), format!("cells read as missing: {}", printed.gaps.join(", "))));
    }
    let percent = 100.0 * printed.confidence;
    provenance.push(("intervals".to_owned(), format!("{percent} %; κ: Fleiss, Cohen and Everitt 1969; rates: Wilson")));
    provenance.push(("program".to_owned(), format!("evalgauge {}", env!("CARGO_PKG_VERSION"))));
    let report = CalibrationReport {
        title: title.to_owned(),
        provenance,
        confidence: printed.confidence,
        dimensions: &printed.dimensions,
        drift: &printed.drift,
        history: &history,
    };
    match output.report_format() {
        FormatArg::Json => {
            let text = json_digits(printed, DIGITS)
                .map_err(|error| Failure::machine(format!("cannot write the result: {error}")))?;
            output.result(&text)
        }
        FormatArg::Text => output.result(&calibration_terminal(&report, output.color())),
        FormatArg::Md => output.result(&calibration_markdown(&report)),
        FormatArg::Html => {
            let page = calibration_html(&report)
                .map_err(|reason| Failure::machine(format!("cannot write the page: {reason}")))?;
            output.result(&page)
        }
        FormatArg::Junit | FormatArg::Csv | FormatArg::Parquet | FormatArg::Trailer => {
            Err(Failure::input("a calibration has no such form".to_owned())
                .hint("its forms are text, json, md and html"))
        }
    }
}
