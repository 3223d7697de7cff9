//! The bound that a cell must clear to be called fine.

use crate::compare::CellEvidence;
use crate::stats::sign_flip::FEWEST_MOVED;
use crate::stats::{Alpha, BlockMoments};

/// The one-sided lower bound of the change for the better, on a 0..1 scale; `None` without data.
///
/// The smaller of two: the lower end of the interval as it is printed, and Johnson's (1978) t bound, which reaches further
/// down where a few large losses stand against no gains. Alone the first calls a cell fine too often: a deterministic
/// system of which one example in twenty breaks has no change at all in 30 examples 21 % of the time, in every trial.
pub(super) fn lower_bound(evidence: &CellEvidence, alpha: Alpha) -> Option<f64> {
    let both_sides = alpha.two_sided_for_one_sided();
    let (interval, _) = evidence.interval(both_sides)?;
    let bound = skewed_bound(evidence, both_sides).unwrap_or(interval.low);
    Some(interval.low.min(bound).max(-1.0))
}

fn skewed_bound(evidence: &CellEvidence, both_sides: Alpha) -> Option<f64> {
    let change = &evidence.change;
    let blocks = change.blocks() as f64;
    let size = change.size() / blocks;
    let sums = || evidence.moved.iter().map(|&(_, change)| change as f64);
    let whole_squares: f64 = sums().map(|sum| sum * sum).sum();
    // What one unit of the whole numbers is worth in changes of a block of mean size.
    let unit = if whole_squares > 0.0 { (change.sum_squares() / whole_squares).sqrt() / size } else { 0.0 };

    let moved = evidence.moved.len();
    let mut with_pair: BlockMoments = *change;
    let pseudo = if moved < FEWEST_MOVED {
        // Then the bound of n blocks without any change is ln(α)/n, as the exact binomial one: at 5 % the rule of three.
        -(0.5 * both_sides.get()).ln() / (2.0_f64.sqrt() * both_sides.two_sided_z())
    } else {
        let typical = unit * (whole_squares / moved as f64).sqrt();
        typical.max(1.0 / f64::from(evidence.trials.max(1)).sqrt()).min(1.0)
    };
    with_pair.push(pseudo * size, size);
    with_pair.push(-pseudo * size, size);
    let estimate = with_pair.estimate().ok()?;
    let t = both_sides.two_sided_t(estimate.df);

    let mean = unit * sums().sum::<f64>() / blocks;
    let moment = |power: i32| {
        let rest = (blocks - moved as f64) * (-mean).powi(power);
        (sums().map(|sum| (unit * sum - mean).powi(power)).sum::<f64>() + rest) / blocks
    };
    let spread = moment(2);
    let skew = if spread > 0.0 { moment(3) / (6.0 * spread * blocks) * (1.0 + 2.0 * t * t) } else { 0.0 };
    // Johnson's term would also raise the bound where there are a few large gains; that is not made use of.
    Some(estimate.mean - t * estimate.se + skew.min(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::paired::PairedTable;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;

    /// Ungrouped examples of which some moved, each by a whole number of tenths.
    fn evidence(n: u32, tenths: &[i64], trials: u32) -> CellEvidence {
        let mut change = BlockMoments::default();
        for block in 0..n as usize {
            change.push(tenths.get(block).map_or(0.0, |&tenths| tenths as f64 / 10.0), 1.0);
        }
        let moved = tenths.iter().enumerate().map(|(block, &tenths)| (block as u32, tenths)).collect();
        CellEvidence { change, moved, trials, ..CellEvidence::default() }
    }

    fn bound(evidence: &CellEvidence) -> f64 {
        lower_bound(evidence, FIVE).unwrap()
    }

    #[test]
    fn without_any_change_the_bound_is_the_exact_one() {
        // Of n examples none broke: (1 - p)^n = .05.
        for (n, trials) in [(30, 1), (30, 3), (100, 5)] {
            let exact = 0.05_f64.powf(f64::from(n).recip()) - 1.0;
            let bound = bound(&evidence(n, &[], trials));
            assert!(bound < exact && bound > 1.1 * exact, "{bound} against {exact}");
        }
    }

    #[test]
    fn a_few_broken_examples_reach_as_far_as_the_exact_bound() {
        // Upper 95 % limits of a Poisson mean after 5 and 8 events: 10.51 and 14.43.
        for (broken, limit) in [(5, 10.51), (8, 14.43)] {
            let bound = bound(&evidence(400, &vec![-10; broken], 3)) * 400.0;
            assert!((bound + limit).abs() < 0.04 * limit, "{bound} against {limit}");
        }
    }

    #[test]
    fn flicker_costs_nothing() {
        let flicker: Vec<i64> = (0..40).map(|i| if i % 2 == 0 { 3 } else { -3 }).collect();
        let cell = evidence(200, &flicker, 3);
        let (printed, _) = cell.interval(FIVE.two_sided_for_one_sided()).unwrap();
        assert_eq!(bound(&cell), printed.low);
    }

    #[test]
    fn gains_never_raise_the_bound_above_the_printed_end() {
        let cell = evidence(60, &[10; 9], 1);
        let (printed, _) = cell.interval(FIVE.two_sided_for_one_sided()).unwrap();
        assert!(bound(&cell) <= printed.low);
        let table = CellEvidence { table: PairedTable::new(20, 6, 2, 2).ok(), ..evidence(30, &[10, 10, -10], 1) };
        assert!(bound(&table) <= table.interval(FIVE.two_sided_for_one_sided()).unwrap().0.low);
    }

    #[test]
    fn whole_groups_count_once() {
        // Twenty groups of five without a change say what twenty examples do.
        let mut change = BlockMoments::default();
        (0..20).for_each(|_| change.push(0.0, 5.0));
        let grouped = CellEvidence { change, trials: 1, ..CellEvidence::default() };
        assert!((bound(&grouped) - bound(&evidence(20, &[], 1))).abs() < 1e-12);
    }
}
