//! `evalgauge evalset add`: examples for the next version, from a record's failures or from a log.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::args::AddArgs;
use crate::cli::args::{Global, OutputFormat};
use crate::cli::columns::{Guess, Origin, OwnTable, quoted};
use crate::cli::failure::Failure;
use crate::cli::gate::as_of;
use crate::cli::output::Output;
use crate::cli::run::shown;
use crate::config::Project;
use crate::evalset::{Example, Folder, LabelValue, Labels, Offered, Redactor, Rule, Version, Working};
use crate::gate::Exit;
use crate::record::{RunRecord, Sample, load};
use crate::report::escape_control;
use crate::table::{hex, short_digest};

/// Ids that the text names.
const MOST: usize = 20;

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    name: &'a str,
    from: &'a str,
    /// The file that is not pinned yet.
    working: String,
    /// How many examples it has now.
    examples: usize,
    added: &'a [String],
    refused: Refused<'a>,
    /// How often each rule found something, in what was added.
    redacted: BTreeMap<&'static str, usize>,
    left_out: &'a [String],
    next: String,
}

#[derive(Serialize)]
struct Refused<'a> {
    same_id: &'a [String],
    same_input: &'a [String],
}

/// What is offered, and what people should know of where it comes from.
struct Source {
    examples: Vec<Example>,
    said: Vec<String>,
    /// Columns of a log that are not taken along.
    left_out: Vec<String>,
}

pub(super) fn run(args: &AddArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let (folder, version) = project.evalset_version(Some(&args.name))?;
    let date = as_of(global);
    let path = Path::new(&args.from);
    let source = if path.is_file() {
        if args.failures {
            return Err(Failure::input("--failures is for a record; a file does not say what failed".to_owned()));
        }
        of_file(path, args, &date)?
    } else {
        if args.named.is_given() || args.source.is_some() {
            return Err(Failure::input(format!("{}: no such file", args.from))
                .hint("--source and the names of columns are for a file; a record has its own"));
        }
        of_record(project, args, &date)?
    };
    let mut working = Working::open(&folder, &version)?;
    let mut redactor = Redactor::without(&args.leave);
    let (mut added, mut same_id, mut same_input) = (Vec::new(), Vec::new(), Vec::new());
    for example in &source.examples {
        let mut attempt = redactor.clone();
        let is_named = !example.id.is_empty();
        let example = redacted(example, &mut attempt);
        match working.offer(&example) {
            // Only what is written counts.
            Offered::Taken => {
                redactor = attempt;
                added.push(example.id);
            }
            Offered::SameId if is_named => same_id.push(example.id),
            // An id that is made of the input is the same where that is.
            Offered::SameId | Offered::SameInput => same_input.push(example.id),
        }
    }
    let name = folder.description().name.clone();
    let (place, examples) = (shown(working.path()), working.len());
    if !added.is_empty() {
        working.write()?;
    }
    let next = format!("evalgauge evalset pin {name} --from {place} --tag TAG");
    let printed = Printed {
        schema: "evalgauge.evalset-add/1",
        name: &name,
        from: &args.from,
        working: place,
        examples,
        added: &added,
        refused: Refused { same_id: &same_id, same_input: &same_input },
        redacted: redactor.found.iter().map(|(rule, count)| (rule.name(), *count)).collect(),
        left_out: &source.left_out,
        next,
    };
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&printed, &source, &args.leave))?,
    }
    if added.is_empty() {
        output.note("nothing was added, and nothing written");
    }
    Ok(Exit::Pass)
}

/// The examples of a record: those of the set that it is about, whole, not what the record shows of them.
fn of_record(project: &Project, args: &AddArgs, date: &str) -> Result<Source, Failure> {
    let store = project.store();
    let record = load(&store.find(&args.from)?)?;
    let asked = &record.manifest.asked;
    let (folder, version) = pin_of(project, &record)?;
    let mut failed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut wanted: HashSet<&str> = HashSet::new();
    for sample in &record.samples {
        let why = failures(sample);
        if !args.failures || !why.is_empty() {
            wanted.insert(&sample.id);
        }
        let known = failed.entry(&sample.id).or_default();
        known.extend(why.into_iter().filter(|why| !known.contains(why)).collect::<Vec<_>>());
    }
    let mut examples = Vec::new();
    folder.scan(
        &version,
        |_, example| wanted.contains(example.id.as_str()).then_some(example),
        |example| {
            examples.extend(example);
            Ok(())
        },
    )?;
    for example in &mut examples {
        let mut provenance = Map::new();
        provenance.insert("source".to_owned(), json!(format!("run {}", record.manifest.made.run_id)));
        provenance.insert("candidate".to_owned(), json!(asked.candidate.name));
        provenance.insert("evalset".to_owned(), json!(format!("{}@{}", asked.dataset.evalset, asked.dataset.tag)));
        provenance.insert("added".to_owned(), json!(date));
        if let Some(why) = failed.get(example.id.as_str()).filter(|why| !why.is_empty()) {
            provenance.insert("failed".to_owned(), json!(why));
        }
        if let Some(before) = example.other.shift_remove("provenance") {
            provenance.insert("before".to_owned(), before);
        }
        example.other.insert("provenance".to_owned(), Value::Object(provenance));
    }
    let which = if args.failures { "that failed" } else { "in all" };
    let said = format!(
        "record     {}: {} examples {which}, of {}@{}",
        record.manifest.made.run_id,
        examples.len(),
        asked.dataset.evalset,
        asked.dataset.tag
    );
    Ok(Source { examples, said: vec![said], left_out: Vec::new() })
}

/// The scorers that a sample failed; `no answer` where there is none.
fn failures(sample: &Sample) -> Vec<String> {
    if sample.error.is_some() {
        return vec!["no answer".to_owned()];
    }
    let mut scorers: Vec<String> =
        sample.scores.iter().filter(|score| score.passed == Some(false)).map(|score| score.scorer.clone()).collect();
    scorers.dedup();
    scorers
}

/// The pinned version that a record is about: found by its SHA-256, whatever its tag.
pub(in crate::cli) fn pin_of(project: &Project, record: &RunRecord) -> Result<(Folder, Version), Failure> {
    let dataset = &record.manifest.asked.dataset;
    let folder = Folder::open(&project.evalsets(), &dataset.evalset)?;
    let version = folder.description().versions.iter().find(|version| version.sha256 == dataset.sha256).cloned();
    let version = version.ok_or_else(|| {
        Failure::new(
            Exit::Undecidable,
            format!(
                "the record is of {}@{} with SHA-256 {}, and no version of that set has it",
                dataset.evalset, dataset.tag, dataset.sha256
            ),
        )
        .hint("check out a revision that has the record's pin")
    })?;
    Ok((folder, version))
}

/// The examples of a log, without what it knows besides.
fn of_file(path: &Path, args: &AddArgs, date: &str) -> Result<Source, Failure> {
    let rows = OwnTable::read(path)?;
    let guess = Guess::of(&rows, &args.named, None, Origin::Log)?;
    let left_out: Vec<String> = guess.answer.iter().chain(&guess.unused).cloned().collect();
    let taken = Guess { answer: None, unused: Vec::new(), ..guess.clone() };
    let name = path.file_name().map_or_else(|| args.from.clone(), |name| name.to_string_lossy().into_owned());
    let provenance = json!({"source": args.source.as_deref().unwrap_or(&name), "added": date});
    let mut examples = Vec::new();
    for (row, value) in taken.examples(&rows)?.into_iter().enumerate() {
        let mut example = example(value).map_err(|reason| rows.wrong(row, &reason))?;
        if guess.id.is_none() || example.id.trim().is_empty() {
            // One is made of the input once that is redacted: a digest of a telephone number tells the number.
            example.id.clear();
        }
        example.other.insert("provenance".to_owned(), provenance.clone());
        examples.push(example);
    }
    let mut said = vec![format!("log        {}: {} rows", path.display(), examples.len())];
    said.extend(guess.said(&rows));
    Ok(Source { examples, said, left_out: left_out.into_iter().filter(|name| name != "labels").collect() })
}

/// An id for an input without one.
fn named(input: &Value) -> String {
    format!("log-{}", &hex(&short_digest(input.to_string()))[..12])
}

/// The example of a row.
fn example(row: Value) -> Result<Example, String> {
    let Value::Object(mut row) = row else { return Err("expected a row".to_owned()) };
    let mut take = |name: &str| row.shift_remove(name).filter(|value| !value.is_null());
    let id = take("id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
    let input = match take("input") {
        Some(input @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => input,
        Some(other) => Value::String(other.to_string()),
        None => return Err("there is no input".to_owned()),
    };
    let expected = take("expected");
    let group = take("group").and_then(|group| group.as_str().map(str::to_owned));
    let labels: BTreeMap<String, LabelValue> = match take("labels") {
        None => BTreeMap::new(),
        Some(labels) => serde_json::from_value(labels).map_err(|error| format!("field `labels`: {error}"))?,
    };
    Ok(Example { id, input, expected, labels: labels.into(), group, other: row })
}

/// The example without what the rules find, anywhere in it but in its provenance.
fn redacted(example: &Example, redactor: &mut Redactor) -> Example {
    let input = redactor.value(&example.input);
    let id = redactor.text(&example.id);
    // What named a person names nobody now, and must still tell examples apart. From the input, so that the same request
    // has the same id tomorrow.
    let id = if id == example.id && !id.is_empty() { id } else { named(&input) };
    let label = |value: &LabelValue, redactor: &mut Redactor| match value {
        LabelValue::One(value) => LabelValue::One(redactor.text(value)),
        LabelValue::Many(values) => LabelValue::Many(values.iter().map(|value| redactor.text(value)).collect()),
    };
    let labels: BTreeMap<String, LabelValue> =
        example.labels.iter().map(|(key, value)| (key.clone(), label(value, redactor))).collect();
    let other = example.other.iter().map(|(name, value)| {
        let value = if name == "provenance" { value.clone() } else { redactor.value(value) };
        (name.clone(), value)
    });
    let other = other.collect();
    Example {
        id,
        expected: example.expected.as_ref().map(|expected| redactor.value(expected)),
        labels: Labels::from(labels),
        group: example.group.as_ref().map(|group| redactor.text(group)),
        other,
        input,
    }
}

fn text(printed: &Printed<'_>, source: &Source, left: &[Rule]) -> String {
    let mut text = source.said.join("\n") + "\n";
    if !printed.left_out.is_empty() {
        text.push_str(&format!("left out   {}: a log knows more than an example needs\n", quoted(printed.left_out)));
    }
    let finds: Vec<String> = Rule::ALL
        .into_iter()
        .map(|rule| match printed.redacted.get(rule.name()) {
            _ if left.contains(&rule) => format!("{} not looked for", rule.name()),
            count => format!("{} {}", rule.name(), count.copied().unwrap_or_default()),
        })
        .collect();
    text.push_str(&format!("redacted   {}\n", finds.join(", ")));
    for (why, ids) in [("id", printed.refused.same_id), ("input", printed.refused.same_input)] {
        if !ids.is_empty() {
            text.push_str(&format!("refused    {}, whose {why} is there already: {}\n", ids.len(), some(ids)));
        }
    }
    text.push_str(&format!("added      {}: {}\n", printed.added.len(), some(printed.added)));
    if !printed.added.is_empty() {
        text.push_str(&format!("working    {}, {} examples, not pinned\n", printed.working, printed.examples));
        text.push_str(&format!("next       look at it, say what is expected, then `{}`\n", printed.next));
    }
    text
}

fn some(ids: &[String]) -> String {
    let mut shown: Vec<String> = ids.iter().take(MOST).map(|id| escape_control(id, 60)).collect();
    if ids.len() > MOST {
        shown.push(format!("and {} more", ids.len() - MOST));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}
