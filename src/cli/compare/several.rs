//! Several candidates: leaderboard, pairs, winners, and which of them may replace the first.

use rayon::prelude::*;

use super::args::CompareArgs;
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::gate::as_of;
use crate::cli::licences::licences;
use crate::cli::output::Output;
use crate::cli::source::{Asked, several};
use crate::compare::{
    CompareError, CompareOptions, Comparison, Contest, ContestOptions, Holdout, IntervalMethod, MOST_CANDIDATES,
    Measure, Side, SliceKeys, compare, contest, parts,
};
use crate::config::Project;
use crate::gate::{Exit, GatePolicy, Given, Margins, Replace, Replacement, Replacing, Selection, replacements};
use crate::report::ContestReport;
use crate::stats::Alpha;

/// What the leaderboard shows beside quality.
const SHOWN: [Measure; 3] = [Measure::CostPerExample, Measure::LatencyP50, Measure::LatencyP95];

pub(super) fn run(args: &CompareArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let alpha = Alpha::new(args.alpha).map_err(|error| Failure::input(format!("--alpha: {error}")))?;
    let names: Vec<String> = [&args.base].into_iter().chain(&args.head).chain(&args.more).cloned().collect();
    let count = names.len().max(args.several.column.len());
    if !(2..=MOST_CANDIDATES).contains(&count) {
        return Err(Failure::input(format!("{count} candidates; between 2 and {MOST_CANDIDATES} can be compared")));
    }
    if args.table.base_score.is_some() || args.table.head_score.is_some() {
        return Err(Failure::input("--base-score and --head-score are for two sides".to_owned())
            .hint("name columns as FILE:COLUMN, or with --column"));
    }
    let project = Project::open(global.config.as_deref())?;
    let mut policy = policy(&project, args);
    let mut measures = policy.measures();
    measures.extend(SHOWN.into_iter().filter(|shown| !policy.guard.contains_key(shown)));
    let label = match &args.several.holdout {
        Some(Holdout::Label { key, .. }) => Some(key.as_str()),
        _ => None,
    };
    let asked = Asked { names: &names, columns: &args.several.column, measures: &measures, label };
    let (sides, slices) = several(&project, &asked, &args.table)?;
    if sides[0].identity.pins.is_none() {
        // The metrics of a plain table are its columns, perhaps none of the project's.
        let has = |name: &String| sides[0].metrics.iter().any(|metric| metric.name == *name);
        policy.metrics.retain(has);
        policy.primary = policy.primary.filter(has);
    }
    let field = Candidates {
        project: &project,
        policy: &policy,
        slices: &slices,
        seed: global.seed.unwrap_or(project.config.seed),
        as_of: as_of(global),
    };
    let options = ContestOptions {
        slices: slices.clone(),
        min_n: policy.min_n,
        metrics: metrics(args, &policy, &sides[0]),
        interval: args.interval.into(),
        alpha,
        seed: field.seed,
    };
    let (contest, answers, selection) = match &args.several.holdout {
        None => {
            let contest = contest(&sides, &options)?;
            let every: Vec<usize> = (1..sides.len()).collect();
            let answers = field.answers(&sides, &every)?;
            (contest, answers, Selection::Holm { candidates: every.len() as u64 })
        }
        Some(holdout) => field.held_out(&sides, holdout, &options)?,
    };
    let replacing = Replacing {
        alpha: policy.alpha,
        guard_alpha: policy.guard_alpha,
        guard_rails: policy.guard.len() as u64,
        metrics: field.gating(&sides[0]),
        selection,
        answers,
    };
    let report = ContestReport::new(contest, replacing);
    output.bytes(&report.render(output.report_format().into(), output.color())?)?;
    Ok(Exit::Pass)
}

/// The project's policy with the entries replaced that the command line names.
fn policy(project: &Project, args: &CompareArgs) -> GatePolicy {
    let mut policy = project.config.gate.clone();
    if let Some(margin) = args.several.margin {
        policy.margin = Margins::uniform(margin);
        policy.metric.values_mut().for_each(|metric| metric.margin = Margins::default());
    }
    if let Some(min_n) = args.several.min_n {
        policy.min_n = min_n;
    }
    policy
}

/// The metrics to rank by, the most important first.
fn metrics(args: &CompareArgs, policy: &GatePolicy, baseline: &Side) -> Vec<String> {
    let mut names = if !args.several.metric.is_empty() {
        args.several.metric.clone()
    } else if policy.metrics.is_empty() {
        baseline.metrics.iter().map(|metric| metric.name.clone()).collect()
    } else {
        policy.metrics.clone()
    };
    if let Some(primary) = policy.primary.as_ref().filter(|_| args.several.metric.is_empty()) {
        names.sort_by_key(|name| name != primary);
    }
    names
}

/// What the answers about replacing rest on.
struct Candidates<'a> {
    project: &'a Project,
    policy: &'a GatePolicy,
    slices: &'a SliceKeys,
    seed: u64,
    as_of: String,
}

impl Candidates<'_> {
    fn gating(&self, baseline: &Side) -> Vec<String> {
        let all = || baseline.metrics.iter().map(|metric| metric.name.clone()).collect();
        if self.policy.metrics.is_empty() { all() } else { self.policy.metrics.clone() }
    }

    /// Whether each of these candidates may replace the first side.
    fn answers(&self, sides: &[Side], candidates: &[usize]) -> Result<Vec<Replacement>, Failure> {
        let options = CompareOptions {
            slices: self.slices.clone(),
            metrics: self.gating(&sides[0]),
            interval: IntervalMethod::Auto,
            alpha: Alpha::FIVE_PERCENT,
            tolerances: self.policy.tolerances(),
            watched: self.policy.watched(),
            seed: self.seed,
        };
        let compared: Vec<(usize, Result<Comparison, String>)> = candidates
            .par_iter()
            .map(|&candidate| match compare(&sides[0], &sides[candidate], &options) {
                Ok(comparison) => Ok((candidate, Ok(comparison))),
                // That pins are the same was seen before: left is a judge that compared it with another record.
                Err(CompareError::NotComparable(why)) => Ok((candidate, Err(why))),
                Err(error) => Err(error),
            })
            .collect::<Result<_, CompareError>>()?;
        let judges = compared.iter().filter_map(|(_, compared)| compared.as_ref().ok()).map(|found| &found.judges);
        let judged = judges.clone().next().map(|judges| licences(self.project, judges, &self.as_of)).transpose()?;
        let judged = judged.unwrap_or_default();
        let given = Given { judged: &judged, ..Given::on(&self.as_of) };
        let compared: Vec<(usize, Result<&Comparison, &str>)> = compared
            .iter()
            .map(|(candidate, compared)| (*candidate, compared.as_ref().map_err(String::as_str)))
            .collect();
        replacements(&compared, self.policy, &given).map_err(Failure::input)
    }

    /// Picks a candidate without the examples that are held out, and asks about it on those.
    fn held_out(
        &self,
        sides: &[Side],
        holdout: &Holdout,
        options: &ContestOptions,
    ) -> Result<(Contest, Vec<Replacement>, Selection), Failure> {
        let parts = parts(sides, holdout, self.seed)?;
        let contest = contest(&parts.picking, options)?;
        let every: Vec<usize> = (1..sides.len()).collect();
        let seen = self.answers(&parts.picking, &every)?;
        let may_not = |candidate: usize| {
            seen.iter().any(|answer| answer.candidate == candidate && answer.answer == Replace::MayNot)
        };
        let first = contest.metrics.first().ok_or_else(|| Failure::input("there is no metric".to_owned()))?;
        let ranked = || first.table.iter().map(|row| row.candidate).filter(|&candidate| candidate != 0);
        let picked = ranked().find(|&candidate| !may_not(candidate)).or_else(|| ranked().next()).unwrap_or(1);
        let selection = Selection::Holdout {
            held_out: holdout.text(),
            picked,
            metric: first.metric.clone(),
            picking: contest.examples,
            checking: parts.checking[picked].ids.len() as u64,
        };
        let answers = self.answers(&parts.checking, &[picked])?;
        Ok((contest, answers, selection))
    }
}
