//! Maps from stated to calibrated probabilities: temperature scaling, Platt's sigmoid, isotonic regression.
//!
//! Fit on one set of items and judge the result on another: a map always looks calibrated on the items it was fitted
//! to. Temperature has one parameter and keeps the order of answers, Platt two, isotonic regression as many as the data
//! allow and wants a thousand items or so.

use super::error::{
    Result, StatError, all_finite, all_in_unit_interval, at_least, finite_sample, in_unit_interval, same_length,
};
use super::order::ascending;
use super::special::{logistic, softplus};

/// Squares of larger logits would overflow.
const LARGEST_LOGIT: f64 = 1e100;

/// A fitted temperature: probabilities become softmax(logits / temperature).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Temperature {
    /// The temperature; above 1 it softens overconfident probabilities.
    pub temperature: f64,
    /// Mean negative log likelihood in nats at temperature 1.
    pub loss_before: f64,
    /// The same at the fitted temperature.
    pub loss_after: f64,
}

/// A fitted sigmoid: P(right) = 1 / (1 + exp(slope · score + intercept)).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Platt {
    /// Platt's A, negative when higher scores mean "right".
    pub slope: f64,
    /// Platt's B.
    pub intercept: f64,
}

/// A fitted non-decreasing function, linear between its knots and constant outside them.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Isotonic {
    /// Strictly increasing positions of the knots.
    positions: Vec<f64>,
    /// Non-decreasing values at the knots.
    values: Vec<f64>,
}

/// Mean loss of softmax(inverse · logits), with its first two derivatives in `inverse`.
struct Loss {
    value: f64,
    slope: f64,
    curvature: f64,
}

fn loss_at<R: AsRef<[f64]>>(logits: &[R], labels: &[usize], inverse: f64) -> Loss {
    let mut sum = Loss { value: 0.0, slope: 0.0, curvature: 0.0 };
    for (row, &label) in logits.iter().zip(labels) {
        let row = row.as_ref();
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Logits relative to the largest one: no exponential overflows and the largest weight is 1.
        let (mut weights, mut first, mut second) = (0.0, 0.0, 0.0);
        for logit in row {
            let below = logit - top;
            let weight = libm::exp(inverse * below);
            weights += weight;
            first += weight * below;
            second += weight * below * below;
        }
        let (mean, label_below) = (first / weights, row[label] - top);
        sum.value += libm::log(weights) - inverse * label_below;
        sum.slope += mean - label_below;
        sum.curvature += (second / weights - mean * mean).max(0.0);
    }
    let rows = logits.len() as f64;
    Loss { value: sum.value / rows, slope: sum.slope / rows, curvature: sum.curvature / rows }
}

fn check_logits<R: AsRef<[f64]>>(logits: &[R], labels: &[usize]) -> Result<()> {
    same_length("rows of logits and labels", logits.len(), labels.len())?;
    at_least("rows of logits", 1, logits.len())?;
    let classes = logits[0].as_ref().len();
    at_least("classes", 2, classes)?;
    for (row, &label) in logits.iter().zip(labels) {
        same_length("classes of the first and another row", classes, row.as_ref().len())?;
        if let Some(&value) = row.as_ref().iter().find(|logit| !(-LARGEST_LOGIT..=LARGEST_LOGIT).contains(*logit)) {
            return Err(StatError::OutOfRange { what: "logit", value, range: "[-1e100, 1e100]" });
        }
        if label >= classes {
            return Err(StatError::OutOfRange { what: "label", value: label as f64, range: "0..classes" });
        }
    }
    Ok(())
}

/// Fits the temperature that minimises the mean negative log likelihood of `labels` (Guo et al. 2017).
///
/// One row of logits an item, all of the same length; `labels[i]` is the index of the right class of row `i`. The loss
/// is convex in 1/T, which Newton steps inside a shrinking bracket solve to the last digits. For a single confidence
/// see [`confidence_logits`].
///
/// ```
/// use evalgauge::stats::recalibration::fit_temperature;
/// // Always the same logit difference of 2, right three times of four: softmax(2/T) must be 0.75, so T = 2 / ln 3.
/// let fit = fit_temperature(&[[2.0, 0.0]; 4], &[0, 0, 0, 1])?;
/// assert!((fit.temperature - 2.0 / 3.0_f64.ln()).abs() < 1e-9);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without rows or with fewer than two classes, [`StatError::OutOfRange`]
/// for logits that are not finite (or beyond ±1e100) or labels beyond the classes, [`StatError::Undefined`] when no
/// finite positive temperature is best: the right class always has the largest logit (T → 0), or on average no more
/// than the mean one (T → ∞).
pub fn fit_temperature<R: AsRef<[f64]>>(logits: &[R], labels: &[usize]) -> Result<Temperature> {
    check_logits(logits, labels)?;
    if loss_at(logits, labels, 0.0).slope >= 0.0 {
        return Err(StatError::Undefined(
            "the logits do not favour the right class, so no positive temperature is best",
        ));
    }
    let right_is_largest = |(row, &label): (&R, &usize)| row.as_ref().iter().all(|&logit| logit <= row.as_ref()[label]);
    if logits.iter().zip(labels).all(right_is_largest) {
        return Err(StatError::Undefined("the right class always has the largest logit, so the best temperature is 0"));
    }
    let before = loss_at(logits, labels, 1.0);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while loss_at(logits, labels, high).slope < 0.0 {
        low = high;
        high *= 2.0;
        if !high.is_finite() {
            return Err(StatError::Undefined("the logits are too small to have a finite inverse temperature"));
        }
    }
    let mut inverse = 0.5 * (low + high);
    for _ in 0..2000 {
        let at = loss_at(logits, labels, inverse);
        if at.slope < 0.0 {
            low = inverse;
        } else {
            high = inverse;
        }
        let newton = inverse - at.slope / at.curvature;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let done = (next - inverse).abs() <= 1e-15 * inverse || next <= low || next >= high;
        inverse = next;
        if done {
            break;
        }
    }
    let after = loss_at(logits, labels, inverse);
    Ok(Temperature { temperature: 1.0 / inverse, loss_before: before.value, loss_after: after.value })
}

impl Temperature {
    /// Class probabilities softmax(logits / temperature) of one row.
    ///
    /// # Errors
    /// [`StatError::TooFew`] for fewer than two logits, [`StatError::OutOfRange`] for one that is not finite.
    pub fn apply(&self, logits: &[f64]) -> Result<Vec<f64>> {
        at_least("classes", 2, logits.len())?;
        all_finite("logit", logits)?;
        let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> = logits.iter().map(|l| libm::exp((l - top) / self.temperature)).collect();
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        Ok(weights)
    }
}

/// Two-class logits [ln((1 − p)/p), 0] of a stated confidence, so that class 1 is "right".
///
/// `margin` keeps the logit of a stated 0 or 1 finite by moving p into margin..=1 − margin; the fit depends on it, as a
/// stated "100 %" that turns out wrong weighs the more the smaller it is. Half the step in which confidences are stated
/// (0.005 for whole percents) is a defensible choice.
///
/// # Errors
/// [`StatError::OutOfRange`] unless the confidence lies in 0..=1 and the margin strictly between 0 and 0.5.
pub fn confidence_logits(confidence: f64, margin: f64) -> Result<[f64; 2]> {
    if !(margin > 0.0 && margin < 0.5) {
        return Err(StatError::OutOfRange { what: "margin", value: margin, range: "(0, 0.5)" });
    }
    in_unit_interval("confidence", confidence)?;
    let p = confidence.clamp(margin, 1.0 - margin);
    Ok([libm::log((1.0 - p) / p), 0.0])
}

/// Fits Platt's sigmoid P(right) = 1 / (1 + exp(A·score + B)) with his smoothed targets.
///
/// The targets are (N₊+1)/(N₊+2) for right and 1/(N₋+2) for wrong answers (Platt 1999), which keeps the fit finite on
/// separable data. The cross-entropy is convex; Newton with step halving follows Lin, Lin and Weng (2007). Scores are
/// standardised inside, so their unit does not matter.
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::OutOfRange`] for a score that is not
/// finite, [`StatError::Undefined`] when all outcomes or all scores are equal.
pub fn fit_platt(score: &[f64], outcome: &[bool]) -> Result<Platt> {
    same_length("scores and outcomes", score.len(), outcome.len())?;
    finite_sample("scores", score)?;
    let positives = outcome.iter().filter(|&&right| right).count() as f64;
    let items = score.len() as f64;
    let negatives = items - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Err(StatError::Undefined("a sigmoid needs right and wrong answers"));
    }
    // Scaling by the largest magnitude first keeps the squares of huge scores finite.
    let largest = score.iter().fold(0.0_f64, |largest, s| largest.max(s.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let centre = score.iter().map(|s| s / unit).sum::<f64>() / items;
    let spread = libm::sqrt(score.iter().map(|s| (s / unit - centre).powi(2)).sum::<f64>() / items);
    if score.iter().all(|&s| s == score[0]) || spread == 0.0 {
        return Err(StatError::Undefined("all scores are equal, so the sigmoid has no slope"));
    }
    let standard: Vec<f64> = score.iter().map(|s| (s / unit - centre) / spread).collect();
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let targets: Vec<f64> = outcome.iter().map(|&right| if right { high } else { low }).collect();
    let start = libm::log((negatives + 1.0) / (positives + 1.0));
    let (slope, intercept) = newton_sigmoid(&standard, &targets, start);
    let slope = slope / spread;
    let fit = Platt { slope: slope / unit, intercept: intercept - slope * centre };
    if fit.slope.is_finite() && fit.intercept.is_finite() {
        Ok(fit)
    } else {
        Err(StatError::Undefined("the scores are too close together for a finite slope"))
    }
}

/// Minimises the cross-entropy of 1 / (1 + exp(a·x + b)) against soft targets, from a = 0 and b = `start`.
fn newton_sigmoid(x: &[f64], targets: &[f64], start: f64) -> (f64, f64) {
    // −t ln p − (1−t) ln(1−p) with p = 1/(1+e^f) is ln(1+e^f) − (1−t) f.
    let term = |f: f64, t: f64| softplus(f) - (1.0 - t) * f;
    let objective = |a: f64, b: f64| x.iter().zip(targets).map(|(x, &t)| term(a * x + b, t)).sum::<f64>();
    let (mut a, mut b) = (0.0, start);
    let mut value = objective(a, b);
    for _ in 0..200 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (&x, &target) in x.iter().zip(targets) {
            let p = logistic(-(a * x + b));
            let (residual, weight) = (target - p, p * (1.0 - p));
            ga += residual * x;
            gb += residual;
            haa += weight * x * x;
            hab += weight * x;
            hbb += weight;
        }
        let determinant = haa * hbb - hab * hab;
        if determinant <= 0.0 {
            break;
        }
        let (da, db) = (-(hbb * ga - hab * gb) / determinant, -(haa * gb - hab * ga) / determinant);
        let descent = ga * da + gb * db;
        let mut step = 1.0;
        loop {
            let candidate = objective(a + step * da, b + step * db);
            if candidate <= value + 1e-4 * step * descent {
                value = candidate;
                break;
            }
            step *= 0.5;
            if step < 1e-10 {
                // The objective is flat to rounding here; the full Newton step still sharpens the root of the gradient.
                step = if descent.abs() < 1e-8 * (1.0 + value.abs()) { 1.0 } else { 0.0 };
                break;
            }
        }
        a += step * da;
        b += step * db;
        if step == 0.0 || (da.abs() <= 1e-13 * (1.0 + a.abs()) && db.abs() <= 1e-13 * (1.0 + b.abs())) {
            break;
        }
    }
    (a, b)
}

impl Platt {
    /// The calibrated probability of a score.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a score that is not finite.
    pub fn apply(&self, score: f64) -> Result<f64> {
        all_finite("score", &[score])?;
        Ok(logistic(-self.slope.mul_add(score, self.intercept)))
    }
}

/// Fits the non-decreasing function of the score with least squared error to the outcomes.
///
/// Pool-adjacent-violators (Ayer et al. 1955) in O(n log n). Items with equal scores are averaged first; between scores
/// the function is linear, outside them constant. `outcome` lies in 0..=1: 0/1 answers or graded ones.
///
/// ```
/// use evalgauge::stats::recalibration::fit_isotonic;
/// let fit = fit_isotonic(&[0.1, 0.4, 0.6, 0.9], &[0.0, 1.0, 0.0, 1.0])?;
/// assert_eq!(fit.apply(0.4)?, 0.5);
/// assert!((fit.apply(0.75)? - 0.75).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::OutOfRange`] for a score that is not
/// finite or an outcome outside 0..=1.
pub fn fit_isotonic(score: &[f64], outcome: &[f64]) -> Result<Isotonic> {
    same_length("scores and outcomes", score.len(), outcome.len())?;
    finite_sample("scores", score)?;
    all_in_unit_interval("outcome", outcome)?;
    let mut blocks: Vec<Block> = Vec::new();
    for tied in ascending(score).chunk_by(|&a, &b| score[a] == score[b]) {
        let sum = tied.iter().map(|&item| outcome[item]).sum();
        let mut block = Block { first: score[tied[0]], last: score[tied[0]], sum, items: tied.len() as f64 };
        while let Some(left) = blocks.pop_if(|left| left.mean() >= block.mean()) {
            block = Block { first: left.first, sum: left.sum + block.sum, items: left.items + block.items, ..block };
        }
        blocks.push(block);
    }
    let (mut positions, mut values) = (Vec::new(), Vec::new());
    for block in &blocks {
        positions.push(block.first);
        values.push(block.mean());
        if block.last > block.first {
            positions.push(block.last);
            values.push(block.mean());
        }
    }
    Ok(Isotonic { positions, values })
}

/// Neighbouring scores pooled to one value.
struct Block {
    first: f64,
    last: f64,
    sum: f64,
    items: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.items
    }
}

impl Isotonic {
    /// The calibrated value at a score.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a score that is not finite.
    pub fn apply(&self, score: f64) -> Result<f64> {
        all_finite("score", &[score])?;
        let above = self.positions.partition_point(|&position| position <= score);
        if above == 0 {
            return Ok(self.values[0]);
        }
        let (position, value) = (self.positions[above - 1], self.values[above - 1]);
        if above == self.positions.len() || position == score {
            return Ok(value);
        }
        // Halves, because the distance of two finite scores may exceed the largest finite number.
        let share = (0.5 * score - 0.5 * position) / (0.5 * self.positions[above] - 0.5 * position);
        Ok(share.mul_add(self.values[above] - value, value))
    }

    /// The knots (score, value) of the fitted function, in ascending order.
    pub fn knots(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.positions.iter().copied().zip(self.values.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn temperature_does_not_depend_on_the_unit_of_the_logits() {
        let rows = [[1.0, 0.2, -0.5], [0.3, 0.9, 0.0], [0.1, 0.4, 0.8], [1.5, -1.0, 0.7], [0.0, 0.6, 0.5]];
        let labels = [0, 1, 0, 0, 2];
        let fit = fit_temperature(&rows, &labels).unwrap();
        assert!(fit.loss_after <= fit.loss_before);
        assert!(loss_at(&rows, &labels, 1.0 / fit.temperature).slope.abs() < 1e-12);
        for unit in [1e-60, 1e-3, 1e4, 1e60] {
            let scaled: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|l| l * unit).collect()).collect();
            let other = fit_temperature(&scaled, &labels).unwrap();
            assert!((other.temperature / unit / fit.temperature - 1.0).abs() < 1e-9, "{unit} {other:?}");
        }
        // A constant added to a row of logits changes no probability.
        let shifted: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|l| l + 700.0).collect()).collect();
        let other = fit_temperature(&shifted, &labels).unwrap();
        assert!((other.temperature / fit.temperature - 1.0).abs() < 1e-9);
    }

    #[test]
    fn temperatures_at_the_ends_are_refused() {
        let always_right = fit_temperature(&[[2.0, 1.0], [0.0, 3.0]], &[0, 1]);
        assert!(matches!(always_right, Err(StatError::Undefined(_))));
        let mostly_wrong = fit_temperature(&[[2.0, 1.0], [0.0, 3.0], [1.0, 2.0]], &[1, 0, 1]);
        assert!(matches!(mostly_wrong, Err(StatError::Undefined(_))));
        let constant = fit_temperature(&[[1.0, 1.0], [3.0, 3.0]], &[0, 1]);
        assert!(matches!(constant, Err(StatError::Undefined(_))));
        assert!(fit_temperature::<[f64; 2]>(&[], &[]).is_err());
        assert!(fit_temperature(&[[1.0, 0.0]], &[2]).is_err());
        assert!(fit_temperature(&[[1.0]], &[0]).is_err());
        assert!(fit_temperature(&[[1.0, f64::NEG_INFINITY]], &[0]).is_err());
        assert!(fit_temperature(&[vec![1.0, 0.0], vec![1.0]], &[0, 0]).is_err());
    }

    #[test]
    fn temperature_of_stated_confidences() {
        // Stated 90 %, right 70 %: the softened confidence must be 70 %.
        let rows = vec![confidence_logits(0.9, 0.005).unwrap(); 10];
        let labels: Vec<usize> = (0..10).map(|i| usize::from(i < 7)).collect();
        let fit = fit_temperature(&rows, &labels).unwrap();
        let softened = fit.apply(&rows[0]).unwrap();
        assert!((softened[1] - 0.7).abs() < 1e-12 && (softened[0] - 0.3).abs() < 1e-12);
        assert_eq!(confidence_logits(1.0, 0.005).unwrap(), confidence_logits(0.995, 0.005).unwrap());
        assert!(confidence_logits(1.1, 0.005).is_err());
        assert!(confidence_logits(0.5, 0.0).is_err());
        assert!(fit.apply(&[1.0]).is_err());
    }

    #[test]
    fn two_distinct_scores_have_a_closed_form() {
        // A sigmoid through two points meets the mean target of either score: targets 5/6 (four right) and 1/4 (two
        // wrong).
        let (score, outcome) = ([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [true, false, false, true, true, true]);
        let fit = fit_platt(&score, &outcome).unwrap();
        let at_zero = (5.0 / 6.0 + 0.25 + 0.25) / 3.0;
        assert!((fit.apply(0.0).unwrap() - at_zero).abs() < 1e-10);
        assert!((fit.apply(1.0).unwrap() - 5.0 / 6.0).abs() < 1e-10);
        assert!(fit.slope < 0.0);
    }

    #[test]
    fn separable_scores_keep_a_finite_sigmoid_in_any_unit() {
        let outcome = [false, false, false, true, true, true];
        let fit = |unit: f64| {
            let score: Vec<f64> = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0].iter().map(|s| s * unit).collect();
            fit_platt(&score, &outcome).unwrap()
        };
        let plain = fit(1.0);
        assert!(plain.slope.is_finite() && plain.slope < 0.0 && plain.intercept.abs() < 1e-10);
        for unit in [1e-200, 1e-5, 1e7, 1e300] {
            assert!((fit(unit).slope * unit / plain.slope - 1.0).abs() < 1e-9, "{unit}");
        }
    }

    #[test]
    fn platt_needs_both_outcomes_and_different_scores() {
        assert!(fit_platt(&[1.0, 2.0], &[true, true]).is_err());
        assert!(fit_platt(&[1.0, 1.0], &[true, false]).is_err());
        assert!(fit_platt(&[1.0, f64::NAN], &[true, false]).is_err());
        assert!(fit_platt(&[1.0], &[true, false]).is_err());
        assert!(fit_platt(&[], &[]).is_err());
    }

    #[test]
    fn isotonic_pools_violators() {
        // The example in the help page of R's isoreg, divided by 5 to lie in 0..=1.
        let outcome = [1.0, 0.0, 4.0, 3.0, 3.0, 5.0, 4.0, 2.0, 0.0].map(|y| y / 5.0);
        let score: [f64; 9] = std::array::from_fn(|i| i as f64);
        let fit = fit_isotonic(&score, &outcome).unwrap();
        let expected = [0.5, 0.5, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0].map(|y| y / 5.0);
        for (&score, expected) in score.iter().zip(expected) {
            assert!((fit.apply(score).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(fit.knots().map(|knot| knot.0).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 8.0]);
        assert_eq!(fit.apply(-5.0).unwrap(), 0.1);
    }

    #[test]
    fn isotonic_survives_extreme_scores_and_refuses_undefined_ones() {
        let fit = fit_isotonic(&[-f64::MAX, f64::MAX], &[0.0, 1.0]).unwrap();
        assert_eq!(fit.apply(0.0).unwrap(), 0.5);
        assert_eq!(fit_isotonic(&[0.0, -0.0], &[0.0, 1.0]).unwrap().apply(0.0).unwrap(), 0.5);
        assert!(fit.apply(f64::NAN).is_err());
        assert!(fit_isotonic(&[], &[]).is_err());
        assert!(fit_isotonic(&[f64::NAN], &[0.0]).is_err());
        assert!(fit_isotonic(&[0.0], &[2.0]).is_err());
        assert!(fit_isotonic(&[0.0], &[]).is_err());
    }

    proptest! {
        #[test]
        fn isotonic_is_monotone_keeps_the_mean_and_beats_other_monotone_fits(
            items in prop::collection::vec((0_i32..15, 0_i32..=4), 1..40), shrink in 0.0..1.0,
        ) {
            let score: Vec<f64> = items.iter().map(|item| f64::from(item.0)).collect();
            let outcome: Vec<f64> = items.iter().map(|item| f64::from(item.1) / 4.0).collect();
            let fit = fit_isotonic(&score, &outcome).unwrap();
            let fitted: Vec<f64> = score.iter().map(|&s| fit.apply(s).unwrap()).collect();
            let total = |values: &[f64]| values.iter().sum::<f64>();
            prop_assert!((total(&fitted) - total(&outcome)).abs() < 1e-9);
            for pair in fit.knots().collect::<Vec<_>>().windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            }
            // Any blend with another monotone function is monotone too and must not be closer to the outcomes.
            let squares = |f: &dyn Fn(usize) -> f64| (0..score.len()).map(|i| (f(i) - outcome[i]).powi(2)).sum::<f64>();
            let best = squares(&|i| fitted[i]);
            let blend = squares(&|i| shrink * fitted[i] + (1.0 - shrink) * score[i] / 15.0);
            prop_assert!(best <= blend + 1e-9);
        }

        #[test]
        fn platt_stands_at_the_minimum(
            items in prop::collection::vec((-5.0..5.0, any::<bool>()), 4..40), nudge in -0.1..0.1,
        ) {
            let (score, outcome): (Vec<f64>, Vec<bool>) = items.into_iter().unzip();
            let positives = outcome.iter().filter(|&&o| o).count() as f64;
            let negatives = outcome.len() as f64 - positives;
            prop_assume!(positives > 0.0 && negatives > 0.0);
            let fit = fit_platt(&score, &outcome).unwrap();
            let loss = |a: f64, b: f64| -> f64 {
                score.iter().zip(&outcome).map(|(s, &right)| {
                    let t = if right { (positives + 1.0) / (positives + 2.0) } else { 1.0 / (negatives + 2.0) };
                    let p = 1.0 / (1.0 + (a * s + b).exp());
                    -t * p.ln() - (1.0 - t) * (1.0 - p).ln()
                }).sum()
            };
            let best = loss(fit.slope, fit.intercept);
            prop_assert!(best <= loss(fit.slope + nudge, fit.intercept) + 1e-9);
            prop_assert!(best <= loss(fit.slope, fit.intercept + nudge) + 1e-9);
        }
    }
}
