//! An instrument that grades answers, and that has to be calibrated against people before it may decide anything.
//!
//! A [`Judge`] does no I/O of its own: like a scorer it says which calls it needs and reads their replies. What it shows
//! of an answer stands between markers that the answer cannot know, and what it takes from a reply is a grade that was
//! offered, or nothing.

pub mod attack;
mod error;
mod family;
mod form;
mod grade;
mod identity;
mod items;
#[expect(clippy::module_inception, reason = "the file of the type `Judge`")]
mod judge;
mod judgement;
mod prompt;
mod reply;
mod scale;
mod spec;
mod step;
mod variant;
mod warnings;
mod label_entries;
mod label_error;
mod label_table;
mod labels;

pub use attack::Finding;
pub use error::JudgeError;
pub use family::{are_related, family, is_floating};
pub use grade::Grade;
pub use identity::JudgeId;
pub use items::{Item, read_items, shown};
pub use judge::{Asker, Files, Judge, PROMPT, SETTINGS, check_name, names};
pub use judgement::{Judged, Judgement, Orders};
pub use label_entries::{Entries, Extra, JudgeLine, Wanted};
pub use label_error::LabelError;
pub use label_table::{Columns, JudgeColumns, Layout, ONLY_DIMENSION, read_judgements};
pub use labels::{Accepted, Graded, Rater, RaterKind, Said, Sheet, Slice, is_gap, label_of};
pub use prompt::Prompt;
pub use scale::GradeScale;
pub use spec::{
    Combine, DimensionSpec, Expected, JudgeKind, JudgeSpec, LevelSpec, OVERALL, Overall, Range, SanitySpec, ScaleSpec,
};
pub use variant::Variant;
pub use warnings::{MOST_WORDS, ModelFacts, warnings};
