//! Two samples: on the same items, or on different ones; and whether a distribution has drifted.

use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Rows, listed, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::bootstrap::{Replicates, Resampling, independent_difference_replicates};
use crate::stats::drift::{homogeneity, js_divergence, kl_divergence, population_stability_index, wasserstein};
use crate::stats::location::{cohens_d, hedges_g, hodges_lehmann, hodges_lehmann_shift, paired_t_test, welch_t_test};
use crate::stats::mean::{differences, paired_mean};
use crate::stats::nonparametric::{
    Continuity, KolmogorovSmirnov, MAX_EXACT_PAIRS, TieHandling, ZeroMethod, mann_whitney, mann_whitney_asymptotic,
    mann_whitney_exact, paired_permutation, paired_permutation_exact, sign_test_of, wilcoxon_signed_rank,
    wilcoxon_signed_rank_exact,
};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct SamplesArgs {
    /// A table; without one, --x and --y are numbers
    file: Option<PathBuf>,
    /// Column of the first sample, or its numbers
    #[arg(long, value_name = "COLUMN|X,…", value_delimiter = ',', required = true, allow_negative_numbers = true)]
    x: Vec<String>,
    /// Column of the second sample, or its numbers
    #[arg(long, value_name = "COLUMN|X,…", value_delimiter = ',', required = true, allow_negative_numbers = true)]
    y: Vec<String>,
}

impl SamplesArgs {
    /// The two samples; `paired` keeps only rows that have both.
    fn read(&self, paired: bool) -> Found<(Vec<f64>, Vec<f64>)> {
        let Some(file) = &self.file else {
            return Ok((listed(&self.x, "x")?, listed(&self.y, "y")?));
        };
        let ([x], [y]) = (&self.x[..], &self.y[..]) else {
            return usage("with a file, --x and --y name one column each");
        };
        let rows = Rows::read(file, &[(x, Want::Number), (y, Want::Number)])?;
        if paired {
            let complete = rows.complete(&[0, 1]);
            return Ok((rows.values(0, &complete), rows.values(1, &complete)));
        }
        Ok((rows.values(0, &rows.complete(&[0])), rows.values(1, &rows.complete(&[1]))))
    }
}

fn sizes(x: &[f64], y: &[f64]) -> Entry {
    Entry::new().put("n_x", x.len()).put("n_y", y.len())
}

/// `stats t-test`
pub(super) fn t_test(args: &SamplesArgs, is_paired: bool, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let (x, y) = args.read(is_paired)?;
    if is_paired {
        let found = paired_mean(&x, &y)?;
        let entry = Entry::new()
            .put("difference_is", "x − y")
            .put("difference", found.difference.mean)
            .attempt("interval", found.difference.t_interval(alpha))
            .put("n", x.len())
            .attempt_fields("test", paired_t_test(&differences(&x, &y)?))
            .put("se", found.difference.se)
            .put("se_unpaired", found.se_unpaired)
            .put("correlation", found.correlation);
        return Ok(Sheet::new(entry).confidence(alpha).method("paired t test (Student 1908)"));
    }
    let test = welch_t_test(&x, &y)?;
    let draw = Resampling::seeded(seed);
    let replicates = independent_difference_replicates(&x, &y, draw);
    let entry = sizes(&x, &y)
        .put("difference_is", "x − y")
        .attempt("difference", replicates.as_ref().map(Replicates::estimate).map_err(Clone::clone))
        .attempt("interval", replicates.and_then(|r| r.percentile(alpha)))
        .fields(test)
        .attempt("cohens_d", cohens_d(&x, &y))
        .attempt("hedges_g", hedges_g(&x, &y))
        .put("seed", seed);
    Ok(Sheet::new(entry).confidence(alpha).method("Welch 1947; percentile bootstrap of each side, B = 10,000"))
}

/// `stats mann-whitney`
pub(super) fn rank_sum(args: &SamplesArgs) -> Found<Sheet> {
    let (x, y) = args.read(false)?;
    let found = mann_whitney(&x, &y)?;
    let exact = mann_whitney_exact(&x, &y);
    let normal = mann_whitney_asymptotic(&x, &y, Continuity::Corrected)?;
    let entry = sizes(&x, &y)
        .put("u", found.u)
        .put("p", exact.clone().unwrap_or(normal))
        .put("p_is", if exact.is_ok() { "exact" } else { "normal, corrected for ties and continuity" })
        .put("auc", found.auc)
        .put("cliffs_delta", found.cliffs_delta)
        .attempt("hodges_lehmann_shift", hodges_lehmann_shift(&x, &y))
        .put("p_normal", normal)
        .put("p_normal_uncorrected", mann_whitney_asymptotic(&x, &y, Continuity::Uncorrected).ok());
    Ok(Sheet::new(entry))
}

/// `stats wilcoxon`
pub(super) fn signed_rank(args: &SamplesArgs) -> Found<Sheet> {
    let (x, y) = args.read(true)?;
    let deltas = differences(&x, &y)?;
    let exact = wilcoxon_signed_rank_exact(&deltas);
    let normal = wilcoxon_signed_rank(&deltas, ZeroMethod::Drop, Continuity::Uncorrected)?;
    let entry = Entry::new()
        .put("difference_is", "x − y")
        .put("n", deltas.len())
        .put("zeros", deltas.iter().filter(|&&delta| delta == 0.0).count())
        .put("statistic", normal.statistic)
        .put("p", exact.clone().map_or(normal.p, |test| test.p))
        .put("p_is", if exact.is_ok() { "exact" } else { "normal, corrected for ties; zeros left out" })
        .attempt("hodges_lehmann", hodges_lehmann(&deltas))
        .attempt("sign_test_p", sign_test_of(&deltas))
        .put("p_normal", normal.p)
        .put("p_pratt", wilcoxon_signed_rank(&deltas, ZeroMethod::Pratt, Continuity::Uncorrected).ok().map(|t| t.p));
    Ok(Sheet::new(entry))
}

/// `stats permutation`
pub(super) fn permutation(args: &SamplesArgs, draws: u64, seed: u64) -> Found<Sheet> {
    let (x, y) = args.read(true)?;
    let deltas = differences(&x, &y)?;
    let found = paired_permutation(&deltas, draws, seed)?;
    let moved = deltas.iter().filter(|&&delta| delta != 0.0).count();
    let exact = if moved <= MAX_EXACT_PAIRS { paired_permutation_exact(&deltas).ok() } else { None };
    let entry = Entry::new()
        .put("difference_is", "x − y")
        .put("difference", found.mean_difference)
        .put("n", deltas.len())
        .put("moved", moved)
        .put("p", exact.unwrap_or(found.p))
        .put("p_is", if exact.is_some() { "exact" } else { "(b + 1)/(draws + 1)" })
        .put("p_drawn", found.p)
        .put("draws", found.draws)
        .put("seed", seed)
        .put("generator", crate::stats::rng::ALGORITHM);
    Ok(Sheet::new(entry))
}

/// `stats ks`
pub(super) fn kolmogorov(args: &SamplesArgs) -> Found<Sheet> {
    let (x, y) = args.read(false)?;
    let found = KolmogorovSmirnov::new(&x, &y)?;
    let exact = found.exact_p(TieHandling::Conditional);
    let entry = sizes(&x, &y)
        .put("d", found.d)
        .put("p", exact.clone().unwrap_or_else(|_| found.effective_size_p()))
        .put("p_is", if exact.is_ok() { "exact, given the ties" } else { "by the effective size" })
        .put("p_limit", found.limit_p())
        .attempt("wasserstein", wasserstein(&x, &y));
    Ok(Sheet::new(entry))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DriftArgs {
    /// A table with a column of categories a side; without one, --base and --head are counts by category
    file: Option<PathBuf>,
    /// Column of the earlier categories, or counts
    #[arg(long, value_name = "COLUMN|COUNT,…", value_delimiter = ',', required = true)]
    base: Vec<String>,
    /// Column of the later categories, or counts
    #[arg(long, value_name = "COLUMN|COUNT,…", value_delimiter = ',', required = true)]
    head: Vec<String>,
}

/// `stats drift`
pub(super) fn drift(args: &DriftArgs) -> Found<Sheet> {
    let (base, head, names) = if let Some(file) = &args.file {
        let ([base], [head]) = (&args.base[..], &args.head[..]) else {
            return usage("with a file, --base and --head name one column each");
        };
        let rows = Rows::read(file, &[(base, Want::Category), (head, Want::Category)])?;
        let mut names: Vec<String> =
            (0..2).filter_map(|column| rows.category(column)).flat_map(|category| category.names.clone()).collect();
        names.sort_by(|a, b| super::input::by_value(a, b));
        names.dedup();
        let of = |column: usize| -> Vec<f64> {
            let sizes: std::collections::HashMap<String, usize> =
                rows.slices(column, &rows.all()).into_iter().map(|(name, members)| (name, members.len())).collect();
            names.iter().map(|name| sizes.get(name).copied().unwrap_or(0) as f64).collect()
        };
        (of(0), of(1), names)
    } else {
        let (base, head) = (listed(&args.base, "base")?, listed(&args.head, "head")?);
        let names = (1..=base.len()).map(|place| place.to_string()).collect();
        (base, head, names)
    };
    let psi = population_stability_index(&base, &head)?;
    let kl = kl_divergence(&head, &base)?;
    let entry = Entry::new()
        .put("psi", psi)
        .put(
            "reading",
            if psi < 0.1 {
                "stable"
            } else if psi <= 0.25 {
                "moved"
            } else {
                "shifted"
            },
        )
        .put("kl_head_from_base", kl.is_finite().then_some(kl));
    let entry = if kl.is_finite() {
        entry
    } else {
        entry.reason("kl: a category of the head never occurred before, so it is infinite")
    };
    let entry = entry
        .attempt("js", js_divergence(&base, &head))
        .attempt_fields("homogeneity", homogeneity(&base, &head))
        .put("n_base", base.iter().sum::<f64>())
        .put("n_head", head.iter().sum::<f64>());
    let rows = names.iter().zip(base.iter().zip(&head));
    let rows = rows.map(|(name, (base, head))| Entry::new().put("category", name).put("base", base).put("head", head));
    Ok(Sheet::new(entry).table("categories", rows.collect(), &[]))
}
