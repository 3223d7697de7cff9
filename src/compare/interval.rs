//! The interval of a paired difference, by the method that was asked for.

use super::comparison::{CellEvidence, CompareOptions, IntervalMethod};
use super::corpus::{CORPUS_METHOD, CorpusEvidence};
use crate::stats::bootstrap::{
    ClusterTotal, Replicates, Resampling, mean_replicates, ratio_acceleration, ratio_replicates,
};
use crate::stats::sign_flip::Changes;
use crate::stats::special::normal_quantile;
use crate::stats::{Alpha, Interval, Result, StatError};

impl CellEvidence {
    /// The change for the better on a 0..1 scale, where there is one.
    #[must_use]
    pub fn mean_change(&self) -> Option<f64> {
        self.corpus.as_ref().map_or_else(|| self.change.mean().ok(), CorpusEvidence::change)
    }

    /// What the joint sign flips need: the changes, and where a drop is tolerated how they compare with it.
    #[must_use]
    pub fn changes(&self) -> Changes {
        match (&self.corpus, &self.beyond) {
            (Some(corpus), _) => corpus.changes(),
            (None, Some(beyond)) => Changes::Sum(beyond.clone()),
            (None, None) => Changes::Sum(self.moved.clone()),
        }
    }

    /// The default interval of the change for the better, on a 0..1 scale: Tango where there is a table of passes, else t
    /// on blocks with one pseudo pair ±1/√k; of an estimate over the corpus the percentile one. `None` without data.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Option<(Interval, &'static str)> {
        if let Some(corpus) = &self.corpus {
            return corpus.interval(alpha).map(|interval| (interval, CORPUS_METHOD));
        }
        if let Some(table) = self.table {
            return Some((table.tango(alpha), "tango"));
        }
        if self.change.blocks() == 0 {
            return None;
        }
        let pseudo = 1.0 / f64::from(self.trials.max(1)).sqrt();
        self.change.with_pseudo_pair(pseudo).t_interval(alpha).ok().map(|interval| (interval.clipped(-1.0, 1.0), "t"))
    }
}

/// The interval of the change for the better on a 0..1 scale, with the name of its method; `None` without data.
pub(super) fn of_difference(
    evidence: &CellEvidence,
    blocks: &dyn Fn() -> Vec<(f64, f64)>,
    options: &CompareOptions,
) -> Result<Option<(Interval, &'static str)>> {
    let alpha = options.alpha;
    if evidence.change.blocks() == 0 {
        return Ok(None);
    }
    let table = || evidence.table.ok_or(StatError::Undefined("needs 0/1 scores of one trial without groups"));
    Ok(Some(match options.interval {
        IntervalMethod::Auto => return Ok(evidence.interval(alpha)),
        IntervalMethod::Tango => (table()?.tango(alpha), "tango"),
        IntervalMethod::Newcombe => (table()?.newcombe(alpha), "newcombe"),
        IntervalMethod::Wald => {
            let half = normal_quantile(1.0 - 0.5 * alpha.get()) * evidence.change.standard_error()?;
            (Interval::around(evidence.change.mean()?, half), "wald")
        }
        IntervalMethod::Bootstrap => {
            let blocks = blocks();
            (replicates(&blocks, options.seed)?.percentile(options.alpha)?, "bootstrap")
        }
        IntervalMethod::Bca => {
            let blocks = blocks();
            (bca(&blocks, options)?, "bca")
        }
    }))
}

/// The percentile bootstrap over blocks: of the mean where every block is one example, else of the ratio mean.
fn replicates(blocks: &[(f64, f64)], seed: u64) -> Result<Replicates> {
    if blocks.iter().all(|(_, size)| *size == 1.0) {
        let changes: Vec<f64> = blocks.iter().map(|(sum, _)| *sum).collect();
        return mean_replicates(&changes, Resampling::seeded(seed));
    }
    let totals: Vec<_> = blocks.iter().map(|&(sum, weight)| ClusterTotal { sum, weight }).collect();
    ratio_replicates(&totals, Resampling::seeded(seed))
}

fn bca(blocks: &[(f64, f64)], options: &CompareOptions) -> Result<Interval> {
    let replicates = replicates(blocks, options.seed)?;
    let totals: Vec<_> = blocks.iter().map(|&(sum, weight)| ClusterTotal { sum, weight }).collect();
    Ok(replicates.bca(options.alpha, ratio_acceleration(&totals)?)?.interval)
}
