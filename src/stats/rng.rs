//! Randomness with a name: every draw comes from xoshiro256++ in a stream fixed by (seed, index).

use rand::SeedableRng;
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
