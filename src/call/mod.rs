//! Vendor-neutral words of asking: what is asked ([`Call`]), what comes back ([`Reply`]), and how something that needs
//! answers says so without doing any I/O ([`Step`]).

mod failure;
mod pointer;
mod program;
mod reply;
mod step;
mod template;

pub use failure::{CallFailure, FailureKind};
pub use pointer::Pointer;
pub use program::Program;
pub use reply::{Answered, Reply, Source, Usage};
pub use step::{Call, Key, Replies, Step};
pub use template::{Template, TemplateError, engine_version};
