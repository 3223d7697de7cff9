//! `evalgauge judge`: make a judge, look at it, try it, find out what sways it.

mod attacks;
mod audit;
mod audit_authors;
mod audit_text;
mod create;
mod show;
mod trial;

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use crate::config::Project;
use crate::gate::Exit;
use crate::provider::cache::CacheMode;

#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    #[command(subcommand)]
    verb: JudgeVerb,
}

#[derive(Debug, Subcommand)]
enum JudgeVerb {
    /// Make a folder with settings and a prompt to begin with
    New(NewArgs),
    /// Show what a judge is, its digests, what to be wary of, and what it may be used for
    Show {
        /// The judge
        name: String,
    },
    /// Run a judge's known-good and known-bad cases, or answers that try to steer it
    Try(TryArgs),
    /// Find out what sways a judge beside the content: the place, length, form, wording and tone of an answer, who wrote
    /// it, and chance
    Audit(audit::AuditArgs),
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The judge's name: a folder in `judges/`
    name: String,
    /// How it grades
    #[arg(long, value_enum, default_value_t = NewKind::Rubric)]
    kind: NewKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NewKind {
    /// One grade
    Grade,
    /// A grade a dimension, and one overall
    Rubric,
    /// Which of two answers is better, asked in both orders
    Pairwise,
}

#[derive(Debug, Args)]
struct TryArgs {
    /// The judge
    name: String,
    /// Answers that try to steer the judge: JSON lines, one JSON list, or CSV, with `answer` (or `text`), perhaps `id`
    /// and `input`
    #[arg(long, value_name = "FILE")]
    attacks: Option<PathBuf>,
    /// With --attacks: run the known cases too
    #[arg(long, requires = "attacks")]
    sanity: bool,
    /// With --attacks: ask nobody; look at the prompt and at what is detected
    #[arg(long, requires = "attacks", conflicts_with = "sanity")]
    offline: bool,
    /// What the cache of answers is used for: rw, ro (nobody is asked), refresh, off [default: the config's, else rw]
    #[arg(long, value_name = "MODE")]
    cache: Option<CacheMode>,
    /// Calls in flight [default: the config's]
    #[arg(long, value_name = "N")]
    concurrency: Option<std::num::NonZeroUsize>,
}

pub(super) fn run(args: &JudgeArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    match &args.verb {
        JudgeVerb::New(args) => create::run(args, &project, output),
        JudgeVerb::Show { name } => show::run(name, &project, global, output),
        JudgeVerb::Audit(args) => audit::run(args, &project, global, output),
        JudgeVerb::Try(args) => trial::run(args, &project, global, output),
    }
}
