//! What a set holds: how many examples each slice has, where they come from, how old they are, and what stands in it twice.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::error::EvalsetError;
use super::example::Example;
use super::label::{LabelValue, Labels, Sharing};
use super::near::{Places, candidates, jaccard, places, shingles};
use super::parse::{Fields, parse_line};
use super::pin::{Folder, Version};
use super::quota::{Quota, SliceName};
use super::scan::{Scanned, lines_at};
use crate::table::{Line, ShortDigest, short_digest};

/// The key of the slice that every example has: how long its input is.
pub const LENGTH: &str = "length";

/// The buckets of lengths in characters, each with the first that is too long for it.
const LENGTHS: [(&str, usize); 6] = [
    ("0-99", 100),
    ("100-299", 300),
    ("300-999", 1_000),
    ("1000-2999", 3_000),
    ("3000-9999", 10_000),
    ("10000+", usize::MAX),
];

/// Values of one label, sources, and crossings that are told apart; what comes later is counted together.
const MOST_VALUES: usize = 10_000;
/// Under this name.
pub const OTHER: &str = "(other)";
/// Pairs that are named.
const NAMED: usize = 100;
/// Bytes of candidates for near-duplicates that are read again.
const READ_AGAIN: u64 = 64 << 20;

/// The bucket of an input's length.
#[must_use]
pub fn length_bucket(example: &Example) -> &'static str {
    let length = example.input_text().chars().count();
    LENGTHS.iter().find(|(_, end)| length < *end).map_or("10000+", |(name, _)| name)
}

/// The digest of an input, whatever the order of its fields.
#[must_use]
pub fn input_digest(input: &Value) -> ShortDigest {
    fn write(value: &Value, into: &mut String) {
        match value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| *name);
                into.push('{');
                for (name, value) in fields {
                    into.push_str(&Value::from(name.as_str()).to_string());
                    write(value, into);
                }
                into.push('}');
            }
            Value::Array(items) => {
                into.push('[');
                for item in items {
                    write(item, into);
                }
                into.push(']');
            }
            other => into.push_str(&format!("{other},")),
        }
    }
    let mut text = String::new();
    write(input, &mut text);
    short_digest(text)
}

/// Counts by value.
pub type Counts = BTreeMap<String, usize>;

/// Two examples that are the same, or nearly.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The id of the earlier one.
    pub first: String,
    /// The id of the later one.
    pub second: String,
    /// The share of five-word runs that their inputs have in common, of all that either has.
    pub share: f64,
}

/// What stands in a set twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Twice {
    /// How many pairs there are. Of equal inputs each is a pair with the first.
    pub pairs: usize,
    /// The first of them.
    pub named: Vec<Pair>,
    /// Whether more pairs looked alike than were looked at.
    pub cut: bool,
}

/// When examples were annotated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotated {
    /// How many on each day.
    pub days: BTreeMap<jiff::civil::Date, usize>,
    /// How many do not say.
    pub without: usize,
    /// How many say something that is no date.
    pub unreadable: usize,
}

/// What a quota asks for, and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaState {
    /// The slice.
    pub slice: String,
    /// What `evalset.toml` says.
    pub quota: Quota,
    /// How many that is.
    pub wanted: usize,
    /// How many there are.
    pub found: usize,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<'a> {
    /// Crossings of label keys to count.
    pub crossings: &'a [Vec<String>],
    /// Pairs are nearly the same from this share of common five-word runs on.
    pub near: f64,
}

/// Examples by the values of several keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The keys.
    pub keys: Vec<String>,
    /// By their values.
    pub counts: BTreeMap<Vec<String>, usize>,
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// How many examples.
    pub examples: usize,
    /// How many say what is expected.
    pub with_expected: usize,
    /// How many different groups there are.
    pub groups: usize,
    /// Examples by label key and value; by length too.
    pub labels: BTreeMap<String, Counts>,
    /// How many examples have each key at all.
    pub with_key: Counts,
    /// How many have no label.
    pub unlabelled: usize,
    /// Examples by the values of several keys.
    pub crossings: Vec<Crossing>,
    /// Quotas, by slice.
    pub quotas: Vec<QuotaState>,
    /// Examples by where they come from; those that do not say are under the empty text.
    pub provenance: Counts,
    /// When they were annotated.
    pub annotated: Annotated,
    /// Equal inputs.
    pub duplicates: Twice,
    /// Inputs that are nearly the same, and not equal.
    pub near: Twice,
}

/// What is wanted of one example, made on any thread.
struct Facts {
    labels: Labels,
    length: &'static str,
    expected: bool,
    group: Option<ShortDigest>,
    provenance: String,
    annotated: When,
    input: ShortDigest,
    places: Option<Places>,
    met: Vec<bool>,
    offset: u64,
}

impl Facts {
    fn of(line: Line<'_>, example: Example, quotas: &[(SliceName, &String, Quota)]) -> Self {
        let length = length_bucket(&example);
        Self {
            length,
            expected: example.expected.is_some(),
            group: example.group.as_ref().map(short_digest),
            provenance: provenance(&example),
            annotated: When::of(&example),
            input: input_digest(&example.input),
            places: places(&shingles(&example.input_text())),
            met: quotas.iter().map(|(slice, ..)| slice.has(&example, length)).collect(),
            labels: example.labels,
            offset: line.offset,
        }
    }
}

/// Where an example comes from: the text, or the field `source` of an object.
fn provenance(example: &Example) -> String {
    const SHOWN: usize = 200;
    let text = match example.other.get("provenance") {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.get("source").and_then(Value::as_str).map_or_else(|| other.to_string(), str::to_owned),
    };
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
}

/// When an example was annotated.
enum When {
    NotSaid,
    Unreadable,
    On(jiff::civil::Date),
}

impl When {
    /// The day that begins `annotated_at`.
    fn of(example: &Example) -> Self {
        match example.other.get("annotated_at") {
            None | Some(Value::Null) => Self::NotSaid,
            Some(value) => {
                let day = value.as_str().and_then(|text| text.get(..10)?.parse().ok());
                day.map_or(Self::Unreadable, Self::On)
            }
        }
    }
}

/// What is kept while a set is gone through.
#[derive(Default)]
struct Sums {
    profile: Profile,
    sharing: Sharing,
    /// Examples by equal labels and length: their slices are counted once.
    by_labels: HashMap<(Labels, &'static str), usize>,
    groups: HashSet<ShortDigest>,
    inputs: HashMap<ShortDigest, u32>,
    equal: Vec<(u32, u32)>,
    offsets: Vec<u64>,
    places: Vec<(u32, Places)>,
}

impl Sums {
    fn add(&mut self, facts: Facts) {
        let example = self.offsets.len() as u32;
        self.offsets.push(facts.offset);
        let profile = &mut self.profile;
        profile.with_expected += usize::from(facts.expected);
        self.groups.extend(facts.group);
        add(&mut profile.provenance, &facts.provenance, 1);
        match facts.annotated {
            When::NotSaid => profile.annotated.without += 1,
            When::Unreadable => profile.annotated.unreadable += 1,
            When::On(day) => *profile.annotated.days.entry(day).or_default() += 1,
        }
        for (quota, met) in profile.quotas.iter_mut().zip(facts.met) {
            quota.found += usize::from(met);
        }
        let labels = self.sharing.share(facts.labels);
        if self.by_labels.len() >= MOST_VALUES && !self.by_labels.contains_key(&(labels.clone(), facts.length)) {
            self.flush();
        }
        *self.by_labels.entry((labels, facts.length)).or_default() += 1;
        match self.inputs.entry(facts.input) {
            Entry::Occupied(first) => {
                self.profile.duplicates.pairs += 1;
                if self.equal.len() < NAMED {
                    self.equal.push((*first.get(), example));
                }
            }
            Entry::Vacant(place) => {
                place.insert(example);
                self.places.extend(facts.places.map(|places| (example, places)));
            }
        }
    }

    /// Counts the slices of what was gathered by labels.
    fn flush(&mut self) {
        let profile = &mut self.profile;
        for ((labels, length), examples) in self.by_labels.drain() {
            profile.unlabelled += if labels.is_empty() { examples } else { 0 };
            let automatic = LabelValue::One(length.to_owned());
            let automatic = (!labels.contains_key(LENGTH)).then_some((LENGTH, &automatic));
            for (key, value) in labels.iter().map(|(key, value)| (key.as_str(), value)).chain(automatic) {
                add(&mut profile.with_key, key, examples);
                if let Some(counts) = entry(&mut profile.labels, key) {
                    value.iter().for_each(|value| add(counts, value, examples));
                }
            }
            for Crossing { keys, counts } in &mut profile.crossings {
                for cell in cells(keys, &labels, length) {
                    let known = counts.len() < MOST_VALUES || counts.contains_key(&cell);
                    let cell = if known { cell } else { vec![OTHER.to_owned(); keys.len()] };
                    *counts.entry(cell).or_default() += examples;
                }
            }
        }
    }
}

fn add(counts: &mut Counts, value: &str, examples: usize) {
    let value = if counts.len() < MOST_VALUES || counts.contains_key(value) { value } else { OTHER };
    *counts.entry(value.to_owned()).or_default() += examples;
}

fn entry<'c>(labels: &'c mut BTreeMap<String, Counts>, key: &str) -> Option<&'c mut Counts> {
    if labels.len() >= MOST_VALUES && !labels.contains_key(key) {
        return None;
    }
    Some(labels.entry(key.to_owned()).or_default())
}

/// The combinations of values that an example has of some keys; none where it lacks one.
fn cells(keys: &[String], labels: &Labels, length: &'static str) -> Vec<Vec<String>> {
    let mut cells = vec![Vec::new()];
    for key in keys {
        let values: Vec<&str> = match labels.get(key) {
            Some(value) => value.iter().collect(),
            None if key == LENGTH => vec![length],
            None => Vec::new(),
        };
        let longer = |cell: Vec<String>| {
            values
                .iter()
                .map(move |value| cell.iter().cloned().chain([(*value).to_owned()]).collect())
                .collect::<Vec<_>>()
        };
        cells = cells.into_iter().flat_map(longer).take(MOST_VALUES).collect();
    }
    cells
}

impl Profile {
    /// Goes through a version once, and checks that its bytes are what was pinned.
    ///
    /// # Errors
    /// What [`Folder::scan`] says.
    pub fn of(folder: &Folder, version: &Version, wanted: &Wanted<'_>) -> Result<Self, EvalsetError> {
        let description = folder.description();
        let quotas: Vec<_> = description
            .quotas
            .iter()
            .filter_map(|(slice, quota)| Some((SliceName::parse(slice).ok()?, slice, *quota)))
            .collect();
        let mut sums = Sums::default();
        // What the description says is somebody's word; an example takes more than a few bytes.
        let bytes = std::fs::metadata(folder.file(version)).map_or(0, |file| file.len());
        let room = version.examples.min(bytes as usize / 16);
        sums.offsets.reserve_exact(room);
        sums.places.reserve_exact(room);
        sums.profile.crossings =
            wanted.crossings.iter().map(|keys| Crossing { keys: keys.clone(), counts: BTreeMap::new() }).collect();
        let state = |(_, slice, quota): &(SliceName, &String, Quota)| QuotaState {
            slice: (*slice).clone(),
            quota: *quota,
            wanted: 0,
            found: 0,
        };
        sums.profile.quotas = quotas.iter().map(state).collect();
        let facts = |line: Line<'_>, example: Example| Facts::of(line, example, &quotas);
        let Scanned { examples, .. } = folder.scan(version, facts, |facts| {
            sums.add(facts);
            Ok(())
        })?;
        sums.flush();
        let Sums { mut profile, groups, inputs, equal, offsets, places, .. } = sums;
        drop(inputs);
        profile.examples = examples;
        profile.groups = groups.len();
        drop(groups);
        for quota in &mut profile.quotas {
            quota.wanted = quota.quota.of(examples);
        }
        let again = Again { path: &folder.file(version), fields: &description.fields, offsets: &offsets };
        profile.duplicates.named = again.named(equal.iter().map(|(first, second)| (*first, *second, 1.0)))?;
        profile.near = near(&again, &places, wanted.near)?;
        Ok(profile)
    }
}

/// A set whose lines are read again by their number.
struct Again<'a> {
    path: &'a Path,
    fields: &'a Fields,
    offsets: &'a [u64],
}

impl Again<'_> {
    /// Makes something of some examples, ascending and each once.
    fn read<T: Send>(
        &self,
        which: &[u32],
        make: impl Fn(Example) -> T + Sync,
    ) -> Result<HashMap<u32, T>, EvalsetError> {
        let mut found = HashMap::new();
        for some in which.chunks(1_000) {
            let offsets: Vec<u64> = some.iter().map(|example| self.offsets[*example as usize]).collect();
            let mut lines = Vec::new();
            lines_at(self.path, &offsets, |text| lines.push(text.to_owned()))?;
            let made: Result<Vec<T>, String> =
                lines.par_iter().map(|text| Ok(make(parse_line(text, self.fields)?))).collect();
            let made = made.map_err(|_| EvalsetError::Changed { path: self.path.to_owned() })?;
            found.extend(some.iter().copied().zip(made));
        }
        Ok(found)
    }

    /// Pairs with the ids of their examples.
    fn named(&self, pairs: impl Iterator<Item = (u32, u32, f64)>) -> Result<Vec<Pair>, EvalsetError> {
        let pairs: Vec<_> = pairs.collect();
        let mut which: Vec<u32> = pairs.iter().flat_map(|(first, second, _)| [*first, *second]).collect();
        which.sort_unstable();
        which.dedup();
        let ids = self.read(&which, |example| example.id)?;
        let id = |example: &u32| ids.get(example).cloned().unwrap_or_default();
        Ok(pairs.iter().map(|(a, b, share)| Pair { first: id(a), second: id(b), share: *share }).collect())
    }
}

/// The pairs that share this much of their shingles.
fn near(again: &Again<'_>, places: &[(u32, Places)], least: f64) -> Result<Twice, EvalsetError> {
    let (mut pairs, mut cut) = candidates(places);
    let mut which: Vec<u32> = pairs.iter().flat_map(|(first, second)| [*first, *second]).collect();
    which.sort_unstable();
    which.dedup();
    let length = |example: u32| {
        let next = again.offsets.get(example as usize + 1).copied();
        next.map_or(1 << 20, |next| next - again.offsets[example as usize])
    };
    let mut bytes = 0;
    let some = which.iter().take_while(|example| {
        bytes += length(**example);
        bytes <= READ_AGAIN
    });
    let some = some.count();
    if some < which.len() {
        cut = true;
        which.truncate(some);
        pairs.retain(|(_, second)| which.last().is_some_and(|last| second <= last));
    }
    let shingles = again.read(&which, |example| shingles(&example.input_text()))?;
    let share = |(first, second): &(u32, u32)| {
        let share = jaccard(shingles.get(first)?, shingles.get(second)?);
        (share >= least).then_some((*first, *second, share))
    };
    let mut found: Vec<(u32, u32, f64)> = pairs.par_iter().filter_map(share).collect();
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1)));
    Ok(Twice { pairs: found.len(), named: again.named(found.iter().take(NAMED).copied())?, cut })
}
