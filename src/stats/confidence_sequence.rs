//! Confidence sequences: intervals for the mean of bounded observations that hold at all sample sizes together.
//!
//! All three assume observations in [0, 1] with a common conditional mean, and nothing else; the interval after n
//! observations may be looked at after every one of them. Each interval is the intersection with those before it. An
//! intersection that would be empty (the mean has moved) leaves the interval as it was.

use super::error::{Result, StatError, all_in_unit_interval, at_least, in_unit_interval};
use super::interval::{Alpha, Interval};

/// Bets are kept to this share of the largest that cannot lose everything.
const TRUNCATION: f64 = 0.5;
/// Largest bet of the empirical Bernstein sequence.
const EMPIRICAL_BERNSTEIN_CAP: f64 = 0.5;
/// Largest bet of the Hoeffding sequence.
const HOEFFDING_CAP: f64 = 1.0;
/// Most steps of the grid of candidate means.
const MAX_GRID: usize = 1_000_000;

fn check(values: &[f64]) -> Result<()> {
    at_least("observations", 1, values.len())?;
    all_in_unit_interval("observation", values)
}

/// The predictable plug-in bets of Waudby-Smith & Ramdas (2023), section 3.2, before truncation:
/// `λₜ = √(2 ln(1/α) / (σ̂²ₜ₋₁ t ln(1 + t)))`, where σ̂² starts at 1/4 and shrinks towards it by one made-up observation.
fn bets(values: &[f64], alpha: f64) -> Vec<f64> {
    let numerator = -2.0 * libm::log(alpha);
    let (mut sum, mut squares, mut variance) = (0.5, 0.25, 0.25);
    let bet = |(index, x): (usize, &f64)| {
        let t = (index + 1) as f64;
        let lambda = libm::sqrt(numerator / (t * libm::log1p(t) * variance));
        sum += x;
        let mean = (sum / (t + 1.0)).min(1.0);
        squares += (x - mean) * (x - mean);
        variance = squares / (t + 1.0);
        lambda
    };
    values.iter().enumerate().map(bet).collect()
}

/// The capital of two gamblers who bet against the mean `m`, one on larger, one on smaller observations, each with half
/// of the stake: the larger of the two after each observation.
#[derive(Debug, Clone)]
struct Gamblers {
    m: f64,
    /// Largest bets on larger and on smaller observations.
    caps: (f64, f64),
    capital: (f64, f64),
}

impl Gamblers {
    fn against(m: f64) -> Self {
        // At m = 0 or 1 a bet on the only possible side cannot lose: the cap is infinite.
        Self { m, caps: (TRUNCATION / m, TRUNCATION / (1.0 - m)), capital: (0.5, 0.5) }
    }

    fn observe(&mut self, x: f64, bet: f64) -> f64 {
        let surprise = x - self.m;
        self.capital.0 *= bet.min(self.caps.0).mul_add(surprise, 1.0);
        self.capital.1 *= (-bet.min(self.caps.1)).mul_add(surprise, 1.0);
        self.capital.0.max(self.capital.1)
    }
}

/// The capital, from 1/2, that bets against the mean `m` have earned after each observation: above `1/α` at any time, m
/// is refuted at level α.
///
/// Under a true mean m the expected capital never exceeds the stake (Ville 1939). Values too large for a double are
/// reported as the largest.
///
/// # Errors
/// [`StatError::TooFew`] for no observations, [`StatError::OutOfRange`] for an observation or m outside [0, 1].
pub fn betting_capital(values: &[f64], m: f64, alpha: Alpha) -> Result<Vec<f64>> {
    check(values)?;
    in_unit_interval("candidate mean", m)?;
    let mut gamblers = Gamblers::against(m);
    let bets = bets(values, alpha.get() / 2.0);
    Ok(values.iter().zip(bets).map(|(x, bet)| gamblers.observe(*x, bet).min(f64::MAX)).collect())
}

/// Hedged-capital betting confidence sequence (Waudby-Smith & Ramdas 2023, theorem 3): after each observation the means
/// against which nobody has earned `1/α`.
///
/// Candidates lie on a grid of `grid` steps; either end is moved out by one step, so the grid costs precision, never
/// coverage. O(n · grid).
///
/// ```
/// use evalgauge::stats::Alpha;
/// use evalgauge::stats::confidence_sequence::betting;
/// let passes: Vec<f64> = (0..200).map(|i| if i % 10 == 0 { 0.0 } else { 1.0 }).collect();
/// let last = betting(&passes, Alpha::FIVE_PERCENT, 1000)?[199];
/// assert!(last.low > 0.8 && last.contains(0.9) && last.high < 0.97);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no observations, [`StatError::OutOfRange`] for an observation outside [0, 1] or a grid of
/// less than 2 or more than 1,000,000 steps.
pub fn betting(values: &[f64], alpha: Alpha, grid: usize) -> Result<Vec<Interval>> {
    check(values)?;
    if !(2..=MAX_GRID).contains(&grid) {
        return Err(StatError::OutOfRange { what: "grid", value: grid as f64, range: "2 to 1000000" });
    }
    let steps = grid as f64;
    let mut candidates: Vec<Gamblers> = (0..=grid).map(|i| Gamblers::against(i as f64 / steps)).collect();
    let mut refuted = vec![false; candidates.len()];
    let threshold = 1.0 / alpha.get();
    let mut running = Running::new();
    let bets = bets(values, alpha.get() / 2.0);
    let observe = |(&x, bet): (&f64, f64)| {
        for (candidate, refuted) in candidates.iter_mut().zip(&mut refuted) {
            *refuted = candidate.observe(x, bet) > threshold;
        }
        let first = refuted.iter().position(|refuted| !refuted);
        let last = refuted.iter().rposition(|refuted| !refuted);
        if let (Some(first), Some(last)) = (first, last) {
            running.intersect((first as f64 - 1.0) / steps, (last as f64 + 1.0) / steps);
        }
        running.interval
    };
    Ok(values.iter().zip(bets).map(observe).collect())
}

/// Empirical Bernstein confidence sequence with predictable plug-in bets (Waudby-Smith & Ramdas 2023, theorem 2):
/// closed form, wider than [`betting`].
///
/// # Errors
/// [`StatError::TooFew`] for no observations, [`StatError::OutOfRange`] for an observation outside [0, 1].
pub fn empirical_bernstein(values: &[f64], alpha: Alpha) -> Result<Vec<Interval>> {
    let psi = |bet: f64, surprise: f64| surprise * surprise * (-libm::log1p(-bet) - bet);
    two_sided(
        values,
        alpha,
        |side, alpha| bets(side, alpha).into_iter().map(|bet| bet.min(EMPIRICAL_BERNSTEIN_CAP)).collect(),
        psi,
    )
}

/// Hoeffding confidence sequence with predictable bets (Waudby-Smith & Ramdas 2023, proposition 1): blind to the
/// variance, so widest where that is small.
///
/// # Errors
/// [`StatError::TooFew`] for no observations, [`StatError::OutOfRange`] for an observation outside [0, 1].
pub fn hoeffding(values: &[f64], alpha: Alpha) -> Result<Vec<Interval>> {
    let bets = |side: &[f64], alpha: f64| {
        let numerator = -8.0 * libm::log(alpha);
        let bet = |t: f64| libm::sqrt(numerator / (t * libm::log1p(t))).min(HOEFFDING_CAP);
        (1..=side.len()).map(|t| bet(t as f64)).collect()
    };
    two_sided(values, alpha, bets, |bet, _| bet * bet / 8.0)
}

/// A lower sequence at α/2 for the observations and one for their complements; `psi` is what a bet costs, given the
/// bet and how far the observation was from the mean before it.
fn two_sided(
    values: &[f64],
    alpha: Alpha,
    bets: impl Fn(&[f64], f64) -> Vec<f64>,
    psi: impl Fn(f64, f64) -> f64,
) -> Result<Vec<Interval>> {
    check(values)?;
    let alpha = alpha.get() / 2.0;
    let lower = |side: &[f64]| -> Vec<f64> {
        let (mut weight, mut weighted, mut cost, mut sum) = (0.0, 0.0, -libm::log(alpha), 0.0);
        let bound = |(index, (x, bet)): (usize, (&f64, f64))| {
            let before = if index == 0 { 0.0 } else { sum / index as f64 };
            sum += x;
            weight += bet;
            weighted += bet * x;
            cost += psi(bet, x - before);
            (weighted - cost) / weight
        };
        side.iter().zip(bets(side, alpha)).enumerate().map(bound).collect()
    };
    let complements: Vec<f64> = values.iter().map(|x| 1.0 - x).collect();
    let mut running = Running::new();
    let bounds = lower(values).into_iter().zip(lower(&complements));
    let intersect = |(low, high): (f64, f64)| {
        running.intersect(low, 1.0 - high);
        running.interval
    };
    Ok(bounds.map(intersect).collect())
}

/// The intersection of all intervals so far.
struct Running {
    interval: Interval,
}

impl Running {
    fn new() -> Self {
        Self { interval: Interval::new(0.0, 1.0) }
    }

    fn intersect(&mut self, low: f64, high: f64) {
        let (low, high) = (self.interval.low.max(low), self.interval.high.min(high));
        if low < high {
            self.interval = Interval { low, high };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::stats::rng::stream;

    #[test]
    fn first_bets_by_hand() {
        // One observation of 1 against m = 1/2: the bet is cut to 1, the stake of 1/2 grows by half.
        assert_eq!(betting_capital(&[1.0], 0.5, Alpha::FIVE_PERCENT), Ok(vec![0.75]));
        // At m = 0 nothing can be lost, so any positive observation refutes it in the end.
        let capital = betting_capital(&[0.01; 400], 0.0, Alpha::FIVE_PERCENT).unwrap();
        assert!(capital.windows(2).all(|pair| pair[1] > pair[0]));
    }

    #[test]
    fn overflowing_capital_stays_a_number() {
        let capital = betting_capital(&vec![1.0; 9000], 0.1, Alpha::FIVE_PERCENT).unwrap();
        assert_eq!(capital[8999], f64::MAX);
        let last = betting(&vec![1.0; 3000], Alpha::FIVE_PERCENT, 100).unwrap()[2999];
        assert!(last.high == 1.0 && last.low > 0.97 && last.width() > 0.0);
    }

    #[test]
    fn a_moved_mean_leaves_the_last_interval() {
        let values: Vec<f64> = (0..4000).map(|i| f64::from(u8::from(i < 2000))).collect();
        for sequence in [
            betting(&values, Alpha::FIVE_PERCENT, 1000).unwrap(),
            empirical_bernstein(&values, Alpha::FIVE_PERCENT).unwrap(),
            hoeffding(&values, Alpha::FIVE_PERCENT).unwrap(),
        ] {
            assert!(sequence.iter().all(|interval| interval.width() > 0.0));
        }
    }

    #[test]
    fn observations_outside_the_unit_interval_are_refused() {
        for values in [&[][..], &[1.1], &[-0.1], &[f64::NAN]] {
            assert!(betting(values, Alpha::FIVE_PERCENT, 1000).is_err());
            assert!(empirical_bernstein(values, Alpha::FIVE_PERCENT).is_err());
            assert!(hoeffding(values, Alpha::FIVE_PERCENT).is_err());
            assert!(betting_capital(values, 0.5, Alpha::FIVE_PERCENT).is_err());
        }
        assert!(betting(&[0.5], Alpha::FIVE_PERCENT, 1).is_err());
        assert!(betting_capital(&[0.5], 1.5, Alpha::FIVE_PERCENT).is_err());
    }

    /// At most 5 % of sequences may ever miss the mean; 400 runs of 300 allow for chance.
    #[test]
    fn the_mean_is_covered_at_all_times() {
        let mut missed = [0; 3];
        for run in 0..400 {
            let mut random = stream(2023, run);
            let values: Vec<f64> = (0..300).map(|_| f64::from(u8::from(random.random::<f64>() < 0.85))).collect();
            let sequences = [
                betting(&values, Alpha::FIVE_PERCENT, 200).unwrap(),
                empirical_bernstein(&values, Alpha::FIVE_PERCENT).unwrap(),
                hoeffding(&values, Alpha::FIVE_PERCENT).unwrap(),
            ];
            for (count, sequence) in missed.iter_mut().zip(sequences) {
                *count += i32::from(!sequence[299].contains(0.85));
            }
        }
        assert!(missed.iter().all(|&count| count <= 33), "{missed:?}");
    }

    proptest! {
        #[test]
        fn sequences_shrink_and_mirror(values in prop::collection::vec(0.0_f64..=1.0, 1..80)) {
            let mirrored: Vec<f64> = values.iter().map(|x| 1.0 - x).collect();
            let grid = |v: &[f64], alpha| betting(v, alpha, 100);
            for sequence in [grid, empirical_bernstein, hoeffding] {
                let own = sequence(&values, Alpha::FIVE_PERCENT).unwrap();
                let other = sequence(&mirrored, Alpha::FIVE_PERCENT).unwrap();
                for (a, b) in own.iter().zip(&other) {
                    prop_assert!((a.low + b.high - 1.0).abs() < 0.011 && (a.high + b.low - 1.0).abs() < 0.011);
                }
                prop_assert!(own.windows(2).all(|pair| pair[1].low >= pair[0].low && pair[1].high <= pair[0].high));
                prop_assert!(own.iter().all(|interval| interval.width() > 0.0));
            }
        }
    }
}
