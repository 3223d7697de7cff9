//! The labelling page from outside: the program serves it, and HTTP or a real browser uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test program")]

#[path = "../browser_support/mod.rs"]
mod browser_support;

mod browser;
mod desk;
mod durable;
mod http;
