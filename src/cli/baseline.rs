//! `evalgauge baseline`: the blessed record that changes are compared with.

use serde::Serialize;

use super::args::{BaselineArgs, BaselineVerb, Global, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use super::run::shown;
use super::source::baseline_record;
use crate::config::Project;
use crate::gate::Exit;
use crate::record::{Manifest, bless, load};

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    path: String,
    manifest: &'a Manifest,
}

pub(super) fn run(args: &BaselineArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let (manifest, folder, done) = match &args.verb {
        BaselineVerb::Bless { run } => {
            let record = load(&project.store().find(run)?)?;
            let folder = bless(project.store().path(), &record)?;
            (record.manifest, folder, "blessed")
        }
        BaselineVerb::Show { candidate } => {
            let (name, _) = project.candidate(candidate.as_deref())?;
            let evalset = project.evalset(global.evalset.as_deref())?;
            let (record, folder) = baseline_record(&project, None, &evalset.name, name)?;
            (record.manifest, folder, "baseline")
        }
    };
    match output.format() {
        OutputFormat::Json => {
            output.json(&Printed { schema: "evalgauge.baseline/1", path: shown(&folder), manifest: &manifest })?;
        }
        OutputFormat::Text | OutputFormat::Md => output.result(&text(done, &manifest, &shown(&folder)))?,
    }
    Ok(Exit::Pass)
}

fn text(done: &str, manifest: &Manifest, folder: &str) -> String {
    let asked = &manifest.asked;
    let made = &manifest.made;
    let revision = made.git_revision.as_deref().map_or_else(
        || "no git revision".to_owned(),
        |revision| format!("git {revision}{}", if made.git_dirty == Some(true) { " with local changes" } else { "" }),
    );
    format!(
        "{done} {} on {}@{} ({} examples, {} trials), run {} of {}, {revision}\n{folder}  sha256 {}\n",
        asked.candidate.name,
        asked.dataset.evalset,
        asked.dataset.tag,
        asked.dataset.examples,
        asked.trials,
        made.run_id,
        made.started,
        manifest.record_sha256
    )
}
