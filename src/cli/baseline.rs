//! `evalgauge baseline`: the blessed record that changes are compared with.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{BaselineArgs, BaselineVerb, Global, OutputFormat, RunArgs};
use super::failure::Failure;
use super::gate::{as_of, policy_digest};
use super::git::{exact_revision, revision, user};
use super::output::Output;
use super::run::{execute, shown};
use super::source::baseline_record;
use crate::config::Project;
use crate::gate::Exit;
use crate::record::{Blessing, HistoryLine, Manifest, RunRecord, State, bless, history, load};

/// A baseline that is older than this is stale, where nothing else is said.
pub(super) const STALE_DAYS: i64 = 30;

/// With fewer looks at a set a best one proves nothing.
const FEWEST_LOOKS: usize = 3;

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    path: String,
    manifest: &'a Manifest,
    #[serde(skip_serializing_if = "Option::is_none")]
    blessing: Option<&'a Blessing>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Aged<'a> {
    schema: &'static str,
    path: String,
    candidate: &'a str,
    blessed: Option<&'a str>,
    days: Option<i64>,
    stale: bool,
    warnings: &'a [String],
}

pub(super) fn run(args: &BaselineArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    match &args.verb {
        BaselineVerb::Bless { run, why, by, force } => {
            let folder = project.store().find(run)?;
            let record = load(&folder)?;
            blessable(&folder, &record, *force)?;
            let reasons = Reasons { why: why.clone(), by: by.clone(), rebased_from: None };
            let (made, blessing) = make(&project, &record, reasons, global)?;
            let warnings = best_so_far(&project, &record)?.into_iter().collect();
            print(output, "blessed", &record.manifest, &made, Some(&blessing), warnings)?;
        }
        BaselineVerb::Show { candidate } => {
            let (name, _) = project.candidate(candidate.as_deref())?;
            let evalset = project.evalset(global.evalset.as_deref())?;
            let (record, folder) = baseline_record(&project, None, &evalset.name, name)?;
            let blessing = Blessing::load(&folder)?;
            print(output, "baseline", &record.manifest, &folder, blessing.as_ref(), Vec::new())?;
        }
        BaselineVerb::Age { candidate, days } => age(&project, candidate.as_deref(), *days, global, output)?,
        BaselineVerb::Rebase { run } => rebase(&project, run, global, output)?,
    }
    Ok(Exit::Pass)
}

/// What a person says of a blessing.
pub(super) struct Reasons {
    pub(super) why: Option<String>,
    pub(super) by: Option<String>,
    pub(super) rebased_from: Option<String>,
}

pub(super) fn make(
    project: &Project,
    record: &RunRecord,
    reasons: Reasons,
    global: &Global,
) -> Result<(PathBuf, Blessing), Failure> {
    let folder = bless(project.store().path(), record)?;
    let blessing = Blessing {
        schema: Blessing::SCHEMA.to_owned(),
        record_sha256: record.manifest.record_sha256.clone(),
        date: as_of(global),
        by: reasons.by.or_else(|| user(&project.root)),
        why: reasons.why,
        git_revision: revision(&project.root).map(|git| git.commit),
        policy_sha256: Some(policy_digest(&project.config.gate)?),
        rebased_from: reasons.rebased_from,
    };
    blessing.save(&folder)?;
    Ok((folder, blessing))
}

/// Refuses a record that should not be what others are measured by.
fn blessable(folder: &Path, record: &RunRecord, force: bool) -> Result<(), Failure> {
    if record.manifest.made.state != State::Complete {
        return Err(Failure::new(Exit::Incomplete, format!("{}: the run is not whole", shown(folder)))
            .hint("resume it, or merge its shards; an incomplete record is never a baseline"));
    }
    let verdict = folder.join("verdict.json");
    let decision = std::fs::read_to_string(&verdict)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|verdict| verdict["decision"].as_str().map(str::to_owned));
    match decision.as_deref() {
        None | Some("pass") => Ok(()),
        Some(_) if force => Ok(()),
        Some(decision) => Err(Failure::input(format!("{}: the check of this run says `{decision}`", shown(folder)))
            .hint("if the team takes it all the same, say so with --force and --why")),
    }
}

/// The warning that a record was the best of several looks: its luck would fail whoever comes next.
fn best_so_far(project: &Project, record: &RunRecord) -> Result<Option<String>, Failure> {
    let asked = &record.manifest.asked;
    let looks: Vec<HistoryLine> = history(project.store().path())?
        .into_iter()
        .filter(|line| line.dataset_sha256 == asked.dataset.sha256 && line.candidate == asked.candidate.name)
        .collect();
    let Some(own) = looks.iter().rev().find(|line| line.record_sha256 == record.manifest.record_sha256) else {
        return Ok(None);
    };
    let mut digests: Vec<&str> = looks.iter().map(|line| line.record_sha256.as_str()).collect();
    digests.sort_unstable();
    digests.dedup();
    if digests.len() < FEWEST_LOOKS {
        return Ok(None);
    }
    let best = own.metrics.iter().filter_map(|(name, value)| Some((name, (*value)?))).find(|(name, value)| {
        let others = looks.iter().filter(|line| line.record_sha256 != own.record_sha256);
        let mut others = others.filter_map(|line| line.metrics.get(*name).copied().flatten()).peekable();
        others.peek().is_some() && others.all(|other| other < *value)
    });
    Ok(best.map(|(name, _)| {
        format!(
            "this record has the best {name} of {} that were checked on this set; a baseline that is blessed because it \
             scored best is lucky, and up to a quarter of unchanged pull requests fail against it: bless on merge, or on a \
             schedule",
            digests.len()
        )
    }))
}

fn age(project: &Project, candidate: Option<&str>, days: i64, global: &Global, output: &Output) -> Result<(), Failure> {
    let (name, _) = project.candidate(candidate)?;
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (record, folder) = baseline_record(project, None, &evalset.name, name)?;
    let blessing = Blessing::load(&folder)?;
    let as_of = as_of(global);
    let warnings = warnings(project, &record, blessing.as_ref(), &as_of, days)?;
    let old = blessing.as_ref().and_then(|blessing| days_between(&blessing.date, &as_of));
    let stale = old.is_none_or(|old| old > days);
    match output.format() {
        OutputFormat::Json => output.json(&Aged {
            schema: "evalgauge.baseline-age/1",
            path: shown(&folder),
            candidate: name,
            blessed: blessing.as_ref().map(|blessing| blessing.date.as_str()),
            days: old,
            stale,
            warnings: &warnings,
        })?,
        OutputFormat::Text | OutputFormat::Md => {
            let old = old.map_or_else(|| "of unknown age".to_owned(), |old| format!("{old} days old"));
            let mut text = format!("{}: {old}{}\n", shown(&folder), if stale { ", stale" } else { "" });
            for warning in &warnings {
                text.push_str(&format!("warning: {warning}\n"));
            }
            output.result(&text)?;
        }
    }
    Ok(())
}

/// What speaks against a baseline: its age, a policy that changed since.
pub(super) fn warnings(
    project: &Project,
    record: &RunRecord,
    blessing: Option<&Blessing>,
    as_of: &str,
    days: i64,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    let Some(blessing) = blessing else { return Ok(warnings) };
    if blessing.record_sha256 != record.manifest.record_sha256 {
        warnings.push("the baseline's blessing.json is of another record: bless it anew".to_owned());
    }
    if let Some(old) = days_between(&blessing.date, as_of).filter(|old| *old > days) {
        warnings.push(format!(
            "the baseline is {old} days old: a hosted model may have moved since; bless a fresh run of the main branch"
        ));
    }
    let policy = policy_digest(&project.config.gate)?;
    if blessing.policy_sha256.as_ref().is_some_and(|blessed| *blessed != policy) {
        warnings.push(
            "the policy is not the one that the baseline was blessed under: if this change made it so, look at both apart"
                .to_owned(),
        );
    }
    Ok(warnings)
}

fn days_between(from: &str, to: &str) -> Option<i64> {
    let (from, to): (jiff::civil::Date, jiff::civil::Date) = (from.parse().ok()?, to.parse().ok()?);
    Some(i64::from(from.until(to).ok()?.get_days()))
}

/// Runs the candidate of a baseline on the current pin.
fn rebase(project: &Project, args: &RunArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let candidate = match &args.candidate[..] {
        [] => None,
        [one] => Some(one.as_str()),
        _ => return Err(Failure::input("a baseline is of one candidate; give one --candidate".to_owned())),
    };
    let (name, provider) = project.candidate(candidate)?;
    let evalset = project.evalset(global.evalset.as_deref())?;
    let (old, folder) = baseline_record(project, None, &evalset.name, name)?;
    let asked = &old.manifest.asked;
    if asked.dataset.sha256 == evalset.version.sha256 {
        return Err(Failure::input(format!(
            "{}: it is on {}@{} already",
            shown(&folder),
            evalset.name,
            asked.dataset.tag
        )));
    }
    if provider.digest(&project.root, exact_revision(&project.root).as_ref())? != asked.candidate.digest {
        return Err(Failure::new(
            Exit::Undecidable,
            format!("candidate `{name}` is not what it was when its baseline was blessed"),
        )
        .hint("check out the revision of the baseline (`evalgauge baseline show`), pin the new set there, and rebase there"));
    }
    let from = format!("{}@{}", asked.dataset.evalset, asked.dataset.tag);
    let made = execute(project, evalset, candidate, args, Some(&old), global, output)?;
    let reasons =
        Reasons { why: Some("the same candidate on a new pin".to_owned()), by: None, rebased_from: Some(from) };
    let (folder, blessing) = make(project, &made.record, reasons, global)?;
    print(output, "rebased", &made.record.manifest, &folder, Some(&blessing), Vec::new())
}

fn print(
    output: &Output,
    done: &str,
    manifest: &Manifest,
    folder: &Path,
    blessing: Option<&Blessing>,
    warnings: Vec<String>,
) -> Result<(), Failure> {
    for warning in &warnings {
        output.note(&format!("warning: {warning}"));
    }
    match output.format() {
        OutputFormat::Json => {
            let path = shown(folder);
            output.json(&Printed { schema: "evalgauge.baseline/1", path, manifest, blessing, warnings })
        }
        OutputFormat::Text | OutputFormat::Md => output.result(&text(done, manifest, blessing, &shown(folder))),
    }
}

fn text(done: &str, manifest: &Manifest, blessing: Option<&Blessing>, folder: &str) -> String {
    let asked = &manifest.asked;
    let made = &manifest.made;
    let revision = made.git_revision.as_deref().map_or_else(
        || "no git revision".to_owned(),
        |revision| format!("git {revision}{}", if made.git_dirty == Some(true) { " with local changes" } else { "" }),
    );
    let mut text = format!(
        "{done} {} on {}@{} ({} examples, {} trials), run {} of {}, {revision}\n{folder}  sha256 {}\n",
        asked.candidate.name,
        asked.dataset.evalset,
        asked.dataset.tag,
        asked.dataset.examples,
        asked.trials,
        made.run_id,
        made.started,
        manifest.record_sha256
    );
    if let Some(blessing) = blessing {
        let by = blessing.by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
        let why = blessing.why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
        text.push_str(&format!("blessed on {}{by}{why}\n", blessing.date));
    }
    text
}
