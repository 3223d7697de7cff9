//! Looking before all data are in.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{Found, Rows};
use super::sheet::{Entry, Sheet};
use crate::stats::confidence_sequence::{betting, empirical_bernstein, hoeffding};
use crate::stats::sequential::{SequentialDesign, Spending, alpha_spending, obrien_fleming, pocock};
use crate::stats::{Alpha, Result};
use crate::table::Want;

/// Steps of the grid of candidate means of a betting sequence.
const GRID: usize = 1_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct LooksArgs {
    /// Equally spaced looks
    #[arg(long, value_name = "K", required_unless_present = "fractions")]
    looks: Option<usize>,
    /// The shape of the boundary
    #[arg(long, value_enum, default_value_t = Boundary::ObrienFleming)]
    boundary: Boundary,
    /// Shares of all data at each look, ascending to 1: alpha is spent (Lan 1983) in the shape of the boundary
    #[arg(long, value_name = "T,…", value_delimiter = ',')]
    fractions: Vec<f64>,
}

/// Shapes of a stopping boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Boundary {
    /// Strict at first, nearly the plain level at the end
    ObrienFleming,
    /// The same at every look
    Pocock,
}

impl Boundary {
    pub(in crate::cli) fn design(self, looks: usize, alpha: Alpha) -> Result<SequentialDesign> {
        match self {
            Self::ObrienFleming => obrien_fleming(looks, alpha),
            Self::Pocock => pocock(looks, alpha),
        }
    }

    const fn spending(self) -> Spending {
        match self {
            Self::ObrienFleming => Spending::OBrienFleming,
            Self::Pocock => Spending::Pocock,
        }
    }
}

/// `stats group-sequential`
pub(super) fn looks(args: &LooksArgs, alpha: Alpha) -> Found<Sheet> {
    let design = match args.looks {
        Some(looks) if args.fractions.is_empty() => args.boundary.design(looks, alpha)?,
        _ => alpha_spending(args.boundary.spending(), &args.fractions, alpha)?,
    };
    let rows = (0..design.bounds.len()).map(|look| {
        let entry = Entry::new().put("look", look + 1);
        let entry = match args.fractions.get(look) {
            Some(fraction) => entry.put("fraction", fraction),
            None => entry,
        };
        entry
            .put("bound_z", design.bounds[look])
            .put("nominal_p", design.nominal_p[look])
            .put("alpha_spent", design.cumulative_alpha[look])
    });
    let entry = Entry::new().put("alpha", alpha.get()).put("looks", design.bounds.len());
    let method = match (args.boundary, args.fractions.is_empty()) {
        (Boundary::ObrienFleming, true) => "O'Brien & Fleming 1979, two-sided",
        (Boundary::Pocock, true) => "Pocock 1977, two-sided",
        (Boundary::ObrienFleming, false) => "Lan & DeMets 1983, O'Brien–Fleming spending, two-sided",
        (Boundary::Pocock, false) => "Lan & DeMets 1983, Pocock spending, two-sided",
    };
    Ok(Sheet::new(entry).method(method).table("bounds", rows.collect(), &[]))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SequenceArgs {
    /// A table with one row an observation, in the order in which they came
    file: PathBuf,
    /// Column of the observation, 0 to 1
    #[arg(long, value_name = "COLUMN")]
    score: String,
}

/// `stats confidence-sequence`
pub(super) fn sequence(args: &SequenceArgs, alpha: Alpha) -> Found<Sheet> {
    let rows = Rows::read(&args.file, &[(&args.score, Want::Number)])?;
    let complete = rows.complete(&[0]);
    let values = rows.values(0, &complete);
    let running = betting(&values, alpha, GRID)?;
    let last = |sequence: Vec<crate::stats::Interval>| sequence.last().copied();
    let entry = Entry::new()
        .put("mean", crate::stats::mean::mean(&values)?)
        .put("interval", running.last())
        .put("n", values.len())
        .put("left_out", rows.len() - complete.len())
        .put("empirical_bernstein", last(empirical_bernstein(&values, alpha)?))
        .put("hoeffding", last(hoeffding(&values, alpha)?));
    Ok(Sheet::new(entry).confidence(alpha).hidden("running", &running))
}
