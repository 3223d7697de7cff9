//! What went wrong on the wire, by kind.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::secret::Secret;
use crate::call::{CallFailure, FailureKind};

/// Characters of a server's words that a message shows.
const SHOWN: usize = 300;

/// Bytes of a server's words that are looked at for it.
const LOOKED_AT: usize = 16 << 10;

/// A failure before it is fit to be shown: the server's words may still hold the key.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FailureKind,
    what: String,
    words: String,
    retry_after: Option<Duration>,
}

impl Fault {
    pub(super) fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), words: String::new(), retry_after: None }
    }

    /// With what the server said.
    pub(super) fn saying(mut self, words: &[u8]) -> Self {
        self.words = String::from_utf8_lossy(&words[..words.len().min(LOOKED_AT)]).into_owned();
        self
    }

    /// With what the server said, unless that is known already.
    pub(super) fn saying_if_silent(self, words: &[u8]) -> Self {
        if self.words.is_empty() { self.saying(words) } else { self }
    }

    pub(super) fn garbage(what: impl Into<String>) -> Self {
        Self::new(FailureKind::Garbage, what)
    }

    /// A stream, or body, that ended too early.
    pub(super) fn truncated(what: impl std::fmt::Display) -> Self {
        Self::new(FailureKind::Connection, format!("the answer was truncated: {what}"))
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(FailureKind::TooLarge, format!("the answer has more than {limit} bytes"))
    }

    /// What the client noticed on the way.
    pub(super) fn from_client(error: reqwest::Error) -> Self {
        use std::error::Error as _;
        // The address is in the config; it says nothing here.
        let error = error.without_url();
        let is_unsafe = tls_cause(&error).is_some_and(is_lasting);
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        chain.dedup();
        let text = chain.join(": ");
        let kind = if is_unsafe {
            FailureKind::Tls
        } else if error.is_timeout() {
            FailureKind::Timeout
        } else if text.contains("invalid HTTP") {
            FailureKind::Garbage
        } else {
            FailureKind::Connection
        };
        let what = match kind {
            FailureKind::Connection if error.is_connect() => "cannot connect",
            FailureKind::Connection => "the connection was lost",
            FailureKind::Garbage => "no HTTP came back",
            FailureKind::Tls => "no safe connection can be made",
            _ => "no answer in time",
        };
        Self::new(kind, what).saying(text.as_bytes())
    }

    /// An answer whose status is not a success.
    pub(super) fn from_status(status: u16, reason: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        let words = parsed.as_ref().and_then(words_of).unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        let kind = match status {
            429 if has_no_money(&words) => FailureKind::Rejected,
            429 => FailureKind::RateLimited,
            401 | 403 => FailureKind::Auth,
            408 | 500.. => FailureKind::Server,
            400..500 => kind_of_words(&words).unwrap_or(FailureKind::Rejected),
            _ => FailureKind::Rejected,
        };
        let reason = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        let what = match (status, headers.get(LOCATION)) {
            (300..400, Some(_)) => "a redirect is not followed: ",
            _ => "",
        };
        let words = match headers.get(LOCATION) {
            Some(place) if (300..400).contains(&status) => format!("to {}", String::from_utf8_lossy(place.as_bytes())),
            _ => words,
        };
        Self {
            retry_after: retry_after(headers).or_else(|| parsed.as_ref().and_then(retry_delay)),
            ..Self::new(kind, format!("{what}HTTP {status}{reason}")).saying(words.as_bytes())
        }
    }

    /// An error object inside an answer or a stream that began with success.
    pub(super) fn from_error(error: &Value) -> Self {
        let words = words_of(error).unwrap_or_else(|| error.to_string());
        let code = |name: &str| error.get(name).and_then(Value::as_u64).filter(|code| (400..600).contains(code));
        let kind = match code("code").or_else(|| code("status")) {
            Some(code) => Self::from_status(code as u16, "", &HeaderMap::new(), error.to_string().as_bytes()).kind,
            None => kind_of_words(&words).unwrap_or_else(|| kind_of_type(&words)),
        };
        Self::new(kind, "the server gave an error instead of an answer").saying(words.as_bytes())
    }

    /// Fit to be shown and kept.
    pub(super) fn into_failure(self, secret: Option<&Secret>) -> CallFailure {
        // Blacked out first, shortened then: a key that is cut in two would not be recognised.
        let said = if self.words.is_empty() { self.what } else { format!("{}: {}", self.what, self.words) };
        let said = secret.map_or_else(|| said.clone(), |secret| secret.black_out(&said).into_owned());
        let mut line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = line.char_indices().nth(SHOWN) {
            line.truncate(end);
            line.push('…');
        }
        CallFailure { kind: self.kind, message: line, retry_after: self.retry_after }
    }
}

/// What TLS has against a connection.
fn tls_cause(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        // An error of I/O hides the one inside it, and gives that one's source as its own.
        source = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => cause.source(),
        };
    }
    None
}

/// Whether the next attempt would find the same: a certificate does not change in a second, a connection that broke does.
const fn is_lasting(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};
    match error {
        Error::InvalidCertificate(_)
        | Error::NoCertificatesPresented
        | Error::UnsupportedNameType
        | Error::InvalidMessage(_)
        | Error::PeerIncompatible(_)
        | Error::InvalidCertRevocationList(_) => true,
        Error::AlertReceived(alert) => !matches!(
            alert,
            AlertDescription::CloseNotify
                | AlertDescription::InternalError
                | AlertDescription::UserCanceled
                | AlertDescription::DecryptError
                | AlertDescription::BadRecordMac
        ),
        _ => false,
    }
}

/// A whole answer.
pub(super) struct Received {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Received {
    /// Reads the body as JSON of a shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => format!("the answer has another shape ({error})"),
                _ => format!("the answer is not JSON ({}; {error})", self.content_type),
            };
            Fault::garbage(what).saying(&self.body)
        })
    }
}

pub(super) fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .map_or_else(|| "no content type".to_owned(), |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The words of an error body, as the vendors and the usual servers write them, with the codes in front.
fn words_of(body: &Value) -> Option<String> {
    let error = match body {
        // Google's streams wrap it into a list.
        Value::Array(items) => return items.first().and_then(words_of),
        Value::Object(fields) => fields.get("error").filter(|error| !error.is_null()).unwrap_or(body),
        Value::String(text) => return Some(text.clone()),
        _ => return None,
    };
    if let Value::String(text) = error {
        return Some(text.clone());
    }
    let mut words: Vec<String> = Vec::new();
    for name in ["type", "code", "status"] {
        if let Some(code) = error.get(name).and_then(Value::as_str)
            && !words.iter().any(|known| known == code)
            && code != "error"
        {
            words.push(code.to_owned());
        }
    }
    if let Some(code) = error.pointer("/innererror/code").and_then(Value::as_str) {
        words.push(code.to_owned());
    }
    let message = ["message", "detail", "details"].iter().find_map(|name| error.get(name))?;
    words.push(message.as_str().map_or_else(|| message.to_string(), str::to_owned));
    Some(words.join(": "))
}

/// What the vendors write when a prompt is longer than the model can read.
const CONTEXT_LENGTH: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size",
    "contextwindowexceeded",
    "maximum context length",
    "model's context length",
    "available context size",
    "exceeds the context",
    "exceed context limit",
    "exceeds maximum context",
    "context window",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "string_above_max_length",
];

/// What they write when they do not allow the content.
const CONTENT_POLICY: &[&str] = &[
    "content_policy_violation",
    "contentpolicyviolation",
    "content_filter",
    "responsibleaipolicyviolation",
    "content filtering policy",
    "content management policy",
    "content_blocked",
    "moderation_blocked",
    "usage policy",
    "usage policies",
    "flagged as potentially violating",
    "prohibited_content",
    "safety_block",
];

fn kind_of_words(words: &str) -> Option<FailureKind> {
    let words = words.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    if has(CONTEXT_LENGTH) {
        Some(FailureKind::ContextLength)
    } else if has(CONTENT_POLICY) {
        Some(FailureKind::ContentPolicy)
    } else {
        None
    }
}

/// By the type or code of an error that came without a status.
fn kind_of_type(words: &str) -> FailureKind {
    let words = words.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    if has_no_money(&words) {
        FailureKind::Rejected
    } else if has(&["rate_limit", "too_many_requests", "resource_exhausted"]) {
        FailureKind::RateLimited
    } else if has(&["authentication_error", "permission_error", "invalid_api_key", "permission_denied"]) {
        FailureKind::Auth
    } else if has(&["invalid_request", "invalid_argument", "not_found", "invalid_prompt"]) {
        FailureKind::Rejected
    } else {
        FailureKind::Server
    }
}

/// An account without money does not pass by waiting, though it comes as 429.
fn has_no_money(words: &str) -> bool {
    ["insufficient_quota", "billing_hard_limit_reached"].iter().any(|code| words.contains(code))
}

/// How long to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let length = |text: &str, unit: f64| {
        let number: f64 = text.parse().ok()?;
        Duration::try_from_secs_f64((number * unit).max(0.0)).ok()
    };
    if let Some(wait) = text("retry-after-ms").and_then(|text| length(text, 1e-3)) {
        return Some(wait);
    }
    let wait = text(RETRY_AFTER.as_str())?;
    length(wait, 1.0).or_else(|| {
        let until = date(wait)?;
        // By the server's own clock where it shows it: ours may be wrong.
        let now = text(DATE.as_str()).and_then(date).unwrap_or_else(jiff::Timestamp::now);
        Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
    })
}

fn date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// How long to wait, as Google says it in the body.
fn retry_delay(body: &Value) -> Option<Duration> {
    let error = body.get("error").or_else(|| body.get(0)?.get("error"))?;
    let delay = error.get("details")?.as_array()?.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}
