//! An instrument that grades answers, and that has to be calibrated against people before it may decide anything.

mod grade;

pub use grade::Grade;
