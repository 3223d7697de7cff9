//! A cache that several machines share: plain HTTP, one address an answer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::key::CacheKey;

/// After this many failures in a row the shared cache is left alone.
pub(super) const PATIENCE: u64 = 3;

/// How long one look may take: longer than that, asking is quicker.
const TIMEOUT: Duration = Duration::from_secs(5);

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
}

/// `GET` and `PUT` of `{base}/{key}`: a bucket, a web server that takes files, a cache for build systems.
pub struct HttpShared {
    client: reqwest::Client,
    base: String,
    bearer: Option<String>,
}

impl HttpShared {
    /// The shared cache at an address, with a token where it wants one.
    #[must_use]
    pub fn new(client: reqwest::Client, base: &str, bearer: Option<String>) -> Self {
        Self { client, base: base.trim_end_matches('/').to_owned(), bearer }
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
