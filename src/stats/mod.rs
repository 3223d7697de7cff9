//! Estimates, intervals and tests: pure functions on slices of numbers.
//!
//! Nothing here reads a file, a clock or an unseeded generator. Functions that draw take their seed as an argument and
//! give the same bits on any number of threads. Too little data is an error ([`StatError`]), never NaN or an interval
//! of zero width. `docs/statistics.md` and its pages say which method is the default where, and why.
//!
//! | family | module |
//! | --- | --- |
//! | pass rate; difference of two on different items | [`proportion`] |
//! | pass rates on the same items (`McNemar`, Tango), Cochran's Q | [`paired`] |
//! | mean score: t, clustered (CR1), paired, several trials | [`mean`]; streamed by block: [`BlockMoments`] |
//! | bootstrap: percentile, basic, BCa, studentized, by cluster | [`bootstrap`]; without drawing: [`bootstrap_ideal`] |
//! | the gate's family of cells: sign flips; permuted trial labels; their step-down | [`sign_flip`], [`trial_permutation`], [`step_down`] |
//! | adjusted p-values | [`multiplicity`] |
//! | t tests, standardised differences, Hodges–Lehmann | [`location`] |
//! | signs, ranks, permutations, Kolmogorov–Smirnov | [`nonparametric`] |
//! | two raters: κ, π | [`kappa`] |
//! | any number of raters: Fleiss, Gwet, Krippendorff | [`ratings`] (the data), [`multirater`], [`alpha`] |
//! | scores against scores: Pearson, Spearman, Kendall | [`correlation`] |
//! | a judge in place of humans: corrected rate, prediction-powered mean, annotator test | [`judge_bias`], [`ppi`], [`alt_test`] |
//! | predicted labels against true ones | [`classification`] |
//! | macro-F1, calibration error, AUC, … of two sides: bootstrap, exchanged sides | [`corpus`] |
//! | stated probabilities: calibration; Brier, log loss, AUC; temperature, Platt, isotonic | [`calibration`], [`probability_scores`], [`recalibration`] |
//! | repeated attempts: pass@k, pass^k | [`pass_at_k`] |
//! | ranked lists: nDCG, MAP, MRR | [`retrieval`] |
//! | texts against references: BLEU, chrF, TER, ROUGE, `SQuAD`, edit distance | [`text`] |
//! | preferences: Bradley–Terry, Elo, win rate | [`ranking`] |
//! | how many items: rates, pairs, trials; t tests | [`power`], [`t_power`] |
//! | looking early: group-sequential, mSPRT; confidence sequences | [`sequential`], [`confidence_sequence`] |
//! | online variants: sample ratio, z test, posterior | [`ab`] |
//! | runs of an unchanged system: flicker, drift of whole runs | [`run_noise`] |
//! | a quantile with bounds for every distribution | [`quantile`] |
//! | drift of a distribution: PSI, KL, χ², Wasserstein | [`drift`] |
//! | distribution functions; seeded streams | [`special`], [`noncentral_t`], [`rng`] |
//!
//! Shared and private: `p_value` (the range of a p), `order` (ranks, quantiles), `replicates` and `resample` (how a
//! bootstrap is drawn and read), `binomial` (draws), `lattice` (exact sums), `quadrature`.

pub mod ab;
pub mod alpha;
pub mod alt_test;
mod binomial;
mod blocks;
pub mod bootstrap;
pub mod bootstrap_ideal;
pub mod calibration;
pub mod classification;
pub mod confidence_sequence;
pub mod corpus;
pub mod correlation;
pub mod drift;
mod error;
mod interval;
pub mod judge_bias;
pub mod kappa;
mod lattice;
pub mod location;
pub mod mean;
pub mod multiplicity;
pub mod multirater;
pub mod noncentral_t;
pub mod nonparametric;
mod order;
mod p_value;
pub mod paired;
pub mod pass_at_k;
pub mod power;
pub mod ppi;
pub mod probability_scores;
pub mod proportion;
mod quadrature;
pub mod quantile;
pub mod ranking;
pub mod ratings;
pub mod recalibration;
mod replicates;
mod resample;
pub mod retrieval;
pub mod rng;
pub mod run_noise;
pub mod sequential;
pub mod sign_flip;
pub mod special;
pub mod step_down;
pub mod t_power;
pub mod text;
pub mod trial_permutation;

pub use blocks::BlockMoments;
pub use error::{
    Result, StatError, all_finite, all_in_unit_interval, at_least, finite_sample, in_unit_interval, positive,
    same_length,
};
pub use interval::{Alpha, Interval};
pub use lattice::proportional_integers;
