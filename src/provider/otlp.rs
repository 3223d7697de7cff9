//! Spans on their way to a collector: OTLP over HTTP, as JSON. A help and never a hindrance: what cannot be sent is counted and
//! dropped, and a run goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::router::ProviderError;
use super::wire::address;

/// Spans in one request.
const MOST: usize = 512;
/// Spans that wait; what comes when so many do is dropped, so that a slow collector takes no memory and no time.
const WAITING: usize = 8_192;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// After so many requests in a row that failed nothing more is sent.
const PATIENCE: u32 = 3;
/// How long the end of a run may wait for the last spans.
const LAST: Duration = Duration::from_secs(5);

/// A collector that spans are sent to, from a thread of its own.
pub struct Collector {
    spans: Option<SyncSender<Value>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    dropped: AtomicU64,
    why: Mutex<Option<String>>,
}

impl Counts {
    fn lost(&self, count: usize, why: impl FnOnce() -> String) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(why);
    }
}

/// Where and how spans are sent, by the variables that OpenTelemetry names.
struct Target {
    url: reqwest::Url,
    headers: HeaderMap,
    timeout: Duration,
    resource: Value,
}

impl Target {
    fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, ProviderError> {
        let set = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let either = |end: &str| {
            set(&format!("OTEL_EXPORTER_OTLP_TRACES_{end}")).or_else(|| set(&format!("OTEL_EXPORTER_OTLP_{end}")))
        };
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none")
        {
            return Ok(None);
        }
        let (name, text) = match set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            Some(whole) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole),
            None => match set("OTEL_EXPORTER_OTLP_ENDPOINT") {
                Some(base) => ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{}/v1/traces", base.trim_end_matches('/'))),
                None => return Ok(None),
            },
        };
        let mut headers = HeaderMap::new();
        for pair in either("HEADERS").iter().flat_map(|pairs| pairs.split(',')).filter(|pair| !pair.trim().is_empty()) {
            // Their values are keys: what is wrong is said without them.
            let wrong = || ProviderError::Settings("OTEL_EXPORTER_OTLP_HEADERS: expected `name=value,…`".to_owned());
            let (header, value) = pair.split_once('=').ok_or_else(wrong)?;
            let header = HeaderName::try_from(header.trim()).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(plain(value.trim())).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let timeout = either("TIMEOUT").and_then(|text| text.parse().ok()).unwrap_or(10_000);
        let service = set("OTEL_SERVICE_NAME").unwrap_or_else(|| "evalgauge".to_owned());
        Ok(Some(Self {
            url: address::parse(name, &text)?,
            headers,
            timeout: Duration::from_millis(timeout),
            resource: json!({"attributes": [
                attribute("service.name", &json!(service)),
                attribute("service.version", &json!(env!("CARGO_PKG_VERSION"))),
            ]}),
        }))
    }

    /// Sends until nobody gives spans any more.
    fn work(self, spans: &Receiver<Value>, counts: &Counts) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = self.client();
        let (runtime, client) = match (runtime, client) {
            (Ok(runtime), Ok(client)) => (runtime, client),
            (runtime, client) => {
                let why = runtime.err().map(|error| error.to_string()).or(client.err()).unwrap_or_default();
                for _ in spans {
                    counts.lost(1, || why.clone());
                }
                return;
            }
        };
        let mut failures = 0;
        while let Some(batch) = gather(spans) {
            let count = batch.len();
            if failures >= PATIENCE {
                counts.lost(count, String::new);
                continue;
            }
            match runtime.block_on(self.send(&client, batch)) {
                Ok(()) => failures = 0,
                Err(why) => {
                    failures += 1;
                    counts.lost(count, || why);
                }
            }
        }
    }

    fn client(&self) -> Result<reqwest::Client, String> {
        // An error only says that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("evalgauge/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            // A key must not follow a redirect.
            .redirect(reqwest::redirect::Policy::none());
        if address::is_loopback(&self.url) {
            builder = builder.no_proxy();
        }
        if self.url.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|_| "cannot set up HTTP".to_owned())
    }

    async fn send(&self, client: &reqwest::Client, spans: Vec<Value>) -> Result<(), String> {
        let scope = json!({"name": "evalgauge", "version": env!("CARGO_PKG_VERSION")});
        let body =
            json!({"resourceSpans": [{"resource": self.resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]});
        let answer = client.post(self.url.clone()).headers(self.headers.clone()).body(body.to_string()).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            // Neither the address nor the body is repeated: a collector may give back what it was sent.
            Ok(answer) => Err(format!("the collector answered {}", answer.status())),
            Err(error) if error.is_timeout() => Err("the collector does not answer in time".to_owned()),
            Err(_) => Err("the collector cannot be reached".to_owned()),
        }
    }
}

/// The next spans to send together; `None` when there are none and none will come.
fn gather(spans: &Receiver<Value>) -> Option<Vec<Value>> {
    let mut batch = vec![spans.recv().ok()?];
    let until = Instant::now() + GATHER;
    while batch.len() < MOST {
        match spans.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(span) => batch.push(span),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

/// A value of a header as it is meant: `%20` is a blank.
fn plain(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%').then(|| after.get(..2).and_then(|two| std::str::from_utf8(two).ok())).flatten();
        if let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An attribute in the words of OTLP: whole numbers are texts there.
#[must_use]
pub fn attribute(key: &str, value: &Value) -> Value {
    json!({"key": key, "value": any(value)})
}

fn any(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Array(values) => json!({"arrayValue": {"values": values.iter().map(any).collect::<Vec<_>>()}}),
        Value::String(text) => json!({"stringValue": text}),
        other => json!({"stringValue": other.to_string()}),
    }
}

impl Collector {
    /// The collector that the environment names, where it names one.
    ///
    /// # Errors
    /// An address or headers that cannot be used.
    pub fn from_environment(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, ProviderError> {
        let Some(target) = Target::read(env)? else { return Ok(None) };
        let (sender, spans) = sync_channel(WAITING);
        let counts = Arc::new(Counts::default());
        let told = Arc::clone(&counts);
        let thread = std::thread::Builder::new().name("traces".to_owned()).spawn(move || target.work(&spans, &told));
        let thread = thread.map_err(|error| ProviderError::Settings(format!("cannot send traces: {error}")))?;
        Ok(Some(Self { spans: Some(sender), thread: Some(thread), counts }))
    }

    /// Sends a span some time soon; never waits.
    pub fn send(&self, span: Value) {
        if self.spans.as_ref().is_none_or(|spans| spans.try_send(span).is_err()) {
            self.counts.lost(1, || "the collector is slower than the run".to_owned());
        }
    }

    /// Sends what is left, within a few seconds; says what could not be sent.
    #[must_use]
    pub fn finish(mut self) -> Option<String> {
        self.spans = None;
        let until = Instant::now() + LAST;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !thread.is_finished() {
                return Some("traces: the collector is too slow; the last spans are lost".to_owned());
            }
        }
        let dropped = self.counts.dropped.load(Ordering::Relaxed);
        let why = self.counts.why.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        (dropped > 0).then(|| format!("traces: {dropped} spans are lost: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_collector() {
        let read = |pairs: &[(&str, &str)]| {
            Target::read(&|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(read(&[]).unwrap().is_none());
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
        let target = read(&[base, ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b,other=c=d")]).unwrap().unwrap();
        assert_eq!(target.url.as_str(), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(
            (target.headers["x-key"].as_bytes(), target.headers["other"].as_bytes()),
            (&b"a b"[..], &b"c=d"[..])
        );
        assert!(!format!("{:?}", target.headers).contains("a b"));
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/elsewhere");
        assert_eq!(read(&[base, whole]).unwrap().unwrap().url.path(), "/elsewhere");
        assert!(read(&[base, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        let wrong = read(&[base, ("OTEL_EXPORTER_OTLP_HEADERS", "sk-secret")]).err().unwrap().to_string();
        assert!(wrong.contains("HEADERS") && !wrong.contains("secret"), "{wrong}");
        assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere")]).is_err());
    }

    #[test]
    fn values_have_their_types() {
        assert_eq!(attribute("n", &json!(7)), json!({"key": "n", "value": {"intValue": "7"}}));
        assert_eq!(attribute("x", &json!(0.5))["value"], json!({"doubleValue": 0.5}));
        assert_eq!(attribute("l", &json!(["a"]))["value"], json!({"arrayValue": {"values": [{"stringValue": "a"}]}}));
    }
}
