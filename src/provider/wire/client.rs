//! One HTTP client a provider: one attempt a call, bounded in time and size.

use std::future::Future;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::Value;

use super::super::router::ProviderError;
use super::address::is_loopback;
use super::dialect::{Assemble, Decoded, Progress};
use super::fault::{Fault, Received, content_type};
use super::secret::Secret;
use super::sse::{Parser, looks_like_events};
use crate::call::{Answered, CallFailure, Completion, FailureKind, Reply, Seconds, Usage};

/// Bytes of an error's body that are read; more would say no more.
const ERROR_BODY: u64 = 64 << 10;

/// Bytes that are set aside for an answer only because its head announces them.
const TRUSTED: u64 = 1 << 20;

/// How long to wait for the end of a stream behind its end mark, so that the connection can be used again.
const LINGER: Duration = Duration::from_millis(50);

/// Sends and reads.
pub(super) struct Client {
    http: reqwest::Client,
    secret: Option<Secret>,
    timeout: Duration,
    max_output: u64,
}

/// A reply with its figures.
pub(super) struct Exchange {
    pub(super) reply: Reply,
    pub(super) usage: Option<Usage>,
    pub(super) latency_ms: f64,
    pub(super) first_token_ms: Option<f64>,
}

impl Client {
    /// A client for one address; the key is in `headers`, and `secret` is what must not be shown.
    pub(super) fn new(
        url: &Url,
        headers: HeaderMap,
        secret: Option<Secret>,
        timeout: Seconds,
        max_output: u64,
    ) -> Result<Self, ProviderError> {
        let Some(timeout) = timeout.duration() else {
            let what = format!("`timeout` is {}; expected seconds, more than 0", timeout.0);
            return Err(ProviderError::Settings(what));
        };
        Ok(Self { http: http(url, headers)?, secret, timeout, max_output })
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// One attempt from its start to its end, within the time it may take.
    pub(super) async fn attempt(
        &self,
        started: Instant,
        work: impl Future<Output = Result<Exchange, Fault>>,
    ) -> Answered {
        let failure = match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(mut exchange)) => {
                self.clean(&mut exchange.reply);
                return Answered {
                    first_token_ms: exchange.first_token_ms,
                    ..Answered::live(exchange.reply, exchange.latency_ms, exchange.usage)
                };
            }
            Ok(Err(fault)) => fault.into_failure(self.secret.as_ref()),
            Err(_) => {
                let what = format!("no answer within {} s", self.timeout.as_secs_f64());
                CallFailure::new(FailureKind::Timeout, what)
            }
        };
        Answered::live(Reply::Failed(failure), milliseconds(started), None)
    }

    /// How long one attempt may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Anything, within a time of its own.
    pub(super) async fn within<T>(
        &self,
        most: Duration,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let late = |_| Err(Fault::new(FailureKind::Timeout, format!("no answer within {} s", most.as_secs_f64())));
        tokio::time::timeout(most, work).await.unwrap_or_else(late)
    }

    /// A fault, fit to be shown.
    pub(super) fn failure(&self, fault: Fault) -> CallFailure {
        fault.into_failure(self.secret.as_ref())
    }

    /// Sends, and reads the head of the answer; any status but success is a fault.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Fault> {
        let response = request.send().await.map_err(Fault::from_client)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        // Whatever is wrong with its body, the status is what counts.
        let body = read_up_to(response, ERROR_BODY).await;
        Err(Fault::from_status(status.as_u16(), status.canonical_reason().unwrap_or_default(), &headers, &body))
    }

    /// Reads a whole answer.
    pub(super) async fn whole(&self, mut response: Response) -> Result<Received, Fault> {
        let content_type = content_type(response.headers());
        let expected = response.content_length().unwrap_or_default();
        if expected > self.max_output {
            return Err(Fault::too_large(self.max_output));
        }
        let mut body = Vec::with_capacity(expected.min(TRUSTED) as usize);
        while let Some(chunk) = response.chunk().await.map_err(Fault::from_client)? {
            if (body.len() + chunk.len()) as u64 > self.max_output {
                return Err(Fault::too_large(self.max_output));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received { content_type, body })
    }

    /// Reads an answer that was asked for as a stream; a server may also give it in one piece.
    pub(super) async fn events(
        &self,
        mut response: Response,
        mut assembly: Box<dyn Assemble>,
        read_whole: fn(&Received) -> Result<Decoded, Fault>,
        started: Instant,
    ) -> Result<Exchange, Fault> {
        if !content_type(response.headers()).starts_with("text/event-stream") {
            let received = self.whole(response).await?;
            let decoded = if looks_like_events(&received.body) {
                let mut parser = Parser::default();
                parser.push(&received.body);
                while let Some(data) = parser.next()? {
                    if assembly.take(&data)? == Progress::End {
                        return Ok(Exchange::of(assembly.finish()?, started, None));
                    }
                }
                at_end(parser, assembly)?
            } else {
                read_whole(&received)?
            };
            return Ok(Exchange::of(decoded, started, None));
        }
        let (mut parser, mut size, mut first) = (Parser::default(), 0, None);
        while let Some(chunk) = response.chunk().await.map_err(Fault::from_client)? {
            size += chunk.len() as u64;
            if size > self.max_output {
                return Err(Fault::too_large(self.max_output));
            }
            parser.push(&chunk);
            while let Some(data) = parser.next()? {
                match assembly.take(&data)? {
                    Progress::Nothing => {}
                    Progress::Token => drop(first.get_or_insert_with(|| milliseconds(started))),
                    Progress::End => {
                        let exchange = Exchange::of(assembly.finish()?, started, first);
                        let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
                        let _ = tokio::time::timeout(LINGER, rest).await;
                        return Ok(exchange);
                    }
                }
            }
        }
        Ok(Exchange::of(at_end(parser, assembly)?, started, first))
    }

    /// Blacks the key out of a reply, should the other side repeat it.
    pub(super) fn clean(&self, reply: &mut Reply) {
        let Some(secret) = &self.secret else { return };
        match reply {
            Reply::Output(value) => clean_value(secret, value),
            Reply::Completion(Completion { text, tool_calls, logprobs, model, id, signature, finish: _ }) => {
                [Some(text), model.as_mut(), id.as_mut(), signature.as_mut()]
                    .into_iter()
                    .flatten()
                    .for_each(|text| secret.clean_answer(text));
                for call in tool_calls {
                    secret.clean_answer(&mut call.id);
                    secret.clean_answer(&mut call.name);
                    call.signature.iter_mut().for_each(|text| secret.clean_answer(text));
                    clean_value(secret, &mut call.arguments);
                }
                if let Some(logprobs) = logprobs {
                    clean_value(secret, logprobs);
                }
            }
            Reply::Vector(_) | Reply::Failed(_) => {}
        }
    }
}

/// What every client has: no redirects, no retries of its own.
fn http(url: &Url, headers: HeaderMap) -> Result<reqwest::Client, ProviderError> {
    // An error only says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("evalgauge/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        // A key must not follow a redirect, and whether to try again is decided elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Without TLS no certificates are needed, and a small container may have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        ProviderError::Settings(format!("cannot set up HTTP: {cause}"))
    })
}

/// A client for whoever takes a token and nothing else.
pub(in super::super) fn bare_client(url: &Url, secret: Option<&Secret>) -> Result<reqwest::Client, ProviderError> {
    let mut headers = HeaderMap::new();
    if let Some(secret) = secret {
        headers.insert(AUTHORIZATION, secret.header("Bearer ")?);
    }
    http(url, headers)
}

impl Exchange {
    /// A completion that is there now.
    pub(super) fn of(decoded: Decoded, started: Instant, first_token_ms: Option<f64>) -> Self {
        Self {
            reply: Reply::Completion(decoded.completion),
            usage: decoded.usage,
            latency_ms: milliseconds(started),
            first_token_ms,
        }
    }

    /// Any other reply that is there now.
    pub(super) fn plain(reply: Reply, usage: Option<Usage>, started: Instant) -> Self {
        Self { reply, usage, latency_ms: milliseconds(started), first_token_ms: None }
    }
}

/// The answer of a stream that ended without a word about it.
fn at_end(parser: Parser, mut assembly: Box<dyn Assemble>) -> Result<Decoded, Fault> {
    let ended = match parser.finish()? {
        // The last event may be cut in two.
        Some(data) => assembly.take(&data).is_ok_and(|progress| progress == Progress::End || assembly.may_end()),
        None => assembly.may_end(),
    };
    if ended { assembly.finish() } else { Err(Fault::truncated("the stream has no end mark")) }
}

fn clean_value(secret: &Secret, value: &mut Value) {
    match value {
        Value::String(text) => secret.clean_answer(text),
        Value::Array(items) => items.iter_mut().for_each(|item| clean_value(secret, item)),
        Value::Object(fields) => {
            let is_clean = |name: &String| {
                let mut clean = name.clone();
                secret.clean_answer(&mut clean);
                clean == *name
            };
            if !fields.keys().all(is_clean) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(mut name, value)| {
                        secret.clean_answer(&mut name);
                        (name, value)
                    })
                    .collect();
            }
            fields.values_mut().for_each(|value| clean_value(secret, value));
        }
        _ => {}
    }
}

async fn read_up_to(mut response: Response, limit: u64) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() as u64 >= limit {
            body.truncate(limit as usize);
            break;
        }
    }
    body
}

pub(super) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
