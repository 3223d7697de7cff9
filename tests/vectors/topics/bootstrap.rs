//! Topic 05: bootstrap intervals. Given replicates and ideal distributions are compared number by number; fresh
//! Monte Carlo runs are held to four standard errors of both runs.

use evalgauge::stats::bootstrap::{
    Bca, Replicates, Resampling, Ties, acceleration, cluster_totals, independent_difference_replicates, jackknife,
    jackknife_standard_error, mean_acceleration, mean_replicates, ratio_acceleration, ratio_replicates, resampled,
    studentized, studentized_mean,
};
use evalgauge::stats::bootstrap_ideal::IdealBootstrap;
use evalgauge::stats::mean::{MeanEstimate, differences, mean, t_interval};
use evalgauge::stats::{Alpha, Interval, Result, StatError};
use serde_json::{Value, json};

use super::inputs::{alpha, answer, interval, labels, number, numbers, unless_a_point};
use crate::{Answer, Case};

/// Resamples of a fresh run: enough for bounds well inside the published tolerance for 10,000.
const FRESH: Resampling = Resampling { replicates: 40_000, seed: 20_240_229 };

/// Answers the three bootstrap functions.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    match case.function {
        "bootstrap_given_replicates" => Some(answer(given(case))),
        "bootstrap_exact_ideal" => Some(answer(ideal(case))),
        "bootstrap_reference" => Some(match fresh(case) {
            Ok(fresh) => Answer::Checked(fresh.check(case)),
            Err(why) => Answer::Refused(why.to_string()),
        }),
        _ => None,
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}

fn corrected(bca: Bca) -> Value {
    let mut out = interval(bca.interval);
    if let Some(correction) = bca.correction {
        out["z0"] = json!(correction.z0);
        out["a"] = json!(correction.acceleration);
        out["alpha1"] = json!(correction.low_level);
        out["alpha2"] = json!(correction.high_level);
    }
    out
}

fn given(case: &Case<'_>) -> Result<Value> {
    let (alpha, mut data) = (alpha(case.inputs)?, numbers(&case.inputs["data"]));
    let theta = match case.inputs["statistic"].as_str() {
        Some("mean") => mean(&data)?,
        Some("median") => median(&mut data),
        _ => return Err(StatError::Undefined("a statistic of an unknown name")),
    };
    let (drawn, jackknife) = (numbers(&case.inputs["replicates"]), numbers(&case.inputs["jackknife"]));
    from_replicates(case, alpha, theta, &data, &drawn, &jackknife)
}

fn from_replicates(
    case: &Case<'_>,
    alpha: Alpha,
    theta: f64,
    data: &[f64],
    drawn: &[f64],
    jackknife: &[f64],
) -> Result<Value> {
    let a = acceleration(jackknife)?;
    let replicates = Replicates::new(theta, drawn.to_vec())?;
    let limits = |name: &str, ours: Result<Value>| unless_a_point(&case.expected[name], ours);
    let half = || replicates.bca_with(alpha, a, Ties::Half).map(corrected);
    let mut out = json!({
        "theta": theta,
        "percentile": limits("percentile", replicates.percentile(alpha).map(interval)),
        "basic": limits("basic", replicates.basic(alpha).map(interval)),
        "boot_se_ddof1": replicates.standard_error(),
        "jackknife_se": jackknife_standard_error(jackknife)?,
        "bca_midrank": limits("bca_midrank", half()),
        "bca_harness": limits("bca_harness", half()),
        "bca_strict": limits("bca_strict", replicates.bca_with(alpha, a, Ties::None).map(corrected)),
    });
    if case.inputs.get("replicate_se").is_some() {
        let errors = numbers(&case.inputs["replicate_se"]);
        let se = MeanEstimate::of(data)?.se;
        let result = studentized(theta, se, drawn, &errors, alpha)?;
        out["studentized"] = json!({"low": result.interval.low, "high": result.interval.high, "se": result.se});
    }
    Ok(out)
}

fn ideal(case: &Case<'_>) -> Result<Value> {
    let (alpha, data) = (alpha(case.inputs)?, numbers(&case.inputs["data"]));
    let ideal = IdealBootstrap::of_mean(&data)?;
    let low = ideal.quantile(alpha.get() / 2.0);
    let high = ideal.quantile(1.0 - alpha.get() / 2.0);
    Ok(json!({
        "mean": ideal.estimate(),
        "exact_boot_se": ideal.standard_error(),
        "percentile_exact": unless_a_point(&case.expected["percentile_exact"], ideal.percentile(alpha).map(interval)),
        "cdf_at_low": low.cdf,
        "cdf_below_low": low.cdf_below,
        "cdf_at_high": high.cdf,
        "cdf_below_high": high.cdf_below,
    }))
}

/// What a fresh run gave.
struct Fresh {
    alpha: Alpha,
    replicates: Replicates,
    acceleration: Option<f64>,
    studentized: Option<Interval>,
    t_interval: Option<Interval>,
    clusters: Option<usize>,
    /// Distance of neighbouring replicates, for scores on a lattice.
    step: Option<f64>,
}

fn fresh(case: &Case<'_>) -> Result<Fresh> {
    let alpha = alpha(case.inputs)?;
    match case.inputs["statistic"].as_str() {
        Some("mean") => of_mean(alpha, &numbers(&case.inputs["data"])),
        Some("median") => of_median(alpha, &numbers(&case.inputs["data"])),
        Some("mean(a-b)") => {
            differences(&numbers(&case.inputs["a"]), &numbers(&case.inputs["b"])).and_then(|d| paired(alpha, &d))
        }
        Some("mean(a)-mean(b)") => independent(alpha, &numbers(&case.inputs["a"]), &numbers(&case.inputs["b"])),
        Some("ratio_mean") => clustered(alpha, &numbers(&case.inputs["y"]), &labels(&case.inputs["cluster"])),
        _ => Err(StatError::Undefined("a statistic of an unknown name")),
    }
}

fn of_mean(alpha: Alpha, data: &[f64]) -> Result<Fresh> {
    Ok(Fresh {
        studentized: Some(studentized_mean(data, FRESH, alpha)?.interval),
        t_interval: Some(t_interval(data, alpha)?),
        ..paired(alpha, data)?
    })
}

fn paired(alpha: Alpha, differences: &[f64]) -> Result<Fresh> {
    let (replicates, a) = (mean_replicates(differences, FRESH)?, mean_acceleration(differences)?);
    let step = IdealBootstrap::of_mean(differences).ok().map(|ideal| ideal.step());
    Ok(Fresh { alpha, replicates, acceleration: Some(a), studentized: None, t_interval: None, clusters: None, step })
}

fn of_median(alpha: Alpha, data: &[f64]) -> Result<Fresh> {
    let statistic = |drawn: &[usize]| Some(median(&mut drawn.iter().map(|&i| data[i]).collect::<Vec<_>>()));
    let theta = median(&mut data.to_vec());
    let replicates = Replicates::new(theta, resampled(data.len(), FRESH, statistic)?)?;
    let a = acceleration(&jackknife(data.len(), statistic)?)?;
    Ok(Fresh {
        alpha,
        replicates,
        acceleration: Some(a),
        studentized: None,
        t_interval: None,
        clusters: None,
        step: None,
    })
}

fn independent(alpha: Alpha, a: &[f64], b: &[f64]) -> Result<Fresh> {
    let replicates = independent_difference_replicates(a, b, FRESH)?;
    Ok(Fresh { alpha, replicates, acceleration: None, studentized: None, t_interval: None, clusters: None, step: None })
}

fn clustered(alpha: Alpha, y: &[f64], clusters: &[String]) -> Result<Fresh> {
    let totals = cluster_totals(y, clusters)?;
    let (replicates, a) = (ratio_replicates(&totals, FRESH)?, ratio_acceleration(&totals)?);
    let clusters = Some(totals.len());
    Ok(Fresh { alpha, replicates, acceleration: Some(a), studentized: None, t_interval: None, clusters, step: None })
}

impl Fresh {
    fn check(&self, case: &Case<'_>) -> std::result::Result<(), String> {
        let expected = case.expected;
        let field = |name: &str| expected.get(name).map(number).filter(|x| x.is_finite());
        let b = |replicates: f64| 4.0 / replicates.sqrt();
        // Four standard errors of this run and of the reference; discrete data may be off by a step as well.
        let errors = b(FRESH.replicates as f64) + b(field("B_ref").unwrap_or(200_000.0));
        let step = field("lattice_step").or(self.step).unwrap_or(0.0);
        let unit = |name: &str| field(name).map_or(case.tolerance.0, |unit| unit * errors + step);
        let mut wrong = Vec::new();
        let mut near = |name: &str, reference: Option<&Value>, got: f64, tolerance: f64| {
            if let Some(reference) = reference.map(number)
                && (reference - got).abs() > tolerance
            {
                wrong.push(format!("{name}: expected {reference} within {tolerance}, got {got}"));
            }
        };
        let mut limits = |name: &str, got: Interval, low: f64, high: f64| {
            let of = |end| expected.get(name).and_then(|limits| limits.get(end));
            near(&format!("{name}/low"), of("low"), got.low, low);
            near(&format!("{name}/high"), of("high"), got.high, high);
        };
        let (low, high) = (unit("mc_sd_unit_low"), unit("mc_sd_unit_high"));
        let [percentile, basic] = [self.replicates.percentile(self.alpha), self.replicates.basic(self.alpha)];
        limits("percentile", percentile.map_err(|e| e.to_string())?, low, high);
        limits("basic", basic.map_err(|e| e.to_string())?, high, low);
        if let Some(studentized) = self.studentized {
            let unit = expected["studentized"].get("mc_sd_unit").map_or(case.tolerance.0, |unit| number(unit) * errors);
            limits("studentized", studentized, unit, unit);
        }
        if let Some(exact) = self.t_interval {
            limits("t_interval", exact, 1e-9, 1e-9);
        }
        if let Some(a) = self.acceleration {
            let bca = self.replicates.bca(self.alpha, a).map_err(|e| e.to_string())?;
            limits("bca", bca.interval, unit("bca_mc_sd_unit_low"), unit("bca_mc_sd_unit_high"));
            near("bca/a", expected["bca"].get("a"), a, 1e-9);
            let z0 = self.replicates.bias_correction(Ties::Half);
            // The share below the estimate has standard deviation at most 1/2, the normal density there is about 0.4.
            near("bca/z0", expected["bca"].get("z0"), z0, 1.3 * errors);
        }
        near("theta", expected.get("theta"), self.replicates.estimate(), 1e-9);
        let se = self.replicates.standard_error();
        near("boot_se", expected.get("boot_se"), se, se * errors);
        if let Some(clusters) = self.clusters {
            near("n_clusters", expected.get("n_clusters"), clusters as f64, 0.0);
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}
