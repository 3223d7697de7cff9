//! What a report of a calibration says, in the order in which it says it.

use serde::Serialize;

use super::CalibrationReport;
use super::beside::side_by_side;
use crate::calibrate::{
    Against, Calibration, Disagreement, InterRater, JudgeCalibration, Kappa, Measure, Ordered, Reliability, Use,
};
use crate::stats::Interval;
use crate::stats::kappa::landis_koch;

/// Pairs of raters that are listed one by one.
const MOST_PAIRS: usize = 45;
/// Raters that are listed one by one.
const MOST_RATERS: usize = 30;
/// Labels that a confusion matrix is drawn for.
const MOST_LABELS: usize = 12;

/// A piece of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(super) enum Block {
    /// A heading of the second or third rank.
    Heading { rank: u8, text: String },
    /// What a judge may be used for.
    Licence { judge: String, dimension: String, allows: &'static str, tone: &'static str, reasons: Vec<String> },
    /// A sentence.
    Text { text: String },
    /// Things in a list.
    List { title: String, items: Vec<String> },
    /// A table; the first column is text, the others are numbers.
    Table { title: String, head: Vec<String>, rows: Vec<Vec<String>> },
    /// Counts by label and grade.
    Matrix { title: String, labels: Vec<String>, rows: Vec<Vec<Cell>> },
    /// A diagram of probabilities.
    Reliability { title: String, points: Vec<Point> },
    /// Items on which judge and raters part.
    Disagreements { total: usize, items: Vec<Disagreement> },
}

/// A count with its share of the row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Cell {
    pub(super) count: u64,
    /// Per cent of the row, for the shade.
    pub(super) share: u64,
    /// Label and grade are the same.
    pub(super) agrees: bool,
}

/// A point of the diagram, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Point {
    pub(super) n: u64,
    pub(super) probability: f64,
    pub(super) passed: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Three digits.
pub(super) fn three(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text.replace('-', "−") }
}

pub(super) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), three)
}

/// The interval of a coefficient or a rate: beyond −1 and 1, where a normal approximation may end, there is nothing.
pub(super) fn span(interval: Option<Interval>) -> String {
    let ends = |interval: Interval| format!("{} … {}", three(interval.low), three(interval.high));
    interval.map_or_else(|| "–".to_owned(), |interval| ends(interval.clipped(-1.0, 1.0)))
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.1} %", 100.0 * value))
}

pub(super) fn kappa_cell(kappa: Option<Kappa>) -> String {
    kappa.map_or_else(|| "–".to_owned(), |kappa| if kappa.degenerate { "0/0".to_owned() } else { three(kappa.value) })
}

pub(super) fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

/// The whole report.
pub(super) fn blocks(report: &CalibrationReport<'_>) -> Vec<Block> {
    let mut out = Vec::new();
    for found in report.dimensions {
        for judge in &found.judges {
            out.push(licence(found, judge));
        }
    }
    drift(report, &mut out);
    for found in report.dimensions {
        dimension(report, found, &mut out);
    }
    history(report, &mut out);
    out
}

fn licence(found: &Calibration, judge: &JudgeCalibration) -> Block {
    Block::Licence {
        judge: judge.judge.clone(),
        dimension: found.dimension.clone(),
        allows: judge.licence.allows.words(),
        tone: match judge.licence.allows {
            Use::Absolute => "good",
            Use::Relative => "fair",
            Use::None => "bad",
        },
        reasons: judge.licence.reasons.clone(),
    }
}

fn dimension(report: &CalibrationReport<'_>, found: &Calibration, out: &mut Vec<Block>) {
    if report.dimensions.len() > 1 {
        out.push(Block::Heading { rank: 2, text: format!("Dimension {}", found.dimension) });
    }
    if !found.warnings.is_empty() {
        out.push(Block::List { title: "warnings".to_owned(), items: found.warnings.clone() });
    }
    raters(found, out);
    if let Some(beside) = &found.side_by_side {
        side_by_side(found, beside, out);
    }
    for judge in &found.judges {
        one_judge(found, judge, out);
    }
}

fn raters(found: &Calibration, out: &mut Vec<Block>) {
    let counts = &found.consensus;
    let labels = if found.scale.measure == Measure::Continuous {
        found.scale.range.map_or_else(String::new, |(low, high)| format!("numbers from {low} to {high}"))
    } else {
        let order = if found.scale.measure == Measure::Ordered { "worst first" } else { "names" };
        format!("labels {} ({order})", found.scale.labels.join(", "))
    };
    out.push(Block::Heading { rank: 3, text: "Raters".to_owned() });
    out.push(Block::Text {
        text: format!(
            "{} items, {} rater{}, {labels}.{}",
            found.items,
            found.raters.len(),
            if found.raters.len() == 1 { "" } else { "s" },
            if found.raters.len() < 2 || found.scale.measure == Measure::Continuous {
                String::new()
            } else {
                format!(
                    " {} items with labels of two or more; consensus on {}, {} ties, {} with one label only.",
                    counts.labelled_twice(),
                    counts.decided,
                    counts.ties,
                    counts.labelled_once
                )
            }
        ),
    });
    if found.scale.measure != Measure::Continuous && found.scale.labels.len() <= MOST_LABELS {
        let everyone = found.raters.iter().take(MOST_RATERS).chain(found.judges.iter().map(|judge| &judge.marginals));
        let rows = everyone.map(|one| {
            let kind = one.kind.map_or("judge", |kind| kind.name());
            let mut row = vec![one.name.clone(), kind.to_owned(), one.n.to_string()];
            row.extend(one.counts.iter().map(ToString::to_string));
            row
        });
        let mut head = texts(&["who", "kind", "n"]);
        head.extend(found.scale.labels.iter().map(|label| format!("`{label}`")));
        out.push(Block::Table { title: "what each used".to_owned(), head, rows: rows.collect() });
    }
    if found.raters.len() < 2 {
        return;
    }
    together(&found.inter_rater, out);
    pairs(&found.inter_rater, out);
}

fn together(raters: &InterRater, out: &mut Vec<Block>) {
    let named = [
        ("Fleiss' κ", raters.fleiss_kappa),
        ("Krippendorff's α, nominal", raters.alpha_nominal),
        ("Krippendorff's α, ordinal", raters.alpha_ordinal),
        ("Krippendorff's α, interval", raters.alpha_interval),
        ("Gwet's AC1", raters.ac1),
    ];
    let rows: Vec<Vec<String>> = named
        .into_iter()
        .filter_map(|(name, found)| found.map(|found| vec![name.to_owned(), three(found.value), span(found.interval)]))
        .collect();
    if !rows.is_empty() {
        out.push(Block::Table {
            title: "the raters among themselves".to_owned(),
            head: texts(&["coefficient", "value", "interval"]),
            rows,
        });
    }
}

fn pairs(raters: &InterRater, out: &mut Vec<Block>) {
    let values: Vec<f64> = raters.pairs.iter().filter_map(|pair| pair.kappa).map(|kappa| kappa.value).collect();
    if raters.pairs.len() > MOST_PAIRS {
        let (low, high) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        out.push(Block::Text {
            text: format!(
                "{} pairs of raters: κ on average {}, from {} to {} (--format json has every pair).",
                raters.pairs.len(),
                maybe(raters.mean_kappa),
                three(low),
                three(high)
            ),
        });
        return;
    }
    let with_weights = raters.pairs.iter().any(|pair| pair.quadratic_kappa.is_some());
    let rows = raters.pairs.iter().map(|pair| {
        let interval = pair.kappa.and_then(|kappa| kappa.interval);
        let mut row = vec![
            format!("{} – {}", pair.first, pair.second),
            pair.n.to_string(),
            percent(pair.agreement),
            kappa_cell(pair.kappa),
            span(interval),
            maybe(pair.ac1),
        ];
        if with_weights {
            row.push(kappa_cell(pair.quadratic_kappa));
        }
        row
    });
    let mut head = texts(&["raters", "n", "agree", "κ", "interval", "AC1"]);
    if with_weights {
        head.push("κ quadratic".to_owned());
    }
    out.push(Block::Table { title: "every two raters".to_owned(), head, rows: rows.collect() });
}

fn one_judge(found: &Calibration, judge: &JudgeCalibration, out: &mut Vec<Block>) {
    out.push(Block::Heading { rank: 3, text: format!("Judge {}", judge.judge) });
    let unparsed = &judge.unparsed;
    let mut about = format!("{} items with a grade", judge.n);
    if unparsed.n > 0 {
        about.push_str(&format!(
            "; {} of {} judgements could not be read ({}), counted as: {}",
            unparsed.n,
            unparsed.of,
            percent(Some(unparsed.rate)),
            unparsed.counted_as
        ));
    }
    about.push('.');
    out.push(Block::Text { text: about });
    let references: Vec<&Against> = judge
        .against_consensus
        .iter()
        .chain(&judge.against_adjudicated)
        .chain(judge.against_raters.iter().take(MOST_RATERS))
        .collect();
    against(&references, found, out);
    if found.scale.measure != Measure::Unordered {
        ordered(&references, judge.against_mean.as_ref(), out);
    }
    let main = judge.against_adjudicated.as_ref().or(judge.against_consensus.as_ref()).or(judge.against_raters.first());
    if let Some(main) = main {
        pass_fail(main, out);
        matrix(main, out);
    }
    precision(judge, out);
    ceiling(judge, out);
    slices(judge, found, out);
    if let Some(found) = &judge.reliability {
        reliability(found, out);
    }
    if judge.disagreement_count > 0 {
        out.push(Block::Disagreements { total: judge.disagreement_count, items: judge.disagreements.clone() });
    }
}

fn against(references: &[&Against], found: &Calibration, out: &mut Vec<Block>) {
    if found.scale.measure == Measure::Continuous {
        return;
    }
    let rows = references.iter().map(|one| {
        let interval = one.kappa.and_then(|kappa| kappa.interval);
        let ac1 = one.ac1.map(|ac1| ac1.value);
        let macro_f1 = one.classes.as_ref().map(|classes| classes.macro_average.f1);
        let words = one.kappa.filter(|kappa| !kappa.degenerate).map_or("–", |kappa| landis_koch(kappa.value));
        vec![
            one.reference.clone(),
            one.n.to_string(),
            percent(one.agreement),
            kappa_cell(one.kappa),
            span(interval),
            words.to_owned(),
            maybe(ac1),
            maybe(macro_f1),
        ]
    });
    out.push(Block::Table {
        title: "agreement".to_owned(),
        head: texts(&["against", "n", "agree", "κ", "interval", "in words", "AC1", "macro F1"]),
        rows: rows.collect(),
    });
}

fn ordered(references: &[&Against], mean: Option<&Ordered>, out: &mut Vec<Block>) {
    let named = references.iter().filter_map(|one| Some((one.reference.as_str(), one.ordered.as_ref()?)));
    let rows: Vec<(&str, &Ordered)> = named.chain(mean.map(|mean| ("mean of the raters", mean))).collect();
    if rows.is_empty() {
        return;
    }
    // Measurements have no κ.
    let with_kappa = rows.iter().any(|(_, found)| found.quadratic_kappa.is_some());
    let rows = rows.into_iter().map(|(name, found)| {
        let mut row = vec![name.to_owned()];
        if with_kappa {
            row.push(kappa_cell(found.quadratic_kappa));
            row.push(span(found.quadratic_kappa.and_then(|kappa| kappa.interval)));
        }
        row.extend([
            maybe(found.alpha_ordinal.map(|alpha| alpha.value)),
            maybe(found.spearman.map(|found| found.coefficient)),
            maybe(found.pearson.map(|found| found.coefficient)),
            maybe(found.kendall.map(|found| found.tau_b)),
        ]);
        row
    });
    let mut head = texts(&["against"]);
    if with_kappa {
        head.extend(texts(&["κ quadratic", "interval"]));
    }
    head.extend(texts(&["α ordinal", "Spearman", "Pearson", "Kendall τ-b"]));
    out.push(Block::Table { title: "as grades in an order".to_owned(), head, rows: rows.collect() });
}

fn pass_fail(main: &Against, out: &mut Vec<Block>) {
    let Some(found) = &main.pass_fail else { return };
    let row = |name: &str, rate: Option<f64>, interval: Option<Interval>, of: u64| {
        vec![name.to_owned(), percent(rate), span(interval), of.to_string()]
    };
    let table = &found.table;
    out.push(Block::Table {
        title: format!("pass and fail, against {}", main.reference),
        head: texts(&["rate", "value", "interval", "of"]),
        rows: vec![
            row(
                "passes what passes (TPR)",
                found.true_positive_rate,
                found.true_positive_interval,
                table.true_pass + table.false_fail,
            ),
            row(
                "fails what fails (TNR)",
                found.true_negative_rate,
                found.true_negative_interval,
                table.true_fail + table.false_pass,
            ),
        ],
    });
}

fn matrix(main: &Against, out: &mut Vec<Block>) {
    let Some(found) = main.confusion.as_ref().filter(|found| found.labels.len() <= MOST_LABELS) else { return };
    let rows = found.rows.iter().enumerate().map(|(i, row)| {
        let total: u64 = row.iter().sum::<u64>().max(1);
        let cell = |(j, &count): (usize, &u64)| Cell { count, share: 100 * count / total, agrees: i == j };
        row.iter().enumerate().map(cell).collect()
    });
    out.push(Block::Matrix {
        title: format!("rows: {}; columns: the judge", main.reference),
        labels: found.labels.clone(),
        rows: rows.collect(),
    });
}

fn precision(judge: &JudgeCalibration, out: &mut Vec<Block>) {
    let Some(found) = judge.precision else { return };
    let limit = found
        .n_for_the_limit_below
        .map_or_else(String::new, |n| format!("; for a lower end that holds the limit below κ, about {n}"));
    out.push(Block::Text {
        text: format!(
            "κ is known to ±{} with {} items; for ±.10 about {} are needed, for ±.05 about {}{limit}.",
            three(found.half_width),
            found.n,
            found.n_for_10_points,
            found.n_for_5_points
        ),
    });
}

fn ceiling(judge: &JudgeCalibration, out: &mut Vec<Block>) {
    let Some(found) = &judge.ceiling else { return };
    let mut text = String::new();
    if let Some((with, each_other)) = found.judge_with_raters.zip(found.raters_with_each_other) {
        text.push_str(&format!(
            "Human ceiling: the judge agrees with raters at {} on average, raters with each other at {}. ",
            three(with),
            three(each_other)
        ));
    }
    match (&found.alt_test, &found.reason) {
        (Some(test), _) => text.push_str(&format!(
            "Alternative annotator test at ε = {}: it wins against {} of {} raters, so it {} for one; the chance that it \
             is as good as a rater drawn at random is {}.",
            found.epsilon,
            test.annotators.iter().filter(|one| one.judge_wins).count(),
            test.annotators.len(),
            if test.passes { "can stand" } else { "cannot stand" },
            percent(Some(test.advantage_probability))
        )),
        (None, Some(reason)) => text.push_str(&format!("No alternative annotator test: {reason}.")),
        (None, None) => {}
    }
    if !text.is_empty() {
        out.push(Block::Text { text });
    }
}

fn slices(judge: &JudgeCalibration, found: &Calibration, out: &mut Vec<Block>) {
    if judge.slices.is_empty() {
        return;
    }
    let is_measured = found.scale.measure == Measure::Continuous;
    let rows = judge.slices.iter().map(|slice| {
        let one = &slice.against;
        let mut row = vec![slice.slice.clone(), slice.items.to_string(), one.n.to_string()];
        if is_measured {
            let found = one.ordered.as_ref().or(slice.against_mean.as_ref());
            row.extend([
                maybe(found.and_then(|found| found.spearman).map(|found| found.coefficient)),
                maybe(found.and_then(|found| found.pearson).map(|found| found.coefficient)),
                maybe(found.and_then(|found| found.kendall).map(|found| found.tau_b)),
            ]);
        } else {
            let kappa = one.headline(&found.scale);
            row.extend([
                percent(one.agreement),
                kappa_cell(kappa),
                span(kappa.and_then(|kappa| kappa.interval)),
                maybe(slice.inter_rater.headline_value),
            ]);
        }
        row
    });
    let mut head = texts(&["slice", "items", "n"]);
    head.extend(if is_measured {
        texts(&["Spearman", "Pearson", "Kendall τ-b"])
    } else {
        texts(&["agree", "κ", "interval", "raters among themselves"])
    });
    let title = format!("slices, against {}", judge.slices[0].against.reference);
    out.push(Block::Table { title, head, rows: rows.collect() });
}

fn reliability(found: &Reliability, out: &mut Vec<Block>) {
    let point = |bin: &crate::calibrate::ReliabilityBin| Point {
        n: bin.n,
        probability: bin.probability,
        passed: bin.passed,
        low: bin.interval.map_or(bin.passed, |interval| interval.low),
        high: bin.interval.map_or(bin.passed, |interval| interval.high),
    };
    out.push(Block::Reliability {
        title: format!(
            "the judge's grade as a probability that people pass the answer: Platt on every second item, looked at on the \
             others; {} items, AUROC {}, Brier score {}",
            found.n,
            maybe(found.auroc),
            maybe(found.brier)
        ),
        points: found.bins.iter().map(point).collect(),
    });
}

fn drift(report: &CalibrationReport<'_>, out: &mut Vec<Block>) {
    if report.drift.is_empty() {
        return;
    }
    let one = |drift: &crate::calibrate::Drift| {
        let cause = match (&drift.changed, drift.same_data) {
            (Some(what), _) => format!("another {what}"),
            (None, true) => "the same judge on the same labels".to_owned(),
            (None, false) => "the same judge on other items or labels".to_owned(),
        };
        let size = match (drift.moved, drift.noise) {
            (true, _) => "more than chance explains".to_owned(),
            (false, Some(noise)) => format!("within ±{} that chance explains", three(noise)),
            (false, None) => "how much chance explains is not known".to_owned(),
        };
        let change = three(drift.change.abs());
        let sign = if drift.change < 0.0 { "−" } else { "+" };
        format!(
            "{}: κ {} on {}, {} now ({sign}{change}), {size}; {cause}",
            drift.dimension,
            three(drift.before),
            drift.since,
            three(drift.now)
        )
    };
    let title = "since the last calibration".to_owned();
    out.push(Block::List { title, items: report.drift.iter().map(one).collect() });
}

fn history(report: &CalibrationReport<'_>, out: &mut Vec<Block>) {
    if report.history.is_empty() {
        return;
    }
    let rows = report.history.iter().map(|row| {
        vec![
            format!("{} {}", row.date, row.dimension),
            row.prompt.clone(),
            row.model.clone(),
            row.n.to_string(),
            maybe(row.kappa),
            span(row.interval),
            row.allows.to_owned(),
        ]
    });
    out.push(Block::Heading { rank: 2, text: "History".to_owned() });
    out.push(Block::Table {
        title: "κ over prompts and models".to_owned(),
        head: texts(&["calibration", "prompt", "model", "n", "κ", "interval", "allowed"]),
        rows: rows.collect(),
    });
}
