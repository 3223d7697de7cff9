//! `evalgauge score`: score recorded answers again. No candidate is asked; judges are, through cache and budget as in a run.

use std::collections::HashSet;

use tokio::runtime::Runtime;

use super::args::{Global, RunArgs};
use super::evalset::{ScoreArgs, pin_of};
use super::failure::Failure;
use super::judging::{AgainstAsked, against};
use super::output::Output;
use super::outside::Outside;
use super::progress::Progress;
use super::run::{MadeRun, SCORED, TOOL, concurrency, enough_trials, interrupted, print, stopped};
use super::source::baseline_record;
use crate::config::Project;
use crate::evalset::{EvalSet, Selection};
use crate::gate::Exit;
use crate::provider::ProviderSpec;
use crate::record::{Journal, Made, RunRecord, Sample, State, load, save};
use crate::run::{
    Limits, LoadedJudge, Plan, RunError, RunEvent, Setup, System, close, load_judges, load_programs, lost_tool_calls,
    recorded_replies, run as run_plan,
};
use crate::score::ScorerSpec;

pub(super) fn run(args: &ScoreArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let mut project = Project::open(global.config.as_deref())?;
    only(&mut project, &args.scorer)?;
    let record = find(&project, &args.run)?;
    let made = score(&project, &record, args, global, output)?;
    output.note(&format!("scored again from {}: no candidate was asked", record.manifest.made.run_id));
    print(&project, &made, global, output)?;
    Ok(Exit::Pass)
}

/// Leaves these scorers, what they are made of, and the metrics that are made of them.
fn only(project: &mut Project, scorers: &[String]) -> Result<(), Failure> {
    if scorers.is_empty() {
        return Ok(());
    }
    let config = &mut project.config;
    if let Some(name) = scorers.iter().find(|name| !config.scorers.contains_key(*name)) {
        let known: Vec<_> = config.scorers.keys().map(|name| format!("`{name}`")).collect();
        return Err(Failure::input(format!("there is no scorer `{name}`; there are: {}", known.join(", "))));
    }
    // What a combination is made of is needed too.
    let mut needed: HashSet<String> = HashSet::new();
    let mut wanted: Vec<String> = scorers.to_vec();
    while let Some(name) = wanted.pop() {
        if let Some(combination) = config.scorers.get(&name).and_then(ScorerSpec::combination) {
            let members = combination.members();
            wanted
                .extend(members.into_iter().map(|(member, _)| member.to_owned()).filter(|name| !needed.contains(name)));
        }
        needed.insert(name);
    }
    config.scorers.retain(|name, _| needed.contains(name));
    config.metrics.retain(|_, metric| scorers.contains(&metric.scorer));
    Ok(())
}

/// The record of a name; of a baseline that of the project's eval set and candidate.
fn find(project: &Project, name: &str) -> Result<RunRecord, Failure> {
    let record = if name == "baseline" {
        let (candidate, _) = project.candidate(None)?;
        let (folder, _) = project.evalset_version(None)?;
        baseline_record(project, None, &folder.description().name, candidate)?.0
    } else {
        load(&project.store().find(name)?)?
    };
    if record.manifest.made.state != State::Complete || record.manifest.asked.shard.is_some() {
        return Err(Failure::new(Exit::Incomplete, format!("{name}: the record is not whole"))
            .hint("resume its run, or merge its shards first"));
    }
    Ok(record)
}

/// The pinned examples that a record is about.
fn examples(project: &Project, record: &RunRecord) -> Result<EvalSet, Failure> {
    let (folder, version) = pin_of(project, record)?;
    let mut set = folder.load(Some(&version.tag))?;
    let asked: HashSet<&str> = record.samples.iter().map(|sample| sample.id.as_str()).collect();
    set.examples.retain(|example| asked.contains(example.id.as_str()));
    if set.examples.len() * record.manifest.asked.trials as usize != record.samples.len() {
        return Err(Failure::new(
            Exit::Undecidable,
            format!("{}: its answers are not those to the examples of its pin", record.manifest.made.run_id),
        ));
    }
    // The name that the record knows it by: two tags may stand for the same bytes.
    set.version.tag.clone_from(&record.manifest.asked.dataset.tag);
    Ok(set)
}

fn score(
    project: &Project,
    record: &RunRecord,
    args: &ScoreArgs,
    global: &Global,
    output: &Output,
) -> Result<MadeRun, Failure> {
    let asked = &record.manifest.asked;
    let evalset = examples(project, record)?;
    let judges = load_judges(&project.root, &project.config.scorers)?;
    let programs = load_programs(&project.root, &project.config.scorers)?;
    let providers: Vec<&ProviderSpec> =
        judges.values().flat_map(LoadedJudge::providers).chain(programs.providers()).collect();
    let flags = RunArgs { concurrency: args.concurrency, ..RunArgs::default() };
    let outside =
        Outside::new(project, &providers, concurrency(project, &flags), args.cache)?.with_usd(project, args.budget);
    let named = AgainstAsked {
        named: args.against.as_deref(),
        baseline: None,
        evalset: &evalset.name,
        candidate: &asked.candidate.name,
    };
    let against = against(project, &judges, &named, output)?;
    let mut plan = Plan::new(&Setup {
        around: outside.around(),
        evalset: &evalset,
        selection: &Selection::default(),
        candidate: &asked.candidate.name,
        provider: System::Recorded(&asked.candidate),
        scorers: &project.config.scorers,
        judges: &judges,
        programs: &programs,
        against: against.as_ref(),
        trials: asked.trials,
        first_trial: 0,
        seed: global.seed.unwrap_or(asked.seed),
        shard: None,
    })?;
    drop(evalset);
    enough_trials(project, asked.trials)?;
    let lost = lost_tool_calls(record);
    if lost > 0 {
        plan.warnings.push(format!(
            "{lost} answers called tools beside saying something; a record keeps what they said, so the calls are not scored"
        ));
    }
    plan.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    let runtime = crate::cli::runtime::runtime()?;
    let now = jiff::Timestamp::now();
    let id = format!("{}-{}{SCORED}", now.strftime("%Y%m%dT%H%M%S%3fZ"), asked.candidate.name);
    let folder = project.store().create(&id)?;
    let started = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    output.note(&format!("run {}", folder.id));
    let journal = Journal::create(&folder.path, &plan.asked, &plan.selection_sha256, plan.answers(), &started)?;
    let samples =
        judged(&mut plan, record, journal, (&runtime, outside.concurrency), (args, output)).map_err(|error| {
            outside.told().iter().for_each(|line| output.note(line));
            let failure = stopped(error, &folder, false);
            if failure.hint.is_none() {
                return failure;
            }
            // By its id: `latest` is this folder by now.
            let from = if args.run == "baseline" { "baseline" } else { &record.manifest.made.run_id };
            failure.hint(format!("what judges answered is in the cache; go on with `evalgauge score {from}`"))
        })?;
    let mut warnings = plan.warnings.clone();
    warnings.push(format!("scored again from {}: no candidate was asked", record.manifest.made.run_id));
    let made = Made {
        run_id: folder.id.clone(),
        tool: TOOL.to_owned(),
        // Of the answers, which are what is measured.
        git_revision: record.manifest.made.git_revision.clone(),
        git_dirty: record.manifest.made.git_dirty,
        started,
        finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        state: State::Complete,
        warnings,
        merged_from: Vec::new(),
    };
    let record = close(&plan, samples, made)?;
    save(&folder.path, &record)?;
    outside.told().iter().for_each(|line| output.note(line));
    Ok(MadeRun { folder, record, budget: std::sync::Arc::clone(&outside.budget) })
}

/// The samples of the plan, whose answers are those of the record.
fn judged(
    plan: &mut Plan,
    record: &RunRecord,
    mut journal: Journal,
    (runtime, concurrency): (&Runtime, usize),
    (args, output): (&ScoreArgs, &Output),
) -> Result<Vec<Sample>, RunError> {
    let replies = recorded_replies(record);
    for reply in &replies {
        journal.append(reply)?;
    }
    let mut progress = Progress::new(output, !args.no_progress);
    // Answers that failed, failed then: they do not end this.
    let limits = Limits { concurrency, failed: None };
    let mut on_event = |event: &RunEvent<'_>| progress.event(event, output);
    let samples = runtime.block_on(run_plan(plan, limits, &mut journal, replies, interrupted, &mut on_event));
    progress.finish();
    samples
}
