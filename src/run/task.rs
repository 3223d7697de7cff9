//! One example and trial on its way from nothing to a scored sample.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::RunError;
use super::plan::Plan;
use crate::call::{Answered, Call, Key, Replies, Reply, Source, Step, Usage};
use crate::candidate::Answer;
use crate::evalset::Example;
use crate::record::{Judging, Sample, shown_input};
use crate::score::{Case, Scale, ScoreRow, Took, rows};

/// The state of one example and trial: the replies it has. Everything else follows from them.
pub(super) struct Task {
    pub(super) example: Arc<Example>,
    pub(super) trial: u32,
    replies: BTreeMap<Key, Reply>,
    /// Keys that were asked for and not answered yet.
    open_keys: BTreeSet<Key>,
    /// What the replies took, of the candidate's calls alone.
    /// Nothing where one of them came in a batch.
    latency_ms: Option<f64>,
    attempts: u32,
    source: Option<Source>,
    usage: Option<Usage>,
    cost_usd: Option<f64>,
    /// What judging took.
    judging: Option<Box<Judging>>,
}

/// What a task needs next.
pub(super) enum Next {
    /// These calls.
    Ask(Vec<(Key, Call)>),
    /// Nothing: it is done.
    Done(Box<Sample>),
}

/// Keys of a scorer's calls start with its name, so that they never meet the candidate's.
fn scorer_prefix(name: &str) -> String {
    format!("score/{name}/")
}

/// Appends rows without room for more: an example has one or two, and a million of them hold what is left over apart.
fn add(scores: &mut Vec<ScoreRow>, mut rows: Vec<ScoreRow>) {
    if scores.is_empty() {
        *scores = rows;
    } else {
        scores.reserve_exact(rows.len());
        scores.append(&mut rows);
    }
}

impl Task {
    pub(super) const fn new(example: Arc<Example>, trial: u32) -> Self {
        Self {
            example,
            trial,
            replies: BTreeMap::new(),
            open_keys: BTreeSet::new(),
            latency_ms: Some(0.0),
            attempts: 0,
            source: None,
            usage: None,
            cost_usd: None,
            judging: None,
        }
    }

    /// Takes a reply in.
    pub(super) fn answer(&mut self, key: Key, answered: Answered) {
        if key.starts_with("score/") {
            self.judging.get_or_insert_default().add(&answered);
        } else {
            self.latency_ms = self.latency_ms.filter(|_| !answered.batch).map(|sum| sum + answered.latency_ms);
            self.attempts += answered.attempts;
            self.source = Some(answered.source);
            if let Some(more) = answered.usage {
                self.usage = Some(self.usage.unwrap_or_default() + more);
            }
            if let Some(more) = answered.cost_usd {
                self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + more);
            }
        }
        self.open_keys.remove(&key);
        self.replies.insert(key, answered.reply);
    }

    /// Of the calls of a step, those that are not on their way yet; they count as asked from now on.
    fn not_asked(&mut self, calls: Vec<(Key, Call)>) -> Result<Vec<(Key, Call)>, RunError> {
        let new: Vec<_> = calls.into_iter().filter(|(key, _)| !self.open_keys.contains(key)).collect();
        if let Some((key, _)) = new.iter().find(|(key, _)| self.replies.contains_key(key)) {
            return Err(RunError::Plan(format!("example `{}` asks twice for `{key}`", self.example.id)));
        }
        self.open_keys.extend(new.iter().map(|(key, _)| key.clone()));
        Ok(new)
    }

    /// What is needed now that these replies are there.
    pub(super) fn next(&mut self, plan: &Plan) -> Result<Next, RunError> {
        let replies = Replies::new(&self.replies);
        let step = plan
            .candidate
            .step(&self.example, self.trial, &replies)
            .map_err(|source| RunError::Prompt { id: self.example.id.clone(), source })?;
        let next = match step {
            Step::Ask(calls) => Next::Ask(calls),
            Step::Done(answer) => self.scored(plan, &answer, &replies),
        };
        Ok(match next {
            Next::Ask(calls) => Next::Ask(self.not_asked(calls)?),
            done @ Next::Done(_) => done,
        })
    }

    fn scored(&self, plan: &Plan, answer: &Answer, replies: &Replies<'_>) -> Next {
        let other = match &plan.against {
            Some(against) => against.answer(&self.example.id, self.trial),
            // Nothing to compare with: an answer is as good as itself.
            None => Some(answer),
        };
        let took = Took { latency_ms: self.latency_ms, cost_usd: self.cost_usd };
        let case = Case { example: &self.example, answer, other, took };
        let failure = answer.failure.as_ref().map(|failure| failure.message.as_str());
        let mut scores = Vec::new();
        let mut asked = Vec::new();
        for (name, scorer) in plan.scorers.iter().filter(|(_, scorer)| scorer.applies(&self.example)) {
            if failure.is_some() {
                add(&mut scores, rows::failed(name, scorer.as_ref(), &case, failure.unwrap_or_default()));
                continue;
            }
            let prefix = scorer_prefix(name);
            match scorer.step(&case, &replies.under(&prefix)) {
                Step::Ask(calls) => asked.extend(calls.into_iter().map(|(key, call)| (format!("{prefix}{key}"), call))),
                Step::Done(outcome) => add(&mut scores, rows::of(name, scorer.as_ref(), &self.example, &outcome)),
            }
        }
        if !asked.is_empty() {
            return Next::Ask(asked);
        }
        let scale = |name: &str| plan.asked.scorers.get(name).map_or(Scale::UNIT, |scorer| scorer.scale);
        for combined in &plan.combined {
            let row = combined.row(&self.example, &scores, &scale);
            add(&mut scores, row.into_iter().collect());
        }
        if !plan.combined.is_empty() {
            // Scorers stand by name in a record, and combinations came last.
            scores.sort_by(|a, b| a.scorer.cmp(&b.scorer).then_with(|| a.part.cmp(&b.part)));
        }
        Next::Done(Box::new(Sample {
            id: self.example.id.clone(),
            trial: self.trial,
            answer: answer.failure.is_none().then(|| answer.text.clone()),
            error: failure.map(str::to_owned),
            labels: self.example.labels.clone(),
            group: self.example.group.clone(),
            input: Some(shown_input(&self.example)),
            latency_ms: self.latency_ms,
            attempts: self.attempts,
            source: Some(self.source.unwrap_or(Source::Live)),
            usage: self.usage,
            cost_usd: self.cost_usd,
            finish: answer.finish,
            judging: self.judging.clone(),
            scores,
        }))
    }
}
