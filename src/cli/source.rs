//! What BASE, HEAD and RUN mean on the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::args::TableArgs;
use super::failure::Failure;
use super::run::shown;
use crate::compare::{
    Measure, MetricSpec, Side, SliceKeys, TableColumns, default_metrics, measured, read_side, side_of_record,
};
use crate::config::Project;
use crate::gate::Exit;
use crate::record::{RecordError, RunRecord, baseline_folder, load};
use crate::score::Scale;
use crate::table::column_names;

/// What one name on the command line stands for.
enum Source {
    Table(PathBuf),
    Record(Box<RunRecord>, PathBuf),
}

/// Which of the two a side is. Labels and groups are the baseline's alone, so a head's are not even read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Baseline,
    Head,
}

/// The two sides of a comparison, with the slices to look at; `measures` are what guard rails ask for.
pub(super) fn sides(
    project: &Project,
    base: &str,
    head: &str,
    table: &TableArgs,
    measures: &[Measure],
) -> Result<(Side, Side, SliceKeys), Failure> {
    let head_source = resolve(project, head, None)?;
    let base_source = resolve(project, base, Some(&head_source))?;
    // Both sides are looked at under the metrics of the baseline's scorers.
    let metrics = match (&base_source, project.config.metrics.is_empty()) {
        (Source::Record(record, _), true) => default_metrics(record),
        _ => project.config.metrics.clone(),
    };
    let is_record = matches!(base_source, Source::Record(..));
    let (base_side, head_side) = rayon::join(
        || side(&base_source, Role::Baseline, table, &metrics, measures),
        || side(&head_source, Role::Head, table, &metrics, measures),
    );
    let slices = if is_record && table.slice.is_empty() { project.config.slices.keys() } else { slice_keys(table) };
    Ok((base_side?, head_side?, slices))
}

/// What several candidates are read from.
pub(super) struct Asked<'a> {
    /// Records or tables, the baseline first; a column of a table as `FILE:COLUMN`.
    pub(super) names: &'a [String],
    /// Columns of the one table that is named, each a candidate.
    pub(super) columns: &'a [String],
    /// What else to read.
    pub(super) measures: &'a [Measure],
    /// A column of labels that is no slice.
    pub(super) label: Option<&'a str>,
}

/// Several candidates, with the slices to look at.
pub(super) fn several(
    project: &Project,
    asked: &Asked<'_>,
    table: &TableArgs,
) -> Result<(Vec<Side>, SliceKeys), Failure> {
    let mut sources: Vec<(Source, Option<&str>)> = if asked.columns.is_empty() {
        let heads = asked.names[1..].iter().map(|name| candidate(project, name, None));
        heads.collect::<Result<_, Failure>>()?
    } else {
        let path = Path::new(&asked.names[0]);
        if !path.is_file() {
            return Err(Failure::input(format!("{}: no such file; --column names columns of a table", path.display())));
        }
        asked.columns[1..].iter().map(|column| (Source::Table(path.to_owned()), Some(column.as_str()))).collect()
    };
    let column = asked.columns.first().map(String::as_str);
    let (source, own) = candidate(project, &asked.names[0], sources.first().map(|(source, _)| source))?;
    sources.insert(0, (source, column.or(own)));
    let metrics = match (&sources[0].0, project.config.metrics.is_empty()) {
        (Source::Record(record, _), true) => default_metrics(record),
        _ => project.config.metrics.clone(),
    };
    let is_record = matches!(sources[0].0, Source::Record(..));
    // What stands once in a file that several candidates share is nobody's own.
    let shared = |path: &Path| {
        sources.iter().filter(|(source, _)| matches!(source, Source::Table(other) if other == path)).count() > 1
    };
    let read = |(place, (source, column)): (usize, &(Source, Option<&str>))| {
        let role = if place == 0 { Role::Baseline } else { Role::Head };
        let Source::Table(path) = source else { return side(source, role, table, &metrics, asked.measures) };
        let measures = if shared(path) { &[] } else { asked.measures };
        let read = TableRead { score: *column, label: asked.label.filter(|_| place == 0) };
        table_side(path, role, table, measures, &read)
    };
    let sides: Vec<Side> = sources.par_iter().enumerate().map(read).collect::<Result<_, Failure>>()?;
    let mut slices = if is_record && table.slice.is_empty() { project.config.slices.keys() } else { slice_keys(table) };
    if let (None, Some(label)) = (&slices.keys, asked.label) {
        let keys = sides[0].labels.iter().map(|labels| labels.key.clone());
        slices.keys = Some(keys.filter(|key| key != label).collect());
    }
    Ok((sides, slices))
}

/// A record or table, or a column as `FILE:COLUMN`.
fn candidate<'n>(
    project: &Project,
    name: &'n str,
    head: Option<&Source>,
) -> Result<(Source, Option<&'n str>), Failure> {
    let column = name.rsplit_once(':').filter(|(file, _)| !Path::new(name).is_file() && Path::new(file).is_file());
    match column {
        Some((file, column)) => Ok((Source::Table(PathBuf::from(file)), Some(column))),
        None => Ok((resolve(project, name, head)?, None)),
    }
}

/// One side alone, with the slices to look at, and the record where it is one. A name may also be a candidate's that has a
/// baseline.
pub(super) fn one_side(
    project: &Project,
    name: &str,
    table: &TableArgs,
) -> Result<(Side, SliceKeys, Option<RunRecord>), Failure> {
    let path = Path::new(name);
    if path.is_file() || path.extension().is_some() && !path.exists() {
        let source = resolve(project, name, None)?;
        return Ok((side(&source, Role::Baseline, table, &BTreeMap::new(), &[])?, slice_keys(table), None));
    }
    let evalset = project.config.evalset.as_deref().unwrap_or_default();
    let evalset = evalset.split_once('@').map_or(evalset, |(name, _)| name);
    let candidate = project.config.candidate.as_deref().unwrap_or_default();
    let named = Some(name).filter(|&name| name != "baseline");
    let (record, folder) = baseline_record(project, named, evalset, candidate)?;
    let metrics =
        if project.config.metrics.is_empty() { default_metrics(&record) } else { project.config.metrics.clone() };
    let slices = if table.slice.is_empty() { project.config.slices.keys() } else { slice_keys(table) };
    Ok((side_of_record(&record, &shown(&folder), &metrics)?, slices, Some(record)))
}

/// Both records, where both names stand for one; a plain table has no answers.
pub(super) fn records(project: &Project, base: &str, head: &str) -> Result<Option<(RunRecord, RunRecord)>, Failure> {
    let head_source = resolve(project, head, None)?;
    Ok(match (resolve(project, base, Some(&head_source))?, head_source) {
        (Source::Record(base, _), Source::Record(head, _)) => Some((*base, *head)),
        _ => None,
    })
}

fn resolve(project: &Project, name: &str, head: Option<&Source>) -> Result<Source, Failure> {
    let path = Path::new(name);
    if path.is_file() {
        return Ok(Source::Table(path.to_owned()));
    }
    if let ("baseline", Some(Source::Record(head, _))) = (name, head) {
        let asked = &head.manifest.asked;
        let (record, folder) = baseline_record(project, None, &asked.dataset.evalset, &asked.candidate.name)?;
        return Ok(Source::Record(Box::new(record), folder));
    }
    // A name with an ending is meant as a file, so say that it is not there rather than that there is no such run.
    if path.extension().is_some() && !path.exists() {
        return Err(Failure::input(format!("{name}: no such file")));
    }
    let folder = project.store().find(name)?;
    Ok(Source::Record(Box::new(load(&folder)?), folder))
}

fn side(
    source: &Source,
    role: Role,
    table: &TableArgs,
    metrics: &BTreeMap<String, MetricSpec>,
    measures: &[Measure],
) -> Result<Side, Failure> {
    match source {
        Source::Table(path) => table_side(path, role, table, measures, &TableRead::default()),
        Source::Record(record, folder) => {
            let side = side_of_record(record, &shown(folder), metrics)?;
            Ok(Side { measured: measured(record, measures), ..side })
        }
    }
}

/// The blessed record to compare with: the one named, or that of the candidate on the eval set. A name may also be a
/// candidate that has a baseline.
pub(super) fn baseline_record(
    project: &Project,
    named: Option<&str>,
    evalset: &str,
    candidate: &str,
) -> Result<(RunRecord, PathBuf), Failure> {
    let store = project.store();
    let own = baseline_folder(store.path(), evalset, named.unwrap_or(candidate));
    let folder = match named {
        _ if own.join("manifest.json").is_file() => own,
        Some(name) if name != "baseline" => store.find(name)?,
        _ => {
            return Err(Failure::new(
                Exit::Undecidable,
                format!("candidate `{candidate}` has no baseline on eval set `{evalset}`"),
            )
            .hint(
                "make one with `evalgauge run` and `evalgauge baseline bless latest`, or name a record with --base",
            ));
        }
    };
    match load(&folder) {
        Ok(record) => Ok((record, folder)),
        Err(error @ RecordError::Changed { .. }) => {
            Err(Failure::from(error).hint("restore the baseline's files from git, or bless a run anew"))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is read from a table beside what every verb reads.
#[derive(Default)]
struct TableRead<'a> {
    /// The column of the score, whatever the arguments say.
    score: Option<&'a str>,
    /// A further column of labels.
    label: Option<&'a str>,
}

fn table_side(
    path: &Path,
    role: Role,
    table: &TableArgs,
    measures: &[Measure],
    read: &TableRead<'_>,
) -> Result<Side, Failure> {
    let mut columns = TableColumns::conventional(path)?;
    columns.id.clone_from(&table.id);
    let score = match role {
        Role::Baseline => &table.base_score,
        Role::Head => &table.head_score,
    };
    let score = read.score.or(score.as_deref());
    columns.scores = score.map_or_else(|| table.score.clone(), |score| vec![score.to_owned()]);
    columns.measures = measures.to_vec();
    for (column, named) in
        [(&mut columns.trial, &table.trial), (&mut columns.group, &table.group), (&mut columns.labels, &table.labels)]
    {
        if named.is_some() {
            column.clone_from(named);
        }
    }
    let (low, high) = table.scale;
    columns.scale = Scale { low, high, higher_is_better: !table.lower_is_better };
    columns.pass_at = table.pass_at;
    if role == Role::Head {
        (columns.group, columns.labels) = (None, None);
        return Ok(read_side(path, &columns)?);
    }
    // A label of the holdout is a column of its own, unless the object of labels has it.
    let label = read.label.filter(|label| column_names(path).is_ok_and(|names| names.iter().any(|name| name == label)));
    for key in table.slice.iter().flat_map(|slice| slice.split(',')).chain(label) {
        if !columns.slices.iter().any(|known| known == key) {
            columns.slices.push(key.to_owned());
        }
    }
    Ok(read_side(path, &columns)?)
}

/// The slices that `--slice` asks for: `a` and `b` are keys, `a,b` is their crossing. Without any, every label there is.
fn slice_keys(table: &TableArgs) -> SliceKeys {
    if table.slice.is_empty() {
        return SliceKeys::default();
    }
    let (crossings, keys): (Vec<&String>, Vec<&String>) = table.slice.iter().partition(|slice| slice.contains(','));
    SliceKeys {
        keys: Some(keys.into_iter().cloned().collect()),
        crossings: crossings.iter().map(|crossing| crossing.split(',').map(str::to_owned).collect()).collect(),
    }
}
