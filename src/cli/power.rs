//! `evalgauge power`: how many examples, the smallest change that shows, what trials buy.

use clap::Args;

use super::args::{Global, TableArgs};
use super::failure::Failure;
use super::output::Output;
use super::source::one_side;
use super::stats::{Entry, Found, Sheet, alpha_of, finish, refused, shares, usage};
use crate::compare::{MetricValues, OVERALL, Side, Slice, slices};
use crate::config::Project;
use crate::gate::{Exit, GatePolicy};
use crate::record::RunRecord;
use crate::stats::Alpha;
use crate::stats::mean::{TrialVariance, mean, trial_variance};
use crate::stats::power::{
    Direction, TrialVariances, mcnemar_mde, mcnemar_sample_size, two_proportion_mde, two_proportion_sample_size,
    whole_items,
};

const METHOD: &str =
    "two proportions (Fleiss, Levin & Paik 2003); McNemar (Connor 1987; Miettinen 1968); trials (Miller 2024)";
/// Shares of pairs that differ for which a plan is shown when nobody states one.
const USUAL_DISCORDANCES: [f64; 4] = [0.05, 0.10, 0.20, 0.30];
/// The share of examples whose true outcome differs between two versions, where nobody states one.
const USUAL_CHURN: f64 = 0.10;
/// Trials to look ahead to.
const TRIALS_AHEAD: [u64; 5] = [1, 2, 3, 5, 10];

#[derive(Debug, Args)]
pub(super) struct PowerArgs {
    /// A run's id or folder, `latest`, a candidate with a baseline, or a table; without one, give --p
    record: Option<String>,
    /// The pass rate as it is
    #[arg(long, value_name = "P", conflicts_with = "record")]
    p: Option<f64>,
    /// The drop that must not go unseen [default with a record: each cell's margin]
    #[arg(long, value_name = "X", alias = "margin")]
    delta: Option<f64>,
    /// Error rate; two-sided with --p, with a record one-sided over all cells together [default: .05, the policy's]
    #[arg(long, value_name = "X")]
    alpha: Option<f64>,
    /// The chance to see the drop
    #[arg(long, value_name = "X", default_value_t = 0.8)]
    power: f64,
    /// Trials of every example
    #[arg(long, value_name = "K,…", value_delimiter = ',')]
    trials: Vec<u64>,
    /// Examples that there are: the smallest drop they show
    #[arg(long, value_name = "N")]
    n: Option<u64>,
    /// Share of examples that only one of the two versions passes; with a record, their true outcomes
    /// [default: several shown, .10 with a record]
    #[arg(long, value_name = "SHARE")]
    discordance: Option<f64>,
    /// With --trials and --p: the share of that discordance that is trial noise
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    noise: f64,
    #[command(flatten)]
    table: TableArgs,
}

pub(super) fn run(args: &PowerArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let found = match &args.record {
        Some(record) => of_record(args, record, global),
        None => of_numbers(args),
    };
    finish("evalgauge.power/1", "power", METHOD, found, output)
}

fn of_numbers(args: &PowerArgs) -> Found<Sheet> {
    let Some(p) = args.p else { return usage("give --p and --delta, or a record to start from") };
    if args.delta.is_none() && args.n.is_none() {
        return usage("give --delta for the examples needed, --n for the smallest drop they show, or both");
    }
    let alpha = alpha_of(args.alpha.unwrap_or(0.05))?;
    let mut entry = Entry::new().put("p", p).put("alpha", alpha.get()).put("sides", 2).put("power", args.power);
    if let Some(delta) = args.delta {
        if delta > p {
            return refused(format!("a rate of {p} cannot fall by {delta}"));
        }
        let size = two_proportion_sample_size(p, p - delta, alpha, args.power)?;
        let unpaired = Entry::new().put("examples_per_side", whole_items(size.per_arm)).fields(size);
        entry = entry.put("delta", delta).put("unpaired", unpaired);
    }
    if let Some(n) = args.n {
        let mde = two_proportion_mde(p, n, alpha, args.power, Direction::Down);
        entry = entry.put("n", n).attempt("smallest_drop_unpaired", mde);
    }
    let mut sheet = Sheet::new(entry).table("paired", paired_plans(args, p, alpha)?, &[]);
    if !args.trials.is_empty() {
        let discordance = args.discordance.unwrap_or_else(|| USUAL_CHURN.max(args.delta.unwrap_or(0.0)));
        let rows = args.trials.iter().map(|&trials| trial_plan(args, discordance, trials, alpha));
        sheet = sheet.table("trials", rows.collect::<Found<_>>()?, &[]).edit(|entry| {
            entry.put("trials_assume", format!("discordance {discordance}, {} of it trial noise", args.noise))
        });
    }
    Ok(sheet)
}

/// McNemar's pairs, for the discordance that was stated or for some that are usual.
fn paired_plans(args: &PowerArgs, p: f64, alpha: Alpha) -> Found<Vec<Entry>> {
    let stated = args.discordance.map(|share| (share, "stated"));
    let mut plans: Vec<(f64, &str)> = stated.into_iter().collect();
    if plans.is_empty() {
        let least = args.delta.unwrap_or(0.0);
        plans.extend(USUAL_DISCORDANCES.into_iter().filter(|&share| share > least).map(|share| (share, "assumed")));
        if let Some(delta) = args.delta {
            // Versions that have nothing in common: how often exactly one of two independent answers passes.
            let other = p - delta;
            plans.push((p * (1.0 - other) + other * (1.0 - p), "unrelated versions"));
        }
    }
    let mut rows = Vec::new();
    for (discordance, why) in plans {
        let mut row = Entry::new().put("discordance", discordance).put("why", why);
        if let Some(delta) = args.delta {
            let (p10, p01) = shares(discordance, delta);
            let size = mcnemar_sample_size(p10, p01, alpha, args.power)?;
            row = row.put("examples", whole_items(size.connor)).fields(size);
        }
        if let Some(n) = args.n {
            row = row.attempt("smallest_drop", mcnemar_mde(discordance, n, alpha, args.power));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn trial_plan(args: &PowerArgs, discordance: f64, trials: u64, alpha: Alpha) -> Found<Entry> {
    let variances = TrialVariances {
        between_items: (1.0 - args.noise) * discordance,
        within_a: 0.5 * args.noise * discordance,
        within_b: 0.5 * args.noise * discordance,
        trials_a: trials,
        trials_b: trials,
    };
    let mut row = Entry::new().put("trials", trials);
    if let Some(delta) = args.delta {
        let examples = whole_items(variances.sample_size(delta, alpha, args.power)?);
        row = row.put("examples", examples).put("calls_per_side", examples.saturating_mul(trials));
    }
    if let Some(n) = args.n {
        row = row.put("smallest_drop", variances.detectable_difference(n, alpha, args.power)?);
    }
    Ok(row)
}

/// What a record says about planning: what it has, and what is assumed.
struct Plan<'a> {
    args: &'a PowerArgs,
    policy: &'a GatePolicy,
    side: Side,
    /// One-sided error rate over all cells.
    alpha: f64,
    /// Variance of the change of the true scores, for a scale of width 1.
    churn: f64,
    /// Dollars a call, where the record knows.
    price: Option<f64>,
}

fn of_record(args: &PowerArgs, name: &str, global: &Global) -> Found<Sheet> {
    let project = Project::open(global.config.as_deref()).map_err(Failure::from)?;
    let (side, keys, record) = one_side(&project, name, &args.table)?;
    let policy = &project.config.gate;
    let alpha = args.alpha.unwrap_or(policy.alpha);
    alpha_of(alpha)?;
    let rows: Vec<u32> = (0..side.ids.len() as u32).collect();
    let all = slices(&side, &rows, &keys).map_err(Failure::input)?;
    let price = record.as_ref().and_then(price_of);
    let churn = args.discordance.unwrap_or(USUAL_CHURN);
    let plan = Plan { args, policy, side, alpha, churn, price };
    let gating: Vec<&MetricValues> = plan
        .side
        .metrics
        .iter()
        // A table has one metric, whatever the policy's are called.
        .filter(|metric| record.is_none() || policy.metrics.is_empty() || policy.metrics.contains(&metric.name))
        .collect();
    let families: Vec<Vec<Cell<'_>>> =
        gating.iter().map(|metric| all.iter().map(|slice| Cell::read(&plan.side, metric, slice)).collect()).collect();
    let tested = |cell: &&Cell<'_>| cell.items() >= plan.policy.min_n || cell.slice.name == OVERALL;
    let overall = gating.len();
    let others = families.iter().flatten().filter(tested).count().saturating_sub(overall);
    let mut cells = Vec::new();
    let mut ahead = Vec::new();
    for (metric, family) in gating.iter().zip(&families) {
        for cell in family {
            let is_tested = tested(&cell);
            cells.push(plan.cell(metric, cell, plan.level(cell, overall, others)?, is_tested));
        }
        if let Some(whole) = family.first() {
            ahead.extend(plan.ahead(metric, whole, plan.level(whole, overall, others)?));
        }
    }
    let entry = Entry::new()
        .put("record", &plan.side.identity.name)
        .put("source", &plan.side.identity.source)
        .put("alpha", alpha)
        .put("sides", 1)
        .put("power", args.power)
        .put("assumed_churn", churn)
        .put("cells", overall + others)
        .put("price_per_call", plan.price)
        .put(
            "assumes",
            "levels split over the cells by the gate's weights (the gate's joint test sees a little more); churn is the \
             share of examples whose true outcome differs between versions",
        );
    let columns =
        &["metric", "slice", "n", "trials", "mean", "within", "margin", "smallest_drop", "needed", "needed_unpaired"];
    Ok(Sheet::new(entry).table("slices", cells, columns).table(
        "trials",
        ahead,
        &["metric", "trials", "smallest_drop", "needed", "calls", "cost_usd"],
    ))
}

/// Dollars a candidate call, where every sample has a price.
fn price_of(record: &RunRecord) -> Option<f64> {
    let prices: Option<Vec<f64>> = record.samples.iter().map(|sample| sample.cost_usd).collect();
    prices.and_then(|prices| mean(&prices).ok())
}

/// The scores of one metric on one slice.
struct Cell<'a> {
    slice: &'a Slice,
    /// One list of trials an example, unscored trials and examples left out.
    scores: Vec<Vec<f64>>,
    /// Distinct groups, where examples are grouped.
    groups: Option<u64>,
}

impl<'a> Cell<'a> {
    fn read(side: &Side, metric: &MetricValues, slice: &'a Slice) -> Self {
        let mut scores = Vec::new();
        let mut groups = std::collections::BTreeSet::new();
        for &example in &slice.members {
            let example = example as usize;
            let trials: Vec<f64> = metric.of(example).iter().flatten().map(|scored| scored.value).collect();
            if trials.is_empty() {
                continue;
            }
            let own = side.groups.as_ref().and_then(|groups| groups[example].as_deref());
            groups.insert(own.unwrap_or_else(|| side.ids.get(example)));
            scores.push(trials);
        }
        Self { slice, scores, groups: side.groups.as_ref().map(|_| groups.len() as u64) }
    }

    /// What is independent: groups where there are any, else examples.
    fn items(&self) -> u64 {
        self.groups.unwrap_or(self.scores.len() as u64)
    }

    fn trials(&self) -> u64 {
        self.scores.iter().map(|trials| trials.len() as u64).min().unwrap_or(1)
    }

    fn mean(&self) -> crate::stats::Result<f64> {
        let means = self.scores.iter().map(|trials| mean(trials)).collect::<crate::stats::Result<Vec<f64>>>()?;
        mean(&means)
    }

    fn variance(&self) -> crate::stats::Result<TrialVariance> {
        trial_variance(&self.scores)
    }
}

impl Plan<'_> {
    /// The two-sided rate whose half is the share of α that the gate's weights give the cell.
    fn level(&self, cell: &Cell<'_>, overall: usize, others: usize) -> Found<Alpha> {
        let share = match (cell.slice.name == OVERALL, others) {
            (true, 0) => 1.0 / overall as f64,
            (true, _) => self.policy.overall_share / overall as f64,
            (false, _) => (1.0 - self.policy.overall_share) / others.max(1) as f64,
        };
        Ok(Alpha::new(self.alpha * share)?.two_sided_for_one_sided())
    }

    fn variances(&self, metric: &MetricValues, within: f64, trials: u64) -> TrialVariances {
        let width = metric.scale.width();
        TrialVariances {
            between_items: self.churn * width * width,
            within_a: within,
            within_b: within,
            trials_a: trials,
            trials_b: trials,
        }
    }

    fn margin(&self, metric: &MetricValues, cell: &Cell<'_>) -> f64 {
        self.args.delta.unwrap_or_else(|| self.policy.margin_of(&metric.name, &cell.slice.name, &cell.slice.keys))
    }

    fn cell(&self, metric: &MetricValues, cell: &Cell<'_>, level: Alpha, is_tested: bool) -> Entry {
        let margin = self.margin(metric, cell);
        let width = metric.scale.width();
        let variance = cell.variance();
        let trials = cell.trials();
        let within = variance.as_ref().map_or(0.0, |variance| variance.within);
        let variances = self.variances(metric, within, trials);
        let drop = variances.detectable_difference(cell.items(), level, self.args.power).map(|drop| drop / width);
        let entry = Entry::new()
            .put("metric", &metric.name)
            .put("slice", &cell.slice.name)
            .put("n", cell.scores.len())
            .put("groups", cell.groups)
            .put("trials", trials)
            .put("mean", cell.mean().ok())
            .put("between", variance.as_ref().ok().map(|variance| variance.between))
            .put("within", variance.as_ref().ok().map(|variance| variance.within))
            .put("alpha_two_sided", level.get())
            .put("margin", margin)
            .put("tested", is_tested)
            .put("smallest_drop", drop.as_ref().ok())
            .put("calls", cell.scores.iter().map(Vec::len).sum::<usize>());
        let entry = match drop {
            Ok(drop) if drop > 1.0 => entry.reason("too few to see even a fall from best to worst"),
            _ => entry,
        };
        if margin == 0.0 {
            return entry.reason("margin 0: any size sees only some of all drops");
        }
        let entry = match variances.sample_size(margin * width, level, self.args.power) {
            Ok(items) => entry.put("needed", whole_items(items)),
            Err(error) => entry.reason(&error.to_string()),
        };
        let unpaired = cell.mean().and_then(|rate| {
            two_proportion_sample_size(rate, rate - margin, level, self.args.power)
                .map(|size| whole_items(size.per_arm))
        });
        let is_rate = metric.is_binary() && metric.scale.low == 0.0 && metric.scale.high == 1.0;
        entry.put("needed_unpaired", unpaired.ok().filter(|_| is_rate))
    }

    /// What more trials of every example would show.
    fn ahead(&self, metric: &MetricValues, whole: &Cell<'_>, level: Alpha) -> Vec<Entry> {
        let named = |trials: u64| Entry::new().put("metric", &metric.name).put("trials", trials);
        let Ok(variance) = whole.variance() else {
            let one = "one trial an example says nothing about trial noise; run with --trials 3 to see what more buy";
            return vec![named(whole.trials()).reason(one)];
        };
        let width = metric.scale.width();
        let margin = self.margin(metric, whole);
        let wanted: Vec<u64> =
            if self.args.trials.is_empty() { TRIALS_AHEAD.to_vec() } else { self.args.trials.clone() };
        let rows = wanted.into_iter().map(|trials| {
            let variances = self.variances(metric, variance.within, trials);
            let calls = trials.saturating_mul(whole.scores.len() as u64);
            let drop = variances.detectable_difference(whole.items(), level, self.args.power);
            let needed = variances.sample_size(margin * width, level, self.args.power);
            named(trials)
                .put("smallest_drop", drop.ok().map(|drop| drop / width))
                .put("se", variance.se_with(trials as f64).ok())
                .put("needed", needed.ok().map(whole_items))
                .put("calls", calls)
                .put("cost_usd", self.price.map(|price| price * calls as f64))
        });
        rows.collect()
    }
}
