//! Randomness with a name: every draw comes from xoshiro256++ in a stream fixed by (seed, index).

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The generator of every simulation in this crate; its name is printed beside each seeded result.
pub type Stream = Xoshiro256PlusPlus;

/// The algorithm's name as reports print it.
pub const ALGORITHM: &str = "xoshiro256++";

/// The stream of replicate `index` under `seed`.
///
/// Each replicate has a stream of its own, so the bits do not depend on how replicates are spread over threads.
#[must_use]
pub fn stream(seed: u64, index: u64) -> Stream {
    // SplitMix64's finaliser decorrelates neighbouring (seed, index) pairs before the generator expands them again.
    let mut z = seed ^ index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Stream::seed_from_u64(z ^ (z >> 31))
}

/// A uniform number in `[0, 1)` on the grid of 2⁻⁵³.
pub fn uniform(rng: &mut Stream) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A uniform index below `n`, unbiased (Lemire 2019); 0 for `n = 0`.
pub fn index_below(n: usize, rng: &mut Stream) -> usize {
    let n = n as u64;
    let wide = |rng: &mut Stream| u128::from(rng.next_u64()) * u128::from(n);
    let mut product = wide(rng);
    if (product as u64) < n {
        let threshold = n.wrapping_neg() % n;
        while (product as u64) < threshold {
            product = wide(rng);
        }
    }
    (product >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_for_good() {
        // Stored seeds must give the same numbers in every version of this crate.
        assert_eq!(
            [stream(1, 0).next_u64(), stream(1, 1).next_u64()],
            [2_012_775_937_921_775_851, 1_470_647_015_177_171_756]
        );
        assert_ne!(stream(2, 0).next_u64(), stream(1, 0).next_u64());
    }

    #[test]
    fn indices_are_uniform() {
        let mut rng = stream(5, 5);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[index_below(7, &mut rng)] += 1;
        }
        assert!(counts.iter().all(|&c| (f64::from(c) - 10_000.0).abs() < 500.0), "{counts:?}");
        assert_eq!([index_below(1, &mut rng), index_below(0, &mut rng)], [0, 0]);
    }

    #[test]
    fn uniform_numbers_fill_the_unit_interval() {
        let mut rng = stream(9, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| uniform(&mut rng)).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        assert!((draws.iter().sum::<f64>() / 20_000.0 - 0.5).abs() < 0.01);
    }
}
