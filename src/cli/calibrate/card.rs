//! What labels and calibration need to know of a judge: its scale, its dimensions, its identity, its items.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::calibrate::{Digests, ScaleWish};
use crate::call::Pointer;
use crate::candidate::Answer;
use crate::cli::failure::Failure;
use crate::config::Project;
use crate::judge::{Accepted, Grade, Item, JudgeId, read_items};
use crate::run::{LoadedJudge, judges_folder, load_judge};
use crate::score::ScorerSpec;

/// A judge with its items.
pub(in crate::cli) struct Card {
    pub(in crate::cli) name: String,
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) loaded: LoadedJudge,
    pub(in crate::cli) values: Vec<Grade>,
    pub(in crate::cli) pass_at: Option<Grade>,
    /// What it grades, `overall` last.
    pub(in crate::cli) dimensions: Vec<String>,
    pub(in crate::cli) digests: Digests,
    pub(in crate::cli) items: Vec<Item>,
}

/// What a licence is bound to, of a judge's identity.
pub(in crate::cli) fn digests(id: &JudgeId) -> Digests {
    Digests {
        judge: id.sha256.clone(),
        model: id.model.clone(),
        model_sha256: id.model_sha256.clone(),
        prompt_sha256: id.prompt_sha256.clone(),
        engine: id.engine.clone(),
    }
}

/// The texts of an item, for people.
pub(in crate::cli) fn texts(item: &Item) -> Vec<(String, String)> {
    let parts = [
        ("input", Some(&item.input)),
        ("answer", Some(&item.answer)),
        ("other", item.other.as_ref()),
        ("reference", item.reference.as_ref()),
    ];
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?)?))).collect()
}

/// The items of a judge; nothing where it has no list of them.
pub(in crate::cli) fn items_of(path: &std::path::Path) -> Result<Vec<Item>, Failure> {
    Ok(if path.is_file() { read_items(path)? } else { Vec::new() })
}

/// The places in answer and `expected` that the project's scorers show a judge; of several scorers those of the first by
/// name. Nothing where no scorer asks it.
pub(in crate::cli) fn places(project: &Project, judge: &str) -> Option<(Pointer, Pointer)> {
    let asked = project.config.scorers.values().filter_map(ScorerSpec::judge).find(|spec| spec.judge == judge)?;
    Some((asked.answer.clone(), asked.reference.clone()))
}

/// What a scorer sees of an answer that a record keeps as a text.
pub(in crate::cli) fn seen(answer: &str, place: &Pointer) -> Option<Value> {
    place.find(&Answer::from_text(answer.to_owned()).value).cloned()
}

/// Whether two values are one answer, once as a text and once as the JSON in it.
pub(in crate::cli) fn is_same(one: &Value, other: &Value) -> bool {
    let read =
        |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| Answer::from_text(text.to_owned()).value);
    one == other || read(one) == read(other)
}

impl Card {
    /// Reads a judge's folder.
    pub(in crate::cli) fn read(project: &Project, name: &str) -> Result<Self, Failure> {
        let folder = judges_folder(&project.root).join(name);
        let loaded = load_judge(&project.root, name)?;
        let judge = &loaded.judge;
        Ok(Self {
            name: name.to_owned(),
            values: judge.scale.grades().collect(),
            pass_at: judge.pass_at(),
            dimensions: judge.graded(),
            digests: digests(&loaded.id("*")),
            items: items_of(&folder.join("items.jsonl"))?,
            folder,
            loaded,
        })
    }

    /// The items' ids; none where there is no list of items.
    pub(in crate::cli) fn ids(&self) -> Option<HashSet<String>> {
        (!self.items.is_empty()).then(|| self.items.iter().map(|item| item.id.clone()).collect())
    }

    /// The labels that are right in a dimension.
    pub(in crate::cli) fn accepted(&self, dimension: &str) -> Accepted {
        self.wish(dimension).accepted()
    }

    /// The labels that are right where they lie between steps.
    pub(in crate::cli) fn measured(&self) -> Vec<(String, Accepted)> {
        let is_mean = |name: &&String| self.range_of(name).is_some();
        self.dimensions.iter().filter(is_mean).map(|name| (name.clone(), self.accepted(name))).collect()
    }

    /// The grade of a scorer that says yes or no.
    pub(in crate::cli) fn truth(&self, truth: bool) -> Grade {
        match &self.values[..] {
            [Grade::Number(_), ..] => Grade::Number(f64::from(u8::from(truth))),
            // As a scorer makes right and wrong of two labels.
            [worse, better] => if truth { better } else { worse }.clone(),
            _ => Grade::Label(truth.to_string()),
        }
    }

    /// What is known about the scale of a dimension.
    pub(in crate::cli) fn wish(&self, dimension: &str) -> ScaleWish {
        let pass_at = self.pass_at.clone();
        match self.range_of(dimension) {
            // A mean of steps is no step: a measurement.
            Some(range) => ScaleWish { range: Some(range), pass_at, ..ScaleWish::default() },
            None => ScaleWish { values: self.values.clone(), pass_at, ..ScaleWish::default() },
        }
    }

    fn range_of(&self, dimension: &str) -> Option<(f64, f64)> {
        let (low, high) = (self.values.first()?.number()?, self.values.last()?.number()?);
        self.loaded.judge.is_mean(dimension).then_some((low, high))
    }
}
