//! Tests that assume no distribution: signs, signed ranks, permutations, rank sums, empirical distribution functions.

mod kolmogorov;
mod permutation;
mod rank_sum;
mod signed_rank;
mod within_items;

pub use kolmogorov::{KolmogorovSmirnov, TieHandling};
pub use permutation::{MAX_EXACT_PAIRS, PermutationTest, paired_permutation, paired_permutation_exact};
pub use rank_sum::{MannWhitney, mann_whitney, mann_whitney_asymptotic, mann_whitney_exact};
pub use signed_rank::{
    RankTest, ZeroMethod, sign_test, sign_test_of, wilcoxon_signed_rank, wilcoxon_signed_rank_exact,
};
pub use within_items::{WithinItems, within_items};

/// Whether a discrete statistic is moved half a step towards its expectation before the normal approximation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// Moved by one half.
    Corrected,
    /// Taken as it is.
    Uncorrected,
}
