//! The second opinion on a rejected cell whose changes are graded.

use super::bound::upper_bound;
use crate::compare::CellEvidence;
use crate::stats::Alpha;

/// Whether the fall of a cell holds without the symmetry that sign flips take for granted.
///
/// Many tiny losses and a few large gains leave the mean unchanged, yet nearly every sign says "worse": with graded scores,
/// or several trials, the flips alone fail such a neutral change far too often. So a bound that allows for skewness must lie
/// below zero (below minus the tolerance, where there is one) too, at the share of α that the cell has. With 0/1 scores of one trial all changes have one size and the
/// question does not arise.
///
/// Of an estimate over the whole corpus the percentile bound of its own bootstrap must lie below zero, at α.
pub(super) fn fall_holds(evidence: &CellEvidence, alpha: Alpha, share: f64, largest_gain: f64) -> bool {
    let least = -evidence.tolerance;
    // Shifted by a tolerance, changes of one size are of two.
    if evidence.table.is_some() && evidence.tolerance == 0.0 {
        return true;
    }
    if evidence.corpus.is_some() {
        let bound = evidence.interval(alpha.two_sided_for_one_sided());
        return bound.is_some_and(|(interval, _)| interval.high < least);
    }
    let level = Alpha::new(alpha.get() * share).unwrap_or(alpha);
    upper_bound(evidence, level, largest_gain).is_some_and(|high| high < least)
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

    fn holds(changes: &[i64], largest_gain: f64) -> bool {
        fall_holds(&evidence(changes), Alpha::FIVE_PERCENT, 0.06, largest_gain)
    }

    #[test]
    fn many_tiny_losses_and_a_few_large_gains_are_no_fall() {
        let skewed: Vec<i64> = [vec![-1; 90], vec![8; 10]].concat();
        assert!(!holds(&skewed, 0.08));
        let fallen: Vec<i64> = (0..100).map(|i| -20 + i % 7).collect();
        assert!(holds(&fallen, 0.08));
    }

    #[test]
    fn gains_that_were_not_drawn_are_allowed_for() {
        // Twenty examples that all lost 5 points: plain, unless one in ten gains 45 elsewhere and none was drawn here.
        assert!(holds(&[-5; 20], 0.0));
        assert!(!holds(&[-5; 20], 0.45));
        assert!(holds(&[-5; 200], 0.45));
    }

    #[test]
    fn a_smaller_share_asks_for_more() {
        let fallen: Vec<i64> = (0..60).map(|i| if i % 3 == 0 { 20 } else { -20 }).collect();
        let at = |share: f64| fall_holds(&evidence(&fallen), Alpha::FIVE_PERCENT, share, 0.2);
        assert!(at(1.0) && !at(0.01));
    }
}
