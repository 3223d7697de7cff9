//! `evalgauge init`: a working project in this folder.

mod files;
mod scorer;
mod verb;

pub(super) use verb::{InitArgs, run};
