//! `evalgauge compare`: two sides, cell by cell, without a decision.

use serde::Serialize;

use super::args::{CompareArgs, Global, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use super::source::sides;
use crate::compare::{CompareOptions, Comparison, Tolerances, compare};
use crate::config::Project;
use crate::gate::Exit;
use crate::report::{Format, View, render};
use crate::stats::Alpha;

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

pub(super) fn run(args: &CompareArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let alpha = Alpha::new(args.alpha).map_err(|error| Failure::input(format!("--alpha: {error}")))?;
    let project = Project::open(global.config.as_deref())?;
    let (baseline, head, slices) = sides(&project, &args.base, &args.head, &args.table, &[])?;
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
    match output.format() {
        OutputFormat::Json => {
            output.json(&Printed { schema: "evalgauge.comparison/1", comparison: &comparison })?;
        }
        OutputFormat::Text => {
            output.result(&render(&View::of_comparison(&comparison), Format::Terminal, output.color()))?;
        }
        OutputFormat::Md => output.result(&render(&View::of_comparison(&comparison), Format::Markdown, false))?,
    }
    Ok(Exit::Pass)
}
