//! The labelling page: a rater grades a sheet of answers in a browser, blind, on this machine only.
//!
//! What a rater may see is decided in one place ([`Sheet`] holds no slice label, no candidate and nobody's grades), how
//! the sheet is shuffled for one rater in another, and a grade is on the disk before the page is told that it is.

mod blind;
mod error;
mod http;
mod labels;
mod server;
mod sheet;
mod token;

pub use error::PageError;
pub use labels::{LabelFile, Rater};
pub use server::{Running, Server};
pub use sheet::{Dimension, Item, Level, Sheet};
pub use token::Session;
