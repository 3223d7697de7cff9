//! What every adapter understands: leniently where servers differ, strictly where meaning is at stake.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{KEY, build, document, embedding, failure, over, question};
use crate::call::{Answered, Call, Completion, FailureKind, Finish, Reply, Usage};

async fn ask(spec: Value, call: Call, answer: ResponseTemplate) -> Answered {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let setting = if spec.get("http").is_some() { "url" } else { "base_url" };
    let spec = over(spec, &json!({setting: server.uri(), "key_env": "TEST_KEY"}));
    build(spec).unwrap().ask(&call).await.unwrap()
}

async fn said(kind: &str, body: &Value) -> Answered {
    let answer = ResponseTemplate::new(200).set_body_json(body);
    ask(json!({kind: {"model": "m-1"}}), Call::Chat(Box::new(question("Hi"))), answer).await
}

async fn streamed(kind: &str, events: &str) -> Answered {
    let answer = ResponseTemplate::new(200).set_body_raw(events, "text/event-stream; charset=utf-8");
    ask(json!({kind: {"model": "m-1", "stream": true}}), Call::Chat(Box::new(question("Hi"))), answer).await
}

#[track_caller]
fn completion(answered: &Answered) -> &Completion {
    match &answered.reply {
        Reply::Completion(completion) => completion,
        other => panic!("no completion: {other:?}"),
    }
}

#[tokio::test]
async fn sparse_answers_of_other_servers_are_understood() {
    for (message, text) in [
        (json!({"content": "Hi"}), "Hi"),
        (
            json!({"role": "assistant", "content": "", "tool_calls": null, "reasoning": "x", "reasoning_content": "x"}),
            "",
        ),
        (json!({"content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]}), "Hi"),
    ] {
        let answered = said("openai", &json!({"choices": [{"message": message}]})).await;
        let expected = Completion { text: text.to_owned(), finish: Finish::Other, ..Completion::default() };
        assert_eq!(completion(&answered), &expected);
        assert_eq!((answered.usage, answered.first_token_ms), (None, None));
    }
    let call = json!({"function": {"name": "f", "arguments": {"a": 1}}});
    let answered =
        said("openai", &json!({"choices": [{"message": {"tool_calls": [call, call]}, "finish_reason": "stop"}]})).await;
    let calls = &completion(&answered).tool_calls;
    assert_eq!((calls.len(), calls[0].id.as_str(), calls[1].id.as_str()), (2, "call_0", "call_1"));
    assert_eq!((&calls[1].arguments, completion(&answered).finish), (&json!({"a": 1}), Finish::ToolCalls));
}

#[tokio::test]
async fn answers_without_meaning_are_garbage() {
    for (kind, body) in [
        ("openai", json!({"choices": null})),
        ("openai", json!({"choices": [{}]})),
        ("openai", json!({"choices": [{"message": {"content": null}, "finish_reason": "stop"}]})),
        ("openai", json!({"choices": [{"message": {"tool_calls": [{"id": "a"}]}}]})),
        ("openai", json!({"choices": [{"message": {"content": 5}}]})),
        ("openai", json!("Hi")),
        ("openai_responses", json!({"status": "in_progress", "output": []})),
        ("openai_responses", json!({"status": "completed"})),
        ("anthropic", json!({"type": "message"})),
        ("anthropic", json!({"content": [{"type": "thinking", "thinking": "x"}], "stop_reason": "end_turn"})),
        ("google", json!({})),
        ("google", json!({"candidates": [{"content": {}, "finishReason": "STOP"}]})),
    ] {
        let answered = said(kind, &body).await;
        assert_eq!(failure(&answered).kind, FailureKind::Garbage, "{kind} {body}");
    }
    // Without content, but it says why.
    for (kind, body, finish) in [
        ("openai", json!({"choices": [{"message": {"content": null}, "finish_reason": "length"}]}), Finish::Length),
        ("openai", json!({"choices": [{"message": {}, "finish_reason": "content_filter"}]}), Finish::Refusal),
        (
            "openai_responses",
            json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []}),
            Finish::Length,
        ),
        ("anthropic", json!({"content": [], "stop_reason": "refusal"}), Finish::Refusal),
        ("google", json!({"candidates": [{"finishReason": "MAX_TOKENS"}]}), Finish::Length),
    ] {
        let answered = said(kind, &body).await;
        assert_eq!((completion(&answered).text.as_str(), completion(&answered).finish), ("", finish), "{kind} {body}");
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_a_refusal() {
    let answered = said("google", &json!({"promptFeedback": {"blockReason": "SAFETY"}})).await;
    assert_eq!(
        (completion(&answered).text.as_str(), completion(&answered).finish),
        ("blocked: SAFETY", Finish::Refusal)
    );
}

#[tokio::test]
async fn tokens_are_counted_once() {
    let usage = |input, output, read, write| {
        Some(Usage { input_tokens: input, output_tokens: output, cache_read_tokens: read, cache_write_tokens: write })
    };
    let openai = |tokens: Value| json!({"choices": [{"message": {"content": "x"}}], "usage": tokens});
    let anthropic = |tokens: Value| json!({"content": [{"type": "text", "text": "x"}], "usage": tokens});
    let google = |tokens: Value| json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}], "usageMetadata": tokens});
    for (kind, body, expected) in [
        ("openai", openai(json!({"prompt_tokens": 9, "completion_tokens": 2})), usage(9, 2, 0, 0)),
        (
            "openai",
            openai(json!({"prompt_tokens": 9, "total_tokens": 9, "prompt_tokens_details": null})),
            usage(9, 0, 0, 0),
        ),
        ("openai", openai(json!({})), None),
        ("openai", openai(json!(null)), None),
        (
            "openai",
            openai(json!({"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 8})),
            usage(1, 2, 8, 0),
        ),
        (
            "openai",
            openai(json!({"prompt_tokens": 9, "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 4}})),
            usage(2, 2, 3, 4),
        ),
        (
            "anthropic",
            anthropic(json!({"input_tokens": 2, "output_tokens": 3, "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 5})),
            usage(2, 3, 4, 5),
        ),
        ("anthropic", anthropic(json!({"input_tokens": 2, "output_tokens": 3})), usage(2, 3, 0, 0)),
        (
            "google",
            google(json!({"promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": 2,
                "thoughtsTokenCount": 3, "toolUsePromptTokenCount": 1})),
            usage(6, 5, 4, 0),
        ),
        ("google", google(json!({})), None),
    ] {
        assert_eq!(said(kind, &body).await.usage, expected, "{kind} {body}");
    }
}

#[tokio::test]
async fn log_probabilities_are_kept_streamed_or_not() {
    let token = |token: &str| json!({"token": token, "logprob": -0.5, "top_logprobs": []});
    let whole = json!({"content": [token("a"), token("b")], "refusal": null});
    let answered = said("openai", &json!({"choices": [{"message": {"content": "ab"}, "logprobs": whole}]})).await;
    assert_eq!(completion(&answered).logprobs, Some(whole));
    let chunk = |text: &str| {
        let choice = json!({"delta": {"content": text}, "logprobs": {"content": [token(text)]}});
        format!("data: {}\n\n", json!({"choices": [choice]}))
    };
    let answered = streamed("openai", &format!("{}{}data: [DONE]\n\n", chunk("a"), chunk("b"))).await;
    assert_eq!(completion(&answered).logprobs, Some(json!({"content": [token("a"), token("b")]})));
    let google =
        json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "logprobsResult": {"chosenCandidates": []}}]});
    assert_eq!(completion(&said("google", &google).await).logprobs, Some(json!({"chosenCandidates": []})));
    let piece = json!({"type": "output_text", "text": "ab", "logprobs": [token("a"), token("b")]});
    let body = json!({"status": "completed", "output": [{"type": "message", "content": [piece]}]});
    assert_eq!(completion(&said("openai_responses", &body).await).logprobs, Some(json!([token("a"), token("b")])));
}

#[tokio::test]
async fn a_stream_that_comes_in_one_piece_is_read_too() {
    let whole = json!({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]});
    let spec = || json!({"openai": {"model": "m-1", "stream": true}});
    let chat = || Call::Chat(Box::new(question("Hi")));
    let answered = ask(spec(), chat(), ResponseTemplate::new(200).set_body_json(&whole)).await;
    assert_eq!((completion(&answered).text.as_str(), answered.first_token_ms), ("Hi", None));
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]";
    let answered = ask(spec(), chat(), ResponseTemplate::new(200).set_body_raw(events, "text/plain")).await;
    assert_eq!(completion(&answered).text, "Hi");
}

#[tokio::test]
async fn calls_of_a_stream_may_have_no_index() {
    let chunk = |call: Value| format!("data: {}\n\n", json!({"choices": [{"delta": {"tool_calls": [call]}}]}));
    let stream = [
        chunk(json!({"id": "a", "function": {"name": "f", "arguments": "{\"x\""}})),
        chunk(json!({"function": {"arguments": ":1}"}})),
        chunk(json!({"id": "b", "function": {"name": "g", "arguments": "{}"}})),
    ];
    let answered = streamed("openai", &(stream.concat() + "data: [DONE]\n\n")).await;
    let calls = &completion(&answered).tool_calls;
    let found: Vec<_> = calls.iter().map(|call| (call.id.as_str(), call.name.as_str(), &call.arguments)).collect();
    assert_eq!(found, [("a", "f", &json!({"x": 1})), ("b", "g", &json!({}))]);
}

#[tokio::test]
async fn errors_inside_streams_have_their_kinds() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let failed = json!({"type": "response.failed", "response": {"status": "failed", "output": [],
        "error": {"code": "server_error", "message": "Sorry"}}});
    let too_long = json!({"type": "error", "code": "context_length_exceeded", "message": "Too long"});
    for (kind, event, expected) in [
        ("anthropic", overloaded, FailureKind::Server),
        ("openai_responses", failed, FailureKind::Server),
        ("openai_responses", too_long, FailureKind::ContextLength),
        ("openai", json!({"error": {"message": "Provider returned error", "code": 502}}), FailureKind::Server),
        ("openai", json!({"error": {"message": "No more", "code": 429}}), FailureKind::RateLimited),
        ("google", json!({"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}), FailureKind::Server),
    ] {
        let answered = streamed(kind, &format!("event: error\ndata: {event}\n\n")).await;
        assert_eq!(failure(&answered).kind, expected, "{kind}: {}", failure(&answered).message);
    }
}

#[tokio::test]
async fn errors_say_what_the_server_said_and_no_more() {
    let refuse = async |status: u16, body: Value| {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        ask(json!({"openai": {"model": "m-1"}}), Call::Chat(Box::new(question("Hi"))), answer).await
    };
    for (status, body, kind, message) in [
        (400, json!({"error": {"message": "Bad.", "type": "t", "code": "c"}}), FailureKind::Rejected, "t: c: Bad."),
        (404, json!({"error": "model \"x\" not found"}), FailureKind::Rejected, "model \"x\" not found"),
        (422, json!({"detail": [{"msg": "m"}]}), FailureKind::Rejected, "[{\"msg\":\"m\"}]"),
        (500, json!({"message": "It  broke.\n"}), FailureKind::Server, "It broke."),
        (400, json!([{"error": {"code": 400, "message": "Bad."}}]), FailureKind::Rejected, "Bad."),
        (
            429,
            json!({"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "Pay."}}),
            FailureKind::Rejected,
            "insufficient_quota: Pay.",
        ),
        (
            400,
            json!({"error": {"code": 400, "type": "exceed_context_size_error",
                "message": "the request exceeds the available context size"}}),
            FailureKind::ContextLength,
            "exceed_context_size_error: the request exceeds the available context size",
        ),
        (
            400,
            json!({"error": {"code": "content_filter", "message": "Filtered.", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
            FailureKind::ContentPolicy,
            "content_filter: ResponsibleAIPolicyViolation: Filtered.",
        ),
    ] {
        let answered = refuse(status, body).await;
        let failure = failure(&answered);
        assert_eq!((failure.kind, failure.message.split_once(": ").unwrap().1), (kind, message));
    }
    let long = format!("{} {KEY} {}", "x".repeat(250), "y".repeat(400));
    let answered = refuse(500, json!({"error": {"message": long}})).await;
    let message = &failure(&answered).message;
    assert!(message.contains("x [key] y") && message.ends_with("y…"), "{message}");
    assert_eq!(message.chars().count(), 301);
    // A key that the limit would cut in two.
    let answered = refuse(500, json!({"error": {"message": format!("{}{KEY}", "x".repeat(265))}})).await;
    assert!(!failure(&answered).message.contains("sk-"), "{}", failure(&answered).message);
}

#[tokio::test]
async fn google_says_in_the_body_how_long_to_wait() {
    let body = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota.", "details": [
        {"@type": "x"}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]}});
    let answer = ResponseTemplate::new(429).set_body_json(body);
    let answered = ask(json!({"google": {"model": "m-1"}}), Call::Chat(Box::new(question("Hi"))), answer).await;
    assert_eq!(failure(&answered).retry_after, Some(Duration::from_millis(34_500)));
}

#[tokio::test]
async fn waits_that_make_no_sense_are_ignored_or_over() {
    for (value, expected) in [
        ("soon", None),
        ("-5", Some(Duration::ZERO)),
        ("1e300", None),
        ("0.5", Some(Duration::from_millis(500))),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(Duration::ZERO)),
    ] {
        let answer = ResponseTemplate::new(503).insert_header("retry-after", value);
        let answered = ask(json!({"openai": {"model": "m-1"}}), Call::Chat(Box::new(question("Hi"))), answer).await;
        assert_eq!(failure(&answered).retry_after, expected, "{value}");
    }
}

#[tokio::test]
async fn vectors_have_the_length_that_was_asked_for() {
    let body = json!({"data": [{"embedding": [1.0, 2.0]}]});
    for (dimensions, is_good) in [(None, true), (Some(2), true), (Some(3), false)] {
        let answer = ResponseTemplate::new(200).set_body_json(&body);
        let answered = ask(json!({"openai": {"model": "m-1"}}), Call::Embed(embedding(dimensions)), answer).await;
        assert_eq!(answered.reply == Reply::Vector(vec![1.0, 2.0]), is_good);
    }
}

#[tokio::test]
async fn an_application_may_answer_in_text() {
    let ask_for = async |spec: Value, body: &[u8], content_type: &str| {
        let answer = ResponseTemplate::new(200).set_body_raw(body, content_type);
        ask(spec, Call::Program(document()), answer).await.reply
    };
    let plain = || json!({"http": {"url": ""}});
    assert_eq!(ask_for(plain(), b"Hi there\n", "text/plain").await, Reply::Output(json!("Hi there")));
    assert_eq!(ask_for(plain(), b"{\"a\": [1]}", "text/plain").await, Reply::Output(json!({"a": [1]})));
    assert_eq!(ask_for(plain(), b"42", "application/json").await, Reply::Output(json!(42)));
    for (spec, body, content_type) in [
        (plain(), &b"Hi there"[..], "application/json"),
        (plain(), b"\xff\xfe", "text/plain"),
        (plain(), b"", "text/plain"),
        (json!({"http": {"url": "", "answer": "/a"}}), b"Hi there", "text/plain"),
    ] {
        match ask_for(spec, body, content_type).await {
            Reply::Failed(failure) => assert_eq!(failure.kind, FailureKind::Garbage),
            other => panic!("{other:?}"),
        }
    }
    let created = ResponseTemplate::new(201).set_body_string("made");
    assert_eq!(ask(plain(), Call::Program(document()), created).await.reply, Reply::Output(json!("made")));
}
