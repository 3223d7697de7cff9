//! Sign-flip permutation test of paired differences.

use rand::Rng;
use rayon::prelude::*;

use crate::stats::error::{Result, StatError, at_least, finite_sample};
use crate::stats::p_value::{monte_carlo_p, p_value};
use crate::stats::rng::{Stream, stream};

/// Most non-zero differences for which [`paired_permutation_exact`] goes through all sign flips.
pub const MAX_EXACT_PAIRS: usize = 40;

/// Draws that share one set of partial sums; also the unit of parallel work, so it may not depend on the machine.
const CHUNK: u64 = 1024;

/// Sums of flipped differences within this share of Σ|d| of the observed one count as equal to it: rounding must not
/// decide about ties.
const TIE_TOLERANCE: f64 = 1e-12;

/// A Monte Carlo permutation test.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PermutationTest {
    /// Observed mean difference.
    pub mean_difference: f64,
    /// Two-sided p-value `(b + 1) / (draws + 1)`, b draws at least as far from 0 as the observed mean.
    pub p: f64,
    /// How many sign patterns were drawn.
    pub draws: u64,
}

/// The size that a flipped sum must reach to count.
fn threshold(differences: &[f64]) -> f64 {
    let observed: f64 = differences.iter().sum();
    let scale: f64 = differences.iter().map(|d| d.abs()).sum();
    TIE_TOLERANCE.mul_add(-scale, observed.abs())
}

/// Paired permutation test of the mean difference (Fisher 1935) by random sign flips.
///
/// H0: each difference is as likely to be `d` as `−d` (the two sides are exchangeable within each item). The items must
/// be independent. One draw flips all differences at random; draw i takes its signs from stream i of `seed`, so the
/// result is the same on any number of threads.
///
/// # Errors
/// [`StatError::TooFew`] for no differences or no draws, [`StatError::OutOfRange`] for values that are not finite.
pub fn paired_permutation(differences: &[f64], draws: u64, seed: u64) -> Result<PermutationTest> {
    finite_sample("differences", differences)?;
    at_least("draws", 1, draws as usize)?;
    let n = differences.len() as f64;
    let mean_difference = differences.iter().sum::<f64>() / n;
    // A zero flipped is a zero: it can be left out.
    let moving: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let threshold = threshold(&moving);
    let reached: u64 = (0..draws.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| reached_in_chunk(&moving, threshold, seed, chunk * CHUNK..draws.min((chunk + 1) * CHUNK)))
        .sum();
    Ok(PermutationTest { mean_difference, p: monte_carlo_p(reached, draws), draws })
}

/// How many of these draws reach `threshold`.
///
/// Signs come 64 at a time as the bits of a word; the sum over 8 differences for each of their 256 sign patterns is
/// looked up in a table, which all draws of the chunk share.
fn reached_in_chunk(differences: &[f64], threshold: f64, seed: u64, draws: std::ops::Range<u64>) -> u64 {
    let mut streams: Vec<Stream> = draws.map(|draw| stream(seed, draw)).collect();
    let mut sums = vec![0.0; streams.len()];
    let mut tables = vec![[0.0; 256]; 8];
    for word in differences.chunks(64) {
        for (table, block) in tables.iter_mut().zip(word.chunks(8).chain(std::iter::repeat(&[][..]))) {
            fill_table(table, block);
        }
        for (sum, stream) in sums.iter_mut().zip(&mut streams) {
            let signs = stream.next_u64().to_le_bytes();
            *sum += tables.iter().zip(signs).map(|(table, byte)| table[usize::from(byte)]).sum::<f64>();
        }
    }
    sums.into_iter().filter(|sum| sum.abs() >= threshold).count() as u64
}

/// `table[bits]` becomes Σ ±d over `block`, plus where the bit is set.
fn fill_table(table: &mut [f64; 256], block: &[f64]) {
    table[0] = -block.iter().sum::<f64>();
    for bit in 0..8 {
        let twice = 2.0 * block.get(bit).copied().unwrap_or(0.0);
        let (known, next) = table.split_at_mut(1 << bit);
        for (to, from) in next.iter_mut().zip(known) {
            *to = *from + twice;
        }
    }
}

/// Paired permutation test of the mean difference over all 2ⁿ sign flips; two-sided p-value.
///
/// The sums of either half of the differences are sorted and matched, so the work grows with 2^(n/2).
///
/// ```
/// use evalgauge::stats::nonparametric::paired_permutation_exact;
/// assert_eq!(paired_permutation_exact(&[1.0, 1.5, 1.9, 2.2, 3.0])?, 0.0625); // 2 of 32
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no differences, [`StatError::OutOfRange`] for values that are not finite or more than
/// [`MAX_EXACT_PAIRS`] that are not zero.
pub fn paired_permutation_exact(differences: &[f64]) -> Result<f64> {
    finite_sample("differences", differences)?;
    let moving: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if moving.len() > MAX_EXACT_PAIRS {
        return Err(StatError::OutOfRange {
            what: "number of differences that are not zero",
            value: moving.len() as f64,
            range: "0 to 40",
        });
    }
    let threshold = threshold(&moving);
    if threshold <= 0.0 {
        return Ok(1.0);
    }
    let (left, right) = moving.split_at(moving.len() / 2);
    let (left, right) = (sorted_flips(left), sorted_flips(right));
    // Flipping everything maps the upper tail on the lower one: count the upper and double it.
    let mut first = right.len();
    let mut reached = 0_u64;
    for sum in left {
        while first > 0 && sum + right[first - 1] >= threshold {
            first -= 1;
        }
        reached += (right.len() - first) as u64;
    }
    let flips = libm::ldexp(1.0, moving.len() as i32);
    Ok(p_value(2.0 * reached as f64 / flips))
}

/// The sums of all sign flips, ascending.
fn sorted_flips(differences: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for d in differences {
        let (plus, minus): (Vec<f64>, Vec<f64>) = sums.iter().map(|sum| (sum + d, sum - d)).unzip();
        sums = plus;
        sums.extend(minus);
    }
    sums.sort_unstable_by(f64::total_cmp);
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Fisher (1935), section 21, after Darwin: of 32,768 sums 1,726 are at least as far from 0 as 314.
    #[test]
    fn darwins_maize_as_published() {
        let eighths = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
        assert_eq!(paired_permutation_exact(&eighths), Ok(1726.0 / 32_768.0));
        let drawn = paired_permutation(&eighths, 200_000, 7).unwrap();
        assert!((drawn.p - 1726.0 / 32_768.0).abs() < 4.0 * (0.0527_f64 * 0.9473 / 200_000.0).sqrt());
    }

    #[test]
    fn no_difference_is_no_evidence() {
        assert_eq!(paired_permutation_exact(&[0.0; 5]), Ok(1.0));
        assert_eq!(paired_permutation_exact(&[1.0, -1.0]), Ok(1.0));
        assert_eq!(paired_permutation(&[0.0; 5], 99, 1).unwrap().p, 1.0);
    }

    #[test]
    fn the_seed_decides_not_the_threads() {
        let d: Vec<f64> = (0..200).map(|i| f64::from(i % 13) - 5.5).collect();
        let run = || paired_permutation(&d, 5000, 42).unwrap();
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(single.install(run), run());
        assert_ne!(run().p, paired_permutation(&d, 5000, 43).unwrap().p);
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(paired_permutation(&[], 99, 1).is_err());
        assert!(paired_permutation(&[1.0], 0, 1).is_err());
        assert!(paired_permutation(&[f64::INFINITY], 99, 1).is_err());
        assert!(paired_permutation_exact(&[1.0; 41]).is_err());
    }

    proptest! {
        #[test]
        fn matching_halves_equals_enumeration(d in prop::collection::vec(-4_i32..5, 1..11)) {
            let values: Vec<f64> = d.iter().map(|&v| f64::from(v) * 0.1).collect();
            let observed = d.iter().sum::<i32>().abs();
            let reached = (0..1_u32 << d.len()).filter(|bits| {
                let sum: i32 = d.iter().enumerate().map(|(i, v)| if bits >> i & 1 == 1 { *v } else { -v }).sum();
                sum.abs() >= observed
            }).count();
            let expected = reached as f64 / f64::from(1_u32 << d.len());
            prop_assert_eq!(paired_permutation_exact(&values), Ok(expected));
        }

        #[test]
        fn drawn_sums_follow_the_signs(d in prop::collection::vec(-4_i32..5, 1..90), seed in 0_u64..50) {
            let values: Vec<f64> = d.iter().map(|&v| f64::from(v)).filter(|v| *v != 0.0).collect();
            let observed = values.iter().sum::<f64>().abs();
            let reached = (0..30).filter(|&draw| {
                let mut signs = stream(seed, draw);
                let mut sum = 0.0;
                for word in values.chunks(64) {
                    let bits = signs.next_u64();
                    sum += word.iter().enumerate().map(|(i, v)| if bits >> i & 1 == 1 { *v } else { -v }).sum::<f64>();
                }
                sum.abs() >= observed
            }).count();
            let values: Vec<f64> = d.iter().map(|&v| f64::from(v)).collect();
            prop_assert_eq!(paired_permutation(&values, 30, seed).unwrap().p, (reached + 1) as f64 / 31.0);
        }
    }
}
