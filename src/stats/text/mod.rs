//! Scores of a text against reference texts: `SQuAD`, BLEU, chrF, TER, ROUGE and edit distance.
//!
//! BLEU, chrF and TER follow the conventions of sacrebleu 2.6.0, ROUGE those of rouge-score 0.1.2, so a number printed
//! here can be set beside a published one. BLEU, chrF and TER of a corpus are not means of sentence scores: each scorer
//! gives the counts of one pair, counts add up, and a corpus score (also that of a bootstrap resample) is computed from
//! their sum without touching the text again.

use super::error::{Result, at_least, same_length};

/// Lets the counts of texts be summed, by value and by reference, where `+=` adds two of them.
macro_rules! summable {
    ($counts:ty) => {
        impl std::iter::Sum for $counts {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::default(), |mut sum, one| {
                    sum += one;
                    sum
                })
            }
        }

        impl<'a> std::iter::Sum<&'a Self> for $counts {
            fn sum<I: Iterator<Item = &'a Self>>(iter: I) -> Self {
                iter.copied().sum()
            }
        }
    };
}

pub mod bleu;
pub mod chrf;
mod grams;
pub mod levenshtein;
mod masks;
pub mod porter;
pub mod rouge;
pub mod squad;
pub mod ter;
pub mod tokenize;
mod vocabulary;

pub use bleu::{BleuOptions, BleuScore, BleuScorer, BleuStatistics, Smoothing};
pub use chrf::{ChrfOptions, ChrfScorer, ChrfStatistics};
pub use levenshtein::{damerau_levenshtein, levenshtein, similarity};
pub use masks::longest_common_subsequence;
pub use rouge::{RougeCounts, RougeMeans, RougeScorer, RougeStatistics};
pub use squad::{SquadScore, exact_match, normalize_answer, squad, token_f1};
pub use ter::{TerOptions, TerScorer, TerStatistics};
pub use tokenize::Tokenizer;

/// The release of sacrebleu whose conventions BLEU, chrF and TER follow; their signatures end with it.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// The number of references an item has, as sacrebleu signatures print it: the number itself, or `var`.
fn references_field(references: Option<usize>) -> String {
    references.map_or_else(|| "var".to_owned(), |count| count.to_string())
}

/// The statistics of each hypothesis against its references, in their order.
fn each_pair<H: AsRef<str>, R: AsRef<str>, T>(
    hypotheses: &[H],
    references: &[Vec<R>],
    mut statistics: impl FnMut(&str, &[R]) -> Result<T>,
) -> Result<Vec<T>> {
    at_least("hypotheses", 1, hypotheses.len())?;
    same_length("hypotheses and references", hypotheses.len(), references.len())?;
    hypotheses.iter().zip(references).map(|(own, theirs)| statistics(own.as_ref(), theirs)).collect()
}
