//! Arguments → files → first run → baseline.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::files::{Files, Settings, System, answers_csv, bytes, json_lines};
use super::scorer::Scoring;
use crate::cli::args::{Global, OutputFormat, RunArgs};
use crate::cli::baseline::{Reasons, make};
use crate::cli::columns::{AnswerColumns, Guess, Named, Origin, OwnTable, quoted};
use crate::cli::failure::Failure;
use crate::cli::gate::as_of;
use crate::cli::output::Output;
use crate::cli::run::{execute, shown};
use crate::config::Project;
use crate::evalset::{EvalsetError, Fields, NewPin, parse_file, pin};
use crate::gate::Exit;
use crate::record::{Sample, baseline_folder};
use crate::table::write_atomically;

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Your own examples, a line each: a question (or input, prompt …), what is expected, perhaps labels (CSV, TSV, JSON
    /// lines, Parquet) [default: two dozen support requests]
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// What your system answered, a line an example, found by id or by the text of the input; it is copied
    #[arg(long, value_name = "FILE", requires = "from", conflicts_with = "command")]
    answers: Option<PathBuf>,
    /// Your system, as a program: {"id", "trial", "input"} on stdin, the answer on stdout
    #[arg(long, value_name = "COMMAND", requires = "from")]
    command: Option<String>,
    /// Write what is missing also where some of the files are there already; those are kept as they are
    #[arg(long)]
    force: bool,
    /// Column of your system's answers, in --answers or --from
    #[arg(long = "answer-field", id = "answer_field", value_name = "COLUMN", requires = "from")]
    answer: Option<String>,
    #[command(flatten)]
    named: Named,
}

/// A project before it is written.
struct Draft {
    set: String,
    examples: Vec<Value>,
    labels: Vec<String>,
    system: System,
    scoring: Scoring,
    files: Files,
    guess: Option<Guess>,
    answers: Option<AnswerColumns>,
    /// What a person should know of it.
    said: Vec<String>,
    note: String,
}

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    evalset: &'a str,
    examples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a Guess>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<&'a AnswerColumns>,
    candidate: &'static str,
    scorer: &'static str,
    written: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_sha256: Option<&'a str>,
}

pub(in crate::cli) fn run(args: &InitArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let file = global.config.clone().unwrap_or_else(|| PathBuf::from("evalgauge.toml"));
    let root = file.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let config =
        file.file_name().map_or_else(|| "evalgauge.toml".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut draft = match &args.from {
        None => starter(global)?,
        Some(from) => from_table(from, args, global)?,
    };
    // Whatever is wrong with the examples comes to light before anything is written.
    let folder = tempfile::tempdir().map_err(|error| Failure::machine(format!("no temporary folder: {error}")))?;
    let source = folder.path().join("examples.jsonl");
    write_atomically(&source, &json_lines(&draft.examples))?;
    parse_file(&source, &Fields::default()).map_err(|error| match error {
        EvalsetError::Line { line, reason, .. } => Failure::input(format!("example {line}: {reason}")),
        other => other.into(),
    })?;
    let settings = Settings {
        set: &draft.set,
        system: &draft.system,
        scoring: &draft.scoring,
        labels: &draft.labels,
        examples: draft.examples.len(),
    };
    draft.files.add(&config, settings.text());
    draft.files.add_common(&config, &draft.set);
    let description = root.join("evalsets").join(&draft.set).join("evalset.toml");
    let mut there = draft.files.existing(&root);
    if description.exists() {
        there.push(format!("evalsets/{}/evalset.toml", draft.set));
    }
    let baseline = baseline_folder(Path::new("reports"), &draft.set, draft.system.name());
    if root.join(&baseline).exists() {
        there.push(shown(&baseline));
    }
    // With settings, examples or a baseline of somebody's own there is nothing to be the first run of.
    let fresh = !root.join(&config).exists() && !description.exists() && !root.join(&baseline).exists();
    if !there.is_empty() && !args.force {
        return Err(Failure::input(format!("nothing was written: there is {} already", there.join(", ")))
            .hint("go to an empty folder, or add what is missing with --force, which keeps these as they are"));
    }
    let mut written = draft.files.write(&root)?;
    if !description.exists() {
        written.extend(pin_examples(&draft, &source, &root, global)?);
    }
    let first = if fresh { Some(first_run(&file, global, output)?) } else { None };
    match output.format() {
        OutputFormat::Json => output.json(&Printed {
            schema: "evalgauge.init/1",
            evalset: &draft.set,
            examples: draft.examples.len(),
            columns: draft.guess.as_ref(),
            answers: draft.answers.as_ref(),
            candidate: draft.system.name(),
            scorer: draft.scoring.shown(),
            written: &written,
            passed: first.as_ref().map(|first| first.passed),
            record_sha256: first.as_ref().map(|first| first.record_sha256.as_str()),
        })?,
        OutputFormat::Text | OutputFormat::Md => {
            let mut text = draft.said.join("\n");
            let wrote = if written.is_empty() { "nothing".to_owned() } else { written.join(", ") };
            text.push_str(&format!("\nscorer     {}\nwrote      {wrote}\n", draft.scoring.shown()));
            if !there.is_empty() {
                text.push_str(&format!("kept       {}\n", there.join(", ")));
            }
            if let Some(first) = &first {
                text.push_str(&first.text(&draft));
            }
            output.result(&text)?;
        }
    }
    Ok(Exit::Pass)
}

/// What the first run came to.
struct First {
    passed: usize,
    failed: usize,
    baseline: String,
    record_sha256: String,
}

impl First {
    fn text(&self, draft: &Draft) -> String {
        let all = draft.examples.len();
        let mut text =
            format!("first run  {} of {all} passed; it is the baseline now: {}\n", self.passed, self.baseline);
        if self.failed > 0 {
            text.push_str(&format!("           {} have no answer, which counts as failed\n", self.failed));
        }
        if self.passed == 0 {
            text.push_str(
                "           no answer passes: perhaps the scorer does not fit; see [scorers] in the settings\n",
            );
        }
        text.push_str("next       evalgauge check\n");
        if draft.answers.is_none() && matches!(draft.system, System::Rules { name: "majority", .. }) {
            text.push_str(
                "           `majority` only stands in for your system: put that into [candidates], or give its answers with\n\
                 \x20          --answers FILE, or start it with --command COMMAND\n",
            );
        }
        text
    }
}

fn starter(global: &Global) -> Result<Draft, Failure> {
    let lines = include_str!("starter.jsonl").lines().map(serde_json::from_str);
    let examples: Vec<Value> =
        lines.collect::<Result<_, _>>().map_err(|error| Failure::machine(format!("the starter set: {error}")))?;
    let expected: Vec<Value> = examples.iter().map(|example| example["expected"].clone()).collect();
    let mut files = Files::default();
    files.add("candidates/rules.toml", include_str!("rules.toml"));
    Ok(Draft {
        set: set_name(global.evalset.as_deref(), "support")?,
        labels: vec!["topic".to_owned(), "language".to_owned()],
        system: System::Rules { name: "rules", file: "candidates/rules.toml" },
        scoring: Scoring::of(&expected, &[]),
        said: vec![
            format!("examples   {} support requests, to be routed to a team; slices topic, language", examples.len()),
            "candidate  rules: keyword rules in candidates/rules.toml; no model, no key".to_owned(),
        ],
        note: "a starter: support requests written for it".to_owned(),
        guess: None,
        answers: None,
        examples,
        files,
    })
}

/// The name of the eval set: what was asked for, else made from a file's name.
fn set_name(named: Option<&str>, fallback: &str) -> Result<String, Failure> {
    if let Some(named) = named {
        if named.contains('@') {
            return Err(Failure::input(format!("--evalset {named}: a new set has a name only; its version is `v1`")));
        }
        if named.starts_with('.') || !named.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            return Err(Failure::input(format!("--evalset {named}: use letters, digits, `-` and `.`")));
        }
        return Ok(named.to_owned());
    }
    let plain: String =
        fallback.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    Ok(if plain.is_empty() { "examples".to_owned() } else { plain.to_owned() })
}

fn from_table(from: &Path, args: &InitArgs, global: &Global) -> Result<Draft, Failure> {
    let rows = OwnTable::read(from)?;
    let guess = Guess::of(&rows, &args.named, args.answer.as_ref(), Origin::Examples)?;
    let stem = from.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let examples = guess.examples(&rows)?;
    let expected: Vec<Value> = examples.iter().map(|example| example["expected"].clone()).collect();
    if let Some(row) = expected.iter().position(Value::is_null) {
        let column = guess.expected.as_deref().unwrap_or_default();
        return Err(rows.wrong(row, &format!("column `{column}` is empty")));
    }
    let ids: Vec<String> =
        examples.iter().map(|example| example["id"].as_str().unwrap_or_default().to_owned()).collect();
    let mut said = vec![format!("examples   {}: {}", from.display(), examples.len())];
    said.extend(guess.said(&rows));
    if guess.id.is_none() {
        said.push(format!("id         numbered, {} to {}", ids[0], ids[ids.len() - 1]));
    }
    if !guess.unused.is_empty() {
        said.push(format!("kept       {}: with the examples, not used", quoted(&guess.unused)));
    }
    let mut files = Files::default();
    let mut columns = None;
    let mut known: Vec<Option<String>> = Vec::new();
    let system = if let Some(answers) = &args.answers {
        let table = OwnTable::read(answers)?;
        let id_set: HashSet<String> = ids.iter().cloned().collect();
        let inputs: HashSet<String> = (0..rows.rows.len()).filter_map(|row| rows.text(row, &guess.input)).collect();
        let found = AnswerColumns::find(&table, guess.id.as_ref().map(|_| &id_set), &inputs, args.answer.as_ref())?;
        known = answers_of(&table, &found, &rows, &guess, &ids);
        let ending =
            answers.extension().map_or_else(|| "csv".to_owned(), |ending| ending.to_string_lossy().into_owned());
        let file = format!("answers.{ending}");
        files.add(&file, bytes(answers)?);
        let (key, answer) = (found.key.clone(), found.answer.clone());
        columns = Some(found);
        System::Replay { file, by_input: columns.as_ref().is_some_and(|c| c.by_input), key, answer }
    } else if let Some(command) = &args.command {
        System::Command { argv: words(command)? }
    } else if let Some(answer) = &guess.answer {
        known = (0..rows.rows.len()).map(|row| rows.text(row, answer)).collect();
        let pairs: Vec<(String, Option<String>)> = ids.iter().cloned().zip(known.iter().cloned()).collect();
        files.add("answers.csv", answers_csv(&pairs));
        System::Replay {
            file: "answers.csv".to_owned(),
            key: "id".to_owned(),
            by_input: false,
            answer: "answer".to_owned(),
        }
    } else {
        files.add("candidates/majority.toml", majority(&expected));
        System::Rules { name: "majority", file: "candidates/majority.toml" }
    };
    if args.answers.is_none() && args.answer.is_some() && guess.answer.is_none() {
        return Err(Failure::input(format!("{}: it has {}", from.display(), quoted(&rows.columns)))
            .hint("--answer-field names a column of the system's answers"));
    }
    said.push(candidate_said(&system, columns.as_ref(), args, &guess, &known));
    Ok(Draft {
        set: set_name(global.evalset.as_deref(), &stem)?,
        scoring: Scoring::of(&expected, &known),
        labels: guess.labels.clone(),
        note: format!("{} of {}", examples.len(), from.file_name().unwrap_or_default().to_string_lossy()),
        examples,
        system,
        files,
        guess: Some(guess),
        answers: columns,
        said,
    })
}

fn candidate_said(
    system: &System,
    columns: Option<&AnswerColumns>,
    args: &InitArgs,
    guess: &Guess,
    known: &[Option<String>],
) -> String {
    let there = known.iter().flatten().count();
    match (system, columns) {
        (System::Replay { file, .. }, Some(columns)) => format!(
            "candidate  recorded: {file}, a copy of {}; `{}` is the {}, `{}` the answer; {there} of {} examples answered",
            args.answers.as_deref().map_or_else(String::new, |path| path.display().to_string()),
            columns.key,
            if columns.by_input { "input" } else { "id" },
            columns.answer,
            known.len()
        ),
        (System::Replay { file, .. }, None) => format!(
            "candidate  recorded: {file}, from column `{}`; {there} of {} examples answered",
            guess.answer.as_deref().unwrap_or_default(),
            known.len()
        ),
        (System::Command { argv }, _) => format!("candidate  app: the program `{}`", argv.join(" ")),
        (System::Rules { name, file }, _) => {
            format!("candidate  {name}: {file} answers the most frequent expected answer, whatever is asked")
        }
    }
}

/// The answer of each example, where the table has one.
fn answers_of(
    table: &OwnTable,
    columns: &AnswerColumns,
    rows: &OwnTable,
    guess: &Guess,
    ids: &[String],
) -> Vec<Option<String>> {
    let by_key: BTreeMap<String, String> = (0..table.rows.len())
        .filter_map(|row| Some((table.text(row, &columns.key)?, table.text(row, &columns.answer)?)))
        .collect();
    let key = |row: usize| {
        if columns.by_input { rows.text(row, &guess.input) } else { Some(ids[row].clone()) }
    };
    (0..rows.rows.len()).map(|row| by_key.get(&key(row)?).cloned()).collect()
}

/// Rules that always give the most frequent answer.
fn majority(expected: &[Value]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in expected {
        *counts.entry(value.as_str().map_or_else(|| value.to_string(), str::to_owned)).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(text, count)| (**count, std::cmp::Reverse((*text).clone())));
    let answer = toml::Value::String(most.map_or_else(String::new, |(text, _)| text.clone()));
    format!(
        "# Stands in for a system: the most frequent expected answer, whatever is asked. Anything real has to beat it.\ndefault = {answer}\n"
    )
}

/// The words of a command, as a shell takes them apart; nothing else of a shell is understood.
fn words(command: &str) -> Result<Vec<String>, Failure> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quote.is_some() || words.is_empty() {
        return Err(Failure::input(format!("--command {command}: expected a program and its arguments"))
            .hint("what needs a shell says so: --command \"sh -c '…'\""));
    }
    Ok(words)
}

/// Pins the examples; the files that this made.
fn pin_examples(draft: &Draft, source: &Path, root: &Path, global: &Global) -> Result<Vec<String>, Failure> {
    let date = as_of(global);
    let new = NewPin { name: &draft.set, from: source, tag: "v1", date: &date, note: &draft.note, fields: None };
    let version = pin(&root.join("evalsets"), &new)?;
    let set = &draft.set;
    Ok(vec![format!("evalsets/{set}/evalset.toml"), format!("evalsets/{set}/{}", version.file)])
}

/// Runs the candidate and blesses what came of it.
fn first_run(file: &Path, global: &Global, output: &Output) -> Result<First, Failure> {
    let attempt = || {
        let project = Project::open(Some(file))?;
        let evalset = project.evalset(None)?;
        let quiet = RunArgs { no_progress: true, ..RunArgs::default() };
        let made = execute(&project, evalset, None, &quiet, None, global, output)?;
        let reasons =
            Reasons { why: Some("the first run, made by `evalgauge init`".to_owned()), by: None, rebased_from: None };
        let (folder, _) = make(&project, &made.record, reasons, global)?;
        let passes = |sample: &&Sample| sample.scores.iter().all(|score| score.passed == Some(true));
        Ok(First {
            passed: made.record.samples.iter().filter(passes).count(),
            failed: made.record.samples.iter().filter(|sample| sample.error.is_some()).count(),
            baseline: shown(&folder),
            record_sha256: made.record.manifest.record_sha256,
        })
    };
    attempt().map_err(|failure: Failure| Failure {
        message: format!("the project is written, but its first run failed: {}", failure.message),
        hint: Some(format!(
            "{}mend the settings, then `evalgauge run` and `evalgauge baseline bless latest`",
            failure.hint.map_or_else(String::new, |hint| format!("{hint}; "))
        )),
        ..failure
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_apart_like_a_shell_does() {
        assert_eq!(words("python3  app.py").unwrap(), ["python3", "app.py"]);
        assert_eq!(words("sh -c 'echo \"a b\"' ''").unwrap(), ["sh", "-c", "echo \"a b\"", ""]);
        assert!(words(" ").is_err());
        assert!(words("sh -c 'echo").is_err());
    }

    #[test]
    fn names_of_sets_are_made_from_names_of_files() {
        assert_eq!(set_name(None, "My Examples (v2)").unwrap(), "my-examples--v2");
        assert_eq!(set_name(None, "質問").unwrap(), "examples");
        assert_eq!(set_name(Some("own"), "x").unwrap(), "own");
        assert!(set_name(Some("own@v1"), "x").is_err());
    }
}
