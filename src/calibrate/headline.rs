//! The κ that counts for a licence: against whom, over how many items.

use super::against::{Codes, Kappa, both, kappa, table};
use super::licence::Basis;
use super::reference::{Consensus, adjudicated, first_and_last};
use super::scale::{Measure, Scale};
use crate::stats::Alpha;
use crate::stats::kappa::Weighting;

/// The labels that a judge is held against.
pub(super) struct References {
    /// Whose they are.
    pub(super) basis: Basis,
    /// Of two columns the one counts with which the judge agrees less.
    pub(super) columns: Vec<Codes>,
}

/// κ against them.
pub(super) struct Headline {
    pub(super) kappa: Option<Kappa>,
    /// Share of items with the same label.
    pub(super) agreement: Option<f64>,
    /// Items that κ is over.
    pub(super) n: usize,
}

/// How labels of a scale are weighted: those in an order quadratically.
pub(super) const fn weighting(scale: &Scale) -> Weighting {
    match scale.measure {
        Measure::Ordered => Weighting::Quadratic,
        Measure::Unordered | Measure::Continuous => Weighting::Unweighted,
    }
}

/// Whose labels count, of the raters whose labels make the reference.
pub(super) fn references(
    columns: &[&Codes],
    settled: &[Option<u32>],
    (items, agreed): (usize, &Consensus),
    scale: &Scale,
) -> References {
    let of = |basis: Basis, columns: Vec<Codes>| References { basis, columns };
    if scale.measure == Measure::Continuous {
        return of(Basis::Nobody, Vec::new());
    }
    match columns {
        [] => of(Basis::Nobody, Vec::new()),
        [only] => of(Basis::OneRater, vec![(*only).clone()]),
        [first, second] => match adjudicated(columns, settled) {
            Some(found) => of(Basis::Adjudicated, vec![found]),
            None => of(Basis::SmallerOfTwo, vec![(*first).clone(), (*second).clone()]),
        },
        // With two labels an item, of changing people, a consensus would be the easy items: those they agree on.
        _ if 2 * agreed.counts.labelled_three_times < agreed.counts.labelled_twice() => {
            of(Basis::SmallerOfTwo, first_and_last(columns, items).into())
        }
        _ => of(Basis::Consensus, vec![agreed.labels.clone()]),
    }
}

impl References {
    /// The κ that counts for a judge.
    pub(super) fn headline(&self, grades: &Codes, scale: &Scale, alpha: Alpha) -> Headline {
        let one = |labels: &Codes| {
            let (labels, grades) = both(labels, grades);
            let counted = table(&labels, &grades, scale);
            Headline {
                kappa: counted.as_ref().map(|table| kappa(table, weighting(scale), alpha)),
                agreement: counted.as_ref().map(|table| table.agreements() as f64 / table.total() as f64),
                n: labels.len(),
            }
        };
        let value = |one: &Headline| one.kappa.map_or(f64::INFINITY, |kappa| kappa.value);
        // Of equal ones the first.
        let smaller = |least: Headline, next: Headline| if value(&next) < value(&least) { next } else { least };
        self.columns.iter().map(one).reduce(smaller).unwrap_or(Headline { kappa: None, agreement: None, n: 0 })
    }
}
