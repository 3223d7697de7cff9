//! What can be typed.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::ab::AbArgs;
use super::baseline::STALE_DAYS;
use super::cache::CacheArgs;
use super::calibrate::CalibrateArgs;
use super::compare::CompareArgs;
use super::evalset::{EvalsetArgs, ScoreArgs, ViewArgs};
use super::honest::HonestArgs;
use super::init::InitArgs;
use super::judge::JudgeArgs;
use super::label::LabelArgs;
use super::power::PowerArgs;
use super::publish::PublishArgs;
use super::stats::StatsArgs;
use crate::evalset::Shard;
use crate::gate::Mode;
use crate::provider::cache::CacheMode;
use crate::report::{Format, Rows};

const EXIT_CODES: &str = "\
Exit codes: 0 pass · 1 regression · 2 usage, configuration or input · 3 inconclusive and the policy says that is no pass ·
4 cannot decide (different pins, no pairs, no baseline) · 5 run incomplete · 6 failure of the machine or of evalgauge";

/// Evaluates language-model systems on pinned eval sets and gates pull requests.
#[derive(Debug, Parser)]
#[command(name = "evalgauge", version, after_help = EXIT_CODES, max_term_width = 120)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// A working project in this folder: an eval set, a candidate, a policy, a baseline, a workflow
    Init(Box<InitArgs>),
    /// Is this change safe to merge? Run the head, compare with the baseline, decide, report
    Check(CheckArgs),
    /// Ask a candidate, score its answers, keep the record
    #[command(alias = "eval")]
    Run(RunArgs),
    /// Score recorded answers again with the scorers of the config; no candidate is asked
    Score(ScoreArgs),
    /// Put the report of a check on its pull request: comment, step summary, annotations
    Publish(PublishArgs),
    /// Make one record of the shards of a run
    Merge(MergeArgs),
    /// The blessed record that changes are compared with
    Baseline(BaselineArgs),
    /// How far metrics move from run to run of an unchanged candidate; stored beside the baseline
    Noise(NoiseFloorArgs),
    /// Eval sets: pin, verify, look at, compare, sample, add to
    Evalset(EvalsetArgs),
    /// LLM judges: make one, look at it, try it
    Judge(JudgeArgs),
    /// What the settings are, and whether they work
    Config(ConfigArgs),
    /// Answers that were paid for once: count, check, thin out, carry elsewhere
    Cache(CacheArgs),
    /// Grades by people: a page or sheets to give them on
    Label(LabelArgs),
    /// How well a judge agrees with people, and what it may therefore be used for
    Calibrate(Box<CalibrateArgs>),
    /// Estimates, differences and flips of two records or tables, or a leaderboard of up to twenty; never fails a change
    Compare(Box<CompareArgs>),
    /// Decide whether HEAD is worse than BASE, cell by cell
    Gate(GateArgs),
    /// Show a run or a verdict again: page, Markdown, test cases, tables
    Report(ReportArgs),
    /// Write a run's page for a browser and print where it is
    View(ViewArgs),
    /// How many examples, the smallest change that shows, what trials buy
    Power(PowerArgs),
    /// Statistics on files or numbers: κ, McNemar, Wilson, pass@k, ECE, Holm …
    Stats(StatsArgs),
    /// Online results of variants: sample ratio first, then what they say
    Ab(AbArgs),
    /// The metrics, scorers and judges that the config may name
    List(ListArgs),
}

/// What every verb understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Project file [default: evalgauge.toml where it exists]
    #[arg(short, long, global = true, value_name = "FILE", env = "EVALGAUGE_CONFIG", hide_env_values = true)]
    pub(super) config: Option<PathBuf>,
    /// Eval set, NAME or NAME@TAG [default: the config's]
    #[arg(long, global = true, value_name = "NAME[@TAG]")]
    pub(super) evalset: Option<String>,
    /// Seed of everything that draws [default: the config's, else 7]
    #[arg(long, global = true, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Threads for computing [default: one a core]
    #[arg(short = 'j', long, global = true, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// The date by which anything that ages is judged [default: today]
    #[arg(long, global = true, value_name = "DATE")]
    pub(super) as_of: Option<jiff::civil::Date>,
    /// Form of the result [default: by the ending of --output's FILE, else text]
    #[arg(short, long, global = true, value_enum)]
    pub(super) format: Option<FormatArg>,
    /// Write the result to FILE instead of stdout
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Say less on stderr
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more on stderr
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
}

/// The forms that every verb has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputFormat {
    Text,
    Json,
    Md,
}

/// The forms of a report; verbs that report nothing have the first three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// For people
    Text,
    /// One JSON object, also when the verb fails
    Json,
    /// GitHub's Markdown
    Md,
    /// Reports: one page for a browser
    Html,
    /// Reports: test cases for a CI system
    Junit,
    /// Reports: a table for a spreadsheet
    Csv,
    /// Reports: a table for data tools
    Parquet,
    /// Reports: lines for a commit message
    Trailer,
}

impl FormatArg {
    /// The format that a file's ending stands for.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Self::Text,
            "json" => Self::Json,
            "md" => Self::Md,
            "html" | "htm" => Self::Html,
            "xml" => Self::Junit,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// The form, where every verb has it.
    pub(super) const fn plain(self) -> Option<OutputFormat> {
        Some(match self {
            Self::Text => OutputFormat::Text,
            Self::Json => OutputFormat::Json,
            Self::Md => OutputFormat::Md,
            Self::Html | Self::Junit | Self::Csv | Self::Parquet | Self::Trailer => return None,
        })
    }
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Terminal,
            FormatArg::Json => Self::Json,
            FormatArg::Md => Self::Markdown,
            FormatArg::Html => Self::Html,
            FormatArg::Junit => Self::Junit,
            FormatArg::Csv => Self::Csv,
            FormatArg::Parquet => Self::Parquet,
            FormatArg::Trailer => Self::Trailer,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed")]
pub(super) struct RunArgs {
    /// The candidate; `run` takes several, one after the other [default: the config's]
    #[arg(long, value_name = "NAME")]
    pub(super) candidate: Vec<String>,
    /// Trials of every example [default: the config's]
    #[arg(long, value_name = "K")]
    pub(super) trials: Option<std::num::NonZeroU32>,
    /// Calls in flight [default: the config's]
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<NonZeroUsize>,
    /// What the cache of answers is used for: rw, ro (nobody is asked), refresh, off [default: the config's, else rw]
    #[arg(long, value_name = "MODE")]
    pub(super) cache: Option<CacheMode>,
    /// For pairwise judges: the record whose answers are compared with, a folder, a run's id or `baseline` [default:
    /// the candidate's baseline; without one an answer is compared with itself]
    #[arg(long, value_name = "RECORD")]
    pub(super) against: Option<String>,
    /// Go on with a run that did not finish [default: the latest such]
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub(super) resume: Option<String>,
    /// With --resume: ask again for what failed, also of a run that is finished
    #[arg(long, requires = "resume")]
    pub(super) retry_errors: bool,
    /// Ask the first call of every answer in batches: half the price, answered within a day (OpenAI, Anthropic). A killed run
    /// finds its batches again with --resume
    #[arg(long)]
    pub(super) batch: bool,
    /// Dollars that this run may cost at most; nothing is sent beyond [default: the config's]
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(super) budget: Option<f64>,
    /// Only one of several parts of the chosen examples, like 3/16; `merge` makes one record of all parts
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
    /// Send nothing; say how many calls, tokens and dollars it would take, and what the cache holds of it
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write what happens as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    pub(super) no_progress: bool,
    #[command(flatten)]
    pub(super) select: SelectArgs,
}

/// Which examples.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectArgs {
    /// Only the first N of the chosen examples
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Only N of the chosen examples, in the proportions of their labels; the same ones for everybody with the seed
    #[arg(long, value_name = "N")]
    pub(super) sample: Option<NonZeroUsize>,
    /// Only examples with this label; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) filter: Vec<String>,
    /// Only this example; may be given several times
    #[arg(long = "id", value_name = "ID")]
    pub(super) id: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The baseline: a record's folder, a run's id, or a candidate with a baseline [default: the candidate's own]
    #[arg(short, long, value_name = "RECORD")]
    pub(super) base: Option<String>,
    /// Decide in stages: one trial, more of both sides only where that is suspicious, and fresh runs before a red
    #[arg(long)]
    pub(super) resolve: bool,
    /// A checkout that has the baseline's candidate (the base branch), for running it again
    #[arg(long, value_name = "DIR")]
    pub(super) base_project: Option<PathBuf>,
    #[command(flatten)]
    pub(super) honest: HonestArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    /// Tell GitHub too: a comment on the pull request, the step's summary, annotations
    #[arg(long)]
    pub(super) publish: bool,
    /// Where report.md, report.html, verdict.json and junit.xml go [default: the run's folder]
    #[arg(long, value_name = "FOLDER")]
    pub(super) reports: Option<PathBuf>,
    /// What --format csv and parquet hold
    #[arg(long, value_enum, default_value_t = RowsArg::Cells)]
    pub(super) rows: RowsArg,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run's id, its folder, `latest`, `baseline`, or a verdict.json
    pub(super) subject: String,
    /// Decide anew against this record, under the project's policy [default: the verdict that is beside the record]
    #[arg(short, long, value_name = "RUN")]
    pub(super) base: Option<String>,
    /// A further record for the plot of cost against quality; may be given several times
    #[arg(long = "with", value_name = "RUN")]
    pub(super) others: Vec<String>,
    /// What --format csv and parquet hold
    #[arg(long, value_enum, default_value_t = RowsArg::Cells)]
    pub(super) rows: RowsArg,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RowsArg {
    /// A row for every metric and slice
    Cells,
    /// A row for every example and metric
    Examples,
}

impl From<RowsArg> for Rows {
    fn from(rows: RowsArg) -> Self {
        match rows {
            RowsArg::Cells => Self::Cells,
            RowsArg::Examples => Self::Examples,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Every shard of one run: folders, or ids of runs
    #[arg(required = true, value_name = "SHARD")]
    pub(super) shards: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    pub(super) verb: BaselineVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineVerb {
    /// Make a finished run the baseline of its candidate
    Bless {
        /// A run's id, folder, or `latest`
        run: String,
        /// Why: kept with the baseline
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// Who blesses it [default: git's user.name]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Bless it although its check failed or did not decide
        #[arg(long)]
        force: bool,
    },
    /// How old a candidate's baseline is, and whether it still fits the pin and the policy
    Age {
        /// The candidate [default: the config's]
        candidate: Option<String>,
        /// Older than this is stale
        #[arg(long, value_name = "DAYS", default_value_t = STALE_DAYS)]
        days: i64,
    },
    /// Run the candidate of a baseline on the current pin and bless that, so that history goes on
    Rebase {
        #[command(flatten)]
        run: Box<RunArgs>,
    },
    /// Show the baseline of a candidate
    Show {
        /// The candidate [default: the config's]
        candidate: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct NoiseFloorArgs {
    /// Records of one unchanged candidate; each trial is a run of its own [default: the candidate is run]
    #[arg(value_name = "RUN")]
    pub(super) runs: Vec<String>,
    /// Trials, where the candidate is run
    #[arg(long, value_name = "K", default_value = "3", conflicts_with = "runs")]
    pub(super) trials: std::num::NonZeroU32,
    /// The candidate [default: the config's]
    #[arg(long, value_name = "NAME", conflicts_with = "runs")]
    pub(super) candidate: Option<String>,
    /// Print only; do not store it beside the baseline
    #[arg(long)]
    pub(super) no_store: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub(super) what: ListWhat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListWhat {
    /// What `estimate` may be in `[metrics]`
    Metrics,
    /// Which KIND may stand in `[scorers.NAME.KIND]`
    Scorers,
    /// The judges of this project
    Judges,
}

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    pub(super) verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigVerb {
    /// Print the settings with every default
    Show,
    /// Load everything the settings name: eval set, candidates, prompts, scorers
    Check,
    /// Print the JSON Schema of evalgauge.toml, for editors
    Schema,
}

/// Which columns of a plain table mean what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tables (CSV, TSV, JSON lines, Parquet)")]
pub(super) struct TableArgs {
    /// Column of the example's id
    #[arg(long, value_name = "COLUMN", default_value = "id")]
    pub(super) id: String,
    /// Column of the trial [default: `trial` where it exists]
    #[arg(long, value_name = "COLUMN")]
    pub(super) trial: Option<String>,
    /// Column of the score, on both sides; given several times, each is a metric by its name
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    pub(super) score: Vec<String>,
    /// Column of the baseline's score
    #[arg(long, value_name = "COLUMN")]
    pub(super) base_score: Option<String>,
    /// Column of the head's score
    #[arg(long, value_name = "COLUMN")]
    pub(super) head_score: Option<String>,
    /// Column whose values are slices; may be given several times; `a,b` crosses two columns
    #[arg(long, value_name = "COLUMN")]
    pub(super) slice: Vec<String>,
    /// Column of the unit that is independent of the others [default: `group` where it exists]
    #[arg(long, value_name = "COLUMN")]
    pub(super) group: Option<String>,
    /// Column with an object of labels [default: `labels` where it exists]
    #[arg(long, value_name = "COLUMN")]
    pub(super) labels: Option<String>,
    /// Lowest and highest possible score
    #[arg(long, value_name = "LOW,HIGH", value_parser = ends, default_value = "0,1", allow_hyphen_values = true)]
    pub(super) scale: (f64, f64),
    /// Low scores are good
    #[arg(long)]
    pub(super) lower_is_better: bool,
    /// The worst score that is a pass [default: the good end of the scale, for scores that are all at an end]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(super) pass_at: Option<f64>,
}

/// An amount of money.
pub(super) fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.trim().parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "expected US dollars, 0 or more, like 2.50".to_owned())
}

/// Two numbers, ascending, with a comma between them.
fn ends(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(low, high)| Some((number(low)?, number(high)?)))
        .filter(|(low, high)| low < high)
        .ok_or_else(|| "expected two numbers, the lower first, like 0,3".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// The baseline: a table, a record's folder, a run's id, or `baseline`
    pub(super) base: String,
    /// The head: a table (it may be the same file, with --base-score and --head-score), a record's folder, or a run's id
    pub(super) head: String,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    /// Write report.md, report.html, verdict.json and junit.xml into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) reports: Option<PathBuf>,
    /// What --format csv and parquet hold
    #[arg(long, value_enum, default_value_t = RowsArg::Cells)]
    pub(super) rows: RowsArg,
    #[command(flatten)]
    pub(super) table: TableArgs,
}

/// Flags that replace entries of the policy.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Policy")]
pub(super) struct PolicyArgs {
    /// One margin for every cell, as a share of the scale [default: .02 overall, .05 a slice]
    #[arg(long, value_name = "X")]
    pub(super) margin: Option<f64>,
    /// False-alarm rate over all cells together [default: .05]
    #[arg(long, value_name = "X")]
    pub(super) alpha: Option<f64>,
    /// How far a whole run may move on its own, as a share of the scale; a fall must be shown to be larger [default: 0]
    #[arg(long, value_name = "X")]
    pub(super) tolerance: Option<f64>,
    /// Fail on evidence of harm, or pass only on evidence of none
    #[arg(long, value_enum)]
    pub(super) mode: Option<ModeArg>,
    /// End with exit 3 when a cell is undecided
    #[arg(long)]
    pub(super) fail_undecided: bool,
    /// Smaller slices are shown, not tested [default: 20]
    #[arg(long, value_name = "N")]
    pub(super) min_n: Option<u64>,
    /// Share of the baseline's examples that the head must have [default: 1]
    #[arg(long, value_name = "X")]
    pub(super) coverage: Option<f64>,
}

impl PolicyArgs {
    /// Whether any of them was typed.
    pub(super) const fn is_given(&self) -> bool {
        self.margin.is_some()
            || self.alpha.is_some()
            || self.tolerance.is_some()
            || self.mode.is_some()
            || self.fail_undecided
            || self.min_n.is_some()
            || self.coverage.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArg {
    Regression,
    NonInferiority,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Regression => Self::Regression,
            ModeArg::NonInferiority => Self::NonInferiority,
        }
    }
}
