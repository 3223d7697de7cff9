//! `evalgauge evalset`: pin, verify and look at eval sets, compare, sample, add.

mod add;
mod args;
mod diff;
mod sample;
mod show;

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::args::{Global, OutputFormat};
use super::columns::{Guess, Named, Origin, OwnTable, quoted};
use super::failure::Failure;
use super::output::Output;
use crate::config::Project;
use crate::evalset::{Fields, Folder, NewPin, Version, names, pin};
use crate::gate::Exit;
use crate::table::write_atomically;

pub(super) use add::pin_of;
pub(super) use args::{EvalsetArgs, ScoreArgs, ViewArgs};
use args::{EvalsetVerb, PinArgs};

pub(super) fn run(args: &EvalsetArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    match &args.verb {
        EvalsetVerb::Pin(args) => pin_set(args, &project, global, output),
        EvalsetVerb::Verify { name } => verify(name.as_deref(), &project, output),
        EvalsetVerb::Show(args) => show::run(args, &project, global, output),
        EvalsetVerb::Diff(args) => diff::run(args, &project, output),
        EvalsetVerb::Sample(args) => sample::run(args, &project, global, output),
        EvalsetVerb::Add(args) => add::run(args, &project, global, output),
    }
}

#[derive(Serialize)]
struct PinnedSet<'a> {
    schema: &'static str,
    name: &'a str,
    #[serde(flatten)]
    version: &'a Version,
    /// What the columns of a table were taken for.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a Guess>,
}

fn pin_set(args: &PinArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let date = super::gate::as_of(global);
    let new =
        NewPin { name: &args.name, from: &args.from, tag: &args.tag, date: &date, note: &args.note, fields: None };
    let (version, columns) = if is_table(&args.from) {
        let (version, guess) = pin_table(args, project, &new)?;
        (version, Some(guess))
    } else {
        let fields = args.named.is_given().then(|| fields(&args.named));
        (pin(&project.evalsets(), &NewPin { fields, ..new })?, None)
    };
    match output.format() {
        OutputFormat::Json => output.json(&PinnedSet {
            schema: "evalgauge.pin/1",
            name: &args.name,
            version: &version,
            columns: columns.as_ref().map(|(guess, _)| guess),
        })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&format!(
            "{}pinned {}@{}: {} examples, sha256 {}\n{}\n",
            columns.map_or_else(String::new, |(_, said)| said),
            args.name,
            version.tag,
            version.examples,
            version.sha256,
            project.evalsets().join(&args.name).join(&version.file).display()
        ))?,
    }
    Ok(Exit::Pass)
}

/// Whether a file is a table, from which lines have to be made.
pub(super) fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "csv" | "tsv" | "parquet")
}

/// Pins the lines that are made of a table; what its columns were taken for, and the same in words.
fn pin_table(args: &PinArgs, project: &Project, new: &NewPin<'_>) -> Result<(Version, (Guess, String)), Failure> {
    let standard = Fields::default();
    if let Ok(folder) = Folder::open(&project.evalsets(), new.name)
        && folder.description().fields != standard
    {
        return Err(Failure::input(format!(
            "eval set `{}` has field names of its own, and a table is pinned under the usual ones",
            new.name
        ))
        .hint("make JSON lines with the set's field names, or a set of another name"));
    }
    let rows = OwnTable::read(&args.from)?;
    let guess = Guess::of(&rows, &args.named, None, Origin::Inputs)?;
    let examples = guess.examples(&rows)?;
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (row, example) in examples.iter().enumerate() {
        let id = example["id"].as_str().unwrap_or_default();
        if let Some(first) = first.insert(id, row) {
            return Err(rows.wrong(row, &format!("the id `{id}` stands on line {} already", rows.line(first))));
        }
    }
    let mut said = guess.said(&rows);
    if guess.id.is_none() {
        said.push(format!("id         numbered, 1 to {}", examples.len()));
    }
    if let Some(answer) = &guess.answer {
        said.push(format!("left out   column `{answer}`: what a system answered"));
    }
    if !guess.unused.is_empty() {
        said.push(format!("kept       {}: with the examples, not used", quoted(&guess.unused)));
    }
    let folder = tempfile::tempdir().map_err(|error| Failure::machine(format!("no temporary folder: {error}")))?;
    let from = folder.path().join("examples.jsonl");
    let lines: Vec<String> = examples.iter().map(|example| format!("{example}\n")).collect();
    write_atomically(&from, lines.concat().as_bytes())?;
    let version = pin(&project.evalsets(), &NewPin { from: &from, ..new.clone() }).map_err(|error| match error {
        // The line is one that nobody ever saw.
        crate::evalset::EvalsetError::Line { line, reason, .. } => {
            rows.wrong(usize::try_from(line).unwrap_or(1) - 1, &reason)
        }
        other => other.into(),
    })?;
    Ok((version, (guess, said.into_iter().map(|line| line + "\n").collect())))
}

/// Field names from the flags.
fn fields(named: &Named) -> Fields {
    let standard = Fields::default();
    Fields {
        id: named.id.clone().unwrap_or(standard.id),
        input: named.input.clone().unwrap_or(standard.input),
        expected: named.expected.clone().unwrap_or(standard.expected),
        group: named.group.clone().unwrap_or(standard.group),
        labels: named.label.clone(),
    }
}

#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    verified: Vec<String>,
}

fn verify(name: Option<&str>, project: &Project, output: &Output) -> Result<Exit, Failure> {
    let sets = project.evalsets();
    let wanted = name.map_or_else(|| names(&sets), |name| vec![name.to_owned()]);
    if wanted.is_empty() {
        return Err(Failure::input(format!("{}: no eval set to verify", sets.display())));
    }
    let mut verified = Vec::new();
    let mut text = String::new();
    for name in wanted {
        let folder = Folder::open(&sets, &name)?;
        for version in &folder.description().versions {
            folder.scan(version, |_, _| (), |()| Ok(()))?;
            text.push_str(&format!(
                "{name}@{}: {} examples, sha256 {} ok\n",
                version.tag, version.examples, version.sha256
            ));
            verified.push(format!("{name}@{}", version.tag));
        }
    }
    match output.format() {
        OutputFormat::Json => output.json(&Verified { schema: "evalgauge.verify/1", verified })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text)?,
    }
    Ok(Exit::Pass)
}
