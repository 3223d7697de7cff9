//! What a judge may be used for, and why.

use serde::{Deserialize, Serialize};

use super::against::Kappa;
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, Interval};

/// The fewest items with labels of two raters.
pub const MIN_ITEMS: usize = 50;
/// How many are recommended.
pub const RECOMMENDED_ITEMS: usize = 100;
/// From this κ on, absolute thresholds and comparisons.
pub const ABSOLUTE_KAPPA: f64 = 0.6;
/// From this κ on, comparisons; also the least agreement of the raters with each other.
pub const RELATIVE_KAPPA: f64 = 0.4;
/// For how many days a calibration counts.
pub const VALID_DAYS: i64 = 90;

/// A limit is reached also where rounding left a number just below it.
const ROUNDING: f64 = 1e-12;

/// What a judge may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Nothing.
    None,
    /// Comparisons of a head with a baseline.
    Relative,
    /// Absolute thresholds, and comparisons.
    Absolute,
}

impl Use {
    /// What a κ is good for.
    fn of(kappa: f64) -> Self {
        if kappa >= ABSOLUTE_KAPPA - ROUNDING {
            Self::Absolute
        } else if kappa >= RELATIVE_KAPPA - ROUNDING {
            Self::Relative
        } else {
            Self::None
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Relative => "comparisons only",
            Self::Absolute => "absolute thresholds and comparisons",
        }
    }
}

/// Whose labels κ is taken against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The label of most of three raters or more; ties left out.
    Consensus,
    /// The settled label of two raters.
    Adjudicated,
    /// The rater of two with whom the judge agrees less.
    SmallerOfTwo,
    /// The only rater there is.
    OneRater,
    /// Nobody's: there are no labels, or they are measurements.
    Nobody,
}

impl Basis {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Consensus => "the consensus of three raters or more",
            Self::Adjudicated => "the adjudicated label of two raters",
            Self::SmallerOfTwo => "the one of two raters with whom it agrees less",
            Self::OneRater => "the only rater",
            Self::Nobody => "nobody",
        }
    }
}

/// What a licence is decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Whose labels κ is taken against.
    pub basis: Basis,
    /// κ: quadratic where labels have a stated order.
    pub kappa: Option<Kappa>,
    /// Items that κ is over.
    pub compared: usize,
    /// Raters.
    pub raters: usize,
    /// Items with labels of two raters or more that the judge graded.
    pub items: usize,
    /// How far the raters agree among themselves; absent where that is not defined.
    pub inter_rater: Option<f64>,
    /// All labels of all raters are one and the same.
    pub degenerate: bool,
    /// A rater is a stand-in.
    pub stand_in: bool,
    /// Labels are measurements, for which there is no κ.
    pub continuous: bool,
}

/// What a judge may be used for, on what grounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// By the point estimate of κ.
    pub allows: Use,
    /// By the lower end of its interval, for `licence = "strict"`.
    pub strict: Use,
    /// Whose labels κ is taken against.
    pub basis: Basis,
    /// κ.
    pub kappa: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Items with labels of two raters or more that the judge graded.
    pub items: usize,
    /// Raters.
    pub raters: usize,
    /// How far the raters agree among themselves.
    pub inter_rater: Option<f64>,
    /// The raters are stand-ins, or some are: a gate accepts it only with `allow_stand_in = true`.
    pub stand_in: bool,
    /// Why, in words, the decisive one first.
    pub reasons: Vec<String>,
}

/// Decides.
#[must_use]
pub fn grant(evidence: &Evidence, alpha: Alpha) -> Licence {
    let refused = refusals(evidence);
    let kappa = evidence.kappa.filter(|kappa| !kappa.degenerate);
    let low = kappa.map(|kappa| lower_end(kappa, evidence.compared, alpha));
    let by = |value: Option<f64>| if refused.is_empty() { value.map_or(Use::None, Use::of) } else { Use::None };
    let (allows, strict) = (by(kappa.map(|kappa| kappa.value)), by(low));
    let mut reasons = refused;
    if reasons.is_empty()
        && let Some(kappa) = kappa
    {
        reasons.push(format!(
            "κ is {} against {}: {}",
            three(kappa.value),
            evidence.basis.words(),
            match allows {
                Use::Absolute => "at least .6, absolute thresholds and comparisons",
                Use::Relative => "at least .4 and below .6, comparisons only",
                Use::None => "below .4, nothing; mend the prompt, the rubric or the model",
            }
        ));
        if strict != allows
            && let Some(low) = low
        {
            reasons.push(format!(
                "the lower end of its interval is {}: under `licence = \"strict\"` {}",
                three(low),
                strict.words()
            ));
        }
        if evidence.items < RECOMMENDED_ITEMS {
            reasons.push(format!("{} items; {RECOMMENDED_ITEMS} are recommended", evidence.items));
        }
    }
    if evidence.stand_in {
        reasons
            .push("raters are stand-ins, not people: a gate takes this only with `allow_stand_in = true`".to_owned());
    }
    Licence {
        allows,
        strict,
        basis: evidence.basis,
        kappa: evidence.kappa.map(|kappa| kappa.value),
        interval: evidence.kappa.and_then(|kappa| kappa.interval),
        items: evidence.items,
        raters: evidence.raters,
        inter_rater: evidence.inter_rater,
        stand_in: evidence.stand_in,
        reasons,
    }
}

/// What rules a licence out, whatever κ is.
fn refusals(evidence: &Evidence) -> Vec<String> {
    let mut refused = Vec::new();
    if evidence.raters < 2 {
        refused.push(match evidence.raters {
            0 => "nobody labelled: two raters are needed".to_owned(),
            _ => "one rater only: two are needed, or nobody knows how far people agree".to_owned(),
        });
    }
    if evidence.continuous {
        refused.push(
            "grades are measurements, for which there is no κ: correlation is not agreement; state steps with --labels \
             or --scale, or pass and fail"
                .to_owned(),
        );
    }
    if evidence.raters >= 2 && evidence.items < MIN_ITEMS {
        refused.push(format!(
            "{} items with two labels and a grade: {MIN_ITEMS} are needed, {RECOMMENDED_ITEMS} recommended",
            evidence.items
        ));
    }
    if evidence.degenerate {
        refused.push(
            "all labels are one and the same (degenerate): nothing was tested; label items of all kinds".to_owned(),
        );
    } else if evidence.raters >= 2 && !evidence.continuous {
        match evidence.inter_rater {
            Some(value) if value < RELATIVE_KAPPA - ROUNDING => refused.push(format!(
                "raters agree with each other at {}, below .4: the rubric is ambiguous; mend it, then label again",
                three(value)
            )),
            Some(_) => {}
            None => refused.push("the raters have no items in common, so nobody knows how far they agree".to_owned()),
        }
    }
    if refused.is_empty() && evidence.kappa.is_none_or(|kappa| kappa.degenerate) {
        refused.push(if evidence.kappa.is_some() {
            "judge and raters use one and the same label throughout (degenerate): nothing was tested".to_owned()
        } else {
            "there is no item with both a label and a grade".to_owned()
        });
    }
    refused
}

/// The lower end of κ; where all agree κ has no standard error, and the lower end is that of the agreement itself.
fn lower_end(kappa: Kappa, compared: usize, alpha: Alpha) -> f64 {
    if let Some(interval) = kappa.interval {
        return interval.low;
    }
    if kappa.value < 1.0 - ROUNDING {
        return f64::NEG_INFINITY;
    }
    let agreement = Proportion::new(compared as u64, compared as u64).map_or(0.0, |all| all.wilson(alpha).low);
    (agreement - kappa.expected_agreement) / (1.0 - kappa.expected_agreement)
}

/// Three digits behind the point, cut and never rounded up: .5999 is not .6.
fn three(value: f64) -> String {
    let cut = libm::floor((value + ROUNDING) * 1000.0) / 1000.0;
    format!("{cut:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kappa(value: f64) -> Kappa {
        let interval = Some(Interval::around(value, 0.1));
        Kappa { value, interval, se: Some(0.05), expected_agreement: 0.5, degenerate: false }
    }

    fn good() -> Evidence {
        Evidence {
            basis: Basis::Consensus,
            kappa: Some(kappa(0.8)),
            compared: 120,
            raters: 3,
            items: 120,
            inter_rater: Some(0.7),
            degenerate: false,
            stand_in: false,
            continuous: false,
        }
    }

    fn allows(change: impl FnOnce(&mut Evidence)) -> (Use, Use) {
        let mut evidence = good();
        change(&mut evidence);
        let licence = grant(&evidence, Alpha::FIVE_PERCENT);
        assert!(!licence.reasons.is_empty());
        (licence.allows, licence.strict)
    }

    #[test]
    fn limits_hold_at_just_below_and_just_above() {
        for (value, expected) in [
            (0.600_001, Use::Absolute),
            (0.6, Use::Absolute),
            (0.1 + 0.2 + 0.3 - 1e-15, Use::Absolute),
            (0.599_99, Use::Relative),
            (0.4, Use::Relative),
            (0.399_99, Use::None),
            (-0.2, Use::None),
        ] {
            assert_eq!(allows(|e| e.kappa = Some(kappa(value))).0, expected, "{value}");
            assert_eq!(allows(|e| e.kappa = Some(kappa(value + 0.1))).1, expected, "strict {value}");
        }
        for (items, expected) in [(49, Use::None), (50, Use::Absolute), (51, Use::Absolute)] {
            assert_eq!(allows(|e| e.items = items).0, expected, "{items}");
        }
        for (raters, expected) in [(0, Use::None), (1, Use::None), (2, Use::Absolute), (3, Use::Absolute)] {
            assert_eq!(allows(|e| e.raters = raters).0, expected, "{raters}");
        }
        for (value, expected) in [(0.399_99, Use::None), (0.4, Use::Absolute), (0.400_01, Use::Absolute)] {
            assert_eq!(allows(|e| e.inter_rater = Some(value)).0, expected, "{value}");
        }
    }

    #[test]
    fn nothing_tested_is_nothing_earned() {
        assert_eq!(allows(|e| e.degenerate = true).0, Use::None);
        assert_eq!(allows(|e| e.kappa = None).0, Use::None);
        assert_eq!(allows(|e| e.inter_rater = None).0, Use::None);
        assert_eq!(allows(|e| e.continuous = true).0, Use::None);
        let degenerate = Some(Kappa { degenerate: true, ..kappa(1.0) });
        assert_eq!(allows(|e| e.kappa = degenerate).0, Use::None);
    }

    #[test]
    fn perfect_agreement_is_as_sure_as_its_number_of_items() {
        let perfect = |n: usize| {
            allows(|e| {
                e.kappa =
                    Some(Kappa { value: 1.0, interval: None, se: None, expected_agreement: 0.5, degenerate: false });
                e.compared = n;
            })
        };
        assert_eq!(perfect(100), (Use::Absolute, Use::Absolute));
        // Wilson's lower end of 10 of 10 is .72, and (.72 − .5)/.5 is .44.
        assert_eq!(perfect(10), (Use::Absolute, Use::Relative));
    }

    #[test]
    fn stand_ins_are_said() {
        let licence = grant(&Evidence { stand_in: true, ..good() }, Alpha::FIVE_PERCENT);
        assert!(licence.stand_in && licence.reasons.iter().any(|reason| reason.contains("not people")));
        assert_eq!(licence.allows, Use::Absolute);
        assert_eq!(three(0.599_999), "0.599");
        assert_eq!(three(0.6), "0.600");
    }
}
