//! Two records or tables → paired values per metric and slice → a [`Comparison`].
//!
//! Comparability is checked before any number is computed: sides whose pins differ are refused. Examples are put in
//! the order of their ids' bytes, so that the order of rows in a file has no influence on anything.

mod aggregate;
mod cell;
mod comparison;
mod contest;
mod corpus;
mod error;
mod estimate;
mod flips;
mod from_record;
mod from_table;
mod interval;
mod length;
mod measure;
mod metric;
mod paired_metric;
mod noise;
mod pairing;
mod side;
mod slices;
mod spending;
mod summary;
mod watched;

pub use aggregate::Aggregate;
pub use comparison::{
    CellComparison, CellEvidence, CompareOptions, Comparison, IntervalMethod, MetricSummary, Missing, PassTable, Tests,
    Tolerances, compare,
};
pub use contest::{
    Contest, ContestOptions, Entrant, Holdout, MOST_CANDIDATES, Omnibus, Pairwise, Parts, Player, SliceWinner,
    Standing, Standings, Strengths, contest, parts,
};
pub use corpus::{CORPUS_METHOD, CORPUS_RESAMPLES, CorpusEvidence};
pub use error::CompareError;
pub use estimate::{Estimate, Needs};
pub use flips::{Flip, Flips};
pub use from_record::{judges_of, numbers_of_record, side_of_record};
pub use from_table::{TableColumns, read_side};
pub use length::{BucketScores, JudgedScores, LengthBucket, LengthProfile, LengthTrend, lengths};
pub use measure::{Measure, Measured, PairedMeasure, measured};
pub use metric::{MetricSpec, default_metrics};
pub use noise::noise_floor;
pub use pairing::TrialRange;
pub use side::{Answers, Identity, JudgedBy, Labels, MetricValues, Pins, Scored, Seen, SeenTrials, Side};
pub use slices::{OVERALL, Slice, SliceKeys, slice_name, slices};
pub use spending::{CostQuality, Reliability, Spending, pareto_front, reliability, spending};
pub use summary::{Confusion, MetricEstimate, confusions, summarise};
pub use watched::Watched;
