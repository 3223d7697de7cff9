//! Calls to GitHub's API: one client, bounded in time and size, tried again where that may help.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::error::PublishError;
use super::token::Token;

/// Attempts of one call, the first included.
const ATTEMPTS: u32 = 5;
/// The longest wait before the second attempt; it doubles with every further one.
const BASE: Duration = Duration::from_millis(500);
/// What is waited for at most, also where the server asks for more.
const CAP: Duration = Duration::from_mins(1);
/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer: a page of a hundred comments of the greatest length, with room.
const MOST: usize = 64 << 20;

/// How an attempt ended without success.
pub(super) struct Fault {
    pub(super) error: PublishError,
    /// Trying again may help; how long to wait, where the server says.
    pub(super) passing: bool,
    asked: Option<Duration>,
}

/// Speaks to the API of one server.
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    token: Token,
    random: Xoshiro256PlusPlus,
}

impl Api {
    pub(super) fn new(base: &str, token: Token) -> Result<Self, PublishError> {
        let settings = |what: String| PublishError::Settings(what);
        let url =
            reqwest::Url::parse(base).map_err(|error| settings(format!("GITHUB_API_URL is no address: {error}")))?;
        // An error only says that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, token.header()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("evalgauge/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(TIMEOUT)
            // The token must not follow a redirect.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if url.scheme() == "http" {
            // A server on this machine: no certificates are needed, and no proxy is in between.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        let http = builder.build().map_err(|error| settings(format!("cannot set up HTTP: {error}")))?;
        let mut seed = [0; 8];
        seed[..4].copy_from_slice(&std::process::id().to_le_bytes());
        Ok(Self {
            http,
            base: base.to_owned(),
            token,
            random: Xoshiro256PlusPlus::seed_from_u64(u64::from_le_bytes(seed)),
        })
    }

    /// A call that may be made twice without harm, tried again until it works or is pointless.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, PublishError> {
        let mut attempt = 1;
        loop {
            match self.once(method.clone(), path, body).await {
                Ok(value) => return Ok(value),
                Err(fault) => self.wait(&mut attempt, fault).await?,
            }
        }
    }

    /// Waits before the next attempt, or gives up.
    pub(super) async fn wait(&mut self, attempt: &mut u32, fault: Fault) -> Result<(), PublishError> {
        if !fault.passing || *attempt >= ATTEMPTS || fault.asked.is_some_and(|asked| asked > CAP) {
            return Err(fault.error);
        }
        let bound = BASE * 2_u32.pow(*attempt - 1);
        // Those that failed together do not come back together.
        let wait = fault.asked.unwrap_or_else(|| bound.mul_f64(self.random.random_range(0.5..=1.0)));
        tokio::time::sleep(wait.min(CAP)).await;
        *attempt += 1;
        Ok(())
    }

    /// One attempt.
    pub(super) async fn once(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Fault> {
        let name = match method {
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "GET",
        };
        let fault = |what: &str, status: Option<StatusCode>, passing: bool| Fault {
            error: PublishError::Api {
                method: name,
                path: path.to_owned(),
                what: self.token.black_out(what),
                status: status.map(|status| status.as_u16()),
            },
            passing,
            asked: None,
        };
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| fault(&cause(&error), None, !error.is_builder()))?;
        let status = response.status();
        let headers = response.headers().clone();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&cause(&error), Some(status), true))? {
            if bytes.len() + chunk.len() > MOST {
                return Err(fault("the answer is too large", Some(status), false));
            }
            bytes.extend_from_slice(&chunk);
        }
        let value: Option<Value> = serde_json::from_slice(&bytes).ok();
        if status.is_success() {
            return match value {
                Some(value) => Ok(value),
                None if bytes.is_empty() => Ok(Value::Null),
                None => Err(fault("the answer is not JSON", Some(status), true)),
            };
        }
        let said = value.as_ref().and_then(|value| value["message"].as_str()).unwrap_or_default();
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        let what = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        let limited = is_limited(status, &headers, &said);
        Err(Fault { asked: asked(&headers), ..fault(&what, Some(status), limited || status.is_server_error()) })
    }
}

/// Whether a refusal is one of too many calls: GitHub says so with 429, and with a 403 that has other marks.
fn is_limited(status: StatusCode, headers: &HeaderMap, said: &str) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::FORBIDDEN
            && (headers.contains_key("retry-after")
                || headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
                || said.to_lowercase().contains("rate limit"))
}

/// How long the server asks to wait.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a client's error comes from: its own text names the address, which the caller knows.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}
