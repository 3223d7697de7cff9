//! `evalgauge report`: a run or a verdict, shown again; and how every verb writes its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{FormatArg, Global, PolicyArgs, ReportArgs, RowsArg};
use super::failure::Failure;
use super::gate::{as_of, with_flags};
use super::licences::licences;
use super::output::Output;
use super::run::shown;
use super::source::baseline_record;
use crate::check::{RecordSource, Terms, decide_records};
use crate::compare::{
    CostQuality, MetricSpec, OVERALL, Spending, default_metrics, judges_of, lengths, side_of_record, spending,
    summarise,
};
use crate::config::Project;
use crate::gate::{Exit, Given, Verdict, corrected_alone};
use crate::record::{RunRecord, load};
use crate::report::{Alone, Candidates, Details, Examples, Format, Report, Rows, Style, Subject, View, looks, render};
use crate::table::{TableError, write_atomically};

/// The files that a decision leaves beside each other.
const FILES: [(&str, Format); 4] = [
    ("report.md", Format::Markdown),
    ("report.html", Format::Html),
    ("verdict.json", Format::Json),
    ("junit.xml", Format::Junit),
];
/// The verdict among them.
const VERDICT: &str = "verdict.json";
/// The checks of the past, beside the runs.
const HISTORY: &str = "history.jsonl";

pub(super) fn run(args: &ReportArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    if args.base.is_none() && args.policy.is_given() {
        return Err(Failure::input("a policy is for deciding anew; name the baseline with --base".to_owned()));
    }
    let others = args.others.iter().map(|name| Ok(load(&project.store().find(name)?)?));
    let others = others.collect::<Result<Vec<RunRecord>, Failure>>()?;
    let path = Path::new(&args.subject);
    let report = if path.is_file() {
        if args.base.is_some() {
            return Err(Failure::input("a verdict names its baseline; --base goes with a record".to_owned()));
        }
        of_verdict_file(&project, path, &others, output)?
    } else {
        of_record(&project, args, &others, global, output)?
    };
    write(&report, args.rows.into(), output)?;
    Ok(Exit::Pass)
}

/// The report of a decision that was made before: of a run beside which it lies, or of its file.
pub(super) fn decided(project: &Project, subject: &str, global: &Global, output: &Output) -> Result<Report, Failure> {
    let path = Path::new(subject);
    if path.is_file() {
        return of_verdict_file(project, path, &[], output);
    }
    let args = ReportArgs {
        subject: subject.to_owned(),
        base: None,
        others: Vec::new(),
        rows: RowsArg::Cells,
        policy: PolicyArgs::default(),
    };
    of_record(project, &args, &[], global, output)
}

fn of_verdict_file(project: &Project, path: &Path, others: &[RunRecord], output: &Output) -> Result<Report, Failure> {
    let verdict = read_verdict(path)?;
    let (head, baseline) = (find(project, &verdict.head), find(project, &verdict.baseline));
    let report = Report::of_verdict(verdict);
    let Some(head) = head else {
        output.note("the head's record is not here: of its answers only those that flipped are shown");
        return Ok(report);
    };
    Sources { project, baseline: baseline.as_ref(), head: &head, others }.add_to(report)
}

fn read_verdict(path: &Path) -> Result<Verdict, Failure> {
    let text = std::fs::read_to_string(path).map_err(TableError::io(path))?;
    let verdict: Verdict = serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("{}: not a verdict: {error}", path.display())))?;
    if verdict.schema != Verdict::SCHEMA {
        return Err(Failure::input(format!(
            "{}: the format is `{}`; this version reads `{}`",
            path.display(),
            verdict.schema,
            Verdict::SCHEMA
        )));
    }
    Ok(verdict)
}

/// The record of a side of a verdict, where it is still there and still the same.
fn find(project: &Project, side: &crate::compare::Identity) -> Option<RunRecord> {
    let places = [PathBuf::from(&side.source), project.root.join(&side.source)];
    let folder = places.into_iter().find(|folder| folder.join("manifest.json").is_file())?;
    load(&folder).ok().filter(|record| record.manifest.record_sha256 == side.sha256)
}

fn of_record(
    project: &Project,
    args: &ReportArgs,
    others: &[RunRecord],
    global: &Global,
    output: &Output,
) -> Result<Report, Failure> {
    let (head, folder) = if args.subject == "baseline" {
        let (candidate, _) = project.candidate(None)?;
        let evalset = project.config.evalset.as_deref().unwrap_or_default();
        let evalset = evalset.split_once('@').map_or(evalset, |(name, _)| name);
        baseline_record(project, None, evalset, candidate)?
    } else {
        let folder = project.store().find(&args.subject)?;
        (load(&folder)?, folder)
    };
    if let Some(base) = &args.base {
        return against(project, base, (&head, &folder), args, others, global);
    }
    let beside = folder.join(VERDICT);
    if beside.is_file() {
        let verdict = read_verdict(&beside)?;
        if verdict.head.sha256 != head.manifest.record_sha256 {
            return Err(Failure::input(format!(
                "{}: it is about another record than the one beside it",
                beside.display()
            ))
            .hint("give --base to decide anew"));
        }
        let baseline = find(project, &verdict.baseline);
        if baseline.is_none() {
            output.note("the baseline's record is not here: of its answers only those that flipped are known");
        }
        return Sources { project, baseline: baseline.as_ref(), head: &head, others }
            .add_to(Report::of_verdict(verdict));
    }
    alone(project, &head, &folder, others, global)
}

/// The decision about two records, made now.
fn against(
    project: &Project,
    base: &str,
    (head, folder): (&RunRecord, &Path),
    args: &ReportArgs,
    others: &[RunRecord],
    global: &Global,
) -> Result<Report, Failure> {
    let asked = &head.manifest.asked;
    let (baseline, baseline_folder) =
        baseline_record(project, Some(base), &asked.dataset.evalset, &asked.candidate.name)?;
    let policy = with_flags(project.config.gate.clone(), &args.policy);
    let as_of = as_of(global);
    let judged = licences(project, &judges_of(head, &project.config.metrics), &as_of)?;
    let checked = decide_records(
        RecordSource { record: &baseline, source: &shown(&baseline_folder) },
        RecordSource { record: head, source: &shown(folder) },
        &Terms {
            metrics: &project.config.metrics,
            slices: &project.config.slices.keys(),
            policy: &policy,
            seed: global.seed.unwrap_or(project.config.seed),
            given: Given { judged: &judged, ..Given::on(&as_of) },
        },
    )?;
    Sources { project, baseline: Some(&baseline), head, others }.add_to(Report::of_verdict(checked.verdict))
}

/// A record without anything to compare it with.
fn alone(
    project: &Project,
    record: &RunRecord,
    folder: &Path,
    others: &[RunRecord],
    global: &Global,
) -> Result<Report, Failure> {
    let metrics = metrics_of(project, record);
    let side = side_of_record(record, &shown(folder), &metrics)?;
    let estimates = summarise(&side, global.seed.unwrap_or(project.config.seed))?;
    let is_share = |name: &str| {
        let metric = side.metrics.iter().find(|metric| metric.name == name);
        metric.is_none_or(|metric| metric.scale.low == 0.0 && metric.scale.high == 1.0)
    };
    let trials = record.manifest.asked.trials;
    let lengths = lengths(record);
    let view = View::of_record(&side.identity, &estimates, is_share, side.ids.len() as u64, trials);
    let corrected = corrected_alone(&side, &licences(project, &side.judges, &as_of(global))?);
    let view = view.with_judges(&lengths, &corrected);
    let (schema, identity) = ("evalgauge.summary/1", side.identity.clone());
    let subject = Alone { schema, record: identity, metrics: estimates, lengths, corrected };
    let report = Report { subject: Subject::Record(Box::new(subject)), view, details: Details::default() };
    Sources { project, baseline: None, head: record, others }.add_to(report)
}

fn metrics_of(project: &Project, record: &RunRecord) -> BTreeMap<String, MetricSpec> {
    if project.config.metrics.is_empty() { default_metrics(record) } else { project.config.metrics.clone() }
}

/// The records behind a report.
pub(super) struct Sources<'a> {
    pub(super) project: &'a Project,
    pub(super) baseline: Option<&'a RunRecord>,
    pub(super) head: &'a RunRecord,
    /// Further candidates, for the plot of cost against quality.
    pub(super) others: &'a [RunRecord],
}

impl Sources<'_> {
    /// The report with what its records show: answers, label tables, stated confidence, what it took, the past.
    pub(super) fn add_to(&self, mut report: Report) -> Result<Report, Failure> {
        let metrics = metrics_of(self.project, self.baseline.unwrap_or(self.head));
        let gating: Vec<String> = report
            .verdict()
            .map(|verdict| verdict.metrics.iter().map(|metric| metric.name.clone()).collect())
            .unwrap_or_default();
        let examples =
            Examples::of_records(self.baseline, self.head, &metrics, |name| gating.iter().any(|gates| gates == name));
        let (before, now) = (self.baseline.map(spending), spending(self.head));
        report.view = report.view.with_costs(before.as_ref(), Some(&now));
        report.details = Details::of_records(self.baseline, self.head, examples);
        report.details.candidates = self.candidates(&report, &metrics, before.as_ref(), &now)?;
        let history = self.project.store().path().join(HISTORY);
        // Nothing depends on the past but a drawing; a file that is not there or not readable draws nothing.
        report.details.history = std::fs::read_to_string(history).map(|text| looks(&text)).unwrap_or_default();
        Ok(report)
    }

    /// Baseline, head and the others by the first metric and the cost of an answer, as far as both are known.
    fn candidates(
        &self,
        report: &Report,
        metrics: &BTreeMap<String, MetricSpec>,
        before: Option<&Spending>,
        now: &Spending,
    ) -> Result<Option<Candidates>, Failure> {
        let named = |record: &RunRecord, role: &str| format!("{}{role}", record.manifest.asked.candidate.name);
        let point = |name: String, spent: &Spending, quality: Option<f64>| {
            Some(CostQuality { name, cost: spent.cost_usd? / spent.answers.max(1) as f64, quality: quality? })
        };
        let mut points = Vec::new();
        let (metric, scale) = match &report.subject {
            Subject::Verdict(verdict) => {
                let Some(metric) = verdict.metrics.first() else { return Ok(None) };
                let cell = verdict.cells.iter().find(|cell| cell.slice == OVERALL && cell.metric == metric.name);
                let (baseline, head) = cell.map_or((None, None), |cell| (cell.baseline, cell.head));
                points.extend(
                    self.baseline
                        .zip(before)
                        .and_then(|(record, spent)| point(named(record, " (baseline)"), spent, baseline)),
                );
                points.extend(point(named(self.head, " (head)"), now, head));
                (metric.name.clone(), metric.scale)
            }
            Subject::Record(alone) => {
                let Some(metric) = alone.metrics.first() else { return Ok(None) };
                points.extend(point(named(self.head, ""), now, metric.value));
                let side = side_of_record(self.head, "", metrics)?;
                let scale = side.metrics.iter().find(|values| values.name == metric.metric).map(|values| values.scale);
                (metric.metric.clone(), scale.unwrap_or(crate::score::Scale::UNIT))
            }
            Subject::Comparison(_) => return Ok(None),
        };
        let only: BTreeMap<String, MetricSpec> =
            metrics.get_key_value(&metric).map(|(name, spec)| (name.clone(), spec.clone())).into_iter().collect();
        for record in self.others {
            let estimates = summarise(&side_of_record(record, &record.manifest.made.run_id, &only)?, 0)?;
            let quality = estimates.first().and_then(|estimate| estimate.value);
            points.extend(point(named(record, ""), &spending(record), quality));
        }
        let is_share = scale.low == 0.0 && scale.high == 1.0;
        Ok(Candidates::new(&metric, is_share, scale.higher_is_better, points))
    }
}

/// Whether the form that was asked for shows answers of examples that did not flip.
pub(super) fn rendered_from_records(output: &Output) -> bool {
    matches!(output.report_format(), FormatArg::Html | FormatArg::Md | FormatArg::Csv | FormatArg::Parquet)
}

/// Writes a report in the form that was asked for, to where it was asked for.
pub(super) fn write(report: &Report, rows: Rows, output: &Output) -> Result<(), Failure> {
    let format = output.report_format();
    if format == FormatArg::Parquet && output.file().is_none() {
        return Err(Failure::input("Parquet is no text for a terminal; name a file with --output".to_owned()));
    }
    output.bytes(&render(report, format.into(), Style { color: output.color(), rows })?)
}

/// Writes `report.md`, `report.html`, `verdict.json` and `junit.xml` into a folder.
pub(super) fn write_all(report: &Report, folder: &Path) -> Result<(), Failure> {
    for (name, format) in FILES {
        write_atomically(&folder.join(name), &render(report, format, Style::default())?)?;
    }
    Ok(())
}
