//! A side from a plain file of rows: one row an example and trial.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;

use super::error::CompareError;
use super::measure::{Measure, Measured};
use super::side::{Identity, Labels, MetricValues, Scored, Side};
use crate::score::Scale;
use crate::table::{Category, Column, Table, TableError, Text, Want, column_names, read, sha256_of_file};

/// Which columns of a table mean what.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumns {
    /// The example's id.
    pub id: String,
    /// The trial, where there are several; trials are taken in ascending order, by number where they are numbers.
    pub trial: Option<String>,
    /// The scores; of several, each is a metric by the name of its column, of one the metric is called `score`.
    pub scores: Vec<String>,
    /// What else to read, from the columns that [`Measure::column`] names, where the file has them.
    pub measures: Vec<Measure>,
    /// The unit of independence.
    pub group: Option<String>,
    /// A column that holds an object of labels as JSON.
    pub labels: Option<String>,
    /// Columns whose values are slices.
    pub slices: Vec<String>,
    /// The scale of the scores.
    pub scale: Scale,
    /// The lowest score that is a pass; by default the upper end for scores that are all at either end.
    pub pass_at: Option<f64>,
}

impl TableColumns {
    /// The conventional names, of which `trial`, `group` and `labels` are used where the file has them.
    ///
    /// # Errors
    /// When the file's header cannot be read.
    pub fn conventional(path: &Path) -> Result<Self, CompareError> {
        let names = column_names(path)?;
        let there = |name: &str| names.iter().any(|n| n == name).then(|| name.to_owned());
        Ok(Self {
            id: "id".to_owned(),
            trial: there("trial"),
            scores: vec!["score".to_owned()],
            measures: Vec::new(),
            group: there("group"),
            labels: there("labels"),
            slices: Vec::new(),
            scale: Scale::UNIT,
            pass_at: None,
        })
    }
}

/// Reads one side.
///
/// # Errors
/// A file that cannot be read, an (id, trial) that stands twice, a score outside the scale; each with file and line.
pub fn read_side(path: &Path, columns: &TableColumns) -> Result<Side, CompareError> {
    let mut wanted: Vec<(&str, Want)> = vec![(&columns.id, Want::Text)];
    wanted.extend(columns.scores.iter().map(|name| (name.as_str(), Want::Number)));
    let trial = columns.trial.as_deref().map(|name| {
        wanted.push((name, Want::Category));
        wanted.len() - 1
    });
    let group = columns.group.as_deref().map(|name| {
        wanted.push((name, Want::Category));
        wanted.len() - 1
    });
    let labels = columns.labels.as_deref().map(|name| {
        wanted.push((name, Want::Category));
        wanted.len() - 1
    });
    let first_slice = wanted.len();
    wanted.extend(columns.slices.iter().map(|name| (name.as_str(), Want::Category)));
    let first_measure = wanted.len();
    let has = if columns.measures.is_empty() { Vec::new() } else { column_names(path)? };
    let measures: Vec<(Measure, &str)> = columns
        .measures
        .iter()
        .filter_map(|measure| Some((*measure, measure.column().filter(|column| has.iter().any(|has| has == column))?)))
        .collect();
    wanted.extend(measures.iter().map(|(_, name)| (*name, Want::Number)));
    let (table, sha256) = rayon::join(|| read(path, &wanted), || sha256_of_file(path));
    let (table, sha256) = (table?, sha256?);

    let Column::Text(ids) = &table.columns[0] else { unreachable_column()? };
    for (at, name) in columns.scores.iter().enumerate() {
        check_scale(path, &table, (name, number(&table, 1 + at)?), columns.scale)?;
    }
    let trials = trial.map(|at| category(&table, at)).transpose()?;
    let order = Order::new(path, &table, ids, trials)?;

    let mut metrics = Vec::with_capacity(columns.scores.len());
    for (at, column) in columns.scores.iter().enumerate() {
        let name = if columns.scores.len() == 1 { "score" } else { column };
        metrics.push(metric(name, number(&table, 1 + at)?, &order, columns));
    }
    let mut measured = Vec::with_capacity(measures.len());
    for (at, (measure, _)) in measures.iter().enumerate() {
        let column = number(&table, first_measure + at)?;
        let of = |rows: &[u32]| rows.iter().filter_map(|&row| column[row as usize]).collect();
        measured.push(Measured { measure: *measure, values: order.examples().map(of).collect() });
    }

    let mut label_columns = Vec::new();
    for (slice, key) in columns.slices.iter().enumerate() {
        label_columns.push(plain_labels(path, &table, key, category(&table, first_slice + slice)?, &order)?);
    }
    if let Some(at) = labels {
        label_columns.extend(object_labels(path, &table, category(&table, at)?, &order)?);
    }
    let groups = group
        .map(|at| {
            let column = category(&table, at)?;
            Ok::<_, CompareError>(
                order.examples().map(|rows| column.get(rows[0] as usize).map(str::to_owned)).collect(),
            )
        })
        .transpose()?;

    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let name = match &columns.scores[..] {
        [score] if score != "score" => format!("{name}:{score}"),
        _ => name,
    };
    Ok(Side {
        identity: Identity {
            name,
            source: path.display().to_string(),
            sha256,
            candidate: None,
            git_revision: None,
            pins: None,
            complete: true,
        },
        ids: order.examples().map(|rows| ids.get(rows[0] as usize)).collect(),
        groups,
        labels: label_columns,
        metrics,
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured,
    })
}

fn unreachable_column<T>() -> Result<T, CompareError> {
    Err(CompareError::Input("a column was read in another form than asked for; please report this".to_owned()))
}

/// The metric of one column of scores.
fn metric(name: &str, scores: &[Option<f64>], order: &Order, columns: &TableColumns) -> MetricValues {
    let scale = columns.scale;
    let at_an_end = |score: f64| score == scale.low || score == scale.high;
    let all_at_ends = || scores.iter().flatten().all(|&score| at_an_end(score));
    let pass_at = columns.pass_at.or_else(|| all_at_ends().then_some(scale.best()));
    let mut metric = MetricValues::new(name, scale, pass_at.is_some());
    for rows in order.examples() {
        metric.push(rows.iter().map(|&row| {
            let value = scores[row as usize]?;
            Some(Scored { value, passed: pass_at.is_some_and(|limit| scale.reaches(value, limit)) })
        }));
    }
    metric
}

fn number(table: &Table, at: usize) -> Result<&Vec<Option<f64>>, CompareError> {
    match &table.columns[at] {
        Column::Number(numbers) => Ok(numbers),
        _ => unreachable_column(),
    }
}

fn category(table: &Table, at: usize) -> Result<&Category, CompareError> {
    match &table.columns[at] {
        Column::Category(category) => Ok(category),
        _ => unreachable_column(),
    }
}

fn at_line(path: &Path, line: u32, reason: String) -> CompareError {
    TableError::Line { path: path.to_owned(), line: u64::from(line), reason }.into()
}

fn check_scale(
    path: &Path,
    table: &Table,
    (name, scores): (&str, &[Option<f64>]),
    scale: Scale,
) -> Result<(), CompareError> {
    let Scale { low, high, .. } = scale;
    let outside = scores.iter().position(|score| score.is_some_and(|score| !(low..=high).contains(&score)));
    match outside {
        Some(row) => Err(at_line(
            path,
            table.lines[row],
            format!(
                "column `{name}`: {} is outside the scale {low}..{high}; say the scale with --scale LOW,HIGH",
                scores[row].unwrap_or_default()
            ),
        )),
        None => Ok(()),
    }
}

/// Rows in the order of (id bytes, trial), cut into examples.
struct Order {
    rows: Vec<u32>,
    starts: Vec<u32>,
}

impl Order {
    fn new(path: &Path, table: &Table, ids: &Text, trials: Option<&Category>) -> Result<Self, CompareError> {
        // Trials sort by number where they are numbers, so that trial 10 comes after trial 9.
        let rank: Vec<(f64, &str)> = trials.map_or_else(Vec::new, |trials| {
            trials.names.iter().map(|name| (name.parse().unwrap_or(f64::MAX), name.as_str())).collect()
        });
        let trial = |row: u32| trials.and_then(|trials| trials.codes[row as usize]).map(|code| rank[code as usize]);
        let compare = |a: &u32, b: &u32| {
            ids.get(*a as usize)
                .as_bytes()
                .cmp(ids.get(*b as usize).as_bytes())
                .then_with(|| trial(*a).partial_cmp(&trial(*b)).unwrap_or(Ordering::Equal))
        };
        let mut rows: Vec<u32> = (0..table.rows as u32).collect();
        if !rows.is_sorted_by(|a, b| compare(a, b).is_le()) {
            rows = sorted(ids, compare);
        }
        let mut starts = Vec::with_capacity(rows.len());
        for (at, &row) in rows.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| rows[before]);
            match before {
                Some(before) if ids.get(before as usize) == ids.get(row as usize) => {
                    if compare(&before, &row).is_eq() {
                        let (first, second) = (before.min(row), before.max(row));
                        let what = trial(row).map_or(String::new(), |(_, name)| format!(" with trial `{name}`"));
                        return Err(at_line(
                            path,
                            table.lines[second as usize],
                            format!(
                                "the id `{}`{what} stands on line {} already; several trials need a column `trial` (--trial COLUMN)",
                                ids.get(row as usize),
                                table.lines[first as usize]
                            ),
                        ));
                    }
                }
                _ => starts.push(at as u32),
            }
        }
        Ok(Self { rows, starts })
    }

    fn examples(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.starts.len()).map(|example| {
            let start = self.starts[example] as usize;
            let end = self.starts.get(example + 1).map_or(self.rows.len(), |&end| end as usize);
            &self.rows[start..end]
        })
    }
}

/// All rows in the order of `compare`, which must order by the bytes of the ids first.
///
/// Ids often start alike, so the first bytes in which any two differ decide most comparisons without a look at the text.
fn sorted(ids: &Text, compare: impl Fn(&u32, &u32) -> Ordering + Sync) -> Vec<u32> {
    use rayon::slice::ParallelSliceMut;
    let first = if ids.is_empty() { "" } else { ids.get(0) };
    let alike = |id: &str| first.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    let shared = ids.iter().map(alike).min().unwrap_or(0);
    let mut keyed: Vec<(u64, u32)> = ids
        .iter()
        .zip(0..)
        .map(|(id, row)| {
            // An id that ends earlier is filled up with zeros: smaller than, or equal to, whatever goes on.
            let mut key = [0; 8];
            let rest = &id.as_bytes()[shared..];
            let length = rest.len().min(key.len());
            key[..length].copy_from_slice(&rest[..length]);
            (u64::from_be_bytes(key), row)
        })
        .collect();
    keyed.par_sort_by(|(a_key, a), (b_key, b)| a_key.cmp(b_key).then_with(|| compare(a, b)));
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn plain_labels(
    path: &Path,
    table: &Table,
    key: &str,
    column: &Category,
    order: &Order,
) -> Result<Labels, CompareError> {
    let mut labels = Labels::new(key);
    labels.names.clone_from(&column.names);
    for rows in order.examples() {
        let code = column.codes[rows[0] as usize];
        if let Some(&row) = rows.iter().find(|&&row| column.codes[row as usize] != code) {
            let reason = format!("column `{key}`: another trial of this example has another value");
            return Err(at_line(path, table.lines[row as usize], reason));
        }
        labels.push(code);
    }
    Ok(labels)
}

/// Labels from a column of JSON objects: `{"tier": "1", "locale": ["de", "at"]}`.
fn object_labels(path: &Path, table: &Table, column: &Category, order: &Order) -> Result<Vec<Labels>, CompareError> {
    type Object = std::collections::BTreeMap<String, crate::evalset::LabelValue>;
    let mut parsed: Vec<Object> = Vec::with_capacity(column.names.len());
    for (code, text) in column.names.iter().enumerate() {
        parsed.push(serde_json::from_str(text).map_err(|error| {
            let row = column.codes.iter().position(|&c| c == Some(code as u32)).unwrap_or_default();
            at_line(path, table.lines[row], format!("the labels are not an object of texts: {error}"))
        })?);
    }
    let keys: BTreeSet<&String> = parsed.iter().flat_map(Object::keys).collect();
    let mut columns = Vec::new();
    for key in keys {
        let mut dictionary = Category::default();
        let codes: Vec<Vec<u32>> = parsed
            .iter()
            .map(|object| {
                object.get(key).map_or_else(Vec::new, |v| v.iter().map(|name| dictionary.code(name)).collect())
            })
            .collect();
        let mut labels = Labels::new(key.as_str());
        for rows in order.examples() {
            let object = column.codes[rows[0] as usize];
            labels.push(object.map_or(&[][..], |code| &codes[code as usize]).iter().copied());
        }
        labels.names = dictionary.names;
        columns.push(labels);
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_bytes() {
        let lists: [&[&str]; 5] = [
            &["item-10", "item-9", "item-", "item-1", "item-100000000", "item-1000000001", "item-99999999a"],
            &["b", "", "a\0", "a", "ä", "a\0\0", "A"],
            &["same", "same", "same"],
            &["ü1", "ö2", "ü", "ö"],
            &["one"],
        ];
        for list in lists {
            let ids: Text = list.iter().copied().collect();
            let by_bytes = |a: &u32, b: &u32| ids.get(*a as usize).as_bytes().cmp(ids.get(*b as usize).as_bytes());
            let mut plain: Vec<u32> = (0..list.len() as u32).collect();
            plain.sort_by(by_bytes);
            assert_eq!(sorted(&ids, by_bytes), plain, "{list:?}");
        }
    }
}
