//! Topic 04: one proportion, and two independent ones.

use evalgauge::stats::Result;
use evalgauge::stats::proportion::{IndependentProportions, Proportion};
use serde_json::{Value, json};

use super::inputs::{alpha, answer, count, interval, unless_a_point};
use crate::{Answer, Case};

/// Answers `proportion_ci` and `two_proportion_diff_ci`.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    match case.function {
        "proportion_ci" => Some(answer(one(case))),
        "two_proportion_diff_ci" => Some(answer(two(case))),
        _ => None,
    }
}

fn proportion(case: &Case<'_>, x: &str, n: &str) -> Result<Proportion> {
    Proportion::new(count(&case.inputs[x])?, count(&case.inputs[n])?)
}

fn one(case: &Case<'_>) -> Result<Value> {
    let (p, alpha) = (proportion(case, "x", "n")?, alpha(case.inputs)?);
    let uniform = p.uniform_prior(alpha);
    Ok(json!({
        "wald": unless_a_point(&case.expected["wald"], p.wald(alpha).map(interval)),
        "wilson": interval(p.wilson(alpha)),
        "clopper_pearson": interval(p.clopper_pearson(alpha)),
        "jeffreys": interval(p.jeffreys(alpha)),
        "agresti_coull": interval(p.agresti_coull(alpha)),
        "wilson_cc": interval(p.wilson_corrected(alpha)),
        "beta_uniform": {"low": uniform.low, "high": uniform.high, "mean": p.uniform_prior_mean()},
        "rule_of_three_upper_one_sided": p.upper_bound_without_success(alpha),
    }))
}

fn two(case: &Case<'_>) -> Result<Value> {
    let alpha = alpha(case.inputs)?;
    let pair = IndependentProportions { first: proportion(case, "x1", "n1")?, second: proportion(case, "x2", "n2")? };
    Ok(json!({
        "wald": unless_a_point(&case.expected["wald"], pair.wald(alpha).map(interval)),
        "agresti_caffo": interval(pair.agresti_caffo(alpha)),
        "newcomb": interval(pair.newcombe(alpha)),
        // The references carry a slip of the program that printed them; the published interval has a test of its own.
        "score": interval(pair.score_as_statsmodels(alpha)),
    }))
}
