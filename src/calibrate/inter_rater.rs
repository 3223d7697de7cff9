//! How far the raters agree among themselves.

use rayon::prelude::*;
use serde::Serialize;

use super::against::{Codes, Coefficients, Kappa, both, kappa, table};
use super::scale::{Measure, Scale};
use crate::stats::Alpha;
use crate::stats::alpha::{Level, krippendorff_alpha};
use crate::stats::correlation::{kendall, pearson, spearman};
use crate::stats::kappa::{Weighting, gwet_ac1};
use crate::stats::multirater::{Coefficient, Weights, agreement};
use crate::stats::ratings::Ratings;

/// Correlations of every two raters are made up to so many raters.
const MOST_CORRELATED: usize = 20;

/// Two raters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RaterPair {
    /// The first.
    pub first: String,
    /// The second.
    pub second: String,
    /// Items that both labelled.
    pub n: usize,
    /// Share of them with the same label.
    pub agreement: Option<f64>,
    /// Cohen's κ.
    pub kappa: Option<Kappa>,
    /// κ with quadratic weights, of ordered labels.
    pub quadratic_kappa: Option<Kappa>,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
    /// Spearman's ρ, of ordered labels and numbers.
    pub spearman: Option<f64>,
    /// Pearson's r.
    pub pearson: Option<f64>,
    /// Kendall's τ-b.
    pub kendall_tau_b: Option<f64>,
}

/// All raters together.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct InterRater {
    /// Items with labels of two raters or more.
    pub items: usize,
    /// Whether every rater labelled every item.
    pub complete: bool,
    /// Fleiss' κ; with gaps, its generalisation (Gwet 2014).
    pub fleiss_kappa: Option<Coefficients>,
    /// Krippendorff's α of labels as names.
    pub alpha_nominal: Option<Coefficients>,
    /// Krippendorff's α of labels in an order.
    pub alpha_ordinal: Option<Coefficients>,
    /// Krippendorff's α of numbers.
    pub alpha_interval: Option<Coefficients>,
    /// Gwet's AC1.
    pub ac1: Option<Coefficients>,
    /// Chance agreement of equally likely labels instead of the raters' own (Randolph's free-marginal κ).
    pub free_marginal_kappa: Option<f64>,
    /// The mean of the pairs' κ: quadratic where labels have a stated order.
    pub mean_kappa: Option<f64>,
    /// The coefficient that a licence looks at, by name.
    pub headline: Option<&'static str>,
    /// Its value.
    pub headline_value: Option<f64>,
    /// All labels of all raters are one and the same.
    pub degenerate: bool,
    /// Every two raters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<RaterPair>,
}

/// How far columns of labels agree.
pub(super) fn inter_rater(names: &[&str], columns: &[&Codes], scale: &Scale, alpha: Alpha) -> InterRater {
    if columns.len() < 2 {
        return InterRater::default();
    }
    let places: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|i| (i + 1..columns.len()).map(move |j| (i, j))).collect();
    let with_correlations = columns.len() <= MOST_CORRELATED;
    let pairs: Vec<RaterPair> = places
        .into_par_iter()
        .map(|(i, j)| pair((names[i], columns[i]), (names[j], columns[j]), scale, with_correlations, alpha))
        .collect();
    let mut found = InterRater { pairs, ..together(columns, scale, alpha) };
    let of_pair = |pair: &RaterPair| match scale.measure {
        Measure::Ordered => pair.quadratic_kappa,
        Measure::Unordered | Measure::Continuous => pair.kappa,
    };
    let kappas: Vec<f64> = found.pairs.iter().filter_map(|pair| of_pair(pair).map(|kappa| kappa.value)).collect();
    found.mean_kappa = (!kappas.is_empty()).then(|| kappas.iter().sum::<f64>() / kappas.len() as f64);
    let two = found.pairs.first().filter(|_| columns.len() == 2).and_then(of_pair);
    let value = |found: Option<Coefficients>| found.map(|found| found.value);
    let (name, headline) = match (scale.measure, two) {
        (Measure::Ordered, Some(two)) => ("quadratic kappa of the two", Some(two.value)),
        (Measure::Unordered, Some(two)) => ("kappa of the two", Some(two.value)),
        (Measure::Unordered, None) if found.complete => ("Fleiss' kappa", value(found.fleiss_kappa)),
        (Measure::Unordered, None) => ("Krippendorff's alpha, nominal", value(found.alpha_nominal)),
        (Measure::Ordered, None) => ("Krippendorff's alpha, ordinal", value(found.alpha_ordinal)),
        (Measure::Continuous, _) => ("Krippendorff's alpha, interval", value(found.alpha_interval)),
    };
    found.headline = headline.map(|_| name);
    found.headline_value = headline;
    found
}

fn together(columns: &[&Codes], scale: &Scale, alpha: Alpha) -> InterRater {
    let items = columns[0].len();
    let at_least_two = (0..items).filter(|&item| columns.iter().filter(|column| column[item].is_some()).count() >= 2);
    let (items_rated_twice, complete) =
        (at_least_two.count(), columns.iter().all(|column| column.iter().all(Option::is_some)));
    let mut used = vec![false; scale.codes];
    columns.iter().flat_map(|column| column.iter().flatten()).for_each(|&code| used[code as usize] = true);
    let degenerate = used.iter().filter(|used| **used).count() == 1;
    let ratings = |value: &dyn Fn(u32) -> f64| {
        let units: Vec<Vec<f64>> =
            (0..items).map(|item| columns.iter().filter_map(|column| column[item]).map(value).collect()).collect();
        Ratings::from_units(&units).ok()
    };
    // Tallies are made once: they cost more than the coefficients.
    let codes = ratings(&f64::from);
    let every: Vec<f64> = (0..scale.codes).map(|code| code as f64).collect();
    let full = codes.clone().and_then(|codes| codes.with_categories(&every).ok());
    let chance = |coefficient| {
        let found = agreement(full.as_ref()?, coefficient, Weights::Identity, alpha).ok()?;
        Some((found.observed, Coefficients { value: found.value, interval: found.interval }))
    };
    let level = |ratings: Option<&Ratings>, level| {
        let found = krippendorff_alpha(ratings?, level, alpha).ok()?;
        Some(Coefficients { value: found.alpha, interval: found.interval })
    };
    let is_named = scale.measure != Measure::Continuous;
    let has_order = scale.measure != Measure::Unordered || (scale.codes > 2 && !scale.stated);
    let numbers = scale.numbers.as_ref().filter(|_| has_order);
    let numeric = numbers.and_then(|numbers| ratings(&|code| numbers[code as usize]));
    let fleiss = is_named.then(|| chance(Coefficient::Fleiss)).flatten();
    let labels = scale.codes as f64;
    InterRater {
        items: items_rated_twice,
        complete,
        degenerate,
        fleiss_kappa: fleiss.map(|(_, found)| found),
        alpha_nominal: is_named.then(|| level(codes.as_ref(), Level::Nominal)).flatten(),
        alpha_ordinal: level(numeric.as_ref(), Level::Ordinal),
        alpha_interval: level(numeric.as_ref(), Level::Interval),
        ac1: is_named.then(|| chance(Coefficient::Gwet)).flatten().map(|(_, found)| found),
        free_marginal_kappa: fleiss
            .filter(|_| complete && scale.codes > 1)
            .map(|(observed, _)| (observed - 1.0 / labels) / (1.0 - 1.0 / labels)),
        ..InterRater::default()
    }
}

fn pair(first: (&str, &Codes), second: (&str, &Codes), scale: &Scale, correlated: bool, alpha: Alpha) -> RaterPair {
    let (a, b) = both(first.1, second.1);
    let counted = table(&a, &b, scale);
    let is_ordered = scale.measure == Measure::Ordered;
    let numbers = scale.numbers.as_ref().filter(|_| correlated && scale.measure != Measure::Unordered);
    let (x, y): (Vec<f64>, Vec<f64>) = numbers.map_or_else(Default::default, |numbers| {
        a.iter().zip(&b).map(|(&a, &b)| (numbers[a as usize], numbers[b as usize])).unzip()
    });
    RaterPair {
        first: first.0.to_owned(),
        second: second.0.to_owned(),
        n: a.len(),
        agreement: counted.as_ref().map(|table| table.agreements() as f64 / table.total() as f64),
        kappa: counted.as_ref().map(|table| kappa(table, Weighting::Unweighted, alpha)),
        quadratic_kappa: counted.as_ref().filter(|_| is_ordered).map(|table| kappa(table, Weighting::Quadratic, alpha)),
        ac1: counted.as_ref().and_then(gwet_ac1),
        spearman: spearman(&x, &y, alpha).ok().map(|found| found.coefficient),
        pearson: pearson(&x, &y, alpha).ok().map(|found| found.coefficient),
        kendall_tau_b: kendall(&x, &y, alpha).ok().map(|found| found.tau_b),
    }
}
