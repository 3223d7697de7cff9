//! `evalgauge check`: is this change safe to merge? Verify the pin, run the head, compare, decide, report.

use super::args::{CheckArgs, Global};
use super::failure::Failure;
use super::gate::{as_of, with_flags};
use super::output::Output;
use super::report::{Sources, write, write_all};
use super::run::{execute, shown};
use super::source::baseline_record;
use crate::check::{RecordSource, Terms, decide_records};
use crate::config::Project;
use crate::gate::Exit;
use crate::report::Report;

pub(super) fn run(args: &CheckArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    // Before anything is asked (and perhaps paid for): is there something to compare with?
    let candidate = match &args.run.candidate[..] {
        [] => None,
        [one] => Some(one.as_str()),
        _ => return Err(Failure::input("`check` decides about one candidate; give one --candidate".to_owned())),
    };
    if args.run.dry_run {
        return Err(Failure::input("`check` decides about answers; `run --dry-run` sends none".to_owned()));
    }
    let (name, _) = project.candidate(candidate)?;
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (baseline, baseline_folder) = baseline_record(&project, args.base.as_deref(), &evalset.name, name)?;
    let made = execute(&project, evalset, candidate, &args.run, global, output)?;
    let policy = with_flags(project.config.gate.clone(), &args.policy);
    let as_of = as_of(global);
    let checked = decide_records(
        RecordSource { record: &baseline, source: &shown(&baseline_folder) },
        RecordSource { record: &made.record, source: &shown(&made.folder.path) },
        &Terms {
            metrics: &project.config.metrics,
            slices: &project.config.slices.keys(),
            policy: &policy,
            seed: global.seed.unwrap_or(project.config.seed),
            as_of: &as_of,
        },
    )?;
    let exit = checked.verdict.decision.exit();
    let sources = Sources { project: &project, baseline: Some(&baseline), head: &made.record, others: &[] };
    let report = sources.add_to(Report::of_verdict(checked.verdict))?;
    let folder = args.reports.as_ref().unwrap_or(&made.folder.path);
    write_all(&report, folder)?;
    write(&report, args.rows.into(), output)?;
    output.note(&format!("report {}", shown(&folder.join("report.html"))));
    Ok(exit)
}
