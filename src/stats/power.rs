//! How many items: sample size, power and smallest detectable difference.
//!
//! Power is the chance that a test at level alpha finds a difference that is really there. Sample sizes come back as
//! real numbers, so that they can be inverted and compared; [`whole_items`] rounds them up. All tests are two-sided at
//! `alpha` unless said otherwise; [`Alpha::two_sided_for_one_sided`] turns a one-sided level into the two-sided one.
//! For means see [`super::t_power`].

use super::error::{Result, StatError, in_unit_interval};
use super::interval::Alpha;
use super::special::{normal_cdf, normal_quantile};

/// Sample size of a comparison of two proportions, with two rules of thumb beside it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct TwoProportionSize {
    /// Items in each arm.
    pub per_arm: f64,
    /// 16·p(1−p)/Δ² with the mean p: items in each arm for 80 % power at alpha 0.05, roughly.
    pub rule_of_16: f64,
    /// 4·p(1−p)/Δ²: the n at which the 95 % interval of *one* proportion has half-width Δ. Much too few to compare two.
    pub rule_of_4: f64,
}

/// Pairs needed by McNemar's test according to two approximations.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct McNemarSize {
    /// Connor (1987), the more cautious one.
    pub connor: f64,
    /// Miettinen (1968).
    pub miettinen: f64,
}

/// Which way a proportion is to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To a larger proportion.
    Up,
    /// To a smaller proportion.
    Down,
}

/// The variances behind a paired comparison of two systems with several trials an item (Miller 2024).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialVariances {
    /// Variance over items of the difference of the two expected scores (`omega²`).
    pub between_items: f64,
    /// Mean variance of system A's score within an item (`sigma_A²`).
    pub within_a: f64,
    /// The same for system B.
    pub within_b: f64,
    /// Trials of system A an item.
    pub trials_a: u64,
    /// Trials of system B an item.
    pub trials_b: u64,
}

/// A sample size rounded up to whole items.
#[must_use]
pub fn whole_items(size: f64) -> u64 {
    libm::ceil(size) as u64
}

pub(super) fn check_size(items: f64, least: f64, range: &'static str) -> Result<()> {
    if items >= least && items.is_finite() {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what: "number of items", value: items, range })
    }
}

/// z at alpha/2 and at the power asked for.
fn critical_values(alpha: Alpha, power: f64) -> Result<(f64, f64)> {
    check_power(power)?;
    Ok((alpha.two_sided_z(), normal_quantile(power)))
}

pub(super) fn check_power(power: f64) -> Result<()> {
    if power > 0.0 && power < 1.0 {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what: "power", value: power, range: "(0, 1)" })
    }
}

/// `(z_alpha·null + z_beta·alternative)²`, the numerator of every normal-theory sample size.
fn squared_distance(null: f64, alternative: f64, alpha: Alpha, power: f64) -> Result<f64> {
    let (z_alpha, z_power) = critical_values(alpha, power)?;
    let distance = z_alpha * null + z_power * alternative;
    if distance > 0.0 {
        Ok(distance * distance)
    } else {
        Err(StatError::Undefined("any sample has more power than asked for"))
    }
}

/// `numerator / difference²`, refused where no finite sample is large enough.
fn over_squared(numerator: f64, difference: f64) -> Result<f64> {
    let size = numerator / (difference * difference);
    if size.is_finite() { Ok(size) } else { Err(StatError::Undefined("no sample is large enough for this difference")) }
}

/// Standard deviations of a difference of two proportions, times √n: under "equal" and as they are.
fn proportion_deviations(p_a: f64, p_b: f64) -> (f64, f64) {
    let mean = 0.5 * (p_a + p_b);
    (libm::sqrt(2.0 * mean * (1.0 - mean)), libm::sqrt(p_a * (1.0 - p_a) + p_b * (1.0 - p_b)))
}

/// Items in each arm to tell two proportions of *different* items apart.
///
/// ```text
/// n = (z_(α/2)·√(2p(1−p)) + z_β·√(p_A(1−p_A) + p_B(1−p_B)))² / (p_A − p_B)²,   p = (p_A + p_B)/2
/// ```
/// (Fleiss, Levin and Paik 2003, without continuity correction). The same items on both sides need fewer:
/// [`mcnemar_sample_size`].
///
/// ```
/// use evalgauge::stats::{Alpha, power::{two_proportion_sample_size, whole_items}};
/// // R: power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7.
/// let size = two_proportion_sample_size(0.50, 0.75, Alpha::FIVE_PERCENT, 0.90)?;
/// assert!((size.per_arm - 76.7).abs() < 0.05);
/// assert_eq!(whole_items(size.per_arm), 77);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for proportions outside 0..=1 or a power outside (0, 1), [`StatError::Undefined`] for
/// equal proportions or a power below what chance gives.
pub fn two_proportion_sample_size(p_a: f64, p_b: f64, alpha: Alpha, power: f64) -> Result<TwoProportionSize> {
    in_unit_interval("first proportion", p_a)?;
    in_unit_interval("second proportion", p_b)?;
    let difference = p_a - p_b;
    let (null, alternative) = proportion_deviations(p_a, p_b);
    let spread = 0.5 * null * null;
    Ok(TwoProportionSize {
        per_arm: over_squared(squared_distance(null, alternative, alpha, power)?, difference)?,
        rule_of_16: over_squared(16.0 * spread, difference)?,
        rule_of_4: over_squared(4.0 * spread, difference)?,
    })
}

/// Normal approximation without the far tail; `None` where neither arm varies.
fn proportion_power(p_a: f64, p_b: f64, per_arm: f64, z_alpha: f64) -> Option<f64> {
    let (null, alternative) = proportion_deviations(p_a, p_b);
    let excess = libm::sqrt(per_arm) * (p_a - p_b).abs() - z_alpha * null;
    if alternative > 0.0 {
        Some(normal_cdf(excess / alternative))
    } else {
        (null > 0.0).then_some(if excess > 0.0 { 1.0 } else { 0.0 })
    }
}

/// Power of the comparison of two proportions with `per_arm` items in each arm.
///
/// ```text
/// Φ((√n·|p_A − p_B| − z_(α/2)·√(2p(1−p))) / √(p_A(1−p_A) + p_B(1−p_B))),   p = (p_A + p_B)/2
/// ```
/// the inverse of [`two_proportion_sample_size`]; the chance to be significant in the wrong direction is left out.
///
/// ```
/// use evalgauge::stats::{Alpha, power::two_proportion_power};
/// // R: power.prop.test(n = 50, p1 = .50, p2 = .75) gives 0.740.
/// assert!((two_proportion_power(0.50, 0.75, 50, Alpha::FIVE_PERCENT)? - 0.740).abs() < 5e-4);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for proportions outside 0..=1 or no items, [`StatError::Undefined`] when both proportions
/// are 0 or both are 1.
pub fn two_proportion_power(p_a: f64, p_b: f64, per_arm: u64, alpha: Alpha) -> Result<f64> {
    in_unit_interval("first proportion", p_a)?;
    in_unit_interval("second proportion", p_b)?;
    let items = per_arm as f64;
    check_size(items, 1.0, "1..")?;
    let z_alpha = alpha.two_sided_z();
    proportion_power(p_a, p_b, items, z_alpha)
        .ok_or(StatError::Undefined("neither proportion varies, so there is nothing to test"))
}

/// Smallest difference from `p_base` that `per_arm` items in each arm find with the power asked for.
///
/// The inverse of [`two_proportion_power`] in the other proportion; positive in either direction.
///
/// ```
/// use evalgauge::stats::{Alpha, power::{Direction, two_proportion_mde}};
/// // R: power.prop.test(p1 = .50, power = .90, n = 50) gives p2 = 0.8026.
/// let mde = two_proportion_mde(0.50, 50, Alpha::FIVE_PERCENT, 0.90, Direction::Up)?;
/// assert!((mde - 0.3026).abs() < 5e-5);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for a proportion outside 0..=1, no items or a power outside (0, 1),
/// [`StatError::Undefined`] when no difference in that direction has the power asked for, or when a difference of zero
/// has it.
pub fn two_proportion_mde(p_base: f64, per_arm: u64, alpha: Alpha, power: f64, direction: Direction) -> Result<f64> {
    /// Power may fall again close to 0 and 1 where the target is below one half, hence a scan before the bisection.
    const SCAN: u32 = 400;
    in_unit_interval("base proportion", p_base)?;
    let items = per_arm as f64;
    check_size(items, 1.0, "1..")?;
    let (z_alpha, z_power) = critical_values(alpha, power)?;
    if z_power <= -z_alpha {
        return Err(StatError::Undefined("a difference of zero has the power asked for"));
    }
    let (room, sign) = match direction {
        Direction::Up => (1.0 - p_base, 1.0),
        Direction::Down => (p_base, -1.0),
    };
    let enough = |difference: f64| {
        let other = (p_base + sign * difference).clamp(0.0, 1.0);
        proportion_power(p_base, other, items, z_alpha).is_some_and(|reached| reached >= power)
    };
    let first = (1..=SCAN).map(|step| f64::from(step) / f64::from(SCAN) * room).find(|&difference| enough(difference));
    let high = first.ok_or(StatError::Undefined("no difference in this direction is found with that power"))?;
    Ok(boundary((high - room / f64::from(SCAN)).max(0.0), high, enough))
}

/// Where `enough` turns true between `low` (false) and `high` (true).
pub(super) fn boundary(mut low: f64, mut high: f64, enough: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high || high - low <= 1e-14 * high {
            return middle;
        }
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// Pairs that McNemar's test needs: the same items answered by two systems.
///
/// `p10` and `p01` are the expected shares of items that only the first, or only the second, system gets right. With
/// ψ = p10 + p01 and D = p10 − p01:
/// ```text
/// Connor (1987)     n = (z_(α/2)·√ψ + z_β·√(ψ − D²))² / D²
/// Miettinen (1968)  n = (z_(α/2)·ψ + z_β·√(ψ² − D²(3 + ψ)/4))² / (ψ·D²)
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for shares below 0 or with a sum above 1 or a power outside (0, 1),
/// [`StatError::Undefined`] for equal shares or a power below what chance gives.
pub fn mcnemar_sample_size(p10: f64, p01: f64, alpha: Alpha, power: f64) -> Result<McNemarSize> {
    in_unit_interval("share right only with the first", p10)?;
    in_unit_interval("share right only with the second", p01)?;
    let (discordant, difference) = (p10 + p01, p10 - p01);
    in_unit_interval("share of discordant pairs", discordant)?;
    let squared = difference * difference;
    let connor = squared_distance(libm::sqrt(discordant), libm::sqrt(discordant - squared), alpha, power)?;
    let conditional = (discordant * discordant - 0.25 * squared * (3.0 + discordant)).max(0.0);
    let miettinen = squared_distance(discordant, libm::sqrt(conditional), alpha, power)? / discordant;
    Ok(McNemarSize { connor: over_squared(connor, difference)?, miettinen: over_squared(miettinen, difference)? })
}

/// Smallest difference of two rates that McNemar's test finds with `pairs` pairs, a share `discordant` of which differ.
///
/// The inverse of [`mcnemar_sample_size`] by Connor's formula.
///
/// ```
/// use evalgauge::stats::{Alpha, power::{mcnemar_mde, mcnemar_sample_size, whole_items}};
/// let size = mcnemar_sample_size(0.15, 0.05, Alpha::FIVE_PERCENT, 0.80)?.connor;
/// let mde = mcnemar_mde(0.20, whole_items(size), Alpha::FIVE_PERCENT, 0.80)?;
/// assert!((mde - 0.10).abs() < 5e-4);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] for a share outside 0..=1, no pairs or a power outside (0, 1); [`StatError::Undefined`] when
/// not even differences that all fall the same way are found, or when a difference of zero has the power asked for.
pub fn mcnemar_mde(discordant: f64, pairs: u64, alpha: Alpha, power: f64) -> Result<f64> {
    in_unit_interval("share of discordant pairs", discordant)?;
    let items = pairs as f64;
    check_size(items, 1.0, "1..")?;
    let (z_alpha, z_power) = critical_values(alpha, power)?;
    if z_power <= -z_alpha {
        return Err(StatError::Undefined("a difference of zero has the power asked for"));
    }
    let enough = |difference: f64| {
        let less = 0.5 * (discordant - difference);
        mcnemar_sample_size(discordant - less, less, alpha, power).is_ok_and(|size| size.connor <= items)
    };
    if enough(discordant) {
        Ok(boundary(0.0, discordant, enough))
    } else {
        Err(StatError::Undefined("even if all discordant pairs fell the same way, so few would not show it"))
    }
}

impl TrialVariances {
    /// Variance of one item's contribution to the paired difference: `omega² + sigma_A²/K_A + sigma_B²/K_B`.
    fn per_item(&self) -> Result<f64> {
        let variances = [
            ("omega squared", self.between_items),
            ("sigma squared A", self.within_a),
            ("sigma squared B", self.within_b),
        ];
        for (what, value) in variances {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(StatError::OutOfRange { what, value, range: "[0, inf)" });
            }
        }
        for trials in [self.trials_a, self.trials_b] {
            if trials == 0 {
                return Err(StatError::OutOfRange { what: "trials an item", value: 0.0, range: "1.." });
            }
        }
        let variance = self.between_items + self.within_a / self.trials_a as f64 + self.within_b / self.trials_b as f64;
        if variance > 0.0 { Ok(variance) } else { Err(StatError::Undefined("nothing varies, so one item is enough")) }
    }

    /// Items needed to find a mean difference of `difference` (in units of the score).
    ///
    /// ```text
    /// n = (z_(α/2) + z_β)² · (ω² + σ_A²/K_A + σ_B²/K_B) / δ²
    /// ```
    /// (Miller 2024). More trials shrink only the σ² terms; what ω² asks for, only more items provide.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for negative variances, no trials, a power outside (0, 1) or a difference that is not
    /// finite; [`StatError::Undefined`] for a difference of zero, no variance, or a power below what chance gives.
    pub fn sample_size(&self, difference: f64, alpha: Alpha, power: f64) -> Result<f64> {
        let variance = self.per_item()?;
        if !difference.is_finite() {
            return Err(StatError::OutOfRange { what: "difference", value: difference, range: "the finite numbers" });
        }
        over_squared(squared_distance(1.0, 1.0, alpha, power)? * variance, difference)
    }

    /// Smallest mean difference that `items` items find with the power asked for, in units of the score.
    ///
    /// # Errors
    /// As [`Self::sample_size`]; [`StatError::OutOfRange`] without items.
    pub fn detectable_difference(&self, items: u64, alpha: Alpha, power: f64) -> Result<f64> {
        let variance = self.per_item()?;
        check_size(items as f64, 1.0, "1..")?;
        Ok(libm::sqrt(squared_distance(1.0, 1.0, alpha, power)? * variance / items as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALPHA: Alpha = Alpha::FIVE_PERCENT;

    #[test]
    fn the_smallest_visible_difference_needs_what_there_is() {
        for discordant in [0.05, 0.3, 1.0] {
            for pairs in [200, 2_000] {
                let mde = mcnemar_mde(discordant, pairs, ALPHA, 0.8).unwrap();
                let less = 0.5 * (discordant - mde);
                let back = mcnemar_sample_size(discordant - less, less, ALPHA, 0.8).unwrap().connor;
                assert!((back / pairs as f64 - 1.0).abs() < 1e-9, "{discordant} {pairs}: {back}");
            }
        }
        assert!(mcnemar_mde(0.05, 10, ALPHA, 0.8).is_err(), "too few to see even losses only");
        for (discordant, pairs, power) in [(1.1, 100, 0.8), (0.2, 0, 0.8), (0.2, 100, 1.0), (0.2, 100, 0.01)] {
            assert!(mcnemar_mde(discordant, pairs, ALPHA, power).is_err(), "{discordant} {pairs} {power}");
        }
    }

    #[test]
    fn an_impossible_comparison_has_no_size() {
        assert!(matches!(two_proportion_sample_size(0.5, 0.5, ALPHA, 0.8), Err(StatError::Undefined(_))));
        assert!(two_proportion_sample_size(1e-170, 0.0, ALPHA, 0.8).is_err(), "more items than a number can hold");
        assert!(two_proportion_sample_size(0.5, 1.1, ALPHA, 0.8).is_err());
        assert!(two_proportion_sample_size(0.5, f64::NAN, ALPHA, 0.8).is_err());
        for power in [0.0, 1.0, f64::NAN, 0.01] {
            assert!(two_proportion_sample_size(0.5, 0.6, ALPHA, power).is_err(), "{power}");
        }
        assert!(two_proportion_power(0.0, 0.0, 100, ALPHA).is_err());
        assert!(two_proportion_power(0.5, 0.6, 0, ALPHA).is_err());
        assert_eq!(two_proportion_power(0.0, 1.0, 100, ALPHA).unwrap(), 1.0);
        // Without a difference, significance in one direction has half of alpha.
        assert!((two_proportion_power(0.3, 0.3, 100, ALPHA).unwrap() - 0.025).abs() < 1e-12);
    }

    #[test]
    fn the_smallest_difference_is_bounded_by_the_room_there_is() {
        assert!(matches!(two_proportion_mde(0.99, 50, ALPHA, 0.8, Direction::Up), Err(StatError::Undefined(_))));
        assert!(matches!(two_proportion_mde(1.0, 50, ALPHA, 0.8, Direction::Up), Err(StatError::Undefined(_))));
        assert!(two_proportion_mde(0.5, 50, ALPHA, 0.02, Direction::Up).is_err());
        let up = two_proportion_mde(0.3, 100, ALPHA, 0.8, Direction::Up).unwrap();
        let down = two_proportion_mde(0.7, 100, ALPHA, 0.8, Direction::Down).unwrap();
        assert!((up - down).abs() < 1e-12, "the two directions mirror each other");
        assert!(two_proportion_mde(0.0, 100, ALPHA, 0.8, Direction::Up).unwrap() > 0.0);
    }

    /// The chance that |b − c| / √(b + c) exceeds the critical value, by enumeration of all discordant counts.
    fn exact_mcnemar_power(pairs: u32, p10: f64, p01: f64) -> f64 {
        let critical = -normal_quantile(0.025);
        let ln_factorial: Vec<f64> = (0..=pairs)
            .scan(0.0, |sum, i| {
                *sum += f64::from(i.max(1)).ln();
                Some(*sum)
            })
            .collect();
        let mut power = 0.0;
        for b in 0..=pairs {
            for c in 0..=pairs - b {
                if f64::from(b.abs_diff(c)) > critical * f64::from(b + c).sqrt() {
                    let rest = pairs - b - c;
                    let ways = ln_factorial[pairs as usize]
                        - ln_factorial[b as usize]
                        - ln_factorial[c as usize]
                        - ln_factorial[rest as usize];
                    let logs =
                        f64::from(b) * p10.ln() + f64::from(c) * p01.ln() + f64::from(rest) * (1.0 - p10 - p01).ln();
                    power += (ways + logs).exp();
                }
            }
        }
        power
    }

    #[test]
    fn mcnemar_sizes_reach_their_power() {
        for (p10, p01) in [(0.1, 0.05), (0.15, 0.05), (0.3, 0.15)] {
            let size = mcnemar_sample_size(p10, p01, ALPHA, 0.8).unwrap();
            assert!(size.miettinen <= size.connor);
            for pairs in [size.connor, size.miettinen] {
                let power = exact_mcnemar_power(whole_items(pairs) as u32, p10, p01);
                assert!((power - 0.8).abs() < 0.03, "{p10} {p01} {pairs}: {power}");
            }
        }
    }

    #[test]
    fn mcnemar_refuses_shares_that_are_none() {
        assert!(matches!(mcnemar_sample_size(0.1, 0.1, ALPHA, 0.8), Err(StatError::Undefined(_))));
        assert!(matches!(mcnemar_sample_size(0.0, 0.0, ALPHA, 0.8), Err(StatError::Undefined(_))));
        assert!(mcnemar_sample_size(0.6, 0.5, ALPHA, 0.8).is_err());
        assert!(mcnemar_sample_size(-0.1, 0.1, ALPHA, 0.8).is_err());
        assert!(mcnemar_sample_size(0.2, 0.1, ALPHA, 1.0).is_err());
        assert!(mcnemar_sample_size(1.0, 0.0, ALPHA, 0.8).unwrap().connor > 0.0);
    }

    #[test]
    fn more_trials_shrink_only_the_variance_within_items() {
        let variances = |trials| TrialVariances {
            between_items: 1.0 / 9.0,
            within_a: 1.0 / 6.0,
            within_b: 1.0 / 6.0,
            trials_a: trials,
            trials_b: trials,
        };
        let size = |trials| variances(trials).sample_size(0.03, ALPHA, 0.8).unwrap();
        // With ever more trials n tends to (1.96 + 0.84)² · (1/9) / 0.03² = 969.
        assert!((size(1_000_000) - 969.0).abs() < 0.5);
        assert!((size(1) / size(1_000_000) - 4.0).abs() < 1e-4);
        let mde = variances(3).detectable_difference(1000, ALPHA, 0.8).unwrap();
        assert!((variances(3).sample_size(mde, ALPHA, 0.8).unwrap() - 1000.0).abs() < 1e-6);
        assert!(variances(0).sample_size(0.03, ALPHA, 0.8).is_err());
        assert!(variances(1).sample_size(0.0, ALPHA, 0.8).is_err());
        assert!(variances(1).sample_size(f64::NAN, ALPHA, 0.8).is_err());
        assert!(variances(1).detectable_difference(0, ALPHA, 0.8).is_err());
        let none = TrialVariances { between_items: 0.0, within_a: 0.0, within_b: 0.0, trials_a: 1, trials_b: 1 };
        assert!(none.sample_size(0.1, ALPHA, 0.8).is_err());
        let negative = TrialVariances { within_a: -0.1, ..none };
        assert!(negative.sample_size(0.1, ALPHA, 0.8).is_err());
    }

    proptest! {
        #[test]
        fn power_size_and_difference_invert_each_other(
            p in 0.02..0.9, shift in 0.02..0.5, power in 0.3..0.99, alpha in 0.001..0.2,
        ) {
            let (alpha, other) = (Alpha::new(alpha).unwrap(), f64::min(p + shift, 1.0));
            let size = two_proportion_sample_size(p, other, alpha, power).unwrap();
            let items = whole_items(size.per_arm).max(1);
            prop_assert!(two_proportion_power(p, other, items, alpha).unwrap() >= power - 1e-9);
            if items > 2 && power > 0.5 {
                prop_assert!(two_proportion_power(p, other, items - 1, alpha).unwrap() < power);
                let mde = two_proportion_mde(p, items, alpha, power, Direction::Up).unwrap();
                prop_assert!(mde <= other - p + 1e-9);
                let again = two_proportion_sample_size(p, p + mde, alpha, power).unwrap();
                prop_assert!((again.per_arm / items as f64 - 1.0).abs() < 1e-6);
            }
            let swapped = two_proportion_sample_size(other, p, alpha, power).unwrap();
            prop_assert!((swapped.per_arm / size.per_arm - 1.0).abs() < 1e-12);
        }
    }
}
