//! OpenAI's batches: a file of questions, a batch that names it, a file of answers and one of failures.

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{BatchWire, Ending, Named, Outcome, Slip, Stand, received};
use super::fault::Fault;
use crate::call::Reply;

/// The name under which a batch remembers our nonce.
const MARK: &str = "evalgauge";

/// A line of the file of questions.
pub(super) fn part(name: &str, endpoint: &str, body: &[u8]) -> Vec<u8> {
    // Neither the name, a key in hex, nor the path has anything to escape.
    let head = format!(r#"{{"custom_id":"{name}","method":"POST","url":"{endpoint}","body":"#);
    [head.as_bytes(), body, b"}\n"].concat()
}

/// Uploads the questions and makes a batch of them.
pub(super) async fn submit(wire: &BatchWire, nonce: &str, parts: &[u8]) -> Result<String, Fault> {
    let boundary = format!("evalgauge-{nonce}");
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{boundary}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"{boundary}.jsonl\"\r\n\
         content-type: application/jsonl\r\n\r\n"
    );
    let form = [head.as_bytes(), parts, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .map_err(|_| Fault::garbage("a nonce that no header can carry"))?;
    let upload = wire.client().http().post(wire.url("files")?).header(CONTENT_TYPE, content_type).body(form);
    let file: Named = wire.json(upload).await?;
    let batch = json!({
        "input_file_id": file.id,
        "endpoint": wire.endpoint(),
        "completion_window": "24h",
        "metadata": {MARK: nonce},
    });
    let made: Named = wire.json(wire.client().http().post(wire.url("batches")?).body(batch.to_string())).await?;
    Ok(made.id)
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    data: Vec<Batch>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Batch {
    id: String,
    #[serde(default)]
    status: String,
    created_at: Option<i64>,
    metadata: Option<Value>,
    output_file_id: Option<String>,
    error_file_id: Option<String>,
    errors: Option<Value>,
    request_counts: Option<Counts>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    completed: u64,
    #[serde(default)]
    failed: u64,
}

/// Looks for the batch that carries our nonce, the youngest first.
pub(super) async fn find(wire: &BatchWire, slip: &Slip<'_>, pages: usize) -> Result<Option<String>, Fault> {
    let mut after = String::new();
    for _ in 0..pages {
        let page: Page = wire.json(wire.client().http().get(wire.url(&format!("batches?limit=100{after}"))?)).await?;
        let is_ours = |batch: &&Batch| {
            let mark = batch.metadata.as_ref().and_then(|metadata| metadata.get(MARK)?.as_str());
            mark == Some(slip.nonce)
        };
        if let Some(ours) = page.data.iter().find(is_ours) {
            return Ok(Some(ours.id.clone()));
        }
        // Clocks differ; a day is more than they may.
        let is_old = |batch: &Batch| batch.created_at.is_some_and(|created| created < slip.since - 86_400);
        match page.data.last() {
            Some(last) if page.has_more && !is_old(last) => after = format!("&after={}", last.id),
            _ => break,
        }
    }
    Ok(None)
}

/// How a batch stands.
pub(super) async fn look(wire: &BatchWire, id: &str) -> Result<Stand, Fault> {
    let batch: Batch = wire.json(wire.client().http().get(wire.url(&format!("batches/{id}"))?)).await?;
    let how = match batch.status.as_str() {
        "completed" => Ending::Completed,
        "expired" => Ending::Expired,
        "cancelled" => Ending::Cancelled,
        "failed" => return Ok(Stand::Refused(refusal(batch.errors.as_ref()))),
        _ => {
            let done = batch.request_counts.map_or(0, |counts| counts.completed + counts.failed);
            return Ok(Stand::Open { state: batch.status, done });
        }
    };
    let files = [batch.output_file_id, batch.error_file_id].into_iter().flatten().filter(|file| !file.is_empty());
    let results = files.map(|file| file_url(wire, &file)).collect::<Result<_, _>>()?;
    Ok(Stand::Ended { how, results })
}

fn file_url(wire: &BatchWire, file: &str) -> Result<Url, Fault> {
    let is_plain = file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_plain {
        return Err(Fault::garbage("the id of the file of results is none").saying(file.as_bytes()));
    }
    wire.url(&format!("files/{file}/content"))
}

/// Why a batch was not taken, in the vendor's words.
fn refusal(errors: Option<&Value>) -> String {
    let said = errors.and_then(|errors| errors.get("data")?.as_array()).map(|errors| {
        let words = errors.iter().take(3).map(|error| {
            let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            let line =
                error.get("line").and_then(Value::as_u64).map_or(String::new(), |line| format!(" (line {line})"));
            format!("{}: {}{line}", word("code"), word("message"))
        });
        words.collect::<Vec<_>>().join("; ")
    });
    said.filter(|said| !said.is_empty()).unwrap_or_else(|| "the vendor does not say why".to_owned())
}

#[derive(Deserialize)]
struct Line {
    custom_id: String,
    response: Option<Response>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    body: Value,
}

/// What a line of results says, and about which question.
pub(super) fn read(wire: &BatchWire, line: &[u8]) -> Option<(String, Result<Outcome, Fault>)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let code = line.error.as_ref().and_then(|error| error.get("code")?.as_str()).unwrap_or_default().to_owned();
    let outcome = match (line.response, line.error) {
        (Some(response), _) if (200..300).contains(&response.status_code) => {
            (wire.model.reader())(&received(&response.body))
                .map(|decoded| Outcome::Answered { reply: Reply::Completion(decoded.completion), usage: decoded.usage })
        }
        (Some(response), _) => {
            let body = response.body.to_string();
            Err(Fault::from_status(response.status_code, "", &HeaderMap::new(), body.as_bytes()))
        }
        (None, _) if code == "batch_expired" => Ok(Outcome::Expired),
        (None, _) if code == "batch_cancelled" => Ok(Outcome::Cancelled),
        (None, Some(error)) => Err(Fault::from_error(&error)),
        (None, None) => Err(Fault::garbage("neither an answer nor an error")),
    };
    Some((line.custom_id, outcome))
}
