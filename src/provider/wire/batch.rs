//! Many questions at once, answered within a day for half the price: what the vendors' batch APIs have in common.

use std::time::Duration;

use reqwest::{Response, Url};
use serde::Deserialize;

use super::super::model_spec::{ModelSpec, Vendor};
use super::super::router::ProviderError;
use super::client::Client;
use super::fault::{Fault, Received};
use super::model::ModelProvider;
use super::{batch_anthropic, batch_openai};
use crate::call::{CallFailure, FailureKind, Reply, Request, Usage};

/// How long it may take to hand a batch over: it may have hundreds of megabytes.
const HANDING_OVER: Duration = Duration::from_mins(10);

/// The longest line of results that is read.
const LONGEST_LINE: u64 = 64 << 20;

/// Pages of a list of batches that are looked through for one of ours.
const PAGES: usize = 20;

/// How much one batch may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct BatchLimits {
    pub(in super::super) requests: usize,
    pub(in super::super) bytes: usize,
}

/// What is known of a batch before it has an id, to find it again should the answer to its submission get lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Slip<'a> {
    /// Ours alone; the vendor keeps it where it can.
    pub(in super::super) nonce: &'a str,
    /// When it was handed over, at the earliest: seconds since 1970.
    pub(in super::super) since: i64,
    pub(in super::super) requests: usize,
    /// Batches that are others.
    pub(in super::super) not: &'a [String],
}

/// How a batch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Stand {
    /// It is being worked on.
    Open { state: String, done: u64 },
    /// Nothing more comes; results are at these addresses. The word says how it ended.
    Ended { how: Ending, results: Vec<Url> },
    /// It was not taken, for this reason.
    Refused(String),
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ending {
    Completed,
    Expired,
    Cancelled,
}

/// What came back for one question.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Returned {
    pub(in super::super) name: String,
    pub(in super::super) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Outcome {
    Answered {
        reply: Reply,
        usage: Option<Usage>,
    },
    Failed(CallFailure),
    /// It was not asked in time.
    Expired,
    /// It was not asked any more.
    Cancelled,
}

/// One vendor's batches.
pub(in super::super) struct BatchWire {
    pub(super) model: ModelProvider,
    pub(super) vendor: Vendor,
}

impl BatchWire {
    /// A wire for the settings; an error where the vendor has no batches.
    pub(in super::super) fn new(
        vendor: Vendor,
        spec: &ModelSpec,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProviderError> {
        let none = |who: &str| {
            let what = format!("{who} has no batches that could be used here (OpenAI and Anthropic have)");
            Err(ProviderError::Settings(what))
        };
        match vendor {
            Vendor::Google => return none("a `google` candidate"),
            Vendor::OpenAi | Vendor::OpenAiResponses if spec.api_version.is_some() => return none("Azure"),
            Vendor::OpenAi | Vendor::OpenAiResponses | Vendor::Anthropic => {}
        }
        // The results of a batch are whole answers.
        let spec = ModelSpec { stream: false, ..spec.clone() };
        Ok(Self { model: ModelProvider::new(vendor, &spec, env)?, vendor })
    }

    /// How much one batch may hold, as the vendors say it (megabytes of 1,000,000 bytes, to be sure).
    pub(in super::super) const fn limits(&self) -> BatchLimits {
        match self.vendor {
            Vendor::Anthropic => BatchLimits { requests: 100_000, bytes: 256_000_000 },
            _ => BatchLimits { requests: 50_000, bytes: 200_000_000 },
        }
    }

    /// A question as a part of a batch.
    pub(in super::super) fn part(&self, name: &str, request: &Request) -> Result<Vec<u8>, ProviderError> {
        let body = self.model.body(request).map_err(ProviderError::Settings)?;
        Ok(match self.vendor {
            Vendor::Anthropic => batch_anthropic::part(name, &body),
            _ => batch_openai::part(name, self.endpoint(), &body),
        })
    }

    /// The path of the questions, as OpenAI names it whatever the address.
    pub(super) const fn endpoint(&self) -> &'static str {
        if matches!(self.vendor, Vendor::OpenAiResponses) { "/v1/responses" } else { "/v1/chat/completions" }
    }

    /// Hands a batch over; its id.
    pub(in super::super) async fn submit(&self, nonce: &str, parts: &[u8]) -> Result<String, CallFailure> {
        let submitted = match self.vendor {
            Vendor::Anthropic => batch_anthropic::submit(self, parts).await,
            _ => batch_openai::submit(self, nonce, parts).await,
        };
        submitted.and_then(plain_id).map_err(|fault| self.failure(fault))
    }

    /// The id of a batch of which only the slip is known; `None` when it never arrived.
    pub(in super::super) async fn find(&self, slip: &Slip<'_>) -> Result<Option<String>, CallFailure> {
        let found = match self.vendor {
            Vendor::Anthropic => batch_anthropic::find(self, slip, PAGES).await,
            _ => batch_openai::find(self, slip, PAGES).await,
        };
        found.map_err(|fault| self.failure(fault))
    }

    /// How a batch stands.
    pub(in super::super) async fn look(&self, id: &str) -> Result<Stand, CallFailure> {
        let looked = match self.vendor {
            Vendor::Anthropic => batch_anthropic::look(self, id).await,
            _ => batch_openai::look(self, id).await,
        };
        looked.map_err(|fault| self.failure(fault))
    }

    /// Begins to fetch results.
    pub(in super::super) async fn results(&self, at: &Url) -> Result<Lines<'_>, CallFailure> {
        let client = self.client();
        let response = client.within(HANDING_OVER, client.send(client.http().get(at.clone()))).await;
        let response = response.map_err(|fault| self.failure(fault))?;
        Ok(Lines { wire: self, response, buffer: Vec::new(), looked_at: 0, ended: false })
    }

    /// What a line of results says; `None` where it cannot be told whose it is.
    fn read(&self, line: &[u8]) -> Option<Returned> {
        let (name, outcome) = match self.vendor {
            Vendor::Anthropic => batch_anthropic::read(self, line)?,
            _ => batch_openai::read(self, line)?,
        };
        let outcome = match outcome {
            Ok(Outcome::Answered { mut reply, usage }) => {
                self.client().clean(&mut reply);
                Outcome::Answered { reply, usage }
            }
            Ok(other) => other,
            Err(fault) => Outcome::Failed(self.failure(fault)),
        };
        Some(Returned { name, outcome })
    }

    pub(super) fn client(&self) -> &Client {
        self.model.client()
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, Fault> {
        self.model.url(path).map_err(|error| Fault::new(FailureKind::Rejected, error.to_string()))
    }

    /// One exchange of JSON.
    pub(super) async fn json<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, Fault> {
        let client = self.client();
        let work = async { client.whole(client.send(request).await?).await };
        client.within(HANDING_OVER.max(client.timeout()), work).await?.json()
    }

    fn failure(&self, fault: Fault) -> CallFailure {
        self.client().failure(fault)
    }
}

/// An id that can stand in a path, and so leads nowhere else.
fn plain_id(id: String) -> Result<String, Fault> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_plain { Ok(id) } else { Err(Fault::garbage("the id of the batch is none").saying(id.as_bytes())) }
}

/// Only the id of something.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// Whole bytes as an answer for the readers of single answers.
pub(super) fn received(body: &serde_json::Value) -> Received {
    Received { content_type: "application/json".to_owned(), body: body.to_string().into_bytes() }
}

/// Results, a line at a time: they may be larger than the memory.
pub(in super::super) struct Lines<'w> {
    wire: &'w BatchWire,
    response: Response,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold no end of a line.
    looked_at: usize,
    ended: bool,
}

impl Lines<'_> {
    /// The next results, some hundred at once; empty at the end.
    pub(in super::super) async fn next(&mut self) -> Result<Vec<Returned>, CallFailure> {
        const AT_ONCE: usize = 512;
        let mut returned = Vec::new();
        loop {
            while let Some(end) = self.buffer[self.looked_at..].iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=self.looked_at + end).collect();
                self.looked_at = 0;
                returned.extend(self.wire.read(&line));
                if returned.len() >= AT_ONCE {
                    return Ok(returned);
                }
            }
            self.looked_at = self.buffer.len();
            if self.ended {
                // The last line may lack its end.
                let last = std::mem::take(&mut self.buffer);
                self.looked_at = 0;
                if !last.trim_ascii().is_empty() {
                    returned.extend(self.wire.read(&last));
                }
                return Ok(returned);
            }
            if self.buffer.len() as u64 > LONGEST_LINE {
                return Err(self.wire.failure(Fault::too_large(LONGEST_LINE)));
            }
            let client = self.wire.client();
            let chunk = async { self.response.chunk().await.map_err(Fault::from_client) };
            match client.within(client.timeout(), chunk).await.map_err(|fault| self.wire.failure(fault))? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }
}
