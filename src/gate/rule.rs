//! Rules beside the cells: each holds, is broken, or is left open by the evidence.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::confirm::{Confirmation, Rerun, confirmation};
use super::guard_rail;
use super::licence::JudgeStanding;
use super::policy::GatePolicy;
use super::verdict::{Cell, State};
use crate::compare::{CellComparison, Comparison, Flip, Flips, MetricSummary, Watched};
use crate::stats::Alpha;

/// The kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A named example passes in every trial of the head.
    MustPass,
    /// A named example failed before and passes in every trial of the head.
    MustFlip,
    /// No more examples than allowed broke for good.
    Broken,
    /// A metric is not below its threshold.
    Minimum,
    /// A measure did not rise further than allowed.
    GuardRail,
    /// No confirmed flip in a safety slice.
    Safety,
    /// A waiver has not expired.
    Waiver,
    /// A metric that a judge makes is decided only with the licence for it.
    Licence,
}

impl Rule {
    /// The name, as reports print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MustPass => "must pass",
            Self::MustFlip => "must flip",
            Self::Broken => "broken for good",
            Self::Minimum => "minimum",
            Self::GuardRail => "guard rail",
            Self::Safety => "safety",
            Self::Waiver => "waiver",
            Self::Licence => "judge's licence",
        }
    }
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleState {
    /// The evidence says that it holds.
    Held,
    /// The evidence says that it does not.
    Broken,
    /// The evidence does not say.
    Open,
    /// There is nothing to tell it by.
    Unmeasured,
}

impl RuleState {
    /// The word, as reports print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Open => "open",
            Self::Unmeasured => "unmeasured",
        }
    }
}

/// One rule about one subject, decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: Rule,
    /// What it is about: an example, a cell, a measure.
    pub subject: String,
    /// Where it stands.
    pub state: RuleState,
    /// Why, for people.
    pub detail: String,
}

impl RuleOutcome {
    fn new(rule: Rule, subject: impl Into<String>, state: RuleState, detail: impl Into<String>) -> Self {
        Self { rule, subject: subject.into(), state, detail: detail.into() }
    }

    /// Rule and subject in a line.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}: {}", self.rule.name(), self.subject)
    }
}

/// What rules are decided from.
pub(super) struct Evidence<'a> {
    pub(super) comparison: &'a Comparison,
    pub(super) policy: &'a GatePolicy,
    pub(super) gating: &'a [&'a MetricSummary],
    pub(super) compared: &'a [&'a CellComparison],
    pub(super) flips: &'a Flips,
    pub(super) reruns: &'a [Rerun],
    pub(super) as_of: &'a str,
    pub(super) standings: &'a [JudgeStanding],
}

/// All rules of a policy, in the order of [`Rule`].
pub(super) fn rules(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    let mut outcomes = Vec::new();
    named(evidence, Rule::MustPass, &evidence.policy.require.must_pass, &mut outcomes);
    named(evidence, Rule::MustFlip, &evidence.policy.require.must_flip, &mut outcomes);
    outcomes.extend(broken(evidence));
    outcomes.extend(minimums(evidence));
    outcomes.extend(guard_rails(evidence));
    outcomes.extend(safety(evidence));
    outcomes.extend(expired(evidence));
    outcomes.extend(licences(evidence));
    outcomes
}

/// Whether every trial that there is passed; no trial is no pass.
const fn passes((passed, used): (u32, u32)) -> bool {
    used > 0 && passed == used
}

fn named(evidence: &Evidence<'_>, rule: Rule, ids: &[String], outcomes: &mut Vec<RuleOutcome>) {
    for id in ids {
        let gates = |watched: &&Watched| evidence.gating.iter().any(|metric| metric.name == watched.metric);
        let found: Vec<&Watched> =
            evidence.comparison.watched.iter().filter(|watched| watched.id == *id).filter(gates).collect();
        let failing = found.iter().find(|watched| !passes(watched.head));
        // A claim to fix something is about at least one metric that was not right before.
        let right_before = rule == Rule::MustFlip && found.iter().all(|watched| passes(watched.baseline));
        let (state, detail) = match failing {
            _ if found.is_empty() => {
                (RuleState::Broken, "it is not among the scored examples of both sides".to_owned())
            }
            Some(Watched { metric, head: (passed, used), .. }) => {
                (RuleState::Broken, format!("{metric}: {passed} of {used} trials pass in the head"))
            }
            None if right_before => (RuleState::Broken, "the baseline passes it already: nothing to fix".to_owned()),
            None => (RuleState::Held, "every trial of the head passes".to_owned()),
        };
        outcomes.push(RuleOutcome::new(rule, id.as_str(), state, detail));
    }
}

fn broken(evidence: &Evidence<'_>) -> Option<RuleOutcome> {
    let limit = evidence.policy.require.broken?;
    let ids: BTreeSet<&str> = evidence.flips.pass_to_fail.iter().map(|flip| flip.id.as_str()).collect();
    let count = ids.len() as u64;
    let state = if count > limit.max { RuleState::Broken } else { RuleState::Held };
    let few: Vec<&str> = ids.iter().take(5).copied().collect();
    let more = if ids.len() > few.len() { ", …" } else { "" };
    let which = if few.is_empty() { String::new() } else { format!(" ({}{more})", few.join(", ")) };
    Some(RuleOutcome::new(
        Rule::Broken,
        "examples",
        state,
        format!("{count} passed in all trials and now in none{which}, at most {}", limit.max),
    ))
}

fn minimums(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    let mut outcomes = Vec::new();
    for (metric, policy) in &evidence.policy.metric {
        for (slice, least) in policy.min.iter().flat_map(super::limits::Minimum::entries) {
            let cell = evidence.compared.iter().find(|cell| cell.metric == *metric && cell.slice == slice);
            let scale = evidence.gating.iter().find(|summary| summary.name == *metric).map(|summary| summary.scale);
            let subject = format!("{metric} @ {slice}");
            let Some(((cell, head), scale)) = cell.and_then(|cell| Some((cell, cell.head_ci?))).zip(scale) else {
                let detail = "no such cell was measured, or it has too few examples for an interval";
                outcomes.push(RuleOutcome::new(Rule::Minimum, subject, RuleState::Unmeasured, detail));
                continue;
            };
            // Beyond the whole interval, not beyond the point: a point is on the wrong side every other time.
            let (met, missed) = if scale.higher_is_better {
                (head.low >= least, head.high < least)
            } else {
                (head.high <= least, head.low > least)
            };
            let state = match (met, missed) {
                (true, _) => RuleState::Held,
                (_, true) => RuleState::Broken,
                _ => RuleState::Open,
            };
            let detail = format!(
                "{:.4} [{:.4}, {:.4}] of n = {}, {} {least}",
                cell.head.unwrap_or(f64::NAN),
                head.low,
                head.high,
                cell.n,
                if scale.higher_is_better { "at least" } else { "at most" }
            );
            outcomes.push(RuleOutcome::new(Rule::Minimum, subject, state, detail));
        }
    }
    outcomes
}

fn guard_rails(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    let GatePolicy { guard, guard_alpha, .. } = evidence.policy;
    // The policy was checked before.
    let alpha = Alpha::new(*guard_alpha).unwrap_or(Alpha::FIVE_PERCENT).among(guard.len());
    guard
        .iter()
        .map(|(measure, rail)| {
            let paired = evidence.comparison.measures.iter().find(|paired| paired.measure == *measure);
            let Some(paired) = paired.filter(|paired| !paired.pairs.is_empty()) else {
                let detail = "not known on both sides; bless the baseline anew with this version, or drop the rule";
                return RuleOutcome::new(Rule::GuardRail, measure.name(), RuleState::Unmeasured, detail);
            };
            let railed = guard_rail::test(paired, rail, alpha);
            RuleOutcome::new(Rule::GuardRail, measure.name(), railed.state, railed.detail)
        })
        .collect()
}

/// The flips of safety examples: passes in all trials of the baseline, and not in all of the head.
pub(super) fn safety_flips<'f>(policy: &GatePolicy, flips: &'f Flips) -> Vec<&'f Flip> {
    let Some(safety) = &policy.safety else { return Vec::new() };
    flips
        .pass_to_fail
        .iter()
        .chain(&flips.wavering_worse)
        .filter(|flip| flip.baseline_passes == flip.baseline_trials && safety.covers(&flip.slices))
        .collect()
}

fn safety(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    let Some(safety) = &evidence.policy.safety else { return Vec::new() };
    safety_flips(evidence.policy, evidence.flips)
        .into_iter()
        .map(|flip| {
            let rerun = evidence.reruns.iter().find(|rerun| rerun.id == flip.id && rerun.metric == flip.metric);
            let counts = |rerun: &Rerun| {
                let failed = |trials: &[bool]| trials.iter().filter(|passed| !**passed).count();
                format!(
                    "run again, the baseline failed {} of {}, the head {} of {}",
                    failed(&rerun.baseline),
                    rerun.baseline.len(),
                    failed(&rerun.head),
                    rerun.head.len()
                )
            };
            let said = rerun.map(|rerun| (confirmation(safety.confirm, &rerun.baseline, &rerun.head), counts(rerun)));
            let (state, detail) = match said {
                Some((Confirmation::Confirmed, counts)) => (RuleState::Broken, format!("confirmed: {counts}")),
                Some((Confirmation::Flaky, counts)) => (RuleState::Held, format!("flaky: {counts}")),
                Some((Confirmation::NotConfirmed, counts)) => (RuleState::Held, format!("not confirmed: {counts}")),
                Some((Confirmation::Open, counts)) => (RuleState::Open, counts),
                None => (
                    RuleState::Open,
                    "passed before and fails now; `evalgauge check` runs both sides again to confirm it".to_owned(),
                ),
            };
            RuleOutcome::new(Rule::Safety, format!("{} ({})", flip.id, flip.metric), state, detail)
        })
        .collect()
}

/// Waivers that hold no more.
fn expired(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    evidence
        .policy
        .accept
        .iter()
        .filter(|waiver| is_expired(&waiver.until.to_string(), evidence.as_of))
        .map(|waiver| {
            let detail =
                format!("expired on {}; renew it or take it out ({}, {})", waiver.until, waiver.reason, waiver.by);
            RuleOutcome::new(Rule::Waiver, waiver.cell.as_str(), RuleState::Broken, detail)
        })
        .collect()
}

/// Judges that may not decide what they are asked to.
fn licences(evidence: &Evidence<'_>) -> Vec<RuleOutcome> {
    evidence
        .standings
        .iter()
        .map(|standing| {
            if let Some(why) = &standing.refused {
                return RuleOutcome::new(Rule::Licence, standing.metric.as_str(), RuleState::Unmeasured, why.as_str());
            }
            let kappa = standing.kappa.map_or_else(String::new, |kappa| format!(", κ {kappa:.2}"));
            let detail = format!(
                "judge `{}` ({}) may be used for {}{kappa} on {} items",
                standing.judge,
                standing.dimension,
                standing.allows.words(),
                standing.items
            );
            RuleOutcome::new(Rule::Licence, standing.metric.as_str(), RuleState::Held, detail)
        })
        .collect()
}

/// Whether the last day of a waiver lies before a day; both are ISO dates, whose order is that of their bytes.
fn is_expired(until: &str, as_of: &str) -> bool {
    until < as_of
}

/// Takes regressed cells with a waiver that holds out of what fails, and says so.
pub(super) fn accept(cells: &mut [Cell], policy: &GatePolicy, as_of: &str) -> Vec<String> {
    let mut said = Vec::new();
    for waiver in policy.accept.iter().filter(|waiver| !is_expired(&waiver.until.to_string(), as_of)) {
        let cell = cells.iter_mut().find(|cell| cell.name() == waiver.cell);
        let used = match cell {
            Some(cell) if cell.state == State::Regressed => {
                cell.state = State::Accepted;
                cell.note = Some(format!("accepted until {} by {}: {}", waiver.until, waiver.by, waiver.reason));
                "a fall is accepted"
            }
            Some(_) => "nothing fell there",
            None => "there is no such cell",
        };
        said.push(format!(
            "waiver for {} until {} ({}, {}): {used}",
            waiver.cell, waiver.until, waiver.reason, waiver.by
        ));
    }
    said
}
