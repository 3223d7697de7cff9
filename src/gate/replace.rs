//! Which of several candidates may replace the baseline: non-inferiority in every cell, the rules beside the cells, and a
//! correction for how many were tried.

use serde::Serialize;

use super::bound::lower_bound;
use super::decide::{Given, gating_metrics, incomplete, unmeasured};
use super::licence;
use super::policy::GatePolicy;
use super::rule::{self, Evidence, RuleOutcome, RuleState};
use crate::compare::{CORPUS_RESAMPLES, CellComparison, CellEvidence, Comparison, MetricSummary, OVERALL};
use crate::stats::Alpha;
use crate::stats::multiplicity::{Adjustment, adjust};

/// The smallest p that is told: bounds further out than this are not trusted.
const LEAST_P: f64 = 1e-9;
/// A bound at a level beyond this lies beside the estimate, or above it.
const LARGEST_LEVEL: f64 = 0.45;

/// Whether a candidate may replace the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replace {
    /// Every cell with a margin is shown not to fall beyond it, in those without one nothing fell, and every rule holds.
    May,
    /// Neither that nor the contrary is shown.
    NotShown,
    /// A rule is broken, or a cell is shown to fall beyond its margin.
    MayNot,
}

impl Replace {
    /// The words, as reports print them.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::May => "may replace",
            Self::NotShown => "not shown",
            Self::MayNot => "may not",
        }
    }
}

/// How it is allowed for that the candidates were many.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Selection {
    /// Every candidate is answered for, and the p-values are adjusted over them.
    Holm {
        /// How many there were beside the baseline.
        candidates: u64,
    },
    /// One candidate was picked on some examples and is answered for on the others; nothing is to be corrected.
    Holdout {
        /// Which examples were held out, in words.
        held_out: String,
        /// The place of the candidate that was picked.
        picked: usize,
        /// The metric by which it was picked.
        metric: String,
        /// Examples on which it was picked.
        picking: u64,
        /// Examples on which it was checked.
        checking: u64,
    },
}

/// The answers, and what they rest on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replacing {
    /// The chance, at most, that a candidate is named that falls by its margin or more in some cell that has a margin. Cells
    /// without one (by default those of `safety=*`) are not covered: that nothing fell there is seen, not tested.
    pub alpha: f64,
    /// The same for one that only breaks a guard rail.
    pub guard_alpha: f64,
    /// How many guard rails there are.
    pub guard_rails: u64,
    /// The metrics that must hold.
    pub metrics: Vec<String>,
    /// How it is allowed for that the candidates were many.
    pub selection: Selection,
    /// The answers.
    pub answers: Vec<Replacement>,
}

/// The cell whose p is the largest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HardestCell {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Pairs with a score on both sides.
    pub n: u64,
    /// Candidate minus baseline, in units of the metric.
    pub delta: Option<f64>,
    /// Its two-sided interval.
    pub ci: Option<crate::stats::Interval>,
    /// The largest drop that does not matter, in units of the metric.
    pub margin: f64,
    /// One-sided p of "it falls by the margin or more".
    pub p: f64,
}

/// The answer for one candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replacement {
    /// The place of the candidate.
    pub candidate: usize,
    /// The answer.
    pub answer: Replace,
    /// The largest p over the cells with a margin: all must be shown, so that nothing is to be corrected among them. None
    /// where no cell was tested: there is none with a margin in which the answers are not the same.
    pub p: Option<f64>,
    /// The same, adjusted over the candidates (Holm); of a candidate that was picked on other examples, `p` itself. One
    /// without a p counts among the candidates as 1.
    pub p_adjusted: Option<f64>,
    /// Cells that were looked at: enough examples, in a metric that gates.
    pub cells: u64,
    /// The one that decides.
    pub hardest: Option<HardestCell>,
    /// The rules beside the cells.
    pub rules: Vec<RuleOutcome>,
    /// What stands in the way.
    pub reasons: Vec<String>,
}

/// Decides about every candidate against the same baseline; `compared` has the place of each and its comparison, or why there
/// is none.
///
/// A candidate may replace the baseline when in every cell of the gating metrics that has a margin the drop is shown to be smaller than
/// the margin, at the policy's α adjusted over the candidates (Holm), and every rule holds; guard rails are tested at
/// `guard_alpha` divided by the number of candidates. So a candidate that falls by a margin is named with a probability of
/// at most α (and `guard_alpha`, for one that only breaks a rail), however many were tried.
///
/// α does not cover cells without any margin (by default those of `safety=*`), which cannot be shown to keep it: there no
/// passing example may fail, and the estimate may not be lower, on the examples at hand. Where no cell has a margin and the
/// answers are not the same, nothing is shown.
///
/// # Errors
/// A sentence when the policy makes no sense or names a metric that was not compared.
pub fn replacements(
    compared: &[(usize, Result<&Comparison, &str>)],
    policy: &GatePolicy,
    given: &Given<'_>,
) -> Result<Vec<Replacement>, String> {
    policy.check()?;
    let count = compared.len().max(1);
    let policy = GatePolicy { guard_alpha: policy.guard_alpha / count as f64, ..policy.clone() };
    let mut found: Vec<Replacement> = compared
        .iter()
        .map(|(candidate, compared)| match compared {
            Ok(comparison) => assess(*candidate, comparison, &policy, given, count),
            Err(why) => Ok(uncompared(*candidate, why)),
        })
        .collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Ok(found);
    }
    let p: Vec<f64> = found.iter().map(|found| found.p.unwrap_or(1.0)).collect();
    let adjusted = adjust(&p, Adjustment::Holm).map_err(|error| error.to_string())?;
    for (found, adjusted) in found.iter_mut().zip(adjusted) {
        found.p_adjusted = found.p.map(|_| adjusted);
        // Without a p either the answers are the same, or something else stands in the way.
        if found.answer == Replace::May && found.p_adjusted.is_some_and(|p| p > policy.alpha) {
            found.answer = Replace::NotShown;
        }
    }
    Ok(found)
}

/// The answer about a candidate that cannot be compared with the baseline.
fn uncompared(candidate: usize, why: &str) -> Replacement {
    Replacement {
        candidate,
        answer: Replace::NotShown,
        p: None,
        p_adjusted: None,
        cells: 0,
        hardest: None,
        rules: Vec::new(),
        reasons: vec![why.to_owned()],
    }
}

/// The answer at no level yet: `May` where nothing but the p can stand in the way.
fn assess(
    candidate: usize,
    comparison: &Comparison,
    policy: &GatePolicy,
    given: &Given<'_>,
    candidates: usize,
) -> Result<Replacement, String> {
    let gating = gating_metrics(comparison, policy)?;
    let compared: Vec<&CellComparison> =
        comparison.cells.iter().filter(|cell| gating.iter().any(|metric| metric.name == cell.metric)).collect();
    let is_tested = |cell: &&&CellComparison| cell.n >= policy.min_n.max(1) || cell.slice == OVERALL && cell.n > 0;
    let tested: Vec<&CellComparison> = compared.iter().filter(is_tested).copied().collect();
    let mut found = Cells::default();
    let share = Alpha::new(policy.alpha).unwrap_or(Alpha::FIVE_PERCENT).among(candidates * tested.len());
    for cell in &tested {
        found.look_at(cell, &gating, policy, share);
    }
    let mut answer = if found.fallen { Replace::MayNot } else { Replace::May };
    let mut reasons = found.reasons;
    reasons.extend(incomplete(comparison, policy));
    reasons.extend(compared.iter().filter(|cell| cell.slice == OVERALL).filter_map(|cell| unmeasured(cell, policy)));
    if tested.is_empty() {
        reasons.push("there is nothing to compare".to_owned());
    } else if found.p.is_none() && found.without_margin {
        reasons
            .push("no cell with a margin has other answers than the baseline's, so that nothing is shown".to_owned());
    }
    let gates = |name: &str| gating.iter().any(|metric| metric.name == name);
    let standings = licence::standings(comparison, given.judged, policy, gates, &compared);
    let flips = comparison.flips.of_metrics(gates);
    let rules = rule::rules(&Evidence {
        comparison,
        policy,
        gating: &gating,
        compared: &compared,
        flips: &flips,
        reruns: given.reruns,
        as_of: given.as_of,
        standings: &standings,
    });
    for outcome in rules.iter().filter(|outcome| outcome.state != RuleState::Held) {
        reasons.push(format!("{} {}: {}", outcome.name(), outcome.state.name(), outcome.detail));
        if outcome.state == RuleState::Broken {
            answer = Replace::MayNot;
        }
    }
    if answer == Replace::May && !reasons.is_empty() {
        answer = Replace::NotShown;
    }
    Ok(Replacement {
        candidate,
        answer,
        p: found.p,
        p_adjusted: None,
        cells: tested.len() as u64,
        hardest: found.hardest,
        rules,
        reasons,
    })
}

/// What the cells of a candidate come to.
#[derive(Default)]
struct Cells {
    /// The largest; none before a cell was tested.
    p: Option<f64>,
    /// Whether there is a cell without a margin in which answers may differ.
    without_margin: bool,
    hardest: Option<HardestCell>,
    fallen: bool,
    reasons: Vec<String>,
}

impl Cells {
    /// `share` is the level of a single cell at which a fall is told.
    fn look_at(&mut self, cell: &CellComparison, gating: &[&MetricSummary], policy: &GatePolicy, share: Alpha) {
        let name = format!("{} @ {}", cell.metric, cell.slice);
        let unscored = cell.unscored as f64 / (cell.n + cell.unscored).max(1) as f64;
        if unscored > policy.require.unscored.max && cell.slice != OVERALL {
            self.reasons.push(format!("{name}: {} of {} pairs are unscored", cell.unscored, cell.n + cell.unscored));
        }
        if cell.same_answers {
            return;
        }
        let margin = policy.margin_of(&cell.metric, &cell.slice, &cell.evidence.keys);
        if margin <= 0.0 {
            self.without_margin = true;
            let drop = cell.evidence.mean_change().map_or(0.0, |change| -change);
            if cell.evidence.pass_to_fail > 0 {
                let flips = cell.evidence.pass_to_fail;
                self.reasons.push(format!("{name}: no fall is tolerated, and {flips} passing examples now fail"));
            } else if drop > 0.0 {
                self.reasons.push(format!("{name}: no fall is tolerated, and the estimate is lower"));
            }
            return;
        }
        let above = cell.evidence.interval(share.two_sided_for_one_sided()).map(|(interval, _)| interval.high);
        if above.is_some_and(|high| high < -margin) {
            self.fallen = true;
            self.reasons.push(format!("{name}: shown to fall beyond its margin"));
        }
        let p = p_of_fall(&cell.evidence, margin, self.p.unwrap_or(0.0));
        if self.p.is_none_or(|largest| p > largest) {
            let width = gating.iter().find(|metric| metric.name == cell.metric).map_or(1.0, |m| m.scale.width());
            self.p = Some(p);
            self.hardest = Some(HardestCell {
                metric: cell.metric.clone(),
                slice: cell.slice.clone(),
                n: cell.n,
                delta: cell.delta,
                ci: cell.ci,
                margin: margin * width,
                p,
            });
        }
    }
}

/// One-sided p of "the drop is the margin or more": the smallest level whose bound clears the margin. Where it is below
/// `known`, nobody asks how far.
fn p_of_fall(evidence: &CellEvidence, margin: f64, known: f64) -> f64 {
    // What has a bootstrap for a bound has no finer p than its resamples.
    let least = if evidence.corpus.is_some() { 1.0 / (CORPUS_RESAMPLES as f64 + 1.0) } else { LEAST_P };
    let clears = |level: f64| {
        Alpha::new(level).ok().and_then(|level| lower_bound(evidence, level)).is_some_and(|low| low > -margin)
    };
    if !clears(LARGEST_LEVEL) {
        return 1.0;
    }
    if known > LARGEST_LEVEL || known > least && clears(known) {
        return least;
    }
    if clears(least) {
        return least;
    }
    let (mut low, mut high) = (libm::log(least), libm::log(LARGEST_LEVEL));
    // Halving an interval of 20 forty times leaves nothing that is printed.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if clears(libm::exp(middle)) { high = middle } else { low = middle }
    }
    libm::exp(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::BlockMoments;
    use crate::stats::paired::PairedTable;

    fn table(both: u64, gained: u64, lost: u64, neither: u64) -> CellEvidence {
        let mut change = BlockMoments::default();
        let mut moved = Vec::new();
        for (count, step) in [(both + neither, 0_i64), (gained, 1), (lost, -1)] {
            for _ in 0..count {
                if step != 0 {
                    moved.push((change.blocks() as u32, step));
                }
                change.push(step as f64, 1.0);
            }
        }
        let table = PairedTable::new(both, gained, lost, neither).ok();
        CellEvidence { change, table, trials: 1, moved, ..CellEvidence::default() }
    }

    #[test]
    fn the_p_is_where_the_bound_meets_the_margin() {
        for (evidence, margin) in
            [(table(300, 40, 40, 120), 0.05), (table(300, 30, 45, 125), 0.05), (table(60, 5, 6, 29), 0.2)]
        {
            let p = p_of_fall(&evidence, margin, 0.0);
            assert!(p > 1e-6 && p < 0.45, "{p}");
            let bound = |level: f64| lower_bound(&evidence, Alpha::new(level).unwrap()).unwrap();
            assert!(bound(p * 1.01) > -margin && bound(p * 0.99) < -margin, "{p}");
        }
        assert_eq!(p_of_fall(&table(300, 20, 90, 90), 0.05, 0.0), 1.0);
        assert_eq!(p_of_fall(&table(300, 90, 20, 90), 0.05, 0.0), LEAST_P);
    }

    #[test]
    fn bounds_move_outwards_as_the_level_falls() {
        // Otherwise no single p would say where they clear a margin.
        for evidence in [table(300, 40, 40, 120), table(90, 0, 0, 10), table(90, 0, 3, 7), table(40, 9, 0, 1)] {
            for trials in [1, 3] {
                let evidence = CellEvidence { trials, ..evidence.clone() };
                let bound = |level: f64| lower_bound(&evidence, Alpha::new(level).unwrap()).unwrap();
                let levels: Vec<f64> = (0..60).map(|step| 0.45 * 0.75_f64.powi(step)).collect();
                for pair in levels.windows(2) {
                    assert!(bound(pair[0]) >= bound(pair[1]) - 1e-9, "{pair:?}: {evidence:?}");
                }
            }
        }
    }
}
