//! Predicted against true labels: confusion matrix and what is read off it.
//!
//! Where a ratio has nothing to divide by (a class never predicted has no precision) it counts as 0, the usual
//! convention; the counts are public, so a caller can tell such a 0 from a real one.

use std::collections::HashMap;
use std::hash::Hash;

use super::error::{Result, StatError, at_least, positive, same_length};

/// Counts of items by true and predicted label; never empty.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfusionMatrix {
    /// Row-major: rows are true labels, columns predicted ones, both in the order in which the labels were given.
    counts: Vec<u64>,
    labels: usize,
}

/// Precision, recall and F1, of a class or averaged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PrecisionRecall {
    /// Right among those predicted to be of the class.
    pub precision: f64,
    /// Right among those of the class.
    pub recall: f64,
    /// Harmonic mean of the two; an average of F1 is the mean of the classes' F1, not the F1 of mean ratios.
    pub f1: f64,
}

/// How classes are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Every given label counts the same, also one that never occurs.
    Macro,
    /// Ratios of summed counts; with one label an item all three are the accuracy.
    Micro,
    /// Weighted by the number of items of the class.
    Weighted,
}

impl ConfusionMatrix {
    /// Counts pairs of labels; `labels` fixes the set and the order.
    ///
    /// ```
    /// use evalgauge::stats::classification::{Average, ConfusionMatrix};
    /// let truth = ["cat", "dog", "pig", "cat", "dog", "pig"];
    /// let predicted = ["cat", "pig", "dog", "cat", "cat", "dog"];
    /// let matrix = ConfusionMatrix::from_labels(&truth, &predicted, &["cat", "dog", "pig"])?;
    /// let scores = matrix.average(Average::Macro);
    /// assert!((scores.precision - 2.0 / 9.0).abs() < 1e-12 && (scores.recall - 1.0 / 3.0).abs() < 1e-12);
    /// assert!((scores.f1 - 0.8 / 3.0).abs() < 1e-12);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::Undefined`] when an item's label is
    /// not among `labels` or a label is listed twice.
    pub fn from_labels<T: Eq + Hash>(truth: &[T], predicted: &[T], labels: &[T]) -> Result<Self> {
        same_length("true and predicted labels", truth.len(), predicted.len())?;
        at_least("items", 1, truth.len())?;
        let position: HashMap<&T, usize> = labels.iter().enumerate().map(|(index, label)| (label, index)).collect();
        if position.len() != labels.len() {
            return Err(StatError::Undefined("a label is listed twice"));
        }
        let index = |label| position.get(label).copied().ok_or(StatError::Undefined("an item's label is not listed"));
        let mut counts = vec![0; labels.len() * labels.len()];
        for (truth, predicted) in truth.iter().zip(predicted) {
            counts[index(truth)? * labels.len() + index(predicted)?] += 1;
        }
        Ok(Self { counts, labels: labels.len() })
    }

    /// A matrix from its rows (true labels) of counts.
    ///
    /// # Errors
    /// [`StatError::Lengths`] unless the matrix is square, [`StatError::TooFew`] when all counts are 0.
    pub fn from_counts(rows: &[Vec<u64>]) -> Result<Self> {
        for row in rows {
            same_length("rows and columns", rows.len(), row.len())?;
        }
        at_least("items", 1, usize::from(rows.iter().flatten().any(|&count| count > 0)))?;
        Ok(Self { counts: rows.concat(), labels: rows.len() })
    }

    /// The rows of counts, one a true label.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.labels)
    }

    /// The number of items.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Items of each true class, in label order.
    #[must_use]
    pub fn support(&self) -> Vec<u64> {
        self.rows().map(|row| row.iter().sum()).collect()
    }

    /// Items predicted to be of each class, in label order.
    #[must_use]
    pub fn predicted(&self) -> Vec<u64> {
        let mut sums = vec![0; self.labels];
        for row in self.rows() {
            sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        sums
    }

    fn hits(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().copied().step_by(self.labels + 1)
    }

    /// Share of items with the right label.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.hits().sum::<u64>() as f64 / self.total() as f64
    }

    /// Mean recall of the classes that occur among the true labels.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let support = self.support();
        let present = support.iter().filter(|&&items| items > 0).count();
        self.hits().zip(&support).map(|(hits, &items)| ratio(hits, items)).sum::<f64>() / present as f64
    }

    /// Matthews' correlation coefficient, for any number of classes (Gorodkin 2004); −1 to 1.
    ///
    /// 0 when all true or all predicted labels are the same.
    ///
    /// ```
    /// use evalgauge::stats::classification::ConfusionMatrix;
    /// let matrix = ConfusionMatrix::from_labels(&[1, 1, 1, -1], &[1, -1, 1, 1], &[-1, 1])?;
    /// assert!((matrix.matthews() + 1.0 / 3.0).abs() < 1e-12);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn matthews(&self) -> f64 {
        let (support, predicted) = (self.support(), self.predicted());
        // Shares rather than counts: products of counts would overflow or round.
        let total = self.total() as f64;
        let share = |count: u64| count as f64 / total;
        let products =
            |left: &[u64], right: &[u64]| -> f64 { left.iter().zip(right).map(|(&a, &b)| share(a) * share(b)).sum() };
        let degenerate = |margin: &[u64]| margin.iter().filter(|&&count| count > 0).count() < 2;
        if degenerate(&support) || degenerate(&predicted) {
            return 0.0;
        }
        let covariance = self.accuracy() - products(&support, &predicted);
        let variances = (1.0 - products(&support, &support)) * (1.0 - products(&predicted, &predicted));
        (covariance / libm::sqrt(variances)).clamp(-1.0, 1.0)
    }

    /// Precision, recall and F1 of each class, in label order.
    #[must_use]
    pub fn per_class(&self) -> Vec<PrecisionRecall> {
        let margins = self.support().into_iter().zip(self.predicted());
        self.hits().zip(margins).map(|(hits, (support, predicted))| scores(hits, support, predicted)).collect()
    }

    /// F-β of each class, in label order: recall counts β times as much as precision (van Rijsbergen 1979).
    ///
    /// (1+β²)·TP / ((1+β²)·TP + β²·FN + FP).
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] unless β is positive and finite.
    pub fn f_beta(&self, beta: f64) -> Result<Vec<f64>> {
        positive("beta", beta)?;
        // Weights that sum to one stay finite however large β is.
        let recall_weight = 1.0 / (1.0 + (1.0 / beta).powi(2));
        let precision_weight = 1.0 - recall_weight;
        let margins = self.support().into_iter().zip(self.predicted());
        let score = |(hits, (support, predicted)): (u64, (u64, u64))| {
            if hits == 0 {
                return 0.0;
            }
            hits as f64 / (recall_weight * support as f64 + precision_weight * predicted as f64)
        };
        Ok(self.hits().zip(margins).map(score).collect())
    }

    /// Precision, recall and F1 averaged over classes.
    #[must_use]
    pub fn average(&self, average: Average) -> PrecisionRecall {
        let total = self.total();
        let mean = |weight: &dyn Fn(u64) -> f64| {
            let mut mean = PrecisionRecall { precision: 0.0, recall: 0.0, f1: 0.0 };
            for (class, support) in self.per_class().iter().zip(self.support()) {
                mean.precision += weight(support) * class.precision;
                mean.recall += weight(support) * class.recall;
                mean.f1 += weight(support) * class.f1;
            }
            mean
        };
        match average {
            Average::Macro => mean(&|_| 1.0 / self.labels as f64),
            Average::Micro => scores(self.hits().sum(), total, total),
            Average::Weighted => mean(&|support| support as f64 / total as f64),
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn scores(hits: u64, support: u64, predicted: u64) -> PrecisionRecall {
    PrecisionRecall {
        precision: ratio(hits, predicted),
        recall: ratio(hits, support),
        f1: ratio(2 * hits, support + predicted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_class_never_predicted_counts_as_zero() {
        let matrix = ConfusionMatrix::from_labels(&[0, 1, 1, 2], &[0, 0, 0, 0], &[0, 1, 2]).unwrap();
        let classes = matrix.per_class();
        assert_eq!(classes[0], PrecisionRecall { precision: 0.25, recall: 1.0, f1: 0.4 });
        assert_eq!(classes[1], PrecisionRecall { precision: 0.0, recall: 0.0, f1: 0.0 });
        assert_eq!(matrix.matthews(), 0.0);
    }

    #[test]
    fn a_listed_label_that_never_occurs_lowers_the_macro_average_only() {
        let (truth, predicted) = (["a", "b"], ["a", "b"]);
        let matrix = ConfusionMatrix::from_labels(&truth, &predicted, &["a", "b", "c"]).unwrap();
        assert!((matrix.average(Average::Macro).f1 - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(matrix.average(Average::Weighted).f1, 1.0);
        assert_eq!(matrix.balanced_accuracy(), 1.0);
        assert!((matrix.matthews() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn precision_and_recall_swap_with_the_roles() {
        let one = ConfusionMatrix::from_counts(&[vec![5, 2], vec![1, 7]]).unwrap();
        let other = ConfusionMatrix::from_counts(&[vec![5, 1], vec![2, 7]]).unwrap();
        for (a, b) in one.per_class().iter().zip(other.per_class()) {
            assert_eq!((a.precision, a.recall, a.f1), (b.recall, b.precision, b.f1));
        }
        // 2x2 closed form: (TP·TN − FP·FN) / √(…).
        assert!((one.matthews() - (35.0 - 2.0) / (7.0 * 8.0 * 6.0 * 9.0_f64).sqrt()).abs() < 1e-15);
        assert!((one.matthews() - other.matthews()).abs() < 1e-15);
    }

    #[test]
    fn f_beta_moves_from_precision_to_recall() {
        let matrix = ConfusionMatrix::from_counts(&[vec![5, 2], vec![1, 7]]).unwrap();
        let class = matrix.per_class()[0];
        assert!((matrix.f_beta(1.0).unwrap()[0] - class.f1).abs() < 1e-15);
        assert!((matrix.f_beta(1e-9).unwrap()[0] - class.precision).abs() < 1e-12);
        assert!((matrix.f_beta(1e200).unwrap()[0] - class.recall).abs() < 1e-12);
        for beta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matrix.f_beta(beta).is_err());
        }
    }

    #[test]
    fn labels_must_be_known_and_items_present() {
        assert!(ConfusionMatrix::from_labels::<u8>(&[], &[], &[0, 1]).is_err());
        assert!(ConfusionMatrix::from_labels(&[0, 1], &[0], &[0, 1]).is_err());
        assert!(ConfusionMatrix::from_labels(&[0, 2], &[0, 1], &[0, 1]).is_err());
        assert!(ConfusionMatrix::from_labels(&[0, 1], &[0, 1], &[0, 1, 1]).is_err());
        assert!(ConfusionMatrix::from_counts(&[]).is_err());
        assert!(ConfusionMatrix::from_counts(&[vec![0, 0], vec![0, 0]]).is_err());
        assert!(ConfusionMatrix::from_counts(&[vec![1, 0]]).is_err());
    }

    proptest! {
        #[test]
        fn averages_are_consistent(items in prop::collection::vec((0_u8..4, 0_u8..4), 1..60)) {
            let (truth, predicted): (Vec<u8>, Vec<u8>) = items.into_iter().unzip();
            let matrix = ConfusionMatrix::from_labels(&truth, &predicted, &[0, 1, 2, 3]).unwrap();
            let micro = matrix.average(Average::Micro);
            let accuracy = matrix.accuracy();
            prop_assert_eq!([micro.precision, micro.recall, micro.f1], [accuracy; 3]);
            prop_assert!((matrix.average(Average::Weighted).recall - matrix.accuracy()).abs() < 1e-12);
            prop_assert!((-1.0..=1.0).contains(&matrix.matthews()));
            prop_assert_eq!(matrix.total(), truth.len() as u64);
            // Another order of labels renames nothing but positions.
            let permuted = ConfusionMatrix::from_labels(&truth, &predicted, &[2, 0, 3, 1]).unwrap();
            prop_assert!((permuted.matthews() - matrix.matthews()).abs() < 1e-12);
            prop_assert!((permuted.average(Average::Macro).f1 - matrix.average(Average::Macro).f1).abs() < 1e-12);
            prop_assert_eq!(permuted.support()[0], matrix.support()[2]);
        }
    }
}
