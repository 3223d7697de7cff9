//! Plan → events → record. The only module that sends calls, through a provider.

mod again;
mod batch;
mod close;
mod engine;
mod error;
mod event;
mod items;
mod judges;
mod plan;
mod recorded;
mod programs;
mod scorers;
#[cfg(feature = "otlp")]
mod spans;
mod task;

pub use again::Again;
pub use batch::{FirstCalls, ask_in_batches};
pub use close::close;
pub use engine::{Limits, run};
pub use error::RunError;
pub use event::RunEvent;
pub use items::{JudgedItem, Work, judge_items};
pub use judges::{LoadedJudge, judges_folder, load_judge, load_judges};
pub use plan::{Against, Plan, Setup, System};
pub use programs::{Programs, load_programs};
pub use recorded::{lost_tool_calls, recorded_replies};
#[cfg(feature = "otlp")]
pub use spans::Spans;
