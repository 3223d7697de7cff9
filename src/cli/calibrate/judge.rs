//! A judge of the project against the labels in its folder, or several beside each other.

use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::args::CalibrateArgs;
use super::card::{Card, texts};
use super::grades::{Grades, grades};
use super::printed::{Printed, Source, print};
use crate::calibrate::{Calibration, CalibrationLine, DimensionLine, GradesFrom, calibrate, drift};
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{Columns, Entries, Layout, Wanted};
use crate::table::{
    TableError, column_names, for_each_line, json_reason, sha256_hex, sha256_of_file, write_atomically,
};

pub(super) fn run(args: &CalibrateArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let cards = cards(&project, &args.judge_names)?;
    let first = &cards[0];
    let files = label_files(args, first)?;
    let mut entries = Entries::default();
    for file in &files {
        entries.add_table(file, &columns(args, file)?)?;
    }
    let people = entries.rater_names().to_vec();
    for item in &first.items {
        let labels = item.labels.iter().map(|(key, value)| (key.clone(), value.iter().map(str::to_owned).collect()));
        entries.describe(&item.id, labels.collect(), texts(item));
    }
    let mut grades = grades(args, &cards, (&project, global, output))?;
    for (card, grades) in cards.iter().zip(&mut grades) {
        if card.name != first.name {
            // What the first does not grade has no labels here.
            grades.lines.retain(|line| first.dimensions.contains(&line.dimension));
        }
        entries.add_judgements(&grades.path, &card.name, &grades.lines);
        if grades.by.as_ref().is_some_and(|by| by.difference(&card.digests).is_some()) {
            output
                .note("warning: the run was graded by another version of the judge; the line is bound to that version");
        }
    }
    let dimensions = dimensions(args, &cards, &entries, people)?;
    let date = global.as_of.unwrap_or_else(|| jiff::Zoned::now().date());
    let mut labels = Vec::new();
    for file in &files {
        labels.push(Source { file: file.display().to_string(), sha256: sha256_of_file(file)? });
    }
    let mut printed = Printed {
        schema: "evalgauge.calibration/1",
        sources: grades.iter().map(|grades| grades.source.clone()).chain(labels.iter().cloned()).collect(),
        confidence: args.confidence,
        gaps: entries.gaps().map(str::to_owned).collect(),
        dimensions,
        drift: Vec::new(),
        line: None,
        lines: Vec::new(),
        history: Vec::new(),
    };
    for (card, grades) in cards.iter().zip(&grades) {
        let line = line(args, (card, first), (date, grades, &labels), &printed.dimensions)?;
        let (earlier, line, added) = append(card, &line)?;
        if added {
            output.note(&format!("a line was added to {}", card.folder.join(LINES).display()));
        }
        if cards.len() > 1 {
            printed.lines.push(line);
            continue;
        }
        // The same calibration a second time is compared with what was before the first.
        let before = if added { earlier.as_slice() } else { &earlier[..earlier.len().saturating_sub(1)] };
        printed.drift = drift(before, &line);
        printed.history = earlier.iter().cloned().chain(added.then(|| line.clone())).collect();
        printed.line = Some(line);
    }
    let title = match &args.judge_names[..] {
        [name] => format!("Calibration of judge {name} on {date}"),
        names => format!("Calibration of judges {} on {date}", names.join(", ")),
    };
    print(&title, &printed, output)?;
    Ok(Exit::Pass)
}

/// The judges; those behind the first grade the items of the first, on its scale.
fn cards(project: &Project, names: &[String]) -> Result<Vec<Card>, Failure> {
    let mut cards: Vec<Card> = Vec::new();
    for name in names {
        let mut card = Card::read(project, name)?;
        if let Some(first) = cards.first() {
            if cards.iter().any(|known| known.name == *name) {
                return Err(Failure::input(format!("the judge `{name}` is named twice")).hint("name each judge once"));
            }
            fits(first, &card)?;
            card.items.clone_from(&first.items);
        }
        cards.push(card);
    }
    Ok(cards)
}

/// Refuses a judge that cannot stand beside the first one: labels of one scale say nothing about grades on another.
fn fits(first: &Card, card: &Card) -> Result<(), Failure> {
    let (one, other) = (&first.name, &card.name);
    let refused = |what: String| {
        Err(Failure::input(format!("judges `{one}` and `{other}` cannot stand side by side: {what}"))
            .hint("judges of one table grade the same dimensions on one scale; calibrate them one by one"))
    };
    if first.values != card.values {
        let list = |card: &Card| card.values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return refused(format!("one grades on {}, the other on {}", list(first), list(card)));
    }
    if first.pass_at != card.pass_at {
        return refused("the pass begins at different grades".to_owned());
    }
    if first.loaded.judge.is_pairwise() != card.loaded.judge.is_pairwise() {
        return refused("only one of them compares two answers".to_owned());
    }
    let shared: Vec<&String> = first.dimensions.iter().filter(|name| card.dimensions.contains(name)).collect();
    if shared.is_empty() {
        let (one, other) = (first.dimensions.join(", "), card.dimensions.join(", "));
        return refused(format!("one grades {one}, the other {other}"));
    }
    let is_mean = |card: &Card, name: &str| card.loaded.judge.is_mean(name);
    match shared.iter().find(|name| is_mean(first, name) != is_mean(card, name)) {
        Some(name) => refused(format!("`{name}` is a mean of others in one of them only")),
        None => Ok(()),
    }
}

/// Every dimension that has labels, with the judges that grade it.
fn dimensions(
    args: &CalibrateArgs,
    cards: &[Card],
    entries: &Entries,
    people: Vec<String>,
) -> Result<Vec<Calibration>, Failure> {
    let first = &cards[0];
    let wanted = Wanted {
        raters: if people.is_empty() { Vec::new() } else { sorted(people) },
        judges: cards.iter().map(|card| card.name.clone()).collect(),
        dimensions: first.dimensions.clone(),
        only_these_dimensions: true,
        slices: slices(args, first),
        accepted: first.wish("").accepted(),
        accepted_in: first.measured(),
        items: first.ids(),
        known_from: format!("judge `{}`", first.name),
    };
    let mut sheets = entries.sheets(&wanted)?;
    sheets.retain(|sheet| !sheet.raters.is_empty());
    if sheets.is_empty() {
        let name = &first.name;
        return Err(Failure::input(format!("judge `{name}` has no labels"))
            .hint(format!("make a sheet with `evalgauge label export {name}`, or label on `evalgauge label serve`")));
    }
    let grades = |judge: &str, dimension: &String| {
        cards.iter().any(|card| card.name == judge && card.dimensions.contains(dimension))
    };
    for sheet in &mut sheets {
        let dimension = sheet.dimension.clone();
        sheet.judges.retain(|judge| grades(&judge.name, &dimension));
    }
    sheets.iter().map(|sheet| Ok(calibrate(sheet, &args.options(first.wish(&sheet.dimension))?)?)).collect()
}

const LINES: &str = "calibrations.jsonl";

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// The files that were named, else all in the judge's folder of labels, by name.
fn label_files(args: &CalibrateArgs, card: &Card) -> Result<Vec<PathBuf>, Failure> {
    if !args.scale.labels.is_empty() {
        return Ok(args.scale.labels.iter().map(PathBuf::from).collect());
    }
    let folder = card.folder.join("labels");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let is_table = |path: &PathBuf| {
        path.extension().is_some_and(|ending| {
            ["jsonl", "ndjson", "csv", "tsv", "parquet"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        })
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_table).collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::input(format!("{}: no labels of judge `{}`", folder.display(), card.name)).hint(format!(
            "make a sheet with `evalgauge label export {}`, label it, and bring it in with `evalgauge label import`",
            card.name
        )));
    }
    Ok(files)
}

/// A row a label, unless a column a rater was asked for and the file has no column `rater`.
fn columns(args: &CalibrateArgs, file: &Path) -> Result<Columns, Failure> {
    let own = &args.columns;
    let mut columns = own.columns()?;
    columns.judges.clear();
    if own.rater.is_none() && (own.raters.is_empty() || column_names(file)?.iter().any(|name| name == "rater")) {
        columns.layout = Layout::Long { rater: "rater".to_owned(), label: "label".to_owned() };
    }
    columns.slices.clear();
    Ok(columns)
}

/// The slices that were asked for, else every label of the items.
fn slices(args: &CalibrateArgs, card: &Card) -> Vec<Vec<String>> {
    if !args.columns.slice.is_empty() {
        return args.columns.slices();
    }
    let mut keys: Vec<String> = card.items.iter().flat_map(|item| item.labels.keys().cloned()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| vec![key]).collect()
}

/// What is kept of a judge; items are those of the first.
fn line(
    args: &CalibrateArgs,
    (card, first): (&Card, &Card),
    (date, grades, labels): (Date, &Grades, &[Source]),
    found: &[Calibration],
) -> Result<CalibrationLine, Failure> {
    let mut data: Vec<String> = labels.iter().map(|source| source.sha256.clone()).collect();
    let items = first.folder.join("items.jsonl");
    if items.is_file() {
        data.push(sha256_of_file(&items)?);
    }
    data.sort();
    let own = |one: &Calibration| {
        let judge = one.judges.iter().find(|judge| judge.judge == card.name)?;
        Some((one.dimension.clone(), DimensionLine::of(one, judge)))
    };
    Ok(CalibrationLine {
        date,
        judge: card.name.clone(),
        digests: grades.by.clone().unwrap_or_else(|| card.digests.clone()),
        data_sha256: sha256_hex(data.join("\n")),
        grades: GradesFrom { source: grades.source.file.clone(), sha256: grades.source.sha256.clone() },
        confidence: args.confidence,
        dimensions: found.iter().filter_map(own).collect(),
    })
}

/// Adds the line unless it is the last one already: the lines before, the line as it is kept, and whether it was added.
///
/// The judge's settings are locked meanwhile, so that two calibrations at once leave two lines.
fn append(card: &Card, line: &CalibrationLine) -> Result<(Vec<CalibrationLine>, CalibrationLine, bool), Failure> {
    let settings = card.folder.join("judge.toml");
    let lock = std::fs::File::open(&settings).map_err(TableError::io(&settings))?;
    lock.lock().map_err(TableError::io(&settings))?;
    let path = card.folder.join(LINES);
    let earlier = read_lines(&path)?;
    // Numbers are kept as they are printed, so that the line of another machine is the same.
    let text = crate::report::json_digits(line, 12)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .map(|value| value.to_string())
        .ok_or_else(|| Failure::machine("cannot write the calibration".to_owned()))?;
    let kept = serde_json::from_str(&text).map_err(|error| Failure::machine(error.to_string()))?;
    let mut all = String::new();
    if path.is_file() {
        std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut all)).map_err(TableError::io(&path))?;
    }
    if all.lines().last() == Some(text.as_str()) {
        return Ok((earlier, kept, false));
    }
    if !all.is_empty() && !all.ends_with('\n') {
        all.push('\n');
    }
    all.push_str(&text);
    all.push('\n');
    write_atomically(&path, all.as_bytes())?;
    Ok((earlier, kept, true))
}

/// Reads `calibrations.jsonl`; nothing where there is none.
pub(in crate::cli) fn read_lines(path: &Path) -> Result<Vec<CalibrationLine>, Failure> {
    let mut lines = Vec::new();
    if path.is_file() {
        for_each_line(path, |number, text| {
            let line = serde_json::from_str(text).map_err(|error| TableError::Line {
                path: path.to_owned(),
                line: number,
                reason: format!("no calibration: {}", json_reason(&error)),
            })?;
            lines.push(line);
            Ok::<(), TableError>(())
        })?;
    }
    Ok(lines)
}
