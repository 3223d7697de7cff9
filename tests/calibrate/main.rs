//! `calibrate` and `label` from outside: files and arguments in; exit code, JSON, pages and files out.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]
#![expect(clippy::format_collect, reason = "a few lines of a file each")]

mod bad_input;
mod bench;
mod judge_folder;
mod layouts;
mod licence;
mod pages;
mod published;
