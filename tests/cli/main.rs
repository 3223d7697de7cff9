//! The program from outside: arguments and files in; exit code, text and files out.
//!
//! These tests drive the binary and do not link the library.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]
#![expect(clippy::format_collect, reason = "a few lines of a file each")]

mod bad_input;
mod baseline;
mod determinism;
mod faults;
mod hard;
mod harness;
mod honest;
mod hostile;
mod init;
mod policy;
mod program_scorers;
mod records;
mod resolve;
mod sets;
mod several;
mod shards;
mod simulation;
mod slices;
mod snapshots;
mod tables;
mod versions;
mod workers;
