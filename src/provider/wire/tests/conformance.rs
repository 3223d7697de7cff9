//! What every adapter makes of what a server may do, as one matrix.

use std::io::Write as _;

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::adapters::{Adapter, all};
use super::server::{Behaviour, FLOOD, RawServer, head, unfinished_chunks};
use super::{KEY, build, failure, over};
use crate::call::{Answered, FailureKind, Finish, Reply, Source};

/// What a case came to: fine, or not for this adapter and why. A panic is a failure.
type Verdict = Result<(), &'static str>;

struct Setting<'a> {
    adapter: &'a Adapter,
    /// Laid over the settings.
    more: Value,
}

impl Setting<'_> {
    async fn ask(&self, url: &str) -> Answered {
        let provider = build(over((self.adapter.spec)(url), &self.more)).unwrap();
        let answered = provider.ask(&self.adapter.call).await.unwrap();
        assert_eq!((answered.attempts, answered.source), (1, Source::Live));
        assert!(!serde_json::to_string(&answered).unwrap().contains(KEY), "the key shows: {answered:?}");
        if let Reply::Failed(failure) = &answered.reply {
            assert!(failure.message.chars().count() <= 301, "too long: {}", failure.message);
        }
        answered
    }

    /// Asks a server that gives every request the same answer; it must get exactly one.
    async fn ask_for(&self, answer: ResponseTemplate) -> Answered {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let answered = self.ask(&server.uri()).await;
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "one call is one request");
        answered
    }

    async fn ask_for_body(&self, body: &str) -> Answered {
        self.ask_for(ResponseTemplate::new(200).set_body_raw(body, self.content_type())).await
    }

    /// Asks a server that misbehaves; gives also what it could send.
    async fn ask_raw(&self, behaviour: Behaviour) -> (Answered, usize) {
        let server = RawServer::start(behaviour);
        let answered = self.ask(&server.address).await;
        // Elsewhere, since the client's end of the connection is closed by a task of this thread.
        (answered, tokio::task::spawn_blocking(|| server.end()).await.unwrap())
    }

    async fn fails_with(&self, answer: ResponseTemplate, kind: FailureKind) -> Answered {
        let answered = self.ask_for(answer).await;
        assert_eq!(failure(&answered).kind, kind, "{}", failure(&answered).message);
        answered
    }

    fn content_type(&self) -> &'static str {
        if self.adapter.stream { "text/event-stream" } else { "application/json" }
    }

    /// The good answer's first half; of a stream, some of its events.
    fn half(&self) -> &str {
        let ok = &self.adapter.ok;
        if self.adapter.stream { &ok[..ok.find("\n\n").unwrap() + 2] } else { &ok[..ok.len() / 2] }
    }
}

/// The good answer was understood.
fn is_good(adapter: &Adapter, answered: &Answered) {
    match &answered.reply {
        Reply::Completion(completion) => {
            assert_eq!((completion.text.as_str(), completion.finish), ("Paris", Finish::Stop));
            assert_eq!((completion.model.as_deref(), completion.id.as_deref()), (Some("m-1-0613"), Some("id-1")));
            assert_eq!(completion.tool_calls, []);
        }
        Reply::Vector(vector) => assert_eq!(vector, &[0.5, -1.0]),
        Reply::Output(output) => assert_eq!(output, &json!({"answer": "Paris"})),
        Reply::Failed(failure) => panic!("{failure:?}"),
    }
    assert_eq!(answered.usage, adapter.usage);
}

async fn case(name: &str, setting: &Setting<'_>) -> Verdict {
    let adapter = setting.adapter;
    match name {
        "ok" => {
            let answered = setting.ask_for_body(&adapter.ok).await;
            is_good(adapter, &answered);
            assert_eq!(answered.first_token_ms.is_some(), adapter.stream);
        }
        "small pieces" => {
            let mut bytes = head(setting.content_type(), Some(adapter.ok.len()));
            bytes.extend_from_slice(adapter.ok.as_bytes());
            is_good(adapter, &setting.ask_raw(Behaviour::Sends(bytes, 3)).await.0);
        }
        "tool call" => {
            let body = adapter.tool.as_ref().ok_or("no model is asked, or none that calls tools")?;
            let answered = setting.ask_for_body(body).await;
            let Reply::Completion(completion) = &answered.reply else { panic!("{answered:?}") };
            let call = &completion.tool_calls[0];
            assert_eq!((call.id.as_str(), call.name.as_str()), ("call_x", "find"));
            assert_eq!((&call.arguments, completion.tool_calls.len()), (&json!({"q": "a"}), 1));
            assert_eq!((completion.text.as_str(), completion.finish), ("", Finish::ToolCalls));
        }
        "refusal" => {
            let body = adapter.refusal.as_ref().ok_or("no model is asked, or none that refuses")?;
            let answered = setting.ask_for_body(body).await;
            let Reply::Completion(completion) = &answered.reply else { panic!("{answered:?}") };
            assert_eq!((completion.text.as_str(), completion.finish), ("I won't.", Finish::Refusal));
        }
        _ => return status_case(name, setting).await,
    }
    Ok(())
}

/// Answers whose status, or whose words, say that there is no answer.
async fn status_case(name: &str, setting: &Setting<'_>) -> Verdict {
    let adapter = setting.adapter;
    let status = ResponseTemplate::new;
    match name {
        "429 seconds" | "429 date" | "429 milliseconds" => {
            let (header, value, wait) = match name {
                "429 seconds" => ("retry-after", "7", 7_000),
                "429 date" => ("retry-after", "Wed, 21 Oct 2026 07:29:30 GMT", 90_000),
                _ => ("retry-after-ms", "1500", 1_500),
            };
            let answer = status(429)
                .insert_header("date", "Wed, 21 Oct 2026 07:28:00 GMT")
                .insert_header(header, value)
                .set_body_json(json!({"error": {"message": "Slow down.", "type": "requests"}}));
            let answered = setting.fails_with(answer, FailureKind::RateLimited).await;
            assert_eq!(failure(&answered).retry_after, Some(std::time::Duration::from_millis(wait)));
            assert_eq!(failure(&answered).message, "HTTP 429 Too Many Requests: requests: Slow down.");
        }
        "server errors" => {
            for code in [408, 500, 502, 503, 529] {
                let answered = setting.fails_with(status(code).set_body_string("oh no"), FailureKind::Server).await;
                assert!(failure(&answered).message.contains(&code.to_string()));
                assert!(failure(&answered).message.ends_with(": oh no"), "{}", failure(&answered).message);
            }
        }
        "key refused" => {
            for code in [401, 403] {
                let body = format!("<p>bad key {KEY}, {}</p>", KEY.replace('/', "%2F"));
                let answered = setting.fails_with(status(code).set_body_string(body), FailureKind::Auth).await;
                assert!(failure(&answered).message.ends_with("<p>bad key [key], [key]</p>"));
            }
        }
        "rejected" => {
            for code in [400, 404, 413, 422] {
                setting.fails_with(status(code).set_body_json(json!({"detail": [1]})), FailureKind::Rejected).await;
            }
        }
        "context length" | "content policy" => {
            let (error, kind) = match name {
                "context length" => (&adapter.context_length, FailureKind::ContextLength),
                _ => (&adapter.content_policy, FailureKind::ContentPolicy),
            };
            let error = error.as_ref().ok_or("the other side has no such error")?;
            setting.fails_with(status(400).set_body_json(error), kind).await;
        }
        "redirect" => {
            let answer = status(307).insert_header("location", "/elsewhere");
            let answered = setting.fails_with(answer, FailureKind::Rejected).await;
            assert!(failure(&answered).message.contains("redirect"), "{}", failure(&answered).message);
        }
        "invalid JSON" => {
            let body = if adapter.stream { "data: {broken\n\n" } else { "{broken" };
            let answered = setting.ask_for_body(body).await;
            assert_eq!(failure(&answered).kind, FailureKind::Garbage);
            assert!(failure(&answered).message.ends_with("{broken"), "{}", failure(&answered).message);
        }
        "wrong content type" => {
            let answer = status(200).set_body_raw("<html>Sorry</html>", "text/html");
            let answered = setting.fails_with(answer, FailureKind::Garbage).await;
            let message = &failure(&answered).message;
            assert!(message.contains("text/html") && message.contains("Sorry"), "{message}");
        }
        "empty choices" => {
            let answered = setting.ask_for_body(&adapter.empty).await;
            assert_eq!(failure(&answered).kind, FailureKind::Garbage, "{}", failure(&answered).message);
        }
        "error with status 200" => {
            if adapter.name == "http" {
                return Err("whatever an application answers is its answer");
            }
            let error = json!({"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}});
            let body = if adapter.stream { format!("data: {error}\n\n") } else { error.to_string() };
            let answered = setting.ask_for_body(&body).await;
            assert_eq!(failure(&answered).kind, FailureKind::RateLimited, "{}", failure(&answered).message);
        }
        "the key repeated" => {
            if !holds_text(adapter) {
                return Err("its answers hold no text");
            }
            let body = adapter.ok.replace("Paris", KEY).replace("\"Par\"", &json!(KEY).to_string());
            // That the key does not show is checked at every answer.
            let answered = setting.ask_for_body(&body).await;
            assert!(serde_json::to_string(&answered).unwrap().contains("[key]"), "{answered:?}");
        }
        _ => return raw_case(name, setting).await,
    }
    Ok(())
}

/// Whether the good answer holds text.
fn holds_text(adapter: &Adapter) -> bool {
    adapter.ok.contains("Paris") || adapter.ok.contains("\"Par\"")
}

async fn raw_case(name: &str, setting: &Setting<'_>) -> Verdict {
    let (adapter, content_type) = (setting.adapter, setting.content_type());
    let soon = Setting { adapter, more: json!({"timeout": 0.3}) };
    let (answered, kind) = match name {
        "time-out" => (soon.ask_raw(Behaviour::Silent).await.0, FailureKind::Timeout),
        "slow drip" => {
            let mut bytes = head(content_type, Some(10 << 20));
            bytes.extend_from_slice(setting.half().as_bytes());
            (soon.ask_raw(Behaviour::Drips(bytes)).await.0, FailureKind::Timeout)
        }
        "truncated body" => {
            let mut bytes = head(content_type, Some(adapter.ok.len()));
            bytes.extend_from_slice(setting.half().as_bytes());
            (setting.ask_raw(Behaviour::Sends(bytes, 1024)).await.0, FailureKind::Connection)
        }
        "disconnect mid-stream" => {
            let bytes = unfinished_chunks(content_type, setting.half().as_bytes());
            (setting.ask_raw(Behaviour::Sends(bytes, 1024)).await.0, FailureKind::Connection)
        }
        "reset" => {
            let bytes = unfinished_chunks(content_type, setting.half().as_bytes());
            (setting.ask_raw(Behaviour::Resets(bytes)).await.0, FailureKind::Connection)
        }
        "no end mark" => {
            if !adapter.stream {
                return Err("it does not stream");
            }
            let answered = setting.ask_for_body(setting.half()).await;
            assert!(failure(&answered).message.contains("truncated"), "{}", failure(&answered).message);
            (answered, FailureKind::Connection)
        }
        "nobody there" => {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            drop(listener);
            (setting.ask(&address).await, FailureKind::Connection)
        }
        "no HTTP" => {
            let bytes = b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec();
            (setting.ask_raw(Behaviour::Sends(bytes, 64)).await.0, FailureKind::Garbage)
        }
        "50 MB" => {
            let mut start = head(content_type, None);
            start.extend_from_slice(if adapter.stream { b"data: \"" } else { b"\"" });
            let small = Setting { adapter, more: json!({"max_output": 1 << 20}) };
            let (answered, sent) = small.ask_raw(Behaviour::Floods(start)).await;
            assert!(sent < FLOOD, "all {sent} bytes were read");
            (answered, FailureKind::TooLarge)
        }
        "50 MB announced" => {
            let start = head(content_type, Some(FLOOD));
            let small = Setting { adapter, more: json!({"max_output": 1 << 20}) };
            let (answered, sent) = small.ask_raw(Behaviour::Floods(start)).await;
            assert!(sent < FLOOD, "all {sent} bytes were read");
            (answered, FailureKind::TooLarge)
        }
        _ => panic!("there is no case `{name}`"),
    };
    assert_eq!(failure(&answered).kind, kind, "{}", failure(&answered).message);
    Ok(())
}

const CASES: [&str; 27] = [
    "ok",
    "small pieces",
    "tool call",
    "refusal",
    "429 seconds",
    "429 date",
    "429 milliseconds",
    "server errors",
    "key refused",
    "rejected",
    "context length",
    "content policy",
    "redirect",
    "invalid JSON",
    "wrong content type",
    "empty choices",
    "error with status 200",
    "the key repeated",
    "time-out",
    "slow drip",
    "truncated body",
    "disconnect mid-stream",
    "reset",
    "no end mark",
    "nobody there",
    "no HTTP",
    "50 MB",
];

#[test]
fn every_adapter_passes_every_case() {
    let (mut passed, mut left_out, mut failed) = (0, 0, Vec::new());
    let adapters = all();
    let cases: Vec<&str> = CASES.into_iter().chain(["50 MB announced"]).collect();
    let mut out = format!("\nadapter x case: + passed, - not for this adapter, F failed\n{:24}", "");
    for place in 1..=cases.len() {
        out.push_str(&format!("{place:>3}"));
    }
    for adapter in &adapters {
        out.push_str(&format!("\n{:24}", adapter.name));
        for name in &cases {
            let setting = Setting { adapter, more: json!({}) };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let verdict =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(case(name, &setting))));
            out.push_str(match verdict {
                Ok(Ok(())) => {
                    passed += 1;
                    "  +"
                }
                Ok(Err(_)) => {
                    left_out += 1;
                    "  -"
                }
                Err(_) => {
                    failed.push(format!("{}: {name}", adapter.name));
                    "  F"
                }
            });
        }
    }
    for (place, name) in cases.iter().enumerate() {
        out.push_str(&format!("{}{:>2} {name}", if place % 4 == 0 { "\n" } else { " · " }, place + 1));
    }
    out.push_str(&format!(
        "\n{} adapters x {} cases: {passed} passed, {left_out} not for the adapter, {} failed\n",
        adapters.len(),
        cases.len(),
        failed.len()
    ));
    std::io::stdout().write_all(out.as_bytes()).unwrap();
    assert!(failed.is_empty(), "failed: {failed:#?}");
    // Applications and embeddings have no tool calls, refusals and errors of models; what does not stream has no end mark.
    assert_eq!(left_out, 20);
}
