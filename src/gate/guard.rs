//! The second opinion on a rejected cell whose changes are graded.

use crate::compare::CellEvidence;
use crate::stats::bootstrap::{Resampling, studentized_mean};
use crate::stats::{Alpha, StatError};

/// Whether the fall of a cell holds without the symmetry that sign flips take for granted.
///
/// Many tiny losses and a few large gains leave the mean unchanged, yet nearly every sign says "worse": with graded scores,
/// or several trials, the flips alone fail such a neutral change too often. So the one-sided studentized bootstrap bound of
/// the mean change per block must lie below zero at the same level. With 0/1 scores of one trial all changes have one size
/// and the question does not arise.
///
/// Of an estimate over the whole corpus the percentile bound of its own bootstrap must lie below zero.
///
/// Blocks that all changed by exactly the same amount have no bootstrap; their fall is as plain as it can be.
pub(super) fn fall_holds(evidence: &CellEvidence, alpha: Alpha, seed: u64) -> bool {
    if evidence.table.is_some() {
        return true;
    }
    if evidence.corpus.is_some() {
        let bound = evidence.interval(alpha.two_sided_for_one_sided());
        return bound.is_some_and(|(interval, _)| interval.high < 0.0);
    }
    let unmoved = evidence.change.blocks() as usize - evidence.moved.len();
    let changes: Vec<f64> =
        evidence.moved.iter().map(|&(_, change)| change as f64).chain(std::iter::repeat_n(0.0, unmoved)).collect();
    match studentized_mean(&changes, Resampling::seeded(seed), alpha.two_sided_for_one_sided()) {
        Ok(bound) => bound.interval.high < 0.0,
        Err(StatError::Undefined(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::BlockMoments;

    fn evidence(changes: &[i64]) -> CellEvidence {
        let mut change = BlockMoments::default();
        for &c in changes {
            change.push(c as f64 / 100.0, 1.0);
        }
        let moved = changes.iter().enumerate().filter(|(_, c)| **c != 0).map(|(b, &c)| (b as u32, c)).collect();
        CellEvidence { change, moved, ..CellEvidence::default() }
    }

    #[test]
    fn many_tiny_losses_and_a_few_large_gains_are_no_fall() {
        let skewed: Vec<i64> = [vec![-1; 90], vec![8; 10]].concat();
        assert!(!fall_holds(&evidence(&skewed), Alpha::FIVE_PERCENT, 7));
        let fallen: Vec<i64> = (0..100).map(|i| -20 + i % 7).collect();
        assert!(fall_holds(&evidence(&fallen), Alpha::FIVE_PERCENT, 7));
        assert!(fall_holds(&evidence(&[-5; 20]), Alpha::FIVE_PERCENT, 7));
    }
}
