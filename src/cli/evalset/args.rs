//! What can be typed after `evalgauge evalset`, `score` and `view`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::columns::Named;
use crate::evalset::Rule;
use crate::provider::cache::CacheMode;

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalsetArgs {
    #[command(subcommand)]
    pub(super) verb: EvalsetVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum EvalsetVerb {
    /// Check a file of examples and pin its bytes as a new version; of a table, the JSON lines that are made of it
    Pin(PinArgs),
    /// Check every pinned version against its SHA-256
    Verify {
        /// The set [default: all]
        name: Option<String>,
    },
    /// Show what a set holds: slices against quotas, lengths, sources, age, what stands in it twice
    Show(ShowArgs),
    /// What changed between two versions, and whether baselines still fit
    Diff(DiffArgs),
    /// Some examples in the proportions of the labels, as JSON lines: those that `run --sample` takes. Samples nest
    Sample(SampleArgs),
    /// Add examples to the next version: from a record's failures, or from a log, without what must not leave production
    Add(AddArgs),
}

#[derive(Debug, Args)]
pub(super) struct PinArgs {
    /// The set's name
    pub(super) name: String,
    /// The file to pin: JSON lines, or a table (CSV, TSV, Parquet)
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// The version's tag
    #[arg(long, value_name = "TAG")]
    pub(super) tag: String,
    /// What changed, and why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) note: String,
    #[command(flatten)]
    pub(super) named: Named,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The set, NAME or NAME@TAG [default: the config's]
    pub(super) name: Option<String>,
    /// Pairs are near-duplicates that share this much of their runs of five words
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0.7")]
    pub(super) near: f64,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The set's name
    pub(super) name: String,
    /// The old side, a tag or a file [default: the version before the new side]
    pub(super) old: Option<String>,
    /// The new side, a tag or a file [default: the latest version]
    pub(super) new: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// The set, NAME or NAME@TAG
    pub(super) name: String,
    /// How many examples
    pub(super) size: std::num::NonZeroUsize,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The set, NAME or NAME@TAG: the version that the next one begins with, where none is begun
    pub(super) name: String,
    /// A run's id, its folder, `latest`, or a file (JSON lines, CSV, TSV, Parquet)
    #[arg(long, value_name = "RECORD|FILE")]
    pub(super) from: String,
    /// Of a record, only examples that failed a scorer or had no answer
    #[arg(long)]
    pub(super) failures: bool,
    /// Where a file comes from, in words [default: its name]
    #[arg(long, value_name = "TEXT")]
    pub(super) source: Option<String>,
    /// What is not to be blacked out: private-key, api-key, token, email, iban, card, ip, phone; may be given several times
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(super) leave: Vec<Rule>,
    #[command(flatten)]
    pub(super) named: Named,
}

/// A share above 0.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "expected a share above 0 and up to 1, like 0.7".to_owned())
}

fn rule(name: &str) -> Result<Rule, String> {
    Rule::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Rule::ALL.into_iter().map(Rule::name).collect();
        format!("expected one of {}", known.join(", "))
    })
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ScoreArgs {
    /// The record: a run's id, its folder, `latest`, or `baseline`
    pub(in crate::cli) run: String,
    /// Only this scorer of the config; may be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) scorer: Vec<String>,
    /// For pairwise judges: the record whose answers are compared with, a folder, a run's id or `baseline` [default: the
    /// candidate's baseline]
    #[arg(long, value_name = "RECORD")]
    pub(in crate::cli) against: Option<String>,
    /// Calls of judges in flight [default: the config's]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) concurrency: Option<std::num::NonZeroUsize>,
    /// What the cache of answers is used for: rw, ro (nobody is asked), refresh, off [default: the config's, else rw]
    #[arg(long, value_name = "MODE")]
    pub(in crate::cli) cache: Option<CacheMode>,
    /// Dollars that judging may cost at most; nothing is sent beyond [default: the config's]
    #[arg(long, value_name = "USD", value_parser = crate::cli::args::dollars)]
    pub(in crate::cli) budget: Option<f64>,
    /// No progress bar
    #[arg(long)]
    pub(in crate::cli) no_progress: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ViewArgs {
    /// A run's id, its folder, `latest`, `baseline`, or a verdict.json
    #[arg(default_value = "latest")]
    pub(in crate::cli) run: String,
}
