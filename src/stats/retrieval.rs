//! Retrieval quality of one ranked list, and means over queries.
//!
//! A document is relevant when its judged grade is above 0; unjudged documents and negative grades count as grade 0. A
//! query without relevant documents scores 0 in every measure, as in `trec_eval`; [`RankedQuery::relevant`] tells it
//! apart.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::error::{Result, StatError, all_finite, at_least};

/// How much a grade is worth in a discounted cumulative gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// The grade itself (Järvelin and Kekäläinen 2002).
    Linear,
    /// 2^grade − 1 (Burges et al. 2005).
    Exponential,
}

/// The grades of a ranked list with the grades of all judged documents of its query.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedQuery {
    /// Grades of the retrieved documents, best rank first.
    retrieved: Vec<f64>,
    /// Positive grades of all judged documents, retrieved or not, in descending order.
    ideal: Vec<f64>,
}

/// Grades above this would overflow the exponential gain.
const HIGHEST_GRADE: f64 = 1000.0;

fn clean(grade: f64) -> Result<f64> {
    all_finite("grade", &[grade])?;
    if grade > HIGHEST_GRADE {
        return Err(StatError::OutOfRange { what: "grade", value: grade, range: "at most 1000" });
    }
    Ok(grade.max(0.0))
}

impl RankedQuery {
    /// A query from the identifiers of the retrieved documents, best rank first, and the judged grades.
    ///
    /// The ranking must be complete in itself: ties in a retrieval score are to be broken by whoever ranks.
    ///
    /// # Errors
    /// [`StatError::Undefined`] when a document is retrieved twice, [`StatError::TooFew`] without any judgement,
    /// [`StatError::OutOfRange`] for a grade that is not finite or above 1000.
    pub fn from_ids<K: Eq + Hash>(ranked: &[K], grades: &HashMap<K, f64>) -> Result<Self> {
        let mut seen = HashSet::with_capacity(ranked.len());
        if !ranked.iter().all(|id| seen.insert(id)) {
            return Err(StatError::Undefined("a document is retrieved twice"));
        }
        let retrieved: Vec<f64> = ranked.iter().map(|id| grades.get(id).copied().unwrap_or(0.0)).collect();
        let judged: Vec<f64> = grades.values().copied().collect();
        Self::from_grades(&retrieved, &judged)
    }

    /// A query from the grades of the retrieved documents, best rank first (0 where unjudged), and the grades of all
    /// judged documents of the query in any order.
    ///
    /// # Errors
    /// [`StatError::TooFew`] without any judgement, [`StatError::OutOfRange`] for a grade that is not finite or above
    /// 1000, [`StatError::Undefined`] when more relevant documents are retrieved than judged.
    pub fn from_grades(retrieved: &[f64], judged: &[f64]) -> Result<Self> {
        at_least("judged documents", 1, judged.len())?;
        let retrieved: Vec<f64> = retrieved.iter().map(|&grade| clean(grade)).collect::<Result<_>>()?;
        let mut ideal: Vec<f64> = judged.iter().map(|&grade| clean(grade)).collect::<Result<_>>()?;
        ideal.retain(|&grade| grade > 0.0);
        ideal.sort_unstable_by(|a, b| b.total_cmp(a));
        if retrieved.iter().filter(|&&grade| grade > 0.0).count() > ideal.len() {
            return Err(StatError::Undefined("more relevant documents are retrieved than judged"));
        }
        Ok(Self { retrieved, ideal })
    }

    /// Number of relevant documents among the judged ones.
    #[must_use]
    pub const fn relevant(&self) -> usize {
        self.ideal.len()
    }

    fn hits(&self, k: usize) -> Result<f64> {
        check_depth(k)?;
        Ok(self.retrieved.iter().take(k).filter(|&&grade| grade > 0.0).count() as f64)
    }

    /// Relevant documents among the first `k` ranks, divided by `k` also when fewer were retrieved.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for `k == 0`.
    pub fn precision_at(&self, k: usize) -> Result<f64> {
        Ok(self.hits(k)? / k as f64)
    }

    /// Share of the relevant documents found among the first `k` ranks.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for `k == 0`.
    pub fn recall_at(&self, k: usize) -> Result<f64> {
        let hits = self.hits(k)?;
        Ok(if self.ideal.is_empty() { 0.0 } else { hits / self.ideal.len() as f64 })
    }

    /// Whether a relevant document stands among the first `k` ranks.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for `k == 0`.
    pub fn hit_at(&self, k: usize) -> Result<bool> {
        Ok(self.hits(k)? > 0.0)
    }

    /// One over the rank of the first relevant document, 0 without one.
    #[must_use]
    pub fn reciprocal_rank(&self) -> f64 {
        self.retrieved.iter().position(|&grade| grade > 0.0).map_or(0.0, |above| 1.0 / (above + 1) as f64)
    }

    /// Average precision: the precision at the rank of each relevant document, 0 for those not retrieved, averaged over
    /// all relevant documents (Buckley and Voorhees 2000).
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        if self.ideal.is_empty() {
            return 0.0;
        }
        let (mut hits, mut sum) = (0.0, 0.0);
        for (above, _) in self.retrieved.iter().enumerate().filter(|(_, grade)| **grade > 0.0) {
            hits += 1.0;
            sum += hits / (above + 1) as f64;
        }
        sum / self.ideal.len() as f64
    }

    /// Discounted cumulative gain of the first `k` ranks: Σ gain / log2(rank + 1).
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for `k == 0`.
    pub fn dcg_at(&self, k: usize, gain: Gain) -> Result<f64> {
        check_depth(k)?;
        Ok(discounted_gain(&self.retrieved, k, gain))
    }

    /// Discounted cumulative gain of the first `k` ranks over that of the best order of all judged documents.
    ///
    /// ```
    /// use evalgauge::stats::retrieval::{Gain, RankedQuery};
    /// // The worked example of the Wikipedia article on discounted cumulative gain, whose DCG is 6.861.
    /// let grades = [3.0, 2.0, 3.0, 0.0, 1.0, 2.0];
    /// let query = RankedQuery::from_grades(&grades, &grades)?;
    /// assert!((query.dcg_at(6, Gain::Linear)? - 6.861).abs() < 5e-4);
    /// assert!((query.ndcg_at(6, Gain::Linear)? - 0.961).abs() < 5e-4);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for `k == 0`.
    pub fn ndcg_at(&self, k: usize, gain: Gain) -> Result<f64> {
        let ideal = discounted_gain(&self.ideal, k, gain);
        let gained = self.dcg_at(k, gain)?;
        // The same terms in another order may round to just above the ideal.
        Ok(if ideal > 0.0 { (gained / ideal).min(1.0) } else { 0.0 })
    }
}

fn check_depth(k: usize) -> Result<()> {
    if k == 0 { Err(StatError::OutOfRange { what: "k", value: 0.0, range: "1.." }) } else { Ok(()) }
}

fn discounted_gain(grades: &[f64], k: usize, gain: Gain) -> f64 {
    let worth = |grade: f64| match gain {
        Gain::Linear => grade,
        Gain::Exponential => libm::exp2(grade) - 1.0,
    };
    grades.iter().take(k).enumerate().map(|(above, &grade)| worth(grade) / libm::log2((above + 2) as f64)).sum()
}

fn mean_over(queries: &[RankedQuery], measure: impl Fn(&RankedQuery) -> Result<f64>) -> Result<f64> {
    at_least("queries", 1, queries.len())?;
    let sum = queries.iter().map(measure).sum::<Result<f64>>()?;
    Ok(sum / queries.len() as f64)
}

/// Mean reciprocal rank over queries, those without a relevant document counting 0.
///
/// # Errors
/// [`StatError::TooFew`] without queries.
pub fn mean_reciprocal_rank(queries: &[RankedQuery]) -> Result<f64> {
    mean_over(queries, |query| Ok(query.reciprocal_rank()))
}

/// Mean average precision over queries, those without a relevant document counting 0.
///
/// # Errors
/// [`StatError::TooFew`] without queries.
pub fn mean_average_precision(queries: &[RankedQuery]) -> Result<f64> {
    mean_over(queries, |query| Ok(query.average_precision()))
}

/// Mean normalised discounted cumulative gain at `k` over queries, those without a relevant document counting 0.
///
/// # Errors
/// [`StatError::TooFew`] without queries, [`StatError::OutOfRange`] for `k == 0`.
pub fn mean_ndcg(queries: &[RankedQuery], k: usize, gain: Gain) -> Result<f64> {
    mean_over(queries, |query| query.ndcg_at(k, gain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_that_were_not_retrieved_still_count() {
        let grades = HashMap::from([("a", 1.0), ("b", 1.0), ("c", 0.0), ("d", 2.0)]);
        let query = RankedQuery::from_ids(&["x", "a", "c", "d"], &grades).unwrap();
        assert_eq!(query.relevant(), 3);
        assert_eq!(query.precision_at(10).unwrap(), 0.2);
        assert!((query.recall_at(4).unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(query.reciprocal_rank(), 0.5);
        assert!((query.average_precision() - (0.5 + 0.5) / 3.0).abs() < 1e-15);
        assert!(!query.hit_at(1).unwrap() && query.hit_at(2).unwrap());
        let ideal = 2.0 + 1.0 / 3.0_f64.log2() + 0.5;
        let gained = 1.0 / 3.0_f64.log2() + 2.0 / 5.0_f64.log2();
        assert!((query.ndcg_at(4, Gain::Linear).unwrap() - gained / ideal).abs() < 1e-15);
    }

    #[test]
    fn without_relevant_documents_everything_is_zero() {
        let query = RankedQuery::from_grades(&[0.0, -1.0], &[0.0, -1.0]).unwrap();
        let empty = RankedQuery::from_grades(&[], &[1.0]).unwrap();
        for query in [&query, &empty] {
            assert_eq!(query.recall_at(3).unwrap(), 0.0);
            assert_eq!(query.reciprocal_rank(), 0.0);
            assert_eq!(query.average_precision(), 0.0);
            assert_eq!(query.ndcg_at(3, Gain::Exponential).unwrap(), 0.0);
        }
        assert_eq!(query.relevant(), 0);
    }

    #[test]
    fn means_are_over_queries() {
        let first = RankedQuery::from_grades(&[1.0], &[1.0]).unwrap();
        let third = RankedQuery::from_grades(&[0.0, 0.0, 1.0], &[1.0]).unwrap();
        let queries = [first, third];
        assert!((mean_reciprocal_rank(&queries).unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert!((mean_average_precision(&queries).unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert!((mean_ndcg(&queries, 5, Gain::Linear).unwrap() - 0.75).abs() < 1e-15);
        assert!(mean_reciprocal_rank(&[]).is_err());
        assert!(mean_ndcg(&queries, 0, Gain::Linear).is_err());
    }

    #[test]
    fn malformed_rankings_are_refused() {
        let grades = HashMap::from([("a", 1.0)]);
        assert!(matches!(RankedQuery::from_ids(&["a", "a"], &grades), Err(StatError::Undefined(_))));
        assert!(matches!(RankedQuery::from_ids(&["a"], &HashMap::new()), Err(StatError::TooFew { .. })));
        assert!(RankedQuery::from_grades(&[1.0], &[0.0]).is_err());
        assert!(RankedQuery::from_grades(&[f64::NAN], &[1.0]).is_err());
        assert!(RankedQuery::from_grades(&[], &[1e9]).is_err());
        let query = RankedQuery::from_grades(&[1.0], &[1.0]).unwrap();
        assert!(query.precision_at(0).is_err() && query.recall_at(0).is_err() && query.hit_at(0).is_err());
        assert!(query.ndcg_at(0, Gain::Linear).is_err() && query.dcg_at(0, Gain::Linear).is_err());
    }

    proptest! {
        #[test]
        fn measures_are_shares_and_the_ideal_order_is_best(
            grades in prop::collection::vec(0_u8..4, 1..20),
            extra in prop::collection::vec(0_u8..4, 0..5),
            k in 1_usize..25,
        ) {
            let retrieved: Vec<f64> = grades.iter().map(|&g| f64::from(g)).collect();
            let judged: Vec<f64> = grades.iter().chain(&extra).map(|&g| f64::from(g)).collect();
            let query = RankedQuery::from_grades(&retrieved, &judged).unwrap();
            for gain in [Gain::Linear, Gain::Exponential] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&query.ndcg_at(k, gain).unwrap()));
            }
            let mut sorted = judged.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let best = RankedQuery::from_grades(&sorted, &judged).unwrap();
            if best.relevant() > 0 {
                prop_assert!((best.ndcg_at(k, Gain::Exponential).unwrap() - 1.0).abs() < 1e-12);
                prop_assert_eq!(best.average_precision(), 1.0);
            }
            prop_assert!(query.average_precision() <= best.average_precision() + 1e-12);
            prop_assert!(query.recall_at(k).unwrap() <= best.recall_at(k).unwrap());
        }
    }
}
