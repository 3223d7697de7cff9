//! Prediction-powered inference for a mean: few labels, many predictions, an interval that stays valid whatever the
//! predictions are worth.

use super::error::{Result, StatError, all_finite, at_least, same_length};
use super::interval::{Alpha, Interval};
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
    let (centre_y, centre_f) = (mean(labels)?, mean(predictions)?);
    let covariance = labels.iter().zip(predictions).map(|(y, f)| (y - centre_y) * (f - centre_f)).sum::<f64>() / n;
    Ok((covariance / ((1.0 + n / big_n) * spread)).clamp(0.0, 1.0))
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

    proptest! {
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
