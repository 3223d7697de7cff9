//! What BASE, HEAD and RUN mean on the command line.

use std::path::Path;

use super::args::TableArgs;
use super::failure::Failure;
use crate::compare::{Scale, Side, SliceKeys, TableColumns, read_side};

/// The two sides of a comparison.
pub(super) fn sides(base: &Path, head: &Path, table: &TableArgs) -> Result<(Side, Side), Failure> {
    let (baseline, head) =
        rayon::join(|| one(base, table, table.base_score.as_ref()), || one(head, table, table.head_score.as_ref()));
    Ok((baseline?, head?))
}

fn one(path: &Path, table: &TableArgs, score: Option<&String>) -> Result<Side, Failure> {
    let mut columns = TableColumns::conventional(path)?;
    columns.id.clone_from(&table.id);
    columns.score.clone_from(score.unwrap_or(&table.score));
    if table.trial.is_some() {
        columns.trial.clone_from(&table.trial);
    }
    if table.group.is_some() {
        columns.group.clone_from(&table.group);
    }
    if table.labels.is_some() {
        columns.labels.clone_from(&table.labels);
    }
    let (low, high) = (table.scale[0], table.scale[1]);
    if !(low < high) {
        return Err(Failure::input(format!("--scale {low},{high}: the first number must be below the second")));
    }
    columns.scale = Scale { low, high, higher_is_better: !table.lower_is_better };
    columns.pass_at = table.pass_at;
    for key in table.slice.iter().flat_map(|slice| slice.split(',')) {
        if !columns.slices.iter().any(|known| known == key) {
            columns.slices.push(key.to_owned());
        }
    }
    Ok(read_side(path, &columns)?)
}

/// The slices that `--slice` asks for: `a` and `b` are keys, `a,b` is their crossing. Without any, every label there is.
pub(super) fn slice_keys(table: &TableArgs) -> SliceKeys {
    if table.slice.is_empty() {
        return SliceKeys::default();
    }
    let (crossings, keys): (Vec<&String>, Vec<&String>) = table.slice.iter().partition(|slice| slice.contains(','));
    SliceKeys {
        keys: Some(keys.into_iter().cloned().collect()),
        crossings: crossings.iter().map(|crossing| crossing.split(',').map(str::to_owned).collect()).collect(),
    }
}
