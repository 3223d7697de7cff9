//! The answers of a record as replies, so that they can be scored again without asking anybody.

use serde_json::Value;

use crate::call::{Answered, CallFailure, Completion, FailureKind, Finish, Reply, Source};
use crate::candidate::RecordedCandidate;
use crate::record::{JournalRow, RunRecord, Sample};

/// A reply for every answer of a record, with what it took.
#[must_use]
pub fn recorded_replies(record: &RunRecord) -> Vec<JournalRow> {
    let row = |sample: &Sample| JournalRow {
        id: sample.id.clone(),
        trial: sample.trial,
        key: RecordedCandidate::KEY.to_owned(),
        answered: Answered {
            reply: reply(sample),
            source: sample.source.unwrap_or(Source::Replay),
            latency_ms: sample.latency_ms.unwrap_or_default(),
            first_token_ms: None,
            attempts: sample.attempts,
            usage: sample.usage,
            cost_usd: sample.cost_usd,
            // Nobody timed it.
            batch: sample.latency_ms.is_none(),
        },
    };
    record.samples.iter().map(row).collect()
}

fn reply(sample: &Sample) -> Reply {
    let Some(text) = &sample.answer else {
        // Of the failure a record keeps the words.
        let why = sample.error.clone().unwrap_or_default();
        return Reply::Failed(CallFailure::new(FailureKind::Crash, why));
    };
    match sample.finish {
        Some(finish) => Reply::Completion(Completion { text: text.clone(), finish, ..Completion::default() }),
        None => Reply::Output(Value::String(text.clone())),
    }
}

/// How many answers called tools beside saying something: a record keeps what they said, not the calls.
#[must_use]
pub fn lost_tool_calls(record: &RunRecord) -> usize {
    let calls = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("tool_calls").is_some());
    let lost = |sample: &&Sample| {
        sample.finish == Some(Finish::ToolCalls) && sample.answer.as_deref().is_some_and(|text| !calls(text))
    };
    record.samples.iter().filter(lost).count()
}
