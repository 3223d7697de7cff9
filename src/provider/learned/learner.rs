//! Answers from labelled examples.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value};

use super::super::router::{Answering, Provider, ProviderError, unfit};
use super::bm25::Bm25;
use super::labelled::{Field, Labelled};
use super::spec::{Draw, Lesson, MajoritySpec, NearestSpec, RandomSpec};
use crate::call::{Answered, Call, Reply};
use crate::evalset::{EvalSet, strings_of};
use crate::table::sha256_hex;

/// How it comes to an answer.
#[derive(Debug)]
enum Way {
    Random { draw: Draw, seed: u64 },
    Majority,
    Nearest(Bm25),
}

/// Answers with what labelled examples say.
#[derive(Debug)]
pub(in super::super) struct LearnedProvider {
    labelled: Labelled,
    /// By field: how many examples each value is right for.
    counts: Vec<Vec<u64>>,
    way: Way,
}

/// Learning needs an eval set: to learn from, or to be sure that a file shares nothing with it.
fn set_of(evalset: Option<&EvalSet>) -> Result<&EvalSet, ProviderError> {
    evalset.ok_or_else(|| ProviderError::Settings("it learns from an eval set, and there is none here".to_owned()))
}

impl LearnedProvider {
    pub(in super::super) fn random(
        spec: &RandomSpec,
        root: &Path,
        evalset: Option<&EvalSet>,
    ) -> Result<Self, ProviderError> {
        let way = Way::Random { draw: spec.draw, seed: spec.seed };
        Self::new(spec.lesson(), root, evalset, |_| way)
    }

    pub(in super::super) fn majority(
        spec: &MajoritySpec,
        root: &Path,
        evalset: Option<&EvalSet>,
    ) -> Result<Self, ProviderError> {
        Self::new(spec.lesson(), root, evalset, |_| Way::Majority)
    }

    pub(in super::super) fn nearest(
        spec: &NearestSpec,
        root: &Path,
        evalset: Option<&EvalSet>,
    ) -> Result<Self, ProviderError> {
        Self::new(spec.lesson(), root, evalset, |labelled| {
            Way::Nearest(Bm25::new(labelled.texts.iter().map(String::as_str), spec.k1, spec.b))
        })
    }

    fn new(
        lesson: Result<Lesson<'_>, String>,
        root: &Path,
        evalset: Option<&EvalSet>,
        way: impl FnOnce(&Labelled) -> Way,
    ) -> Result<Self, ProviderError> {
        let mut labelled = Labelled::load(&lesson.map_err(ProviderError::Settings)?, root, set_of(evalset)?)?;
        let way = way(&labelled);
        // The index has what it needs of them.
        labelled.texts = Vec::new();
        let count = |field: &Field| {
            let mut counts = vec![0; field.values.len()];
            field.right.iter().flatten().for_each(|&value| counts[value as usize] += 1);
            counts
        };
        let counts = labelled.fields.iter().map(count).collect();
        Ok(Self { labelled, counts, way })
    }

    fn answer(&self, document: &Value) -> Result<Value, ProviderError> {
        let id = document["id"].as_str().unwrap_or_default();
        let trial = document["trial"].as_u64().unwrap_or_default();
        // An example that nobody knows cannot be left out.
        let left_out = self.labelled.left_out(id).ok_or_else(|| {
            ProviderError::Settings(format!("`{id}` is no example of the eval set that was learned from"))
        })?;
        let scores = match &self.way {
            Way::Nearest(index) => index.scores(&strings_of(&document["input"]), left_out),
            Way::Random { .. } | Way::Majority => Vec::new(),
        };
        let mut answer = Value::Null;
        for (field, counts) in self.labelled.fields.iter().zip(&self.counts) {
            let counts = without(field, counts, left_out);
            let chosen = match &self.way {
                Way::Random { draw, seed } => {
                    let question = format!("{seed}\n{}\n{id}\n{trial}", field.answer);
                    drawn(&counts, *draw, &question)
                }
                Way::Majority => most_common(&counts),
                Way::Nearest(_) => self.of_the_most_similar(field, &scores, left_out).or_else(|| most_common(&counts)),
            };
            let chosen = chosen.ok_or_else(|| {
                ProviderError::Settings(format!(
                    "nothing to learn for `{id}`: with it and its group left out, no example has a value for {}",
                    field.answer
                ))
            })?;
            answer = placed(answer, &field.answer.parts(), field.values[chosen].clone());
        }
        Ok(answer)
    }

    /// The first right value of the most similar example that has one; of equally similar ones that with the first id.
    /// None where no example shares a word with the question.
    fn of_the_most_similar(&self, field: &Field, scores: &[f64], left_out: &[usize]) -> Option<usize> {
        let ids = &self.labelled.ids;
        let best = (0..scores.len())
            .filter(|example| scores[*example] > 0.0 && left_out.binary_search(example).is_err())
            .filter(|&example| !field.right[example].is_empty())
            .min_by(|&a, &b| scores[b].total_cmp(&scores[a]).then_with(|| ids[a].cmp(&ids[b])))?;
        field.right[best].first().map(|&value| value as usize)
    }
}

/// How many examples each value is right for, without those left out.
fn without(field: &Field, counts: &[u64], left_out: &[usize]) -> Vec<u64> {
    let mut counts = counts.to_vec();
    left_out.iter().flat_map(|&example| &field.right[example]).for_each(|&value| counts[value as usize] -= 1);
    counts
}

/// The value that is right most often; of several the one with the first name.
fn most_common(counts: &[u64]) -> Option<usize> {
    let most = counts.iter().max().filter(|most| **most > 0)?;
    counts.iter().position(|count| count == most)
}

/// A value by lot: the same for the same question, on every machine.
fn drawn(counts: &[u64], draw: Draw, question: &str) -> Option<usize> {
    let weight = |count: &u64| match draw {
        Draw::Proportional => *count,
        Draw::Uniform => u64::from(*count > 0),
    };
    let total: u64 = counts.iter().map(weight).sum();
    let lot = u64::from_str_radix(&sha256_hex(question)[..16], 16).ok()?;
    let mut left = ((u128::from(lot) * u128::from(total)) >> 64) as u64;
    counts.iter().position(|count| {
        let weight = weight(count);
        let hit = left < weight;
        left = left.saturating_sub(weight);
        hit
    })
}

/// A value with another one at a place inside it; objects come to be on the way.
fn placed(whole: Value, place: &[String], value: Value) -> Value {
    let Some((first, rest)) = place.split_first() else { return value };
    let mut fields = match whole {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let inner = fields.get(first).cloned().unwrap_or_default();
    fields.insert(first.clone(), placed(inner, rest, value));
    Value::Object(fields)
}

impl Provider for LearnedProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        let started = Instant::now();
        let answered = self
            .answer(&program.input)
            .map(|answer| Answered::live(Reply::Output(answer), started.elapsed().as_secs_f64() * 1e3, None));
        Box::pin(std::future::ready(answered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_most_common_value_and_the_first_name_of_several() {
        assert_eq!(most_common(&[1, 3, 3]), Some(1));
        assert_eq!(most_common(&[0, 0]), None);
        assert_eq!(most_common(&[]), None);
    }

    #[test]
    fn lots_follow_the_proportions_and_stay_the_same() {
        let lots = |draw| {
            let mut seen = [0_u32; 3];
            for question in 0..4000 {
                seen[drawn(&[30, 0, 10], draw, &format!("7\n/team\nit-{question}\n0")).unwrap()] += 1;
            }
            seen
        };
        let proportional = lots(Draw::Proportional);
        assert!(proportional[1] == 0 && (2900..3100).contains(&proportional[0]), "{proportional:?}");
        let uniform = lots(Draw::Uniform);
        assert!(uniform[1] == 0 && (1900..2100).contains(&uniform[0]), "{uniform:?}");
        assert_eq!(drawn(&[0, 0], Draw::Proportional, "x"), None);
        assert_eq!(drawn(&[0, 2, 0], Draw::Proportional, "x"), Some(1));
    }

    #[test]
    fn values_go_to_their_places() {
        let one = placed(Value::Null, &["team".to_owned()], json!("db"));
        let two = placed(one, &["more".to_owned(), "sev".to_owned()], json!(1));
        assert_eq!(two, json!({"team": "db", "more": {"sev": 1}}));
        assert_eq!(placed(Value::Null, &[], json!(true)), json!(true));
    }
}
