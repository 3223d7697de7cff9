//! A team's CI from outside: comments, annotations and summaries against a stand-in for GitHub's API, the steps of the
//! action, and the commands of the documentation.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]

mod action;
mod docs;
mod project;
mod publish;
mod server;

/// Says something that is to be seen also when the test passes.
pub fn announce(text: &str) {
    use std::io::Write as _;
    // The macros of the standard library would be captured.
    writeln!(std::io::stderr().lock(), "{text}").unwrap();
}
