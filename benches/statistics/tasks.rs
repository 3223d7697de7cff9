//! What is measured: the functions that the program calls, on data of a stated size.

use std::fmt;

use evalgauge::compare::{CompareOptions, IntervalMethod, SliceKeys, Tolerances, compare};
use evalgauge::gate::{GatePolicy, Given, decide};
use evalgauge::stats::Alpha;
use evalgauge::stats::bootstrap::{Resampling, mean_acceleration, mean_replicates};
use evalgauge::stats::kappa::{RatingTable, Weighting, cohen_kappa};
use evalgauge::stats::nonparametric::paired_permutation;
use evalgauge::stats::text::{BleuOptions, BleuScorer, BleuStatistics, RougeMeans, RougeScorer};

use crate::{Size, data};

const SEED: u64 = 1;
const DRAWS: usize = 10_000;

/// A task with its data made; gives the numbers that it found.
pub type Prepared = Box<dyn Fn() -> Vec<f64> + Send + Sync>;

/// Something to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    PercentileContinuous,
    PercentileFewValued,
    Bca,
    Permutation,
    Gate,
    Bleu,
    Rouge,
    Kappa,
}

/// How quick a task should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most so many seconds of processor time on all threads.
    Cpu(f64),
    /// At most so many seconds by the clock on all threads.
    Time(f64),
    /// So many times quicker than the reference, in processor time.
    Ratio(f64),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Task {
    pub const ALL: [Self; 8] = [
        Self::PercentileContinuous,
        Self::PercentileFewValued,
        Self::Bca,
        Self::Permutation,
        Self::Gate,
        Self::Bleu,
        Self::Rouge,
        Self::Kappa,
    ];

    /// The name on the command line, here and in the script of the references.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PercentileContinuous => "percentile-continuous",
            Self::PercentileFewValued => "percentile-few-valued",
            Self::Bca => "bca",
            Self::Permutation => "permutation",
            Self::Gate => "gate",
            Self::Bleu => "bleu",
            Self::Rouge => "rouge",
            Self::Kappa => "kappa",
        }
    }

    /// What it does, for a reader of the table.
    pub const fn what(self) -> &'static str {
        match self {
            Self::PercentileContinuous => "percentile bootstrap of a mean, continuous scores, n = 10,000, B = 10,000",
            Self::PercentileFewValued => "percentile bootstrap of a mean, grades 0–3, n = 10,000, B = 10,000",
            Self::Bca => "BCa bootstrap of a mean, continuous scores, n = 100,000, B = 10,000",
            Self::Permutation => "paired permutation test, n = 10,000, B = 10,000",
            Self::Gate => "compare and gate: 2,000 examples × 3 trials × 5 metrics × 30 slices, B = 10,000",
            Self::Bleu => "BLEU, 10,000 pairs",
            Self::Rouge => "ROUGE-1, -2, -L, -Lsum, 10,000 pairs",
            Self::Kappa => "Cohen's κ, 1,000,000 labels of each rater",
        }
    }

    pub const fn target(self) -> Target {
        match self {
            Self::PercentileContinuous => Target::Cpu(0.060),
            Self::PercentileFewValued => Target::Cpu(0.002),
            Self::Bca => Target::Time(1.0),
            Self::Permutation => Target::Time(0.100),
            Self::Gate => Target::Time(0.300),
            Self::Bleu | Self::Rouge => Target::Ratio(10.0),
            Self::Kappa => Target::Time(0.020),
        }
    }

    /// What the script of the references has for it.
    pub const fn reference(self) -> Option<&'static str> {
        match self {
            Self::PercentileContinuous | Self::PercentileFewValued | Self::Bca | Self::Permutation => Some("SciPy"),
            Self::Gate => None,
            Self::Bleu => Some("sacrebleu"),
            Self::Rouge => Some("rouge-score"),
            Self::Kappa => Some("scikit-learn"),
        }
    }

    pub fn prepare(self, size: Size) -> Prepared {
        match self {
            Self::PercentileContinuous => percentile(data::continuous(size.of(10_000))),
            Self::PercentileFewValued => percentile(data::grades(size.of(10_000))),
            Self::Bca => {
                let values = data::continuous(size.of(100_000));
                Box::new(move || {
                    let replicates = mean_replicates(&values, Resampling::seeded(SEED)).unwrap();
                    let acceleration = mean_acceleration(&values).unwrap();
                    let interval = replicates.bca(Alpha::FIVE_PERCENT, acceleration).unwrap().interval;
                    [&[interval.low, interval.high], replicates.sorted()].concat()
                })
            }
            Self::Permutation => {
                let differences = data::differences(size.of(10_000));
                Box::new(move || {
                    let test = paired_permutation(&differences, DRAWS as u64, SEED).unwrap();
                    vec![test.mean_difference, test.p]
                })
            }
            Self::Gate => gate(size.of(2_000).max(200)),
            Self::Bleu => {
                let (hypotheses, references) = data::texts(size.of(10_000));
                Box::new(move || {
                    let options = BleuOptions::default();
                    let counts = BleuScorer::new(options).corpus(&hypotheses, &references).unwrap();
                    let score = counts.iter().sum::<BleuStatistics>().score(&options).unwrap();
                    [&[score.score][..], &score.precisions].concat()
                })
            }
            Self::Rouge => {
                let (hypotheses, references) = data::texts(size.of(10_000));
                Box::new(move || {
                    let counts = RougeScorer::new(false).corpus(&hypotheses, &references).unwrap();
                    let means = RougeMeans::of(&counts).unwrap();
                    vec![means.rouge1, means.rouge2, means.rouge_l, means.rouge_l_sum]
                })
            }
            Self::Kappa => {
                let (first, second) = data::labels(size.of(1_000_000));
                Box::new(move || {
                    let table = RatingTable::from_codes(&first, &second, data::LABELS as usize).unwrap();
                    let found = cohen_kappa(&table, Weighting::Unweighted, Alpha::FIVE_PERCENT);
                    vec![found.kappa, found.se.unwrap()]
                })
            }
        }
    }
}

fn percentile(values: Vec<f64>) -> Prepared {
    Box::new(move || {
        let replicates = mean_replicates(&values, Resampling::seeded(SEED)).unwrap();
        let interval = replicates.percentile(Alpha::FIVE_PERCENT).unwrap();
        [&[interval.low, interval.high], replicates.sorted()].concat()
    })
}

fn gate(examples: usize) -> Prepared {
    let [baseline, head] = [false, true].map(|head| data::side(examples, head));
    let options = CompareOptions {
        slices: SliceKeys::default(),
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: Tolerances::default(),
        watched: Vec::new(),
        seed: SEED,
    };
    Box::new(move || {
        let comparison = compare(&baseline, &head, &options).unwrap();
        let verdict = decide(&comparison, &GatePolicy::default(), &Given::on("2026-11-21")).unwrap();
        assert_eq!((verdict.cells.len(), verdict.draws as usize), (data::METRICS * (1 + data::SLICES), DRAWS));
        let numbers =
            |cell: &evalgauge::gate::Cell| [cell.p, cell.p_adjusted, cell.lower].map(Option::unwrap_or_default);
        verdict.cells.iter().flat_map(numbers).collect()
    })
}

/// Stops where one thread and all threads do not find the same numbers, to the last bit.
pub fn assert_same_bits(task: Task, all: &[f64], one: &[f64]) {
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    assert!(bits(all) == bits(one), "{task}: one thread and all threads differ");
}
