//! A candidate that is a language model: prompts, conversations, scripted turns.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::error::CandidateError;
use super::program::variables;
use crate::call::{
    Call, CallFailure, Completion, Content, FailureKind, Finish, Message, Replies, Reply, Request, Role, Step,
    Template, ToolCall,
};
use crate::evalset::Example;

/// The system under test as a model with its prompts.
#[derive(Debug)]
pub struct ChatCandidate {
    /// The question without its messages.
    pub request: Request,
    /// Makes the user's turn.
    pub prompt: Option<Template>,
    /// Makes the system's turn.
    pub system: Option<Template>,
}

/// The key of the n-th turn's call, from 1.
fn key(turn: usize) -> String {
    format!("turn/{turn}")
}

impl ChatCandidate {
    /// The next step for an example and trial: its first turn, the next scripted one, or the answer to the last.
    ///
    /// # Errors
    /// A template that cannot be rendered for this example, or an input that is no conversation.
    pub fn step(&self, example: &Example, trial: u32, replies: &Replies<'_>) -> Result<Step<Answer>, CandidateError> {
        let mut messages = Vec::new();
        if let Some(system) = &self.system {
            messages.push(Message::text(Role::System, system.render(&variables(example))?));
        }
        let mut turns = self.turns(example)?.into_iter();
        messages.extend(turns.next().unwrap_or_default());
        for turn in 1.. {
            let completion = match replies.get(&key(turn)) {
                None => {
                    let request = Request { messages, repeat: trial, ..self.request.clone() };
                    return Ok(Step::Ask(vec![(key(turn), Call::Chat(Box::new(request)))]));
                }
                Some(Reply::Failed(failure)) => return Ok(Step::Done(Answer::failed(failure.clone()))),
                Some(Reply::Completion(completion)) => completion,
                Some(Reply::Output(_) | Reply::Vector(_)) => {
                    let failure = CallFailure::new(FailureKind::Garbage, "a model gave the reply of a program");
                    return Ok(Step::Done(Answer::failed(failure)));
                }
            };
            messages.push(Message {
                role: Role::Assistant,
                content: Content::Text(completion.text.clone()),
                tool_calls: completion.tool_calls.clone(),
                tool_call_id: None,
                signature: completion.signature.clone(),
            });
            match turns.next() {
                Some(next) => messages.extend(next),
                None => return Ok(Step::Done(answer(completion, messages))),
            }
        }
        // The numbers of turns do not end before the turns do.
        Ok(Step::Done(Answer::failed(CallFailure::new(FailureKind::Garbage, "no turn"))))
    }

    /// What is said before each of the model's turns.
    fn turns(&self, example: &Example) -> Result<Vec<Vec<Message>>, CandidateError> {
        let user = |text: String| vec![Message::text(Role::User, text)];
        if let Some(turns) = example.input.get("turns") {
            let turns: Vec<String> = serde_json::from_value(turns.clone())
                .map_err(|error| CandidateError::Input(format!("`input.turns`: expected a list of texts: {error}")))?;
            if turns.is_empty() {
                return Err(CandidateError::Input("`input.turns` is empty".to_owned()));
            }
            return turns.into_iter().map(|turn| Ok(user(self.rendered(example, Some(turn))?))).collect();
        }
        if self.prompt.is_some() {
            return Ok(vec![user(self.rendered(example, None)?)]);
        }
        let messages = match &example.input {
            Value::String(text) => return Ok(vec![user(text.clone())]),
            list @ Value::Array(_) => Some(list),
            input => input.get("messages"),
        };
        let messages = messages.ok_or_else(|| {
            CandidateError::Input(
                "`input` is an object without `messages` or `turns`; give the candidate a `prompt` template".to_owned(),
            )
        })?;
        let messages: Vec<Message> = serde_json::from_value(messages.clone())
            .map_err(|error| CandidateError::Input(format!("`input`: expected a list of messages: {error}")))?;
        if messages.is_empty() {
            return Err(CandidateError::Input("`input` has no messages".to_owned()));
        }
        Ok(vec![messages])
    }

    fn rendered(&self, example: &Example, turn: Option<String>) -> Result<String, CandidateError> {
        let Some(prompt) = &self.prompt else { return Ok(turn.unwrap_or_default()) };
        let mut variables = variables(example);
        if let (Some(turn), Value::Object(fields)) = (turn, &mut variables) {
            fields.insert("turn".to_owned(), json!(turn));
        }
        Ok(prompt.render(&variables)?)
    }
}

fn answer(completion: &Completion, trajectory: Vec<Message>) -> Answer {
    let says_nothing = completion.text.trim().is_empty() && completion.tool_calls.is_empty();
    if says_nothing && completion.finish != Finish::Refusal {
        let why = if completion.finish == Finish::Length {
            "the answer is empty: `max_tokens` was reached before it began"
        } else {
            "the answer is empty"
        };
        return Answer::failed(CallFailure::new(FailureKind::Garbage, why));
    }
    let mut answer = if completion.text.is_empty() && !completion.tool_calls.is_empty() {
        let mut value = Map::new();
        // What only the vendor can read is no part of the answer.
        let calls: Vec<ToolCall> =
            completion.tool_calls.iter().map(|call| ToolCall { signature: None, ..call.clone() }).collect();
        value.insert("tool_calls".to_owned(), json!(calls));
        Answer::from_value(Value::Object(value))
    } else {
        Answer::from_text(completion.text.clone())
    };
    answer.finish = Some(completion.finish);
    answer.tool_calls.clone_from(&completion.tool_calls);
    answer.trajectory = trajectory;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Params;
    use std::collections::BTreeMap;

    fn example(input: Value) -> Example {
        Example {
            id: "a".to_owned(),
            input,
            expected: Some(json!("secret")),
            labels: crate::evalset::Labels::default(),
            group: None,
            other: Map::new(),
        }
    }

    fn candidate(prompt: Option<&str>) -> ChatCandidate {
        let request = Request {
            provider: "local".to_owned(),
            model: "m".to_owned(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            schema: None,
            params: Params::default(),
            repeat: 0,
        };
        ChatCandidate {
            request,
            prompt: prompt.map(|text| Template::new("p", text).unwrap()),
            system: Some(Template::new("s", "Be brief.").unwrap()),
        }
    }

    fn said(text: &str) -> Reply {
        Reply::Completion(Completion { text: text.to_owned(), ..Completion::default() })
    }

    /// What is asked next: its key, and the texts of its messages.
    fn asked(candidate: &ChatCandidate, input: Value, replies: &BTreeMap<String, Reply>) -> (String, Vec<String>) {
        let step = candidate.step(&example(input), 2, &Replies::new(replies)).unwrap();
        let Step::Ask(calls) = step else { panic!("{step:?}") };
        let [(key, Call::Chat(request))] = &calls[..] else { panic!() };
        assert_eq!(request.repeat, 2);
        (key.clone(), request.messages.iter().map(|message| message.content.to_text()).collect())
    }

    #[test]
    fn an_input_is_a_turn_a_conversation_or_fields_of_a_prompt() {
        let none = BTreeMap::new();
        let texts = |prompt, input| asked(&candidate(prompt), input, &none).1;
        assert_eq!(texts(None, json!("hello")), ["Be brief.", "hello"]);
        let messages = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
        assert_eq!(texts(None, messages.clone()), ["Be brief.", "a", "b", "c"]);
        assert_eq!(texts(None, json!({"messages": messages})), ["Be brief.", "a", "b", "c"]);
        assert_eq!(texts(Some("Alert: {{ alert }}"), json!({"alert": "disk"})), ["Be brief.", "Alert: disk"]);
        for wrong in
            [json!({"alert": "disk"}), json!([]), json!([{"role": "nobody", "content": "a"}]), json!({"turns": []})]
        {
            assert!(candidate(None).step(&example(wrong), 0, &Replies::new(&none)).is_err());
        }
    }

    #[test]
    fn scripted_turns_follow_each_reply() {
        let candidate = candidate(Some("<{{ turn }}>"));
        let input = json!({"turns": ["one", "two"]});
        let mut replies = BTreeMap::new();
        assert_eq!(asked(&candidate, input.clone(), &replies).0, "turn/1");
        replies.insert(key(1), said("first"));
        let (second, texts) = asked(&candidate, input.clone(), &replies);
        assert_eq!(
            (second.as_str(), texts),
            ("turn/2", ["Be brief.", "<one>", "first", "<two>"].map(str::to_owned).to_vec())
        );
        replies.insert(key(2), said("second"));
        let Step::Done(answer) = candidate.step(&example(input), 0, &Replies::new(&replies)).unwrap() else { panic!() };
        assert_eq!((answer.text.as_str(), answer.trajectory.len()), ("second", 5));
    }

    #[test]
    fn refusals_and_tool_calls_are_answers_and_silence_is_none() {
        let answer_of = |completion: Completion| {
            let replies = BTreeMap::from([(key(1), Reply::Completion(completion))]);
            let step = candidate(None).step(&example(json!("x")), 0, &Replies::new(&replies)).unwrap();
            let Step::Done(answer) = step else { panic!() };
            answer
        };
        assert!(answer_of(Completion::default()).failure.is_some());
        let refusal = answer_of(Completion { finish: Finish::Refusal, ..Completion::default() });
        assert!(refusal.failure.is_none() && refusal.finish == Some(Finish::Refusal));
        let call = ToolCall {
            id: "1".to_owned(),
            name: "page".to_owned(),
            arguments: json!({"team": "db"}),
            signature: Some("s".to_owned()),
        };
        let calls =
            answer_of(Completion { tool_calls: vec![call], finish: Finish::ToolCalls, ..Completion::default() });
        assert_eq!(calls.value.pointer("/tool_calls/0/arguments/team"), Some(&json!("db")));
        assert_eq!((calls.value.pointer("/tool_calls/0/signature"), calls.text.contains("signature")), (None, false));
        let cut = answer_of(Completion { finish: Finish::Length, ..Completion::default() });
        assert!(cut.failure.unwrap().message.contains("max_tokens"));
    }
}
