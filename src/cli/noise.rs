//! `evalgauge noise`: how far metrics move from run to run of an unchanged candidate.

use std::path::PathBuf;

use serde::Serialize;

use super::args::{Global, NoiseFloorArgs, OutputFormat, RunArgs};
use super::failure::Failure;
use super::output::Output;
use super::run::{execute, shown};
use crate::compare::{OVERALL, Side, default_metrics, noise_floor, side_of_record};
use crate::config::Project;
use crate::gate::{CellFloor, Exit};
use crate::record::{CellNoise, NoiseFloor, RunRecord, State, baseline_folder, load};

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    noise: &'a NoiseFloor,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<String>,
}

pub(super) fn run(args: &NoiseFloorArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let records = if args.runs.is_empty() {
        let run = RunArgs {
            candidate: args.candidate.clone().into_iter().collect(),
            trials: Some(args.trials),
            ..RunArgs::default()
        };
        let evalset = project.evalset(global.evalset.as_deref())?;
        vec![execute(&project, evalset, args.candidate.as_deref(), &run, None, global, output)?.record]
    } else {
        let load = |name: &String| Ok::<RunRecord, Failure>(load(&project.store().find(name)?)?);
        args.runs.iter().map(load).collect::<Result<_, _>>()?
    };
    let noise = measure(&project, &records)?;
    let stored = if args.no_store { None } else { store(&project, &records[0], &noise)? };
    match output.format() {
        OutputFormat::Json => {
            output.json(&Printed { noise: &noise, stored: stored.as_ref().map(|folder| shown(folder)) })?;
        }
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&noise, stored.as_ref()))?,
    }
    Ok(Exit::Pass)
}

/// The noise floor of records that one unchanged candidate gave on one pin.
fn measure(project: &Project, records: &[RunRecord]) -> Result<NoiseFloor, Failure> {
    if let Some(part) = records.iter().find(|record| record.manifest.made.state != State::Complete) {
        let what = format!("the run {} is not whole", part.manifest.made.run_id);
        return Err(Failure::new(Exit::Incomplete, what).hint("resume it, or merge its shards"));
    }
    let first = &records[0].manifest.asked;
    let twice = |at: usize| records[..at].iter().any(|record| record.manifest.made == records[at].manifest.made);
    if let Some(at) = (1..records.len()).find(|&at| twice(at)) {
        let id = &records[at].manifest.made.run_id;
        return Err(Failure::input(format!("the run {id} is named twice; a run does not differ from itself")));
    }
    for record in &records[1..] {
        let asked = &record.manifest.asked;
        let differs = [
            ("eval set", asked.dataset.sha256 != first.dataset.sha256),
            ("candidate", asked.candidate.digest != first.candidate.digest),
            ("scorers", asked.scorers != first.scorers),
        ];
        if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
            return Err(Failure::new(
                Exit::Undecidable,
                format!(
                    "the runs {} and {} have another {what}: what differs between them is no noise",
                    records[0].manifest.made.run_id, record.manifest.made.run_id
                ),
            ));
        }
    }
    let metrics =
        if project.config.metrics.is_empty() { default_metrics(&records[0]) } else { project.config.metrics.clone() };
    let sides: Vec<Side> = records
        .iter()
        .map(|record| side_of_record(record, &record.manifest.made.run_id, &metrics))
        .collect::<Result<_, _>>()?;
    let (runs, cells) = noise_floor(&sides, &project.config.slices.keys())?;
    Ok(NoiseFloor {
        schema: NoiseFloor::SCHEMA.to_owned(),
        dataset_sha256: first.dataset.sha256.clone(),
        records: records.iter().map(|record| record.manifest.record_sha256.clone()).collect(),
        runs,
        cells,
    })
}

/// Stores it beside the candidate's baseline, where there is one.
fn store(project: &Project, record: &RunRecord, noise: &NoiseFloor) -> Result<Option<PathBuf>, Failure> {
    let asked = &record.manifest.asked;
    let folder = baseline_folder(project.store().path(), &asked.dataset.evalset, &asked.candidate.name);
    if !folder.join("manifest.json").is_file() {
        return Ok(None);
    }
    noise.save(&folder)?;
    Ok(Some(folder))
}

/// The floors as the gate takes them; none that were measured on another pin.
pub(super) fn floors(noise: Option<NoiseFloor>, dataset_sha256: &str) -> Vec<CellFloor> {
    noise
        .filter(|noise| noise.dataset_sha256 == dataset_sha256)
        .into_iter()
        .flat_map(|noise| noise.cells)
        .map(|cell| CellFloor { metric: cell.metric, slice: cell.slice, floor: cell.floor })
        .collect()
}

fn text(noise: &NoiseFloor, stored: Option<&PathBuf>) -> String {
    let mut text = format!("{} runs of one candidate; the floor is twice the spread between two runs\n", noise.runs);
    let still = |cell: &&CellNoise| cell.floor == 0.0 && cell.slice != OVERALL;
    for cell in noise.cells.iter().filter(|cell| !still(cell)) {
        let drift = match cell.drift_p {
            Some(p) if p <= 0.05 => format!(", whole runs move by {:.4} (p {p:.4})", cell.drift_sd),
            _ => String::new(),
        };
        text.push_str(&format!(
            "  {:<40} n {:>5}  ±{:.4}{drift}\n",
            format!("{} @ {}", cell.metric, cell.slice),
            cell.n,
            cell.floor
        ));
    }
    let still = noise.cells.iter().filter(still).count();
    if still > 0 {
        text.push_str(&format!("  {still} slices did not move at all\n"));
    }
    match stored {
        Some(folder) => text.push_str(&format!("kept in {}\n", shown(&folder.join("noise.json")))),
        None => text.push_str("not kept\n"),
    }
    text
}
