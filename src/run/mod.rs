//! Plan → events → record. The only module that sends calls, through a provider.

mod batch;
mod close;
mod engine;
mod error;
mod event;
mod plan;
mod task;

pub use batch::{FirstCalls, ask_in_batches};
pub use close::close;
pub use engine::{Limits, run};
pub use error::RunError;
pub use event::RunEvent;
pub use plan::{Plan, Setup};
