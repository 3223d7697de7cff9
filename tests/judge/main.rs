//! Judges from outside: a fake model on 127.0.0.1 says what a test wants, and the program makes of it what it should.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "test program")]

mod attacks;
mod audit;
mod kinds;
mod project;
mod runs;
mod server;
mod shipped;
mod side_by_side;
mod verbs;
