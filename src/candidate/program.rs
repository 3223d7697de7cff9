//! A candidate that answers with one call to a program.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::error::CandidateError;
use crate::call::{Call, CallFailure, FailureKind, Pointer, Program, Replies, Reply, Step, Template};
use crate::evalset::Example;

/// The key of the one call.
const KEY: &str = "answer";

/// The system under test as one program: a child process, a rule file, or a recording.
#[derive(Debug)]
pub struct ProgramCandidate {
    /// Who answers; a name that the router knows.
    pub provider: String,
    /// A prompt to render and send along as `prompt`.
    pub prompt: Option<Template>,
    /// The body of a request to render and send along as `body`.
    pub body: Option<Template>,
    /// Where in the program's output the answer is.
    pub answer: Pointer,
}

impl ProgramCandidate {
    /// The next step for an example and trial.
    ///
    /// # Errors
    /// A template that cannot be rendered for this example.
    pub fn step(&self, example: &Example, trial: u32, replies: &Replies<'_>) -> Result<Step<Answer>, CandidateError> {
        let Some(reply) = replies.get(KEY) else {
            let call =
                Call::Program(Program { provider: self.provider.clone(), input: self.document(example, trial)? });
            return Ok(Step::Ask(vec![(KEY.to_owned(), call)]));
        };
        Ok(Step::Done(match reply {
            Reply::Failed(failure) => Answer::failed(failure.clone()),
            Reply::Output(output) => self.read(output),
            Reply::Completion(_) | Reply::Vector(_) => {
                Answer::failed(CallFailure::new(FailureKind::Garbage, "a program gave the reply of a model"))
            }
        }))
    }

    fn read(&self, output: &Value) -> Answer {
        let failed = |kind, message: String| Answer::failed(CallFailure::new(kind, message));
        match self.answer.find(output) {
            None => failed(FailureKind::Garbage, format!("the output has nothing at {}", self.answer)),
            Some(Value::Null) => failed(FailureKind::Garbage, "the answer is empty".to_owned()),
            Some(Value::String(text)) if text.trim().is_empty() => {
                failed(FailureKind::Garbage, "the answer is empty".to_owned())
            }
            Some(value) => Answer::from_value(value.clone()),
        }
    }

    /// What the program is told. Never what is expected.
    fn document(&self, example: &Example, trial: u32) -> Result<Value, CandidateError> {
        let mut document = Map::new();
        document.insert("id".to_owned(), json!(example.id));
        document.insert("trial".to_owned(), json!(trial));
        document.insert("input".to_owned(), example.input.clone());
        if let Some(prompt) = &self.prompt {
            document.insert("prompt".to_owned(), json!(prompt.render(&variables(example))?));
        }
        if let Some(body) = &self.body {
            let mut variables = variables(example);
            if let Value::Object(fields) = &mut variables {
                fields.insert("id".to_owned(), json!(example.id));
                fields.insert("trial".to_owned(), json!(trial));
            }
            document.insert("body".to_owned(), json!(body.render(&variables)?));
        }
        Ok(Value::Object(document))
    }
}

/// What a prompt template sees: `input`, and the fields of an input object by their own names.
pub(super) fn variables(example: &Example) -> Value {
    let mut variables = match &example.input {
        Value::Object(fields) => fields.clone(),
        _ => Map::new(),
    };
    variables.insert("input".to_owned(), example.input.clone());
    Value::Object(variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn example() -> Example {
        Example {
            id: "a".to_owned(),
            input: json!({"alert": "disk full"}),
            expected: Some(json!({"answer": "secret"})),
            labels: crate::evalset::Labels::default(),
            group: None,
            other: Map::new(),
        }
    }

    fn candidate() -> ProgramCandidate {
        ProgramCandidate {
            provider: "app".to_owned(),
            prompt: Some(Template::new("p", "Alert: {{ alert }}").unwrap()),
            body: None,
            answer: Pointer::new("/answer").unwrap(),
        }
    }

    #[test]
    fn it_asks_once_and_never_tells_what_is_expected() {
        let none = BTreeMap::new();
        let Step::Ask(calls) = candidate().step(&example(), 2, &Replies::new(&none)).unwrap() else { panic!() };
        let [(key, Call::Program(program))] = &calls[..] else { panic!() };
        assert_eq!(key, "answer");
        assert_eq!(program.input["prompt"], "Alert: disk full");
        assert_eq!(program.input["trial"], 2);
        assert!(!program.input.to_string().contains("secret"));
    }

    #[test]
    fn an_answer_that_is_not_there_is_a_failure() {
        for (output, fails) in
            [(json!({"answer": "x"}), false), (json!({"answer": " "}), true), (json!({}), true), (json!("x"), true)]
        {
            let replies = BTreeMap::from([(KEY.to_owned(), Reply::Output(output.clone()))]);
            let Step::Done(answer) = candidate().step(&example(), 0, &Replies::new(&replies)).unwrap() else {
                panic!()
            };
            assert_eq!(answer.failure.is_some(), fails, "{output}");
        }
    }
}
