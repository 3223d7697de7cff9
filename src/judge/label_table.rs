//! Reading tables of labels: one column a rater, or one row a label.

use std::path::Path;

use super::label_entries::{Beside, Entries, Extra, JudgeLine, Role};
use super::label_error::LabelError;
use super::labels::{RaterKind, is_gap, label_of};
use crate::table::{Category, Column, TableError, Want, column_names, for_each_line, read};

/// With fewer items than this, a table that is wider than long is taken for one whose raters are its rows.
const TOO_FEW_ITEMS: usize = 50;

/// A judge, and where its grades' price and time stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JudgeColumns {
    /// Its column; in a table of rows, its name among the raters.
    pub name: String,
    /// Column of dollars an item.
    pub cost: Option<String>,
    /// Column of milliseconds an item.
    pub latency: Option<String>,
    /// Column of its reasons.
    pub rationale: Option<String>,
}

/// How labels are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A row an item, a column a rater. In names, `{}` stands for the dimension, a trailing `*` for any ending.
    Wide {
        /// The raters' columns.
        raters: Vec<String>,
        /// Column of the adjudicated label.
        settled: Option<String>,
    },
    /// A row a label.
    Long {
        /// Column of the rater.
        rater: String,
        /// Column of the label.
        label: String,
    },
}

/// Which columns of a table mean what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// How labels are laid out.
    pub layout: Layout,
    /// Column of the item; without it, each row is an item.
    pub id: Option<String>,
    /// The judges.
    pub judges: Vec<JudgeColumns>,
    /// Column of the dimension.
    pub dimension: Option<String>,
    /// Of a wide table whose column names hold `{}`, what stands there.
    pub dimensions: Vec<String>,
    /// Columns whose values are slices.
    pub slices: Vec<String>,
    /// Columns to show beside an item.
    pub shown: Vec<String>,
    /// Raters that are stand-ins.
    pub stand_ins: Vec<String>,
}

/// The dimension of labels that name none.
pub const ONLY_DIMENSION: &str = "overall";

/// A table in memory, its columns by name.
struct Loaded<'c> {
    path: &'c Path,
    columns: Vec<(&'c str, Column)>,
    lines: Vec<u32>,
}

impl<'c> Loaded<'c> {
    fn read(path: &'c Path, wanted: &[(&'c str, Want)]) -> Result<Self, LabelError> {
        let mut distinct: Vec<(&str, Want)> = Vec::new();
        for want in wanted {
            if !distinct.contains(want) {
                distinct.push(*want);
            }
        }
        let table = read(path, &distinct)?;
        let columns = distinct.iter().map(|(name, _)| *name).zip(table.columns).collect();
        Ok(Self { path, columns, lines: table.lines })
    }

    fn category(&self, name: &str) -> &Category {
        self.columns
            .iter()
            .find_map(|(own, column)| match column {
                Column::Category(category) if *own == name => Some(category),
                _ => None,
            })
            .unwrap_or(&NOTHING)
    }

    fn number(&self, name: Option<&String>, row: usize) -> Option<f64> {
        self.columns.iter().find_map(|(own, column)| match column {
            Column::Number(numbers) if name.is_some_and(|name| name == own) => numbers[row],
            _ => None,
        })
    }

    fn text(&self, name: Option<&String>, row: usize) -> Option<String> {
        name.and_then(|name| self.category(name).get(row)).map(str::to_owned)
    }

    fn line(&self, row: usize, reason: String, hint: &str) -> LabelError {
        LabelError::Line { path: self.path.to_owned(), line: self.lines[row].into(), reason, hint: hint.to_owned() }
    }

    /// The text of a cell that must be there.
    fn required(&self, name: &str, row: usize) -> Result<&str, LabelError> {
        self.category(name)
            .get(row)
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.line(row, format!("column `{name}`: the cell is empty"), "every row needs one"))
    }
}

static NOTHING: std::sync::LazyLock<Category> = std::sync::LazyLock::new(Category::default);

/// Names with `{}` filled in and a trailing `*` spread over the columns of the file.
fn spread(patterns: &[String], dimension: &str, has: &[String]) -> Result<Vec<String>, LabelError> {
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        let pattern = pattern.replace("{}", dimension);
        let found: Vec<String> = match pattern.strip_suffix('*') {
            Some(start) if !has.contains(&pattern) => {
                let mut found: Vec<String> = has.iter().filter(|name| name.starts_with(start)).cloned().collect();
                found.sort();
                found
            }
            _ => vec![pattern.clone()],
        };
        if found.is_empty() {
            return Err(LabelError::whole(
                format!("no column begins with `{}`", pattern.trim_end_matches('*')),
                format!("the columns are: {}", has.join(", ")),
            ));
        }
        for name in found {
            if names.contains(&name) {
                return Err(LabelError::whole(format!("the rater `{name}` is named twice"), "name each rater once"));
            }
            names.push(name);
        }
    }
    Ok(names)
}

/// A dimension, its raters, its judges, its settled label: columns of a wide table.
type Part = (String, Vec<String>, Vec<JudgeColumns>, Option<String>);

/// The columns of each dimension.
fn parts(
    columns: &Columns,
    patterns: &[String],
    settled: Option<&String>,
    has: &[String],
) -> Result<Vec<Part>, LabelError> {
    let dimensions = if columns.dimensions.is_empty() { vec![String::new()] } else { columns.dimensions.clone() };
    let one = |dimension: String| {
        let fill = |name: &String| name.replace("{}", &dimension);
        let raters = spread(patterns, &dimension, has)?;
        let judges: Vec<JudgeColumns> = columns
            .judges
            .iter()
            .map(|judge| JudgeColumns {
                name: fill(&judge.name),
                cost: judge.cost.as_ref().map(fill),
                latency: judge.latency.as_ref().map(fill),
                rationale: judge.rationale.as_ref().map(fill),
            })
            .collect();
        if let Some(both) = judges.iter().find(|judge| raters.contains(&judge.name)) {
            return Err(LabelError::whole(
                format!("`{}` is named as a rater and as a judge", both.name),
                "a judge is measured against the others: leave it out of --raters",
            ));
        }
        let settled = settled.map(fill);
        Ok((dimension, raters, judges, settled))
    };
    dimensions.into_iter().map(one).collect()
}

impl Entries {
    /// Adds what a table says.
    ///
    /// # Errors
    /// A file that cannot be read, a column that it lacks, an empty cell where one is needed, or a table whose raters
    /// are its rows.
    pub fn add_table(&mut self, path: &Path, columns: &Columns) -> Result<(), LabelError> {
        match &columns.layout {
            Layout::Wide { raters, settled } => self.add_wide(path, columns, raters, settled.as_ref()),
            Layout::Long { rater, label } => self.add_long(path, columns, rater, label),
        }
    }

    fn add_wide(
        &mut self,
        path: &Path,
        columns: &Columns,
        patterns: &[String],
        settled: Option<&String>,
    ) -> Result<(), LabelError> {
        let has = column_names(path)?;
        let id = columns.id.clone().or_else(|| has.iter().find(|name| *name == "id").cloned());
        let parts = parts(columns, patterns, settled, &has)?;
        let mut wanted: Vec<(&str, Want)> = Vec::new();
        for (_, raters, judges, settled) in &parts {
            let names = raters.iter().chain(judges.iter().map(|judge| &judge.name)).chain(settled);
            wanted.extend(names.map(|name| (name.as_str(), Want::Category)));
            wanted.extend(judges.iter().flat_map(extra_columns));
        }
        let about = id.iter().chain(&columns.dimension).chain(&columns.slices).chain(&columns.shown);
        wanted.extend(about.map(|name| (name.as_str(), Want::Category)));
        let named: Vec<&str> = parts.iter().flat_map(|(_, raters, judges, _)| names_of(raters, judges)).collect();
        if named.iter().any(|name| !has.iter().any(|h| h == name)) {
            refuse_named_rows(path, id.as_deref().or(has.first().map(String::as_str)), &has, &named)?;
        }
        let loaded = Loaded::read(path, &wanted)?;
        refuse_more_raters_than_items(&loaded, &has, id.as_deref(), &named)?;
        let file = self.file(path, None);
        // The item and the dimension of each row, so that a cell costs no look-up of a text.
        let mut rows = Vec::with_capacity(loaded.lines.len());
        for row in 0..loaded.lines.len() {
            let item = match &id {
                Some(id) => self.id(loaded.required(id, row)?),
                None => self.id(&format!("row {:06}", row + 1)),
            };
            let dimension = match &columns.dimension {
                Some(column) => Some(self.dimension(loaded.required(column, row)?)),
                None => None,
            };
            rows.push((item, dimension));
            self.about(item, &loaded_about(&loaded, columns, row), (file, loaded.lines[row]))?;
        }
        for (dimension, raters, judges, settled) in &parts {
            let only = self.dimension(if dimension.is_empty() { ONLY_DIMENSION } else { dimension });
            let add = |entries: &mut Self, name: &str, role: Role, judge: Option<&JudgeColumns>| {
                entries.wide_column(&loaded, (file, &rows, only), name, role, judge);
            };
            for name in raters {
                let kind = if columns.stand_ins.contains(name) { RaterKind::StandIn } else { RaterKind::Human };
                let rater = self.rater(name);
                self.kind(rater, kind, (file, 1))?;
                add(self, name, Role::Rater(rater), None);
            }
            if let Some(name) = settled {
                add(self, name, Role::Settled, None);
            }
            for judge in judges {
                let role = Role::Judge(self.judge(&judge.name));
                add(self, &judge.name, role, Some(judge));
            }
        }
        Ok(())
    }

    /// Adds one column of a wide table, whose rows are of these items and dimensions.
    fn wide_column(
        &mut self,
        loaded: &Loaded<'_>,
        (file, rows, only): (u32, &[(u32, Option<u32>)], u32),
        name: &str,
        role: Role,
        judge: Option<&JudgeColumns>,
    ) {
        let cells = loaded.category(name);
        let labels: Vec<Option<u32>> = cells.names.iter().map(|cell| self.label(cell)).collect();
        let judge = judge.filter(|judge| extra_columns(judge).next().is_some());
        for (row, &(item, dimension)) in rows.iter().enumerate() {
            let label = cells.codes[row].and_then(|code| labels[code as usize]);
            let extra = judge.map(|judge| extra_of(loaded, judge, row));
            self.push((item, dimension.unwrap_or(only)), role, label, (file, loaded.lines[row]), extra);
        }
    }

    fn add_long(&mut self, path: &Path, columns: &Columns, rater: &str, label: &str) -> Result<(), LabelError> {
        let has = optional_columns(path, &["dimension", "kind", "adjudicated"])?;
        let there = |name: &str| has.contains(&name);
        let id = columns.id.as_deref().unwrap_or("id");
        let dimension = columns.dimension.as_deref().or_else(|| there("dimension").then_some("dimension"));
        let kind = there("kind").then_some("kind");
        let adjudicated = there("adjudicated").then_some("adjudicated");
        let mut wanted: Vec<(&str, Want)> =
            vec![(id, Want::Category), (rater, Want::Category), (label, Want::Category)];
        wanted.extend([dimension, kind, adjudicated].into_iter().flatten().map(|name| (name, Want::Category)));
        wanted.extend(columns.slices.iter().chain(&columns.shown).map(|name| (name.as_str(), Want::Category)));
        wanted.extend(columns.judges.iter().flat_map(extra_columns));
        let loaded = Loaded::read(path, &wanted).map_err(|error| absent_in_long(error, columns))?;
        let file = self.file(path, Some(label));
        let cells = loaded.category(label);
        let labels: Vec<Option<u32>> = cells.names.iter().map(|cell| self.label(cell)).collect();
        let ids: Vec<u32> = loaded.category(id).names.iter().map(|name| self.id(name.trim())).collect();
        let roles: Vec<Role> = loaded
            .category(rater)
            .names
            .iter()
            .map(|name| {
                if columns.judges.iter().any(|judge| judge.name == name.trim()) {
                    Role::Judge(self.judge(name.trim()))
                } else {
                    Role::Rater(self.rater(name.trim()))
                }
            })
            .collect();
        let only = self.dimension(ONLY_DIMENSION);
        for (row, &line) in loaded.lines.iter().enumerate() {
            loaded.required(id, row)?;
            let name = loaded.required(rater, row)?;
            let at = |category: &Category| category.codes[row].unwrap_or(0) as usize;
            let item = ids[at(loaded.category(id))];
            let dimension = match dimension {
                Some(column) => self.dimension(loaded.required(column, row)?),
                None => only,
            };
            let mut role = roles[at(loaded.category(rater))];
            if let Role::Rater(rater) = role {
                let said = kind.and_then(|kind| loaded.category(kind).get(row)).map(str::trim);
                let kind = match said {
                    None | Some("") if columns.stand_ins.iter().any(|own| own == name) => RaterKind::StandIn,
                    None | Some("") => RaterKind::Human,
                    Some(said) => RaterKind::from_name(said).ok_or_else(|| {
                        let reason = format!("field `kind`: unknown kind of rater `{said}`");
                        loaded.line(row, reason, "expected `human` or `stand-in`")
                    })?,
                };
                self.kind(rater, kind, (file, line))?;
                if let Some(column) = adjudicated
                    && truth(&loaded, column, row)?
                {
                    role = Role::Settled;
                }
            }
            let judge = match role {
                Role::Judge(_) => columns.judges.iter().find(|judge| judge.name == name),
                Role::Rater(_) | Role::Settled => None,
            };
            let extra = judge.filter(|judge| extra_columns(judge).next().is_some());
            let extra = extra.map(|judge| extra_of(&loaded, judge, row));
            let label = cells.codes[row].and_then(|code| labels[code as usize]);
            if !columns.slices.is_empty() || !columns.shown.is_empty() {
                self.about(item, &loaded_about(&loaded, columns, row), (file, line))?;
            }
            self.push((item, dimension), role, label, (file, line), extra);
        }
        Ok(())
    }

    /// The code of a cell's label; none for a gap.
    fn label(&mut self, cell: &str) -> Option<u32> {
        let label = label_of(cell);
        if label.is_none() && !cell.trim().is_empty() {
            self.noted_gap(cell.trim());
        }
        label.map(|grade| self.value(grade, cell.trim()))
    }
}

/// Whether a cell says yes.
fn truth(loaded: &Loaded<'_>, column: &str, row: usize) -> Result<bool, LabelError> {
    match loaded.category(column).get(row).map(str::trim) {
        Some("true" | "True" | "TRUE" | "1") => Ok(true),
        None | Some("" | "false" | "False" | "FALSE" | "0") => Ok(false),
        Some(other) => Err(loaded.line(
            row,
            format!("field `{column}`: expected true or false, found `{other}`"),
            "`true` marks the settled label of an item",
        )),
    }
}

fn names_of<'n>(raters: &'n [String], judges: &'n [JudgeColumns]) -> impl Iterator<Item = &'n str> {
    raters.iter().map(String::as_str).chain(judges.iter().map(|judge| judge.name.as_str()))
}

fn extra_columns(judge: &JudgeColumns) -> impl Iterator<Item = (&str, Want)> {
    let numbers = [&judge.cost, &judge.latency].into_iter().flatten().map(|name| (name.as_str(), Want::Number));
    numbers.chain(judge.rationale.iter().map(|name| (name.as_str(), Want::Category)))
}

fn extra_of(loaded: &Loaded<'_>, judge: &JudgeColumns, row: usize) -> Extra {
    Extra {
        rationale: loaded.text(judge.rationale.as_ref(), row),
        cost: loaded.number(judge.cost.as_ref(), row),
        latency: loaded.number(judge.latency.as_ref(), row),
    }
}

fn loaded_about(loaded: &Loaded<'_>, columns: &Columns, row: usize) -> Beside {
    let of = |names: &[String]| {
        let cell = |name: &String| Some((name.clone(), loaded.category(name).get(row)?.to_owned()));
        names.iter().filter_map(cell).collect()
    };
    (of(&columns.slices), of(&columns.shown))
}

/// Says which flag names the column that a long table lacks.
fn absent_in_long(error: LabelError, columns: &Columns) -> LabelError {
    match &error {
        LabelError::File(TableError::NoColumn { name, .. }) if matches!(&columns.layout, Layout::Long { rater, label } if name == rater || name == label) => {
            LabelError::whole(
                error.to_string(),
                "name the columns with --id, --rater and --label; a table with a column a rater takes --raters",
            )
        }
        _ => error,
    }
}

/// Refuses a table in which the raters that were named as columns are cells of the first column.
fn refuse_named_rows(path: &Path, first: Option<&str>, has: &[String], named: &[&str]) -> Result<(), LabelError> {
    let Some(first) = first.filter(|first| has.iter().any(|name| name == first)) else { return Ok(()) };
    let loaded = Loaded::read(path, &[(first, Want::Category)])?;
    let cells = &loaded.category(first).names;
    let found: Vec<&&str> = named.iter().filter(|name| cells.iter().any(|cell| cell.trim() == **name)).collect();
    match found.first() {
        None => Ok(()),
        Some(name) if has.len() <= 5 => Err(LabelError::whole(
            format!("{}: `{name}` is no column but a value of column `{first}`", path.display()),
            format!("a table with a row a label is read with --rater {first} and --label COLUMN"),
        )),
        Some(name) => Err(transposed(
            path,
            &format!(
                "`{name}` is no column but a value of column `{first}`, and the other {} columns look like items",
                has.len() - 1
            ),
        )),
    }
}

fn transposed(path: &Path, why: &str) -> LabelError {
    LabelError::whole(
        format!("{}: raters and items look exchanged (transposed): {why}", path.display()),
        "items are rows and raters are columns: turn the table round, or write it with a row a label and read it with \
         --rater and --label",
    )
}

/// Refuses a short table that is wider than long: agreement of items over raters is a plausible wrong number.
fn refuse_more_raters_than_items(
    loaded: &Loaded<'_>,
    has: &[String],
    id: Option<&str>,
    named: &[&str],
) -> Result<(), LabelError> {
    let items = loaded.lines.len();
    if items >= TOO_FEW_ITEMS {
        return Ok(());
    }
    let used = {
        let mut used = named.to_vec();
        used.sort_unstable();
        used.dedup();
        used.len()
    };
    if used > items {
        return Err(transposed(loaded.path, &format!("{used} columns of raters for {items} rows of items")));
    }
    let known: Vec<_> =
        named.iter().flat_map(|name| &loaded.category(name).names).filter_map(|n| label_of(n)).collect();
    let others: Vec<(&str, Want)> =
        has.iter().filter(|name| Some(name.as_str()) != id).map(|name| (name.as_str(), Want::Category)).collect();
    let all = Loaded::read(loaded.path, &others)?;
    let is_alike = |name: &str| {
        let cells = &all.category(name).names;
        cells.iter().any(|cell| !is_gap(cell))
            && cells.iter().filter_map(|cell| label_of(cell)).all(|l| known.contains(&l))
    };
    let alike = others.iter().filter(|(name, _)| is_alike(name)).count();
    if alike > 2 * items.max(used) {
        return Err(transposed(loaded.path, &format!("{alike} columns of labels for {items} rows")));
    }
    Ok(())
}

/// Which of these columns a file has. In JSON lines any line may have one, not only the first.
fn optional_columns<'n>(path: &Path, names: &[&'n str]) -> Result<Vec<&'n str>, LabelError> {
    let first = column_names(path)?;
    let mut found: Vec<&str> = names.iter().copied().filter(|name| first.iter().any(|own| own == name)).collect();
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    if !["jsonl", "ndjson"].contains(&ending.as_str()) {
        return Ok(found);
    }
    let mut unseen: Vec<(&str, String)> =
        names.iter().filter(|name| !found.contains(name)).map(|name| (*name, format!("\"{name}\""))).collect();
    for_each_line(path, |_, text| {
        unseen.retain(|(name, quoted)| {
            // The name may be a value: only a line that has the text is taken apart.
            let is_field = text.contains(quoted.as_str())
                && serde_json::from_str::<serde_json::Value>(text).is_ok_and(|line| line.get(name).is_some());
            if is_field {
                found.push(name);
            }
            !is_field
        });
        Ok::<(), TableError>(())
    })?;
    Ok(found)
}

/// Reads recorded judgements: `id`, `grade`, and `dimension`, `rationale`, `cost_usd`, `latency_ms` where there are such.
///
/// # Errors
/// A file that cannot be read, a column that it lacks, an item without id.
pub fn read_judgements(path: &Path, only_dimension: &str) -> Result<Vec<JudgeLine>, LabelError> {
    let has = optional_columns(path, &["dimension", "rationale", "cost_usd", "latency_ms"])?;
    let there = |name: &'static str| has.contains(&name).then_some(name);
    let (dimension, rationale) = (there("dimension"), there("rationale"));
    let (cost, latency) = (there("cost_usd").map(str::to_owned), there("latency_ms").map(str::to_owned));
    let mut wanted = vec![("id", Want::Category), ("grade", Want::Category)];
    wanted.extend([dimension, rationale].into_iter().flatten().map(|name| (name, Want::Category)));
    wanted.extend(cost.iter().chain(&latency).map(|name| (name.as_str(), Want::Number)));
    let loaded = Loaded::read(path, &wanted)?;
    let line = |row: usize| -> Result<JudgeLine, LabelError> {
        Ok(JudgeLine {
            id: loaded.required("id", row)?.to_owned(),
            dimension: match dimension {
                Some(name) => loaded.required(name, row)?.to_owned(),
                None => only_dimension.to_owned(),
            },
            grade: loaded.category("grade").get(row).and_then(label_of),
            extra: Extra {
                rationale: rationale.and_then(|name| loaded.category(name).get(row)).map(str::to_owned),
                cost: loaded.number(cost.as_ref(), row),
                latency: loaded.number(latency.as_ref(), row),
            },
            line: loaded.lines[row],
        })
    };
    (0..loaded.lines.len()).map(line).collect()
}
