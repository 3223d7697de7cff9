//! The pinned eval set: parse, validate, pin, select.

mod label;

pub use label::LabelValue;
