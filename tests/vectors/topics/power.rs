//! 11: sample size, power, smallest detectable difference.

use evalgauge::stats::Result;
use evalgauge::stats::power::{
    Direction, TrialVariances, mcnemar_sample_size, two_proportion_mde, two_proportion_power,
    two_proportion_sample_size, whole_items,
};
use evalgauge::stats::t_power::{TDesign, TTestPlan, Tails};
use serde_json::{Value, json};

use super::inputs::{alpha, answer, count, number};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let outputs = match case.function {
        "two_prop_n" => two_prop_n(case.inputs),
        "two_prop_power" => two_prop_power(case.inputs),
        "two_prop_mde" => two_prop_mde(case.inputs),
        "mcnemar_n" => mcnemar_n(case.inputs),
        "miller_n" => miller_n(case.inputs),
        "t_power" => t_power(case.inputs),
        _ => return None,
    };
    Some(answer(outputs))
}

fn two_prop_n(inputs: &Value) -> Result<Value> {
    let (p_a, p_b, power) = (number(&inputs["p_a"]), number(&inputs["p_b"]), number(&inputs["power"]));
    let size = two_proportion_sample_size(p_a, p_b, alpha(inputs)?, power)?;
    Ok(json!({
        "n_per_arm": size.per_arm, "n_ceil": whole_items(size.per_arm),
        "rule16": size.rule_of_16, "rule4": size.rule_of_4,
    }))
}

fn two_prop_power(inputs: &Value) -> Result<Value> {
    let (p_a, p_b, per_arm) = (number(&inputs["p_a"]), number(&inputs["p_b"]), count(&inputs["n_per_arm"])?);
    Ok(json!({ "power": two_proportion_power(p_a, p_b, per_arm, alpha(inputs)?)? }))
}

fn two_prop_mde(inputs: &Value) -> Result<Value> {
    let (p_base, power, per_arm) = (number(&inputs["p_base"]), number(&inputs["power"]), count(&inputs["n_per_arm"])?);
    let direction = if inputs["direction"] == "down" { Direction::Down } else { Direction::Up };
    let mde = two_proportion_mde(p_base, per_arm, alpha(inputs)?, power, direction)?;
    Ok(json!({ "mde_abs": mde }))
}

fn mcnemar_n(inputs: &Value) -> Result<Value> {
    let (p10, p01, power) = (number(&inputs["p10"]), number(&inputs["p01"]), number(&inputs["power"]));
    let size = mcnemar_sample_size(p10, p01, alpha(inputs)?, power)?;
    Ok(json!({
        "n_pairs_connor": size.connor, "n_pairs_miettinen": size.miettinen, "connor_ceil": whole_items(size.connor),
    }))
}

fn miller_n(inputs: &Value) -> Result<Value> {
    let variances = TrialVariances {
        between_items: number(&inputs["omega2"]),
        within_a: number(&inputs["sigma2_a"]),
        within_b: number(&inputs["sigma2_b"]),
        trials_a: count(&inputs["k_a"])?,
        trials_b: count(&inputs["k_b"])?,
    };
    let (delta, power, alpha) = (number(&inputs["delta"]), number(&inputs["power"]), alpha(inputs)?);
    Ok(json!({
        "n": variances.sample_size(delta, alpha, power)?,
        "mde_at_n200": variances.detectable_difference(200, alpha, power)?,
    }))
}

fn t_power(inputs: &Value) -> Result<Value> {
    let (d, n, target) = (number(&inputs["d"]), number(&inputs["n"]), number(&inputs["target_power"]));
    let both = TTestPlan { design: TDesign::OneSample, tails: Tails::Both, alpha: alpha(inputs)? };
    let upper = TTestPlan { tails: Tails::Upper, ..both };
    Ok(json!({
        "power_two_sided": both.power(d, n)?,
        "power_larger": upper.power(d, n)?,
        "n_required": both.sample_size(d, target)?,
        "mde_d": both.detectable_effect(n, target)?,
    }))
}
