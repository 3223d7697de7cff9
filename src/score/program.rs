//! What a program or a service says of an answer.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::outcome::{Outcome, Part, Truth, Value, Why};
use super::places::{Places, scalar_text, texts};
use super::program_spec::Asking;
use super::scale::Scale;
use super::scorer::{Case, Scorer};
use super::spec::SpecError;
use crate::call::{Call, Pointer, Program, Replies, Reply, Step, Template};
use crate::evalset::Example;

/// The key of the one call.
const KEY: &str = "score";

/// Who is asked in the name of a scorer.
#[derive(Debug, Clone)]
pub struct Asked {
    /// A name that the router knows.
    pub provider: String,
    /// The body of a request to render and send along.
    pub body: Option<Arc<Template>>,
}

/// Asks a program or a service. A program that breaks, or that says what cannot be read, has not measured: never the
/// candidate's fault.
#[derive(Debug)]
pub(super) struct ProgramScorer {
    asked: Asked,
    places: Places,
    reply: Pointer,
    pass_at: Option<f64>,
    scale: Scale,
    labels: Vec<String>,
    right: Vec<String>,
}

impl ProgramScorer {
    pub(super) fn new(spec: Asking<'_>, asked: &Asked) -> Result<Self, SpecError> {
        let (answer, expected, when, reply, pass_at, scale, labels, right) = match spec {
            Asking::Command(spec) => (
                &spec.answer,
                &spec.expected,
                &spec.when,
                &spec.reply,
                spec.pass_at,
                spec.scale,
                &spec.labels,
                &spec.right,
            ),
            Asking::Http(spec) => (
                &spec.answer,
                &spec.expected,
                &spec.when,
                &spec.reply,
                spec.pass_at,
                spec.scale,
                &spec.labels,
                &spec.right,
            ),
        };
        let wrong = |why: String| Err(SpecError::new(why));
        if !(scale.low < scale.high && scale.width().is_finite()) {
            return wrong(format!("`scale` is {} to {}; `low` must be below `high`", scale.low, scale.high));
        }
        if let Some(limit) = pass_at.filter(|limit| !(scale.low..=scale.high).contains(limit)) {
            return wrong(format!("`pass_at` is {limit}, outside of the scale {} to {}", scale.low, scale.high));
        }
        if labels.is_empty() && !right.is_empty() {
            return wrong("`right` names labels that pass; say with `labels` which there are".to_owned());
        }
        if let Some(other) = right.iter().find(|label| !labels.contains(label)) {
            return wrong(format!("`right` has `{other}`, which is none of `labels`"));
        }
        if !labels.is_empty() && (pass_at.is_some() || scale != Scale::UNIT) {
            return wrong("`pass_at` and `scale` are for scores, and `labels` says that it gives labels".to_owned());
        }
        let places = Places {
            answer: answer.clone(),
            expected: expected.clone(),
            confidence: None,
            literal: None,
            when: when.clone(),
        };
        Ok(Self {
            asked: asked.clone(),
            places,
            reply: reply.clone(),
            pass_at,
            scale,
            labels: labels.clone(),
            right: right.clone(),
        })
    }

    /// What is told: everything that there is to judge by.
    fn document(&self, example: &Example, answer: &Json) -> Result<Json, String> {
        let mut document = Map::new();
        document.insert("id".to_owned(), json!(example.id));
        document.insert("input".to_owned(), example.input.clone());
        document.insert("answer".to_owned(), answer.clone());
        document.insert("expected".to_owned(), example.expected.clone().unwrap_or_default());
        document.insert("labels".to_owned(), json!(example.labels));
        let mut document = Json::Object(document);
        if let Some(template) = &self.asked.body {
            let body = template.render(&document).map_err(|error| error.to_string())?;
            document["body"] = Json::String(body);
        }
        Ok(document)
    }

    /// What it says.
    fn read(&self, output: &Json, example: &Example) -> Result<Part, String> {
        let said = self.reply.find(output).ok_or_else(|| format!("the output has nothing at {}", self.reply))?;
        let (score, passed, label) = match said {
            Json::Object(fields) => (fields.get("score"), fields.get("passed"), fields.get("label")),
            Json::Bool(_) => (None, Some(said), None),
            Json::Number(_) => (Some(said), None, None),
            Json::String(_) => (None, None, Some(said)),
            Json::Null | Json::Array(_) => return Err(format!("said {}, which is no score", shown(said))),
        };
        let there = |value: Option<&Json>| value.filter(|value| !value.is_null()).cloned();
        let (score, passed, label) = (there(score), there(passed), there(label));
        let passed = match passed {
            None => None,
            Some(Json::Bool(passed)) => Some(passed),
            Some(other) => return Err(format!("`passed` is {}, neither true nor false", shown(&other))),
        };
        let part = if self.labels.is_empty() {
            self.scored(score.as_ref(), passed)
        } else {
            self.labelled(label.as_ref(), passed, example)
        };
        let part = part.map_err(|why| format!("{why}: {}", shown(said)))?;
        let reason = said.get("reason").and_then(Json::as_str).filter(|reason| !reason.trim().is_empty());
        let confidence = said.get("confidence").and_then(Json::as_f64).filter(|sure| (0.0..=1.0).contains(sure));
        let part = part.stated(confidence);
        Ok(match reason {
            Some(reason) => part.because(reason),
            None => part,
        })
    }

    fn scored(&self, score: Option<&Json>, passed: Option<bool>) -> Result<Part, String> {
        let Scale { low, high, .. } = self.scale;
        let score = match (score, passed) {
            (Some(Json::Number(number)), _) => number.as_f64().ok_or("the score is no number")?,
            // Right or wrong is all it says.
            (Some(&Json::Bool(right)), _) | (None, Some(right)) => {
                if right {
                    self.scale.best()
                } else {
                    self.scale.worst()
                }
            }
            (Some(_), _) => return Err("the score is no number".to_owned()),
            (None, None) => return Err("there is neither `score` nor `passed`".to_owned()),
        };
        if !(low..=high).contains(&score) {
            return Err(format!("the score {score} is outside of {low} to {high}; set `scale`"));
        }
        let limit = self.pass_at.unwrap_or_else(|| self.scale.best());
        Ok(Part::whole(Value::Number(score), passed.unwrap_or_else(|| self.scale.reaches(score, limit))))
    }

    fn labelled(&self, label: Option<&Json>, passed: Option<bool>, example: &Example) -> Result<Part, String> {
        let text = label.and_then(scalar_text).ok_or("there is no `label`")?;
        let label = self.named(&text).ok_or_else(|| format!("`{text}` is none of {}", self.labels.join(", ")))?;
        let passed = match passed {
            Some(passed) => passed,
            None => self.right(example)?.contains(label),
        };
        Ok(Part::whole(Value::Label(label.clone()), passed))
    }

    /// The label that a text names, without regard to case and surrounding space.
    fn named(&self, text: &str) -> Option<&String> {
        self.labels.iter().find(|label| label.trim().to_lowercase() == text.trim().to_lowercase())
    }

    /// The labels that pass.
    fn right(&self, example: &Example) -> Result<Vec<String>, String> {
        if !self.right.is_empty() {
            return Ok(self.right.clone());
        }
        let expected = self.places.expected_of(example)?;
        let texts = texts(expected).ok_or_else(|| format!("expected {expected} is no label and no list of labels"))?;
        let named =
            |text: &String| self.named(text).cloned().ok_or_else(|| format!("expected `{text}` is none of the labels"));
        texts.iter().map(named).collect()
    }
}

/// A value in a message.
fn shown(value: &Json) -> String {
    const SHOWN: usize = 120;
    let text = value.to_string();
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
}

impl Scorer for ProgramScorer {
    fn step(&self, case: &Case<'_>, replies: &Replies<'_>) -> Step<Outcome> {
        let unscored = |why: String| Step::Done(Outcome::Unscored { why: Why(why) });
        let answer = match self.places.in_answer(case) {
            Ok(answer) => answer,
            // The candidate's fault.
            Err(why) => {
                let parts = self.worst().into_iter().map(|part| part.because(why.clone())).collect();
                return Step::Done(Outcome::Scored(parts));
            }
        };
        let Some(reply) = replies.get(KEY) else {
            return match self.document(case.example, answer) {
                Ok(input) => {
                    let call = Call::Program(Program { provider: self.asked.provider.clone(), input });
                    Step::Ask(vec![(KEY.to_owned(), call)])
                }
                Err(why) => unscored(why),
            };
        };
        match reply {
            Reply::Output(output) => match self.read(output, case.example) {
                Ok(part) => Step::Done(Outcome::Scored(vec![part])),
                Err(why) => unscored(format!("the scorer's program: {why}")),
            },
            Reply::Failed(failure) => unscored(format!("the scorer's program: {failure}")),
            Reply::Completion(_) | Reply::Vector(_) => unscored("a program gave the reply of a model".to_owned()),
        }
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn scale(&self) -> Scale {
        self.scale
    }

    fn truth(&self, example: &Example) -> Option<Truth> {
        if self.labels.is_empty() {
            return None;
        }
        self.right(example).ok()?.into_iter().next().map(Truth::Label)
    }

    fn worst(&self) -> Vec<Part> {
        let value =
            if self.labels.is_empty() { Value::Number(self.scale.worst()) } else { Value::Label(String::new()) };
        vec![Part::whole(value, false)]
    }
}
