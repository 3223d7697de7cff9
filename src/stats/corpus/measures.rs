//! The measures, each with its totals.

use super::{Corpus, Entries};
use crate::stats::calibration::equal_width_bin;

/// Which number is read off predicted against right labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelScore {
    /// Mean F1 of the classes that occur among the right labels.
    MacroF1,
    /// Mean precision of these classes.
    MacroPrecision,
    /// Mean recall of these classes.
    MacroRecall,
    /// F1 of the summed counts.
    MicroF1,
    /// Right among those said to be of a class.
    Precision(u32),
    /// Right among those of a class.
    Recall(u32),
}

/// A measure with what it needs to read its totals.
///
/// Where a ratio has nothing to divide by, though its class occurs, it counts as 0, as in
/// [`crate::stats::classification`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Totals: hits of each class, then items of each class, then items said to be of each class.
    Labels {
        /// What is read off them.
        score: LabelScore,
        /// How many classes there are.
        classes: u32,
    },
    /// Expected calibration error in right-closed bins of equal width. Totals: Σ (confidence − right) of each bin, then
    /// the number of items.
    CalibrationError {
        /// How many bins.
        bins: u32,
    },
    /// Area under the ROC curve. Totals: wrong items at each distinct confidence, ascending, then right ones.
    Auc {
        /// How many distinct confidences.
        values: u32,
    },
    /// Bradley–Terry strength against one opponent: log(wins / losses), a tie being half of each; infinite without a loss
    /// or without a win. Totals: wins, losses.
    LogStrength,
}

impl Measure {
    /// What an item adds whose right label is class `right` and whose predicted one is `said`, a class or none.
    #[must_use]
    pub fn label(classes: u32, right: u32, said: Option<u32>, weight: f64) -> Entries {
        let mut entries = vec![(classes + right, weight)];
        if let Some(said) = said {
            if said == right {
                entries.push((right, weight));
            }
            entries.push((2 * classes + said, weight));
        }
        entries
    }

    /// What an item adds to a calibration error.
    #[must_use]
    pub fn stated(bins: u32, confidence: f64, right: bool, weight: f64) -> Entries {
        let bin = equal_width_bin(confidence, bins as usize, true) as u32;
        vec![(bin, weight * (confidence - f64::from(u8::from(right)))), (bins, weight)]
    }

    /// What an item adds to an AUC whose confidence is the `at`-th of the distinct ones.
    #[must_use]
    pub fn ranked(values: u32, at: u32, right: bool, weight: f64) -> Entries {
        vec![(if right { values + at } else { at }, weight)]
    }

    /// What a comparison adds to a strength: 1 won, 0 tied, −1 lost.
    #[must_use]
    pub fn preference(preference: i8, weight: f64) -> Entries {
        match preference {
            1.. => vec![(0, weight)],
            0 => vec![(0, 0.5 * weight), (1, 0.5 * weight)],
            _ => vec![(1, weight)],
        }
    }
}

/// Counts of one class.
#[derive(Clone, Copy)]
struct Class {
    hits: f64,
    items: f64,
    said: f64,
}

impl Class {
    fn precision(self) -> f64 {
        if self.said == 0.0 { 0.0 } else { self.hits / self.said }
    }

    fn recall(self) -> f64 {
        self.hits / self.items
    }

    fn f1(self) -> f64 {
        2.0 * self.hits / (self.items + self.said)
    }

    /// What one item more that is right instead of wrong does to a ratio over `whole`.
    fn step(whole: f64) -> f64 {
        if whole > 1.0 { 1.0 / whole } else { 1.0 }
    }
}

/// Less than this is what rounding leaves of no item at all: weights are shares of at least 1 / trials.
const NOTHING: f64 = 1e-9;

fn class(totals: &[f64], classes: u32, at: u32) -> Class {
    let (classes, at) = (classes as usize, at as usize);
    let count = |place: usize| if totals[place] < NOTHING { 0.0 } else { totals[place] };
    Class { hits: count(at), items: count(classes + at), said: count(2 * classes + at) }
}

/// The classes that occur among the right labels.
fn present(totals: &[f64], classes: u32) -> impl Iterator<Item = Class> {
    (0..classes).map(move |at| class(totals, classes, at)).filter(|class| class.items > 0.0)
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    // 0/0 is NaN: no class occurs.
    sum / count
}

fn labels(score: LabelScore, classes: u32, totals: &[f64]) -> f64 {
    match score {
        LabelScore::MacroF1 => mean_of(present(totals, classes).map(Class::f1)),
        LabelScore::MacroPrecision => mean_of(present(totals, classes).map(Class::precision)),
        LabelScore::MacroRecall => mean_of(present(totals, classes).map(Class::recall)),
        LabelScore::MicroF1 => {
            let all = (0..classes).map(|at| class(totals, classes, at));
            let (hits, both) = all.fold((0.0, 0.0), |(hits, both), c| (hits + c.hits, both + c.items + c.said));
            2.0 * hits / both
        }
        LabelScore::Precision(at) => {
            let class = class(totals, classes, at);
            if class.items + class.said > 0.0 { class.precision() } else { f64::NAN }
        }
        LabelScore::Recall(at) => {
            let class = class(totals, classes, at);
            if class.items > 0.0 { class.recall() } else { f64::NAN }
        }
    }
}

fn label_step(score: LabelScore, classes: u32, totals: &[f64]) -> f64 {
    let macro_step = |whole: &dyn Fn(Class) -> f64| {
        let strata = present(totals, classes).count() as f64;
        let squares: f64 = present(totals, classes).map(|c| Class::step(whole(c)).powi(2)).sum();
        libm::sqrt(squares) / strata
    };
    match score {
        LabelScore::MacroF1 => macro_step(&|c| 0.5 * (c.items + c.said)),
        LabelScore::MacroPrecision => macro_step(&|c| c.said),
        LabelScore::MacroRecall => macro_step(&|c| c.items),
        LabelScore::MicroF1 => {
            let all = (0..classes).map(|at| class(totals, classes, at));
            Class::step(0.5 * all.map(|c| c.items + c.said).sum::<f64>())
        }
        LabelScore::Precision(at) => Class::step(class(totals, classes, at).said),
        LabelScore::Recall(at) => Class::step(class(totals, classes, at).items),
    }
}

/// The chance that a right item has a higher confidence than a wrong one, ties counting half.
fn auc(wrong: &[f64], right: &[f64]) -> f64 {
    let (mut below, mut pairs) = (0.0, 0.0);
    for (wrong, right) in wrong.iter().zip(right) {
        pairs += right * (below + 0.5 * wrong);
        below += wrong;
    }
    let right: f64 = right.iter().sum();
    if below < NOTHING || right < NOTHING { f64::NAN } else { pairs / (below * right) }
}

impl Corpus for Measure {
    fn width(&self) -> usize {
        match *self {
            Self::Labels { classes, .. } => 3 * classes as usize,
            Self::CalibrationError { bins } => bins as usize + 1,
            Self::Auc { values } => 2 * values as usize,
            Self::LogStrength => 2,
        }
    }

    fn estimate(&self, totals: &[f64]) -> f64 {
        match *self {
            Self::Labels { score, classes } => labels(score, classes, totals),
            Self::CalibrationError { bins } => {
                let (gaps, items) = totals.split_at(bins as usize);
                gaps.iter().map(|gap| gap.abs()).sum::<f64>() / items[0]
            }
            Self::Auc { values } => {
                let (wrong, right) = totals.split_at(values as usize);
                auc(wrong, right)
            }
            Self::LogStrength => {
                let count = |at: usize| if totals[at] < NOTHING { 0.0 } else { totals[at] };
                libm::log(count(0) / count(1))
            }
        }
    }

    fn largest_step(&self, totals: &[f64]) -> f64 {
        match *self {
            Self::Labels { score, classes } => label_step(score, classes, totals),
            Self::CalibrationError { bins } => Class::step(totals[bins as usize]),
            Self::Auc { values } => {
                let (wrong, right) = totals.split_at(values as usize);
                let step = |side: &[f64]| Class::step(side.iter().sum());
                libm::hypot(step(wrong), step(right))
            }
            // d log(w / l) when one loss becomes a win, at w and l.
            Self::LogStrength => 1.0 / totals[0].max(0.5) + 1.0 / totals[1].max(0.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::merged;
    use super::*;
    use crate::stats::calibration::{Binning, calibration_errors};
    use crate::stats::classification::{Average, ConfusionMatrix};
    use crate::stats::probability_scores::roc_auc;
    use crate::stats::ranking::bradley_terry;
    use proptest::prelude::*;

    fn totals(measure: Measure, items: impl Iterator<Item = Entries>) -> Vec<f64> {
        let mut totals = vec![0.0; measure.width()];
        for (place, amount) in items.flat_map(merged) {
            totals[place as usize] += amount;
        }
        totals
    }

    fn of_labels(score: LabelScore, right: &[u32], said: &[u32]) -> f64 {
        let measure = Measure::Labels { score, classes: 4 };
        let items = right.iter().zip(said).map(|(&right, &said)| Measure::label(4, right, Some(said), 1.0));
        measure.estimate(&totals(measure, items))
    }

    proptest! {
        #[test]
        fn labels_agree_with_the_confusion_matrix(items in prop::collection::vec((0_u32..4, 0_u32..4), 1..80)) {
            // Every class occurs, so that both conventions about absent ones agree.
            let (mut right, mut said): (Vec<u32>, Vec<u32>) = items.into_iter().unzip();
            right.extend(0..4);
            said.extend([0, 0, 1, 3]);
            let matrix = ConfusionMatrix::from_labels(&right, &said, &[0, 1, 2, 3]).unwrap();
            let average = matrix.average(Average::Macro);
            prop_assert!((of_labels(LabelScore::MacroF1, &right, &said) - average.f1).abs() < 1e-12);
            prop_assert!((of_labels(LabelScore::MacroPrecision, &right, &said) - average.precision).abs() < 1e-12);
            prop_assert!((of_labels(LabelScore::MacroRecall, &right, &said) - average.recall).abs() < 1e-12);
            prop_assert!((of_labels(LabelScore::MicroF1, &right, &said) - matrix.accuracy()).abs() < 1e-12);
            for (at, class) in matrix.per_class().iter().enumerate() {
                prop_assert!((of_labels(LabelScore::Precision(at as u32), &right, &said) - class.precision).abs() < 1e-12);
                prop_assert!((of_labels(LabelScore::Recall(at as u32), &right, &said) - class.recall).abs() < 1e-12);
            }
        }

        #[test]
        fn confidences_agree_with_the_functions_on_items(
            items in prop::collection::vec((0_u8..=20, any::<bool>()), 2..80),
        ) {
            let mut confidence: Vec<f64> = items.iter().map(|(c, _)| f64::from(*c) / 20.0).collect();
            let mut right: Vec<bool> = items.iter().map(|(_, right)| *right).collect();
            confidence.extend([0.5, 0.6]);
            right.extend([true, false]);
            let ece = Measure::CalibrationError { bins: 15 };
            let stated = confidence.iter().zip(&right).map(|(&c, &right)| Measure::stated(15, c, right, 1.0));
            let expected = calibration_errors(&confidence, &right, 15, Binning::EqualWidthRightClosed).unwrap().expected;
            prop_assert!((ece.estimate(&totals(ece, stated)) - expected).abs() < 1e-12);

            let auc = Measure::Auc { values: 21 };
            let at = |c: f64| libm::round(c * 20.0) as u32;
            let ranked = confidence.iter().zip(&right).map(|(&c, &right)| Measure::ranked(21, at(c), right, 1.0));
            let expected = roc_auc(&confidence, &right).unwrap();
            prop_assert!((auc.estimate(&totals(auc, ranked)) - expected).abs() < 1e-12);
        }

        #[test]
        fn strengths_agree_with_the_fit(preferences in prop::collection::vec(-1_i8..=1, 0..50)) {
            let preferences = [preferences, vec![1, -1]].concat();
            let strength = Measure::LogStrength;
            let totals = totals(strength, preferences.iter().map(|&p| Measure::preference(p, 1.0)));
            let fit = bradley_terry(&[vec![0.0, totals[0]], vec![totals[1], 0.0]]).unwrap();
            prop_assert!((strength.estimate(&totals) - (fit.log_strengths[0] - fit.log_strengths[1])).abs() < 1e-9);
        }
    }

    #[test]
    fn a_label_that_is_none_misses_its_class_and_joins_no_other() {
        let measure = Measure::Labels { score: LabelScore::MacroF1, classes: 2 };
        let items = [Measure::label(2, 0, Some(0), 1.0), Measure::label(2, 1, None, 1.0)];
        assert_eq!(measure.estimate(&totals(measure, items.into_iter())), 0.5);
    }

    #[test]
    fn what_nothing_measures_is_undefined() {
        let recall = Measure::Labels { score: LabelScore::Recall(1), classes: 2 };
        assert!(recall.estimate(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).is_nan());
        let precision = Measure::Labels { score: LabelScore::Precision(1), classes: 2 };
        assert!(precision.estimate(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).is_nan());
        // The class occurs and is never said: nothing of it was found.
        assert_eq!(precision.estimate(&[1.0, 0.0, 1.0, 1.0, 1.0, 0.0]), 0.0);
        assert!(Measure::Auc { values: 2 }.estimate(&[1.0, 2.0, 0.0, 0.0]).is_nan());
        assert_eq!(Measure::LogStrength.estimate(&[3.0, 0.0]), f64::INFINITY);
    }

    #[test]
    fn a_step_is_what_one_item_can_do() {
        let micro = Measure::Labels { score: LabelScore::MicroF1, classes: 2 };
        assert_eq!(micro.largest_step(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0]), 0.1);
        // Two classes of 5: each F1 moves by 1/5, so a pseudo pair in each by √2/5/2.
        let macro_f1 = Measure::Labels { score: LabelScore::MacroF1, classes: 2 };
        let step = macro_f1.largest_step(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
        assert!((step - 2.0_f64.sqrt() / 10.0).abs() < 1e-15);
        assert_eq!(Measure::CalibrationError { bins: 1 }.largest_step(&[0.0, 20.0]), 0.05);
    }
}
