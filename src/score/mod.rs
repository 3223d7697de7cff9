//! One example and its answer → a value, or the reason why there is none.
//!
//! A [`Scorer`] does no I/O: it says which calls it needs and reads their replies. The system's failure is a score (the
//! worst there is), the instrument's failure is not (`Unscored`).

mod contains;
mod exact;
mod judged;
mod label;
mod numeric;
mod outcome;
mod places;
mod preference;
mod program;
mod program_spec;
mod ranked;
pub mod rows;
mod scale;
mod scorer;
mod spec;

pub use crate::judge::JudgeId;
pub use judged::{JudgedSpec, Judges, mark};
pub use outcome::{Outcome, Part, Truth, Value, Why};
pub use places::Places;
pub use program::Asked;
pub use program_spec::{Asking, CommandScorerSpec, HttpScorerSpec};
pub use rows::{ScoreRow, Status};
pub use scale::Scale;
pub use scorer::{Case, Scorer};
pub use spec::{
    ContainsSpec, ExactSpec, LabelSpec, NumericSpec, PreferenceSpec, RankedSpec, ScorerSpec, SpecError, ValueKind,
    Words,
};
