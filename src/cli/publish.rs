//! `evalgauge publish`, and `check --publish`: a verdict to where a reviewer reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::args::{Global, OutputFormat};
use super::failure::Failure;
use super::output::{Output, complain};
use super::report::decided;
use super::run::shown;
use crate::compare::Flip;
use crate::config::Project;
use crate::evalset::Folder;
use crate::gate::{Decision, Exit, Verdict};
use crate::publish::{
    Annotation, Github, Level, Marker, Posted, PublishError, comment, set_outputs, summarise, workflow_commands,
};
use crate::report::{Limit, Report, escape_control, markdown};
use crate::table::for_each_line;

/// Characters of an answer in an annotation.
const SHOWN: usize = 200;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct PublishArgs {
    /// A run that was checked (its id, its folder, `latest`), or a verdict.json
    subject: String,
    /// Tells this gate's comment from those of other gates in the repository [default: config file and candidate]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// No comment on the pull request
    #[arg(long)]
    no_comment: bool,
    /// Nothing in the step's summary
    #[arg(long)]
    no_summary: bool,
    /// No annotations at the lines of examples that broke
    #[arg(long)]
    no_annotations: bool,
    /// Send and write nothing; print what it would be
    #[arg(long)]
    dry_run: bool,
}

/// What to publish.
struct What<'a> {
    name: Option<&'a str>,
    comment: bool,
    summary: bool,
    annotations: bool,
}

/// What became of it.
#[derive(Debug, Default, Serialize)]
struct Done {
    schema: &'static str,
    /// `created`, `updated`, `overtaken`, `skipped`, `planned` or `off`.
    comment: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    summary: bool,
    annotations: usize,
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(super) fn run(args: &PublishArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let report = decided(&project, &args.subject, global, output)?;
    let what = What {
        name: args.name.as_deref(),
        comment: !args.no_comment,
        summary: !args.no_summary,
        annotations: !args.no_annotations,
    };
    let github = Github::from_env(&environment)?;
    if args.dry_run {
        dry(&project, &report, &what, &github, output)?;
        return Ok(Exit::Pass);
    }
    let done = publish(&project, &report, &what, &github)?;
    match output.format() {
        OutputFormat::Json => output.json(&done)?,
        _ => output.result(&text(&done))?,
    }
    Ok(Exit::Pass)
}

/// Publishes the report of a check. What goes wrong is said, and changes no verdict.
pub(super) fn after_check(project: &Project, report: &Report, output: &Output) {
    let what = What { name: None, comment: true, summary: true, annotations: true };
    let done = Github::from_env(&environment)
        .map_err(Failure::from)
        .and_then(|github| publish(project, report, &what, &github));
    match done {
        Ok(done) => {
            for line in text(&done).lines() {
                output.note(line);
            }
        }
        Err(failure) => complain(&format!("warning: not published: {}", failure.message)),
    }
}

fn publish(project: &Project, report: &Report, what: &What<'_>, github: &Github) -> Result<Done, Failure> {
    let verdict = verdict(report)?;
    let mut done = Done { schema: "evalgauge.published/1", comment: "off", ..Done::default() };
    if what.annotations {
        let annotations = annotations(project, report, verdict, github);
        done.annotations = annotations.len();
        // On stderr, which GitHub reads just as well, and where they do not mix with a result.
        for line in workflow_commands(&annotations) {
            complain(&line);
        }
    }
    let regressed = serde_json::to_string(&verdict.regressed).map_err(|error| Failure::machine(error.to_string()))?;
    set_outputs(
        github,
        &[
            ("decision", verdict.decision.name().to_owned()),
            ("exit-code", verdict.exit_code.to_string()),
            ("regressed", regressed),
        ],
    )?;
    let short = markdown(&report.view, Limit::Comment);
    // Before the comment: whatever becomes of that, the report is there.
    if what.summary {
        done.summary = summarise(github, &markdown(&report.view, Limit::Summary), &short)?;
    }
    if what.comment {
        let marker = marker(project, verdict, what, github);
        let runtime = crate::cli::runtime::runtime()?;
        match runtime.block_on(comment(github, &marker, &short))? {
            Posted::Created(page) => (done.comment, done.page) = ("created", Some(page)),
            Posted::Updated(page) => (done.comment, done.page) = ("updated", Some(page)),
            Posted::Overtaken(page) => (done.comment, done.page) = ("overtaken", Some(page)),
            Posted::Not(why) => (done.comment, done.why_not) = ("skipped", Some(why)),
        }
    }
    Ok(done)
}

fn text(done: &Done) -> String {
    let page = done.page.as_deref().unwrap_or_default();
    let mut text = match done.comment {
        "created" => format!("comment created: {page}\n"),
        "updated" => format!("comment updated: {page}\n"),
        "overtaken" => format!("comment left as it is, a later run wrote it: {page}\n"),
        "skipped" => {
            let there = if done.summary { "; the report is in the step summary" } else { "" };
            format!("no comment: {}{there}\n", done.why_not.as_deref().unwrap_or_default())
        }
        _ => String::new(),
    };
    if done.summary && done.comment != "skipped" {
        text.push_str("report added to the step summary\n");
    }
    if done.annotations > 0 {
        text.push_str(&format!("{} annotations\n", done.annotations));
    }
    if text.is_empty() { "nothing to publish here: no pull request, no step summary\n".to_owned() } else { text }
}

fn dry(project: &Project, report: &Report, what: &What<'_>, github: &Github, output: &Output) -> Result<(), Failure> {
    let verdict = verdict(report)?;
    let marker = marker(project, verdict, what, github);
    let annotations = if what.annotations { annotations(project, report, verdict, github) } else { Vec::new() };
    let body = markdown(&report.view, Limit::Comment);
    if output.format() == OutputFormat::Json {
        return output.json(&serde_json::json!({
            "schema": "evalgauge.published/1",
            "comment": if what.comment { "planned" } else { "off" },
            "place": github.place(),
            "marker": marker.line(),
            "body": body,
            "annotations": annotations,
        }));
    }
    let mut text = String::new();
    if what.comment {
        let place = github.place().unwrap_or_else(|| "no pull request".to_owned());
        text.push_str(&format!("comment on {place}:\n\n{}\n{body}\n", marker.line()));
    }
    if !annotations.is_empty() {
        text.push_str("annotations:\n\n");
        for line in workflow_commands(&annotations) {
            // Not at the start of a line, where it would be one.
            text.push_str(&format!("    {}\n", line.trim_start_matches(':')));
        }
    }
    output.result(&text)
}

fn verdict(report: &Report) -> Result<&Verdict, Failure> {
    report.verdict().ok_or_else(|| {
        Failure::input("there is no verdict to publish".to_owned())
            .hint("`evalgauge check` makes one; or name the file that `gate --format json -o verdict.json` wrote")
    })
}

/// One comment a config and candidate.
fn marker(project: &Project, verdict: &Verdict, what: &What<'_>, github: &Github) -> Marker {
    if let Some(name) = what.name {
        return Marker::new(name);
    }
    let config =
        project.file.as_deref().map_or_else(|| "evalgauge.toml".to_owned(), |file| in_repository(file, github));
    Marker::new(&format!("{config}#{}", verdict.head.candidate.as_deref().unwrap_or("table")))
}

/// A path from the top of the repository, with `/` between its parts.
fn in_repository(path: &Path, github: &Github) -> String {
    let inside = || {
        let top = std::fs::canonicalize(github.workspace.as_ref()?).ok()?;
        std::fs::canonicalize(path).ok()?.strip_prefix(top).ok().map(Path::to_owned)
    };
    let path = inside().unwrap_or_else(|| PathBuf::from(shown(path)));
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/")
}

/// A remark at the line of every example that broke, those behind the deepest fall first.
fn annotations(project: &Project, report: &Report, verdict: &Verdict, github: &Github) -> Vec<Annotation> {
    let mut flips: BTreeMap<&str, (Level, Vec<&Flip>)> = BTreeMap::new();
    let broke = if verdict.decision == Decision::Fail { Level::Error } else { Level::Warning };
    let of_class = [(broke, &verdict.flips.pass_to_fail), (Level::Warning, &verdict.flips.wavering_worse)];
    for (level, class) in of_class {
        for flip in class {
            let entry = flips.entry(&flip.id).or_insert((level, Vec::new()));
            entry.0 = entry.0.min(level);
            entry.1.push(flip);
        }
    }
    let place = dataset(project, verdict).map(|(path, id_field)| {
        let wanted: BTreeSet<&str> = flips.keys().copied().collect();
        (in_repository(&path, github), lines(&path, &id_field, &wanted))
    });
    let (file, lines) = place.map_or((None, BTreeMap::new()), |(file, lines)| (Some(file), lines));
    let first = report.view.broken.iter().map(|flip| flip.id.as_str());
    let mut order: Vec<&str> = Vec::with_capacity(flips.len());
    let mut seen = BTreeSet::new();
    order.extend(first.chain(flips.keys().copied()).filter(|id| flips.contains_key(id) && seen.insert(*id)));
    order
        .into_iter()
        .map(|id| {
            let (level, flips) = &flips[id];
            let id = escape_control(id, SHOWN);
            let title = if flips.iter().any(|flip| flip.head_passes == 0) {
                format!("{id} broke")
            } else {
                format!("{id} passes less often")
            };
            Annotation {
                level: *level,
                file: file.clone(),
                line: lines.get(flips[0].id.as_str()).copied(),
                title,
                message: message(flips),
            }
        })
        .collect()
}

fn message(flips: &[&Flip]) -> String {
    let passes = flips.iter().map(|flip| {
        format!(
            "{}: {}/{} → {}/{} passes",
            flip.metric, flip.baseline_passes, flip.baseline_trials, flip.head_passes, flip.head_trials
        )
    });
    let mut lines: Vec<String> = passes.collect();
    for (what, answer) in [("before", &flips[0].baseline_answer), ("now", &flips[0].head_answer)] {
        lines.extend(answer.as_deref().map(|answer| format!("{what}: {}", escape_control(answer, SHOWN))));
    }
    lines.join("\n")
}

/// The pinned file of a verdict, and the field of the id in it.
fn dataset(project: &Project, verdict: &Verdict) -> Option<(PathBuf, String)> {
    let pins = verdict.head.pins.as_ref()?;
    let sets = project.evalsets();
    let folder = Folder::open(&sets, &pins.evalset).ok()?;
    let description = folder.description();
    let version = description.versions.iter().find(|version| version.sha256 == pins.dataset_sha256)?;
    Some((sets.join(&pins.evalset).join(&version.file), description.fields.id.clone()))
}

/// On which line each of some examples stands. Without the file, nowhere: the remark then has no place.
fn lines(path: &Path, id_field: &str, wanted: &BTreeSet<&str>) -> BTreeMap<String, u64> {
    let mut lines = BTreeMap::new();
    let read = for_each_line(path, |number, text| {
        let line: Value = serde_json::from_str(text).unwrap_or_default();
        let id = match &line[id_field] {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        };
        if wanted.contains(id.as_str()) {
            lines.insert(id, number);
        }
        Ok::<(), crate::table::TableError>(())
    });
    if read.is_ok() { lines } else { BTreeMap::new() }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::File(error) => error.into(),
            PublishError::Settings(what) => Self::input(what),
            PublishError::Api { .. } => Self::machine(error.to_string()),
        }
    }
}
