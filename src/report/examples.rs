//! The examples of a report: both sides' answers and scores, one line an example, those that got worse first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::{Flip, MetricSpec};
use crate::gate::Verdict;
use crate::record::{RunRecord, Sample};
use crate::score::{ScoreRow, Value};

/// What became of an example under one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// All trials passed, now none does.
    Broke,
    /// Fewer trials pass.
    Worse,
    /// More trials pass.
    Better,
    /// No trial passed, now all do.
    Fixed,
    /// Fails as often as before; of a record alone: some trial fails.
    Fails,
    /// Passes as often as before.
    Passes,
    /// A side has no score.
    Unscored,
}

impl Change {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Fixed => "fixed",
            Self::Fails => "fails",
            Self::Passes => "passes",
            Self::Unscored => "unscored",
        }
    }
}

/// Passing trials among those with a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passes {
    /// How many passed.
    pub passed: u32,
    /// How many have a score.
    pub trials: u32,
}

/// What one side says of an example under one metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// Its passes.
    pub passes: Passes,
    /// The value of the first trial.
    pub value: Option<String>,
    /// The scorer's words about the first trial that has any.
    pub reason: Option<String>,
}

/// An example under one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub change: Change,
    /// The baseline's; none in a record alone.
    pub baseline: Option<Said>,
    /// The head's.
    pub head: Said,
    /// What would have been right, where an answer gave another label.
    pub expected: Option<String>,
}

/// One example.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Example {
    /// Its id.
    pub id: String,
    /// Its labels.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Its group.
    pub group: Option<String>,
    /// The beginning of its input.
    pub input: Option<String>,
    /// The baseline's answer of each trial.
    pub baseline: Vec<String>,
    /// The head's answer of each trial.
    pub head: Vec<String>,
    /// By metric, in the order of [`Examples::metrics`]; none where the metric does not apply.
    pub outcomes: Vec<Option<Outcome>>,
    /// The head's latency of the first trial in milliseconds.
    pub latency_ms: Option<f64>,
    /// The head's cost over all trials in US dollars.
    pub cost_usd: Option<f64>,
}

/// A metric of the examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it decides.
    pub gates: bool,
}

/// All examples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Examples {
    /// The metrics, those that gate first.
    pub metrics: Vec<Column>,
    /// The examples: what broke first, then by the bytes of their ids.
    pub lines: Vec<Example>,
    /// Whether there is a baseline beside the head.
    pub paired: bool,
}

fn passes_of(rows: &[&ScoreRow]) -> Passes {
    let scored = || rows.iter().filter_map(|row| row.passed);
    Passes { passed: scored().filter(|passed| *passed).count() as u32, trials: scored().count() as u32 }
}

fn value_text(row: &ScoreRow) -> Option<String> {
    let text = match row.value.as_ref()? {
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => format!("{value}"),
        Value::Label(label) if label.is_empty() => "(none)".to_owned(),
        Value::Label(label) => label.clone(),
        Value::Ranked(ids) => ids.iter().take(10).cloned().collect::<Vec<_>>().join(", "),
        Value::Preference(preference) => format!("{preference:+}"),
    };
    Some(match row.confidence {
        Some(confidence) => format!("{text} ({confidence:.2} sure)"),
        None => text,
    })
}

fn said(rows: &[&ScoreRow]) -> Said {
    Said {
        passes: passes_of(rows),
        value: rows.first().and_then(|row| value_text(row)),
        reason: rows.iter().find_map(|row| row.reason.clone()),
    }
}

/// The class of a change in passes; the shares are compared as whole numbers.
fn change(before: Option<Passes>, now: Passes) -> Change {
    let Some(before) = before else {
        return match now {
            Passes { trials: 0, .. } => Change::Unscored,
            Passes { passed, trials } if passed < trials => Change::Fails,
            Passes { .. } => Change::Passes,
        };
    };
    if before.trials == 0 || now.trials == 0 {
        return Change::Unscored;
    }
    match (now.passed * before.trials).cmp(&(before.passed * now.trials)) {
        std::cmp::Ordering::Less if before.passed == before.trials && now.passed == 0 => Change::Broke,
        std::cmp::Ordering::Less => Change::Worse,
        std::cmp::Ordering::Greater if before.passed == 0 && now.passed == now.trials => Change::Fixed,
        std::cmp::Ordering::Greater => Change::Better,
        std::cmp::Ordering::Equal if now.passed < now.trials => Change::Fails,
        std::cmp::Ordering::Equal => Change::Passes,
    }
}

fn answer(sample: &Sample) -> String {
    match (&sample.answer, &sample.error) {
        (Some(answer), _) => answer.clone(),
        (None, Some(error)) => format!("(failed: {error})"),
        (None, None) => String::new(),
    }
}

fn rows_of<'a>(trials: &'a [Sample], spec: &MetricSpec) -> Vec<&'a ScoreRow> {
    let of = |sample: &'a Sample| sample.scores.iter().find(|row| row.scorer == spec.scorer && row.part == spec.part);
    trials.iter().filter_map(of).collect()
}

fn outcome(spec: &MetricSpec, baseline: Option<&[Sample]>, head: &[Sample]) -> Option<Outcome> {
    let now = rows_of(head, spec);
    let before = baseline.map(|trials| rows_of(trials, spec));
    if now.is_empty() && before.as_ref().is_none_or(Vec::is_empty) {
        return None;
    }
    let expected = now.iter().chain(before.iter().flatten()).find_map(|row| row.expected.clone());
    let head = said(&now);
    let baseline = before.map(|rows| said(&rows));
    Some(Outcome { change: change(baseline.as_ref().map(|said| said.passes), head.passes), baseline, head, expected })
}

fn example(id: &str, baseline: Option<&[Sample]>, head: &[Sample], specs: &[&MetricSpec], paired: bool) -> Example {
    let any = head.first().or_else(|| baseline.and_then(<[Sample]>::first));
    let before = paired.then(|| baseline.unwrap_or_default());
    let costs: Vec<f64> = head.iter().filter_map(|sample| sample.cost_usd).collect();
    Example {
        id: id.to_owned(),
        labels: any.map_or_else(BTreeMap::new, |sample| {
            let labels = sample.labels.iter();
            labels.map(|(key, label)| (key.clone(), label.iter().map(str::to_owned).collect())).collect()
        }),
        group: any.and_then(|sample| sample.group.clone()),
        input: head.iter().chain(baseline.unwrap_or_default()).find_map(|sample| sample.input.clone()),
        baseline: baseline.unwrap_or_default().iter().map(answer).collect(),
        head: head.iter().map(answer).collect(),
        outcomes: specs.iter().map(|spec| outcome(spec, before, head)).collect(),
        latency_ms: head.first().and_then(|sample| sample.latency_ms),
        cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
    }
}

impl Examples {
    /// The examples of a head, beside those of a baseline. `gates` says which metrics decide.
    #[must_use]
    pub fn of_records(
        baseline: Option<&RunRecord>,
        head: &RunRecord,
        metrics: &BTreeMap<String, MetricSpec>,
        gates: impl Fn(&str) -> bool,
    ) -> Self {
        // A metric over a scorer that the head was not scored by has nothing to show.
        let known = metrics.iter().filter(|(_, spec)| head.manifest.asked.scorers.contains_key(&spec.scorer));
        let mut named: Vec<(&String, &MetricSpec, bool)> =
            known.map(|(name, spec)| (name, spec, gates(name))).collect();
        named.sort_by_key(|(_, _, gates)| !gates);
        let specs: Vec<&MetricSpec> = named.iter().map(|(_, spec, _)| *spec).collect();
        let mut before: BTreeMap<&str, &[Sample]> = baseline
            .map(|record| record.samples.chunk_by(|a, b| a.id == b.id).map(|trials| (&*trials[0].id, trials)).collect())
            .unwrap_or_default();
        let paired = baseline.is_some();
        let mut lines: Vec<Example> = head
            .samples
            .chunk_by(|a, b| a.id == b.id)
            .map(|trials| example(&trials[0].id, before.remove(&*trials[0].id), trials, &specs, paired))
            .collect();
        lines.extend(before.into_iter().map(|(id, trials)| example(id, Some(trials), &[], &specs, paired)));
        let metrics = named.into_iter().map(|(name, _, gates)| Column { name: name.clone(), gates }).collect();
        let mut examples = Self { metrics, lines, paired };
        examples.sort();
        examples
    }

    /// The examples that a verdict itself keeps: those whose passes changed.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Self {
        let metrics: Vec<Column> =
            verdict.metrics.iter().map(|metric| Column { name: metric.name.clone(), gates: true }).collect();
        let flips = &verdict.flips;
        let classes = [
            (Change::Broke, &flips.pass_to_fail),
            (Change::Worse, &flips.wavering_worse),
            (Change::Better, &flips.wavering_better),
            (Change::Fixed, &flips.fail_to_pass),
        ];
        let mut lines: BTreeMap<&str, Example> = BTreeMap::new();
        for (change, flip) in classes.iter().flat_map(|(change, flips)| flips.iter().map(|flip| (*change, flip))) {
            let line = lines.entry(&flip.id).or_insert_with(|| of_flip(flip, metrics.len()));
            if let Some(place) = metrics.iter().position(|metric| metric.name == flip.metric) {
                let said = |passed, trials| Said { passes: Passes { passed, trials }, ..Said::default() };
                line.outcomes[place] = Some(Outcome {
                    change,
                    baseline: Some(said(flip.baseline_passes, flip.baseline_trials)),
                    head: said(flip.head_passes, flip.head_trials),
                    expected: None,
                });
            }
        }
        let mut examples = Self { metrics, lines: lines.into_values().collect(), paired: true };
        examples.sort();
        examples
    }

    /// What became of an example under the metrics that gate (all, where none does): the worst.
    #[must_use]
    pub fn change_of(&self, example: &Example) -> Change {
        let all = !self.metrics.iter().any(|metric| metric.gates);
        let outcomes = self.metrics.iter().zip(&example.outcomes).filter(|(metric, _)| all || metric.gates);
        outcomes
            .filter_map(|(_, outcome)| outcome.as_ref())
            .map(|outcome| outcome.change)
            .min()
            .unwrap_or(Change::Unscored)
    }

    fn sort(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by_cached_key(|line| (self.change_of(line), line.id.clone()));
        self.lines = lines;
    }
}

fn of_flip(flip: &Flip, metrics: usize) -> Example {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in flip.slices.iter().filter_map(|slice| slice.split_once('=')) {
        labels.entry(key.to_owned()).or_default().push(value.trim_matches('"').to_owned());
    }
    Example {
        id: flip.id.clone(),
        labels,
        input: flip.input.clone(),
        baseline: flip.baseline_answer.iter().cloned().collect(),
        head: flip.head_answer.iter().cloned().collect(),
        outcomes: vec![None; metrics],
        ..Example::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_classed_by_shares_of_passes() {
        let of = |before: (u32, u32), now: (u32, u32)| {
            let passes = |(passed, trials)| Passes { passed, trials };
            change(Some(passes(before)), passes(now))
        };
        assert_eq!(of((1, 1), (0, 1)), Change::Broke);
        assert_eq!(of((2, 3), (0, 3)), Change::Worse);
        assert_eq!(of((1, 3), (3, 3)), Change::Better);
        assert_eq!(of((0, 1), (3, 3)), Change::Fixed);
        assert_eq!(of((1, 2), (2, 4)), Change::Fails);
        assert_eq!(of((1, 1), (3, 3)), Change::Passes);
        assert_eq!(of((0, 0), (3, 3)), Change::Unscored);
        assert_eq!(change(None, Passes { passed: 2, trials: 3 }), Change::Fails);
    }
}
