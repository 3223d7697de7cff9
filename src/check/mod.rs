//! Records → comparison → verdict: what `gate` and `check` share, and where the loop that asks for more will live.

mod decide;

pub use decide::{CheckError, Checked, RecordSource, Terms, decide_records};
