//! Estimates over a whole corpus that are no mean over its items: macro-F1, calibration error, AUC, …
//!
//! Each is a function of totals to which every item adds a few numbers ([`Corpus`]). So an estimate on resampled items,
//! or with the sides of some items exchanged, is recomputed from how often each *kind* of item occurs, and never from
//! the items themselves ([`PairedCorpus`]).

mod measures;
mod paired;

pub use measures::{LabelScore, Measure};
pub use paired::{Block, CorpusReplicates, PairedCorpus};

/// What one item, or a block of them, adds to the totals: (place, amount), places ascending, no amount 0.
pub type Entries = Vec<(u32, f64)>;

/// An estimate that is a function of totals.
pub trait Corpus: std::fmt::Debug + Send + Sync {
    /// How many totals there are.
    fn width(&self) -> usize;

    /// The estimate; NaN where the totals leave it undefined.
    fn estimate(&self, totals: &[f64]) -> f64;

    /// The most that a single item could do to the estimate by going from wrong to right; where the estimate is a mean
    /// over strata (the classes of a macro average) the root of the summed squares of what one item of each could do.
    ///
    /// It is the size of the pseudo pair that keeps an interval honest where few items changed: 1/n for a share of n.
    fn largest_step(&self, totals: &[f64]) -> f64;
}

/// Sorts entries by place and adds up those of one place.
fn merged(mut entries: Entries) -> Entries {
    entries.sort_by_key(|(place, _)| *place);
    entries.dedup_by(|(later, from), (place, into)| {
        let same = later == place;
        if same {
            *into += *from;
        }
        same
    });
    entries.retain(|(_, amount)| *amount != 0.0);
    entries
}
