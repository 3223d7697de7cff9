//! Every adapter, with what its other side would answer.

use serde_json::{Value, json};

use super::{document, embedding, question};
use crate::call::{Call, Usage};

/// One adapter under test.
pub(super) struct Adapter {
    pub(super) name: &'static str,
    /// Settings for a server at an address.
    pub(super) spec: fn(&str) -> Value,
    pub(super) call: Call,
    pub(super) stream: bool,
    /// The text that a good answer holds, which tests replace.
    pub(super) ok: String,
    pub(super) tool: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) empty: String,
    pub(super) usage: Option<Usage>,
    /// The field that a vendor's error would stand in.
    pub(super) context_length: Option<Value>,
    pub(super) content_policy: Option<Value>,
}

/// The usage of every good answer.
const USAGE: Usage = Usage { input_tokens: 6, output_tokens: 5, cache_read_tokens: 4, cache_write_tokens: 0 };

/// Events as they go over the wire.
fn events(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| match event["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {event}\n\n"),
            None => format!("data: {event}\n\n"),
        })
        .collect()
}

fn done(stream: String) -> String {
    stream + "data: [DONE]\n\n"
}

#[expect(clippy::unnecessary_wraps, reason = "one of several adapters, of which some have no such error")]
fn openai_error(code: &str, message: &str) -> Option<Value> {
    Some(json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}}))
}

fn chat(name: &'static str, spec: fn(&str) -> Value, bodies: [String; 4]) -> Adapter {
    let [ok, tool, refusal, empty] = bodies;
    Adapter {
        name,
        spec,
        call: Call::Chat(Box::new(question("What is the capital of France?"))),
        stream: name.ends_with("stream"),
        ok,
        tool: Some(tool),
        refusal: Some(refusal),
        empty,
        usage: Some(USAGE),
        context_length: openai_error(
            "context_length_exceeded",
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
        ),
        content_policy: openai_error("content_policy_violation", "Your request was rejected by our safety system."),
    }
}

pub(super) fn all() -> Vec<Adapter> {
    vec![
        openai(),
        openai_stream(),
        responses(),
        responses_stream(),
        anthropic(),
        anthropic_stream(),
        google(),
        google_stream(),
        http(),
        openai_embeddings(),
        google_embeddings(),
    ]
}

fn openai() -> Adapter {
    let body = |message: Value, reason: &str| {
        json!({"id": "id-1", "object": "chat.completion", "model": "m-1-0613",
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": null}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4}}})
        .to_string()
    };
    let call = json!({"id": "call_x", "type": "function", "function": {"name": "find", "arguments": "{\"q\": \"a\"}"}});
    chat(
        "openai",
        |url| json!({"openai": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}}),
        [
            body(json!({"role": "assistant", "content": "Paris", "refusal": null}), "stop"),
            body(json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls"),
            body(json!({"role": "assistant", "content": null, "refusal": "I won't."}), "stop"),
            json!({"id": "id-1", "choices": []}).to_string(),
        ],
    )
}

fn openai_stream() -> Adapter {
    let chunk = |delta: Value, reason: Option<&str>| {
        json!({"id": "id-1", "object": "chat.completion.chunk", "model": "m-1-0613",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": null})
    };
    let usage = json!({"id": "id-1", "model": "m-1-0613", "choices": [], "usage": {"prompt_tokens": 10,
        "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}});
    let stream = |deltas: &[Value], reason: &str| {
        let chunks = deltas.iter().map(|delta| chunk(delta.clone(), None));
        let ends = [chunk(json!({}), Some(reason)), usage.clone()];
        done(events(&chunks.chain(ends).collect::<Vec<_>>()))
    };
    let call = |arguments: &str, is_first: bool| {
        let mut call = json!({"index": 0, "function": {"arguments": arguments}});
        if is_first {
            (call["id"], call["type"], call["function"]["name"]) = (json!("call_x"), json!("function"), json!("find"));
        }
        json!({"tool_calls": [call]})
    };
    chat(
        "openai stream",
        |url| json!({"openai": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY", "stream": true}}),
        [
            stream(
                &[json!({"role": "assistant", "content": ""}), json!({"content": "Par"}), json!({"content": "is"})],
                "stop",
            ),
            stream(
                &[json!({"role": "assistant", "content": null}), call("{\"q\"", true), call(": \"a\"}", false)],
                "tool_calls",
            ),
            stream(&[json!({"refusal": "I "}), json!({"refusal": "won't."})], "stop"),
            done(String::new()),
        ],
    )
}

fn responses_body(output: &Value) -> Value {
    json!({"id": "id-1", "object": "response", "status": "completed", "error": null, "incomplete_details": null,
        "model": "m-1-0613", "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, output],
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15}})
}

fn responses_outputs() -> [Value; 3] {
    let said =
        |piece: Value| json!({"type": "message", "role": "assistant", "status": "completed", "content": [piece]});
    [
        said(json!({"type": "output_text", "text": "Paris", "annotations": []})),
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_x", "name": "find", "arguments": "{\"q\": \"a\"}"}),
        said(json!({"type": "refusal", "refusal": "I won't."})),
    ]
}

fn responses() -> Adapter {
    let [ok, tool, refusal] = responses_outputs().map(|output| responses_body(&output).to_string());
    let empty = json!({"id": "id-1", "status": "completed", "output": []}).to_string();
    let spec = |url: &str| json!({"openai_responses": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}});
    chat("openai_responses", spec, [ok, tool, refusal, empty])
}

fn responses_stream() -> Adapter {
    let [ok, tool, refusal] = responses_outputs().map(|output| {
        events(&[
            json!({"type": "response.created", "response": {"id": "id-1", "status": "in_progress", "output": []}}),
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Par"}),
            json!({"type": "response.completed", "response": responses_body(&output)}),
        ])
    });
    let empty = json!({"type": "response.completed", "response": {"id": "id-1", "status": "completed", "output": []}});
    chat(
        "openai_responses stream",
        |url| json!({"openai_responses": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY", "stream": true}}),
        [ok, tool, refusal, events(&[empty])],
    )
}

fn anthropic_errors(adapter: Adapter) -> Adapter {
    let error =
        |message: &str| Some(json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}}));
    Adapter {
        context_length: error("prompt is too long: 208310 tokens > 200000 maximum"),
        content_policy: error("Output blocked by content filtering policy"),
        ..adapter
    }
}

fn anthropic() -> Adapter {
    let body = |content: Value, reason: &str| {
        json!({"id": "id-1", "type": "message", "role": "assistant", "model": "m-1-0613", "content": content,
            "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": 6, "output_tokens": 5,
                "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0}})
        .to_string()
    };
    let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "s"});
    anthropic_errors(chat(
        "anthropic",
        |url| json!({"anthropic": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}}),
        [
            body(json!([thinking, {"type": "text", "text": "Paris"}]), "end_turn"),
            body(json!([{"type": "tool_use", "id": "call_x", "name": "find", "input": {"q": "a"}}]), "tool_use"),
            body(json!([{"type": "text", "text": "I won't."}]), "refusal"),
            body(json!([]), "end_turn"),
        ],
    ))
}

fn anthropic_stream() -> Adapter {
    let stream = |blocks: &[(Value, Vec<Value>)], reason: &str| {
        let mut all = vec![json!({"type": "message_start", "message": {"id": "id-1", "type": "message",
            "role": "assistant", "model": "m-1-0613", "content": [], "stop_reason": null,
            "usage": {"input_tokens": 6, "cache_read_input_tokens": 4, "output_tokens": 1}}})];
        for (index, (block, deltas)) in blocks.iter().enumerate() {
            all.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
            all.push(json!({"type": "ping"}));
            all.extend(
                deltas.iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
            );
            all.push(json!({"type": "content_block_stop", "index": index}));
        }
        all.push(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}}));
        all.push(json!({"type": "message_stop"}));
        events(&all)
    };
    let text = |text: &str| json!({"type": "text_delta", "text": text});
    let empty_text = json!({"type": "text", "text": ""});
    let thinking = (
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        vec![
            json!({"type": "thinking_delta", "thinking": "Hm."}),
            json!({"type": "signature_delta", "signature": "s"}),
        ],
    );
    let json_part = |part: &str| json!({"type": "input_json_delta", "partial_json": part});
    let call = json!({"type": "tool_use", "id": "call_x", "name": "find", "input": {}});
    anthropic_errors(chat(
        "anthropic stream",
        |url| json!({"anthropic": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY", "stream": true}}),
        [
            stream(&[thinking, (empty_text.clone(), vec![text("Par"), text("is")])], "end_turn"),
            stream(&[(call, vec![json_part(""), json_part("{\"q\": "), json_part("\"a\"}")])], "tool_use"),
            stream(&[(empty_text, vec![text("I won't.")])], "refusal"),
            stream(&[], "end_turn"),
        ],
    ))
}

fn google_errors(adapter: Adapter) -> Adapter {
    let error = |message: &str| Some(json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}));
    Adapter {
        context_length: error(
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        content_policy: error("The prompt could not be submitted. It may violate our usage policies."),
        ..adapter
    }
}

fn google_answer(parts: &Value, reason: Option<&str>) -> Value {
    let mut answer = json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "modelVersion": "m-1-0613", "responseId": "id-1"});
    if let Some(reason) = reason {
        answer["candidates"][0]["finishReason"] = json!(reason);
        answer["usageMetadata"] = json!({"promptTokenCount": 10, "cachedContentTokenCount": 4,
            "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15});
    }
    answer
}

fn google() -> Adapter {
    let call = json!([{"functionCall": {"id": "call_x", "name": "find", "args": {"q": "a"}}}]);
    google_errors(chat(
        "google",
        |url| json!({"google": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}}),
        [
            google_answer(&json!([{"text": "Hm.", "thought": true}, {"text": "Par"}, {"text": "is"}]), Some("STOP"))
                .to_string(),
            google_answer(&call, Some("STOP")).to_string(),
            google_answer(&json!([{"text": "I won't."}]), Some("SAFETY")).to_string(),
            json!({"candidates": [], "modelVersion": "m-1-0613"}).to_string(),
        ],
    ))
}

fn google_stream() -> Adapter {
    let call = json!([{"functionCall": {"id": "call_x", "name": "find", "args": {"q": "a"}}}]);
    let first = google_answer(&json!([{"text": "Hm.", "thought": true}]), None);
    let stream = |parts: &[Value], reason: &str| {
        let (last, before) = parts.split_last().unwrap();
        let all = [first.clone()].into_iter().chain(before.iter().map(|parts| google_answer(parts, None)));
        events(&all.chain([google_answer(last, Some(reason))]).collect::<Vec<_>>())
    };
    google_errors(chat(
        "google stream",
        |url| json!({"google": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY", "stream": true}}),
        [
            stream(&[json!([{"text": "Par"}]), json!([{"text": "is"}])], "STOP"),
            stream(&[call], "STOP"),
            stream(&[json!([{"text": "I won't."}])], "SAFETY"),
            events(&[json!({"candidates": [{"finishReason": "STOP"}], "modelVersion": "m-1-0613"})]),
        ],
    ))
}

fn http() -> Adapter {
    Adapter {
        name: "http",
        spec: |url| {
            json!({"http": {"url": format!("{url}/ask"), "key_env": "TEST_KEY", "answer": "/answer",
                "max_output": 16 << 20}})
        },
        call: Call::Program(document()),
        stream: false,
        ok: json!({"answer": "Paris"}).to_string(),
        tool: None,
        refusal: None,
        empty: " ".to_owned(),
        usage: None,
        context_length: None,
        content_policy: None,
    }
}

fn openai_embeddings() -> Adapter {
    Adapter {
        name: "openai embeddings",
        spec: |url| json!({"openai": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}}),
        call: Call::Embed(embedding(None)),
        stream: false,
        ok: json!({"object": "list", "model": "e-1", "data": [{"index": 0, "embedding": [0.5, -1.0]}],
            "usage": {"prompt_tokens": 3, "total_tokens": 3}})
        .to_string(),
        tool: None,
        refusal: None,
        empty: json!({"data": []}).to_string(),
        usage: Some(Usage { input_tokens: 3, ..Usage::default() }),
        context_length: openai_error("invalid", "This model's maximum context length is 8192 tokens"),
        content_policy: None,
    }
}

fn google_embeddings() -> Adapter {
    let adapter = openai_embeddings();
    Adapter {
        name: "google embeddings",
        spec: |url| json!({"google": {"model": "m-1", "base_url": url, "key_env": "TEST_KEY"}}),
        ok: json!({"embedding": {"values": [0.5, -1.0]}}).to_string(),
        empty: json!({}).to_string(),
        usage: None,
        ..adapter
    }
}
