//! `evalgauge.toml` → typed settings.

mod error;
mod file;
mod project;
mod schema;

pub use error::ConfigError;
pub use file::{Config, DEFAULT_SEED, SlicesSpec};
pub use project::{FILE, Project};
pub use schema::schema;
