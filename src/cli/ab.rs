//! `evalgauge ab`: online results of variants. The sample ratio is looked at first, and nothing is read when it is off.

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use super::stats::{
    Boundary, Entry, Found, Input, Rows, Sheet, alpha_of, by_value, count, finish, flag, numbers_or_file, refused,
    seed_of, usage,
};
use crate::gate::Exit;
use crate::stats::ab::{Arm, Beta, SAMPLE_RATIO_ALERT, beta_binomial, sample_ratio, two_proportion_z};
use crate::stats::bootstrap::{Replicates, Resampling, independent_difference_replicates};
use crate::stats::location::welch_t_test;
use crate::stats::mean::mean;
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::proportion::Proportion;
use crate::stats::sequential::{MsprtLook, msprt_bernoulli};
use crate::stats::{Alpha, Interval};
use crate::table::Want;

/// What the verb cites.
pub(super) const METHOD: &str = "sample ratio first (χ², alert below .001; Fabijan et al. 2019); z test of two \
    proportions; Beta–Binomial posterior, uniform prior; mixture SPRT (Johari et al. 2017); guard rails by Welch 1947";

#[derive(Debug, Args)]
pub(super) struct AbArgs {
    /// SUCCESSES TRIALS of the control, then of each variant; or a table with one row a unit, in order of arrival
    #[arg(required = true, value_name = "FILE|SUCCESSES TRIALS…", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the variant that a unit saw
    #[arg(long, value_name = "COLUMN")]
    variant: Option<String>,
    /// Column of the outcome, 0 or 1
    #[arg(long, value_name = "COLUMN")]
    outcome: Option<String>,
    /// The variant that the others are compared with [default: the first by name]
    #[arg(long, value_name = "NAME")]
    control: Option<String>,
    /// Column of a number that must not get worse; may be given several times
    #[arg(long, value_name = "COLUMN")]
    guard: Vec<String>,
    /// Intended shares of the variants, control first [default: equal]
    #[arg(long, value_name = "SHARE,…", value_delimiter = ',')]
    ratio: Vec<f64>,
    /// How many equally spaced looks were planned
    #[arg(long, value_name = "K")]
    looks: Option<usize>,
    /// Which of them this is [default: the last]
    #[arg(long, value_name = "K", requires = "looks")]
    look: Option<usize>,
    /// The shape of the boundary over the looks
    #[arg(long, value_enum, default_value_t = Boundary::ObrienFleming)]
    boundary: Boundary,
    /// The size of differences that the mixture SPRT is tuned for
    #[arg(long, value_name = "X", default_value_t = 0.05)]
    tau: f64,
    /// Error rate of tests and intervals
    #[arg(long, value_name = "X", default_value_t = 0.05)]
    alpha: f64,
}

/// One variant: its counts, and what it saw in order of arrival where there is a file.
struct Variant {
    name: String,
    arm: Arm,
    rows: Vec<usize>,
    outcomes: Vec<bool>,
}

pub(super) fn run(args: &AbArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let mut exit = Exit::Pass;
    let found = compare(args, global).map(|(sheet, found)| {
        exit = found;
        sheet
    });
    let done = finish("evalgauge.ab/1", "ab", METHOD, found, output)?;
    Ok(if done == Exit::Pass { exit } else { done })
}

fn compare(args: &AbArgs, global: &Global) -> Found<(Sheet, Exit)> {
    let alpha = alpha_of(args.alpha)?;
    let (variants, rows) = read(args)?;
    let observed: Vec<u64> = variants.iter().map(|variant| variant.arm.trials).collect();
    let ratio = if args.ratio.is_empty() { vec![1.0; variants.len()] } else { args.ratio.clone() };
    if ratio.len() != variants.len() {
        return usage(format!("--ratio has {} shares for {} variants", ratio.len(), variants.len()));
    }
    let check = sample_ratio(&observed, &ratio)?;
    let is_off = check.p < SAMPLE_RATIO_ALERT;
    let entry = Entry::new()
        .put("control", &variants[0].name)
        .put("sample_ratio", Entry::new().fields(check).put("alert_below", SAMPLE_RATIO_ALERT).put("alert", is_off));
    let arms = variants.iter().zip(&ratio).map(|(variant, share)| {
        let Arm { successes, trials } = variant.arm;
        Entry::new().put("variant", &variant.name).put("n", trials).put("successes", successes).put("share", share)
    });
    if is_off {
        let reason = format!(
            "sample-ratio mismatch (p = {:.2e}): assignment or logging is broken, and no comparison of these variants can \
             be trusted",
            check.p
        );
        let entry = entry.reason(&reason);
        super::output::complain(&format!(
            "error: {reason}\nhint: find out where units get lost before reading any result"
        ));
        let sheet = Sheet::new(entry).hidden("exit_code", Exit::Undecidable.code()).table("arms", arms.collect(), &[]);
        return Ok((sheet, Exit::Undecidable));
    }
    let mut arms: Vec<Entry> = arms.collect();
    for (entry, variant) in arms.iter_mut().zip(&variants) {
        let rate = Proportion::new(variant.arm.successes, variant.arm.trials)?;
        *entry = std::mem::take(entry).put("rate", rate.rate()).put("interval", rate.wilson(alpha));
    }
    let comparisons = comparisons(&variants, alpha)?;
    let mut sheet =
        Sheet::new(entry).hidden("exit_code", Exit::Pass.code()).confidence(alpha).table("arms", arms, &[]).table(
            "comparisons",
            comparisons,
            &["variant", "difference", "interval", "z", "p", "b_beats_a", "expected_loss_of_b"],
        );
    if let Some(looks) = args.looks {
        sheet = sheet.table("looks", look_by_look(args, looks, &variants, alpha)?, &[]);
    }
    if let Some(rows) = &rows {
        let running = variants[1..].iter().map(|variant| always_valid(args, &variants[0], variant, alpha));
        sheet = sheet.table("always_valid", running.collect::<Found<_>>()?, &[]);
        if !args.guard.is_empty() {
            sheet = sheet.table("guards", guards(args, rows, &variants, alpha, seed_of(global)?)?, &[]);
        }
    }
    Ok((sheet, Exit::Pass))
}

fn read(args: &AbArgs) -> Found<(Vec<Variant>, Option<Rows>)> {
    match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            if numbers.len() < 4 || numbers.len() % 2 != 0 {
                return usage("expected SUCCESSES TRIALS of the control and of at least one variant");
            }
            if !args.guard.is_empty() {
                return usage("--guard needs a file");
            }
            let mut variants = Vec::new();
            for (place, pair) in numbers.chunks_exact(2).enumerate() {
                let arm = Arm { successes: count("SUCCESSES", pair[0])?, trials: count("TRIALS", pair[1])? };
                if arm.successes > arm.trials {
                    return refused(format!("{} successes among {} trials", arm.successes, arm.trials));
                }
                let name = char::from_u32('A' as u32 + place as u32).unwrap_or('?').to_string();
                variants.push(Variant { name, arm, rows: Vec::new(), outcomes: Vec::new() });
            }
            Ok((variants, None))
        }
        Input::File(path) => {
            let mut wanted = vec![
                (flag(args.variant.as_ref(), "variant")?, Want::Category),
                (flag(args.outcome.as_ref(), "outcome")?, Want::Number),
            ];
            wanted.extend(args.guard.iter().map(|guard| (guard.as_str(), Want::Number)));
            let rows = Rows::read(&path, &wanted)?;
            let complete = rows.complete(&[0, 1]);
            let mut variants = Vec::new();
            for (name, members) in rows.slices(0, &complete) {
                let outcomes = rows.outcomes(1, &members)?;
                let successes = outcomes.iter().filter(|&&success| success).count() as u64;
                let arm = Arm { successes, trials: outcomes.len() as u64 };
                variants.push(Variant { name, arm, rows: members, outcomes });
            }
            if let Some(control) = &args.control {
                if !variants.iter().any(|variant| variant.name == *control) {
                    return usage(format!("--control {control}: no row has this variant"));
                }
                variants
                    .sort_by(|a, b| (a.name != *control).cmp(&(b.name != *control)).then(by_value(&a.name, &b.name)));
            }
            if variants.len() < 2 {
                return refused("there is only one variant");
            }
            Ok((variants, Some(rows)))
        }
    }
}

/// Each variant against the control.
fn comparisons(variants: &[Variant], alpha: Alpha) -> Found<Vec<Entry>> {
    let mut found = Vec::new();
    let mut p = Vec::new();
    for variant in &variants[1..] {
        let fixed = two_proportion_z(variants[0].arm, variant.arm, alpha);
        p.extend(fixed.as_ref().ok().map(|fixed| fixed.p));
        found.push(Entry::new().put("variant", &variant.name).attempt_fields("z test", fixed).fields(beta_binomial(
            variants[0].arm,
            variant.arm,
            Beta::UNIFORM,
        )?));
    }
    if found.len() > 1 && p.len() == found.len() {
        for (entry, holm) in found.iter_mut().zip(adjust(&p, Adjustment::Holm)?) {
            *entry = std::mem::take(entry).put("p_holm", holm);
        }
    }
    if found.iter().all(|entry| entry.get("p").is_none()) {
        return refused("all outcomes of all variants are equal");
    }
    Ok(found)
}

/// The z of each look that has been, against the bound of the design.
fn look_by_look(args: &AbArgs, looks: usize, variants: &[Variant], alpha: Alpha) -> Found<Vec<Entry>> {
    let design = args.boundary.design(looks, alpha)?;
    let now = args.look.unwrap_or(looks);
    if !(1..=looks).contains(&now) {
        return usage(format!("--look {now}: expected 1 to {looks}"));
    }
    let has_order = !variants[0].outcomes.is_empty();
    let mut rows = Vec::new();
    for look in 1..=looks {
        let entry = Entry::new().put("look", look).put("bound_z", design.bounds[look - 1]);
        if look > now || (look < now && !has_order) {
            rows.push(entry);
            continue;
        }
        for variant in &variants[1..] {
            let so_far = |of: &Variant| {
                if look == now {
                    return of.arm;
                }
                let seen = of.outcomes.len() * look / now;
                let successes = of.outcomes[..seen].iter().filter(|&&success| success).count() as u64;
                Arm { successes, trials: seen as u64 }
            };
            let entry = entry.clone().put("variant", &variant.name);
            rows.push(match two_proportion_z(so_far(&variants[0]), so_far(variant), alpha) {
                Ok(test) => entry.put("z", test.z).put("crossed", test.z.abs() >= design.bounds[look - 1]),
                Err(error) => entry.reason(&error.to_string()),
            });
        }
    }
    Ok(rows)
}

/// The mixture SPRT after the last pair, in order of arrival.
fn always_valid(args: &AbArgs, control: &Variant, variant: &Variant, alpha: Alpha) -> Found<Entry> {
    let pairs = control.outcomes.len().min(variant.outcomes.len());
    let numbers = |of: &Variant| -> Vec<f64> {
        of.outcomes[..pairs].iter().map(|&success| f64::from(u8::from(success))).collect()
    };
    let looks = msprt_bernoulli(&numbers(control), &numbers(variant), args.tau * args.tau, alpha)?;
    let entry = Entry::new().put("variant", &variant.name).put("pairs", pairs).put("tau", args.tau);
    let Some(MsprtLook { difference, p, half_width, .. }) = looks.last().copied() else { return Ok(entry) };
    Ok(entry
        .put("p", p)
        .put("difference", difference)
        .put("interval", half_width.is_finite().then(|| Interval::around(difference, half_width))))
}

/// Every guard rail of every variant against the control, their p-values adjusted for each other.
fn guards(args: &AbArgs, rows: &Rows, variants: &[Variant], alpha: Alpha, seed: u64) -> Found<Vec<Entry>> {
    let (mut found, mut p) = (Vec::new(), Vec::new());
    for (place, guard) in args.guard.iter().enumerate() {
        for variant in &variants[1..] {
            let (before, now) = (rows_of(rows, place + 2, &variants[0]), rows_of(rows, place + 2, variant));
            let replicates = independent_difference_replicates(&now, &before, Resampling::seeded(seed));
            let test = welch_t_test(&now, &before);
            p.push(test.as_ref().map_or(1.0, |test| test.p));
            let entry = Entry::new()
                .put("guard", guard)
                .put("variant", &variant.name)
                .attempt("control_mean", mean(&before))
                .attempt("variant_mean", mean(&now))
                .put("difference", replicates.as_ref().ok().map(Replicates::estimate))
                .put("interval", replicates.and_then(|r| r.percentile(alpha)).ok());
            found.push(match test {
                Ok(test) => entry.put("p", test.p),
                Err(error) => entry.reason(&error.to_string()),
            });
        }
    }
    for (entry, holm) in found.iter_mut().zip(adjust(&p, Adjustment::Holm)?) {
        let is_moved = holm <= alpha.get();
        *entry = std::mem::take(entry).put("p_holm", holm).put("moved", is_moved);
    }
    Ok(found)
}

fn rows_of(rows: &Rows, column: usize, variant: &Variant) -> Vec<f64> {
    rows.values(column, &variant.rows)
}
