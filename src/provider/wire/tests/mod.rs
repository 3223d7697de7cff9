//! Tests over the wire, on 127.0.0.1 only.

mod adapters;
mod conformance;
mod replies;
mod requests;
mod server;
mod settings;

use std::path::Path;

use serde_json::{Value, json};

use crate::call::{Answered, CallFailure, Embedding, Message, Program, Reply, Request, Role};
use crate::provider::{Notices, Provider, ProviderError, ProviderSpec};

/// The key of every test; it must not turn up anywhere.
const KEY: &str = "sk-marked/4711+key";

/// Builds a provider from settings as they stand in a config.
fn build(spec: Value) -> Result<Box<dyn Provider>, ProviderError> {
    let spec: ProviderSpec = serde_json::from_value(spec).unwrap();
    spec.build(Path::new("."), &|name| (name == "TEST_KEY").then(|| KEY.to_owned()), None, &Notices::default())
}

/// Settings with more fields laid over.
fn over(mut spec: Value, more: &Value) -> Value {
    let inner = spec.as_object_mut().unwrap().values_mut().next().unwrap().as_object_mut().unwrap();
    inner.extend(more.as_object().unwrap().clone());
    spec
}

fn question(text: &str) -> Request {
    Request {
        provider: "app".to_owned(),
        model: "m-1".to_owned(),
        messages: vec![Message::text(Role::User, text)],
        tools: Vec::new(),
        tool_choice: None,
        schema: None,
        params: crate::call::Params::default(),
        repeat: 0,
    }
}

fn embedding(dimensions: Option<u32>) -> Embedding {
    Embedding { provider: "app".to_owned(), model: "e-1".to_owned(), text: "Hello".to_owned(), dimensions }
}

fn document() -> Program {
    Program { provider: "app".to_owned(), input: json!({"id": "a", "trial": 0, "input": "Hello"}) }
}

fn failure(answered: &Answered) -> &CallFailure {
    match &answered.reply {
        Reply::Failed(failure) => failure,
        other => panic!("no failure: {other:?}"),
    }
}
