//! Anthropic's message batches: questions in the request, answers at an address of the batch.

use serde::Deserialize;
use serde_json::Value;

use super::batch::{BatchWire, Ending, Named, Outcome, Slip, Stand, received};
use super::fault::Fault;
use crate::call::Reply;

/// How far the vendor's clock may be from ours, in seconds.
const SKEW: i64 = 300;

/// A question with the comma behind it.
pub(super) fn part(name: &str, body: &[u8]) -> Vec<u8> {
    // The name is a key in hex: nothing to escape.
    let head = format!(r#"{{"custom_id":"{name}","params":"#);
    [head.as_bytes(), body, b"},"].concat()
}

/// Makes a batch.
pub(super) async fn submit(wire: &BatchWire, parts: &[u8]) -> Result<String, Fault> {
    let parts = parts.strip_suffix(b",").unwrap_or(parts);
    let body = [br#"{"requests":["#, parts, b"]}"].concat();
    let made: Named = wire.json(wire.client().http().post(wire.url("messages/batches")?).body(body)).await?;
    Ok(made.id)
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    data: Vec<Batch>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

#[derive(Deserialize)]
struct Batch {
    id: String,
    processing_status: String,
    created_at: Option<String>,
    cancel_initiated_at: Option<String>,
    #[serde(default)]
    request_counts: Counts,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts {
    processing: u64,
    succeeded: u64,
    errored: u64,
    canceled: u64,
    expired: u64,
}

impl Counts {
    const fn done(&self) -> u64 {
        self.succeeded + self.errored + self.canceled + self.expired
    }
}

/// Looks for a batch of as many questions that is not older than ours: the vendor keeps no mark of ours. The names in its
/// results tell for certain.
pub(super) async fn find(wire: &BatchWire, slip: &Slip<'_>, pages: usize) -> Result<Option<String>, Fault> {
    let (mut found, mut after) = (None, String::new());
    for _ in 0..pages {
        let path = format!("messages/batches?limit=100{after}");
        let page: Page = wire.json(wire.client().http().get(wire.url(&path)?)).await?;
        for batch in page.data {
            let created = batch.created_at.as_deref().and_then(|created| created.parse::<jiff::Timestamp>().ok());
            if created.is_some_and(|created| created.as_second() < slip.since - SKEW) {
                return Ok(found);
            }
            let requests = batch.request_counts.done() + batch.request_counts.processing;
            if requests == slip.requests as u64 && !slip.not.contains(&batch.id) {
                // The oldest that fits: later ones are later submissions.
                found = Some(batch.id);
            }
        }
        match page.last_id {
            Some(last) if page.has_more => after = format!("&after_id={last}"),
            _ => break,
        }
    }
    Ok(found)
}

/// How a batch stands.
pub(super) async fn look(wire: &BatchWire, id: &str) -> Result<Stand, Fault> {
    let path = format!("messages/batches/{id}");
    let batch: Batch = wire.json(wire.client().http().get(wire.url(&path)?)).await?;
    if batch.processing_status != "ended" {
        return Ok(Stand::Open { state: batch.processing_status, done: batch.request_counts.done() });
    }
    let how = match (batch.cancel_initiated_at, &batch.request_counts) {
        (Some(_), counts) if counts.canceled > 0 => Ending::Cancelled,
        (_, counts) if counts.expired > 0 => Ending::Expired,
        _ => Ending::Completed,
    };
    // The address that the vendor names is this one; one that came back could lead the key elsewhere.
    Ok(Stand::Ended { how, results: vec![wire.url(&format!("{path}/results"))?] })
}

#[derive(Deserialize)]
struct Line {
    custom_id: String,
    result: Returned,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Returned {
    Succeeded {
        message: Value,
    },
    Errored {
        error: Value,
    },
    Canceled,
    Expired,
    #[serde(other)]
    Unknown,
}

/// What a line of results says, and about which question.
pub(super) fn read(wire: &BatchWire, line: &[u8]) -> Option<(String, Result<Outcome, Fault>)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let outcome = match line.result {
        Returned::Succeeded { message } => (wire.model.reader())(&received(&message))
            .map(|decoded| Outcome::Answered { reply: Reply::Completion(decoded.completion), usage: decoded.usage }),
        Returned::Errored { error } => Err(Fault::from_error(&error)),
        Returned::Canceled => Ok(Outcome::Cancelled),
        Returned::Expired => Ok(Outcome::Expired),
        Returned::Unknown => Err(Fault::garbage("neither an answer nor an error")),
    };
    Some((line.custom_id, outcome))
}
