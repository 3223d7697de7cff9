//! One question before all pairs: do the candidates differ at all?

use serde::Serialize;

use super::super::comparison::Blocks;
use super::super::side::{MetricValues, Scored};
use crate::stats::nonparametric::within_items;
use crate::stats::paired::cochran_q;

/// Draws of a test by permutation: the smallest p is 1 in 2,001.
const DRAWS: u64 = 2_000;

/// From so many examples on which the candidates differ Q is read off χ². Tate & Brown (1970) ask for four, and 24 scores
/// in them, which these have with two candidates already.
const INFORMATIVE_EXAMPLES: usize = 16;

/// A test of "all candidates are alike".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Omnibus {
    /// Which test.
    pub test: &'static str,
    /// Its statistic.
    pub statistic: f64,
    /// Degrees of freedom, where the p is of χ².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub df: Option<u64>,
    /// How often scores were shuffled, where the p is of a permutation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draws: Option<u64>,
    /// The p.
    pub p: f64,
}

/// The value of an example, and whether it is one of two.
fn value(metric: &MetricValues, row: usize) -> Option<f64> {
    let scored: Vec<&Scored> = metric.of(row).iter().flatten().collect();
    let passed = scored.iter().filter(|scored| scored.passed).count() as u32;
    metric.aggregate.of(&scored.iter().map(|scored| scored.value).collect::<Vec<_>>(), passed)
}

/// Cochran's Q where every example is one trial of 0/1 without groups and the candidates differ on enough of them, else a
/// permutation of whole blocks (of 0/1 scores the same statistic); in words, why there is none.
pub(super) fn omnibus(metrics: &[&MetricValues], blocks: &Blocks, seed: u64) -> Result<Omnibus, String> {
    let first = metrics[0];
    if first.seen.is_some() {
        let name = first.estimate.name();
        return Err(format!("none: there is no such test for `{name}`, which is no mean over examples; see the pairs"));
    }
    let scored = |metric: &MetricValues, row: usize| metric.of(row).iter().flatten().count();
    let differ = |row: usize| metrics.iter().any(|metric| scored(metric, row) != scored(first, row));
    if (0..blocks.of.len()).any(differ) {
        // A mean of one trial and a mean of five are not exchangeable, however alike the candidates are.
        return Err("none: the candidates have different numbers of trials".to_owned());
    }
    let rows: Vec<(u32, Vec<f64>)> = (0..blocks.of.len())
        .filter_map(|row| Some((blocks.of[row], metrics.iter().map(|m| value(m, row)).collect::<Option<_>>()?)))
        .collect();
    let one_trial = |metric: &MetricValues| (0..blocks.of.len()).all(|row| scored(metric, row) < 2);
    let is_binary = |metric: &&MetricValues| metric.aggregate.is_binary() || metric.is_binary() && one_trial(metric);
    let informative = rows.iter().filter(|(_, values)| values.iter().any(|value| *value != values[0])).count();
    if informative >= INFORMATIVE_EXAMPLES && !blocks.grouped && metrics.iter().all(is_binary) {
        let best = if first.aggregate.is_binary() { 1.0 } else { first.scale.best() };
        let passes: Vec<Vec<bool>> =
            rows.iter().map(|(_, values)| values.iter().map(|value| *value == best).collect()).collect();
        return match cochran_q(&passes) {
            Ok(q) => {
                Ok(Omnibus { test: "cochran-q", statistic: q.statistic, df: Some(q.df as u64), draws: None, p: q.p })
            }
            Err(error) => Err(format!("none: {error}")),
        };
    }
    let mut sums: std::collections::BTreeMap<u32, Vec<f64>> = std::collections::BTreeMap::new();
    for (block, values) in rows {
        let sum = sums.entry(block).or_insert_with(|| vec![0.0; metrics.len()]);
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    let sums: Vec<Vec<f64>> = sums.into_values().collect();
    match within_items(&sums, DRAWS, seed) {
        Ok(test) => Ok(Omnibus {
            test: "permutation-within-examples",
            statistic: test.statistic,
            df: None,
            draws: Some(test.draws),
            p: test.p,
        }),
        Err(error) => Err(format!("none: {error}")),
    }
}
