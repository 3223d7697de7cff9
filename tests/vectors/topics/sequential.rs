//! Topic 12: online comparison and looking early.

use evalgauge::stats::ab::{Arm, Beta, beta_binomial, sample_ratio, two_proportion_z};
use evalgauge::stats::confidence_sequence::{betting, betting_capital, empirical_bernstein, hoeffding};
use evalgauge::stats::sequential::{
    MsprtLook, SequentialDesign, Spending, alpha_spending, msprt_bernoulli, msprt_normal, obrien_fleming, pocock,
};
use evalgauge::stats::{Alpha, Interval, Result};
use serde_json::{Map, Value, json};

use super::inputs::{alpha, answer, count, interval, number, numbers};
use crate::{Answer, Case};

fn arm(inputs: &Value, side: &str) -> Result<Arm> {
    Ok(Arm { successes: count(&inputs[format!("x_{side}")])?, trials: count(&inputs[format!("n_{side}")])? })
}

fn ratio(inputs: &Value) -> Result<Value> {
    let observed: Vec<u64> = inputs["observed"].as_array().unwrap().iter().map(count).collect::<Result<_>>()?;
    let check = sample_ratio(&observed, &numbers(&inputs["ratio"]))?;
    Ok(json!({"chi2": check.statistic, "df": check.df, "p": check.p}))
}

fn proportions(inputs: &Value) -> Result<Value> {
    let test = two_proportion_z(arm(inputs, "a")?, arm(inputs, "b")?, alpha(inputs)?)?;
    Ok(json!({
        "diff_b_minus_a": test.difference, "z": test.z, "p_two_sided": test.p, "p_larger": test.p_larger,
        "ci_unpooled": test.interval.map(interval),
    }))
}

fn posterior(inputs: &Value) -> Result<Value> {
    let shape = |name: &str| inputs[name].as_f64().unwrap_or(1.0);
    let prior = Beta { alpha: shape("prior_alpha"), beta: shape("prior_beta") };
    let posterior = beta_binomial(arm(inputs, "a")?, arm(inputs, "b")?, prior)?;
    Ok(json!({"p_b_gt_a": posterior.b_beats_a, "expected_loss_choose_b": posterior.expected_loss_of_b}))
}

fn at_looks<T>(inputs: &Value, all: &[T], show: impl Fn(&T) -> f64) -> Vec<f64> {
    inputs["at_n"].as_array().unwrap().iter().map(|n| show(&all[n.as_u64().unwrap() as usize - 1])).collect()
}

fn mixture_normal(inputs: &Value) -> Result<Value> {
    let (x, y) = (numbers(&inputs["x"]), numbers(&inputs["y"]));
    let looks = msprt_normal(&x, &y, number(&inputs["sigma2"]), number(&inputs["tau2"]), alpha(inputs)?)?;
    Ok(json!({
        "lambda": at_looks(inputs, &looks, MsprtLook::likelihood_ratio),
        "p_always_valid": at_looks(inputs, &looks, |look| look.p),
        "diff": at_looks(inputs, &looks, |look| look.difference),
        "ci_half_width": at_looks(inputs, &looks, |look| look.half_width),
    }))
}

fn mixture_bernoulli(inputs: &Value) -> Result<Value> {
    let (x, y) = (numbers(&inputs["x"]), numbers(&inputs["y"]));
    let looks = msprt_bernoulli(&x, &y, number(&inputs["tau2"]), alpha(inputs)?)?;
    Ok(json!({
        "lambda": at_looks(inputs, &looks, MsprtLook::likelihood_ratio),
        "p_instant": at_looks(inputs, &looks, MsprtLook::instant_p),
    }))
}

fn boundary(inputs: &Value, design: impl Fn(usize, Alpha) -> Result<SequentialDesign>) -> Result<Value> {
    let looks = count(&inputs["K"])? as usize;
    let design = design(looks, Alpha::new(inputs["alpha_two_sided"].as_f64().unwrap_or(0.05))?)?;
    Ok(json!({
        "C": design.bounds.last(), "z_bounds": design.bounds, "nominal_p": design.nominal_p,
        "cumulative_alpha": design.cumulative_alpha,
    }))
}

fn spending(inputs: &Value) -> Result<Value> {
    let kind = if inputs["type"] == "obf" { Spending::OBrienFleming } else { Spending::Pocock };
    boundary(inputs, |looks, alpha| {
        let fractions: Vec<f64> = (1..=looks).map(|look| look as f64 / looks as f64).collect();
        alpha_spending(kind, &fractions, alpha)
    })
}

fn confidence(inputs: &Value) -> Result<Value> {
    let (x, alpha) = (numbers(&inputs["x"]), alpha(inputs)?);
    let mut out = Map::new();
    let sequences = [
        ("betting", betting(&x, alpha, 1000)?),
        ("empbern", empirical_bernstein(&x, alpha)?),
        ("hoeffding", hoeffding(&x, alpha)?),
    ];
    for (name, sequence) in sequences {
        let ends = |end: fn(&Interval) -> f64| at_looks(inputs, &sequence, end);
        out.insert(format!("{name}_low"), json!(ends(|interval| interval.low)));
        out.insert(format!("{name}_high"), json!(ends(|interval| interval.high)));
    }
    let mut capital = Map::new();
    for tenth in 1..10 {
        let m = f64::from(tenth) / 10.0;
        let earned = betting_capital(&x, m, alpha)?;
        capital.insert(m.to_string(), json!(at_looks(inputs, &earned, |capital| *capital)));
    }
    out.insert("betting_capital_at_m".into(), Value::Object(capital));
    Ok(Value::Object(out))
}

/// Answers the functions of this topic.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    let inputs = case.inputs;
    Some(answer(match case.function {
        "srm" => ratio(inputs),
        "two_prop_z" => proportions(inputs),
        "beta_binomial_prob_b_gt_a" => posterior(inputs),
        "msprt_normal" => mixture_normal(inputs),
        "msprt_bernoulli" => mixture_bernoulli(inputs),
        "group_sequential_pocock" => boundary(inputs, pocock),
        "group_sequential_obf" => boundary(inputs, obrien_fleming),
        "alpha_spending_lan_demets" => spending(inputs),
        "confidence_sequence" => confidence(inputs),
        _ => return None,
    }))
}
