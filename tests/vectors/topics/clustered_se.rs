//! Topic 06: standard errors of a mean.

use evalgauge::stats::mean::{clustered_mean, differences, paired_mean, trial_variance};
use evalgauge::stats::{Interval, Result};
use serde_json::{Value, json};

use super::inputs::{alpha, answer, interval, labels, numbers, rows, unless_a_point};
use crate::{Answer, Case};

/// Answers `clustered_se`, `paired_se` and `resampling_variance`.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    match case.function {
        "clustered_se" => Some(answer(clustered(case))),
        "paired_se" => Some(answer(paired(case))),
        "resampling_variance" => Some(answer(trials(case))),
        _ => None,
    }
}

fn clustered(case: &Case<'_>) -> Result<Value> {
    let alpha = alpha(case.inputs)?;
    let result = clustered_mean(&numbers(&case.inputs["y"]), &labels(&case.inputs["cluster"]))?;
    let limits = |name: &str, ours: Result<Interval>| unless_a_point(&case.expected[name], ours.map(interval));
    let estimate = result.estimate();
    Ok(json!({
        "mean": result.mean,
        "n": result.n,
        "G": result.clusters,
        "se_clt": result.se_independent,
        "cr0": result.cr0,
        "miller": result.miller,
        "cr1": result.cr1,
        "ci_normal_cr1": limits("ci_normal_cr1", estimate.clone().and_then(|e| e.normal_interval(alpha))),
        "ci_t_cr1": limits("ci_t_cr1", estimate.and_then(|e| e.t_interval(alpha))),
        "design_effect_cr1": result.design_effect(),
    }))
}

fn paired(case: &Case<'_>) -> Result<Value> {
    let (alpha, a, b) = (alpha(case.inputs)?, numbers(&case.inputs["a"]), numbers(&case.inputs["b"]));
    let result = paired_mean(&a, &b)?;
    let difference = result.difference;
    let mut out = json!({
        "diff": difference.mean,
        "se_paired": difference.se,
        "se_unpaired": result.se_unpaired,
        "corr": result.correlation,
        "cov_ddof1": result.covariance,
        "se_paired_from_cov": result.se_from_covariance,
        "z": difference.t().ok(),
        "t": difference.t().ok(),
        "t_pvalue": difference.t_test().ok(),
        "z_pvalue": difference.z_test().ok(),
        "ci_normal": unless_a_point(&case.expected["ci_normal"], difference.normal_interval(alpha).map(interval)),
        "ci_t": unless_a_point(&case.expected["ci_t"], difference.t_interval(alpha).map(interval)),
    });
    if !case.inputs["cluster"].is_null() {
        let d = differences(&a, &b)?;
        let clustered = clustered_mean(&d, &labels(&case.inputs["cluster"]))?;
        out["se_paired_cr0"] = json!(clustered.cr0);
        out["se_paired_cr1"] = json!(clustered.cr1);
    }
    Ok(out)
}

fn trials(case: &Case<'_>) -> Result<Value> {
    let split = trial_variance(&rows(&case.inputs["scores"]))?;
    Ok(json!({
        "mean": split.mean,
        "var_of_question_means": split.of_item_means,
        "mean_within_var": split.within,
        "se_clustered_by_question": split.se(),
        "var_between_true": split.between,
        "se_if_K1": split.se_with(1.0)?,
        "se_if_Kinf": split.se_with(f64::INFINITY)?,
    }))
}
