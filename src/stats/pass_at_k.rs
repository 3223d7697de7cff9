//! Repeated attempts at the same problem: pass@k ("at least one of k passes") and pass^k ("all k pass").
//!
//! Both are U-statistics: the share of all k-subsets of the n recorded attempts with the property. Averaging them over
//! problems is unbiased whatever the number of attempts, which plugging c/n into 1 − (1 − p)^k is not. The problems are
//! the sample: attempts at one problem share its difficulty, so intervals resample whole problems, never attempts.

use super::bootstrap::{Resampling, mean_replicates};
use super::error::{Result, StatError, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::mean::{mean, t_interval};

/// What a suite reports about k attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// pass@k: at least one of k attempts passes.
    AnyPasses,
    /// pass^k: all k attempts pass.
    AllPass,
}

/// A criterion averaged over problems, each with weight one.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SuiteEstimate {
    /// The estimate of each problem, in the order given.
    pub per_problem: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

fn check(attempts: u64, passes: u64, k: u64) -> Result<()> {
    if passes > attempts {
        return Err(StatError::OutOfRange { what: "passes", value: passes as f64, range: "0..=attempts" });
    }
    if k == 0 || k > attempts {
        return Err(StatError::OutOfRange { what: "k", value: k as f64, range: "1..=attempts" });
    }
    Ok(())
}

/// Unbiased estimate of the probability that at least one of `k` attempts passes, from `passes` among `attempts`.
///
/// 1 − C(n−c, k) / C(n, k) (Chen et al. 2021) for n exchangeable attempts with c passes. It is summed as the
/// probability that the first pass comes at draw 1, 2, …, so that no term cancels another and small values keep all
/// their digits.
///
/// ```
/// use evalgauge::stats::pass_at_k::pass_at_k;
/// // Five attempts, two passes: 7 of the 10 pairs contain a pass.
/// assert!((pass_at_k(5, 2, 2)? - 0.7).abs() < 1e-15);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] when `passes > attempts`, `k == 0` or `k > attempts`.
pub fn pass_at_k(attempts: u64, passes: u64, k: u64) -> Result<f64> {
    check(attempts, passes, k)?;
    if attempts - passes < k {
        return Ok(1.0);
    }
    // The formula is symmetric in c and k, so the shorter of the two products serves.
    let (draws, targets) = (passes.min(k), passes.max(k));
    let (mut hit, mut miss) = (0.0_f64, 1.0_f64);
    for drawn in 0..draws {
        let chance = targets as f64 / (attempts - drawn) as f64;
        hit += miss * chance;
        miss *= 1.0 - chance;
        if miss < f64::EPSILON * f64::EPSILON {
            break;
        }
    }
    Ok(hit.min(1.0))
}

/// Unbiased estimate of the probability that all of `k` attempts pass, from `passes` among `attempts`.
///
/// C(c, k) / C(n, k), pass^k of Yao et al. (2024) for n exchangeable attempts with c passes; 0 when c < k.
///
/// ```
/// use evalgauge::stats::pass_at_k::pass_hat_k;
/// assert!((pass_hat_k(5, 2, 2)? - 0.1).abs() < 1e-15);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] when `passes > attempts`, `k == 0` or `k > attempts`.
pub fn pass_hat_k(attempts: u64, passes: u64, k: u64) -> Result<f64> {
    check(attempts, passes, k)?;
    if passes < k {
        return Ok(0.0);
    }
    // C(c, k) / C(n, k) = C(n−k, n−c) / C(n, n−c): either product is exact, the shorter one is quicker.
    let failures = attempts - passes;
    let (factors, top) = if k <= failures { (k, passes) } else { (failures, attempts - k) };
    let mut all = 1.0_f64;
    for drawn in 0..factors {
        all *= (top - drawn) as f64 / (attempts - drawn) as f64;
        if all == 0.0 {
            break;
        }
    }
    Ok(all)
}

/// A criterion for every problem and its mean over problems.
///
/// `attempts[i]` and `passes[i]` belong to problem `i`; the numbers of attempts may differ, the mean stays unbiased.
///
/// # Errors
/// [`StatError::TooFew`] without problems, [`StatError::Lengths`], and [`StatError::OutOfRange`] for any problem with
/// fewer than `k` attempts or more passes than attempts.
pub fn suite(attempts: &[u64], passes: &[u64], k: u64, criterion: Criterion) -> Result<SuiteEstimate> {
    same_length("attempts and passes", attempts.len(), passes.len())?;
    at_least("problems", 1, attempts.len())?;
    let estimate = match criterion {
        Criterion::AnyPasses => pass_at_k,
        Criterion::AllPass => pass_hat_k,
    };
    let per_problem: Vec<f64> = attempts.iter().zip(passes).map(|(&n, &c)| estimate(n, c, k)).collect::<Result<_>>()?;
    let mean = mean(&per_problem)?;
    Ok(SuiteEstimate { per_problem, mean })
}

impl SuiteEstimate {
    /// Interval for the mean over the population of problems: mean ± t(G−1) · s / √G, clipped to 0..1.
    ///
    /// Assumes the G problems are a sample of the problems one cares about and G is large enough for a normal mean
    /// (30 or so; see Miller 2024 on clustered evaluation error).
    ///
    /// # Errors
    /// [`StatError::TooFew`] under two problems, [`StatError::Undefined`] when all problems have the same estimate (a
    /// score interval on the number of problems is the honest answer there).
    pub fn t_interval(&self, alpha: Alpha) -> Result<Interval> {
        Ok(t_interval(&self.per_problem, alpha)?.clipped(0.0, 1.0))
    }

    /// Percentile bootstrap interval for the mean that resamples whole problems (the clusters) with replacement.
    ///
    /// The same assumptions as [`Self::t_interval`] but follows skew; the seed fixes the result on any number of threads.
    ///
    /// # Errors
    /// As [`Self::t_interval`], and [`StatError::TooFew`] under 100 resamples.
    pub fn bootstrap_interval(&self, resampling: Resampling, alpha: Alpha) -> Result<Interval> {
        let interval = mean_replicates(&self.per_problem, resampling)?.percentile(alpha)?;
        Ok(Interval { low: interval.low.min(self.mean), high: interval.high.max(self.mean) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The share of k-subsets of the attempts that contain a pass, and that contain only passes, by enumeration.
    fn enumerate(attempts: u32, passes: u32, k: u32) -> (f64, f64) {
        let passing = (1_u32 << passes) - 1;
        let (mut subsets, mut any, mut all) = (0, 0, 0);
        for subset in (0..1_u32 << attempts).filter(|subset| subset.count_ones() == k) {
            subsets += 1;
            any += u32::from(subset & passing != 0);
            all += u32::from(subset & passing == subset);
        }
        (f64::from(any) / f64::from(subsets), f64::from(all) / f64::from(subsets))
    }

    #[test]
    fn both_criteria_count_subsets() {
        for attempts in 1..=9_u32 {
            for passes in 0..=attempts {
                for k in 1..=attempts {
                    let (any, all) = enumerate(attempts, passes, k);
                    let (n, c, k) = (u64::from(attempts), u64::from(passes), u64::from(k));
                    assert!((pass_at_k(n, c, k).unwrap() - any).abs() < 1e-14, "pass@{k} of {c}/{n}");
                    assert!((pass_hat_k(n, c, k).unwrap() - all).abs() < 1e-14, "pass^{k} of {c}/{n}");
                }
            }
        }
    }

    #[test]
    fn huge_numbers_of_attempts_are_quick_and_keep_small_values() {
        assert_eq!(pass_at_k(1_000_000_000_000, 1, 1).unwrap(), 1e-12);
        assert!((pass_at_k(1_000_000_000, 500_000_000, 499_999_999).unwrap() - 1.0).abs() < 1e-15);
        assert!((pass_at_k(1_000_000, 3, 500_000).unwrap() - 0.875).abs() < 1e-6);
        assert_eq!(pass_hat_k(1_000_000_000, 999_999_999, 500_000_000).unwrap(), 0.5);
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert!(pass_at_k(5, 6, 1).is_err());
        assert!(pass_at_k(5, 2, 0).is_err());
        assert!(pass_at_k(5, 2, 6).is_err());
        assert!(pass_at_k(0, 0, 1).is_err());
        assert!(pass_hat_k(5, 2, 6).is_err());
        assert!(suite(&[], &[], 1, Criterion::AnyPasses).is_err());
        assert!(suite(&[5, 5], &[1], 1, Criterion::AnyPasses).is_err());
        assert!(suite(&[5, 2], &[1, 1], 3, Criterion::AnyPasses).is_err(), "one problem has too few attempts");
    }

    #[test]
    fn intervals_need_problems_that_differ() {
        let same = suite(&[5, 5, 5], &[5, 5, 5], 2, Criterion::AnyPasses).unwrap();
        assert!(matches!(same.t_interval(Alpha::FIVE_PERCENT), Err(StatError::Undefined(_))));
        assert!(matches!(
            same.bootstrap_interval(Resampling { replicates: 1000, seed: 1 }, Alpha::FIVE_PERCENT),
            Err(StatError::Undefined(_))
        ));
        let one = suite(&[5], &[2], 2, Criterion::AnyPasses).unwrap();
        assert!(matches!(one.t_interval(Alpha::FIVE_PERCENT), Err(StatError::TooFew { .. })));
        let fine = suite(&[5, 5], &[1, 4], 2, Criterion::AnyPasses).unwrap();
        assert!(fine.bootstrap_interval(Resampling { replicates: 10, seed: 1 }, Alpha::FIVE_PERCENT).is_err());
    }

    #[test]
    fn t_interval_is_the_textbook_one() {
        // Values 0.2, 0.4, 0.6: mean 0.4, s = 0.2, t(2; 0.975) = 4.302653; clipped at 0.
        let estimate = suite(&[5, 5, 5], &[1, 2, 3], 1, Criterion::AnyPasses).unwrap();
        let interval = estimate.t_interval(Alpha::FIVE_PERCENT).unwrap();
        assert_eq!(interval.low, 0.0);
        assert!((interval.high - (0.4 + 4.302_652_729_749_464 * 0.2 / 3.0_f64.sqrt())).abs() < 1e-9);
    }

    #[test]
    fn bootstrap_and_t_agree_on_many_problems() {
        let passes: Vec<u64> = (0..200).map(|i| (i * 7) % 11).collect();
        let estimate = suite(&[10; 200], &passes, 3, Criterion::AllPass).unwrap();
        let t = estimate.t_interval(Alpha::FIVE_PERCENT).unwrap();
        let bootstrap =
            estimate.bootstrap_interval(Resampling { replicates: 4000, seed: 7 }, Alpha::FIVE_PERCENT).unwrap();
        assert!((t.low - bootstrap.low).abs() < 0.1 * t.width(), "{t:?} {bootstrap:?}");
        assert!((t.high - bootstrap.high).abs() < 0.1 * t.width(), "{t:?} {bootstrap:?}");
        assert_eq!(
            bootstrap,
            estimate.bootstrap_interval(Resampling { replicates: 4000, seed: 7 }, Alpha::FIVE_PERCENT).unwrap()
        );
    }

    proptest! {
        #[test]
        fn more_draws_help_any_and_hurt_all(attempts in 2_u64..300, pass_share in 0.0..=1.0, k_share in 0.0..1.0) {
            let passes = (attempts as f64 * pass_share) as u64;
            let k = 1 + ((attempts - 1) as f64 * k_share) as u64;
            let any = pass_at_k(attempts, passes, k).unwrap();
            let all = pass_hat_k(attempts, passes, k).unwrap();
            prop_assert!((0.0..=1.0).contains(&any) && (0.0..=1.0).contains(&all) && all <= any + 1e-12);
            // "All fail" is pass^k of the failures, so the two criteria are complements of each other.
            let none = pass_hat_k(attempts, attempts - passes, k).unwrap();
            prop_assert!((any + none - 1.0).abs() < 1e-12);
            if k < attempts {
                prop_assert!(pass_at_k(attempts, passes, k + 1).unwrap() >= any - 1e-12);
                prop_assert!(pass_hat_k(attempts, passes, k + 1).unwrap() <= all + 1e-12);
            }
        }

        #[test]
        fn intervals_contain_the_mean(passes in prop::collection::vec(0_u64..=6, 3..20), seed in any::<u64>()) {
            prop_assume!(passes.iter().any(|&c| c != passes[0]));
            let estimate = suite(&vec![6; passes.len()], &passes, 1, Criterion::AnyPasses).unwrap();
            prop_assert!(estimate.t_interval(Alpha::FIVE_PERCENT).unwrap().contains(estimate.mean));
            let bootstrap = estimate.bootstrap_interval(Resampling { replicates: 200, seed }, Alpha::FIVE_PERCENT).unwrap();
            prop_assert!(bootstrap.contains(estimate.mean) && bootstrap.width() > 0.0);
        }
    }
}
