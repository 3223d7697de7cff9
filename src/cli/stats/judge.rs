//! A judge in place of humans: the rate behind its errors, and whether it may stand in for an annotator.

use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Input, Rows, counts, flag, numbers_or_file, several};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::alt_test::{AltTestOptions, Scoring, alt_test};
use crate::stats::bootstrap::Resampling;
use crate::stats::judge_bias::{JudgeTable, Resample, bootstrap_interval, delta_interval, lee_interval, rogan_gladen};
use crate::stats::ppi::{Tuning, ppi_mean};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct CorrectedArgs {
    /// TRUE-PASS FALSE-FAIL TRUE-FAIL FALSE-PASS of the labelled items (label and verdict pass, label pass and verdict
    /// fail, both fail, label fail and verdict pass), then PASSED UNLABELLED; or a table
    #[arg(required = true, value_name = "FILE|COUNT…", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the human label, 0 or 1; empty where there is none
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Column of the judge's verdict, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    verdict: Option<String>,
}

/// `stats judge-corrected`
pub(super) fn corrected(args: &CorrectedArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let (table, passed, unlabelled, ppi) = match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            let names = ["TRUE-PASS", "FALSE-FAIL", "TRUE-FAIL", "FALSE-PASS", "PASSED", "UNLABELLED"];
            let [true_pass, false_fail, true_fail, false_pass, passed, unlabelled] = counts(&numbers, names)?;
            (JudgeTable { true_pass, false_fail, true_fail, false_pass }, passed, unlabelled, None)
        }
        Input::File(path) => {
            let wanted = [
                (flag(args.label.as_ref(), "label")?, Want::Number),
                (flag(args.verdict.as_ref(), "verdict")?, Want::Number),
            ];
            let rows = Rows::read(&path, &wanted)?;
            let labelled = rows.complete(&[0, 1]);
            let only_judged: Vec<usize> =
                rows.complete(&[1]).into_iter().filter(|&row| rows.number(0, row).is_none()).collect();
            let (labels, verdicts) = (rows.outcomes(0, &labelled)?, rows.outcomes(1, &labelled)?);
            let rest = rows.outcomes(1, &only_judged)?;
            let passed = rest.iter().filter(|&&passed| passed).count() as u64;
            let (y, f, more) = (rows.values(0, &labelled), rows.values(1, &labelled), rows.values(1, &only_judged));
            let ppi = ppi_mean(&y, &f, &more, Tuning::Estimated, alpha);
            (JudgeTable::from_labels(&labels, &verdicts)?, passed, rest.len() as u64, Some(ppi))
        }
    };
    let judged = rogan_gladen(table, passed, unlabelled)?;
    let draw = Resampling::seeded(seed);
    let entry = Entry::new()
        .put("rate", judged.rate)
        .attempt("interval", lee_interval(&judged, alpha).map(|found| found.interval))
        .put("raw_rate", judged.raw_rate)
        .put("sensitivity", judged.sensitivity)
        .put("specificity", judged.specificity)
        .put("unclipped", judged.unclipped)
        .put("labelled", table.true_pass + table.false_fail + table.true_fail + table.false_pass)
        .put("unlabelled", unlabelled)
        .put("table", table)
        .attempt("delta_method", delta_interval(&judged, alpha))
        .attempt("bootstrap", bootstrap_interval(&judged, Resample::Both, draw, alpha))
        .put("seed", seed);
    let entry = match ppi {
        Some(ppi) => entry.attempt("ppi", ppi),
        None => entry,
    };
    Ok(Sheet::new(entry).confidence(alpha))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AltTestArgs {
    /// A table with one row an item; empty cells are gaps
    file: PathBuf,
    /// Columns of the human annotators
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true)]
    humans: Vec<String>,
    /// Column of the judge
    #[arg(long, value_name = "COLUMN")]
    judge: String,
    /// How much worse the judge may do for being cheaper: .2 against experts, .15 skilled annotators, .1 crowd workers
    #[arg(long, value_name = "X", default_value_t = 0.2)]
    epsilon: f64,
    /// Annotators with fewer items are left out
    #[arg(long, value_name = "N", default_value_t = 30)]
    min_items: usize,
    /// The columns are scores, not labels
    #[arg(long)]
    scores: bool,
}

/// `stats alt-test`
pub(super) fn alternative(args: &AltTestArgs, alpha: Alpha) -> Found<Sheet> {
    let humans = several(&args.humans, "humans", 2)?;
    let want = if args.scores { Want::Number } else { Want::Category };
    let wanted: Vec<(&str, Want)> =
        humans.iter().copied().chain([args.judge.as_str()]).map(|name| (name, want)).collect();
    let rows = Rows::read(&args.file, &wanted)?;
    let mut labels: Vec<String> = Vec::new();
    let mut annotations: Vec<Vec<Option<f64>>> = Vec::new();
    for column in 0..wanted.len() {
        let of = |row: usize, labels: &mut Vec<String>| -> Option<f64> {
            if args.scores {
                return rows.number(column, row);
            }
            let name = rows.name(column, row)?;
            let place = labels.iter().position(|label| label == name).unwrap_or_else(|| {
                labels.push(name.to_owned());
                labels.len() - 1
            });
            Some(place as f64)
        };
        annotations.push((0..rows.len()).map(|row| of(row, &mut labels)).collect());
    }
    let judge = annotations.pop().unwrap_or_default();
    let options = AltTestOptions {
        scoring: if args.scores { Scoring::NegativeRmse } else { Scoring::Accuracy },
        epsilon: args.epsilon,
        q: alpha,
        min_instances: args.min_items,
    };
    let found = alt_test(&annotations, &judge, &options)?;
    let rows =
        found.annotators.iter().map(|against| Entry::new().put("human", humans[against.annotator]).fields(against));
    let entry = Entry::new()
        .put("passes", found.passes)
        .put("winning_rate", found.winning_rate)
        .put("advantage_probability", found.advantage_probability)
        .put("epsilon", args.epsilon)
        .put("q", alpha.get());
    let columns = &["human", "instances", "judge_advantage", "human_advantage", "p", "judge_wins"];
    Ok(Sheet::new(entry).table("annotators", rows.collect(), columns))
}
