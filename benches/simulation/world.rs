//! The systems that are simulated: an eval set with slices, and runs of it before and after a change.

use evalgauge::compare::{Identity, Labels, MetricValues, Scored, Side};
use evalgauge::score::Scale;
use evalgauge::stats::rng::{Stream, index_below, uniform};
use evalgauge::stats::special::{beta_quantile, normal_cdf, normal_quantile};
use evalgauge::table::Text;

/// The share of examples that pass when nothing is said.
pub const PASS_RATE: f64 = 0.75;

/// How a system's chance to pass differs from example to example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Difficulty {
    /// Every example passes with the same probability.
    Homogeneous,
    /// Beta-distributed with a + b = .8: most examples pass or fail nearly always, some flicker (two runs disagree on 16 %).
    /// The hard tenth passes half of the time.
    Mixed,
}

/// What a score looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// 0 or 1.
    Binary,
    /// 0 to 3: three independent chances.
    Graded,
    /// A score without a limit that stays where it is unless the change moves it.
    Steady,
}

/// Where a change acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// The first of five intents.
    Intent,
    /// `difficulty=hard`, a tenth.
    Hard,
    /// `tier=small`, 6 %.
    Small,
    /// Everywhere.
    All,
}

/// What the change does to the system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// A share of the answers of a deterministic system changes, as often for better as for worse.
    Churn(f64),
    /// Every example of a place loses the same number of points as far as it has them, `points` on average. All other
    /// examples gain `rise` on average, by losing the same share of their failures.
    Fall { place: Place, points: f64, rise: f64 },
    /// A deterministic system for which examples break for good: `points` of the rate.
    Break(f64),
    /// [`Score::Steady`]: `share` of the examples move by `by`, the others by `otherwise`.
    Move { share: f64, by: f64, otherwise: f64 },
    /// The head's scores of passes go missing: a fault of the instrument that depends on the answer.
    LosesPasses(f64),
}

/// Which slices the set has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slicing {
    /// Five intents, three difficulties, two tiers: with `overall` eleven cells.
    Standard,
    /// Three labels of twenty values each: sixty slices that overlap.
    Tiny,
    /// None: `overall` alone.
    None,
}

/// Examples that stand or fall together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Groups {
    /// Examples a group.
    pub size: usize,
    /// Whether the tool is told.
    pub told: bool,
}

/// One simulated situation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    pub n: usize,
    /// Trials of baseline and head.
    pub trials: (usize, usize),
    pub difficulty: Difficulty,
    pub score: Score,
    pub change: Change,
    pub slicing: Slicing,
    pub groups: Option<Groups>,
    pub metrics: usize,
    /// The share of scores that are missing on both sides.
    pub unscored: f64,
    /// The share of calls that fail on both sides, and count as failures.
    pub failed: f64,
    /// Standard deviation of the pass rate of a whole run.
    pub wobble: f64,
    /// One margin for every cell; the standard ones when absent.
    pub margin: Option<f64>,
    /// `require.unscored.max`.
    pub unscored_max: f64,
    /// `tolerance`.
    pub tolerance: f64,
    /// `overall_share`.
    pub overall_share: f64,
}

impl Case {
    /// 500 examples, 0/1 scores, one trial, mixed difficulty, eleven cells, nothing changed.
    pub const STANDARD: Self = Self {
        n: 500,
        trials: (1, 1),
        difficulty: Difficulty::Mixed,
        score: Score::Binary,
        change: Change::Nothing,
        slicing: Slicing::Standard,
        groups: None,
        metrics: 1,
        unscored: 0.0,
        failed: 0.0,
        wobble: 0.0,
        margin: None,
        unscored_max: 0.01,
        tolerance: 0.0,
        overall_share: evalgauge::gate::OVERALL_SHARE,
    };

    pub const fn scale(&self) -> Scale {
        match self.score {
            Score::Graded => Scale { low: 0.0, high: 3.0, higher_is_better: true },
            Score::Binary | Score::Steady => Scale::UNIT,
        }
    }
}

/// Rates drawn from a Beta distribution by inversion on a fine grid: quick, and the same on every platform.
struct Rates {
    most: Vec<f64>,
    hard: Vec<f64>,
}

const HARD_RATE: f64 = 0.5;
const HARD_SHARE: f64 = 0.1;
const BETA_TOTAL: f64 = 0.8;
const MOST_RATE: f64 = (PASS_RATE - HARD_SHARE * HARD_RATE) / (1.0 - HARD_SHARE);

impl Rates {
    fn get() -> &'static Self {
        static RATES: std::sync::OnceLock<Rates> = std::sync::OnceLock::new();
        RATES.get_or_init(|| Self { most: beta_grid(MOST_RATE), hard: beta_grid(HARD_RATE) })
    }
}

/// How much every example of a place has to lose, of what it has, for the place to lose `points` on average.
fn loss(case: &Case, place: Place, points: f64) -> f64 {
    if case.difficulty == Difficulty::Homogeneous {
        return points;
    }
    let rates = Rates::get();
    let mean_loss = |grid: &[f64], loss: f64| grid.iter().map(|rate| rate.min(loss)).sum::<f64>() / grid.len() as f64;
    let hard = if place == Place::Hard { 1.0 } else { HARD_SHARE };
    let (mut low, mut high) = (points, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if hard * mean_loss(&rates.hard, middle) + (1.0 - hard) * mean_loss(&rates.most, middle) < points {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Quantiles of Beta(m·t, (1 − m)·t), scaled so that the grid has exactly the mean asked for.
fn beta_grid(mean: f64) -> Vec<f64> {
    const CELLS: usize = 2_000;
    let grid: Vec<f64> = (0..CELLS)
        .map(|cell| beta_quantile((cell as f64 + 0.5) / CELLS as f64, BETA_TOTAL * mean, BETA_TOTAL * (1.0 - mean)))
        .collect();
    let factor = mean / (grid.iter().sum::<f64>() / CELLS as f64);
    grid.into_iter().map(|rate| (rate * factor).min(1.0)).collect()
}

/// An eval set and a system before and after a change.
pub struct World {
    case: Case,
    ids: Vec<String>,
    labels: Vec<Labels>,
    groups: Option<Vec<u32>>,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl World {
    pub fn draw(case: &Case, rng: &mut Stream) -> Self {
        let n = case.n;
        let group_size = case.groups.map_or(1, |groups| groups.size);
        let group_of: Vec<u32> = (0..n).map(|i| (i / group_size) as u32).collect();
        // A conversation has one intent; everything else is dealt out among the examples.
        let intents = shuffled(n.div_ceil(group_size), rng);
        let intent: Vec<u32> = group_of.iter().map(|&group| intents[group as usize] % 5).collect();
        let dealt = shuffled(n, rng);
        let rank = |i: usize| (f64::from(dealt[i]) + 0.5) / n as f64;
        let hard: Vec<bool> = (0..n).map(|i| rank(i) < HARD_SHARE).collect();
        let dealt_again = shuffled(n, rng);
        let small: Vec<bool> = (0..n).map(|i| (f64::from(dealt_again[i]) + 0.5) / (n as f64) < 0.06).collect();

        let labels = match case.slicing {
            Slicing::None => Vec::new(),
            Slicing::Standard => vec![
                column("intent", &["i1", "i2", "i3", "i4", "i5"], intent.iter().map(|&code| Some(code))),
                column(
                    "difficulty",
                    &["easy", "hard", "medium"],
                    (0..n).map(|i| Some(if hard[i] { 1 } else { 2 * u32::from(rank(i) < 0.55) })),
                ),
                column("tier", &["main", "small"], small.iter().map(|&small| Some(u32::from(small)))),
            ],
            Slicing::Tiny => ["a", "b", "c"]
                .into_iter()
                .map(|key| {
                    let names: Vec<String> = (0..20).map(|value| format!("v{value:02}")).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let codes = shuffled(n, rng);
                    column(key, &names, codes.into_iter().map(|code| Some(code % 20)))
                })
                .collect(),
        };
        let before: Vec<f64> = (0..n).map(|i| rate(case, hard[i], rng)).collect();
        let inside = |i: usize, place| match place {
            Place::Intent => intent[i] == 0,
            Place::Hard => hard[i],
            Place::Small => small[i],
            Place::All => true,
        };
        let lost = if let Change::Fall { place, points, .. } = case.change { loss(case, place, points) } else { 0.0 };
        let after = (0..n).map(|i| changed(case, before[i], lost, |place| inside(i, place), rng)).collect();
        Self {
            case: *case,
            ids: (0..n).map(|i| format!("e{i:05}")).collect(),
            labels,
            groups: case.groups.map(|_| group_of),
            before,
            after,
        }
    }

    /// A run of the system before the change, as the baseline.
    pub fn baseline(&self, rng: &mut Stream) -> Side {
        self.run(&self.before, self.case.trials.0, 0.0, rng)
    }

    /// A run of the system after the change, as the head.
    pub fn head(&self, rng: &mut Stream) -> Side {
        let lost = if let Change::LosesPasses(share) = self.case.change { share } else { 0.0 };
        self.run(&self.after, self.case.trials.1, lost, rng)
    }

    fn run(&self, rates: &[f64], trials: usize, lost_passes: f64, rng: &mut Stream) -> Side {
        let case = &self.case;
        let scale = case.scale();
        let flicker = rates.iter().map(|p| p * (1.0 - p)).sum::<f64>() / rates.len() as f64;
        let wobble = if case.wobble > 0.0 { case.wobble * normal(rng) / flicker } else { 0.0 };
        let shared = self.groups.as_ref().map(|groups| {
            let count = groups.last().map_or(0, |&last| last as usize + 1);
            (0..count * trials).map(|_| normal(rng)).collect::<Vec<f64>>()
        });
        let mut metrics: Vec<MetricValues> =
            (0..case.metrics).map(|m| MetricValues::new(format!("m{m}"), scale, case.score == Score::Binary)).collect();
        let mut values = vec![Vec::with_capacity(trials); case.metrics];
        for (i, &rate) in rates.iter().enumerate() {
            let rate = if wobble == 0.0 { rate } else { (rate + wobble * rate * (1.0 - rate)).clamp(0.0, 1.0) };
            for trial in 0..trials {
                let of_group =
                    self.groups.as_ref().zip(shared.as_ref()).map(|(g, z)| z[g[i] as usize * trials + trial]);
                let of_example = (case.metrics > 1).then(|| normal(rng));
                for values in &mut values {
                    let value = if case.failed > 0.0 && uniform(rng) < case.failed {
                        scale.worst()
                    } else {
                        self.value(rate, of_group, of_example, rng)
                    };
                    let lost = case.unscored > 0.0 && uniform(rng) < case.unscored
                        || lost_passes > 0.0 && value == 1.0 && uniform(rng) < lost_passes;
                    values.push((!lost).then_some(Scored { value, passed: value == scale.high }));
                }
            }
            for (metric, values) in metrics.iter_mut().zip(&mut values) {
                metric.push(values.drain(..));
            }
        }
        self.side(metrics)
    }

    /// One score. Examples of one group, and metrics of one answer, share half of their noise.
    fn value(&self, rate: f64, of_group: Option<f64>, of_example: Option<f64>, rng: &mut Stream) -> f64 {
        const SHARED: f64 = 0.5;
        match self.case.score {
            Score::Steady => rate,
            Score::Graded => (0..3).map(|_| f64::from(u8::from(uniform(rng) < rate))).sum(),
            Score::Binary => {
                let noise = match of_group.or(of_example) {
                    None => uniform(rng),
                    Some(shared) => normal_cdf(SHARED.sqrt().mul_add(shared, (1.0 - SHARED).sqrt() * normal(rng))),
                };
                f64::from(u8::from(noise < rate))
            }
        }
    }

    fn side(&self, metrics: Vec<MetricValues>) -> Side {
        let told = self.case.groups.is_some_and(|groups| groups.told);
        let groups = self.groups.as_ref().filter(|_| told);
        Side {
            identity: Identity {
                name: "simulated".to_owned(),
                source: "simulated".to_owned(),
                sha256: String::new(),
                candidate: None,
                git_revision: None,
                pins: None,
                complete: true,
            },
            ids: self.ids.iter().map(String::as_str).collect::<Text>(),
            groups: groups.map(|groups| groups.iter().map(|group| Some(format!("g{group}"))).collect()),
            labels: self.labels.clone(),
            metrics,
            answers: None,
            inputs: None,
            judges: Vec::new(),
            judged_scores: Vec::new(),
            measured: Vec::new(),
        }
    }
}

fn column(key: &str, names: &[&str], codes: impl Iterator<Item = Option<u32>>) -> Labels {
    let mut labels = Labels::new(key);
    labels.names = names.iter().map(|&name| name.to_owned()).collect();
    codes.for_each(|code| labels.push(code));
    labels
}

/// The numbers below `n` in random order (Fisher–Yates).
fn shuffled(n: usize, rng: &mut Stream) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for last in (1..n).rev() {
        order.swap(last, index_below(last + 1, rng));
    }
    order
}

pub fn normal(rng: &mut Stream) -> f64 {
    // The middle of the grid cell: never 0, whose quantile is infinite.
    normal_quantile(uniform(rng) + 2.0_f64.powi(-54))
}

fn rate(case: &Case, hard: bool, rng: &mut Stream) -> f64 {
    if case.score == Score::Steady {
        return 0.5;
    }
    if matches!(case.change, Change::Churn(_) | Change::Break(_)) {
        return f64::from(u8::from(uniform(rng) < PASS_RATE));
    }
    let grid = |grid: &[f64], rng: &mut Stream| grid[index_below(grid.len(), rng)];
    match case.difficulty {
        Difficulty::Homogeneous => PASS_RATE,
        Difficulty::Mixed if hard => grid(&Rates::get().hard, rng),
        Difficulty::Mixed => grid(&Rates::get().most, rng),
    }
}

/// The rate of an example after the change.
fn changed(case: &Case, before: f64, lost: f64, inside: impl Fn(Place) -> bool, rng: &mut Stream) -> f64 {
    match case.change {
        Change::Nothing | Change::LosesPasses(_) => before,
        Change::Churn(share) => {
            let passes = before == 1.0;
            let change = 0.5 * share / if passes { PASS_RATE } else { 1.0 - PASS_RATE };
            if uniform(rng) < change { 1.0 - before } else { before }
        }
        Change::Break(points) => {
            if uniform(rng) < points / PASS_RATE {
                0.0
            } else {
                before
            }
        }
        Change::Move { share, by, otherwise } => before + if uniform(rng) < share { by } else { otherwise },
        Change::Fall { place, rise, .. } => {
            if inside(place) {
                (before - lost).max(0.0)
            } else {
                before + (1.0 - before) * rise / (1.0 - PASS_RATE)
            }
        }
    }
}
