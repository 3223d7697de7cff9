//! The pinned eval set: parse, validate, pin, select.

mod error;
mod example;
mod label;
mod parse;
mod pin;
mod select;
mod toml_fault;

pub use error::EvalsetError;
pub use example::{Example, strings_of};
pub use label::{LabelValue, Labels};
pub use parse::{Fields, parse_file};
pub use pin::{Description, EvalSet, Folder, NewPin, Version, names, pin};
pub use select::{Sample, Selection, Shard};
pub use toml_fault::toml_fault;
