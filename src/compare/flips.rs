//! Examples whose verdict changed.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::paired_metric::PairedMetric;
use super::pairing::{Matched, Pairing};
use super::side::Side;

/// An example whose passes changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flip {
    /// The example.
    pub id: String,
    /// The metric.
    pub metric: String,
    /// Passing trials of the baseline.
    pub baseline_passes: u32,
    /// Trials of the baseline.
    pub baseline_trials: u32,
    /// Passing trials of the head.
    pub head_passes: u32,
    /// Trials of the head.
    pub head_trials: u32,
    /// Its slices, `key=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// The input, where the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The baseline's answer of the first trial, where the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_answer: Option<String>,
    /// The head's answer of the first trial, where the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_answer: Option<String>,
}

/// The four classes of examples whose passes changed; ids ascending within a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flips {
    /// All trials passed, now none does: broken for good.
    pub pass_to_fail: Vec<Flip>,
    /// No trial passed, now all do: fixed for good.
    pub fail_to_pass: Vec<Flip>,
    /// Fewer trials pass than before, but not from all to none.
    pub wavering_worse: Vec<Flip>,
    /// More trials pass than before, but not from none to all.
    pub wavering_better: Vec<Flip>,
}

impl Flips {
    /// Only the flips of some metrics.
    #[must_use]
    pub fn of_metrics(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let only = |flips: &[Flip]| flips.iter().filter(|flip| wanted(&flip.metric)).cloned().collect();
        Self {
            pass_to_fail: only(&self.pass_to_fail),
            fail_to_pass: only(&self.fail_to_pass),
            wavering_worse: only(&self.wavering_worse),
            wavering_better: only(&self.wavering_better),
        }
    }
}

pub(super) fn find_flips(
    flips: &mut Flips,
    metric: &str,
    paired: &PairedMetric,
    baseline: &Side,
    head: &Side,
    matched: &Matched,
) {
    if !paired.has_passes {
        return;
    }
    for (example, pair) in paired.pairs.iter().enumerate() {
        let Pairing::Paired(pair) = pair else { continue };
        let (before, now) = (pair.baseline_trials, pair.head_trials);
        // Shares of passes, as whole numbers over a common denominator.
        let class = match (now.passed * before.used).cmp(&(before.passed * now.used)) {
            Ordering::Equal => continue,
            Ordering::Less if before.all_passed() && now.passed == 0 => &mut flips.pass_to_fail,
            Ordering::Less => &mut flips.wavering_worse,
            Ordering::Greater if before.passed == 0 && now.all_passed() => &mut flips.fail_to_pass,
            Ordering::Greater => &mut flips.wavering_better,
        };
        let (b, h) = (matched.baseline[example] as usize, matched.head[example] as usize);
        let answer = |side: &Side, row: usize| side.answers.as_ref().and_then(|a| a[row].texts.first().cloned());
        let slices = baseline.labels.iter().flat_map(|labels| {
            let name =
                |&code: &u32| super::slices::slice_name([(labels.key.as_str(), labels.names[code as usize].as_str())]);
            labels.of(b).iter().map(name).collect::<Vec<_>>()
        });
        class.push(Flip {
            id: baseline.ids.get(b).to_owned(),
            metric: metric.to_owned(),
            baseline_passes: before.passed,
            baseline_trials: before.used,
            head_passes: now.passed,
            head_trials: now.used,
            slices: slices.collect(),
            input: head
                .inputs
                .as_ref()
                .or(baseline.inputs.as_ref())
                .map(|inputs| inputs[if head.inputs.is_some() { h } else { b }].clone()),
            baseline_answer: answer(baseline, b),
            head_answer: answer(head, h),
        });
    }
}
