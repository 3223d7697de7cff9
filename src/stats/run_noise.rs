//! How much runs of one system on the same examples differ (A/A runs): flicker of single answers, and runs that move as a
//! whole.
//!
//! A hosted model, or a judge, that is a little better on Tuesdays moves all examples of a run together. A paired test
//! takes that for a regression, and more examples only make it surer. It shows as a variance between runs beyond what
//! flicker explains, and can be tolerated.

use serde::Serialize;

use super::special::beta_cdf;
use super::{Result, StatError, all_finite, at_least, same_length};

/// What A/A runs say of the difference between two runs of an unchanged system.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunNoise {
    /// Number of runs.
    pub runs: usize,
    /// Number of examples.
    pub examples: usize,
    /// Mean over everything.
    pub mean: f64,
    /// Standard deviation of the difference between two runs' means.
    pub delta_sd: f64,
    /// The part of it that flicker of single examples explains.
    pub flicker_sd: f64,
    /// The part that moves whole runs; 0 where flicker explains all.
    pub drift_sd: f64,
    /// p of "runs do not move as a whole": F test with (R − 1, (R − 1)(n − 1)) degrees of freedom; absent without flicker.
    pub drift_p: Option<f64>,
    /// The noise floor: twice `delta_sd`.
    pub floor: f64,
}

/// Two-way analysis of variance with random runs: `runs[r][i]` is the score of example `i` in run `r`.
///
/// With mean squares MS of runs and of the residuals, the difference of two runs' means has variance 2·MS(runs)/n, of which
/// flicker explains 2·MS(residual)/n; the rest, at least 0, is drift. Assumes that examples flicker independently of each
/// other. Few runs say little about drift: its estimate has R − 1 degrees of freedom.
///
/// Source: Scheffé 1959, The Analysis of Variance, chapter 7.
///
/// # Errors
/// [`StatError::TooFew`] below two runs or two examples, [`StatError::Lengths`] for runs of other examples,
/// [`StatError::OutOfRange`] for a score that is not finite.
pub fn run_noise<R: AsRef<[f64]>>(runs: &[R]) -> Result<RunNoise> {
    at_least("runs", 2, runs.len())?;
    let examples = runs[0].as_ref().len();
    at_least("examples", 2, examples)?;
    for run in runs {
        same_length("examples of a run", examples, run.as_ref().len())?;
        all_finite("score", run.as_ref())?;
    }
    let (r, n) = (runs.len() as f64, examples as f64);
    let of_runs: Vec<f64> = runs.iter().map(|run| run.as_ref().iter().sum::<f64>() / n).collect();
    let mean = of_runs.iter().sum::<f64>() / r;
    let between: f64 = of_runs.iter().map(|run| (run - mean) * (run - mean)).sum();
    let mut residual = 0.0;
    for example in 0..examples {
        let of_example = runs.iter().map(|run| run.as_ref()[example]).sum::<f64>() / r;
        for (run, of_run) in runs.iter().zip(&of_runs) {
            let rest = run.as_ref()[example] - of_example - of_run + mean;
            residual += rest * rest;
        }
    }
    let (df_runs, df_residual) = (r - 1.0, (r - 1.0) * (n - 1.0));
    let (ms_runs, ms_residual) = (n * between / df_runs, residual / df_residual);
    // Runs that repeat themselves leave only rounding.
    let rounding = 1e-24 * (1.0 + mean * mean);
    let flickers = ms_residual > rounding;
    let delta_sd = libm::sqrt(2.0 * ms_runs / n);
    Ok(RunNoise {
        runs: runs.len(),
        examples,
        mean,
        delta_sd,
        flicker_sd: if flickers { libm::sqrt(2.0 * ms_residual / n) } else { 0.0 },
        drift_sd: libm::sqrt(2.0 * (ms_runs - ms_residual).max(0.0) / n),
        drift_p: flickers.then(|| f_upper_tail(ms_runs / ms_residual, df_runs, df_residual)),
        floor: 2.0 * delta_sd,
    })
}

/// P(F > f).
fn f_upper_tail(f: f64, df1: f64, df2: f64) -> f64 {
    beta_cdf(df2 / (df2 + df1 * f), 0.5 * df2, 0.5 * df1)
}

impl RunNoise {
    /// A tolerance for the gate: the standard deviation of the drift between two runs.
    ///
    /// # Errors
    /// [`StatError::Undefined`] where flicker explains all that the runs differ by.
    pub fn tolerance(self) -> Result<f64> {
        if self.drift_sd > 0.0 {
            return Ok(self.drift_sd);
        }
        Err(StatError::Undefined("flicker explains all that the runs differ by: nothing is left to tolerate"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::{stream, uniform};

    #[test]
    fn a_small_table_by_hand() {
        // Means of the runs 2 and 3, of the examples 1.5, 2.5, 3.5; every residual is 0.5 or 0.
        let noise = run_noise(&[[1.0, 2.5, 2.5], [2.0, 2.5, 4.5]]).unwrap();
        // Runs: 3·(.25 + .25)/1 = 1.5. Residuals: ±0, ±.5, ∓.5, so 4·.25/2 = .5.
        assert!((noise.delta_sd * noise.delta_sd - 1.0).abs() < 1e-12);
        assert!((noise.flicker_sd * noise.flicker_sd - 1.0 / 3.0).abs() < 1e-12);
        assert!((noise.drift_sd * noise.drift_sd - 2.0 / 3.0).abs() < 1e-12);
        // F(1, 2) = 3: P = 1 - sqrt(3/5).
        assert!((noise.drift_p.unwrap() - (1.0 - 0.6_f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn drift_is_told_from_flicker() {
        let mut rng = stream(3, 0);
        let runs = |wobble: f64, rng: &mut crate::stats::rng::Stream| -> Vec<Vec<f64>> {
            (0..40)
                .map(|_| {
                    let moved = wobble * 3.0_f64.sqrt() * (2.0 * uniform(rng) - 1.0);
                    (0..500).map(|_| f64::from(u8::from(uniform(rng) < 0.7 + moved))).collect()
                })
                .collect()
        };
        let still = run_noise(&runs(0.0, &mut rng)).unwrap();
        let moving = run_noise(&runs(0.05, &mut rng)).unwrap();
        assert!(still.drift_p.unwrap() > 0.01 && moving.drift_p.unwrap() < 1e-6, "{still:?} {moving:?}");
        assert!((moving.drift_sd - 0.05 * 2.0_f64.sqrt()).abs() < 0.015, "{moving:?}");
    }

    #[test]
    fn runs_that_repeat_themselves_have_no_noise() {
        let noise = run_noise(&[[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]).unwrap();
        assert_eq!((noise.delta_sd, noise.drift_sd, noise.drift_p), (0.0, 0.0, None));
        assert!(noise.tolerance().is_err());
        assert!(run_noise(&[vec![1.0, 0.0], vec![1.0]]).is_err() && run_noise(&[[1.0, 0.0]]).is_err());
    }
}
