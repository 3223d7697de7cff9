//! What the gate says, and why.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::confirm::Rerun;
use super::exit::Decision;
use super::honest::HonestBaseline;
use super::licence::JudgeStanding;
use super::policy::Mode;
use super::rule::RuleOutcome;
use crate::compare::{Flips, Identity, LengthProfile, MetricSummary};
use crate::stats::Interval;

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Fell beyond its margin, with evidence that holds for all cells together.
    Regressed,
    /// Fell, with evidence, but not beyond its margin: shown, never fails.
    WorseSmall,
    /// The lower end of the change lies above minus the margin.
    Fine,
    /// Neither shown to have fallen nor shown to be fine.
    Undecided,
    /// Too few blocks changed for any test to say something.
    Untestable,
    /// Every answer is the same, byte for byte, on both sides.
    Same,
    /// Regressed, and the team takes it for a while: shown, does not fail.
    Accepted,
    /// Below `min_n`: printed, not tested.
    Shown,
}

/// One metric on one slice, decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Pairs with a score on both sides.
    pub n: u64,
    /// Independent blocks among them.
    pub blocks: u64,
    /// Estimate of the baseline.
    pub baseline: Option<f64>,
    /// Estimate of the head.
    pub head: Option<f64>,
    /// Head minus baseline, in units of the metric.
    pub delta: Option<f64>,
    /// Two-sided 95 % interval of `delta`.
    pub ci: Option<[f64; 2]>,
    /// How `ci` was made.
    pub method: Cow<'static, str>,
    /// One-sided p of "not worse", before adjustment.
    pub p: Option<f64>,
    /// The same, adjusted over all tested cells.
    pub p_adjusted: Option<f64>,
    /// The largest drop that does not matter, in units of the metric.
    pub margin: f64,
    /// One-sided bound of the change for the better, in units of the metric: above `-margin` the cell is fine.
    pub lower: Option<f64>,
    /// How many examples would show the cell to be fine if nothing changed, at the present noise; for open cells.
    pub needed_n: Option<u64>,
    /// How far the metric moves from run to run on its own, where measured.
    pub noise_floor: Option<f64>,
    /// The verdict.
    pub state: State,
    /// Why, where the state does not speak for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Cell {
    /// `metric @ slice`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} @ {}", self.metric, self.slice)
    }

    /// The interval of `delta`.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.ci.map(|[low, high]| Interval::new(low, high))
    }
}

/// The outcome of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Names this format and its version.
    pub schema: Cow<'static, str>,
    /// The outcome.
    pub decision: Decision,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// Why, in one sentence.
    pub reason: String,
    /// What was asked of the evidence.
    pub mode: Mode,
    /// False-alarm rate over all cells together.
    pub alpha: f64,
    /// Seed of the sign flips.
    pub seed: u64,
    /// The generator behind the seed.
    pub generator: Cow<'static, str>,
    /// How many sign flips were drawn; 0 when a single cell was solved exactly.
    pub draws: u32,
    /// The date by which anything that ages was judged.
    pub as_of: String,
    /// The most trials of an example that were used.
    pub trials: u32,
    /// The baseline.
    pub baseline: Identity,
    /// The head.
    pub head: Identity,
    /// Examples that both sides have.
    pub pairs: u64,
    /// The metrics that gate, with their scales.
    pub metrics: Vec<MetricSummary>,
    /// The cells, metric by metric, `overall` first.
    pub cells: Vec<Cell>,
    /// Each slice that regressed, once, in the order of `cells`.
    pub regressed: Vec<String>,
    /// The cells that are undecided or untestable, as `metric @ slice`.
    pub undecided: Vec<String>,
    /// How often this eval set was looked at before, where that is counted: each look that is followed by a change makes the
    /// next verdict a little less fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks: Option<u64>,
    /// How the judges behind metrics stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgeStanding>,
    /// What judges say by the length of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<LengthProfile>,
    /// The rules beside the cells.
    #[serde(default)]
    pub rules: Vec<RuleOutcome>,
    /// What re-runs of safety examples said; they enter no estimate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reruns: Vec<Rerun>,
    /// SHA-256 of the policy, where it was read from a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
    /// Examples whose passes changed.
    pub flips: Flips,
    /// Honest baselines beside the head, where they were asked for; they change nothing of the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub honest_baselines: Vec<HonestBaseline>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

impl Verdict {
    /// The name and version of the format.
    pub const SCHEMA: &'static str = "evalgauge.verdict/1";
}
