//! `evalgauge judge audit`: what sways a judge beside the content.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::super::args::{Global, OutputFormat};
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::outside::Outside;
use super::super::run::interrupted;
use super::audit_authors::authors;
use super::audit_text::{markdown, text};
use super::trial::add;
use crate::calibrate::{AuditLine, Auditor, Experiment, FEWEST_ITEMS, Outcome, not_measured};
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{Grade, Item, Judge, Variant, read_items};
use crate::provider::cache::CacheMode;
use crate::provider::{Provider, Router};
use crate::record::Judging;
use crate::run::{Again, JudgedItem, LoadedJudge, Work, judge_items, judges_folder, load_judge};
use crate::stats::Alpha;
use crate::table::sha256_hex;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// The judge
    name: String,
    /// Items to judge: lines of `id`, `input`, `answer`, perhaps `other`, `reference`, `labels`
    /// [default: items.jsonl in the judge's folder]
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Only N of the items, drawn by the seed; the same ones every time
    #[arg(long, value_name = "N")]
    limit: Option<std::num::NonZeroUsize>,
    /// Only these experiments
    #[arg(long, value_enum, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<ExperimentArg>,
    /// How often the noise experiment asks about an item
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=50))]
    repeats: u32,
    /// The judge's own family, for self-preference [default: told from its model's name]
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Confidence of the intervals
    #[arg(long, value_name = "X", default_value_t = 0.95)]
    confidence: f64,
    /// What the cache of answers is used for: rw, ro (nobody is asked), refresh, off [default: the config's, else rw]
    #[arg(long, value_name = "MODE")]
    cache: Option<CacheMode>,
    /// Calls in flight [default: the config's]
    #[arg(long, value_name = "N")]
    concurrency: Option<std::num::NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExperimentArg {
    /// Pairwise judges: the same pair both ways
    Position,
    /// Filler behind the answer
    Length,
    /// The sentences as a list of points
    Format,
    /// A wordy frame around the answer
    Verbosity,
    /// Said with confidence, against said with doubt
    Tone,
    /// Answers of the judge's own family of models, beside human labels
    SelfPreference,
    /// The same question several times
    Noise,
}

impl ExperimentArg {
    const fn experiment(self) -> Experiment {
        match self {
            Self::Position => Experiment::Position,
            Self::Length => Experiment::Length,
            Self::Format => Experiment::Format,
            Self::Verbosity => Experiment::Verbosity,
            Self::Tone => Experiment::Tone,
            Self::SelfPreference => Experiment::SelfPreference,
            Self::Noise => Experiment::Noise,
        }
    }
}

/// The result.
#[derive(Serialize)]
pub(super) struct Printed {
    schema: &'static str,
    pub(super) judge: String,
    sha256: String,
    pub(super) model: String,
    pub(super) items: usize,
    pub(super) confidence: f64,
    pub(super) experiments: Vec<AuditLine>,
    pub(super) took: Judging,
    pub(super) warnings: Vec<String>,
}

/// What was said of the items.
pub(super) struct Audited<'a> {
    pub(super) judge: &'a Judge,
    pub(super) auditor: Auditor,
    pub(super) items: &'a [Item],
    /// What was said of them as they are; one an item.
    pub(super) plain: Vec<JudgedItem>,
}

/// Who is asked, and how.
struct Asking<'a> {
    judge: &'a Judge,
    router: Router,
    seed: u64,
    concurrency: usize,
    runtime: tokio::runtime::Runtime,
    took: Judging,
}

impl Asking<'_> {
    /// Judges items; `round` counts how often the same ones were judged before.
    fn ask(&mut self, items: &[Item], round: u32) -> Result<Vec<JudgedItem>, Failure> {
        let repeats = self.judge.members().iter().map(|member| member.spec.repeats.get()).max().unwrap_or(1);
        let again = Again { provider: &self.router, by: round * repeats };
        let provider: &dyn Provider = if round == 0 { &self.router } else { &again };
        let work = Work { judge: self.judge, items, seed: self.seed, provider, concurrency: self.concurrency };
        let judged = self.runtime.block_on(judge_items(work, interrupted()))?;
        for item in &judged {
            add(&mut self.took, item.judging);
        }
        Ok(judged)
    }
}

pub(super) fn run(args: &AuditArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let alpha = Alpha::new(1.0 - args.confidence)
        .map_err(|_| Failure::input(format!("--confidence {}: expected a number between 0 and 1", args.confidence)))?;
    let loaded = load_judge(&project.root, &args.name)?;
    let seed = global.seed.unwrap_or(project.config.seed);
    let items = items(args, project, seed)?;
    let judge = &*loaded.judge;
    let wanted: Vec<Experiment> = Experiment::ALL
        .into_iter()
        .filter(|one| args.only.is_empty() || args.only.iter().any(|only| only.experiment() == *one))
        .collect();
    let providers: Vec<_> = loaded.providers().collect();
    let concurrency = args.concurrency.map_or(project.config.concurrency, usize::from);
    let outside = Outside::new(project, &providers, concurrency, args.cache)?;
    let router = loaded.routed(Router::default(), &outside.around())?;
    let runtime = crate::cli::runtime::runtime()?;
    let mut asking = Asking { judge, router, seed, concurrency, runtime, took: Judging::default() };
    let auditor = Auditor { alpha, seed, range: range(judge), is_pairwise: judge.is_pairwise() };
    output.detail(|| format!("auditing `{}` on {} items", args.name, items.len()));
    let experiments = experiments(args, project, &loaded, (&items, auditor, &wanted), &mut asking);
    outside.told().iter().for_each(|line| output.note(line));
    let experiments = experiments?;
    let printed = Printed {
        schema: "evalgauge.judge-audit/1",
        judge: args.name.clone(),
        sha256: judge.sha256().to_owned(),
        model: loaded.id("*").model,
        items: items.len(),
        confidence: args.confidence,
        experiments,
        took: asking.took,
        warnings: loaded.warnings.clone(),
    };
    printed.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text => output.result(&text(&printed))?,
        OutputFormat::Md => output.result(&markdown(&printed))?,
    }
    // An audit describes and never decides; one without a single number has not described anything.
    let has_numbers = printed.experiments.iter().any(|line| line.outcome != Outcome::NotMeasured);
    Ok(if has_numbers { Exit::Pass } else { Exit::Undecidable })
}

/// The items, perhaps fewer of them.
fn items(args: &AuditArgs, project: &Project, seed: u64) -> Result<Vec<Item>, Failure> {
    let own = judges_folder(&project.root).join(&args.name).join("items.jsonl");
    let path = args.items.as_ref().unwrap_or(&own);
    if args.items.is_none() && !path.is_file() {
        return Err(Failure::input(format!("judge `{}` has no items to audit it on: {}", args.name, path.display()))
            .hint(format!(
                "make them from a run with `evalgauge label export`, or name a file with --items; {FEWEST_ITEMS} are \
                 needed, 50 or more say something"
            )));
    }
    let mut items = read_items(path)?;
    if let Some(limit) = args.limit.map(usize::from).filter(|limit| *limit < items.len()) {
        let mut drawn: Vec<(String, usize)> =
            items.iter().enumerate().map(|(at, item)| (sha256_hex(format!("{seed}\0{}", item.id)), at)).collect();
        drawn.sort();
        let mut kept: Vec<usize> = drawn[..limit].iter().map(|(_, at)| *at).collect();
        kept.sort_unstable();
        let mut at = 0;
        items.retain(|_| {
            at += 1;
            kept.binary_search(&(at - 1)).is_ok()
        });
    }
    Ok(items)
}

/// From the worst grade to the best, in what [`amount`] gives.
fn range(judge: &Judge) -> f64 {
    let of = |grade: Option<Grade>| grade.and_then(|grade| amount(judge, &grade)).unwrap_or(0.0);
    of(judge.scale.best()) - of(judge.scale.at(0))
}

/// A grade as a number: of labels its place, of preferences −1, 0, 1.
pub(super) fn amount(judge: &Judge, grade: &Grade) -> Option<f64> {
    let place = || judge.scale.place(grade).map(|place| place as f64);
    grade.number().or_else(|| if judge.is_pairwise() { place().map(|place| place - 1.0) } else { place() })
}

pub(super) fn graded(judge: &Judge, item: &JudgedItem, dimension: &str) -> Option<f64> {
    amount(judge, item.judged.as_ref().ok()?.grade(dimension)?)
}

fn experiments(
    args: &AuditArgs,
    project: &Project,
    loaded: &LoadedJudge,
    (items, auditor, wanted): (&[Item], Auditor, &[Experiment]),
    asking: &mut Asking<'_>,
) -> Result<Vec<AuditLine>, Failure> {
    let judge = &*loaded.judge;
    // Copies are compared with each other by a pairwise judge; nobody need say anything of the pairs as they are.
    let needs_plain = |one: &Experiment| match one {
        Experiment::Position => judge.is_pairwise(),
        Experiment::SelfPreference | Experiment::Noise => true,
        Experiment::Tone => false,
        _ => !judge.is_pairwise(),
    };
    let plain = if wanted.iter().any(needs_plain) { asking.ask(items, 0)? } else { Vec::new() };
    let audited = Audited { judge, auditor, items, plain };
    let mut lines = Vec::new();
    for &experiment in wanted {
        match experiment {
            Experiment::Position => lines.extend(position(&audited)),
            Experiment::Length => lines.extend(varied(&audited, experiment, (Variant::Padded, None), asking)?),
            Experiment::Format => lines.extend(varied(&audited, experiment, (Variant::Bulleted, None), asking)?),
            Experiment::Verbosity => lines.extend(varied(&audited, experiment, (Variant::Wordy, None), asking)?),
            Experiment::Tone => {
                let forms = (Variant::Assertive, Some(Variant::Hedged));
                lines.extend(varied(&audited, experiment, forms, asking)?);
            }
            Experiment::SelfPreference => {
                lines.extend(authors(&audited, project, loaded, args.family.as_deref())?);
            }
            Experiment::Noise => lines.extend(noise(&audited, args.repeats, asking)?),
        }
    }
    Ok(lines)
}

fn position(audited: &Audited<'_>) -> Vec<AuditLine> {
    if !audited.judge.is_pairwise() {
        let why = "this judge sees one answer at a time; places are an experiment of pairwise judges";
        return vec![not_measured(Experiment::Position, "overall", (0, 0), why)];
    }
    let pairs: Vec<Option<(bool, f64)>> = audited
        .plain
        .iter()
        .map(|item| {
            let orders = item.judged.as_ref().ok()?.orders;
            Some((orders.flips > 0, orders.lean()?))
        })
        .collect();
    audited.auditor.position("overall", &pairs)
}

/// One form of the answers against another, or against the answers as they are.
fn varied(
    audited: &Audited<'_>,
    experiment: Experiment,
    (form, against): (Variant, Option<Variant>),
    asking: &mut Asking<'_>,
) -> Result<Vec<AuditLine>, Failure> {
    let judge = audited.judge;
    // (position, varied answer, what it is compared with)
    let copies: Vec<_> = audited
        .items
        .iter()
        .enumerate()
        .filter_map(|(at, item)| {
            let other = against.map_or_else(|| Some(item.answer.clone()), |against| against.of(&item.answer))?;
            Some((at, form.of(&item.answer)?, other))
        })
        .collect();
    let count = audited.items.len();
    if judge.is_pairwise() {
        let pairs: Vec<Item> = copies
            .iter()
            .map(|(at, copy, other)| Item {
                answer: copy.clone(),
                other: Some(other.clone()),
                ..audited.items[*at].clone()
            })
            .collect();
        let mut preferences = vec![None; count];
        for ((at, ..), item) in copies.iter().zip(asking.ask(&pairs, 0)?) {
            preferences[*at] = graded(judge, &item, "overall");
        }
        return Ok(vec![audited.auditor.preferred(experiment, "overall", &preferences)]);
    }
    let with = |answer: &serde_json::Value, at: usize| Item { answer: answer.clone(), ..audited.items[at].clone() };
    let first: Vec<Item> = copies.iter().map(|(at, copy, _)| with(copy, *at)).collect();
    let first = asking.ask(&first, 0)?;
    let second: Vec<JudgedItem> = if against.is_some() {
        let second: Vec<Item> = copies.iter().map(|(at, _, other)| with(other, *at)).collect();
        asking.ask(&second, 0)?
    } else {
        copies.iter().map(|(at, ..)| audited.plain[*at].clone()).collect()
    };
    Ok(judge
        .graded()
        .iter()
        .rev()
        .map(|dimension| {
            let mut grades = vec![(None, None); count];
            for ((at, ..), (one, other)) in copies.iter().zip(first.iter().zip(&second)) {
                grades[*at] = (graded(judge, other, dimension), graded(judge, one, dimension));
            }
            audited.auditor.moved(experiment, dimension, &grades)
        })
        .collect())
}

/// The same items again and again.
fn noise(audited: &Audited<'_>, times: u32, asking: &mut Asking<'_>) -> Result<Vec<AuditLine>, Failure> {
    let mut rounds: Vec<Vec<JudgedItem>> = vec![audited.plain.clone()];
    for round in 1..times {
        rounds.push(asking.ask(audited.items, round)?);
    }
    let of = |dimension: &String| {
        let rows: Vec<Vec<Option<f64>>> = (0..audited.items.len())
            .map(|at| rounds.iter().map(|round| graded(audited.judge, &round[at], dimension)).collect())
            .collect();
        audited.auditor.noise(dimension, &rows)
    };
    Ok(audited.judge.graded().iter().rev().map(of).collect())
}
