//! Answers that were paid for once: a store on disk ([`Store`]), and a provider that asks it first ([`Cached`]).
//!
//! What makes two questions the same is in [`Identity::key`]; what durable means is in [`Store`].

mod cached;
mod connection;
mod entry;
mod error;
mod flight;
mod key;
mod place;
mod shared;
mod store;
mod transfer;
mod upkeep;
mod writer;

pub(super) use cached::keep_answer;
pub use cached::{CacheMode, Cached};
pub use entry::Broken;
pub use error::CacheError;
pub use key::{CacheKey, Identity};
pub use place::default_place;
pub use shared::{HttpShared, Shared, SharedMode, SharedSpec, Sharing};
pub use store::{CacheReport, Found, Store};
pub use transfer::{Conflict, Exported, Merged, export, import, merge};
pub use upkeep::{Collected, Kept, Stat, Verified, collect, stat, verify};
