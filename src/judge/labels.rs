//! What people and judges said about the same items, one dimension at a time.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::grade::Grade;
use super::label_error::LabelError;

/// Texts that stand for a missing label in tables that other tools wrote.
const GAPS: [&str; 7] = ["NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "null"];

/// Whether a cell holds nothing, or one of the texts that other tools write for nothing.
#[must_use]
pub fn is_gap(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty() || GAPS.contains(&cell)
}

/// The label that a cell holds: 1, 1.0 and "1" are one label, so are `True` and `true`; none for a gap.
#[must_use]
pub fn label_of(cell: &str) -> Option<Grade> {
    let cell = cell.trim();
    if is_gap(cell) {
        return None;
    }
    match cell {
        "true" | "True" | "TRUE" => Some(Grade::Label("true".to_owned())),
        "false" | "False" | "FALSE" => Some(Grade::Label("false".to_owned())),
        _ => Grade::read(cell).map(|grade| match grade {
            // −0 and 0 are one label.
            Grade::Number(number) => Grade::Number(number + 0.0),
            label @ Grade::Label(_) => label,
        }),
    }
}

/// Who labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RaterKind {
    /// A person.
    #[default]
    Human,
    /// A careful grading that stands in for a person's, and is never called one.
    StandIn,
}

impl RaterKind {
    /// The kind under a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "human" => Some(Self::Human),
            "stand-in" => Some(Self::StandIn),
            _ => None,
        }
    }

    /// The name, as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::StandIn => "stand-in",
        }
    }
}

/// The labels of one rater, one an item, as positions in [`Sheet::values`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rater {
    /// The rater's name.
    pub name: String,
    /// Who it is.
    pub kind: RaterKind,
    /// One entry an item.
    pub labels: Vec<Option<u32>>,
}

/// What a judge said about one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// A grade, as position in [`Sheet::values`].
    Grade(u32),
    /// Something that could not be read as a grade.
    Unparsed,
    /// Nothing: the item was not judged.
    Nothing,
}

/// The grades of one judge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graded {
    /// The judge's name.
    pub name: String,
    /// One entry an item.
    pub said: Vec<Said>,
    /// Why, one an item where the judge said so; else empty.
    pub rationales: Vec<Option<String>>,
    /// Dollars an item, where they are known; else empty.
    pub cost: Vec<Option<f64>>,
    /// Milliseconds an item, where they are known; else empty.
    pub latency: Vec<Option<f64>>,
    /// Grades that are not on the scale, with how often they were given; they count as unparsed.
    pub off_scale: Vec<(String, usize)>,
}

/// Items that share a label value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// `key=value`, of a crossing `a=x,b=y`.
    pub name: String,
    /// Positions of its items, ascending.
    pub items: Vec<usize>,
}

/// Everything that was said about the items in one dimension.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// The dimension.
    pub dimension: String,
    /// The items, ascending by bytes.
    pub ids: Vec<String>,
    /// The distinct labels: numbers by size, then texts by bytes.
    pub values: Vec<Grade>,
    /// The raters, in the order in which they were asked for.
    pub raters: Vec<Rater>,
    /// The judges, in the order in which they were asked for.
    pub judges: Vec<Graded>,
    /// Adjudicated labels, one an item; empty where there are none.
    pub settled: Vec<Option<u32>>,
    /// The slices, by key, then value.
    pub slices: Vec<Slice>,
    /// Texts to show beside an item, one list an item; empty where there are none.
    pub shown: Vec<Vec<(String, String)>>,
}

/// The distinct labels while a sheet is made, with a code each.
#[derive(Debug, Default)]
pub(super) struct Values {
    grades: Vec<Grade>,
    lookup: HashMap<String, u32>,
}

impl Values {
    /// The labels by code.
    pub(super) fn all(&self) -> &[Grade] {
        &self.grades
    }

    /// The code of a label, new or known.
    pub(super) fn code(&mut self, grade: Grade) -> u32 {
        let key = grade.to_string();
        if let Some(&code) = self.lookup.get(&key) {
            return code;
        }
        let code = self.grades.len() as u32;
        self.grades.push(grade);
        self.lookup.insert(key, code);
        code
    }
}

/// Numbers by size, before texts by bytes.
fn by_value(a: &Grade, b: &Grade) -> std::cmp::Ordering {
    match (a, b) {
        (Grade::Number(a), Grade::Number(b)) => a.total_cmp(b),
        (Grade::Number(_), Grade::Label(_)) => std::cmp::Ordering::Less,
        (Grade::Label(_), Grade::Number(_)) => std::cmp::Ordering::Greater,
        (Grade::Label(a), Grade::Label(b)) => a.cmp(b),
    }
}

impl Sheet {
    /// Gives the labels that occur their final codes, in the order of their values, and drops the others.
    pub(super) fn with_values(mut self, values: &Values) -> Self {
        let mut used = vec![false; values.grades.len()];
        self.each_code(|code| used[*code as usize] = true);
        let mut order: Vec<usize> = (0..used.len()).filter(|&code| used[code]).collect();
        order.sort_by(|&a, &b| by_value(&values.grades[a], &values.grades[b]));
        let mut renamed = vec![0; used.len()];
        order.iter().enumerate().for_each(|(new, &old)| renamed[old] = new as u32);
        self.each_code(|code| *code = renamed[*code as usize]);
        self.values = order.into_iter().map(|code| values.grades[code].clone()).collect();
        self
    }

    fn each_code(&mut self, mut each: impl FnMut(&mut u32)) {
        self.raters.iter_mut().flat_map(|rater| rater.labels.iter_mut().flatten()).for_each(&mut each);
        self.settled.iter_mut().flatten().for_each(&mut each);
        for said in self.judges.iter_mut().flat_map(|judge| &mut judge.said) {
            if let Said::Grade(code) = said {
                each(code);
            }
        }
    }
}

/// The labels that are right, where they were stated.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Accepted {
    /// Whatever occurs.
    #[default]
    Anything,
    /// Only these.
    Only(Vec<Grade>),
    /// Numbers from the first to the second.
    Between(f64, f64),
}

impl Accepted {
    /// Whether a label is among them.
    #[must_use]
    pub fn has(&self, grade: &Grade) -> bool {
        match self {
            Self::Anything => true,
            Self::Only(grades) => grades.contains(grade),
            Self::Between(low, high) => matches!(grade, Grade::Number(number) if (*low..=*high).contains(number)),
        }
    }

    /// What they are, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Anything => "any label".to_owned(),
            Self::Only(grades) => grades.iter().map(|grade| format!("`{grade}`")).collect::<Vec<_>>().join(", "),
            Self::Between(low, high) => format!("a number from {low} to {high}"),
        }
    }
}

/// The error of a human label that is off the scale.
pub(super) fn off_scale(path: PathBuf, line: u32, field: &str, cell: &str, accepted: &Accepted) -> LabelError {
    LabelError::Line {
        path,
        line: line.into(),
        reason: format!("{field}: the label `{cell}` is not on the scale, which has {}", accepted.words()),
        hint: "correct the label, or the scale; nothing is ever moved onto the scale".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_has_many_spellings() {
        for cell in ["1", "1.0", " 1 ", "1e0", "01"] {
            assert_eq!(label_of(cell), Some(Grade::Number(1.0)), "{cell}");
        }
        assert_eq!(label_of("-0").map(|grade| grade.to_string()).as_deref(), Some("0"));
        assert_eq!(label_of("TRUE"), label_of("true"));
        assert_ne!(label_of("Pass"), label_of("pass"));
        for cell in ["", "  ", "NA", "nan", "null"] {
            assert_eq!(label_of(cell), None, "{cell}");
        }
        assert_eq!(label_of("none"), Some(Grade::Label("none".to_owned())));
    }

    #[test]
    fn what_does_not_occur_has_no_code() {
        let mut values = Values::default();
        let codes: Vec<u32> =
            ["b", "10", "9", "a"].iter().filter_map(|cell| label_of(cell)).map(|g| values.code(g)).collect();
        let sheet = Sheet {
            raters: vec![Rater {
                name: "r".to_owned(),
                kind: RaterKind::Human,
                labels: vec![Some(codes[0]), None, Some(codes[1]), Some(codes[2])],
            }],
            ..Sheet::default()
        }
        .with_values(&values);
        assert_eq!(sheet.values.iter().map(ToString::to_string).collect::<Vec<_>>(), ["9", "10", "b"]);
        assert_eq!(sheet.raters[0].labels, [Some(2), None, Some(1), Some(0)]);
    }
}
