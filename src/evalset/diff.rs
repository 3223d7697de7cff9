//! What changed from one file of examples to another.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::error::EvalsetError;
use super::example::Example;
use super::parse::{Fields, parse_line};
use super::scan::{Scanned, lines_at, scan};
use crate::table::{ShortDigest, Text, short_digest};

/// Examples that are named, of each kind.
const NAMED: usize = 1_000;

/// An example that both files have, with what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedExample {
    /// Its id.
    pub id: String,
    /// The fields that differ; of labels by key, like `labels.tier`.
    pub fields: Vec<String>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetDiff {
    /// How many examples only the new file has, and the first of their ids.
    pub added: (usize, Vec<String>),
    /// How many only the old one has.
    pub removed: (usize, Vec<String>),
    /// How many both have, with something that differs.
    pub changed: (usize, Vec<ChangedExample>),
    /// How many both have, and nothing differs.
    pub same: usize,
    /// Changed examples by field.
    pub by_field: BTreeMap<String, usize>,
    /// What the old file is as a whole.
    pub old: Option<Scanned>,
    /// What the new file is as a whole.
    pub new: Option<Scanned>,
}

/// What is kept of the old file.
#[derive(Default)]
struct Old {
    ids: Text,
    places: HashMap<ShortDigest, u32>,
    lines: Vec<(u64, ShortDigest)>,
    seen: Vec<bool>,
}

impl SetDiff {
    /// Goes through both files, one after the other. Of the old one some bytes an example are kept; the order of examples and of
    /// fields does not count.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is not an example.
    pub fn of(old: &Path, new: &Path, fields: &Fields) -> Result<Self, EvalsetError> {
        let mut diff = Self::default();
        let mut before = Old::default();
        diff.old = Some(scan(
            old,
            fields,
            |line, example| (short_digest(&example.id), example.id, line.offset, short_digest(line.bytes)),
            |(digest, id, offset, bytes)| {
                before.places.insert(digest, before.lines.len() as u32);
                before.ids.push(&id);
                before.lines.push((offset, bytes));
                Ok(())
            },
        )?);
        before.seen = vec![false; before.lines.len()];
        diff.new = Some(scan(
            new,
            fields,
            |line, example| (short_digest(line.bytes), example),
            |(bytes, example)| diff.compare(&mut before, old, fields, bytes, example),
        )?);
        for (place, _) in before.seen.iter().enumerate().filter(|(_, seen)| !**seen) {
            named(&mut diff.removed, || before.ids.get(place).to_owned());
        }
        Ok(diff)
    }

    fn compare(
        &mut self,
        before: &mut Old,
        path: &Path,
        fields: &Fields,
        bytes: ShortDigest,
        example: Example,
    ) -> Result<(), EvalsetError> {
        let Some(place) = before.places.get(&short_digest(&example.id)).map(|place| *place as usize) else {
            named(&mut self.added, || example.id);
            return Ok(());
        };
        before.seen[place] = true;
        let (offset, old_bytes) = before.lines[place];
        if old_bytes == bytes {
            self.same += 1;
            return Ok(());
        }
        let mut old = None;
        lines_at(path, &[offset], |text| old = parse_line(text, fields).ok())?;
        let old = old.ok_or_else(|| EvalsetError::Changed { path: path.to_owned() })?;
        let differ = differences(&old, &example);
        if differ.is_empty() {
            self.same += 1;
            return Ok(());
        }
        for field in &differ {
            *self.by_field.entry(field.clone()).or_default() += 1;
        }
        named(&mut self.changed, || ChangedExample { id: example.id, fields: differ });
        Ok(())
    }

    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added.0 == 0 && self.removed.0 == 0 && self.changed.0 == 0
    }
}

fn named<T>((count, named): &mut (usize, Vec<T>), name: impl FnOnce() -> T) {
    *count += 1;
    if named.len() < NAMED {
        named.push(name());
    }
}

/// The fields in which two examples differ.
fn differences(old: &Example, new: &Example) -> Vec<String> {
    let mut fields = Vec::new();
    let mut check = |same: bool, name: &str| {
        if !same {
            fields.push(name.to_owned());
        }
    };
    // Values are equal whatever the order of an object's fields.
    check(old.input == new.input, "input");
    check(old.expected == new.expected, "expected");
    check(old.group == new.group, "group");
    let keys: BTreeSet<&String> = old.labels.keys().chain(new.labels.keys()).collect();
    for key in keys {
        check(old.labels.get(key) == new.labels.get(key), &format!("labels.{key}"));
    }
    let names: BTreeSet<&String> = old.other.keys().chain(new.other.keys()).collect();
    for name in names {
        check(old.other.get(name) == new.other.get(name), name);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_field_and_order_is_no_difference() {
        let parse = |text: &str| parse_line(text, &Fields::default()).unwrap();
        let old = parse(r#"{"id": "a", "input": {"x": 1, "y": 2}, "labels": {"t": 1, "l": "de"}, "note": "n"}"#);
        let same = parse(r#"{"note": "n", "labels": {"l": "de", "t": "1"}, "input": {"y": 2, "x": 1}, "id": "a"}"#);
        assert_eq!(differences(&old, &same), [""; 0]);
        let new = parse(r#"{"id": "a", "input": {"x": 1}, "expected": 3, "group": "g", "labels": {"t": 2, "s": "x"}}"#);
        let found = differences(&old, &new);
        assert_eq!(found, ["input", "expected", "group", "labels.l", "labels.s", "labels.t", "note"]);
    }
}
