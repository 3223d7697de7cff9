//! 08: calibration, probability scores, recalibration.

use evalgauge::stats::Result;
use evalgauge::stats::calibration::{
    Bin, BinMeans, Binning, ReliabilityRow, calibration_errors, errors_from_bins, reliability_table,
};
use evalgauge::stats::probability_scores::{
    BrierDecomposition, ForecastGroups, average_precision, brier_decomposition, brier_score, brier_skill_score,
    log_loss, roc_auc,
};
use evalgauge::stats::recalibration::{fit_isotonic, fit_platt, fit_temperature};
use serde_json::{Value, json};

use super::inputs::{answer, count, counts, flags, number, numbers, rows};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    let outputs = match case.function {
        "ece" => ece(case.inputs),
        "ece_from_bins" => ece_from_bins(case.inputs),
        "binary_prob_metrics" => binary_prob_metrics(case),
        "temperature_scaling" => temperature_scaling(case.inputs),
        "platt" => platt(case.inputs),
        "isotonic" => isotonic(case.inputs),
        _ => return None,
    };
    Some(answer(outputs))
}

fn ece(inputs: &Value) -> Result<Value> {
    let (confidence, correct) = (numbers(&inputs["conf"]), flags(&inputs["correct"])?);
    let bins = count(&inputs["n_bins"])? as usize;
    let errors = |binning| calibration_errors(&confidence, &correct, bins, binning);
    let right = errors(Binning::EqualWidthRightClosed)?;
    let left = errors(Binning::EqualWidthLeftClosed)?;
    let mass = errors(Binning::EqualMass)?;
    let table = reliability_table(&confidence, &correct, bins, Binning::EqualWidthRightClosed)?;
    let row = |row: &ReliabilityRow| {
        let means = row.bin.means;
        json!({ "count": row.bin.count, "conf": means.map(|m| m.confidence), "acc": means.map(|m| m.accuracy) })
    };
    Ok(json!({
        "ece_right_closed": right.expected, "mce_right_closed": right.maximum,
        "rms_right_closed": right.root_mean_square,
        "ece_left_closed": left.expected, "mce_left_closed": left.maximum,
        "ece_equal_mass": mass.expected, "mce_equal_mass": mass.maximum,
        "bins_right_closed": table.iter().map(row).collect::<Vec<_>>(),
    }))
}

fn ece_from_bins(inputs: &Value) -> Result<Value> {
    let bin = |((&count, confidence), accuracy): ((&u64, &Value), &Value)| {
        let present = !confidence.is_null() && !accuracy.is_null();
        let means = present.then(|| BinMeans { confidence: number(confidence), accuracy: number(accuracy) });
        Bin { count, means }
    };
    let (confidence, accuracy) = (inputs["avg_conf"].as_array(), inputs["acc"].as_array());
    let means = confidence.into_iter().flatten().zip(accuracy.into_iter().flatten());
    let sizes = counts(&inputs["count"])?;
    let bins: Vec<Bin> = sizes.iter().zip(means).map(|(count, (c, a))| bin(((count, c), a))).collect();
    let errors = errors_from_bins(&bins)?;
    Ok(json!({ "ece": errors.expected, "mce": errors.maximum }))
}

fn binary_prob_metrics(case: &Case<'_>) -> Result<Value> {
    let inputs = case.inputs;
    let (p, y) = (numbers(&inputs["p"]), flags(&inputs["y"])?);
    let parts = |groups| brier_decomposition(&p, &y, groups);
    let murphy = |parts: &BrierDecomposition| {
        json!({
            "reliability": parts.reliability, "resolution": parts.resolution, "uncertainty": parts.uncertainty,
            "wbv": parts.within_bin_variance, "wbc": parts.within_bin_covariance,
        })
    };
    let reversed: Vec<f64> = p.iter().map(|p| -p).collect();
    let others: Vec<bool> = y.iter().map(|y| !y).collect();
    // With one class these are undefined while the other scores are not; a case of undefined inputs asks for a refusal.
    let refusal = case.expected.get("error_or_undefined").is_some();
    let defined = |value: Result<f64>| match value {
        Err(error) if refusal => Err(error),
        other => Ok(other.ok()),
    };
    Ok(json!({
        "brier": brier_score(&p, &y)?,
        "log_loss": log_loss(&p, &y)?,
        "roc_auc": defined(roc_auc(&p, &y))?,
        "roc_auc_rev": defined(roc_auc(&reversed, &others))?,
        "average_precision": defined(average_precision(&p, &y))?,
        "brier_skill_score": defined(brier_skill_score(&p, &y))?,
        "murphy": murphy(&parts(ForecastGroups::DistinctValues)?),
        "murphy_bins10": murphy(&parts(ForecastGroups::EqualWidth(10))?),
    }))
}

fn temperature_scaling(inputs: &Value) -> Result<Value> {
    let logits = rows(&inputs["logits"]);
    let labels: Vec<usize> = counts(&inputs["y"])?.into_iter().map(|label| label as usize).collect();
    let fit = fit_temperature(&logits, &labels)?;
    Ok(json!({ "T": fit.temperature, "nll_before": fit.loss_before, "nll_after": fit.loss_after }))
}

fn platt(inputs: &Value) -> Result<Value> {
    let fit = fit_platt(&numbers(&inputs["scores"]), &flags(&inputs["y"])?)?;
    Ok(json!({ "a": fit.slope, "b": fit.intercept, "p_at_0": fit.apply(0.0)? }))
}

fn isotonic(inputs: &Value) -> Result<Value> {
    let x = numbers(&inputs["x"]);
    let fit = fit_isotonic(&x, &numbers(&inputs["y"]))?;
    let predict = |scores: &[f64]| -> Result<Vec<f64>> { scores.iter().map(|&score| fit.apply(score)).collect() };
    Ok(json!({ "fitted": predict(&x)?, "query_pred": predict(&numbers(&inputs["query"]))? }))
}
