//! Vendor-neutral words of asking: what is asked ([`Call`]), what comes back ([`Reply`]), and how something that needs
//! answers says so without doing any I/O ([`Step`]).

mod completion;
mod failure;
mod pointer;
mod program;
mod reply;
mod request;
mod settings;
mod step;
mod template;

pub use completion::{Completion, Finish};
pub use failure::{CallFailure, FailureKind};
pub use pointer::Pointer;
pub use program::Program;
pub use reply::{Answered, Reply, Source, Usage};
pub use request::{
    AnswerSchema, Content, Embedding, Headers, Message, Params, Part, Request, Role, Tool, ToolCall, ToolChoice,
};
pub use settings::{LimitSpec, RetryPolicy, Seconds, VersionSpec};
pub use step::{Call, Key, Replies, Step};
pub use template::{Template, TemplateError, engine_version};
