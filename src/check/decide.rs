//! From two records to a verdict.

use std::collections::BTreeMap;

use crate::compare::{
    CompareError, CompareOptions, Comparison, IntervalMethod, MetricSpec, Side, SliceKeys, compare, default_metrics,
    measured, side_of_record,
};
use crate::gate::{GatePolicy, Given, Verdict, decide};
use crate::record::RunRecord;
use crate::stats::Alpha;

/// A record and where it was read from.
#[derive(Debug, Clone, Copy)]
pub struct RecordSource<'a> {
    /// The record.
    pub record: &'a RunRecord,
    /// The folder, as reports print it.
    pub source: &'a str,
}

/// Under which terms a decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The metrics; empty takes the mean of every scorer.
    pub metrics: &'a BTreeMap<String, MetricSpec>,
    /// The slices.
    pub slices: &'a SliceKeys,
    /// The policy.
    pub policy: &'a GatePolicy,
    /// Seed of whatever draws.
    pub seed: u64,
    /// What the decision is given beside the records.
    pub given: Given<'a>,
}

/// A decision with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The comparison.
    pub comparison: Comparison,
    /// The verdict.
    pub verdict: Verdict,
}

/// A decision that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The records cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The policy makes no sense.
    #[error("{0}")]
    Policy(String),
    /// A record that has no canonical form.
    #[error("a record cannot be closed: {0}")]
    Digest(std::io::Error),
}

/// Decides about two records.
///
/// # Errors
/// Records whose pins differ, or a policy that does not fit them.
pub fn decide_records(
    baseline: RecordSource<'_>,
    head: RecordSource<'_>,
    terms: &Terms<'_>,
) -> Result<Checked, CheckError> {
    let every;
    let metrics = if terms.metrics.is_empty() {
        every = default_metrics(baseline.record);
        &every
    } else {
        terms.metrics
    };
    let measures = terms.policy.measures();
    let side = |from: RecordSource<'_>| {
        side_of_record(from.record, from.source, metrics)
            .map(|side| Side { measured: measured(from.record, &measures), ..side })
    };
    let (baseline, head) = (side(baseline)?, side(head)?);
    let options = CompareOptions {
        slices: terms.slices.clone(),
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: terms.policy.tolerances(),
        watched: terms.policy.watched(),
        seed: terms.seed,
    };
    let comparison = compare(&baseline, &head, &options)?;
    let verdict = decide(&comparison, terms.policy, &terms.given).map_err(CheckError::Policy)?;
    Ok(Checked { comparison, verdict })
}
