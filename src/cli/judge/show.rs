//! `evalgauge judge show`: what a judge is, and what may be done with it.

use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::super::args::{Global, OutputFormat};
use super::super::calibrate::{digests, read_lines};
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::run::shown;
use crate::calibrate::{CalibrationLine, standing};
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::JudgeId;
use crate::run::{LoadedJudge, judges_folder, load_judge};

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    #[serde(flatten)]
    id: JudgeId,
    about: String,
    graded: Vec<String>,
    scale: String,
    pass_at: Option<String>,
    reference: bool,
    members: Vec<String>,
    /// Calls of one item, without those made again.
    calls_per_item: usize,
    sanity_cases: usize,
    warnings: Vec<String>,
    /// The newest calibration, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<CalibrationLine>,
    /// What that comes to today.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uses: Vec<Standing>,
}

#[derive(Serialize)]
struct Standing {
    dimension: String,
    may_be_used_for: String,
}

pub(super) fn run(name: &str, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let loaded = load_judge(&project.root, name)?;
    let judge = &loaded.judge;
    let folder = judges_folder(&project.root).join(name);
    let lines = read_lines(&folder.join("calibrations.jsonl"))?;
    let as_of = global.as_of.unwrap_or_else(|| jiff::Zoned::now().date());
    let printed = Printed {
        schema: "evalgauge.judge/1",
        id: loaded.id("*"),
        about: judge.spec.about.clone(),
        graded: judge.graded(),
        scale: judge.scale.offered(),
        pass_at: judge.pass_at().filter(|_| !judge.is_pairwise()).map(|grade| grade.to_string()),
        reference: judge.sees_reference(),
        members: judge.spec.members.clone(),
        calls_per_item: judge.calls_per_item(),
        sanity_cases: judge.spec.sanity.len(),
        warnings: loaded.warnings.clone(),
        uses: if lines.is_empty() { Vec::new() } else { uses(&loaded, &lines, as_of) },
        calibration: lines.last().cloned(),
    };
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&printed, &folder))?,
    }
    Ok(Exit::Pass)
}

/// What the judge may be used for on a day, a line a dimension.
fn uses(loaded: &LoadedJudge, lines: &[CalibrationLine], as_of: Date) -> Vec<Standing> {
    let digests = digests(&loaded.id("*"));
    let one = |dimension: String| {
        let says = match standing(lines, &digests, &dimension, as_of) {
            Err(lapse) => format!("nothing: {lapse}"),
            Ok(found) => {
                let kappa = found.kappa.map_or_else(|| "0/0".to_owned(), |kappa| format!("{kappa:.2}"));
                let by = if found.licence.stand_in { ", by stand-ins" } else { "" };
                format!("{}, κ {kappa} on {} items{by}", found.licence.allows.words(), found.n)
            }
        };
        Standing { dimension, may_be_used_for: says }
    };
    loaded.judge.graded().into_iter().map(one).collect()
}

fn text(judge: &Printed, folder: &Path) -> String {
    let id = &judge.id;
    let mut lines = vec![format!("{} [{}] {}", id.name, id.kind, judge.about)];
    lines.push(format!("  grades      {} on {}", judge.graded.join(", "), judge.scale));
    if let Some(pass_at) = &judge.pass_at {
        lines.push(format!("  passes at   {pass_at}"));
    }
    if !judge.members.is_empty() {
        lines.push(format!("  members     {}", judge.members.join(", ")));
    }
    let family = id.family.as_ref().map_or_else(String::new, |family| format!(" (family {family})"));
    lines.push(format!("  model       {}{family}", id.model));
    lines.push(format!(
        "  calls       {} an item{}",
        judge.calls_per_item,
        if judge.reference { ", sees what is expected" } else { "" }
    ));
    lines.push(format!("  sha256      {}", id.sha256));
    lines.push(format!("  prompt      {}  ({})", id.prompt_sha256, id.engine));
    lines.push(format!("  sanity      {} cases; run them with `evalgauge judge try {}`", judge.sanity_cases, id.name));
    match &judge.calibration {
        Some(newest) => {
            lines.push(format!("  calibration of {}; it may be used for", newest.date));
            let one = |standing: &Standing| format!("    {}: {}", standing.dimension, standing.may_be_used_for);
            lines.extend(judge.uses.iter().map(one));
        }
        None => lines.push(format!(
            "  calibration none: it may decide nothing; label answers and run `evalgauge calibrate {}`",
            id.name
        )),
    }
    lines.extend(judge.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push(shown(folder));
    lines.join("\n") + "\n"
}
