//! Intervals for one proportion, and for the difference of two proportions measured on different items.
//!
//! For two systems measured on the *same* items see [`super::paired`].

use super::error::{Result, StatError, at_least};
use super::interval::{Alpha, Interval};
use super::special::beta_quantile;

/// A count of successes among a positive number of independent trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Proportion {
    successes: u64,
    trials: u64,
}

impl Proportion {
    /// Checks and wraps the two counts.
    ///
    /// # Errors
    /// [`StatError::TooFew`] for no trials; [`StatError::OutOfRange`] for more successes than trials.
    pub fn new(successes: u64, trials: u64) -> Result<Self> {
        at_least("trials", 1, usize::try_from(trials).unwrap_or(usize::MAX))?;
        if successes > trials {
            let value = successes as f64;
            return Err(StatError::OutOfRange { what: "successes", value, range: "[0, trials]" });
        }
        Ok(Self { successes, trials })
    }

    /// Counts the `true` outcomes.
    ///
    /// # Errors
    /// [`StatError::TooFew`] for an empty slice.
    pub fn of(outcomes: &[bool]) -> Result<Self> {
        let successes = outcomes.iter().filter(|&&outcome| outcome).count();
        Self::new(successes as u64, outcomes.len() as u64)
    }

    /// How many trials succeeded.
    #[must_use]
    pub const fn successes(self) -> u64 {
        self.successes
    }

    /// How many trials there were.
    #[must_use]
    pub const fn trials(self) -> u64 {
        self.trials
    }

    /// `successes / trials`.
    #[must_use]
    pub fn rate(self) -> f64 {
        self.x() / self.n()
    }

    fn x(self) -> f64 {
        self.successes as f64
    }

    fn n(self) -> f64 {
        self.trials as f64
    }

    /// The interval with its ends put at exactly 0 and 1 where no, or every, trial succeeded.
    fn closed_at_the_edges(self, interval: Interval) -> Interval {
        let low = if self.successes == 0 { 0.0 } else { interval.low };
        let high = if self.successes == self.trials { 1.0 } else { interval.high };
        Interval { low, high }.clipped(0.0, 1.0)
    }

    /// The score interval (Wilson 1927): all `p` that a score test at `alpha` does not reject.
    ///
    /// `(p̂ + z²/2n ± z √(p̂q̂/n + z²/4n²)) / (1 + z²/n)`. Average coverage close to nominal at every `n`; the default for
    /// a pass rate. Assumes independent trials.
    ///
    /// ```
    /// use evalgauge::stats::{Alpha, proportion::Proportion};
    /// // Newcombe (1998a), table I: 81 of 263.
    /// let interval = Proportion::new(81, 263)?.wilson(Alpha::FIVE_PERCENT);
    /// assert!((interval.low - 0.2553).abs() < 5e-5 && (interval.high - 0.3662).abs() < 5e-5);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn wilson(self, alpha: Alpha) -> Interval {
        let (n, p, z) = (self.n(), self.rate(), alpha.two_sided_z());
        let z2 = z * z;
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = z * libm::sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n);
        self.closed_at_the_edges(Interval::around(centre, half))
    }

    /// The score interval with continuity correction (Newcombe 1998a, method 4), 0 at no and 1 at every success.
    #[must_use]
    pub fn wilson_corrected(self, alpha: Alpha) -> Interval {
        let (n, p, z) = (self.n(), self.rate(), alpha.two_sided_z());
        let (q, z2) = (1.0 - p, z * z);
        let low = z2 - 2.0 - 1.0 / n + 4.0 * p * n.mul_add(q, 1.0);
        let high = z2 + 2.0 - 1.0 / n + 4.0 * p * n.mul_add(q, -1.0);
        let centre = (2.0 * n).mul_add(p, z2);
        let scale = 2.0 * (n + z2);
        self.closed_at_the_edges(Interval {
            low: (centre - 1.0 - z * libm::sqrt(low.max(0.0))) / scale,
            high: (centre + 1.0 + z * libm::sqrt(high.max(0.0))) / scale,
        })
    }

    /// The exact interval (Clopper & Pearson 1934): coverage is at least `1 - alpha` for every true rate.
    ///
    /// Quantiles `α/2` of Beta(x, n − x + 1) and `1 − α/2` of Beta(x + 1, n − x). For claims that must hold, such as
    /// "no failure in n trials".
    ///
    /// ```
    /// use evalgauge::stats::{Alpha, proportion::Proportion};
    /// let interval = Proportion::new(0, 30)?.clopper_pearson(Alpha::FIVE_PERCENT);
    /// assert!(interval.low == 0.0 && (interval.high - (1.0 - 0.025_f64.powf(1.0 / 30.0))).abs() < 1e-12);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn clopper_pearson(self, alpha: Alpha) -> Interval {
        let (x, fails, tail) = (self.x(), self.n() - self.x(), alpha.get() / 2.0);
        let low = if self.successes == 0 { 0.0 } else { beta_quantile(tail, x, fails + 1.0) };
        let high = if self.successes == self.trials { 1.0 } else { 1.0 - beta_quantile(tail, fails, x + 1.0) };
        Interval { low, high }
    }

    /// The credible interval with equal tails under a Beta(`prior_successes`, `prior_failures`) prior.
    fn credible(self, prior_successes: f64, prior_failures: f64, alpha: Alpha) -> Interval {
        let (a, b) = (self.x() + prior_successes, self.n() - self.x() + prior_failures);
        let tail = alpha.get() / 2.0;
        // The upper end from the mirrored distribution: 1 - tail would round away a small tail.
        Interval { low: beta_quantile(tail, a, b), high: 1.0 - beta_quantile(tail, b, a) }
    }

    /// The equal-tailed credible interval under Jeffreys' prior Beta(½, ½) (Brown, Cai & DasGupta 2001), with no
    /// special treatment of the edges: the lower end is above 0 even without a success.
    #[must_use]
    pub fn jeffreys(self, alpha: Alpha) -> Interval {
        self.credible(0.5, 0.5, alpha)
    }

    /// The equal-tailed credible interval under the uniform prior Beta(1, 1) (Bowyer 2025 for few evaluation items).
    #[must_use]
    pub fn uniform_prior(self, alpha: Alpha) -> Interval {
        self.credible(1.0, 1.0, alpha)
    }

    /// The posterior mean under the uniform prior, `(x + 1) / (n + 2)`: Laplace's rule of succession.
    #[must_use]
    pub fn uniform_prior_mean(self) -> f64 {
        (self.x() + 1.0) / (self.n() + 2.0)
    }

    /// Wald's interval about `(x + z²/2) / (n + z²)`, clipped to `[0, 1]` (Agresti & Coull 1998).
    #[must_use]
    pub fn agresti_coull(self, alpha: Alpha) -> Interval {
        let z = alpha.two_sided_z();
        let n = z.mul_add(z, self.n());
        let p = (0.5 * z).mul_add(z, self.x()) / n;
        Interval::around(p, z * libm::sqrt(p * (1.0 - p) / n)).clipped(0.0, 1.0)
    }

    /// `p̂ ± z √(p̂q̂/n)`, clipped to `[0, 1]`: for comparison with other tools only. On 20 trials it covers .85 on
    /// average where .95 is claimed.
    ///
    /// # Errors
    /// [`StatError::Undefined`] at 0 or n successes, where it would have no width at all.
    pub fn wald(self, alpha: Alpha) -> Result<Interval> {
        let p = self.rate();
        Interval::around(p, alpha.two_sided_z() * libm::sqrt(p * (1.0 - p) / self.n()))
            .clipped(0.0, 1.0)
            .with_width("Wald's interval of a rate of 0 or 1")
    }

    /// The exact one-sided upper bound after no success at all, `1 - alpha^(1/n)`; near `3/n` at 5 % (the rule of three).
    /// `None` when there was a success.
    #[must_use]
    pub fn upper_bound_without_success(self, alpha: Alpha) -> Option<f64> {
        (self.successes == 0).then(|| -libm::expm1(libm::log(alpha.get()) / self.n()))
    }
}

/// Two proportions measured on different, independent items; every interval is for `first - second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndependentProportions {
    /// The minuend.
    pub first: Proportion,
    /// The subtrahend.
    pub second: Proportion,
}

impl IndependentProportions {
    /// `first - second`.
    #[must_use]
    pub fn difference(self) -> f64 {
        self.first.rate() - self.second.rate()
    }

    /// The hybrid score interval (Newcombe 1998b, method 10): the two Wilson intervals squared and added. The default.
    ///
    /// ```
    /// use evalgauge::stats::{Alpha, proportion::{IndependentProportions, Proportion}};
    /// // Newcombe (1998b), table II, contrast (a): 56/70 against 48/80.
    /// let pair = IndependentProportions { first: Proportion::new(56, 70)?, second: Proportion::new(48, 80)? };
    /// let interval = pair.newcombe(Alpha::FIVE_PERCENT);
    /// assert!((interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn newcombe(self, alpha: Alpha) -> Interval {
        let (p1, p2, d) = (self.first.rate(), self.second.rate(), self.difference());
        let (w1, w2) = (self.first.wilson(alpha), self.second.wilson(alpha));
        Interval { low: d - libm::hypot(p1 - w1.low, w2.high - p2), high: d + libm::hypot(w1.high - p1, p2 - w2.low) }
    }

    /// The score interval of Miettinen & Nurminen (1985), variance factor `N / (N - 1)`: all differences that their
    /// score test does not reject at `alpha`, found by bisection.
    #[must_use]
    pub fn miettinen_nurminen(self, alpha: Alpha) -> Interval {
        let z = alpha.two_sided_z();
        let mirrored = Self { first: self.second, second: self.first };
        // The lower limit is the mirrored upper limit, so exchanging the arms negates the interval to the last bit.
        Interval { low: -mirrored.score_upper(z), high: self.score_upper(z) }
    }

    /// The upper limit: where `(δ - d)²` overtakes `z²` times the variance at the restricted estimate.
    fn score_upper(self, z: f64) -> f64 {
        let d = self.difference();
        let total = self.first.n() + self.second.n();
        let rejected = |delta: f64| {
            let p1 = self.restricted_rate(delta);
            let p2 = (p1 - delta).clamp(0.0, 1.0);
            let variance =
                (p1 * (1.0 - p1) / self.first.n() + p2 * (1.0 - p2) / self.second.n()) * total / (total - 1.0);
            (delta - d) * (delta - d) > z * z * variance
        };
        bisect_upward(d, 1.0, rejected)
    }

    /// The rate of the first arm that maximises the likelihood when the second is `delta` lower.
    fn restricted_rate(self, delta: f64) -> f64 {
        let (x1, x2) = (self.first.x(), self.second.x());
        let (y1, y2) = (self.first.n() - x1, self.second.n() - x2);
        // Log-likelihood is concave in p; its slope, with the terms of empty cells left out, has one sign change.
        let term = |count: f64, rate: f64| if count == 0.0 { 0.0 } else { count / rate };
        let falling = |p: f64| term(x1, p) - term(y1, 1.0 - p) + term(x2, p - delta) - term(y2, 1.0 - p + delta) < 0.0;
        bisect_upward(delta.max(0.0), (1.0 + delta).min(1.0), falling)
    }

    /// The score interval as statsmodels (to 0.15 at least) prints it: its cubic for the restricted estimate has the
    /// successes of the second arm where Miettinen & Nurminen have its trials, so the limits are off in the third digit.
    /// For comparison with that program only; [`Self::miettinen_nurminen`] reproduces the published limits.
    #[must_use]
    pub fn score_as_statsmodels(self, alpha: Alpha) -> Interval {
        let (z, d) = (alpha.two_sided_z(), self.difference());
        let rejected = |delta: f64| {
            let p2 = self.restricted_second_rate_as_statsmodels(delta);
            let p1 = p2 + delta;
            let total = self.first.n() + self.second.n();
            let variance =
                (p1 * (1.0 - p1) / self.first.n() + p2 * (1.0 - p2) / self.second.n()) * total / (total - 1.0);
            (delta - d) * (delta - d) > z * z * variance
        };
        Interval { low: -bisect_upward(-d, 1.0, |delta| rejected(-delta)), high: bisect_upward(d, 1.0, rejected) }
    }

    fn restricted_second_rate_as_statsmodels(self, delta: f64) -> f64 {
        let (n1, n2, x2) = (self.first.n(), self.second.n(), self.second.x());
        let (total, successes) = (n1 + n2, self.first.x() + x2);
        let square = ((n1 + 2.0 * n2) * delta - total - successes) / total;
        let linear = ((x2 * delta - total - 2.0 * x2) * delta + successes) / total;
        let constant = x2 * delta * (1.0 - delta) / total;
        let q = (square / 3.0).powi(3) - linear * square / 6.0 + constant / 2.0;
        let radius = libm::sqrt((square * square / 9.0 - linear / 3.0).max(0.0)).copysign(q);
        let cosine = if radius == 0.0 { 0.0 } else { (q / radius.powi(3)).clamp(-1.0, 1.0) };
        2.0 * radius * libm::cos((std::f64::consts::PI + libm::acos(cosine)) / 3.0) - square / 3.0
    }

    /// Wald's interval after adding one success and one failure to each arm (Agresti & Caffo 2000). Not clipped.
    #[must_use]
    pub fn agresti_caffo(self, alpha: Alpha) -> Interval {
        let (n1, n2) = (self.first.n() + 2.0, self.second.n() + 2.0);
        wald_difference((self.first.x() + 1.0) / n1, n1, (self.second.x() + 1.0) / n2, n2, alpha)
    }

    /// Wald's interval, not clipped: for comparison with other tools only.
    ///
    /// # Errors
    /// [`StatError::Undefined`] when both rates are 0 or 1.
    pub fn wald(self, alpha: Alpha) -> Result<Interval> {
        wald_difference(self.first.rate(), self.first.n(), self.second.rate(), self.second.n(), alpha)
            .with_width("Wald's interval of two rates of 0 or 1")
    }
}

fn wald_difference(p1: f64, n1: f64, p2: f64, n2: f64, alpha: Alpha) -> Interval {
    let variance = p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2;
    Interval::around(p1 - p2, alpha.two_sided_z() * libm::sqrt(variance))
}

/// The smallest point of `low..=high` beyond which `past` holds, for a condition that is false, then true.
pub(super) fn bisect_upward(low: f64, high: f64, past: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high || high - low < 1e-16 {
            return middle;
        }
        if past(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(p: Proportion, alpha: Alpha) -> [Interval; 6] {
        [
            p.wilson(alpha),
            p.wilson_corrected(alpha),
            p.clopper_pearson(alpha),
            p.jeffreys(alpha),
            p.uniform_prior(alpha),
            p.agresti_coull(alpha),
        ]
    }

    #[test]
    fn refuses_impossible_counts() {
        assert!(Proportion::new(0, 0).is_err());
        assert!(Proportion::new(5, 4).is_err());
        assert!(Proportion::of(&[]).is_err());
        assert_eq!(Proportion::of(&[true, false, true]).unwrap(), Proportion::new(2, 3).unwrap());
    }

    #[test]
    fn newcombes_table_of_one_proportion() {
        // Newcombe (1998a), table I, columns 81/263, 15/148, 0/20 and 1/29.
        let rows = [
            (81, 263, [0.2553, 0.3662, 0.2535, 0.3682, 0.2527, 0.3676]),
            (15, 148, [0.0624, 0.1605, 0.0598, 0.1644, 0.0578, 0.1617]),
            (0, 20, [0.0, 0.1611, 0.0, 0.2005, 0.0, 0.1684]),
            (1, 29, [0.0061, 0.1718, 0.0018, 0.1963, 0.0009, 0.1776]),
        ];
        for (x, n, expected) in rows {
            let p = Proportion::new(x, n).unwrap();
            let got = [
                p.wilson(Alpha::FIVE_PERCENT),
                p.wilson_corrected(Alpha::FIVE_PERCENT),
                p.clopper_pearson(Alpha::FIVE_PERCENT),
            ];
            for (interval, limits) in got.iter().zip(expected.chunks(2)) {
                assert!(
                    (interval.low - limits[0]).abs() < 6e-5 && (interval.high - limits[1]).abs() < 6e-5,
                    "{x}/{n} {got:?}"
                );
            }
        }
    }

    #[test]
    fn newcombes_table_of_two_proportions() {
        // Newcombe (1998b), table II, methods 10 (hybrid score) for contrasts (b), (e), (g).
        for (x1, n1, x2, n2, low, high) in
            [(9, 10, 3, 10, 0.1705, 0.8090), (5, 56, 0, 29, -0.0381, 0.1926), (10, 10, 0, 20, 0.6791, 1.0)]
        {
            let pair = IndependentProportions {
                first: Proportion::new(x1, n1).unwrap(),
                second: Proportion::new(x2, n2).unwrap(),
            };
            let interval = pair.newcombe(Alpha::FIVE_PERCENT);
            assert!((interval.low - low).abs() < 6e-5 && (interval.high - high).abs() < 6e-5, "{x1}/{n1} {interval:?}");
        }
    }

    #[test]
    fn the_score_interval_is_the_published_one_and_not_the_other_programs() {
        // Newcombe (1998b), table II, method 6, contrast (a).
        let pair = IndependentProportions {
            first: Proportion::new(56, 70).unwrap(),
            second: Proportion::new(48, 80).unwrap(),
        };
        let interval = pair.miettinen_nurminen(Alpha::FIVE_PERCENT);
        assert!((interval.low - 0.0528).abs() < 6e-5 && (interval.high - 0.3382).abs() < 6e-5, "{interval:?}");
        let other = pair.score_as_statsmodels(Alpha::FIVE_PERCENT);
        assert!(other.high - interval.high > 0.005);
    }

    #[test]
    fn the_score_interval_has_width_when_nothing_failed() {
        let none = Proportion::new(0, 20).unwrap();
        let interval = IndependentProportions { first: none, second: none }.miettinen_nurminen(Alpha::FIVE_PERCENT);
        assert!(interval.high > 0.1 && interval.high < 0.25 && interval.low == -interval.high, "{interval:?}");
        let (every, no) = (Proportion::new(10, 10).unwrap(), Proportion::new(0, 10).unwrap());
        let interval = IndependentProportions { first: every, second: no }.miettinen_nurminen(Alpha::FIVE_PERCENT);
        assert!(interval.high > 1.0 - 1e-12 && interval.low > 0.5, "{interval:?}");
    }

    #[test]
    fn huge_counts_stay_accurate() {
        // At this size all methods agree with the normal approximation to a few parts in n.
        for (x, n) in [(300_000, 1_000_000), (999_990, 1_000_000), (20, 5_000_000)] {
            let p = Proportion::new(x, n).unwrap();
            let (wilson, exact) = (p.wilson(Alpha::FIVE_PERCENT), p.clopper_pearson(Alpha::FIVE_PERCENT));
            assert!(
                (wilson.low - exact.low).abs() < 3.0 / n as f64 && (wilson.high - exact.high).abs() < 3.0 / n as f64
            );
        }
    }

    proptest! {
        #[test]
        fn intervals_contain_the_rate_and_mirror(n in 1_u64..400, share in 0.0..=1.0_f64, alpha in 0.001..0.5_f64) {
            let alpha = Alpha::new(alpha).unwrap();
            let x = ((n as f64 * share).round() as u64).min(n);
            let (p, mirror) = (Proportion::new(x, n).unwrap(), Proportion::new(n - x, n).unwrap());
            for (i, (interval, other)) in all(p, alpha).into_iter().zip(all(mirror, alpha)).enumerate() {
                prop_assert!(interval.low >= 0.0 && interval.high <= 1.0);
                prop_assert!((interval.low - (1.0 - other.high)).abs() < 1e-11, "method {i}: {interval:?} {other:?}");
                // Credible intervals shrink towards a half and may leave the edge itself out.
                prop_assert!(interval.contains(p.rate()) || matches!(i, 3..=4) || i == 5 || x == 0 || x == n, "method {i}");
            }
            // Wald's has no width where no, or every, trial succeeded.
            prop_assert_eq!(p.wald(alpha).is_ok_and(|wald| wald.contains(p.rate())), x > 0 && x < n);
            let wider = p.clopper_pearson(alpha);
            let narrower = p.jeffreys(alpha);
            prop_assert!(wider.low <= narrower.low && narrower.high <= wider.high);
        }

        #[test]
        fn exchanging_the_arms_negates(n1 in 1_u64..60, n2 in 1_u64..60, s1 in 0.0..=1.0_f64, s2 in 0.0..=1.0_f64) {
            let first = Proportion::new((n1 as f64 * s1) as u64, n1).unwrap();
            let second = Proportion::new((n2 as f64 * s2) as u64, n2).unwrap();
            let (pair, swapped) = (IndependentProportions { first, second }, IndependentProportions { first: second, second: first });
            for method in [IndependentProportions::newcombe, IndependentProportions::miettinen_nurminen, IndependentProportions::agresti_caffo] {
                let (interval, other) = (method(pair, Alpha::FIVE_PERCENT), method(swapped, Alpha::FIVE_PERCENT).negated());
                prop_assert!((interval.low - other.low).abs() < 1e-12 && (interval.high - other.high).abs() < 1e-12);
                prop_assert!(interval.width() > 0.0);
            }
            prop_assert!(pair.newcombe(Alpha::FIVE_PERCENT).contains(pair.difference()));
            prop_assert!(pair.miettinen_nurminen(Alpha::FIVE_PERCENT).contains(pair.difference()));
        }
    }
}
