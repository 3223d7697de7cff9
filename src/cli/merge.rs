//! `evalgauge merge`: one record of the shards of a run.

use std::sync::Arc;

use super::args::{Global, MergeArgs};
use super::failure::Failure;
use super::output::Output;
use super::run::{MadeRun, TOOL, print, shown};
use crate::config::Project;
use crate::gate::Exit;
use crate::provider::Budget;
use crate::record::{Part, load, merge, save};

pub(super) fn run(args: &MergeArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let store = project.store();
    let mut parts = Vec::with_capacity(args.shards.len());
    for name in &args.shards {
        let folder = store.find(name)?;
        parts.push(Part { source: shown(&folder), record: load(&folder)? });
    }
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let candidate = parts.first().map_or_else(String::new, |part| part.record.manifest.asked.candidate.name.clone());
    // Looked at before a folder is made: what cannot be merged leaves none behind.
    let mut record = merge(parts, &format!("{time}-{candidate}"), TOOL)?;
    let folder = store.create(&record.manifest.made.run_id)?;
    record.manifest.made.run_id.clone_from(&folder.id);
    save(&folder.path, &record)?;
    let made = MadeRun { folder, record, budget: Arc::new(Budget::new(project.config.budget)) };
    print(&project, &made, global, output)?;
    Ok(Exit::Pass)
}
