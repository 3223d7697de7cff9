//! Two sides, cell by cell, without a decision.

use super::args::CompareArgs;
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::report::write;
use crate::cli::source::sides;
use crate::compare::{CompareOptions, Tolerances, compare};
use crate::config::Project;
use crate::gate::Exit;
use crate::report::{Report, Rows};
use crate::stats::Alpha;

pub(super) fn run(args: &CompareArgs, head: &str, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let alpha = Alpha::new(args.alpha).map_err(|error| Failure::input(format!("--alpha: {error}")))?;
    let project = Project::open(global.config.as_deref())?;
    let (baseline, head, slices) = sides(&project, &args.base, head, &args.table, &[])?;
    let options = CompareOptions {
        slices,
        metrics: Vec::new(),
        interval: args.interval.into(),
        alpha,
        tolerances: Tolerances::default(),
        watched: Vec::new(),
        seed: global.seed.unwrap_or(project.config.seed),
    };
    let comparison = compare(&baseline, &head, &options)?;
    write(&Report::of_comparison(comparison), Rows::Cells, output)?;
    Ok(Exit::Pass)
}
