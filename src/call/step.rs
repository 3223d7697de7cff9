//! How something that needs answers says which, without asking for them itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::program::Program;
use super::reply::{Reply, Usage};
use super::request::{Embedding, Request};

/// The name of one call within an example and trial. Keys nest with `/`, like `panel/judge-2/again`.
pub type Key = String;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A question to a language model.
    Chat(Box<Request>),
    /// A text to turn into numbers.
    Embed(Embedding),
    /// A JSON document for a program.
    Program(Program),
}

impl Call {
    /// Who is asked.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Self::Chat(request) => &request.provider,
            Self::Embed(embedding) => &embedding.provider,
            Self::Program(program) => &program.provider,
        }
    }

    /// The model that is asked; a program is none.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Chat(request) => Some(&request.model),
            Self::Embed(embedding) => Some(&embedding.model),
            Self::Program(_) => None,
        }
    }

    /// A guess at the tokens it takes before it is made: four characters a token, and the longest answer that is allowed.
    #[must_use]
    pub fn estimated_usage(&self) -> Usage {
        /// What an answer without a limit is taken for.
        const USUAL_ANSWER: u64 = 1_024;
        let tokens = |characters: usize| (characters as u64).div_ceil(4);
        match self {
            Self::Chat(request) => {
                let said = request.messages.iter().map(|message| message.content.to_text().len() + 16).sum::<usize>();
                let tools: usize = request.tools.iter().map(|tool| tool.parameters.to_string().len() + 32).sum();
                Usage {
                    input_tokens: tokens(said + tools),
                    output_tokens: request.params.max_tokens.unwrap_or(USUAL_ANSWER),
                    ..Usage::default()
                }
            }
            Self::Embed(embedding) => Usage { input_tokens: tokens(embedding.text.len()), ..Usage::default() },
            Self::Program(_) => Usage::default(),
        }
    }
}

/// What a candidate, scorer or judge says when it is its turn: the calls it still lacks, or its result.
///
/// Whoever returns `Ask` is called again when all those replies are there; it must then find them under its keys. So
/// several turns, a repeated question or a panel are the same thing more than once, and only the runner sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<T> {
    /// These answers are needed, each under its key.
    Ask(Vec<(Key, Call)>),
    /// The result.
    Done(T),
}

/// The replies there are so far, below a prefix.
#[derive(Debug, Clone)]
pub struct Replies<'a> {
    all: &'a BTreeMap<Key, Reply>,
    prefix: String,
}

impl<'a> Replies<'a> {
    /// All replies of an example and trial.
    #[must_use]
    pub const fn new(all: &'a BTreeMap<Key, Reply>) -> Self {
        Self { all, prefix: String::new() }
    }

    /// The replies whose keys start with `prefix`, which is then left off.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Self {
        Self { all: self.all, prefix: format!("{}{prefix}", self.prefix) }
    }

    /// The reply under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Reply> {
        if self.prefix.is_empty() { self.all.get(key) } else { self.all.get(&format!("{}{key}", self.prefix)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_nest() {
        let all = BTreeMap::from([("panel/a/again".to_owned(), Reply::Output(serde_json::json!("x")))]);
        let replies = Replies::new(&all).under("panel/").under("a/");
        assert!(replies.get("again").is_some());
        assert!(replies.get("panel/a/again").is_none());
    }
}
