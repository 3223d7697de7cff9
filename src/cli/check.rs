//! `evalgauge check`: is this change safe to merge? Verify the pin, run the head, compare, decide, report.

use std::sync::Arc;

use super::again::{About, Sessions};
use super::args::{CheckArgs, Global, RunArgs};
use super::baseline::{STALE_DAYS, warnings as baseline_warnings};
use super::failure::Failure;
use super::gate::{as_of, policy_digest, with_flags};
use super::honest::Honest;
use super::licences::licences;
use super::noise::floors;
use super::output::Output;
use super::publish::after_check;
use super::report::{Sources, write, write_all};
use super::run::{MadeRun, dry, execute, shown};
use super::source::baseline_record;
use crate::check::{RecordSource, Resolved, Stages, Terms, confirm, resolve};
use crate::compare::{OVERALL, judges_of};
use crate::config::{FILE, Project};
use crate::gate::{Exit, GatePolicy, Given, Verdict};
use crate::record::{Blessing, HistoryLine, NoiseFloor, history, remember, save};
use crate::report::Report;
use crate::run::Against;

pub(super) fn run(args: &CheckArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    // Before anything is asked (and perhaps paid for): is there something to compare with?
    let candidate = match &args.run.candidate[..] {
        [] => None,
        [one] => Some(one.as_str()),
        _ => return Err(Failure::input("`check` decides about one candidate; give one --candidate".to_owned())),
    };
    // In stages, one trial comes first.
    let one = std::num::NonZeroU32::MIN;
    let run_args = if args.resolve { &RunArgs { trials: Some(one), ..args.run.clone() } } else { &args.run };
    let policy = with_flags(project.config.gate.clone(), &args.policy);
    if args.run.dry_run {
        return dry_run(&project, candidate, args, run_args, &policy, (global, output));
    }
    if let Some(shard) = args.run.shard {
        return Err(Failure::input(format!("`check` decides about a whole run, not about shard {shard}"))
            .hint("`run --shard` on every machine, then `merge`, then `gate baseline latest`"));
    }
    let (name, _) = project.candidate(candidate)?;
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (baseline, baseline_folder) = baseline_record(&project, args.base.as_deref(), &evalset.name, name)?;
    let honest = Honest::new(&project, &evalset, name, &args.honest, output)?;
    let base_project =
        args.base_project.as_deref().map(|folder| Project::open(Some(&folder.join(FILE)))).transpose()?;
    let evalset_name = format!("{}@{}", evalset.name, evalset.version.tag);
    let made = execute(&project, evalset, candidate, run_args, Some(&baseline), global, output)?;
    let as_of = as_of(global);
    let policy_sha256 = policy_digest(&policy)?;
    let reports = project.store().path().to_owned();
    let dataset = &baseline.manifest.asked.dataset.sha256;
    let noise = floors(NoiseFloor::load(&baseline_folder)?, dataset);
    let looks = history(&reports)?.iter().filter(|line| line.dataset_sha256 == *dataset).count() as u64;
    let blessing = Blessing::load(&baseline_folder)?;
    let warnings = baseline_warnings(&project, &baseline, blessing.as_ref(), &as_of, STALE_DAYS)?;
    let seed = global.seed.unwrap_or(project.config.seed);
    let judged = licences(&project, &judges_of(&made.record, &project.config.metrics), &as_of)?;
    let terms = Terms {
        metrics: &project.config.metrics,
        slices: &project.config.slices.keys(),
        policy: &policy,
        seed,
        given: Given {
            policy_sha256: Some(&policy_sha256),
            noise: &noise,
            looks: Some(looks),
            warnings: &warnings,
            judged: &judged,
            ..Given::on(&as_of)
        },
    };
    let about = About {
        project: &project,
        base_project: base_project.as_ref(),
        candidate: name,
        evalset: &evalset_name,
        asked: &baseline.manifest.asked,
        head: &made.record.manifest.record_sha256,
        baseline: &baseline.manifest.record_sha256,
        seed,
    };
    let spending = (Arc::clone(&made.budget), made.folder.path.clone());
    let mut again = Sessions::new(&about, run_args, output, spending, Some(Against::new(&baseline)));
    let (base_source, head_source) = (shown(&baseline_folder), shown(&made.folder.path));
    let base = RecordSource { record: &baseline, source: &base_source };
    let head = RecordSource { record: &made.record, source: &head_source };
    let (checked, pooled) = if args.resolve {
        let resolved = resolve(base, head, &terms, Stages::default(), &mut again).map_err(|failure| *failure)?;
        // The decision can be looked at again from what it was made from.
        save(&made.folder.path, &resolved.head)?;
        save(&made.folder.path.join("again").join("baseline-record"), &resolved.baseline)?;
        let Resolved { checked, baseline, head } = resolved;
        (checked, Some((baseline, head)))
    } else {
        (confirm(base, head, &terms, &mut again).map_err(|failure| *failure)?, None)
    };
    drop(again);
    let (baseline, made) = match pooled {
        Some((baseline, record)) => (baseline, MadeRun { record, ..made }),
        None => (baseline, made),
    };
    remember(&reports, &line(&checked.verdict, &made))?;
    let exit = checked.verdict.decision.exit();
    let mut verdict = checked.verdict;
    honest.add_to(&mut verdict, (&made.record, &made.folder.path), seed, output);
    let sources = Sources { project: &project, baseline: Some(&baseline), head: &made.record, others: &[] };
    let report = sources.add_to(Report::of_verdict(verdict))?;
    let folder = args.reports.as_ref().unwrap_or(&made.folder.path);
    write_all(&report, folder)?;
    write(&report, args.rows.into(), output)?;
    output.note(&format!("report {}", shown(&folder.join("report.html"))));
    if args.publish {
        after_check(&project, &report, output);
    }
    Ok(exit)
}

/// Prints what a check would send at first, and what it may send at the most.
fn dry_run(
    project: &Project,
    candidate: Option<&str>,
    args: &CheckArgs,
    run_args: &RunArgs,
    policy: &GatePolicy,
    (global, output): (&Global, &Output),
) -> Result<Exit, Failure> {
    dry(project, candidate, run_args, global, output)?;
    if args.resolve {
        let trials = Stages::default().trials;
        output.note(&format!(
            "with --resolve: this first; at the most {} times as much for the head, and {} for the baseline",
            2 * trials,
            2 * trials
        ));
    }
    if let Some(safety) = &policy.safety {
        output.note(&format!(
            "confirming flips of safety examples: at the most {} answers of either side for each of them",
            2 * safety.confirm
        ));
    }
    Ok(Exit::Pass)
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
