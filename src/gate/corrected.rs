//! What judged rates and means come to when the judge's labels are taken into account: shown beside the raw ones, never
//! decided on.

use serde::{Deserialize, Serialize};

use super::licence::JudgedMetric;
use crate::calibrate::MIN_ITEMS;
use crate::compare::{CellComparison, Comparison, JudgedBy, MetricValues, OVERALL, Side};
use crate::score::Scale;
use crate::stats::judge_bias::{JudgeTable, lee_interval, rogan_gladen};
use crate::stats::ppi::{LabelledMoments, UnlabelledMoments, ppi_of_moments};
use crate::stats::{Alpha, BlockMoments, Interval};

/// Rates of passes with the judge's errors taken out, the uncertainty of its labels included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CorrectedRates {
    /// The baseline.
    pub baseline: CorrectedRate,
    /// The head.
    pub head: CorrectedRate,
}

/// One rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CorrectedRate {
    /// What the judge said.
    pub raw: f64,
    /// What it comes to.
    pub corrected: f64,
    /// The interval of that: Lee et al. 2025, of both samples.
    pub interval: Interval,
    /// The same by prediction-powered inference, which takes the labelled items for a sample of these answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppi: Option<Predicted>,
}

/// Means by prediction-powered inference alone: of grades that are numbers, and of a rate whose judge has no error rates
/// that could be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictedMeans {
    /// Whether they are shares of passes.
    pub is_rate: bool,
    /// The baseline.
    pub baseline: PredictedMean,
    /// The head.
    pub head: PredictedMean,
}

/// One mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictedMean {
    /// What the judge said.
    pub raw: f64,
    /// What it comes to.
    pub ppi: Predicted,
}

/// What prediction-powered inference (PPI++) makes of the labels and of what the judge said of answers without any.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// The estimate, on the scale.
    pub estimate: f64,
    /// Its interval, on the scale.
    pub interval: Interval,
    /// How much weight the judge was given: at 0 it is the mean of the labels alone.
    pub lambda: f64,
}

/// One metric of a record alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrectedMetric {
    /// The metric.
    pub metric: String,
    /// The judge.
    pub judge: String,
    /// Its rate of passes without the judge's known errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<CorrectedRate>,
    /// Where there is none: its mean as labels would have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted: Option<PredictedMean>,
    /// Whether it is a share of passes.
    pub is_rate: bool,
}

/// A rate without the judge's known errors.
fn rate(table: JudgeTable, rate: f64, n: u64) -> Option<CorrectedRate> {
    let passed = (rate * n as f64).round() as u64;
    let found = rogan_gladen(table, passed, n).ok()?;
    let interval = lee_interval(&found, Alpha::FIVE_PERCENT).ok()?.interval;
    let unlabelled = UnlabelledMoments { n, mean: rate, variance: rate * (1.0 - rate) };
    let ppi = ppi(&table.into(), &unlabelled, Scale::UNIT);
    Some(CorrectedRate { raw: rate, corrected: found.rate, interval, ppi })
}

/// A mean by the labels and the judge together.
fn mean(labelled: &LabelledMoments, values: &BlockMoments, scale: Scale) -> Option<PredictedMean> {
    let mean = values.mean().ok()?;
    let variance = (values.sum_squares() / values.size() - mean * mean).max(0.0);
    let unlabelled = UnlabelledMoments { n: values.blocks(), mean, variance };
    Some(PredictedMean { raw: mean, ppi: ppi(labelled, &unlabelled, scale)? })
}

/// PPI++ on a scale, which the estimate and its normal interval may leave.
fn ppi(labelled: &LabelledMoments, unlabelled: &UnlabelledMoments, scale: Scale) -> Option<Predicted> {
    // Its interval is a normal one, which few labels do not carry.
    if labelled.n < MIN_ITEMS as u64 {
        return None;
    }
    let found = ppi_of_moments(labelled, unlabelled, Alpha::FIVE_PERCENT).ok()?;
    Some(Predicted {
        estimate: found.mean.clamp(scale.low, scale.high),
        interval: found.interval.clipped(scale.low, scale.high),
        lambda: found.lambda,
    })
}

/// What the labels say that goes with a metric.
fn labelled(judged: &JudgedBy, known: &JudgedMetric) -> Option<LabelledMoments> {
    match (judged.is_pass_rate, judged.is_mean_grade) {
        (true, _) => known.table.map(LabelledMoments::from),
        (false, true) => known.labelled,
        (false, false) => None,
    }
}

/// The rates of both sides without the judge's known errors, where it was held against labels of pass and fail.
pub(super) fn corrected(judged: &JudgedBy, table: JudgeTable, compared: &[&CellComparison]) -> Option<CorrectedRates> {
    if !judged.is_pass_rate {
        return None;
    }
    let cell = compared.iter().find(|cell| cell.metric == judged.metric && cell.slice == OVERALL)?;
    // The interval counts independent answers: several trials, or groups, would make it too short.
    cell.evidence.table?;
    Some(CorrectedRates { baseline: rate(table, cell.baseline?, cell.n)?, head: rate(table, cell.head?, cell.n)? })
}

/// The means of both sides by the labels and the judge together, where there is nothing else to correct them by.
pub(super) fn predicted(
    comparison: &Comparison,
    judged: &JudgedBy,
    known: &JudgedMetric,
    compared: &[&CellComparison],
) -> Option<PredictedMeans> {
    let is_rate = judged.is_pass_rate;
    let labelled = labelled(judged, known)?;
    let cell = compared.iter().find(|cell| cell.metric == judged.metric && cell.slice == OVERALL)?;
    let scale = comparison.metrics.iter().find(|metric| metric.name == judged.metric)?.scale;
    // Independent answers only, as with rates.
    if cell.blocks != cell.n || cell.evidence.trials != 1 || is_rate && cell.evidence.table.is_none() {
        return None;
    }
    let (baseline, head) = &cell.evidence.sides;
    Some(PredictedMeans { is_rate, baseline: mean(&labelled, baseline, scale)?, head: mean(&labelled, head, scale)? })
}

/// The judged metrics of a side alone, as far as labels of their judges are known.
#[must_use]
pub fn corrected_alone(side: &Side, known: &[JudgedMetric]) -> Vec<CorrectedMetric> {
    let one = |judged: &JudgedBy| {
        let known = known.iter().find(|known| known.metric == judged.metric)?;
        let metric = side.metrics.iter().find(|metric| metric.name == judged.metric)?;
        let values = independent(side, metric)?;
        let is_rate = judged.is_pass_rate;
        let raw = values.mean().ok()?;
        let table = known.table.filter(|_| is_rate && metric.is_binary());
        let corrected = table.and_then(|table| rate(table, raw, values.blocks()));
        let predicted = labelled(judged, known)
            .filter(|_| corrected.is_none() && (!is_rate || table.is_some()))
            .and_then(|labelled| mean(&labelled, &values, metric.scale));
        let (metric, judge) = (judged.metric.clone(), judged.judge.name.clone());
        (corrected.is_some() || predicted.is_some()).then_some(CorrectedMetric {
            metric,
            judge,
            corrected,
            predicted,
            is_rate,
        })
    };
    side.judges.iter().filter_map(one).collect()
}

/// The values of a metric, where no two are of one example or group.
fn independent(side: &Side, metric: &MetricValues) -> Option<BlockMoments> {
    if side.groups.is_some() {
        return None;
    }
    let mut values = BlockMoments::default();
    for example in 0..side.ids.len() {
        match metric.of(example) {
            [] | [None] => {}
            [Some(scored)] => values.push(scored.value, 1.0),
            _ => return None,
        }
    }
    Some(values)
}
