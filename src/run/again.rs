//! The same questions once more.

use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use crate::call::{Answered, Call};
use crate::provider::{Provider, ProviderError};

/// Asks another provider, with every repeat moved by a number: equal questions, each with an answer of its own in the
/// cache too.
#[derive(Clone, Copy)]
pub struct Again<'p> {
    /// Who is asked.
    pub provider: &'p dyn Provider,
    /// Repeats that were asked before.
    pub by: u32,
}

impl Provider for Again<'_> {
    fn ask<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = Result<Answered, ProviderError>> + Send + 'a>> {
        let mut call = call.clone();
        match &mut call {
            Call::Chat(request) => request.repeat += self.by,
            Call::Program(program) => {
                if let Some(trial) = program.input.get_mut("trial") {
                    *trial = json!(trial.as_u64().unwrap_or(0) + u64::from(self.by));
                }
            }
            Call::Embed(_) => {}
        }
        Box::pin(async move { self.provider.ask(&call).await })
    }
}
