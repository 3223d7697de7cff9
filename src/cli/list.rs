//! `evalgauge list`: what there is to choose from, each with a line.

use serde::Serialize;

use super::args::{ListArgs, ListWhat, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use crate::compare::Estimate;
use crate::gate::Exit;
use crate::score::ScorerSpec;

/// One thing that can be named in the config.
#[derive(Serialize, Default)]
struct Entry {
    name: &'static str,
    about: &'static str,
    /// Of a metric, the values that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'static str>,
    /// The same in a word.
    #[serde(skip)]
    needs_word: Option<&'static str>,
    /// Of a metric, the keys that it must be given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<&'static str>,
}

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    entries: Vec<Entry>,
}

pub(super) fn run(args: &ListArgs, output: &Output) -> Result<Exit, Failure> {
    let entries: Vec<Entry> = match args.what {
        ListWhat::Metrics => Estimate::ALL.into_iter().map(metric).collect(),
        ListWhat::Scorers => ScorerSpec::KINDS.map(|(name, about)| Entry { name, about, ..Entry::default() }).into(),
    };
    match output.format() {
        OutputFormat::Json => output.json(&Printed { schema: "evalgauge.list/1", entries })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&entries))?,
    }
    Ok(Exit::Pass)
}

fn metric(estimate: Estimate) -> Entry {
    let (name, about) = estimate.described();
    let keys = [(estimate.takes_k(), "k"), (estimate.takes_label(), "label")];
    let keys = keys.into_iter().filter_map(|(takes, key)| takes.then_some(key)).collect();
    let needs = estimate.needs();
    Entry { name, about, needs: Some(needs.words()), needs_word: needs.word(), keys }
}

fn text(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let line = |entry: &Entry| {
        let needs = entry.needs_word.map_or_else(String::new, |needs| format!("  [{needs}]"));
        format!("{:<width$}  {}{needs}\n", entry.name, entry.about)
    };
    entries.iter().map(line).collect()
}
