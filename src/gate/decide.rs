//! The decision: all cells of all metrics tested together, each against its margin.

use std::collections::HashMap;

use super::bound::{largest_gain, lower_bound};
use super::confirm::Rerun;
use super::exit::Decision;
use super::family::Family;
use super::guard::fall_holds;
use super::licence::{self, JudgedMetric};
use super::policy::{GatePolicy, Mode, OnUndecided};
use super::rule::{self, Evidence, RuleOutcome, RuleState};
use super::verdict::{Cell, State, Verdict};
use crate::compare::{CellComparison, Comparison, Flip, MetricSummary, OVERALL};
use crate::stats::special::binomial_half_cdf;
use crate::stats::step_down::{Draws, FEWEST_MOVED, Tested};
use crate::stats::{Alpha, rng};

/// The level at which more unscored pairs in the head than in the baseline make a metric undecidable.
const UNSCORED_ALPHA: f64 = 0.01;

/// What a decision is given beside comparison and policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// The date by which anything that ages is judged, `YYYY-MM-DD`.
    pub as_of: &'a str,
    /// Re-runs of safety examples.
    pub reruns: &'a [Rerun],
    /// SHA-256 of the policy, for the verdict.
    pub policy_sha256: Option<&'a str>,
    /// How far cells move from run to run on their own.
    pub noise: &'a [CellFloor],
    /// How often this set was looked at before, where that is counted.
    pub looks: Option<u64>,
    /// What is known of the judges behind metrics.
    pub judged: &'a [JudgedMetric],
    /// What else a reader should know before trusting the numbers.
    pub warnings: &'a [String],
}

/// The noise floor of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFloor {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Twice the standard deviation of the difference between two runs of an unchanged system, in units of the metric.
    pub floor: f64,
}

impl<'a> Given<'a> {
    /// A date and nothing else.
    #[must_use]
    pub const fn on(as_of: &'a str) -> Self {
        Self { as_of, reruns: &[], policy_sha256: None, noise: &[], looks: None, judged: &[], warnings: &[] }
    }
}

/// The flips of safety examples under gating metrics that re-runs have to confirm.
#[must_use]
pub fn flips_to_confirm<'c>(comparison: &'c Comparison, policy: &GatePolicy) -> Vec<&'c Flip> {
    let gates = |flip: &&Flip| policy.metrics.is_empty() || policy.metrics.contains(&flip.metric);
    rule::safety_flips(policy, &comparison.flips).into_iter().filter(gates).collect()
}

/// Decides a comparison under a policy.
///
/// Deterministic: the same comparison, policy, seed and date give the same verdict on any number of threads.
///
/// # Errors
/// A sentence when the policy makes no sense or names a metric that was not compared.
pub fn decide(comparison: &Comparison, policy: &GatePolicy, given: &Given<'_>) -> Result<Verdict, String> {
    policy.check()?;
    let gating = gating_metrics(comparison, policy)?;
    if let Some(primary) = policy.primary.as_ref().filter(|name| !gating.iter().any(|metric| metric.name == **name)) {
        return Err(format!("the policy's `primary` metric `{primary}` is none that gates"));
    }
    let tolerances = policy.tolerances();
    if let Some(metric) = gating.iter().find(|metric| metric.tolerance != tolerances.of(&metric.name)) {
        return Err(format!("metric `{}` was compared with another tolerance than the policy's", metric.name));
    }
    let compared: Vec<&CellComparison> =
        comparison.cells.iter().filter(|cell| gating.iter().any(|metric| metric.name == cell.metric)).collect();
    let is_tested = |cell: &CellComparison| cell.n >= policy.min_n.max(1) || cell.slice == OVERALL && cell.n > 0;
    let tested: Vec<&CellComparison> = compared.iter().copied().filter(|cell| is_tested(cell)).collect();

    let width = |cell: &CellComparison| {
        gating.iter().find(|metric| metric.name == cell.metric).map_or(1.0, |metric| metric.scale.width())
    };
    let margin = |cell: &CellComparison| policy.margin_of(&cell.metric, &cell.slice, &cell.evidence.keys);
    let weight = |cell: &CellComparison| policy.weight_of(&cell.slice, &cell.evidence.keys);
    let family = Family::new(tested, policy.overall_share, policy.primary.as_deref(), weight);
    let mut gains: HashMap<&str, f64> = HashMap::new();
    for cell in family.cells().iter().filter(|cell| cell.slice == OVERALL) {
        gains.insert(&cell.metric, largest_gain(&cell.evidence));
    }
    let outcome = family.test(Draws::new(comparison.seed, policy.alpha), |cell| drop_of(cell) > margin(cell));

    let mut results = family.cells().iter().zip(&outcome.cells);
    let mut next = results.next();
    let mut cells = Vec::with_capacity(compared.len());
    for cell in &compared {
        let test = match next {
            Some((tested, test)) if std::ptr::eq(*tested, *cell) => {
                next = results.next();
                Some(test)
            }
            _ => None,
        };
        let share = family.share(cell);
        let gain = gains.get(cell.metric.as_str()).copied().unwrap_or(0.0);
        cells.push(decide_cell(cell, test, margin(cell), width(cell), policy, (share, gain)));
    }

    let flips = comparison.flips.of_metrics(|name| gating.iter().any(|metric| metric.name == name));
    let gates = |name: &str| gating.iter().any(|metric| metric.name == name);
    let judges = licence::standings(comparison, given.judged, policy, gates, &compared);
    let rules = rule::rules(&Evidence {
        comparison,
        policy,
        gating: &gating,
        compared: &compared,
        flips: &flips,
        reruns: given.reruns,
        as_of: given.as_of,
        standings: &judges,
    });
    licence::suspend(&mut cells, &judges);
    let waived = rule::accept(&mut cells, policy, given.as_of);
    let below_noise = add_noise(&mut cells, given.noise);
    let mut verdict = Verdict {
        schema: Verdict::SCHEMA.into(),
        decision: Decision::Pass,
        exit_code: 0,
        reason: String::new(),
        mode: policy.mode,
        alpha: policy.alpha,
        seed: comparison.seed,
        generator: rng::ALGORITHM.into(),
        draws: outcome.draws,
        as_of: given.as_of.to_owned(),
        trials: gating.iter().map(|metric| metric.trials_used).max().unwrap_or(0),
        baseline: comparison.baseline.clone(),
        head: comparison.head.clone(),
        pairs: comparison.pairs,
        metrics: gating.iter().map(|&metric| metric.clone()).collect(),
        regressed: slices_in(&cells, |state| state == State::Regressed),
        undecided: cells.iter().filter(|c| is_open(c.state)).map(Cell::name).collect(),
        cells,
        looks: given.looks,
        judges,
        lengths: comparison.lengths.clone(),
        rules,
        reruns: given.reruns.to_vec(),
        policy_sha256: given.policy_sha256.map(str::to_owned),
        flips,
        honest_baselines: Vec::new(),
        warnings: [&comparison.warnings[..], given.warnings, &waived[..], &below_noise[..]].concat(),
    };
    conclude(&mut verdict, comparison, policy, &compared);
    verdict.exit_code = verdict.decision.exit().code();
    Ok(verdict)
}

/// Sets the noise floor of every cell that has one, and says which margins lie below it.
fn add_noise(cells: &mut [Cell], noise: &[CellFloor]) -> Vec<String> {
    let mut below = Vec::new();
    for cell in cells.iter_mut() {
        let floor = noise.iter().find(|noise| noise.metric == cell.metric && noise.slice == cell.slice);
        cell.noise_floor = floor.map(|noise| noise.floor);
        if cell.state != State::Shown && cell.margin > 0.0 && floor.is_some_and(|noise| noise.floor > cell.margin) {
            below.push(cell.name());
        }
    }
    if below.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "the margin lies below the noise floor of {}: a run of the same system may well differ by more; use more trials \
         or examples, or a wider margin",
        below.join(", ")
    )]
}

pub(super) fn gating_metrics<'c>(
    comparison: &'c Comparison,
    policy: &GatePolicy,
) -> Result<Vec<&'c MetricSummary>, String> {
    if policy.metrics.is_empty() {
        return Ok(comparison.metrics.iter().collect());
    }
    policy
        .metrics
        .iter()
        .map(|name| {
            let has = || comparison.metrics.iter().map(|m| format!("`{}`", m.name)).collect::<Vec<_>>().join(", ");
            comparison.metrics.iter().find(|metric| metric.name == *name).ok_or_else(|| {
                format!("the policy gates on metric `{name}`, which was not compared; there are {}", has())
            })
        })
        .collect()
}

/// How far the cell fell, as a share of its scale; negative when it rose.
fn drop_of(cell: &CellComparison) -> f64 {
    cell.evidence.mean_change().map_or(0.0, |change| -change)
}

const fn is_open(state: State) -> bool {
    matches!(state, State::Undecided | State::Untestable)
}

fn slices_in(cells: &[Cell], wanted: impl Fn(State) -> bool) -> Vec<String> {
    let mut slices: Vec<String> = Vec::new();
    for cell in cells.iter().filter(|cell| wanted(cell.state)) {
        if !slices.contains(&cell.slice) {
            slices.push(cell.slice.clone());
        }
    }
    slices
}

fn decide_cell(
    compared: &CellComparison,
    tested: Option<&Tested>,
    margin: f64,
    width: f64,
    policy: &GatePolicy,
    (share, largest_gain): (f64, f64),
) -> Cell {
    // The policy was checked before.
    let alpha = Alpha::new(policy.alpha).unwrap_or(Alpha::FIVE_PERCENT);
    let drop = drop_of(compared);
    let lower = lower_bound(&compared.evidence, alpha);
    let p_adjusted = tested.and_then(|tested| tested.p_adjusted);
    let worse = p_adjusted.is_some_and(|p| p <= policy.alpha) && drop > compared.evidence.tolerance;
    let unscored_share = compared.unscored as f64 / (compared.n + compared.unscored).max(1) as f64;
    let mut note = None;
    let state = if tested.is_none() {
        State::Shown
    } else if unscored_share > policy.require.unscored.max {
        // Before anything else: what is missing may be what passed, or what failed.
        note = Some(format!("{} of {} pairs are unscored", compared.unscored, compared.n + compared.unscored));
        State::Undecided
    } else if worse && drop > margin && fall_holds(&compared.evidence, alpha, share, largest_gain) {
        State::Regressed
    } else if worse && drop > margin {
        note = Some("most changes are losses, but the mean change is not below zero for sure".to_owned());
        State::Undecided
    } else if worse {
        State::WorseSmall
    } else if compared.same_answers {
        State::Same
    } else if margin > 0.0 && lower.is_some_and(|lower| lower > -margin) {
        State::Fine
    } else if p_adjusted.is_none() {
        note = Some(if compared.evidence.mean_change().is_none() {
            "the estimate is undefined on one side".to_owned()
        } else {
            format!("{} of at least {FEWEST_MOVED} blocks changed", tested.map_or(0, |tested| tested.moved))
        });
        State::Untestable
    } else {
        State::Undecided
    };
    if let Some(tested) = tested.filter(|tested| tested.borderline) {
        let p = tested.p_adjusted.unwrap_or_default();
        note = Some(format!("borderline: the adjusted p of {p:.4} is within simulation error of {}", policy.alpha));
    }
    Cell {
        metric: compared.metric.clone(),
        slice: compared.slice.clone(),
        n: compared.n,
        blocks: compared.blocks,
        baseline: compared.baseline,
        head: compared.head,
        delta: compared.delta,
        ci: compared.ci.map(|ci| [ci.low, ci.high]),
        method: compared.method.into(),
        p: tested.and_then(|tested| tested.p),
        p_adjusted,
        margin: margin * width,
        lower: lower.map(|lower| lower * width),
        needed_n: if is_open(state) { needed_n(compared, lower, margin) } else { None },
        noise_floor: None,
        state,
        note,
    }
}

/// The number of examples at which the bound of an unchanged cell would clear the margin: its distance from the estimate
/// shrinks with the root of n, and with n itself where nothing moved at all.
fn needed_n(cell: &CellComparison, lower: Option<f64>, margin: f64) -> Option<u64> {
    let distance = cell.evidence.mean_change()? - lower?;
    let ratio = distance / margin;
    (margin > 0.0 && distance > 0.0)
        .then(|| (cell.n as f64 * if cell.evidence.moved.is_empty() { ratio } else { ratio * ratio }).ceil() as u64)
        .filter(|&needed| needed > cell.n)
}

/// Weighs everything: the first of incomplete, fail, undecidable, inconclusive, pass stands; the rest is said.
fn conclude(verdict: &mut Verdict, comparison: &Comparison, policy: &GatePolicy, compared: &[&CellComparison]) {
    let mut findings: Vec<(Decision, String)> = Vec::new();
    if !verdict.regressed.is_empty() {
        findings.push((Decision::Fail, format!("regressed: {}", verdict.regressed.join(", "))));
    }
    findings.extend(incomplete(comparison, policy).map(|why| (Decision::Incomplete, why)));
    findings.extend(
        compared
            .iter()
            .filter(|cell| cell.slice == OVERALL)
            .filter_map(|cell| unmeasured(cell, policy))
            .map(|why| (Decision::Undecidable, why)),
    );
    findings.extend(of_rules(&verdict.rules, policy));
    let open = verdict.undecided.len();
    match policy.mode {
        Mode::NonInferiority
            if verdict
                .cells
                .iter()
                .any(|c| !matches!(c.state, State::Fine | State::Same | State::Shown | State::Accepted)) =>
        {
            let cells: Vec<_> = verdict
                .cells
                .iter()
                .filter(|c| !matches!(c.state, State::Fine | State::Same | State::Shown | State::Accepted))
                .map(Cell::name)
                .collect();
            findings.push((Decision::Inconclusive, format!("not shown to be fine: {}", cells.join(", "))));
        }
        Mode::Regression if open > 0 && policy.on_undecided == OnUndecided::Fail => {
            let why = format!("undecided: {}", verdict.undecided.join(", "));
            findings.push((Decision::Inconclusive, why));
        }
        _ => {}
    }
    verdict.decision = findings.iter().fold(Decision::Pass, |so_far, (decision, _)| so_far.or(*decision));
    let (deciding, others): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|(decision, _)| *decision == verdict.decision);
    verdict.reason = if deciding.is_empty() {
        pass_reason(verdict)
    } else {
        deciding.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")
    };
    verdict.warnings.extend(others.into_iter().map(|(_, why)| why));
    let unwatched = compared.iter().filter(|_| policy.safety.is_none());
    for cell in unwatched.filter(|cell| cell.evidence.keys.iter().any(|key| key == "safety")) {
        let flips = cell.evidence.pass_to_fail;
        if flips > 0 {
            verdict.warnings.push(format!(
                "{} @ {}: {flips} passing example{} now fail{}; run them again before trusting or dismissing this",
                cell.metric,
                cell.slice,
                if flips == 1 { "" } else { "s" },
                if flips == 1 { "s" } else { "" }
            ));
        }
    }
}

/// What the rules beside the cells ask for.
fn of_rules(rules: &[RuleOutcome], policy: &GatePolicy) -> Vec<(Decision, String)> {
    let strict = policy.mode == Mode::NonInferiority || policy.on_undecided == OnUndecided::Fail;
    let decision = |state: RuleState| match state {
        RuleState::Broken => Some(Decision::Fail),
        RuleState::Unmeasured => Some(Decision::Undecidable),
        RuleState::Open if strict => Some(Decision::Inconclusive),
        RuleState::Open | RuleState::Held => None,
    };
    rules
        .iter()
        .filter_map(|outcome| Some((decision(outcome.state)?, format!("{}: {}", outcome.name(), outcome.detail))))
        .collect()
}

fn pass_reason(verdict: &Verdict) -> String {
    let tested = verdict.cells.iter().filter(|cell| cell.state != State::Shown).count();
    let open = verdict.undecided.len();
    if open == 0 {
        format!("no cell of {tested} fell beyond its margin")
    } else {
        format!("no evidence that any cell of {tested} fell beyond its margin; {open} undecided")
    }
}

pub(super) fn incomplete(comparison: &Comparison, policy: &GatePolicy) -> Option<String> {
    let missing = comparison.only_baseline.count;
    let all = comparison.pairs + missing;
    let coverage = comparison.pairs as f64 / all as f64;
    if coverage < policy.require.coverage {
        let ids = comparison.only_baseline.ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if missing > 3 { ", …" } else { "" };
        return Some(format!("the head lacks {missing} of the baseline's {all} examples ({ids}{more})"));
    }
    for side in [&comparison.baseline, &comparison.head] {
        if !side.complete {
            return Some(format!("the run {} is not whole; resume it, or merge its shards", side.name));
        }
    }
    None
}

/// Why a metric cannot be decided: too many unscored pairs, or clearly more of them in the head.
pub(super) fn unmeasured(overall: &CellComparison, policy: &GatePolicy) -> Option<String> {
    let all = overall.n + overall.unscored;
    let share = overall.unscored as f64 / all.max(1) as f64;
    if share > policy.require.unscored.max {
        return Some(format!(
            "{}: {} of {all} pairs are unscored, more than {} %",
            overall.metric,
            overall.unscored,
            100.0 * policy.require.unscored.max
        ));
    }
    let (only_baseline, only_head) = overall.unscored_sides;
    let moved = only_baseline + only_head;
    (moved > 0 && only_head > only_baseline && binomial_half_cdf(only_baseline, moved) <= UNSCORED_ALPHA).then(|| {
        format!(
            "{}: {only_head} examples are unscored in the head alone, {only_baseline} in the baseline alone",
            overall.metric
        )
    })
}
