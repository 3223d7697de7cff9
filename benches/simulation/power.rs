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

/// The gate beside the rules in use elsewhere.
pub fn power(settings: &Settings) -> Table {
    let mut table = Table::new(
        "Power",
        &[
            "what fell",
            "gate, 1 trial",
            "gate, 3 trials",
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
        if one.is_none() && three.is_none() {
            continue;
        }
        let (one, three) = (one.unwrap_or_default(), three.unwrap_or_default());
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
