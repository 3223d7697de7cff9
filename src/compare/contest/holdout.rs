//! Examples that take no part in picking a candidate, so that what was picked can be checked on them.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use super::super::error::CompareError;
use super::super::measure::Measured;
use super::super::side::Side;
use super::entrants::labels_of_rows;
use crate::table::sha256_hex;

/// Which examples are held out.
#[derive(Debug, Clone, PartialEq)]
pub enum Holdout {
    /// A share of the independent blocks (groups, or examples), drawn by the seed.
    Share(f64),
    /// The examples with a label.
    Label {
        /// The label's key.
        key: String,
        /// Its value.
        value: String,
    },
}

impl FromStr for Holdout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((key, value)) = text.split_once('=') {
            return Ok(Self::Label { key: key.trim().to_owned(), value: value.trim().to_owned() });
        }
        let share = text.trim().parse::<f64>().ok().filter(|share| *share > 0.0 && *share < 1.0);
        share
            .map(Self::Share)
            .ok_or_else(|| "expected a share between 0 and 1, like 0.3, or a label, like split=test".into())
    }
}

impl Holdout {
    /// What is held out, in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Share(share) => format!("{:.0} % of the examples, drawn by the seed", 100.0 * share),
            Self::Label { key, value } => format!("the examples with {key}={value}"),
        }
    }
}

/// The candidates on either part of the examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// For picking.
    pub picking: Vec<Side>,
    /// For checking what was picked.
    pub checking: Vec<Side>,
}

/// Splits every side; groups stay whole, and labels and groups are the first side's.
///
/// Whether a block is held out hangs on the seed and on its own name, and on how many blocks there are; not on the order of
/// anything.
///
/// # Errors
/// [`CompareError::Input`] for a label that is not there or that tears a group apart, or a part without examples.
pub fn parts(sides: &[Side], holdout: &Holdout, seed: u64) -> Result<Parts, CompareError> {
    let Some(first) = sides.first() else {
        return Err(CompareError::Input("there is no candidate to split".to_owned()));
    };
    let held: HashSet<&str> = match holdout {
        Holdout::Share(share) => by_share(first, *share, seed),
        Holdout::Label { key, value } => by_label(first, key, value)?,
    };
    if held.is_empty() || held.len() == first.ids.len() {
        let part = if held.is_empty() { "for checking" } else { "for picking" };
        return Err(CompareError::Input(format!("--holdout {}: no example is left {part}", holdout.text())));
    }
    let part = |wanted: bool| -> Vec<Side> {
        let rows = |side: &Side| -> Vec<u32> {
            (0..side.ids.len() as u32).filter(|&row| held.contains(side.ids.get(row as usize)) == wanted).collect()
        };
        sides.iter().map(|side| of_rows(side, &rows(side))).collect()
    };
    Ok(Parts { picking: part(false), checking: part(true) })
}

fn by_share(side: &Side, share: f64, seed: u64) -> HashSet<&str> {
    let mut blocks: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for (row, id) in side.ids.iter().enumerate() {
        let group = side.groups.as_ref().and_then(|groups| groups[row].as_deref());
        // A group may have the name of another example.
        blocks.entry((group.is_some(), group.unwrap_or(id))).or_default().push(id);
    }
    let count = (share * blocks.len() as f64).ceil() as usize;
    let mut drawn: Vec<(String, Vec<&str>)> = blocks
        .into_iter()
        .map(|((grouped, name), ids)| (sha256_hex(format!("{seed} {grouped} {name}")), ids))
        .collect();
    drawn.sort();
    drawn.into_iter().take(count).flat_map(|(_, ids)| ids).collect()
}

fn by_label<'s>(side: &'s Side, key: &str, value: &str) -> Result<HashSet<&'s str>, CompareError> {
    let labels = side.labels.iter().find(|labels| labels.key == key).ok_or_else(|| {
        let has: Vec<_> = side.labels.iter().map(|labels| format!("`{}`", labels.key)).collect();
        let has = if has.is_empty() { "no labels at all".to_owned() } else { has.join(", ") };
        CompareError::Input(format!("--holdout: {} has no label `{key}`; it has {has}", side.identity.source))
    })?;
    let code = labels.names.iter().position(|name| name == value).ok_or_else(|| {
        let has: Vec<_> = labels.names.iter().map(|name| format!("`{name}`")).collect();
        CompareError::Input(format!("--holdout: label `{key}` has no value `{value}`; it has {}", has.join(", ")))
    })?;
    let has = |row: &usize| labels.of(*row).contains(&(code as u32));
    let mut sides_of: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
    for (row, group) in side.groups.iter().flatten().enumerate() {
        if let Some(group) = group {
            sides_of.entry(group).or_default()[usize::from(has(&row))] = true;
        }
    }
    // Examples of one group share their luck: what was picked on some of them is not checked by the others.
    if let Some((group, _)) = sides_of.iter().find(|(_, parts)| parts[0] && parts[1]) {
        return Err(CompareError::Input(format!("--holdout: group `{group}` is on both sides of {key}={value}")));
    }
    Ok((0..side.ids.len()).filter(has).map(|row| side.ids.get(row)).collect())
}

fn of_rows(side: &Side, rows: &[u32]) -> Side {
    fn some<T: Clone>(all: &[T], rows: &[u32]) -> Vec<T> {
        rows.iter().map(|&row| all[row as usize].clone()).collect()
    }
    Side {
        identity: side.identity.clone(),
        ids: rows.iter().map(|&row| side.ids.get(row as usize)).collect(),
        groups: side.groups.as_ref().map(|groups| some(groups, rows)),
        labels: side.labels.iter().map(|labels| labels_of_rows(labels, rows)).collect(),
        metrics: side.metrics.iter().map(|metric| metric.of_rows(rows)).collect(),
        answers: side.answers.as_ref().map(|answers| some(answers, rows)),
        inputs: None,
        judges: side.judges.clone(),
        judged_scores: Vec::new(),
        measured: side
            .measured
            .iter()
            .map(|measured| Measured { measure: measured.measure, values: some(&measured.values, rows) })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Identity, Labels, MetricValues, Scored};
    use crate::score::Scale;

    fn side(examples: usize, group: Option<usize>) -> Side {
        let ids: Vec<String> = (0..examples).map(|i| format!("e{i:03}")).collect();
        let mut metric = MetricValues::new("score", Scale::UNIT, true);
        let mut labels = Labels::new("split");
        labels.names = vec!["dev".to_owned(), "test".to_owned()];
        for i in 0..examples {
            metric.push([Some(Scored { value: (i % 2) as f64, passed: i % 2 == 1 })]);
            labels.push([u32::from(i % 4 == 0)]);
        }
        Side {
            identity: Identity {
                name: "t".to_owned(),
                source: "t.csv".to_owned(),
                sha256: String::new(),
                candidate: None,
                git_revision: None,
                pins: None,
                complete: true,
            },
            ids: ids.iter().map(String::as_str).collect(),
            groups: group.map(|size| (0..examples).map(|i| Some(format!("g{}", i / size))).collect()),
            labels: vec![labels],
            metrics: vec![metric],
            answers: None,
            inputs: None,
            judges: Vec::new(),
            judged_scores: Vec::new(),
            measured: Vec::new(),
        }
    }

    fn ids(side: &Side) -> Vec<String> {
        side.ids.iter().map(str::to_owned).collect()
    }

    #[test]
    fn parts_share_nothing_and_groups_stay_whole() {
        let sides = [side(120, Some(5)), side(100, None)];
        let split = parts(&sides, &Holdout::Share(0.25), 7).unwrap();
        let (picking, checking) = (ids(&split.picking[0]), ids(&split.checking[0]));
        assert_eq!((picking.len(), checking.len()), (90, 30));
        assert!(picking.iter().all(|id| !checking.contains(id)));
        let groups = |side: &Side| side.groups.clone().unwrap();
        assert!(groups(&split.picking[0]).iter().all(|group| !groups(&split.checking[0]).contains(group)));
        // The other side is split at the same ids, with its scores.
        assert_eq!(split.checking[1].ids.len(), checking.iter().filter(|id| id.as_str() < "e100").count());
        let metric = &split.checking[0].metrics[0];
        let odd = |id: &String| id.trim_start_matches('e').parse::<usize>().unwrap() % 2;
        assert!(checking.iter().enumerate().all(|(row, id)| metric.of(row)[0].unwrap().value == odd(id) as f64));
        let other = parts(&sides, &Holdout::Share(0.25), 8).unwrap();
        assert_ne!(ids(&other.checking[0]), checking);
    }

    #[test]
    fn a_label_may_not_tear_groups_apart() {
        // Every fourth example is `test`; groups of five cross that, groups of four do too, single examples do not.
        let by_label =
            |group: Option<usize>| parts(&[side(40, group), side(40, None)], &"split=test".parse().unwrap(), 7);
        let Err(CompareError::Input(why)) = by_label(Some(5)) else { panic!("a group was torn apart") };
        assert_eq!(why, "--holdout: group `g0` is on both sides of split=test");
        assert!(by_label(Some(1)).is_ok());
        // What has no group is a block of its own.
        let mut some = side(40, Some(4));
        for (row, group) in some.groups.iter_mut().flatten().enumerate() {
            *group = group.take().filter(|_| row % 4 != 0);
        }
        assert_eq!(parts(&[some], &"split=test".parse().unwrap(), 7).unwrap().checking[0].ids.len(), 10);
    }

    #[test]
    fn a_label_may_say_which() {
        let sides = [side(40, None), side(40, None)];
        let split = parts(&sides, &"split=test".parse().unwrap(), 7).unwrap();
        assert_eq!((split.picking[1].ids.len(), split.checking[1].ids.len()), (30, 10));
        for wrong in ["split=none", "other=test"] {
            assert!(parts(&sides, &wrong.parse().unwrap(), 7).is_err(), "{wrong}");
        }
        for wrong in ["1", "0", "x", "-0.2"] {
            assert!(wrong.parse::<Holdout>().is_err(), "{wrong}");
        }
    }
}
