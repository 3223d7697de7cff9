//! Mean scores and repeated attempts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::input::{Found, Input, Rows, count, counts, flag, numbers_or_file, refused, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::bootstrap::{
    Replicates, Resampling, cluster_totals, ratio_acceleration, ratio_replicates, studentized_mean,
};
use crate::stats::mean::{ClusteredMean, MeanEstimate, clustered_mean, trial_variance};
use crate::stats::pass_at_k::{Criterion, pass_at_k, pass_hat_k, suite};
use crate::stats::proportion::Proportion;
use crate::stats::run_noise::run_noise;
use crate::table::Want;

/// Below this number of groups a clustered standard error is itself uncertain.
const FEW_GROUPS: usize = 30;

#[derive(Debug, Args)]
pub(in crate::cli) struct MeanArgs {
    /// Values, or a table
    #[arg(required = true, value_name = "FILE|VALUE…", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the score
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// Column of the unit that is independent of the others: the example where there are trials, the conversation
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// One mean for each value of this column as well
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Bootstrap intervals beside the t interval: percentile, BCa, studentized
    #[arg(long)]
    bootstrap: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PasskArgs {
    /// ATTEMPTS PASSES K, or a table with one row an attempt
    #[arg(required = true, value_name = "FILE|ATTEMPTS PASSES K", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the problem
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column of the attempt's number; a problem may have each only once
    #[arg(long, value_name = "COLUMN")]
    trial: Option<String>,
    /// Column of the outcome, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// One estimate for each value of this column of problems as well
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// How many attempts are allowed [default: 1 to the fewest attempts of a problem, at most 10]
    #[arg(long, value_name = "K,…", value_delimiter = ',')]
    k: Vec<u64>,
    /// pass^k: all k attempts pass [default: pass@k, at least one passes]
    #[arg(long)]
    hat: bool,
}

/// `stats mean`
pub(super) fn mean(args: &MeanArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let draw = args.bootstrap.then(|| Resampling::seeded(seed));
    match numbers_or_file(&args.input)? {
        Input::Numbers(values) => {
            let own: Vec<usize> = (0..values.len()).collect();
            Ok(Sheet::new(one_mean(Entry::new(), &values, &own, false, alpha, draw)?).confidence(alpha))
        }
        Input::File(path) => {
            let mut wanted = vec![(flag(args.score.as_ref(), "score")?, Want::Number)];
            wanted.extend(args.group.as_deref().map(|group| (group, Want::Category)));
            wanted.extend(args.by.as_deref().map(|by| (by, Want::Category)));
            let rows = Rows::read(&path, &wanted)?;
            let is_grouped = args.group.is_some();
            let complete = rows.complete(if is_grouped { &[0, 1] } else { &[0] });
            let one = |entry: Entry, members: &[usize]| -> Found<Entry> {
                let values = rows.values(0, members);
                if is_grouped {
                    one_mean(entry, &values, &rows.names(1, members), true, alpha, draw)
                } else {
                    one_mean(entry, &values, members, false, alpha, draw)
                }
            };
            let entry = one(Entry::new(), &complete)?.put("left_out", rows.len() - complete.len());
            let mut sheet = Sheet::new(entry).confidence(alpha);
            if args.by.is_some() {
                let slices = rows.slices(wanted.len() - 1, &complete);
                let found = slices.iter().map(|(name, members)| {
                    let entry = Entry::new().put("value", name);
                    match one(entry.clone(), members) {
                        Err(super::input::Stop::Refused(why)) => Ok(entry.put("n", members.len()).reason(&why)),
                        other => other,
                    }
                });
                let columns = &["value", "mean", "interval", "n", "clusters", "se", "se_naive"];
                sheet = sheet.table("slices", found.collect::<Found<_>>()?, columns);
            }
            Ok(sheet)
        }
    }
}

fn one_mean<K: Eq + std::hash::Hash>(
    entry: Entry,
    values: &[f64],
    groups: &[K],
    is_grouped: bool,
    alpha: Alpha,
    draw: Option<Resampling>,
) -> Found<Entry> {
    let found: ClusteredMean = clustered_mean(values, groups)?;
    let estimate = found.estimate();
    let varies = values.iter().any(|&value| value != values[0]);
    let is_binary = values.iter().all(|&value| value == 0.0 || value == 1.0);
    // Values that do not vary have a standard error of 0 on paper, which would be a false certainty.
    let known = |se: f64| estimate.as_ref().is_ok_and(|estimate| estimate.t().is_ok()).then_some(se);
    let interval = estimate.clone().and_then(|estimate| estimate.t_interval(alpha));
    let entry = entry.put("mean", found.mean);
    let entry = match (interval, varies, values[0]) {
        (Ok(interval), ..) => {
            // Rates stay rates.
            let interval = if is_binary { interval.clipped(0.0, 1.0) } else { interval };
            let entry = entry.put("interval", interval).put("interval_method", "t on groups (CR1)");
            if is_binary && !is_grouped {
                let passed = values.iter().filter(|&&value| value == 1.0).count() as u64;
                entry.put("wilson", Proportion::new(passed, values.len() as u64)?.wilson(alpha))
            } else {
                entry
            }
        }
        // Nothing varies, but the outcomes are 0 or 1: the groups are what one knows, each counted once.
        (Err(_), false, value @ (0.0 | 1.0)) => {
            let groups = found.clusters as u64;
            let all = Proportion::new(if value == 1.0 { groups } else { 0 }, groups)?;
            entry
                .put("interval", all.wilson(alpha))
                .put("interval_method", "Wilson on the number of groups")
                .reason("the outcomes do not vary, so there is no t interval")
        }
        (Err(error), ..) => entry.put("interval", serde_json::Value::Null).reason(&format!("interval: {error}")),
    };
    let entry = entry
        .put("n", found.n)
        .put("clusters", found.clusters)
        .put("se", estimate.as_ref().ok().and_then(|estimate| known(estimate.se)))
        .put("df", estimate.as_ref().ok().map(|estimate| estimate.df))
        .put("se_naive", varies.then_some(found.se_independent))
        .put("design_effect", found.design_effect())
        .put("cr0", known(found.cr0))
        .put("cr1", found.cr1.and_then(known))
        .put("miller", known(found.miller));
    let entry = match draw {
        Some(draw) => bootstrapped(entry, values, groups, is_grouped, alpha, draw),
        None => entry,
    };
    if is_grouped && found.clusters < FEW_GROUPS {
        let few =
            format!("only {} groups: fewer than {FEW_GROUPS} make the standard error itself uncertain", found.clusters);
        return Ok(entry.put("warning", few));
    }
    Ok(entry)
}

fn bootstrapped<K: Eq + std::hash::Hash>(
    entry: Entry,
    values: &[f64],
    groups: &[K],
    is_grouped: bool,
    alpha: Alpha,
    draw: Resampling,
) -> Entry {
    let totals = cluster_totals(values, groups);
    let replicates = totals.as_ref().map_err(Clone::clone).and_then(|totals| ratio_replicates(totals, draw));
    let acceleration = totals.and_then(|totals| ratio_acceleration(&totals));
    let of = |make: &dyn Fn(&Replicates) -> crate::stats::Result<crate::stats::Interval>| {
        replicates.as_ref().map_err(Clone::clone).and_then(make)
    };
    let boot = Entry::new()
        .attempt("percentile", of(&|r| r.percentile(alpha)))
        .attempt("bca", acceleration.and_then(|a| of(&|r| r.bca(alpha, a).map(|bca| bca.interval))));
    let boot = if is_grouped {
        boot
    } else {
        boot.attempt("studentized", studentized_mean(values, draw, alpha).map(|found| found.interval))
    };
    entry.put("bootstrap", boot.fields(draw).put("generator", crate::stats::rng::ALGORITHM))
}

/// One problem's attempts.
struct Attempts {
    made: Vec<u64>,
    passed: Vec<u64>,
}

/// `stats passk`
pub(super) fn passk(args: &PasskArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let criterion = if args.hat { Criterion::AllPass } else { Criterion::AnyPasses };
    let name = if args.hat { "pass^k" } else { "pass@k" };
    let method = if args.hat {
        "pass^k = C(c, k)/C(n, k), unbiased (Yao et al. 2024)"
    } else {
        "pass@k = 1 − C(n − c, k)/C(n, k), unbiased (Chen et al. 2021)"
    };
    match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            let [attempts, passes, k] = match (&numbers[..], &args.k[..]) {
                (&[attempts, passes], &[k]) => [count("ATTEMPTS", attempts)?, count("PASSES", passes)?, k],
                _ => counts(&numbers, ["ATTEMPTS", "PASSES", "K"])?,
            };
            let estimate = if args.hat { pass_hat_k } else { pass_at_k }(attempts, passes, k)?;
            let entry = Entry::new()
                .put("estimate", estimate)
                .put("criterion", name)
                .put("attempts", attempts)
                .put("passes", passes)
                .put("k", k);
            Ok(Sheet::new(entry).method(method))
        }
        Input::File(path) => {
            let mut wanted = vec![
                (flag(args.group.as_ref(), "group")?, Want::Category),
                (flag(args.score.as_ref(), "score")?, Want::Number),
            ];
            wanted.extend(args.trial.as_deref().map(|trial| (trial, Want::Category)));
            wanted.extend(args.by.as_deref().map(|by| (by, Want::Category)));
            let rows = Rows::read(&path, &wanted)?;
            let complete = rows.complete(if args.trial.is_some() { &[0, 1, 2] } else { &[0, 1] });
            if args.trial.is_some() {
                once(&rows, &complete, &path)?;
            }
            let all = attempts(&rows, &complete)?;
            let draw = Resampling::seeded(seed);
            let ks = wanted_ks(args, &all);
            let found = estimates(&all, &ks, criterion, alpha, draw)?;
            let entry = Entry::new()
                .put("criterion", name)
                .put("problems", all.made.len())
                .put("attempts", all.made.iter().sum::<u64>())
                .put("passes", all.passed.iter().sum::<u64>())
                .put("left_out", rows.len() - complete.len())
                .put("seed", seed);
            let columns = &["k", "estimate", "interval", "t_interval", "se"];
            let mut sheet = Sheet::new(entry)
                .method(format!("{method}; percentile bootstrap over problems"))
                .confidence(alpha)
                .table("results", found, columns);
            if args.by.is_some() {
                let mut slices = Vec::new();
                for (value, members) in rows.slices(wanted.len() - 1, &complete) {
                    let part = attempts(&rows, &members)?;
                    let most = part.made.iter().copied().min().unwrap_or(0);
                    let ks: Vec<u64> = ks.iter().copied().filter(|&k| k <= most).collect();
                    for entry in estimates(&part, &ks, criterion, alpha, draw)? {
                        slices.push(entry.put("value", &value).put("problems", part.made.len()));
                    }
                }
                sheet = sheet.table("slices", slices, &["value", "problems", "k", "estimate", "interval", "se"]);
            }
            Ok(sheet)
        }
    }
}

/// Refuses a problem that has an attempt twice: the file would be counted double.
fn once(rows: &Rows, members: &[usize], path: &Path) -> Found<()> {
    let mut seen = HashSet::new();
    for &row in members {
        let attempt = (rows.name(0, row), rows.name(2, row));
        if !seen.insert(attempt) {
            let (problem, trial) = (attempt.0.unwrap_or_default(), attempt.1.unwrap_or_default());
            return usage(format!("{}: problem `{problem}` has attempt `{trial}` twice", path.display()));
        }
    }
    Ok(())
}

fn attempts(rows: &Rows, members: &[usize]) -> Found<Attempts> {
    let mut found = Attempts { made: Vec::new(), passed: Vec::new() };
    for (_, members) in rows.slices(0, members) {
        let outcomes = rows.outcomes(1, &members)?;
        found.made.push(outcomes.len() as u64);
        found.passed.push(outcomes.iter().filter(|&&passed| passed).count() as u64);
    }
    Ok(found)
}

fn wanted_ks(args: &PasskArgs, found: &Attempts) -> Vec<u64> {
    if args.k.is_empty() {
        (1..=found.made.iter().copied().min().unwrap_or(0).min(10)).collect()
    } else {
        args.k.clone()
    }
}

fn estimates(found: &Attempts, ks: &[u64], criterion: Criterion, alpha: Alpha, draw: Resampling) -> Found<Vec<Entry>> {
    let mut entries = Vec::new();
    for &k in ks {
        let estimate = suite(&found.made, &found.passed, k, criterion)?;
        let entry = Entry::new()
            .put("k", k)
            .put("estimate", estimate.mean)
            .attempt("interval", estimate.bootstrap_interval(draw, alpha))
            .put("t_interval", estimate.t_interval(alpha).ok())
            .put("se", standard_error(&estimate.per_problem));
        // All problems alike, and at an end: the number of problems is what one knows.
        let problems = estimate.per_problem.len() as u64;
        entries.push(if estimate.per_problem.iter().all(|&p| p == 0.0) {
            entry.put("wilson_on_problems", Proportion::new(0, problems)?.wilson(alpha))
        } else if estimate.per_problem.iter().all(|&p| p == 1.0) {
            entry.put("wilson_on_problems", Proportion::new(problems, problems)?.wilson(alpha))
        } else {
            entry
        });
    }
    Ok(entries)
}

/// The standard error of a mean over problems, unless they do not vary.
fn standard_error(per_problem: &[f64]) -> Option<f64> {
    MeanEstimate::of(per_problem).ok().filter(|mean| mean.t().is_ok()).map(|mean| mean.se)
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrialsArgs {
    /// A table with one row a trial
    file: PathBuf,
    /// Column of the example
    #[arg(long, value_name = "COLUMN")]
    group: String,
    /// Column of the score
    #[arg(long, value_name = "COLUMN")]
    score: String,
    /// Trials an example to look ahead to
    #[arg(long, value_name = "K,…", value_delimiter = ',', default_value = "1,2,3,5,10")]
    k: Vec<u64>,
}

/// `stats trials`
pub(super) fn trials(args: &TrialsArgs) -> Found<Sheet> {
    let rows = Rows::read(&args.file, &[(&args.group, Want::Category), (&args.score, Want::Number)])?;
    let complete = rows.complete(&[0, 1]);
    let scores: Vec<Vec<f64>> = rows.slices(0, &complete).iter().map(|(_, members)| rows.values(1, members)).collect();
    let found = trial_variance(&scores)?;
    let ahead = args.k.iter().map(|&k| {
        Entry::new().put("trials", k).attempt("se", found.se_with(k as f64)).put("calls", k * found.items as u64)
    });
    let entry = Entry::new()
        .fields(found)
        .put("se", Some(found.se()).filter(|&se| se > 0.0))
        .attempt("se_floor", found.se_with(f64::INFINITY));
    Ok(Sheet::new(entry).table("ahead", ahead.collect(), &[]))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NoiseArgs {
    /// Tables of runs of one system on the same examples, two at least
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Column of the example's id
    #[arg(long, value_name = "COLUMN", default_value = "id")]
    id: String,
    /// Column of the score; trials of an example are averaged
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    score: String,
}

/// `stats noise`
pub(super) fn noise(args: &NoiseArgs) -> Found<Sheet> {
    let mut runs = Vec::with_capacity(args.files.len());
    let mut ids: Vec<String> = Vec::new();
    for file in &args.files {
        let rows = Rows::read(file, &[(&args.id, Want::Category), (&args.score, Want::Number)])?;
        let of_examples = rows.slices(0, &rows.complete(&[0, 1]));
        let names: Vec<String> = of_examples.iter().map(|(id, _)| id.clone()).collect();
        if runs.is_empty() {
            ids = names;
        } else if ids != names {
            let place = ids.iter().zip(&names).take_while(|(a, b)| a == b).count();
            let id = ids.get(place).or_else(|| names.get(place)).map_or("", String::as_str);
            let (first, file) = (args.files[0].display(), file.display());
            return refused(format!("{first} and {file} do not have scores of the same examples; see `{id}`"));
        }
        let means: Result<Vec<f64>, _> =
            of_examples.iter().map(|(_, members)| crate::stats::mean::mean(&rows.values(1, members))).collect();
        runs.push(means?);
    }
    let found = run_noise(&runs)?;
    Ok(Sheet::new(Entry::new().fields(found).attempt("tolerance", found.tolerance())))
}
