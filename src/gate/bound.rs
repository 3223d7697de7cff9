//! Bounds of the mean change that hold where changes are few or skewed: what "fine" must clear, and what a fall must.

use crate::compare::CellEvidence;
use crate::stats::step_down::FEWEST_MOVED;
use crate::stats::{Alpha, BlockMoments};

/// The one-sided lower bound of the change for the better, on a 0..1 scale; `None` without data.
///
/// The smaller of two: the lower end of the interval as it is printed, and Johnson's (1978) t bound, which reaches further
/// down where a few large losses stand against no gains. Alone the first calls a cell fine too often: a deterministic
/// system of which one example in twenty breaks has no change at all in 30 examples 21 % of the time, in every trial.
pub(super) fn lower_bound(evidence: &CellEvidence, alpha: Alpha) -> Option<f64> {
    let both_sides = alpha.two_sided_for_one_sided();
    let (interval, _) = evidence.interval(both_sides)?;
    if evidence.corpus.is_some() {
        return Some(interval.low);
    }
    let shape = Shape::of(evidence);
    let pseudo = if shape.moved < FEWEST_MOVED {
        unseen(alpha)
    } else {
        shape.typical.max(1.0 / f64::from(evidence.trials.max(1)).sqrt()).min(1.0)
    };
    let bound = shape.bounds(&evidence.change, alpha, pseudo).map_or(interval.low, |(low, _)| low);
    Some(interval.low.min(bound).max(-1.0))
}

/// The one-sided upper bound of the change for the better, on a 0..1 scale, for changes of any shape; `None` without data.
///
/// Johnson's t bound again. Where fewer than five blocks gained, a pseudo pair stands for gains that were not drawn: as
/// large as the largest that the metric shows anywhere.
pub(super) fn upper_bound(evidence: &CellEvidence, level: Alpha, largest_gain: f64) -> Option<f64> {
    let shape = Shape::of(evidence);
    let pseudo =
        if shape.gained < FEWEST_MOVED { unseen(level) * largest_gain.max(shape.typical) } else { shape.typical };
    shape.bounds(&evidence.change, level, pseudo).map(|(_, high)| high)
}

/// The largest gain of any block of a cell, on a 0..1 scale.
pub(super) fn largest_gain(evidence: &CellEvidence) -> f64 {
    let most = evidence.moved.iter().map(|&(_, change)| change).max().unwrap_or(0).max(0);
    Shape::of(evidence).unit * most as f64
}

/// The value of a pseudo pair with which the bound of n blocks without any change is ln(α)/n, as the exact binomial one: at
/// 5 % the rule of three.
fn unseen(alpha: Alpha) -> f64 {
    -alpha.get().ln() / (2.0_f64.sqrt() * alpha.two_sided_for_one_sided().two_sided_z())
}

/// The first three moments of the changes per block, in changes of a block of mean size.
struct Shape {
    blocks: f64,
    size: f64,
    moved: usize,
    gained: usize,
    /// What one unit of the whole numbers is worth.
    unit: f64,
    /// Root mean square of the blocks that moved.
    typical: f64,
    /// Third central moment over the second; 0 without any variation.
    skew: f64,
}

impl Shape {
    fn of(evidence: &CellEvidence) -> Self {
        let blocks = evidence.change.blocks() as f64;
        let size = evidence.change.size() / blocks;
        let sums = || evidence.moved.iter().map(|&(_, change)| change as f64);
        let moved = evidence.moved.len();
        let squares: f64 = sums().map(|sum| sum * sum).sum();
        let unit = if squares > 0.0 { (evidence.change.sum_squares() / squares).sqrt() / size } else { 0.0 };
        let mean = unit * sums().sum::<f64>() / blocks;
        let moment = |power: i32| {
            let rest = (blocks - moved as f64) * (-mean).powi(power);
            (sums().map(|sum| unit.mul_add(sum, -mean).powi(power)).sum::<f64>() + rest) / blocks
        };
        let (second, third) = (moment(2), moment(3));
        // Blocks that all moved alike leave only rounding.
        let varies = second > 1e-12 * unit * unit * squares / blocks;
        Self {
            blocks,
            size,
            moved,
            gained: evidence.moved.iter().filter(|(_, change)| *change > 0).count(),
            unit,
            typical: if moved == 0 { 0.0 } else { unit * (squares / moved as f64).sqrt() },
            skew: if varies { third / second } else { 0.0 },
        }
    }

    /// Lower and upper bound, each one-sided at `level`: t with a pseudo pair of blocks, and Johnson's term for skewness on
    /// the side of the long tail. Where it would move a bound inwards, no use is made of it.
    fn bounds(&self, change: &BlockMoments, level: Alpha, pseudo: f64) -> Option<(f64, f64)> {
        let mut with_pair = *change;
        with_pair.push(pseudo * self.size, self.size);
        with_pair.push(-pseudo * self.size, self.size);
        let estimate = with_pair.estimate().ok()?;
        let t = level.two_sided_for_one_sided().two_sided_t(estimate.df);
        let tail = self.skew / (6.0 * self.blocks) * (1.0 + 2.0 * t * t);
        Some((estimate.mean - t * estimate.se + tail.min(0.0), estimate.mean + t * estimate.se + tail.max(0.0)))
    }
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
        CellEvidence { change, trials, moved, ..CellEvidence::default() }
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
