//! Why a run ended before its end.

use crate::call::TemplateError;
use crate::candidate::CandidateError;
use crate::judge::JudgeError;
use crate::provider::ProviderError;
use crate::record::RecordError;
use crate::score::SpecError;

/// A run that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nobody can be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Settings or files that make no candidate.
    #[error("candidate `{name}`: {source}")]
    Candidate {
        /// The candidate.
        name: String,
        /// What is wrong.
        source: ProviderError,
    },
    /// The record cannot be kept.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A prompt that cannot be rendered for an example.
    #[error("example `{id}`: {source}")]
    Prompt {
        /// The example.
        id: String,
        /// What is wrong.
        source: CandidateError,
    },
    /// A prompt template that cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A judge that cannot be used.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// Settings that make no model of a judge.
    #[error("judge `{name}`: {source}")]
    JudgeModel {
        /// The judge.
        name: String,
        /// What is wrong.
        source: ProviderError,
    },
    /// A scorer's program that cannot be asked.
    #[error("scorer `{name}`: {source}")]
    ScorerProgram {
        /// The scorer.
        name: String,
        /// What is wrong.
        source: ProviderError,
    },
    /// Settings that make no scorer.
    #[error("scorer `{name}`: {source}")]
    Scorer {
        /// The scorer.
        name: String,
        /// What is wrong.
        source: SpecError,
    },
    /// The plan makes no sense.
    #[error("{0}")]
    Plan(String),
    /// More answers failed than the settings allow.
    #[error("{failed} answers failed, more than `error_limit` allows, with {done} of {planned} done")]
    TooManyFailed {
        /// Answers that failed.
        failed: usize,
        /// Answers there are.
        done: usize,
        /// Answers that were planned.
        planned: usize,
    },
    /// The user asked to stop; what was answered is in the journal.
    #[error("interrupted with {done} of {planned} answers")]
    Interrupted {
        /// Answers there are.
        done: usize,
        /// Answers that were planned.
        planned: usize,
    },
}
