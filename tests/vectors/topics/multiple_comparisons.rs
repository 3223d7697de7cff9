//! Topic 10: adjusted p-values.

use evalgauge::stats::multiplicity::{Adjustment, adjust, rejected};
use serde_json::{Map, json};

use super::inputs::{alpha, answer, numbers};
use crate::{Answer, Case};

const NAMES: [(&str, Adjustment); 8] = [
    ("bonferroni", Adjustment::Bonferroni),
    ("sidak", Adjustment::Sidak),
    ("holm", Adjustment::Holm),
    ("holm_sidak", Adjustment::HolmSidak),
    ("hommel", Adjustment::Hommel),
    ("simes_hochberg", Adjustment::Hochberg),
    ("fdr_bh", Adjustment::BenjaminiHochberg),
    ("fdr_by", Adjustment::BenjaminiYekutieli),
];

/// Answers `multipletests`.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    (case.function == "multipletests").then(|| {
        answer(alpha(case.inputs).and_then(|alpha| {
            let p = numbers(&case.inputs["p"]);
            let mut out = Map::new();
            for (name, method) in NAMES {
                let adjusted = adjust(&p, method)?;
                out.insert(name.to_owned(), json!({"reject": rejected(&adjusted, alpha), "adjusted": adjusted}));
            }
            Ok(out.into())
        }))
    })
}
