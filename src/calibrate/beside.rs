//! Several judges of the same items: which are worth their price, and whose κ differs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::against::Codes;
use super::calibration::JudgeCalibration;
use super::headline::{References, weighting};
use super::scale::Scale;
use crate::stats::bootstrap::{Replicates, Resampling, resampled_counts};
use crate::stats::kappa::{RatingTable, cohen_kappa};
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::{Alpha, Interval};

/// How the bootstrap of differences is drawn; always the same, so that the same table gives the same numbers.
const RESAMPLING: Resampling = Resampling { replicates: 2_000, seed: 0 };
/// With more judges than this every two of them are not compared.
const MOST_JUDGES: usize = 12;
/// With more labels than this a table a resample is too much.
const MOST_LABELS: usize = 64;

/// Judges of the same items, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideBySide {
    /// What the front is about: `kappa` with `cost`, `latency`, or both, as far as all judges have them.
    pub criteria: Vec<&'static str>,
    /// The judges that no other beats in one of these without losing in another; none without cost and latency.
    pub front: Vec<String>,
    /// Items with a reference that every judge graded: the differences are over these.
    pub items: usize,
    /// Every two judges.
    pub differences: Vec<KappaDifference>,
    /// Why there are no differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_differences: Option<String>,
}

/// κ of one judge less that of another, on the same items.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KappaDifference {
    /// One judge.
    pub first: String,
    /// The other.
    pub second: String,
    /// κ of the first less κ of the second.
    pub difference: f64,
    /// Percentile interval of a bootstrap over items, both judges drawn together; absent where nothing varies.
    pub interval: Option<Interval>,
    /// Two-sided p of "no difference".
    pub p: f64,
    /// The same, adjusted for all pairs (Holm).
    pub p_adjusted: f64,
}

/// The judges of a dimension side by side; `None` with fewer than two.
pub(super) fn side_by_side(
    judges: &[JudgeCalibration],
    grades: &[Codes],
    references: &References,
    scale: &Scale,
    alpha: Alpha,
) -> Option<SideBySide> {
    if judges.len() < 2 {
        return None;
    }
    let (criteria, front) = front(judges);
    let classes = Classes::of(grades, references);
    let found = differences(judges, &classes, references, scale, alpha);
    let (differences, no_differences) = match found {
        Ok(found) => (found, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    Some(SideBySide { criteria, front, items: classes.items as usize, differences, no_differences })
}

/// The criteria that all judges have, and who is not beaten in them.
fn front(judges: &[JudgeCalibration]) -> (Vec<&'static str>, Vec<String>) {
    let kappa = |judge: &JudgeCalibration| judge.kappa.filter(|kappa| !kappa.degenerate).map(|kappa| kappa.value);
    let known: Vec<&JudgeCalibration> = judges.iter().filter(|judge| kappa(judge).is_some()).collect();
    // The less, the better: of all of them.
    let mut columns: Vec<(&'static str, Vec<f64>)> =
        vec![("kappa", known.iter().filter_map(|judge| Some(-kappa(judge)?)).collect())];
    let costs = known.iter().map(|judge| judge.mean_cost_usd).collect::<Option<Vec<f64>>>();
    let times = known.iter().map(|judge| judge.median_latency_ms).collect::<Option<Vec<f64>>>();
    columns.extend(costs.map(|costs| ("cost", costs)));
    columns.extend(times.map(|times| ("latency", times)));
    if columns.len() < 2 || known.len() < 2 {
        return (Vec::new(), Vec::new());
    }
    let beats = |one: usize, other: usize| {
        let pairs = || columns.iter().map(|(_, values)| (values[one], values[other]));
        pairs().all(|(one, other)| one <= other) && pairs().any(|(one, other)| one < other)
    };
    let stands = |at: &usize| !(0..known.len()).any(|other| beats(other, *at));
    let names = (0..known.len()).filter(stands).map(|at| known[at].judge.clone()).collect();
    (columns.iter().map(|(name, _)| *name).collect(), names)
}

/// The items by what everybody said of them: labels first, then one grade a judge.
struct Classes {
    said: Vec<Vec<u32>>,
    counts: Vec<u64>,
    items: u64,
}

impl Classes {
    fn of(grades: &[Codes], references: &References) -> Self {
        let columns: Vec<&Codes> = references.columns.iter().chain(grades).collect();
        let items = if references.columns.is_empty() {
            0
        } else {
            columns.iter().map(|column| column.len()).min().unwrap_or(0)
        };
        // In the order of what was said, so that the order of rows does not matter.
        let mut classes: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
        for item in 0..items {
            if let Some(said) = columns.iter().map(|column| column[item]).collect::<Option<Vec<u32>>>() {
                *classes.entry(said).or_default() += 1;
            }
        }
        let items = classes.values().sum();
        let (said, counts) = classes.into_iter().unzip();
        Self { said, counts, items }
    }
}

fn differences(
    judges: &[JudgeCalibration],
    classes: &Classes,
    references: &References,
    scale: &Scale,
    alpha: Alpha,
) -> Result<Vec<KappaDifference>, String> {
    if references.columns.is_empty() {
        return Err("there is none, of measurements or without labels".to_owned());
    }
    if classes.items < 2 {
        return Err("fewer than two items have a label and a grade of every judge".to_owned());
    }
    if scale.codes > MOST_LABELS || judges.len() > MOST_JUDGES {
        return Err(format!("compared are up to {MOST_JUDGES} judges on up to {MOST_LABELS} labels"));
    }
    let count = references.columns.len();
    // κ of a judge over drawn items; of two raters the smaller one, as for the licence.
    let kappa = |judge: usize, drawn: &[u64]| -> Option<f64> {
        let of = |reference: usize| {
            let mut cells = vec![0_u32; scale.codes * scale.codes];
            for (said, &times) in classes.said.iter().zip(drawn) {
                cells[said[reference] as usize * scale.codes + said[count + judge] as usize] += times as u32;
            }
            let rows: Vec<&[u32]> = cells.chunks_exact(scale.codes).collect();
            let found = cohen_kappa(&RatingTable::from_counts(&rows).ok()?, weighting(scale), alpha);
            (!found.degenerate).then_some(found.kappa)
        };
        (0..count).map(of).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::min)
    };
    let mut found = Vec::new();
    for first in 0..judges.len() {
        for second in first + 1..judges.len() {
            let change = |drawn: &[u64]| Some(kappa(first, drawn)? - kappa(second, drawn)?);
            let undefined = || "κ is 0/0 on the items that all judges graded".to_owned();
            let difference = change(&classes.counts).ok_or_else(undefined)?;
            let values = resampled_counts(&classes.counts, RESAMPLING, change).map_err(|error| error.to_string())?;
            let p = p_of(&values);
            let replicates = Replicates::new(difference, values).map_err(|error| error.to_string())?;
            found.push(KappaDifference {
                first: judges[first].judge.clone(),
                second: judges[second].judge.clone(),
                difference,
                interval: replicates.percentile(alpha).ok(),
                p,
                p_adjusted: p,
            });
        }
    }
    let p: Vec<f64> = found.iter().map(|one| one.p).collect();
    for (one, adjusted) in found.iter_mut().zip(adjust(&p, Adjustment::Holm).map_err(|error| error.to_string())?) {
        one.p_adjusted = adjusted;
    }
    Ok(found)
}

/// Two-sided: twice the share of resamples in which the sign is not that of the difference, and never 0.
fn p_of(values: &[f64]) -> f64 {
    let share = |is: &dyn Fn(f64) -> bool| {
        (values.iter().filter(|&&value| is(value)).count() + 1) as f64 / (values.len() + 1) as f64
    };
    (2.0 * share(&|value| value <= 0.0).min(share(&|value| value >= 0.0))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_what_p_counts() {
        assert_eq!(p_of(&[0.0; 99]), 1.0);
        assert!((p_of(&[1.0; 99]) - 0.02).abs() < 1e-12);
        let mixed: Vec<f64> = (0..99).map(|i| if i < 9 { -1.0 } else { 1.0 }).collect();
        assert!((p_of(&mixed) - 0.2).abs() < 1e-12);
    }
}
