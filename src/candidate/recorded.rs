//! A candidate that was asked before: its answers are those of a record.

use super::answer::Answer;
use crate::call::{Call, CallFailure, FailureKind, Program, Replies, Reply, Step, ToolCall};
use crate::evalset::Example;

/// The system under test as a record knows it. Whoever makes the plan gives its answers as replies; it is never asked.
#[derive(Debug)]
pub struct RecordedCandidate {
    /// Its name.
    pub name: String,
}

impl RecordedCandidate {
    /// The key of the one reply.
    pub const KEY: &'static str = "answer";

    /// The answer, once its reply is there.
    #[must_use]
    pub fn step(&self, example: &Example, trial: u32, replies: &Replies<'_>) -> Step<Answer> {
        let Some(reply) = replies.get(Self::KEY) else {
            let input = serde_json::json!({"id": example.id, "trial": trial});
            let call = Call::Program(Program { provider: self.name.clone(), input });
            return Step::Ask(vec![(Self::KEY.to_owned(), call)]);
        };
        Step::Done(match reply {
            Reply::Failed(failure) => Answer::failed(failure.clone()),
            Reply::Output(value) => Answer::from_value(value.clone()),
            Reply::Completion(completion) => {
                let mut answer = Answer::from_text(completion.text.clone());
                // An answer that only calls tools is kept as the JSON of its calls.
                let calls = answer.value.get("tool_calls").cloned().unwrap_or_default();
                answer.tool_calls = serde_json::from_value::<Vec<ToolCall>>(calls).unwrap_or_default();
                answer.finish = Some(completion.finish);
                answer
            }
            Reply::Vector(_) => {
                Answer::failed(CallFailure::new(FailureKind::Garbage, "a record has an answer of numbers"))
            }
        })
    }
}
