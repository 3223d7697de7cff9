//! `calibrations.jsonl`: every calibration of a judge, what still counts, and how κ moved.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, JudgeCalibration};
use super::licence::{Licence, VALID_DAYS};
use super::scale::Measure;
use crate::judge::RaterKind;
use crate::stats::Interval;
use crate::stats::judge_bias::JudgeTable;
use crate::stats::ppi::LabelledMoments;

/// What a licence is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256 over the judge's settings and prompt.
    pub judge: String,
    /// The model, by name.
    pub model: String,
    /// SHA-256 over who answers and with which parameters.
    pub model_sha256: String,
    /// SHA-256 of the prompt template.
    pub prompt_sha256: String,
    /// The engine that renders prompts, with its version.
    pub engine: String,
}

/// Where the grades came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradesFrom {
    /// A file, a run's id, or `live`.
    pub source: String,
    /// SHA-256 of the grades.
    pub sha256: String,
}

/// A rater, as a line keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaterLine {
    /// The name.
    pub name: String,
    /// A person or a stand-in.
    pub kind: RaterKind,
    /// Items labelled.
    pub n: usize,
}

/// A dimension, as a line keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DimensionLine {
    /// Items that κ is over.
    pub n: usize,
    /// Who labelled.
    pub raters: Vec<RaterLine>,
    /// `cohen`, or `quadratic` of labels in an order.
    pub coefficient: String,
    /// κ that counts.
    pub kappa: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Its standard error.
    pub se: Option<f64>,
    /// κ against each rater.
    pub kappa_by_rater: BTreeMap<String, Option<f64>>,
    /// How far the raters agree among themselves.
    pub inter_rater: Option<f64>,
    /// Share of judgements that could not be read.
    pub unparsed: f64,
    /// Verdicts against the labels that the licence rests on, as pass and fail, where the scale has a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_fail: Option<JudgeTable>,
    /// The grades that were a pass there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
    /// Grades beside the mean of the raters' numbers, added up, where grades are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled: Option<LabelledMoments>,
    /// What the judge may be used for.
    pub licence: Licence,
}

/// One calibration: one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationLine {
    /// The day.
    pub date: Date,
    /// The judge.
    pub judge: String,
    /// What it was.
    pub digests: Digests,
    /// SHA-256 over items and labels.
    pub data_sha256: String,
    /// Where the grades came from.
    pub grades: GradesFrom,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// One entry a dimension.
    pub dimensions: BTreeMap<String, DimensionLine>,
}

impl DimensionLine {
    /// What a line keeps of a dimension.
    #[must_use]
    pub fn of(found: &Calibration, judge: &JudgeCalibration) -> Self {
        let rater =
            |one: &super::Marginals| RaterLine { name: one.name.clone(), kind: one.kind.unwrap_or_default(), n: one.n };
        let by_rater = judge
            .against_raters
            .iter()
            .map(|one| (one.reference.clone(), one.headline(&found.scale).map(|kappa| kappa.value)));
        Self {
            n: judge.compared,
            raters: found.raters.iter().map(rater).collect(),
            coefficient: if found.scale.measure == Measure::Ordered { "quadratic" } else { "cohen" }.to_owned(),
            kappa: judge.kappa.map(|kappa| kappa.value),
            interval: judge.kappa.and_then(|kappa| kappa.interval),
            se: judge.kappa.and_then(|kappa| kappa.se),
            kappa_by_rater: by_rater.collect(),
            inter_rater: found.inter_rater.headline_value,
            unparsed: judge.unparsed.rate,
            pass_fail: judge
                .against_adjudicated
                .as_ref()
                .or(judge.against_consensus.as_ref())
                .and_then(|against| against.pass_fail.as_ref())
                .map(|found| found.table),
            pass: found.scale.pass.clone(),
            labelled: judge.labelled,
            licence: judge.licence.clone(),
        }
    }
}

/// Why there is no licence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lapse {
    /// No calibration has the dimension.
    #[error("never calibrated")]
    Never,
    /// The judge is another one now.
    #[error("calibrated on {date} with another {what}; a licence is bound to it")]
    Changed {
        /// When.
        date: Date,
        /// What differs: model, prompt, …
        what: String,
    },
    /// It was too long ago.
    #[error("calibrated on {date}, {days} days before {as_of}; a licence lasts {VALID_DAYS} days")]
    Old {
        /// When.
        date: Date,
        /// How many days.
        days: i64,
        /// The day of the decision.
        as_of: Date,
    },
}

impl Digests {
    /// What differs, in words; nothing where all is the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let parts = [
            ("model", self.model != other.model || self.model_sha256 != other.model_sha256),
            ("prompt", self.prompt_sha256 != other.prompt_sha256),
            ("template engine", self.engine != other.engine),
        ];
        let named: Vec<&str> = parts.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
        match (named.is_empty(), self.judge == other.judge) {
            (true, true) => None,
            // Scale, dimensions, repeats: whatever else the settings say.
            (true, false) => Some("setting".to_owned()),
            (false, _) => Some(named.join(" and another ")),
        }
    }
}

/// The licence that a judge has in a dimension on a day: that of the newest calibration, if it is of this very judge and
/// not too old. A calibration of a later day does not count.
///
/// # Errors
/// Why there is none.
pub fn standing<'l>(
    lines: &'l [CalibrationLine],
    digests: &Digests,
    dimension: &str,
    as_of: Date,
) -> Result<&'l DimensionLine, Lapse> {
    let known = || {
        let with = |line: &'l CalibrationLine| Some((line, line.dimensions.get(dimension)?));
        lines.iter().filter(|line| line.date <= as_of).filter_map(with)
    };
    // Lines are appended, so of one day the last is the newest.
    let newest = |found: Option<(&'l CalibrationLine, &'l DimensionLine)>,
                  next: (&'l CalibrationLine, &'l DimensionLine)| {
        match found {
            Some(found) if found.0.date > next.0.date => Some(found),
            _ => Some(next),
        }
    };
    let own = known().filter(|(line, _)| digests.difference(&line.digests).is_none()).fold(None, newest);
    match (own, known().fold(None, newest)) {
        (Some((line, dimension)), _) => {
            let days = days_between(line.date, as_of);
            if days > VALID_DAYS { Err(Lapse::Old { date: line.date, days, as_of }) } else { Ok(dimension) }
        }
        (None, Some((line, _))) => {
            Err(Lapse::Changed { date: line.date, what: digests.difference(&line.digests).unwrap_or_default() })
        }
        (None, None) => Err(Lapse::Never),
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(i64::MAX, |span| i64::from(span.get_days()))
}

/// How κ moved since an earlier calibration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The dimension.
    pub dimension: String,
    /// The day of the earlier calibration.
    pub since: Date,
    /// κ then.
    pub before: f64,
    /// κ now.
    pub now: f64,
    /// Now less then.
    pub change: f64,
    /// Twice the standard error of the change as if the items were others: cautious, where they are the same.
    pub noise: Option<f64>,
    /// Whether the change is larger than that.
    pub moved: bool,
    /// What about the judge differs; absent where it is the same judge, and the change is drift.
    pub changed: Option<String>,
    /// Whether items and labels are the same.
    pub same_data: bool,
}

/// κ now against the newest earlier line with each dimension.
#[must_use]
pub fn drift(earlier: &[CalibrationLine], now: &CalibrationLine) -> Vec<Drift> {
    let one = |(dimension, found): (&String, &DimensionLine)| -> Option<Drift> {
        let before = earlier.iter().rev().find(|line| line.dimensions.contains_key(dimension))?;
        let old = before.dimensions.get(dimension)?;
        let (then, value) = old.kappa.zip(found.kappa)?;
        let noise = old.se.zip(found.se).map(|(a, b)| 2.0 * libm::hypot(a, b));
        let change = value - then;
        Some(Drift {
            dimension: dimension.clone(),
            since: before.date,
            before: then,
            now: value,
            change,
            noise,
            moved: noise.is_some_and(|noise| change.abs() > noise),
            changed: now.digests.difference(&before.digests),
            same_data: now.data_sha256 == before.data_sha256,
        })
    };
    now.dimensions.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::{Basis, Use};

    fn digests(prompt: &str) -> Digests {
        Digests {
            judge: format!("j-{prompt}"),
            model: "m".to_owned(),
            model_sha256: "m".to_owned(),
            prompt_sha256: prompt.to_owned(),
            engine: "e".to_owned(),
        }
    }

    fn line(date: &str, prompt: &str, kappa: f64) -> CalibrationLine {
        let licence = Licence {
            allows: Use::Absolute,
            strict: Use::Relative,
            basis: Basis::Consensus,
            kappa: Some(kappa),
            interval: None,
            items: 60,
            raters: 3,
            inter_rater: Some(0.8),
            stand_in: false,
            reasons: vec![format!("{kappa}")],
        };
        let dimension = DimensionLine {
            n: 60,
            raters: Vec::new(),
            coefficient: "cohen".to_owned(),
            kappa: Some(kappa),
            interval: None,
            se: Some(0.05),
            kappa_by_rater: BTreeMap::new(),
            inter_rater: Some(0.8),
            pass_fail: None,
            pass: Vec::new(),
            labelled: None,
            unparsed: 0.0,
            licence,
        };
        CalibrationLine {
            date: date.parse().unwrap(),
            judge: "j".to_owned(),
            digests: digests(prompt),
            data_sha256: "d".to_owned(),
            grades: GradesFrom { source: "live".to_owned(), sha256: "g".to_owned() },
            confidence: 0.95,
            dimensions: BTreeMap::from([("overall".to_owned(), dimension)]),
        }
    }

    #[test]
    fn a_licence_lasts_ninety_days_and_is_bound_to_the_judge() {
        let lines = [line("2026-06-01", "p1", 0.7), line("2026-08-01", "p2", 0.8)];
        let on = |prompt: &str, dimension: &str, day: &str| {
            standing(&lines, &digests(prompt), dimension, day.parse().unwrap())
                .map(|dimension| dimension.licence.reasons[0].clone())
                .map_err(|lapse| lapse.to_string())
        };
        assert_eq!(on("p2", "overall", "2026-08-01"), Ok("0.8".to_owned()));
        assert_eq!(on("p2", "overall", "2026-10-29"), Ok("0.8".to_owned()), "89 days");
        assert_eq!(on("p2", "overall", "2026-10-30"), Ok("0.8".to_owned()), "90 days");
        assert!(on("p2", "overall", "2026-10-31").unwrap_err().contains("91 days before 2026-10-31"));
        assert_eq!(on("p1", "overall", "2026-08-02"), Ok("0.7".to_owned()), "an older prompt that is in use again");
        assert!(on("p3", "overall", "2026-08-02").unwrap_err().contains("another prompt"));
        assert_eq!(on("p2", "tone", "2026-08-02").unwrap_err(), "never calibrated");
        assert_eq!(
            on("p2", "overall", "2026-07-31").unwrap_err(),
            "calibrated on 2026-06-01 with another prompt; a licence is bound to it"
        );
    }

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let line = line("2026-06-01", "p1", 0.7);
        let text = serde_json::to_string(&line).unwrap();
        assert!(!text.contains('\n'));
        assert_eq!(serde_json::from_str::<CalibrationLine>(&text).unwrap(), line);
    }

    #[test]
    fn drift_is_told_from_a_new_prompt() {
        let earlier = [line("2026-06-01", "p1", 0.7)];
        let found = drift(&earlier, &line("2026-07-01", "p1", 0.5));
        assert!(found[0].moved && found[0].changed.is_none() && found[0].same_data);
        assert!((found[0].change + 0.2).abs() < 1e-12);
        let found = drift(&earlier, &line("2026-07-01", "p2", 0.72));
        assert!(!found[0].moved && found[0].changed.as_deref() == Some("prompt"));
        assert!(drift(&[], &earlier[0]).is_empty());
    }
}
