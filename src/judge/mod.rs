//! An instrument that grades answers, and that has to be calibrated against people before it may decide anything.

mod grade;
mod label_entries;
mod label_error;
mod label_table;
mod labels;

pub use grade::Grade;
pub use label_entries::{Entries, Extra, JudgeLine, Wanted};
pub use label_error::LabelError;
pub use label_table::{Columns, JudgeColumns, Layout, ONLY_DIMENSION, read_judgements};
pub use labels::{Accepted, Graded, Rater, RaterKind, Said, Sheet, Slice, is_gap, label_of};
