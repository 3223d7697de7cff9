//! p-values of several tests, adjusted for each other.

use clap::Args;

use super::input::{Found, Input, Rows, flag, numbers_or_file, refused};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::multiplicity::{Adjustment, adjust, rejected};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct AdjustArgs {
    /// p-values, or a table
    #[arg(required = true, value_name = "FILE|P…", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the p-values
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Column of the tests' names
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
}

/// `stats holm`, `stats bh` …
pub(super) fn adjusted(args: &AdjustArgs, method: Adjustment, alpha: Alpha) -> Found<Sheet> {
    let (p, labels) = match numbers_or_file(&args.input)? {
        Input::Numbers(p) => (p, None),
        Input::File(path) => {
            let mut wanted = vec![(flag(args.column.as_ref(), "column")?, Want::Number)];
            wanted.extend(args.label.as_deref().map(|label| (label, Want::Category)));
            let rows = Rows::read(&path, &wanted)?;
            let complete = rows.complete(&[0]);
            if complete.len() < rows.len() {
                return refused(format!(
                    "{} rows have no p-value; a test left out would change the others",
                    rows.len() - complete.len()
                ));
            }
            let labels = args.label.as_ref().map(|_| {
                complete.iter().map(|&row| rows.name(1, row).unwrap_or_default().to_owned()).collect::<Vec<_>>()
            });
            (rows.values(0, &complete), labels)
        }
    };
    let adjusted = adjust(&p, method)?;
    let is_rejected = rejected(&adjusted, alpha);
    let rows = (0..p.len()).map(|i| {
        let entry = match &labels {
            Some(labels) => Entry::new().put("label", &labels[i]),
            None => Entry::new(),
        };
        entry.put("p", p[i]).put("adjusted", adjusted[i]).put("rejected", is_rejected[i])
    });
    let entry = Entry::new()
        .put("tests", p.len())
        .put("rejected", is_rejected.iter().filter(|&&rejected| rejected).count())
        .put("alpha", alpha.get());
    Ok(Sheet::new(entry).hidden("adjusted", &adjusted).table("results", rows.collect(), &[]))
}
