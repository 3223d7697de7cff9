//! `evalgauge evalset`: pin, verify and look at eval sets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{EvalsetArgs, EvalsetVerb, Global, OutputFormat, PinArgs};
use super::failure::Failure;
use super::output::Output;
use crate::config::Project;
use crate::evalset::{EvalSet, Fields, Folder, NewPin, Version, names, pin};
use crate::gate::Exit;
use crate::report::escape_control;

pub(super) fn run(args: &EvalsetArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    match &args.verb {
        EvalsetVerb::Pin(args) => pin_set(args, &project, global, output),
        EvalsetVerb::Verify { name } => verify(name.as_deref(), &project, output),
        EvalsetVerb::Show { name } => {
            let set = project.evalset(name.as_deref().or(global.evalset.as_deref()))?;
            show(&set, output)
        }
    }
}

#[derive(Serialize)]
struct PinnedSet<'a> {
    schema: &'static str,
    name: &'a str,
    #[serde(flatten)]
    version: &'a Version,
}

fn pin_set(args: &PinArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let fields = fields(args);
    let date = super::gate::as_of(global);
    let version = pin(
        &project.evalsets(),
        &NewPin { name: &args.name, from: &args.from, tag: &args.tag, date: &date, note: &args.note, fields },
    )?;
    match output.format() {
        OutputFormat::Json => {
            output.json(&PinnedSet { schema: "evalgauge.pin/1", name: &args.name, version: &version })?;
        }
        OutputFormat::Text | OutputFormat::Md => output.result(&format!(
            "pinned {}@{}: {} examples, sha256 {}\n{}\n",
            args.name,
            version.tag,
            version.examples,
            version.sha256,
            project.evalsets().join(&args.name).join(&version.file).display()
        ))?,
    }
    Ok(Exit::Pass)
}

/// Field names from the flags; `None` where no flag names one.
fn fields(args: &PinArgs) -> Option<Fields> {
    let any = args.input_field.is_some()
        || args.expected_field.is_some()
        || args.id_field.is_some()
        || args.group_field.is_some()
        || !args.label_field.is_empty();
    let standard = Fields::default();
    any.then(|| Fields {
        id: args.id_field.clone().unwrap_or(standard.id),
        input: args.input_field.clone().unwrap_or(standard.input),
        expected: args.expected_field.clone().unwrap_or(standard.expected),
        group: args.group_field.clone().unwrap_or(standard.group),
        labels: args.label_field.clone(),
    })
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
            let set = folder.load(Some(&version.tag))?;
            if set.examples.len() != version.examples {
                return Err(Failure::input(format!(
                    "{}: {} examples, evalset.toml says {}",
                    set.path.display(),
                    set.examples.len(),
                    version.examples
                )));
            }
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

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    name: &'a str,
    version: &'a Version,
    with_expected: usize,
    groups: usize,
    labels: BTreeMap<&'a str, BTreeMap<&'a str, usize>>,
}

fn show(set: &EvalSet, output: &Output) -> Result<Exit, Failure> {
    let mut labels: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut groups: Vec<&str> = Vec::new();
    for example in &set.examples {
        for (key, values) in &example.labels {
            for value in values.iter() {
                *labels.entry(key).or_default().entry(value).or_default() += 1;
            }
        }
        groups.extend(example.group.as_deref());
    }
    groups.sort_unstable();
    groups.dedup();
    let shown = Shown {
        schema: "evalgauge.evalset/1",
        name: &set.name,
        version: &set.version,
        with_expected: set.examples.iter().filter(|example| example.expected.is_some()).count(),
        groups: groups.len(),
        labels,
    };
    match output.format() {
        OutputFormat::Json => output.json(&shown)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&show_text(&shown))?,
    }
    Ok(Exit::Pass)
}

/// Characters of a label that are shown.
const SHOWN: usize = 60;

fn show_text(set: &Shown<'_>) -> String {
    let version = set.version;
    let mut text = format!(
        "{}@{} of {}: {} examples ({} with `expected`), {} groups\n{}  sha256 {}\n",
        set.name,
        version.tag,
        version.date,
        version.examples,
        set.with_expected,
        set.groups,
        version.file,
        version.sha256
    );
    for (key, values) in &set.labels {
        let mut counts: Vec<_> = values.iter().collect();
        counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let counts: Vec<_> =
            counts.into_iter().map(|(value, count)| format!("{} {count}", escape_control(value, SHOWN))).collect();
        text.push_str(&format!("  {:<14} {}\n", escape_control(key, SHOWN), counts.join(", ")));
    }
    text
}
