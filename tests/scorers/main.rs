//! Every scorer at its edges, through the program: config → run over recorded answers → the scores of the record.
//!
//! These tests drive the binary and do not link the library.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]

#[expect(dead_code, reason = "shared with the tests of the command line, which use all of it")]
#[path = "../cli/harness.rs"]
mod harness;

mod echo;
mod gsm8k;
mod rows;
mod settings;
mod table;
