//! A model behind a vendor's API.

use std::time::Instant;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::super::model_spec::{ModelSpec, Vendor};
use super::super::router::{Answering, Provider, ProviderError, unfit};
use super::address;
use super::client::{Client, Exchange};
use super::dialect::{Assemble, Decoded, Inexpressible};
use super::fault::{Fault, Received};
use super::{anthropic, embedding, google, openai, responses};
use crate::call::{Answered, Call, Embedding, Message, Reply, Request, Role};

/// Asks a model.
pub(in super::super) struct ModelProvider {
    vendor: Vendor,
    client: Client,
    /// The address of the API, without a slash at its end.
    base: String,
    /// What stands behind every path.
    query: String,
    /// Where questions go, unless the model is in the path.
    chat: Option<Url>,
    /// Whether this is the vendor itself, not a server that speaks its words.
    is_vendor: bool,
    stream: bool,
}

impl ModelProvider {
    /// A provider for the settings; `env` gives the values of environment variables.
    pub(in super::super) fn new(
        vendor: Vendor,
        spec: &ModelSpec,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProviderError> {
        let base = address::parse_base(spec.base_url.as_deref().unwrap_or(vendor.base_url()))?;
        let secret = address::key(&base, spec.key_env.as_deref().unwrap_or(vendor.key_env()), env)?;
        let is_azure = spec.api_version.is_some();
        let query = spec.api_version.as_deref().map(|version| azure_query(vendor, version)).transpose()?;
        let (key_header, prefix) = match vendor {
            Vendor::OpenAi | Vendor::OpenAiResponses if is_azure => ("api-key", ""),
            Vendor::OpenAi | Vendor::OpenAiResponses => ("authorization", "Bearer "),
            Vendor::Anthropic => ("x-api-key", ""),
            Vendor::Google => ("x-goog-api-key", ""),
        };
        let mut headers = address::json_headers(&spec.headers, key_header)?;
        if let Some(secret) = &secret {
            headers.insert(HeaderName::from_static(key_header), secret.header(prefix)?);
        }
        if vendor == Vendor::Anthropic && !headers.contains_key("anthropic-version") {
            headers.insert("anthropic-version", HeaderValue::from_static(anthropic::VERSION));
        }
        let is_vendor = is_azure || base.host_str() == Some("api.openai.com");
        let mut provider = Self {
            vendor,
            client: Client::new(&base, headers, secret, spec.timeout, spec.max_output)?,
            base: base.as_str().trim_end_matches('/').to_owned(),
            query: query.unwrap_or_default(),
            chat: None,
            is_vendor,
            stream: spec.stream,
        };
        if vendor != Vendor::Google {
            provider.chat = Some(provider.chat_url(&spec.model)?);
        }
        provider.check(spec)?;
        Ok(provider)
    }

    /// Refuses settings that the vendor has no words for before anything is sent.
    fn check(&self, spec: &ModelSpec) -> Result<(), ProviderError> {
        let request = Request {
            provider: String::new(),
            model: spec.model.clone(),
            messages: vec![Message::text(Role::User, "")],
            tools: spec.tools.clone(),
            tool_choice: spec.tool_choice.clone(),
            schema: None,
            params: spec.params.clone(),
            repeat: 0,
        };
        self.chat_url(&spec.model)?;
        self.body(&request).map(drop).map_err(ProviderError::Settings)
    }

    /// Where a question to a model goes.
    fn chat_url(&self, model: &str) -> Result<Url, ProviderError> {
        if let Some(url) = &self.chat {
            return Ok(url.clone());
        }
        match self.vendor {
            Vendor::OpenAi => self.url("chat/completions"),
            Vendor::OpenAiResponses => self.url("responses"),
            Vendor::Anthropic => self.url("messages"),
            Vendor::Google => {
                let verb = if self.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                self.url(&format!("{}:{verb}", google_model(model)?))
            }
        }
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, ProviderError> {
        Url::parse(&format!("{}/{path}{}", self.base, self.query))
            .map_err(|error| ProviderError::Settings(format!("`{path}` cannot be put behind `base_url`: {error}")))
    }

    pub(super) fn body(&self, request: &Request) -> Result<Vec<u8>, Inexpressible> {
        let body = match self.vendor {
            Vendor::OpenAi => openai::body(request, self.stream, self.is_vendor),
            Vendor::OpenAiResponses => responses::body(request, self.stream),
            Vendor::Anthropic => anthropic::body(request, self.stream),
            Vendor::Google => google::body(request),
        }?;
        serde_json::to_vec(&body).map_err(|error| error.to_string())
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// How a whole answer is read.
    pub(super) fn reader(&self) -> fn(&Received) -> Result<Decoded, Fault> {
        match self.vendor {
            Vendor::OpenAi => openai::read,
            Vendor::OpenAiResponses => responses::read,
            Vendor::Anthropic => anthropic::read,
            Vendor::Google => google::read,
        }
    }

    /// How a streamed answer is put together.
    fn assembly(&self) -> Box<dyn Assemble> {
        match self.vendor {
            Vendor::OpenAi => Box::new(openai::Assembly::default()),
            Vendor::OpenAiResponses => Box::new(responses::Assembly::default()),
            Vendor::Anthropic => Box::new(anthropic::Assembly::default()),
            Vendor::Google => Box::new(google::Assembly::default()),
        }
    }

    async fn chat(&self, request: &Request) -> Result<Answered, ProviderError> {
        let started = Instant::now();
        let body = self.body(request).map_err(|why| unsayable(&request.provider, &why))?;
        let sent = self.client.http().post(self.chat_url(&request.model)?).body(body);
        let work = async {
            let response = self.client.send(sent).await?;
            if self.stream {
                return self.client.events(response, self.assembly(), self.reader(), started).await;
            }
            let received = self.client.whole(response).await?;
            Ok(Exchange::of((self.reader())(&received)?, started, None))
        };
        Ok(self.client.attempt(started, work).await)
    }

    async fn embed(&self, embedding: &Embedding) -> Result<Answered, ProviderError> {
        let started = Instant::now();
        let (path, body) = match self.vendor {
            Vendor::OpenAi | Vendor::OpenAiResponses => ("embeddings".to_owned(), embedding::openai_body(embedding)),
            Vendor::Google => {
                (format!("{}:embedContent", google_model(&embedding.model)?), embedding::google_body(embedding))
            }
            Vendor::Anthropic => {
                return Err(unsayable(&embedding.provider, "Anthropic has no model that turns text into numbers"));
            }
        };
        let body = serde_json::to_vec(&body).map_err(|error| unsayable(&embedding.provider, &error.to_string()))?;
        let sent = self.client.http().post(self.url(&path)?).body(body);
        let work = async {
            let received = self.client.whole(self.client.send(sent).await?).await?;
            let (vector, usage) = match self.vendor {
                Vendor::Google => embedding::read_google(&received, embedding.dimensions),
                _ => embedding::read_openai(&received, embedding.dimensions),
            }?;
            Ok(Exchange::plain(Reply::Vector(vector), usage, started))
        };
        Ok(self.client.attempt(started, work).await)
    }
}

fn unsayable(provider: &str, why: &str) -> ProviderError {
    ProviderError::Settings(format!("`{provider}` cannot be asked this: {why}"))
}

/// The version of Azure's API as a query.
fn azure_query(vendor: Vendor, version: &str) -> Result<String, ProviderError> {
    let is_plain =
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    match vendor {
        Vendor::OpenAi | Vendor::OpenAiResponses if is_plain => Ok(format!("?api-version={version}")),
        Vendor::OpenAi | Vendor::OpenAiResponses => {
            Err(ProviderError::Settings("`api_version` must look like `2024-10-21`".to_owned()))
        }
        Vendor::Anthropic | Vendor::Google => {
            Err(ProviderError::Settings("`api_version` is for Azure's OpenAI models only".to_owned()))
        }
    }
}

/// A model's place in a path, with nothing in it that would lead elsewhere.
fn google_model(model: &str) -> Result<String, ProviderError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/@".contains(&byte);
    if model.is_empty() || model.contains("..") || !model.bytes().all(is_plain) {
        return Err(ProviderError::Settings(format!("`{model}` is no name of a model")));
    }
    Ok(google::model_path(model))
}

impl Provider for ModelProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        match call {
            Call::Chat(request) => Box::pin(self.chat(request)),
            Call::Embed(embedding) => Box::pin(self.embed(embedding)),
            Call::Program(_) => unfit(call),
        }
    }
}
