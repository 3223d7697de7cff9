//! What the columns of somebody's own table are, and the examples that follow from them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli::failure::Failure;
use crate::table::{Column, Want, column_names, for_each_line, json_reason, read};

/// Names that mean the id of an example; the first that there is counts, as in the lists below. Compared in lower case and
/// without anything but letters and digits.
const IDS: &[&str] = &["id", "exampleid", "caseid", "questionid", "qid", "key", "uuid", "rowid", "index", "no", "nr"];
const INPUTS: &[&str] = &[
    "input",
    "question",
    "prompt",
    "query",
    "instruction",
    "utterance",
    "usermessage",
    "message",
    "text",
    "request",
    "problem",
    "ticket",
    "email",
    "sentence",
    "document",
    "content",
    "user",
];
const EXPECTED: &[&str] = &[
    "expected",
    "expectedanswer",
    "expectedoutput",
    "expectedresponse",
    "target",
    "gold",
    "golden",
    "goldanswer",
    "reference",
    "referenceanswer",
    "groundtruth",
    "ideal",
    "idealanswer",
    "correct",
    "correctanswer",
    "truth",
];
/// What may mean it too, in a file of examples; in a log it rather is what the system said.
const PERHAPS_EXPECTED: &[&str] =
    &["answer", "solution", "label", "intent", "category", "class", "output", "response", "completion"];
/// What the team's system said.
const ANSWERS: &[&str] = &[
    "answer",
    "output",
    "response",
    "prediction",
    "predicted",
    "modelanswer",
    "modeloutput",
    "modelresponse",
    "generated",
    "generation",
    "completion",
    "actual",
    "actualoutput",
    "result",
    "reply",
    "said",
];
const GROUPS: &[&str] =
    &["group", "conversation", "conversationid", "session", "sessionid", "thread", "threadid", "cluster", "documentid"];

/// A label has at most this many values,
const MOST_VALUES: usize = 12;
/// of at most this many characters.
const LONGEST_VALUE: usize = 40;

/// A table as rows.
pub(super) struct OwnTable {
    /// The columns, in the order of the file.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Map<String, Value>>,
    /// The line of each row.
    lines: Vec<u64>,
    file: String,
}

impl OwnTable {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut found =
            Self { columns: Vec::new(), rows: Vec::new(), lines: Vec::new(), file: path.display().to_string() };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if matches!(ending.as_str(), "jsonl" | "ndjson") {
            found.take_json(path)?;
        } else {
            found.take_table(path)?;
        }
        if found.rows.is_empty() {
            return Err(Failure::input(format!("{}: no rows", found.file)));
        }
        Ok(found)
    }

    fn take_json(&mut self, path: &Path) -> Result<(), Failure> {
        for_each_line(path, |line, text| {
            let wrong = |reason: &str| Failure::input(format!("{}:{line}: {reason}", self.file));
            match serde_json::from_str(text) {
                Ok(Value::Object(row)) => {
                    for name in row.keys() {
                        if !self.columns.contains(name) {
                            self.columns.push(name.clone());
                        }
                    }
                    self.rows.push(row);
                    self.lines.push(line);
                    Ok(())
                }
                Ok(_) => Err(wrong("expected a JSON object")),
                Err(error) => Err(wrong(&format!("not valid JSON: {}", json_reason(&error)))),
            }
        })
    }

    fn take_table(&mut self, path: &Path) -> Result<(), Failure> {
        self.columns = column_names(path)?;
        if let [only] = &self.columns[..]
            && only.contains(';')
        {
            return Err(Failure::input(format!("{}: one column, `{only}`", self.file))
                .hint("separate the columns by commas, or by tabs in a file that ends in .tsv"));
        }
        let wanted: Vec<(&str, Want)> = self.columns.iter().map(|name| (name.as_str(), Want::Category)).collect();
        let table = read(path, &wanted)?;
        self.rows = vec![Map::new(); table.rows];
        self.lines = table.lines.iter().map(|line| u64::from(*line)).collect();
        for (name, column) in self.columns.iter().zip(&table.columns) {
            let Column::Category(column) = column else { continue };
            for (number, row) in self.rows.iter_mut().enumerate() {
                if let Some(text) = column.get(number) {
                    row.insert(name.clone(), Value::String(text.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// The cell of a row as text; nothing where it is empty.
    pub(super) fn text(&self, row: usize, column: &str) -> Option<String> {
        match self.rows[row].get(column)? {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// An error about a row.
    pub(super) fn wrong(&self, row: usize, reason: &str) -> Failure {
        Failure::input(format!("{}:{}: {reason}", self.file, self.lines[row]))
    }

    /// The line of a row.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// The column that is named so, if a person named one.
    fn named(&self, name: Option<&String>) -> Result<Option<String>, Failure> {
        let Some(name) = name else { return Ok(None) };
        if self.columns.contains(name) {
            return Ok(Some(name.clone()));
        }
        Err(Failure::input(format!("{}: no column `{name}`; it has {}", self.file, quoted(&self.columns))))
    }

    /// The first column whose name is one of a list, in the order of the list.
    fn called(&self, names: &[&str], taken: &[&String]) -> Option<String> {
        let plain =
            |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        names.iter().find_map(|wanted| {
            self.columns.iter().find(|column| !taken.contains(column) && plain(column) == *wanted).cloned()
        })
    }

    /// The values of a column, each with how often it stands there, and in how many rows it stands.
    pub(super) fn values(&self, column: &str) -> (BTreeMap<String, usize>, usize) {
        let mut values = BTreeMap::new();
        let mut filled = 0;
        for row in 0..self.rows.len() {
            if let Some(text) = self.text(row, column) {
                *values.entry(text).or_default() += 1;
                filled += 1;
            }
        }
        (values, filled)
    }

    fn is_label(&self, column: &str) -> bool {
        if self.rows.iter().any(|row| matches!(row.get(column), Some(Value::Array(_) | Value::Object(_)))) {
            return false;
        }
        let (values, filled) = self.values(column);
        (2..=MOST_VALUES.min(self.rows.len() / 3)).contains(&values.len())
            && filled * 2 >= self.rows.len()
            && values.keys().all(|value| value.chars().count() <= LONGEST_VALUE)
    }
}

pub(super) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Columns that a person named.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Columns of --from [default: guessed where it is a table, and said]")]
pub(super) struct Named {
    /// Column of the id [default: examples are numbered]
    #[arg(long = "id-field", visible_alias = "id", id = "id_field", value_name = "COLUMN", requires = "from")]
    pub(super) id: Option<String>,
    /// Column of the input
    #[arg(long = "input-field", visible_alias = "input", id = "input_field", value_name = "COLUMN", requires = "from")]
    pub(super) input: Option<String>,
    /// Column of what is right
    #[arg(
        long = "expected-field",
        visible_alias = "expected",
        id = "expected_field",
        value_name = "COLUMN",
        requires = "from"
    )]
    pub(super) expected: Option<String>,
    /// Column of the group
    #[arg(long = "group-field", visible_alias = "group", id = "group_field", value_name = "COLUMN", requires = "from")]
    pub(super) group: Option<String>,
    /// Column whose values are slices; may be given several times
    #[arg(long = "label-field", visible_alias = "label", id = "label_field", value_name = "COLUMN", requires = "from")]
    pub(super) label: Vec<String>,
}

impl Named {
    /// Whether any of them was typed.
    pub(super) const fn is_given(&self) -> bool {
        self.id.is_some()
            || self.input.is_some()
            || self.expected.is_some()
            || self.group.is_some()
            || !self.label.is_empty()
    }
}

/// What kind of file the columns are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Examples; each says what is expected.
    Examples,
    /// Examples, of which some or all may not say it.
    Inputs,
    /// What happened in production: what the system answered is not what was right.
    Log,
}

/// What the columns mean.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Guess {
    /// None: examples are numbered.
    pub(super) id: Option<String>,
    pub(super) input: String,
    /// None: nobody says what is right.
    pub(super) expected: Option<String>,
    /// The system's answers.
    pub(super) answer: Option<String>,
    pub(super) group: Option<String>,
    pub(super) labels: Vec<String>,
    /// Kept with the examples, not used.
    pub(super) unused: Vec<String>,
}

impl Guess {
    pub(super) fn of(rows: &OwnTable, named: &Named, answer: Option<&String>, origin: Origin) -> Result<Self, Failure> {
        let mut input = rows.named(named.input.as_ref())?;
        let mut expected = rows.named(named.expected.as_ref())?;
        let mut id = rows.named(named.id.as_ref())?;
        // It may also be a column of --answers.
        let mut answer = answer.filter(|name| rows.columns.contains(name)).cloned();
        let mut group = rows.named(named.group.as_ref())?;
        let mut labels = Vec::new();
        for name in &named.label {
            labels.extend(rows.named(Some(name))?);
        }
        let spoken_for: Vec<String> = labels.clone();
        let taken = |more: &[&Option<String>]| -> Vec<String> {
            spoken_for.iter().cloned().chain(more.iter().filter_map(|name| (*name).clone())).collect()
        };
        let call = |names: &[&str], taken: &[String]| rows.called(names, &taken.iter().collect::<Vec<_>>());
        let unique = |column: &String| {
            let (values, filled) = rows.values(column);
            filled == rows.rows.len() && values.len() == filled
        };
        if id.is_none() {
            id = call(IDS, &taken(&[&input, &expected, &answer, &group])).filter(unique);
        }
        if input.is_none() {
            input = call(INPUTS, &taken(&[&id, &expected, &answer, &group]));
        }
        if expected.is_none() {
            expected = call(EXPECTED, &taken(&[&id, &input, &answer, &group]));
        }
        if expected.is_none() && origin != Origin::Log {
            expected = call(PERHAPS_EXPECTED, &taken(&[&id, &input, &answer, &group]));
        }
        let (input, expected) = Self::complete(rows, input, expected, id.as_ref(), origin)?;
        let found = Some(input.clone());
        if answer.is_none() {
            answer = call(ANSWERS, &taken(&[&id, &found, &expected, &group]));
        }
        if group.is_none() {
            let repeats = |column: &String| rows.values(column).0.len() < rows.rows.len();
            group = call(GROUPS, &taken(&[&id, &found, &expected, &answer])).filter(repeats);
        }
        let used = taken(&[&id, &found, &expected, &answer, &group]);
        let free: Vec<String> = rows.columns.iter().filter(|column| !used.contains(column)).cloned().collect();
        let (more, unused): (Vec<String>, Vec<String>) = if named.label.is_empty() {
            free.into_iter().partition(|column| rows.is_label(column))
        } else {
            (Vec::new(), free)
        };
        labels.extend(more);
        Ok(Self { id, input, expected, answer, group, labels, unused })
    }

    /// The examples of a table, with what is in no column's meaning too.
    pub(super) fn examples(&self, rows: &OwnTable) -> Result<Vec<Value>, Failure> {
        let digits = rows.rows.len().to_string().len().max(2);
        let mut examples = Vec::with_capacity(rows.rows.len());
        for (number, row) in rows.rows.iter().enumerate() {
            let id = match &self.id {
                Some(column) => rows.text(number, column).unwrap_or_default(),
                None => format!("ex-{:0digits$}", number + 1),
            };
            let empty = |column: &str| rows.wrong(number, &format!("column `{column}` is empty"));
            rows.text(number, &self.input).ok_or_else(|| empty(&self.input))?;
            let input = match &row[&self.input] {
                Value::Number(number) => Value::String(number.to_string()),
                other => other.clone(),
            };
            let mut labels = match row.get("labels") {
                Some(Value::Object(labels)) => labels.clone(),
                _ => Map::new(),
            };
            for label in &self.labels {
                if let Some(value) = rows.text(number, label) {
                    labels.insert(label.clone(), Value::String(value));
                }
            }
            let mut example = Map::new();
            example.insert("id".to_owned(), json!(id));
            example.insert("input".to_owned(), input);
            if let Some(expected) = self.expected.as_ref().filter(|column| rows.text(number, column).is_some()) {
                example.insert("expected".to_owned(), row[expected].clone());
            }
            example.insert("labels".to_owned(), Value::Object(labels));
            if let Some(group) = self.group.as_ref().and_then(|group| rows.text(number, group)) {
                example.insert("group".to_owned(), json!(group));
            }
            for column in &self.unused {
                if let Some(value) = row.get(column).filter(|value| !value.is_null()) {
                    example.entry(column.clone()).or_insert_with(|| value.clone());
                }
            }
            examples.push(Value::Object(example));
        }
        Ok(examples)
    }

    /// What the columns were taken for, for people.
    pub(super) fn said(&self, rows: &OwnTable) -> Vec<String> {
        let mut said = vec![format!("input      column `{}`", self.input)];
        said.extend(self.expected.as_ref().map(|expected| format!("expected   column `{expected}`")));
        said.extend(self.id.as_ref().map(|id| format!("id         column `{id}`")));
        if let Some(group) = &self.group {
            said.push(format!("group      column `{group}`: its examples stand or fall together"));
        }
        let labels = self.labels.iter().map(|label| format!("`{label}` ({} values)", rows.values(label).0.len()));
        let labels: Vec<String> = labels.collect();
        said.push(format!(
            "slices     {}",
            if labels.is_empty() { "none found".to_owned() } else { labels.join(", ") }
        ));
        said
    }

    /// Both columns that have to be there; where one name tells nothing, what is left of a small table.
    fn complete(
        rows: &OwnTable,
        input: Option<String>,
        expected: Option<String>,
        id: Option<&String>,
        origin: Origin,
    ) -> Result<(String, Option<String>), Failure> {
        let left: Vec<&String> = rows.columns.iter().filter(|column| Some(*column) != id).collect();
        let other = |than: &String| match left[..] {
            [a, b] if a == than => Some(b.clone()),
            [a, b] if b == than => Some(a.clone()),
            _ => None,
        };
        let (input, expected) = match (input, expected) {
            (Some(input), None) if origin != Origin::Log => {
                let expected = other(&input);
                (Some(input), expected)
            }
            (None, Some(expected)) => (other(&expected), Some(expected)),
            both => both,
        };
        let lacking = |what: &str, flag: &str| {
            Failure::input(format!("{}: which column is {what}? it has {}", rows.file, quoted(&rows.columns)))
                .hint(format!("name it with {flag} COLUMN"))
        };
        match (input, expected) {
            (Some(_), None) if origin == Origin::Examples => Err(lacking("the expected answer", "--expected-field")),
            (Some(input), expected) => Ok((input, expected)),
            (None, _) => Err(lacking("the input", "--input-field")),
        }
    }
}

/// Where the answers of a system stand in a table of their own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct AnswerColumns {
    /// The column that tells which example a row answers.
    pub(super) key: String,
    /// It holds inputs, not ids.
    pub(super) by_input: bool,
    pub(super) answer: String,
}

impl AnswerColumns {
    /// Finds the columns by what stands in them: ids, or the very inputs.
    pub(super) fn find(
        table: &OwnTable,
        ids: Option<&HashSet<String>>,
        inputs: &HashSet<String>,
        answer: Option<&String>,
    ) -> Result<Self, Failure> {
        let share = |column: &String, known: &HashSet<String>| {
            let hits = (0..table.rows.len()).filter(|row| table.text(*row, column).is_some_and(|t| known.contains(&t)));
            hits.count() * 2 >= table.rows.len()
        };
        let by_id = ids.and_then(|ids| table.columns.iter().find(|column| share(column, ids)));
        let by_input = || table.columns.iter().find(|column| share(column, inputs));
        let Some((key, by_input)) = by_id.map(|key| (key, false)).or_else(|| by_input().map(|key| (key, true))) else {
            let known = if ids.is_some() { "the ids or the inputs" } else { "the inputs" };
            return Err(Failure::input(format!(
                "{}: no column holds {known} of the examples; it has {}",
                table.file,
                quoted(&table.columns)
            ))
            .hint("every answer has to say which example it answers"));
        };
        let only = || match &table.columns.iter().filter(|column| *column != key).collect::<Vec<_>>()[..] {
            [one] => Some((*one).clone()),
            _ => None,
        };
        let answer = table.named(answer)?.or_else(|| table.called(ANSWERS, &[key])).or_else(only);
        let answer = answer.ok_or_else(|| {
            Failure::input(format!("{}: which column is the answer? it has {}", table.file, quoted(&table.columns)))
                .hint("name it with --answer-field COLUMN")
        })?;
        Ok(Self { key: key.clone(), by_input, answer })
    }
}
