//! Are stated confidences right: calibration errors, proper scores, recalibration.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{Found, Rows, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::bootstrap::Resampling;
use crate::stats::calibration::{Binning, calibration_errors, calibration_interval, reliability_table};
use crate::stats::probability_scores::{
    ForecastGroups, average_precision, brier_decomposition, brier_score, brier_skill_score, log_loss, roc_auc,
};
use crate::stats::proportion::Proportion;
use crate::stats::recalibration::{confidence_logits, fit_isotonic, fit_platt, fit_temperature};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct EceArgs {
    /// A table with one row an answer
    file: PathBuf,
    /// Column of the stated confidence, 0 to 1
    #[arg(long, value_name = "COLUMN")]
    confidence: String,
    /// Column of whether the answer was right, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    correct: String,
    /// Number of bins
    #[arg(long, value_name = "N", default_value_t = 15)]
    bins: usize,
    /// To which bin a confidence on an edge belongs
    #[arg(long, value_enum, default_value_t = Closed::Right)]
    closed: Closed,
    /// Resamples for the interval
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    replicates: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Closed {
    /// To the lower one: ((m−1)/M, m/M]
    Right,
    /// To the upper one: [(m−1)/M, m/M)
    Left,
}

impl From<Closed> for Binning {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Right => Self::EqualWidthRightClosed,
            Closed::Left => Self::EqualWidthLeftClosed,
        }
    }
}

fn answers(file: &std::path::Path, confidence: &str, correct: &str) -> Found<(Vec<f64>, Vec<bool>, usize)> {
    let rows = Rows::read(file, &[(confidence, Want::Number), (correct, Want::Number)])?;
    let complete = rows.complete(&[0, 1]);
    Ok((rows.values(0, &complete), rows.outcomes(1, &complete)?, rows.len() - complete.len()))
}

/// `stats ece`
pub(super) fn ece(args: &EceArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let (confidence, correct, left_out) = answers(&args.file, &args.confidence, &args.correct)?;
    let binning = Binning::from(args.closed);
    let width = calibration_errors(&confidence, &correct, args.bins, binning)?;
    let mass = calibration_errors(&confidence, &correct, args.bins, Binning::EqualMass)?;
    let draw = Resampling { replicates: args.replicates, seed };
    let interval = calibration_interval(&confidence, &correct, args.bins, binning, draw, alpha);
    let groups = ForecastGroups::EqualWidth(args.bins);
    let right = correct.iter().filter(|&&right| right).count();
    let entry = Entry::new()
        .put("ece", width.expected)
        .attempt("interval", interval.clone().map(|found| found.interval))
        .put("bias_corrected", interval.as_ref().ok().map(|found| found.bias_corrected))
        .put("p_calibrated", interval.as_ref().ok().map(|found| found.p_calibrated))
        .put("n", confidence.len())
        .put("left_out", left_out)
        .put("bins", args.bins)
        .put("mce", width.maximum)
        .put("rmsce", width.root_mean_square)
        .put("ece_equal_mass", mass.expected)
        .put("mce_equal_mass", mass.maximum)
        .attempt("accuracy", Proportion::new(right as u64, correct.len() as u64).map(Proportion::rate))
        .attempt("mean_confidence", crate::stats::mean::mean(&confidence))
        .attempt("brier", brier_score(&confidence, &correct))
        .attempt("brier_skill", brier_skill_score(&confidence, &correct))
        .attempt("brier_parts", brier_decomposition(&confidence, &correct, groups))
        .attempt("log_loss", log_loss(&confidence, &correct))
        .attempt("auc", roc_auc(&confidence, &correct))
        .attempt("average_precision", average_precision(&confidence, &correct))
        .put("replicates", args.replicates)
        .put("seed", seed);
    let rows = reliability_table(&confidence, &correct, args.bins, binning)?.into_iter().map(|row| {
        Entry::new()
            .put("range", row.range)
            .put("count", row.bin.count)
            .put("confidence", row.bin.means.map(|means| means.confidence))
            .put("accuracy", row.bin.means.map(|means| means.accuracy))
    });
    Ok(Sheet::new(entry).confidence(alpha).digits(7).table("reliability", rows.collect(), &[]))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecalibrateArgs {
    /// A table with one row an answer; rows 1, 3, 5 … fit the map, rows 2, 4, 6 … test it
    file: PathBuf,
    /// Column of the stated confidence, 0 to 1
    #[arg(long, value_name = "COLUMN")]
    confidence: String,
    /// Column of whether the answer was right, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    correct: String,
    /// Number of bins of the calibration error
    #[arg(long, value_name = "N", default_value_t = 15)]
    bins: usize,
    /// How far a stated 0 or 1 is moved inwards before its log-odds are taken
    #[arg(long, value_name = "X", default_value_t = 0.005)]
    margin: f64,
}

/// `stats recalibrate`
pub(super) fn recalibrate(args: &RecalibrateArgs) -> Found<Sheet> {
    let (confidence, correct, left_out) = answers(&args.file, &args.confidence, &args.correct)?;
    let half = |first: usize| -> (Vec<f64>, Vec<bool>) {
        confidence.iter().copied().zip(correct.iter().copied()).skip(first).step_by(2).unzip()
    };
    let ((fit_x, fit_y), (test_x, test_y)) = (half(0), half(1));
    if test_x.is_empty() {
        return usage("there are too few rows to fit on one half and test on the other");
    }
    let measured = |name: &str, mapped: crate::stats::Result<Vec<f64>>| {
        let entry = Entry::new().put("map", name);
        match mapped {
            Err(error) => entry.reason(&error.to_string()),
            Ok(mapped) => entry
                .attempt(
                    "ece",
                    calibration_errors(&mapped, &test_y, args.bins, Binning::EqualWidthRightClosed).map(|e| e.expected),
                )
                .attempt("brier", brier_score(&mapped, &test_y))
                .attempt("log_loss", log_loss(&mapped, &test_y)),
        }
    };
    let logits = |values: &[f64]| -> crate::stats::Result<Vec<[f64; 2]>> {
        values.iter().map(|&value| confidence_logits(value, args.margin)).collect()
    };
    let labels: Vec<usize> = fit_y.iter().map(|&right| usize::from(right)).collect();
    let temperature = logits(&fit_x).and_then(|rows| fit_temperature(&rows, &labels));
    let scores = |values: &[f64]| logits(values).map(|rows| rows.iter().map(|row| -row[0]).collect::<Vec<f64>>());
    let platt = scores(&fit_x).and_then(|fit| fit_platt(&fit, &fit_y));
    let targets: Vec<f64> = fit_y.iter().map(|&right| f64::from(u8::from(right))).collect();
    let isotonic = fit_isotonic(&fit_x, &targets);
    let by_temperature = temperature
        .clone()
        .and_then(|map| logits(&test_x)?.iter().map(|row| map.apply(row).map(|classes| classes[1])).collect());
    let by_platt = platt.clone().and_then(|map| scores(&test_x)?.iter().map(|&score| map.apply(score)).collect());
    let by_isotonic = isotonic.clone().and_then(|map| test_x.iter().map(|&value| map.apply(value)).collect());
    let entry = Entry::new()
        .put("n_fit", fit_x.len())
        .put("n_test", test_x.len())
        .put("left_out", left_out)
        .attempt("temperature", temperature)
        .attempt("platt", platt)
        .attempt("isotonic_knots", isotonic.map(|map| map.knots().count()));
    let rows = vec![
        measured("as stated", Ok(test_x.clone())),
        measured("temperature", by_temperature),
        measured("platt", by_platt),
        measured("isotonic", by_isotonic),
    ];
    Ok(Sheet::new(entry).table("held_out", rows, &[]))
}
