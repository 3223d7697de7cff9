//! An application behind an address.

use std::time::Instant;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::router::{Answering, Provider, ProviderError, unfit};
use super::super::spec::HttpSpec;
use super::address;
use super::client::{Client, Exchange};
use super::fault::{Fault, Received};
use crate::call::{Answered, Call, Program, Reply};

/// Asks an application.
pub(in super::super) struct TargetProvider {
    client: Client,
    url: Url,
    method: Method,
    /// Whether the config says of what type the body is.
    has_content_type: bool,
    /// Whether the answer is a place in JSON, so that text cannot hold it.
    needs_json: bool,
}

impl TargetProvider {
    /// A provider for the settings; `env` gives the values of environment variables.
    pub(in super::super) fn new(spec: &HttpSpec, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ProviderError> {
        let url = address::parse("url", &spec.url)?;
        let method = match Method::from_bytes(spec.method.as_bytes()) {
            Ok(method) if ![Method::HEAD, Method::CONNECT, Method::TRACE].contains(&method) => method,
            _ => return Err(ProviderError::Settings(format!("`method`: `{}` brings no answer", spec.method))),
        };
        let key_header = HeaderName::try_from(spec.key_header.as_str())
            .map_err(|_| ProviderError::Settings(format!("`key_header`: `{}` is no header", spec.key_header)))?;
        let mut headers = address::headers(&spec.headers, key_header.as_str())?;
        let has_content_type = headers.contains_key(CONTENT_TYPE);
        // An application may need no key at all; a variable that is named must be there.
        let secret = match &spec.key_env {
            Some(variable) => address::key(&url, variable, env)?,
            None => None,
        };
        if let Some(secret) = &secret {
            let prefix = if key_header == "authorization" { "Bearer " } else { "" };
            headers.insert(key_header, secret.header(prefix)?);
        }
        let client = Client::new(&url, headers, secret, spec.timeout, spec.max_output)?;
        Ok(Self { client, url, method, has_content_type, needs_json: !spec.answer.is_whole() })
    }

    async fn call(&self, program: &Program) -> Result<Answered, ProviderError> {
        let started = Instant::now();
        let (content_type, body) = match program.input.get("body") {
            Some(Value::String(text)) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                ("application/json", text.clone())
            }
            Some(Value::String(text)) => ("text/plain; charset=utf-8", text.clone()),
            _ => ("application/json", program.input.to_string()),
        };
        let mut sent = self.client.http().request(self.method.clone(), self.url.clone()).body(body);
        if !self.has_content_type {
            sent = sent.header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let work = async {
            let received = self.client.whole(self.client.send(sent).await?).await?;
            Ok(Exchange::plain(Reply::Output(self.read(received)?), None, started))
        };
        Ok(self.client.attempt(started, work).await)
    }

    fn read(&self, received: Received) -> Result<Value, Fault> {
        if received.body.trim_ascii().is_empty() {
            return Err(Fault::garbage("the answer is empty"));
        }
        let says_json = received.content_type.to_ascii_lowercase().contains("json");
        match received.json() {
            Ok(value) => Ok(value),
            Err(fault) if says_json || self.needs_json => Err(fault),
            Err(_) => String::from_utf8(received.body)
                .map(|text| Value::String(text.trim_end().to_owned()))
                .map_err(|_| Fault::garbage(format!("the answer is not text ({})", received.content_type))),
        }
    }
}

impl Provider for TargetProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        match call {
            Call::Program(program) => Box::pin(self.call(program)),
            Call::Chat(_) | Call::Embed(_) => unfit(call),
        }
    }
}
