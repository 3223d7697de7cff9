//! What every adapter sends, to the letter.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{KEY, build, document, embedding, over, question};
use crate::call::{
    AnswerSchema, Call, Content, Message, Params, Part, Reply, Request, Role, Tool, ToolCall, ToolChoice,
};

/// What a server gets to see: path with query, one header, body.
struct Sent {
    path: String,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks a server that answers nothing useful, and gives what it got.
async fn sent(spec: Value, call: Call) -> Sent {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(400)).mount(&server).await;
    let is_http = spec.get("http").is_some();
    let at = |setting: &str| json!({setting: format!("{}/base", server.uri())});
    let spec = over(spec, &if is_http { at("url") } else { at("base_url") });
    build(over(spec, &json!({"key_env": "TEST_KEY"}))).unwrap().ask(&call).await.unwrap();
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    let request = requests.remove(0);
    let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
    Sent {
        path: format!("{} {}{query}", request.method, request.url.path()),
        headers: request.headers,
        body: String::from_utf8(request.body).unwrap(),
    }
}

#[track_caller]
fn is_json(sent: &Sent, expected: &Value) {
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(&body, expected, "{body:#}");
    // No key of an object stands twice.
    assert_eq!(body.to_string().len(), sent.body.len());
}

const PNG: &str = "data:image/png;base64,QUJD";

fn turn(role: Role, text: &str) -> Message {
    Message::text(role, text)
}

/// A request with everything that all vendors can express.
fn rich() -> Request {
    let call = |id: &str, page: u32| ToolCall {
        id: id.to_owned(),
        name: "page".to_owned(),
        arguments: json!({"n": page}),
        signature: None,
    };
    let result = |id: &str, text: &str| Message { tool_call_id: Some(id.to_owned()), ..turn(Role::Tool, text) };
    let parts = vec![
        Part::Text { text: "What is it?".to_owned() },
        Part::Image { url: "https://a.example/x.png".to_owned() },
        Part::Image { url: PNG.to_owned() },
    ];
    Request {
        messages: vec![
            turn(Role::System, "Be brief."),
            Message { content: Content::Parts(parts), ..turn(Role::User, "") },
            Message { tool_calls: vec![call("a", 1), call("b", 2)], ..turn(Role::Assistant, "") },
            result("a", "one"),
            result("b", "two"),
            turn(Role::Assistant, "Done."),
            turn(Role::User, "Thanks."),
        ],
        tools: vec![Tool {
            name: "page".to_owned(),
            description: Some("Reads a page.".to_owned()),
            parameters: json!({"type": "object"}),
        }],
        tool_choice: Some(ToolChoice::Named { name: "page".to_owned() }),
        schema: Some(AnswerSchema { name: "grade".to_owned(), schema: json!({"type": "object", "x": 1}) }),
        params: Params {
            temperature: Some(0.5),
            top_p: Some(0.9),
            max_tokens: Some(64),
            reasoning_effort: Some("low".to_owned()),
            ..Params::default()
        },
        ..question("")
    }
}

/// What is sent for no parameters at all is only the question.
#[tokio::test]
async fn what_is_not_asked_for_is_not_sent() {
    let ask = |kind: &str, stream: bool| {
        sent(json!({kind: {"model": "m-1", "stream": stream}}), Call::Chat(Box::new(question("Hi"))))
    };
    let user = json!({"role": "user", "content": "Hi"});
    let plain = ask("openai", false).await;
    assert_eq!(
        (plain.path.as_str(), plain.header("authorization")),
        ("POST /base/chat/completions", &*format!("Bearer {KEY}"))
    );
    assert_eq!(plain.header("content-type"), "application/json");
    assert!(plain.header("user-agent").starts_with("evalgauge/"));
    is_json(&plain, &json!({"model": "m-1", "messages": [user]}));
    is_json(
        &ask("openai", true).await,
        &json!({"model": "m-1", "messages": [user], "stream": true, "stream_options": {"include_usage": true}}),
    );

    let plain = ask("openai_responses", false).await;
    assert_eq!(
        (plain.path.as_str(), plain.header("authorization")),
        ("POST /base/responses", &*format!("Bearer {KEY}"))
    );
    is_json(&plain, &json!({"model": "m-1", "input": [user], "store": false}));
    is_json(
        &ask("openai_responses", true).await,
        &json!({"model": "m-1", "input": [user], "store": false, "stream": true}),
    );

    let plain = ask("anthropic", false).await;
    assert_eq!((plain.path.as_str(), plain.header("x-api-key")), ("POST /base/messages", KEY));
    assert_eq!((plain.header("anthropic-version"), plain.header("authorization")), ("2023-06-01", ""));
    is_json(&plain, &json!({"model": "m-1", "max_tokens": 4096, "messages": [user]}));
    is_json(
        &ask("anthropic", true).await,
        &json!({"model": "m-1", "max_tokens": 4096, "messages": [user], "stream": true}),
    );

    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    let plain = ask("google", false).await;
    assert_eq!((plain.path.as_str(), plain.header("x-goog-api-key")), ("POST /base/models/m-1:generateContent", KEY));
    is_json(&plain, &contents);
    let streamed = ask("google", true).await;
    assert_eq!(streamed.path, "POST /base/models/m-1:streamGenerateContent?alt=sse");
    is_json(&streamed, &contents);
}

#[tokio::test]
async fn openai_gets_everything() {
    let mut request = rich();
    request.params.stop = vec!["END".to_owned()];
    request.params.seed = Some(7);
    request.params.logprobs = Some(3);
    request.params.extra = json!({"top_k": 5, "temperature": 0.1}).as_object().unwrap().clone();
    let call = |id: &str, page: u32| json!({"id": id, "type": "function", "function": {"name": "page", "arguments": format!("{{\"n\":{page}}}")}});
    let expected = json!({
        "model": "m-1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
                {"type": "image_url", "image_url": {"url": PNG}},
            ]},
            {"role": "assistant", "content": "", "tool_calls": [call("a", 1), call("b", 2)]},
            {"role": "tool", "tool_call_id": "a", "content": "one"},
            {"role": "tool", "tool_call_id": "b", "content": "two"},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "Thanks."},
        ],
        "tools": [{"type": "function", "function":
            {"name": "page", "description": "Reads a page.", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "page"}},
        "response_format": {"type": "json_schema", "json_schema":
            {"name": "grade", "schema": {"type": "object", "x": 1}, "strict": true}},
        "temperature": 0.1, "top_p": 0.9, "max_tokens": 64, "stop": ["END"], "seed": 7,
        "logprobs": true, "top_logprobs": 3, "reasoning_effort": "low", "top_k": 5,
    });
    is_json(&sent(json!({"openai": {"model": "m-1"}}), Call::Chat(Box::new(request))).await, &expected);
}

#[tokio::test]
async fn responses_get_everything_but_seed_and_stop() {
    let mut request = rich();
    request.params.logprobs = Some(3);
    let call = |id: &str, page: u32| json!({"type": "function_call", "call_id": id, "name": "page", "arguments": format!("{{\"n\":{page}}}")});
    let expected = json!({
        "model": "m-1",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "https://a.example/x.png"},
                {"type": "input_image", "image_url": PNG},
            ]},
            call("a", 1),
            call("b", 2),
            {"type": "function_call_output", "call_id": "a", "output": "one"},
            {"type": "function_call_output", "call_id": "b", "output": "two"},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "Thanks."},
        ],
        "store": false,
        "tools": [{"type": "function", "name": "page", "description": "Reads a page.",
            "parameters": {"type": "object"}, "strict": false}],
        "tool_choice": {"type": "function", "name": "page"},
        "text": {"format":
            {"type": "json_schema", "name": "grade", "schema": {"type": "object", "x": 1}, "strict": true}},
        "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 64, "reasoning": {"effort": "low"},
        "include": ["message.output_text.logprobs"], "top_logprobs": 3,
    });
    is_json(&sent(json!({"openai_responses": {"model": "m-1"}}), Call::Chat(Box::new(request))).await, &expected);
}

#[tokio::test]
async fn anthropic_gets_everything_but_seed_and_logprobs() {
    let mut request = rich();
    request.messages.insert(0, turn(Role::System, "You are a clerk."));
    request.params.stop = vec!["END".to_owned()];
    request.params.extra = json!({"metadata": {"user_id": "u"}}).as_object().unwrap().clone();
    let expected = json!({
        "model": "m-1",
        "max_tokens": 64,
        "system": "You are a clerk.\n\nBe brief.",
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "a", "name": "page", "input": {"n": 1}},
                {"type": "tool_use", "id": "b", "name": "page", "input": {"n": 2}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "one"},
                {"type": "tool_result", "tool_use_id": "b", "content": "two"},
            ]},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "Thanks."},
        ],
        "tools": [{"name": "page", "description": "Reads a page.", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "page"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object", "x": 1}}},
        "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["END"], "metadata": {"user_id": "u"},
    });
    is_json(&sent(json!({"anthropic": {"model": "m-1"}}), Call::Chat(Box::new(request))).await, &expected);
    let mut request = question("Hi");
    request.params.reasoning_effort = Some("2048".to_owned());
    let body: Value =
        serde_json::from_str(&sent(json!({"anthropic": {"model": "m-1"}}), Call::Chat(Box::new(request))).await.body)
            .unwrap();
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
}

#[tokio::test]
async fn google_gets_everything() {
    let mut request = rich();
    request.params.stop = vec!["END".to_owned()];
    request.params.seed = Some(7);
    request.params.logprobs = Some(3);
    request.params.extra = json!({"generationConfig": {"topK": 5}, "safetySettings": []}).as_object().unwrap().clone();
    let call = |id: &str, page: u32| json!({"functionCall": {"id": id, "name": "page", "args": {"n": page}}});
    let result =
        |id: &str, text: &str| json!({"functionResponse": {"id": id, "name": "page", "response": {"result": text}}});
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "What is it?"},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/x.png"}},
                {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
            ]},
            {"role": "model", "parts": [call("a", 1), call("b", 2)]},
            {"role": "user", "parts": [result("a", "one"), result("b", "two")]},
            {"role": "model", "parts": [{"text": "Done."}]},
            {"role": "user", "parts": [{"text": "Thanks."}]},
        ],
        "tools": [{"functionDeclarations": [
            {"name": "page", "description": "Reads a page.", "parametersJsonSchema": {"type": "object"}},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["page"]}},
        "generationConfig": {"temperature": 0.5, "topP": 0.9, "maxOutputTokens": 64, "stopSequences": ["END"],
            "seed": 7, "responseLogprobs": true, "logprobs": 3, "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object", "x": 1}, "thinkingConfig": {"thinkingLevel": "low"}, "topK": 5},
        "safetySettings": [],
    });
    is_json(&sent(json!({"google": {"model": "m-1"}}), Call::Chat(Box::new(request))).await, &expected);
}

#[tokio::test]
async fn tool_choices_have_their_words() {
    use ToolChoice::{Auto, None as Never, Required};
    let google = |mode: &str| json!({"functionCallingConfig": {"mode": mode}});
    let table = [
        ("openai", "tool_choice", [json!("auto"), json!("none"), json!("required")]),
        ("openai_responses", "tool_choice", [json!("auto"), json!("none"), json!("required")]),
        ("anthropic", "tool_choice", ["auto", "none", "any"].map(|kind| json!({"type": kind}))),
        ("google", "toolConfig", ["AUTO", "NONE", "ANY"].map(google)),
    ];
    for (kind, field, expected) in table {
        for (choice, expected) in [Auto, Never, Required].into_iter().zip(expected) {
            let request = Request { tool_choice: Some(choice), ..rich() };
            let sent = sent(json!({kind: {"model": "m-1"}}), Call::Chat(Box::new(request))).await;
            assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap()[field], expected, "{kind}");
        }
    }
}

#[tokio::test]
async fn azure_has_a_version_and_a_header_of_its_own() {
    let mut request = question("Hi");
    request.params.max_tokens = Some(9);
    let spec = json!({"openai": {"model": "m-1", "api_version": "2024-10-21", "headers": {"X-Team": "eval"}}});
    let sent = sent(spec, Call::Chat(Box::new(request))).await;
    assert_eq!(sent.path, "POST /base/chat/completions?api-version=2024-10-21");
    assert_eq!((sent.header("api-key"), sent.header("authorization"), sent.header("x-team")), (KEY, "", "eval"));
    is_json(
        &sent,
        &json!({"model": "m-1", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 9}),
    );
}

#[tokio::test]
async fn embeddings_are_asked_for_in_both_words() {
    let openai = sent(json!({"openai": {"model": "m-1"}}), Call::Embed(embedding(Some(64)))).await;
    assert_eq!(openai.path, "POST /base/embeddings");
    is_json(&openai, &json!({"model": "e-1", "input": "Hello", "encoding_format": "float", "dimensions": 64}));
    let google = sent(json!({"google": {"model": "m-1"}}), Call::Embed(embedding(Some(64)))).await;
    assert_eq!((google.path.as_str(), google.header("x-goog-api-key")), ("POST /base/models/e-1:embedContent", KEY));
    is_json(
        &google,
        &json!({"model": "models/e-1", "content": {"parts": [{"text": "Hello"}]}, "outputDimensionality": 64}),
    );
}

#[tokio::test]
async fn an_application_gets_the_document_or_the_rendered_body() {
    let plain = sent(json!({"http": {"url": ""}}), Call::Program(document())).await;
    assert_eq!((plain.path.as_str(), plain.header("content-type")), ("POST /base", "application/json"));
    assert_eq!(plain.header("authorization"), format!("Bearer {KEY}"));
    is_json(&plain, &document().input);
    for (body, content_type) in
        [("{\"q\": \"a\"}", "application/json"), ("q: a", "text/plain; charset=utf-8"), ("7", "application/json")]
    {
        let mut program = document();
        program.input["body"] = json!(body);
        let spec = json!({"http": {"url": "", "method": "PUT", "key_header": "X-Key"}});
        let sent = sent(spec, Call::Program(program)).await;
        assert_eq!((sent.path.as_str(), sent.body.as_str()), ("PUT /base", body));
        assert_eq!((sent.header("content-type"), sent.header("x-key")), (content_type, KEY));
    }
    let mut program = document();
    program.input["body"] = json!("<q/>");
    let spec = json!({"http": {"url": "", "headers": {"Content-Type": "application/xml"}}});
    assert_eq!(sent(spec, Call::Program(program)).await.header("content-type"), "application/xml");
}

/// What a model thought goes back with the words and calls that it came with, whole or streamed.
#[tokio::test]
async fn a_thought_signature_goes_back_where_it_came_from() {
    let parts = json!([
        {"text": "Let me ", "thought": true},
        {"text": "Looking."},
        {"text": "", "thoughtSignature": "of-text"},
        {"functionCall": {"name": "page", "args": {"n": 1}}, "thoughtSignature": "of-call"},
        {"functionCall": {"name": "page", "args": {"n": 2}}},
    ]);
    let answer = |parts: &Value| json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]});
    let pieces: Vec<String> =
        parts.as_array().unwrap().iter().map(|part| format!("data: {}\n\n", answer(&json!([part])))).collect();
    for stream in [false, true] {
        let server = MockServer::start().await;
        let reply = ResponseTemplate::new(200);
        let reply = if stream {
            reply.set_body_raw(pieces.concat(), "text/event-stream")
        } else {
            reply.set_body_json(answer(&parts))
        };
        Mock::given(any()).respond_with(reply).mount(&server).await;
        let spec = json!({"google": {"model": "m-1", "base_url": server.uri(), "stream": stream}});
        let provider = build(spec).unwrap();
        let answered = provider.ask(&Call::Chat(Box::new(question("Hi")))).await.unwrap();
        let Reply::Completion(completion) = answered.reply else { panic!() };
        let mut request = question("Hi");
        request.messages.push(Message {
            tool_calls: completion.tool_calls,
            signature: completion.signature,
            ..turn(Role::Assistant, &completion.text)
        });
        request.messages.push(turn(Role::User, "And now?"));
        provider.ask(&Call::Chat(Box::new(request))).await.unwrap();
        let requests = server.received_requests().await.unwrap();
        let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
        let expected = json!([
            {"text": "Looking.", "thoughtSignature": "of-text"},
            {"functionCall": {"name": "page", "args": {"n": 1}}, "thoughtSignature": "of-call"},
            {"functionCall": {"name": "page", "args": {"n": 2}}},
        ]);
        assert_eq!(body["contents"][1]["parts"], expected, "streamed: {stream}");
    }
}
