//! What can be typed after `calibrate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::calibrate::{Options, ScaleWish, Unparsed};
use crate::cli::failure::Failure;
use crate::judge::{Columns, Grade, JudgeColumns, Layout, label_of};
use crate::provider::cache::CacheMode;
use crate::stats::Alpha;

#[derive(Debug, Args)]
pub(in crate::cli) struct CalibrateArgs {
    /// The judge, a folder in `judges/`; its items and labels are read from there. Several judges are measured side by side
    /// on the items and labels of the first
    #[arg(value_name = "JUDGE", conflicts_with = "table")]
    pub(super) judge_names: Vec<String>,
    /// Labels and grades in one file: CSV, TSV, JSON lines or Parquet
    #[arg(long, value_name = "FILE")]
    pub(super) table: Option<PathBuf>,
    /// Recorded judgements of JUDGE: id, dimension, grade, rationale; of several judges a file each, in their order
    /// [default: the judge is asked]
    #[arg(long, value_name = "FILE,…", value_delimiter = ',', requires = "judge_names", conflicts_with = "run")]
    pub(super) judgements: Vec<PathBuf>,
    /// A run in which JUDGE graded: id, folder, or `latest`
    #[arg(long, value_name = "RECORD", requires = "judge_names")]
    pub(super) run: Option<String>,
    /// With --run and one JUDGE: the scorer that is it [default: the one that it is behind]
    #[arg(long, value_name = "NAME", requires = "run")]
    pub(super) scorer: Option<String>,
    /// What the cache of answers is used for where JUDGE is asked: rw, ro (nobody is asked), refresh, off
    #[arg(long, value_name = "MODE")]
    pub(super) cache: Option<CacheMode>,
    /// Calls in flight where JUDGE is asked [default: the config's]
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    pub(super) columns: ColumnArgs,
    #[command(flatten)]
    pub(super) scale: ScaleArgs,
    /// What a judgement counts as that could not be read (an empty cell, a grade off the scale)
    #[arg(long, value_enum, default_value_t = UnparsedArg::Drop)]
    pub(super) unparsed: UnparsedArg,
    /// With `--unparsed tie`: the label of a tie [default: `tie`, `draw`, `equal` or `0`, whichever there is]
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    pub(super) tie: Option<String>,
    /// Confidence of the intervals
    #[arg(long, value_name = "X", default_value_t = 0.95)]
    pub(super) confidence: f64,
    /// How much worse than a rater the judge may be for being cheaper: .2 against experts, .15 skilled annotators,
    /// .1 crowd workers
    #[arg(long, value_name = "X", default_value_t = 0.2)]
    pub(super) epsilon: f64,
    /// How many disagreements to list, worst first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) disagreements: usize,
}

/// Which columns mean what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Columns")]
pub(super) struct ColumnArgs {
    /// Columns of the raters, one each; `human_*` takes all that begin so. In a file with a row a label: the raters that
    /// count [default: all but the judges]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(super) raters: Vec<String>,
    /// Column of the judge's grades; several columns are judges side by side. In a file with a row a label: its name
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(super) judge: Vec<String>,
    /// Column of the item [default: `id` where there is one, else each row is an item]
    #[arg(long, value_name = "COLUMN")]
    pub(super) id: Option<String>,
    /// A file with a row a label: column of the rater
    #[arg(long, value_name = "COLUMN", requires = "label")]
    pub(super) rater: Option<String>,
    /// A file with a row a label: column of the label
    #[arg(long, value_name = "COLUMN", requires = "rater")]
    pub(super) label: Option<String>,
    /// Column of the dimension
    #[arg(long, value_name = "COLUMN")]
    pub(super) dimension: Option<String>,
    /// Dimensions whose names stand in column names, where `{}` is written for them: `--raters human_{} --judge judge_{}`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) dimensions: Vec<String>,
    /// Column whose values are slices; may be given several times; `a,b` crosses two columns
    #[arg(long, value_name = "COLUMN")]
    pub(super) slice: Vec<String>,
    /// Column of the settled label, on which raters who disagreed came to agree
    #[arg(long, value_name = "COLUMN")]
    pub(super) adjudicated: Option<String>,
    /// Raters that stand in for people
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) stand_in: Vec<String>,
    /// Column of the judge's reason; one for each --judge, in their order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(super) rationale: Vec<String>,
    /// Column of dollars an item; one for each --judge, in their order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(super) cost: Vec<String>,
    /// Column of milliseconds an item; one for each --judge, in their order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(super) latency: Vec<String>,
    /// Column to show beside a disagreement; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(super) show: Vec<String>,
}

/// What the labels are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scale")]
pub(super) struct ScaleArgs {
    /// With --table: all labels, worst first. With JUDGE: files of labels, instead of those in its folder
    #[arg(long, value_name = "LABEL,…|FILE,…", value_delimiter = ',', allow_hyphen_values = true)]
    pub(super) labels: Vec<String>,
    /// Lowest and highest number; whole grades between them are steps in an order
    #[arg(long, value_name = "LOW,HIGH", value_parser = ends, allow_hyphen_values = true, conflicts_with = "labels")]
    pub(super) scale: Option<(f64, f64)>,
    /// Labels are numbers in an order: quadratic κ counts
    #[arg(long)]
    pub(super) ordered: bool,
    /// Labels are names, also where they are stated or are numbers
    #[arg(long, conflicts_with = "ordered")]
    pub(super) unordered: bool,
    /// The least label that is a pass [default: of two labels the one that says so, else the second]
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    pub(super) pass_at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum UnparsedArg {
    /// Nothing: the item is left out, and counted
    Drop,
    /// A tie
    Tie,
}

/// Two numbers, ascending, with a comma between them.
fn ends(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(low, high)| Some((number(low)?, number(high)?)))
        .filter(|(low, high)| low < high)
        .ok_or_else(|| "expected two numbers, the lower first, like 0,3".to_owned())
}

impl ScaleArgs {
    /// What was said about the scale of a table.
    pub(super) fn wish(&self) -> Result<ScaleWish, Failure> {
        let grade = |flag: &str, cell: &str| {
            label_of(cell).ok_or_else(|| Failure::input(format!("--{flag}: `{cell}` is no label")))
        };
        let mut values: Vec<Grade> = Vec::new();
        for cell in &self.labels {
            let value = grade("labels", cell)?;
            if values.contains(&value) {
                return Err(
                    Failure::input(format!("--labels names `{value}` twice")).hint("name each label once, worst first")
                );
            }
            values.push(value);
        }
        if values.len() == 1 {
            return Err(Failure::input("--labels: one label is no scale".to_owned())
                .hint("name all labels, worst first: --labels low,mid,high"));
        }
        Ok(ScaleWish {
            ordered: if self.ordered {
                Some(true)
            } else if self.unordered {
                Some(false)
            } else {
                None
            },
            values,
            range: self.scale,
            pass_at: self.pass_at.as_deref().map(|cell| grade("pass-at", cell)).transpose()?,
        })
    }
}

impl ColumnArgs {
    /// Keys of slices: one, or several that are crossed.
    pub(super) fn slices(&self) -> Vec<Vec<String>> {
        self.slice.iter().map(|keys| keys.split(',').map(|key| key.trim().to_owned()).collect()).collect()
    }

    /// Which columns of a file mean what.
    pub(super) fn columns(&self) -> Result<Columns, Failure> {
        let layout = match (&self.rater, &self.label) {
            (Some(rater), Some(label)) => Layout::Long { rater: rater.clone(), label: label.clone() },
            _ => Layout::Wide { raters: self.raters.clone(), settled: self.adjudicated.clone() },
        };
        let mut slices: Vec<String> = self.slices().concat();
        slices.sort();
        slices.dedup();
        let mut judges = Vec::new();
        for (at, name) in self.judge.iter().enumerate() {
            let own = |flag: &str, columns: &[String]| match columns.len() {
                0 => Ok(None),
                n if n == self.judge.len() => Ok(Some(columns[at].clone())),
                n => Err(Failure::input(format!("--{flag} has {n} columns for {} judges", self.judge.len()))
                    .hint("name one for each --judge, in their order")),
            };
            if self.judge[..at].contains(name) {
                return Err(Failure::input(format!("the judge `{name}` is named twice")).hint("name each judge once"));
            }
            judges.push(JudgeColumns {
                name: name.clone(),
                cost: own("cost", &self.cost)?,
                latency: own("latency", &self.latency)?,
                rationale: own("rationale", &self.rationale)?,
            });
        }
        Ok(Columns {
            layout,
            id: self.id.clone(),
            judges,
            dimension: self.dimension.clone(),
            dimensions: self.dimensions.clone(),
            slices,
            shown: self.show.clone(),
            stand_ins: self.stand_in.clone(),
        })
    }
}

impl CalibrateArgs {
    pub(super) fn options(&self, scale: ScaleWish) -> Result<Options, Failure> {
        let alpha = Alpha::new(1.0 - self.confidence).map_err(|_| {
            Failure::input(format!("--confidence {}: expected a number between 0 and 1", self.confidence))
                .hint("for 95 % say .95")
        })?;
        if !(0.0..1.0).contains(&self.epsilon) {
            return Err(Failure::input(format!("--epsilon {}: expected a number from 0 to below 1", self.epsilon)));
        }
        let unparsed = match (self.unparsed, &self.tie) {
            (UnparsedArg::Drop, None) => Unparsed::Drop,
            (UnparsedArg::Drop, Some(_)) => {
                return Err(
                    Failure::input("--tie says what `--unparsed tie` counts".to_owned()).hint("add `--unparsed tie`")
                );
            }
            (UnparsedArg::Tie, named) => Unparsed::Tie(named.as_deref().and_then(label_of)),
        };
        Ok(Options { alpha, scale, unparsed, epsilon: self.epsilon, listed: self.disagreements })
    }
}
