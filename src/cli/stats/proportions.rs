//! Rates: one, two on different items, two on the same items, several on the same items.

use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Input, Rows, counts, flag, numbers_or_file, several};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::paired::{PairedTable, cochran_q};
use crate::stats::proportion::{IndependentProportions, Proportion};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct RateArgs {
    /// SUCCESSES TRIALS, or a table
    #[arg(required = true, value_name = "FILE|SUCCESSES TRIALS", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the outcome, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    outcome: Option<String>,
    /// One rate for each value of this column
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewcombeArgs {
    /// SUCCESSES TRIALS of the first group, then of the second
    #[arg(required = true, num_args = 4, value_name = "COUNT", allow_negative_numbers = true)]
    input: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct McnemarArgs {
    /// BOTH ONLY-BASE ONLY-HEAD NEITHER: how many items pass on both sides, on the baseline only, on the head only, on
    /// neither; or a table
    #[arg(required = true, value_name = "FILE|BOTH ONLY-BASE ONLY-HEAD NEITHER", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the baseline's outcome, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    base: Option<String>,
    /// Column of the head's outcome, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    head: Option<String>,
    /// One test for each value of this column as well, their exact p-values adjusted for each other
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CochranArgs {
    /// A table with one row an item
    file: PathBuf,
    /// Columns of the systems' outcomes, 0 or 1
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true)]
    columns: Vec<String>,
    /// One test for each value of this column as well
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
}

/// What a rate calculator is about.
struct Rates {
    all: Proportion,
    /// By the value of a column.
    slices: Vec<(String, Proportion)>,
    left_out: usize,
}

fn rates(args: &RateArgs) -> Found<Rates> {
    match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            let [successes, trials] = counts(&numbers, ["SUCCESSES", "TRIALS"])?;
            Ok(Rates { all: Proportion::new(successes, trials)?, slices: Vec::new(), left_out: 0 })
        }
        Input::File(path) => {
            let mut wanted = vec![(flag(args.outcome.as_ref(), "outcome")?, Want::Number)];
            wanted.extend(args.by.as_deref().map(|by| (by, Want::Category)));
            let rows = Rows::read(&path, &wanted)?;
            let complete = rows.complete(&[0]);
            let mut slices = Vec::new();
            if args.by.is_some() {
                for (name, members) in rows.slices(1, &complete) {
                    slices.push((name, Proportion::of(&rows.outcomes(0, &members)?)?));
                }
            }
            let all = Proportion::of(&rows.outcomes(0, &complete)?)?;
            Ok(Rates { all, slices, left_out: rows.len() - complete.len() })
        }
    }
}

fn rate_sheet(args: &RateArgs, alpha: Alpha, describe: fn(Entry, Proportion, Alpha) -> Entry) -> Found<Sheet> {
    let Rates { all, slices, left_out } = rates(args)?;
    let entry = describe(Entry::new(), all, alpha);
    let entry = if left_out > 0 { entry.put("left_out", left_out) } else { entry };
    let mut sheet = Sheet::new(entry).confidence(alpha);
    if !slices.is_empty() {
        let rows = slices.into_iter().map(|(name, rate)| describe(Entry::new().put("value", name), rate, alpha));
        sheet = sheet.table("slices", rows.collect(), &[]);
    }
    Ok(sheet)
}

fn counted(entry: Entry, rate: Proportion) -> Entry {
    entry.put("estimate", rate.rate()).put("successes", rate.successes()).put("n", rate.trials())
}

/// `stats wilson`
pub(super) fn wilson(args: &RateArgs, alpha: Alpha) -> Found<Sheet> {
    rate_sheet(args, alpha, |entry, rate, alpha| counted(entry, rate).put("interval", rate.wilson(alpha)))
}

/// `stats proportion`
pub(super) fn proportion(args: &RateArgs, alpha: Alpha) -> Found<Sheet> {
    rate_sheet(args, alpha, |entry, rate, alpha| {
        counted(entry, rate)
            .put("wilson", rate.wilson(alpha))
            .put("wilson_corrected", rate.wilson_corrected(alpha))
            .put("clopper_pearson", rate.clopper_pearson(alpha))
            .put("jeffreys", rate.jeffreys(alpha))
            .put("uniform_prior", rate.uniform_prior(alpha))
            .put("agresti_coull", rate.agresti_coull(alpha))
            .attempt("wald", rate.wald(alpha))
            .put("upper_bound_without_success", rate.upper_bound_without_success(alpha))
    })
}

/// `stats newcombe`
pub(super) fn newcombe(args: &NewcombeArgs, alpha: Alpha) -> Found<Sheet> {
    let Input::Numbers(numbers) = numbers_or_file(&args.input)? else {
        return super::input::usage("expected four numbers");
    };
    let [x1, n1, x2, n2] = counts(&numbers, ["SUCCESSES", "TRIALS", "SUCCESSES", "TRIALS"])?;
    let rates = IndependentProportions { first: Proportion::new(x1, n1)?, second: Proportion::new(x2, n2)? };
    let entry = Entry::new()
        .put("difference_is", "first − second")
        .put("difference", rates.difference())
        .put("interval", rates.newcombe(alpha))
        .put("miettinen_nurminen", rates.miettinen_nurminen(alpha))
        .put("agresti_caffo", rates.agresti_caffo(alpha))
        .attempt("wald", rates.wald(alpha))
        .put("first", counted(Entry::new(), rates.first).put("interval", rates.first.wilson(alpha)))
        .put("second", counted(Entry::new(), rates.second).put("interval", rates.second.wilson(alpha)));
    Ok(Sheet::new(entry).confidence(alpha))
}

/// What the library says of a table of pairs, turned to head − base.
fn paired(entry: Entry, table: PairedTable, alpha: Alpha) -> Entry {
    let head_first = table.swapped();
    entry
        .put("n", table.pairs())
        .put("both", table.both())
        .put("only_base", table.only_a())
        .put("only_head", table.only_b())
        .put("neither", table.neither())
        .put("difference", head_first.difference())
        .put("interval", head_first.tango(alpha))
        .put("p_mid", table.mcnemar_mid_p())
        .put("p_exact", table.mcnemar_exact())
        .put("p_mid_doubled", table.mcnemar_mid_p_doubled())
}

/// `stats mcnemar`
pub(super) fn mcnemar(args: &McnemarArgs, alpha: Alpha) -> Found<Sheet> {
    let (table, slices, left_out) = match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            let [both, base, head, neither] = counts(&numbers, ["BOTH", "ONLY-BASE", "ONLY-HEAD", "NEITHER"])?;
            (PairedTable::new(both, base, head, neither)?, Vec::new(), 0)
        }
        Input::File(path) => {
            let mut wanted = vec![
                (flag(args.base.as_ref(), "base")?, Want::Number),
                (flag(args.head.as_ref(), "head")?, Want::Number),
            ];
            wanted.extend(args.by.as_deref().map(|by| (by, Want::Category)));
            let rows = Rows::read(&path, &wanted)?;
            let complete = rows.complete(&[0, 1]);
            let table = |members: &[usize]| -> Found<PairedTable> {
                Ok(PairedTable::of(&rows.outcomes(0, members)?, &rows.outcomes(1, members)?)?)
            };
            let mut slices = Vec::new();
            for (name, members) in if args.by.is_some() { rows.slices(2, &complete) } else { Vec::new() } {
                slices.push((name, table(&members)?));
            }
            (table(&complete)?, slices, rows.len() - complete.len())
        }
    };
    let head_first = table.swapped();
    let entry = paired(Entry::new(), table, alpha)
        .put("difference_is", "head − base")
        .put("chi_squared", table.mcnemar_chi_squared())
        .put("chi_squared_corrected", table.mcnemar_corrected())
        .put("newcombe", head_first.newcombe(alpha))
        .put("agresti_min", head_first.agresti_min(alpha))
        .put("bonett_price", head_first.bonett_price(alpha))
        .attempt("wald", head_first.wald(alpha));
    let entry = if left_out > 0 { entry.put("left_out", left_out) } else { entry };
    let sheet = Sheet::new(entry).confidence(alpha);
    if slices.is_empty() {
        return Ok(sheet);
    }
    let p: Vec<f64> = slices.iter().map(|(_, table)| table.mcnemar_exact()).collect();
    let adjusted = [Adjustment::Holm, Adjustment::BenjaminiHochberg, Adjustment::Bonferroni]
        .map(|method| adjust(&p, method))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let rows = slices.iter().enumerate().map(|(i, (name, table))| {
        paired(Entry::new().put("value", name), *table, alpha)
            .put("p_holm", adjusted[0][i])
            .put("p_bh", adjusted[1][i])
            .put("p_bonferroni", adjusted[2][i])
    });
    let columns = &["value", "n", "only_base", "only_head", "difference", "interval", "p_mid", "p_exact", "p_holm"];
    Ok(sheet.table("slices", rows.collect(), columns))
}

/// `stats cochran-q`
pub(super) fn cochran(args: &CochranArgs, alpha: Alpha) -> Found<Sheet> {
    let names = several(&args.columns, "columns", 2)?;
    let mut wanted: Vec<(&str, Want)> = names.iter().map(|&name| (name, Want::Number)).collect();
    wanted.extend(args.by.as_deref().map(|by| (by, Want::Category)));
    let rows = Rows::read(&args.file, &wanted)?;
    let systems: Vec<usize> = (0..names.len()).collect();
    let complete = rows.complete(&systems);
    let test = |entry: Entry, members: &[usize]| -> Found<Entry> {
        let columns = systems.iter().map(|&s| rows.outcomes(s, members)).collect::<Found<Vec<Vec<bool>>>>()?;
        let items: Vec<Vec<bool>> =
            (0..members.len()).map(|item| columns.iter().map(|column| column[item]).collect()).collect();
        let found = cochran_q(&items);
        Ok(match found {
            Ok(test) => entry.put("q", test.statistic).put("df", test.df).put("p", test.p).put("n", members.len()),
            Err(error) if entry.get("value").is_some() => entry.put("n", members.len()).reason(&error.to_string()),
            Err(error) => return Err(error.into()),
        })
    };
    let mut entry = test(Entry::new(), &complete)?;
    let mut systems_found = Vec::new();
    for (column, name) in names.iter().enumerate() {
        let rate = Proportion::of(&rows.outcomes(column, &complete)?)?;
        systems_found.push(counted(Entry::new().put("system", name), rate).put("interval", rate.wilson(alpha)));
    }
    if complete.len() < rows.len() {
        entry = entry.put("left_out", rows.len() - complete.len());
    }
    let mut sheet = Sheet::new(entry).confidence(alpha).table("systems", systems_found, &[]);
    if args.by.is_some() {
        let slices = rows.slices(names.len(), &complete);
        let found = slices.iter().map(|(name, members)| test(Entry::new().put("value", name), members));
        let mut entries = found.collect::<Found<Vec<Entry>>>()?;
        let tested: Vec<usize> = (0..entries.len()).filter(|&i| entries[i].get("p").is_some()).collect();
        let p: Vec<f64> =
            tested.iter().filter_map(|&i| entries[i].get("p").and_then(serde_json::Value::as_f64)).collect();
        if !p.is_empty() {
            for (&i, holm) in tested.iter().zip(adjust(&p, Adjustment::Holm)?) {
                entries[i] = std::mem::take(&mut entries[i]).put("p_holm", holm);
            }
        }
        sheet = sheet.table("slices", entries, &[]);
    }
    Ok(sheet)
}
