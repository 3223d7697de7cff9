//! What waits for answers.

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;

/// A runtime on the thread that asks for it.
///
/// # Errors
/// When the machine gives none.
pub(in crate::cli) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::machine(format!("cannot start: {error}")))
}
