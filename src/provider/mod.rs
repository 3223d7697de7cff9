//! Who answers calls: programs, rule files, recordings. The only module that reaches outside for an answer.

mod command;
mod keyword;
mod replay;
mod router;
mod spec;

pub use router::{Provider, ProviderError, Router};
pub use spec::{CommandSpec, KeywordSpec, OutputForm, ProviderSpec, ReplaySpec, Seconds};
