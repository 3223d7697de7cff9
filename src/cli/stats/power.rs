//! How many items a test needs, and what it can see.

use clap::{Args, Subcommand};

use super::input::{Found, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::power::{
    Direction, TrialVariances, mcnemar_mde, mcnemar_sample_size, two_proportion_mde, two_proportion_power,
    two_proportion_sample_size, whole_items,
};
use crate::stats::t_power::{TDesign, TTestPlan, Tails};

#[derive(Debug, Args)]
pub(in crate::cli) struct PowerArgs {
    #[command(subcommand)]
    plan: Plan,
    /// The chance to find a difference that is there
    #[arg(long, global = true, value_name = "X", default_value_t = 0.8)]
    power: f64,
}

#[derive(Debug, Subcommand)]
enum Plan {
    /// Two rates on different items
    TwoProportion(TwoProportionArgs),
    /// Two rates on the same items
    Mcnemar(McnemarArgs),
    /// Two means on the same items, several trials each
    Miller(MillerArgs),
    /// One mean, paired means or two means of normal data
    T(TArgs),
}

#[derive(Debug, Args)]
struct TwoProportionArgs {
    /// The rate of the first
    #[arg(long, value_name = "P")]
    p_a: f64,
    /// The rate of the second: how many items tell the two apart
    #[arg(long, value_name = "P")]
    p_b: Option<f64>,
    /// Items in each arm: the smallest difference they show, and their power where --p-b is given
    #[arg(long, value_name = "N")]
    n: Option<u64>,
}

#[derive(Debug, Args)]
struct McnemarArgs {
    /// Share of items that only one of the two gets right
    #[arg(long, value_name = "SHARE")]
    discordance: f64,
    /// The difference of the two rates
    #[arg(long, value_name = "X")]
    delta: Option<f64>,
    /// Pairs: the smallest difference they show
    #[arg(long, value_name = "N")]
    n: Option<u64>,
}

#[derive(Debug, Args)]
struct MillerArgs {
    /// Variance over items of the difference of the two expected scores, ω²
    #[arg(long, value_name = "X")]
    between: f64,
    /// Mean variance of the first's score within an item, σ²
    #[arg(long, value_name = "X")]
    within_a: f64,
    /// The same for the second [default: that of the first]
    #[arg(long, value_name = "X")]
    within_b: Option<f64>,
    /// Trials an item, either side
    #[arg(long, value_name = "K", default_value_t = 1)]
    trials: u64,
    /// The difference of the two means
    #[arg(long, value_name = "X")]
    delta: Option<f64>,
    /// Items: the smallest difference they show
    #[arg(long, value_name = "N")]
    n: Option<u64>,
}

#[derive(Debug, Args)]
struct TArgs {
    /// The difference over the standard deviation
    #[arg(long, value_name = "D")]
    effect: Option<f64>,
    /// Items (in each group): the smallest effect they show, and their power where --effect is given
    #[arg(long, value_name = "N")]
    n: Option<u64>,
    /// Two independent groups [default: one sample, or pairs]
    #[arg(long)]
    two_sample: bool,
    /// Look for a positive difference only
    #[arg(long)]
    one_sided: bool,
}

/// One of two flags must say what is asked.
fn asked(is_size: bool, is_visible: bool, flags: &str) -> Found<()> {
    if is_size || is_visible {
        Ok(())
    } else {
        usage(format!("give {flags} for the items needed, or --n for what they show"))
    }
}

/// `stats power …`
pub(super) fn plan(args: &PowerArgs, alpha: Alpha) -> Found<Sheet> {
    let power = args.power;
    let entry = Entry::new().put("alpha", alpha.get()).put("power", power);
    match &args.plan {
        Plan::TwoProportion(plan) => two_proportion(plan, entry, alpha, power),
        Plan::Mcnemar(plan) => mcnemar(plan, entry, alpha, power),
        Plan::Miller(plan) => miller(plan, entry, alpha, power),
        Plan::T(plan) => t(plan, entry, alpha, power),
    }
}

fn two_proportion(plan: &TwoProportionArgs, mut entry: Entry, alpha: Alpha, power: f64) -> Found<Sheet> {
    asked(plan.p_b.is_some(), plan.n.is_some(), "--p-b")?;
    entry = entry.put("p_a", plan.p_a);
    if let Some(p_b) = plan.p_b {
        let size = two_proportion_sample_size(plan.p_a, p_b, alpha, power)?;
        entry = entry.put("p_b", p_b).put("items_per_arm", whole_items(size.per_arm)).fields(size);
        if let Some(n) = plan.n {
            entry = entry.put("power_at_n", two_proportion_power(plan.p_a, p_b, n, alpha)?);
        }
    }
    if let Some(n) = plan.n {
        entry = entry
            .put("n", n)
            .attempt("smallest_drop", two_proportion_mde(plan.p_a, n, alpha, power, Direction::Down))
            .attempt("smallest_rise", two_proportion_mde(plan.p_a, n, alpha, power, Direction::Up));
    }
    Ok(Sheet::new(entry).method("two proportions, different items, two-sided (Fleiss, Levin & Paik 2003)"))
}

fn mcnemar(plan: &McnemarArgs, mut entry: Entry, alpha: Alpha, power: f64) -> Found<Sheet> {
    asked(plan.delta.is_some(), plan.n.is_some(), "--delta")?;
    entry = entry.put("discordance", plan.discordance);
    if let Some(delta) = plan.delta {
        let (p10, p01) = shares(plan.discordance, delta);
        let size = mcnemar_sample_size(p10, p01, alpha, power)?;
        entry = entry.put("delta", delta).put("pairs", whole_items(size.connor)).fields(size);
    }
    if let Some(n) = plan.n {
        entry = entry.put("n", n).put("smallest_difference", mcnemar_mde(plan.discordance, n, alpha, power)?);
    }
    Ok(Sheet::new(entry).method("McNemar's test, two-sided (Connor 1987; Miettinen 1968)"))
}

/// The shares of pairs right on one side only, from their sum and difference.
pub(in crate::cli) fn shares(discordance: f64, delta: f64) -> (f64, f64) {
    let less = 0.5 * (discordance - delta.abs());
    (discordance - less, less)
}

fn miller(plan: &MillerArgs, mut entry: Entry, alpha: Alpha, power: f64) -> Found<Sheet> {
    asked(plan.delta.is_some(), plan.n.is_some(), "--delta")?;
    let variances = TrialVariances {
        between_items: plan.between,
        within_a: plan.within_a,
        within_b: plan.within_b.unwrap_or(plan.within_a),
        trials_a: plan.trials,
        trials_b: plan.trials,
    };
    entry = entry.put("trials", plan.trials);
    if let Some(delta) = plan.delta {
        let items = variances.sample_size(delta, alpha, power)?;
        entry = entry
            .put("delta", delta)
            .put("items", whole_items(items))
            .put("calls", whole_items(items).saturating_mul(plan.trials))
            .put("items_exact", items);
    }
    if let Some(n) = plan.n {
        entry = entry.put("n", n).put("smallest_difference", variances.detectable_difference(n, alpha, power)?);
    }
    Ok(Sheet::new(entry).method("paired means with trials, two-sided (Miller 2024)"))
}

fn t(plan: &TArgs, mut entry: Entry, alpha: Alpha, power: f64) -> Found<Sheet> {
    asked(plan.effect.is_some(), plan.n.is_some(), "--effect")?;
    let test = TTestPlan {
        design: if plan.two_sample { TDesign::TwoSample } else { TDesign::OneSample },
        tails: if plan.one_sided { Tails::Upper } else { Tails::Both },
        alpha,
    };
    entry = entry
        .put("design", if plan.two_sample { "two samples, items in each" } else { "one sample, or pairs" })
        .put("tails", if plan.one_sided { "one" } else { "two" });
    if let Some(effect) = plan.effect {
        let items = test.sample_size(effect, power)?;
        entry = entry.put("effect", effect).put("items", whole_items(items)).put("items_exact", items);
        if let Some(n) = plan.n {
            entry = entry.put("power_at_n", test.power(effect, n as f64)?);
        }
    }
    if let Some(n) = plan.n {
        entry = entry.put("n", n).put("smallest_effect", test.detectable_effect(n as f64, power)?);
    }
    Ok(Sheet::new(entry).method("t test, noncentral t distribution"))
}
