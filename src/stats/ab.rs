//! Online comparison of variants: sample ratio, two proportions, Beta–Binomial posterior.

use super::error::{Result, StatError, at_least, positive, same_length};
use super::interval::{Alpha, Interval};
use super::p_value::p_value;
use super::paired::ChiSquaredTest;
use super::proportion::{IndependentProportions, Proportion};
use super::quadrature;
use super::special::normal_sf;

/// Customary level at which a sample-ratio mismatch is an alarm (Fabijan et al. 2019).
pub const SAMPLE_RATIO_ALERT: f64 = 0.001;

/// Sample-ratio-mismatch check: χ² test of the items `observed` in each variant against the intended `ratio`.
///
/// A small p means that assignment or logging is broken, and that no comparison of the variants can be trusted.
///
/// ```
/// use evalgauge::stats::ab::sample_ratio;
/// let check = sample_ratio(&[4950, 5050], &[1.0, 1.0])?;
/// assert_eq!(check.statistic, 1.0);
/// assert!((check.p - 0.317_310_507_862_911).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] for fewer than two variants or no items, [`StatError::OutOfRange`] for
/// a share that is not positive.
pub fn sample_ratio(observed: &[u64], ratio: &[f64]) -> Result<ChiSquaredTest> {
    same_length("variants", observed.len(), ratio.len())?;
    at_least("variants", 2, observed.len())?;
    ratio.iter().try_for_each(|&share| positive("intended share", share))?;
    let items: u64 = observed.iter().sum();
    at_least("items", 1, items as usize)?;
    let scale = items as f64 / ratio.iter().sum::<f64>();
    let deviation = |(count, share): (&u64, &f64)| {
        let expected = share * scale;
        (*count as f64 - expected).powi(2) / expected
    };
    Ok(ChiSquaredTest::new(observed.iter().zip(ratio).map(deviation).sum(), observed.len() - 1))
}

/// Successes among trials of one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arm {
    /// Successes.
    pub successes: u64,
    /// Trials.
    pub trials: u64,
}

impl Arm {
    fn check(self) -> Result<()> {
        if self.successes > self.trials {
            let value = self.successes as f64;
            return Err(StatError::OutOfRange { what: "successes", value, range: "0 to the number of trials" });
        }
        Ok(())
    }

    fn proportion(self) -> Result<Proportion> {
        Proportion::new(self.successes, self.trials)
    }
}

/// A comparison of two independent proportions.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct TwoProportions {
    /// Rate of B minus rate of A.
    pub difference: f64,
    /// Difference over its standard error under equal rates.
    pub z: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// p-value against "B is not better than A".
    pub p_larger: f64,
    /// Wald interval of the difference with unpooled variance; none where that variance is 0.
    pub interval: Option<Interval>,
}

/// z test of two independent proportions: pooled variance for the test, unpooled for the interval.
///
/// Assumes independent items and large samples; for the same items on both sides use a paired test, for few a score
/// interval.
///
/// # Errors
/// [`StatError::TooFew`] for a side without trials, [`StatError::OutOfRange`] for more successes than trials,
/// [`StatError::Undefined`] when all outcomes of both sides are equal.
pub fn two_proportion_z(a: Arm, b: Arm, alpha: Alpha) -> Result<TwoProportions> {
    let pair = IndependentProportions { first: b.proportion()?, second: a.proportion()? };
    let (m, n) = (a.trials as f64, b.trials as f64);
    let pooled = (a.successes + b.successes) as f64 / (m + n);
    let deviation = libm::sqrt(pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n));
    if deviation == 0.0 {
        return Err(StatError::Undefined("z test of outcomes that are all equal"));
    }
    let z = pair.difference() / deviation;
    Ok(TwoProportions {
        difference: pair.difference(),
        z,
        p: p_value(2.0 * normal_sf(z.abs())),
        p_larger: p_value(normal_sf(z)),
        interval: pair.wald(alpha).ok(),
    })
}

/// A Beta distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    /// First shape, the weight of successes.
    pub alpha: f64,
    /// Second shape, the weight of failures.
    pub beta: f64,
}

impl Beta {
    /// The uniform distribution.
    pub const UNIFORM: Self = Self { alpha: 1.0, beta: 1.0 };

    fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    fn after(self, arm: Arm) -> Self {
        let failures = arm.trials - arm.successes;
        Self { alpha: self.alpha + arm.successes as f64, beta: self.beta + failures as f64 }
    }

    /// The distribution weighted by its variable.
    fn size_biased(self) -> Self {
        Self { alpha: self.alpha + 1.0, ..self }
    }
}

/// What the posterior says about two success rates.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Posterior {
    /// P(rate of B > rate of A).
    pub b_beats_a: f64,
    /// Expected loss of rate when B is chosen: E max(A − B, 0).
    pub expected_loss_of_b: f64,
}

/// Posterior comparison of two success rates with the same Beta `prior` on either.
///
/// Integrated numerically on the scale of the log-odds, where the densities are smooth for any prior; agrees with the
/// closed sum for whole shapes (Miller 2014) to about 12 digits.
///
/// ```
/// use evalgauge::stats::ab::{Arm, Beta, beta_binomial};
/// let (a, b) = (Arm { successes: 10, trials: 100 }, Arm { successes: 15, trials: 100 });
/// let posterior = beta_binomial(a, b, Beta::UNIFORM)?;
/// assert!((posterior.b_beats_a - 0.853_283_789_933_966).abs() < 1e-10);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for more successes than trials or a prior shape outside [0.001, 10¹²]. Sides without trials
/// are allowed: the prior decides then.
pub fn beta_binomial(a: Arm, b: Arm, prior: Beta) -> Result<Posterior> {
    a.check()?;
    b.check()?;
    for shape in [prior.alpha, prior.beta] {
        if !(1e-3..=1e12).contains(&shape) {
            return Err(StatError::OutOfRange { what: "shape of the prior", value: shape, range: "[0.001, 1e12]" });
        }
    }
    let (a, b) = (prior.after(a), prior.after(b));
    // E[A; A > B] and E[B; A > B] are means times probabilities under the size-biased distributions.
    let loss = a.mean() * exceeds(a.size_biased(), b) - b.mean() * exceeds(a, b.size_biased());
    Ok(Posterior { b_beats_a: exceeds(b, a), expected_loss_of_b: loss.max(0.0) })
}

/// The density of the log-odds of a Beta variable up to a factor, and where it lives.
struct LogOdds {
    shape: Beta,
    peak: f64,
    support: (f64, f64),
    /// Scale on which the density changes.
    scale: f64,
}

impl LogOdds {
    fn new(shape: Beta) -> Self {
        let mode = libm::log(shape.alpha / shape.beta);
        let scale = libm::sqrt(1.0 / shape.alpha + 1.0 / shape.beta).min(1.0);
        let mut odds = Self { shape, peak: 0.0, support: (mode, mode), scale };
        odds.peak = odds.log_density(mode);
        // Where the density is below e⁻⁴⁵ of its peak nothing is left at double precision.
        let end = |direction: f64| {
            let mut reach = scale;
            while odds.log_density(mode + direction * reach) > -45.0 {
                reach *= 1.25;
            }
            mode + direction * reach
        };
        let support = (end(-1.0), end(1.0));
        odds.support = support;
        odds
    }

    /// `α ln x + β ln(1 − x)` at x = 1/(1 + e⁻ᵘ), less the peak.
    fn log_density(&self, u: f64) -> f64 {
        let decay = libm::log1p(libm::exp(-u.abs()));
        -self.shape.alpha * (decay + (-u).max(0.0)) - self.shape.beta * (decay + u.max(0.0)) - self.peak
    }

    fn density(&self, u: f64) -> f64 {
        libm::exp(self.log_density(u))
    }

    /// The integral of the density over the part of `low..high` in the support.
    fn mass(&self, low: f64, high: f64) -> f64 {
        let (low, high) = (low.max(self.support.0), high.min(self.support.1));
        if low >= high {
            return 0.0;
        }
        let panels = panels(low, high, self.scale);
        panels.map(|(start, end)| quadrature::integrate(start, end, |u| self.density(u))).sum()
    }
}

/// `low..high` in panels no wider than `width`.
fn panels(low: f64, high: f64, width: f64) -> impl Iterator<Item = (f64, f64)> {
    let count = ((high - low) / width).ceil().max(1.0);
    let step = (high - low) / count;
    (0..count as u64).map(move |i| (low + i as f64 * step, low + (i + 1) as f64 * step))
}

/// P(X > Y) for independent Beta variables.
fn exceeds(x: Beta, y: Beta) -> f64 {
    let (x, y) = (LogOdds::new(x), LogOdds::new(y));
    // Integrate over the narrower density: panels of its width then resolve both.
    if x.scale <= y.scale { below(&x, &y) } else { 1.0 - below(&y, &x) }
}

/// P(wide < narrow): the density of the narrower variable times the distribution function of the wider, which grows
/// along with the panels.
fn below(narrow: &LogOdds, wide: &LogOdds) -> f64 {
    let (low, high) = narrow.support;
    let mut under = wide.mass(f64::NEG_INFINITY, low);
    let (mut total, mut joint) = (0.0, 0.0);
    for (start, end) in panels(low, high, narrow.scale) {
        for (u, weight) in quadrature::nodes(start, end) {
            let density = weight * narrow.density(u);
            total += density;
            joint += density * (under + quadrature::integrate(start, u, |v| wide.density(v)));
        }
        under += quadrature::integrate(start, end, |v| wide.density(v));
    }
    under += wide.mass(high, f64::INFINITY);
    (joint / (total * under)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn arm(successes: u64, trials: u64) -> Arm {
        Arm { successes, trials }
    }

    /// Miller's (2014) sum for whole shapes.
    fn closed_form(a: Beta, b: Beta) -> f64 {
        use statrs::function::beta::ln_beta;
        (0..b.alpha as u64)
            .map(|i| {
                let i = i as f64;
                let log = ln_beta(a.alpha + i, a.beta + b.beta)
                    - libm::log(b.beta + i)
                    - ln_beta(1.0 + i, b.beta)
                    - ln_beta(a.alpha, a.beta);
                libm::exp(log)
            })
            .sum()
    }

    #[test]
    fn small_posteriors_by_hand() {
        // Both uniform: P = 1/2, E max(A − B, 0) = 1/6.
        let none = beta_binomial(arm(0, 0), arm(0, 0), Beta::UNIFORM).unwrap();
        assert!((none.b_beats_a - 0.5).abs() < 1e-13 && (none.expected_loss_of_b - 1.0 / 6.0).abs() < 1e-13);
        // Beta(2, 1) against Beta(1, 2): P(B > A) = 1/6.
        let one = beta_binomial(arm(1, 1), arm(0, 1), Beta::UNIFORM).unwrap();
        assert!((one.b_beats_a - 1.0 / 6.0).abs() < 1e-13);
    }

    #[test]
    fn large_and_lopsided_posteriors() {
        let jeffreys = Beta { alpha: 0.5, beta: 0.5 };
        let far = beta_binomial(arm(0, 5), arm(900_000, 1_000_000), jeffreys).unwrap();
        assert!(far.b_beats_a > 0.999 && far.expected_loss_of_b < 1e-4);
        let close = beta_binomial(arm(500_000, 1_000_000), arm(500_000, 1_000_000), jeffreys).unwrap();
        assert!((close.b_beats_a - 0.5).abs() < 1e-9);
        // Normal approximation: the standard deviation of the difference is about 1/√(2·10⁶).
        let apart = beta_binomial(arm(500_000, 1_000_000), arm(501_000, 1_000_000), jeffreys).unwrap();
        assert!((apart.b_beats_a - (1.0 - normal_sf(0.001 * 2e6_f64.sqrt()))).abs() < 1e-5);
    }

    #[test]
    fn undefined_inputs_are_refused() {
        assert!(sample_ratio(&[10, 5], &[1.0, 0.0]).is_err());
        assert!(sample_ratio(&[10], &[1.0]).is_err());
        assert!(sample_ratio(&[0, 0], &[1.0, 1.0]).is_err());
        assert!(sample_ratio(&[1, 2], &[1.0]).is_err());
        let alpha = Alpha::FIVE_PERCENT;
        assert!(two_proportion_z(arm(0, 0), arm(1, 2), alpha).is_err());
        assert!(two_proportion_z(arm(3, 2), arm(1, 2), alpha).is_err());
        assert!(matches!(two_proportion_z(arm(2, 2), arm(5, 5), alpha), Err(StatError::Undefined(_))));
        assert_eq!(two_proportion_z(arm(0, 2), arm(5, 5), alpha).unwrap().interval, None);
        assert!(beta_binomial(arm(3, 2), arm(1, 2), Beta::UNIFORM).is_err());
        assert!(beta_binomial(arm(1, 2), arm(1, 2), Beta { alpha: 0.0, beta: 1.0 }).is_err());
        assert!(beta_binomial(arm(1, 2), arm(1, 2), Beta { alpha: f64::NAN, beta: 1.0 }).is_err());
    }

    #[test]
    fn z_squared_is_the_chi_squared_of_the_table() {
        let z = two_proportion_z(arm(45, 100), arm(55, 120), Alpha::FIVE_PERCENT).unwrap().z;
        let table = super::super::drift::homogeneity(&[45.0, 55.0], &[55.0, 65.0]).unwrap();
        assert!((z * z - table.chi_squared).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn integration_agrees_with_the_closed_sum(xa in 0_u64..60, fa in 0_u64..60, xb in 0_u64..60, fb in 0_u64..2000) {
            let (a, b) = (arm(xa, xa + fa), arm(xb, xb + fb));
            let posterior = beta_binomial(a, b, Beta::UNIFORM).unwrap();
            let expected = closed_form(Beta::UNIFORM.after(a), Beta::UNIFORM.after(b));
            prop_assert!((posterior.b_beats_a - expected).abs() < 1e-11, "{} {}", posterior.b_beats_a, expected);
            let swapped = beta_binomial(b, a, Beta::UNIFORM).unwrap();
            prop_assert!((posterior.b_beats_a + swapped.b_beats_a - 1.0).abs() < 1e-12);
            // E max(A − B, 0) − E max(B − A, 0) = E A − E B
            let means = Beta::UNIFORM.after(a).mean() - Beta::UNIFORM.after(b).mean();
            prop_assert!((posterior.expected_loss_of_b - swapped.expected_loss_of_b - means).abs() < 1e-11);
        }

        #[test]
        fn swapping_arms_mirrors_the_z_test(xa in 0_u64..40, xb in 1_u64..40) {
            let (a, b) = (arm(xa, 50), arm(xb, 40));
            let one = two_proportion_z(a, b, Alpha::FIVE_PERCENT).unwrap();
            let other = two_proportion_z(b, a, Alpha::FIVE_PERCENT).unwrap();
            prop_assert!((one.z + other.z).abs() < 1e-12 && (one.p - other.p).abs() < 1e-12);
            prop_assert!((one.p_larger + other.p_larger - 1.0).abs() < 1e-12);
            if let Some(interval) = one.interval {
                prop_assert!(interval.contains(one.difference) && interval.width() > 0.0);
            }
        }
    }
}
