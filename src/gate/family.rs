//! The p-values of all cells together: sign flips, and permuted trial labels where the sides have different numbers.

use crate::compare::{CellComparison, OVERALL};
use crate::stats::step_down::{Draws, FamilyTest, Tested};
use crate::stats::{sign_flip, trial_permutation};

/// The cells that are tested together, and what the decision needs of each.
pub(super) struct Family<'c> {
    cells: Vec<&'c CellComparison>,
    /// The metric whose overall cell has the whole overall share; without one, all overall cells share it.
    primary: Option<&'c str>,
    overall_cells: usize,
    overall_share: f64,
    /// The weights of all cells added up: less than 1 where there are only overall cells, or none.
    weights: f64,
    /// The weight of each cell among those that share what the overall cells leave, and their sum.
    relative: Vec<f64>,
    relative_sum: f64,
}

impl<'c> Family<'c> {
    /// `relative` is the weight of a slice's cell among its like.
    pub(super) fn new(
        cells: Vec<&'c CellComparison>,
        overall_share: f64,
        primary: Option<&'c str>,
        relative: impl Fn(&CellComparison) -> f64,
    ) -> Self {
        let relative: Vec<f64> = cells.iter().map(|cell| relative(cell)).collect();
        let mut family =
            Self { cells, primary, overall_cells: 0, overall_share, weights: 1.0, relative, relative_sum: 0.0 };
        family.overall_cells = family.cells.iter().filter(|cell| family.is_overall(cell)).count();
        let rest = family.cells.iter().zip(&family.relative).filter(|(cell, _)| !family.is_overall(cell));
        family.relative_sum = rest.map(|(_, relative)| relative).sum();
        family.weights = (0..family.cells.len()).map(|at| family.weight(at)).sum();
        family
    }

    pub(super) fn cells(&self) -> &[&'c CellComparison] {
        &self.cells
    }

    fn is_overall(&self, cell: &CellComparison) -> bool {
        cell.slice == OVERALL && self.primary.is_none_or(|primary| primary == cell.metric)
    }

    fn weight(&self, at: usize) -> f64 {
        if self.is_overall(self.cells[at]) {
            self.overall_share / self.overall_cells as f64
        } else {
            (1.0 - self.overall_share) * self.relative[at] / self.relative_sum
        }
    }

    /// The share of α that a cell has.
    pub(super) fn share(&self, cell: &CellComparison) -> f64 {
        let at = self.cells.iter().position(|known| std::ptr::eq(*known, cell));
        at.map_or(0.0, |at| self.weight(at)) / self.weights
    }

    /// Tests all cells; `decisive` says of each whether its verdict hangs on its p.
    pub(super) fn test(&self, draws: Draws, decisive: impl Fn(&CellComparison) -> bool) -> FamilyTest {
        let flips: Vec<_> = self
            .cells
            .iter()
            .enumerate()
            .map(|(at, cell)| sign_flip::Cell {
                changes: cell.evidence.changes(),
                weight: self.weight(at),
                decisive: decisive(cell),
            })
            .collect();
        let outcome = sign_flip::test_family(&flips, draws);
        self.and_permutation(outcome, draws, decisive)
    }

    /// With unequal trials neither test is valid alone: flips are no symmetry of a skewed change, and permuted trials grow
    /// certain from a system that repeats itself. The larger p of both is.
    fn and_permutation(
        &self,
        mut outcome: FamilyTest,
        draws: Draws,
        decisive: impl Fn(&CellComparison) -> bool,
    ) -> FamilyTest {
        let unequal: Vec<usize> =
            (0..self.cells.len()).filter(|&cell| !self.cells[cell].evidence.unequal_trials.is_empty()).collect();
        let cells: Vec<_> = unequal
            .iter()
            .map(|&index| {
                let (cell, flips) = (self.cells[index], &outcome.cells[index]);
                trial_permutation::Cell {
                    trials: cell.evidence.unequal_trials.clone(),
                    weight: self.weight(index),
                    // A cell that the flips do not reject is not worth more draws.
                    decisive: decisive(cell) && flips.p_adjusted.is_some_and(|p| p <= draws.alpha),
                }
            })
            .collect();
        let permuted = trial_permutation::test_family(&cells, draws);
        for (&cell, permuted) in unequal.iter().zip(&permuted.cells) {
            let flipped = &mut outcome.cells[cell];
            let larger = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a.max(b));
            *flipped = Tested {
                p: larger(flipped.p, permuted.p),
                p_adjusted: larger(flipped.p_adjusted, permuted.p_adjusted),
                moved: flipped.moved.min(permuted.moved),
                borderline: match (flipped.p_adjusted, permuted.p_adjusted) {
                    (Some(flips), Some(deals)) if deals > flips => permuted.borderline,
                    _ => flipped.borderline,
                },
            };
        }
        outcome.draws = outcome.draws.max(permuted.draws);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::CellEvidence;
    use crate::stats::trial_permutation::BlockTrials;

    /// A cell in which `count` examples repeat themselves: all passed in the one trial of the baseline, none of five does now.
    fn broken(count: u32) -> CellEvidence {
        CellEvidence {
            moved: (0..count).map(|block| (block, -1)).collect(),
            unequal_trials: (0..count)
                .map(|block| BlockTrials { block, baseline: vec![1.0], head: vec![0.0; 5] })
                .collect(),
            ..CellEvidence::default()
        }
    }

    fn cell(metric: &str, slice: &str, evidence: CellEvidence) -> CellComparison {
        CellComparison {
            metric: metric.to_owned(),
            slice: slice.to_owned(),
            n: 8,
            unscored: 0,
            unscored_sides: (0, 0),
            blocks: 8,
            baseline: None,
            baseline_ci: None,
            head: None,
            head_ci: None,
            delta: None,
            ci: None,
            method: "none",
            tests: None,
            passes: None,
            same_answers: false,
            evidence,
        }
    }

    #[test]
    fn a_primary_metric_has_the_whole_overall_share() {
        let cells: Vec<CellComparison> = [("a", OVERALL), ("a", "x=1"), ("b", OVERALL), ("b", "x=1")]
            .map(|(metric, slice)| cell(metric, slice, CellEvidence::default()))
            .into();
        let shares = |primary| -> Vec<f64> {
            let family = Family::new(cells.iter().collect(), 0.4, primary, |_| 1.0);
            cells.iter().map(|cell| (family.share(cell) * 1e6).round() / 1e6).collect()
        };
        assert_eq!(shares(None), [0.2, 0.3, 0.2, 0.3]);
        assert_eq!(shares(Some("a")), [0.4, 0.2, 0.2, 0.2]);
    }

    #[test]
    fn the_larger_p_stands() {
        let of = |evidence: CellEvidence| {
            let cell = cell("score", OVERALL, evidence);
            Family::new(vec![&cell], 0.4, None, |_| 1.0).test(Draws::new(1, 0.05), |_| true).cells[0]
        };
        // Flips: 1/2⁸; permuted: 1/6⁸.
        let both = of(broken(8));
        assert_eq!(both.p, Some(0.5_f64.powi(8)));
        // The other way round: flips see eight examples worse; one trial in six was a pass, and the baseline had it in none.
        let mut skewed = broken(8);
        for trials in &mut skewed.unequal_trials {
            *trials = BlockTrials { block: trials.block, baseline: vec![0.0], head: vec![0.0, 0.0, 0.0, 0.0, 1.0] };
        }
        assert!(of(skewed).p.unwrap() > 0.9);
    }
}
