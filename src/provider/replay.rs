//! Recorded answers.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::router::{Answering, Provider, ProviderError, unfit};
use super::spec::ReplaySpec;
use crate::call::{Answered, Call, CallFailure, FailureKind, Reply, Source};
use crate::table::{Column, Want, read};

/// Answers from a file, by id and trial.
pub(super) struct ReplayProvider {
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
            if answers.insert(key, texts.get(row).map(str::to_owned)).is_some() {
                return Err(ProviderError::Settings(format!(
                    "{}:{}: the id `{}` stands twice{}",
                    path.display(),
                    table.lines[row],
                    ids.get(row),
                    if trials.is_some() { " with this trial" } else { "; name the column of the trial with `trial`" }
                )));
            }
        }
        Ok(Self { answers, has_trials: trials.is_some() })
    }

    fn find(&self, input: &Value) -> Reply {
        let id = input["id"].as_str().unwrap_or_default();
        let trial = if self.has_trials { input["trial"].as_u64().unwrap_or_default() as u32 } else { 0 };
        match self.answers.get(&(id.to_owned(), trial)) {
            Some(Some(answer)) => Reply::Output(Value::String(answer.clone())),
            Some(None) => Reply::Failed(CallFailure::new(FailureKind::NotRecorded, "the recorded answer is empty")),
            None => {
                let what = format!("the recording has no answer for `{id}`, trial {trial}");
                Reply::Failed(CallFailure::new(FailureKind::NotRecorded, what))
            }
        }
    }
}

impl Provider for ReplayProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        let answered = Answered { source: Source::Replay, ..Answered::live(self.find(&program.input), 0.0, None) };
        Box::pin(std::future::ready(Ok(answered)))
    }
}
