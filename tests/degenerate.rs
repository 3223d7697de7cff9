//! Degenerate inputs through the public functions: what is refused, by which error, and what is flagged.
//!
//! The tables are the documentation. Whatever a function does with data that cannot answer the question, it never
//! returns NaN, an interval without width, or a p-value that claims evidence.

#![allow(clippy::unwrap_used, reason = "test program")]

use std::collections::HashMap;

use evalgauge::stats::alpha::{Level, krippendorff_alpha};
use evalgauge::stats::bootstrap::{
    Replicates, Resampling, cluster_totals, mean_acceleration, mean_replicates, ratio_replicates, studentized_mean,
};
use evalgauge::stats::bootstrap_ideal::IdealBootstrap;
use evalgauge::stats::calibration::{Binning, calibration_errors, calibration_interval};
use evalgauge::stats::correlation::{kendall, pearson, spearman};
use evalgauge::stats::judge_bias::{JudgeTable, JudgedRate, delta_interval, lee_interval, rogan_gladen};
use evalgauge::stats::kappa::{RatingTable, Weighting, cohen_kappa, encode, scott_pi};
use evalgauge::stats::mean::{MeanEstimate, clustered_mean, paired_mean, t_interval, trial_variance};
use evalgauge::stats::multiplicity::{Adjustment, adjust};
use evalgauge::stats::multirater::{Coefficient, Weights, agreement, fleiss_kappa};
use evalgauge::stats::nonparametric::{
    Continuity, KolmogorovSmirnov, TieHandling, ZeroMethod, mann_whitney_asymptotic, paired_permutation,
    paired_permutation_exact, sign_test, wilcoxon_signed_rank,
};
use evalgauge::stats::paired::{PairedTable, cochran_q};
use evalgauge::stats::pass_at_k::{Criterion, pass_at_k, suite};
use evalgauge::stats::ppi::{Tuning, ppi_mean};
use evalgauge::stats::probability_scores::{average_precision, brier_score, brier_skill_score, roc_auc};
use evalgauge::stats::proportion::{IndependentProportions, Proportion};
use evalgauge::stats::ranking::{bradley_terry, win_rate};
use evalgauge::stats::ratings::Ratings;
use evalgauge::stats::recalibration::{fit_isotonic, fit_platt, fit_temperature};
use evalgauge::stats::retrieval::RankedQuery;
use evalgauge::stats::sign_flip::{Cell, Changes, test_family};
use evalgauge::stats::step_down::Draws;
use evalgauge::stats::text::{BleuOptions, BleuScorer, squad};
use evalgauge::stats::{
    Alpha, BlockMoments, Interval, Result, StatError, ab, confidence_sequence, drift, location, power,
};

const FIVE: Alpha = Alpha::FIVE_PERCENT;
const SEEDED: Resampling = Resampling { replicates: 500, seed: 1 };

/// What became of a degenerate input.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Refused by [`StatError::TooFew`].
    TooFew,
    /// Refused by [`StatError::OutOfRange`].
    OutOfRange,
    /// Refused by [`StatError::Lengths`].
    Lengths,
    /// Refused by [`StatError::Undefined`].
    Undefined,
    /// A value with a flag, or with its interval or p-value absent.
    Flagged,
    /// An interval of positive width with finite ends.
    Wide,
    /// A p-value of 1.
    NoEvidence,
    /// Anything else: a false certainty.
    Certain,
}

use Outcome::{Flagged, Lengths, NoEvidence, OutOfRange, TooFew, Undefined, Wide};

/// What was tried, what became of it, what should.
type Row = (&'static str, Outcome, Outcome);

fn check(rows: &[Row]) {
    let wrong: Vec<_> = rows.iter().filter(|(_, got, expected)| got != expected).collect();
    assert!(wrong.is_empty(), "(input, got, expected): {wrong:#?}");
}

fn refusal<T>(result: Result<T>) -> Outcome {
    result.map_or_else(
        |why| match why {
            StatError::TooFew { .. } => TooFew,
            StatError::OutOfRange { .. } => OutOfRange,
            StatError::Lengths { .. } => Lengths,
            StatError::Undefined(_) => Undefined,
        },
        |_| Outcome::Certain,
    )
}

fn width(interval: Interval) -> Outcome {
    if interval.width() > 0.0 && interval.width().is_finite() { Wide } else { Outcome::Certain }
}

fn evidence(p: f64) -> Outcome {
    if p == 1.0 { NoEvidence } else { Outcome::Certain }
}

fn flag(flagged: bool) -> Outcome {
    if flagged { Flagged } else { Outcome::Certain }
}

fn rate(successes: u64, trials: u64) -> Proportion {
    Proportion::new(successes, trials).unwrap()
}

#[test]
fn no_success_and_no_failure() {
    let (none, all) = (rate(0, 20), rate(20, 20));
    let both = |p| IndependentProportions { first: p, second: p };
    let arm = |successes| ab::Arm { successes, trials: 20 };
    let fails = vec![0.0; 20];
    check(&[
        ("0/n Wilson", width(none.wilson(FIVE)), Wide),
        ("n/n Wilson", width(all.wilson(FIVE)), Wide),
        ("0/n Wilson with correction", width(none.wilson_corrected(FIVE)), Wide),
        ("0/n Clopper–Pearson", width(none.clopper_pearson(FIVE)), Wide),
        ("n/n Clopper–Pearson", width(all.clopper_pearson(FIVE)), Wide),
        ("0/n Jeffreys", width(none.jeffreys(FIVE)), Wide),
        ("0/n uniform prior", width(none.uniform_prior(FIVE)), Wide),
        ("0/n Agresti–Coull", width(none.agresti_coull(FIVE)), Wide),
        ("0/n Wald", refusal(none.wald(FIVE)), Undefined),
        ("n/n Wald", refusal(all.wald(FIVE)), Undefined),
        ("0/n against 0/n, Newcombe", width(both(none).newcombe(FIVE)), Wide),
        ("n/n against n/n, Miettinen–Nurminen", width(both(all).miettinen_nurminen(FIVE)), Wide),
        ("0/n against 0/n, Agresti–Caffo", width(both(none).agresti_caffo(FIVE)), Wide),
        ("0/n against 0/n, Wald", refusal(both(none).wald(FIVE)), Undefined),
        ("0/n against 0/n, z test", refusal(ab::two_proportion_z(arm(0), arm(0), FIVE)), Undefined),
        ("0/n as scores, t", refusal(t_interval(&fails, FIVE)), Undefined),
        ("0/n as scores, bootstrap", refusal(mean_replicates(&fails, SEEDED).unwrap().percentile(FIVE)), Undefined),
        (
            "0/n as scores, ideal bootstrap",
            refusal(IdealBootstrap::of_mean(&fails).unwrap().percentile(FIVE)),
            Undefined,
        ),
        ("0/n, betting", width(confidence_sequence::betting(&fails, FIVE, 1000).unwrap()[19]), Wide),
        ("0/n, empirical Bernstein", width(confidence_sequence::empirical_bernstein(&fails, FIVE).unwrap()[19]), Wide),
        (
            "every problem passes",
            refusal(suite(&[5; 9], &[5; 9], 2, Criterion::AnyPasses).unwrap().t_interval(FIVE)),
            Undefined,
        ),
        (
            "every problem passes, bootstrap",
            refusal(suite(&[5; 9], &[5; 9], 2, Criterion::AllPass).unwrap().bootstrap_interval(SEEDED, FIVE)),
            Undefined,
        ),
        ("0/0", refusal(Proportion::new(0, 0)), TooFew),
        ("more successes than trials", refusal(Proportion::new(3, 2)), OutOfRange),
    ]);
}

#[test]
fn no_discordant_pair() {
    let table = PairedTable::new(17, 0, 0, 3).unwrap();
    let even = PairedTable::new(10, 0, 0, 10).unwrap();
    check(&[
        ("b + c = 0, exact McNemar", evidence(table.mcnemar_exact()), NoEvidence),
        ("b + c = 0, mid-p", evidence(table.mcnemar_mid_p()), NoEvidence),
        ("b + c = 0, χ²", evidence(table.mcnemar_chi_squared().p), NoEvidence),
        ("b + c = 0, corrected χ²", evidence(table.mcnemar_corrected().p), NoEvidence),
        ("b + c = 0, Tango", width(table.tango(FIVE)), Wide),
        ("b + c = 0, Newcombe", width(table.newcombe(FIVE)), Wide),
        ("b + c = 0, Bonett–Price", width(table.bonett_price(FIVE)), Wide),
        ("b + c = 0, Wald", refusal(table.wald(FIVE)), Undefined),
        ("b + c = 0, Miller", refusal(table.miller(FIVE)), Undefined),
        ("b + c = 0 and a = d, Newcombe with plain φ", refusal(even.newcombe_uncorrected(FIVE)), Undefined),
        ("all pairs differ one way, Wald", refusal(PairedTable::new(0, 9, 0, 0).unwrap().wald(FIVE)), Undefined),
        ("no pair", refusal(PairedTable::new(0, 0, 0, 0)), TooFew),
        ("systems never differ, Cochran's Q", refusal(cochran_q(&[[true; 3], [false; 3]])), Undefined),
    ]);
}

#[test]
fn every_change_is_zero_or_the_same() {
    let zeros = vec![0.0; 12];
    let equal = vec![0.1; 12];
    let mut unmoved = BlockMoments::default();
    for &change in &zeros {
        unmoved.push(change, 1.0);
    }
    let mut shifted = BlockMoments::default();
    for &change in &equal {
        shifted.push(change, 1.0);
    }
    let estimate = MeanEstimate::of(&equal).unwrap();
    let replicates = mean_replicates(&equal, SEEDED).unwrap();
    let still = Cell { changes: Changes::Sum(vec![]), weight: 1.0, decisive: true };
    check(&[
        ("zeros, t interval", refusal(t_interval(&zeros, FIVE)), Undefined),
        ("equal, t interval", refusal(t_interval(&equal, FIVE)), Undefined),
        ("equal, t test", refusal(estimate.t_test()), Undefined),
        ("equal, z test", refusal(estimate.z_test()), Undefined),
        ("zeros by block, interval", refusal(unmoved.t_interval(FIVE)), Undefined),
        ("zeros by block, test", evidence(unmoved.t_test().unwrap()), NoEvidence),
        ("zeros by block, with a pseudo pair", width(unmoved.with_pseudo_pair(1.0).t_interval(FIVE).unwrap()), Wide),
        ("equal by block, test", refusal(shifted.t_test()), Undefined),
        ("equal by block, interval", refusal(shifted.t_interval(FIVE)), Undefined),
        ("equal, percentile", refusal(replicates.percentile(FIVE)), Undefined),
        ("equal, basic", refusal(replicates.basic(FIVE)), Undefined),
        ("equal, BCa", refusal(replicates.bca(FIVE, mean_acceleration(&equal).unwrap())), Undefined),
        ("equal, studentized", refusal(studentized_mean(&equal, SEEDED, FIVE)), Undefined),
        ("equal, paired t test", refusal(location::paired_t_test(&equal)), Undefined),
        ("both sides constant, Welch", refusal(location::welch_t_test(&zeros, &equal)), Undefined),
        ("both sides constant, Cohen's d", refusal(location::cohens_d(&zeros, &equal)), Undefined),
        (
            "zeros, signed ranks",
            refusal(wilcoxon_signed_rank(&zeros, ZeroMethod::Drop, Continuity::Corrected)),
            Undefined,
        ),
        ("zeros, permutation", evidence(paired_permutation(&zeros, 99, 1).unwrap().p), NoEvidence),
        ("zeros, all permutations", evidence(paired_permutation_exact(&zeros).unwrap()), NoEvidence),
        ("no win, no loss, sign test", evidence(sign_test(0, 0)), NoEvidence),
        ("nothing moved, sign flips", flag(test_family(&[still], Draws::new(1, 0.05)).cells[0].p.is_none()), Flagged),
        (
            "a side without spread, correlation of a pair",
            flag(paired_mean(&zeros, &equal).unwrap().correlation.is_none()),
            Flagged,
        ),
        (
            "labels and predictions constant",
            refusal(ppi_mean(&equal, &equal, &equal, Tuning::Fixed(1.0), FIVE)),
            Undefined,
        ),
    ]);
}

#[test]
fn every_value_ties() {
    let ties = [2.0; 8];
    let line = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let ks = KolmogorovSmirnov::new(&ties, &ties).unwrap();
    let on_a_line = pearson(&line, &line, FIVE).unwrap();
    let other_line: Vec<f64> = line.iter().map(|x| 0.3 * x - 0.1).collect();
    let on_another_line = pearson(&line, &other_line, FIVE).unwrap();
    let in_order = spearman(&line, &line, FIVE).unwrap();
    let reversed: Vec<f64> = line.iter().rev().copied().collect();
    check(&[
        ("constant, Pearson", refusal(pearson(&ties, &line, FIVE)), Undefined),
        ("constant, Spearman", refusal(spearman(&line, &ties, FIVE)), Undefined),
        ("constant, Kendall", refusal(kendall(&ties, &line, FIVE)), Undefined),
        ("on a line, Pearson", flag(on_a_line.p.is_none() && on_a_line.interval.is_none()), Flagged),
        ("on another line, Pearson", flag(on_another_line.p.is_none() && on_another_line.interval.is_none()), Flagged),
        ("in order, Spearman", flag(in_order.p.is_none() && in_order.interval.is_none()), Flagged),
        ("in reverse, Kendall", flag(kendall(&line, &reversed, FIVE).unwrap().interval.is_none()), Flagged),
        ("all equal, Kolmogorov–Smirnov", evidence(ks.exact_p(TieHandling::Conditional).unwrap()), NoEvidence),
        (
            "all equal, Mann–Whitney",
            evidence(mann_whitney_asymptotic(&ties, &ties, Continuity::Corrected).unwrap()),
            NoEvidence,
        ),
        (
            "all equal, Mann–Whitney uncorrected",
            refusal(mann_whitney_asymptotic(&ties, &ties, Continuity::Uncorrected)),
            Undefined,
        ),
        (
            "all comparisons tie, win rate",
            flag(win_rate(0, 0, 9, FIVE).unwrap().interval_without_ties.is_none()),
            Flagged,
        ),
        ("all comparisons tie, sign test", evidence(win_rate(0, 0, 9, FIVE).unwrap().sign_test_p), NoEvidence),
        ("one category, drift", refusal(drift::homogeneity(&[5.0, 0.0], &[7.0, 0.0])), Undefined),
        ("somebody never lost, Bradley–Terry", refusal(bradley_terry(&[vec![0.0, 4.0], vec![0.0, 0.0]])), Undefined),
    ]);
}

#[test]
fn one_label() {
    let same = RatingTable::from_codes(&[1; 9], &[1; 9], 3).unwrap();
    let perfect = RatingTable::from_counts(&[[5, 0], [0, 4]]).unwrap();
    let constant_rater = RatingTable::from_counts(&[[4, 2], [0, 0]]).unwrap();
    let kappa = |table: &RatingTable| cohen_kappa(table, Weighting::Unweighted, FIVE);
    let units = Ratings::from_units(&[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]).unwrap();
    let agreed = Ratings::from_units(&[[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]]).unwrap();
    let gwet = agreement(&agreed, Coefficient::Gwet, Weights::Identity, FIVE).unwrap();
    let nominal = krippendorff_alpha(&agreed, Level::Nominal, FIVE).unwrap();
    check(&[
        ("one label, κ", flag(kappa(&same).degenerate && kappa(&same).interval.is_none()), Flagged),
        ("one label, π", flag(scott_pi(&same).degenerate), Flagged),
        ("one label, Fleiss", flag(fleiss_kappa(&[[3, 0], [3, 0]]).unwrap().degenerate), Flagged),
        ("one label, Krippendorff", refusal(krippendorff_alpha(&units, Level::Nominal, FIVE)), Undefined),
        ("one label, Gwet", refusal(agreement(&units, Coefficient::Gwet, Weights::Identity, FIVE)), TooFew),
        (
            "one label, generalised Fleiss",
            refusal(agreement(&units, Coefficient::Fleiss, Weights::Identity, FIVE)),
            Undefined,
        ),
        ("perfect agreement, κ", flag(kappa(&perfect).interval.is_none()), Flagged),
        ("perfect agreement, Gwet", flag(gwet.interval.is_none() && gwet.p.is_none()), Flagged),
        ("perfect agreement, Krippendorff", flag(nominal.interval.is_none()), Flagged),
        ("a rater with one label, κ", flag(kappa(&constant_rater).se.is_none()), Flagged),
        (
            "no unit rated twice",
            refusal(krippendorff_alpha(&Ratings::from_units(&[[1.0], [2.0]]).unwrap(), Level::Nominal, FIVE)),
            TooFew,
        ),
        ("a rating that is no label", refusal(encode(&["x"], &["a", "b"])), Undefined),
    ]);
}

#[test]
fn one_cluster_or_one_item() {
    let one = clustered_mean(&[1.0, 0.0, 1.0], &["g"; 3]).unwrap();
    let mut block = BlockMoments::default();
    block.push(2.0, 3.0);
    check(&[
        ("one cluster, CR1", flag(one.cr1.is_none()), Flagged),
        ("one cluster, interval", refusal(one.estimate()), TooFew),
        (
            "one cluster, bootstrap",
            refusal(ratio_replicates(&cluster_totals(&[1.0, 0.0], &[1, 1]).unwrap(), SEEDED)),
            TooFew,
        ),
        ("one block", refusal(block.t_interval(FIVE)), TooFew),
        ("one item, t", refusal(t_interval(&[0.4], FIVE)), TooFew),
        ("one item, bootstrap", refusal(mean_replicates(&[0.4], SEEDED)), TooFew),
        ("one pair, Miller", refusal(PairedTable::new(0, 1, 0, 0).unwrap().miller(FIVE)), TooFew),
        ("one pair of scores", refusal(kendall(&[1.0], &[2.0], FIVE)), TooFew),
        ("one trial an item", refusal(trial_variance(&[[1.0], [0.0]])), TooFew),
        ("one problem", refusal(suite(&[5], &[2], 1, Criterion::AnyPasses).unwrap().t_interval(FIVE)), TooFew),
        ("one subject rated once", refusal(fleiss_kappa(&[[1, 0]])), TooFew),
        ("one label for a judge", refusal(ppi_mean(&[1.0], &[0.9], &[0.5, 0.6], Tuning::Estimated, FIVE)), TooFew),
        (
            "few items, calibration",
            refusal(calibration_interval(&[0.5; 99], &[true; 99], 15, Binning::EqualMass, SEEDED, FIVE)),
            TooFew,
        ),
        ("few resamples", refusal(mean_replicates(&[0.4, 0.5], Resampling { replicates: 99, seed: 1 })), TooFew),
    ]);
}

#[test]
fn one_class() {
    let p = [0.2, 0.4, 0.9];
    let judged = |table: JudgeTable, passed| -> Result<JudgedRate> { rogan_gladen(table, passed, 50) };
    let flawless = judged(JudgeTable { true_pass: 20, false_fail: 0, true_fail: 20, false_pass: 0 }, 0).unwrap();
    let no_fails = JudgeTable { true_pass: 20, false_fail: 3, true_fail: 0, false_pass: 0 };
    let chance = JudgeTable { true_pass: 5, false_fail: 5, true_fail: 5, false_pass: 5 };
    let calibrated = calibration_interval(&[1.0; 400], &[true; 400], 15, Binning::EqualMass, SEEDED, FIVE);
    check(&[
        ("no negative, AUC", refusal(roc_auc(&p, &[true; 3])), Undefined),
        ("no positive, average precision", refusal(average_precision(&p, &[false; 3])), Undefined),
        ("one outcome, Brier skill", refusal(brier_skill_score(&p, &[true; 3])), Undefined),
        ("one outcome, Platt", refusal(fit_platt(&p, &[true; 3])), Undefined),
        ("one score, Platt", refusal(fit_platt(&[0.5; 2], &[true, false])), Undefined),
        ("always right, temperature", refusal(fit_temperature(&[[2.0, 0.0], [0.0, 1.0]], &[0, 1])), Undefined),
        ("certain and right, calibration", refusal(calibrated), Undefined),
        ("no labelled fail, judge", refusal(judged(no_fails, 10)), TooFew),
        ("a judge at chance", refusal(judged(chance, 10)), Undefined),
        ("a flawless judge that passes nothing, delta", refusal(delta_interval(&flawless, FIVE)), Undefined),
        ("a flawless judge that passes nothing, Lee", width(lee_interval(&flawless, FIVE).unwrap().interval), Wide),
        ("equal rates, sample size", refusal(power::two_proportion_sample_size(0.5, 0.5, FIVE, 0.8)), Undefined),
        ("rates of 0, power", refusal(power::two_proportion_power(0.0, 0.0, 100, FIVE)), Undefined),
    ]);
}

#[test]
fn nothing_at_all() {
    let none: [f64; 0] = [];
    check(&[
        ("scores", refusal(t_interval(&none, FIVE)), TooFew),
        ("clustered scores", refusal(clustered_mean::<u8>(&none, &[])), TooFew),
        ("paired scores", refusal(paired_mean(&none, &none)), TooFew),
        ("outcomes", refusal(Proportion::of(&[])), TooFew),
        ("pairs", refusal(PairedTable::of(&[], &[])), TooFew),
        ("resamples", refusal(Replicates::new(0.5, vec![])), TooFew),
        ("p-values", refusal(adjust(&none, Adjustment::Holm)), TooFew),
        ("ratings", refusal(RatingTable::from_codes(&[], &[], 2)), TooFew),
        ("units", refusal(Ratings::from_units::<[f64; 0]>(&[])), TooFew),
        ("scores to correlate", refusal(pearson(&none, &none, FIVE)), TooFew),
        ("confidences", refusal(calibration_errors(&none, &[], 10, Binning::EqualMass)), TooFew),
        ("probabilities", refusal(brier_score(&none, &[])), TooFew),
        ("points", refusal(fit_isotonic(&none, &none)), TooFew),
        ("problems", refusal(suite(&[], &[], 1, Criterion::AnyPasses)), TooFew),
        ("judgements", refusal(RankedQuery::from_ids(&["a"], &HashMap::new())), TooFew),
        ("observations", refusal(confidence_sequence::hoeffding(&none, FIVE)), TooFew),
        ("comparisons", refusal(win_rate(0, 0, 0, FIVE)), TooFew),
        ("variants' items", refusal(ab::sample_ratio(&[0, 0], &[1.0, 1.0])), TooFew),
        ("items of a side, drift", refusal(drift::homogeneity(&[0.0, 0.0], &[1.0, 2.0])), TooFew),
        ("accepted answers", refusal(squad::<&str>("x", &[])), TooFew),
        ("hypotheses", refusal(BleuScorer::new(BleuOptions::default()).corpus::<&str, &str>(&[], &[])), TooFew),
        ("sequences of different length", refusal(paired_mean(&[1.0], &none)), Lengths),
        ("labels without verdicts", refusal(JudgeTable::from_labels(&[true], &[])), Lengths),
    ]);
}

#[test]
fn what_is_no_number() {
    let nan = [0.5, f64::NAN, 0.7];
    let fine = [0.1, 0.2, 0.3];
    let flags = [true, false, true];
    check(&[
        ("scores", refusal(t_interval(&nan, FIVE)), OutOfRange),
        ("clustered scores", refusal(clustered_mean(&nan, &[1, 2, 3])), OutOfRange),
        ("paired scores", refusal(paired_mean(&fine, &nan)), OutOfRange),
        ("bootstrap", refusal(mean_replicates(&nan, SEEDED)), OutOfRange),
        ("ideal bootstrap", refusal(IdealBootstrap::of_mean(&nan)), OutOfRange),
        ("replicates", refusal(Replicates::new(f64::NAN, vec![0.1, 0.2])), OutOfRange),
        ("p-values", refusal(adjust(&nan, Adjustment::BenjaminiHochberg)), OutOfRange),
        ("ratings", refusal(Ratings::from_units(&[nan])), OutOfRange),
        ("correlation", refusal(spearman(&nan, &fine, FIVE)), OutOfRange),
        ("confidences", refusal(calibration_errors(&nan, &flags, 10, Binning::EqualWidthRightClosed)), OutOfRange),
        ("probabilities", refusal(brier_score(&nan, &flags)), OutOfRange),
        ("scores to rank", refusal(roc_auc(&nan, &flags)), OutOfRange),
        ("scores to map", refusal(fit_isotonic(&nan, &fine)), OutOfRange),
        ("grades", refusal(RankedQuery::from_grades(&nan, &fine)), OutOfRange),
        ("observations", refusal(confidence_sequence::betting(&nan, FIVE, 100)), OutOfRange),
        ("differences", refusal(paired_permutation(&nan, 99, 1)), OutOfRange),
        ("samples", refusal(KolmogorovSmirnov::new(&fine, &nan)), OutOfRange),
        ("counts", refusal(drift::population_stability_index(&nan, &fine)), OutOfRange),
        ("wins", refusal(bradley_terry(&[vec![0.0, f64::NAN], vec![1.0, 0.0]])), OutOfRange),
        ("predictions", refusal(ppi_mean(&fine, &nan, &fine, Tuning::Estimated, FIVE)), OutOfRange),
        ("a level", refusal(Alpha::new(f64::NAN)), OutOfRange),
        ("a power", refusal(power::two_proportion_sample_size(0.5, 0.6, FIVE, f64::NAN)), OutOfRange),
        ("k beyond the attempts", refusal(pass_at_k(5, 2, 6)), OutOfRange),
    ]);
}
