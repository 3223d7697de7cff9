//! What came of judging, and how several opinions become one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attack::Finding;
use super::grade::Grade;
use super::scale::GradeScale;
use super::spec::{Combine, OVERALL};

/// What a judge says about an item.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// The grades, dimension by dimension, `overall` last. Of a comparison `A` (the answer is better), `B` (the other
    /// is) or `tie`.
    pub grades: Vec<(String, Grade)>,
    /// The reasons, as the judge gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// Of a comparison: how often both orders were asked, and how often they disagreed.
    #[serde(default, skip_serializing_if = "Orders::is_none")]
    pub orders: Orders,
    /// Of a panel: what its members said, where they did not agree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<String>,
    /// Attempts of the answer to steer the judge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Finding>,
    /// Opinions that could not be had, though enough others were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// How often a comparison was asked both ways, and how often the ways disagreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Orders {
    /// Both ways.
    pub pairs: u32,
    /// They disagreed.
    pub flips: u32,
    /// Readings, two a pair, that found the answer better that was shown first.
    #[serde(default)]
    pub first: u32,
    /// Readings that found the answer better that was shown second.
    #[serde(default)]
    pub second: u32,
}

impl Orders {
    /// Adds those of somebody else.
    pub(super) const fn add(&mut self, more: Self) {
        self.pairs += more.pairs;
        self.flips += more.flips;
        self.first += more.first;
        self.second += more.second;
    }

    /// Adds one pair: what was said with the answer first, and with it second; both of the answer, not of the place.
    pub(super) fn add_pair(&mut self, forth: &[(String, Grade)], back: &[(String, Grade)]) {
        let names = |grades: &[(String, Grade)], name: &str| {
            grades.iter().any(|(_, grade)| matches!(grade, Grade::Label(label) if label == name))
        };
        self.pairs += 1;
        self.flips += u32::from(forth != back);
        self.first += u32::from(names(forth, "A")) + u32::from(names(back, "B"));
        self.second += u32::from(names(forth, "B")) + u32::from(names(back, "A"));
    }

    /// From −1 (whatever is shown second is better) to 1 (whatever is shown first); 0 where places do not matter.
    #[must_use]
    pub fn lean(&self) -> Option<f64> {
        let readings = 2 * self.pairs;
        (readings > 0).then(|| (f64::from(self.first) - f64::from(self.second)) / f64::from(readings))
    }

    const fn is_none(&self) -> bool {
        self.pairs == 0
    }
}

/// A judgement, or why there is none.
pub type Judged = Result<Judgement, String>;

impl Judgement {
    /// The grade of a dimension.
    #[must_use]
    pub fn grade(&self, dimension: &str) -> Option<&Grade> {
        self.grades.iter().find(|(name, _)| name == dimension).map(|(_, grade)| grade)
    }

    /// Of a comparison: 1 where the answer is better, −1 where the other is, else 0.
    #[must_use]
    pub fn preference(&self) -> Option<i8> {
        match self.grade(OVERALL)? {
            Grade::Label(label) => match label.as_str() {
                "A" => Some(1),
                "tie" => Some(0),
                "B" => Some(-1),
                _ => None,
            },
            Grade::Number(_) => None,
        }
    }

    /// The reasons and everything remarkable, in a sentence or two for people.
    #[must_use]
    pub fn remarks(&self) -> Option<String> {
        /// Characters of a rationale that a record keeps.
        const KEPT: usize = 2_000;
        let mut remarks: Vec<String> = Vec::new();
        if self.orders.flips > 0 {
            let Orders { pairs, flips, .. } = self.orders;
            remarks.push(format!("[flip: in {flips} of {pairs} the order decided]"));
        }
        remarks.extend(self.split.iter().map(|split| format!("[members disagree: {split}]")));
        remarks.extend(self.missing.iter().map(|missing| format!("[missing: {missing}]")));
        remarks.extend(self.attempts.iter().map(|finding| format!("[tries to steer the judge: {finding}]")));
        if let Some(rationale) = &self.rationale {
            let mut kept: String = rationale.chars().take(KEPT).collect();
            if kept.len() < rationale.len() {
                kept.push('…');
            }
            remarks.push(kept);
        }
        (!remarks.is_empty()).then(|| remarks.join(" "))
    }
}

/// The median of grades on a scale: of two middle ones the lower, so that the result is a grade that was offered and a
/// doubt counts against the answer; of two middle preferences a tie.
pub(super) fn median(grades: &[Grade], scale: &GradeScale) -> Option<Grade> {
    let mut places: Vec<usize> = grades.iter().filter_map(|grade| scale.place(grade)).collect();
    places.sort_unstable();
    let (low, high) = (*places.get(places.len().checked_sub(1)? / 2)?, *places.get(places.len() / 2)?);
    if low != high && *scale == GradeScale::of_preferences() {
        return Some(Grade::Label("tie".to_owned()));
    }
    scale.at(low)
}

/// The grade that most give; of several such the lowest, of preferences a tie.
pub(super) fn majority(grades: &[Grade], scale: &GradeScale) -> Option<Grade> {
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for place in grades.iter().filter_map(|grade| scale.place(grade)) {
        *votes.entry(place).or_default() += 1;
    }
    let most = *votes.values().max()?;
    let mut winners = votes.iter().filter(|(_, count)| **count == most).map(|(place, _)| *place);
    let lowest = winners.next()?;
    if winners.next().is_some() && *scale == GradeScale::of_preferences() {
        return Some(Grade::Label("tie".to_owned()));
    }
    scale.at(lowest)
}

pub(super) fn combined(how: Combine, grades: &[Grade], scale: &GradeScale) -> Option<Grade> {
    match how {
        Combine::Median => median(grades, scale),
        Combine::Majority => majority(grades, scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(of: &[f64]) -> Vec<Grade> {
        of.iter().copied().map(Grade::Number).collect()
    }

    #[test]
    fn the_median_is_always_a_grade_that_was_offered() {
        let scale = GradeScale::Numbers(vec![0.0, 1.0, 2.0, 3.0]);
        for (given, expected) in
            [(vec![3.0, 0.0, 2.0], 2.0), (vec![0.0, 3.0], 0.0), (vec![1.0], 1.0), (vec![3.0, 1.0, 2.0, 2.0], 2.0)]
        {
            assert_eq!(median(&numbers(&given), &scale), Some(Grade::Number(expected)), "{given:?}");
        }
        assert_eq!(median(&[], &scale), None);
        assert_eq!(majority(&numbers(&[3.0, 3.0, 0.0, 0.0, 1.0]), &scale), Some(Grade::Number(0.0)));
        assert_eq!(majority(&numbers(&[3.0, 3.0, 0.0]), &scale), Some(Grade::Number(3.0)));
    }

    #[test]
    fn preferences_that_cancel_are_a_tie() {
        let scale = GradeScale::of_preferences();
        let labels = |of: &[&str]| of.iter().map(|label| Grade::Label((*label).to_owned())).collect::<Vec<_>>();
        let tie = Some(Grade::Label("tie".to_owned()));
        for (given, expected) in [(vec!["A", "B"], "tie"), (vec!["A", "tie"], "tie"), (vec!["A", "A", "B"], "A")] {
            assert_eq!(median(&labels(&given), &scale), Some(Grade::Label(expected.to_owned())), "{given:?}");
        }
        assert_eq!(majority(&labels(&["A", "B"]), &scale), tie);
    }
}
