//! What a reader should know before trusting a judge.

use super::family::is_floating;
use super::judge::Files;
use super::spec::{JudgeKind, LevelSpec};

/// A rubric (its dimensions, levels and examples) with more words than this is more than a model keeps in mind; so is a
/// prompt template of its own.
pub const MOST_WORDS: usize = 900;

/// What is known of the model behind a judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelFacts<'m> {
    /// Its name.
    pub name: &'m str,
    /// Whether it is a vendor's own: a server of one's own is pinned by whoever runs it.
    pub is_hosted: bool,
    /// How random its words are; `None` leaves it to the vendor.
    pub temperature: Option<f64>,
}

/// The warnings about a judge on its own; `model` is `None` of a program and of a panel.
#[must_use]
pub fn warnings(files: &Files, model: Option<ModelFacts<'_>>) -> Vec<String> {
    let spec = &files.spec;
    let name = &files.name;
    let mut found = Vec::new();
    if let Some(model) = model {
        if model.is_hosted && is_floating(model.name) {
            found.push(format!(
                "judge `{name}`: the model `{}` names no snapshot: it may be another one tomorrow, and the same digest \
                 would then stand for two judges",
                model.name
            ));
        }
        if model.temperature.unwrap_or(1.0) > 0.0 && spec.repeats.get() == 1 {
            let what = model.temperature.map_or_else(
                || "leaves the temperature to the vendor".to_owned(),
                |temperature| format!("has temperature {temperature}"),
            );
            found.push(format!("judge `{name}` {what} and no `repeats`: another run may grade otherwise"));
        }
    }
    if spec.repeats.get().is_multiple_of(2) {
        found.push(format!(
            "judge `{name}`: `repeats` is even: of two middle grades the lower one counts; an odd number needs no rule"
        ));
    }
    if spec.kind == JudgeKind::Panel && spec.members.len().is_multiple_of(2) {
        found.push(format!("judge `{name}`: an even number of members; of two middle grades the lower one counts"));
    }
    if model.is_none() {
        // A program reads no rubric; of a panel the members are warned about.
        return found;
    }
    for (what, words) in [("rubric", rubric_words(files)), ("prompt", files.prompt_words)] {
        if words > MOST_WORDS {
            found.push(format!(
                "judge `{name}`: the {what} has {words} words, more than {MOST_WORDS}: a model loses sight of the rest"
            ));
        }
    }
    let mut levels: Vec<(&str, &[LevelSpec])> =
        spec.dimensions.iter().map(|dimension| (dimension.name.as_str(), &dimension.levels[..])).collect();
    if spec.kind == JudgeKind::Grade {
        levels.push(("overall", &spec.levels));
    }
    let grades = spec.scale.as_ref().map_or(0, |scale| scale.values.len());
    for (dimension, levels) in levels {
        if levels.is_empty() {
            found.push(format!("judge `{name}`: the levels of `{dimension}` are not described"));
            continue;
        }
        if levels.len() < grades {
            found.push(format!("judge `{name}`: {} of {grades} levels of `{dimension}` are described", levels.len()));
        }
        let bare: Vec<String> = levels
            .iter()
            .filter(|level| level.example.as_deref().is_none_or(|example| example.trim().is_empty()))
            .map(|level| level.value.to_string())
            .collect();
        if !bare.is_empty() {
            found.push(format!("judge `{name}`: no example of `{dimension}` = {}", bare.join(", ")));
        }
    }
    found
}

fn rubric_words(files: &Files) -> usize {
    let words = |text: &str| text.split_whitespace().count();
    let of = |levels: &[LevelSpec]| {
        levels.iter().map(|level| words(&level.means) + level.example.as_deref().map_or(0, words)).sum::<usize>()
    };
    let spec = &files.spec;
    let dimensions: usize =
        spec.dimensions.iter().map(|dimension| words(&dimension.about) + of(&dimension.levels)).sum();
    dimensions + of(&spec.levels)
}
