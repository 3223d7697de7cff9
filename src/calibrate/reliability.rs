//! A judge's grade as a probability that people pass the answer.

use serde::Serialize;

use crate::stats::calibration::{Binning, ITEMS_FOR_AN_INTERVAL, calibration_errors, reliability_table};
use crate::stats::probability_scores::{brier_score, roc_auc};
use crate::stats::proportion::Proportion;
use crate::stats::recalibration::{fit_isotonic, fit_platt};
use crate::stats::{Alpha, Interval};

/// The fewest items on which a mapping is fitted and looked at.
pub const MIN_ITEMS: usize = 100;
/// Bins of the diagram.
const BINS: usize = 10;

/// A bin of the diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Items in it.
    pub n: u64,
    /// Their mean probability.
    pub probability: f64,
    /// The share of them that people pass.
    pub passed: f64,
    /// Its Wilson interval.
    pub interval: Option<Interval>,
}

/// How a judge's grades map to the probability that people pass the answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Items with a grade, and a pass or fail of the raters.
    pub n: usize,
    /// How many passed.
    pub passes: usize,
    /// Area under the ROC curve of the grades.
    pub auroc: Option<f64>,
    /// Platt's slope and intercept: P(pass) = 1 / (1 + exp(slope · grade + intercept)), fitted on all items.
    pub platt: Option<(f64, f64)>,
    /// Knots of the isotonic mapping, fitted on all items: grade, probability.
    pub isotonic: Vec<(f64, f64)>,
    /// The diagram of Platt's probabilities, each made without the half that holds the item.
    pub bins: Vec<ReliabilityBin>,
    /// Brier score of these probabilities.
    pub brier: Option<f64>,
    /// Brier score of the isotonic ones, made the same way.
    pub brier_isotonic: Option<f64>,
    /// Expected calibration error of the grades taken as probabilities, 15 equal-width bins; where they are
    /// within 0..1 and there are enough items.
    pub ece_of_grades: Option<f64>,
    /// Brier score of the grades taken as probabilities.
    pub brier_of_grades: Option<f64>,
}

/// The mapping; an error is why there is none.
pub(super) fn reliability(grades: &[f64], passed: &[bool], alpha: Alpha) -> Result<Reliability, String> {
    if grades.len() < MIN_ITEMS {
        return Err(format!("{} items with a pass or fail and a grade: {MIN_ITEMS} are needed", grades.len()));
    }
    let passes = passed.iter().filter(|&&passed| passed).count();
    let fit = fit_platt(grades, passed).map_err(|error| error.to_string())?;
    let outcomes: Vec<f64> = passed.iter().map(|&passed| f64::from(u8::from(passed))).collect();
    let isotonic = fit_isotonic(grades, &outcomes).map_err(|error| error.to_string())?;
    let pick = |rows: &[usize]| -> (Vec<f64>, Vec<bool>, Vec<f64>) {
        let grades = rows.iter().map(|&row| grades[row]).collect();
        (grades, rows.iter().map(|&row| passed[row]).collect(), rows.iter().map(|&row| outcomes[row]).collect())
    };
    // Items are in the order of their ids, which says nothing about them: every second one is a half.
    let halves: [Vec<usize>; 2] = [0, 1].map(|half| (half..grades.len()).step_by(2).collect());
    let sigmoids = halves.each_ref().map(|half| {
        let (grades, passed, _) = pick(half);
        fit_platt(&grades, &passed).ok()
    });
    let steps = halves.each_ref().map(|half| {
        let (grades, _, outcomes) = pick(half);
        fit_isotonic(&grades, &outcomes).ok()
    });
    // Each item by what the other half says.
    let each = || grades.iter().enumerate().map(|(item, &grade)| (1 - item % 2, grade));
    let by_platt: Option<Vec<f64>> = each().map(|(half, grade)| sigmoids[half]?.apply(grade).ok()).collect();
    let by_steps: Option<Vec<f64>> = each().map(|(half, grade)| steps[half].as_ref()?.apply(grade).ok()).collect();
    let is_probability = grades.iter().all(|grade| (0.0..=1.0).contains(grade));
    let ece = |grades: &[f64]| {
        calibration_errors(grades, passed, 15, Binning::EqualWidthRightClosed).ok().map(|errors| errors.expected)
    };
    Ok(Reliability {
        n: grades.len(),
        passes,
        auroc: roc_auc(grades, passed).ok(),
        platt: Some((fit.slope, fit.intercept)),
        isotonic: isotonic.knots().collect(),
        bins: by_platt.as_deref().map(|p| bins(p, passed, alpha)).unwrap_or_default(),
        brier: by_platt.as_deref().and_then(|p| brier_score(p, passed).ok()),
        brier_isotonic: by_steps.as_deref().and_then(|p| brier_score(p, passed).ok()),
        ece_of_grades: (is_probability && grades.len() >= ITEMS_FOR_AN_INTERVAL).then(|| ece(grades)).flatten(),
        brier_of_grades: is_probability.then(|| brier_score(grades, passed).ok()).flatten(),
    })
}

fn bins(probabilities: &[f64], passed: &[bool], alpha: Alpha) -> Vec<ReliabilityBin> {
    let rows = reliability_table(probabilities, passed, BINS, Binning::EqualWidthRightClosed).unwrap_or_default();
    rows.into_iter()
        .filter_map(|row| {
            let means = row.bin.means?;
            let hits = libm::round(means.accuracy * row.bin.count as f64) as u64;
            Some(ReliabilityBin {
                n: row.bin.count,
                probability: means.confidence,
                passed: means.accuracy,
                interval: Proportion::new(hits, row.bin.count).ok().map(|rate| rate.wilson(alpha)),
            })
        })
        .collect()
}
