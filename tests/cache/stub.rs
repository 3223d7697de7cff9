//! A provider that counts how often it is asked, and what is needed around it.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use evalgauge::call::{
    Answered, Call, CallFailure, Completion, FailureKind, Message, Params, Reply, Request, Role, Usage,
};
use evalgauge::provider::cache::{CacheMode, Cached, Identity, Store};
use evalgauge::provider::{Provider, ProviderError};

/// Prints a line of its own, past the capture of passing tests.
pub fn say(line: &str) {
    std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

/// A question; each number is another one.
pub fn question(number: usize) -> Call {
    Call::Chat(Box::new(Request {
        provider: "small".to_owned(),
        model: "model-1".to_owned(),
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, format!("Question {number}: which team owns the alert?")),
        ],
        tools: Vec::new(),
        tool_choice: None,
        schema: None,
        params: Params { temperature: Some(0.0), max_tokens: Some(48), ..Params::default() },
        repeat: 0,
    }))
}

/// A live answer with all figures.
pub fn answer(text: &str) -> Answered {
    Answered {
        first_token_ms: Some(12.5),
        attempts: 2,
        cost_usd: Some(0.001_25),
        ..Answered::live(
            Reply::Completion(Completion { text: text.to_owned(), ..Completion::default() }),
            123.456,
            Some(Usage { input_tokens: 20, output_tokens: 5, cache_read_tokens: 3, cache_write_tokens: 0 }),
        )
    }
}

pub fn failure(text: &str) -> Answered {
    Answered::live(Reply::Failed(CallFailure::new(FailureKind::Server, text)), 1.0, None)
}

/// The text of an answer.
pub fn text(answered: &Answered) -> &str {
    match &answered.reply {
        Reply::Completion(completion) => &completion.text,
        other => panic!("no completion: {other:?}"),
    }
}

type Script = dyn Fn(u32) -> Result<Answered, ProviderError> + Send + Sync;

/// Answers by a script that is told how often it was asked before. Lets others run before it answers.
#[derive(Clone)]
pub struct Stub {
    asked: Arc<AtomicU32>,
    script: Arc<Script>,
}

impl Stub {
    pub fn new(script: impl Fn(u32) -> Result<Answered, ProviderError> + Send + Sync + 'static) -> Self {
        Self { asked: Arc::default(), script: Arc::new(script) }
    }

    /// Says `answer 0`, `answer 1` …
    pub fn counting() -> Self {
        Self::new(|n| Ok(answer(&format!("answer {n}"))))
    }

    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// The stub behind a store.
    pub fn cached(&self, store: &Arc<Store>, mode: CacheMode) -> Cached {
        Cached::new(Box::new(self.clone()), identity(), Arc::clone(store), mode)
    }
}

impl Provider for Stub {
    fn ask<'a>(&'a self, _: &'a Call) -> Pin<Box<dyn Future<Output = Result<Answered, ProviderError>> + Send + 'a>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::task::yield_now().await;
            (self.script)(number)
        })
    }
}

pub fn identity() -> Identity {
    Identity::new("openai", "http://127.0.0.1:8080/v1")
}

pub fn open(path: &Path) -> Arc<Store> {
    Arc::new(Store::open(path).unwrap())
}

/// Fills a store with answers to questions, and closes it.
pub async fn fill(path: &Path, questions: impl IntoIterator<Item = usize>) {
    let store = open(path);
    let stub = Stub::counting();
    let cached = stub.cached(&store, CacheMode::ReadWrite);
    for number in questions {
        cached.ask(&question(number)).await.unwrap();
    }
}
