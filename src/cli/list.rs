//! `evalgauge list`: what there is to choose from, each with a line.

use std::borrow::Cow;

use serde::Serialize;

use super::args::{Global, ListArgs, ListWhat, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use crate::compare::Estimate;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{Files, names};
use crate::run::judges_folder;
use crate::score::KINDS;

/// One thing that can be named in the config.
#[derive(Serialize, Default)]
struct Entry {
    name: Cow<'static, str>,
    about: Cow<'static, str>,
    /// Of a metric, the values that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'static str>,
    /// The same in a word.
    #[serde(skip)]
    needs_word: Option<&'static str>,
    /// Of a scorer, a block of the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'static str>,
    /// Of a metric, the keys that it must be given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<&'static str>,
}

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    entries: Vec<Entry>,
}

pub(super) fn run(args: &ListArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let entries: Vec<Entry> = match args.what {
        ListWhat::Metrics => Estimate::ALL.into_iter().map(metric).collect(),
        ListWhat::Scorers => KINDS
            .iter()
            .map(|kind| Entry {
                name: kind.name.into(),
                about: kind.about.into(),
                example: Some(kind.example),
                ..Entry::default()
            })
            .collect(),
        ListWhat::Judges => judges(&Project::open(global.config.as_deref())?)?,
    };
    match output.format() {
        OutputFormat::Json => output.json(&Printed { schema: "evalgauge.list/1", entries })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&entries))?,
    }
    Ok(Exit::Pass)
}

/// The judges of a project, each with its kind and what it grades.
fn judges(project: &Project) -> Result<Vec<Entry>, Failure> {
    let folder = judges_folder(&project.root);
    let entry = |name: String| {
        let spec = Files::read(&folder, &name)?.spec;
        let about = format!("[{}] {}", spec.kind.name(), spec.about);
        Ok(Entry { name: name.into(), about: about.into(), ..Entry::default() })
    };
    names(&folder).into_iter().map(entry).collect()
}

fn metric(estimate: Estimate) -> Entry {
    let (name, about) = estimate.described();
    let keys = [(estimate.takes_k(), "k"), (estimate.takes_label(), "label")];
    let keys = keys.into_iter().filter_map(|(takes, key)| takes.then_some(key)).collect();
    let needs = estimate.needs();
    let (name, about) = (name.into(), about.into());
    Entry { name, about, needs: Some(needs.words()), needs_word: needs.word(), keys, ..Entry::default() }
}

fn text(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let line = |entry: &Entry| {
        let needs = entry.needs_word.map_or_else(String::new, |needs| format!("  [{needs}]"));
        let example = entry.example.map_or_else(String::new, |example| {
            let lines: Vec<&str> = example.lines().collect();
            format!("    {}\n\n", lines.join("\n    "))
        });
        format!("{:<width$}  {}{needs}\n{example}", entry.name, entry.about)
    };
    entries.iter().map(line).collect()
}
