//! 07: pass@k and pass^k.

use evalgauge::stats::Result;
use evalgauge::stats::pass_at_k::{Criterion, pass_at_k, pass_hat_k, suite};
use serde_json::{Value, json};

use super::inputs::{answer, count, counts};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let outputs = match case.function {
        "pass_at_k" => single(case, "pass_at_k", pass_at_k),
        "pass_hat_k" => single(case, "pass_hat_k", pass_hat_k),
        "pass_at_k_suite" => whole_suite(case),
        _ => return None,
    };
    Some(answer(outputs))
}

type Estimator = fn(u64, u64, u64) -> Result<f64>;

fn single(case: &Case<'_>, name: &str, estimator: Estimator) -> Result<Value> {
    let (n, c, k) = (count(&case.inputs["n"])?, count(&case.inputs["c"])?, count(&case.inputs["k"])?);
    Ok(json!({ name: estimator(n, c, k)? }))
}

fn whole_suite(case: &Case<'_>) -> Result<Value> {
    let (n, c, k) = (counts(&case.inputs["n"])?, counts(&case.inputs["c"])?, count(&case.inputs["k"])?);
    let any = suite(&n, &c, k, Criterion::AnyPasses)?;
    let all = suite(&n, &c, k, Criterion::AllPass)?;
    Ok(json!({
        "per_task": any.per_problem, "mean": any.mean, "per_task_hat": all.per_problem, "mean_hat": all.mean,
    }))
}
