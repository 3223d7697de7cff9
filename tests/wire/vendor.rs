//! A stand-in for the batch APIs of OpenAI and Anthropic: takes batches, lets them stand a while, answers out of order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::{Asked, Said, serve};

/// What becomes of a question in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Answer,
    /// The vendor broke on it.
    Broken,
    /// The vendor does not take it.
    Rejected,
    /// It was not asked in time, or not any more.
    Left,
    /// It is not in the results at all.
    Forgotten,
}

/// What becomes of a batch.
pub struct Script {
    /// Looks at it that find it open.
    pub looks: u32,
    /// `completed`, `expired`, `cancelled` or `failed`.
    pub ending: &'static str,
    pub line: fn(usize) -> Line,
    /// The batch is made, and nobody is told.
    pub loses_answer: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self { looks: 2, ending: "completed", line: |_| Line::Answer, loses_answer: false }
    }
}

#[derive(Default)]
pub struct Batch {
    pub id: String,
    metadata: Value,
    /// Name and prompt, in the order in which they came.
    pub lines: Vec<(String, String)>,
    looks: u32,
    created: i64,
}

#[derive(Default)]
pub struct State {
    pub batches: Vec<Batch>,
    /// Prompts that were asked one by one.
    pub live: Vec<String>,
    files: BTreeMap<String, String>,
    /// As long as it is set, batches stay open.
    pub hold: bool,
    /// Requests to hand over a batch that are being answered, or were.
    pub submissions: usize,
    pub wrong_keys: usize,
}

pub struct Vendor {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
}

/// A line of results from name, prompt, fate and the ending of the batch, and whether it goes into the file of errors.
type Shown = dyn Fn(&str, &str, Line, &str) -> Option<(bool, Value)>;

type Scripts = dyn Fn(usize) -> Script + Send + Sync;

impl Vendor {
    /// A vendor whose n-th batch, from 0, goes by its script.
    pub fn start(scripts: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let there = Arc::clone(&state);
        Self { address: serve(move |asked| answer(&there, &scripts, asked)), state }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// How many questions each batch held.
    pub fn sizes(&self) -> Vec<usize> {
        self.state.lock().unwrap().batches.iter().map(|batch| batch.lines.len()).collect()
    }

    /// How often somebody looked at a batch; 0 before it is there.
    pub fn looks(&self, number: usize) -> u32 {
        self.state.lock().unwrap().batches.get(number).map_or(0, |batch| batch.looks)
    }

    pub fn live(&self) -> usize {
        self.state.lock().unwrap().live.len()
    }

    /// From now on there is one batch, of somebody else's questions.
    pub fn forget_all_but_a_foreign_one(&self) {
        let mut state = self.state.lock().unwrap();
        state.batches.truncate(1);
        for (at, (name, _)) in state.batches[0].lines.iter_mut().enumerate() {
            *name = format!("foreign-{at}");
        }
    }

    pub fn hold(&self, hold: bool) {
        self.state.lock().unwrap().hold = hold;
    }
}

fn said(status: u16, value: &Value) -> Said {
    Said(status, "application/json", value.to_string().into_bytes())
}

fn answer(state: &Mutex<State>, scripts: &Scripts, asked: Asked) -> Said {
    let mut state = state.lock().unwrap();
    let is_ours = ["authorization", "x-api-key"]
        .iter()
        .any(|name| asked.headers.get(*name).is_some_and(|key| key.trim_start_matches("Bearer ") == crate::KEY));
    state.wrong_keys += usize::from(!is_ours);
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let body = || serde_json::from_slice::<Value>(&asked.body).unwrap();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (asked.method.as_str(), &parts[..]) {
        ("POST", ["files"]) => {
            let id = format!("file-{}", state.files.len());
            let text = String::from_utf8(asked.body).unwrap();
            assert!(asked.headers["content-type"].starts_with("multipart/form-data; boundary="));
            assert!(text.contains("name=\"purpose\"\r\n\r\nbatch\r\n"), "{text}");
            let lines = text.lines().filter(|line| line.starts_with("{\"custom_id\"")).collect::<Vec<_>>().join("\n");
            state.files.insert(id.clone(), lines);
            said(200, &json!({"id": id, "object": "file", "purpose": "batch"}))
        }
        ("POST", ["batches"]) => {
            let batch = body();
            assert_eq!(
                (&batch["endpoint"], &batch["completion_window"]),
                (&"/v1/chat/completions".into(), &"24h".into())
            );
            let file = state.files[batch["input_file_id"].as_str().unwrap()].clone();
            let lines = file.lines().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!((&line["method"], &line["url"]), (&"POST".into(), &"/v1/chat/completions".into()));
                part(&line, "body")
            });
            let lines = lines.collect();
            make(&mut state, scripts, lines, batch["metadata"].clone(), openai)
        }
        ("GET", ["batches"]) => {
            assert!(query.contains("limit=100"));
            let all: Vec<Value> = state.batches.iter().rev().map(|batch| openai(batch, "in_progress")).collect();
            said(200, &json!({"object": "list", "data": all, "has_more": false}))
        }
        ("GET", ["batches", id]) => look(&mut state, scripts, id, openai),
        ("GET", ["files", file, "content"]) => results(&state, scripts, file, &openai_line),
        ("POST", ["messages", "batches"]) => {
            let batch = body();
            let lines = batch["requests"].as_array().unwrap().iter();
            let lines = lines.map(|line| part(line, "params")).collect();
            make(&mut state, scripts, lines, Value::Null, anthropic)
        }
        ("GET", ["messages", "batches"]) => {
            let all: Vec<Value> = state.batches.iter().rev().map(|batch| anthropic(batch, "in_progress")).collect();
            said(200, &json!({"data": all, "has_more": false, "last_id": null}))
        }
        ("GET", ["messages", "batches", id]) => look(&mut state, scripts, id, anthropic),
        ("GET", ["messages", "batches", id, "results"]) => results(&state, scripts, id, &anthropic_line),
        ("POST", ["chat", "completions"]) => {
            let prompt = prompt(&body());
            state.live.push(prompt.clone());
            said(200, &completion(&prompt))
        }
        ("POST", ["messages"]) => {
            let prompt = prompt(&body());
            state.live.push(prompt.clone());
            said(200, &message(&prompt))
        }
        _ => said(404, &json!({"error": {"message": format!("no such place: {}", asked.path)}})),
    }
}

/// The name and the prompt of a question in a batch.
fn part(line: &Value, body: &str) -> (String, String) {
    assert!(line[body].get("stream").is_none(), "results of a batch are whole");
    (line["custom_id"].as_str().unwrap().to_owned(), prompt(&line[body]))
}

/// The last turn of a question.
fn prompt(body: &Value) -> String {
    body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned()
}

fn make(
    state: &mut State,
    scripts: &Scripts,
    lines: Vec<(String, String)>,
    metadata: Value,
    show: fn(&Batch, &str) -> Value,
) -> Said {
    let number = state.batches.len();
    assert!(lines.iter().all(|(name, _)| name.len() <= 64), "longer names are not taken");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let batch = Batch { id: format!("batch_{number}"), metadata, lines, looks: 0, created: now.as_secs() as i64 };
    let shown = show(&batch, "validating");
    state.submissions += 1;
    state.batches.push(batch);
    if scripts(number).loses_answer { Said::NOTHING } else { said(200, &shown) }
}

fn number(id: &str) -> usize {
    id.rsplit('_').next().unwrap().parse().unwrap()
}

fn look(state: &mut State, scripts: &Scripts, id: &str, show: fn(&Batch, &str) -> Value) -> Said {
    let (number, hold) = (number(id), state.hold);
    let Some(batch) = state.batches.get_mut(number) else {
        return said(404, &json!({"error": {"message": "no such batch"}}));
    };
    batch.looks += 1;
    let script = scripts(number);
    let is_open = hold || batch.looks <= script.looks;
    said(200, &show(batch, if is_open { "in_progress" } else { script.ending }))
}

fn results(state: &State, scripts: &Scripts, name: &str, line: &Shown) -> Said {
    let number = number(name);
    let (batch, script) = (&state.batches[number], scripts(number));
    let wants_errors = name.starts_with("errors_");
    // The last one first: nobody promises an order.
    let lines = batch.lines.iter().enumerate().rev().filter_map(|(at, (id, prompt))| {
        let (is_error, line) = line(id, prompt, (script.line)(at), script.ending)?;
        (is_error == wants_errors || !name.contains("s_")).then(|| line.to_string())
    });
    Said(200, "application/octet-stream", lines.collect::<Vec<_>>().join("\n").into_bytes())
}

fn openai(batch: &Batch, status: &str) -> Value {
    let number = number(&batch.id);
    let total = batch.lines.len();
    let has_ended = matches!(status, "completed" | "expired" | "cancelled");
    json!({
        "id": batch.id, "object": "batch", "endpoint": "/v1/chat/completions", "status": status,
        "created_at": batch.created, "metadata": batch.metadata,
        "output_file_id": has_ended.then(|| format!("answers_{number}")),
        "error_file_id": has_ended.then(|| format!("errors_{number}")),
        "errors": (status == "failed").then(|| json!({"object": "list", "data": [
            {"code": "token_limit_exceeded", "message": "Enqueued token limit reached for m", "line": null}]})),
        "request_counts": {"total": total, "completed": batch.looks, "failed": 0},
    })
}

fn openai_line(id: &str, prompt: &str, line: Line, ending: &str) -> Option<(bool, Value)> {
    let response = |status: u16, body: Value| json!({"id": "r", "custom_id": id, "response": {"status_code": status, "request_id": "q", "body": body}, "error": null});
    Some(match line {
        Line::Answer => (false, response(200, completion(prompt))),
        Line::Broken => {
            (true, response(500, json!({"error": {"message": "The server had an error", "type": "server_error"}})))
        }
        Line::Rejected => (true, response(400, json!({"error": {"message": "no", "type": "invalid_request_error"}}))),
        Line::Left => (
            true,
            json!({"id": "r", "custom_id": id, "response": null,
            "error": {"code": format!("batch_{ending}"), "message": "This request could not be executed."}}),
        ),
        Line::Forgotten => return None,
    })
}

fn anthropic(batch: &Batch, status: &str) -> Value {
    let total = batch.lines.len();
    let is_open = !matches!(status, "completed" | "expired" | "cancelled");
    let some = |ending: &str| usize::from(status == ending);
    json!({
        "id": batch.id, "type": "message_batch",
        "processing_status": if is_open { "in_progress" } else { "ended" },
        "created_at": jiff::Timestamp::from_second(batch.created).unwrap().to_string(),
        "cancel_initiated_at": (status == "cancelled").then_some("2026-01-01T00:00:00Z"),
        "request_counts": {
            "processing": if is_open { total } else { 0 },
            "succeeded": if is_open { 0 } else { total - some("expired") - some("cancelled") },
            "errored": 0, "canceled": some("cancelled"), "expired": some("expired"),
        },
        // Who follows this gives the key away.
        "results_url": "http://192.0.2.1/stolen",
    })
}

fn anthropic_line(id: &str, prompt: &str, line: Line, ending: &str) -> Option<(bool, Value)> {
    let errored =
        |kind: &str| json!({"type": "errored", "error": {"type": "error", "error": {"type": kind, "message": "no"}}});
    let result = match line {
        Line::Answer => json!({"type": "succeeded", "message": message(prompt)}),
        Line::Broken => errored("api_error"),
        Line::Rejected => errored("invalid_request_error"),
        Line::Left => json!({"type": if ending == "cancelled" { "canceled" } else { "expired" }}),
        Line::Forgotten => return None,
    };
    Some((false, json!({"custom_id": id, "result": result})))
}

fn completion(prompt: &str) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": prompt.to_uppercase()}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 500},
    })
}

fn message(prompt: &str) -> Value {
    json!({
        "id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": prompt.to_uppercase()}],
        "usage": {"input_tokens": 1000, "output_tokens": 500},
    })
}
