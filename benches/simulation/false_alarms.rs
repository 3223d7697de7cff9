//! How often the gate fails, or a test inside it rejects, when quality did not fall.

use evalgauge::compare::{MetricValues, Side};
use evalgauge::stats::rng::Stream;

use crate::decision::Outcome;
use crate::settings::{Rate, Settings, Table, each};
use crate::world::{Case, Change, Difficulty, Groups, Place, Score, Slicing, World};

const ALPHA: f64 = 0.05;

/// Flickering systems of every size, with every number of trials.
pub fn flicker(settings: &Settings) -> Table {
    let mut table = Table::new(
        "Nothing changed: size and trials",
        &["difficulty", "n", "1 trial", "3 trials", "5 trials", "1 against 5", "simulations"],
    )
    .say(
        "Gates that failed / families in which a cell was rejected at all, whatever its margin: the second is what α \
         bounds. Per cent.",
    );
    for (difficulty, name) in [(Difficulty::Mixed, "mixed"), (Difficulty::Homogeneous, "homogeneous")] {
        for n in [50, 200, 500, 2_000] {
            let full = if n == 2_000 { 200 } else { 1_000 };
            let mut cells = vec![name.to_owned(), n.to_string()];
            let mut any = false;
            for trials in [(1, 1), (3, 3), (5, 5), (1, 5)] {
                let case = Case { n, trials, difficulty, ..Case::STANDARD };
                let row = format!("flicker/{name}/n{n}/k{}-{}", trials.0, trials.1);
                cells.push(settings.simulate(&row, &case, full).map_or_else(
                    || "–".to_owned(),
                    |outcomes| {
                        any = true;
                        let failed = Rate::of(&outcomes, |outcome| outcome.failed);
                        let rejected = Rate::of(&outcomes, |outcome| outcome.rejected);
                        let flag = if rejected.exceeds(ALPHA) { " **above**" } else { "" };
                        format!("{} / {}{flag}", failed.percent(), rejected.with_error())
                    },
                ));
            }
            cells.push(settings.sims(full).to_string());
            if any {
                table.row(cells);
            }
        }
    }
    table
}

struct Row {
    name: &'static str,
    what: &'static str,
    case: Case,
    full: usize,
    /// Whether the rule claims to hold α here.
    claimed: bool,
}

const fn row(name: &'static str, what: &'static str, case: Case) -> Row {
    Row { name, what, case, full: 1_000, claimed: true }
}

impl Row {
    /// A contrast: fewer simulations do.
    const fn not_claimed(self) -> Self {
        Self { claimed: false, full: 300, ..self }
    }

    /// A row that takes long.
    const fn heavy(self) -> Self {
        Self { full: 300, ..self }
    }
}

const TINY_LOSSES: Change = Change::Move { share: 0.1, by: 0.45, otherwise: -0.05 };

fn kinds() -> Vec<Row> {
    const S: Case = Case::STANDARD;
    const fn grouped(size: usize, told: bool) -> Case {
        Case { groups: Some(Groups { size, told }), ..S }
    }
    let mut rows = vec![
        row("nothing", "nothing changed", S),
        row("nothing-k3", "the same, three trials", Case { trials: (3, 3), ..S }),
        row("graded", "graded scores, 0 to 3", Case { score: Score::Graded, ..S }),
        row("graded-k3", "the same, three trials", Case { score: Score::Graded, trials: (3, 3), ..S }),
        row("graded-margin0", "the same, one trial, margins 0", Case { score: Score::Graded, margin: Some(0.0), ..S }),
    ];
    for (name, what, n) in [
        ("skewed-n50", "nine in ten lose 5 points, one in ten gains 45; margins 0; n = 50", 50),
        ("skewed-n200", "the same, n = 200", 200),
        ("skewed-n500", "the same, n = 500", 500),
    ] {
        rows.push(row(name, what, Case { n, score: Score::Steady, change: TINY_LOSSES, margin: Some(0.0), ..S }));
    }
    rows.extend([
        row(
            "skewed-standard",
            "the same, n = 500, standard margins",
            Case { score: Score::Steady, change: TINY_LOSSES, ..S },
        ),
        row("churn", "neutral churn: one answer in ten changes for good", Case { change: Change::Churn(0.1), ..S }),
        row("churn-k3", "the same, three trials", Case { change: Change::Churn(0.1), trials: (3, 3), ..S }),
        row("churn-k5", "the same, five trials", Case { change: Change::Churn(0.1), trials: (5, 5), ..S }),
        row("churn-k1-5", "the same, one trial against five", Case { change: Change::Churn(0.1), trials: (1, 5), ..S }),
        row("groups-5-k1-5", "groups of 5, one trial against five", Case { trials: (1, 5), ..grouped(5, true) }),
        row(
            "graded-k5-3",
            "graded scores, five trials against three",
            Case { score: Score::Graded, trials: (5, 3), ..S },
        ),
        row("metrics-5-k1-3", "five metrics, one trial against three", Case { metrics: 5, trials: (1, 3), ..S })
            .heavy(),
        row("tiny", "sixty overlapping slices of 25", Case { slicing: Slicing::Tiny, ..S }),
        row("tiny-k3", "the same, three trials", Case { slicing: Slicing::Tiny, trials: (3, 3), ..S }).heavy(),
        row("groups-2", "groups of 2 with shared noise, `group` given", grouped(2, true)),
        row("groups-5", "groups of 5", grouped(5, true)),
        row("groups-25", "groups of 25", grouped(25, true)),
        row("groups-5-k3", "groups of 5, three trials", Case { trials: (3, 3), ..grouped(5, true) }),
        row("ungrouped-2", "groups of 2, `group` not given", grouped(2, false)).not_claimed(),
        row("ungrouped-5", "groups of 5, `group` not given", grouped(5, false)).not_claimed(),
        row("ungrouped-25", "groups of 25, `group` not given", grouped(25, false)).not_claimed(),
        row("metrics-5", "five metrics that share half of their noise: 55 cells", Case { metrics: 5, ..S }),
        row("metrics-5-k3", "the same, three trials", Case { metrics: 5, trials: (3, 3), ..S }).heavy(),
        row(
            "unscored",
            "3 % of scores missing on both sides, 10 % allowed",
            Case { unscored: 0.03, unscored_max: 0.1, ..S },
        ),
        row("unscored-default", "the same, 1 % allowed (the default)", Case { unscored: 0.03, ..S }),
        row("failed-calls", "3 % of calls fail on both sides", Case { failed: 0.03, ..S }),
        row(
            "loses-passes",
            "a tenth of the head's passes goes unscored, 1 % allowed (the default)",
            Case { change: Change::LosesPasses(0.1), ..S },
        ),
        row(
            "loses-passes-allowed",
            "the same, 20 % allowed",
            Case { change: Change::LosesPasses(0.1), unscored_max: 0.2, ..S },
        )
        .not_claimed(),
        row("drift", "each run's rate wobbles by .8 points as a whole", Case { wobble: 0.008, ..S }).not_claimed(),
        Row {
            full: 300,
            ..row("drift-n2000", "the same, n = 2,000", Case { wobble: 0.008, n: 2_000, ..S }).not_claimed()
        },
        row(
            "drift-tolerated",
            "n = 500, wobble as before, `tolerance` = .0113: the drift's standard deviation between two runs",
            Case { wobble: 0.008, tolerance: 0.0113, ..S },
        ),
        row("drift-tolerated-n2000", "the same, n = 2,000", Case { wobble: 0.008, tolerance: 0.0113, n: 2_000, ..S })
            .heavy(),
        row("drift-k3", "the same, n = 500, three trials", Case { wobble: 0.008, trials: (3, 3), ..S }).not_claimed(),
    ]);
    rows
}

/// Everything else that may fool a gate, one row each.
pub fn others(settings: &Settings) -> Table {
    let mut table = Table::new(
        "Nothing fell: everything else that may fool a gate",
        &[
            "what",
            "gate fails",
            "without guard",
            "a cell rejected",
            "exit 4",
            "intervals of each cell",
            "tests of each cell",
            "5-point tolerance",
            "any drop",
            "held",
            "simulations",
        ],
    )
    .say(
        "n = 500, one trial, standard margins unless said. “A cell rejected” leaves out margins and guard. The next four \
         columns are rules in use elsewhere: a cell fell beyond its margin and its own 95 % interval excludes 0; a cell's own \
         one-sided p is at most 5 %; a cell fell by more than five points; `overall` fell at all. “Held”: at most 5 % of gates fail, within three \
         standard errors; “–”: the rule does not claim it.",
    );
    for Row { name, what, case, full, claimed } in kinds() {
        let Some(outcomes) = settings.simulate(name, &case, full) else { continue };
        let rate = |is: fn(&Outcome) -> bool| Rate::of(&outcomes, is);
        let failed = rate(|o| o.failed);
        table.row(vec![
            format!("{what} (`{name}`)"),
            failed.with_error(),
            rate(|o| o.unguarded).percent(),
            rate(|o| o.rejected).percent(),
            rate(|o| o.undecidable).percent(),
            rate(|o| o.uncorrected).percent(),
            rate(|o| o.single_tests).percent(),
            rate(|o| o.tolerance).percent(),
            rate(|o| o.any_drop).percent(),
            held(failed, claimed).to_owned(),
            outcomes.len().to_string(),
        ]);
    }
    table
}

fn held(failed: Rate, claimed: bool) -> &'static str {
    match (claimed, failed.exceeds(ALPHA)) {
        (false, _) => "–",
        (true, false) => "yes",
        (true, true) => "**no**",
    }
}

/// What happens when a gate is red.
#[derive(Clone, Copy, PartialEq)]
enum Again {
    /// It fails.
    No,
    /// Both sides are run once more, and only that counts.
    Fresh,
    /// Both sides are run once more, and all trials count.
    Pooled,
    /// The head is run again, up to twice: what people do by hand.
    UntilGreen,
}

impl Again {
    fn fails(self, case: &Case, world: &World, baseline: &Side, rng: &mut Stream) -> bool {
        let head = world.head(rng);
        if !Outcome::of(case, baseline, &head).failed {
            return false;
        }
        match self {
            Self::No => true,
            Self::Fresh => Outcome::of(case, &world.baseline(rng), &world.head(rng)).failed,
            Self::Pooled => {
                let (baseline, head) = (pooled(baseline, &world.baseline(rng)), pooled(&head, &world.head(rng)));
                Outcome::of(case, &baseline, &head).failed
            }
            Self::UntilGreen => (0..2).all(|_| Outcome::of(case, baseline, &world.head(rng)).failed),
        }
    }
}

/// One run with the trials of two.
fn pooled(first: &Side, second: &Side) -> Side {
    let mut side = first.clone();
    for (metric, (a, b)) in side.metrics.iter_mut().zip(first.metrics.iter().zip(&second.metrics)) {
        *metric = MetricValues::new(a.name.clone(), a.scale, a.has_passes);
        for example in 0..first.ids.len() {
            metric.push(a.of(example).iter().chain(b.of(example)).copied());
        }
    }
    side
}

/// One stored baseline for many pull requests against a fresh one for each.
pub fn baselines(settings: &Settings) -> Table {
    const PULL_REQUESTS: usize = 20;
    let mut table = Table::new(
        "Stored and fresh baselines, twenty unchanged pull requests each",
        &["baseline", "gates that failed", "a quarter or more of the twenty failed", "one intent −15: failed", "repetitions"],
    )
    .say(
        "n = 500, one trial. A stored baseline is valid on average; its luck is shared by all that are compared with it. \
         “Run again when red”: both sides once more, fresh, and one decision on the fresh trials alone, or on both pooled.",
    );
    for (name, what, stored, trials, again) in [
        ("baseline/fresh", "a fresh run for each", false, 1, Again::No),
        ("baseline/stored", "one stored run", true, 1, Again::No),
        ("baseline/stored-k3", "one stored run, three trials on both sides", true, 3, Again::No),
        ("baseline/again-fresh", "one stored run; run again when red, fresh trials decide", true, 1, Again::Fresh),
        ("baseline/again-pooled", "one stored run; run again when red, pooled trials decide", true, 1, Again::Pooled),
        (
            "baseline/until-green",
            "one stored run; the head run up to three times until green",
            true,
            1,
            Again::UntilGreen,
        ),
    ] {
        if !settings.wants(name) {
            continue;
        }
        let case = Case { trials: (trials, trials), ..Case::STANDARD };
        let sims = settings.sims(100);
        let failures: Vec<usize> = each(name, sims, |rng| {
            let world = World::draw(&case, rng);
            let kept = world.baseline(rng);
            (0..PULL_REQUESTS)
                .filter(|_| {
                    let fresh = (!stored).then(|| world.baseline(rng));
                    again.fails(&case, &world, fresh.as_ref().unwrap_or(&kept), rng)
                })
                .count()
        });
        let fallen = Case { change: Change::Fall { place: Place::Intent, points: 0.15, rise: 0.0 }, ..case };
        let caught = each(&format!("{name}/caught"), settings.sims(1_000), |rng| {
            let world = World::draw(&fallen, rng);
            let baseline = world.baseline(rng);
            again.fails(&fallen, &world, &baseline, rng)
        });
        let per_repetition: Vec<f64> = failures.iter().map(|&count| count as f64 / PULL_REQUESTS as f64).collect();
        let mean = per_repetition.iter().sum::<f64>() / sims as f64;
        let spread = per_repetition.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>();
        let error = (spread / (sims.max(2) - 1) as f64 / sims as f64).sqrt();
        table.row(vec![
            what.to_owned(),
            format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * error),
            Rate::of(&failures, |&count| 4 * count >= PULL_REQUESTS).with_error(),
            Rate::of(&caught, |&caught| caught).with_error(),
            sims.to_string(),
        ]);
    }
    table
}
