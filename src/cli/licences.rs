//! What is known of the judges behind metrics: their calibrations, looked up where they are kept.

use super::calibrate::{digests, read_lines};
use super::failure::Failure;
use crate::calibrate::standing;
use crate::compare::JudgedBy;
use crate::config::Project;
use crate::gate::JudgedMetric;

/// The licences on a day of the judges that made some metrics.
pub(super) fn licences(project: &Project, judges: &[JudgedBy], as_of: &str) -> Result<Vec<JudgedMetric>, Failure> {
    let day = as_of.parse().map_err(|error| Failure::input(format!("{as_of}: no day: {error}")))?;
    judges
        .iter()
        .map(|judged| {
            let id = &judged.judge;
            let lines = read_lines(&project.root.join("judges").join(&id.name).join("calibrations.jsonl"))?;
            let found = standing(&lines, &digests(id), &judged.dimension, day);
            Ok(JudgedMetric {
                metric: judged.metric.clone(),
                table: found.as_ref().ok().and_then(|dimension| dimension.pass_fail),
                licence: found.map(|dimension| dimension.licence.clone()).map_err(|lapse| lapse.to_string()),
            })
        })
        .collect()
}
