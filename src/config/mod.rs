//! `evalgauge.toml` → typed settings.

mod error;
mod file;
mod project;

pub use error::ConfigError;
pub use file::{Config, DEFAULT_SEED, SlicesSpec};
pub use project::{FILE, Project};
