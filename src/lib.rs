//! Measures a language-model system on a pinned eval set and fails a change only when the evidence says that quality
//! fell.
//!
//! The modules are in the order of their imports: each uses only modules above it, and `tests/architecture.rs` holds
//! the table that says which. Numbers and words come first, then what is asked and who answers, then the record, then
//! the decision and how it is shown; only [`cli`] prints and ends the process.
//!
//! What is stable are the program's flags, exit codes and file formats; the items of this library follow its needs.

pub mod stats;
pub mod table;
pub mod call;
pub mod evalset;
pub mod candidate;
pub mod judge;
pub mod score;
pub mod provider;
pub mod record;
pub mod run;
pub mod compare;
pub mod calibrate;
pub mod gate;
pub mod report;
pub mod check;
pub mod publish;
pub mod page;
pub mod config;
pub mod cli;

// The examples of the chapter on statistics run with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics.md")]
struct StatisticsPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/agreement.md")]
struct AgreementPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/attempts-and-preferences.md")]
struct AttemptsPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/calibration.md")]
struct CalibrationPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/judges.md")]
struct JudgesPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/means.md")]
struct MeansPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/multiplicity-and-power.md")]
struct PowerPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/online.md")]
struct OnlinePage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/rates.md")]
struct RatesPage;
#[cfg(doctest)]
#[doc = include_str!("../docs/statistics/text-and-retrieval.md")]
struct TextPage;
