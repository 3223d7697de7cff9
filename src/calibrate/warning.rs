//! What to know before trusting a calibration.

use super::calibration::Calibration;
use super::scale::Measure;
use crate::judge::{RaterKind, Sheet};

/// Unreadable judgements above this share are a warning.
const MOST_UNPARSED: f64 = 0.05;
/// Ties above this share are a warning.
const MOST_TIES: f64 = 0.2;

pub(super) fn warnings(found: &Calibration, sheet: &Sheet) -> Vec<String> {
    let mut warnings = Vec::new();
    labels(found, sheet, &mut warnings);
    raters(found, &mut warnings);
    for judge in &found.judges {
        let name = &judge.judge;
        if judge.unparsed.rate > MOST_UNPARSED {
            warnings.push(format!(
                "`{name}`: {} of {} judgements could not be read; what is left out may be what is hard",
                judge.unparsed.n, judge.unparsed.of
            ));
        }
        if !judge.unparsed.off_scale.is_empty() {
            let shown: Vec<String> = judge
                .unparsed
                .off_scale
                .iter()
                .take(5)
                .map(|(grade, times)| format!("`{grade}` ({times} times)"))
                .collect();
            warnings.push(format!("`{name}`: grades off the scale count as unparsed: {}", shown.join(", ")));
        }
        if judge.not_judged > 0 {
            warnings.push(format!("`{name}`: {} items have labels and no judgement", judge.not_judged));
        }
        if judge.n > 0 && judge.marginals.counts.iter().filter(|&&count| count > 0).count() == 1 {
            warnings.push(format!("`{name}` gives one and the same grade to everything"));
        }
    }
    warnings
}

fn labels(found: &Calibration, sheet: &Sheet, warnings: &mut Vec<String>) {
    let scale = &found.scale;
    let texts = || sheet.values.iter().map(ToString::to_string);
    let mut lower: Vec<String> = texts().map(|text| text.to_lowercase()).collect();
    lower.sort_unstable();
    if lower.windows(2).any(|two| two[0] == two[1]) {
        warnings.push("labels differ only in upper and lower case, and count as different".to_owned());
    }
    if !scale.stated && scale.measure == Measure::Unordered && scale.numbers.is_some() && scale.codes > 2 {
        warnings.push(
            "labels are numbers and were taken as names; if they have an order, say so with --ordered or --labels"
                .to_owned(),
        );
    }
    if !scale.stated && scale.measure == Measure::Continuous {
        warnings.push("many different numbers: taken as measurements, compared by correlation only".to_owned());
    }
}

fn raters(found: &Calibration, warnings: &mut Vec<String>) {
    let counts = &found.consensus;
    if found.inter_rater.degenerate {
        warnings.push(
            "all labels are one and the same (degenerate): κ is 0/0, and stands at 1 by convention only".to_owned(),
        );
    }
    let stand_ins = found.raters.iter().filter(|rater| rater.kind == Some(RaterKind::StandIn)).count();
    let people = found.raters.len() - stand_ins;
    if stand_ins > 0 && people >= 2 {
        warnings.push(format!("{stand_ins} stand-ins are shown, and count for nothing beside {people} people"));
    } else if stand_ins > 0 {
        warnings.push(format!("{stand_ins} of the raters are stand-ins, not people"));
    }
    if found.scale.measure == Measure::Continuous {
        return;
    }
    if found.raters.len() == 2 && counts.ties > counts.settled {
        warnings.push(format!(
            "the two raters disagree on {} of {} items; those on which they agree are the easy ones, so the licence goes \
             by the rater with whom the judge agrees less",
            counts.ties,
            counts.labelled_twice()
        ));
    } else if counts.labelled_twice() > 0 && counts.ties as f64 > MOST_TIES * counts.labelled_twice() as f64 {
        warnings.push(format!(
            "{} of {} items have no label that most raters gave; what is left is easier",
            counts.ties,
            counts.labelled_twice()
        ));
    }
    if counts.labelled_once > 0 && found.raters.len() > 1 {
        warnings.push(format!("{} items have one label only, and are left out of the consensus", counts.labelled_once));
    }
}
