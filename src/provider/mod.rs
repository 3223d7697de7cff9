//! Who answers calls: programs, rule files, recordings. The only module that reaches outside for an answer.

pub mod cache;

mod command;
mod keyword;
mod limited;
mod model_spec;
mod replay;
mod retrying;
mod router;
mod spec;

pub use limited::LimitSpec;
pub use model_spec::{ModelSpec, Vendor};
pub use retrying::RetryPolicy;
pub use router::{Provider, ProviderError, Router};
pub use spec::{CommandSpec, HttpSpec, KeywordSpec, OutputForm, ProviderSpec, ReplaySpec, Seconds, VersionSpec};
