//! `evalgauge view`: a run's page for a browser, and where it is.

use std::path::{Path, PathBuf};

use super::args::Global;
use super::evalset::ViewArgs;
use super::failure::Failure;
use super::output::Output;
use super::report::decided;
use super::run::shown;
use crate::config::Project;
use crate::gate::Exit;
use crate::report::{Format, Style, render};
use crate::table::write_atomically;

/// The page's name, as a check writes it too.
const PAGE: &str = "report.html";

pub(super) fn run(args: &ViewArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let report = decided(&project, &args.run, global, output)?;
    let page = match output.file() {
        Some(file) => file.to_owned(),
        None => place(&project, &args.run)?,
    };
    let bytes = render(&report, Format::Html, Style::default())?;
    write_atomically(&page, &bytes)?;
    Output::say(&shown(&page))?;
    Ok(Exit::Pass)
}

/// Beside the record or the verdict; a committed baseline stays as it is.
fn place(project: &Project, run: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(run);
    if run == "baseline" {
        return Ok(project.store().path().join("baseline.html"));
    }
    if path.is_file() {
        return Ok(path.with_file_name(PAGE));
    }
    Ok(project.store().find(run)?.join(PAGE))
}
