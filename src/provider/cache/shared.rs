//! A cache that several machines share: plain HTTP, one address an answer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::CacheKey;
use crate::provider::router::ProviderError;
use crate::provider::wire::{Secret, address, bare_client};

/// `shared_cache = { url = "https://…", key_env = "…", mode = "ro" }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedSpec {
    /// Where it is; the key of an answer is put behind it.
    pub url: String,
    /// The environment variable with the token that it wants, sent as `Authorization: Bearer …`; without one, none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Whether new answers are put there.
    #[serde(default)]
    pub mode: SharedMode,
}

/// What a shared cache is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum SharedMode {
    /// Answers come from it, and new ones go to it.
    #[default]
    #[serde(rename = "rw")]
    ReadWrite,
    /// Answers come from it.
    #[serde(rename = "ro")]
    ReadOnly,
}

impl SharedSpec {
    /// Refuses an address that cannot be asked, or that holds a key.
    ///
    /// # Errors
    /// A sentence naming the setting.
    pub fn check(&self) -> Result<(), ProviderError> {
        self.address().map(drop)
    }

    fn address(&self) -> Result<Url, ProviderError> {
        let url = address::parse("shared_cache.url", &self.url)?;
        if url.query().is_some() {
            let what = "`shared_cache.url` has a part behind `?`; keys of answers are put behind it, so leave that out";
            return Err(ProviderError::Settings(what.to_owned()));
        }
        Ok(url)
    }

    /// The cache of the settings; `env` gives the values of environment variables.
    ///
    /// # Errors
    /// An address that cannot be asked, a token that is named and not there.
    pub fn connect(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<HttpShared, ProviderError> {
        let url = self.address()?;
        let secret = match &self.key_env {
            None => None,
            Some(variable) => Some(Secret::read(variable, env)?.ok_or_else(|| {
                let what = format!("`shared_cache.key_env`: the environment variable `{variable}` is not set");
                ProviderError::Settings(what)
            })?),
        };
        let client = bare_client(&url, secret.as_ref())?;
        Ok(HttpShared { keeps: self.mode == SharedMode::ReadWrite, ..HttpShared::new(client, url.as_str(), None) })
    }
}

/// After this many failures in a row the shared cache is left alone.
pub(super) const PATIENCE: u64 = 3;

/// How long one look may take: longer than that, asking is quicker.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A longer answer is not fetched.
const LONGEST: u64 = 64 << 20;

/// The future of something shared.
pub type Sharing<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Bytes under keys, somewhere else. The bytes are one line of an export, compressed; they are checked when they come.
pub trait Shared: Send + Sync {
    /// What is kept under a key.
    fn get(&self, key: CacheKey) -> Sharing<'_, Option<Vec<u8>>>;
    /// Keeps bytes under a key.
    fn put(&self, key: CacheKey, bytes: Vec<u8>) -> Sharing<'_, ()>;
    /// Whether new answers go there.
    fn keeps(&self) -> bool {
        true
    }
}

/// `GET` and `PUT` of `{base}/{key}`: a bucket, a web server that takes files, a cache for build systems.
pub struct HttpShared {
    client: reqwest::Client,
    base: String,
    bearer: Option<String>,
    keeps: bool,
}

impl HttpShared {
    /// The shared cache at an address, with a token where it wants one.
    #[must_use]
    pub fn new(client: reqwest::Client, base: &str, bearer: Option<String>) -> Self {
        Self { client, base: base.trim_end_matches('/').to_owned(), bearer, keeps: true }
    }

    fn request(&self, method: reqwest::Method, key: CacheKey) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/{key}", self.base)).timeout(TIMEOUT);
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// What went wrong, without the address, which may hold a token.
fn said(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Shared for HttpShared {
    fn keeps(&self) -> bool {
        self.keeps
    }

    fn get(&self, key: CacheKey) -> Sharing<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let mut response = self.request(reqwest::Method::GET, key).send().await.map_err(said)?;
            match response.status().as_u16() {
                404 | 410 => return Ok(None),
                200 => {}
                status => return Err(format!("GET was answered {status}")),
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(said)? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() as u64 > LONGEST {
                    return Err(format!("an answer of more than {LONGEST} bytes"));
                }
            }
            Ok(Some(bytes))
        })
    }

    fn put(&self, key: CacheKey, bytes: Vec<u8>) -> Sharing<'_, ()> {
        Box::pin(async move {
            let response = self.request(reqwest::Method::PUT, key).body(bytes).send().await.map_err(said)?;
            let status = response.status();
            if status.is_success() { Ok(()) } else { Err(format!("PUT was answered {}", status.as_u16())) }
        })
    }
}
