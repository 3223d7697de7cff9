//! `evalgauge config`: what the settings are, and whether they work.

use serde::Serialize;

use super::args::{ConfigArgs, ConfigVerb, Global, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use super::outside::Outside;
use super::run::enough_trials;
use crate::config::{ConfigError, Project, schema};
use crate::evalset::Selection;
use crate::gate::Exit;
use crate::provider::cache::CacheMode;
use crate::run::{Plan, Setup, System, load_judges, load_programs};

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    evalset: String,
    candidates: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judges: Vec<String>,
    answers: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) fn run(args: &ConfigArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    if matches!(args.verb, ConfigVerb::Schema) {
        // The same in every project, and where there is none.
        output.json(&schema())?;
        return Ok(Exit::Pass);
    }
    let project = Project::open(global.config.as_deref())?;
    if project.file.is_none() {
        return Err(ConfigError::Missing.into());
    }
    match args.verb {
        ConfigVerb::Show => match output.format() {
            OutputFormat::Json => output.json(&project.config)?,
            OutputFormat::Text | OutputFormat::Md => {
                let text = toml::to_string(&project.config)
                    .map_err(|error| Failure::machine(format!("cannot print the settings: {error}")))?;
                output.result(&text)?;
            }
        },
        ConfigVerb::Check => check(&project, global, output)?,
        ConfigVerb::Schema => {}
    }
    Ok(Exit::Pass)
}

/// Loads the eval set, makes every candidate and scorer, and renders every prompt.
fn check(project: &Project, global: &Global, output: &Output) -> Result<(), Failure> {
    let evalset = project.evalset(global.evalset.as_deref())?;
    enough_trials(project, project.config.trials)?;
    let mut answers = 0;
    let mut candidates = Vec::new();
    let judges = load_judges(&project.root, &project.config.scorers)?;
    let programs = load_programs(&project.root, &project.config.scorers)?;
    let mut warnings: Vec<String> = Vec::new();
    for (name, provider) in &project.config.candidates {
        let outside = Outside::new(project, &[provider], project.config.concurrency, Some(CacheMode::Off))?;
        let plan = Plan::new(&Setup {
            first_trial: 0,
            around: outside.around_without_keys(),
            evalset: &evalset,
            selection: &Selection::default(),
            candidate: name,
            provider: System::Asked(provider),
            scorers: &project.config.scorers,
            judges: &judges,
            programs: &programs,
            against: None,
            trials: project.config.trials,
            seed: project.config.seed,
            shard: None,
        })?;
        answers = plan.answers();
        for warning in plan.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        candidates.push(name.clone());
    }
    if candidates.is_empty() {
        return Err(Failure::input("there are no candidates; add `[candidates.NAME.KIND]`".to_owned()));
    }
    let checked = Checked {
        schema: "evalgauge.config-check/1",
        evalset: format!("{}@{}", evalset.name, evalset.version.tag),
        candidates,
        judges: judges.into_keys().collect(),
        answers,
        warnings,
    };
    checked.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    let of_judges =
        if checked.judges.is_empty() { String::new() } else { format!(", judges {}", checked.judges.join(", ")) };
    match output.format() {
        OutputFormat::Json => output.json(&checked),
        OutputFormat::Text | OutputFormat::Md => output.result(&format!(
            "ok: eval set {}, candidates {}{of_judges}, {} answers a run\n",
            checked.evalset,
            checked.candidates.join(", "),
            checked.answers
        )),
    }
}
