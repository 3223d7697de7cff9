//! Topic 03: two or more systems on the same items.

use evalgauge::stats::Result;
use evalgauge::stats::paired::{PairedTable, StandardErrorInterval, cochran_q};
use serde_json::{Value, json};

use super::inputs::{alpha, answer, count, flags, interval, unless_a_point};
use crate::{Answer, Case};

/// Answers `paired_binary` and `cochran_q`.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    match case.function {
        "paired_binary" => Some(answer(table(case))),
        "cochran_q" => Some(answer(several(case))),
        _ => None,
    }
}

fn with_se(result: StandardErrorInterval) -> Value {
    json!({"se": result.se, "low": result.interval.low, "high": result.interval.high})
}

fn table(case: &Case<'_>) -> Result<Value> {
    let alpha = alpha(case.inputs)?;
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| count(&case.inputs[name]));
    let table = PairedTable::new(a?, b?, c?, d?)?;
    let (plain, clamped) = (table.mcnemar_chi_squared(), table.mcnemar_corrected());
    let unclamped = table.mcnemar_corrected_unclamped();
    let limits =
        |name: &str, ours: Result<StandardErrorInterval>| unless_a_point(&case.expected[name], ours.map(with_se));
    Ok(json!({
        "n": table.pairs(),
        "diff": table.difference(),
        "p_exact": table.mcnemar_exact(),
        "p_mid_fagerland": table.mcnemar_mid_p(),
        "p_mid_doubling": table.mcnemar_mid_p_doubled(),
        "chi2": plain.statistic, "p_chi2": plain.p,
        "chi2_cc": unclamped.statistic, "p_chi2_cc": unclamped.p,
        "chi2_cc_clamped": clamped.statistic, "p_chi2_cc_clamped": clamped.p,
        "wald": limits("wald", table.wald(alpha)),
        "miller": limits("miller", table.miller(alpha)),
        "agresti_min_wald_plus2": interval(table.agresti_min(alpha)),
        "bonett_price": interval(table.bonett_price(alpha)),
        "newcombe_nocc": unless_a_point(&case.expected["newcombe_nocc"], table.newcombe_uncorrected(alpha).map(interval)),
        "newcombe_phi_cc": interval(table.newcombe(alpha)),
        "tango": interval(table.tango(alpha)),
    }))
}

fn several(case: &Case<'_>) -> Result<Value> {
    let rows: Vec<Vec<bool>> = case.inputs["x"].as_array().into_iter().flatten().map(flags).collect::<Result<_>>()?;
    let test = cochran_q(&rows)?;
    Ok(json!({"statistic": test.statistic, "pvalue": test.p, "df": test.df}))
}
