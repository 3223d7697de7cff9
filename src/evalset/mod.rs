//! The pinned eval set: parse, validate, pin, select; what it holds, what changed, and what may be added.

mod diff;
mod error;
mod example;
mod label;
mod near;
mod parse;
mod pin;
mod profile;
mod quota;
mod ranking;
mod redact;
mod scan;
mod select;
mod toml_fault;
mod working;

pub use diff::{ChangedExample, SetDiff};
pub use error::EvalsetError;
pub use example::{Example, strings_of};
pub use label::{LabelValue, Labels};
pub use parse::{Fields, parse_file};
pub use pin::{Description, EvalSet, Folder, NewPin, Version, names, pin};
pub use profile::{
    Annotated, Counts, Crossing, LENGTH, OTHER, Pair, Profile, QuotaState, Twice, Wanted, input_digest, length_bucket,
};
pub use quota::{Quota, SliceName};
pub use ranking::Ranking;
pub use redact::{Redactor, Rule};
pub use scan::{Scanned, scan};
pub use select::{Sample, Selection, Shard};
pub use toml_fault::toml_fault;
pub use working::{Offered, Working};
