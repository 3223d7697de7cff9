//! Samples → record.

use super::plan::Plan;
use crate::record::{Made, Manifest, RecordError, RunRecord, Sample, record_sha256};

/// Closes a record: `samples` in the order in which [`super::run`] gives them.
///
/// # Errors
/// When a value has no canonical form.
pub fn close(plan: &Plan, samples: Vec<Sample>, made: Made) -> Result<RunRecord, RecordError> {
    let digest = record_sha256(&plan.asked, &samples).map_err(RecordError::broken(&made.run_id))?;
    let manifest =
        Manifest { schema: Manifest::SCHEMA.to_owned(), record_sha256: digest, asked: plan.asked.clone(), made };
    Ok(RunRecord { manifest, samples })
}
