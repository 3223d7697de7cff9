//! Prediction-powered inference for a mean: few labels, many predictions, an interval that stays valid whatever the
//! predictions are worth.

use super::error::{Result, StatError, all_finite, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::judge_bias::JudgeTable;
use super::mean::{mean, sum_of_squares};

/// How far the predictions are trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tuning {
    /// A stated λ: 0 is the classical mean of the labels, 1 plain PPI.
    Fixed(f64),
    /// PPI++: the λ of smallest variance, estimated from the data and clipped to 0..=1.
    Estimated,
}

/// A prediction-powered mean.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PpiMean {
    /// λ·mean(f on unlabelled) + mean(y − λf on labelled).
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
    /// mean ± z·se, not clipped.
    pub interval: Interval,
    /// The λ that was used.
    pub lambda: f64,
}

/// The prediction-powered mean of `labels` with `predictions` for the same items and for `unlabelled` ones.
///
/// se² = λ²Var(f)/N + Var(y − λf)/n, variances over n, not n − 1 (Angelopoulos et al. 2023). [`Tuning::Estimated`]
/// takes λ = Cov(y, f)/((1 + n/N)Var(f over both samples)) (Angelopoulos, Duchi & Zrnic 2023); constant predictions
/// give λ = 0. Assumes that labelled and unlabelled items come from one population. For a judge's pass rate, pass 0/1
/// labels and verdicts.
///
/// # Errors
/// [`StatError::TooFew`] below two labelled or two unlabelled items, [`StatError::Lengths`],
/// [`StatError::OutOfRange`] for values or a λ that are not finite, [`StatError::Undefined`] when nothing varies.
///
/// ```
/// use evalgauge::stats::{Alpha, ppi::{Tuning, ppi_mean}};
/// let (labels, predictions) = ([0.0, 1.0, 1.0, 0.0], [0.2, 0.9, 0.7, 0.1]);
/// let result = ppi_mean(&labels, &predictions, &[0.5, 0.6, 0.4], Tuning::Fixed(1.0), Alpha::FIVE_PERCENT)?;
/// assert!((result.mean - 0.525).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn ppi_mean(
    labels: &[f64],
    predictions: &[f64],
    unlabelled: &[f64],
    tuning: Tuning,
    alpha: Alpha,
) -> Result<PpiMean> {
    same_length("labels and predictions", labels.len(), predictions.len())?;
    at_least("labelled items", 2, labels.len())?;
    at_least("unlabelled items", 2, unlabelled.len())?;
    all_finite("label", labels)?;
    all_finite("prediction", predictions)?;
    all_finite("prediction for an unlabelled item", unlabelled)?;
    let lambda = match tuning {
        Tuning::Fixed(lambda) if lambda.is_finite() => lambda,
        Tuning::Fixed(lambda) => {
            return Err(StatError::OutOfRange { what: "lambda", value: lambda, range: "the finite numbers" });
        }
        Tuning::Estimated => best_lambda(labels, predictions, unlabelled)?,
    };
    let residuals: Vec<f64> = labels.iter().zip(predictions).map(|(y, f)| y - lambda * f).collect();
    let (n, big_n) = (labels.len() as f64, unlabelled.len() as f64);
    let se = libm::sqrt(lambda * lambda * variance(unlabelled)? / big_n + variance(&residuals)? / n);
    let estimate = lambda * mean(unlabelled)? + mean(&residuals)?;
    if !(se.is_finite() && estimate.is_finite()) {
        return Err(StatError::Undefined("values too large to square"));
    }
    if se == 0.0 {
        return Err(StatError::Undefined("nothing varies: no interval can be had from these values"));
    }
    let half = alpha.two_sided_z() * se;
    Ok(PpiMean { mean: estimate, se, interval: Interval::around(estimate, half), lambda })
}

/// What a sample with labels and predictions adds up to; enough for [`ppi_of_moments`], whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LabelledMoments {
    /// Labelled items.
    pub n: u64,
    /// Mean of the labels.
    pub label_mean: f64,
    /// Mean of the predictions for the same items.
    pub prediction_mean: f64,
    /// Variance of the labels, over n.
    pub label_variance: f64,
    /// Variance of the predictions, over n.
    pub prediction_variance: f64,
    /// Their covariance, over n.
    pub covariance: f64,
}

impl LabelledMoments {
    /// The moments of labels with predictions for the same items.
    ///
    /// # Errors
    /// [`StatError::TooFew`] below two items, [`StatError::Lengths`], [`StatError::OutOfRange`] for values that are not
    /// finite.
    pub fn of(labels: &[f64], predictions: &[f64]) -> Result<Self> {
        same_length("labels and predictions", labels.len(), predictions.len())?;
        at_least("labelled items", 2, labels.len())?;
        all_finite("label", labels)?;
        all_finite("prediction", predictions)?;
        Ok(Self {
            n: labels.len() as u64,
            label_mean: mean(labels)?,
            prediction_mean: mean(predictions)?,
            label_variance: variance(labels)?,
            prediction_variance: variance(predictions)?,
            covariance: covariance(labels, predictions)?,
        })
    }
}

impl From<JudgeTable> for LabelledMoments {
    /// Passes are 1, fails are 0.
    fn from(table: JudgeTable) -> Self {
        let JudgeTable { true_pass, false_fail, true_fail, false_pass } = table;
        let n = true_pass + false_fail + true_fail + false_pass;
        let share = |count: u64| count as f64 / n as f64;
        let (labels, predictions) = (share(true_pass + false_fail), share(true_pass + false_pass));
        Self {
            n,
            label_mean: labels,
            prediction_mean: predictions,
            label_variance: labels * (1.0 - labels),
            prediction_variance: predictions * (1.0 - predictions),
            covariance: share(true_pass) - labels * predictions,
        }
    }
}

/// What a sample with predictions alone adds up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnlabelledMoments {
    /// Items.
    pub n: u64,
    /// Mean of the predictions.
    pub mean: f64,
    /// Their variance, over n.
    pub variance: f64,
}

/// [`ppi_mean`] with [`Tuning::Estimated`] (PPI++) from moments: where the labelled items are no longer at hand.
///
/// # Errors
/// As [`ppi_mean`].
///
/// ```
/// use evalgauge::stats::{Alpha, judge_bias::JudgeTable, ppi::{UnlabelledMoments, ppi_of_moments}};
/// // People pass 100 of 200, the judge 110 of them, and 620 of 1000 that nobody labelled.
/// let table = JudgeTable { true_pass: 90, false_fail: 10, true_fail: 80, false_pass: 20 };
/// let unlabelled = UnlabelledMoments { n: 1000, mean: 0.62, variance: 0.62 * 0.38 };
/// let result = ppi_of_moments(&table.into(), &unlabelled, Alpha::FIVE_PERCENT)?;
/// assert!(result.mean > 0.53 && result.mean < 0.55 && result.lambda < 0.7);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn ppi_of_moments(labelled: &LabelledMoments, unlabelled: &UnlabelledMoments, alpha: Alpha) -> Result<PpiMean> {
    at_least("labelled items", 2, labelled.n as usize)?;
    at_least("unlabelled items", 2, unlabelled.n as usize)?;
    let (n, big_n) = (labelled.n as f64, unlabelled.n as f64);
    let centre = (n * labelled.prediction_mean + big_n * unlabelled.mean) / (n + big_n);
    let off = |mean: f64| (mean - centre) * (mean - centre);
    let squares = n * (labelled.prediction_variance + off(labelled.prediction_mean))
        + big_n * (unlabelled.variance + off(unlabelled.mean));
    let spread = squares / (n + big_n - 1.0);
    let lambda = if spread == 0.0 { 0.0 } else { (labelled.covariance / ((1.0 + n / big_n) * spread)).clamp(0.0, 1.0) };
    // Of y − λf, from the moments of y and f; rounding may leave a little less than nothing.
    let residual = (labelled.label_variance - 2.0 * lambda * labelled.covariance
        + lambda * lambda * labelled.prediction_variance)
        .max(0.0);
    let se = libm::sqrt(lambda * lambda * unlabelled.variance / big_n + residual / n);
    let estimate = lambda * unlabelled.mean + (labelled.label_mean - lambda * labelled.prediction_mean);
    if !(se.is_finite() && estimate.is_finite()) {
        return Err(StatError::Undefined("values too large to square"));
    }
    if se == 0.0 {
        return Err(StatError::Undefined("nothing varies: no interval can be had from these values"));
    }
    let half = alpha.two_sided_z() * se;
    Ok(PpiMean { mean: estimate, se, interval: Interval::around(estimate, half), lambda })
}

/// Variance over n. A constant has none, even where its mean is rounded.
fn variance(values: &[f64]) -> Result<f64> {
    if values.iter().all(|value| value == &values[0]) {
        return Ok(0.0);
    }
    Ok(sum_of_squares(values, mean(values)?) / values.len() as f64)
}

fn best_lambda(labels: &[f64], predictions: &[f64], unlabelled: &[f64]) -> Result<f64> {
    let (n, big_n) = (labels.len() as f64, unlabelled.len() as f64);
    let pooled: Vec<f64> = predictions.iter().chain(unlabelled).copied().collect();
    let spread = variance(&pooled)? * (n + big_n) / (n + big_n - 1.0);
    if spread == 0.0 {
        return Ok(0.0);
    }
    Ok((covariance(labels, predictions)? / ((1.0 + n / big_n) * spread)).clamp(0.0, 1.0))
}

/// Covariance over n.
fn covariance(labels: &[f64], predictions: &[f64]) -> Result<f64> {
    let (centre_y, centre_f) = (mean(labels)?, mean(predictions)?);
    let sum: f64 = labels.iter().zip(predictions).map(|(y, f)| (y - centre_y) * (f - centre_f)).sum();
    Ok(sum / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::distr::Distribution;

    use super::*;

    fn run(y: &[f64], f: &[f64], unlabelled: &[f64], tuning: Tuning) -> Result<PpiMean> {
        ppi_mean(y, f, unlabelled, tuning, Alpha::FIVE_PERCENT)
    }

    #[test]
    fn plain_by_hand() {
        // Mean of f where unlabelled is 1/2, of the residuals 1/4; variances 1/4 over 4 and 3/16 over 4.
        let result =
            run(&[1.0, 0.0, 1.0, 0.0], &[1.0, 0.0, 0.0, 0.0], &[0.0, 1.0, 0.0, 1.0], Tuning::Fixed(1.0)).unwrap();
        assert!((result.mean - 0.75).abs() < 1e-15);
        assert!((result.se - f64::sqrt(7.0 / 64.0)).abs() < 1e-15);
    }

    #[test]
    fn worthless_predictions_are_not_used() {
        let y = [1.0, 0.0, 1.0, 0.0];
        let constant = run(&y, &[0.5; 4], &[0.5; 9], Tuning::Estimated).unwrap();
        let backwards = run(&y, &[0.0, 1.0, 0.0, 1.0], &[1.0, 0.0, 1.0], Tuning::Estimated).unwrap();
        let classical = run(&y, &[0.0, 1.0, 0.0, 1.0], &[1.0, 0.0, 1.0], Tuning::Fixed(0.0)).unwrap();
        assert_eq!((constant.lambda, constant.mean), (0.0, 0.5));
        assert_eq!(backwards, classical);
    }

    #[test]
    fn refusals() {
        let two = [0.0, 1.0];
        assert!(matches!(run(&[1.0], &[0.9], &two, Tuning::Estimated), Err(StatError::TooFew { .. })));
        assert!(matches!(run(&two, &two, &[1.0], Tuning::Estimated), Err(StatError::TooFew { .. })));
        assert!(matches!(run(&two, &[1.0], &two, Tuning::Estimated), Err(StatError::Lengths { .. })));
        assert!(matches!(run(&two, &two, &[0.0, f64::NAN], Tuning::Estimated), Err(StatError::OutOfRange { .. })));
        assert!(matches!(run(&two, &two, &two, Tuning::Fixed(f64::INFINITY)), Err(StatError::OutOfRange { .. })));
        assert!(matches!(run(&[0.1; 3], &[0.3; 3], &[0.3; 3], Tuning::Fixed(1.0)), Err(StatError::Undefined(_))));
        assert!(matches!(run(&[1e300, -1e300], &two, &two, Tuning::Estimated), Err(StatError::Undefined(_))));
    }

    #[test]
    fn tuning_beats_both_extremes_when_predictions_are_middling() {
        let mut stream = super::super::rng::stream(3, 0);
        let mut normal = || -> f64 { rand_distr::StandardNormal.sample(&mut stream) };
        let mut pair = |noise: f64| {
            let truth = normal();
            (truth, truth + noise * normal())
        };
        let (y, f): (Vec<f64>, Vec<f64>) = (0..200).map(|_| pair(1.0)).unzip();
        let unlabelled: Vec<f64> = (0..5000).map(|_| pair(1.0).1).collect();
        let [tuned, plain, classical] =
            [Tuning::Estimated, Tuning::Fixed(1.0), Tuning::Fixed(0.0)].map(|t| run(&y, &f, &unlabelled, t).unwrap());
        // The best lambda is 1/2 but for the cost of the unlabelled sample; it saves some 30 % of the error.
        assert!((0.35..0.65).contains(&tuned.lambda), "{tuned:?}");
        assert!(tuned.se < 0.8 * plain.se && tuned.se < 0.8 * classical.se);
    }

    #[test]
    fn counts_are_the_labels_they_count() {
        let table = JudgeTable { true_pass: 30, false_fail: 6, true_fail: 20, false_pass: 4 };
        let cells = [(1.0, 1.0, 30), (1.0, 0.0, 6), (0.0, 0.0, 20), (0.0, 1.0, 4)];
        let pairs = cells.iter().flat_map(|&(y, f, times)| std::iter::repeat_n((y, f), times));
        let (y, f): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let unlabelled: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i % 5 < 3))).collect();
        let whole = run(&y, &f, &unlabelled, Tuning::Estimated).unwrap();
        let moments = UnlabelledMoments { n: 300, mean: 0.6, variance: 0.24 };
        let counted = ppi_of_moments(&table.into(), &moments, Alpha::FIVE_PERCENT).unwrap();
        assert!((whole.mean - counted.mean).abs() < 1e-12 && (whole.se - counted.se).abs() < 1e-12);
        assert!((whole.lambda - counted.lambda).abs() < 1e-12 && counted.lambda > 0.3, "{counted:?}");
        let perfect = JudgeTable { true_pass: 0, false_fail: 0, true_fail: 9, false_pass: 0 };
        let nothing = UnlabelledMoments { n: 9, mean: 0.0, variance: 0.0 };
        assert!(ppi_of_moments(&perfect.into(), &nothing, Alpha::FIVE_PERCENT).is_err(), "nothing varies");
        let one = JudgeTable { true_pass: 1, false_fail: 0, true_fail: 0, false_pass: 0 };
        assert!(ppi_of_moments(&one.into(), &moments, Alpha::FIVE_PERCENT).is_err(), "one item");
    }

    proptest! {
        #[test]
        fn moments_say_what_the_values_say(
            labelled in prop::collection::vec((0.0_f64..3.0, 0.0_f64..3.0), 3..30),
            unlabelled in prop::collection::vec(0.0_f64..3.0, 3..50),
        ) {
            let (y, f): (Vec<f64>, Vec<f64>) = labelled.into_iter().unzip();
            let whole = run(&y, &f, &unlabelled, Tuning::Estimated).unwrap();
            let rest = UnlabelledMoments {
                n: unlabelled.len() as u64,
                mean: mean(&unlabelled).unwrap(),
                variance: variance(&unlabelled).unwrap(),
            };
            let moments = ppi_of_moments(&LabelledMoments::of(&y, &f).unwrap(), &rest, Alpha::FIVE_PERCENT).unwrap();
            prop_assert!((whole.mean - moments.mean).abs() < 1e-9 && (whole.se - moments.se).abs() < 1e-9);
        }

        #[test]
        fn shifting_the_predictions_changes_nothing(
            labelled in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 3..30),
            unlabelled in prop::collection::vec(0.0_f64..1.0, 3..50),
            shift in -10.0_f64..10.0,
        ) {
            let (y, f): (Vec<f64>, Vec<f64>) = labelled.into_iter().unzip();
            let moved = |values: &[f64]| values.iter().map(|v| v + shift).collect::<Vec<_>>();
            for tuning in [Tuning::Estimated, Tuning::Fixed(1.0)] {
                let here = run(&y, &f, &unlabelled, tuning).unwrap();
                let there = run(&y, &moved(&f), &moved(&unlabelled), tuning).unwrap();
                prop_assert!((here.mean - there.mean).abs() < 1e-9 && (here.se - there.se).abs() < 1e-9);
            }
        }
    }
}
