//! What the gate asks of judges: no metric that a judge made decides anything without the licence for it.

use serde::{Deserialize, Serialize};

use super::corrected::{CorrectedRates, PredictedMeans, corrected, predicted};
use super::policy::{GatePolicy, LicenceMode};
use super::verdict::{Cell, State};
use crate::calibrate::{Licence, Use};
use crate::compare::{CellComparison, Comparison, JudgedBy};
use crate::stats::Interval;
use crate::stats::judge_bias::JudgeTable;
use crate::stats::ppi::LabelledMoments;

/// What is known of the judge behind a metric on the day of the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedMetric {
    /// The metric.
    pub metric: String,
    /// Its licence, or why it has none.
    pub licence: Result<Licence, String>,
    /// Its verdicts against the labels, where those are pass or fail.
    pub table: Option<JudgeTable>,
    /// Its grades beside the labels, added up, where grades are numbers.
    pub labelled: Option<LabelledMoments>,
}

/// A judge's standing, in a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeStanding {
    /// The metric.
    pub metric: String,
    /// The judge.
    pub judge: String,
    /// The dimension.
    pub dimension: String,
    /// What its licence allows, by the terms of the policy.
    pub allows: Use,
    /// What this gate needs.
    pub needs: Use,
    /// κ behind the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kappa: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Labelled items behind it.
    pub items: usize,
    /// Why it is not enough, and what would change that; nothing where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The rate of passes on either side as it would be without the judge's known errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<CorrectedRates>,
    /// The mean grade of either side as labels would have it, where grades are numbers; of a rate where there is no
    /// `corrected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<PredictedMeans>,
}

/// How the judge of every gating metric that one makes stands. What nobody looked up has no licence.
pub(super) fn standings(
    comparison: &Comparison,
    known: &[JudgedMetric],
    policy: &GatePolicy,
    gates: impl Fn(&str) -> bool,
    compared: &[&CellComparison],
) -> Vec<JudgeStanding> {
    comparison
        .judges
        .iter()
        .filter(|judged| gates(&judged.metric))
        .map(|judged| {
            let known = known.iter().find(|known| known.metric == judged.metric);
            let licence = known.map_or(Err("its calibrations were not looked up"), |known| {
                known.licence.as_ref().map_err(String::as_str)
            });
            let threshold = policy.metric.get(&judged.metric).is_some_and(|metric| metric.min.is_some());
            let needs = if threshold { Use::Absolute } else { Use::Relative };
            let (allows, refused) = granted(judged, licence, policy, needs);
            let licence = licence.ok();
            let corrected = known.and_then(|known| corrected(judged, known.table?, compared));
            JudgeStanding {
                metric: judged.metric.clone(),
                judge: judged.judge.name.clone(),
                dimension: judged.dimension.clone(),
                allows,
                needs,
                kappa: licence.and_then(|licence| licence.kappa),
                interval: licence.and_then(|licence| licence.interval),
                items: licence.map_or(0, |licence| licence.items),
                refused,
                corrected,
                predicted: known
                    .filter(|_| corrected.is_none())
                    .and_then(|known| predicted(comparison, judged, known, compared)),
            }
        })
        .collect()
}

/// What the licence allows under the policy, and why that is not enough.
fn granted(
    judged: &JudgedBy,
    licence: Result<&Licence, &str>,
    policy: &GatePolicy,
    needs: Use,
) -> (Use, Option<String>) {
    let (judge, dimension) = (&judged.judge.name, &judged.dimension);
    let remedy = format!("`evalgauge calibrate {judge}` measures it against people's labels");
    let licence = match licence {
        Ok(licence) => licence,
        Err(why) => return (Use::None, Some(format!("judge `{judge}` ({dimension}): {why}; {remedy}"))),
    };
    if licence.stand_in && !policy.allow_stand_in {
        let why = format!(
            "judge `{judge}` ({dimension}): its labels are from stand-ins, not people; label the items \
             (`evalgauge label serve {judge}`) and calibrate again, or set `allow_stand_in = true`"
        );
        return (Use::None, Some(why));
    }
    let allows = match policy.licence {
        LicenceMode::Point => licence.allows,
        LicenceMode::Strict => licence.strict,
    };
    let refused = (allows < needs).then(|| {
        format!(
            "judge `{judge}` ({dimension}) may be used for {}{}, and this needs {}: {}; then {remedy}",
            allows.words(),
            if policy.licence == LicenceMode::Strict { " by the lower end of κ's interval" } else { "" },
            if needs == Use::Absolute { "absolute thresholds" } else { "comparisons" },
            licence.reasons.first().map_or("", String::as_str)
        )
    });
    (allows, refused)
}

/// A judge that may not decide does not decide that something fell, either.
pub(super) fn suspend(cells: &mut [Cell], standings: &[JudgeStanding]) {
    for standing in standings.iter().filter(|standing| standing.refused.is_some()) {
        for cell in cells.iter_mut().filter(|cell| cell.metric == standing.metric) {
            if !matches!(cell.state, State::Shown) {
                cell.state = State::Undecided;
                cell.note = Some(format!("judge `{}` has no licence for this", standing.judge));
                cell.needed_n = None;
            }
        }
    }
}
