//! The events of a run as spans, in the words of OpenTelemetry's conventions for generative AI.
//!
//! One span a call that was sent, with all its attempts, below one span of the whole run. No text that was asked or answered
//! is in them, and no message of an error, which may repeat such text.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::event::RunEvent;
use crate::call::{Answered, Call, Finish, Reply, Source};
use crate::provider::{About, Collector, Notice, ProviderSpec, Vendor, attribute};

/// What a span says about whoever answers.
#[derive(Debug, Clone)]
struct Speaker {
    provider: &'static str,
    chat: &'static str,
    base_url: String,
}

impl Speaker {
    fn of(spec: &ProviderSpec) -> Option<Self> {
        let (vendor, model) = spec.model()?;
        let (provider, chat) = match vendor {
            Vendor::OpenAi | Vendor::OpenAiResponses if model.api_version.is_some() => ("azure.ai.openai", "chat"),
            Vendor::OpenAi | Vendor::OpenAiResponses => ("openai", "chat"),
            Vendor::Anthropic => ("anthropic", "chat"),
            Vendor::Google => ("gcp.gemini", "generate_content"),
        };
        let base_url = model.base_url.clone().unwrap_or_else(|| vendor.base_url().to_owned());
        Some(Self { provider, chat, base_url })
    }

    /// The server's name and port.
    fn server(&self) -> Option<(&str, u16)> {
        let (scheme, rest) = self.base_url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        // A name or password is refused in the settings; here it would be a secret in a span.
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let default = if scheme == "http" { 80 } else { 443 };
        match authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some((host, port)) => Some((host, port)),
            None => Some((authority, default)),
        }
    }
}

/// Makes spans of what happens, and sends them.
pub struct Spans {
    /// Nothing after the end.
    collector: Mutex<Option<Collector>>,
    speakers: BTreeMap<String, Speaker>,
    state: Mutex<State>,
}

struct State {
    trace: String,
    root: String,
    name: String,
    started: u128,
    ids: u64,
    live: u64,
    kept: u64,
    failed: u64,
    calls: HashMap<About, Open>,
}

/// A call that was asked and is not answered.
struct Open {
    started: u128,
    attributes: Vec<Value>,
    name: String,
    events: Vec<Value>,
}

/// Nanoseconds since 1970.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// A number that no other run has.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl Spans {
    /// For a run of a candidate; `providers` are all who may be asked, by the names that calls have for them.
    pub fn new<'s>(
        collector: Collector,
        candidate: &str,
        providers: impl IntoIterator<Item = (&'s str, &'s ProviderSpec)>,
    ) -> Self {
        let speakers = providers.into_iter().filter_map(|(name, spec)| Some((name.to_owned(), Speaker::of(spec)?)));
        let state = State {
            trace: format!("{:016x}{:016x}", random(), random()),
            root: format!("{:016x}", random() | 1),
            name: format!("evalgauge run {candidate}"),
            started: now(),
            ids: random(),
            live: 0,
            kept: 0,
            failed: 0,
            calls: HashMap::new(),
        };
        Self { collector: Mutex::new(Some(collector)), speakers: speakers.collect(), state: Mutex::new(state) }
    }

    /// Takes in what happened in the run.
    pub fn event(&self, event: &RunEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            RunEvent::Asked { id, trial, key, call, .. } => {
                let about = About { id: (*id).to_owned(), trial: *trial, key: (*key).to_owned() };
                let open = self.open(&about, call);
                state.calls.insert(about, open);
            }
            RunEvent::Answered { id, trial, key, answered } => {
                let about = About { id: (*id).to_owned(), trial: *trial, key: (*key).to_owned() };
                // What came in a batch was not asked for by this call.
                let Some(open) = state.calls.remove(&about) else { return };
                if answered.source == Source::Live {
                    state.live += 1;
                    let span = state.span(open, answered);
                    self.send(span);
                } else {
                    // Nobody was asked: a span with tokens would count them twice.
                    state.kept += 1;
                }
            }
            RunEvent::Finished { failed, .. } => state.failed += u64::from(*failed),
            RunEvent::Ended { done, error } => {
                let span = state.root(*done, error.is_some());
                self.send(span);
            }
            _ => {}
        }
    }

    /// Takes in what happened on the way to an answer.
    pub fn notice(&self, notice: &Notice, about: Option<&About>) {
        let (Notice::Attempt { attempt, failure: Some(failure), wait_ms, .. }, Some(about)) = (notice, about) else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = state.calls.get_mut(about) else { return };
        let mut attributes =
            vec![attribute("evalgauge.attempt", &json!(attempt)), attribute("error.type", &json!(failure.kind))];
        attributes.extend(wait_ms.map(|wait| attribute("evalgauge.wait_ms", &json!(wait))));
        open.events.push(json!({
            "timeUnixNano": now().to_string(), "name": "evalgauge.attempt.failed", "attributes": attributes,
        }));
    }

    /// Sends what is left, and nothing from then on; says what could not be sent.
    #[must_use]
    pub fn finish(&self) -> Option<String> {
        let collector = self.collector.lock().unwrap_or_else(PoisonError::into_inner).take();
        collector.and_then(Collector::finish)
    }

    fn send(&self, span: Value) {
        if let Some(collector) = &*self.collector.lock().unwrap_or_else(PoisonError::into_inner) {
            collector.send(span);
        }
    }

    fn open(&self, about: &About, call: &Call) -> Open {
        let speaker = self.speakers.get(call.provider());
        let mut attributes = vec![
            attribute("evalgauge.example.id", &json!(about.id)),
            attribute("evalgauge.trial", &json!(about.trial)),
            attribute("evalgauge.call.key", &json!(about.key)),
            attribute("evalgauge.provider", &json!(call.provider())),
        ];
        let mut put = |name: &str, value: Option<Value>| attributes.extend(value.map(|value| attribute(name, &value)));
        let operation = match call {
            Call::Chat(_) => speaker.map(|speaker| speaker.chat),
            Call::Embed(_) => Some("embeddings"),
            Call::Program(_) => None,
        };
        put("gen_ai.operation.name", operation.map(|name| json!(name)));
        put("gen_ai.provider.name", speaker.map(|speaker| json!(speaker.provider)));
        put("gen_ai.request.model", call.model().map(|model| json!(model)));
        let server = speaker.and_then(Speaker::server);
        put("server.address", server.map(|(host, _)| json!(host)));
        put("server.port", server.map(|(_, port)| json!(port)));
        if let Call::Chat(request) = call {
            let params = &request.params;
            put("gen_ai.request.max_tokens", params.max_tokens.map(|value| json!(value)));
            put("gen_ai.request.temperature", params.temperature.map(|value| json!(value)));
            put("gen_ai.request.top_p", params.top_p.map(|value| json!(value)));
            put("gen_ai.request.seed", params.seed.map(|value| json!(value)));
            put("gen_ai.request.stop_sequences", (!params.stop.is_empty()).then(|| json!(params.stop)));
            put("gen_ai.output.type", request.schema.is_some().then(|| json!("json")));
        }
        let name = match (operation, call.model()) {
            (Some(operation), Some(model)) => format!("{operation} {model}"),
            _ => format!("call {}", call.provider()),
        };
        Open { started: now(), attributes, name, events: Vec::new() }
    }
}

impl State {
    fn next_id(&mut self) -> String {
        self.ids = self.ids.wrapping_add(1);
        // An id of zeros is none.
        format!("{:016x}", self.ids.max(1))
    }

    fn span(&mut self, open: Open, answered: &Answered) -> Value {
        let id = self.next_id();
        let Open { started, mut attributes, name, events } = open;
        let mut put = |name: &str, value: Option<Value>| attributes.extend(value.map(|value| attribute(name, &value)));
        put("evalgauge.attempts", Some(json!(answered.attempts)));
        put("evalgauge.cost_usd", answered.cost_usd.map(|usd| json!(usd)));
        if let Some(usage) = answered.usage {
            // The conventions count what the vendor's cache read and wrote among the input.
            let input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
            put("gen_ai.usage.input_tokens", Some(json!(input)));
            put("gen_ai.usage.output_tokens", Some(json!(usage.output_tokens)));
            let more = |tokens: u64| (tokens > 0).then(|| json!(tokens));
            put("gen_ai.usage.cache_read.input_tokens", more(usage.cache_read_tokens));
            put("gen_ai.usage.cache_creation.input_tokens", more(usage.cache_write_tokens));
        }
        let mut status = json!({});
        match &answered.reply {
            Reply::Completion(completion) => {
                put("gen_ai.response.model", completion.model.as_ref().map(|model| json!(model)));
                put("gen_ai.response.id", completion.id.as_ref().map(|id| json!(id)));
                let reason = match completion.finish {
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                    Finish::ToolCalls => "tool_call",
                    Finish::Refusal => "content_filter",
                    Finish::Other => "other",
                };
                put("gen_ai.response.finish_reasons", Some(json!([reason])));
            }
            Reply::Failed(failure) => {
                put("error.type", Some(json!(failure.kind)));
                status = json!({"code": 2});
            }
            Reply::Output(_) | Reply::Vector(_) => {}
        }
        // 3: a client's.
        let rest =
            json!({"kind": 3, "parentSpanId": self.root, "attributes": attributes, "events": events, "status": status});
        self.finished(&id, &name, started, rest)
    }

    fn root(&self, done: usize, broken: bool) -> Value {
        let attributes = vec![
            attribute("evalgauge.done", &json!(done)),
            attribute("evalgauge.failed", &json!(self.failed)),
            attribute("evalgauge.calls.live", &json!(self.live)),
            attribute("evalgauge.calls.kept", &json!(self.kept)),
        ];
        let status = if broken { json!({"code": 2}) } else { json!({}) };
        // 1: internal.
        let rest = json!({"kind": 1, "attributes": attributes, "status": status});
        self.finished(&self.root, &self.name, self.started, rest)
    }

    /// A span that ends now; `rest` is what kinds of spans differ in.
    fn finished(&self, id: &str, name: &str, started: u128, rest: Value) -> Value {
        let mut span = json!({
            "traceId": self.trace,
            "spanId": id,
            "name": name,
            "startTimeUnixNano": started.to_string(),
            "endTimeUnixNano": now().to_string(),
        });
        if let (Value::Object(span), Value::Object(rest)) = (&mut span, rest) {
            span.extend(rest);
        }
        span
    }
}
