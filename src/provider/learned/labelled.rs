//! Labelled examples: those of the eval set, or those of a file that shares none with it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde_json::Value;

use super::super::router::ProviderError;
use super::spec::Lesson;
use crate::call::Pointer;
use crate::evalset::{EvalSet, Example, Fields, parse_file, strings_of};
use crate::table::{Column, Want, read};

/// How many ids a refusal names.
const NAMED: usize = 20;

/// What a field of the answer may be.
#[derive(Debug)]
pub(super) struct Field {
    /// Where it goes in the answer.
    pub(super) answer: Pointer,
    /// The values there are, by name.
    pub(super) values: Vec<Value>,
    /// By example: the numbers of its right values; none where it has none.
    pub(super) right: Vec<Vec<u32>>,
}

/// Examples with what is right.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) ids: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// By id of the eval set: the numbers of the examples that say nothing about it, ascending.
    left_out: HashMap<String, Vec<usize>>,
}

/// One labelled example on its way.
struct Raw {
    id: String,
    group: Option<String>,
    text: String,
    /// Of an input that is no text, what it holds beside texts.
    numbers: Vec<String>,
    /// What is right, place by place.
    right: Vec<Vec<Value>>,
}

impl Labelled {
    /// Reads what a lesson is learned from.
    pub(super) fn load(lesson: &Lesson<'_>, root: &Path, evalset: &EvalSet) -> Result<Self, ProviderError> {
        let raw = match lesson.from {
            None => evalset.examples.iter().map(|example| raw(lesson, example)).collect(),
            Some(file) => {
                let path = root.join(file);
                let ending = path.extension().unwrap_or_default();
                let raw = if ["jsonl", "ndjson"].iter().any(|lines| ending.eq_ignore_ascii_case(lines)) {
                    parse_file(&path, &Fields::default())?.iter().map(|example| raw(lesson, example)).collect()
                } else {
                    of_table(lesson, &path)?
                };
                refuse_shared(&raw, file, evalset)?;
                raw
            }
        };
        let source =
            lesson.from.map_or_else(|| format!("eval set `{}`", evalset.name), |file| format!("`{}`", file.display()));
        Self::new(lesson, raw, evalset, &source)
    }

    fn new(lesson: &Lesson<'_>, raw: Vec<Raw>, evalset: &EvalSet, source: &str) -> Result<Self, ProviderError> {
        let left_out = left_out(&raw, evalset);
        let mut fields = Vec::with_capacity(lesson.places.len());
        for (place, (answer, expected)) in lesson.places.iter().enumerate() {
            let named: BTreeMap<String, &Value> =
                raw.iter().flat_map(|item| &item.right[place]).map(|value| (name(value), value)).collect();
            if named.is_empty() {
                return Err(ProviderError::Settings(format!(
                    "nothing to learn: no example of {source} has a value at {expected} of `expected`"
                )));
            }
            let numbers: HashMap<&str, u32> = named.keys().map(String::as_str).zip(0..).collect();
            let of = |item: &Raw| {
                let mut right: Vec<u32> = Vec::new();
                for number in item.right[place].iter().filter_map(|value| numbers.get(name(value).as_str())) {
                    if !right.contains(number) {
                        right.push(*number);
                    }
                }
                right
            };
            let right = raw.iter().map(of).collect();
            fields.push(Field {
                answer: answer.clone(),
                values: named.values().map(|&value| value.clone()).collect(),
                right,
            });
        }
        let (ids, texts) = raw.into_iter().map(|item| (item.id, item.text)).unzip();
        Ok(Self { ids, texts, fields, left_out })
    }

    /// The examples that say nothing about this one: itself, and those of its group. `None` where it is not of the set.
    pub(super) fn left_out(&self, id: &str) -> Option<&[usize]> {
        self.left_out.get(id).map(Vec::as_slice)
    }
}

/// What a value is called; ties go to the first name.
fn name(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The right values at a place: a list is several right ones.
fn right_at(expected: Option<&Value>, place: &Pointer) -> Vec<Value> {
    match expected.and_then(|expected| place.find(expected)) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(several)) => several.iter().filter(|value| !value.is_null()).cloned().collect(),
        Some(one) => vec![one.clone()],
    }
}

/// An example of a set, or of a file with the fields of one.
fn raw(lesson: &Lesson<'_>, example: &Example) -> Raw {
    Raw {
        id: example.id.clone(),
        group: example.group.clone(),
        text: strings_of(&example.input),
        numbers: numbers_of(&example.input),
        right: lesson.places.iter().map(|(_, place)| right_at(example.expected.as_ref(), place)).collect(),
    }
}

/// What an input holds beside texts.
fn numbers_of(input: &Value) -> Vec<String> {
    match input {
        Value::Number(_) | Value::Bool(_) => vec![input.to_string()],
        Value::Array(items) => items.iter().flat_map(numbers_of).collect(),
        Value::Object(fields) => fields.values().flat_map(numbers_of).collect(),
        Value::Null | Value::String(_) => Vec::new(),
    }
}

fn of_table(lesson: &Lesson<'_>, path: &Path) -> Result<Vec<Raw>, ProviderError> {
    let columns = lesson.columns;
    let named = |place: &Pointer| match (&columns.label, place.parts().pop()) {
        (Some(label), _) => label.clone(),
        (None, Some(last)) => last,
        (None, None) => "expected".to_owned(),
    };
    let labels: Vec<String> = lesson.places.iter().map(|(_, place)| named(place)).collect();
    let mut wanted = vec![(columns.id.as_str(), Want::Text), (columns.input.as_str(), Want::Text)];
    wanted.extend(labels.iter().map(|label| (label.as_str(), Want::Category)));
    let table = read(path, &wanted)?;
    let (Column::Text(ids), Column::Text(texts)) = (&table.columns[0], &table.columns[1]) else {
        return Err(ProviderError::Settings(format!("{}: unexpected columns", path.display())));
    };
    let mut seen = HashSet::new();
    let mut raw = Vec::with_capacity(table.rows);
    for row in 0..table.rows {
        let id = ids.get(row);
        if !seen.insert(id) {
            let line = table.lines[row];
            return Err(ProviderError::Settings(format!("{}:{line}: the id `{id}` stands twice", path.display())));
        }
        let right = table.columns[2..].iter().map(|column| match column {
            Column::Category(labels) => labels.get(row).map(Value::from).into_iter().collect(),
            _ => Vec::new(),
        });
        raw.push(Raw {
            id: id.to_owned(),
            group: None,
            text: texts.get(row).to_owned(),
            numbers: Vec::new(),
            right: right.collect(),
        });
    }
    Ok(raw)
}

/// A text by which the same input is known again, however it is spaced.
fn spaced_once(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses a file that has examples of the set in it: who saw the questions proves nothing.
fn refuse_shared(raw: &[Raw], file: &Path, evalset: &EvalSet) -> Result<(), ProviderError> {
    let ids: HashSet<&str> = evalset.examples.iter().map(|example| example.id.as_str()).collect();
    let mut inputs: HashMap<String, Vec<(Vec<String>, &str)>> = HashMap::new();
    for example in &evalset.examples {
        let text = spaced_once(&strings_of(&example.input));
        inputs.entry(text).or_default().push((numbers_of(&example.input), &example.id));
    }
    let same_id: Vec<String> =
        raw.iter().filter(|item| ids.contains(item.id.as_str())).map(|item| format!("`{}`", item.id)).collect();
    let same_input: Vec<String> = raw
        .iter()
        .filter(|item| !ids.contains(item.id.as_str()))
        .filter_map(|item| {
            let text = spaced_once(&item.text);
            // A text alone is the input as far as it goes; without one only the numbers tell.
            let is_same = |numbers: &[String]| {
                item.numbers == numbers || !text.is_empty() && (item.numbers.is_empty() || numbers.is_empty())
            };
            let (_, other) = inputs.get(&text)?.iter().find(|(numbers, _)| is_same(numbers))?;
            Some(format!("`{}` (that of `{other}`)", item.id))
        })
        .collect();
    let mut shared = Vec::new();
    for (what, found) in [("id", same_id), ("input", same_input)] {
        if !found.is_empty() {
            let more = if found.len() > NAMED { format!(" and {} more", found.len() - NAMED) } else { String::new() };
            let count = if found.len() == 1 { format!("1 {what}") } else { format!("{} {what}s", found.len()) };
            shared.push(format!("{count}: {}{more}", found[..found.len().min(NAMED)].join(", ")));
        }
    }
    if shared.is_empty() {
        return Ok(());
    }
    Err(ProviderError::Settings(format!(
        "`{}` shares examples with eval set `{}`, and whoever saw the questions proves nothing ({}); take them out, or \
         leave `from` out to learn from the set itself with each example left out",
        file.display(),
        evalset.name,
        shared.join("; ")
    )))
}

/// For every example of the set, the labelled ones that say nothing about it: itself, its group, and whatever asks the same.
fn left_out(raw: &[Raw], evalset: &EvalSet) -> HashMap<String, Vec<usize>> {
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut by_group: HashMap<&str, Vec<usize>> = HashMap::new();
    // The same question under another id is the question itself.
    let mut by_input: HashMap<(String, &[String]), Vec<usize>> = HashMap::new();
    for (index, item) in raw.iter().enumerate() {
        by_id.insert(&item.id, index);
        by_input.entry((spaced_once(&item.text), &item.numbers)).or_default().push(index);
        if let Some(group) = &item.group {
            by_group.entry(group).or_default().push(index);
        }
    }
    let of = |example: &Example| {
        let mut left: Vec<usize> = by_id.get(example.id.as_str()).copied().into_iter().collect();
        left.extend(example.group.as_deref().and_then(|group| by_group.get(group)).into_iter().flatten());
        let numbers = numbers_of(&example.input);
        let same = by_input.get(&(spaced_once(&strings_of(&example.input)), numbers.as_slice()));
        left.extend(same.into_iter().flatten());
        left.sort_unstable();
        left.dedup();
        left
    };
    evalset.examples.iter().map(|example| (example.id.clone(), of(example))).collect()
}
