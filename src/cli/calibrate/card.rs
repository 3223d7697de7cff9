//! What calibration needs to know of a judge: its scale, its dimensions, its identity, its items.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calibrate::{Digests, ScaleWish};
use crate::cli::failure::Failure;
use crate::evalset::LabelValue;
use crate::judge::{Accepted, Grade, ONLY_DIMENSION};
use crate::table::{TableError, for_each_line, json_reason, sha256_hex};

/// A judge, as far as labels and calibration are concerned.
pub(in crate::cli) struct Card {
    pub(in crate::cli) name: String,
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) values: Vec<Grade>,
    pub(in crate::cli) pass_at: Option<Grade>,
    pub(in crate::cli) dimensions: Vec<String>,
    /// The overall grade is a mean, which lies between the steps of the scale.
    pub(in crate::cli) overall_is_mean: bool,
    pub(in crate::cli) digests: Digests,
    pub(in crate::cli) items: Vec<Item>,
}

/// A line of `items.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Item {
    pub(in crate::cli) id: String,
    #[serde(default)]
    pub(in crate::cli) input: Value,
    #[serde(default)]
    pub(in crate::cli) answer: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) reference: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) other: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli) labels: BTreeMap<String, LabelValue>,
}

impl Item {
    /// Texts to show beside it.
    pub(in crate::cli) fn texts(&self) -> Vec<(String, String)> {
        let parts = [
            ("input", Some(&self.input)),
            ("answer", Some(&self.answer)),
            ("other", self.other.as_ref()),
            ("reference", self.reference.as_ref()),
        ];
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?)?))).collect()
    }
}

/// The settings that matter here; what else `judge.toml` may hold is none of calibration's.
#[derive(Deserialize)]
struct Settings {
    kind: String,
    #[serde(default)]
    overall: Option<String>,
    #[serde(default)]
    scale: Option<ScaleSettings>,
    #[serde(default)]
    dimension: Vec<DimensionSettings>,
    #[serde(default)]
    model: toml::Table,
}

#[derive(Deserialize)]
struct ScaleSettings {
    values: Vec<Grade>,
    pass_at: Option<Grade>,
}

#[derive(Deserialize)]
struct DimensionSettings {
    name: String,
}

impl Card {
    /// Reads a judge's folder.
    pub(in crate::cli) fn read(judges: &Path, name: &str) -> Result<Self, Failure> {
        let folder = judges.join(name);
        let path = folder.join("judge.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let has = known(judges);
            let has =
                if has.is_empty() { "there is none yet".to_owned() } else { format!("there are: {}", has.join(", ")) };
            Failure::input(format!("no judge `{name}`: {}: {error}", path.display())).hint(has)
        })?;
        let settings: Settings = toml::from_str(&text)
            .map_err(|error| Failure::input(format!("{}: {}", path.display(), error.message())))?;
        let values = match (settings.scale.as_ref(), settings.kind.as_str()) {
            (_, "pairwise") => ["B", "tie", "A"].map(|label| Grade::Label(label.to_owned())).to_vec(),
            (Some(scale), _) => scale.values.clone(),
            (None, _) => {
                return Err(Failure::input(format!("{}: there is no [scale]", path.display()))
                    .hint("`values` lists the grades: numbers ascending, or labels worst first"));
            }
        };
        let mut dimensions: Vec<String> = settings.dimension.iter().map(|one| one.name.clone()).collect();
        dimensions.push(ONLY_DIMENSION.to_owned());
        let prompt = std::fs::read_to_string(folder.join("prompt.md.j2")).unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            pass_at: settings.scale.as_ref().and_then(|scale| scale.pass_at.clone()).or_else(|| upper_half(&values)),
            values,
            overall_is_mean: settings.kind == "rubric"
                && settings.overall.as_deref().is_none_or(|overall| overall == "mean"),
            dimensions,
            digests: digests(&settings, &text, &prompt),
            items: read_items(&folder.join("items.jsonl"))?,
            folder,
        })
    }

    /// The items' ids; none where there is no list of items.
    pub(in crate::cli) fn ids(&self) -> Option<HashSet<String>> {
        (!self.items.is_empty()).then(|| self.items.iter().map(|item| item.id.clone()).collect())
    }

    /// The grade of a scorer that says yes or no.
    pub(in crate::cli) fn truth(&self, truth: bool) -> Grade {
        match self.values.first() {
            Some(Grade::Number(_)) => Grade::Number(f64::from(u8::from(truth))),
            _ => Grade::Label(truth.to_string()),
        }
    }

    /// What is known about the scale of a dimension.
    pub(in crate::cli) fn wish(&self, dimension: &str) -> ScaleWish {
        match self.range_of(dimension) {
            Some(range) => ScaleWish { range: Some(range), pass_at: self.pass_at.clone(), ..ScaleWish::default() },
            None => ScaleWish { values: self.values.clone(), pass_at: self.pass_at.clone(), ..ScaleWish::default() },
        }
    }

    /// The labels that are right in a dimension.
    pub(in crate::cli) fn accepted(&self, dimension: &str) -> Accepted {
        self.wish(dimension).accepted()
    }

    /// The labels that are right where they are no steps.
    pub(in crate::cli) fn measured(&self) -> Vec<(String, Accepted)> {
        let range = self.range_of(ONLY_DIMENSION);
        range.map(|(low, high)| (ONLY_DIMENSION.to_owned(), Accepted::Between(low, high))).into_iter().collect()
    }

    fn range_of(&self, dimension: &str) -> Option<(f64, f64)> {
        match (self.values.first(), self.values.last()) {
            (Some(Grade::Number(low)), Some(Grade::Number(high)))
                if self.overall_is_mean && dimension == ONLY_DIMENSION =>
            {
                Some((*low, *high))
            }
            _ => None,
        }
    }
}

/// The least grade of the upper half; of labels the last.
fn upper_half(values: &[Grade]) -> Option<Grade> {
    match values.last() {
        Some(Grade::Number(_)) => values.get(values.len().div_ceil(2)).cloned(),
        last => last.cloned(),
    }
}

fn known(judges: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(judges).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("judge.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn digests(settings: &Settings, text: &str, prompt: &str) -> Digests {
    let engine = crate::call::engine_version();
    let model = settings.model.values().find_map(|kind| kind.get("model")?.as_str()).map(str::to_owned);
    let kind = settings.model.keys().next().cloned().unwrap_or_else(|| settings.kind.clone());
    let answers = toml::to_string(&settings.model).unwrap_or_default();
    Digests {
        judge: sha256_hex(format!("{text}\0{prompt}\0{engine}")),
        model: model.unwrap_or(kind),
        model_sha256: sha256_hex(answers),
        prompt_sha256: sha256_hex(format!("{engine}\0{prompt}")),
        engine: engine.to_owned(),
    }
}

/// Reads `items.jsonl`; nothing where there is none.
pub(in crate::cli) fn read_items(path: &Path) -> Result<Vec<Item>, Failure> {
    let mut items: Vec<Item> = Vec::new();
    if !path.is_file() {
        return Ok(items);
    }
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for_each_line(path, |line, text| {
        let wrong = |reason: String| TableError::Line { path: path.to_owned(), line, reason };
        let item: Item = serde_json::from_str(text).map_err(|error| wrong(json_reason(&error)))?;
        if let Some(first) = seen.insert(item.id.clone(), line) {
            return Err(wrong(format!("field `id`: `{}` stands on line {first} already", item.id)));
        }
        items.push(item);
        Ok(())
    })?;
    Ok(items)
}
