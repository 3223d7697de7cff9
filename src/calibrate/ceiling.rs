//! Does the judge agree with people as well as people do with each other?

use serde::Serialize;

use super::against::{Against, Codes};
use super::inter_rater::InterRater;
use super::scale::{Measure, Scale};
use crate::stats::Alpha;
use crate::stats::alt_test::{AltTest, AltTestOptions, Scoring, alt_test};

/// Raters with fewer items in common with the judge and another rater do not enter the test.
const MIN_INSTANCES: usize = 30;

/// The judge among the raters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ceiling {
    /// Mean κ of the judge with each rater: quadratic where labels have a stated order.
    pub judge_with_raters: Option<f64>,
    /// Mean κ of every two raters.
    pub raters_with_each_other: Option<f64>,
    /// The alternative annotator test.
    pub alt_test: Option<AltTest>,
    /// Its ε.
    pub epsilon: f64,
    /// Why there is no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

pub(super) fn ceiling(
    columns: &[&Codes],
    judge: &Codes,
    against: &[Against],
    raters: &InterRater,
    scale: &Scale,
    epsilon: f64,
) -> Ceiling {
    let kappas: Vec<f64> = against.iter().filter_map(|one| one.headline(scale)).map(|kappa| kappa.value).collect();
    let graded = scale.measure != Measure::Unordered;
    let number = |code: u32| match &scale.numbers {
        Some(numbers) if graded => numbers[code as usize],
        _ => f64::from(code),
    };
    let list = |codes: &Codes| -> Vec<Option<f64>> { codes.iter().map(|code| code.map(number)).collect() };
    let humans: Vec<Vec<Option<f64>>> = columns.iter().map(|codes| list(codes)).collect();
    let options = AltTestOptions {
        scoring: if graded { Scoring::NegativeRmse } else { Scoring::Accuracy },
        epsilon,
        q: Alpha::FIVE_PERCENT,
        min_instances: MIN_INSTANCES,
    };
    let (test, reason) = match alt_test(&humans, &list(judge), &options) {
        Ok(test) => (Some(test), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ceiling {
        judge_with_raters: (!kappas.is_empty()).then(|| kappas.iter().sum::<f64>() / kappas.len() as f64),
        raters_with_each_other: raters.mean_kappa,
        alt_test: test,
        epsilon,
        reason,
    }
}
