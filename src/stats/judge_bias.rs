//! The true pass rate behind an imperfect judge: Rogan–Gladen correction and its intervals.
//!
//! Two samples enter: a small one with human labels, which tells how often the judge is right on passes and on fails,
//! and a large one that only the judge has seen.

use super::binomial;
use super::bootstrap::{Replicates, Resampling};
use super::error::{Result, StatError, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::resample::replicated;
use super::rng::Stream;

/// How a judge's verdicts meet human labels, as counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JudgeTable {
    /// Label pass, verdict pass.
    pub true_pass: u64,
    /// Label pass, verdict fail.
    pub false_fail: u64,
    /// Label fail, verdict fail.
    pub true_fail: u64,
    /// Label fail, verdict pass.
    pub false_pass: u64,
}

impl JudgeTable {
    /// Counts labels against verdicts, `true` for pass.
    ///
    /// # Errors
    /// [`StatError::Lengths`] for lists of different length.
    pub fn from_labels(labels: &[bool], verdicts: &[bool]) -> Result<Self> {
        same_length("labels and verdicts", labels.len(), verdicts.len())?;
        let count = |label: bool, verdict: bool| {
            labels.iter().zip(verdicts).filter(|&(&l, &v)| l == label && v == verdict).count() as u64
        };
        Ok(Self {
            true_pass: count(true, true),
            false_fail: count(true, false),
            true_fail: count(false, false),
            false_pass: count(false, true),
        })
    }

    const fn passes(&self) -> u64 {
        self.true_pass.saturating_add(self.false_fail)
    }

    const fn fails(&self) -> u64 {
        self.true_fail.saturating_add(self.false_pass)
    }

    /// Sensitivity and specificity.
    fn rates(&self) -> (f64, f64) {
        (self.true_pass as f64 / self.passes() as f64, self.true_fail as f64 / self.fails() as f64)
    }
}

/// A judge with its labelled sample and what it said about the unlabelled one: input of every interval here.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct JudgedRate {
    /// The labelled sample.
    pub table: JudgeTable,
    /// Unlabelled items the judge passed.
    pub passed: u64,
    /// Unlabelled items.
    pub unlabelled: u64,
    /// Share of labelled passes that the judge passes.
    pub sensitivity: f64,
    /// Share of labelled fails that the judge fails.
    pub specificity: f64,
    /// Share of unlabelled items that the judge passes.
    pub raw_rate: f64,
    /// (raw rate + specificity − 1)/(sensitivity + specificity − 1), which can leave 0..=1.
    pub unclipped: f64,
    /// `unclipped` brought into 0..=1: the estimate.
    pub rate: f64,
}

/// A corrected rate's standard error and interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RateInterval {
    /// Standard error on the scale of the rate.
    pub se: f64,
    /// Interval, inside 0..=1.
    pub interval: Interval,
}

/// What a bootstrap draws again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resample {
    /// Only the labelled sample. The interval ignores the chance in the unlabelled one and is too short where that one
    /// is small; a judge without errors has none.
    Labelled,
    /// Both samples.
    Both,
}

/// A bootstrap interval and how many of its replicates had a value.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RateBootstrap {
    /// Percentile interval (type 7 quantiles), inside 0..=1.
    pub interval: Interval,
    /// Replicates with passes and fails and a judge better than chance.
    pub used: usize,
    /// Replicates without; they are left out, so many of them make the interval too short.
    pub discarded: usize,
}

/// The corrected pass rate θ = (p + Sp − 1)/(Se + Sp − 1) (Rogan & Gladen 1978).
///
/// Assumes that the judge errs on the unlabelled items as it does on the labelled ones.
///
/// # Errors
/// [`StatError::TooFew`] without labelled passes, labelled fails or unlabelled items; [`StatError::OutOfRange`] when
/// more passed than there are; [`StatError::Undefined`] for a judge no better than chance (Se + Sp ≤ 1).
///
/// ```
/// use evalgauge::stats::judge_bias::{JudgeTable, rogan_gladen};
/// let table = JudgeTable { true_pass: 2, false_fail: 1, true_fail: 2, false_pass: 1 };
/// assert!((rogan_gladen(table, 3, 5)?.rate - 0.8).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn rogan_gladen(table: JudgeTable, passed: u64, unlabelled: u64) -> Result<JudgedRate> {
    at_least("labelled passes", 1, table.passes() as usize)?;
    at_least("labelled fails", 1, table.fails() as usize)?;
    at_least("unlabelled items", 1, unlabelled as usize)?;
    if passed > unlabelled {
        return Err(StatError::OutOfRange {
            what: "passed unlabelled items",
            value: passed as f64,
            range: "0..=unlabelled items",
        });
    }
    // In integers, so that a judge exactly at chance is caught whatever the rounding.
    let hits = u128::from(table.true_pass) * u128::from(table.fails());
    let false_alarms = u128::from(table.false_pass) * u128::from(table.passes());
    if hits <= false_alarms {
        return Err(StatError::Undefined("the judge is no better than chance: sensitivity + specificity is at most 1"));
    }
    let (sensitivity, specificity) = table.rates();
    let raw_rate = passed as f64 / unlabelled as f64;
    let unclipped = correct(raw_rate, sensitivity, specificity);
    let rate = unclipped.clamp(0.0, 1.0);
    Ok(JudgedRate { table, passed, unlabelled, sensitivity, specificity, raw_rate, unclipped, rate })
}

fn correct(raw: f64, sensitivity: f64, specificity: f64) -> f64 {
    (raw + specificity - 1.0) / (sensitivity + specificity - 1.0)
}

/// The delta-method interval θ ± z·se over both samples, clipped to 0..=1.
///
/// se² = [p(1 − p)/N + θ²Se(1 − Se)/m₁ + (1 − θ)²Sp(1 − Sp)/m₀]/(Se + Sp − 1)² with the clipped θ. It is a normal
/// approximation: with few labels prefer [`lee_interval`].
///
/// # Errors
/// [`StatError::Undefined`] when every rate that counts is 0 or 1, so that the formula has no variance.
pub fn delta_interval(judged: &JudgedRate, alpha: Alpha) -> Result<RateInterval> {
    let rates = Rates {
        raw: (judged.raw_rate, judged.unlabelled as f64),
        sensitivity: (judged.sensitivity, judged.table.passes() as f64),
        specificity: (judged.specificity, judged.table.fails() as f64),
    };
    let se = rates.se(judged.rate);
    let half = alpha.two_sided_z() * se;
    Ok(RateInterval { se, interval: proper(Interval::around(judged.rate, half))? })
}

/// The two-source interval of Lee et al. (2025): the delta method with every rate shrunk towards ½ (Agresti–Coull for
/// p, one extra success and failure for Se and Sp) and the centre moved by
/// 2z²[θSe(1 − Se)/m₁ − (1 − θ)Sp(1 − Sp)/m₀], clipped to 0..=1.
///
/// # Errors
/// [`StatError::Undefined`] when the shrunk judge is no better than chance, and when the whole interval lies outside
/// 0..=1: then the raw rate is one that a judge with these error rates would not produce.
///
/// ```
/// use evalgauge::stats::{Alpha, judge_bias::{JudgeTable, lee_interval, rogan_gladen}};
/// let table = JudgeTable { true_pass: 90, false_fail: 10, true_fail: 80, false_pass: 20 };
/// let judged = rogan_gladen(table, 620, 1000)?;
/// let lee = lee_interval(&judged, Alpha::FIVE_PERCENT)?;
/// assert!(lee.interval.contains(judged.rate) && lee.interval.width() < 0.2);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn lee_interval(judged: &JudgedRate, alpha: Alpha) -> Result<RateInterval> {
    let z = alpha.two_sided_z();
    let shrunk = |successes: u64, size: u64, extra: f64| {
        let size = size as f64 + 2.0 * extra;
        ((successes as f64 + extra) / size, size)
    };
    let rates = Rates {
        raw: shrunk(judged.passed, judged.unlabelled, 0.5 * z * z),
        sensitivity: shrunk(judged.table.true_pass, judged.table.passes(), 1.0),
        specificity: shrunk(judged.table.true_fail, judged.table.fails(), 1.0),
    };
    if rates.youden() <= 0.0 {
        return Err(StatError::Undefined("too few labels: the judge, shrunk towards chance, is no better than it"));
    }
    let theta = correct(rates.raw.0, rates.sensitivity.0, rates.specificity.0);
    let shift = 2.0 * z * z * (theta * variance(rates.sensitivity) - (1.0 - theta) * variance(rates.specificity));
    let se = rates.se(theta);
    Ok(RateInterval { se, interval: proper(Interval::around(theta + shift, z * se))? })
}

/// The part of an interval inside 0..=1, if that is more than a point.
fn proper(interval: Interval) -> Result<Interval> {
    interval
        .with_width("no variance to make an interval from")?
        .clipped(0.0, 1.0)
        .with_width("the raw rate contradicts the judge's error rates: the interval lies outside 0..1")
}

/// The three rates of the correction, each with the size of its sample.
struct Rates {
    raw: (f64, f64),
    sensitivity: (f64, f64),
    specificity: (f64, f64),
}

impl Rates {
    fn youden(&self) -> f64 {
        self.sensitivity.0 + self.specificity.0 - 1.0
    }

    fn se(&self, theta: f64) -> f64 {
        let judge =
            theta * theta * variance(self.sensitivity) + (1.0 - theta) * (1.0 - theta) * variance(self.specificity);
        libm::sqrt(variance(self.raw) + judge) / self.youden()
    }
}

/// Variance of a rate.
fn variance((rate, size): (f64, f64)) -> f64 {
    rate * (1.0 - rate) / size
}

/// Percentile bootstrap of the corrected rate; replicates without a defined value are left out and counted.
///
/// Drawing items again with replacement makes the four counts of the labelled sample multinomial, so each replicate
/// draws counts and costs the same for any sample size.
///
/// # Errors
/// [`StatError::TooFew`] below 100 resamples or when fewer than 100 of them have a value;
/// [`StatError::Undefined`] when the two quantiles coincide, as for [`Resample::Labelled`] and a judge without errors.
pub fn bootstrap_interval(
    judged: &JudgedRate,
    resample: Resample,
    resampling: Resampling,
    alpha: Alpha,
) -> Result<RateBootstrap> {
    let Resampling { replicates, .. } = resampling.checked()?;
    let drawn = replicated(resampling, || (), |(), rng| replicate(judged, resample, rng));
    let rates: Vec<f64> = drawn.into_iter().flatten().collect();
    let used = rates.len();
    at_least("bootstrap replicates with a value", Resampling::FEWEST_REPLICATES, used)?;
    let interval = proper(Replicates::new(judged.rate, rates)?.percentile(alpha)?)?;
    Ok(RateBootstrap { interval, used, discarded: replicates - used })
}

fn replicate(judged: &JudgedRate, resample: Resample, rng: &mut Stream) -> Option<f64> {
    let mut draw = |trials: u64, rate: f64| binomial::draw(trials, rate, rng);
    let m1 = judged.table.passes();
    let size = m1.saturating_add(judged.table.fails());
    let passes = draw(size, m1 as f64 / size as f64);
    let fails = size - passes;
    if passes == 0 || fails == 0 {
        return None;
    }
    let sensitivity = draw(passes, judged.sensitivity) as f64 / passes as f64;
    let specificity = draw(fails, judged.specificity) as f64 / fails as f64;
    let raw = match resample {
        Resample::Labelled => judged.raw_rate,
        Resample::Both => draw(judged.unlabelled, judged.raw_rate) as f64 / judged.unlabelled as f64,
    };
    (sensitivity + specificity > 1.0).then(|| correct(raw, sensitivity, specificity).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;

    const fn seeded(replicates: usize, seed: u64) -> Resampling {
        Resampling { replicates, seed }
    }

    fn table(true_pass: u64, false_fail: u64, true_fail: u64, false_pass: u64) -> JudgeTable {
        JudgeTable { true_pass, false_fail, true_fail, false_pass }
    }

    #[test]
    fn counts_labels_against_verdicts() {
        let labels = [true, true, false, false, true, false];
        let verdicts = [true, false, false, true, true, false];
        assert_eq!(JudgeTable::from_labels(&labels, &verdicts).unwrap(), table(2, 1, 2, 1));
        assert!(JudgeTable::from_labels(&labels, &verdicts[1..]).is_err());
    }

    #[test]
    fn corrected_rate_by_hand() {
        // (0.62 + 0.8 − 1)/(0.9 + 0.8 − 1)
        let judged = rogan_gladen(table(90, 10, 80, 20), 620, 1000).unwrap();
        assert!((judged.rate - 0.6).abs() < 1e-12);
        let variance = 0.62 * 0.38 / 1000.0 + 0.36 * 0.09 / 100.0 + 0.16 * 0.16 / 100.0;
        let delta = delta_interval(&judged, FIVE).unwrap();
        assert!((delta.se - f64::sqrt(variance) / 0.7).abs() < 1e-12);
        assert!((delta.interval.high - (0.6 + 1.959_963_985 * delta.se)).abs() < 1e-9);
    }

    #[test]
    fn a_raw_rate_beyond_the_judges_errors_is_clipped() {
        let judged = rogan_gladen(table(7, 3, 9, 1), 95, 100).unwrap();
        assert!(judged.unclipped > 1.4 && judged.rate == 1.0);
        assert_eq!(delta_interval(&judged, FIVE).unwrap().interval.high, 1.0);
        // With many labels the contradiction is plain, and there is nothing left of the interval.
        let sure = rogan_gladen(table(7000, 3000, 9000, 1000), 9500, 10_000).unwrap();
        assert!(matches!(lee_interval(&sure, FIVE), Err(StatError::Undefined(_))));
        assert!(bootstrap_interval(&sure, Resample::Both, seeded(200, 1), FIVE).is_err());
    }

    #[test]
    fn refusals() {
        assert!(matches!(rogan_gladen(table(0, 0, 3, 1), 1, 2), Err(StatError::TooFew { .. })));
        assert!(matches!(rogan_gladen(table(3, 1, 0, 0), 1, 2), Err(StatError::TooFew { .. })));
        assert!(matches!(rogan_gladen(table(3, 1, 3, 1), 0, 0), Err(StatError::TooFew { .. })));
        assert!(matches!(rogan_gladen(table(3, 1, 3, 1), 3, 2), Err(StatError::OutOfRange { .. })));
        assert!(matches!(rogan_gladen(table(1, 1, 1, 1), 5, 10), Err(StatError::Undefined(_))));
        // 0.1 + 0.9 in floating point would do as "just above chance".
        assert!(matches!(rogan_gladen(table(1, 9, 9, 1), 5, 10), Err(StatError::Undefined(_))));
        let flawless = rogan_gladen(table(10, 0, 10, 0), 0, 100).unwrap();
        assert!(matches!(delta_interval(&flawless, FIVE), Err(StatError::Undefined(_))));
        let flawless = rogan_gladen(table(10, 0, 10, 0), 70, 100).unwrap();
        assert!(matches!(
            bootstrap_interval(&flawless, Resample::Labelled, seeded(200, 1), FIVE),
            Err(StatError::Undefined(_))
        ));
        assert!(matches!(
            bootstrap_interval(&flawless, Resample::Both, seeded(99, 1), FIVE),
            Err(StatError::TooFew { .. })
        ));
        let one_good_pass = rogan_gladen(table(1, 0, 2, 98), 100, 101).unwrap();
        assert!(matches!(lee_interval(&one_good_pass, FIVE), Err(StatError::Undefined(_))));
    }

    #[test]
    fn bootstrap_is_seeded_and_near_the_delta_interval() {
        let judged = rogan_gladen(table(360, 40, 320, 80), 620, 1000).unwrap();
        let run = |seed| bootstrap_interval(&judged, Resample::Both, seeded(4000, seed), FIVE).unwrap();
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let delta = delta_interval(&judged, FIVE).unwrap().interval;
        assert!((run(1).interval.low - delta.low).abs() < 0.01 && (run(1).interval.high - delta.high).abs() < 0.01);
        let labelled = bootstrap_interval(&judged, Resample::Labelled, seeded(4000, 1), FIVE).unwrap();
        assert!(labelled.interval.width() < 0.95 * run(1).interval.width());
        assert_eq!(labelled.used + labelled.discarded, 4000);
    }

    #[test]
    fn lee_covers_where_it_should() {
        // 1500 worlds with a true rate of 0.7, 60 + 60 labels, 400 unlabelled items; the standard error is 0.6 points.
        let (truth, sensitivity, specificity) = (0.7, 0.85, 0.75);
        let raw = truth * sensitivity + (1.0 - truth) * (1.0 - specificity);
        let covered = (0..1500).filter(|&world| {
            let mut stream = crate::stats::rng::stream(11, world);
            let mut draw = |size, rate| binomial::draw(size, rate, &mut stream);
            let (hits, rejections) = (draw(60, sensitivity), draw(60, specificity));
            let judged =
                rogan_gladen(table(hits, 60 - hits, rejections, 60 - rejections), draw(400, raw), 400).unwrap();
            lee_interval(&judged, FIVE).unwrap().interval.contains(truth)
        });
        let coverage = covered.count() as f64 / 1500.0;
        assert!((0.93..=0.985).contains(&coverage), "{coverage}");
    }

    proptest! {
        #[test]
        fn intervals_stay_inside_and_hold_the_estimate(
            counts in prop::array::uniform4(0_u64..50), passed in 0_u64..100, failed in 1_u64..100,
        ) {
            let [a, b, c, d] = counts;
            let Ok(judged) = rogan_gladen(table(a, b, c, d), passed, passed + failed) else { return Ok(()) };
            prop_assert!((0.0..=1.0).contains(&judged.rate));
            for result in [delta_interval(&judged, FIVE), lee_interval(&judged, FIVE)].into_iter().flatten() {
                prop_assert!(0.0 <= result.interval.low && result.interval.low < result.interval.high);
                prop_assert!(result.interval.high <= 1.0 && result.se > 0.0);
            }
            if let Ok(delta) = delta_interval(&judged, FIVE) {
                prop_assert!(delta.interval.contains(judged.rate));
            }
        }

        #[test]
        fn exchanging_pass_and_fail_mirrors_everything(
            counts in prop::array::uniform4(1_u64..50), passed in 0_u64..100, failed in 1_u64..100,
        ) {
            let [a, b, c, d] = counts;
            let Ok(here) = rogan_gladen(table(a, b, c, d), passed, passed + failed) else { return Ok(()) };
            let there = rogan_gladen(table(c, d, a, b), failed, passed + failed).unwrap();
            prop_assert!((here.rate + there.rate - 1.0).abs() < 1e-9);
            if let (Ok(x), Ok(y)) = (lee_interval(&here, FIVE), lee_interval(&there, FIVE)) {
                prop_assert!((x.interval.low + y.interval.high - 1.0).abs() < 1e-9);
            }
        }
    }
}
