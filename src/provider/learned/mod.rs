//! Honest baselines that learn from labelled examples: chance, the most common answer, the answer of the most similar example.
//!
//! Learned from the eval set itself, the example that is asked about is left out, and its group with it; or from a file that
//! shares no example with the set. Nothing is drawn from a clock or a generator: the same question gets the same answer.

mod bm25;
mod labelled;
mod learner;
mod spec;
mod words;

pub(super) use learner::LearnedProvider;
pub use spec::{Columns, Draw, MajoritySpec, NearestSpec, Places, RandomSpec};
