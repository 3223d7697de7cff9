//! Attempts of an answer to steer the judge that grades it: what was found, where, and of which kind.
//!
//! Nothing here changes what a judge is shown, and nothing here grades. A text is folded (look-alike letters, hidden
//! signs: `fold`), cut into tokens (`tokens`) and parts (`parts`), and a linear model over the short runs of tokens of
//! a part (`features`, `model`) says whether it is an attempt; what is hidden (base64, escapes, …: `decoded`) is read and
//! asked about too. The model is learned from labelled texts by [`learn`] (`lessons`); how often it is wrong about texts that it has
//! not seen is measured and published (`cargo bench --bench steering`, docs/judges.md). What is found is said with its line, so
//! that a person can look.

mod decoded;
mod detect;
mod features;
mod finding;
mod fold;
mod kind;
mod learn;
mod lessons;
mod minimise;
mod model;
mod parts;
mod tokens;

pub use detect::attempts;
pub use finding::Finding;
pub use kind::Kind;
pub use learn::{Labelled, corpus_sha256, learn};
pub use model::Model;
