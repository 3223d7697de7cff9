//! `evalgauge judge show`: what a judge is, and what may be done with it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::super::args::OutputFormat;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::run::shown;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::JudgeId;
use crate::run::{judges_folder, load_judge};

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
    calibration: Option<Value>,
}

pub(super) fn run(name: &str, project: &Project, output: &Output) -> Result<Exit, Failure> {
    let loaded = load_judge(&project.root, name)?;
    let judge = &loaded.judge;
    let folder = judges_folder(&project.root).join(name);
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
        calibration: newest(&folder.join("calibrations.jsonl"))?,
    };
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&printed, &folder))?,
    }
    Ok(Exit::Pass)
}

/// The last line of a file of calibrations that is one.
fn newest(path: &Path) -> Result<Option<Value>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::input(format!("{}: {error}", path.display()))),
    };
    Ok(text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok().filter(Value::is_object)))
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
    lines.push(match &judge.calibration {
        Some(calibration) => format!("  calibration {}", licence(calibration)),
        None => format!(
            "  calibration none: it may decide nothing; label answers and run `evalgauge calibrate {}`",
            id.name
        ),
    });
    lines.extend(judge.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push(shown(folder));
    lines.join("\n") + "\n"
}

/// A calibration in a line.
fn licence(calibration: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let date = calibration.get("date").map_or_else(|| "undated".to_owned(), plain);
    let licence = calibration.get("licence").map_or_else(|| "none stated".to_owned(), plain);
    format!("of {date}: licence {licence}")
}
