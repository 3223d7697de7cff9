//! The program from outside: arguments and files in; exit code, text and files out.
//!
//! These tests drive the binary and do not link the library.

mod bad_input;
mod harness;
mod records;
mod simulation;
mod tables;
