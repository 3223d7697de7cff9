//! Kolmogorov–Smirnov test of two independent samples.

use crate::stats::error::{Result, StatError, finite_sample};
use crate::stats::p_value::p_value;
use crate::stats::special::ln_choose;

/// Largest product of the sample sizes for which lattice paths are counted.
const MAX_EXACT_PRODUCT: usize = 100_000_000;

/// Whether the exact distribution takes account of equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieHandling {
    /// Given which values are equal: the empirical functions are compared only between groups of equal values
    /// (Schröer & Trenkler 1995).
    Conditional,
    /// As if all values were different, which makes p too large when some are equal.
    Ignored,
}

/// The two-sided Kolmogorov–Smirnov statistic of two samples (Smirnov 1939), and its p-values.
#[derive(Debug, Clone, PartialEq)]
pub struct KolmogorovSmirnov {
    /// Largest distance between the two empirical distribution functions.
    pub d: f64,
    m: usize,
    n: usize,
    /// `d · m · n`, which is a whole number.
    lattice_distance: u64,
    /// For each value of the pooled sample in order whether the next one is larger.
    group_ends: Vec<bool>,
}

impl KolmogorovSmirnov {
    /// Compares the empirical distribution functions of `x` and `y`.
    ///
    /// ```
    /// use evalgauge::stats::nonparametric::{KolmogorovSmirnov, TieHandling};
    /// let test = KolmogorovSmirnov::new(&[1.0, 2.0, 3.0], &[10.0, 11.0, 12.0, 13.0])?;
    /// assert_eq!(test.d, 1.0);
    /// assert!((test.exact_p(TieHandling::Conditional)? - 2.0 / 35.0).abs() < 1e-12);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::TooFew`] for an empty sample, [`StatError::OutOfRange`] for values that are not finite.
    pub fn new(x: &[f64], y: &[f64]) -> Result<Self> {
        finite_sample("first sample", x)?;
        finite_sample("second sample", y)?;
        let (m, n) = (x.len(), y.len());
        let mut pooled: Vec<(f64, bool)> = x.iter().map(|v| (*v, true)).chain(y.iter().map(|v| (*v, false))).collect();
        pooled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut group_ends = Vec::with_capacity(m + n);
        // The difference of the two functions, times m n.
        let (mut difference, mut lattice_distance) = (0_i64, 0_u64);
        for (index, (value, from_x)) in pooled.iter().enumerate() {
            difference += if *from_x { n as i64 } else { -(m as i64) };
            let ends = pooled.get(index + 1).is_none_or(|next| next.0 > *value);
            if ends {
                lattice_distance = lattice_distance.max(difference.unsigned_abs());
            }
            group_ends.push(ends);
        }
        let d = lattice_distance as f64 / (m as f64 * n as f64);
        Ok(Self { d, m, n, lattice_distance, group_ends })
    }

    /// `m n / (m + n)`, the size of the one sample to which the two amount.
    fn effective_size(&self) -> f64 {
        let (m, n) = (self.m as f64, self.n as f64);
        m * n / (m + n)
    }

    /// p-value from Kolmogorov's (1933) limiting distribution at `√(m n / (m + n)) · d`; conservative for small samples.
    #[must_use]
    pub fn limit_p(&self) -> f64 {
        p_value(limit_survival(libm::sqrt(self.effective_size()) * self.d))
    }

    /// p-value from the exact distribution of the one-sample statistic for a sample of size `m n / (m + n)`, rounded to
    /// the nearest whole number (of two as near, the even one): an approximation, better than the limit.
    #[must_use]
    pub fn effective_size_p(&self) -> f64 {
        p_value(one_sample_survival(self.effective_size().round_ties_even().max(1.0), self.d))
    }

    /// Exact p-value: the share of all orders of the pooled sample whose statistic is at least as large.
    ///
    /// Orders are counted as lattice paths by the probability of first leaving the band, so small values keep their
    /// digits.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] when the product of the sample sizes exceeds 10⁸.
    pub fn exact_p(&self, ties: TieHandling) -> Result<f64> {
        let (m, n) = (self.m, self.n);
        if m.saturating_mul(n) > MAX_EXACT_PRODUCT {
            let value = m as f64 * n as f64;
            return Err(StatError::OutOfRange { what: "product of the sample sizes", value, range: "1 to 1e8" });
        }
        // Probability that the path comes through (i, j), for the current i.
        let mut through = vec![0.0; n + 1];
        let mut left = 0.0;
        for i in 0..=m {
            for j in 0..=n {
                let met = i + j;
                if met == 0 {
                    through[0] = 1.0;
                    continue;
                }
                let before = (m + n - met + 1) as f64;
                let from_x = if i > 0 { through[j] * (m - i + 1) as f64 / before } else { 0.0 };
                let from_y = if j > 0 { through[j - 1] * (n - j + 1) as f64 / before } else { 0.0 };
                through[j] = from_x + from_y;
                let compared = ties == TieHandling::Ignored || self.group_ends[met - 1];
                if compared && (i * n).abs_diff(j * m) as u64 >= self.lattice_distance {
                    left += through[j];
                    through[j] = 0.0;
                }
            }
        }
        Ok(p_value(left))
    }
}

/// 1 − K(λ) for Kolmogorov's limiting distribution K.
fn limit_survival(lambda: f64) -> f64 {
    if lambda < 1.0 {
        // The theta-function form converges fast where the alternating one does not.
        let exponent = -std::f64::consts::PI.powi(2) / (8.0 * lambda * lambda);
        let sum: f64 = (0..5).map(|k| libm::exp(exponent * f64::from(2 * k + 1).powi(2))).sum();
        return if lambda > 0.0 { 1.0 - libm::sqrt(2.0 * std::f64::consts::PI) / lambda * sum } else { 1.0 };
    }
    let term = |k: i32| libm::exp(-2.0 * f64::from(k * k) * lambda * lambda);
    2.0 * (1..10).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum::<f64>()
}

/// P(Dₙ ≥ d) for the two-sided one-sample statistic, choosing the method as Simard & L'Ecuyer (2011) do.
fn one_sample_survival(n: f64, d: f64) -> f64 {
    let scaled = n * d;
    if scaled <= 0.5 {
        return 1.0;
    }
    if d >= 1.0 {
        return 0.0;
    }
    if scaled <= 1.0 {
        // n! (2d − 1/n)ⁿ
        let log: f64 = (1..=n as u64).map(|k| libm::log(k as f64 / n)).sum();
        return 1.0 - libm::exp(libm::log(2.0 * scaled - 1.0).mul_add(n, log));
    }
    if scaled >= n - 1.0 {
        return 2.0 * libm::pow(1.0 - d, n);
    }
    let size = scaled * d;
    let both_sides_rare = if n <= 140.0 { 4.0 } else { 2.2 };
    if d >= 0.5 || size > both_sides_rare {
        return 2.0 * one_sided_survival(n, d);
    }
    if n <= 140.0 || n * libm::pow(d, 1.5) <= 1.4 { 1.0 - durbin(n, d) } else { 1.0 - pelz_good(n, d) }
}

/// P(Dₙ⁺ ≥ d) by the formula of Birnbaum & Tingey (1951), whose terms are all positive.
fn one_sided_survival(n: f64, d: f64) -> f64 {
    let terms = (n * (1.0 - d)).floor() as u64;
    let term = |j: u64| {
        let (j, rest) = (j as f64, 1.0 - d - j as f64 / n);
        if rest <= 0.0 {
            return 0.0;
        }
        let log = ln_choose(n, j) + (j - 1.0) * libm::log(d + j / n) + (n - j) * libm::log(rest);
        libm::exp(log)
    };
    d * (0..=terms).map(term).sum::<f64>()
}

/// P(Dₙ < d) by the matrix of Durbin (1973) as Marsaglia, Tsang & Wang (2003) raise it to the n-th power.
fn durbin(n: f64, d: f64) -> f64 {
    let scaled = n * d;
    let k = scaled.ceil() as usize;
    let h = k as f64 - scaled;
    let size = 2 * k - 1;
    let mut factorials = vec![1.0];
    for i in 1..=size {
        factorials.push(factorials[i - 1] * i as f64);
    }
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            let mut numerator = 1.0;
            if column == 0 {
                numerator -= libm::pow(h, (row + 1) as f64);
            }
            if row == size - 1 {
                numerator -= libm::pow(h, (size - column) as f64);
            }
            if column == 0 && row == size - 1 {
                numerator += libm::pow((2.0 * h - 1.0).max(0.0), size as f64);
            }
            matrix[row * size + column] = numerator / factorials[row + 1 - column];
        }
    }
    let (power, exponent) = matrix_power(matrix, size, n as u64);
    // n! / nⁿ, multiplied in step by step so that nothing overflows.
    let mut log = exponent;
    for i in 1..=n as u64 {
        log += libm::log(i as f64 / n);
    }
    let entry = power[(k - 1) * size + k - 1];
    if entry > 0.0 { libm::exp(libm::log(entry) + log).min(1.0) } else { 0.0 }
}

/// The n-th power of a matrix, as a matrix and the logarithm of a factor.
fn matrix_power(mut base: Vec<f64>, size: usize, mut n: u64) -> (Vec<f64>, f64) {
    let mut power = vec![0.0; size * size];
    for diagonal in power.iter_mut().step_by(size + 1) {
        *diagonal = 1.0;
    }
    let (mut power_log, mut base_log) = (0.0, 0.0);
    while n > 0 {
        if n % 2 == 1 {
            power = product(&power, &base, size);
            power_log += base_log + rescale(&mut power);
        }
        n /= 2;
        if n > 0 {
            base = product(&base, &base, size);
            base_log = 2.0 * base_log + rescale(&mut base);
        }
    }
    (power, power_log)
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut out = vec![0.0; size * size];
    for (row, target) in a.chunks(size).zip(out.chunks_mut(size)) {
        for (factor, line) in row.iter().zip(b.chunks(size)) {
            for (sum, entry) in target.iter_mut().zip(line) {
                *sum += factor * entry;
            }
        }
    }
    out
}

/// Divides by the largest entry and returns the logarithm of what was divided by.
fn rescale(matrix: &mut [f64]) -> f64 {
    let largest = matrix.iter().fold(0.0_f64, |most, entry| most.max(*entry));
    for entry in matrix.iter_mut() {
        *entry /= largest;
    }
    libm::log(largest)
}

/// P(Dₙ < d) by the asymptotic series of Pelz & Good (1976), for large n.
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = libm::sqrt(n) * d;
    let (z2, pi2) = (z * z, std::f64::consts::PI.powi(2));
    let (z4, z6) = (z2 * z2, z2 * z2 * z2);
    let terms = (16.0 * z / std::f64::consts::PI).ceil() as u32;
    let mut sums = [0.0; 4];
    for k in 1..=terms {
        // Half-integers k − 1/2, written with m = 2k − 1.
        let m2 = f64::from(2 * k - 1).powi(2);
        let (m4, m6) = (m2 * m2, m2 * m2 * m2);
        let weight = libm::exp(-pi2 * m2 / (8.0 * z2));
        sums[0] += weight;
        sums[1] += weight * (pi2 / 4.0 * m2 - z2);
        sums[2] += weight
            * (6.0 * z6 + 2.0 * z4 + pi2 * (2.0 * z4 - 5.0 * z2) / 4.0 * m2 + pi2 * pi2 * (1.0 - 2.0 * z2) / 16.0 * m4);
        sums[3] += weight
            * (-30.0 * z6 - 90.0 * z4 * z4
                + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi2 * pi2 * (212.0 * z4 - 60.0 * z2) / 16.0 * m4
                + pi2 * pi2 * pi2 * (5.0 - 30.0 * z2) / 64.0 * m6);
    }
    let scale = libm::sqrt(2.0 * std::f64::consts::PI);
    let mut series =
        [sums[0] / z, sums[1] / (6.0 * z4), sums[2] / (72.0 * z6 * z), sums[3] / (6480.0 * z6 * z4)].map(|s| scale * s);
    let (mut second, mut third) = (0.0, 0.0);
    for k in 1..=terms {
        let k2 = f64::from(k).powi(2);
        let weight = libm::exp(-pi2 * k2 / (2.0 * z2));
        second += k2 * weight;
        third += (3.0 * z2 - pi2 * k2) * k2 * weight;
    }
    series[2] -= pi2 * scale / (36.0 * z2 * z) * second;
    series[3] += pi2 * scale / (216.0 * z6) * third;
    let root = libm::sqrt(n);
    (series[0] + series[1] / root + series[2] / n + series[3] / (n * root)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Critical values of the limiting distribution: 1.2238 (10 %), 1.3581 (5 %), 1.6276 (1 %).
    #[test]
    fn critical_values_as_published() {
        for (lambda, p) in [(1.223_848, 0.1), (1.358_099, 0.05), (1.627_624, 0.01), (0.827_574, 0.5)] {
            assert!((limit_survival(lambda) - p).abs() < 1e-6, "{lambda}");
        }
        assert_eq!(limit_survival(0.0), 1.0);
    }

    /// Marsaglia, Tsang & Wang (2003): P(D₁₀ < 0.274) = 0.6284796154565…
    #[test]
    fn one_sample_distribution_as_published() {
        assert!((durbin(10.0, 0.274) - 0.628_479_615_456_504).abs() < 1e-13);
        assert!((1.0 - one_sample_survival(10.0, 0.274) - 0.628_479_615_456_504).abs() < 1e-13);
    }

    #[test]
    fn the_methods_meet_where_they_take_over() {
        for n in [20.0, 140.0] {
            let d = libm::sqrt(4.0 / n);
            assert!((1.0 - durbin(n, d) - 2.0 * one_sided_survival(n, d)).abs() < 1e-7);
        }
        assert!((durbin(500.0, 0.04) - pelz_good(500.0, 0.04)).abs() < 1e-6);
        assert!((one_sample_survival(5.0, 0.2) - (1.0 - 120.0 / 3125.0)).abs() < 1e-14);
        assert_eq!(one_sample_survival(5.0, 0.05), 1.0);
        assert_eq!(one_sample_survival(5.0, 1.0), 0.0);
    }

    #[test]
    fn ties_shrink_the_set_of_comparisons() {
        let test = KolmogorovSmirnov::new(&[1.0, 1.0, 2.0, 2.0], &[1.0, 2.0, 2.0, 2.0]).unwrap();
        assert_eq!(test.d, 0.25);
        // Only the number of ones in x matters: 3 ones among 8, at |2 i − 3| ≥ 1 always.
        assert!((test.exact_p(TieHandling::Conditional).unwrap() - 1.0).abs() < 1e-12);
        let equal = KolmogorovSmirnov::new(&[1.0; 3], &[1.0; 3]).unwrap();
        for p in [equal.exact_p(TieHandling::Conditional).unwrap(), equal.limit_p(), equal.effective_size_p()] {
            assert_eq!(p, 1.0);
        }
        assert!(KolmogorovSmirnov::new(&[], &[1.0]).is_err());
        assert!(KolmogorovSmirnov::new(&[f64::NAN], &[1.0]).is_err());
    }

    proptest! {
        #[test]
        fn path_counting_equals_enumeration(labels in prop::collection::vec(any::<bool>(), 2..11), step in 1_usize..4) {
            let n = labels.iter().filter(|label| **label).count();
            prop_assume!(n > 0 && n < labels.len());
            let value = |i: usize| (i / step) as f64;
            let split = |bits: u32| {
                let (mut x, mut y) = (Vec::new(), Vec::new());
                for i in 0..labels.len() {
                    if bits >> i & 1 == 1 { x.push(value(i)) } else { y.push(value(i)) }
                }
                KolmogorovSmirnov::new(&x, &y)
            };
            let own = labels.iter().enumerate().map(|(i, label)| u32::from(*label) << i).sum::<u32>();
            let observed = split(own).unwrap();
            let (mut reached, mut all) = (0, 0);
            for bits in 0..1_u32 << labels.len() {
                if bits.count_ones() as usize == n {
                    all += 1;
                    reached += i32::from(split(bits).unwrap().lattice_distance >= observed.lattice_distance);
                }
            }
            let expected = f64::from(reached) / f64::from(all);
            prop_assert!((observed.exact_p(TieHandling::Conditional).unwrap() - expected).abs() < 1e-12);
            if step == 1 {
                prop_assert!((observed.exact_p(TieHandling::Ignored).unwrap() - expected).abs() < 1e-12);
            }
        }
    }
}
