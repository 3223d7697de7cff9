//! Correlation of paired scores: Pearson's r, Spearman's ρ, Kendall's τ.

use super::error::{Result, StatError, all_finite, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::order::mid_ranks;
use super::p_value::p_value;
use super::special::{beta_cdf, normal_sf};

/// A correlation coefficient with its test and interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Correlation {
    /// The coefficient, in −1..=1.
    pub coefficient: f64,
    /// Two-sided p against no association; absent where the test has no degrees of freedom, and at ±1.
    pub p: Option<f64>,
    /// Interval through Fisher's z; absent where its standard error or the transform does not exist.
    pub interval: Option<Interval>,
    /// Number of pairs.
    pub pairs: usize,
}

/// Kendall's τ with its test and interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Kendall {
    /// τ-b: (concordant − discordant) / √((pairs untied in x)(pairs untied in y)).
    pub tau_b: f64,
    /// Stuart's τ-c: for tables with unequal numbers of distinct values.
    pub tau_c: f64,
    /// Two-sided p: exact without ties and up to 33 pairs (or next to perfect order), else the normal one.
    pub p: f64,
    /// Whether `p` is exact.
    pub exact: bool,
    /// The tie-corrected normal p whatever `p` is; absent below three pairs.
    pub asymptotic_p: Option<f64>,
    /// Interval for τ-b through Fisher's z; absent below five pairs and at ±1.
    pub interval: Option<Interval>,
    /// Number of pairs of scores.
    pub pairs: usize,
}

/// Above this many pairs, counting permutations for the exact test gives way to the normal approximation.
const EXACT_LIMIT: usize = 33;

/// Pearson's r = Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²).
///
/// The p-value is exact for bivariate normal pairs, from t = r√((n − 2)/(1 − r²)) with n − 2 degrees of freedom. The
/// interval is tanh(atanh r ± z/√(n − 3)) (Fisher 1915); three pairs know nothing (−1..1), two have none. At ±1 there is
/// neither p nor interval: points on a line leave no scatter to judge by.
///
/// # Errors
/// [`StatError::TooFew`] below two pairs, [`StatError::Lengths`], [`StatError::OutOfRange`] for values that are not
/// finite, [`StatError::Undefined`] when either side is constant.
///
/// ```
/// use evalgauge::stats::{Alpha, correlation::pearson};
/// let r = pearson(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 1.0, 4.0, 3.0, 5.0], Alpha::FIVE_PERCENT)?;
/// assert!((r.coefficient - 0.8).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn pearson(x: &[f64], y: &[f64], alpha: Alpha) -> Result<Correlation> {
    check(x, y)?;
    let r = product_moment(x, y)?;
    let n = x.len() as f64;
    let interval = match x.len() {
        2 => None,
        3 => Some(Interval::new(-1.0, 1.0)),
        _ => fisher_interval(r, libm::sqrt(1.0 / (n - 3.0)), alpha),
    };
    let p = if x.len() == 2 { Some(1.0) } else { t_p(r, n) };
    Ok(Correlation { coefficient: r, p, interval, pairs: x.len() })
}

/// Spearman's ρ: Pearson's r of the ranks, ties sharing their mean rank.
///
/// The p-value is the t approximation with n − 2 degrees of freedom, rough below ten pairs, absent for two and at ±1. The
/// interval is Fisher's z with variance (1 + ρ²/2)/(n − 3) (Bonett & Wright 2000), absent below four pairs and at ±1.
///
/// # Errors
/// As [`pearson`].
///
/// ```
/// use evalgauge::stats::{Alpha, correlation::spearman};
/// let rho = spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 10.0, 1e3, 1e6], Alpha::FIVE_PERCENT)?;
/// assert!((rho.coefficient - 1.0).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn spearman(x: &[f64], y: &[f64], alpha: Alpha) -> Result<Correlation> {
    check(x, y)?;
    let rho = product_moment(&mid_ranks(x).0, &mid_ranks(y).0)?;
    let n = x.len() as f64;
    let se = (x.len() > 3).then(|| libm::sqrt((1.0 + 0.5 * rho * rho) / (n - 3.0)));
    let interval = se.and_then(|se| fisher_interval(rho, se, alpha));
    let p = if x.len() > 2 { t_p(rho, n) } else { None };
    Ok(Correlation { coefficient: rho, p, interval, pairs: x.len() })
}

/// Kendall's τ-b (Kendall 1945) in O(n log n) by Knight's merge sort (1966), with τ-c (Stuart 1953) beside it.
///
/// Without ties the p-value is exact up to 33 pairs (and where at most one pair of items is out of order, or in order);
/// otherwise it is normal with the tie-corrected variance. The interval is Fisher's z with variance 0.437/(n − 4)
/// (Fieller, Hartley & Pearson 1957).
///
/// # Errors
/// As [`pearson`].
///
/// ```
/// use evalgauge::stats::{Alpha, correlation::kendall};
/// let tau = kendall(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 1.0, 4.0, 3.0, 5.0], Alpha::FIVE_PERCENT)?;
/// assert!((tau.tau_b - 0.6).abs() < 1e-12 && tau.exact);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn kendall(x: &[f64], y: &[f64], alpha: Alpha) -> Result<Kendall> {
    check(x, y)?;
    let counts = PairCounts::of(x, y);
    let n = x.len() as f64;
    let (free_x, free_y) = (counts.total - counts.x.pairs, counts.total - counts.y.pairs);
    if free_x == 0.0 || free_y == 0.0 {
        return Err(StatError::Undefined("correlation with a constant"));
    }
    // One root of the product, not a quotient of two: exactly ±1 in perfect order.
    let tau_b = (counts.surplus / libm::sqrt(free_x * free_y)).clamp(-1.0, 1.0);
    let classes = counts.x.distinct.min(counts.y.distinct) as f64;
    let tau_c = 2.0 * counts.surplus / (n * n * (classes - 1.0) / classes);
    let asymptotic_p = counts.asymptotic_p(n);
    let untied = counts.x.pairs == 0.0 && counts.y.pairs == 0.0;
    let rarer = counts.discordant.min(counts.total - counts.discordant);
    let exact = untied && (x.len() <= EXACT_LIMIT || rarer <= 1.0);
    // Two pairs have no asymptotic p: tied they are constant and refused above, untied the test is exact.
    let p = if exact { exact_kendall_p(x.len(), rarer) } else { asymptotic_p.unwrap_or(1.0) };
    let se = (x.len() > 4).then(|| libm::sqrt(0.437 / (n - 4.0)));
    let interval = se.and_then(|se| fisher_interval(tau_b, se, alpha));
    Ok(Kendall { tau_b, tau_c, p, exact, asymptotic_p, interval, pairs: x.len() })
}

fn check(x: &[f64], y: &[f64]) -> Result<()> {
    same_length("paired scores", x.len(), y.len())?;
    at_least("pairs of scores", 2, x.len())?;
    if x.len() > u32::MAX as usize {
        return Err(StatError::OutOfRange { what: "pairs", value: x.len() as f64, range: "up to 2^32" });
    }
    all_finite("score", x)?;
    all_finite("score", y)
}

/// Deviations from the mean, scaled by a power of two so that no square overflows or vanishes.
fn deviations(values: &[f64]) -> Result<Vec<f64>> {
    if values.iter().all(|value| value == &values[0]) {
        return Err(StatError::Undefined("correlation with a constant"));
    }
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    // A power of two changes no digit of a normal number.
    let scale = |values: &mut [f64], exponent: i32| {
        for value in values {
            *value = libm::scalbn(*value, exponent);
        }
    };
    let mut from_mean = values.to_vec();
    scale(&mut from_mean, -libm::ilogb(largest(values)));
    // Once more for the rounding of the first mean, which a large common offset makes felt.
    for _ in 0..2 {
        let mean = from_mean.iter().sum::<f64>() / values.len() as f64;
        for value in &mut from_mean {
            *value -= mean;
        }
    }
    let spread = largest(&from_mean);
    if spread == 0.0 {
        return Err(StatError::Undefined("correlation with scores that differ by less than can be represented"));
    }
    scale(&mut from_mean, -libm::ilogb(spread));
    Ok(from_mean)
}

fn product_moment(x: &[f64], y: &[f64]) -> Result<f64> {
    let (x, y) = (deviations(x)?, deviations(y)?);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let r = dot(&x, &y) / libm::sqrt(dot(&x, &x) * dot(&y, &y));
    // Points on a line miss ±1 by rounding only, which is no scatter to judge by.
    Ok(if r.abs() > 1.0 - 8.0 * f64::EPSILON { r.signum() } else { r })
}

/// Two-sided p of r with n − 2 degrees of freedom: 1 − r² is Beta((n − 2)/2, 1/2) under no correlation. `None` at ±1,
/// where t is infinite.
fn t_p(r: f64, n: f64) -> Option<f64> {
    (r.abs() < 1.0).then(|| p_value(beta_cdf((1.0 - r) * (1.0 + r), 0.5 * (n - 2.0), 0.5)))
}

/// The interval through Fisher's z with standard error `se` there; `None` at ±1, where z is infinite.
fn fisher_interval(r: f64, se: f64, alpha: Alpha) -> Option<Interval> {
    let (z, half) = (libm::atanh(r), alpha.two_sided_z() * se);
    (r.abs() < 1.0).then(|| Interval::new(libm::tanh(z - half), libm::tanh(z + half)))
}

/// Ties of one side.
struct Ties {
    /// Pairs of items with the same value: Σ t(t − 1)/2.
    pairs: f64,
    /// Σ t(t − 1)(t − 2).
    triples: f64,
    /// Σ t(t − 1)(2t + 5).
    variance: f64,
    distinct: usize,
}

impl Ties {
    fn none() -> Self {
        Self { pairs: 0.0, triples: 0.0, variance: 0.0, distinct: 0 }
    }

    fn add(&mut self, run: usize) {
        let t = run as f64;
        self.pairs += t * (t - 1.0) / 2.0;
        self.triples += t * (t - 1.0) * (t - 2.0);
        self.variance += t * (t - 1.0) * 2.0f64.mul_add(t, 5.0);
        self.distinct += 1;
    }
}

/// Counts over all pairs of items; whole numbers, exact in `f64` for any number of items that fits in memory.
struct PairCounts {
    total: f64,
    discordant: f64,
    /// Concordant − discordant.
    surplus: f64,
    x: Ties,
    y: Ties,
}

impl PairCounts {
    fn of(x: &[f64], y: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..x.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let (a, b) = (a as usize, b as usize);
            (x[a] + 0.0).total_cmp(&(x[b] + 0.0)).then((y[a] + 0.0).total_cmp(&(y[b] + 0.0)))
        });
        let (mut ties_x, mut ties_y, mut both) = (Ties::none(), Ties::none(), Ties::none());
        for run in order.chunk_by(|&a, &b| x[a as usize] == x[b as usize]) {
            ties_x.add(run.len());
            for same in run.chunk_by(|&a, &b| y[a as usize] == y[b as usize]) {
                both.add(same.len());
            }
        }
        let mut sorted: Vec<f64> = order.iter().map(|&item| y[item as usize]).collect();
        let discordant = sort_counting_swaps(&mut sorted) as f64;
        for run in sorted.chunk_by(|a, b| a == b) {
            ties_y.add(run.len());
        }
        let n = x.len() as f64;
        let total = n * (n - 1.0) / 2.0;
        let surplus = total - ties_x.pairs - ties_y.pairs + both.pairs - 2.0 * discordant;
        Self { total, discordant, surplus, x: ties_x, y: ties_y }
    }

    /// Two-sided normal p with the variance of the surplus under ties (Kendall 1970).
    fn asymptotic_p(&self, n: f64) -> Option<f64> {
        if n < 3.0 {
            return None;
        }
        let m = n * (n - 1.0);
        let variance = (m * 2.0f64.mul_add(n, 5.0) - self.x.variance - self.y.variance) / 18.0
            + 2.0 * self.x.pairs * self.y.pairs / m
            + self.x.triples * self.y.triples / (9.0 * m * (n - 2.0));
        let z = self.surplus.abs() / libm::sqrt(variance);
        Some(p_value(2.0 * normal_sf(z)))
    }
}

/// Sorts and returns how many pairs stood in strictly descending order.
fn sort_counting_swaps(values: &mut Vec<f64>) -> u64 {
    let mut spare = vec![0.0; values.len()];
    let mut swaps = 0_u64;
    let mut width = 1;
    while width < values.len() {
        for (from, to) in values.chunks(2 * width).zip(spare.chunks_mut(2 * width)) {
            let (left, right) = from.split_at(width.min(from.len()));
            swaps += merge(left, right, to);
        }
        std::mem::swap(values, &mut spare);
        width *= 2;
    }
    swaps
}

fn merge(left: &[f64], right: &[f64], to: &mut [f64]) -> u64 {
    let (mut i, mut j, mut swaps) = (0, 0, 0_u64);
    for slot in to {
        if i < left.len() && (j == right.len() || left[i] <= right[j]) {
            *slot = left[i];
            i += 1;
        } else {
            *slot = right[j];
            j += 1;
            swaps += (left.len() - i) as u64;
        }
    }
    swaps
}

/// P(the rarer kind of pair is this rare or rarer), two-sided, over all n! orders.
///
/// The number of inversions of a random order is a sum of independent uniforms on 0..j, so its distribution is built
/// by n − 1 running means, as probabilities rather than counts.
fn exact_kendall_p(n: usize, rarer: f64) -> f64 {
    let pairs = (n * (n - 1) / 2) as f64;
    if 2.0 * rarer >= pairs {
        return 1.0;
    }
    let last = rarer as usize;
    let (mut probability, mut before) = (vec![0.0; last + 1], vec![0.0; last + 1]);
    probability[0] = 1.0;
    for j in 2..=n {
        std::mem::swap(&mut probability, &mut before);
        let mut window = 0.0;
        for k in 0..=last {
            window += before[k];
            if k >= j {
                window -= before[k - j];
            }
            probability[k] = window / j as f64;
        }
    }
    p_value(2.0 * probability.iter().sum::<f64>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;

    #[test]
    fn anscombes_first_set() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let result = pearson(&x, &y, FIVE).unwrap();
        assert!((result.coefficient - 0.816).abs() < 5e-4);
        assert!((result.p.unwrap() - 0.002_17).abs() < 5e-6);
        let interval = result.interval.unwrap();
        assert!((interval.low - 0.4244).abs() < 1e-4 && (interval.high - 0.9507).abs() < 1e-4, "{interval:?}");
    }

    #[test]
    fn perfect_order() {
        let (up, down) = ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]);
        let r = pearson(&up, &down, FIVE).unwrap();
        assert_eq!((r.coefficient, r.interval, r.p), (-1.0, None, None));
        assert_eq!(spearman(&up, &up, FIVE).unwrap().p, None);
        let tau = kendall(&up, &down, FIVE).unwrap();
        assert!(tau.tau_b == -1.0 && tau.exact && (tau.p - 2.0 / 24.0).abs() < 1e-15 && tau.interval.is_none());
    }

    #[test]
    fn few_pairs() {
        let (x, y) = ([1.0, 2.0], [3.0, 1.0]);
        let two = pearson(&x, &y, FIVE).unwrap();
        assert_eq!((two.coefficient, two.p, two.interval), (-1.0, Some(1.0), None));
        assert_eq!(spearman(&x, &y, FIVE).unwrap().p, None);
        let tau = kendall(&x, &y, FIVE).unwrap();
        assert_eq!((tau.tau_b, tau.p, tau.asymptotic_p), (-1.0, 1.0, None));
        let three = pearson(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], FIVE).unwrap();
        assert_eq!(three.interval, Some(Interval::new(-1.0, 1.0)));
    }

    #[test]
    fn refusals() {
        let refused = |x: &[f64], y: &[f64]| {
            let reasons = [pearson(x, y, FIVE).err(), spearman(x, y, FIVE).err(), kendall(x, y, FIVE).err()];
            assert!(reasons.iter().all(Option::is_some), "{reasons:?}");
            reasons.into_iter().flatten()
        };
        assert!(refused(&[], &[]).all(|why| matches!(why, StatError::TooFew { .. })));
        assert!(refused(&[1.0], &[2.0]).all(|why| matches!(why, StatError::TooFew { .. })));
        assert!(refused(&[1.0, 2.0], &[2.0]).all(|why| matches!(why, StatError::Lengths { .. })));
        assert!(refused(&[1.0, f64::NAN], &[2.0, 1.0]).all(|why| matches!(why, StatError::OutOfRange { .. })));
        // The rounded mean of these is not the value itself.
        assert!(refused(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]).all(|why| matches!(why, StatError::Undefined(_))));
        assert!(refused(&[1.0, 2.0], &[-0.0, 0.0]).all(|why| matches!(why, StatError::Undefined(_))));
    }

    #[test]
    fn extreme_scales() {
        let (x, y) = ([1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 7.0, 5.0]);
        let r = pearson(&x, &y, FIVE).unwrap().coefficient;
        for scale in [1e-300, 1e300] {
            let scaled = pearson(&x.map(|v| v * scale), &y, FIVE).unwrap().coefficient;
            assert!((scaled - r).abs() < 1e-12);
        }
        let offset = pearson(&x.map(|v| v + 1e12), &y.map(|v| v - 1e12), FIVE).unwrap().coefficient;
        assert!((offset - r).abs() < 1e-9);
    }

    #[test]
    fn exact_kendall_counts_permutations() {
        fn inversions(order: &[usize]) -> usize {
            (0..order.len())
                .flat_map(|i| (i + 1..order.len()).map(move |j| (i, j)))
                .filter(|&(i, j)| order[i] > order[j])
                .count()
        }
        fn all_orders(n: usize) -> Vec<Vec<usize>> {
            if n == 0 {
                return vec![Vec::new()];
            }
            let insert = |order: Vec<usize>| {
                (0..n).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, n - 1);
                    longer
                })
            };
            all_orders(n - 1).into_iter().flat_map(insert).collect()
        }
        for n in 2..=6 {
            let orders = all_orders(n);
            let pairs = n * (n - 1) / 2;
            for rarer in 0..=pairs / 2 {
                let as_rare =
                    orders.iter().map(|order| inversions(order)).filter(|&i| i.min(pairs - i) <= rarer).count();
                let p = as_rare as f64 / orders.len() as f64;
                assert!((exact_kendall_p(n, rarer as f64) - p).abs() < 1e-12, "{n} {rarer}");
            }
        }
    }

    fn scores() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        let score = prop_oneof![(-3_i32..4).prop_map(f64::from), -10.0_f64..10.0];
        prop::collection::vec((score.clone(), score), 2..40).prop_map(|pairs| pairs.into_iter().unzip())
    }

    proptest! {
        #[test]
        fn kendall_counts_pairs((x, y) in scores()) {
            let (mut surplus, mut untied_x, mut untied_y) = (0.0, 0.0, 0.0);
            for i in 0..x.len() {
                for j in 0..i {
                    let sign = |d: f64| if d == 0.0 { 0.0 } else { d.signum() };
                    let (a, b) = (sign(x[i] - x[j]), sign(y[i] - y[j]));
                    surplus += a * b;
                    untied_x += a * a;
                    untied_y += b * b;
                }
            }
            match kendall(&x, &y, FIVE) {
                Ok(tau) => {
                    prop_assert!((tau.tau_b - surplus / f64::sqrt(untied_x * untied_y)).abs() < 1e-12);
                    prop_assert!(tau.p > 0.0 && tau.p <= 1.0);
                    prop_assert!(tau.interval.is_none_or(|i| i.contains(tau.tau_b)));
                }
                Err(_) => prop_assert!(untied_x * untied_y == 0.0),
            }
        }

        #[test]
        fn sides_swap_and_signs_flip((x, y) in scores()) {
            let negated: Vec<f64> = y.iter().map(|v| -v).collect();
            for test in [pearson, spearman] {
                let Ok(here) = test(&x, &y, FIVE) else { continue };
                let swapped = test(&y, &x, FIVE).unwrap();
                let flipped = test(&x, &negated, FIVE).unwrap();
                prop_assert!((here.coefficient - swapped.coefficient).abs() < 1e-12);
                prop_assert!((here.coefficient + flipped.coefficient).abs() < 1e-12);
                prop_assert!(here.p.is_none_or(|p| p > 0.0 && p <= 1.0));
                prop_assert!(here.interval.is_none_or(|i| i.contains(here.coefficient)));
            }
        }

        #[test]
        fn ranks_ignore_monotone_transforms((x, y) in scores()) {
            let stretched: Vec<f64> = x.iter().map(|v| (v / 4.0).exp()).collect();
            prop_assert_eq!(spearman(&x, &y, FIVE), spearman(&stretched, &y, FIVE));
            prop_assert_eq!(kendall(&x, &y, FIVE), kendall(&stretched, &y, FIVE));
        }
    }
}
