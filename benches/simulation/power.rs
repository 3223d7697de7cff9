//! How often a fall is caught.

use crate::decision::Outcome;
use crate::settings::{Rate, Settings, Table};
use crate::world::{Case, Change, Place};

struct Row {
    name: &'static str,
    what: &'static str,
    place: Place,
    points: f64,
    rise: f64,
    /// What the design asks for, per cent, with one trial and with three.
    wanted: [f64; 2],
}

const ROWS: [Row; 7] = [
    Row {
        name: "intent-15",
        what: "one intent (a fifth) −15 points",
        place: Place::Intent,
        points: 0.15,
        rise: 0.0,
        wanted: [70.0, 99.0],
    },
    Row {
        name: "intent-25",
        what: "one intent −25",
        place: Place::Intent,
        points: 0.25,
        rise: 0.0,
        wanted: [96.0, 100.0],
    },
    Row {
        name: "hard-20",
        what: "hard slice (10 %) −20",
        place: Place::Hard,
        points: 0.20,
        rise: 0.0,
        wanted: [39.0, 86.0],
    },
    Row {
        name: "small-40",
        what: "a small slice (6 %) −40",
        place: Place::Small,
        points: 0.40,
        rise: 0.0,
        wanted: [93.0, 99.0],
    },
    Row {
        name: "rises",
        what: "one intent −20, everything else +6",
        place: Place::Intent,
        points: 0.20,
        rise: 0.06,
        wanted: [89.0, 100.0],
    },
    Row { name: "all-5", what: "everything −5", place: Place::All, points: 0.05, rise: 0.0, wanted: [74.0, 99.0] },
    Row { name: "all-3", what: "everything −3", place: Place::All, points: 0.03, rise: 0.0, wanted: [37.0, 76.0] },
];

/// What the weights of the cells are worth.
pub fn shares(settings: &Settings) -> Table {
    let mut table = Table::new(
        "Power by the share of the overall cells",
        &["what fell", "share .20", ".30", ".40 (the default)", ".50", ".60", "simulations"],
    )
    .say("n = 500, one trial, mixed difficulty: what `overall_share` buys and costs.");
    for Row { name, what, place, points, rise, .. } in ROWS {
        let mut cells = vec![what.to_owned()];
        let mut sims = None;
        for overall_share in [0.2, 0.3, 0.4, 0.5, 0.6] {
            let case = Case { change: Change::Fall { place, points, rise }, overall_share, ..Case::STANDARD };
            // The same worlds for every share.
            let outcomes = settings.simulate(&format!("share/{name}"), &case, 1_000);
            cells.push(outcomes.map_or_else(
                || "–".to_owned(),
                |outcomes| {
                    sims = Some(outcomes.len());
                    Rate::of(&outcomes, |outcome| outcome.failed).percent()
                },
            ));
        }
        if let Some(sims) = sims {
            cells.push(sims.to_string());
            table.row(cells);
        }
    }
    table
}

/// The gate beside the rules in use elsewhere.
pub fn power(settings: &Settings) -> Table {
    let mut table = Table::new(
        "Power",
        &[
            "what fell",
            "gate, 1 trial",
            "gate, 3 trials",
            "gate, 1 against 5",
            "intervals of each cell",
            "overall, McNemar",
            "overall, two samples",
            "5-point tolerance",
            "expected",
            "simulations",
        ],
    )
    .say(
        "n = 500, mixed difficulty. The four rules in use elsewhere are at one trial; compare their power with their false alarms \
         in the tables above. “Expected” are the figures of a prototype of the rule; **below** marks a row that misses one by \
         more than 4 points.",
    );
    for Row { name, what, place, points, rise, wanted } in ROWS {
        let case = Case { change: Change::Fall { place, points, rise }, ..Case::STANDARD };
        let one = settings.simulate(&format!("power/{name}/k1"), &case, 1_000);
        let three = settings.simulate(&format!("power/{name}/k3"), &Case { trials: (3, 3), ..case }, 1_000);
        let unequal = settings.simulate(&format!("power/{name}/k1-5"), &Case { trials: (1, 5), ..case }, 400);
        if one.is_none() && three.is_none() && unequal.is_none() {
            continue;
        }
        let (one, three, unequal) = (one.unwrap_or_default(), three.unwrap_or_default(), unequal.unwrap_or_default());
        let gate = |outcomes: &[Outcome], wanted: f64| {
            if outcomes.is_empty() {
                return "–".to_owned();
            }
            let rate = Rate::of(outcomes, |outcome| outcome.failed);
            let below = if 100.0 * rate.share < wanted - 4.0 { " **below**" } else { "" };
            format!("{}{below}", rate.with_error())
        };
        table.row(vec![
            what.to_owned(),
            gate(&one, wanted[0]),
            gate(&three, wanted[1]),
            gate(&unequal, 0.0),
            Rate::of(&one, |outcome| outcome.uncorrected).percent(),
            Rate::of(&one, |outcome| outcome.mcnemar).percent(),
            Rate::of(&one, |outcome| outcome.two_samples).percent(),
            Rate::of(&one, |outcome| outcome.tolerance).percent(),
            format!("{} / {}", wanted[0], wanted[1]),
            one.len().max(three.len()).to_string(),
        ]);
    }
    table
}
