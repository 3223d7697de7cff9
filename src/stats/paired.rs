//! Two systems, A and B, judged pass or fail on the same items; and several systems (Cochran's Q).
//!
//! Differences are always `p_A - p_B`. For "B against A" take [`PairedTable::swapped`] first, or negate the interval.

use super::error::{Result, StatError, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::nonparametric::sign_test;
use super::p_value::p_value;
use super::proportion::{Proportion, bisect_upward};
use super::special::{binomial_half_cdf, binomial_half_pmf, chi_squared_sf};

/// How the pairs of outcomes fell out; at least one pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct PairedTable {
    both: u64,
    only_a: u64,
    only_b: u64,
    neither: u64,
}

/// A χ² statistic with its p-value.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ChiSquaredTest {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom of its null distribution.
    pub df: usize,
    /// Upper tail, in (0, 1].
    pub p: f64,
}

impl ChiSquaredTest {
    pub(super) fn new(statistic: f64, df: usize) -> Self {
        Self { statistic, df, p: p_value(chi_squared_sf(statistic, df as f64)) }
    }
}

/// An interval with the standard error it was built from.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct StandardErrorInterval {
    /// Standard error of the estimate.
    pub se: f64,
    /// Estimate ± z × standard error.
    pub interval: Interval,
}

impl PairedTable {
    /// The four counts: both pass, only A passes, only B passes, neither passes.
    ///
    /// # Errors
    /// [`StatError::TooFew`] when all four are zero.
    pub fn new(both: u64, only_a: u64, only_b: u64, neither: u64) -> Result<Self> {
        let any = [both, only_a, only_b, neither].iter().any(|&count| count > 0);
        at_least("pairs", 1, usize::from(any))?;
        Ok(Self { both, only_a, only_b, neither })
    }

    /// Counts the pairs of two equally long slices of outcomes.
    ///
    /// # Errors
    /// [`StatError::Lengths`]; [`StatError::TooFew`] for empty slices.
    pub fn of(a: &[bool], b: &[bool]) -> Result<Self> {
        same_length("outcomes of A and B", a.len(), b.len())?;
        let mut counts = [0_u64; 4];
        for (&a, &b) in a.iter().zip(b) {
            counts[2 * usize::from(!a) + usize::from(!b)] += 1;
        }
        Self::new(counts[0], counts[1], counts[2], counts[3])
    }

    /// Pairs on which both pass.
    #[must_use]
    pub const fn both(self) -> u64 {
        self.both
    }

    /// Pairs on which A passes and B fails.
    #[must_use]
    pub const fn only_a(self) -> u64 {
        self.only_a
    }

    /// Pairs on which B passes and A fails.
    #[must_use]
    pub const fn only_b(self) -> u64 {
        self.only_b
    }

    /// Pairs on which both fail.
    #[must_use]
    pub const fn neither(self) -> u64 {
        self.neither
    }

    /// The same table with A and B exchanged.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Self { both: self.both, only_a: self.only_b, only_b: self.only_a, neither: self.neither }
    }

    /// Number of pairs.
    #[must_use]
    pub const fn pairs(self) -> u64 {
        self.both + self.only_a + self.only_b + self.neither
    }

    /// Number of pairs on which A and B differ.
    #[must_use]
    pub const fn discordant(self) -> u64 {
        self.only_a + self.only_b
    }

    /// `p_A - p_B`.
    #[must_use]
    pub fn difference(self) -> f64 {
        (self.b() - self.c()) / self.n()
    }

    fn n(self) -> f64 {
        self.pairs() as f64
    }

    fn b(self) -> f64 {
        self.only_a as f64
    }

    fn c(self) -> f64 {
        self.only_b as f64
    }

    fn smaller(self) -> u64 {
        self.only_a.min(self.only_b)
    }

    /// McNemar's exact conditional test, two-sided: `min(1, 2 P(X ≤ min(b, c)))` for X ~ Binomial(b + c, ½).
    ///
    /// Never exceeds its level; 1 when no pair differs.
    ///
    /// ```
    /// use evalgauge::stats::paired::PairedTable;
    /// // Fagerland, Lydersen & Laake (2013), airway hyper-responsiveness: 1, 1, 7, 12.
    /// let table = PairedTable::new(1, 1, 7, 12)?;
    /// assert!((table.mcnemar_exact() - 0.0703).abs() < 5e-5 && (table.mcnemar_mid_p() - 0.0391).abs() < 5e-5);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn mcnemar_exact(self) -> f64 {
        sign_test(self.only_a, self.only_b)
    }

    /// McNemar's mid-p test, two-sided (Fagerland, Lydersen & Laake 2013): the exact p less the probability of the
    /// observed table, and `1 - ½ P(X = b)` when `b = c`. The default: close to its level where the exact test is timid.
    #[must_use]
    pub fn mcnemar_mid_p(self) -> f64 {
        if self.only_a == self.only_b && self.discordant() > 0 {
            return p_value(1.0 - 0.5 * binomial_half_pmf(self.only_a, self.discordant()));
        }
        self.mcnemar_mid_p_doubled()
    }

    /// The mid-p by plain doubling of the one-sided mid-p, hence 1 when `b = c`; as some other programs print it.
    #[must_use]
    pub fn mcnemar_mid_p_doubled(self) -> f64 {
        let (x, m) = (self.smaller(), self.discordant());
        if m == 0 {
            return 1.0;
        }
        p_value(2.0 * binomial_half_cdf(x, m) - binomial_half_pmf(x, m))
    }

    /// McNemar's χ² without correction, `(b - c)² / (b + c)` on 1 degree of freedom (McNemar 1947); 0 when no pair differs.
    #[must_use]
    pub fn mcnemar_chi_squared(self) -> ChiSquaredTest {
        self.corrected_by(0.0)
    }

    /// Edwards' (1948) continuity-corrected χ², `max(0, |b - c| - 1)² / (b + c)`: clamped, so `b = c` gives 0.
    #[must_use]
    pub fn mcnemar_corrected(self) -> ChiSquaredTest {
        self.corrected_by(1.0)
    }

    /// The corrected χ² without the clamp, `(|b - c| - 1)² / (b + c)`, as statsmodels prints it: `b = c` gives
    /// `1 / (b + c)`.
    #[must_use]
    pub fn mcnemar_corrected_unclamped(self) -> ChiSquaredTest {
        if self.discordant() == 0 {
            return ChiSquaredTest::new(0.0, 1);
        }
        let excess = (self.b() - self.c()).abs() - 1.0;
        ChiSquaredTest::new(excess * excess / (self.b() + self.c()), 1)
    }

    fn corrected_by(self, correction: f64) -> ChiSquaredTest {
        if self.discordant() == 0 {
            return ChiSquaredTest::new(0.0, 1);
        }
        let excess = ((self.b() - self.c()).abs() - correction).max(0.0);
        ChiSquaredTest::new(excess * excess / (self.b() + self.c()), 1)
    }

    /// Wald's interval for `p_A - p_B`, variance `(b + c - (b - c)²/n) / n²`; not clipped. For comparison with other tools:
    /// 75 % coverage at n = 50 with rates near .95.
    ///
    /// # Errors
    /// [`StatError::Undefined`] when all per-item differences are equal: it would have no width.
    pub fn wald(self, alpha: Alpha) -> Result<StandardErrorInterval> {
        self.normal_interval(self.variance_of_differences() / self.n(), alpha)
    }

    /// The central-limit interval for `p_A - p_B` of Miller (2024): the sample variance (`n - 1`) of the per-item
    /// differences. Not clipped.
    ///
    /// # Errors
    /// [`StatError::TooFew`] for a single pair; [`StatError::Undefined`] when all per-item differences are equal.
    pub fn miller(self, alpha: Alpha) -> Result<StandardErrorInterval> {
        at_least("pairs", 2, usize::try_from(self.pairs()).unwrap_or(usize::MAX))?;
        self.normal_interval(self.variance_of_differences() / (self.n() - 1.0), alpha)
    }

    /// Plug-in variance of one per-item difference.
    fn variance_of_differences(self) -> f64 {
        let d = self.difference();
        ((self.b() + self.c()) / self.n() - d * d).max(0.0)
    }

    fn normal_interval(self, variance: f64, alpha: Alpha) -> Result<StandardErrorInterval> {
        let se = libm::sqrt(variance);
        let interval = Interval::around(self.difference(), alpha.two_sided_z() * se)
            .with_width("a normal interval of paired differences that are all equal")?;
        Ok(StandardErrorInterval { se, interval })
    }

    /// Wald's interval after adding ½ to each cell, clipped to `[-1, 1]` (Agresti & Min 2005).
    #[must_use]
    pub fn agresti_min(self, alpha: Alpha) -> Interval {
        shifted_wald(self.b() + 0.5, self.c() + 0.5, self.n() + 2.0, alpha)
    }

    /// Wald's interval after adding 1 to each discordant cell, clipped to `[-1, 1]` (Bonett & Price 2012).
    #[must_use]
    pub fn bonett_price(self, alpha: Alpha) -> Interval {
        shifted_wald(self.b() + 1.0, self.c() + 1.0, self.n() + 2.0, alpha)
    }

    /// The square-and-add score interval for `p_A - p_B` with continuity-corrected φ (Newcombe 1998, method 10).
    #[must_use]
    pub fn newcombe(self, alpha: Alpha) -> Interval {
        self.square_and_add(self.cross_product_excess_corrected(), alpha)
    }

    /// The same with plain φ, a common simplification.
    ///
    /// # Errors
    /// [`StatError::Undefined`] where it has no width: half of the pairs pass on both sides, the others on neither.
    pub fn newcombe_uncorrected(self, alpha: Alpha) -> Result<Interval> {
        self.square_and_add(self.cross_product_excess(), alpha)
            .with_width("Newcombe's interval without correction of a table that is all agreement")
    }

    fn cross_product_excess(self) -> f64 {
        self.both as f64 * self.neither as f64 - self.b() * self.c()
    }

    /// Newcombe's correction pulls a positive association towards 0 by n/2, not beyond it, and leaves a negative one.
    fn cross_product_excess_corrected(self) -> f64 {
        let excess = self.cross_product_excess();
        if excess > 0.0 { (excess - 0.5 * self.n()).max(0.0) } else { excess }
    }

    fn square_and_add(self, excess: f64, alpha: Alpha) -> Interval {
        let (a, d, n) = (self.both as f64, self.neither as f64, self.n());
        let margins = [a + self.b(), self.c() + d, a + self.c(), self.b() + d];
        let phi = if margins.contains(&0.0) {
            0.0
        } else {
            excess / (libm::sqrt(margins[0] * margins[1]) * libm::sqrt(margins[2] * margins[3]))
        };
        let wilson = |successes: u64| Proportion::new(successes, self.pairs()).map(|p| (p.rate(), p.wilson(alpha)));
        // A table has at least one pair and no margin above it, so both proportions exist.
        let (Ok((p_a, w_a)), Ok((p_b, w_b))) = (wilson(self.both + self.only_a), wilson(self.both + self.only_b))
        else {
            return Interval { low: -1.0, high: 1.0 };
        };
        let reach = |x: f64, y: f64| libm::sqrt((x * x - 2.0 * phi * x * y + y * y).max(0.0));
        let difference = (self.b() - self.c()) / n;
        Interval {
            low: difference - reach(p_a - w_a.low, w_b.high - p_b),
            high: difference + reach(w_a.high - p_a, p_b - w_b.low),
        }
    }

    /// Tango's (1998) score interval for `p_A - p_B`: all differences that the score test at `alpha` does not reject.
    ///
    /// The default for paired pass rates: it keeps its coverage with few discordant pairs and has a positive width when
    /// there are none. Solved by bisection, which needs no starting value and cannot diverge.
    ///
    /// ```
    /// use evalgauge::stats::{Alpha, paired::PairedTable};
    /// // Tango (1998): 44 pairs of which one differs; published (-0.118, 0.059) up to sign.
    /// let interval = PairedTable::new(43, 0, 1, 0)?.tango(Alpha::FIVE_PERCENT);
    /// assert!((interval.low + 0.118).abs() < 5e-4 && (interval.high - 0.059).abs() < 5e-4);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn tango(self, alpha: Alpha) -> Interval {
        let z = alpha.two_sided_z();
        // The lower limit is the mirrored upper limit, so exchanging A and B negates the interval to the last bit.
        Interval { low: -self.swapped().tango_upper(z), high: self.tango_upper(z) }
    }

    fn tango_upper(self, z: f64) -> f64 {
        let (b, c, n) = (self.b(), self.c(), self.n());
        bisect_upward(self.difference(), 1.0, |delta| {
            let score = b - c - n * delta;
            // Written for non-negative differences, where nothing cancels; a negative one is the mirrored table.
            let variance = if delta < 0.0 { tango_variance(c, b, n, -delta) } else { tango_variance(b, c, n, delta) };
            score * score > z * z * variance
        })
    }
}

/// Variance of `b - c` when `p_A - p_B = delta >= 0`, at the restricted maximum-likelihood estimate of `p(only B)`.
fn tango_variance(b: f64, c: f64, n: f64, delta: f64) -> f64 {
    let linear = (2.0 * n - b + c) * delta - b - c;
    let constant = -c * delta * (1.0 - delta);
    let root = libm::sqrt((linear * linear - 8.0 * n * constant).max(0.0));
    let only_b = if linear > 0.0 { -2.0 * constant / (linear + root) } else { (root - linear) / (4.0 * n) };
    n * (2.0 * only_b + delta * (1.0 - delta)).max(0.0)
}

fn shifted_wald(b: f64, c: f64, n: f64, alpha: Alpha) -> Interval {
    let d = (b - c) / n;
    let se = libm::sqrt((((b + c) / n - d * d) / n).max(0.0));
    Interval::around(d, alpha.two_sided_z() * se).clipped(-1.0, 1.0)
}

/// Cochran's (1950) Q: do `k` systems judged pass or fail on the same items share one pass rate?
///
/// `rows[i][j]` is the outcome of system `j` on item `i`. With column totals `G_j`, row totals `L_i` and their common sum
/// `N`, `Q = (k - 1)(k Σ G_j² - N²) / (k N - Σ L_i²)`, χ² with `k - 1` degrees of freedom when the systems are equal and
/// items are many. For two systems it is McNemar's χ² without correction.
///
/// # Errors
/// [`StatError::TooFew`] without an item or with fewer than two systems; [`StatError::Lengths`] for ragged rows;
/// [`StatError::Undefined`] when every system gives the same answer on every item.
pub fn cochran_q<R: AsRef<[bool]>>(rows: &[R]) -> Result<ChiSquaredTest> {
    at_least("items", 1, rows.len())?;
    let systems = rows[0].as_ref().len();
    at_least("systems", 2, systems)?;
    let mut columns = vec![0.0; systems];
    let (mut total, mut squared_rows) = (0.0, 0.0);
    for row in rows {
        let row = row.as_ref();
        same_length("outcomes of an item and systems", row.len(), systems)?;
        let mut passes = 0.0;
        for (column, _) in columns.iter_mut().zip(row).filter(|&(_, &passed)| passed) {
            *column += 1.0;
            passes += 1.0;
        }
        total += passes;
        squared_rows += passes * passes;
    }
    let k = systems as f64;
    let spread = k * total - squared_rows;
    if spread <= 0.0 {
        return Err(StatError::Undefined("Cochran's Q without an item on which the systems differ"));
    }
    let squared_columns: f64 = columns.iter().map(|g| g * g).sum();
    Ok(ChiSquaredTest::new((k - 1.0) * (k * squared_columns - total * total) / spread, systems - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;

    fn near(interval: Interval, low: f64, high: f64) {
        assert!((interval.low - low).abs() < 6e-4 && (interval.high - high).abs() < 6e-4, "{interval:?}");
    }

    #[test]
    fn airway_example_of_fagerland_lydersen_and_laake() {
        let table = PairedTable::new(1, 1, 7, 12).unwrap();
        near(table.wald(FIVE).unwrap().interval, -0.520, -0.052);
        near(table.tango(FIVE), -0.517, -0.026);
        near(table.newcombe(FIVE), -0.507, -0.026);
        near(table.bonett_price(FIVE), -0.508, -0.013);
        assert!((table.mcnemar_chi_squared().p - 0.0339).abs() < 5e-5);
        assert!((table.mcnemar_corrected().p - 0.0771).abs() < 5e-5);
    }

    #[test]
    fn no_discordant_pair_is_no_evidence_but_keeps_its_width() {
        let table = PairedTable::new(20, 0, 0, 3).unwrap();
        assert_eq!([table.mcnemar_exact(), table.mcnemar_mid_p(), table.mcnemar_mid_p_doubled()], [1.0; 3]);
        assert_eq!(table.mcnemar_corrected_unclamped().p, 1.0);
        assert!(table.wald(FIVE).is_err() && table.miller(FIVE).is_err());
        let even = PairedTable::new(10, 0, 0, 10).unwrap();
        assert!(even.newcombe_uncorrected(FIVE).is_err() && even.newcombe(FIVE).width() > 0.05);
        assert!(table.tango(FIVE).width() > 0.2);
        assert_eq!(table.tango(FIVE).low, -table.tango(FIVE).high);
    }

    #[test]
    fn refuses_nothing_at_all() {
        assert!(PairedTable::new(0, 0, 0, 0).is_err());
        assert!(PairedTable::of(&[], &[]).is_err());
        assert!(PairedTable::of(&[true], &[]).is_err());
        assert!(PairedTable::new(0, 1, 0, 0).unwrap().miller(FIVE).is_err());
        assert!(cochran_q(&[vec![true, false], vec![true]]).is_err());
        assert!(cochran_q(&[[true, true], [false, false]]).is_err());
        assert!(cochran_q(&[[true]]).is_err());
        assert!(cochran_q::<[bool; 2]>(&[]).is_err());
    }

    #[test]
    fn extreme_evidence_still_has_a_positive_p() {
        let table = PairedTable::new(0, 1_000_000, 0, 0).unwrap();
        assert!(table.mcnemar_exact() > 0.0 && table.mcnemar_mid_p() > 0.0 && table.mcnemar_chi_squared().p > 0.0);
    }

    #[test]
    fn cochran_on_two_systems_is_mcnemar() {
        let mut rows = vec![[true, false]; 9];
        rows.extend([[false, true]; 3]);
        rows.extend([[true, true]; 5]);
        let mcnemar = PairedTable::new(5, 9, 3, 0).unwrap().mcnemar_chi_squared();
        assert!((cochran_q(&rows).unwrap().statistic - mcnemar.statistic).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn swapping_negates_and_intervals_contain_the_estimate(
            a in 0_u64..60, b in 0_u64..60, c in 0_u64..60, d in 1_u64..60, alpha in 0.001..0.4_f64,
        ) {
            let alpha = Alpha::new(alpha).unwrap();
            let table = PairedTable::new(a, b, c, d).unwrap();
            prop_assert_eq!(table.newcombe_uncorrected(alpha).is_ok_and(|interval| interval.contains(table.difference())),
                b + c > 0 || a != d);
            for method in [PairedTable::tango, PairedTable::newcombe] {
                let (interval, other) = (method(table, alpha), method(table.swapped(), alpha).negated());
                prop_assert!(interval.contains(table.difference()) && interval.width() > 0.0);
                prop_assert!((interval.low - other.low).abs() < 1e-12 && (interval.high - other.high).abs() < 1e-12);
                prop_assert!(interval.low >= -1.0 - 1e-12 && interval.high <= 1.0 + 1e-12);
            }
            let swapped = table.swapped();
            prop_assert_eq!(table.mcnemar_exact(), swapped.mcnemar_exact());
            prop_assert!(table.mcnemar_mid_p() <= table.mcnemar_exact() && table.mcnemar_mid_p() > 0.0);
        }

        #[test]
        fn tango_agrees_with_the_score_test(a in 0_u64..40, b in 0_u64..20, c in 0_u64..20, d in 1_u64..40) {
            // Tango's test of no difference is McNemar's χ²: 0 lies outside exactly when that rejects.
            let table = PairedTable::new(a, b, c, d).unwrap();
            let p = table.mcnemar_chi_squared().p;
            prop_assume!((p - 0.05).abs() > 1e-9);
            prop_assert_eq!(table.tango(FIVE).contains(0.0), p > 0.05);
        }
    }
}
