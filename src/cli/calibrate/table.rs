//! Labels and grades in one file.

use std::path::Path;

use super::args::CalibrateArgs;
use super::printed::{Printed, Source, print};
use crate::calibrate::calibrate;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::gate::Exit;
use crate::judge::{Entries, Layout, Wanted};
use crate::table::sha256_of_file;

pub(super) fn run(args: &CalibrateArgs, file: &Path, output: &Output) -> Result<Exit, Failure> {
    let columns = args.columns.columns()?;
    let is_wide = matches!(columns.layout, Layout::Wide { .. });
    if columns.judges.is_empty() {
        return Err(Failure::input("no judge is named".to_owned()).hint("name its column with --judge COLUMN"));
    }
    if is_wide && args.columns.raters.is_empty() {
        return Err(Failure::input("no raters are named".to_owned()).hint(
            "name their columns with --raters A,B,C; a file with a row a label takes --rater COLUMN --label COLUMN",
        ));
    }
    let wish = args.scale.wish()?;
    let options = args.options(wish)?;
    let mut entries = Entries::default();
    entries.add_table(file, &columns)?;
    // What was typed has an order; what was found in rows has none but that of its names.
    let wanted = Wanted {
        raters: if is_wide { entries.rater_names().to_vec() } else { args.columns.raters.clone() },
        judges: if is_wide { entries.judge_names().to_vec() } else { args.columns.judge.clone() },
        dimensions: args.columns.dimensions.clone(),
        only_these_dimensions: false,
        slices: args.columns.slices(),
        accepted: options.scale.accepted(),
        known_from: file.display().to_string(),
        ..Wanted::default()
    };
    let sheets = entries.sheets(&wanted)?;
    if let Some(name) = args.columns.dimensions.iter().find(|name| sheets.iter().all(|sheet| sheet.dimension != **name))
    {
        return Err(Failure::input(format!("{}: no label is of the dimension `{name}`", file.display()))
            .hint(format!("there are: {}", entries.dimension_names().join(", "))));
    }
    if sheets.iter().all(|sheet| sheet.raters.is_empty()) {
        return Err(Failure::input(format!("{}: no rater labelled anything", file.display()))
            .hint("labels are in the columns of --raters, or of --label where each row is one"));
    }
    let dimensions = sheets.iter().map(|sheet| calibrate(sheet, &options)).collect::<Result<_, _>>()?;
    let printed = Printed {
        schema: "evalgauge.calibration/1",
        sources: vec![Source { file: file.display().to_string(), sha256: sha256_of_file(file)? }],
        confidence: args.confidence,
        gaps: entries.gaps().map(str::to_owned).collect(),
        dimensions,
        line: None,
        lines: Vec::new(),
        drift: Vec::new(),
        history: Vec::new(),
    };
    let judges = args.columns.judge.join(", ");
    print(&format!("Calibration of {judges} on {}", file.display()), &printed, output)?;
    Ok(Exit::Pass)
}
