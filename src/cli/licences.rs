//! What is known of the judges behind metrics: their calibrations, looked up where they are kept.

use super::calibrate::{digests, read_lines};
use super::failure::Failure;
use crate::calibrate::{DimensionLine, standing};
use crate::compare::JudgedBy;
use crate::config::Project;
use crate::gate::JudgedMetric;
use crate::run::load_judge;
use crate::score::ScorerSpec;

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
                table: found
                    .as_ref()
                    .ok()
                    .filter(|own| is_same_pass(project, judged, own))
                    .and_then(|own| own.pass_fail),
                labelled: found.as_ref().ok().and_then(|dimension| dimension.labelled),
                licence: found.map(|dimension| dimension.licence.clone()).map_err(|lapse| lapse.to_string()),
            })
        })
        .collect()
}

/// Whether a pass begins where it did when the judge was held against labels: a scorer, or an edit of the judge that is no
/// other judge, may have moved it, and then the error rates are those of another question.
fn is_same_pass(project: &Project, judged: &JudgedBy, measured: &DimensionLine) -> bool {
    let scorer = project.config.metrics.get(&judged.metric).map_or(&judged.metric, |metric| &metric.scorer);
    let own = project.config.scorers.get(scorer).and_then(ScorerSpec::judge).and_then(|spec| spec.pass_at.clone());
    let of_judge = load_judge(&project.root, &judged.judge.name).ok().and_then(|loaded| loaded.judge.pass_at());
    match (own.as_ref().or(of_judge.as_ref()), measured.pass.first()) {
        (None, _) => true,
        (Some(used), Some(least)) => *least == used.to_string() || *least == format!("at least {used}"),
        // A line of before: it was measured by the judge's own.
        (Some(_), None) => own.is_none() || own == of_judge,
    }
}
