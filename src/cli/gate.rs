//! `evalgauge gate`: the decision about two sides that are already there.

use super::args::{GateArgs, Global, PolicyArgs};
use super::failure::Failure;
use super::licences::licences;
use super::output::Output;
use super::report::{Sources, rendered_from_records, write, write_all};
use super::source::{records, sides};
use crate::compare::{CompareOptions, IntervalMethod, compare};
use crate::config::Project;
use crate::gate::{Exit, GatePolicy, Given, Margins, OnUndecided, decide};
use crate::report::Report;
use crate::stats::Alpha;
use crate::table::sha256_hex;

pub(super) fn run(args: &GateArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let project = Project::open(global.config.as_deref())?;
    let mut policy = with_flags(project.config.gate.clone(), &args.policy);
    let (baseline, head, slices) = sides(&project, &args.base, &args.head, &args.table, &policy.measures())?;
    if baseline.identity.pins.is_none() {
        // The metrics of a plain table are its columns, perhaps none of the project's.
        let has = |name: &String| baseline.metrics.iter().any(|metric| metric.name == *name);
        policy.metrics.retain(has);
        policy.primary = policy.primary.filter(has);
    }
    let options = CompareOptions {
        slices,
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: policy.tolerances(),
        watched: policy.watched(),
        seed: global.seed.unwrap_or(project.config.seed),
    };
    let comparison = compare(&baseline, &head, &options)?;
    let (as_of, policy_sha256) = (as_of(global), policy_digest(&policy)?);
    let judged = licences(&project, &comparison.judges, &as_of)?;
    let given = Given { policy_sha256: Some(&policy_sha256), judged: &judged, ..Given::on(&as_of) };
    let verdict = decide(&comparison, &policy, &given).map_err(Failure::input)?;
    let exit = verdict.decision.exit();
    let mut report = Report::of_verdict(verdict);
    // Answers are read again only where they are shown.
    if (args.reports.is_some() || rendered_from_records(output))
        && let Some((baseline, head)) = records(&project, &args.base, &args.head)?
    {
        report = Sources { project: &project, baseline: Some(&baseline), head: &head, others: &[] }.add_to(report)?;
    }
    if let Some(folder) = &args.reports {
        write_all(&report, folder)?;
    }
    write(&report, args.rows.into(), output)?;
    Ok(exit)
}

/// What "the same policy" means: SHA-256 over the settings that are not the defaults, so that a version of evalgauge with one
/// more setting does not make another policy of it.
pub(super) fn policy_digest(policy: &GatePolicy) -> Result<String, Failure> {
    let fields = |policy: &GatePolicy| match serde_json::to_value(policy) {
        Ok(serde_json::Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Failure::machine("a policy is no object".to_owned())),
        Err(error) => Err(Failure::machine(error.to_string())),
    };
    let (mut own, usual) = (fields(policy)?, fields(&GatePolicy::default())?);
    own.retain(|key, value| usual.get(key) != Some(value));
    own.insert("min_n".to_owned(), policy.min_n.into());
    own.sort_keys();
    Ok(sha256_hex(serde_json::Value::Object(own).to_string()))
}

/// The date of the decision: what was asked for, else today.
pub(super) fn as_of(global: &Global) -> String {
    global.as_of.unwrap_or_else(|| jiff::Zoned::now().date()).to_string()
}

/// A policy with the entries replaced that the command line names.
pub(super) fn with_flags(mut policy: GatePolicy, flags: &PolicyArgs) -> GatePolicy {
    if let Some(margin) = flags.margin {
        policy.margin = Margins::uniform(margin);
        policy.metric.clear();
    }
    if let Some(alpha) = flags.alpha {
        policy.alpha = alpha;
    }
    if let Some(tolerance) = flags.tolerance {
        policy.tolerance = tolerance;
    }
    if let Some(mode) = flags.mode {
        policy.mode = mode.into();
    }
    if flags.fail_undecided {
        policy.on_undecided = OnUndecided::Fail;
    }
    if let Some(min_n) = flags.min_n {
        policy.min_n = min_n;
    }
    if let Some(coverage) = flags.coverage {
        policy.require.coverage = coverage;
    }
    policy
}
