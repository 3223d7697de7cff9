//! Recorded answers.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::router::{Answering, Provider, ProviderError, unfit};
use super::spec::{ReplaySpec, RowKey};
use crate::call::{Answered, Call, CallFailure, FailureKind, Reply, Source};
use crate::evalset::strings_of;
use crate::table::{Column, Want, read};

/// Answers from a file, by id (or input) and trial.
pub(super) struct ReplayProvider {
    by: RowKey,
    answers: HashMap<(String, u32), Option<String>>,
    has_trials: bool,
}

impl ReplayProvider {
    pub(super) fn load(spec: &ReplaySpec, root: &Path) -> Result<Self, ProviderError> {
        let path = root.join(&spec.file);
        let mut wanted = vec![(spec.id.as_str(), Want::Text), (spec.answer.as_str(), Want::Category)];
        if let Some(trial) = &spec.trial {
            wanted.push((trial, Want::Number));
        }
        let table = read(&path, &wanted)?;
        let (Column::Text(ids), Column::Category(texts)) = (&table.columns[0], &table.columns[1]) else {
            return Err(ProviderError::Settings(format!("{}: unexpected columns", path.display())));
        };
        let trials = match table.columns.get(2) {
            Some(Column::Number(trials)) => Some(trials),
            _ => None,
        };
        let mut answers = HashMap::with_capacity(table.rows);
        for row in 0..table.rows {
            let trial = match trials.map(|trials| trials[row]) {
                None => 0,
                Some(Some(trial)) if trial >= 0.0 && trial.fract() == 0.0 => trial as u32,
                Some(other) => {
                    return Err(ProviderError::Settings(format!(
                        "{}:{}: the trial must be a whole number from 0, found {}",
                        path.display(),
                        table.lines[row],
                        other.map_or_else(|| "nothing".to_owned(), |trial| trial.to_string())
                    )));
                }
            };
            let key = (ids.get(row).to_owned(), trial);
            let answer = texts.get(row).map(str::to_owned);
            let (what, same) = match spec.by {
                RowKey::Id => ("id", false),
                // Two examples may ask the same question; one answer then serves both.
                RowKey::Input => ("input", answers.get(&key) == Some(&answer)),
            };
            if answers.insert(key, answer).is_some() && !same {
                return Err(ProviderError::Settings(format!(
                    "{}:{}: the {what} `{}` stands twice{}",
                    path.display(),
                    table.lines[row],
                    shortened(ids.get(row)),
                    if trials.is_some() { " with this trial" } else { "; name the column of the trial with `trial`" }
                )));
            }
        }
        Ok(Self { by: spec.by, answers, has_trials: trials.is_some() })
    }

    fn find(&self, input: &Value) -> Reply {
        let id = input["id"].as_str().unwrap_or_default();
        let key = match self.by {
            RowKey::Id => id.to_owned(),
            RowKey::Input => strings_of(&input["input"]),
        };
        let trial = if self.has_trials { input["trial"].as_u64().unwrap_or_default() as u32 } else { 0 };
        match self.answers.get(&(key, trial)) {
            Some(Some(answer)) => Reply::Output(Value::String(answer.clone())),
            Some(None) => Reply::Failed(CallFailure::new(FailureKind::NotRecorded, "the recorded answer is empty")),
            None => {
                let what = format!("the recording has no answer for `{id}`, trial {trial}");
                Reply::Failed(CallFailure::new(FailureKind::NotRecorded, what))
            }
        }
    }
}

/// The beginning of a text, for messages.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text.to_owned() }
}

impl Provider for ReplayProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        let answered = Answered { source: Source::Replay, ..Answered::live(self.find(&program.input), 0.0, None) };
        Box::pin(std::future::ready(Ok(answered)))
    }
}
