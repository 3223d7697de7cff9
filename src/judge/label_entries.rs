//! Labels from any number of files, on their way into sheets.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::grade::Grade;
use super::label_error::LabelError;
use super::labels::{Accepted, Graded, Rater, RaterKind, Said, Sheet, Slice, Values, off_scale};
use crate::table::Category;

/// Whose label it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A rater's.
    Rater(u32),
    /// A judge's.
    Judge(u32),
    /// The label on which the item was settled.
    Settled,
}

/// What a judge says beside its grade.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extra {
    /// Why.
    pub rationale: Option<String>,
    /// Dollars.
    pub cost: Option<f64>,
    /// Milliseconds.
    pub latency: Option<f64>,
}

/// One judgement: of an answer, in one dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeLine {
    /// The item.
    pub id: String,
    /// The dimension.
    pub dimension: String,
    /// The grade; none where it could not be read.
    pub grade: Option<Grade>,
    /// What else it said.
    pub extra: Extra,
    /// The line that it comes from, from 1; 0 where it comes from none.
    pub line: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    item: u32,
    dimension: u32,
    role: Role,
    /// Code in `values`; none for a gap.
    label: Option<u32>,
    file: u32,
    line: u32,
    /// Position in `extras`.
    extra: Option<u32>,
}

/// What a row says about its item: slices, then texts to show.
pub(super) type Beside = (Vec<(String, String)>, Vec<(String, String)>);

/// Where something stands: file and line.
type At = (u32, u32);

#[derive(Debug, Default)]
struct About {
    slices: Vec<(String, Vec<String>)>,
    shown: Vec<(String, String)>,
    at: At,
}

/// Labels of any number of files.
#[derive(Debug, Default)]
pub struct Entries {
    files: Vec<(PathBuf, Option<String>)>,
    ids: Category,
    raters: Category,
    judges: Category,
    dimensions: Category,
    values: Values,
    /// How a label was first written.
    cells: Vec<String>,
    kinds: Vec<Option<(RaterKind, At)>>,
    rows: Vec<Entry>,
    extras: Vec<Extra>,
    about: HashMap<u32, About>,
    gaps: BTreeSet<String>,
}

/// What to make of the entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wanted {
    /// The raters, in order; without any, all of them by name.
    pub raters: Vec<String>,
    /// The judges, in order.
    pub judges: Vec<String>,
    /// The dimensions, in order; without any, all of them by name.
    pub dimensions: Vec<String>,
    /// Labels of other dimensions are an error instead of being left out.
    pub only_these_dimensions: bool,
    /// Keys of slices; several keys make a crossing.
    pub slices: Vec<Vec<String>>,
    /// The labels that are right.
    pub accepted: Accepted,
    /// The labels that are right in one dimension, where they differ.
    pub accepted_in: Vec<(String, Accepted)>,
    /// The items that exist, where that is known.
    pub items: Option<HashSet<String>>,
    /// What the items and dimensions are known from, for messages.
    pub known_from: String,
}

impl Entries {
    pub(super) fn file(&mut self, path: &Path, label_field: Option<&str>) -> u32 {
        self.files.push((path.to_owned(), label_field.map(str::to_owned)));
        (self.files.len() - 1) as u32
    }

    pub(super) fn id(&mut self, id: &str) -> u32 {
        self.ids.code(id)
    }

    pub(super) fn rater(&mut self, name: &str) -> u32 {
        let code = self.raters.code(name);
        self.kinds.resize(self.raters.names.len(), None);
        code
    }

    pub(super) fn judge(&mut self, name: &str) -> u32 {
        self.judges.code(name)
    }

    pub(super) fn dimension(&mut self, name: &str) -> u32 {
        self.dimensions.code(name)
    }

    pub(super) fn value(&mut self, grade: Grade, cell: &str) -> u32 {
        let code = self.values.code(grade);
        if code as usize == self.cells.len() {
            self.cells.push(cell.to_owned());
        }
        code
    }

    pub(super) fn noted_gap(&mut self, cell: &str) {
        self.gaps.insert(cell.to_owned());
    }

    /// Texts that were read as gaps, such as `NA`.
    pub fn gaps(&self) -> impl Iterator<Item = &str> {
        self.gaps.iter().map(String::as_str)
    }

    /// The raters that there are.
    #[must_use]
    pub fn rater_names(&self) -> &[String] {
        &self.raters.names
    }

    /// The dimensions that there are, by name.
    #[must_use]
    pub fn dimension_names(&self) -> Vec<&str> {
        let used: BTreeSet<u32> = self.rows.iter().map(|row| row.dimension).collect();
        let mut names: Vec<&str> = used.iter().map(|&code| self.dimensions.names[code as usize].as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The judges that there are.
    #[must_use]
    pub fn judge_names(&self) -> &[String] {
        &self.judges.names
    }

    /// Adds what a judge said, however that came about; a grade that is absent could not be read.
    pub fn add_judgements(&mut self, source: &Path, judge: &str, judgements: &[JudgeLine]) {
        let file = self.file(source, Some("grade"));
        let judge = self.judge(judge);
        for line in judgements {
            let (item, dimension) = (self.ids.code(&line.id), self.dimensions.code(&line.dimension));
            let label = line.grade.as_ref().map(|grade| self.value(grade.clone(), &grade.to_string()));
            let extra = (line.extra != Extra::default()).then(|| line.extra.clone());
            self.push((item, dimension), Role::Judge(judge), label, (file, line.line), extra);
        }
    }

    /// Says who a rater is.
    pub(super) fn kind(&mut self, rater: u32, kind: RaterKind, at: At) -> Result<(), LabelError> {
        match self.kinds[rater as usize] {
            None => self.kinds[rater as usize] = Some((kind, at)),
            Some((known, _)) if known == kind => {}
            Some((known, before)) => {
                let name = &self.raters.names[rater as usize];
                let reason = format!(
                    "field `kind`: rater `{name}` is `{}` here and `{}` {}",
                    kind.name(),
                    known.name(),
                    self.elsewhere(before, at)
                );
                return Err(self.line(at, reason, "one rater is of one kind; give different raters different names"));
            }
        }
        Ok(())
    }

    /// Notes slices and texts of an item.
    pub(super) fn about(&mut self, item: u32, (slices, shown): &Beside, at: At) -> Result<(), LabelError> {
        if slices.is_empty() && shown.is_empty() {
            return Ok(());
        }
        let about = self.about.entry(item).or_insert_with(|| About { at, ..About::default() });
        let mut clash = None;
        for (key, value) in slices {
            match about.slices.iter().find(|(known, _)| known == key) {
                None => about.slices.push((key.clone(), vec![value.clone()])),
                Some((_, known)) if known.as_slice() == std::slice::from_ref(value) => {}
                Some((_, known)) => clash = Some((key, value, known.join(", "), about.at)),
            }
        }
        for text in shown {
            if !about.shown.contains(text) {
                about.shown.push(text.clone());
            }
        }
        let Some((key, value, known, before)) = clash else { return Ok(()) };
        let reason = format!(
            "column `{key}`: item `{}` is `{value}` here and `{known}` {}",
            self.ids.names[item as usize],
            self.elsewhere(before, at)
        );
        Err(self.line(at, reason, "an item has one value of a slice column"))
    }

    /// Adds labels and texts of an item that are known from its own list.
    pub fn describe(&mut self, id: &str, slices: Vec<(String, Vec<String>)>, shown: Vec<(String, String)>) {
        let item = self.ids.code(id);
        self.about.insert(item, About { slices, shown, at: (0, 0) });
    }

    pub(super) fn push(
        &mut self,
        (item, dimension): (u32, u32),
        role: Role,
        label: Option<u32>,
        (file, line): At,
        extra: Option<Extra>,
    ) {
        let extra = extra.map(|extra| {
            self.extras.push(extra);
            (self.extras.len() - 1) as u32
        });
        self.rows.push(Entry { item, dimension, role, label, file, line, extra });
    }

    fn line(&self, (file, line): At, reason: String, hint: &str) -> LabelError {
        let path = self.files.get(file as usize).map(|(path, _)| path.clone()).unwrap_or_default();
        LabelError::Line { path, line: line.into(), reason, hint: hint.to_owned() }
    }

    fn elsewhere(&self, (file, line): At, here: At) -> String {
        if file == here.0 {
            return format!("on line {line}");
        }
        let path = self.files.get(file as usize).map(|(path, _)| path.display().to_string()).unwrap_or_default();
        format!("at {path}:{line}")
    }

    /// One sheet a dimension.
    ///
    /// # Errors
    /// An item labelled twice by one rater, a label off the scale, an item or a dimension that is not known, a rater or
    /// judge that nothing is from.
    pub fn sheets(&self, wanted: &Wanted) -> Result<Vec<Sheet>, LabelError> {
        let raters = named("rater", &wanted.raters, &self.raters.names)?;
        // A judge whose name nobody has is looked for among the raters.
        let heard: &[String] = if self.judges.names.is_empty() { &self.raters.names } else { &self.judges.names };
        if let Some(name) = wanted.judges.iter().find(|name| !self.judges.names.contains(name)) {
            return Err(unknown("judge", name, heard));
        }
        let judges = named("judge", &wanted.judges, &self.judges.names)?;
        self.refuse_unknown(wanted)?;
        let used: HashSet<u32> = self.rows.iter().map(|row| row.dimension).collect();
        let known: Vec<String> = (0..self.dimensions.names.len() as u32)
            .filter(|code| used.contains(code))
            .map(|code| self.dimensions.names[code as usize].clone())
            .collect();
        let mut dimensions = named("dimension", &wanted.dimensions, &self.dimensions.names)?;
        dimensions.retain(|&code| known.contains(&self.dimensions.names[code as usize]));
        let mut by_dimension: Vec<Vec<u32>> = vec![Vec::new(); self.dimensions.names.len()];
        for (at, row) in self.rows.iter().enumerate() {
            by_dimension[row.dimension as usize].push(at as u32);
        }
        dimensions
            .into_iter()
            .map(|dimension| self.sheet(dimension, &by_dimension[dimension as usize], &raters, &judges, wanted))
            .collect()
    }

    fn refuse_unknown(&self, wanted: &Wanted) -> Result<(), LabelError> {
        let unknown_item: Vec<bool> = match &wanted.items {
            Some(items) => self.ids.names.iter().map(|id| !items.contains(id)).collect(),
            None => vec![false; self.ids.names.len()],
        };
        let is_known = |name: &String| !wanted.only_these_dimensions || wanted.dimensions.contains(name);
        let unknown_dimension: Vec<bool> = self.dimensions.names.iter().map(|name| !is_known(name)).collect();
        for row in &self.rows {
            let at = (row.file, row.line);
            if unknown_item[row.item as usize] {
                let id = &self.ids.names[row.item as usize];
                let reason = format!("field `id`: unknown item `{id}`; {} does not have it", wanted.known_from);
                return Err(self.line(at, reason, "correct the id, or add the item"));
            }
            if unknown_dimension[row.dimension as usize] {
                let name = &self.dimensions.names[row.dimension as usize];
                let reason = format!(
                    "field `dimension`: {} has no dimension `{name}`; it has {}",
                    wanted.known_from,
                    wanted.dimensions.join(", ")
                );
                return Err(self.line(at, reason, "correct the dimension, or describe it in judge.toml"));
            }
        }
        Ok(())
    }

    fn sheet(
        &self,
        dimension: u32,
        rows: &[u32],
        raters: &[u32],
        judges: &[u32],
        wanted: &Wanted,
    ) -> Result<Sheet, LabelError> {
        let mut items: Vec<u32> = rows.iter().map(|&row| self.rows[row as usize].item).collect();
        items.sort_unstable();
        items.dedup();
        items.sort_by(|&a, &b| self.ids.names[a as usize].cmp(&self.ids.names[b as usize]));
        let mut place = vec![u32::MAX; self.ids.names.len()];
        items.iter().enumerate().for_each(|(at, &item)| place[item as usize] = at as u32);
        let n = items.len();
        // Raters first, then judges, then the settled labels; per cell the row that filled it, plus one.
        let slots = raters.len() + judges.len() + 1;
        let mut filled = vec![0_u32; slots * n];
        let slot_of = |role: Role| match role {
            Role::Rater(rater) => raters.iter().position(|&own| own == rater),
            Role::Judge(judge) => judges.iter().position(|&own| own == judge).map(|at| raters.len() + at),
            Role::Settled => Some(slots - 1),
        };
        let rater_slots: Vec<Option<usize>> =
            (0..self.raters.names.len() as u32).map(|rater| slot_of(Role::Rater(rater))).collect();
        for &at in rows {
            let row = &self.rows[at as usize];
            let slot = match row.role {
                Role::Rater(rater) => rater_slots[rater as usize],
                other => slot_of(other),
            };
            let Some(slot) = slot else { continue };
            let cell = &mut filled[slot * n + place[row.item as usize] as usize];
            if *cell != 0 {
                return Err(self.twice(row, &self.rows[*cell as usize - 1]));
            }
            *cell = at + 1;
        }
        let entry = |slot: usize, item: usize| match filled[slot * n + item] {
            0 => None,
            at => Some(&self.rows[at as usize - 1]),
        };
        let mut sheet = Sheet {
            dimension: self.dimensions.names[dimension as usize].clone(),
            ids: items.iter().map(|&item| self.ids.names[item as usize].clone()).collect(),
            slices: self.slices(&items, &wanted.slices)?,
            shown: self.shown(&items),
            ..Sheet::default()
        };
        let own = wanted.accepted_in.iter().find(|(name, _)| *name == sheet.dimension).map(|(_, accepted)| accepted);
        let accepted = own.unwrap_or(&wanted.accepted);
        let is_right: Vec<bool> = self.values.all().iter().map(|grade| accepted.has(grade)).collect();
        let checked = |slot: usize, item: usize| -> Result<Option<u32>, LabelError> {
            let Some(row) = entry(slot, item) else { return Ok(None) };
            match row.label {
                Some(label) if !is_right[label as usize] => Err(self.wrong(row, label, accepted)),
                label => Ok(label),
            }
        };
        for (slot, &rater) in raters.iter().enumerate() {
            let labels = (0..n).map(|item| checked(slot, item)).collect::<Result<Vec<_>, _>>()?;
            // A rater who labelled nothing here is none of this dimension's.
            if labels.iter().all(Option::is_none) {
                continue;
            }
            sheet.raters.push(Rater {
                name: self.raters.names[rater as usize].clone(),
                kind: self.kinds[rater as usize].map_or(RaterKind::Human, |(kind, _)| kind),
                labels,
            });
        }
        let settled = (0..n).map(|item| checked(slots - 1, item)).collect::<Result<Vec<_>, _>>()?;
        if settled.iter().any(Option::is_some) {
            sheet.settled = settled;
        }
        for (at, &judge) in judges.iter().enumerate() {
            let rows: Vec<Option<&Entry>> = (0..n).map(|item| entry(raters.len() + at, item)).collect();
            // A judge of other dimensions is none of this one's.
            if rows.iter().any(Option::is_some) {
                sheet.judges.push(self.judged(judge, &rows, &is_right));
            }
        }
        if sheet.judges.is_empty() && !judges.is_empty() {
            return Err(self.without_judge(dimension, judges));
        }
        Ok(sheet.with_values(&self.values))
    }

    fn judged(&self, judge: u32, rows: &[Option<&Entry>], is_right: &[bool]) -> Graded {
        let mut judged = Graded { name: self.judges.names[judge as usize].clone(), ..Graded::default() };
        let mut off: HashMap<u32, usize> = HashMap::new();
        for row in rows {
            judged.said.push(match row.map(|row| row.label) {
                None => Said::Nothing,
                Some(None) => Said::Unparsed,
                Some(Some(label)) if is_right[label as usize] => Said::Grade(label),
                Some(Some(label)) => {
                    *off.entry(label).or_default() += 1;
                    Said::Unparsed
                }
            });
        }
        judged.off_scale =
            off.into_iter().map(|(label, times)| (self.values.all()[label as usize].to_string(), times)).collect();
        judged.off_scale.sort();
        let extra = |row: Option<&Entry>| row.and_then(|row| row.extra).map(|at| &self.extras[at as usize]);
        let any = |has: &dyn Fn(&Extra) -> bool| rows.iter().copied().filter_map(extra).any(has);
        if any(&|extra| extra.rationale.is_some()) {
            judged.rationales = rows.iter().map(|row| extra(*row).and_then(|extra| extra.rationale.clone())).collect();
        }
        if any(&|extra| extra.cost.is_some()) {
            judged.cost = rows.iter().map(|row| extra(*row).and_then(|extra| extra.cost)).collect();
        }
        if any(&|extra| extra.latency.is_some()) {
            judged.latency = rows.iter().map(|row| extra(*row).and_then(|extra| extra.latency)).collect();
        }
        judged
    }

    fn without_judge(&self, dimension: u32, judges: &[u32]) -> LabelError {
        let name = |code: &u32| format!("`{}`", self.judges.names[*code as usize]);
        let judged: BTreeSet<&str> = self
            .rows
            .iter()
            .filter(|row| matches!(row.role, Role::Judge(judge) if judges.contains(&judge)))
            .map(|row| self.dimensions.names[row.dimension as usize].as_str())
            .collect();
        LabelError::whole(
            format!(
                "there are labels of the dimension `{}`, and no grade of {}",
                self.dimensions.names[dimension as usize],
                judges.iter().map(name).collect::<Vec<_>>().join(", ")
            ),
            format!(
                "its grades are of: {}; name those to look at with --dimensions",
                judged.into_iter().collect::<Vec<_>>().join(", ")
            ),
        )
    }

    fn twice(&self, row: &Entry, before: &Entry) -> LabelError {
        let who = match row.role {
            Role::Rater(rater) => format!("rater `{}`", self.raters.names[rater as usize]),
            Role::Judge(judge) => format!("judge `{}`", self.judges.names[judge as usize]),
            Role::Settled => "the settled label".to_owned(),
        };
        let at = (row.file, row.line);
        let reason = format!(
            "field `id`: item `{}` has two labels of {who}; the first is {}",
            self.ids.names[row.item as usize],
            self.elsewhere((before.file, before.line), at)
        );
        self.line(at, reason, "keep one of them; labels of several dimensions need --dimension COLUMN")
    }

    fn wrong(&self, row: &Entry, label: u32, accepted: &Accepted) -> LabelError {
        let (path, field) = &self.files[row.file as usize];
        let field = match (field, row.role) {
            (Some(field), _) => format!("field `{field}`"),
            (None, Role::Rater(rater)) => format!("column `{}`", self.raters.names[rater as usize]),
            (None, _) => "adjudicated label".to_owned(),
        };
        off_scale(path.clone(), row.line, &field, &self.cells[label as usize], accepted)
    }

    fn shown(&self, items: &[u32]) -> Vec<Vec<(String, String)>> {
        if self.about.values().all(|about| about.shown.is_empty()) {
            return Vec::new();
        }
        items.iter().map(|item| self.about.get(item).map(|about| about.shown.clone()).unwrap_or_default()).collect()
    }

    fn slices(&self, items: &[u32], wanted: &[Vec<String>]) -> Result<Vec<Slice>, LabelError> {
        let mut found = Vec::new();
        for keys in wanted {
            let mut members: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
            for (at, item) in items.iter().enumerate() {
                let Some(about) = self.about.get(item) else { continue };
                let mut crossed: Vec<Vec<&str>> = vec![Vec::new()];
                for key in keys {
                    let values = about.slices.iter().find(|(own, _)| own == key).map(|(_, values)| values);
                    let values = values.map_or(&[][..], Vec::as_slice);
                    crossed = crossed
                        .iter()
                        .flat_map(|so_far| {
                            values.iter().map(move |value| [so_far.as_slice(), &[value.as_str()]].concat())
                        })
                        .collect();
                }
                for values in crossed {
                    members.entry(values).or_default().push(at);
                }
            }
            if members.is_empty() {
                return Err(LabelError::whole(
                    format!("no item has the label `{}` to slice by", keys.join(",")),
                    "name a column, or a label of the items",
                ));
            }
            let mut slices: Vec<_> = members.into_iter().collect();
            slices.sort_by(|(a, _), (b, _)| {
                let ordered = a.iter().zip(b).map(|(a, b)| by_number(a, b));
                ordered.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            });
            found.extend(slices.into_iter().map(|(values, items)| {
                let parts = keys.iter().zip(values).map(|(key, value)| part(key, value));
                Slice { name: parts.collect::<Vec<_>>().join(","), items }
            }));
        }
        Ok(found)
    }
}

/// `key=value`; the value quoted where it holds what separates.
fn part(key: &str, value: &str) -> String {
    if value.is_empty() || value.contains(['=', ',', ' ', '"']) {
        format!("{key}=\"{}\"", value.replace('"', "\\\""))
    } else {
        format!("{key}={value}")
    }
}

/// Numbers by size, before texts by bytes.
fn by_number(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

fn unknown(what: &str, name: &str, has: &[String]) -> LabelError {
    let mut has: Vec<String> = has.iter().map(|name| format!("`{name}`")).collect();
    has.sort();
    LabelError::whole(format!("no label is from the {what} `{name}`"), format!("there are: {}", has.join(", ")))
}

/// The codes of wanted names; of all names in their order where none is wanted.
fn named(what: &str, wanted: &[String], has: &[String]) -> Result<Vec<u32>, LabelError> {
    if wanted.is_empty() {
        let mut all: Vec<u32> = (0..has.len() as u32).collect();
        all.sort_by(|&a, &b| has[a as usize].cmp(&has[b as usize]));
        return Ok(all);
    }
    let mut codes = Vec::new();
    for name in wanted {
        match has.iter().position(|own| own == name) {
            Some(at) => codes.push(at as u32),
            // A dimension of the judge may be without labels so far.
            None if what == "dimension" => {}
            None => return Err(unknown(what, name, has)),
        }
    }
    Ok(codes)
}
