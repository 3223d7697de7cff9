//! 13: confusion matrix and its scores.

use evalgauge::stats::Result;
use evalgauge::stats::classification::{Average, ConfusionMatrix, PrecisionRecall};
use serde_json::{Value, json};

use super::inputs::{answer, labels};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    (case.function == "classification").then(|| answer(classification(case.inputs)))
}

fn classification(inputs: &Value) -> Result<Value> {
    let matrix = ConfusionMatrix::from_labels(
        &labels(&inputs["y_true"]),
        &labels(&inputs["y_pred"]),
        &labels(&inputs["labels"]),
    )?;
    let classes = matrix.per_class();
    let column = |pick: fn(&PrecisionRecall) -> f64| classes.iter().map(pick).collect::<Vec<f64>>();
    let average = |average| {
        let scores = matrix.average(average);
        json!({ "precision": scores.precision, "recall": scores.recall, "f1": scores.f1 })
    };
    Ok(json!({
        "confusion": matrix.rows().collect::<Vec<_>>(),
        "accuracy": matrix.accuracy(),
        "balanced_accuracy": matrix.balanced_accuracy(),
        "mcc": matrix.matthews(),
        "per_class": {
            "precision": column(|class| class.precision), "recall": column(|class| class.recall),
            "f1": column(|class| class.f1), "support": matrix.support(),
        },
        "macro": average(Average::Macro),
        "micro": average(Average::Micro),
        "weighted": average(Average::Weighted),
        "fbeta_0.5": matrix.f_beta(0.5)?,
        "fbeta_2": matrix.f_beta(2.0)?,
    }))
}
