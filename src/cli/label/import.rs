//! `evalgauge label import`: a filled sheet becomes one rater's file of labels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::cli::args::{Global, OutputFormat};
use crate::cli::calibrate::Card;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{Grade, RaterKind, label_of};
use crate::table::{Category, Column, Table, Want, column_names, read, write_atomically};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The judge whose items were labelled
    judge: String,
    /// The filled sheet: CSV, TSV, JSON lines or Parquet, with `id` and a column a dimension
    file: PathBuf,
    /// Who labelled; also the name of the file of labels
    #[arg(long, value_name = "NAME")]
    rater: String,
    /// A person, or something that stands in for one
    #[arg(long, value_enum)]
    kind: KindArg,
    /// Labels are the settled ones, on which raters who disagreed came to agree
    #[arg(long)]
    adjudicated: bool,
    /// Replace labels of this rater that are there already and differ
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindArg {
    /// A person
    Human,
    /// Not a person; said wherever the labels count
    StandIn,
}

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    file: String,
    rater: String,
    kind: RaterKind,
    added: usize,
    unchanged: usize,
    replaced: usize,
    missing: usize,
}

/// A label on its way into the file.
struct Label {
    id: String,
    dimension: String,
    grade: Grade,
    rationale: Option<String>,
    line: u32,
}

pub(super) fn run(args: &ImportArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let card = Card::read(&project, &args.judge)?;
    if args.rater.is_empty()
        || args.rater.starts_with(['.', '-'])
        || !args.rater.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return Err(Failure::input(format!("--rater `{}` cannot be the name of a file", args.rater))
            .hint("letters, digits, `-`, `_` and `.`"));
    }
    let (labels, missing) = labels(&args.file, &card)?;
    let kind = match args.kind {
        KindArg::Human => RaterKind::Human,
        KindArg::StandIn => RaterKind::StandIn,
    };
    let path = card.folder.join("labels").join(format!("{}.jsonl", args.rater));
    let merged = merge(args, kind, &path, labels, missing)?;
    match output.format() {
        OutputFormat::Json => output.json(&merged)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&format!(
            "{}: {} labels added, {} replaced, {} there already; {} cells of the sheet are empty\n",
            merged.file, merged.added, merged.replaced, merged.unchanged, merged.missing
        ))?,
    }
    Ok(Exit::Pass)
}

/// The labels of a sheet, each checked, and how many cells are empty.
fn labels(file: &Path, card: &Card) -> Result<(Vec<Label>, usize), Failure> {
    let has = column_names(file)?;
    let dimensions: Vec<&String> = card.dimensions.iter().filter(|name| has.contains(name)).collect();
    if dimensions.is_empty() {
        return Err(Failure::input(format!("{}: no column is a dimension of judge `{}`", file.display(), card.name))
            .hint(format!("its dimensions are: {}", card.dimensions.join(", "))));
    }
    let known = ["id", "input", "answer", "other", "reference", "rationale"];
    if let Some(other) = has.iter().find(|name| !known.contains(&name.as_str()) && !card.dimensions.contains(name)) {
        return Err(Failure::input(format!(
            "{}: column `{other}` is no dimension of judge `{}`",
            file.display(),
            card.name
        ))
        .hint(format!("its dimensions are: {}; remove the column, or rename it", card.dimensions.join(", "))));
    }
    let mut wanted = vec![("id", Want::Text)];
    wanted.extend(dimensions.iter().map(|name| (name.as_str(), Want::Category)));
    if has.iter().any(|name| name == "rationale") {
        wanted.push(("rationale", Want::Category));
    }
    let table = read(file, &wanted)?;
    let ids = card.ids();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let (mut labels, mut missing) = (Vec::new(), 0);
    for row in 0..table.rows {
        let line = table.lines[row];
        let wrong =
            |reason: String, hint: String| Failure::input(format!("{}:{line}: {reason}", file.display())).hint(hint);
        let Column::Text(texts) = &table.columns[0] else { continue };
        let id = texts.get(row).trim().to_owned();
        if ids.as_ref().is_some_and(|ids| !ids.contains(&id)) {
            return Err(wrong(
                format!("field `id`: unknown item `{id}`; judge `{}` does not have it", card.name),
                "correct the id, or add the item to items.jsonl".to_owned(),
            ));
        }
        if let Some(first) = seen.insert(id.clone(), line) {
            return Err(wrong(format!("field `id`: `{id}` stands on line {first} already"), "keep one".to_owned()));
        }
        let rationale = category(&table, dimensions.len() + 1).and_then(|cells| cells.get(row)).map(str::to_owned);
        for (place, dimension) in dimensions.iter().enumerate() {
            let cell = category(&table, place + 1).and_then(|cells| cells.get(row)).unwrap_or_default();
            let Some(grade) = label_of(cell) else {
                missing += 1;
                continue;
            };
            let accepted = card.accepted(dimension);
            if !accepted.has(&grade) {
                return Err(wrong(
                    format!(
                        "field `{dimension}`: the label `{cell}` is not on the scale, which has {}",
                        accepted.words()
                    ),
                    "correct the label; nothing is ever moved onto the scale".to_owned(),
                ));
            }
            labels.push(Label {
                id: id.clone(),
                dimension: (*dimension).clone(),
                grade,
                rationale: rationale.clone().filter(|text| !text.trim().is_empty()),
                line,
            });
        }
    }
    if labels.is_empty() {
        return Err(Failure::input(format!("{}: no label in it", file.display()))
            .hint(format!("fill the columns {}", card.dimensions.join(", "))));
    }
    Ok((labels, missing))
}

fn category(table: &Table, place: usize) -> Option<&Category> {
    match table.columns.get(place) {
        Some(Column::Category(cells)) => Some(cells),
        _ => None,
    }
}

/// A whole number without a fraction, as a person would write it.
fn plain(grade: &Grade) -> serde_json::Value {
    match grade {
        Grade::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(*number as i64),
        Grade::Number(number) => json!(number),
        Grade::Label(label) => json!(label),
    }
}

/// Puts labels into the rater's file, which stays whole.
fn merge(
    args: &ImportArgs,
    kind: RaterKind,
    path: &Path,
    labels: Vec<Label>,
    missing: usize,
) -> Result<Printed, Failure> {
    let mut lines: Vec<String> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut there: BTreeMap<usize, Grade> = BTreeMap::new();
    if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(crate::table::TableError::io(path))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let value: serde_json::Value = serde_json::from_str(line).map_err(|error| {
                Failure::input(format!("{}:{}: {}", path.display(), number + 1, crate::table::json_reason(&error)))
            })?;
            let text = |key: &str| value[key].as_str().map(str::to_owned);
            if value["adjudicated"] == args.adjudicated || (!args.adjudicated && value.get("adjudicated").is_none()) {
                let key = (text("id").unwrap_or_default(), text("dimension").unwrap_or_default());
                places.insert(key, lines.len());
                let cell = text("label").unwrap_or_else(|| value["label"].to_string());
                there.extend(label_of(&cell).map(|grade| (lines.len(), grade)));
            }
            lines.push(line.to_owned());
        }
    }
    let mut printed = Printed {
        schema: "evalgauge.label_import/1",
        file: path.display().to_string(),
        rater: args.rater.clone(),
        kind,
        added: 0,
        unchanged: 0,
        replaced: 0,
        missing,
    };
    for label in labels {
        let mut object = json!({
            "id": label.id, "rater": args.rater, "kind": kind, "dimension": label.dimension,
            "label": plain(&label.grade),
        });
        if let Some(rationale) = label.rationale {
            object["rationale"] = rationale.into();
        }
        if args.adjudicated {
            object["adjudicated"] = true.into();
        }
        match places.get(&(label.id.clone(), label.dimension.clone())) {
            None => {
                lines.push(object.to_string());
                printed.added += 1;
            }
            Some(place) if there.get(place) == Some(&label.grade) => printed.unchanged += 1,
            Some(place) if args.replace => {
                lines[*place] = object.to_string();
                printed.replaced += 1;
            }
            Some(place) => {
                let was = there.get(place).map(ToString::to_string).unwrap_or_default();
                return Err(Failure::input(format!(
                    "{}:{}: `{}` labelled item `{}` `{was}` before, and `{}` now ({})",
                    args.file.display(),
                    label.line,
                    args.rater,
                    label.id,
                    label.grade,
                    label.dimension
                ))
                .hint("nothing was changed; --replace puts the new labels in the place of the old ones"));
            }
        }
    }
    write_atomically(path, format!("{}\n", lines.join("\n")).as_bytes())?;
    Ok(printed)
}
