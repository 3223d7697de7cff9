//! What is refused before anything is sent.

use serde_json::{Value, json};

use super::{build, document, embedding, over, question};
use crate::call::{AnswerSchema, Call, Content, Message, Part, Request, Role, ToolCall};
use crate::provider::ProviderError;

/// Nobody listens here.
const NOWHERE: &str = "http://127.0.0.1:1";

fn model(kind: &str) -> Value {
    json!({kind: {"model": "m-1", "base_url": NOWHERE}})
}

fn refused(spec: Value) -> String {
    match build(spec) {
        Err(ProviderError::Settings(why)) => why,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (spec, why) in [
        (json!({"openai": {"model": "m"}}), "`OPENAI_API_KEY`"),
        (json!({"openai_responses": {"model": "m"}}), "`OPENAI_API_KEY`"),
        (json!({"anthropic": {"model": "m"}}), "`ANTHROPIC_API_KEY`"),
        (json!({"google": {"model": "m"}}), "`GEMINI_API_KEY`"),
        (json!({"openai": {"model": "m", "key_env": "MY_KEY"}}), "`MY_KEY`"),
        (json!({"http": {"url": "https://a.example/", "key_env": "MY_KEY"}}), "`MY_KEY`"),
        (json!({"openai": {"model": "m", "base_url": "https://u:p@a.example/v1"}}), "name or password"),
        (json!({"http": {"url": "https://u:p@a.example/v1"}}), "name or password"),
        (json!({"http": {"url": "https://a.example/", "method": "HEAD"}}), "brings no answer"),
        (json!({"http": {"url": "https://a.example/", "headers": {"Authorization": "x"}}}), "`key_env`"),
        (over(model("openai"), &json!({"timeout": 0})), "`timeout`"),
        (over(model("anthropic"), &json!({"headers": {"X-Api-Key": "x"}})), "`key_env`"),
        (over(model("anthropic"), &json!({"api_version": "2024-10-21"})), "Azure"),
        (over(model("openai"), &json!({"api_version": "1&key=2"})), "`api_version`"),
        (over(model("google"), &json!({"model": "../x"})), "no name of a model"),
        (over(model("anthropic"), &json!({"params": {"seed": 7}})), "seed"),
        (over(model("anthropic"), &json!({"params": {"logprobs": 2}})), "log probabilities"),
        (over(model("openai_responses"), &json!({"params": {"seed": 7}})), "seed"),
        (over(model("openai_responses"), &json!({"params": {"stop": ["x"]}})), "stop"),
        (over(model("openai"), &json!({"params": {"extra": {"stream": true}}})), "`stream`"),
        (over(model("google"), &json!({"params": {"extra": {"contents": []}}})), "`contents`"),
    ] {
        let found = refused(spec.clone());
        assert!(found.contains(why), "{spec}: {found}");
    }
    for kind in ["openai", "openai_responses", "anthropic", "google"] {
        assert!(build(model(kind)).is_ok(), "an address on this machine needs no key: {kind}");
    }
    assert!(build(json!({"http": {"url": "http://10.0.0.1/ask"}})).is_ok(), "an application may need no key");
    assert!(build(json!({"openai": {"model": "m", "base_url": "http://10.0.0.1/v1", "key_env": "TEST_KEY"}})).is_ok());
}

async fn unsaid(spec: Value, call: Call) -> String {
    match build(spec).unwrap().ask(&call).await {
        Err(ProviderError::Settings(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_vendor_has_no_words_for_is_refused_when_it_is_asked() {
    let image = || Content::Parts(vec![Part::Image { url: "https://a.example/x.png".to_owned() }]);
    let with = |messages: Vec<Message>| Request { messages, ..question("") };
    let call = |arguments: Value| ToolCall { id: "a".to_owned(), name: "f".to_owned(), arguments, signature: None };
    let user = || Message::text(Role::User, "Hi");
    for kind in ["openai", "openai_responses", "anthropic", "google"] {
        for (request, why) in [
            (with(vec![]), "`messages` is empty"),
            (with(vec![Message { content: image(), ..Message::text(Role::System, "") }, user()]), "image"),
            (with(vec![user(), Message::text(Role::Tool, "x")]), "`tool_call_id`"),
            (with(vec![Message { tool_calls: vec![call(json!({}))], ..user() }]), "call tools"),
            (
                with(vec![Message {
                    content: Content::Parts(vec![Part::Image { url: "x.png".to_owned() }]),
                    ..user()
                }]),
                "no address",
            ),
        ] {
            let found = unsaid(model(kind), Call::Chat(Box::new(request))).await;
            assert!(found.contains(why) && found.contains("`app`"), "{kind}: {found}");
        }
        let found = unsaid(model(kind), Call::Program(document())).await;
        assert!(found.contains("cannot answer"), "{found}");
    }
    for kind in ["anthropic", "google"] {
        for (request, why) in [
            (with(vec![user(), Message::text(Role::System, "Now be brief.")]), "at the beginning"),
            (with(vec![Message::text(Role::System, "Be brief.")]), "turn of the user"),
            (
                with(vec![
                    user(),
                    Message { tool_calls: vec![call(json!("{broken"))], ..Message::text(Role::Assistant, "") },
                ]),
                "no object",
            ),
        ] {
            let found = unsaid(model(kind), Call::Chat(Box::new(request))).await;
            assert!(found.contains(why), "{kind}: {found}");
        }
    }
    let lost = Message { tool_call_id: Some("z".to_owned()), ..Message::text(Role::Tool, "x") };
    assert!(unsaid(model("google"), Call::Chat(Box::new(with(vec![user(), lost])))).await.contains("no call `z`"));
    let mut request = question("Hi");
    request.params.temperature = Some(f64::NAN);
    assert!(unsaid(model("openai"), Call::Chat(Box::new(request))).await.contains("`params.temperature`"));
    assert!(unsaid(model("anthropic"), Call::Embed(embedding(None))).await.contains("numbers"));
    let http = json!({"http": {"url": NOWHERE}});
    assert!(unsaid(http.clone(), Call::Chat(Box::new(question("Hi")))).await.contains("cannot answer"));
    assert!(unsaid(http, Call::Embed(embedding(None))).await.contains("cannot answer"));
    // A schema is something that all of them can say.
    let schema = AnswerSchema { name: "s".to_owned(), schema: json!({}) };
    let request = Request { schema: Some(schema), ..question("Hi") };
    for kind in ["openai", "openai_responses", "anthropic", "google"] {
        assert!(build(model(kind)).unwrap().ask(&Call::Chat(Box::new(request.clone()))).await.is_ok());
    }
}
