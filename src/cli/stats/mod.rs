//! `evalgauge stats`: the calculators of the library, on files or on numbers.
//!
//! Nothing is computed here: a file of this folder maps arguments and columns to functions of [`crate::stats`], and
//! what they say to one object.

mod agreement;
mod calibration;
mod classification;
mod correlation;
mod input;
mod judge;
mod means;
mod multiplicity;
mod power;
mod proportions;
mod ranking;
mod samples;
mod sequential;
mod sheet;
mod text;

use clap::{Args, Subcommand};

use super::ab::AbArgs;
use super::args::{Global, OutputFormat};
use super::failure::Failure;
use super::output::Output;
use crate::config::Project;
use crate::gate::Exit;
use crate::stats::multiplicity::Adjustment;

pub(super) use input::{Found, Input, Rows, Stop, alpha_of, by_value, count, flag, numbers_or_file, refused, usage};
pub(super) use power::shares;
pub(super) use sequential::Boundary;
pub(super) use sheet::{Entry, Sheet};

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    #[command(subcommand)]
    calculator: Calculator,
    /// Intervals have confidence 1 − α; tests are at level α
    #[arg(long, global = true, value_name = "X", default_value_t = 0.05)]
    alpha: f64,
}

#[derive(Debug, Subcommand)]
enum Calculator {
    /// Agreement of two raters beyond chance: Cohen's κ, plain or weighted
    Kappa(agreement::KappaArgs),
    /// Agreement of any number of raters: Fleiss' κ
    Fleiss(agreement::RaterArgs),
    /// Agreement of any number of raters, with gaps, at any level of measurement: Krippendorff's α
    Alpha(agreement::AlphaArgs),
    /// Agreement that lopsided prevalence hurts less: Gwet's AC1 and AC2
    #[command(alias = "ac2", alias = "gwet")]
    Ac1(agreement::GwetArgs),
    /// A rate with its score interval
    Wilson(proportions::RateArgs),
    /// A rate with every interval there is
    Proportion(proportions::RateArgs),
    /// Two rates on different items
    Newcombe(proportions::NewcombeArgs),
    /// Two rates on the same items: McNemar's test, Tango's interval
    Mcnemar(proportions::McnemarArgs),
    /// Several rates on the same items
    CochranQ(proportions::CochranArgs),
    /// A mean with naive and clustered standard errors
    Mean(means::MeanArgs),
    /// What repeated trials of an example buy: variance between and within examples
    Trials(means::TrialsArgs),
    /// How much runs of an unchanged system differ: flicker, drift of whole runs, noise floor
    Noise(means::NoiseArgs),
    /// pass@k and pass^k of repeated attempts
    Passk(means::PasskArgs),
    /// Calibration of stated confidences: ECE, MCE, Brier, AUC
    Ece(calibration::EceArgs),
    /// Temperature, Platt and isotonic maps of confidences, fitted on one half and tested on the other
    Recalibrate(calibration::RecalibrateArgs),
    /// Pearson, Spearman and Kendall with intervals
    Correlate(correlation::CorrelateArgs),
    /// p-values adjusted by Holm
    Holm(multiplicity::AdjustArgs),
    /// p-values adjusted by Hochberg
    Hochberg(multiplicity::AdjustArgs),
    /// p-values adjusted by Hommel
    Hommel(multiplicity::AdjustArgs),
    /// p-values adjusted by Benjamini & Hochberg (false discovery rate)
    Bh(multiplicity::AdjustArgs),
    /// p-values adjusted by Benjamini & Yekutieli (false discovery rate, any dependence)
    By(multiplicity::AdjustArgs),
    /// p-values adjusted by Bonferroni
    Bonferroni(multiplicity::AdjustArgs),
    /// p-values adjusted by Šidák
    Sidak(multiplicity::AdjustArgs),
    /// p-values adjusted by Holm–Šidák
    HolmSidak(multiplicity::AdjustArgs),
    /// How many items a test needs, and the smallest difference it shows
    Power(power::PowerArgs),
    /// Online variants: sample ratio, z test, posterior, looks, guard rails
    Ab(AbArgs),
    /// Two means: Welch, or paired
    TTest {
        #[command(flatten)]
        samples: samples::SamplesArgs,
        /// The two are measured on the same items
        #[arg(long)]
        paired: bool,
    },
    /// Ranks of two samples on different items
    MannWhitney(samples::SamplesArgs),
    /// Signed ranks of the differences on the same items
    Wilcoxon(samples::SamplesArgs),
    /// Sign flips of the differences on the same items
    Permutation {
        #[command(flatten)]
        samples: samples::SamplesArgs,
        /// How many sign patterns to draw
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        draws: u64,
    },
    /// Distance of two empirical distributions: Kolmogorov–Smirnov
    Ks(samples::SamplesArgs),
    /// Drift of categories: PSI, KL, JS, χ²
    #[command(alias = "psi")]
    Drift(samples::DriftArgs),
    /// Strengths from pairwise comparisons, whatever their order
    BradleyTerry(ranking::GamesArgs),
    /// Ratings from pairwise comparisons, in their order
    Elo(ranking::EloArgs),
    /// Wins, losses and ties
    WinRate(ranking::WinRateArgs),
    /// The pass rate behind an imperfect judge
    #[command(alias = "rogan-gladen")]
    JudgeCorrected(judge::CorrectedArgs),
    /// May a judge stand in for the human annotators?
    AltTest(judge::AltTestArgs),
    /// Predicted labels against true ones: accuracy, F1, confusion matrix
    #[command(alias = "classify")]
    Classification(classification::ClassifyArgs),
    /// Ranked lists against judged documents: recall, MRR, MAP, nDCG
    Retrieval(classification::RetrievalArgs),
    /// BLEU of a corpus, as sacrebleu
    Bleu(text::BleuArgs),
    /// chrF of a corpus, as sacrebleu
    Chrf(text::ChrfArgs),
    /// Translation edit rate of a corpus, as sacrebleu
    Ter(text::TerArgs),
    /// ROUGE of a corpus, as rouge-score
    Rouge(text::RougeArgs),
    /// Exact match and token F1 of answers, as `SQuAD`
    Squad(text::TextArgs),
    /// Edit distance of texts
    Levenshtein(text::TextArgs),
    /// Bounds of a test that is looked at several times
    GroupSequential(sequential::LooksArgs),
    /// An interval of a mean that holds at every look
    ConfidenceSequence(sequential::SequenceArgs),
}

impl Calculator {
    /// The name on the command line, and the method as a report cites it.
    fn about(&self) -> (&'static str, &'static str) {
        match self {
            Self::Kappa(_) => ("kappa", "Cohen's κ (Cohen 1960, 1968); standard error of Fleiss, Cohen & Everitt 1969"),
            Self::Fleiss(_) => ("fleiss", "Fleiss' κ (Fleiss 1971); interval by linearisation (Gwet 2014)"),
            Self::Alpha(_) => ("alpha", "Krippendorff's α (Krippendorff 2011); interval by linearisation (Gwet 2014)"),
            Self::Ac1(_) => ("ac1", "Gwet's AC1/AC2 (Gwet 2008, 2014)"),
            Self::Wilson(_) => ("wilson", "score interval (Wilson 1927)"),
            Self::Proportion(_) => {
                ("proportion", "Wilson 1927, Newcombe 1998, Clopper & Pearson 1934, Jeffreys, Agresti & Coull 1998")
            }
            Self::Newcombe(_) => ("newcombe", "hybrid score interval (Newcombe 1998, method 10)"),
            Self::Mcnemar(_) => {
                ("mcnemar", "McNemar's test, mid-p (Fagerland 2013) and exact; score interval (Tango 1998)")
            }
            Self::CochranQ(_) => ("cochran-q", "Cochran's Q (Cochran 1950)"),
            Self::Mean(_) => {
                ("mean", "mean with cluster-robust error CR1, t on groups − 1 (Cameron & Miller 2015; Miller 2024)")
            }
            Self::Trials(_) => ("trials", "variance between and within examples (Miller 2024)"),
            Self::Noise(_) => ("noise", "analysis of variance, runs × examples (Scheffé 1959)"),
            Self::Passk(_) => ("passk", "unbiased pass@k (Chen et al. 2021), pass^k (Yao et al. 2024)"),
            Self::Ece(_) => (
                "ece",
                "binned calibration error (Guo et al. 2017); interval with consistency resampling (Bröcker & Smith 2007)",
            ),
            Self::Recalibrate(_) => (
                "recalibrate",
                "temperature (Guo et al. 2017), Platt 1999, isotonic (Ayer et al. 1955), on held-out rows",
            ),
            Self::Correlate(_) => {
                ("correlate", "Pearson, Spearman (interval Bonett & Wright 2000), Kendall τ-b (Fieller et al. 1957)")
            }
            Self::Holm(_) => ("holm", Adjustment::Holm.citation()),
            Self::Hochberg(_) => ("hochberg", Adjustment::Hochberg.citation()),
            Self::Hommel(_) => ("hommel", Adjustment::Hommel.citation()),
            Self::Bh(_) => ("bh", Adjustment::BenjaminiHochberg.citation()),
            Self::By(_) => ("by", Adjustment::BenjaminiYekutieli.citation()),
            Self::Bonferroni(_) => ("bonferroni", Adjustment::Bonferroni.citation()),
            Self::Sidak(_) => ("sidak", Adjustment::Sidak.citation()),
            Self::HolmSidak(_) => ("holm-sidak", Adjustment::HolmSidak.citation()),
            Self::Power(_) => ("power", "sample size, power and smallest visible difference"),
            Self::Ab(_) => ("ab", super::ab::METHOD),
            Self::TTest { .. } => ("t-test", "t test (Student 1908, Welch 1947)"),
            Self::MannWhitney(_) => ("mann-whitney", "Mann & Whitney 1947"),
            Self::Wilcoxon(_) => ("wilcoxon", "signed ranks (Wilcoxon 1945)"),
            Self::Permutation { .. } => ("permutation", "paired permutation test (Fisher 1935)"),
            Self::Ks(_) => ("ks", "Kolmogorov 1933, Smirnov 1939"),
            Self::Drift(_) => ("drift", "population stability index, Kullback & Leibler 1951, Lin 1991, Pearson 1900"),
            Self::BradleyTerry(_) => {
                ("bradley-terry", "maximum likelihood (Bradley & Terry 1952; existence Ford 1957)")
            }
            Self::Elo(_) => ("elo", "Elo 1978"),
            Self::WinRate(_) => ("win-rate", "wins and half the ties; sign test; Wilson 1927 without ties"),
            Self::JudgeCorrected(_) => {
                ("judge-corrected", "Rogan & Gladen 1978; two-source interval (Lee et al. 2025)")
            }
            Self::AltTest(_) => ("alt-test", "alternative annotator test (Calderon, Reichart & Dror 2025)"),
            Self::Classification(_) => {
                ("classification", "confusion matrix; accuracy with score interval (Wilson 1927)")
            }
            Self::Retrieval(_) => {
                ("retrieval", "trec_eval's conventions; nDCG of Järvelin & Kekäläinen 2002; t intervals over queries")
            }
            Self::Bleu(_) => {
                ("bleu", "BLEU (Papineni et al. 2002) as sacrebleu (Post 2018); percentile bootstrap over items")
            }
            Self::Chrf(_) => ("chrf", "chrF (Popović 2015, 2017) as sacrebleu; percentile bootstrap over items"),
            Self::Ter(_) => ("ter", "TER (Snover et al. 2006) as sacrebleu; percentile bootstrap over items"),
            Self::Rouge(_) => ("rouge", "ROUGE F (Lin 2004) as rouge-score; percentile bootstrap over items"),
            Self::Squad(_) => ("squad", "exact match and token F1 (Rajpurkar et al. 2016)"),
            Self::Levenshtein(_) => ("levenshtein", "edit distance in code points (Levenshtein 1966)"),
            Self::GroupSequential(_) => ("group-sequential", "group-sequential boundary"),
            Self::ConfidenceSequence(_) => {
                ("confidence-sequence", "hedged-capital betting (Waudby-Smith & Ramdas 2023)")
            }
        }
    }
}

pub(super) fn run(args: &StatsArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let (name, method) = args.calculator.about();
    if let Calculator::Ab(ab) = &args.calculator {
        return super::ab::run(ab, global, output);
    }
    finish("evalgauge.stats/1", name, method, calculate(args, global), output)
}

/// The seed of whatever draws: the flag's, the project's, 7.
pub(super) fn seed_of(global: &Global) -> Found<u64> {
    match global.seed {
        Some(seed) => Ok(seed),
        None => Ok(Project::open(global.config.as_deref()).map_err(Failure::from)?.config.seed),
    }
}

/// Prints a result, or why there is none: exit 2, with the reason in the object.
pub(super) fn finish(
    schema: &'static str,
    name: &str,
    method: &str,
    found: Found<Sheet>,
    output: &Output,
) -> Result<Exit, Failure> {
    match found {
        Ok(sheet) => {
            sheet.named(schema, name, method).print(output)?;
            Ok(Exit::Pass)
        }
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Refused(reason)) => {
            super::output::complain(&format!("error: {name}: {reason}"));
            if output.format() == OutputFormat::Json {
                output.result(&sheet::refusal_text(schema, name, method, Exit::Input.code(), &reason)?)?;
            }
            Ok(Exit::Input)
        }
    }
}

fn calculate(args: &StatsArgs, global: &Global) -> Found<Sheet> {
    let alpha = alpha_of(args.alpha)?;
    let seed = || seed_of(global);
    match &args.calculator {
        Calculator::Kappa(args) => agreement::kappa(args, alpha),
        Calculator::Fleiss(args) => agreement::fleiss(args, alpha),
        Calculator::Alpha(args) => agreement::alpha(args, alpha),
        Calculator::Ac1(args) => agreement::gwet(args, alpha),
        Calculator::Wilson(args) => proportions::wilson(args, alpha),
        Calculator::Proportion(args) => proportions::proportion(args, alpha),
        Calculator::Newcombe(args) => proportions::newcombe(args, alpha),
        Calculator::Mcnemar(args) => proportions::mcnemar(args, alpha),
        Calculator::CochranQ(args) => proportions::cochran(args, alpha),
        Calculator::Mean(args) => means::mean(args, alpha, seed()?),
        Calculator::Trials(args) => means::trials(args),
        Calculator::Noise(args) => means::noise(args),
        Calculator::Passk(args) => means::passk(args, alpha, seed()?),
        Calculator::Ece(args) => calibration::ece(args, alpha, seed()?),
        Calculator::Recalibrate(args) => calibration::recalibrate(args),
        Calculator::Correlate(args) => correlation::correlate(args, alpha),
        Calculator::Holm(args) => multiplicity::adjusted(args, Adjustment::Holm, alpha),
        Calculator::Hochberg(args) => multiplicity::adjusted(args, Adjustment::Hochberg, alpha),
        Calculator::Hommel(args) => multiplicity::adjusted(args, Adjustment::Hommel, alpha),
        Calculator::Bh(args) => multiplicity::adjusted(args, Adjustment::BenjaminiHochberg, alpha),
        Calculator::By(args) => multiplicity::adjusted(args, Adjustment::BenjaminiYekutieli, alpha),
        Calculator::Bonferroni(args) => multiplicity::adjusted(args, Adjustment::Bonferroni, alpha),
        Calculator::Sidak(args) => multiplicity::adjusted(args, Adjustment::Sidak, alpha),
        Calculator::HolmSidak(args) => multiplicity::adjusted(args, Adjustment::HolmSidak, alpha),
        Calculator::Power(args) => power::plan(args, alpha),
        Calculator::Ab(_) => usage("`evalgauge ab` does this"),
        Calculator::TTest { samples, paired } => samples::t_test(samples, *paired, alpha, seed()?),
        Calculator::MannWhitney(args) => samples::rank_sum(args),
        Calculator::Wilcoxon(args) => samples::signed_rank(args),
        Calculator::Permutation { samples, draws } => samples::permutation(samples, *draws, seed()?),
        Calculator::Ks(args) => samples::kolmogorov(args),
        Calculator::Drift(args) => samples::drift(args),
        Calculator::BradleyTerry(args) => ranking::strengths(args),
        Calculator::Elo(args) => ranking::ratings(args),
        Calculator::WinRate(args) => ranking::wins(args, alpha),
        Calculator::JudgeCorrected(args) => judge::corrected(args, alpha, seed()?),
        Calculator::AltTest(args) => judge::alternative(args, alpha),
        Calculator::Classification(args) => classification::report(args, alpha),
        Calculator::Retrieval(args) => classification::retrieval(args, alpha),
        Calculator::Bleu(args) => text::bleu(args, alpha, seed()?),
        Calculator::Chrf(args) => text::chrf(args, alpha, seed()?),
        Calculator::Ter(args) => text::ter(args, alpha, seed()?),
        Calculator::Rouge(args) => text::rouge(args, alpha, seed()?),
        Calculator::Squad(args) => text::answers(args, alpha, seed()?),
        Calculator::Levenshtein(args) => text::edits(args, alpha, seed()?),
        Calculator::GroupSequential(args) => sequential::looks(args, alpha),
        Calculator::ConfidenceSequence(args) => sequential::sequence(args, alpha),
    }
}
