//! Which scorer fits what is expected.

use std::collections::BTreeMap;

use serde_json::Value;

/// A label is one of at most this many.
const MOST_LABELS: usize = 12;
/// Each label stands there so often on average.
const FEWEST_EACH: usize = 5;
/// A label has at most this many characters.
const LONGEST_LABEL: usize = 40;

/// The scorer of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scoring {
    Numeric,
    Label(Vec<String>),
    Exact,
    Contains,
}

impl Scoring {
    /// The strictest scorer that suits the expected answers, and, where answers are known, that at least half of them can
    /// meet: a system that writes whole sentences is not wrong because of the other words.
    pub(super) fn of(expected: &[Value], answers: &[Option<String>]) -> Self {
        let texts: Option<Vec<&str>> = expected.iter().map(Value::as_str).collect();
        if expected.iter().all(Value::is_number) {
            return Self::Numeric;
        }
        let Some(texts) = texts else { return Self::Exact };
        let suits = |fits: &dyn Fn(&str, &str) -> bool| {
            let known = answers.iter().zip(&texts).filter_map(|(answer, text)| Some((answer.as_deref()?, *text)));
            let (all, fit) = known.fold((0, 0), |(all, fit), (a, e)| (all + 1, fit + usize::from(fits(a, e))));
            fit * 2 >= all
        };
        if texts.iter().all(|text| is_number(text)) && suits(&|answer, _| is_number(answer)) {
            return Self::Numeric;
        }
        // As the scorer compares them.
        let labels: BTreeMap<String, &str> =
            texts.iter().rev().map(|text| (text.trim().to_lowercase(), text.trim())).collect();
        let few = labels.len() <= MOST_LABELS && labels.len() * FEWEST_EACH <= texts.len();
        if few && labels.values().all(|label| label.chars().count() <= LONGEST_LABEL) {
            let is_label = |answer: &str, _: &str| labels.contains_key(&answer.trim().to_lowercase());
            if suits(&is_label) {
                return Self::Label(labels.into_values().map(str::to_owned).collect());
            }
        }
        let known = answers.iter().any(Option::is_some);
        if known && suits(&same) { Self::Exact } else { Self::Contains }
    }

    /// The scorer's name.
    pub(super) const NAME: &'static str = "correct";

    /// What it does, for people.
    pub(super) const fn shown(&self) -> &'static str {
        match self {
            Self::Numeric => "numeric: the answer is the expected number",
            Self::Label(_) => "label: the answer is the expected one of a few labels",
            Self::Exact => "exact: the answer is the expected text",
            Self::Contains => "contains: the expected text occurs in the answer",
        }
    }

    pub(super) fn settings(&self) -> String {
        let kind = match self {
            Self::Numeric => "numeric]   # `relative = 0.01` would allow a hundredth\n".to_owned(),
            Self::Label(labels) => {
                let labels: Vec<String> =
                    labels.iter().map(|label| toml::Value::String(label.clone()).to_string()).collect();
                format!("label]\nlabels = [{}]\n", labels.join(", "))
            }
            Self::Exact => "exact]\nignore_case = true\n".to_owned(),
            Self::Contains => {
                "contains]\nall         = { expected = \"\" }   # all of `expected` occurs in the answer\n\
                               ignore_case = true\n"
                    .to_owned()
            }
        };
        format!("# `evalgauge list scorers` says what else there is.\n[scorers.{}.{kind}", Self::NAME)
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expected: &[&str], answers: &[&str]) -> Scoring {
        let expected: Vec<Value> = expected.iter().map(|text| Value::from(*text)).collect();
        let answers: Vec<Option<String>> = answers.iter().map(|text| Some((*text).to_owned())).collect();
        Scoring::of(&expected, &answers)
    }

    #[test]
    fn the_strictest_that_fits() {
        let labels = ["a", "b", "a", "b", "A ", "b", "a", "b", "a", "B"];
        let both = Scoring::Label(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(of(&labels, &[]), both);
        assert_eq!(of(&labels, &["a", "B", "a", "b", "b", "x", "x", "x", "y", "z"]), both);
        assert_eq!(of(&labels, &["it is a", "it is b", "a?", "b!", "a a", "no"]), Scoring::Contains);
        assert_eq!(of(&labels[..8], &[]), Scoring::Contains, "too few of each");
        assert_eq!(of(&["1", "2.5", "-3"], &[]), Scoring::Numeric);
        assert_eq!(of(&["1", "2.5", "-3"], &["it is 1", "it is 2.5", "none"]), Scoring::Contains);
        assert_eq!(of(&["Paris", "Rome", "Oslo"], &["paris", "Rome", "Bergen"]), Scoring::Exact);
        assert_eq!(of(&["Paris", "Rome", "Oslo"], &["In Paris.", "Rome", "It is Oslo"]), Scoring::Contains);
        assert_eq!(of(&["Paris", "Rome", "Oslo"], &[]), Scoring::Contains);
    }
}
