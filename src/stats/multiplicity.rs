//! Adjusted p-values for several tests made at once.
//!
//! Every function returns the adjusted values in the order of its input, each at least as large as the p it came from
//! and at most 1, so that "rejected at level α" is `adjusted <= α` ([`rejected`]).

use super::error::{Result, StatError, all_in_unit_interval, at_least, same_length};
use super::interval::Alpha;
use super::order::ascending;

/// A way to adjust p-values for multiplicity.
///
/// | variant | controls | needs |
/// | --- | --- | --- |
/// | `Bonferroni`, `Holm` | family-wise error | nothing |
/// | `Sidak`, `HolmSidak` | family-wise error | independence, or the positive dependence of Šidák's inequality |
/// | `Hochberg`, `Hommel` | family-wise error | independence, or the positive dependence of Simes' inequality |
/// | `BenjaminiHochberg` | false discovery rate | independence or positive regression dependence |
/// | `BenjaminiYekutieli` | false discovery rate | nothing |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adjustment {
    /// `m p` (Bonferroni; Dunn 1961).
    Bonferroni,
    /// `1 - (1 - p)^m` (Šidák 1967).
    Sidak,
    /// Step-down Bonferroni (Holm 1979).
    Holm,
    /// Step-down Šidák (Holland & Copenhaver 1987).
    HolmSidak,
    /// Step-up with Holm's constants (Hochberg 1988).
    Hochberg,
    /// Closed testing with Simes' test (Hommel 1988); never less powerful than Hochberg.
    Hommel,
    /// Step-up false discovery rate (Benjamini & Hochberg 1995).
    BenjaminiHochberg,
    /// The same under any dependence, dearer by `1 + 1/2 + … + 1/m` (Benjamini & Yekutieli 2001).
    BenjaminiYekutieli,
}

impl Adjustment {
    /// Every method, in the order of the table above.
    pub const ALL: [Self; 8] = [
        Self::Bonferroni,
        Self::Sidak,
        Self::Holm,
        Self::HolmSidak,
        Self::Hochberg,
        Self::Hommel,
        Self::BenjaminiHochberg,
        Self::BenjaminiYekutieli,
    ];

    /// The method as a report cites it.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Bonferroni => "Bonferroni",
            Self::Sidak => "Šidák 1967",
            Self::Holm => "Holm 1979",
            Self::HolmSidak => "Holland & Copenhaver 1987",
            Self::Hochberg => "Hochberg 1988",
            Self::Hommel => "Hommel 1988",
            Self::BenjaminiHochberg => "Benjamini & Hochberg 1995",
            Self::BenjaminiYekutieli => "Benjamini & Yekutieli 2001",
        }
    }
}

/// The p-values of a family of tests, adjusted with `method`, in input order.
///
/// A p of exactly 0 is accepted (and stays 0): an upstream test may have underflowed. `O(m log m)`; Hommel `O(m²)`.
///
/// ```
/// use evalgauge::stats::multiplicity::{Adjustment, adjust};
/// let adjusted = adjust(&[0.01, 0.04, 0.03], Adjustment::Holm)?;
/// assert!((adjusted[0] - 0.03).abs() < 1e-15 && (adjusted[1] - 0.06).abs() < 1e-15 && adjusted[1] == adjusted[2]);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] without any p; [`StatError::OutOfRange`] for a p outside `[0, 1]` or NaN.
pub fn adjust(p: &[f64], method: Adjustment) -> Result<Vec<f64>> {
    at_least("p-values", 1, p.len())?;
    all_in_unit_interval("p-value", p)?;
    let m = p.len() as f64;
    let order = ascending(p);
    Ok(match method {
        Adjustment::Bonferroni => p.iter().map(|&p| (m * p).min(1.0)).collect(),
        Adjustment::Sidak => p.iter().map(|&p| at_least_one(p, m)).collect(),
        Adjustment::Holm => step_down(p, &order, |rank, p| (m - rank as f64) * p),
        Adjustment::HolmSidak => step_down(p, &order, |rank, p| at_least_one(p, m - rank as f64)),
        Adjustment::Hochberg => step_up(p, &order, |rank, p| (m - rank as f64) * p),
        Adjustment::BenjaminiHochberg => step_up(p, &order, |rank, p| p * m / (rank + 1) as f64),
        Adjustment::BenjaminiYekutieli => {
            let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / i as f64).sum();
            step_up(p, &order, |rank, p| p * m * harmonic / (rank + 1) as f64)
        }
        Adjustment::Hommel => hommel(p, &order),
    })
}

/// Holm's step-down for discrete tests, in the manner of Tarone (1990): a test that could never have reached a p this
/// small costs the others nothing.
///
/// `smallest[i]` is the smallest p that test `i` could have given, whatever the data (for a sign test on `n` moved
/// pairs: `2^(1-n)`). At each step the p in question is multiplied by the number of remaining tests with
/// `smallest <= p` instead of by all that remain. Because `P(p_i <= x)` is 0 below `smallest[i]` and at most `x` above,
/// that product bounds the chance of any so small a p, is monotone in `p`, and so controls the family-wise error in the
/// strong sense under any dependence (the improvement of Hommel & Krummenauer 1998 on Tarone's constant). With
/// `smallest` all zero it is [`Adjustment::Holm`].
///
/// # Errors
/// [`StatError::TooFew`] without any p; [`StatError::Lengths`]; [`StatError::OutOfRange`] for a number outside `[0, 1]`
/// or a p below its own smallest attainable value.
pub fn tarone_holm(p: &[f64], smallest: &[f64]) -> Result<Vec<f64>> {
    at_least("p-values", 1, p.len())?;
    same_length("p-values and their smallest attainable values", p.len(), smallest.len())?;
    all_in_unit_interval("p-value", p)?;
    all_in_unit_interval("smallest attainable p-value", smallest)?;
    // A p computed by another route than its minimum may fall short of it in the last digits.
    if let Some((&p, _)) = p.iter().zip(smallest).find(|&(&p, &least)| p < least * (1.0 - 1e-9)) {
        return Err(StatError::OutOfRange { what: "p-value", value: p, range: "[smallest attainable p-value, 1]" });
    }
    let mut minima: Vec<f64> = p.iter().zip(smallest).map(|(&p, &least)| least.min(p)).collect();
    minima.sort_by(f64::total_cmp);
    Ok(step_down(p, &ascending(p), |rank, p| {
        // All `rank` tests already stepped over have minima at or below this p, so counting over all tests is enough.
        (minima.partition_point(|&least| least <= p) - rank) as f64 * p
    }))
}

/// Which adjusted p-values reject at `alpha`: `adjusted <= alpha`, with equality up to four units in the last place.
///
/// The slack keeps an exactly attained level rejected when the multiplication by `m` rounded up.
#[must_use]
pub fn rejected(adjusted: &[f64], alpha: Alpha) -> Vec<bool> {
    let level = alpha.get() * 4.0f64.mul_add(f64::EPSILON, 1.0);
    adjusted.iter().map(|&p| p <= level).collect()
}

/// `1 - (1 - p)^tests` without losing the digits of a small `p`.
fn at_least_one(p: f64, tests: f64) -> f64 {
    // One test alone must come back unchanged to the last bit: it may sit exactly on the level.
    if tests == 1.0 { p } else { -libm::expm1(tests * libm::log1p(-p)) }
}

/// Running maximum from the smallest p upward; `raised(rank, p)` is the single-step value, rank counted from 0.
fn step_down(p: &[f64], order: &[usize], raised: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut highest = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        highest = highest.max(raised(rank, p[i]).min(1.0));
        adjusted[i] = highest;
    }
    adjusted
}

/// Running minimum from the largest p downward.
fn step_up(p: &[f64], order: &[usize], raised: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut lowest = 1.0_f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        lowest = lowest.min(raised(rank, p[i]));
        adjusted[i] = lowest;
    }
    adjusted
}

/// Wright's (1992) algorithm for Hommel's adjusted values.
fn hommel(p: &[f64], order: &[usize]) -> Vec<f64> {
    let n = p.len();
    let sorted: Vec<f64> = order.iter().map(|&i| p[i]).collect();
    let simes = sorted.iter().enumerate().map(|(i, p)| n as f64 * p / (i + 1) as f64).fold(1.0, f64::min);
    let mut adjusted = vec![simes; n];
    for m in (2..n).rev() {
        let (head, tail) = sorted.split_at(n - m + 1);
        let tail_simes = tail.iter().enumerate().map(|(i, p)| m as f64 * p / (i + 2) as f64).fold(1.0, f64::min);
        // The last of the head sets the floor under everything after it.
        let floor = (m as f64 * head[n - m]).min(tail_simes);
        for (value, p) in adjusted.iter_mut().zip(head) {
            *value = value.max((m as f64 * p).min(tail_simes));
        }
        for value in &mut adjusted[n - m + 1..] {
            *value = value.max(floor);
        }
    }
    let mut in_input_order = vec![0.0; n];
    for ((&i, value), p) in order.iter().zip(adjusted).zip(sorted) {
        in_input_order[i] = value.max(p).min(1.0);
    }
    in_input_order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The fifteen p-values of Benjamini & Hochberg (1995), section 4.
    const CARDIAC: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.0000,
    ];

    fn count(method: Adjustment) -> usize {
        rejected(&adjust(&CARDIAC, method).unwrap(), Alpha::FIVE_PERCENT).iter().filter(|&&r| r).count()
    }

    #[test]
    fn benjamini_and_hochberg_reject_four_and_bonferroni_three() {
        assert_eq!((count(Adjustment::Bonferroni), count(Adjustment::Hochberg)), (3, 3));
        assert_eq!(count(Adjustment::BenjaminiHochberg), 4);
    }

    #[test]
    fn refuses_what_is_no_probability() {
        for bad in [&[][..], &[0.1, 1.2], &[-0.1], &[f64::NAN]] {
            for method in Adjustment::ALL {
                assert!(adjust(bad, method).is_err(), "{bad:?}");
            }
            assert!(tarone_holm(bad, bad).is_err());
        }
        assert!(tarone_holm(&[0.1, 0.2], &[0.1]).is_err());
        assert!(tarone_holm(&[0.1], &[0.2]).is_err());
    }

    #[test]
    fn an_exactly_attained_level_rejects() {
        // 3 × 0.1 rounds to just above 0.3.
        let adjusted = adjust(&[0.1, 0.5, 0.9], Adjustment::Bonferroni).unwrap();
        assert!(adjusted[0] > 0.3);
        assert!(rejected(&adjusted, Alpha::new(0.3).unwrap())[0]);
        assert!(!rejected(&[0.300_000_1], Alpha::new(0.3).unwrap())[0]);
    }

    #[test]
    fn tests_that_cannot_matter_cost_nothing() {
        // Three of five tests cannot go below 0.25: the smallest p is multiplied by two, not by five.
        let adjusted = tarone_holm(&[0.02, 0.04, 0.5, 0.25, 1.0], &[0.001, 0.001, 0.25, 0.25, 0.5]).unwrap();
        assert!((adjusted[0] - 0.04).abs() < 1e-15 && (adjusted[1] - 0.04).abs() < 1e-15, "{adjusted:?}");
        assert!(adjusted[3] > 0.25 && adjusted[4] == 1.0);
    }

    fn family() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![0.0..=1.0_f64, 0.0..0.05_f64], 1..40)
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_never_shrink(p in family()) {
            for method in Adjustment::ALL {
                let adjusted = adjust(&p, method).unwrap();
                for i in 0..p.len() {
                    prop_assert!(adjusted[i] >= p[i] * (1.0 - 1e-12) && adjusted[i] <= 1.0);
                    for j in 0..p.len() {
                        prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j] * (1.0 + 1e-12), "{:?}", method);
                    }
                }
            }
        }

        #[test]
        fn the_known_order_of_power_holds(p in family()) {
            let by = |method| adjust(&p, method).unwrap();
            let (bonferroni, holm, hochberg) = (by(Adjustment::Bonferroni), by(Adjustment::Holm), by(Adjustment::Hochberg));
            let (hommel, bh) = (by(Adjustment::Hommel), by(Adjustment::BenjaminiHochberg));
            let slack = 1.0 + 1e-12;
            for i in 0..p.len() {
                prop_assert!(holm[i] <= bonferroni[i] * slack && hochberg[i] <= holm[i] * slack);
                prop_assert!(hommel[i] <= hochberg[i] * slack && bh[i] <= hommel[i] * slack);
            }
        }

        #[test]
        fn input_order_does_not_matter(p in family()) {
            let reversed: Vec<f64> = p.iter().rev().copied().collect();
            for method in Adjustment::ALL {
                let mut other = adjust(&reversed, method).unwrap();
                other.reverse();
                prop_assert_eq!(adjust(&p, method).unwrap(), other);
            }
        }

        #[test]
        fn tarone_lies_between_p_and_holm(p in family()) {
            let holm = adjust(&p, Adjustment::Holm).unwrap();
            prop_assert_eq!(&tarone_holm(&p, &vec![0.0; p.len()]).unwrap(), &holm);
            let halves: Vec<f64> = p.iter().map(|p| p / 2.0).collect();
            for (i, value) in tarone_holm(&p, &halves).unwrap().into_iter().enumerate() {
                prop_assert!(value >= p[i] && value <= holm[i]);
            }
        }
    }
}
