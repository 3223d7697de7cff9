//! `evalgauge label export`: a sheet to label.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::args::{Global, OutputFormat};
use crate::cli::calibrate::{Card, is_same, items_of, places, seen, texts};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::Project;
use crate::evalset::{Example, Folder};
use crate::gate::Exit;
use crate::judge::{Item, ONLY_DIMENSION};
use crate::record::{RunRecord, load};
use crate::run::judges_folder;
use crate::table::{sha256_hex, write_atomically};

/// A licence takes at least so many items.
const FEWEST: usize = crate::calibrate::MIN_ITEMS;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// A judge, whose items are taken; or a run's id, folder, or `latest`, whose answers are
    #[arg(value_name = "JUDGE|RUN")]
    subject: String,
    /// How many items
    #[arg(short = 'n', long, value_name = "N", default_value = "100")]
    number: NonZeroUsize,
    /// With RUN: the judge whose items the answers become; they are added to its items.jsonl
    #[arg(long = "for", value_name = "JUDGE")]
    judge: Option<String>,
    /// The sheet: .csv, or .jsonl [default: CSV on stdout]
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

pub(super) fn run(args: &ExportArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let seed = global.seed.unwrap_or(project.config.seed);
    let is_judge = judges_folder(&project.root).join(&args.subject).join("judge.toml").is_file();
    let name = if is_judge { Some(&args.subject) } else { args.judge.as_ref() };
    let card = name.map(|name| Card::read(&project, name)).transpose()?;
    if is_judge && args.judge.is_some() {
        return Err(Failure::input(format!("`{}` is a judge; --for goes with a run", args.subject)));
    }
    let all = if is_judge {
        card.as_ref().map(|card| card.items.clone()).unwrap_or_default()
    } else {
        let record = load(&project.store().find(&args.subject).map_err(|error| {
            Failure::input(format!("`{}` is no judge, and no run: {error}", args.subject))
                .hint("judges are folders in `judges/`, runs are in `reports/`")
        })?)?;
        of_record(&record, &project, args.judge.as_deref())
    };
    if all.is_empty() {
        return Err(Failure::input(format!("`{}` has no items", args.subject))
            .hint("take the answers of a run: `evalgauge label export RUN --for JUDGE`"));
    }
    let chosen = chosen(&all, args.number.get(), seed);
    if chosen.len() < FEWEST {
        output.note(&format!("note: {} items; a licence takes {FEWEST}", chosen.len()));
    }
    if !is_judge && let Some(card) = &card {
        let added = add_items(&card.folder.join("items.jsonl"), &chosen)?;
        output.note(&format!("{added} items were added to {}", card.folder.join("items.jsonl").display()));
    }
    // The overall grade is asked for where there is nothing else, and not where it is made of the others.
    let dimensions: Vec<String> = match &card {
        Some(card) if card.dimensions.len() > 1 => {
            card.dimensions.iter().filter(|name| *name != ONLY_DIMENSION).cloned().collect()
        }
        _ => vec![ONLY_DIMENSION.to_owned()],
    };
    let is_lines = match &args.sheet {
        Some(sheet) => sheet.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl")),
        None => output.format() == OutputFormat::Json,
    };
    let text = if is_lines { lines(&chosen, &dimensions) } else { sheet(&chosen, &dimensions) };
    match &args.sheet {
        Some(file) => {
            write_atomically(file, text.as_bytes())?;
            output.note(&format!("{} items in {}", chosen.len(), file.display()));
        }
        None => output.result(&text)?,
    }
    Ok(Exit::Pass)
}

/// The answers of a record as items: `example#trial`, trials from 1. Inputs are those of the eval set where it is there. For
/// a judge that a scorer of the project asks they are what that scorer shows it, so that people label what it grades.
fn of_record(record: &RunRecord, project: &Project, judge: Option<&str>) -> Vec<Item> {
    let (place, of_reference) = judge.and_then(|judge| places(project, judge)).unwrap_or_default();
    let data = &record.manifest.asked.dataset;
    let set = Folder::open(&project.evalsets(), &data.evalset).and_then(|folder| folder.load(Some(&data.tag)));
    let examples: BTreeMap<&str, &Example> = set.as_ref().map_or_else(
        |_| BTreeMap::new(),
        |set| set.examples.iter().map(|example| (example.id.as_str(), &**example)).collect(),
    );
    let item = |sample: &crate::record::Sample| -> Option<Item> {
        let example = examples.get(sample.id.as_str());
        let input = example.map(|example| example.input.clone());
        Some(Item {
            id: format!("{}#{}", sample.id, sample.trial + 1),
            example: Some(sample.id.clone()),
            input: input.or_else(|| sample.input.clone().map(Value::String)).unwrap_or(Value::Null),
            answer: seen(sample.answer.as_ref()?, &place)?,
            reference: example.and_then(|example| of_reference.find(example.expected.as_ref()?).cloned()),
            other: None,
            labels: (*sample.labels).clone(),
        })
    };
    record.samples.iter().filter_map(item).collect()
}

/// So many items in the proportions of their labels, in an order that says nothing.
fn chosen(all: &[Item], number: usize, seed: u64) -> Vec<Item> {
    let shuffle = |what: &str, id: &str| sha256_hex(format!("{seed} {what} {id}"));
    let mut laid_out: Vec<&Item> = all.iter().collect();
    laid_out.sort_by_cached_key(|item| {
        let labels: Vec<String> = item
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={}", value.iter().collect::<Vec<_>>().join(",")))
            .collect();
        (labels, shuffle("stratum", &item.id))
    });
    let size = number.min(all.len());
    let mut chosen: Vec<Item> =
        (0..size).map(|place| laid_out[(2 * place + 1) * all.len() / (2 * size)].clone()).collect();
    chosen.sort_by_cached_key(|item| shuffle("order", &item.id));
    chosen
}

/// Adds the items that are not there yet; those that are must have the same answer.
fn add_items(path: &Path, items: &[Item]) -> Result<usize, Failure> {
    let there = items_of(path)?;
    let known: BTreeMap<&str, &Item> = there.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut text = if path.is_file() {
        std::fs::read_to_string(path).map_err(crate::table::TableError::io(path))?
    } else {
        String::new()
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let mut fresh: Vec<&Item> = Vec::new();
    for item in items {
        match known.get(item.id.as_str()) {
            None => fresh.push(item),
            Some(there) if is_same(&there.answer, &item.answer) => {}
            Some(_) => {
                return Err(Failure::input(format!(
                    "{}: item `{}` has another answer already",
                    path.display(),
                    item.id
                ))
                .hint("labels belong to an answer: keep the items of different runs under different judges"));
            }
        }
    }
    fresh.sort_by(|a, b| a.id.cmp(&b.id));
    for item in &fresh {
        text.push_str(&serde_json::to_string(item).map_err(|error| Failure::machine(error.to_string()))?);
        text.push('\n');
    }
    write_atomically(path, text.as_bytes())?;
    Ok(fresh.len())
}

/// The columns of texts: only those that an item has.
fn text_columns(items: &[Item]) -> Vec<String> {
    let mut columns = vec!["input".to_owned(), "answer".to_owned()];
    for name in ["other", "reference"] {
        if items.iter().any(|item| texts(item).iter().any(|(own, _)| own == name)) {
            columns.push(name.to_owned());
        }
    }
    columns
}

fn sheet(items: &[Item], dimensions: &[String]) -> String {
    let columns = text_columns(items);
    let head: Vec<&str> = std::iter::once("id")
        .chain(columns.iter().map(String::as_str))
        .chain(dimensions.iter().map(String::as_str))
        .chain(["rationale"])
        .collect();
    let mut out = format!("{}\n", head.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
    for item in items {
        let own = texts(item);
        let mut row = vec![quoted(&item.id)];
        row.extend(columns.iter().map(|name| {
            own.iter().find(|(own, _)| own == name).map_or_else(String::new, |(_, text)| quoted(&tame(text)))
        }));
        row.extend(std::iter::repeat_n(String::new(), dimensions.len() + 1));
        out.push_str(&row.join(","));
        out.push('\n');
    }
    out
}

fn lines(items: &[Item], dimensions: &[String]) -> String {
    let line = |item: &Item| {
        let mut object = Map::new();
        object.insert("id".to_owned(), item.id.clone().into());
        object.extend(texts(item).into_iter().map(|(name, text)| (name, text.into())));
        object.extend(dimensions.iter().map(|name| (name.clone(), Value::Null)));
        object.insert("rationale".to_owned(), Value::Null);
        format!("{}\n", Value::Object(object))
    };
    items.iter().map(line).collect()
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// A text that a spreadsheet would take for a formula, with an apostrophe before it.
fn tame(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_stratified_shuffled_and_the_same_for_a_seed() {
        let item = |number: usize| -> Item {
            let hard = if number.is_multiple_of(5) { "hard" } else { "easy" };
            serde_json::from_value(serde_json::json!({
                "id": format!("it-{number:04}"), "input": "x", "answer": "y", "labels": {"difficulty": hard}
            }))
            .unwrap()
        };
        let all: Vec<Item> = (0..500).map(item).collect();
        let ids = |seed| chosen(&all, 100, seed).into_iter().map(|item| item.id).collect::<Vec<_>>();
        let first = ids(7);
        assert_eq!(first, ids(7));
        assert_ne!(first, ids(8));
        assert!(!first.is_sorted());
        let hard = chosen(&all, 100, 7).iter().filter(|item| format!("{:?}", item.labels).contains("hard")).count();
        assert_eq!(hard, 20);
        let mut distinct = first.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 100);
    }

    #[test]
    fn no_text_runs_in_a_spreadsheet_or_breaks_a_row() {
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(tame("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(tame("plain"), "plain");
    }
}
