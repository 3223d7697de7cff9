//! Scorers put together: all of them, any of them, their weighted mean.
//!
//! A combination asks nobody anything: it is computed from the scores of its members, which stand beside it in the record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::outcome::{Part, Value};
use super::places::Places;
use super::rows::{ScoreRow, Status};
use super::scale::Scale;
use super::scorer::Scorer;
use super::settings::{Settings, checked_weight};
use super::spec::{ScorerSpec, SpecError, ValueKind};
use crate::evalset::{Example, LabelValue};

/// The scorers that are put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected a list of scorers, or a table of scorers and their weights")]
pub enum Members {
    /// By name; each counts what its own `weight` says.
    Named(Vec<String>),
    /// By name, with weights.
    Weighted(BTreeMap<String, f64>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

/// `[scorers.NAME.all]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AllSpec {
    /// The scorers.
    pub of: Vec<String>,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// Turns the score around.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// `[scorers.NAME.any]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnySpec {
    /// The scorers.
    pub of: Vec<String>,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// Turns the score around.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// `[scorers.NAME.mean]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MeanSpec {
    /// The scorers.
    pub of: Members,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// The least mean that passes; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<f64>,
    /// Turns the score around.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// What it counts in another `mean`; 1 where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// How members become one score.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    All,
    Any,
    Mean { pass_at: f64 },
}

/// A member by name, with the weight that is written beside it.
pub type Weighed<'a> = (&'a str, Option<f64>);

/// What the settings of a combination say.
pub trait Combination {
    /// The members, each with the weight that is written beside it.
    fn members(&self) -> Vec<Weighed<'_>>;
}

fn named(of: &[String]) -> Vec<Weighed<'_>> {
    of.iter().map(|name| (name.as_str(), None)).collect()
}

impl Combination for AllSpec {
    fn members(&self) -> Vec<Weighed<'_>> {
        named(&self.of)
    }
}

impl Combination for AnySpec {
    fn members(&self) -> Vec<Weighed<'_>> {
        named(&self.of)
    }
}

impl Combination for MeanSpec {
    fn members(&self) -> Vec<Weighed<'_>> {
        match &self.of {
            Members::Named(of) => named(of),
            Members::Weighted(of) => of.iter().map(|(name, weight)| (name.as_str(), Some(*weight))).collect(),
        }
    }
}

/// A combination is no scorer that stands alone.
fn alone() -> SpecError {
    SpecError::new("a combination is made from the scores of its members".to_owned())
}

impl Settings for AllSpec {
    fn kind(&self) -> &'static str {
        "all"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Err(alone())
    }
}

impl Settings for AnySpec {
    fn kind(&self) -> &'static str {
        "any"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Err(alone())
    }
}

impl Settings for MeanSpec {
    fn kind(&self) -> &'static str {
        "mean"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Err(alone())
    }
}

/// One member of a combination.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    name: String,
    weight: f64,
}

/// A combination, ready to be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Combined {
    /// Its name.
    pub name: String,
    how: How,
    members: Vec<Member>,
    places: Places,
    not: bool,
}

/// A combination that is not made yet: its name, settings and members.
type Unmade<'a> = (&'a String, &'a ScorerSpec, Vec<Weighed<'a>>);

/// The combinations among the scorers, each after those that it needs.
///
/// # Errors
/// The name of the combination, and what is wrong with it: no members, a member that there is not, a circle, a judge.
pub fn combine(scorers: &BTreeMap<String, ScorerSpec>) -> Result<Vec<Combined>, (String, SpecError)> {
    let mut left: Vec<Unmade<'_>> =
        scorers.iter().filter_map(|(name, spec)| Some((name, spec, spec.combination()?.members()))).collect();
    let mut done: Vec<Combined> = Vec::with_capacity(left.len());
    for (name, spec, members) in &left {
        check(scorers, spec, members).map_err(|reason| ((*name).clone(), SpecError::new(reason)))?;
    }
    while !left.is_empty() {
        let ready = left.iter().position(|(_, _, members)| {
            members.iter().all(|(member, _)| {
                scorers[*member].combination().is_none() || done.iter().any(|done| done.name == *member)
            })
        });
        let Some(ready) = ready else {
            let (name, ..) = left[0];
            return Err((name.clone(), SpecError::new("it is made of itself, by way of its members".to_owned())));
        };
        let (name, spec, members) = left.remove(ready);
        done.push(combined(scorers, name, spec, &members));
    }
    Ok(done)
}

fn check(scorers: &BTreeMap<String, ScorerSpec>, spec: &ScorerSpec, members: &[Weighed<'_>]) -> Result<(), String> {
    if members.is_empty() {
        return Err("name the scorers to combine, like `of = [\"a\", \"b\"]`".to_owned());
    }
    for (at, (member, weight)) in members.iter().enumerate() {
        if members[..at].iter().any(|(other, _)| other == member) {
            return Err(format!("`{member}` stands twice in `of`"));
        }
        match scorers.get(*member) {
            None => {
                let known: Vec<_> = scorers.keys().map(|name| format!("`{name}`")).collect();
                return Err(format!("there is no scorer `{member}`; there are: {}", known.join(", ")));
            }
            // The gate asks for a judge's licence by the scorer that it sees; a combination would hide the judge from it.
            Some(ScorerSpec::Judge(_)) => {
                return Err(format!(
                    "`{member}` is a judge's; a combination would hide from the gate that a judge decided: \
                     make it a metric of its own"
                ));
            }
            Some(_) => {}
        }
        checked_weight(*weight).map_err(|error| error.to_string())?;
    }
    if let ScorerSpec::Mean(mean) = spec
        && mean.pass_at.is_some_and(|least| !(0.0..=1.0).contains(&least))
    {
        return Err("`pass_at` is a share from 0 to 1".to_owned());
    }
    checked_weight(Some(spec.weight())).map_err(|error| error.to_string())
}

fn combined(
    scorers: &BTreeMap<String, ScorerSpec>,
    name: &str,
    spec: &ScorerSpec,
    members: &[Weighed<'_>],
) -> Combined {
    let (how, when, not) = match spec {
        ScorerSpec::Any(spec) => (How::Any, spec.when.clone(), spec.not),
        ScorerSpec::Mean(spec) => (How::Mean { pass_at: spec.pass_at.unwrap_or(1.0) }, spec.when.clone(), spec.not),
        ScorerSpec::All(spec) => (How::All, spec.when.clone(), spec.not),
        _ => (How::All, BTreeMap::new(), false),
    };
    let member = |(name, weight): &Weighed<'_>| Member {
        name: (*name).to_owned(),
        weight: weight.unwrap_or_else(|| scorers.get(*name).map_or(1.0, ScorerSpec::weight)),
    };
    let members = members.iter().map(member).collect();
    Combined { name: name.to_owned(), how, members, places: Places { when, ..Places::default() }, not }
}

impl Combined {
    /// The names and weights of its members.
    pub fn members(&self) -> impl Iterator<Item = (&str, f64)> {
        self.members.iter().map(|member| (member.name.as_str(), member.weight))
    }

    /// The range of its values.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        Scale::UNIT
    }

    /// Its score of an answer, from the scores of the same answer; nothing where the example is not meant, or no member
    /// applies to it. `scale_of` knows the members' scales.
    #[must_use]
    pub fn row(&self, example: &Example, scores: &[ScoreRow], scale_of: &dyn Fn(&str) -> Scale) -> Option<ScoreRow> {
        if !self.places.applies(example) {
            return None;
        }
        let seen: Vec<(&Member, &ScoreRow)> = self
            .members
            .iter()
            .filter_map(|member| {
                let whole = |row: &&ScoreRow| row.scorer == member.name && row.part.is_empty();
                Some((member, scores.iter().find(whole)?))
            })
            .collect();
        if seen.is_empty() {
            return None;
        }
        let row = |value, passed, status, reason| ScoreRow {
            scorer: self.name.clone(),
            part: String::new(),
            value,
            passed,
            status,
            confidence: None,
            expected: None,
            relevance: None,
            reason,
            marks: Vec::new(),
        };
        // An answer that failed fails them all, however they are put together and turned around.
        if let Some((_, failed)) = seen.iter().find(|(_, row)| row.status == Status::CandidateError) {
            let Part { value, passed, .. } = self.part(0.0, false);
            return Some(row(Some(value), Some(passed), Status::CandidateError, failed.reason.clone()));
        }
        let names = |wanted: Option<bool>| {
            let named = seen.iter().filter(|(_, row)| row.passed == wanted).map(|(member, _)| member.name.as_str());
            named.collect::<Vec<_>>().join(", ")
        };
        let unscored = seen.iter().any(|(_, row)| row.passed.is_none());
        let decided = match self.how {
            How::All => seen.iter().any(|(_, row)| row.passed == Some(false)).then_some((0.0, false)),
            How::Any => seen.iter().any(|(_, row)| row.passed == Some(true)).then_some((1.0, true)),
            How::Mean { .. } => None,
        };
        let (value, passed) = match (decided, self.how) {
            (Some(decided), _) => decided,
            (None, _) if unscored => {
                return Some(row(None, None, Status::Unscored, Some(format!("unscored: {}", names(None)))));
            }
            (None, How::All) => (1.0, true),
            (None, How::Any) => (0.0, false),
            (None, How::Mean { pass_at }) => {
                let mean = mean(&seen, scale_of);
                (mean, mean >= pass_at)
            }
        };
        let reason =
            (!passed).then(|| format!("failed: {}", names(Some(false)))).filter(|_| !names(Some(false)).is_empty());
        let (value, passed) = if self.not { (1.0 - value, !passed) } else { (value, passed) };
        let Part { value, passed, .. } = self.part(value, passed);
        Some(row(Some(value), Some(passed), Status::Scored, reason))
    }

    fn part(&self, value: f64, passed: bool) -> Part {
        let value = if matches!(self.how, How::Mean { .. }) { Value::Number(value) } else { Value::Bool(value >= 1.0) };
        Part::whole(value, passed)
    }
}

/// The weighted mean of what members say, each on a scale from 0, its worst, to 1.
fn mean(seen: &[(&Member, &ScoreRow)], scale_of: &dyn Fn(&str) -> Scale) -> f64 {
    let share = |member: &Member, row: &ScoreRow| {
        let passed = f64::from(u8::from(row.passed == Some(true)));
        let Some(number) = row.value.as_ref().and_then(Value::as_number) else { return passed };
        let scale = scale_of(&member.name);
        (number - scale.worst()) / (scale.best() - scale.worst())
    };
    let sum: f64 = seen.iter().map(|(member, row)| member.weight * share(member, row)).sum();
    sum / seen.iter().map(|(member, _)| member.weight).sum::<f64>()
}
