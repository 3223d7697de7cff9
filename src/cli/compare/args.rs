//! What can be typed after `compare`.

use clap::{Args, ValueEnum};

use crate::cli::args::TableArgs;
use crate::compare::{Holdout, IntervalMethod};

#[derive(Debug, Args)]
#[command(after_long_help = SEVERAL)]
pub(in crate::cli) struct CompareArgs {
    /// The baseline: a table, a record's folder, a run's id, or `baseline`; of several, also a column as `FILE:COLUMN`
    pub(super) base: String,
    /// The head: a table (it may be the same file, with --base-score and --head-score), a record's folder, or a run's id
    #[arg(required_unless_present = "column")]
    pub(super) head: Option<String>,
    /// Further candidates, up to twenty in all: a leaderboard, every pair, winners of slices, and which of them may replace
    /// BASE
    #[arg(value_name = "MORE")]
    pub(super) more: Vec<String>,
    /// How to make the interval of a difference
    #[arg(long, value_enum, default_value_t = Interval::Auto)]
    pub(super) interval: Interval,
    /// Confidence of the intervals is 1 − α; of several, also the family-wise error rate of all pairs of a metric
    #[arg(long, value_name = "X", default_value_t = 0.05)]
    pub(super) alpha: f64,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) table: TableArgs,
}

const SEVERAL: &str = "\
Several candidates, the first being the baseline:
  evalgauge compare baseline RUN RUN RUN
  evalgauge compare correct.csv --column small --column large --column other --slice topic
docs/compare.md has a worked example.";

/// What only several candidates have.
#[derive(Debug, Args)]
#[command(next_help_heading = "Several candidates")]
pub(super) struct SeveralArgs {
    /// A column of the table BASE that is a candidate's score, the baseline's first; given several times, BASE stands alone
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["head", "more", "score", "base_score", "head_score"])]
    pub(super) column: Vec<String>,
    /// Rank by this metric; may be given several times [default: those that gate, else all]
    #[arg(long, value_name = "NAME")]
    pub(super) metric: Vec<String>,
    /// Pick one candidate without these examples and ask about it on them alone: a share like 0.3, or a label like split=test
    /// [default: ask about every candidate on all examples, with Holm's correction]
    #[arg(long, value_name = "SHARE|KEY=VALUE")]
    pub(super) holdout: Option<Holdout>,
    /// May replace: one margin for every cell, as a share of the scale [default: the policy's; .02 overall, .05 a slice]
    #[arg(long, value_name = "X")]
    pub(super) margin: Option<f64>,
    /// Smaller slices have no winner and are not tested [default: the policy's, 20]
    #[arg(long, value_name = "N")]
    pub(super) min_n: Option<u64>,
    /// This form for two as well
    #[arg(long)]
    pub(super) leaderboard: bool,
}

impl CompareArgs {
    /// Whether the form for several candidates is asked for.
    pub(super) const fn has_several(&self) -> bool {
        let SeveralArgs { column, metric, holdout, margin, min_n, leaderboard } = &self.several;
        !self.more.is_empty()
            || !column.is_empty()
            || !metric.is_empty()
            || holdout.is_some()
            || margin.is_some()
            || min_n.is_some()
            || *leaderboard
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Interval {
    /// Tango for 0/1 scores of one trial, else t on blocks
    Auto,
    Tango,
    Newcombe,
    Wald,
    /// Percentile bootstrap, 10,000 replicates
    Bootstrap,
    /// Bias-corrected and accelerated bootstrap
    Bca,
}

impl From<Interval> for IntervalMethod {
    fn from(interval: Interval) -> Self {
        match interval {
            Interval::Auto => Self::Auto,
            Interval::Tango => Self::Tango,
            Interval::Newcombe => Self::Newcombe,
            Interval::Wald => Self::Wald,
            Interval::Bootstrap => Self::Bootstrap,
            Interval::Bca => Self::Bca,
        }
    }
}
