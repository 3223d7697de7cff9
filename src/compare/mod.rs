//! Two records or tables → paired values per metric and slice → a [`Comparison`].
//!
//! Comparability is checked before any number is computed: sides whose pins differ are refused. Examples are put in
//! the order of their ids' bytes, so that the order of rows in a file has no influence on anything.

mod comparison;
mod error;
mod flips;
mod from_record;
mod from_table;
mod interval;
mod metric;
mod pairing;
mod side;
mod slices;
mod summary;

pub use comparison::{
    CellComparison, CellEvidence, CompareOptions, Comparison, IntervalMethod, MetricSummary, Missing, PassTable, Tests,
    compare,
};
pub use error::CompareError;
pub use flips::{Flip, Flips};
pub use from_record::side_of_record;
pub use from_table::{TableColumns, read_side};
pub use metric::{Estimate, MetricSpec, default_metrics};
pub use pairing::TrialRange;
pub use side::{Answers, Identity, Labels, MetricValues, Pins, Scored, Side};
pub use slices::{OVERALL, Slice, SliceKeys, slice_name, slices};
pub use summary::{MetricEstimate, summarise};
