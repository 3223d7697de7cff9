//! Topic 16: pairwise strengths, tests without a distribution, drift.

use evalgauge::stats::Result;
use evalgauge::stats::drift::{
    fisher_exact, homogeneity, js_divergence, kl_divergence, population_stability_index, wasserstein, yates_chi_squared,
};
use evalgauge::stats::location::{
    cohens_d, hedges_g, hodges_lehmann, hodges_lehmann_shift, paired_t_test, welch_t_test,
};
use evalgauge::stats::mean::differences;
use evalgauge::stats::nonparametric::{
    Continuity, KolmogorovSmirnov, TieHandling, ZeroMethod, mann_whitney, mann_whitney_asymptotic, mann_whitney_exact,
    paired_permutation_exact, sign_test_of, wilcoxon_signed_rank, wilcoxon_signed_rank_exact,
};
use evalgauge::stats::ranking::{Game, bradley_terry, elo, win_rate};
use serde_json::{Map, Value, json};

use super::inputs::{alpha, answer, count, interval, number, numbers, rows};
use crate::{Answer, Case};

/// A number as the vectors write it.
fn extended(value: f64) -> Value {
    if value == f64::INFINITY { json!("Infinity") } else { json!(value) }
}

fn strengths(inputs: &Value) -> Result<Value> {
    let wins: Vec<Vec<f64>> = rows(&inputs["wins"]);
    let fit = bradley_terry(&wins)?;
    Ok(json!({
        "theta_centered": fit.log_strengths, "se_centered": fit.standard_errors,
        "nll": fit.negative_log_likelihood,
        "elo_scale_mean1000": fit.elo(1000.0), "p_win_matrix": fit.win_probabilities(),
    }))
}

fn ratings(inputs: &Value) -> Result<Value> {
    let player = |value: &Value| count(value).map(|number| number as usize);
    let game = |game: &Value| Ok(Game { first: player(&game[0])?, second: player(&game[1])?, score: number(&game[2]) });
    let games: Vec<Game> = inputs["games"].as_array().unwrap().iter().map(game).collect::<Result<_>>()?;
    let players = player(&inputs["n_players"])?;
    Ok(json!({"ratings": elo(&games, players, number(&inputs["k"]), number(&inputs["init"]))?}))
}

fn preferences(inputs: &Value) -> Result<Value> {
    let [wins, losses, ties] = ["wins", "losses", "ties"].map(|name| count(&inputs[name]));
    let rate = win_rate(wins?, losses?, ties?, alpha(inputs)?)?;
    Ok(json!({
        "win_rate": rate.rate, "win_rate_excl_ties": rate.rate_without_ties, "sign_test_p": rate.sign_test_p,
        "se_clt": rate.standard_error, "wilson_excl_ties": rate.interval_without_ties.map(interval),
    }))
}

fn paired(inputs: &Value) -> Result<Value> {
    let d = differences(&numbers(&inputs["x"]), &numbers(&inputs["y"]))?;
    let mut out = Map::new();
    let methods = [("wilcox", ZeroMethod::Drop), ("pratt", ZeroMethod::Pratt), ("zsplit", ZeroMethod::Split)];
    for (name, zeros) in methods {
        for (suffix, continuity) in [("cc0", Continuity::Uncorrected), ("cc1", Continuity::Corrected)] {
            // An undefined p has no statistic of ours either; the library in the vectors prints 0.
            let shown = wilcoxon_signed_rank(&d, zeros, continuity)
                .map_or(json!({"statistic": 0.0}), |test| json!({"statistic": test.statistic, "p": test.p}));
            out.insert(format!("wilcoxon_{name}_{suffix}"), shown);
        }
    }
    if let Ok(exact) = wilcoxon_signed_rank_exact(&d) {
        out.insert("wilcoxon_exact".into(), json!({"statistic": exact.statistic, "p": exact.p}));
    }
    if let Ok(p) = paired_permutation_exact(&d) {
        out.insert("perm_exact_p_mean_diff".into(), json!(p));
        out.insert("perm_scipy_p".into(), json!(p));
    }
    if let Ok(test) = paired_t_test(&d) {
        out.insert("t".into(), json!(test.t));
        out.insert("t_p".into(), json!(test.p));
    }
    out.insert("sign_test_p".into(), json!(sign_test_of(&d)?));
    out.insert("hodges_lehmann_paired".into(), json!(hodges_lehmann(&d)?));
    Ok(Value::Object(out))
}

fn two_samples(inputs: &Value) -> Result<Value> {
    let (x, y) = (numbers(&inputs["x"]), numbers(&inputs["y"]));
    let rank_sum = mann_whitney(&x, &y)?;
    let with_u = |p: Result<f64>| json!({"U": rank_sum.u, "p": p.ok()});
    let ks = KolmogorovSmirnov::new(&x, &y)?;
    let welch = welch_t_test(&x, &y).ok();
    Ok(json!({
        "mwu_asymptotic": with_u(mann_whitney_asymptotic(&x, &y, Continuity::Corrected)),
        "mwu_asymptotic_nocc": with_u(mann_whitney_asymptotic(&x, &y, Continuity::Uncorrected)),
        "mwu_exact": with_u(mann_whitney_exact(&x, &y)),
        "auc": rank_sum.auc, "cliffs_delta": rank_sum.cliffs_delta,
        "ks_d": ks.d, "ks_p_kolmogorov_limit": ks.limit_p(), "ks_p_scipy_asymp": ks.effective_size_p(),
        "ks_p_exact": ks.exact_p(TieHandling::Conditional)?,
        "ks_p_exact_tie_aware_R": ks.exact_p(TieHandling::Conditional)?,
        "ks_p_exact_scipy_ignoring_ties": ks.exact_p(TieHandling::Ignored)?,
        "welch_t": welch.map(|test| test.t), "welch_p": welch.map(|test| test.p), "welch_df": welch.map(|test| test.df),
        "cohens_d": cohens_d(&x, &y).ok(), "hedges_g": hedges_g(&x, &y).ok(),
        "hodges_lehmann_shift": hodges_lehmann_shift(&x, &y)?, "wasserstein1": wasserstein(&x, &y)?,
    }))
}

fn shift(inputs: &Value) -> Result<Value> {
    let (a, b) = (numbers(&inputs["counts_a"]), numbers(&inputs["counts_b"]));
    let test = homogeneity(&a, &b)?;
    let mut out = json!({
        "psi_eps1e-4": population_stability_index(&a, &b)?,
        "kl_a_b": extended(kl_divergence(&a, &b)?), "kl_b_a": extended(kl_divergence(&b, &a)?),
        "js_divergence_nats": js_divergence(&a, &b)?,
        "chi2": test.chi_squared, "chi2_p": test.p, "dof": test.df,
        "g_stat": test.g, "g_p": test.g_p, "cramers_v": test.cramers_v,
    });
    if a.len() == 2 {
        out["chi2_yates"] = json!(yates_chi_squared(&a, &b)?);
        out["fisher_p"] = json!(fisher_exact([a[0] as u64, a[1] as u64], [b[0] as u64, b[1] as u64]));
    }
    Ok(out)
}

/// Answers the functions of this topic.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    let compute = match case.function {
        "bradley_terry" => strengths,
        "elo" => ratings,
        "win_rate" => preferences,
        "paired_nonparam" => paired,
        "two_sample" => two_samples,
        "distribution_shift" => shift,
        _ => return None,
    };
    Some(answer(compute(case.inputs)))
}
