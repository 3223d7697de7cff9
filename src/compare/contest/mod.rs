//! Several candidates on the same examples: who leads, who differs from whom, who wins where.
//!
//! All of them are brought to the examples that every one has, then compared in pairs by [`super::compare`], so that a
//! pair's numbers here are those of the two alone. Nothing is decided: whether one may replace the baseline is `gate`'s.

mod entrants;
mod holdout;
mod omnibus;
mod pair;
mod standings;
mod strengths;
#[cfg(test)]
mod tests;
mod winners;

use serde::Serialize;

use super::comparison::IntervalMethod;
use super::error::CompareError;
use super::side::Side;
use super::slices::SliceKeys;
use crate::stats::Alpha;

pub use entrants::Entrant;
pub use holdout::{Holdout, Parts, parts};
pub use omnibus::Omnibus;
pub use pair::Pairwise;
pub use standings::{Standing, Standings};
pub use strengths::{Player, Strengths};
pub use winners::SliceWinner;

/// The most that can be compared at once.
pub const MOST_CANDIDATES: usize = 20;

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ContestOptions {
    /// The slices to name winners of.
    pub slices: SliceKeys,
    /// Slices with fewer examples have no winner.
    pub min_n: u64,
    /// Names of the metrics, in order; empty takes all that the baseline has.
    pub metrics: Vec<String>,
    /// How to make the intervals of differences.
    pub interval: IntervalMethod,
    /// The error rate: of every interval, of all pairs of a metric together, and of all winners of its slices together.
    pub alpha: Alpha,
    /// Seed of whatever draws.
    pub seed: u64,
}

/// What several candidates say about each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contest {
    /// The candidates; the first is the baseline.
    pub candidates: Vec<Entrant>,
    /// Examples that every candidate has.
    pub examples: u64,
    /// Examples that some candidates have and some have not; they are left out.
    pub left_out: u64,
    /// The metrics.
    pub metrics: Vec<Standings>,
    /// Confidence of the intervals is 1 − α.
    pub alpha: f64,
    /// The seed of whatever drew.
    pub seed: u64,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// Compares several candidates; the first is the baseline, whose labels and groups hold for all.
///
/// # Errors
/// [`CompareError::NotComparable`] when pins differ or no example is shared by all; [`CompareError::Input`] for fewer than
/// two or more than [`MOST_CANDIDATES`] candidates, an unknown metric or label key.
pub fn contest(sides: &[Side], options: &ContestOptions) -> Result<Contest, CompareError> {
    if !(2..=MOST_CANDIDATES).contains(&sides.len()) {
        let count = sides.len();
        return Err(CompareError::Input(format!(
            "{count} candidates; between 2 and {MOST_CANDIDATES} can be compared"
        )));
    }
    let field = entrants::Field::new(sides)?;
    let names: Vec<String> = if options.metrics.is_empty() {
        sides[0].metrics.iter().map(|metric| metric.name.clone()).collect()
    } else {
        options.metrics.clone()
    };
    let mut warnings = field.warnings();
    let mut metrics = Vec::with_capacity(names.len());
    for name in &names {
        let (standings, said) = standings::standings(&field, name, options)?;
        metrics.push(standings);
        warnings.extend(said.into_iter().filter(|said| !warnings.contains(said)).collect::<Vec<_>>());
    }
    Ok(Contest {
        examples: field.examples as u64,
        left_out: field.left_out,
        candidates: field.entrants,
        metrics,
        alpha: options.alpha.get(),
        seed: options.seed,
        warnings,
    })
}
