//! Whether a judge prefers answers of its own family.

use std::collections::HashMap;
use std::path::PathBuf;

use super::super::failure::Failure;
use super::audit::{Audited, amount, graded};
use crate::calibrate::{AuditLine, Experiment, not_measured};
use crate::config::Project;
use crate::judge::{Columns, Entries, Item, Layout, RaterKind, Wanted, family};
use crate::run::{LoadedJudge, judges_folder};

/// Mean label of people, by item and dimension.
type Labels = HashMap<(String, String), f64>;

pub(super) fn authors(
    audited: &Audited<'_>,
    project: &Project,
    loaded: &LoadedJudge,
    stated: Option<&str>,
) -> Result<Vec<AuditLine>, Failure> {
    let judge = audited.judge;
    let missing = |why: String| Ok(vec![not_measured(Experiment::SelfPreference, "overall", (0, 0), why)]);
    let own: Vec<String> = match stated {
        Some(stated) => vec![folded(stated)],
        None => loaded.models().into_iter().filter_map(family).map(str::to_owned).collect(),
    };
    if own.is_empty() {
        let model = loaded.id("*").model;
        return missing(format!("the family of the judge's model `{model}` is not known; name it with --family"));
    }
    let sides: Vec<Option<(bool, Option<bool>)>> = audited
        .items
        .iter()
        .map(|item| {
            let is_own = |family: String| own.contains(&family);
            let other = author(item, "other_family", "other_model").map(is_own);
            Some((author(item, "family", "model").map(is_own)?, other))
        })
        .collect();
    if sides.iter().all(Option::is_none) {
        return missing(
            "no item says who wrote its answer; give items a label `model` or `family` (of the other answer of a pair \
             `other_model` or `other_family`)"
                .to_owned(),
        );
    }
    let (labels, has_stand_ins) = labels(audited, project, &loaded.judge.name)?;
    if labels.is_empty() {
        return missing(format!(
            "there are no human labels of these items{}; without them a better answer cannot be told from a preferred one",
            if has_stand_ins { ", only labels of stand-ins, who may have a family of their own" } else { "" }
        ));
    }
    let lines = judge.graded().into_iter().rev().map(|dimension| {
        let excess = |at: usize| {
            let human = labels.get(&(audited.items[at].id.clone(), dimension.clone()))?;
            Some(graded(judge, &audited.plain[at], &dimension)? - human)
        };
        let known: Vec<((bool, Option<bool>), f64)> =
            sides.iter().enumerate().filter_map(|(at, sides)| Some(((*sides)?, excess(at)?))).collect();
        if judge.is_pairwise() {
            // Only a pair of which one is the judge's own says something.
            let of_own: Vec<f64> = known
                .iter()
                .filter_map(|((answer, other), excess)| match (answer, (*other)?) {
                    (true, false) => Some(*excess),
                    (false, true) => Some(-excess),
                    _ => None,
                })
                .collect();
            let left_out = audited.items.len() - of_own.len();
            return audited.auditor.own_side(&dimension, &of_own, left_out);
        }
        let of = |own: bool| known.iter().filter(|((is, _), _)| *is == own).map(|(_, excess)| *excess).collect();
        let (own, others): (Vec<f64>, Vec<f64>) = (of(true), of(false));
        audited.auditor.self_preference(&dimension, &own, &others, audited.items.len() - known.len())
    });
    Ok(lines.collect())
}

/// Who wrote an answer: the family that an item states, else that of the model.
fn author(item: &Item, family_key: &str, model_key: &str) -> Option<String> {
    let label = |key: &str| item.labels.get(key).and_then(|value| value.iter().next().map(str::to_owned));
    if let Some(stated) = label(family_key) {
        return Some(folded(&stated));
    }
    label(model_key).map(|model| family(&model).map_or_else(|| folded(&model), str::to_owned))
}

/// A family by its name, in any spelling that [`family`] knows.
fn folded(stated: &str) -> String {
    family(stated).map_or_else(|| stated.trim().to_lowercase(), str::to_owned)
}

/// What people said, from `labels/` of the judge: the mean of those raters who are people; and whether others are there.
fn labels(audited: &Audited<'_>, project: &Project, name: &str) -> Result<(Labels, bool), Failure> {
    let folder = judges_folder(&project.root).join(name).join("labels");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["jsonl", "ndjson", "csv", "tsv", "parquet"].contains(&ending)
    });
    files.sort();
    if files.is_empty() {
        return Ok((Labels::new(), false));
    }
    let mut entries = Entries::default();
    for file in &files {
        let columns = Columns {
            layout: Layout::Long { rater: "rater".to_owned(), label: "label".to_owned() },
            id: None,
            judges: Vec::new(),
            dimension: None,
            dimensions: Vec::new(),
            slices: Vec::new(),
            shown: Vec::new(),
            stand_ins: Vec::new(),
        };
        entries.add_table(file, &columns)?;
    }
    let (mut labels, mut has_stand_ins) = (Labels::new(), false);
    for sheet in entries.sheets(&Wanted::default())? {
        has_stand_ins |= sheet.raters.iter().any(|rater| rater.kind == RaterKind::StandIn);
        let amounts: Vec<Option<f64>> = sheet.values.iter().map(|grade| amount(audited.judge, grade)).collect();
        for (at, id) in sheet.ids.iter().enumerate() {
            let people = sheet.raters.iter().filter(|rater| rater.kind == RaterKind::Human);
            let given: Vec<f64> =
                people.filter_map(|rater| amounts[*rater.labels.get(at)?.as_ref()? as usize]).collect();
            if !given.is_empty() {
                let mean = given.iter().sum::<f64>() / given.len() as f64;
                labels.insert((id.clone(), sheet.dimension.clone()), mean);
            }
        }
    }
    Ok((labels, has_stand_ins))
}
