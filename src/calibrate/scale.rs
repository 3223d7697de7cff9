//! What the labels are: names, steps in an order, or numbers.

use serde::Serialize;

use super::CalibrateError;
use crate::judge::{Accepted, Grade};

/// Numbers with more distinct values than this are a measurement, not a list of labels.
const MOST_STEPS: usize = 20;
/// The most whole grades of a stated range that are listed one by one.
const MOST_LISTED: usize = 101;

/// What differences between labels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Nothing: labels are names.
    Unordered,
    /// Their order.
    Ordered,
    /// Their size.
    Continuous,
}

/// What was said about the scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScaleWish {
    /// Whether labels have an order; unsaid where it is not known.
    pub ordered: Option<bool>,
    /// All labels, worst first.
    pub values: Vec<Grade>,
    /// The lowest and the highest number.
    pub range: Option<(f64, f64)>,
    /// The least label that is a pass.
    pub pass_at: Option<Grade>,
}

impl ScaleWish {
    /// The labels that are right.
    #[must_use]
    pub fn accepted(&self) -> Accepted {
        match (self.values.is_empty(), self.range) {
            (false, _) => Accepted::Only(self.values.clone()),
            (true, Some((low, high))) => Accepted::Between(low, high),
            (true, None) => Accepted::Anything,
        }
    }
}

/// The labels of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scale {
    /// What they mean.
    pub measure: Measure,
    /// Whether that was stated.
    pub stated: bool,
    /// The labels: worst first where they have an order. Of a measurement, nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Of a measurement, the lowest and the highest that occurs or is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The labels that are a pass, where labels are pass or fail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
    /// The number behind each code: its own, or its place in the order.
    #[serde(skip)]
    pub(super) numbers: Option<Vec<f64>>,
    /// For each code whether it is a pass.
    #[serde(skip)]
    pub(super) passes: Option<Vec<bool>>,
    /// How many codes there are.
    #[serde(skip)]
    pub(super) codes: usize,
}

/// A scale, and the code on it of each value of a sheet.
pub(super) struct Resolved {
    pub(super) scale: Scale,
    pub(super) code_of: Vec<u32>,
}

/// The scale of the labels that occur, under what was said about it.
pub(super) fn resolve(values: &[Grade], wish: &ScaleWish) -> Result<Resolved, CalibrateError> {
    let numeric = |grades: &[Grade]| -> Option<Vec<f64>> {
        grades.iter().map(|grade| if let Grade::Number(number) = grade { Some(*number) } else { None }).collect()
    };
    let own = numeric(values);
    let is_whole = |numbers: &[f64]| numbers.iter().all(|number| number.fract() == 0.0);
    let listed = match (wish.range, &own) {
        (_, _) if !wish.values.is_empty() => Some(wish.values.clone()),
        (Some((low, high)), Some(own))
            if is_whole(own) && is_whole(&[low, high]) && high - low < MOST_LISTED as f64 =>
        {
            Some(steps(low, high))
        }
        (Some(_), Some(_)) => None,
        (Some(_), None) => {
            let text = values.iter().find(|value| matches!(value, Grade::Label(_)));
            let text = text.map(ToString::to_string).unwrap_or_default();
            return Err(CalibrateError::new(
                format!("--scale is a range of numbers, and `{text}` is none"),
                "state the labels with --labels WORST,…,BEST",
            ));
        }
        (None, Some(own)) if own.len() > MOST_STEPS && wish.ordered != Some(false) => None,
        (None, Some(own)) => Some(filled(own)),
        (None, None) if wish.ordered == Some(true) => {
            return Err(CalibrateError::new(
                "--ordered: the labels are texts, whose order only you know",
                "state it with --labels WORST,…,BEST",
            ));
        }
        (None, None) => Some(values.to_vec()),
    };
    let Some(listed) = listed else { return measurement(values, &own.unwrap_or_default(), wish) };
    let stated = !wish.values.is_empty() || wish.range.is_some() || wish.ordered.is_some();
    let is_ordered = match wish.ordered {
        Some(ordered) => ordered,
        None => !wish.values.is_empty() || wish.range.is_some(),
    };
    let mut code_of = Vec::with_capacity(values.len());
    for value in values {
        let place = listed.iter().position(|label| label == value).ok_or_else(|| {
            CalibrateError::new(format!("the label `{value}` is not on the scale"), "correct the label, or the scale")
        })?;
        code_of.push(place as u32);
    }
    let passes = passes(&listed, wish, is_ordered)?;
    let named = |keep: &[bool]| {
        listed.iter().zip(keep).filter(|(_, keep)| **keep).map(|(label, _)| label.to_string()).collect()
    };
    let numbers = numeric(&listed).filter(|numbers| numbers.is_sorted());
    let scale = Scale {
        measure: if is_ordered { Measure::Ordered } else { Measure::Unordered },
        stated,
        labels: listed.iter().map(ToString::to_string).collect(),
        range: None,
        pass: passes.as_deref().map(named).unwrap_or_default(),
        numbers: numbers.or_else(|| is_ordered.then(|| (0..listed.len()).map(|place| place as f64).collect())),
        codes: listed.len(),
        passes,
    };
    Ok(Resolved { scale, code_of })
}

/// Whole numbers from one to another.
fn steps(low: f64, high: f64) -> Vec<Grade> {
    (0..=(high - low) as usize).map(|step| Grade::Number(low + step as f64)).collect()
}

/// The numbers that occur; whole ones with those between them, since weights go by places in the list.
fn filled(own: &[f64]) -> Vec<Grade> {
    match (own.first(), own.last()) {
        (Some(&low), Some(&high)) if own.iter().all(|n| n.fract() == 0.0) && high - low < MOST_STEPS as f64 => {
            steps(low, high)
        }
        _ => own.iter().copied().map(Grade::Number).collect(),
    }
}

fn measurement(values: &[Grade], own: &[f64], wish: &ScaleWish) -> Result<Resolved, CalibrateError> {
    let range = wish.range.or_else(|| own.first().copied().zip(own.last().copied()));
    let passes = match &wish.pass_at {
        None => None,
        Some(Grade::Number(at)) => Some(own.iter().map(|number| number >= at).collect()),
        Some(Grade::Label(label)) => {
            return Err(CalibrateError::new(
                format!("--pass-at {label}: the grades are numbers"),
                "give the least number that is a pass",
            ));
        }
    };
    let pass = wish.pass_at.iter().map(|at| format!("at least {at}")).collect();
    let stated = wish.range.is_some() || wish.ordered.is_some();
    let scale = Scale {
        measure: Measure::Continuous,
        stated,
        labels: Vec::new(),
        range,
        pass,
        numbers: Some(own.to_vec()),
        passes,
        codes: values.len(),
    };
    Ok(Resolved { scale, code_of: (0..values.len() as u32).collect() })
}

/// Words that say by themselves which of two labels is the pass.
const PASSING: [&str; 11] = ["pass", "passed", "yes", "true", "good", "correct", "right", "ok", "safe", "accept", "1"];

/// Which labels are a pass: from the least one on that was named; of two labels the one that says so, else the last.
fn passes(listed: &[Grade], wish: &ScaleWish, is_ordered: bool) -> Result<Option<Vec<bool>>, CalibrateError> {
    if let Some(at) = &wish.pass_at {
        if let Some(place) = listed.iter().position(|label| label == at) {
            // Names have no "from here on": the one that was named is the pass.
            let is_numeric = listed.iter().all(|label| matches!(label, Grade::Number(_))) && listed.len() > 2;
            let from_here = is_ordered || is_numeric;
            let is_pass = |other: usize| if from_here { other >= place } else { other == place };
            return Ok(Some((0..listed.len()).map(is_pass).collect()));
        }
        if let Grade::Number(at) = at
            && listed.iter().all(|label| matches!(label, Grade::Number(_)))
        {
            let is_pass = |label: &Grade| matches!(label, Grade::Number(number) if number >= at);
            return Ok(Some(listed.iter().map(is_pass).collect()));
        }
        let has: Vec<String> = listed.iter().map(|label| format!("`{label}`")).collect();
        return Err(CalibrateError::new(
            format!("--pass-at {at}: there is no such label"),
            format!("the labels are: {}", has.join(", ")),
        ));
    }
    if listed.len() != 2 {
        return Ok(None);
    }
    let says_so = |label: &Grade| PASSING.contains(&label.to_string().to_lowercase().as_str());
    let place = match (says_so(&listed[0]), says_so(&listed[1]), is_ordered) {
        (true, false, false) => 0,
        _ => 1,
    };
    Ok(Some(vec![place == 0, place == 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grades(cells: &[&str]) -> Vec<Grade> {
        cells.iter().filter_map(|cell| Grade::read(cell)).collect()
    }

    fn scale(cells: &[&str], wish: &ScaleWish) -> Scale {
        resolve(&grades(cells), wish).map(|resolved| resolved.scale).unwrap()
    }

    #[test]
    fn labels_have_an_order_only_where_it_is_said() {
        let none = ScaleWish::default();
        assert_eq!(scale(&["0", "1", "2"], &none).measure, Measure::Unordered);
        assert_eq!(scale(&["a", "b"], &none).measure, Measure::Unordered);
        let ordered = ScaleWish { ordered: Some(true), ..ScaleWish::default() };
        assert_eq!(scale(&["1", "4"], &ordered).labels, ["1", "2", "3", "4"], "an unused step keeps its place");
        assert!(resolve(&grades(&["a", "b"]), &ordered).is_err());
        let stated = ScaleWish { values: grades(&["1", "0", "2"]), ..ScaleWish::default() };
        let found = resolve(&grades(&["0", "1", "2"]), &stated).unwrap();
        assert_eq!((found.scale.measure, found.code_of), (Measure::Ordered, vec![1, 0, 2]));
        let range = ScaleWish { range: Some((0.0, 3.0)), ..ScaleWish::default() };
        assert_eq!(scale(&["1", "2"], &range).labels, ["0", "1", "2", "3"]);
        assert_eq!(scale(&["1", "2.5"], &range).measure, Measure::Continuous);
        let many: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(scale(&many, &none).measure, Measure::Continuous);
    }

    #[test]
    fn two_labels_are_pass_and_fail() {
        let none = ScaleWish::default();
        assert_eq!(scale(&["0", "1"], &none).pass, ["1"]);
        assert_eq!(scale(&["fail", "pass"], &none).pass, ["pass"]);
        assert_eq!(scale(&["bad", "good"], &none).pass, ["good"]);
        assert_eq!(scale(&["correct", "wrong"], &none).pass, ["correct"]);
        assert!(scale(&["0", "1", "2"], &none).pass.is_empty());
        let at = ScaleWish { pass_at: Grade::read("2"), ..ScaleWish::default() };
        assert_eq!(scale(&["0", "1", "2", "3"], &at).pass, ["2", "3"]);
        assert!(resolve(&grades(&["a", "b", "c"]), &at).is_err());
    }
}
