//! `evalgauge judge new`: a folder to begin with.

use serde::Serialize;

use super::super::args::OutputFormat;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::run::shown;
use super::{NewArgs, NewKind};
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{PROMPT, SETTINGS, check_name};
use crate::run::{judges_folder, load_judge};
use crate::table::write_atomically;

const GRADE: &str = include_str!("templates/grade.toml");
const RUBRIC: &str = include_str!("templates/rubric.toml");
const PAIRWISE: &str = include_str!("templates/pairwise.toml");
const PROMPT_GRADE: &str = include_str!("templates/grade.md.j2");
const PROMPT_PAIRWISE: &str = include_str!("templates/pairwise.md.j2");

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    path: String,
}

pub(super) fn run(args: &NewArgs, project: &Project, output: &Output) -> Result<Exit, Failure> {
    check_name(&args.name)?;
    let folder = judges_folder(&project.root).join(&args.name);
    if folder.exists() {
        return Err(Failure::input(format!("{} exists; nothing is overwritten", shown(&folder))));
    }
    let (settings, prompt) = match args.kind {
        NewKind::Grade => (GRADE, PROMPT_GRADE),
        NewKind::Rubric => (RUBRIC, PROMPT_GRADE),
        NewKind::Pairwise => (PAIRWISE, PROMPT_PAIRWISE),
    };
    std::fs::create_dir_all(&folder).map_err(|error| Failure::input(format!("{}: {error}", shown(&folder))))?;
    write_atomically(&folder.join(SETTINGS), settings.as_bytes())?;
    write_atomically(&folder.join(PROMPT), prompt.as_bytes())?;
    // What is written here must load.
    load_judge(&project.root, &args.name)?;
    match output.format() {
        OutputFormat::Json => output.json(&Printed { schema: "evalgauge.judge-new/1", path: shown(&folder) })?,
        OutputFormat::Text | OutputFormat::Md => output.result(&format!(
            "{}\n1. say in {SETTINGS} who grades, on which scale, and what each level means, each with an example\n\
             2. say in {PROMPT} what the judge has to know\n\
             3. `evalgauge judge try {name}` runs the sanity cases, `evalgauge judge show {name}` says what to be wary of\n\
             4. a judge decides nothing before it is calibrated against people\n",
            shown(&folder),
            name = args.name
        ))?,
    }
    Ok(Exit::Pass)
}
