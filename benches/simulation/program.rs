//! The table of the design through the command line: eval sets are drawn and written to files, `evalgauge gate` decides about
//! each, and every rate stands beside the figure that was published for the rule, with a bound that it must keep.
//!
//! The rows are those of the tables in memory, drawn from the same streams: as many simulations give the same figure there.

use std::path::Path;

use evalgauge::stats::proportion::Proportion;
use evalgauge::stats::{Alpha, Interval};
use serde_json::Value;

use crate::settings::{Settings, Table, each};
use crate::spot::{ask, write_sides};
use crate::stages::stages;
use crate::world::{Case, Change, Place, Slicing, World};

/// A bound is broken where the exact interval of this level lies beyond it: once in a thousand times by chance.
const BROKEN: f64 = 0.002;
/// The printed intervals.
const SHOWN: f64 = 0.05;
/// By how many points power may be below what was published: the sets are drawn by another generator than the prototype's.
const SLACK: f64 = 4.0;

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// `evalgauge gate` with its defaults.
    Gate,
    /// Planted: every cell by its own p at 5 %, as if there were no others.
    Uncorrected,
    /// Planted: the gate at α = .45, near what eleven tests at 5 % come to.
    Loose,
    /// Planted: the gate with margins that nothing exceeds.
    Toothless,
}

impl Decider {
    /// Those that are planted, which must be caught.
    pub const PLANTED: [Self; 3] = [Self::Uncorrected, Self::Loose, Self::Toothless];

    /// The name as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Uncorrected => "uncorrected",
            Self::Loose => "loose",
            Self::Toothless => "toothless",
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Gate | Self::Uncorrected => &[],
            Self::Loose => &["--alpha", "0.45"],
            Self::Toothless => &["--margin", "0.9"],
        }
    }

    fn fails(self, verdict: &Value) -> bool {
        match self {
            Self::Uncorrected => cells(verdict).any(|cell| fell_beyond(cell, margin(cell)) && below(&cell["p"], 0.05)),
            _ => verdict["decision"] == "fail",
        }
    }
}

fn cells(verdict: &Value) -> impl Iterator<Item = &Value> {
    verdict["cells"].as_array().unwrap().iter().filter(|cell| cell["state"] != "shown")
}

fn margin(cell: &Value) -> f64 {
    cell["margin"].as_f64().unwrap()
}

fn fell_beyond(cell: &Value, margin: f64) -> bool {
    cell["delta"].as_f64().is_some_and(|delta| -delta > margin)
}

fn below(p: &Value, level: f64) -> bool {
    p.as_f64().is_some_and(|p| p <= level)
}

/// What one verdict says, and what rules in use elsewhere would make of the same numbers.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule's answer")]
struct Said {
    failed: bool,
    /// The share of the tested cells that stay open.
    open: f64,
    intervals: bool,
    tests: bool,
    tolerance: bool,
    any_drop: bool,
    mcnemar: bool,
    two_samples: bool,
}

impl Said {
    fn of(decider: Decider, verdict: &Value, comparison: Option<&Value>) -> Self {
        let all = cells(verdict).count().max(1) as f64;
        let open = cells(verdict).filter(|cell| cell["state"] == "undecided" || cell["state"] == "untestable").count();
        let overall = cells(verdict).find(|cell| cell["slice"] == "overall").unwrap();
        let any_drop = fell_beyond(overall, 0.0);
        let whole = |comparison: &Value| {
            let cells = comparison["cells"].as_array().unwrap();
            below(&cells.iter().find(|cell| cell["slice"] == "overall").unwrap()["mcnemar_exact"], 0.05)
        };
        Self {
            failed: decider.fails(verdict),
            open: open as f64 / all,
            intervals: cells(verdict)
                .any(|cell| fell_beyond(cell, margin(cell)) && cell["ci"][1].as_f64().is_some_and(|high| high < 0.0)),
            tests: cells(verdict).any(|cell| below(&cell["p"], 0.05)),
            tolerance: cells(verdict).any(|cell| fell_beyond(cell, 0.05)),
            any_drop,
            mcnemar: any_drop && comparison.is_some_and(whole),
            two_samples: any_drop && two_samples(overall),
        }
    }
}

/// Whether the 95 % t interval of two samples that are taken for independent lies below 0; of 0/1 scores the rates say it all.
fn two_samples(overall: &Value) -> bool {
    let n = overall["n"].as_f64().unwrap();
    let rate = |side: &str| overall[side].as_f64().unwrap();
    let variance = |rate: f64| rate * (1.0 - rate) / (n - 1.0);
    let (before, after) = (rate("baseline"), rate("head"));
    let half = Alpha::FIVE_PERCENT.two_sided_t(2.0 * (n - 1.0)) * (variance(before) + variance(after)).sqrt();
    after - before + half < 0.0
}

/// What a rate must keep.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn text(self) -> String {
        match self {
            Self::AtMost(percent) => format!("≤ {percent}"),
            Self::AtLeast(percent) => format!("≥ {percent}"),
        }
    }

    /// Whether the simulations are compatible with it.
    fn is_kept(self, hits: usize, sims: usize) -> bool {
        let Interval { low, high } = exact(hits, sims, BROKEN);
        match self {
            Self::AtMost(percent) => 100.0 * low <= percent,
            Self::AtLeast(percent) => 100.0 * high >= percent,
        }
    }
}

fn exact(hits: usize, sims: usize, alpha: f64) -> Interval {
    Proportion::new(hits as u64, sims as u64).unwrap().clopper_pearson(Alpha::new(alpha).unwrap())
}

/// `4.6 [3.4, 6.1]`, in per cent.
fn shown(hits: usize, sims: usize) -> String {
    let Interval { low, high } = exact(hits, sims, SHOWN);
    format!("{:.1} [{:.1}, {:.1}]", 100.0 * hits as f64 / sims as f64, 100.0 * low, 100.0 * high)
}

/// A row of the table: what happened, with one trial and with three.
struct Row {
    /// Its name among the tables in memory, with one trial and with three.
    names: [&'static str; 2],
    what: &'static str,
    change: Change,
    /// As the design gives it.
    published: [&'static str; 2],
    bounds: [Bound; 2],
    /// What the design says of other rules, one trial.
    others: &'static str,
}

const fn fall(place: Place, points: f64, rise: f64) -> Change {
    Change::Fall { place, points, rise }
}

const fn at_least(one: f64, three: f64) -> [Bound; 2] {
    [Bound::AtLeast(one - SLACK), Bound::AtLeast(three - SLACK)]
}

const NONE: [Bound; 2] = [Bound::AtMost(5.0), Bound::AtMost(5.0)];

const ROWS: [Row; 9] = [
    Row {
        names: ["nothing", "nothing-k3"],
        what: "nothing, a flickering system",
        change: Change::Nothing,
        published: ["4.6", "4.8"],
        bounds: NONE,
        others: "intervals 17, tests 32, tolerance 78, any drop 48",
    },
    Row {
        names: ["churn", "churn-k3"],
        what: "one answer in ten changed for good, none for the worse on the whole",
        change: Change::Churn(0.1),
        published: ["1–3", "1–3"],
        bounds: NONE,
        others: "–",
    },
    Row {
        names: ["power/intent-15/k1", "power/intent-15/k3"],
        what: "one intent (a fifth) −15 points",
        change: fall(Place::Intent, 0.15, 0.0),
        published: ["70", "99"],
        bounds: at_least(70.0, 99.0),
        others: "McNemar 24, two samples 13",
    },
    Row {
        names: ["power/intent-25/k1", "power/intent-25/k3"],
        what: "one intent −25",
        change: fall(Place::Intent, 0.25, 0.0),
        published: ["96", "100"],
        bounds: at_least(96.0, 100.0),
        others: "McNemar 37, two samples 25",
    },
    Row {
        names: ["power/hard-20/k1", "power/hard-20/k3"],
        what: "hard slice (10 %) −20",
        change: fall(Place::Hard, 0.20, 0.0),
        published: ["39", "86"],
        bounds: at_least(39.0, 86.0),
        others: "McNemar 13, two samples 7",
    },
    Row {
        names: ["power/small-40/k1", "power/small-40/k3"],
        what: "a small slice (6 %) −40",
        change: fall(Place::Small, 0.40, 0.0),
        published: ["93", "99"],
        bounds: at_least(93.0, 99.0),
        others: "–",
    },
    Row {
        names: ["power/rises/k1", "power/rises/k3"],
        what: "the average rises, one intent −20",
        change: fall(Place::Intent, 0.20, 0.06),
        published: ["89", "100"],
        bounds: at_least(89.0, 100.0),
        others: "McNemar 5, two samples 2",
    },
    Row {
        names: ["power/all-5/k1", "power/all-5/k3"],
        what: "everything −5",
        change: fall(Place::All, 0.05, 0.0),
        published: ["74", "99"],
        bounds: at_least(74.0, 99.0),
        others: "McNemar 68, two samples 53",
    },
    Row {
        names: ["power/all-3/k1", "power/all-3/k3"],
        what: "everything −3",
        change: fall(Place::All, 0.03, 0.0),
        published: ["37", "76"],
        bounds: at_least(37.0, 76.0),
        others: "–",
    },
];

/// Cells that stay open although nothing changed: margin, examples, and what the design gives for 1, 3 and 5 trials.
const OPEN: [(u32, usize, [f64; 3]); 8] = [
    (5, 50, [80.0, 59.0, 42.0]),
    (5, 200, [48.0, 10.0, 1.0]),
    (5, 500, [13.0, 0.0, 0.0]),
    (5, 2_000, [0.0, 0.0, 0.0]),
    (2, 50, [90.0, 89.0, 84.0]),
    (2, 200, [83.0, 69.0, 55.0]),
    (2, 500, [72.0, 41.0, 22.0]),
    (2, 2_000, [30.0, 2.0, 0.0]),
];

/// The program under simulation, and who decides.
#[derive(Debug, Clone, Copy)]
pub struct Through<'p> {
    pub program: &'p Path,
    pub decider: Decider,
}

impl Through<'_> {
    /// What is said of every simulation of a row.
    fn simulate(self, row: &str, case: &Case, sims: usize, with_comparison: bool) -> Vec<Said> {
        each(row, sims, |rng| {
            let world = World::draw(case, rng);
            let (baseline, head) = (world.baseline(rng), world.head(rng));
            let folder = write_sides(&baseline, &head, usize::MAX);
            let verdict = ask(self.program, "gate", folder.path(), case, &baseline, self.decider.flags());
            let comparison = with_comparison.then(|| ask(self.program, "compare", folder.path(), case, &baseline, &[]));
            Said::of(self.decider, &verdict, comparison.as_ref())
        })
    }

    /// All tables; the cells whose rates break their bounds.
    pub fn tables(self, settings: &Settings, out: &mut dyn FnMut(&str), progress: &mut dyn FnMut(&str)) -> Vec<String> {
        let mut broken = Vec::new();
        let (gate, others) = self.decisions(settings, &mut broken, progress);
        for table in [gate, others].iter().filter(|table| !table.is_empty()) {
            out(&table.markdown());
        }
        if self.decider == Decider::Gate {
            let enough = self.enough(settings, &mut broken, progress);
            let stages = stages(self, settings, progress);
            for table in [enough, stages].iter().filter(|table| !table.is_empty()) {
                out(&table.markdown());
            }
        }
        broken
    }

    fn decisions(
        self,
        settings: &Settings,
        broken: &mut Vec<String>,
        progress: &mut dyn FnMut(&str),
    ) -> (Table, Table) {
        let mut gate = Table::new(
            "The gate through the command line",
            &["what happened", "one trial", "published", "bound", "three trials", "published", "bound", "kept"],
        )
        .say(format!(
            "n = 500, eleven cells, margins 2 overall and on the hard slice, 5 on the others, α = 5 %; {} simulations of a row. Gates \
             that failed, per cent, with the exact 95 % interval; “published” is the figure of the design; a bound is broken where \
             the exact 99.8 % interval lies beyond it.",
            settings.through(1_000, 30)
        ));
        let mut others = Table::new(
            "Rules in use elsewhere, on the same answers",
            &[
                "what happened",
                "intervals of each cell",
                "tests of each cell",
                "5-point tolerance",
                "any drop",
                "overall, McNemar",
                "overall, two samples",
                "published",
            ],
        )
        .say("One trial, per cent that would have failed; from what `gate` and `compare` print.");
        for Row { names, what, change, published, bounds, others: elsewhere } in &ROWS {
            let sims = settings.through(1_000, 30);
            let mut line = vec![(*what).to_owned()];
            let mut kept = true;
            for (at, trials) in [1, 3].into_iter().enumerate() {
                if !settings.wants(names[at]) {
                    line.extend(["–".to_owned(), published[at].to_owned(), bounds[at].text()]);
                    continue;
                }
                let case = Case { change: *change, trials: (trials, trials), ..Case::STANDARD };
                let said = self.simulate(names[at], &case, sims, trials == 1);
                let hits = said.iter().filter(|said| said.failed).count();
                if !bounds[at].is_kept(hits, sims) {
                    kept = false;
                    broken.push(format!(
                        "{what}, {trials} trials: {} % fail, {}",
                        shown(hits, sims),
                        bounds[at].text()
                    ));
                }
                line.extend([shown(hits, sims), published[at].to_owned(), bounds[at].text()]);
                if trials == 1 {
                    others.row(elsewhere_row(what, &said, elsewhere));
                }
                progress(names[at]);
            }
            if names.iter().any(|name| settings.wants(name)) {
                line.push(if kept { "yes" } else { "**no**" }.to_owned());
                gate.row(line);
            }
        }
        (gate, others)
    }

    fn enough(self, settings: &Settings, broken: &mut Vec<String>, progress: &mut dyn FnMut(&str)) -> Table {
        let mut table = Table::new(
            "How much is enough, through the command line",
            &["margin", "n", "1 trial", "3 trials", "5 trials", "published", "kept"],
        )
        .say(format!(
            "One cell, nothing changed: per cent that stay undecided; {} simulations. Kept: not more than {SLACK} points above the \
             published figure, within the exact 99.8 % interval.",
            settings.through(300, 10)
        ));
        for (points, n, published) in OPEN {
            let sims = settings.through(300, 10);
            let mut line = vec![format!("{points} points"), n.to_string()];
            let (mut any, mut kept) = (false, true);
            for (published, trials) in published.into_iter().zip([1, 3, 5]) {
                let name = format!("enough/m{points}/n{n}/k{trials}");
                if !settings.wants(&name) {
                    line.push("–".to_owned());
                    continue;
                }
                any = true;
                let margin = Some(f64::from(points) / 100.0);
                let case = Case { n, trials: (trials, trials), margin, slicing: Slicing::None, ..Case::STANDARD };
                let said = self.simulate(&name, &case, sims, false);
                // One cell: each is open or not.
                let hits = said.iter().filter(|said| said.open > 0.5).count();
                if !Bound::AtMost(published + SLACK).is_kept(hits, sims) {
                    kept = false;
                    broken.push(format!("{name}: {} % undecided, published {published}", shown(hits, sims)));
                }
                line.push(shown(hits, sims));
                progress(&name);
            }
            line.push(published.map(|percent| percent.to_string()).join(" / "));
            line.push(if kept { "yes" } else { "**no**" }.to_owned());
            if any {
                table.row(line);
            }
        }
        table
    }
}

fn elsewhere_row(what: &str, said: &[Said], published: &str) -> Vec<String> {
    let rules: [fn(&Said) -> bool; 6] = [
        |said| said.intervals,
        |said| said.tests,
        |said| said.tolerance,
        |said| said.any_drop,
        |said| said.mcnemar,
        |said| said.two_samples,
    ];
    let percent =
        |rule: fn(&Said) -> bool| 100.0 * said.iter().filter(|said| rule(said)).count() as f64 / said.len() as f64;
    let rates = rules.map(|rule| format!("{:.1}", percent(rule)));
    [what.to_owned()].into_iter().chain(rates).chain([published.to_owned()]).collect()
}
