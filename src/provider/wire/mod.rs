//! What goes over the wire: one file a vendor, and below them one HTTP client.

pub(super) mod address;
mod anthropic;
mod batch;
mod batch_anthropic;
mod batch_openai;
mod client;
mod dialect;
mod embedding;
mod fault;
mod google;
mod json;
mod model;
mod openai;
mod responses;
mod secret;
mod sse;
mod target;

#[cfg(test)]
mod tests;

pub(super) use batch::{BatchWire, Ending, Outcome, Slip, Stand};
pub(super) use client::bare_client;
pub(super) use model::ModelProvider;
pub use secret::Secret;
pub(super) use target::TargetProvider;
