//! Where judge and raters part, worst first.

use serde::Serialize;

use super::against::Codes;
use super::scale::Scale;
use crate::judge::{Graded, Sheet};

/// What one rater says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RaterLabel {
    /// The rater.
    pub rater: String,
    /// The label.
    pub label: String,
}

/// One item on which the judge differs from what the raters say together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// The item.
    pub id: String,
    /// What the raters say together.
    pub reference: String,
    /// What the judge says.
    pub judge: String,
    /// How far apart the two are: 1 for names, the difference of numbers or places otherwise.
    pub distance: f64,
    /// Share of the raters' labels that are not the judge's.
    pub against: f64,
    /// What each rater says.
    pub labels: Vec<RaterLabel>,
    /// Why, in the judge's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// The item's own texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<(String, String)>,
}

/// The disagreements, worst first (distance, then how many raters contradict, then id): how many there are, and the
/// first of them.
pub(super) fn disagreements(
    (sheet, judge): (&Sheet, &Graded),
    (names, columns): (&[&str], &[&Codes]),
    (reference, grades): (&Codes, &Codes),
    (scale, is_graded): (&Scale, bool),
    most: usize,
) -> (usize, Vec<Disagreement>) {
    let number = |code: u32| match &scale.numbers {
        Some(numbers) if is_graded => Some(numbers[code as usize]),
        _ => None,
    };
    let mut worst: Vec<(f64, f64, usize)> = Vec::new();
    for (item, (label, grade)) in reference.iter().zip(grades).enumerate() {
        let Some((label, grade)) = label.zip(*grade).filter(|(label, grade)| label != grade) else { continue };
        let distance = number(label).zip(number(grade)).map_or(1.0, |(label, grade)| (label - grade).abs());
        let given = columns.iter().filter_map(|column| column[item]);
        let (all, not) = given.fold((0_u32, 0_u32), |(all, not), code| (all + 1, not + u32::from(code != grade)));
        worst.push((distance, f64::from(not) / f64::from(all.max(1)), item));
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    let name = |code: u32| sheet_name(sheet, scale, code);
    let found = worst.iter().take(most).map(|&(distance, against, item)| Disagreement {
        id: sheet.ids[item].clone(),
        reference: reference[item].map(name).unwrap_or_default(),
        judge: grades[item].map(name).unwrap_or_default(),
        distance,
        against,
        labels: names
            .iter()
            .zip(columns)
            .filter_map(|(rater, column)| Some(RaterLabel { rater: (*rater).to_owned(), label: name(column[item]?) }))
            .collect(),
        rationale: judge.rationales.get(item).cloned().flatten(),
        shown: sheet.shown.get(item).cloned().unwrap_or_default(),
    });
    (worst.len(), found.collect())
}

/// The text of a code: of a measurement, its number.
fn sheet_name(sheet: &Sheet, scale: &Scale, code: u32) -> String {
    match scale.labels.get(code as usize) {
        Some(label) => label.clone(),
        None => sheet.values.get(code as usize).map(ToString::to_string).unwrap_or_default(),
    }
}
