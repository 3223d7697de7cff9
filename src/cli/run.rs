//! `evalgauge run`: ask the candidate, score the answers, keep the record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::args::{Global, OutputFormat, RunArgs, SelectArgs};
use super::failure::Failure;
use super::git::revision;
use super::judging::{AgainstAsked, JudgingSum, against};
use super::listeners::Listeners;
use super::output::Output;
use super::outside::Outside;
use super::progress::Progress;
use crate::call::{Reply, Source};
use crate::compare::{Confusion, MetricEstimate, confusions, default_metrics, numbers_of_record, summarise};
use crate::config::Project;
use crate::evalset::{EvalSet, Sample, Selection};
use crate::gate::Exit;
use crate::provider::{Budget, ProviderSpec, Surroundings};
use crate::record::{Journal, Made, RunFolder, RunRecord, State, save};
use crate::run::{
    Against, Limits, LoadedJudge, Plan, Programs, RunError, Setup, System, close, load_judges, load_programs,
};

/// The tool that records name.
pub(super) const TOOL: &str = concat!("evalgauge ", env!("CARGO_PKG_VERSION"));

/// What `run` prints.
#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    run_id: &'a str,
    path: String,
    record_sha256: &'a str,
    evalset: String,
    candidate: &'a str,
    examples: usize,
    trials: u32,
    failed: usize,
    metrics: &'a [MetricEstimate],
    #[serde(skip_serializing_if = "Option::is_none")]
    judging: Option<JudgingSum>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    confusion: BTreeMap<String, Confusion>,
}

pub(super) fn run(args: &RunArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let candidates = if args.candidate.is_empty() { vec![None] } else { args.candidate.iter().map(Some).collect() };
    for candidate in candidates {
        let candidate = candidate.map(String::as_str);
        if args.dry_run {
            dry(&project, candidate, args, global, output)?;
        } else {
            let evalset = project.evalset(global.evalset.as_deref())?;
            let made = execute(&project, evalset, candidate, args, None, global, output)?;
            print(&project, &made, global, output)?;
        }
    }
    Ok(Exit::Pass)
}

/// Prints what a run would send.
pub(super) fn dry(
    project: &Project,
    candidate: Option<&str>,
    args: &RunArgs,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (name, provider) = project.candidate(candidate)?;
    let judges = load_judges(&project.root, &project.config.scorers)?;
    let programs = load_programs(&project.root, &project.config.scorers)?;
    let outside = Outside::new(project, &all(provider, &judges, &programs), concurrency(project, args), args.cache)?
        .with_usd(project, args.budget);
    let around = outside.around_without_keys();
    let sides = Sides { candidate: (name, provider), judges: &judges, programs: &programs, against: None };
    let plan = plan(project, &evalset, &sides, around, args, global)?;
    if args.batch {
        super::batch::desk(provider, outside.around_without_keys())?;
    }
    let seen_before = super::dry_run::seen_before(project, name);
    super::dry_run::print(&plan, provider, &judges, &outside, args.batch, seen_before, output)
}

/// Calls in flight: what was typed, else the settings.
pub(super) fn concurrency(project: &Project, args: &RunArgs) -> usize {
    args.concurrency.map_or(project.config.concurrency, usize::from)
}

/// Everybody who is asked in a run.
pub(super) fn all<'s>(
    candidate: &'s ProviderSpec,
    judges: &'s BTreeMap<String, LoadedJudge>,
    programs: &'s Programs,
) -> Vec<&'s ProviderSpec> {
    let judges = judges.values().flat_map(LoadedJudge::providers);
    std::iter::once(candidate).chain(judges).chain(programs.providers()).collect()
}

/// Who answers, who judges, and what is compared with.
pub(super) struct Sides<'s> {
    pub(super) candidate: (&'s str, &'s ProviderSpec),
    pub(super) judges: &'s BTreeMap<String, LoadedJudge>,
    pub(super) programs: &'s Programs,
    pub(super) against: Option<&'s Against>,
}

/// What was typed and the settings → what is going to be asked.
fn plan(
    project: &Project,
    evalset: &EvalSet,
    sides: &Sides<'_>,
    around: Surroundings<'_>,
    args: &RunArgs,
    global: &Global,
) -> Result<Plan, Failure> {
    let seed = global.seed.unwrap_or(project.config.seed);
    Ok(Plan::new(&Setup {
        first_trial: 0,
        around,
        evalset,
        selection: &selection(&args.select, seed)?,
        candidate: sides.candidate.0,
        provider: System::Asked(sides.candidate.1),
        scorers: &project.config.scorers,
        judges: sides.judges,
        programs: sides.programs,
        against: sides.against,
        trials: args.trials.map_or(project.config.trials, u32::from),
        seed,
        shard: args.shard,
    })?)
}

/// Prints what a run came to.
pub(super) fn print(project: &Project, made: &MadeRun, global: &Global, output: &Output) -> Result<(), Failure> {
    let record = &made.record;
    let metrics =
        if project.config.metrics.is_empty() { default_metrics(record) } else { project.config.metrics.clone() };
    let seed = global.seed.unwrap_or(project.config.seed);
    let estimates = summarise(&numbers_of_record(record, &made.source(), &metrics)?, seed)?;
    let asked = &record.manifest.asked;
    let failed = record.samples.iter().filter(|sample| sample.error.is_some()).count();
    match output.format() {
        OutputFormat::Json => output.json(&Printed {
            schema: "evalgauge.run/1",
            run_id: &made.folder.id,
            path: made.source(),
            record_sha256: &record.manifest.record_sha256,
            evalset: format!("{}@{}", asked.dataset.evalset, asked.dataset.tag),
            candidate: &asked.candidate.name,
            examples: asked.dataset.examples,
            trials: asked.trials,
            failed,
            metrics: &estimates,
            judging: JudgingSum::of(record),
            warnings: &record.manifest.made.warnings,
            confusion: confusions(record),
        })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(made, &estimates, failed))?,
    }
    Ok(())
}

fn text(made: &MadeRun, estimates: &[MetricEstimate], failed: usize) -> String {
    let asked = &made.record.manifest.asked;
    let mut text = format!(
        "{} on {}@{}: {} examples, {} trial{}, {failed} failed\n",
        asked.candidate.name,
        asked.dataset.evalset,
        asked.dataset.tag,
        asked.dataset.examples,
        asked.trials,
        if asked.trials == 1 { "" } else { "s" },
    );
    for estimate in estimates {
        let ci = estimate.ci.map_or(String::new(), |ci| format!("  95 % [{:.4}, {:.4}]", ci.low, ci.high));
        let unscored = if estimate.unscored > 0 { format!(", {} unscored", estimate.unscored) } else { String::new() };
        text.push_str(&format!(
            "  {:<20} {}{ci}  {} of {} passed{unscored}\n",
            estimate.metric,
            estimate.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}")),
            estimate.passed,
            estimate.scored
        ));
    }
    if let Some(judging) = JudgingSum::of(&made.record) {
        text.push_str(&judging.text());
    }
    text.push_str(&format!("record {}  sha256 {}\n", made.source(), made.record.manifest.record_sha256));
    if let Some(shard) = &asked.shard {
        text.push_str(&format!(
            "shard {} of {}, {} examples in all: `evalgauge merge` makes one record of them\n",
            shard.index, shard.count, shard.examples
        ));
    }
    text
}

/// A run that came to its end.
pub(super) struct MadeRun {
    pub(super) folder: RunFolder,
    pub(super) record: RunRecord,
    /// What is left of what the whole may spend.
    pub(super) budget: Arc<Budget>,
}

impl MadeRun {
    pub(super) fn source(&self) -> String {
        self.folder.path.display().to_string()
    }
}

/// Makes the plan, runs it, and keeps the record. Pairwise judges compare with `baseline` unless the arguments name another.
pub(super) fn execute(
    project: &Project,
    evalset: EvalSet,
    candidate: Option<&str>,
    args: &RunArgs,
    baseline: Option<&RunRecord>,
    global: &Global,
    output: &Output,
) -> Result<MadeRun, Failure> {
    let (name, provider) = project.candidate(candidate)?;
    let judges = load_judges(&project.root, &project.config.scorers)?;
    let programs = load_programs(&project.root, &project.config.scorers)?;
    let outside = Outside::new(project, &all(provider, &judges, &programs), concurrency(project, args), args.cache)?
        .with_usd(project, args.budget);
    let asked = AgainstAsked { named: args.against.as_deref(), baseline, evalset: &evalset.name, candidate: name };
    let against = against(project, &judges, &asked, output)?;
    let sides = Sides { candidate: (name, provider), judges: &judges, programs: &programs, against: against.as_ref() };
    let mut plan = plan(project, &evalset, &sides, outside.around(), args, global)?;
    plan.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    // The plan keeps the examples that were chosen as long as it needs them.
    drop(evalset);
    enough_trials(project, plan.asked.trials)?;
    let store = project.store();
    let mut batches = super::batch::Batches::new(args, provider, &outside, &plan)?;
    if args.resume.is_none() {
        batches.are_nowhere_else(&store)?;
    }
    let (folder, mut journal, started, replayed) = match &args.resume {
        None => {
            let now = jiff::Timestamp::now();
            // Shards are made on several machines and brought together: their names must not meet.
            let part =
                args.shard.map_or_else(String::new, |shard| format!("-shard-{}-of-{}", shard.index, shard.count));
            let folder = store.create(&format!("{}-{name}{part}", now.strftime("%Y%m%dT%H%M%S%3fZ")))?;
            let started = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let journal = Journal::create(&folder.path, &plan.asked, &plan.selection_sha256, plan.answers(), &started)?;
            (folder, journal, started, Vec::new())
        }
        Some(id) => {
            let folder = if args.retry_errors { any_run(project, id)? } else { unfinished(project, id)? };
            let (journal, mut replayed) = Journal::resume(&folder.path, &plan.asked, &plan.selection_sha256)?;
            if args.retry_errors {
                // What came later stands: of two replies to one call the last one is used.
                replayed.rows.retain(|row| !matches!(row.answered.reply, Reply::Failed(_)));
            }
            (folder, journal, replayed.started, replayed.rows)
        }
    };
    output.note(&format!("run {}", folder.id));
    let seats = std::iter::once((name, provider)).chain(judges.values().flat_map(LoadedJudge::seats));
    let seats = seats.chain(programs.seats());
    let listeners = Listeners::new(args.events.as_deref(), &outside.notices, seats)?;
    let mut progress = Progress::new(output, !args.no_progress);
    for row in &replayed {
        if row.answered.source == Source::Live {
            outside.budget.already(row.answered.usage, row.answered.cost_usd, row.answered.attempts.into());
        }
    }
    // Behind a network the provider holds back what would be too much; so while some answers are on their way to the disk,
    // the places that they had at the provider are taken already.
    let begun = outside.concurrency + provider.network().map_or(0, |_| outside.concurrency.div_ceil(4));
    let limits = Limits { concurrency: begun, failed: project.config.failed_answers(plan.answers()) };
    let runtime = crate::cli::runtime::runtime()?;
    let mut on_event = |event: &crate::run::RunEvent<'_>| {
        progress.event(event, output);
        listeners.event(event);
    };
    let samples = runtime.block_on(async {
        batches.ask(&plan, &folder, output, &mut on_event).await?;
        crate::run::run(&mut plan, limits, &mut journal, replayed, interrupted, &mut on_event).await
    });
    progress.finish();
    listeners.finish().iter().for_each(|line| output.note(line));
    let samples = samples.map_err(|error| {
        outside.told().iter().for_each(|line| output.note(line));
        stopped(error, &folder, args.batch)
    })?;
    let git = revision(&project.root);
    let made = Made {
        run_id: folder.id.clone(),
        tool: TOOL.to_owned(),
        git_revision: git.as_ref().map(|git| git.commit.clone()),
        git_dirty: git.as_ref().map(|git| git.dirty),
        started,
        finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        state: if plan.asked.shard.is_some() { State::Incomplete } else { State::Complete },
        warnings: plan.warnings.clone(),
        merged_from: Vec::new(),
    };
    let record = close(&plan, samples, made)?;
    save(&folder.path, &record).map_err(|error| stopped(error.into(), &folder, false))?;
    output.detail(|| format!("{} calls answered now", progress.asked));
    for line in outside.told() {
        output.note(&line);
    }
    Ok(MadeRun { folder, record, budget: Arc::clone(&outside.budget) })
}

/// Refuses a metric that this many trials cannot give, before any of them is paid for.
pub(super) fn enough_trials(project: &Project, trials: u32) -> Result<(), Failure> {
    project.config.metrics.iter().try_for_each(|(name, metric)| {
        metric.check_trials(trials).map_err(|reason| Failure::input(format!("metric `{name}`: {reason}")))
    })
}

/// Adds how to go on: whatever ended the run, its replies are in the journal.
pub(super) fn stopped(error: RunError, folder: &RunFolder, batch: bool) -> Failure {
    let failure = Failure::from(error);
    if failure.exit == Exit::Input || failure.hint.is_some() && failure.exit != Exit::Failure {
        return failure;
    }
    let batch = if batch { " --batch" } else { "" };
    failure.hint(format!("nothing answered is lost; go on with `evalgauge run --resume {}{batch}`", folder.id))
}

pub(super) fn selection(args: &SelectArgs, seed: u64) -> Result<Selection, Failure> {
    let filters = args.filter.iter().map(|filter| {
        filter
            .split_once('=')
            .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
            .ok_or_else(|| Failure::input(format!("--filter {filter}: expected KEY=VALUE")))
    });
    Ok(Selection {
        ids: args.id.clone(),
        filters: filters.collect::<Result<_, _>>()?,
        sample: args.sample.map(|size| Sample { size: size.get(), seed }),
        limit: args.limit,
    })
}

/// The run of an id, or the latest one.
fn any_run(project: &Project, id: &str) -> Result<RunFolder, Failure> {
    let store = project.store();
    if id.is_empty() {
        let latest = store.runs().into_iter().rev().find(|run| !is_scored(project, &run.id));
        return latest.ok_or_else(|| Failure::input(format!("{}: no run to go on with", store.path().display())));
    }
    let path = store.folder_of(id)?;
    let id = path.file_name().map_or_else(|| id.to_owned(), |name| name.to_string_lossy().into_owned());
    refuse_scored(project, &id)?;
    Ok(RunFolder { id, path })
}

/// How the id of a run ends whose answers were recorded before.
pub(super) const SCORED: &str = "-scored";

/// Whether a run only scores recorded answers again. A candidate's own name may end so, too.
fn is_scored(project: &Project, id: &str) -> bool {
    let candidate = id.split_once('-').map_or(id, |(_, name)| name);
    id.ends_with(SCORED) && !project.config.candidates.contains_key(candidate)
}

fn refuse_scored(project: &Project, id: &str) -> Result<(), Failure> {
    if !is_scored(project, id) {
        return Ok(());
    }
    Err(Failure::input(format!("{id}: it scores recorded answers again, and has no candidate to ask"))
        .hint("begin it anew with `evalgauge score`, from the run whose answers it scores"))
}

/// The unfinished run of an id, or the latest one.
fn unfinished(project: &Project, id: &str) -> Result<RunFolder, Failure> {
    let store = project.store();
    if id.is_empty() {
        return store
            .runs()
            .into_iter()
            .rev()
            .find(|run| !run.is_closed() && !is_scored(project, &run.id))
            .ok_or_else(|| Failure::input(format!("{}: no unfinished run to resume", store.path().display())));
    }
    let path: PathBuf = store.folder_of(id)?;
    let id = path.file_name().map_or_else(|| id.to_owned(), |name| name.to_string_lossy().into_owned());
    let folder = RunFolder { id, path };
    refuse_scored(project, &folder.id)?;
    if folder.is_closed() {
        return Err(Failure::input(format!("the run {} is finished; there is nothing to resume", folder.id)));
    }
    Ok(folder)
}

/// Ends when the user presses Ctrl-C or the process is asked to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler there is nothing to wait for, and the run goes on.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The path of a record's folder as messages print it.
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix("./").unwrap_or(path).display().to_string()
}
