//! Who answers calls: models behind APIs, applications, programs, rule files, recordings, honest baselines. The only module that reaches outside for an answer.

mod batch;
mod budget;
mod build;
pub mod cache;
mod child;
mod command;
mod keyword;
mod learned;
mod limited;
mod metered;
mod model_spec;
mod notice;
#[cfg(feature = "otlp")]
mod otlp;
mod price;
mod replay;
mod retrying;
mod router;
mod spec;
mod version;
mod wire;
mod workers;

pub use batch::{BatchDesk, BatchStand, EndedBatch, Fetched, Reserved, Submission};
pub use budget::{Budget, BudgetSpec, Spent};
pub use build::{Kept, Surroundings};
pub use learned::{Columns, Draw, MajoritySpec, NearestSpec, Places, RandomSpec};
pub use limited::Limited;
pub use metered::Metered;
pub use model_spec::{ModelSpec, Vendor};
pub use notice::{About, BreakerState, CacheEvent, Ending, Failure, LimitChange, Notice, Notices, Told, about};
#[cfg(feature = "otlp")]
pub use otlp::{Collector, attribute};
pub use price::{Price, PriceTable};
pub use retrying::Retrying;
pub use router::{Provider, ProviderError, Router};
pub use spec::{CommandSpec, HttpSpec, KeywordSpec, OutputForm, ProviderSpec, ReplaySpec, RowKey};
pub use version::Revision;
pub use wire::Secret;

pub use crate::call::{LimitSpec, RetryPolicy, Seconds, VersionSpec};
