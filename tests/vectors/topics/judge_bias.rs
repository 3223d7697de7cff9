//! Topic 17: judge-corrected rates, prediction-powered means, the alternative annotator test.

use evalgauge::stats::alt_test::{AltTestOptions, Scoring, alt_test};
use evalgauge::stats::bootstrap::Resampling;
use evalgauge::stats::judge_bias::{
    JudgeTable, JudgedRate, Resample, bootstrap_interval, delta_interval, lee_interval, rogan_gladen,
};
use evalgauge::stats::ppi::{PpiMean, Tuning, ppi_mean};
use evalgauge::stats::{Alpha, Interval, Result, StatError};
use serde_json::{Value, json};

use super::inputs::{alpha, answer_or_nothing, count, flags, number, numbers, unless_a_point};
use crate::{Answer, Case};

const RESAMPLING: Resampling = Resampling { replicates: 20_000, seed: 17 };

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let answer = match case.function {
        "rogan_gladen" => corrected_rate(case),
        "rogan_gladen_error" => Ok(json!({ "error": judged(case).is_err() })),
        "ppi_mean" => prediction_powered(case),
        "alt_test" => annotator_test(case),
        _ => return None,
    };
    Some(answer_or_nothing(case, answer))
}

fn judged(case: &Case<'_>) -> Result<JudgedRate> {
    let table = JudgeTable::from_labels(&flags(&case.inputs["test_labels"])?, &flags(&case.inputs["test_preds"])?)?;
    if let Some(list) = case.inputs.get("unlabeled_preds") {
        let verdicts = flags(list)?;
        return rogan_gladen(table, verdicts.iter().filter(|&&pass| pass).count() as u64, verdicts.len() as u64);
    }
    rogan_gladen(table, count(&case.inputs["k_unlabeled_pass"])?, count(&case.inputs["n_unlabeled"])?)
}

fn corrected_rate(case: &Case<'_>) -> Result<Value> {
    let judged = judged(case)?;
    let delta = delta_interval(&judged, alpha(case.inputs)?);
    let mut out = json!({
        "tpr": judged.sensitivity,
        "tnr": judged.specificity,
        "p_obs": judged.raw_rate,
        "theta_raw": judged.unclipped,
        "theta": judged.rate,
        "se_delta": delta.as_ref().map_or(0.0, |delta| delta.se),
    });
    out["ci_delta"] = within(&case.expected["ci_delta"], delta.map(|delta| delta.interval));
    let lee = lee_interval(&judged, alpha(case.inputs)?).map(|lee| lee.interval);
    out["ci_lee2025"] = within(&case.expected["ci_lee2025"], lee);
    let bootstraps = [("judgy_bootstrap_ref", Resample::Labelled), ("two_source_bootstrap_ref", Resample::Both)];
    for (key, resample) in bootstraps {
        let reference = &case.expected[key];
        if reference.is_object() {
            let interval =
                bootstrap_interval(&judged, resample, RESAMPLING, alpha(case.inputs)?).map(|result| result.interval);
            out[key] = within(reference, interval);
        }
    }
    Ok(out)
}

/// An interval for the runner to compare. Ends that come from simulation (those with `mc_tol`) count as the reference's
/// within that distance: two simulations never agree to the tolerance of the case.
fn within(reference: &Value, ours: Result<Interval>) -> Value {
    let tolerance = reference.get("mc_tol").map_or(0.0, number);
    let settle = |key: &str, got: f64| match reference.get(key).map(number) {
        Some(expected) if (got - expected).abs() <= tolerance => expected,
        _ => got,
    };
    let ours = ours.map(|ours| json!({ "low": settle("low", ours.low), "high": settle("high", ours.high) }));
    unless_a_point(reference, ours).into()
}

fn prediction_powered(case: &Case<'_>) -> Result<Value> {
    let [y, f, unlabelled] = ["y", "yhat", "yhat_unlabeled"].map(|key| numbers(&case.inputs[key]));
    let alpha = alpha(case.inputs)?;
    let mean = |tuning| ppi_mean(&y, &f, &unlabelled, tuning, alpha);
    let show = |result: PpiMean| {
        json!({
            "point": result.mean, "low": result.interval.low, "high": result.interval.high, "se": result.se,
        })
    };
    let tuned = mean(Tuning::Estimated)?;
    Ok(json!({
        "ppi": show(mean(Tuning::Fixed(1.0))?),
        "classical": show(mean(Tuning::Fixed(0.0))?),
        "ppi_plus": show(tuned),
        "lambda": tuned.lambda,
    }))
}

fn annotator_test(case: &Case<'_>) -> Result<Value> {
    let humans = case.inputs["humans"].as_object().unwrap();
    let judge = case.inputs["llm"].as_object().unwrap();
    let mut instances: Vec<&String> =
        humans.values().flat_map(|annotations| annotations.as_object().unwrap().keys()).chain(judge.keys()).collect();
    instances.sort_unstable();
    instances.dedup();
    // Labels that are no numbers become their position among all of them.
    let mut texts: Vec<&str> = humans
        .values()
        .chain([&case.inputs["llm"]])
        .flat_map(|a| a.as_object().unwrap().values())
        .filter_map(Value::as_str)
        .collect();
    texts.sort_unstable();
    texts.dedup();
    let read = |value: &Value| match value.as_str() {
        Some(text) => texts.binary_search(&text).unwrap() as f64,
        None => number(value),
    };
    let align = |annotations: &serde_json::Map<String, Value>| -> Vec<Option<f64>> {
        instances.iter().map(|&id| annotations.get(id).filter(|value| !value.is_null()).map(read)).collect()
    };
    let aligned: Vec<_> = humans.values().map(|annotations| align(annotations.as_object().unwrap())).collect();
    let options = AltTestOptions {
        scoring: match case.inputs["scoring"].as_str() {
            Some("accuracy") => Scoring::Accuracy,
            Some("neg_rmse") => Scoring::NegativeRmse,
            _ => return Err(StatError::Undefined("a scoring of an unknown name")),
        },
        epsilon: number(&case.inputs["epsilon"]),
        q: Alpha::new(case.inputs.get("q").map_or(0.05, number))?,
        min_instances: case.inputs["min_instances"].as_u64().unwrap_or(30) as usize,
    };
    let result = alt_test(&aligned, &align(judge), &options)?;
    let names: Vec<&String> = humans.keys().collect();
    let annotators: Vec<Value> = result
        .annotators
        .iter()
        .map(|one| {
            json!({
                "annotator": names[one.annotator],
                "n": one.instances,
                "adv_prob_llm": one.judge_advantage,
                "adv_prob_human": one.human_advantage,
                "p_value": one.p,
            })
        })
        .collect();
    Ok(json!({
        "winning_rate": result.winning_rate,
        "advantage_prob": result.advantage_probability,
        "passes": result.passes,
        "per_annotator": annotators,
    }))
}
