//! A team's CI from outside: comments, annotations and summaries against a stand-in for GitHub's API, the steps of the
//! action, and the commands of the documentation.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]

mod project;
mod publish;
mod server;
