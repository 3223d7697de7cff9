//! How often the intervals that are printed hold the truth. For 0/1 scores every outcome is weighed with its probability:
//! those tables have no simulation error. An interval that is refused (no width) counts as one that misses.

use evalgauge::stats::bootstrap::{Resampling, mean_replicates, studentized_mean};
use evalgauge::stats::mean::t_interval;
use evalgauge::stats::paired::PairedTable;
use evalgauge::stats::proportion::Proportion;
use evalgauge::stats::rng::{Stream, uniform};
use evalgauge::stats::special::ln_choose;
use evalgauge::stats::{Alpha, BlockMoments, Interval};
use rayon::prelude::*;

use crate::settings::{Rate, Settings, Table, each, seed_of};
use crate::world::normal;

const FIVE: Alpha = Alpha::FIVE_PERCENT;
const SIZES: [u64; 5] = [10, 20, 50, 200, 1_000];
const HEADS: [&str; 6] = ["interval", "n = 10", "20", "50", "200", "1,000"];
/// Outcomes less probable than this are left out; their total is added to what misses.
const NEGLIGIBLE: f64 = 1e-7;

const fn resampling(seed: u64) -> Resampling {
    Resampling { replicates: 2_000, seed }
}

type Bootstrap = fn(&[f64], Resampling) -> Option<Interval>;
const BOOTSTRAPS: [(&str, Bootstrap); 3] = [
    ("percentile bootstrap", |values, resampling| mean_replicates(values, resampling).ok()?.percentile(FIVE).ok()),
    ("BCa", |values, resampling| {
        let a = evalgauge::stats::bootstrap::mean_acceleration(values).ok()?;
        Some(mean_replicates(values, resampling).ok()?.bca(FIVE, a).ok()?.interval)
    }),
    ("studentized bootstrap", |values, resampling| Some(studentized_mean(values, resampling, FIVE).ok()?.interval)),
];

fn sizes(settings: &Settings) -> usize {
    if settings.quick { 2 } else { SIZES.len() }
}

fn slashed(shares: impl Iterator<Item = f64>) -> String {
    shares.map(|share| format!("{:.1}", 100.0 * share)).collect::<Vec<_>>().join(" / ")
}

type OfRate = fn(Proportion) -> Option<Interval>;

/// Intervals of one pass rate.
pub fn rates(settings: &Settings) -> Table {
    const TRUTHS: [f64; 5] = [0.01, 0.1, 0.5, 0.9, 0.99];
    let mut table = Table::new("Coverage: a pass rate", &HEADS).say(
        "Nominal 95 %, exact (every count weighed with its probability), at true rates of .01 / .1 / .5 / .9 / .99. Bootstraps \
         with 2,000 resamples.",
    );
    let closed: [(&str, OfRate); 4] = [
        ("Wilson", |share| Some(share.wilson(FIVE))),
        ("Clopper–Pearson", |share| Some(share.clopper_pearson(FIVE))),
        ("Wald", |share| share.wald(FIVE).ok()),
        ("t", |share| t_interval(&zeros_and_ones(share), FIVE).ok()),
    ];
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    let mut add = |name: &'static str, interval: &(dyn Fn(Proportion) -> Option<Interval> + Sync)| {
        if settings.wants(&format!("coverage/rate/{name}")) {
            let columns = SIZES[..sizes(settings)].iter().map(|&n| {
                let intervals: Vec<Option<Interval>> = (0..=n)
                    .into_par_iter()
                    .map(|x| {
                        let likely = TRUTHS.iter().any(|&p| binomial(n, x, p) > NEGLIGIBLE);
                        Proportion::new(x, n).ok().filter(|_| likely).and_then(interval)
                    })
                    .collect();
                let covered = |p: f64| {
                    let holds = |x: u64| intervals[x as usize].is_some_and(|interval| interval.contains(p));
                    (0..=n).filter(|&x| holds(x)).map(|x| binomial(n, x, p)).sum::<f64>()
                };
                slashed(TRUTHS.iter().map(|&p| covered(p)))
            });
            rows.push((name, columns.collect()));
        }
    };
    for (name, interval) in &closed {
        add(name, interval);
    }
    for (name, interval) in BOOTSTRAPS {
        add(name, &|share: Proportion| interval(&zeros_and_ones(share), resampling(seed_of("coverage/rate"))));
    }
    fill(&mut table, rows);
    table
}

fn fill(table: &mut Table, rows: Vec<(&str, Vec<String>)>) {
    for (name, mut columns) in rows {
        columns.resize(SIZES.len(), "–".to_owned());
        table.row(std::iter::once(name.to_owned()).chain(columns).collect());
    }
}

fn zeros_and_ones(share: Proportion) -> Vec<f64> {
    (0..share.trials()).map(|i| f64::from(u8::from(i < share.successes()))).collect()
}

fn binomial(n: u64, x: u64, p: f64) -> f64 {
    let (n, x) = (n as f64, x as f64);
    (x.mul_add(p.ln(), (n - x) * (-p).ln_1p()) + ln_choose(n, x)).exp()
}

/// How often the baseline alone passes, and the head alone.
#[derive(Clone, Copy)]
struct Changes {
    losses: f64,
    gains: f64,
}

/// Outcomes of `n` pairs, losses and gains, with their probability.
fn outcomes(n: u64, changes: Changes) -> Vec<(u64, u64, f64)> {
    let Changes { losses, gains } = changes;
    let mut found = Vec::new();
    for lost in 0..=n {
        let first = binomial(n, lost, losses);
        if first < NEGLIGIBLE {
            continue;
        }
        for gained in 0..=n - lost {
            let probability = first * binomial(n - lost, gained, gains / (1.0 - losses));
            if probability > NEGLIGIBLE {
                found.push((lost, gained, probability));
            }
        }
    }
    found
}

type OfPairs = Box<dyn Fn(u64, u64, u64) -> Option<Interval> + Sync>;

/// Intervals of a difference of pass rates on the same examples.
pub fn differences(settings: &Settings) -> Table {
    const TRUTHS: [Changes; 5] = [
        Changes { losses: 0.005, gains: 0.005 },
        Changes { losses: 0.045, gains: 0.045 },
        Changes { losses: 0.15, gains: 0.10 },
        Changes { losses: 0.095, gains: 0.045 },
        Changes { losses: 0.025, gains: 0.005 },
    ];
    let mut table = Table::new("Coverage: a difference of pass rates, same examples", &HEADS).say(
        "Nominal 95 %, exact; pass rates of .01 → .01 / .10 → .10 / .50 → .45 / .90 → .85 / .99 → .97 with about half of the \
         disagreement of independent answers. Bootstraps with 2,000 resamples.",
    );
    let pairs = |n: u64, lost: u64, gained: u64| PairedTable::new(n - lost - gained, gained, lost, 0).ok();
    let moments = |n: u64, lost: u64, gained: u64| {
        let mut moments = BlockMoments::default();
        for change in changes_of(n, lost, gained) {
            moments.push(change, 1.0);
        }
        moments
    };
    let mut methods: Vec<(&str, OfPairs)> = vec![
        ("Tango", Box::new(move |n, l, g| Some(pairs(n, l, g)?.tango(FIVE)))),
        ("Newcombe", Box::new(move |n, l, g| Some(pairs(n, l, g)?.newcombe(FIVE)))),
        ("Wald", Box::new(move |n, l, g| Some(pairs(n, l, g)?.wald(FIVE).ok()?.interval))),
        ("t with a pseudo pair", Box::new(move |n, l, g| moments(n, l, g).with_pseudo_pair(1.0).t_interval(FIVE).ok())),
    ];
    for (name, interval) in BOOTSTRAPS {
        let drawn = resampling(seed_of("coverage/difference"));
        methods.push((name, Box::new(move |n, l, g| interval(&changes_of(n, l, g), drawn))));
    }
    let mut rows = Vec::new();
    for (name, interval) in &methods {
        if !settings.wants(&format!("coverage/difference/{name}")) {
            continue;
        }
        let columns = SIZES[..sizes(settings)].iter().map(|&n| {
            slashed(TRUTHS.iter().map(|&changes| {
                let truth = changes.gains - changes.losses;
                let covered: Vec<f64> = outcomes(n, changes)
                    .into_par_iter()
                    .map(|(lost, gained, probability)| {
                        let holds = interval(n, lost, gained).is_some_and(|interval| interval.contains(truth));
                        if holds { probability } else { 0.0 }
                    })
                    .collect();
                covered.iter().sum()
            }))
        });
        rows.push((*name, columns.collect()));
    }
    fill(&mut table, rows);
    table
}

fn changes_of(n: u64, lost: u64, gained: u64) -> Vec<f64> {
    (0..n).map(|i| if i < lost { -1.0 } else { f64::from(u8::from(i < lost + gained)) }).collect()
}

type OfValues = fn(&[f64], u64) -> Option<Interval>;

/// Intervals of a mean score.
pub fn means(settings: &Settings) -> Table {
    let mut table = Table::new("Coverage: a mean score", &HEADS).say(
        "Nominal 95 %, simulated (1,000 samples; standard error .7 at 95): grades 0 to 3 / a long tail (log-normal, σ = 1). \
         Bootstraps with 2,000 resamples.",
    );
    let methods: [(&str, OfValues); 4] = [
        ("t", |values, _| t_interval(values, FIVE).ok()),
        (BOOTSTRAPS[0].0, |values, seed| BOOTSTRAPS[0].1(values, resampling(seed))),
        (BOOTSTRAPS[1].0, |values, seed| BOOTSTRAPS[1].1(values, resampling(seed))),
        (BOOTSTRAPS[2].0, |values, seed| BOOTSTRAPS[2].1(values, resampling(seed))),
    ];
    let grade: fn(&mut Stream) -> f64 = |rng| (0..3).map(|_| f64::from(u8::from(uniform(rng) < 0.75))).sum();
    let long_tail: fn(&mut Stream) -> f64 = |rng| normal(rng).exp();
    let truths = [("grades", grade, 2.25), ("tail", long_tail, 0.5_f64.exp())];
    let mut rows = Vec::new();
    for (name, interval) in methods {
        if !settings.wants(&format!("coverage/mean/{name}")) {
            continue;
        }
        let columns = SIZES[..sizes(settings)].iter().map(|&n| {
            slashed(truths.iter().map(|&(what, draw, truth)| {
                // The samples are the same for every method.
                let covered = each(&format!("coverage/mean/{what}/n{n}"), settings.sims(1_000), |rng| {
                    let values: Vec<f64> = (0..n).map(|_| draw(rng)).collect();
                    interval(&values, 7).is_some_and(|interval| interval.contains(truth))
                });
                Rate::of(&covered, |&covered| covered).share
            }))
        });
        rows.push((name, columns.collect()));
    }
    fill(&mut table, rows);
    table
}
