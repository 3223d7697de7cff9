//! Scores against scores.

use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Rows, listed, several, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::correlation::{kendall, pearson, spearman};
use crate::stats::mean::mean;
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct CorrelateArgs {
    /// A table; without one, --x and --y are numbers
    file: Option<PathBuf>,
    /// Columns; the first goes with the first of --y, and so on
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true, allow_negative_numbers = true)]
    x: Vec<String>,
    /// Columns
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true, allow_negative_numbers = true)]
    y: Vec<String>,
    /// Also within each value of this column, with the mean over them
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Correlate the means of the values of this column instead: of systems, not of answers
    #[arg(long, value_name = "COLUMN", conflicts_with = "by")]
    means_of: Option<String>,
}

fn measures(entry: Entry, x: &[f64], y: &[f64], alpha: Alpha) -> Entry {
    let entry = entry.put("n", x.len());
    // All three are undefined together: too few pairs, or a side that is constant.
    let (r, rho, tau) = match (pearson(x, y, alpha), spearman(x, y, alpha), kendall(x, y, alpha)) {
        (Ok(r), Ok(rho), Ok(tau)) => (r, rho, tau),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            return entry.reason(&error.to_string());
        }
    };
    entry
        .put("pearson", r.coefficient)
        .put("pearson_interval", r.interval)
        .put("pearson_p", r.p)
        .put("spearman", rho.coefficient)
        .put("spearman_interval", rho.interval)
        .put("spearman_p", rho.p)
        .put("kendall", tau.tau_b)
        .put("kendall_interval", tau.interval)
        .put("kendall_p", tau.p)
        .put("kendall_tau_c", tau.tau_c)
}

fn has_value(entry: &Entry) -> bool {
    entry.get("pearson").is_some()
}

/// Refused when nothing at all could be computed.
fn some(entries: &[Entry]) -> Found<()> {
    if entries.iter().any(has_value) {
        return Ok(());
    }
    let why = entries.iter().find_map(|entry| entry.get("reason")).and_then(serde_json::Value::as_str);
    super::input::refused(why.unwrap_or("there is nothing to correlate"))
}

/// `stats correlate`
pub(super) fn correlate(args: &CorrelateArgs, alpha: Alpha) -> Found<Sheet> {
    let columns =
        &["x", "y", "n", "pearson", "pearson_interval", "spearman", "spearman_interval", "kendall", "kendall_interval"];
    let Some(file) = &args.file else {
        let (x, y) = (listed(&args.x, "x")?, listed(&args.y, "y")?);
        let entry = measures(Entry::new(), &x, &y, alpha);
        some(std::slice::from_ref(&entry))?;
        return Ok(Sheet::new(entry).confidence(alpha));
    };
    let (xs, ys) = (several(&args.x, "x", 1)?, several(&args.y, "y", 1)?);
    if xs.len() != ys.len() {
        return usage(format!("--x names {} columns and --y {}; they go together one by one", xs.len(), ys.len()));
    }
    let mut wanted: Vec<(&str, Want)> = xs.iter().chain(&ys).map(|&name| (name, Want::Number)).collect();
    let by = args.by.as_deref().or(args.means_of.as_deref());
    wanted.extend(by.map(|by| (by, Want::Category)));
    let rows = Rows::read(file, &wanted)?;
    let (mut pairs, mut slices, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (x, y)) in xs.iter().zip(&ys).enumerate() {
        let (left, right) = (place, xs.len() + place);
        let complete = rows.complete(&[left, right]);
        let named = || Entry::new().put("x", x).put("y", y);
        let groups = if by.is_some() { rows.slices(2 * xs.len(), &complete) } else { Vec::new() };
        if args.means_of.is_some() {
            let of = |column: usize| {
                groups.iter().map(|(_, m)| mean(&rows.values(column, m))).collect::<Result<Vec<_>, _>>()
            };
            pairs.push(measures(named(), &of(left)?, &of(right)?, alpha));
            continue;
        }
        let left_out = rows.len() - complete.len();
        let entry = measures(named(), &rows.values(left, &complete), &rows.values(right, &complete), alpha);
        pairs.push(if left_out > 0 { entry.put("left_out", left_out) } else { entry });
        let within: Vec<Entry> = groups
            .iter()
            .map(|(value, members)| {
                measures(named().put("value", value), &rows.values(left, members), &rows.values(right, members), alpha)
            })
            .collect();
        if args.by.is_some() {
            over.push(mean_over(named(), &within));
        }
        slices.extend(within);
    }
    some(&pairs).or_else(|stop| some(&slices).map_err(|_| stop))?;
    let entry = match &args.means_of {
        Some(column) => Entry::new().put("unit", format!("means of the values of `{column}`")),
        None => Entry::new().put("unit", "rows"),
    };
    let mut sheet = Sheet::new(entry).confidence(alpha).table("pairs", pairs, columns);
    if args.by.is_some() {
        let columns = &["x", "value", "n", "pearson", "spearman", "spearman_interval", "kendall"];
        sheet = sheet.table("slices", slices, columns).table("mean_within", over, &[]);
    }
    Ok(sheet)
}

/// The mean of the coefficients within groups, over the groups that have them.
fn mean_over(entry: Entry, within: &[Entry]) -> Entry {
    let used: Vec<&Entry> = within.iter().filter(|entry| has_value(entry)).collect();
    let of = |key: &str| {
        let values: Vec<f64> =
            used.iter().filter_map(|entry| entry.get(key).and_then(serde_json::Value::as_f64)).collect();
        mean(&values).ok()
    };
    entry
        .put("groups_used", used.len())
        .put("groups", within.len())
        .put("pearson", of("pearson"))
        .put("spearman", of("spearman"))
        .put("kendall", of("kendall"))
}
