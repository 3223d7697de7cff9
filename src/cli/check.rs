//! `evalgauge check`: is this change safe to merge? Verify the pin, run the head, compare, decide, report.

use super::args::{CheckArgs, Global};
use super::baseline::{STALE_DAYS, warnings as baseline_warnings};
use super::failure::Failure;
use super::gate::{as_of, policy_digest, with_flags};
use super::noise::floors;
use super::output::Output;
use super::publish::after_check;
use super::report::{Sources, write, write_all};
use super::run::{MadeRun, execute, shown};
use super::source::baseline_record;
use crate::check::{RecordSource, Terms, decide_records};
use crate::compare::OVERALL;
use crate::config::Project;
use crate::gate::{Exit, Given, Verdict};
use crate::record::{Blessing, HistoryLine, NoiseFloor, history, remember};
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
    if let Some(shard) = args.run.shard {
        return Err(Failure::input(format!("`check` decides about a whole run, not about shard {shard}"))
            .hint("`run --shard` on every machine, then `merge`, then `gate baseline latest`"));
    }
    let (name, _) = project.candidate(candidate)?;
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (baseline, baseline_folder) = baseline_record(&project, args.base.as_deref(), &evalset.name, name)?;
    let made = execute(&project, evalset, candidate, &args.run, Some(&baseline), global, output)?;
    let policy = with_flags(project.config.gate.clone(), &args.policy);
    let as_of = as_of(global);
    let policy_sha256 = policy_digest(&policy)?;
    let reports = project.store().path().to_owned();
    let dataset = &baseline.manifest.asked.dataset.sha256;
    let noise = floors(NoiseFloor::load(&baseline_folder)?, dataset);
    let looks = history(&reports)?.iter().filter(|line| line.dataset_sha256 == *dataset).count() as u64;
    let blessing = Blessing::load(&baseline_folder)?;
    let warnings = baseline_warnings(&project, &baseline, blessing.as_ref(), &as_of, STALE_DAYS)?;
    let checked = decide_records(
        RecordSource { record: &baseline, source: &shown(&baseline_folder) },
        RecordSource { record: &made.record, source: &shown(&made.folder.path) },
        &Terms {
            metrics: &project.config.metrics,
            slices: &project.config.slices.keys(),
            policy: &policy,
            seed: global.seed.unwrap_or(project.config.seed),
            given: Given {
                policy_sha256: Some(&policy_sha256),
                noise: &noise,
                looks: Some(looks),
                warnings: &warnings,
                ..Given::on(&as_of)
            },
        },
    )?;
    remember(&reports, &line(&checked.verdict, &made))?;
    let exit = checked.verdict.decision.exit();
    let sources = Sources { project: &project, baseline: Some(&baseline), head: &made.record, others: &[] };
    let report = sources.add_to(Report::of_verdict(checked.verdict))?;
    let folder = args.reports.as_ref().unwrap_or(&made.folder.path);
    write_all(&report, folder)?;
    write(&report, args.rows.into(), output)?;
    output.note(&format!("report {}", shown(&folder.join("report.html"))));
    if args.publish {
        after_check(&project, &report, output);
    }
    Ok(exit)
}

/// What the history keeps of a check.
fn line(verdict: &Verdict, made: &MadeRun) -> HistoryLine {
    let manifest = &made.record.manifest;
    let overall = verdict.cells.iter().filter(|cell| cell.slice == OVERALL);
    HistoryLine {
        at: manifest.made.finished.clone(),
        commit: manifest.made.git_revision.clone(),
        evalset: format!("{}@{}", manifest.asked.dataset.evalset, manifest.asked.dataset.tag),
        dataset_sha256: manifest.asked.dataset.sha256.clone(),
        candidate: manifest.asked.candidate.name.clone(),
        run: manifest.made.run_id.clone(),
        record_sha256: manifest.record_sha256.clone(),
        baseline_sha256: verdict.baseline.sha256.clone(),
        decision: verdict.decision.name().to_owned(),
        regressed: verdict.regressed.clone(),
        metrics: overall.map(|cell| (cell.metric.clone(), cell.head)).collect(),
        policy_sha256: verdict.policy_sha256.clone(),
    }
}
