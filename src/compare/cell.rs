//! One metric on one slice: counts, moments, estimates, interval.

use super::aggregate::Aggregate;
use super::comparison::{Blocks, CellComparison, CellEvidence, CompareOptions, PassTable, Tests};
use super::error::CompareError;
use super::paired_metric::PairedMetric;
use super::pairing::Pairing;
use super::slices::Slice;
use crate::score::Scale;
use crate::stats::paired::PairedTable;
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, BlockMoments, Interval, proportional_integers};

/// Sums over the members of one block.
#[derive(Default, Clone, Copy)]
struct BlockSums {
    members: f64,
    baseline: f64,
    head: f64,
    integer: i64,
}

/// What the pairs of a slice add up to.
struct Counts {
    sums: Vec<(u32, BlockSums)>,
    passes: PassTable,
    unscored: u64,
    unscored_sides: (u64, u64),
    pass_to_fail: u64,
}

fn counts(paired: &PairedMetric, slice: &Slice, blocks: &Blocks) -> Counts {
    let scale = paired.summary.scale;
    let mut counts = Counts {
        sums: Vec::with_capacity(slice.members.len()),
        passes: PassTable { both: 0, only_baseline: 0, only_head: 0, neither: 0 },
        unscored: 0,
        unscored_sides: (0, 0),
        pass_to_fail: 0,
    };
    for &example in &slice.members {
        let pair = match &paired.pairs[example as usize] {
            Pairing::Paired(pair) => pair,
            Pairing::NotMeant => continue,
            Pairing::Unscored => {
                counts.unscored += 1;
                match paired.scored[example as usize] {
                    (false, true) => counts.unscored_sides.0 += 1,
                    (true, false) => counts.unscored_sides.1 += 1,
                    _ => {}
                }
                continue;
            }
        };
        let (b, h) = if paired.aggregate.is_binary() {
            (pair.baseline == scale.best(), pair.head == scale.best())
        } else {
            (pair.baseline_trials.all_passed(), pair.head_trials.all_passed())
        };
        match (b, h) {
            (true, true) => counts.passes.both += 1,
            (true, false) => counts.passes.only_baseline += 1,
            (false, true) => counts.passes.only_head += 1,
            (false, false) => counts.passes.neither += 1,
        }
        counts.pass_to_fail += u64::from(paired.has_passes && b && pair.head_trials.passed == 0);
        let sums = BlockSums {
            members: 1.0,
            baseline: pair.baseline,
            head: pair.head,
            integer: paired.integers[example as usize],
        };
        counts.sums.push((blocks.of[example as usize], sums));
    }
    if blocks.grouped {
        counts.sums = merged(counts.sums);
    }
    counts
}

/// One metric on one slice.
///
/// # Errors
/// An interval that was asked for and does not exist.
pub(super) fn cell(
    paired: &PairedMetric,
    slice: &Slice,
    blocks: &Blocks,
    same: Option<&[bool]>,
    options: &CompareOptions,
) -> Result<CellComparison, CompareError> {
    let scale = paired.summary.scale;
    let Counts { sums, passes, unscored, unscored_sides, pass_to_fail } = counts(paired, slice, blocks);
    let (mut change, mut baseline, mut head) = <(BlockMoments, BlockMoments, BlockMoments)>::default();
    for (_, block) in &sums {
        change.push(scale.direction() * (block.head - block.baseline) / scale.width(), block.members);
        baseline.push(block.baseline, block.members);
        head.push(block.head, block.members);
    }
    let n = passes.both + passes.only_baseline + passes.only_head + passes.neither;
    let binary = paired.single_binary && change.blocks() == n;
    let evidence = CellEvidence {
        change,
        // A = head and B = baseline, so that its difference is the change for the better.
        table: binary
            .then(|| PairedTable::new(passes.both, passes.only_head, passes.only_baseline, passes.neither).ok())
            .flatten(),
        // Any other value than a mean of trials may be as coarse as that of a single one.
        trials: if paired.aggregate == Aggregate::Mean { paired.summary.trials_used } else { 1 },
        moved: sums.iter().filter(|(_, b)| b.integer != 0).map(|(block, b)| (*block, b.integer)).collect(),
        sides: (baseline, head),
        tolerance: paired.summary.tolerance,
        beyond: (paired.summary.tolerance > 0.0).then(|| beyond(&sums, scale, paired.summary.tolerance)),
        keys: slice.keys.clone(),
        pass_to_fail,
        unequal_trials: paired.unequal_trials(&slice.members, blocks),
        corpus: None,
    };
    let mut cell = CellComparison {
        metric: paired.summary.name.clone(),
        slice: slice.name.clone(),
        n,
        unscored,
        unscored_sides,
        blocks: change.blocks(),
        baseline: baseline.mean().ok(),
        baseline_ci: one_side(&baseline, scale, binary, options.alpha),
        head: head.mean().ok(),
        head_ci: one_side(&head, scale, binary, options.alpha),
        delta: change.mean().ok().map(|mean| mean * scale.width() * scale.direction()),
        ci: None,
        method: "none",
        tests: tests(&evidence),
        passes: binary.then_some(passes),
        same_answers: same.is_some_and(|same| slice.members.iter().all(|&example| same[example as usize])),
        evidence,
    };
    if let Some(seen) = &paired.seen {
        let members: Vec<(u32, u32)> =
            slice.members.iter().map(|&example| (blocks.of[example as usize], example)).collect();
        return seen.fill(without_mean(cell), &members, scale, options);
    }
    if let Some((interval, method)) = super::interval::of_difference(&cell.evidence, &sums_of(&sums, scale), options)
        .map_err(|source| CompareError::Statistic { what: format!("{} @ {}", cell.metric, cell.slice), source })?
    {
        cell.ci = Some(interval.scaled(scale.width() * scale.direction()));
        cell.method = method;
    }
    Ok(cell)
}

/// The cell with nothing but its counts: what the mean of the scores says is not what is estimated.
fn without_mean(cell: CellComparison) -> CellComparison {
    let evidence = CellEvidence {
        change: BlockMoments::default(),
        sides: Default::default(),
        table: None,
        moved: Vec::new(),
        trials: 1,
        ..cell.evidence
    };
    CellComparison {
        baseline: None,
        baseline_ci: None,
        head: None,
        head_ci: None,
        delta: None,
        tests: None,
        passes: None,
        evidence,
        ..cell
    }
}

/// Adds up the members of each block, blocks ascending.
fn merged(mut sums: Vec<(u32, BlockSums)>) -> Vec<(u32, BlockSums)> {
    sums.sort_by_key(|(block, _)| *block);
    sums.dedup_by(|(later, from), (block, into)| {
        let same = later == block;
        if same {
            into.members += from.members;
            into.baseline += from.baseline;
            into.head += from.head;
            into.integer += from.integer;
        }
        same
    });
    sums
}

/// How far each block's change lies above a tolerated drop, as proportional whole numbers.
fn beyond(sums: &[(u32, BlockSums)], scale: Scale, tolerance: f64) -> Vec<(u32, i64)> {
    let above: Vec<f64> = sums
        .iter()
        .map(|(_, block)| {
            (scale.direction() * (block.head - block.baseline) / scale.width()) + tolerance * block.members
        })
        .collect();
    let above = proportional_integers(&above);
    sums.iter().zip(above).filter(|(_, above)| *above != 0).map(|((block, _), above)| (*block, above)).collect()
}

/// (change for the better on a 0..1 scale, size) of each block, for methods that resample.
fn sums_of(sums: &[(u32, BlockSums)], scale: Scale) -> impl Fn() -> Vec<(f64, f64)> {
    let blocks: Vec<BlockSums> = sums.iter().map(|(_, block)| *block).collect();
    move || {
        blocks
            .iter()
            .map(|block| (scale.direction() * (block.head - block.baseline) / scale.width(), block.members))
            .collect()
    }
}

fn tests(evidence: &CellEvidence) -> Option<Tests> {
    if let Some(table) = evidence.table {
        let corrected = table.mcnemar_corrected();
        return Some(Tests::McNemar {
            mcnemar_exact: table.mcnemar_exact(),
            mcnemar_mid_p: table.mcnemar_mid_p(),
            mcnemar_chi2: corrected.statistic,
            mcnemar_chi2_p: corrected.p,
        });
    }
    evidence.change.t_test().ok().map(|t| Tests::T { t })
}

/// The interval of one side's estimate: Wilson for 0/1 scores, else t on blocks (Wilson on the number of blocks where
/// nothing varies, since an interval of zero width claims too much).
pub(super) fn one_side(moments: &BlockMoments, scale: Scale, binary: bool, alpha: Alpha) -> Option<Interval> {
    let mean = moments.mean().ok()?;
    let share = (mean - scale.low) / scale.width();
    let varies = moments.standard_error().is_ok_and(|error| error > 1e-12 * scale.width());
    let wilson = |n: u64| {
        let passes = (share * n as f64).round().clamp(0.0, n as f64) as u64;
        let unit = Proportion::new(passes, n).ok()?.wilson(alpha);
        Some(Interval::new(scale.low + unit.low * scale.width(), scale.low + unit.high * scale.width()))
    };
    if binary || !varies {
        return wilson(moments.blocks());
    }
    Some(moments.t_interval(alpha).ok()?.clipped(scale.low, scale.high))
}
