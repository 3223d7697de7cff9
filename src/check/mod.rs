//! Records → comparison → verdict: what `gate` and `check` share, and the loop that asks for more.

mod decide;
mod honest;
mod resolve;

pub use decide::{CheckError, Checked, RecordSource, Terms, decide_records};
pub use honest::beside;
pub use resolve::{Again, Resolved, Stages, Wanted, Which, confirm, resolve};
